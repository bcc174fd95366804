/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* From "delay=20ms,loss=1%" to what the engine is told, and back. */
#include <tern/engine.h>

#include "settings.h"

#include <stddef.h>

enum { APP_IMPAIR_TEXT_BYTES = 192 };

void app_impair_init(struct app_impair_settings *s);

/** @return 0, or -EINVAL with one line in *err that starts with the option's name; then *out is
 * untouched */
int app_impair_parse(
    const char *option, const char *text, struct app_impair_spec *out, struct tern_error *err);

/** One direction of the settings. */
struct tern_impair app_impair_of(const struct app_impair_settings *s, enum tern_impair_dir dir);

/** As it would be typed; "none". @return buf */
char *app_impair_text(const struct tern_impair *i, char buf[APP_IMPAIR_TEXT_BYTES]);

/** How much longer the life of a connection may take over this path: a few round trips. */
uint64_t app_impair_patience_ns(const struct tern_endpoint_config *ep);
