/* SPDX-License-Identifier: BSD-3-Clause */
#include "thin.h"

#include <errno.h>

static void longest(uint64_t *ns, uint64_t other)
{
    *ns = other > *ns ? other : *ns;
}

static void merge_latency(struct app_latency *sum, const struct app_latency *l)
{
    const uint64_t n = sum->n + l->n;
    if (n != 0)
        sum->mean_ns = (sum->mean_ns * (double)sum->n + l->mean_ns * (double)l->n) / (double)n;
    sum->n = n;
    longest(&sum->max_ns, l->max_ns);
    for (uint32_t i = 0; i < APP_PERCENTILE_COUNT; i++)
        longest(&sum->percentile_ns[i], l->percentile_ns[i]);
}

static float mean(float a, uint64_t a_ns, float b, uint64_t b_ns)
{
    return (float)(((double)a * (double)a_ns + (double)b * (double)b_ns) / (double)(a_ns + b_ns));
}

static void merge_busy(struct app_second *sum, const struct app_second *s)
{
    for (uint32_t ep = 0; ep < TERN_ENDPOINTS_MAX; ep++)
        for (uint32_t i = 0; i < TERN_WORKERS_MAX; i++)
            sum->busy[ep][i] = mean(sum->busy[ep][i], sum->length_ns, s->busy[ep][i], s->length_ns);
}

static void merge(struct app_second *sum, const struct app_second *s)
{
    merge_busy(sum, s); /* by the lengths as they were */
    sum->at_ns = s->at_ns;
    sum->length_ns += s->length_ns;
    sum->phase = s->phase;
    sum->open_now = s->open_now;
    sum->opened += s->opened;
    sum->established += s->established;
    sum->closed += s->closed;
    sum->failed += s->failed;
    sum->requests += s->requests;
    sum->up_bytes += s->up_bytes;
    sum->down_bytes += s->down_bytes;
    sum->retransmits += s->retransmits;
    sum->rx_packets += s->rx_packets;
    sum->tx_packets += s->tx_packets;
    sum->drops += s->drops;
    sum->late += s->late;
    sum->held_back += s->held_back;
    for (uint32_t m = 0; m < APP_METRIC_COUNT; m++)
        merge_latency(&sum->latency[m], &s->latency[m]);
}

int app_series_thin(const struct app_series *s, uint32_t n_max, struct app_series *out)
{
    const uint32_t each = (s->n + n_max - 1) / n_max;
    *out = (struct app_series){.n_lost = s->n_lost};
    for (uint32_t i = 0; i < s->n; i++) {
        if (i % each == 0)
            app_series_add(out, &s->seconds[i]);
        else if (out->n_lost == s->n_lost)
            merge(&out->seconds[out->n - 1], &s->seconds[i]);
    }
    if (out->n_lost == s->n_lost)
        return 0;
    app_series_free(out);
    return -ENOMEM;
}
