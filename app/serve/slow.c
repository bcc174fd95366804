/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delays are drawn by inversion from one uniform number each. The generator is splitmix64 (Steele,
 * Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): a counter and a mix of it.
 * Nobody gains from guessing it, so its seed may be told.
 */
#include "slow.h"

#include "../error.h"
#include "../value.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define DELAY_MAX_NS  UINT64_C(3600000000000) /* an hour */
#define PERIOD_MIN_NS UINT64_C(1000000)

enum { TEXT_BYTES = 64, FRACTION_BITS = 53 /* of a double */ };

/* ---- from text ---- */

/* "A" and "B" of "A?B". @return false when there is no `mark`, or A is too long */
static bool split(const char *text, char mark, char first[TEXT_BYTES], const char **second)
{
    const char *at = strchr(text, mark);
    if (at == NULL || at - text >= TEXT_BYTES)
        return false;
    memcpy(first, text, (size_t)(at - text));
    first[at - text] = '\0';
    *second = at + 1;
    return true;
}

static int parse_uniform(
    const char *option, const char *text, struct app_delay *out, struct tern_error *err)
{
    char least[TEXT_BYTES];
    const char *most;
    struct app_delay d = {.kind = APP_DELAY_UNIFORM};
    if (!split(text, '-', least, &most))
        return app_refuse(
            err, "%s: 'uniform:%.60s' has no range; type uniform:5ms-20ms", option, text);
    int rc = app_value_ns(option, least, 0, DELAY_MAX_NS, &d.ns, err);
    if (rc == 0)
        rc = app_value_ns(option, most, 0, DELAY_MAX_NS, &d.most_ns, err);
    if (rc == 0 && d.most_ns < d.ns)
        rc = app_refuse(
            err, "%s: %.60s runs backwards; type uniform:%s-%s", option, text, most, least);
    if (rc == 0)
        *out = d;
    return rc;
}

int app_delay_parse(
    const char *option, const char *text, struct app_delay *out, struct tern_error *err)
{
    static const char *const kinds[] = {"exp", "uniform"};
    char kind[TEXT_BYTES];
    const char *rest = text;
    uint64_t ns = 0;
    uint32_t at = 0;
    const bool is_drawn = split(text, ':', kind, &rest);
    int rc = is_drawn ? app_value_choice(option, kind, kinds, 2, &at, err) : 0;
    if (rc != 0)
        return rc;
    if (is_drawn && at == 1)
        return parse_uniform(option, rest, out, err);
    rc = app_value_ns(option, rest, 0, DELAY_MAX_NS, &ns, err);
    if (rc == 0)
        *out = (struct app_delay){.kind = is_drawn ? APP_DELAY_EXP : APP_DELAY_FIXED, .ns = ns};
    return rc;
}

int app_stall_parse(
    const char *option, const char *text, struct app_stall *out, struct tern_error *err)
{
    char length[TEXT_BYTES];
    const char *period;
    struct app_stall s;
    if (!split(text, '@', length, &period))
        return app_refuse(err,
            "%s: '%.60s' does not say how often; type 1s@10s: for 1 s every 10 s", option, text);
    int rc = app_value_ns(option, period, PERIOD_MIN_NS, DELAY_MAX_NS, &s.period_ns, err);
    if (rc == 0)
        rc = app_value_ns(option, length, 0, DELAY_MAX_NS, &s.length_ns, err);
    if (rc == 0 && s.length_ns >= s.period_ns)
        rc = app_refuse(err,
            "%s: %.60s leaves no time to answer in; type a stall that is shorter "
            "than its period",
            option, text);
    if (rc == 0)
        *out = s;
    return rc;
}

/* ---- the dice ---- */

static uint64_t next_random(uint64_t *dice)
{
    uint64_t z = *dice += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* In [0, 1). */
static double next_fraction(uint64_t *dice)
{
    return (double)(next_random(dice) >> (64 - FRACTION_BITS))
           / (double)(UINT64_C(1) << FRACTION_BITS);
}

uint64_t app_delay_draw(const struct app_delay *d, uint64_t *dice)
{
    switch (d->kind) {
    case APP_DELAY_NONE: return 0;
    case APP_DELAY_FIXED: return d->ns;
    case APP_DELAY_EXP: /* at most 53 ln 2 = 37 means */
        return (uint64_t)(-(double)d->ns * log1p(-next_fraction(dice)));
    case APP_DELAY_UNIFORM:
        return d->ns + (uint64_t)((double)(d->most_ns - d->ns + 1) * next_fraction(dice));
    }
    return 0;
}
