/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * --search: the highest rate that meets the goals, found while one load runs. A step is a rate that
 * settles, is measured, and is then left to end: its books and times are the difference of two
 * readings, between which everything that counts has begun and ended. Time is whatever the caller
 * polls with, so a search also runs in virtual time.
 *
 *   rate  ________            ____________
 *        |s| steady |        |s| steady   |
 *        | |        |recovers| |          |recovers
 *      before      end    after = before ...
 */
#include "../load/load.h"
#include "../measure/latency.h"
#include "../sample.h"
#include "hunt.h"
#include "settings.h"

#include <jansson.h>
#include <stdio.h>

enum {
    APP_STEPS_MAX = 64,
    APP_STEP_TRIES = 3, /* of a rate at which the tester, not the target, fell behind */
    APP_STEP_WHY_BYTES = 160,
};

/** What the load has come to at a moment. */
struct app_moment {
    struct app_sample sample;
    struct app_load_counts counts;
    uint64_t segments; /**< sent */
    uint64_t lost;     /**< packets that the tester itself lost */
};

enum app_step_verdict {
    APP_STEP_MET,
    APP_STEP_MISSED,
    APP_STEP_TESTER, /**< it was the tester that fell behind: says nothing about the target */
};

struct app_step {
    uint64_t rate;   /**< that was asked for, a second */
    double achieved; /**< that ended well, a second of the steady part */
    double steady_s;
    bool confirms;            /**< the winner, again and for longer */
    struct app_ledger ledger; /**< of this step alone */
    uint64_t attempts, failed, not_started, retransmits;
    double busy; /**< the busiest worker, 0..1 */
    struct app_latency latency[APP_METRIC_COUNT];
    struct app_slo_outcome goals;
    enum app_step_verdict verdict;
    char why[APP_STEP_WHY_BYTES]; /**< not met; "": it was */
};

enum app_search_end {
    APP_SEARCH_GOES_ON,
    APP_SEARCH_DONE,        /**< the hunt says how */
    APP_SEARCH_TESTER,      /**< the next rate is beyond the tester */
    APP_SEARCH_STEPS,       /**< APP_STEPS_MAX of them were not enough */
    APP_SEARCH_INTERRUPTED, /**< or its time was over */
};

struct app_search {
    const struct app_goal_settings *goal;
    struct app_load *load;
    void (*read)(void *ctx, struct app_moment *out);
    void *ctx;
    bool has_load_alone; /**< the workers' CPUs are the load's: a busy one is the tester's limit */

    struct app_hunt hunt;
    enum app_search_end end;
    enum { APP_SEARCH_MEASURES, APP_SEARCH_RECOVERS } part;
    uint64_t patience_ns; /**< until when it waits for what is under way */
    uint32_t n_tries;     /**< of this rate */
    struct app_load_step now;
    struct app_moment before, loaded, after;
    struct app_hist *times_before, *times, *best_times; /**< [APP_METRIC_COUNT]; NULL: not kept */
    struct app_step steps[APP_STEPS_MAX];
    uint32_t n_steps;
    bool is_shown; /**< each was, when it was over */
    uint32_t best; /**< of the steps: the highest rate that was met last; n_steps: none */
};

/**
 * Begin with the first step; the load may run from now on.
 * @param read  what the load has come to, while it runs
 * @param rate_max  0: none
 * @return NULL without memory
 */
struct app_search *app_search_new(const struct app_goal_settings *goal, struct app_load *load,
    uint64_t rate_max, void (*read)(void *ctx, struct app_moment *out), void *ctx);
void app_search_free(struct app_search *s);

/** Every few milliseconds. @return the step that has just ended, or NULL; when `end` is not
 * APP_SEARCH_GOES_ON any more, there is no next */
const struct app_step *app_search_poll(struct app_search *s, uint64_t now_ns);

/** No more steps: what has been met so far is all that is known. */
void app_search_interrupt(struct app_search *s);

/** The step whose rate is the answer; NULL: no rate has met the goals. */
const struct app_step *app_search_found(const struct app_search *s);

/** Why the answer is none; "" when it is one. */
const char *app_search_doubt(const struct app_search *s, char *buf, size_t n_bytes);
