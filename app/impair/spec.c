/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of keys; each says what kind of value it takes, within which bounds, and which field of
 * struct tern_impair it is. Reading, writing back and laying one direction over both walk the
 * table.
 */
#include "spec.h"

#include "../error.h"
#include "../opt/nearest.h"
#include "../value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SPEC_CHARS_MAX = 191,
    BITS_PER_BYTE = 8,
    SEED_DEFAULT = 1,
    REORDER_DEFAULT_NS = 1000000,
    QUEUE_MAX = 1 << 30,
    ROUND_TRIPS = 4, /* a handshake, a request, and both FINs */
};

enum kind { KIND_SHARE, KIND_TIME, KIND_BITS, KIND_BYTES };

struct key {
    const char *name;
    enum kind kind;
    size_t offset, bytes; /* of the field */
    uint64_t min, max;
    const char *needs; /* says nothing without that one; or NULL */
};

#define FIELD(name) offsetof(struct tern_impair, name), sizeof((struct tern_impair *)0)->name
#define SHARE       0, TERN_IMPAIR_PPM_MAX
#define TIME        0, TERN_IMPAIR_TIME_MAX_NS
static const struct key keys[] = {
    {"delay", KIND_TIME, FIELD(delay_ns), TIME, NULL},
    {"jitter", KIND_TIME, FIELD(jitter_ns), TIME, NULL},
    {"loss", KIND_SHARE, FIELD(loss_ppm), SHARE, NULL},
    {"duplicate", KIND_SHARE, FIELD(duplicate_ppm), SHARE, NULL},
    {"corrupt", KIND_SHARE, FIELD(corrupt_ppm), SHARE, NULL},
    {"reorder", KIND_SHARE, FIELD(reorder_ppm), SHARE, NULL},
    {"reorder-by", KIND_TIME, FIELD(reorder_ns), 1, TERN_IMPAIR_TIME_MAX_NS, "reorder"},
    {"rate", KIND_BITS, FIELD(rate_bytes_per_s), TERN_IMPAIR_RATE_MIN *BITS_PER_BYTE,
        TERN_IMPAIR_RATE_MAX *BITS_PER_BYTE, NULL},
    {"queue", KIND_BYTES, FIELD(queue_bytes), TERN_IMPAIR_QUEUE_MIN, QUEUE_MAX, "rate"},
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };
#undef FIELD
#undef SHARE
#undef TIME

void app_impair_init(struct app_impair_settings *s)
{
    *s = (struct app_impair_settings){.seed = SEED_DEFAULT};
}

/* ---- fields ---- */

static void set_field(struct tern_impair *i, const struct key *k, uint64_t value)
{
    char *field = (char *)i + k->offset;
    if (k->bytes == sizeof(uint64_t))
        *(uint64_t *)(void *)field = value;
    else
        *(uint32_t *)(void *)field = (uint32_t)value;
}

static uint64_t get_field(const struct tern_impair *i, const struct key *k)
{
    const char *field = (const char *)i + k->offset;
    return k->bytes == sizeof(uint64_t) ? *(const uint64_t *)(const void *)field
                                        : *(const uint32_t *)(const void *)field;
}

/* ---- reading ---- */

static int refuse_key(const char *option, const char *name, struct tern_error *err)
{
    struct app_nearest near = app_nearest_to(name);
    for (int i = 0; i < N_KEYS; i++)
        app_nearest_try(&near, keys[i].name);
    if (near.best != NULL)
        return app_refuse(
            err, "%s: '%s' is no impairment; did you mean %s?", option, name, near.best);
    return app_refuse(err,
        "%s: '%s' is no impairment; type delay, jitter, loss, duplicate, corrupt, reorder, "
        "reorder-by, rate or queue",
        option, name);
}

static int read_value(
    const struct key *k, const char *where, const char *text, uint64_t *out, struct tern_error *err)
{
    switch (k->kind) {
    case KIND_SHARE: return app_value_ppm(where, text, k->max, out, err);
    case KIND_TIME: return app_value_ns(where, text, k->min, k->max, out, err);
    case KIND_BITS:
    case KIND_BYTES: break;
    }
    const int rc = app_value_u64(where, text, k->min, k->max, out, err);
    if (rc == 0 && k->kind == KIND_BITS)
        *out /= BITS_PER_BYTE;
    return rc;
}

/* "delay=20ms", which is cut at its '='. */
static int read_item(
    const char *option, char *item, struct app_impair_spec *spec, struct tern_error *err)
{
    char where[64];
    uint64_t value = 0;
    char *text = strchr(item, '=');
    if (text == NULL)
        return app_refuse(err, "%s: '%s' has no value; type KEY=VALUE, such as loss=1%%,delay=20ms",
            option, item);
    *text++ = '\0';
    for (int i = 0; i < N_KEYS; i++) {
        if (strcmp(item, keys[i].name) != 0)
            continue;
        if ((spec->keys >> i & 1) != 0)
            return app_refuse(err, "%s: %s is said twice; say it once", option, item);
        snprintf(where, sizeof where, "%s %s", option, item);
        const int rc = read_value(&keys[i], where, text, &value, err);
        set_field(&spec->is, &keys[i], value);
        spec->keys |= 1u << i;
        return rc;
    }
    return refuse_key(option, item, err);
}

static bool has_key(const struct app_impair_spec *spec, const char *name)
{
    for (int i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return (spec->keys >> i & 1) != 0;
    return false;
}

static int check_needs(
    const char *option, const struct app_impair_spec *spec, struct tern_error *err)
{
    for (int i = 0; i < N_KEYS; i++)
        if ((spec->keys >> i & 1) != 0 && keys[i].needs != NULL && !has_key(spec, keys[i].needs))
            return app_refuse(err, "%s: %s does nothing without %s; add %s=…", option, keys[i].name,
                keys[i].needs, keys[i].needs);
    return 0;
}

int app_impair_parse(
    const char *option, const char *text, struct app_impair_spec *out, struct tern_error *err)
{
    char items[SPEC_CHARS_MAX + 1];
    struct app_impair_spec spec = {.keys = 0};
    int rc = 0;
    if (strlen(text) > SPEC_CHARS_MAX)
        return app_refuse(
            err, "%s: longer than %d characters; say each key once", option, SPEC_CHARS_MAX);
    snprintf(items, sizeof items, "%s", text);
    for (char *rest = items; rc == 0 && rest != NULL;) {
        char *item = strsep(&rest, ",");
        rc = read_item(option, item, &spec, err);
    }
    if (rc == 0)
        rc = check_needs(option, &spec, err);
    if (rc != 0)
        return rc;
    if (spec.is.reorder_ppm != 0 && spec.is.reorder_ns == 0)
        spec.is.reorder_ns = REORDER_DEFAULT_NS;
    *out = spec;
    return 0;
}

struct tern_impair app_impair_of(const struct app_impair_settings *s, enum tern_impair_dir dir)
{
    struct tern_impair is = s->said[APP_IMPAIR_BOTH].is;
    const struct app_impair_spec *own = &s->said[dir];
    for (int i = 0; i < N_KEYS; i++)
        if ((own->keys >> i & 1) != 0)
            set_field(&is, &keys[i], get_field(&own->is, &keys[i]));
    if (is.reorder_ns == 0)
        is.reorder_ns = own->is.reorder_ns;
    is.seed = s->seed;
    is.packets_max = s->packets_max;
    return is;
}

uint64_t app_impair_patience_ns(const struct tern_endpoint_config *ep)
{
    uint64_t round_trip_ns = 0;
    for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++) {
        const struct tern_impair *i = &ep->impair[dir];
        round_trip_ns += i->delay_ns + i->jitter_ns + i->reorder_ns;
    }
    return ROUND_TRIPS * round_trip_ns;
}

/* ---- writing ---- */

static void print_value(const struct key *k, uint64_t value, char *buf, size_t n_buf)
{
    char text[APP_NS_TEXT_BYTES];
    const double ppm_a_percent = TERN_IMPAIR_PPM_MAX / 100.0;
    switch (k->kind) {
    case KIND_SHARE: snprintf(buf, n_buf, "%g%%", (double)value / ppm_a_percent); return;
    case KIND_TIME: snprintf(buf, n_buf, "%s", app_value_ns_text(value, text)); return;
    case KIND_BITS:
        snprintf(buf, n_buf, "%s", app_value_count_text(value * BITS_PER_BYTE, text));
        return;
    case KIND_BYTES: snprintf(buf, n_buf, "%s", app_value_count_text(value, text)); return;
    }
}

char *app_impair_text(const struct tern_impair *is, char buf[APP_IMPAIR_TEXT_BYTES])
{
    size_t used = 0;
    snprintf(buf, APP_IMPAIR_TEXT_BYTES, "none");
    for (int i = 0; i < N_KEYS && used < APP_IMPAIR_TEXT_BYTES; i++) {
        char value[APP_NS_TEXT_BYTES];
        if (get_field(is, &keys[i]) == 0)
            continue;
        print_value(&keys[i], get_field(is, &keys[i]), value, sizeof value);
        used += (size_t)snprintf(buf + used, APP_IMPAIR_TEXT_BYTES - used, "%s%s=%s",
            used > 0 ? "," : "", keys[i].name, value);
    }
    return buf;
}
