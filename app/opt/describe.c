/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What help and manual say of a row: the sentence, then in brackets what may be typed and what
 * holds without it. Nobody writes a range or a list of names twice.
 */
#include "../value.h"
#include "row.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Append to a text that may be cut at the end of its buffer. */
__attribute__((format(printf, 2, 3))) static void add(
    char buf[APP_OPT_TEXT_BYTES], const char *format, ...)
{
    const size_t used = strlen(buf);
    va_list args;
    va_start(args, format);
    vsnprintf(buf + used, APP_OPT_TEXT_BYTES - used, format, args);
    va_end(args);
}

static void add_choices(char buf[APP_OPT_TEXT_BYTES], const char *const *choices)
{
    const uint32_t n = app_opt_n_choices(choices);
    for (uint32_t i = 0; i < n; i++)
        add(buf, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", choices[i]);
}

/* An upper bound that nobody comes near is not worth the words. */
#define NO_BOUND (UINT64_C(1) << 40)

static void add_numbers(char buf[APP_OPT_TEXT_BYTES], const struct app_opt_row *row)
{
    char min[APP_NS_TEXT_BYTES], max[APP_NS_TEXT_BYTES];
    app_value_count_text(row->min, min);
    if (row->max >= NO_BOUND)
        add(buf, "from %s", min);
    else
        add(buf, "%s..%s", min, app_value_count_text(row->max, max));
}

static void add_times(char buf[APP_OPT_TEXT_BYTES], const struct app_opt_row *row, uint64_t unit_ns)
{
    char min[APP_NS_TEXT_BYTES], max[APP_NS_TEXT_BYTES];
    add(buf, "%s..%s", app_value_ns_text(row->min * unit_ns, min),
        app_value_ns_text(row->max * unit_ns, max));
}

static void add_range(char buf[APP_OPT_TEXT_BYTES], const struct app_opt_row *row)
{
    switch (row->kind) {
    case OPT_U64:
    case OPT_U32:
    case OPT_U16:
    case OPT_U8: add_numbers(buf, row); return;
    case OPT_NS: add_times(buf, row, 1); return;
    case OPT_MS: add_times(buf, row, APP_MS_NS); return;
    case OPT_CHOICE:
    case OPT_CALL:
        if (row->choices != NULL)
            add_choices(buf, row->choices);
        return;
    case OPT_FLAG:
    case OPT_FLAG_OFF:
    case OPT_TEXT:
    case OPT_HELP: return;
    }
}

/* "default 10us", but "default: as many as workers": a value has no space in it. */
static void add_standard(char buf[APP_OPT_TEXT_BYTES], const char *standard)
{
    add(buf, "default%s %s", strchr(standard, ' ') != NULL ? ":" : "", standard);
}

char *app_opt_describe(const struct app_opt_row *row, char buf[APP_OPT_TEXT_BYTES])
{
    char range[APP_OPT_TEXT_BYTES] = "";
    buf[0] = '\0';
    add(buf, "%s", row->help);
    add_range(range, row);
    if (range[0] == '\0' && row->standard == NULL)
        return buf;
    add(buf, " (%s", range);
    if (row->standard != NULL) {
        add(buf, "%s", range[0] != '\0' ? "; " : "");
        add_standard(buf, row->standard);
    }
    add(buf, ")");
    return buf;
}

static uint64_t number_of(const struct app_opt_row *row, const void *field)
{
    switch (row->kind) {
    case OPT_U64:
    case OPT_NS: return *(const uint64_t *)field;
    case OPT_MS:
    case OPT_CHOICE:
    case OPT_U32: return *(const uint32_t *)field;
    case OPT_U16: return *(const uint16_t *)field;
    case OPT_U8: return *(const uint8_t *)field;
    case OPT_FLAG:
    case OPT_FLAG_OFF: return *(const bool *)field;
    case OPT_TEXT:
    case OPT_CALL:
    case OPT_HELP: return 0;
    }
    return 0;
}

char *app_opt_value_text(
    const struct app_opt_row *row, const struct app_settings *s, char buf[APP_OPT_TEXT_BYTES])
{
    const uint64_t n = number_of(row, (const char *)s + row->offset);
    char time[APP_NS_TEXT_BYTES];
    buf[0] = '\0';
    switch (row->kind) {
    case OPT_NS: add(buf, "%s", app_value_ns_text(n, time)); break;
    case OPT_MS: add(buf, "%s", app_value_ns_text(n * APP_MS_NS, time)); break;
    case OPT_U64:
    case OPT_U32:
    case OPT_U16:
    case OPT_U8:
        add(buf, "%" PRIu64 "%s%s", n, row->unit != NULL ? " " : "",
            row->unit != NULL ? row->unit : "");
        break;
    case OPT_FLAG:
    case OPT_FLAG_OFF:
    case OPT_CHOICE:
    case OPT_TEXT:
    case OPT_CALL:
    case OPT_HELP: break;
    }
    return buf;
}
