/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A listener as it is typed:
 *
 *     PORT[-PORT]=APP[,KEY[=VALUE]…]
 *
 *     8080=http,file=index.html,delay=exp:20ms
 *     7=echo
 */
#include "service.h"

#include <stdio.h>

/** Whether `text` can stand behind the `n` that were checked before it. Files are not looked at:
 * they are the server's, and a configuration is also read where the load runs. @return 0, or
 * -EINVAL with one line in *err */
int app_listen_check(
    const char *const *before, uint32_t n, const char *text, struct tern_error *err);

/** --listen: one more. Files are read at once. @return 0, or -EINVAL with one line in *err, and the
 * server is as it was */
int app_server_listen(struct app_server *s, const char *text, struct tern_error *err);

enum { APP_SERVER_TEXT_BYTES = 256 };
/** "http on port 80, echo on port 7", cut where it gets long. @return buf */
char *app_server_text(const struct app_server *s, char buf[APP_SERVER_TEXT_BYTES]);
