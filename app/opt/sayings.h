/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What was said, by whom and where, in order: a row and a text each, not yet looked at. The line is
 * said last and wins over the file, the file over a preset; what is said at a higher rank replaces
 * all that was said about that row below it, also where a row may be said again.
 */
#include "row.h"

/* As many as addresses and neighbours may be given one by one, and every other option. */
enum { APP_SAYINGS_MAX = 1024 };

enum app_rank {
    APP_RANK_PRESET,
    APP_RANK_COMMON, /**< the file's map `common` */
    APP_RANK_OTHER,  /**< a pair reads the maps `load` and `serve`, too */
    APP_RANK_OWN,    /**< the map of the command itself */
    APP_RANK_LINE,
};

struct app_saying {
    const struct app_opt_row *row;
    const char *text; /**< outlives the settings; of a flag "", "true" or "false" */
    enum app_rank rank;
    const char *where;     /**< path of the file, or name of the preset; NULL: the line */
    uint32_t line, column; /**< in the file, from 1 */
    uint32_t commands;     /**< CMD_* of the file's map in which it stands */
};

struct app_sayings {
    struct app_saying of[APP_SAYINGS_MAX];
    uint32_t n;
};

/** @return 0, or -EINVAL with one line in *err: too many */
int app_sayings_add(struct app_sayings *s, const struct app_saying *said, struct tern_error *err);

/** The last of that row at the highest rank, or NULL. */
const struct app_saying *app_sayings_last(
    const struct app_sayings *s, const struct app_opt_row *row);

/** Set what is not replaced. @return 0, or -EINVAL with one line in *err that begins with the place
 */
int app_sayings_set(const struct app_sayings *said, struct app_settings *s, struct tern_error *err);
