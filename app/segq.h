/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Received payload that waits: a FIFO of mbuf segments, linked through mbuf->next. A chain that
 * goes in comes out segment by segment, so a queue of any length costs two pointers.
 */
#include <rte_mbuf.h>

#include <stddef.h>

struct app_segq {
    struct rte_mbuf *head, *tail;
};

/** Append the chain, which the queue takes over. */
static inline void app_segq_push(struct app_segq *q, struct rte_mbuf *chain)
{
    if (q->head == NULL)
        q->head = chain;
    else
        q->tail->next = chain;
    q->tail = rte_pktmbuf_lastseg(chain);
}

/** The first segment, as a chain of its own that the caller owns; NULL when the queue is empty. */
static inline struct rte_mbuf *app_segq_pop(struct app_segq *q)
{
    struct rte_mbuf *seg = q->head;
    if (seg == NULL)
        return NULL;
    q->head = seg->next;
    seg->next = NULL;
    seg->nb_segs = 1;
    seg->pkt_len = seg->data_len;
    return seg;
}

/** Put the segment that was popped last back to the front. */
static inline void app_segq_unpop(struct app_segq *q, struct rte_mbuf *seg)
{
    if (q->head == NULL)
        q->tail = seg;
    seg->next = q->head;
    q->head = seg;
}

/** Free everything that waits. */
static inline void app_segq_clear(struct app_segq *q)
{
    for (struct rte_mbuf *seg; (seg = app_segq_pop(q)) != NULL;)
        rte_pktmbuf_free_seg(seg);
}
