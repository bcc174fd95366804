/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 4180 but for its line ends, which are single here as every tool reads them. No cell needs
 * quotes. A cell without a measurement is empty.
 */
#include "csv.h"

#include "../error.h"
#include "../run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CELL_BYTES = 32, /* of a number, with its comma */
    COLUMNS_MAX = 128 + TERN_ENDPOINTS_MAX * TERN_WORKERS_MAX,
    ROW_BYTES = COLUMNS_MAX * APP_COLUMN_NAME_BYTES,
};

/* A row that is being put together. */
struct row {
    char text[ROW_BYTES];
    size_t n_bytes;
};

static void put(struct row *r, const char *cell)
{
    const size_t room = sizeof r->text - r->n_bytes;
    const int n = snprintf(r->text + r->n_bytes, room, "%s%s", r->n_bytes == 0 ? "" : ",", cell);
    r->n_bytes += (size_t)n < room ? (size_t)n : room - 1;
}

static void end_row(struct row *r)
{
    r->text[r->n_bytes++] = '\n';
}

static void put_cell(struct row *r, const struct app_cell *cell)
{
    char text[CELL_BYTES] = "";
    if (cell->kind == APP_CELL_COUNT)
        snprintf(text, sizeof text, "%" PRIu64, cell->count);
    else if (cell->kind == APP_CELL_REAL)
        snprintf(text, sizeof text, "%.9g", cell->real);
    put(r, cell->kind == APP_CELL_TEXT ? cell->text : text);
}

static int begin(void *self, const struct app_run *run, struct tern_error *err)
{
    struct app_csv *csv = self;
    struct row header = {.n_bytes = 0};
    char name[APP_COLUMN_NAME_BYTES];
    csv->columns.n_ends = run->cfg->n_endpoints;
    for (uint32_t ep = 0; ep < csv->columns.n_ends; ep++) {
        csv->columns.end_names[ep] = run->end_names[ep];
        csv->columns.n_workers[ep] = run->cfg->endpoints[ep].n_workers;
    }
    int rc = app_lines_open(&csv->lines, "--csv", csv->path, err);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < app_columns_n(&csv->columns); i++)
        put(&header, app_column_name(&csv->columns, i, name));
    end_row(&header);
    rc = app_lines_add(&csv->lines, header.text, header.n_bytes);
    csv->lines.n_added = 0; /* seconds, from here on */
    if (rc != 0)
        app_refuse(
            err, "--csv: cannot write %.200s: %s; type another path", csv->path, strerror(-rc));
    return rc;
}

static void second(void *self, const struct app_second *s)
{
    struct app_csv *csv = self;
    struct row row = {.n_bytes = 0};
    for (uint32_t i = 0; i < app_columns_n(&csv->columns); i++) {
        const struct app_cell cell = app_column_cell(&csv->columns, i, s);
        put_cell(&row, &cell);
    }
    end_row(&row);
    app_lines_add_or_tell(&csv->lines, row.text, row.n_bytes);
}

static uint64_t n_lost(const void *self)
{
    const struct app_csv *csv = self;
    return csv->lines.n_lost;
}

/* What is missing was told; the run is what it is. */
static int end(void *self, const struct app_result *r, struct tern_error *err)
{
    const struct app_csv *csv = self;
    (void)r, (void)err;
    app_lines_tell_lost(&csv->lines);
    return 0;
}

static void close_csv(void *self)
{
    struct app_csv *csv = self;
    app_lines_close(&csv->lines);
}

const struct app_observer_ops app_csv_observer = {
    .name = "csv",
    .begin = begin,
    .second = second,
    .n_lost = n_lost,
    .end = end,
    .close = close_csv,
};
