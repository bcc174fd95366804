/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Which addresses are ours, and where a packet goes next. A value made once from the configuration
 * and never written again, so lookups need no lock and no state.
 *
 * What is asked per packet (is this ours? is it a broadcast of a subnet of ours?) is one probe of a
 * small hash of all such addresses. What is asked per connection walks the distinct prefixes.
 *
 * Ranges are compared with, not hashed, and only where the hash knows nothing: in a table that has
 * any, an empty slot says so. Without ranges they cost nothing.
 */
#include <tern/addr.h>
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    /* each own address, its network, its broadcast; each range */
    TERN_ROUTE_KNOWN_MAX = 3 * TERN_ADDRS_MAX + TERN_RANGES_MAX,
    TERN_ROUTE_ASK_RANGES = TERN_ROUTE_KNOWN_MAX + 1, /* a slot: empty, and there are ranges */
    TERN_ROUTE_SLOTS_LOG2 = 11,
    TERN_ROUTE_SLOTS = 1 << TERN_ROUTE_SLOTS_LOG2,
};

struct tern_routes {
    uint32_t n_own;      /**< known[0..n_own) are ours, in the order of the configuration */
    uint32_t n_mine;     /**< known[n_own..n_mine) stand for all that is in ranges[], one each */
    uint32_t n_known;    /**< known[n_mine..n_known) are networks and broadcasts of our subnets */
    uint32_t n_prefixes; /**< distinct on-link prefixes */
    bool has_gateway4, has_gateway6;
    union tern_addr gateway4, gateway6;
    uint16_t slots[TERN_ROUTE_SLOTS]; /**< 1 + index into known; linear probing. Empty: 0, or
                                           ASK_RANGES, whose index is the one beyond */
    union tern_addr known[TERN_ROUTE_KNOWN_MAX + 1]; /**< the last stays unspecified */
    struct tern_addr_range ranges[TERN_RANGES_MAX];  /**< [n_mine - n_own] */
    struct tern_prefix own[TERN_ADDRS_MAX]; /**< [n_own] as configured: what source() walks */
    struct tern_prefix prefixes[TERN_ADDRS_MAX];
};

/** Read addresses, prefixes and gateways out of a checked configuration. */
void tern_routes_init(struct tern_routes *r, const struct tern_stack_config *cfg);

/** Is `a` one of our addresses? One multiplication and, as a rule, one probe; with ranges up to two
 * comparisons for each. */
static inline bool tern_route_is_mine(const struct tern_routes *r, const union tern_addr *a);

/**
 * Is `a` the network or the directed broadcast address of an IPv4 prefix of ours shorter than /31
 * (RFC 1122 §3.2.1.3, RFC 3021)? No address of ours is. Costs what tern_route_is_mine() costs.
 */
static inline bool tern_route_is_subnet_broadcast(
    const struct tern_routes *r, const union tern_addr *a);

/** One or the other. */
static inline bool tern_route_is_known(const struct tern_routes *r, const union tern_addr *a);

/**
 * Next hop towards `dst`: dst itself when it is on link (or when its family has no gateway: then
 * everything is), else the gateway.
 *
 * @return false, *hop untouched: dst is no unicast address, a subnet broadcast, our own, or of a
 *         family in which we have no address
 */
bool tern_route_next_hop(
    const struct tern_routes *r, const union tern_addr *dst, union tern_addr *hop);

/** The same for a peer whose segment came and was let in (so none of the above is true of it). */
void tern_route_back(
    const struct tern_routes *r, const union tern_addr *peer, union tern_addr *hop);

/**
 * The address of ours to speak to `dst` from (RFC 9293 MUST-44): the first whose prefix holds dst,
 * else the first of the family, else NULL. Points into `r`.
 */
const union tern_addr *tern_route_source(const struct tern_routes *r, const union tern_addr *dst);

/* ---- */

static inline uint32_t tern_route_slot(const union tern_addr *a)
{
    const uint64_t folded = a->q[0] ^ (a->q[1] << 32 | a->q[1] >> 32);
    return (uint32_t)(folded * UINT64_C(0x9e3779b97f4a7c15) >> (64 - TERN_ROUTE_SLOTS_LOG2));
}

/** Index in r->known of what stands for the range that holds `a`, or TERN_ROUTE_KNOWN_MAX. */
uint32_t tern_route_find_range(const struct tern_routes *r, const union tern_addr *a);

/** Index of `a`, or of its range, in r->known; or TERN_ROUTE_KNOWN_MAX. The hash is at most 2/5
 * full, so it ends. */
static inline uint32_t tern_route_find(const struct tern_routes *r, const union tern_addr *a)
{
    for (uint32_t s = tern_route_slot(a);; s = (s + 1) % TERN_ROUTE_SLOTS) {
        const uint32_t at = r->slots[s];
        if (at == 0)
            return TERN_ROUTE_KNOWN_MAX;
        if (tern_addr_equal(&r->known[at - 1], a))
            return at - 1;
        if (at == TERN_ROUTE_ASK_RANGES)
            return tern_route_find_range(r, a);
    }
}

static inline bool tern_route_is_known(const struct tern_routes *r, const union tern_addr *a)
{
    return tern_route_find(r, a) < TERN_ROUTE_KNOWN_MAX;
}

static inline bool tern_route_is_mine(const struct tern_routes *r, const union tern_addr *a)
{
    return tern_route_find(r, a) < r->n_mine;
}

static inline bool tern_route_is_subnet_broadcast(
    const struct tern_routes *r, const union tern_addr *a)
{
    const uint32_t at = tern_route_find(r, a);
    return at >= r->n_mine && at < TERN_ROUTE_KNOWN_MAX;
}
