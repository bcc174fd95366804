/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Two ports joined by rings: what one sends on queue i the other receives on queue i. */
#include <tern/config.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    TERN_PAIR_QUEUES_MAX = 16, /* the ring driver's own limit */
};

struct tern_pair {
    uint32_t n_queues;
    struct rte_ring *rings[2][TERN_PAIR_QUEUES_MAX]; /* [end][queue]: towards that end */
    uint16_t port_ids[2];
};

/** @return 0 or -errno with one line in *err; a half-made pair is taken apart by tern_pair_close()
 */
TERN_MUST_CHECK int tern_pair_open(
    struct tern_pair *p, uint32_t n_queues, uint32_t n_desc, struct tern_error *err);

/** Free what is still in the rings, and the rings. The ports must be closed before. */
void tern_pair_close(struct tern_pair *p);

/** The fixed, locally administered MAC of an end. */
void tern_pair_mac(uint32_t end, uint8_t mac[TERN_MAC_BYTES]);

/**
 * A burst came out of a ring: make each mbuf what a device would have made of it. Checksums that
 * the sender left to the device count as verified: the bytes have not left this process's memory.
 */
static inline void tern_pair_received(struct rte_mbuf **pkts, uint32_t n);

/* ---- */

static inline void tern_pair_received(struct rte_mbuf **pkts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t sent = pkts[i]->ol_flags;
        uint64_t got = sent & (RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT);
        if (sent & RTE_MBUF_F_TX_IP_CKSUM)
            got |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        if ((sent & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM)
            got |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        pkts[i]->ol_flags = got;
    }
}
