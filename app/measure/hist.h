/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A log-linear histogram of times: three significant digits from 1 ns to an hour, in the order of
 * counts that HdrHistogram gives them (so its tools can read what is exported). One thread adds,
 * any thread may read: what it reads is a moment's count of each bucket, and what has been
 * subtracted of an earlier reading is what came between.
 *
 *   value                  bucket
 *   0 .. 2047              one each
 *   2048 .. 4095           one for 2
 *   2^k .. 2^(k+1) - 1     one for 2^(k-10)
 */
#include <stdint.h>

enum {
    APP_HIST_HALF_LOG2 = 10, /* of the buckets of a power of two */
    APP_HIST_HALF = 1 << APP_HIST_HALF_LOG2,
    APP_HIST_POWERS = 32, /* 2^42 ns is the first beyond an hour */
    APP_HIST_BUCKETS = (APP_HIST_POWERS + 1) * APP_HIST_HALF,
};
#define APP_HIST_MAX_NS UINT64_C(3600000000000)

struct app_hist {
    uint64_t max_ns; /**< exact; 0: empty */
    uint64_t sum_ns; /**< for the mean; modulo 2^64, which is five centuries */
    uint64_t counts[APP_HIST_BUCKETS];
};

/** The bucket of a time; more than an hour counts as an hour. */
static inline uint32_t app_hist_bucket(uint64_t ns)
{
    if (ns > APP_HIST_MAX_NS)
        ns = APP_HIST_MAX_NS;
    const uint32_t top = 63u - (uint32_t)__builtin_clzll(ns | (2 * APP_HIST_HALF - 1));
    const uint32_t power = top - APP_HIST_HALF_LOG2;
    return (power << APP_HIST_HALF_LOG2) + (uint32_t)(ns >> power);
}

/** The longest time that counts in this bucket. */
static inline uint64_t app_hist_highest_ns(uint32_t bucket)
{
    const uint32_t row = bucket >> APP_HIST_HALF_LOG2;
    const uint32_t power = row > 1 ? row - 1 : 0;
    return ((uint64_t)(bucket - (power << APP_HIST_HALF_LOG2)) + 1) * (UINT64_C(1) << power) - 1;
}

/** One more. Cost: three lines of memory, some 15 instructions. */
static inline void app_hist_add(struct app_hist *h, uint64_t ns)
{
    uint64_t *count = &h->counts[app_hist_bucket(ns)];
    __atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&h->sum_ns, h->sum_ns + ns, __ATOMIC_RELAXED);
    if (ns > h->max_ns)
        __atomic_store_n(&h->max_ns, ns, __ATOMIC_RELAXED);
}

/** Add what `from`, to which another thread may be adding, holds by now. */
void app_hist_merge(struct app_hist *sum, const struct app_hist *from);

/** Take an earlier reading off. The longest time of what remains is that of its highest bucket. */
void app_hist_subtract(struct app_hist *now, const struct app_hist *before);

/** How many there are. */
uint64_t app_hist_n(const struct app_hist *h);

/**
 * The times that so many per cent of all do not exceed.
 * @param percents [n] ascending, 0..100
 * @param out_ns   [n] each at most one part in a thousand too long; 0: the histogram is empty
 * Cost: one pass.
 */
void app_hist_percentiles(
    const struct app_hist *h, const double *percents, uint32_t n, uint64_t *out_ns);

/** The mean; 0: empty. */
double app_hist_mean_ns(const struct app_hist *h);
