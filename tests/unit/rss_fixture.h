/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A network card that nobody has built: its RSS hash from DPDK's own bitwise function, its key and
 * table from a seed. */
#include "wire/bytes.h"
#include "wire/rss.h"

#include <rte_thash.h>

#include <string.h>

static inline uint64_t rss_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 24;
}

/** A card with a random key; table entry i is queue i % n_queues, as drivers fill it. */
static inline struct tern_rss_facts rss_card(uint64_t seed, uint32_t n_entries, uint32_t n_queues)
{
    struct tern_rss_facts f = {
        .n_key_bytes = TERN_RSS_KEY_BYTES, .tcp4 = true, .tcp6 = true, .n_entries = n_entries};
    for (uint32_t i = 0; i < TERN_RSS_KEY_BYTES; i++)
        f.key[i] = (uint8_t)rss_random(&seed);
    for (uint32_t i = 0; i < n_entries && i < TERN_RSS_ENTRIES_MAX; i++)
        f.queue[i] = (uint16_t)(i % n_queues);
    return f;
}

/** What the card computes. @param addrs [n_addr_bytes] as in the IP header */
static inline uint32_t rss_hash(const struct tern_rss_facts *card, const uint8_t *addrs,
    uint32_t n_addr_bytes, uint16_t sport, uint16_t dport)
{
    uint32_t words[TERN_RSS_INPUT_BYTES / 4];
    const uint32_t n_addr_words = n_addr_bytes / 4;
    for (uint32_t i = 0; i < n_addr_words; i++)
        words[i] = tern_load32(addrs + 4 * i);
    words[n_addr_words] = (uint32_t)sport << 16 | dport;
    return rte_softrss(words, n_addr_words + 1, card->key);
}
