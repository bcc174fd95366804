/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RSS is the Toeplitz hash: for every bit of the input that is set, the 32 bits of the key that
 * begin at this bit are added to the hash by exclusive or. The last bits of the hash are an index
 * into a table of queues. Two things follow, as all of it is linear over exclusive or.
 *
 * The index is the sum of one looked-up part a byte. Only index bits are kept, so an IPv4 segment
 * touches 12 entries out of 6 KiB.
 *
 * Which of our ports lead to an entry is a system of linear equations with 16 unknown bits. It is
 * solved once for each entry by Gaussian elimination; bits that are left free give the other
 * solutions. So the ports that bring replies to a worker are numbered without a search.
 */
#include "rss.h"

#include <string.h>

enum {
    ADDRS4_BYTES = 8,
    ADDRS6_BYTES = 32,
    PORTS_BYTES = 4,
    DPORT_OFFSET = 2, /* behind the addresses */
    WINDOW_BYTES = 4, /* of the key, that one bit of the input brings in */
    KEY4_BYTES = ADDRS4_BYTES + PORTS_BYTES + WINDOW_BYTES,
};

/** The 32 bits of the key from `bit` on; beyond its end there are zeros. */
static uint32_t window_at(const uint8_t key[TERN_RSS_KEY_BYTES], uint32_t bit)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i <= WINDOW_BYTES; i++) {
        const uint32_t at = bit / 8 + i;
        bits = bits << 8 | (at < TERN_RSS_KEY_BYTES ? key[at] : 0u);
    }
    return (uint32_t)(bits >> (8 - bit % 8));
}

static void fill_parts(struct tern_rss *r, const uint8_t key[TERN_RSS_KEY_BYTES])
{
    const uint32_t mask = r->n_entries - 1;
    for (uint32_t at = 0; at < TERN_RSS_INPUT_BYTES; at++)
        for (uint32_t bit = 0; bit < 8; bit++) {
            const uint32_t value = 0x80u >> bit; /* the first bit on the wire is the highest */
            const uint32_t part = window_at(key, at * 8 + bit) & mask;
            for (uint32_t rest = 0; rest <= UINT8_MAX; rest++)
                if (rest & value)
                    r->part[at][rest] = (uint16_t)(r->part[at][rest] ^ part);
        }
}

/** A sum of ports' bits, and the entry it adds up to. */
struct row {
    uint32_t entry;
    uint16_t port;
};

static uint32_t top_bit(uint32_t entry)
{
    return 31u - (uint32_t)__builtin_clz(entry);
}

/** Take out of `row` what rows of `pivots` (one for each highest bit, port 0: none) can. */
static struct row reduce(const struct row pivots[TERN_RSS_PORT_BITS], struct row row)
{
    while (row.entry != 0 && pivots[top_bit(row.entry)].port != 0) {
        const struct row *pivot = &pivots[top_bit(row.entry)];
        row.entry ^= pivot->entry;
        row.port ^= pivot->port;
    }
    return row;
}

/** @param at  byte of the input where our port begins @return every entry can be reached */
static bool solve(const struct tern_rss *r, uint32_t at, struct tern_rss_ports *out)
{
    struct row pivots[TERN_RSS_PORT_BITS] = {{0}};
    for (uint32_t bit = 0; bit < TERN_RSS_PORT_BITS; bit++) {
        const uint16_t port = (uint16_t)(1u << bit);
        const uint32_t entry = r->part[at][port >> 8] ^ r->part[at + 1][port & UINT8_MAX];
        const struct row unit = {.entry = entry, .port = port};
        const struct row rest = reduce(pivots, unit);
        if (rest.entry != 0)
            pivots[top_bit(rest.entry)] = rest;
        else
            out->same[out->n_same++] = rest.port;
    }
    for (uint32_t entry = 0; entry < r->n_entries; entry++) {
        const struct row rest = reduce(pivots, (struct row){.entry = entry});
        if (rest.entry != 0)
            return false;
        out->to[entry] = rest.port;
    }
    return true;
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/** Sort the entries by worker. @return every worker has one */
static bool deal_out(struct tern_rss *r, const uint16_t *queue, uint32_t n_workers)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < n_workers; w++) {
        r->first_own[w] = (uint16_t)n;
        for (uint32_t entry = 0; entry < r->n_entries; entry++)
            if (queue[entry] % n_workers == w) {
                r->worker[entry] = (uint8_t)w;
                r->own[n++] = (uint16_t)entry;
            }
        if (n == r->first_own[w])
            return false;
    }
    r->first_own[n_workers] = (uint16_t)n;
    return true;
}

enum tern_rss_gap tern_rss_init(
    struct tern_rss *out, const struct tern_rss_facts *facts, uint32_t n_workers)
{
    const bool has_key6 = facts->n_key_bytes >= TERN_RSS_KEY_BYTES;
    memset(out, 0, sizeof *out);
    if (facts->n_key_bytes < KEY4_BYTES)
        return TERN_RSS_NO_KEY;
    if (!is_power_of_two(facts->n_entries) || facts->n_entries > TERN_RSS_ENTRIES_MAX)
        return TERN_RSS_NO_TABLE;
    if (!facts->tcp4 && !(facts->tcp6 && has_key6))
        return TERN_RSS_NO_PORTS;
    out->n_entries = facts->n_entries;
    if (!deal_out(out, facts->queue, n_workers))
        return TERN_RSS_LEFT_OUT;
    fill_parts(out, facts->key);
    out->ip4.is_known = facts->tcp4 && solve(out, ADDRS4_BYTES + DPORT_OFFSET, &out->ip4);
    out->ip6.is_known =
        facts->tcp6 && has_key6 && solve(out, ADDRS6_BYTES + DPORT_OFFSET, &out->ip6);
    return out->ip4.is_known || out->ip6.is_known ? TERN_RSS_GOOD : TERN_RSS_NARROW_KEY;
}
