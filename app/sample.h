/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a run has come to at a moment, and a second as the difference of two of them. */
#include <tern/engine.h>

#include "books.h"
#include "goodput.h"
#include "measure/series.h"

struct app_run;

struct app_sample {
    uint64_t at_ns;
    struct app_books books;
    struct app_ledger ledger;
    uint64_t answered, open_now, retransmits, rx_packets, tx_packets, drops;
    struct app_payload payload;
    struct tern_stats stats[TERN_ENDPOINTS_MAX];
    struct tern_worker_info workers[TERN_ENDPOINTS_MAX][TERN_WORKERS_MAX];
};

struct app_sampler {
    const struct app_run *run;
    struct tern_engine *engine;
    struct app_hist *before, *now; /**< [APP_METRIC_COUNT] all times by then; NULL: not kept */
};

/** @return 0, -ENOMEM */
int app_sampler_init(struct app_sampler *s, const struct app_run *run, struct tern_engine *engine);
void app_sampler_fini(struct app_sampler *s);

/** Now. */
void app_sample_take(const struct app_sampler *s, struct app_sample *out);

/** What lies between two samples. Its times are those since the last call. @param start_ns  of the
 * run */
void app_sample_second(struct app_sampler *s, uint64_t start_ns, const struct app_sample *before,
    const struct app_sample *now, struct app_second *out);

/** Of a worker between two readings, 0..1. */
double app_busy_between(const struct tern_worker_info *a, const struct tern_worker_info *b);

/** Of a clock that only goes forward. */
uint64_t app_now_ns(void);
