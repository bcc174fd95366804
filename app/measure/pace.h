/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * When a worker's connections are meant to begin, in open loop. Start k of the whole run belongs to
 * worker k mod n, so any number of workers keeps one even schedule without talking to each other.
 *
 *   rate        ______________
 *   |          /              |      during the ramp the rate grows evenly from 0;
 *   0 ________/               |      start k is due when the area reaches k
 *             ramp    steady
 *
 * A start that is late is still due, and is made as soon as it may be: what the schedule asked for
 * and the target held up must be seen in the latencies, which count from the intended start.
 */
#include <stdbool.h>
#include <stdint.h>

struct app_pace_plan {
    uint64_t rate;    /**< starts a second over all workers, 1..10^9 */
    uint64_t ramp_ns; /**< 0: none */
};

struct app_pace {
    uint64_t due_ns;    /**< when the next start is meant to be */
    uint64_t k, step;   /**< its number, of all workers'; and how many these are */
    uint64_t uneven;    /**< numbers below this are not an even step behind the one before */
    uint64_t each_ns;   /**< between two of this worker's starts: whole nanoseconds, … */
    uint32_t each_frac; /**< … and 2^-32 of one */
    uint32_t due_frac;  /**< of due_ns */
    uint64_t begin_ns;  /**< time 0 */
    struct app_pace_plan plan;
};

/** Begin. @param index  of the worker, of n_workers */
void app_pace_init(struct app_pace *p, const struct app_pace_plan *plan, uint32_t index,
    uint32_t n_workers, uint64_t begin_ns);

/** Find due_ns from k. */
void app_pace_place(struct app_pace *p);

/** The next start has been made: on to the one behind it. Cost: an addition; in the ramp a root. */
static inline void app_pace_next(struct app_pace *p)
{
    p->k += p->step;
    if (__builtin_expect(p->k < p->uneven, 0)) {
        app_pace_place(p);
        return;
    }
    const uint64_t frac = (uint64_t)p->due_frac + p->each_frac;
    p->due_frac = (uint32_t)frac;
    p->due_ns += p->each_ns + (frac >> 32);
}

/** Starts of the worker that are due before `until_ns`, made or not. Not for the hot path. */
uint64_t app_pace_due_before(const struct app_pace *p, uint64_t until_ns);
