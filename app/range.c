/* SPDX-License-Identifier: BSD-3-Clause */
#include "range.h"

#include "addresses.h"
#include "error.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128, RANGE_TEXT_MAX = 2 * TERN_ADDR_TEXT_BYTES + 8 };

/** A quoted address in a message; lives until the end of the full expression. */
#define TEXT(a) tern_addr_format((a), (char[TERN_ADDR_TEXT_BYTES]){0})

static int read_length(
    const char *option, const char *text, struct app_range *r, struct tern_error *err)
{
    const uint16_t max = tern_addr_is_v4(&r->span.first) ? V4_BITS : V6_BITS;
    char what[64];
    uint16_t bits = 0;
    snprintf(what, sizeof what, "%s: prefix length", option);
    const int rc = app_value_u16(what, text, 1, max, &bits, err);
    r->len_bits = (uint8_t)bits;
    return rc;
}

static int read_one(const char *option, const char *example, const char *text, union tern_addr *out,
    struct tern_error *err)
{
    if (tern_addr_parse(text, out) != 0)
        return app_refuse(
            err, "%s: '%s' is not an address; type one such as %s", option, text, example);
    return 0;
}

static int check_order(
    const char *option, const char *text, const struct app_range *r, struct tern_error *err)
{
    const struct tern_addr_range *s = &r->span;
    if (!app_addresses_same_family(&s->first, &s->last))
        return app_refuse(err, "%s: %s mixes IPv4 and IPv6; type one range for each", option, text);
    if (tern_addr_is_before(&s->last, &s->first))
        return app_refuse(err, "%s: %s runs backwards; type %s-%s", option, text, TEXT(&s->last),
            TEXT(&s->first));
    return 0;
}

int app_range_read(const char *option, const char *example, const char *text, struct app_range *out,
    struct tern_error *err)
{
    char copy[RANGE_TEXT_MAX];
    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
        return app_refuse(
            err, "%s: '%.40s…' is too long for an address; type A/len or A-B", option, text);
    char *length = strchr(copy, '/');
    if (length != NULL)
        *length++ = '\0';
    char *last = strchr(copy, '-');
    if (last != NULL)
        *last++ = '\0';
    *out = (struct app_range){.has_last = last != NULL, .has_len = length != NULL};
    int rc = read_one(option, example, copy, &out->span.first, err);
    if (rc == 0)
        rc = read_one(option, example, last != NULL ? last : copy, &out->span.last, err);
    if (rc == 0)
        rc = check_order(option, text, out, err);
    return rc == 0 && length != NULL ? read_length(option, length, out, err) : rc;
}
