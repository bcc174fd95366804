/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An address of either family is one number of 128 bits here, and a range two of them. A list keeps
 * its ranges apart and joins those that follow each other, so that what was typed address by
 * address is walked as fast as what was typed as a range.
 */
#include "sources.h"

#include "addresses.h"
#include "error.h"
#include "range.h"

#include <stdio.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128, ITEM_TEXT_MAX = 2 * TERN_ADDR_TEXT_BYTES + 8 };

/** A quoted address in a message; lives until the end of the full expression. */
#define TEXT(a) tern_addr_format((a), (char[TERN_ADDR_TEXT_BYTES]){0})

static app_u128 number_of(const union tern_addr *a)
{
    return (app_u128)__builtin_bswap64(a->q[0]) << 64 | __builtin_bswap64(a->q[1]);
}

static union tern_addr addr_of(app_u128 number)
{
    return (union tern_addr){
        .q = {__builtin_bswap64((uint64_t)(number >> 64)), __builtin_bswap64((uint64_t)number)}};
}

/* ---- the list ---- */

/* Unicast addresses are fewer than 2^128, so this does not overflow, nor does a sum of it. */
static app_u128 n_in(const struct tern_addr_range *r)
{
    return number_of(&r->last) - number_of(&r->first) + 1;
}

static void count(struct app_sources *s)
{
    app_u128 n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        s->end[i] = n += n_in(&s->of[i]);
}

/* Does `b` begin where `a` ends? */
static bool follows(const struct tern_addr_range *a, const struct tern_addr_range *b)
{
    return number_of(&b->first) == number_of(&a->last) + 1;
}

/* Part of the last range if it continues it, else one more. @return false: there is no room */
static bool append(struct app_sources *s, const struct tern_addr_range *r)
{
    if (s->n > 0 && follows(&s->of[s->n - 1], r)) {
        s->of[s->n - 1].last = r->last;
        return true;
    }
    if (s->n == APP_SOURCES_MAX)
        return false;
    s->of[s->n++] = *r;
    return true;
}

/* @return false: what is left of a range is two, and there is no room for the second */
static bool take_out(struct app_sources *s, const union tern_addr *hole)
{
    uint32_t i = 0;
    while (i < s->n && !tern_addr_range_contains(&s->of[i], hole))
        i++;
    if (i == s->n)
        return true;
    const struct tern_addr_range whole = s->of[i];
    const bool at_first = tern_addr_equal(&whole.first, hole);
    const bool at_last = tern_addr_equal(&whole.last, hole);
    const uint32_t n_left = (at_first ? 0u : 1u) + (at_last ? 0u : 1u);
    if (s->n - 1 + n_left > APP_SOURCES_MAX)
        return false;
    memmove(&s->of[i + n_left], &s->of[i + 1], (s->n - 1 - i) * sizeof s->of[0]);
    s->n += n_left - 1;
    if (!at_first)
        s->of[i] = (struct tern_addr_range){whole.first, addr_of(number_of(hole) - 1)};
    if (!at_last)
        s->of[i + n_left - 1] = (struct tern_addr_range){addr_of(number_of(hole) + 1), whole.last};
    return true;
}

static const struct tern_addr_range *find_overlap(
    const struct app_sources *s, const struct tern_addr_range *r)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (!tern_addr_is_before(&s->of[i].last, &r->first)
            && !tern_addr_is_before(&r->last, &s->of[i].first))
            return &s->of[i];
    return NULL;
}

/* The range that has the address at `place`. */
static uint32_t range_at(const struct app_sources *s, app_u128 place)
{
    uint32_t low = 0, high = s->n - 1;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (place < s->end[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

app_u128 app_sources_behind(const struct app_sources *s, app_u128 place)
{
    return s->end[range_at(s, place)] - 1 - place;
}

union tern_addr app_sources_at(const struct app_sources *s, app_u128 place)
{
    const union tern_addr *last = &s->of[range_at(s, place)].last;
    return addr_of(number_of(last) - app_sources_behind(s, place));
}

/* ---- --sources ---- */

/* All of "A/LEN". */
static int widen(struct app_range *r, const char *text, struct tern_error *err)
{
    const unsigned bits = tern_addr_is_v4(&r->span.first) ? V4_BITS : V6_BITS;
    const app_u128 host_bits = ((app_u128)1 << (bits - r->len_bits)) - 1;
    const app_u128 first = number_of(&r->span.first);
    if (r->has_last)
        return app_refuse(err, "--sources: %s is a range and a prefix; type A-B or A/LEN", text);
    if ((first & host_bits) != 0) {
        const union tern_addr network = addr_of(first & ~host_bits);
        return app_refuse(err,
            "--sources: %s is one address of a network; type %s/%u for all of it, or %s alone",
            text, TEXT(&network), r->len_bits, TEXT(&r->span.first));
    }
    r->span.last = addr_of(first | host_bits);
    return 0;
}

static int check_unicast(const struct tern_addr_range *r, const char *text, struct tern_error *err)
{
    enum tern_addr_class class = tern_addr_classify(&r->first);
    if (class == TERN_ADDR_UNICAST)
        class = tern_addr_classify(&r->last);
    if (class == TERN_ADDR_UNICAST)
        return 0;
    return app_refuse(err, "--sources: %s has %s address; type hosts' addresses", text,
        app_addresses_class_name(class));
}

static int check_fits(const struct app_sources *s, const struct tern_addr_range *r,
    const char *text, struct tern_error *err)
{
    char span[APP_SPAN_TEXT_BYTES];
    if (s->n > 0 && !app_addresses_same_family(&s->of[0].first, &r->first))
        return app_refuse(err,
            "--sources: %s beside %s mixes IPv4 and IPv6; type one family, that of the target",
            text, TEXT(&s->of[0].first));
    const struct tern_addr_range *other = find_overlap(s, r);
    if (other != NULL)
        return app_refuse(err, "--sources: %s overlaps %s; type each address once", text,
            app_sources_span_text(other, span));
    return 0;
}

static int too_many(struct tern_error *err)
{
    return app_refuse(err, "--sources: more than %d ranges; type what follows each other as one",
        (int)APP_SOURCES_MAX);
}

static int add_item(struct app_sources *s, const char *text, struct tern_error *err)
{
    struct app_range r;
    int rc = app_range_read("--sources", "198.18.64.0/18", text, &r, err);
    if (rc == 0 && r.has_len)
        rc = widen(&r, text, err);
    if (rc == 0)
        rc = check_unicast(&r.span, text, err);
    if (rc == 0)
        rc = check_fits(s, &r.span, text, err);
    if (rc != 0)
        return rc;
    return append(s, &r.span) ? 0 : too_many(err);
}

int app_sources_add(struct app_sources *s, const char *text, struct tern_error *err)
{
    int rc = 0;
    for (const char *at = text; rc == 0; at++) {
        char item[ITEM_TEXT_MAX];
        const size_t n = strcspn(at, ",");
        if (n >= sizeof item)
            return app_refuse(err,
                "--sources: '%.40s…' is too long for an address; type A/LEN, "
                "A-B or A, with commas between them",
                at);
        memcpy(item, at, n);
        item[n] = '\0';
        rc = add_item(s, item, err);
        at += n;
        if (*at == '\0')
            break;
    }
    count(s);
    return rc;
}

/* ---- with the endpoint's other addresses ---- */

void app_sources_of_stack(struct app_sources *s, const struct tern_stack_config *cfg, bool v4)
{
    s->n = 0;
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        const union tern_addr *a = &cfg->addrs[i].addr;
        const struct tern_addr_range alone = {*a, *a};
        if (tern_addr_is_v4(a) != v4)
            continue;
        append(s, &alone);
        for (uint32_t k = 0; k < cfg->n_ranges; k++)
            if (follows(&alone, &cfg->ranges[k]))
                append(s, &cfg->ranges[k]);
    }
    count(s);
}

/* An IPv4 subnet shorter than /31 has a network and a broadcast address (RFC 3021 §2.1). */
static bool take_out_broadcasts(struct app_sources *s, const struct tern_prefix *p)
{
    if (!tern_addr_is_v4(&p->addr) || p->len_bits >= V4_BITS - 1)
        return true;
    const app_u128 host_bits = UINT32_MAX >> p->len_bits;
    const union tern_addr network = addr_of(number_of(&p->addr) & ~host_bits);
    const union tern_addr broadcast = addr_of(number_of(&p->addr) | host_bits);
    return take_out(s, &network) && take_out(s, &broadcast);
}

/* What is an address of this end already need not become one. */
static int add_others(
    const struct app_sources *s, struct tern_stack_config *cfg, struct tern_error *err)
{
    struct app_sources others = *s;
    for (uint32_t i = 0; i < cfg->n_addrs; i++)
        if (!take_out(&others, &cfg->addrs[i].addr))
            return too_many(err);
    int rc = 0;
    for (uint32_t i = 0; i < others.n && rc == 0; i++) {
        const uint8_t all_bits = tern_addr_is_v4(&others.of[i].first) ? V4_BITS : V6_BITS;
        rc = app_addresses_own(cfg, &others.of[i], all_bits, err);
    }
    return rc;
}

int app_sources_install(
    struct app_sources *s, struct tern_stack_config *cfg, struct tern_error *err)
{
    if (s->n == 0)
        return 0;
    if (cfg->n_addrs == 0)
        return app_refuse(err, "--sources: there is no --ip beside them; add the address that this "
                               "end has on its link, such as --ip 198.18.0.2/24");
    const union tern_addr first = s->of[0].first;
    for (uint32_t i = 0; i < cfg->n_addrs; i++)
        if (!take_out_broadcasts(s, &cfg->addrs[i]))
            return too_many(err);
    count(s);
    if (s->n == 0)
        return app_refuse(err,
            "--sources: %s is a subnet's network or broadcast address; type a "
            "host's",
            TEXT(&first));
    return add_others(s, cfg, err);
}

/* "A", "A-B" or nothing. @return where the text ends */
static char *put_range(char *at, const union tern_addr *first, const union tern_addr *last)
{
    if (tern_addr_is_before(last, first))
        return at;
    at += sprintf(at, "%s", TEXT(first));
    return tern_addr_equal(first, last) ? at : at + sprintf(at, "-%s", TEXT(last));
}

/* Another's address is none of ours. */
static int check_held(const struct app_sources *s, const char *whose, const union tern_addr *a,
    struct tern_error *err)
{
    uint32_t i = 0;
    while (i < s->n && !tern_addr_range_contains(&s->of[i], a))
        i++;
    if (i == s->n)
        return 0;
    const struct tern_addr_range *r = &s->of[i];
    if (tern_addr_equal(&r->first, &r->last))
        return app_refuse(err, "--sources: %s is the %s; leave it out", TEXT(a), whose);
    const union tern_addr before = addr_of(number_of(a) - 1), after = addr_of(number_of(a) + 1);
    char span[APP_SPAN_TEXT_BYTES], rest[4 * TERN_ADDR_TEXT_BYTES];
    char *at = put_range(rest, &r->first, &before);
    if (at != rest && tern_addr_is_before(a, &r->last))
        *at++ = ',';
    put_range(at, &after, &r->last);
    return app_refuse(err, "--sources: %s has the %s, %s, in it; type %s",
        app_sources_span_text(r, span), whose, TEXT(a), rest);
}

int app_sources_check(const struct app_sources *s, const struct tern_stack_config *cfg,
    const union tern_addr *target, struct tern_error *err)
{
    if (s->n == 0)
        return 0;
    const bool v4 = tern_addr_is_v4(target);
    if (!app_addresses_same_family(&s->of[0].first, target))
        return app_refuse(err, "target %s is %s and --sources are %s; type sources of its family",
            TEXT(target), v4 ? "IPv4" : "IPv6", v4 ? "IPv6" : "IPv4");
    const int rc = check_held(s, "target", target, err);
    return rc == 0 ? check_held(s, "gateway", v4 ? &cfg->gateway4 : &cfg->gateway6, err) : rc;
}

char *app_sources_span_text(const struct tern_addr_range *r, char buf[APP_SPAN_TEXT_BYTES])
{
    const app_u128 n = n_in(r);
    const char *more = n > UINT64_MAX ? "more than " : "";
    const uint64_t shown = n > UINT64_MAX ? UINT64_MAX : (uint64_t)n;
    if (n == 1)
        return tern_addr_format(&r->first, buf);
    snprintf(buf, APP_SPAN_TEXT_BYTES, "%s … %s (%s%llu)", TEXT(&r->first), TEXT(&r->last), more,
        (unsigned long long)shown);
    return buf;
}
