/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A value is digits, perhaps a fraction, and a unit from a table; counts and durations differ only
 * in the table. All arithmetic is in integers, so "1.1s" is exactly 1100000000 ns, and what does
 * not fit in 64 bits or is not whole in the smallest unit is refused instead of rounded. strtod()
 * and strtoull() were rejected: they take signs, spaces, hexadecimal, "nan" and "inf".
 */
#include "value.h"

#include "error.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *suffix;
    uint64_t scale;
};

// clang-format off
static const struct unit count_units[] = {
    {"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000},
    {"Ki", 1u << 10}, {"Mi", 1u << 20}, {"Gi", 1u << 30}, {NULL, 0},
};
static const struct unit time_units[] = {
    {"", 1000000000}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000},
    {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0},
};
static const struct unit share_units[] = {{"%", 10000}, {"ppm", 1}, {NULL, 0}};
// clang-format on

enum verdict { VALUE_OK, VALUE_NOT_A_NUMBER, VALUE_BAD_UNIT, VALUE_TOO_LARGE, VALUE_NOT_WHOLE };

/* The number in front of the unit is mantissa / divisor. */
struct decimal {
    uint64_t mantissa, divisor;
    const char *rest;
};

/* Append the digits at *p to the mantissa. */
static bool read_digits(const char **p, struct decimal *d, bool fraction)
{
    for (; isdigit((unsigned char)**p); (*p)++) {
        if (__builtin_mul_overflow(d->mantissa, 10u, &d->mantissa)
            || __builtin_add_overflow(d->mantissa, (uint64_t)(**p - '0'), &d->mantissa))
            return false;
        if (fraction && __builtin_mul_overflow(d->divisor, 10u, &d->divisor))
            return false;
    }
    return true;
}

static enum verdict read_decimal(const char *text, struct decimal *d)
{
    *d = (struct decimal){.divisor = 1};
    if (!isdigit((unsigned char)text[0]))
        return VALUE_NOT_A_NUMBER;
    if (!read_digits(&text, d, false))
        return VALUE_TOO_LARGE;
    if (text[0] == '.') {
        text++;
        if (!isdigit((unsigned char)text[0]))
            return VALUE_NOT_A_NUMBER;
        if (!read_digits(&text, d, true))
            return VALUE_TOO_LARGE;
    }
    d->rest = text;
    return VALUE_OK;
}

static enum verdict read_scaled(const char *text, const struct unit *units, uint64_t *out)
{
    struct decimal d;
    const enum verdict v = read_decimal(text, &d);
    if (v != VALUE_OK)
        return v;
    while (units->suffix != NULL && strcmp(units->suffix, d.rest) != 0)
        units++;
    if (units->suffix == NULL)
        return VALUE_BAD_UNIT;
    uint64_t scaled;
    if (__builtin_mul_overflow(d.mantissa, units->scale, &scaled))
        return VALUE_TOO_LARGE;
    if (scaled % d.divisor != 0)
        return VALUE_NOT_WHOLE;
    *out = scaled / d.divisor;
    return VALUE_OK;
}

/* Say why the text is no value. `kind` is what was expected, with examples. */
static int refuse(
    const char *option, const char *text, enum verdict v, const char *kind, struct tern_error *err)
{
    const char *why = "";
    switch (v) {
    case VALUE_NOT_A_NUMBER: why = "is not a number"; break;
    case VALUE_BAD_UNIT: why = "ends in an unknown unit"; break;
    case VALUE_TOO_LARGE: why = "does not fit in 64 bits"; break;
    case VALUE_NOT_WHOLE: why = "is not whole in the smallest unit"; break;
    case VALUE_OK: break;
    }
    return app_refuse(err, "%s: '%s' %s; type %s", option, text, why, kind);
}

int app_value_u64(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out,
    struct tern_error *err)
{
    uint64_t value = 0;
    const enum verdict v = read_scaled(text, count_units, &value);
    if (v != VALUE_OK)
        return refuse(option, text, v, "a number such as 64, 10k or 1.5M", err);
    if (value < min || value > max)
        return app_refuse(err,
            "%s: %s is outside %" PRIu64 "..%" PRIu64 "; type a number in between", option, text,
            min, max);
    *out = value;
    return 0;
}

int app_value_u32(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *out,
    struct tern_error *err)
{
    uint64_t value = 0;
    const int rc = app_value_u64(option, text, min, max, &value, err);
    if (rc == 0)
        *out = (uint32_t)value;
    return rc;
}

int app_value_u16(const char *option, const char *text, uint16_t min, uint16_t max, uint16_t *out,
    struct tern_error *err)
{
    uint64_t value = 0;
    const int rc = app_value_u64(option, text, min, max, &value, err);
    if (rc == 0)
        *out = (uint16_t)value;
    return rc;
}

int app_value_ppm(
    const char *option, const char *text, uint64_t max_ppm, uint64_t *out, struct tern_error *err)
{
    uint64_t value = 0;
    const enum verdict v = read_scaled(text, share_units, &value);
    if (v != VALUE_OK)
        return refuse(option, text, v, "a share such as 1%, 0.01% or 100ppm", err);
    if (value > max_ppm)
        return app_refuse(err, "%s: %s is more than %g%%; type a share up to that", option, text,
            (double)max_ppm / (double)share_units[0].scale);
    *out = value;
    return 0;
}

int app_value_ns(const char *option, const char *text, uint64_t min_ns, uint64_t max_ns,
    uint64_t *out, struct tern_error *err)
{
    uint64_t value = 0;
    char min_text[APP_NS_TEXT_BYTES], max_text[APP_NS_TEXT_BYTES];
    const enum verdict v = read_scaled(text, time_units, &value);
    if (v != VALUE_OK)
        return refuse(option, text, v, "a duration such as 500ms, 10s or 2m", err);
    if (value < min_ns || value > max_ns)
        return app_refuse(err, "%s: %s is outside %s..%s; type a duration in between", option, text,
            app_value_ns_text(min_ns, min_text), app_value_ns_text(max_ns, max_text));
    *out = value;
    return 0;
}

int app_value_ms(const char *option, const char *text, uint32_t min_ms, uint32_t max_ms,
    uint32_t *out, struct tern_error *err)
{
    uint64_t ns = 0;
    const int rc = app_value_ns(
        option, text, (uint64_t)min_ms * APP_MS_NS, (uint64_t)max_ms * APP_MS_NS, &ns, err);
    if (rc != 0)
        return rc;
    if (ns % APP_MS_NS != 0)
        return app_refuse(err, "%s: %s is finer than a millisecond; type whole ms", option, text);
    *out = (uint32_t)(ns / APP_MS_NS);
    return 0;
}

int app_value_choice(const char *option, const char *text, const char *const *names, size_t n,
    uint32_t *out, struct tern_error *err)
{
    char known[128] = "";
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (uint32_t)i;
            return 0;
        }
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    return app_refuse(err, "%s: '%s' is unknown; type one of %s", option, text, known);
}

static int hex_digit(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static bool read_mac(const char *text, uint8_t mac[TERN_MAC_BYTES])
{
    enum { TEXT_CHARS = TERN_MAC_BYTES * 3 - 1 };
    if (strlen(text) != TEXT_CHARS)
        return false;
    for (int i = 0; i < TERN_MAC_BYTES; i++) {
        const int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
        const char after = text[3 * i + 2];
        if (high < 0 || low < 0 || after != (i < TERN_MAC_BYTES - 1 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

int app_value_mac(
    const char *option, const char *text, uint8_t out[TERN_MAC_BYTES], struct tern_error *err)
{
    static const uint8_t zero[TERN_MAC_BYTES];
    uint8_t mac[TERN_MAC_BYTES];
    if (!read_mac(text, mac))
        return app_refuse(
            err, "%s: '%s' is not a MAC address; type it as 02:00:5e:00:00:01", option, text);
    if ((mac[0] & 1) != 0 || memcmp(mac, zero, sizeof mac) == 0)
        return app_refuse(err, "%s: %s is not a station's address (%s); type a unicast MAC", option,
            text, (mac[0] & 1) != 0 ? "group bit set" : "all zero");
    memcpy(out, mac, sizeof mac);
    return 0;
}

char *app_value_ns_text(uint64_t ns, char buf[APP_NS_TEXT_BYTES])
{
    const struct unit *best = &time_units[1];
    for (const struct unit *u = best; u->suffix != NULL; u++)
        if (ns >= u->scale && ns % u->scale == 0)
            best = u;
    snprintf(buf, APP_NS_TEXT_BYTES, "%" PRIu64 "%s", ns / best->scale, best->suffix);
    return buf;
}

/* 9216 is read more easily than 9Ki. */
enum { PLAIN_BELOW = 100000 };

char *app_value_count_text(uint64_t n, char buf[APP_NS_TEXT_BYTES])
{
    const struct unit *best = &count_units[0];
    for (const struct unit *u = best; n >= PLAIN_BELOW && u->suffix != NULL; u++)
        if (n % u->scale == 0 && u->scale > best->scale)
            best = u;
    snprintf(buf, APP_NS_TEXT_BYTES, "%" PRIu64 "%s", n / best->scale, best->suffix);
    return buf;
}
