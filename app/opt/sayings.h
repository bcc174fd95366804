/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What was said, in the order in which it was: a row and a text each, not yet looked at. */
#include "row.h"

/* As many as addresses and neighbours may be given one by one, and every other option. */
enum { APP_SAYINGS_MAX = 1024 };

struct app_saying {
    const struct app_opt_row *row;
    const char *text; /**< "" of a flag; outlives the settings */
};

struct app_sayings {
    struct app_saying of[APP_SAYINGS_MAX];
    uint32_t n;
};

/** @return 0, or -EINVAL with one line in *err: too many */
int app_sayings_add(
    struct app_sayings *s, const struct app_opt_row *row, const char *text, struct tern_error *err);

/** The last of that row, or NULL. */
const struct app_saying *app_sayings_last(
    const struct app_sayings *s, const struct app_opt_row *row);
