/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jansson indents all of a document or nothing, which makes a line of every cell of a series. So
 * the outermost object is written here and its values by jansson, each two characters to the right.
 */
#include "json_text.h"

#include <string.h>

enum { DIGITS = 9 };
#define REALS JSON_REAL_PRECISION(DIGITS)

/* Text of jansson's, a piece at a time, moved to the right. */
static int put_indented(const char *text, size_t n_bytes, void *out)
{
    for (size_t i = 0; i < n_bytes; i++)
        if (fputc(text[i], out) == EOF || (text[i] == '\n' && fputs("  ", out) == EOF))
            return -1;
    return 0;
}

/* '<' would end the script, or begin a comment in it: "</script>", "<!--". JSON has it in strings
 * only, where it may be written as an escape. */
static int put_embedded(const char *text, size_t n_bytes, void *out)
{
    for (size_t i = 0; i < n_bytes; i++)
        if ((text[i] == '<' ? fputs("\\u003c", out) : fputc(text[i], out)) == EOF)
            return -1;
    return 0;
}

static int write_rows(FILE *out, const json_t *rows)
{
    size_t i;
    json_t *row;
    fputc('[', out);
    json_array_foreach(rows, i, row)
    {
        fputs(i == 0 ? "\n      " : ",\n      ", out);
        if (json_dumpf(row, out, JSON_COMPACT | REALS) != 0)
            return -1;
    }
    return fputs(i == 0 ? "]" : "\n    ]", out) == EOF ? -1 : 0;
}

static int write_series(FILE *out, json_t *series)
{
    const char *key, *comma = "";
    json_t *value;
    fputc('{', out);
    json_object_foreach(series, key, value)
    {
        fprintf(out, "%s\n    \"%s\": ", comma, key);
        const int rc = strcmp(key, "rows") == 0
                           ? write_rows(out, value)
                           : json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY | REALS);
        if (rc != 0)
            return -1;
        comma = ",";
    }
    return fputs("\n  }", out) == EOF ? -1 : 0;
}

int app_json_write(FILE *out, json_t *root)
{
    const char *key, *comma = "";
    json_t *value;
    fputc('{', out);
    json_object_foreach(root, key, value)
    {
        fprintf(out, "%s\n  \"%s\": ", comma, key);
        const int rc = json_is_array(json_object_get(value, "rows"))
                           ? write_series(out, value)
                           : json_dump_callback(
                               value, put_indented, out, JSON_INDENT(2) | JSON_ENCODE_ANY | REALS);
        if (rc != 0)
            return -1;
        comma = ",";
    }
    return fputs("\n}\n", out) == EOF ? -1 : 0;
}

int app_json_write_embedded(FILE *out, const json_t *root)
{
    return json_dump_callback(root, put_embedded, out, JSON_COMPACT | REALS);
}
