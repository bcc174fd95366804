/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Goals that a load is to meet: --slo 'p99<2ms,failed<0.01%'. Pure: text to goals, and figures to
 * verdicts. A goal is a figure, an order and a limit; all of them must be met.
 *
 *   p99<2ms  p99.9:connect<=5ms  max<1s  mean:first_byte<300us    times, from the intended start
 *   failed<0.01%  failed<=3                                       of what was begun, or was due
 *   rate>=99%  rate>=10k                                          of --rate, or a second
 *   retransmits<0.1%  retransmits<100                             of segments sent
 */
#include <tern/config.h>

#include "../measure/measure.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    APP_SLO_GOALS_MAX = 16,
    APP_SLO_TEXT_BYTES = 48,
    APP_SLO_BEYOND_MIN = 10, /* times that must lie beyond a percentile for it to say something */
};

enum app_slo_figure {
    APP_SLO_PERCENTILE,
    APP_SLO_MEAN,
    APP_SLO_MAX,
    APP_SLO_FAILED,
    APP_SLO_RATE,
    APP_SLO_RETRANSMITS,
};

enum app_slo_order { APP_SLO_BELOW, APP_SLO_AT_MOST, APP_SLO_ABOVE, APP_SLO_AT_LEAST };

struct app_slo_goal {
    enum app_slo_figure figure;
    double percent;         /**< of a percentile */
    enum app_metric metric; /**< of a time */
    bool says_metric;       /**< else it is what the scenario completes */
    enum app_slo_order order;
    bool is_share; /**< the limit is a part of 1 */
    double limit;  /**< ns, a part, a count, or a second */
    char text[APP_SLO_TEXT_BYTES];
};

struct app_slo {
    struct app_slo_goal of[APP_SLO_GOALS_MAX];
    uint32_t n; /**< 0: no goal */
};

/** Read one more list of goals. @return 0, or -EINVAL with one line in *err */
int app_slo_add(struct app_slo *slo, const char *text, struct tern_error *err);

/** How many times all percentiles need to say something; 0: there are none. */
uint64_t app_slo_samples(const struct app_slo *slo);

/** Is it a time? */
static inline bool app_slo_is_time(const struct app_slo_goal *g)
{
    return g->figure <= APP_SLO_MAX;
}

/* ---- verdicts ---- */

/** What a load, or a step of a search, has come to. */
struct app_slo_facts {
    const struct app_hist *times; /**< [APP_METRIC_COUNT]; NULL: not kept */
    uint64_t attempts, failed;    /**< that were due, and did not end well */
    double rate, rate_goal;       /**< a second; the latter 0: as fast as it goes */
    uint64_t retransmits, segments;
};

enum app_slo_verdict { APP_SLO_MET, APP_SLO_MISSED, APP_SLO_TOO_FEW };

/** "met", "missed", "too few samples" */
const char *app_slo_verdict_name(enum app_slo_verdict v);

struct app_slo_outcome {
    bool met; /**< all of them */
    struct {
        double value; /**< in the unit of the limit */
        enum app_slo_verdict verdict;
    } of[APP_SLO_GOALS_MAX];
};

void app_slo_judge(
    const struct app_slo *slo, const struct app_slo_facts *facts, struct app_slo_outcome *out);

/** The first that is not met: "p99<2ms: 3.120 ms, missed"; "" when all are. @return buf */
char *app_slo_why(
    const struct app_slo *slo, const struct app_slo_outcome *o, char *buf, size_t n_bytes);

/** A line a goal. */
void app_slo_report(FILE *out, const struct app_slo *slo, const struct app_slo_outcome *o);

/** A list of {goal, value, unit, verdict}. @return a new reference, NULL without memory */
json_t *app_slo_json(const struct app_slo *slo, const struct app_slo_outcome *o);
