/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From text to a field, one short function a kind of value, all with the ranges of the row. A field
 * is written only when its text is right.
 */
#include "../value.h"
#include "row.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What a value is read with: the row, and the name it has in messages. */
struct reading {
    const struct app_opt_row *row;
    const char *option, *text;
    struct tern_error *err;
};

static int set_u64(const struct reading *r, void *field)
{
    return app_value_u64(r->option, r->text, r->row->min, r->row->max, field, r->err);
}

static int set_u32(const struct reading *r, void *field)
{
    return app_value_u32(
        r->option, r->text, (uint32_t)r->row->min, (uint32_t)r->row->max, field, r->err);
}

static int set_u16(const struct reading *r, void *field)
{
    return app_value_u16(
        r->option, r->text, (uint16_t)r->row->min, (uint16_t)r->row->max, field, r->err);
}

static int set_u8(const struct reading *r, void *field)
{
    uint16_t value = 0;
    const int rc = set_u16(r, &value);
    if (rc == 0)
        *(uint8_t *)field = (uint8_t)value;
    return rc;
}

static int set_ns(const struct reading *r, void *field)
{
    return app_value_ns(r->option, r->text, r->row->min, r->row->max, field, r->err);
}

static int set_ms(const struct reading *r, void *field)
{
    return app_value_ms(
        r->option, r->text, (uint32_t)r->row->min, (uint32_t)r->row->max, field, r->err);
}

static int set_choice(const struct reading *r, void *field)
{
    const char *const *names = r->row->choices;
    return app_value_choice(r->option, r->text, names, app_opt_n_choices(names), field, r->err);
}

static bool is_false(const char *text)
{
    return strcmp(text, "false") == 0;
}

static int set_field(const struct reading *r, struct app_settings *s)
{
    void *field = (char *)s + r->row->offset;
    switch (r->row->kind) {
    case OPT_FLAG: *(bool *)field = !is_false(r->text); return 0;
    case OPT_FLAG_OFF: *(bool *)field = is_false(r->text); return 0;
    case OPT_U64: return set_u64(r, field);
    case OPT_U32: return set_u32(r, field);
    case OPT_U16: return set_u16(r, field);
    case OPT_U8: return set_u8(r, field);
    case OPT_NS: return set_ns(r, field);
    case OPT_MS: return set_ms(r, field);
    case OPT_CHOICE: return set_choice(r, field);
    case OPT_TEXT: *(const char **)field = r->text; return 0;
    case OPT_CALL: return r->row->call(s, r->text, r->err);
    case OPT_HELP: return 0;
    }
    assert(false && "a kind of option that nothing sets");
    return 0;
}

int app_opt_set(
    const struct app_opt_row *row, struct app_settings *s, const char *text, struct tern_error *err)
{
    char option[64];
    snprintf(option, sizeof option, "--%s", row->name);
    const struct reading r = {.row = row, .option = option, .text = text, .err = err};
    const int rc = set_field(&r, s);
    const uint32_t i = app_opt_index(row);
    if (rc == 0 && !(app_opt_is_flag(row) && is_false(text)))
        s->said[i / 64] |= UINT64_C(1) << i % 64;
    return rc;
}
