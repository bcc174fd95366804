/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether addresses, gateways and static neighbours can work together: every address of ours is a
 * host's and ours once, and none of theirs is ours. Ranges are judged by their ends and by what
 * they hold, never address by address: one may be as large as IPv6 is.
 */
#include "config_check.h"

#include <stdio.h>
#include <string.h>

enum {
    V4_BITS = 32,
    V6_BITS = 128,
    PREFIX_TEXT_BYTES = TERN_ADDR_TEXT_BYTES + 4,
    RANGE_TEXT_BYTES = 2 * TERN_ADDR_TEXT_BYTES,
    OWN_NAME_BYTES = 24,
};

static bool is_unspecified(const union tern_addr *a)
{
    return a->q[0] == 0 && a->q[1] == 0;
}

static const char *class_text(enum tern_addr_class class)
{
    switch (class) {
    case TERN_ADDR_UNICAST: return "unicast";
    case TERN_ADDR_UNSPECIFIED: return "unspecified";
    case TERN_ADDR_LOOPBACK: return "loopback";
    case TERN_ADDR_MULTICAST: return "multicast";
    case TERN_ADDR_BROADCAST: return "broadcast";
    case TERN_ADDR_RESERVED: return "reserved";
    }
    return "impossible";
}

static char *prefix_text(const struct tern_prefix *p, char *buf)
{
    tern_addr_format(&p->addr, buf);
    const size_t n = strlen(buf);
    snprintf(buf + n, PREFIX_TEXT_BYTES - n, "/%u", p->len_bits);
    return buf;
}

/* "network" or "broadcast" when `a` is that of the IPv4 prefix p (RFC 1122 §3.2.1.3), else NULL. */
static const char *broadcast_kind(const struct tern_prefix *p, const union tern_addr *a)
{
    /* RFC 3021: a /31 has two hosts and nothing else. */
    if (!tern_addr_is_v4(&p->addr) || p->len_bits >= V4_BITS - 1 || !tern_prefix_contains(p, a))
        return NULL;
    const uint32_t host_mask = UINT32_MAX >> p->len_bits;
    const uint32_t host = __builtin_bswap32(a->w[3]) & host_mask;
    if (host == 0)
        return "network";
    return host == host_mask ? "broadcast" : NULL;
}

static int check_own(const struct tern_stack_config *cfg, uint32_t i, struct tern_error *err)
{
    const struct tern_prefix *p = &cfg->addrs[i];
    const unsigned bits = tern_addr_is_v4(&p->addr) ? V4_BITS : V6_BITS;
    const enum tern_addr_class class = tern_addr_classify(&p->addr);
    char text[PREFIX_TEXT_BYTES];
    prefix_text(p, text);

    if (class != TERN_ADDR_UNICAST)
        return tern_config_refuse(err, "addrs[%u] %s: must be a unicast address, this one is %s", i,
            text, class_text(class));
    if (p->len_bits > bits)
        return tern_config_refuse(err, "addrs[%u] %s: prefix length must be 0..%u", i, text, bits);
    const char *kind = broadcast_kind(p, &p->addr);
    if (kind != NULL)
        return tern_config_refuse(err,
            "addrs[%u] %s: must be a host's address, not its subnet's %s address", i, text, kind);
    for (uint32_t j = 0; j < i; j++) {
        if (tern_addr_equal(&cfg->addrs[j].addr, &p->addr))
            return tern_config_refuse(err, "addrs[%u] %s: must differ from addrs[%u]", i, text, j);
    }
    return 0;
}

static int check_addrs(const struct tern_stack_config *cfg, struct tern_error *err)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        const int bad = check_own(cfg, i, err);
        if (bad != 0)
            return bad;
    }
    return 0;
}

/* ---- ranges ---- */

static char *range_text(const struct tern_addr_range *r, char *buf)
{
    tern_addr_format(&r->first, buf);
    const size_t n = strlen(buf);
    buf[n] = '-';
    tern_addr_format(&r->last, buf + n + 1);
    return buf;
}

bool tern_config_has_family(const struct tern_stack_config *cfg, bool v4)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        if (tern_addr_is_v4(&cfg->addrs[i].addr) == v4)
            return true;
    }
    return false;
}

/* What lies between two unicast addresses and is none: 127.0.0.0/8, and where IPv4 is kept among
 * the IPv6 addresses. */
static bool holds_no_unicast(const struct tern_addr_range *r)
{
    const union tern_addr loopback = tern_addr_from_v4(__builtin_bswap32(0x7f000000u));
    const union tern_addr mapped = tern_addr_from_v4(0);
    return tern_addr_range_contains(r, tern_addr_is_v4(&r->first) ? &loopback : &mapped);
}

static int check_ends(const struct tern_addr_range *r, const char *name, struct tern_error *err)
{
    if (tern_addr_is_v4(&r->first) != tern_addr_is_v4(&r->last))
        return tern_config_refuse(err, "%s: must be of one family", name);
    if (tern_addr_is_before(&r->last, &r->first))
        return tern_config_refuse(err, "%s: must begin with its lowest address", name);
    if (tern_addr_classify(&r->first) != TERN_ADDR_UNICAST
        || tern_addr_classify(&r->last) != TERN_ADDR_UNICAST || holds_no_unicast(r))
        return tern_config_refuse(err, "%s: must be unicast addresses throughout", name);
    return 0;
}

/* The first and the last address of an IPv4 prefix. */
static struct tern_addr_range span_of(const struct tern_prefix *p)
{
    const uint32_t host_bits = p->len_bits == V4_BITS ? 0 : UINT32_MAX >> p->len_bits;
    const uint32_t be = __builtin_bswap32(host_bits);
    return (struct tern_addr_range){
        tern_addr_from_v4(p->addr.w[3] & ~be), tern_addr_from_v4(p->addr.w[3] | be)};
}

/* An address of the range that `p` gives another meaning or owner, or false: there is none. */
static bool find_clash(
    const struct tern_addr_range *r, const struct tern_prefix *p, union tern_addr *out)
{
    *out = p->addr;
    if (tern_addr_range_contains(r, out))
        return true;
    if (!tern_addr_is_v4(&p->addr) || p->len_bits >= V4_BITS - 1)
        return false;
    const struct tern_addr_range span = span_of(p);
    *out = tern_addr_range_contains(r, &span.first) ? span.first : span.last;
    return tern_addr_range_contains(r, out);
}

static int check_held(const struct tern_stack_config *cfg, const struct tern_addr_range *r,
    const char *name, struct tern_error *err)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        union tern_addr clash;
        char text[TERN_ADDR_TEXT_BYTES];
        if (!find_clash(r, &cfg->addrs[i], &clash))
            continue;
        const char *kind = broadcast_kind(&cfg->addrs[i], &clash);
        tern_addr_format(&clash, text);
        if (kind == NULL)
            return tern_config_refuse(
                err, "%s: must not hold %s, which is addrs[%u]", name, text, i);
        return tern_config_refuse(
            err, "%s: must not hold %s, a subnet's %s address", name, text, kind);
    }
    return 0;
}

static int check_range(const struct tern_stack_config *cfg, uint32_t i, struct tern_error *err)
{
    const struct tern_addr_range *r = &cfg->ranges[i];
    char name[RANGE_TEXT_BYTES + OWN_NAME_BYTES], text[RANGE_TEXT_BYTES];
    snprintf(name, sizeof name, "ranges[%u] %s", i, range_text(r, text));
    const int bad = check_ends(r, name, err);
    if (bad != 0)
        return bad;
    if (!tern_config_has_family(cfg, tern_addr_is_v4(&r->first)))
        return tern_config_refuse(err, "%s: must have an address of its family in addrs[]", name);
    for (uint32_t j = 0; j < i; j++) {
        const struct tern_addr_range *q = &cfg->ranges[j];
        if (!tern_addr_is_before(&q->last, &r->first) && !tern_addr_is_before(&r->last, &q->first))
            return tern_config_refuse(
                err, "%s: must not overlap ranges[%u] %s", name, j, range_text(q, text));
    }
    return check_held(cfg, r, name, err);
}

static int check_ranges(const struct tern_stack_config *cfg, struct tern_error *err)
{
    for (uint32_t i = 0; i < cfg->n_ranges; i++) {
        const int bad = check_range(cfg, i, err);
        if (bad != 0)
            return bad;
    }
    return 0;
}

/* ---- what is not ours ---- */

/* "addrs[3]", the place where `a` is ours; or NULL. */
static const char *find_own(
    const struct tern_stack_config *cfg, const union tern_addr *a, char buf[OWN_NAME_BYTES])
{
    const char *kind = NULL;
    uint32_t at = 0;
    for (uint32_t i = 0; i < cfg->n_addrs && kind == NULL; i++)
        if (tern_addr_equal(&cfg->addrs[at = i].addr, a))
            kind = "addrs";
    for (uint32_t i = 0; i < cfg->n_ranges && kind == NULL; i++)
        if (tern_addr_range_contains(&cfg->ranges[at = i], a))
            kind = "ranges";
    if (kind != NULL)
        snprintf(buf, OWN_NAME_BYTES, "%s[%u]", kind, at);
    return kind == NULL ? NULL : buf;
}

/* The subnet of ours that holds `a`, or NULL. */
static const struct tern_prefix *find_subnet(
    const struct tern_stack_config *cfg, const union tern_addr *a)
{
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        if (tern_prefix_contains(&cfg->addrs[i], a))
            return &cfg->addrs[i];
    }
    return NULL;
}

/* An IPv6 router is best named by its link-local address (RFC 4861 §6.1.2), which needs no prefix.
 */
static bool is_link_local6(const union tern_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static int check_gateway(const struct tern_stack_config *cfg, const char *name,
    const union tern_addr *gateway, bool v4, struct tern_error *err)
{
    if (is_unspecified(gateway))
        return 0;
    char text[TERN_ADDR_TEXT_BYTES];
    tern_addr_format(gateway, text);
    if (tern_addr_is_v4(gateway) != v4)
        return tern_config_refuse(
            err, "%s %s: must be an %s address", name, text, v4 ? "IPv4" : "IPv6");
    const enum tern_addr_class class = tern_addr_classify(gateway);
    if (class != TERN_ADDR_UNICAST)
        return tern_config_refuse(
            err, "%s %s: must be a unicast address, this one is %s", name, text, class_text(class));
    char where[OWN_NAME_BYTES];
    const char *own = find_own(cfg, gateway, where);
    if (own != NULL)
        return tern_config_refuse(err, "%s %s: must not be our own address (%s)", name, text, own);
    if (!v4 && is_link_local6(gateway) && tern_config_has_family(cfg, false))
        return 0;
    const struct tern_prefix *subnet = find_subnet(cfg, gateway);
    if (subnet == NULL)
        return tern_config_refuse(
            err, "%s %s: must lie inside the prefix of one of addrs[]", name, text);
    const char *kind = broadcast_kind(subnet, gateway);
    if (kind != NULL)
        return tern_config_refuse(
            err, "%s %s: must be a host's address, not its subnet's %s address", name, text, kind);
    return 0;
}

static int check_gateways(const struct tern_stack_config *cfg, struct tern_error *err)
{
    const int bad = check_gateway(cfg, "gateway4", &cfg->gateway4, true, err);
    return bad != 0 ? bad : check_gateway(cfg, "gateway6", &cfg->gateway6, false, err);
}

static bool is_zero_mac(const uint8_t *mac)
{
    static const uint8_t zero[TERN_MAC_BYTES];
    return memcmp(mac, zero, sizeof zero) == 0;
}

static int check_neighbour(const struct tern_stack_config *cfg, uint32_t i, struct tern_error *err)
{
    const struct tern_static_neighbour *n = &cfg->neighbours[i];
    const enum tern_addr_class class = tern_addr_classify(&n->addr);
    char text[TERN_ADDR_TEXT_BYTES];
    tern_addr_format(&n->addr, text);

    if (class != TERN_ADDR_UNICAST)
        return tern_config_refuse(err,
            "neighbours[%u] %s: must be a unicast address, this one is %s", i, text,
            class_text(class));
    char where[OWN_NAME_BYTES];
    const char *own = find_own(cfg, &n->addr, where);
    if (own != NULL)
        return tern_config_refuse(
            err, "neighbours[%u] %s: must not be our own address (%s)", i, text, own);
    if (is_zero_mac(n->mac) || tern_config_is_group_mac(n->mac))
        return tern_config_refuse(err,
            "neighbours[%u] %s: MAC %02x:%02x:%02x:%02x:%02x:%02x must be a station's, neither "
            "zero "
            "nor a group",
            i, text, n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
    for (uint32_t j = 0; j < i; j++) {
        if (tern_addr_equal(&cfg->neighbours[j].addr, &n->addr))
            return tern_config_refuse(
                err, "neighbours[%u] %s: must differ from neighbours[%u]", i, text, j);
    }
    return 0;
}

static int check_neighbours(const struct tern_stack_config *cfg, struct tern_error *err)
{
    for (uint32_t i = 0; i < cfg->n_neighbours; i++) {
        const int bad = check_neighbour(cfg, i, err);
        if (bad != 0)
            return bad;
    }
    const uint32_t n_fixed = cfg->n_neighbours + (is_unspecified(&cfg->gateway4) ? 0u : 1u)
                             + (is_unspecified(&cfg->gateway6) ? 0u : 1u);
    if (cfg->neighbours_max <= n_fixed)
        return tern_config_refuse(err,
            "neighbours_max %u: must exceed the %u static neighbours and gateways",
            cfg->neighbours_max, n_fixed);
    return 0;
}

int tern_config_check_addrs(const struct tern_stack_config *cfg, struct tern_error *err)
{
    int bad = check_addrs(cfg, err);
    if (bad == 0)
        bad = check_ranges(cfg, err);
    if (bad == 0)
        bad = check_gateways(cfg, err);
    return bad == 0 ? check_neighbours(cfg, err) : bad;
}
