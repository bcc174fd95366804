/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What is going to happen: a binary heap by time, and among equal times by the order in which the
 * events were entered, so that a run is a function of its seed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum event_kind {
    EVENT_ARRIVAL, /* a packet reaches a host */
    EVENT_TIMER,   /* a host's next deadline, perhaps late */
    EVENT_APP,     /* an application wants to act */
    EVENT_FAULT,   /* a host's fault begins or ends */
    EVENT_JUMP,    /* the clock leaps */
};

struct event {
    uint64_t at_ns, serial;
    enum event_kind kind;
    uint8_t host;
    bool forged;    /* an arrival that no host has sent */
    uint32_t n;     /* arrival: bytes; else the kind's own number */
    uint8_t *bytes; /* arrival: malloc()ed */
};

struct heap {
    struct event *events;
    uint32_t n, cap;
    uint64_t serial;
};

static inline bool heap_before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->serial < b->serial;
}

/** @return false: no memory */
static inline bool heap_push(struct heap *h, struct event e)
{
    if (h->n == h->cap) {
        const uint32_t cap = h->cap == 0 ? 256 : 2 * h->cap;
        struct event *grown = realloc(h->events, cap * sizeof *grown);
        if (grown == NULL)
            return false;
        h->events = grown;
        h->cap = cap;
    }
    e.serial = h->serial++;
    uint32_t at = h->n++;
    while (at > 0 && heap_before(&e, &h->events[(at - 1) / 2])) {
        h->events[at] = h->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->events[at] = e;
    return true;
}

/** The earliest; the heap is not empty. */
static inline struct event heap_pop(struct heap *h)
{
    const struct event top = h->events[0], last = h->events[--h->n];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && heap_before(&h->events[child + 1], &h->events[child]))
            child++;
        if (!heap_before(&h->events[child], &last))
            break;
        h->events[at] = h->events[child];
        at = child;
    }
    h->events[at] = last;
    return top;
}
