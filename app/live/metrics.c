/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounds are 1, 2.5 and 5 times the powers of ten from 1 us to 50 s. A bucket of ours that lies
 * across a bound counts above it, which is wrong by at most one part in a thousand of the time.
 *
 * Names follow Prometheus' own rules: base units, `_total` behind what only grows. `end` of a
 * connection is how it ended, `end` of a worker is whose it is: the words of the result.
 */
#include "metrics.h"

#include "../run.h"
#include "../sample.h"

#include <inttypes.h>
#include <string.h>

// clang-format off
static const uint64_t bounds_ns[APP_METRICS_BOUNDS] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 100000000, 250000000, 500000000,
    1000000000, 2500000000, 5000000000, 10000000000, 25000000000, 50000000000,
};
// clang-format on

/* ---- a snapshot ---- */

static void add_ended(struct app_metrics *m, const char *name, uint64_t n)
{
    m->ended[m->n_ended++] = (struct app_metrics_ended){.name = name, .n = n};
}

static void read_ended(struct app_metrics *m, const struct app_sample *now)
{
    const struct tern_stats *s = &now->stats[0];
    m->n_ended = 0;
    for (uint32_t end = 0; m->is_load && end < APP_ENDS; end++)
        add_ended(
            m, app_end_name(end), now->ledger.ended[false][end] + now->ledger.ended[true][end]);
    if (m->is_load)
        return;
    for (uint32_t end = 0; end < TERN_CLOSE_COUNT; end++)
        add_ended(m, app_end_name(end), s->closed[end]);
    add_ended(m, "half_expired", s->half_expired);
    add_ended(m, "half_reset", s->half_reset);
    add_ended(m, "half_refused", s->half_refused);
}

/* The first bucket that does not lie below the bound as a whole. */
static uint32_t first_above(uint64_t bound_ns)
{
    const uint32_t bucket = app_hist_bucket(bound_ns);
    return app_hist_highest_ns(bucket) <= bound_ns ? bucket + 1 : bucket;
}

static void read_times(struct app_metrics_times *t, const struct app_hist *h)
{
    uint64_t n = 0;
    uint32_t bucket = 0;
    for (uint32_t b = 0; b < APP_METRICS_BOUNDS; b++) {
        for (const uint32_t end = first_above(bounds_ns[b]); bucket < end; bucket++)
            n += h->counts[bucket];
        t->below[b] = n;
    }
    for (; bucket < APP_HIST_BUCKETS; bucket++)
        n += h->counts[bucket];
    t->n = n;
    t->sum_ns = h->sum_ns;
}

static void read_drops(struct app_metrics *m, const struct app_sample *now)
{
    memset(m->drops, 0, sizeof m->drops);
    for (uint32_t ep = 0; ep < m->n_ends; ep++)
        for (uint32_t why = 0; why < TERN_DROP_COUNT; why++)
            m->drops[why] += now->stats[ep].drops[why];
}

void app_metrics_init(struct app_metrics *m, const struct app_run *run)
{
    static const struct app_sample nothing;
    *m = (struct app_metrics){
        .command = run->command,
        .scenario = run->scenario,
        .is_load = run->load != NULL,
        .keeps_times = run->load != NULL && !run->load->cfg.no_times,
        .n_ends = run->cfg->n_endpoints,
    };
    for (uint32_t ep = 0; ep < m->n_ends; ep++) {
        m->end_names[ep] = run->end_names[ep];
        m->n_workers[ep] = run->cfg->endpoints[ep].n_workers;
    }
    read_ended(m, &nothing);
}

void app_metrics_take(struct app_metrics *m, const struct app_run *run, const struct app_second *s)
{
    const struct app_sample *now = s->so_far;
    m->elapsed_ns = s->at_ns;
    m->phase = s->phase;
    m->goal_per_s = m->is_load ? run->load->cfg.rate : 0;
    m->opened = now->books.opened;
    m->established = now->books.established;
    m->open_now = now->open_now;
    m->requests = now->answered;
    m->late = now->ledger.late;
    m->held_back = now->ledger.held_back;
    m->up_bytes = now->payload.up_bytes;
    m->down_bytes = now->payload.down_bytes;
    m->rx_packets = now->rx_packets;
    m->tx_packets = now->tx_packets;
    m->retransmits = now->retransmits;
    read_ended(m, now);
    read_drops(m, now);
    for (uint32_t i = 0; i < APP_METRIC_COUNT && m->keeps_times; i++)
        read_times(&m->times[i], &s->times_so_far[i]);
    memcpy(m->busy, s->busy, sizeof m->busy);
}

/* ---- as text ---- */

static void put_family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(FILE *out, const char *name, const char *type, const char *help, uint64_t n)
{
    put_family(out, name, type, help);
    fprintf(out, "%s %" PRIu64 "\n", name, n);
}

static void put_labelled(FILE *out, const char *name, const char *label, const char *is, uint64_t n)
{
    fprintf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, is, n);
}

static void print_run(FILE *out, const struct app_metrics *m)
{
    put_family(out, "tern_run_info", "gauge", "What runs; always 1.");
    fprintf(out, "tern_run_info{command=\"%s\",scenario=\"%s\",version=\"%s\"} 1\n", m->command,
        m->scenario, TERN_VERSION);
    put_family(out, "tern_run_elapsed_seconds", "gauge",
        "Since the start of the run, at the moment of which all figures are.");
    fprintf(out, "tern_run_elapsed_seconds %.9f\n", (double)m->elapsed_ns / 1e9);
    put_family(out, "tern_run_phase", "gauge", "1 for the part that the run is in.");
    for (uint32_t p = APP_PHASE_RAMP; p <= APP_PHASE_DRAIN; p++)
        put_labelled(out, "tern_run_phase", "phase", app_phase_name(p), p == (uint32_t)m->phase);
    if (m->goal_per_s != 0)
        put_one(out, "tern_goal_per_second", "gauge",
            "Connections, or requests where these are paced, that are wanted a second.",
            m->goal_per_s);
}

static void print_connections(FILE *out, const struct app_metrics *m)
{
    static const char *const ended = "tern_connections_total";
    put_one(out, "tern_connections_opened_total", "counter", "Connections begun.", m->opened);
    put_one(out, "tern_connections_established_total", "counter", "Handshakes completed.",
        m->established);
    put_one(out, "tern_connections_open", "gauge", "Established and not closed.", m->open_now);
    put_family(out, ended, "counter", "Connections that are over, by how they ended.");
    for (uint32_t i = 0; i < m->n_ended; i++)
        put_labelled(out, ended, "end", m->ended[i].name, m->ended[i].n);
    if (!m->is_load)
        return;
    put_one(out, "tern_requests_total", "counter", "Requests answered, and rightly.", m->requests);
    put_one(out, "tern_starts_late_total", "counter",
        "Starts more than 1 ms behind their time by the tester's fault.", m->late);
    put_one(out, "tern_starts_held_back_total", "counter",
        "Starts more than 1 ms behind their time as --conns were open.", m->held_back);
}

static void print_traffic(FILE *out, const struct app_metrics *m)
{
    static const char *const payload = "tern_payload_bytes_total",
                             *const packets = "tern_packets_total",
                             *const drops = "tern_drops_total";
    put_family(out, payload, "counter", "Payload carried, from the client (up) and to it (down).");
    put_labelled(out, payload, "direction", "up", m->up_bytes);
    put_labelled(out, payload, "direction", "down", m->down_bytes);
    put_family(out, packets, "counter", "Packets received and sent by the reported end.");
    put_labelled(out, packets, "direction", "in", m->rx_packets);
    put_labelled(out, packets, "direction", "out", m->tx_packets);
    put_one(out, "tern_retransmits_total", "counter", "Segments sent again by the reported end.",
        m->retransmits);
    put_family(out, drops, "counter", "Packets dropped by any end, by reason.");
    for (uint32_t why = 0; why < TERN_DROP_COUNT; why++)
        if (app_drop_is_loss((enum tern_drop)why))
            put_labelled(out, drops, "reason", tern_drop_name((enum tern_drop)why), m->drops[why]);
}

static void print_times(FILE *out, const struct app_metrics *m)
{
    static const char *const name = "tern_latency_seconds";
    if (!m->keeps_times)
        return;
    put_family(
        out, name, "histogram", "From the intended start, of what began in the steady part.");
    for (uint32_t i = 0; i < APP_METRIC_COUNT; i++) {
        const struct app_metrics_times *t = &m->times[i];
        const char *metric = app_metric_name((enum app_metric)i);
        for (uint32_t b = 0; b < APP_METRICS_BOUNDS; b++)
            fprintf(out, "%s_bucket{metric=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, metric,
                (double)bounds_ns[b] / 1e9, t->below[b]);
        fprintf(out, "%s_bucket{metric=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, metric, t->n);
        fprintf(out, "%s_sum{metric=\"%s\"} %.9f\n", name, metric, (double)t->sum_ns / 1e9);
        fprintf(out, "%s_count{metric=\"%s\"} %" PRIu64 "\n", name, metric, t->n);
    }
}

static void print_workers(FILE *out, const struct app_metrics *m)
{
    static const char *const name = "tern_worker_busy_ratio";
    put_family(out, name, "gauge", "Share of the last second in which a worker found work.");
    for (uint32_t ep = 0; ep < m->n_ends; ep++)
        for (uint32_t i = 0; i < m->n_workers[ep]; i++)
            fprintf(out, "%s{end=\"%s\",worker=\"%u\"} %.6f\n", name, m->end_names[ep], i,
                (double)m->busy[ep][i]);
}

void app_metrics_print(FILE *out, const struct app_metrics *m)
{
    print_run(out, m);
    print_connections(out, m);
    print_traffic(out, m);
    print_times(out, m);
    print_workers(out, m);
}
