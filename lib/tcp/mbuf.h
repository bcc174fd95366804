/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The few things the protocol does to buffers. */
#include "tcp.h"
#include "wire/csum.h"

#include <assert.h>
#include <string.h>

enum { TERN_MBUF_AHEAD = 8 /* allocations: what a buffer takes to come from the cache of all */ };

/** What reassembly keeps in a buffer's private area (TERN_MBUF_PRIV_BYTES). */
struct tern_mbuf_priv {
    struct rte_mbuf *next_piece;
    struct rte_mbuf *last; /* of this piece's chain */
    struct tern_seq seq;
    uint32_t len_bytes;
};

static inline struct tern_mbuf_priv *tern_mbuf_priv(struct rte_mbuf *m)
{
    return (struct tern_mbuf_priv *)rte_mbuf_to_priv(m);
}

/**
 * Reduce a chain to its bytes [off, off + len). Empty leading and trailing buffers are freed, so
 * that no buffer of the chain is empty (len > 0), and the rest stays a chain (V190).
 * @return the chain's head, which may be another buffer than `m`
 */
static inline struct rte_mbuf *tern_mbuf_cut(struct rte_mbuf *m, uint32_t off, uint32_t len)
{
    while (off >= m->data_len) {
        struct rte_mbuf *rest = m->next;
        off -= m->data_len;
        m->next = NULL;
        m->nb_segs = 1;
        rte_pktmbuf_free(m);
        m = rest;
    }
    m->data_off = (uint16_t)(m->data_off + off);
    m->data_len = (uint16_t)(m->data_len - off);
    m->pkt_len = len;

    uint16_t n_segs = 1;
    struct rte_mbuf *last = m;
    for (uint32_t left = len; left > last->data_len; n_segs++) {
        left -= last->data_len;
        last = last->next;
        len = left;
    }
    last->data_len = (uint16_t)len;
    rte_pktmbuf_free(last->next);
    last->next = NULL;
    m->nb_segs = n_segs;
    return m;
}

/**
 * Buffers have gone far since a pool last saw them, and each packet writes two lines of every
 * buffer and those its headers lie on. Ask for the ones that the thread's cache of the pool will
 * hand out TERN_MBUF_AHEAD allocations from now; the first of them is to hold headers.
 */
static inline void tern_mbuf_prefetch(struct rte_mempool *pool, uint32_t n)
{
    const struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());
    if (unlikely(cache == NULL || cache->len < TERN_MBUF_AHEAD + n))
        return;
    void *const *next = &cache->objs[cache->len - TERN_MBUF_AHEAD - 1];
    for (uint32_t i = 0; i < n; i++) {
        const char *m = next[-(int32_t)i];
        rte_prefetch0(m);
        rte_prefetch0(m + RTE_CACHE_LINE_SIZE);
    }
    const char *headers_end = (const char *)next[0] + sizeof(struct rte_mbuf)
                              + sizeof(struct tern_mbuf_priv) + RTE_PKTMBUF_HEADROOM;
    rte_prefetch0(headers_end - 1);
    rte_prefetch0(headers_end - RTE_CACHE_LINE_SIZE);
}

/** An empty buffer of the shard's pool for payload, headroom in front, or NULL. */
static inline struct rte_mbuf *tern_mbuf_data(struct tern_tcp *t)
{
    if (t->n_spares == 0)
        return rte_pktmbuf_alloc(t->pool);
    struct rte_mbuf *m = t->spares[--t->n_spares];
    rte_pktmbuf_reset(m);
    return m;
}

/** The buffer of a segment that is done with, empty, headroom in front; or NULL: it is not to be
 * had for this. */
static inline struct rte_mbuf *tern_mbuf_of_seg(const struct tern_tcp *t, struct tern_seg *seg)
{
    struct rte_mbuf *m = seg->m;
    if (unlikely(m == NULL || !tern_mbuf_is_spare(t, m)))
        return NULL;
    seg->m = NULL;
    rte_pktmbuf_reset_headroom(m);
    m->data_len = 0;
    m->pkt_len = 0;
    m->ol_flags = 0;
    m->tx_offload = 0;
    return m;
}

/** Free a single buffer; the next one of ours may take its place while it is in the cache. */
static inline void tern_mbuf_recycle(struct tern_tcp *t, struct rte_mbuf *m)
{
    m->next = NULL;
    m->nb_segs = 1;
    if (t->n_spares < TERN_SPARES_MAX && tern_mbuf_is_spare(t, m)) {
        t->spares[t->n_spares++] = m;
    } else {
        rte_pktmbuf_free_seg(m);
    }
}

/** An empty buffer for a packet of ours, headroom in front; from the reserve when the pool is
 * empty. */
static inline struct rte_mbuf *tern_mbuf_control(struct tern_tcp *t)
{
    struct rte_mbuf *m;
    if (t->n_spares > 0) {
        m = t->spares[--t->n_spares];
        rte_pktmbuf_reset(m);
        return m;
    }
    m = rte_pktmbuf_alloc(t->pool);
    return m != NULL ? m : rte_pktmbuf_alloc(t->reserve);
}

/** Sum of a chain's bytes from `off` on, which lies in its first buffer, for the checksum; as if it
 * began at an even offset. */
static inline uint64_t tern_mbuf_sum_from(const struct rte_mbuf *m, uint32_t off)
{
    uint64_t sum =
        tern_csum_add(0, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), m->data_len - off);
    bool odd = (m->data_len - off) & 1;
    for (m = m->next; unlikely(m != NULL); m = m->next) {
        const uint64_t part = tern_csum_add(0, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
        sum += odd ? tern_csum_odd(part) : part;
        odd ^= m->data_len & 1;
    }
    return sum;
}

static inline uint64_t tern_mbuf_sum(const struct rte_mbuf *m)
{
    return tern_mbuf_sum_from(m, 0);
}
