/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A run second by second: what happened in each, not what had by then. */
#include <tern/engine.h>

#include "latency.h"

#include <stdint.h>

enum app_phase { APP_PHASE_RAMP, APP_PHASE_STEADY, APP_PHASE_DRAIN };

/** "ramp", "steady", "drain" */
const char *app_phase_name(enum app_phase p);

struct app_sample;

struct app_second {
    uint64_t at_ns;     /**< its end, from the start of the run */
    uint64_t length_ns; /**< a second, but for the last two */
    bool is_rest;       /**< no whole second: what was left of the steady part, or the drain */
    enum app_phase phase;
    uint64_t opened, established, closed, failed, requests;
    uint64_t open_now; /**< at its end */
    uint64_t up_bytes, down_bytes;
    uint64_t retransmits, rx_packets, tx_packets, drops;
    uint64_t late, held_back;
    struct app_latency latency[APP_METRIC_COUNT]; /**< of connections that count */
    const struct app_hist
        *times; /**< [APP_METRIC_COUNT] for who is shown it; NULL once it is kept */
    const struct app_hist *times_so_far;              /**< the same of the run so far; likewise */
    const struct app_sample *so_far;                  /**< what had happened by its end; likewise */
    float busy[TERN_ENDPOINTS_MAX][TERN_WORKERS_MAX]; /**< 0..1 */
};

enum { APP_SECONDS_MAX = 24 * 3600 };

struct app_series {
    struct app_second *seconds; /**< [n] */
    uint32_t n, room;
    uint64_t n_lost; /**< not kept: more than APP_SECONDS_MAX, or no memory */
};

void app_series_add(struct app_series *s, const struct app_second *second);
void app_series_free(struct app_series *s);
