/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a histogram of times comes to, and the two ways to tell it. */
#include "measure.h"

#include <jansson.h>
#include <stdio.h>

// clang-format off
#define APP_PERCENTILE_LIST(X) \
    X(P50, 50, "p50") X(P75, 75, "p75") X(P90, 90, "p90") X(P99, 99, "p99") \
    X(P99_9, 99.9, "p99_9") X(P99_99, 99.99, "p99_99") X(P99_999, 99.999, "p99_999")
// clang-format on
#define APP_PERCENTILE_ENUM(name, percent, json) APP_##name,
enum app_percentile { APP_PERCENTILE_LIST(APP_PERCENTILE_ENUM) APP_PERCENTILE_COUNT };
#undef APP_PERCENTILE_ENUM

struct app_latency {
    uint64_t n; /**< 0: nothing of the kind was timed, and the rest is 0 */
    double mean_ns;
    uint64_t percentile_ns[APP_PERCENTILE_COUNT];
    uint64_t max_ns;
};

void app_latency_of(const struct app_hist *h, struct app_latency *out);

enum { APP_LATENCY_TEXT_BYTES = 32 };

/** Three digits and a unit of two characters: "45.5 us", "1.20 s ". @return buf */
char *app_latency_text(double ns, char buf[APP_LATENCY_TEXT_BYTES]);

/** A table of what was timed; nothing when nothing was. @param hist [APP_METRIC_COUNT] */
void app_latency_report(FILE *out, const struct app_hist *hist);

/**
 * By metric: n, mean, percentiles, max, and the histogram as "longest ns of a bucket:count,…",
 * which can be added up. @param hist [APP_METRIC_COUNT] @return a new reference, NULL without
 * memory
 */
json_t *app_latency_json(const struct app_hist *hist);
