/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A second of a run as a row of named columns, the same in the CSV, in the JSON's series and on the
 * page. Names carry their units, keep their meaning, and are looked up by name: later versions add
 * columns.
 */
#include "../measure/series.h"

#include <stdbool.h>

/** Whose workers the last columns are of. */
struct app_columns {
    uint32_t n_ends;
    const char *end_names[TERN_ENDPOINTS_MAX];
    uint32_t n_workers[TERN_ENDPOINTS_MAX];
};

enum app_cell_kind {
    APP_CELL_EMPTY, /**< nothing was measured: not the same as 0 */
    APP_CELL_COUNT,
    APP_CELL_REAL,
    APP_CELL_TEXT,
};

struct app_cell {
    enum app_cell_kind kind;
    union {
        uint64_t count;
        double real;
        const char *text; /**< plain: neither quotes nor commas */
    };
};

uint32_t app_columns_n(const struct app_columns *c);

enum { APP_COLUMN_NAME_BYTES = 64 };

/** "time_s", "established", "connect_p99_ns", "busy_client_0". @return buf */
char *app_column_name(const struct app_columns *c, uint32_t i, char buf[APP_COLUMN_NAME_BYTES]);

/** True for what every run counts; false for what some have none of: times. */
bool app_column_is_always(uint32_t i);

struct app_cell app_column_cell(
    const struct app_columns *c, uint32_t i, const struct app_second *s);
