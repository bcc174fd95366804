/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Receive-side scaling as a pure function of bytes: the entry of a device's redirection table that
 * a TCP segment falls on, who owns the entry, and, the other way round, which ports of ours make
 * replies fall on a given worker's entries.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
    TERN_RSS_INPUT_BYTES = 36, /* two IPv6 addresses, two ports */
    TERN_RSS_KEY_BYTES = 40,   /* … and 32 bits beyond: what the hash reaches into */
    TERN_RSS_ENTRIES_MAX = 4096,
    TERN_RSS_WORKERS_MAX = 64,
    TERN_RSS_PORT_BITS = 16,
};

/** What a device says of itself. */
struct tern_rss_facts {
    uint32_t n_key_bytes; /**< of the hash's key; more than TERN_RSS_KEY_BYTES is ignored */
    uint8_t key[TERN_RSS_KEY_BYTES];
    bool tcp4, tcp6;    /**< TCP is hashed over both addresses and both ports */
    uint32_t n_entries; /**< of the redirection table */
    uint16_t queue[TERN_RSS_ENTRIES_MAX];
};

/** Why ports cannot be chosen by it. */
enum tern_rss_gap {
    TERN_RSS_GOOD,
    TERN_RSS_NO_KEY,     /**< none told, or shorter than the hash of IPv4 needs */
    TERN_RSS_NO_TABLE,   /**< none told, or one whose index is not the hash's last bits */
    TERN_RSS_NO_PORTS,   /**< TCP ports are not hashed */
    TERN_RSS_LEFT_OUT,   /**< a worker has no entry */
    TERN_RSS_NARROW_KEY, /**< the key does not bring our port into every bit of the index */
};

/**
 * All ports that lead to one entry, for one address family: `to[entry]` is one of them for a peer
 * whose own part of the index is 0, and adding (exclusive or) any combination of `same` gives the
 * others.
 */
struct tern_rss_ports {
    bool is_known;
    uint32_t n_same;
    uint16_t same[TERN_RSS_PORT_BITS];
    uint16_t to[TERN_RSS_ENTRIES_MAX];
};

/** Read-only once made: all workers share one. */
struct tern_rss {
    uint32_t n_entries;
    uint16_t part[TERN_RSS_INPUT_BYTES]
                 [UINT8_MAX + 1]; /* of the index, by each byte of the input */
    uint8_t worker[TERN_RSS_ENTRIES_MAX];
    uint16_t own[TERN_RSS_ENTRIES_MAX];           /* entries, worker by worker … */
    uint16_t first_own[TERN_RSS_WORKERS_MAX + 1]; /* … the w-th's from here on */
    struct tern_rss_ports ip4, ip6;
};

/**
 * @param n_workers 1..TERN_RSS_WORKERS_MAX; queue q is polled by worker q % n_workers
 * @return TERN_RSS_GOOD: at least one family is known. Else *out must not be used.
 */
enum tern_rss_gap tern_rss_init(
    struct tern_rss *out, const struct tern_rss_facts *facts, uint32_t n_workers);

/** The ports of the family that `n_addr_bytes` (8 or 32: both addresses) tells. */
static inline const struct tern_rss_ports *tern_rss_family(
    const struct tern_rss *r, uint32_t n_addr_bytes);

/**
 * The entry that a received segment falls on.
 *
 * @param addrs [n_addr_bytes] source and destination, as they lie in the IP header
 */
static inline uint32_t tern_rss_entry(const struct tern_rss *r, const uint8_t *addrs,
    uint32_t n_addr_bytes, uint16_t sport, uint16_t dport);

/** How many of our ports make a peer's segments fall on `worker`'s entries: the same for every
 * peer. */
static inline uint32_t tern_rss_n_ports(
    const struct tern_rss *r, const struct tern_rss_ports *family, uint32_t worker);

/**
 * The `nth` of them, each once.
 *
 * @param peer tern_rss_entry() of a segment from the peer to our port 0
 */
static inline uint16_t tern_rss_port(const struct tern_rss *r, const struct tern_rss_ports *family,
    uint32_t worker, uint32_t peer, uint32_t nth);

/* ---- */

static inline const struct tern_rss_ports *tern_rss_family(
    const struct tern_rss *r, uint32_t n_addr_bytes)
{
    return n_addr_bytes == 8 ? &r->ip4 : &r->ip6;
}

/** The part of the first `n_bytes` of the input, in two sums that do not wait for each other. */
static inline uint32_t tern_rss_sum(
    const struct tern_rss *r, const uint8_t *bytes, uint32_t n_bytes)
{
    uint32_t even = 0, odd = 0;
    for (uint32_t i = 0; i < n_bytes; i += 2) {
        even ^= r->part[i][bytes[i]];
        odd ^= r->part[i + 1][bytes[i + 1]];
    }
    return even ^ odd;
}

static inline uint32_t tern_rss_entry(const struct tern_rss *r, const uint8_t *addrs,
    uint32_t n_addr_bytes, uint16_t sport, uint16_t dport)
{
    const uint16_t(*part)[UINT8_MAX + 1] = &r->part[n_addr_bytes];
    const uint32_t of_ports = (uint32_t)part[0][sport >> 8] ^ part[1][sport & UINT8_MAX]
                              ^ part[2][dport >> 8] ^ part[3][dport & UINT8_MAX];
    /* Two constants, so that the compiler writes IPv4 out. */
    return of_ports ^ (n_addr_bytes == 8 ? tern_rss_sum(r, addrs, 8) : tern_rss_sum(r, addrs, 32));
}

static inline uint32_t tern_rss_n_ports(
    const struct tern_rss *r, const struct tern_rss_ports *family, uint32_t worker)
{
    return (uint32_t)(r->first_own[worker + 1] - r->first_own[worker]) << family->n_same;
}

static inline uint16_t tern_rss_port(const struct tern_rss *r, const struct tern_rss_ports *family,
    uint32_t worker, uint32_t peer, uint32_t nth)
{
    const uint32_t entry = r->own[r->first_own[worker] + (nth >> family->n_same)];
    uint32_t port = family->to[entry ^ peer];
    for (uint32_t bit = 0; bit < family->n_same; bit++)
        port ^= family->same[bit] & -(nth >> bit & 1u);
    return (uint16_t)port;
}
