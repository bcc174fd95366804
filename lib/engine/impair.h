/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One direction of one worker as a bad network: mbufs in, mbufs out when they are due. The worker
 * has a pointer to one on the way in and one on the way out, NULL where nothing is impaired.
 */
#include <tern/drop.h>
#include <tern/impair.h>

#include "link/heap.h"
#include "link/link.h"

#include <rte_mbuf.h>

struct tern_error;

struct tern_impair_way {
    struct tern_link link;
    struct tern_heap held;    /* mbufs by the time they are due */
    struct rte_mempool *pool; /* of copies: doubled, changed, of more than one buffer */
    bool l3;                  /* frames begin at the IP header */
    uint64_t *drops;          /* [TERN_DROP_COUNT] of the call that is under way */

    /* The frame that is in the link */
    struct rte_mbuf *frame;
    const uint8_t *bytes; /* from its IP header on */
    uint32_t n_bytes;
    uint64_t now_ns;
    bool is_held; /* the mbuf itself: whoever else wants it takes a copy */

    /* Written by the worker alone, read by others (relaxed); the rest is in link.counts */
    uint64_t n_packets, n_delayed, n_hold_full, n_no_mbuf, late_max_ns;
};

/** How many packets it may hold. */
uint32_t tern_impair_packets_max(const struct tern_impair *cfg);

/** @return 0, or -EINVAL with one line in *err that begins with `device` */
TERN_MUST_CHECK int tern_impair_check(
    const struct tern_impair *cfg, const char *device, struct tern_error *err);

/**
 * @param dues    [tern_impair_packets_max(cfg)], outlives *w
 * @param stream  sets it apart from others of the same seed
 */
void tern_impair_way_init(struct tern_impair_way *w, const struct tern_impair *cfg,
    struct tern_due *dues, struct rte_mempool *pool, uint64_t stream, bool l3);

/** Frames enter, and are the way's now. @param drops  [TERN_DROP_COUNT] the worker's ledger */
void tern_impair_enter(struct tern_impair_way *w, struct rte_mbuf **pkts, uint32_t n,
    uint64_t now_ns, uint64_t *drops);

/** Those that are due, in the order of their times. @return how many, 0..n_max */
uint32_t tern_impair_take(
    struct tern_impair_way *w, uint64_t now_ns, struct rte_mbuf **out, uint32_t n_max);

/** Free what is held. @return how many */
uint32_t tern_impair_empty(struct tern_impair_way *w);

/** What it has done so far; from any thread. */
void tern_impair_read(const struct tern_impair_way *w, struct tern_impaired *out);

/** When something is due; UINT64_MAX: nothing is held. w may be NULL. */
static inline uint64_t tern_impair_next_ns(const struct tern_impair_way *w)
{
    return w == NULL ? UINT64_MAX : tern_heap_next_ns(&w->held);
}

/* ---- of the engine's workers ---- */

struct tern_endpoint;

/** mbufs of a worker's pool that may be held at once, by this end and by the other one. */
uint32_t tern_impair_n_mbufs(const struct tern_engine *e, const struct tern_endpoint *ep);

/** A way for each worker's queue that is impaired. @return 0, or -ENOMEM with one line in *err */
TERN_MUST_CHECK int tern_impair_set_up(struct tern_engine *e, struct tern_error *err);
void tern_impair_take_down(struct tern_endpoint *ep);
