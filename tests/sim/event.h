/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What is going to happen, in a heap (link/heap.h) that grows. */
#include "link/heap.h"

#include <stdlib.h>

enum event_kind {
    EVENT_ARRIVAL, /* a packet reaches a host */
    EVENT_TIMER,   /* a host's next deadline, perhaps late */
    EVENT_APP,     /* an application wants to act */
    EVENT_FAULT,   /* a host's fault begins or ends */
    EVENT_JUMP,    /* the clock leaps */
};

struct event {
    uint64_t at_ns;
    enum event_kind kind;
    uint8_t host;
    bool forged;    /* an arrival that no host has sent */
    uint32_t n;     /* arrival: bytes; else the kind's own number */
    uint8_t *bytes; /* arrival: malloc()ed */
};

/** Make room for one more. @return false: no memory */
static inline bool event_make_room(struct tern_heap *h)
{
    if (!tern_heap_is_full(h))
        return true;
    const uint32_t cap = h->cap == 0 ? 256 : 2 * h->cap;
    struct tern_due *grown = realloc(h->dues, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    h->dues = grown;
    h->cap = cap;
    return true;
}

/* A due's tag: number, kind, host, forged. */
enum { EVENT_KIND_SHIFT = 32, EVENT_HOST_SHIFT = 40, EVENT_FORGED_SHIFT = 48 };

/** @return false: no memory */
static inline bool event_push(struct tern_heap *h, struct event e)
{
    if (!event_make_room(h))
        return false;
    const uint64_t tag = e.n | (uint64_t)e.kind << EVENT_KIND_SHIFT
                         | (uint64_t)e.host << EVENT_HOST_SHIFT
                         | (uint64_t)e.forged << EVENT_FORGED_SHIFT;
    tern_heap_push(h, (struct tern_due){.at_ns = e.at_ns, .tag = tag, .what = e.bytes});
    return true;
}

static inline struct event event_of(const struct tern_due *due)
{
    return (struct event){
        .at_ns = due->at_ns,
        .kind = (enum event_kind)(uint8_t)(due->tag >> EVENT_KIND_SHIFT),
        .host = (uint8_t)(due->tag >> EVENT_HOST_SHIFT),
        .forged = due->tag >> EVENT_FORGED_SHIFT != 0,
        .n = (uint32_t)due->tag,
        .bytes = due->what,
    };
}

/** The earliest; the heap is not empty. */
static inline struct event event_pop(struct tern_heap *h)
{
    const struct tern_due due = tern_heap_pop(h);
    return event_of(&due);
}
