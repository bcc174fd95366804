/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that a user names may hold anything. What is relied on later, here or by the page, is
 * asked for once, by shape; the rest is looked up and may be missing.
 */
#include "kept.h"

#include "../error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MIB_MAX = 256 };
/* What is left behind the last second may be too short to have a rate. */
#define SHORT_S 0.5

/* Each key as jansson's unpacker checks it: s text, F number, b truth, o anything, {} an object. */
static int check_shape(json_t *root, json_error_t *why)
{
    const char *text;
    double number;
    int truth;
    json_t *o;
    return json_unpack_ex(root, why, 0,
        "{s:s, s:s, s:s, s:s, s:F, s:F, s:b, s:b, s:{s:I, s:o}, s:o, s:o, s:o, s:I, s:{s:o, s:o}}",
        "tern", &text, "command", &text, "scenario", &text, "device", &text, "duration_s", &number,
        "cps", &number, "valid", &truth, "books_balance", &truth, "connections", "closed",
        &(json_int_t){0}, "failed", &o, "invalid_reasons", &o, "drops", &o, "ends", &o,
        "retransmits", &(json_int_t){0}, "series", "columns", &o, "rows", &o);
}

static int refuse(const struct app_kept *k, const char *why, struct tern_error *err)
{
    return app_refuse(err,
        "compare: %.200s is no result of tern's: %.120s; write one with 'tern load … --json FILE'",
        k->path, why);
}

static int check_size(const char *path, struct tern_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return app_refuse(err, "compare: cannot read %.200s: %s; type the path of a result", path,
            strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MIB_MAX << 20)
        return app_refuse(err,
            "compare: %.200s is no file, or has more than %d MiB; type the path "
            "of a result",
            path, FILE_MIB_MAX);
    return 0;
}

/* Every row has a cell for each column. */
static bool is_table(const json_t *series)
{
    const json_t *columns = json_object_get(series, "columns"),
                 *rows = json_object_get(series, "rows");
    if (!json_is_array(columns) || !json_is_array(rows))
        return false;
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (json_array_size(json_array_get(rows, i)) != json_array_size(columns))
            return false;
    return true;
}

int app_kept_read(struct app_kept *k, const char *path, struct tern_error *err)
{
    json_error_t why;
    const char *slash = strrchr(path, '/');
    *k = (struct app_kept){.path = path, .name = slash == NULL ? path : slash + 1};
    int rc = check_size(path, err);
    if (rc != 0)
        return rc;
    k->root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (k->root == NULL || check_shape(k->root, &why) != 0)
        return refuse(k, why.text, err);
    if (!is_table(json_object_get(k->root, "series")))
        return refuse(k, "its series is no table", err);
    return 0;
}

void app_kept_free(struct app_kept *k)
{
    json_decref(k->root);
    k->root = NULL;
}

/* ---- looking things up ---- */

static size_t column_at(const json_t *series, const char *name)
{
    const json_t *columns = json_object_get(series, "columns");
    size_t i = 0;
    while (i < json_array_size(columns)
           && (!json_is_string(json_array_get(columns, i))
               || strcmp(json_string_value(json_array_get(columns, i)), name) != 0))
        i++;
    return i;
}

static const json_t *cell(const json_t *series, const json_t *row, const char *name)
{
    return json_array_get(row, column_at(series, name));
}

static bool is_steady(const json_t *series, const json_t *row)
{
    const char *phase = json_string_value(cell(series, row, "phase"));
    return phase != NULL && strcmp(phase, "steady") == 0;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void app_kept_spread(
    const struct app_kept *k, const char *column, bool a_second, struct app_spread *out)
{
    const json_t *series = json_object_get(k->root, "series"),
                 *rows = json_object_get(series, "rows");
    const size_t n_rows = json_array_size(rows), at = column_at(series, column);
    double *values = calloc(n_rows + 1, sizeof *values);
    *out = (struct app_spread){.n = 0};
    for (size_t i = 0; i < n_rows && values != NULL; i++) {
        const json_t *row = json_array_get(rows, i), *value = json_array_get(row, at);
        const double length_s = json_number_value(cell(series, row, "length_s"));
        if (json_is_number(value) && length_s >= SHORT_S && is_steady(series, row))
            values[out->n++] = json_number_value(value) / (a_second ? length_s : 1);
    }
    if (out->n != 0) {
        qsort(values, out->n, sizeof *values, by_size);
        out->low = values[out->n / 4];
        out->median = values[out->n / 2];
        out->high = values[out->n - 1 - out->n / 4];
    }
    free(values);
}

void app_kept_failed(const struct app_kept *k, uint64_t *n_failed, uint64_t *n_begun)
{
    const json_t *counted = json_object_get(json_object_get(k->root, "ledger"), "counted");
    const json_t *ended = json_object_get(counted, "ended");
    const json_int_t begun = json_integer_value(json_object_get(counted, "begun"));
    const json_int_t good = json_integer_value(json_object_get(ended, "ok"));
    *n_begun = begun > 0 ? (uint64_t)begun : 0;
    *n_failed = begun > good && good >= 0 ? (uint64_t)(begun - good) : 0;
}
