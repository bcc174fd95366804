/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses are read one option at a time, here; whether they can work together is the library's
 * check (tern_stack_config_check()), of which the line is put into the words of the command line.
 * Only the target of a load is judged here: the library meets it when the first connection is
 * opened.
 *
 * An IPv6 range works like an IPv4 one because both are counted up as one big-endian number.
 */
#include "addresses.h"

#include "error.h"
#include "range.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

enum {
    V4_DEFAULT_BITS = 24,
    V6_DEFAULT_BITS = 64,
};

/** A quoted address in a message; lives until the end of the full expression. */
#define TEXT(a) tern_addr_format((a), (char[TERN_ADDR_TEXT_BYTES]){0})

void app_addresses_next(union tern_addr *a)
{
    for (int i = (int)sizeof a->b - 1; i >= 0 && ++a->b[i] == 0; i--)
        ;
}

static bool is_set(const union tern_addr *a)
{
    return (a->q[0] | a->q[1]) != 0;
}

static const char *family_name(const union tern_addr *a)
{
    return tern_addr_is_v4(a) ? "IPv4" : "IPv6";
}

/* ---- --ip ---- */

/* One by one while there is room, so that each is probed before use; else the first, and the rest
 * as a range, which is not. */
int app_addresses_own(struct tern_stack_config *cfg, const struct tern_addr_range *span,
    uint8_t len_bits, struct tern_error *err)
{
    struct tern_prefix p = {.addr = span->first, .len_bits = len_bits};
    uint32_t n = cfg->n_addrs;
    for (; n < TERN_ADDRS_MAX; app_addresses_next(&p.addr)) {
        cfg->addrs[n++] = p;
        if (tern_addr_equal(&p.addr, &span->last)) {
            cfg->n_addrs = n;
            return 0;
        }
    }
    if (cfg->n_addrs == TERN_ADDRS_MAX || cfg->n_ranges == TERN_RANGES_MAX)
        return app_refuse(err,
            "%s-%s is one too many: an end has up to %d addresses and %d ranges of more; type "
            "fewer, or ranges that follow each other as one",
            TEXT(&span->first), TEXT(&span->last), (int)TERN_ADDRS_MAX, (int)TERN_RANGES_MAX);
    struct tern_addr_range rest = *span;
    app_addresses_next(&rest.first);
    cfg->ranges[cfg->n_ranges++] = rest;
    cfg->n_addrs++; /* the first */
    return 0;
}

int app_addresses_add(struct tern_stack_config *cfg, const char *text, struct tern_error *err)
{
    struct app_range r;
    const int rc = app_range_read("--ip", "198.18.0.1/15 or 2001:2::1/48", text, &r, err);
    if (rc != 0)
        return rc;
    if (!r.has_len)
        r.len_bits = tern_addr_is_v4(&r.span.first) ? V4_DEFAULT_BITS : V6_DEFAULT_BITS;
    return app_addresses_own(cfg, &r.span, r.len_bits, err);
}

/* ---- --gw, --neighbour ---- */

int app_addresses_set_gateway(
    struct tern_stack_config *cfg, const char *text, struct tern_error *err)
{
    union tern_addr a;
    if (tern_addr_parse(text, &a) != 0)
        return app_refuse(
            err, "--gw: '%s' is not an address; type the router's, without /len", text);
    union tern_addr *gateway = tern_addr_is_v4(&a) ? &cfg->gateway4 : &cfg->gateway6;
    if (is_set(gateway))
        return app_refuse(err, "--gw: %s is the second %s gateway, %s the first; type one a family",
            text, family_name(&a), TEXT(gateway));
    *gateway = a;
    return 0;
}

int app_addresses_add_neighbour(
    struct tern_stack_config *cfg, const char *text, struct tern_error *err)
{
    const char *mac = strchr(text, '=');
    char addr[TERN_ADDR_TEXT_BYTES];
    struct tern_static_neighbour n;
    if (mac == NULL || (size_t)(mac - text) >= sizeof addr)
        return app_refuse(
            err, "--neighbour: '%.80s' is not IP=MAC; type 198.18.0.1=02:00:5e:00:00:01", text);
    snprintf(addr, sizeof addr, "%.*s", (int)(mac - text), text);
    if (tern_addr_parse(addr, &n.addr) != 0)
        return app_refuse(err, "--neighbour: '%s' is not an address; type IP=MAC", addr);
    const int rc = app_value_mac("--neighbour", mac + 1, n.mac, err);
    if (rc != 0)
        return rc;
    if (cfg->n_neighbours == TERN_STATIC_NEIGHBOURS_MAX)
        return app_refuse(err, "--neighbour: more than %d; leave the others to ARP and NDP",
            (int)TERN_STATIC_NEIGHBOURS_MAX);
    cfg->neighbours[cfg->n_neighbours++] = n;
    return 0;
}

/* ---- all together ---- */

static bool is_own(const struct tern_stack_config *cfg, const union tern_addr *a)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++)
        if (tern_addr_equal(&cfg->addrs[i].addr, a))
            return true;
    for (uint32_t i = 0; i < cfg->n_ranges; i++)
        if (tern_addr_range_contains(&cfg->ranges[i], a))
            return true;
    return false;
}

static bool is_on_link(const struct tern_stack_config *cfg, const union tern_addr *a)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++)
        if (tern_prefix_contains(&cfg->addrs[i], a))
            return true;
    return false;
}

static const struct tern_prefix *first_of_family(
    const struct tern_stack_config *cfg, const union tern_addr *a)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++)
        if (app_addresses_same_family(&cfg->addrs[i].addr, a))
            return &cfg->addrs[i];
    return NULL;
}

/* What the library calls a field, what the command line calls it, and what helps. */
static const struct {
    const char *field, *option, *advice;
} words[] = {
    {"addrs[", "--ip", "type hosts' addresses, each once, such as 198.18.1.1/15"},
    {"ranges[", "--ip or --sources", "type ranges of hosts' addresses, each address once"},
    {"gateway", "--gw", "type the router's own address, inside the prefix of an --ip"},
    {"neighbours[", "--neighbour", "type IP=MAC of other stations, each once"},
    {"mtu_bytes", "--mtu", "type 1280 or more with IPv6"},
    {"", "this configuration", "type 'tern help' and the command's name"},
};

/* "gateway4 198.51.100.1: must …" in the words of the command line. */
static int reword(const char *line, struct tern_error *err)
{
    size_t i = 0;
    while (strncmp(line, words[i].field, strlen(words[i].field)) != 0)
        i++;
    const bool known = words[i].field[0] != '\0';
    const char *rest = known ? line + strcspn(line, " ") : line;
    return app_refuse(
        err, "%s%s%.300s; %s", words[i].option, known ? "" : ": ", rest, words[i].advice);
}

int app_addresses_check(const struct tern_stack_config *cfg, struct tern_error *err)
{
    struct tern_error inner;
    if (cfg->n_addrs == 0)
        return app_refuse(
            err, "no address for this end; add --ip A/len, such as --ip 198.18.1.1/15");
    return tern_stack_config_check(cfg, &inner) == 0 ? 0 : reword(inner.text, err);
}

/* ---- the target of a load ---- */

const char *app_addresses_class_name(enum tern_addr_class class)
{
    switch (class) {
    case TERN_ADDR_UNICAST: return "a unicast";
    case TERN_ADDR_UNSPECIFIED: return "the unspecified";
    case TERN_ADDR_LOOPBACK: return "a loopback";
    case TERN_ADDR_MULTICAST: return "a multicast";
    case TERN_ADDR_BROADCAST: return "the broadcast";
    case TERN_ADDR_RESERVED: return "a reserved";
    }
    return "an unknown";
}

int app_addresses_check_target(
    const struct tern_stack_config *cfg, const union tern_addr *target, struct tern_error *err)
{
    const enum tern_addr_class class = tern_addr_classify(target);
    if (class != TERN_ADDR_UNICAST)
        return app_refuse(err, "target %s is %s address, not a host's; type a unicast address",
            TEXT(target), app_addresses_class_name(class));
    const struct tern_prefix *ours = first_of_family(cfg, target);
    if (ours == NULL)
        return app_refuse(err, "target %s is %s and no --ip is; add an --ip of that family",
            TEXT(target), family_name(target));
    if (is_own(cfg, target))
        return app_refuse(
            err, "target %s is an --ip of this end; type the other end's", TEXT(target));
    if (!is_on_link(cfg, target)
        && !is_set(tern_addr_is_v4(target) ? &cfg->gateway4 : &cfg->gateway6))
        return app_refuse(err, "target %s is outside of %s/%u and there is no gateway; add --gw",
            TEXT(target), TEXT(&ours->addr), ours->len_bits);
    return 0;
}
