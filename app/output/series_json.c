/* SPDX-License-Identifier: BSD-3-Clause */
/* A series as names of columns and rows of cells; a column in which nothing was measured is left
 * out. */
#include "series_json.h"

#include "columns.h"

static void columns_of(const struct app_result *r, struct app_columns *out)
{
    *out = (struct app_columns){.n_ends = r->n_ends};
    for (uint32_t e = 0; e < r->n_ends; e++) {
        out->end_names[e] = r->ends[e].name;
        out->n_workers[e] = r->ends[e].n_workers;
    }
}

/* Nothing was measured where no second has a count of it, either. */
static bool is_empty(const struct app_columns *c, uint32_t i, const struct app_series *s)
{
    for (uint32_t n = 0; n < s->n; n++) {
        const struct app_cell cell = app_column_cell(c, i, &s->seconds[n]);
        if (cell.kind != APP_CELL_EMPTY && (cell.kind != APP_CELL_COUNT || cell.count != 0))
            return false;
    }
    return s->n != 0;
}

static json_t *cell_json(const struct app_cell *cell)
{
    switch (cell->kind) {
    case APP_CELL_COUNT: return json_integer((json_int_t)cell->count);
    case APP_CELL_REAL: return json_real(cell->real);
    case APP_CELL_TEXT: return json_string(cell->text);
    case APP_CELL_EMPTY: break;
    }
    return json_null();
}

/* Column `i`, at the end of the names and of every row. */
static void add_column(const struct app_columns *c, uint32_t i, const struct app_series *s,
    json_t *names, json_t *rows)
{
    char name[APP_COLUMN_NAME_BYTES];
    json_array_append_new(names, json_string(app_column_name(c, i, name)));
    for (uint32_t n = 0; n < s->n; n++) {
        const struct app_cell cell = app_column_cell(c, i, &s->seconds[n]);
        json_array_append_new(json_array_get(rows, n), cell_json(&cell));
    }
}

json_t *app_series_json(const struct app_result *r, const struct app_series *s)
{
    struct app_columns c;
    columns_of(r, &c);
    json_t *names = json_array(), *rows = json_array();
    for (uint32_t n = 0; n < s->n; n++)
        json_array_append_new(rows, json_array());
    for (uint32_t i = 0; i < app_columns_n(&c); i++)
        if (app_column_is_always(i) || !is_empty(&c, i, s))
            add_column(&c, i, s, names, rows);
    return json_pack("{s:o, s:o, s:o}", "columns", names, "rows", rows, "lost",
        json_integer((json_int_t)s->n_lost));
}
