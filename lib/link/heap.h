/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What is due: a binary heap by time, and among equal times by the order in which things entered,
 * so that what comes out is a function of what went in. The memory is the caller's, and so are the
 * things. What enters in the order of its time, as most packets do, is pushed without a move.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct tern_due {
    uint64_t at_ns;
    uint64_t serial; /* set by the heap */
    uint64_t tag;    /* the caller's */
    void *what;      /* the caller's */
};

struct tern_heap {
    struct tern_due *dues; /* [cap] */
    uint32_t n, cap;
    uint64_t serial;
};

static inline bool tern_heap_is_full(const struct tern_heap *h)
{
    return h->n == h->cap;
}

/** When the earliest is due; UINT64_MAX: there is none. */
static inline uint64_t tern_heap_next_ns(const struct tern_heap *h)
{
    return h->n > 0 ? h->dues[0].at_ns : UINT64_MAX;
}

static inline bool tern_due_before(const struct tern_due *a, const struct tern_due *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->serial < b->serial;
}

/** The heap is not full. Cost: O(log n), O(1) for what is due last. */
static inline void tern_heap_push(struct tern_heap *h, struct tern_due due)
{
    assert(!tern_heap_is_full(h));
    due.serial = h->serial++;
    uint32_t at = h->n++;
    while (at > 0 && tern_due_before(&due, &h->dues[(at - 1) / 2])) {
        h->dues[at] = h->dues[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->dues[at] = due;
}

/** The earliest; the heap is not empty. Cost: O(log n). */
static inline struct tern_due tern_heap_pop(struct tern_heap *h)
{
    assert(h->n > 0);
    const struct tern_due top = h->dues[0], last = h->dues[--h->n];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && tern_due_before(&h->dues[child + 1], &h->dues[child]))
            child++;
        if (!tern_due_before(&h->dues[child], &last))
            break;
        h->dues[at] = h->dues[child];
        at = child;
    }
    h->dues[at] = last;
    return top;
}
