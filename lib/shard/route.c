/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building the hash of known addresses, and the choices made once a connection.
 *
 * Own addresses go into the hash first, so that an address of ours that happens to be the broadcast
 * of another, overlapping prefix of ours stays ours. Nothing is removed, ever: linear probing needs
 * no tombstones, and a table that is at most 2/5 full ends every probe. The hash is not keyed: who
 * sends us packets chooses what is looked up, but not what is in the table.
 *
 * No longest-prefix match: an endpoint has on-link prefixes and one gateway a family, and between
 * "on some link of ours" and "not" the lengths make no difference.
 */
#include "route.h"

#include <assert.h>
#include <string.h>

enum { V4_BITS = 32, V4_PREFIX_WITHOUT_BROADCAST = 31 };

static void add_known(struct tern_routes *r, const union tern_addr *a)
{
    if (tern_route_find(r, a) != TERN_ROUTE_KNOWN_MAX)
        return;
    assert(r->n_known < TERN_ROUTE_KNOWN_MAX);
    uint32_t s = tern_route_slot(a);
    while (r->slots[s] != 0)
        s = (s + 1) % TERN_ROUTE_SLOTS;
    r->known[r->n_known] = *a;
    r->slots[s] = (uint16_t)++r->n_known;
}

/* Network and directed broadcast of an IPv4 prefix; /31 and /32 have none (RFC 3021 §2.1). */
static void add_broadcasts(struct tern_routes *r, const struct tern_prefix *p)
{
    if (!tern_addr_is_v4(&p->addr) || p->len_bits >= V4_PREFIX_WITHOUT_BROADCAST)
        return;
    const uint32_t host_bits = __builtin_bswap32(UINT32_MAX >> p->len_bits);
    const union tern_addr network = tern_addr_from_v4(p->addr.w[3] & ~host_bits);
    const union tern_addr broadcast = tern_addr_from_v4(p->addr.w[3] | host_bits);
    add_known(r, &network);
    add_known(r, &broadcast);
}

static void add_prefix(struct tern_routes *r, const struct tern_prefix *p)
{
    for (uint32_t i = 0; i < r->n_prefixes; i++) {
        const struct tern_prefix *q = &r->prefixes[i];
        if (q->len_bits == p->len_bits && tern_prefix_contains(q, &p->addr))
            return;
    }
    r->prefixes[r->n_prefixes++] = *p;
}

/* Last: until here an empty slot is 0, which add_known() looks for. */
static void ask_ranges(struct tern_routes *r)
{
    for (uint32_t s = 0; s < TERN_ROUTE_SLOTS; s++)
        if (r->slots[s] == 0)
            r->slots[s] = TERN_ROUTE_ASK_RANGES;
}

static bool is_unspecified(const union tern_addr *a)
{
    return a->q[0] == 0 && a->q[1] == 0;
}

void tern_routes_init(struct tern_routes *r, const struct tern_stack_config *cfg)
{
    assert(cfg->n_addrs <= TERN_ADDRS_MAX && cfg->n_ranges <= TERN_RANGES_MAX);
    memset(r, 0, sizeof *r);
    for (uint32_t i = 0; i < cfg->n_addrs; i++) {
        r->own[i] = cfg->addrs[i];
        add_known(r, &cfg->addrs[i].addr);
        add_prefix(r, &cfg->addrs[i]);
    }
    r->n_own = r->n_known;
    assert(r->n_own == cfg->n_addrs);
    for (uint32_t i = 0; i < cfg->n_ranges; i++) {
        r->ranges[i] = cfg->ranges[i];
        r->known[r->n_known++] = cfg->ranges[i].first;
    }
    r->n_mine = r->n_known;
    for (uint32_t i = 0; i < r->n_prefixes; i++)
        add_broadcasts(r, &r->prefixes[i]);
    r->gateway4 = cfg->gateway4;
    r->gateway6 = cfg->gateway6;
    r->has_gateway4 = !is_unspecified(&cfg->gateway4);
    r->has_gateway6 = !is_unspecified(&cfg->gateway6);
    if (cfg->n_ranges > 0)
        ask_ranges(r);
}

uint32_t tern_route_find_range(const struct tern_routes *r, const union tern_addr *a)
{
    for (uint32_t i = r->n_own; i < r->n_mine; i++)
        if (tern_addr_range_contains(&r->ranges[i - r->n_own], a))
            return i;
    return TERN_ROUTE_KNOWN_MAX;
}

/* fe80::/10 is on every link, listed or not (RFC 4861 §5.1, RFC 4291 §2.5.6). */
static bool is_link_local6(const union tern_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static bool is_on_link(const struct tern_routes *r, const union tern_addr *dst)
{
    for (uint32_t i = 0; i < r->n_prefixes; i++) {
        if (tern_prefix_contains(&r->prefixes[i], dst))
            return true;
    }
    return is_link_local6(dst);
}

void tern_route_back(const struct tern_routes *r, const union tern_addr *peer, union tern_addr *hop)
{
    const bool v4 = tern_addr_is_v4(peer);
    const bool has_gateway = v4 ? r->has_gateway4 : r->has_gateway6;
    if (!has_gateway || is_on_link(r, peer))
        *hop = *peer;
    else
        *hop = v4 ? r->gateway4 : r->gateway6;
}

bool tern_route_next_hop(
    const struct tern_routes *r, const union tern_addr *dst, union tern_addr *hop)
{
    if (tern_addr_classify(dst) != TERN_ADDR_UNICAST)
        return false;
    /* Neither ours nor a subnet broadcast, and an address of ours to send from. */
    if (tern_route_find(r, dst) != TERN_ROUTE_KNOWN_MAX || tern_route_source(r, dst) == NULL)
        return false;
    tern_route_back(r, dst, hop);
    return true;
}

const union tern_addr *tern_route_source(const struct tern_routes *r, const union tern_addr *dst)
{
    const union tern_addr *first = NULL;
    for (uint32_t i = 0; i < r->n_own; i++) {
        const struct tern_prefix *p = &r->own[i];
        if (tern_prefix_contains(p, dst))
            return &p->addr;
        if (first == NULL && tern_addr_is_v4(&p->addr) == tern_addr_is_v4(dst))
            first = &p->addr;
    }
    return first;
}
