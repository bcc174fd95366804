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

/** --listen: one more. Files are read at once. @return 0, or -EINVAL with one line in *err, and the
 * server is as it was */
int app_server_listen(struct app_server *s, const char *text, struct tern_error *err);

enum { APP_SERVER_TEXT_BYTES = 256 };
/** "http on port 80, echo on port 7", cut where it gets long. @return buf */
char *app_server_text(const struct app_server *s, char buf[APP_SERVER_TEXT_BYTES]);
