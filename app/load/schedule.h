/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Even starts. Start k of a whole run is due at k / rate and belongs to worker k mod n, so any
 * number of workers keeps one schedule without talking to each other. What is due follows from k
 * alone, so there is no drift:
 *
 *     due(k) = ceil((k * n_workers + index) * 1 s / rate)      after time 0, of this worker's k-th
 *
 * From one start to the next that is an addition, with the fraction of a nanosecond kept beside it;
 * nothing is divided but at the beginning and where starts are given up.
 */
#include <stdbool.h>
#include <stdint.h>

#define APP_SCHEDULE_SECOND_NS UINT64_C(1000000000)

struct app_schedule {
    uint64_t rate;      /**< starts a second of all workers, 1.. */
    uint64_t gap;       /**< between two of this worker's, in ns / rate */
    uint64_t next_ns;   /**< the next is due … */
    uint64_t slack;     /**< … which is so much too late, in ns / rate; < rate */
    uint64_t step_ns;   /**< gap / rate … */
    uint64_t step_rest; /**< … and what is left of it */
};

__extension__ typedef unsigned __int128 app_schedule_wide;

/** Time 0 is now. @param rate  1.. @param index  of the worker, below n_workers */
static inline struct app_schedule app_schedule_begin(
    uint64_t now_ns, uint64_t rate, uint32_t n_workers, uint32_t index)
{
    const uint64_t gap = n_workers * APP_SCHEDULE_SECOND_NS, first = index * APP_SCHEDULE_SECOND_NS;
    const uint64_t ahead_ns = first / rate + (first % rate != 0);
    return (struct app_schedule){
        .rate = rate,
        .gap = gap,
        .next_ns = now_ns + ahead_ns,
        .slack = ahead_ns * rate - first,
        .step_ns = gap / rate,
        .step_rest = gap % rate,
    };
}

static inline bool app_schedule_is_due(const struct app_schedule *s, uint64_t now_ns)
{
    return s->next_ns <= now_ns;
}

/** The start that was next has been made. */
static inline void app_schedule_step(struct app_schedule *s)
{
    s->next_ns += s->step_ns;
    if (s->slack < s->step_rest) {
        s->next_ns++;
        s->slack += s->rate;
    }
    s->slack -= s->step_rest;
}

/**
 * Starts that are due by `until_ns`, but for the last n_kept of them, are given up.
 * @return how many
 */
static inline uint64_t app_schedule_give_up(
    struct app_schedule *s, uint64_t until_ns, uint64_t n_kept)
{
    if (until_ns < s->next_ns)
        return 0;
    const app_schedule_wide behind =
        (app_schedule_wide)(until_ns - s->next_ns) * s->rate + s->slack;
    const uint64_t n_due = (uint64_t)(behind / s->gap) + 1;
    if (n_due <= n_kept)
        return 0;
    const uint64_t n = n_due - n_kept;
    const app_schedule_wide passed = (app_schedule_wide)n * s->gap + s->rate - 1 - s->slack;
    const uint64_t passed_ns = (uint64_t)(passed / s->rate);
    s->slack = (uint64_t)((app_schedule_wide)passed_ns * s->rate + s->slack
                          - (app_schedule_wide)n * s->gap);
    s->next_ns += passed_ns;
    return n;
}
