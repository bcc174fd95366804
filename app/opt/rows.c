/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The areas, and looking things up in them. A hundred rows are searched from the front: a line or a
 * file of options is read once, before anything runs.
 */
#include "rows.h"

#include <assert.h>
#include <string.h>

static const struct app_opt_rows *const areas[] = {
    &app_rows_decode,
    &app_rows_top,
    &app_rows_pair,
    &app_rows_serve,
    &app_rows_load,
    &app_rows_http,
    &app_rows_goal,
    &app_rows_engine,
    &app_rows_address,
    &app_rows_tcp,
    &app_rows_impair,
    &app_rows_run,
    &app_rows_config,
    &app_rows_output,
    &app_rows_watch,
    &app_rows_capture,
};
enum { N_AREAS = sizeof areas / sizeof areas[0] };

static const char *const titles[APP_GROUP_COUNT] = {
    [APP_GROUP_DECODE] = "Frames",
    [APP_GROUP_TOP] = "Look",
    [APP_GROUP_PAIR] = "Pair",
    [APP_GROUP_SERVICE] = "Service",
    [APP_GROUP_DEVICE] = "Device",
    [APP_GROUP_LOAD] = "Load",
    [APP_GROUP_HTTP] = "HTTP",
    [APP_GROUP_GOAL] = "Goals",
    [APP_GROUP_ENGINE] = "Workers and memory",
    [APP_GROUP_ADDRESS] = "Addresses",
    [APP_GROUP_TCP] = "TCP and IP",
    [APP_GROUP_IMPAIR] = "Impairment",
    [APP_GROUP_RUN] = "Run",
    [APP_GROUP_REPORT] = "Report",
    [APP_GROUP_CAPTURE] = "Capture",
    [APP_GROUP_CONFIG] = "Configuration",
};

const char *app_opt_group_title(enum app_opt_group group)
{
    return titles[group];
}

uint32_t app_opt_count(void)
{
    uint32_t n = 0;
    for (int i = 0; i < N_AREAS; i++)
        n += areas[i]->n;
    assert(n <= APP_OPT_ROWS_MAX);
    return n;
}

const struct app_opt_row *app_opt_at(uint32_t i)
{
    for (int a = 0; a < N_AREAS; a++) {
        if (i < areas[a]->n)
            return &areas[a]->rows[i];
        i -= areas[a]->n;
    }
    return NULL;
}

uint32_t app_opt_index(const struct app_opt_row *row)
{
    for (uint32_t i = 0; i < app_opt_count(); i++)
        if (app_opt_at(i) == row)
            return i;
    assert(false && "a row of no area");
    return 0;
}

const struct app_opt_row *app_opt_find(uint32_t commands, const char *name)
{
    for (uint32_t i = 0; i < app_opt_count(); i++) {
        const struct app_opt_row *row = app_opt_at(i);
        if ((row->commands & commands) != 0 && strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

const struct app_opt_row *app_opt_positional(uint32_t command)
{
    for (uint32_t i = 0; i < app_opt_count(); i++) {
        const struct app_opt_row *row = app_opt_at(i);
        if (row->positional && (row->commands & command) != 0)
            return row;
    }
    return NULL;
}
