/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main thread reads what the workers count while they do; each figure is of its own moment, a
 * microsecond apart. Times are kept from the start of the run, so those of a second are what the
 * histograms hold now less what they held then.
 */
#include "sample.h"

#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t app_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int app_sampler_init(struct app_sampler *s, const struct app_run *run, struct tern_engine *engine)
{
    *s = (struct app_sampler){.run = run, .engine = engine};
    if (run->load == NULL || run->load->cfg.no_times)
        return 0;
    s->before = calloc(APP_METRIC_COUNT, sizeof *s->before);
    s->now = calloc(APP_METRIC_COUNT, sizeof *s->now);
    return s->before != NULL && s->now != NULL ? 0 : -ENOMEM;
}

void app_sampler_fini(struct app_sampler *s)
{
    free(s->before);
    free(s->now);
}

/* ---- a moment ---- */

static void read_books(
    const struct app_run *run, const struct tern_stats *stats, struct app_sample *out)
{
    if (run->load == NULL) {
        app_books_of_server(&out->books, stats);
        return;
    }
    struct app_load_counts counts;
    app_load_sum(run->load, &counts);
    app_load_ledger(run->load, &out->ledger);
    app_books_of_client(&out->books, stats, &counts);
    out->answered = counts.answered;
}

/* The other end of a pair is ours, and tells what has arrived there. */
static struct app_payload read_payload(const struct app_run *run, const struct tern_stats *stats)
{
    if (run->cfg->n_endpoints == 2)
        return app_payload_now(&stats[0], &stats[1]);
    return run->load != NULL ? app_payload_now(stats, NULL) : app_payload_now(NULL, stats);
}

static uint64_t lost_packets(const struct tern_stats *stats)
{
    uint64_t n = 0;
    for (int why = 0; why < TERN_DROP_COUNT; why++)
        if (app_drop_is_loss((enum tern_drop)why))
            n += stats->drops[why];
    return n;
}

void app_sample_take(const struct app_sampler *s, struct app_sample *out)
{
    const struct tern_stats *stats = &out->stats[0];
    memset(out, 0, sizeof *out);
    for (uint32_t ep = 0; ep < s->run->cfg->n_endpoints; ep++)
        tern_engine_stats(s->engine, ep, &out->stats[ep]);
    out->at_ns = app_now_ns();
    out->open_now = stats->open_now;
    out->retransmits = stats->retransmits;
    out->rx_packets = stats->rx_packets;
    out->tx_packets = stats->tx_packets;
    out->drops = lost_packets(stats);
    out->payload = read_payload(s->run, stats);
    read_books(s->run, stats, out);
    for (uint32_t ep = 0; ep < s->run->cfg->n_endpoints; ep++)
        for (uint32_t i = 0; i < tern_engine_n_workers(s->engine, ep); i++)
            tern_engine_worker(s->engine, ep, i, &out->workers[ep][i]);
}

/* ---- a second ---- */

double app_busy_between(const struct tern_worker_info *a, const struct tern_worker_info *b)
{
    const uint64_t cycles = b->total_cycles - a->total_cycles;
    return cycles == 0 ? 0 : (double)(b->busy_cycles - a->busy_cycles) / (double)cycles;
}

static void read_times(struct app_sampler *s, struct app_latency *out)
{
    for (int m = 0; m < APP_METRIC_COUNT && s->now != NULL; m++) {
        struct app_hist *now = &s->now[m], *before = &s->before[m];
        memset(now, 0, sizeof *now);
        app_load_times(s->run->load, (enum app_metric)m, now);
        const struct app_hist whole = *now;
        app_hist_subtract(now, before);
        app_latency_of(now, &out[m]);
        *before = whole;
    }
}

static enum app_phase phase_at(const struct app_run *run, uint64_t elapsed_ns)
{
    const uint64_t ramp_ns = run->load == NULL ? 0 : run->load->cfg.ramp_ns;
    return elapsed_ns < ramp_ns ? APP_PHASE_RAMP : APP_PHASE_STEADY;
}

void app_sample_second(struct app_sampler *s, uint64_t start_ns, const struct app_sample *before,
    const struct app_sample *now, struct app_second *out)
{
    const struct app_books *a = &before->books, *b = &now->books;
    *out = (struct app_second){
        .at_ns = now->at_ns - start_ns,
        .length_ns = now->at_ns - before->at_ns,
        .phase = phase_at(s->run, before->at_ns - start_ns),
        .opened = b->opened - a->opened,
        .established = b->established - a->established,
        .closed = b->closed - a->closed,
        .failed = b->failed - a->failed,
        .requests = now->answered - before->answered,
        .open_now = now->open_now,
        .up_bytes = now->payload.up_bytes - before->payload.up_bytes,
        .down_bytes = now->payload.down_bytes - before->payload.down_bytes,
        .retransmits = now->retransmits - before->retransmits,
        .rx_packets = now->rx_packets - before->rx_packets,
        .tx_packets = now->tx_packets - before->tx_packets,
        .drops = now->drops - before->drops,
        .late = now->ledger.late - before->ledger.late,
        .held_back = now->ledger.held_back - before->ledger.held_back,
    };
    read_times(s, out->latency);
    out->times = s->now;
    out->times_so_far = s->before;
    out->so_far = now;
    for (uint32_t ep = 0; ep < s->run->cfg->n_endpoints; ep++)
        for (uint32_t i = 0; i < tern_engine_n_workers(s->engine, ep); i++)
            out->busy[ep][i] =
                (float)app_busy_between(&before->workers[ep][i], &now->workers[ep][i]);
}
