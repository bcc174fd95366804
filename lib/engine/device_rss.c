/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a running device tells of its RSS. Drivers that keep it to themselves (or have none) leave
 * the facts empty, and wire/rss.c says what is missing. A key that everybody knows lets everybody
 * choose connections that meet on one worker, so one is drawn; the table is the device's own. What
 * counts is what the device tells afterwards, so all works where neither can be changed.
 *
 * What it says need not be what it does (symmetric variants report a plain hash, DPDK 22.11 has no
 * field for the function): steering.c copes with that, and segments handed over are counted.
 */
#include "device.h"

#include <rte_ethdev.h>

#include <string.h>
#include <sys/random.h>

enum {
    KEY_BYTES_MAX = UINT8_MAX, /* rte_eth_rss_conf counts in 8 bits */
    KEY_BYTES_USUAL = 40,      /* of drivers that state no size */
};

/** Hashes over a part of addresses or ports. */
#define PARTS                                                                                      \
    (RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L3_DST_ONLY | RTE_ETH_RSS_L4_SRC_ONLY                   \
        | RTE_ETH_RSS_L4_DST_ONLY | RTE_ETH_RSS_L3_PRE32 | RTE_ETH_RSS_L3_PRE40                    \
        | RTE_ETH_RSS_L3_PRE48 | RTE_ETH_RSS_L3_PRE56 | RTE_ETH_RSS_L3_PRE64                       \
        | RTE_ETH_RSS_L3_PRE96)

void tern_port_rss_fields(uint64_t rss_hf, struct tern_rss_facts *out)
{
    const bool whole = (rss_hf & PARTS) == 0;
    out->tcp4 = whole && (rss_hf & RTE_ETH_RSS_NONFRAG_IPV4_TCP) != 0;
    out->tcp6 = whole && (rss_hf & RTE_ETH_RSS_NONFRAG_IPV6_TCP) != 0;
}

static void read_hash(uint16_t port_id, uint8_t stated_key_bytes, struct tern_rss_facts *out)
{
    uint8_t key[KEY_BYTES_MAX] = {0};
    const uint8_t n_key_bytes = stated_key_bytes != 0 ? stated_key_bytes : KEY_BYTES_USUAL;
    struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = n_key_bytes};
    if (rte_eth_dev_rss_hash_conf_get(port_id, &conf) != 0)
        return;
    out->n_key_bytes = n_key_bytes;
    memcpy(out->key, key, RTE_MIN((size_t)n_key_bytes, sizeof out->key));
    tern_port_rss_fields(conf.rss_hf, out);
}

static void read_table(uint16_t port_id, uint32_t n_entries, struct tern_rss_facts *out)
{
    struct rte_eth_rss_reta_entry64 groups[TERN_RSS_ENTRIES_MAX / RTE_ETH_RETA_GROUP_SIZE];
    const uint32_t n_groups = (n_entries + RTE_ETH_RETA_GROUP_SIZE - 1) / RTE_ETH_RETA_GROUP_SIZE;
    if (n_entries == 0 || n_groups > RTE_DIM(groups))
        return;
    memset(groups, 0, sizeof groups);
    for (uint32_t i = 0; i < n_groups; i++)
        groups[i].mask = UINT64_MAX;
    if (rte_eth_dev_rss_reta_query(port_id, groups, (uint16_t)n_entries) != 0)
        return;
    out->n_entries = n_entries;
    for (uint32_t i = 0; i < n_entries; i++)
        out->queue[i] = groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
}

/* V102. A driver that refuses goes on with its own. */
void tern_port_draw_rss_key(const struct tern_port *p)
{
    uint8_t key[KEY_BYTES_MAX];
    struct rte_eth_dev_info info;
    struct rte_eth_rss_conf conf = {.rss_key = NULL};
    if (!p->spreads_by_rss || rte_eth_dev_info_get(p->id, &info) != 0
        || rte_eth_dev_rss_hash_conf_get(p->id, &conf) != 0)
        return;
    conf.rss_key_len = info.hash_key_size != 0 ? info.hash_key_size : KEY_BYTES_USUAL;
    conf.rss_key = key;
    if (getrandom(key, conf.rss_key_len, 0) == (ssize_t)conf.rss_key_len)
        rte_eth_dev_rss_hash_update(p->id, &conf);
}

void tern_port_rss(const struct tern_port *p, struct tern_rss_facts *out)
{
    struct rte_eth_dev_info info;
    memset(out, 0, sizeof *out);
    if (!p->spreads_by_rss || rte_eth_dev_info_get(p->id, &info) != 0)
        return;
    read_hash(p->id, info.hash_key_size, out);
    read_table(p->id, info.reta_size, out);
}
