/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Timers that all run equally long: a list of records in the order they were armed, which is the
 * order they are due in. Arming, cancelling and expiring touch the ends or two neighbours, a tenth
 * of what the wheel costs. Half-open records have one for each try of the SYN-ACK, TIME-WAIT one.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERN_QUEUE_OUT UINT32_MAX

/** What a record holds at node_offset, as three members of its own: seen as this struct, too, which
 * the compiler must know. */
struct __attribute__((may_alias)) tern_queue_node {
    uint32_t next; /**< record behind this one, 0: the last */
    uint32_t prev; /**< record before it, 0: the first; TERN_QUEUE_OUT: in no queue */
    uint32_t due;  /**< tick */
};

struct tern_queue {
    uint8_t *nodes;  /**< node i is at nodes + i * stride */
    uint32_t stride; /**< bytes */
    uint32_t head, tail;
    uint32_t n; /**< records in it */
};

static inline struct tern_queue_node *tern_queue_node(const struct tern_queue *q, uint32_t idx)
{
    return (struct tern_queue_node *)(void *)(q->nodes + (size_t)idx * q->stride);
}

/** @param base record i is at base + i * stride, as in a pool; outlives the queue */
static inline void tern_queue_init(
    struct tern_queue *q, void *base, uint32_t stride, uint32_t node_offset)
{
    *q = (struct tern_queue){.nodes = (uint8_t *)base + node_offset, .stride = stride};
}

/** @param due  no earlier than that of the last one appended */
static inline void tern_queue_append(struct tern_queue *q, uint32_t idx, uint32_t due)
{
    struct tern_queue_node *node = tern_queue_node(q, idx);
    assert(q->tail == 0 || (int32_t)(due - tern_queue_node(q, q->tail)->due) >= 0);
    *node = (struct tern_queue_node){.prev = q->tail, .due = due};
    *(q->tail != 0 ? &tern_queue_node(q, q->tail)->next : &q->head) = idx;
    q->tail = idx;
    q->n++;
}

static inline void tern_queue_remove(struct tern_queue *q, uint32_t idx)
{
    struct tern_queue_node *node = tern_queue_node(q, idx);
    assert(node->prev != TERN_QUEUE_OUT && q->n > 0);
    *(node->prev != 0 ? &tern_queue_node(q, node->prev)->next : &q->head) = node->next;
    *(node->next != 0 ? &tern_queue_node(q, node->next)->prev : &q->tail) = node->prev;
    node->prev = TERN_QUEUE_OUT;
    q->n--;
}

/** The first `n` records leave, 1.., of which `last` is the last. Their nodes stay as they are: for
 * records that are about to be freed. */
static inline void tern_queue_shift(struct tern_queue *q, uint32_t n, uint32_t last)
{
    assert(n <= q->n);
    q->head = tern_queue_node(q, last)->next;
    *(q->head != 0 ? &tern_queue_node(q, q->head)->prev : &q->tail) = 0;
    q->n -= n;
}

/** The first record, if it is due at `now_tick`; or 0. */
static inline uint32_t tern_queue_due(const struct tern_queue *q, uint32_t now_tick)
{
    if (q->head == 0 || (int32_t)(tern_queue_node(q, q->head)->due - now_tick) > 0)
        return 0;
    return q->head;
}

/** The record behind `idx`, if it is due, too; or 0. */
static inline uint32_t tern_queue_next_due(
    const struct tern_queue *q, uint32_t idx, uint32_t now_tick)
{
    const uint32_t next = tern_queue_node(q, idx)->next;
    if (next == 0 || (int32_t)(tern_queue_node(q, next)->due - now_tick) > 0)
        return 0;
    return next;
}
