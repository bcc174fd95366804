/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A run so far, as Prometheus reads it: counters that only grow, gauges of the last second, and a
 * histogram a metric. A snapshot is a value: made on the main thread once a second, copied, and
 * written out by whoever is asked. Labels are names of ours, each set fixed from the start, so that
 * nothing a user or a target says can make a series.
 */
#include "../books.h"
#include "../measure/series.h"

#include <stdbool.h>
#include <stdio.h>

struct app_run;

enum {
    APP_METRICS_BOUNDS = 24,
    APP_METRICS_ENDS = APP_ENDS + 3, /**< a server's half-open ones end in three ways more */
};

/** How many connections ended so. */
struct app_metrics_ended {
    const char *name;
    uint64_t n;
};

/** Times that were at most the bound of each bucket. */
struct app_metrics_times {
    uint64_t below[APP_METRICS_BOUNDS];
    uint64_t n, sum_ns;
};

struct app_metrics {
    const char *command, *scenario;
    uint64_t elapsed_ns; /**< of the run, at the end of the last second */
    enum app_phase phase;
    bool is_load, keeps_times;
    uint64_t goal_per_s; /**< 0: none */
    uint64_t opened, established, open_now, requests, late, held_back;
    uint64_t up_bytes, down_bytes;
    uint64_t rx_packets, tx_packets, retransmits;
    uint64_t drops[TERN_DROP_COUNT]; /**< of all ends, as in the result */
    uint32_t n_ended;
    struct app_metrics_ended ended[APP_METRICS_ENDS];
    struct app_metrics_times times[APP_METRIC_COUNT];
    uint32_t n_ends;
    const char *end_names[TERN_ENDPOINTS_MAX];
    uint32_t n_workers[TERN_ENDPOINTS_MAX];
    float busy[TERN_ENDPOINTS_MAX][TERN_WORKERS_MAX];
};

/** Of a run that has not begun: all names, and nothing counted. */
void app_metrics_init(struct app_metrics *m, const struct app_run *run);

/** Of the end of this second. Cost: one pass over the histograms. */
void app_metrics_take(struct app_metrics *m, const struct app_run *run, const struct app_second *s);

/** In the text format 0.0.4. */
void app_metrics_print(FILE *out, const struct app_metrics *m);
