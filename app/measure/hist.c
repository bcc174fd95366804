/* SPDX-License-Identifier: BSD-3-Clause */
#include "hist.h"

#include <math.h>

static uint64_t load(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void app_hist_merge(struct app_hist *sum, const struct app_hist *from)
{
    const uint64_t max_ns = load(&from->max_ns);
    if (max_ns > sum->max_ns)
        sum->max_ns = max_ns;
    sum->sum_ns += load(&from->sum_ns);
    for (uint32_t i = 0; i <= app_hist_bucket(max_ns);
         i++) /* one added meanwhile is read next time */
        sum->counts[i] += load(&from->counts[i]);
}

void app_hist_subtract(struct app_hist *now, const struct app_hist *before)
{
    uint32_t highest = 0;
    now->sum_ns -= before->sum_ns;
    for (uint32_t i = 0; i <= app_hist_bucket(now->max_ns); i++) {
        now->counts[i] -= before->counts[i];
        highest = now->counts[i] != 0 ? i : highest;
    }
    if (now->max_ns == before->max_ns) /* the longest of all was among those */
        now->max_ns = now->counts[highest] != 0 ? app_hist_highest_ns(highest) : 0;
}

uint64_t app_hist_n(const struct app_hist *h)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i <= app_hist_bucket(h->max_ns); i++)
        n += h->counts[i];
    return n;
}

/* The rank of the one that `percent` of `n` do not exceed: 1..n. */
static uint64_t rank_of(double percent, uint64_t n)
{
    const double rank = ceil(percent / 100 * (double)n);
    return rank < 1 ? 1 : rank > (double)n ? n : (uint64_t)rank;
}

void app_hist_percentiles(
    const struct app_hist *h, const double *percents, uint32_t n, uint64_t *out_ns)
{
    const uint64_t n_all = app_hist_n(h);
    uint64_t seen = 0;
    uint32_t done = 0;
    for (uint32_t i = 0; i < APP_HIST_BUCKETS && n_all != 0; i++) {
        seen += h->counts[i];
        while (done < n && seen >= rank_of(percents[done], n_all)) {
            const uint64_t ns = app_hist_highest_ns(i);
            out_ns[done++] = ns < h->max_ns ? ns : h->max_ns;
        }
    }
    while (done < n)
        out_ns[done++] = 0;
}

double app_hist_mean_ns(const struct app_hist *h)
{
    const uint64_t n = app_hist_n(h);
    return n == 0 ? 0 : (double)h->sum_ns / (double)n;
}
