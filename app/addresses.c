/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses are read one option at a time, here; whether they can work together is the library's
 * check (tern_stack_config_check()), of which the line is put into the words of the command line.
 * Only the target of a load is judged here: the library meets it when the first connection is
 * opened.
 *
 * Ranges are kept as the addresses they stand for, not as ranges: the limit is TERN_ADDRS_MAX, and
 * an IPv6 range works like an IPv4 one because both are counted up as one big-endian number.
 */
#include "addresses.h"

#include "error.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

enum {
    V4_BITS = 32,
    V6_BITS = 128,
    V4_DEFAULT_BITS = 24,
    V6_DEFAULT_BITS = 64,
    ADDR_TEXT_MAX = 2 * TERN_ADDR_TEXT_BYTES + 8,
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

/* Pieces of "FIRST[-LAST][/len]". */
struct range {
    union tern_addr first, last;
    uint8_t len_bits;
};

static int read_length(
    const char *text, const union tern_addr *of, uint8_t *out, struct tern_error *err)
{
    uint16_t bits = tern_addr_is_v4(of) ? V4_DEFAULT_BITS : V6_DEFAULT_BITS;
    if (text != NULL) {
        const uint16_t max = tern_addr_is_v4(of) ? V4_BITS : V6_BITS;
        const int rc = app_value_u16("--ip: prefix length", text, 1, max, &bits, err);
        if (rc != 0)
            return rc;
    }
    *out = (uint8_t)bits;
    return 0;
}

static int read_one(const char *text, union tern_addr *out, struct tern_error *err)
{
    if (tern_addr_parse(text, out) != 0)
        return app_refuse(err,
            "--ip: '%s' is not an address; type one such as 198.18.0.1/15 or 2001:2::1/48", text);
    return 0;
}

static int check_range(const struct range *r, const char *text, struct tern_error *err)
{
    if (!app_addresses_same_family(&r->first, &r->last))
        return app_refuse(err, "--ip: %s mixes IPv4 and IPv6; type one range for each", text);
    if (memcmp(&r->first, &r->last, sizeof r->first) > 0)
        return app_refuse(
            err, "--ip: %s runs backwards; type %s-%s", text, TEXT(&r->last), TEXT(&r->first));
    return 0;
}

static int read_range(const char *text, struct range *r, struct tern_error *err)
{
    char copy[ADDR_TEXT_MAX];
    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
        return app_refuse(
            err, "--ip: '%.40s…' is too long for an address; type A/len or A-B", text);
    char *length = strchr(copy, '/');
    if (length != NULL)
        *length++ = '\0';
    char *last = strchr(copy, '-');
    if (last != NULL)
        *last++ = '\0';
    int rc = read_one(copy, &r->first, err);
    if (rc == 0)
        rc = read_one(last != NULL ? last : copy, &r->last, err);
    if (rc == 0)
        rc = check_range(r, text, err);
    return rc == 0 ? read_length(length, &r->first, &r->len_bits, err) : rc;
}

static int add_one(
    struct tern_stack_config *cfg, const struct tern_prefix *p, struct tern_error *err)
{
    if (cfg->n_addrs == TERN_ADDRS_MAX)
        return app_refuse(
            err, "--ip: more than %d addresses; type a shorter range", (int)TERN_ADDRS_MAX);
    cfg->addrs[cfg->n_addrs++] = *p;
    return 0;
}

int app_addresses_add(struct tern_stack_config *cfg, const char *text, struct tern_error *err)
{
    struct range r;
    int rc = read_range(text, &r, err);
    if (rc != 0)
        return rc;
    struct tern_prefix p = {.addr = r.first, .len_bits = r.len_bits};
    while ((rc = add_one(cfg, &p, err)) == 0 && !tern_addr_equal(&p.addr, &r.last))
        app_addresses_next(&p.addr);
    return rc;
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

static const char *class_name(enum tern_addr_class class)
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
            TEXT(target), class_name(class));
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
