/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plain text in columns, one fact a line, for a terminal and for a log alike. The summary says in
 * its last lines whether the figures above may be believed, and why not.
 */
#include "report.h"

#include "capture/capture.h"
#include "error.h"
#include "goal/goal.h"
#include "load/requests_result.h"
#include "measure/latency.h"
#include "opt/settings.h"
#include "result.h"
#include "serve/books.h"
#include "sources.h"
#include "value.h"

#include <inttypes.h>
#include <string.h>

enum { HEADING_EVERY = 20, LABEL_CHARS = 12 };

/* ---- banner ---- */

static void print_addresses(FILE *out, const struct tern_stack_config *s)
{
    char first[TERN_ADDR_TEXT_BYTES], last[TERN_ADDR_TEXT_BYTES];
    const struct tern_prefix *a = &s->addrs[0], *z = &s->addrs[s->n_addrs - 1];
    fprintf(out, "  %-*s%s/%u", LABEL_CHARS, "addresses", tern_addr_format(&a->addr, first),
        a->len_bits);
    if (s->n_addrs == 2)
        fprintf(out, ", %s/%u", tern_addr_format(&z->addr, last), z->len_bits);
    if (s->n_addrs > 2)
        fprintf(out, " … %s/%u (%u)", tern_addr_format(&z->addr, last), z->len_bits, s->n_addrs);
    fputc('\n', out);
}

/* Of each the address before it, one of those above, was probed for all. */
static void print_ranges(FILE *out, const struct tern_stack_config *s)
{
    char text[APP_SPAN_TEXT_BYTES];
    for (uint32_t i = 0; i < s->n_ranges; i++)
        fprintf(out, "  %-*s%s, not probed\n", LABEL_CHARS, "range",
            app_sources_span_text(&s->ranges[i], text));
}

static void print_workers(FILE *out, const struct tern_engine *e, uint32_t ep)
{
    fprintf(out, "  %-*s", LABEL_CHARS, "workers");
    for (uint32_t i = 0; i < tern_engine_n_workers(e, ep); i++) {
        struct tern_worker_info w;
        tern_engine_worker(e, ep, i, &w);
        fprintf(out, "%s%u", i == 0 ? "on CPU " : ", ", w.cpu);
    }
    fputc('\n', out);
}

static void print_time_wait(FILE *out, const struct tern_stack_config *s)
{
    struct tern_stack_config standard;
    tern_stack_config_init(&standard);
    char text[APP_NS_TEXT_BYTES];
    if (s->time_wait_ms < standard.time_wait_ms)
        fprintf(out, "  %-*s%s, shorter than the standard's 2 MSL: a profile for busy load\n",
            LABEL_CHARS, "TIME-WAIT", app_value_ns_text((uint64_t)s->time_wait_ms * 1000000, text));
}

static void print_end(FILE *out, const char *name, const struct tern_engine *e, uint32_t ep,
    const struct tern_endpoint_config *cfg)
{
    const struct tern_stack_config *s = &cfg->stack;
    struct tern_device_info d;
    tern_engine_device(e, ep, &d);
    fprintf(out, "%s\n", name);
    fprintf(out, "  %-*s%s, driver %s, MTU %u, MAC %02x:%02x:%02x:%02x:%02x:%02x, NUMA node %d\n",
        LABEL_CHARS, "device", d.name, d.driver, d.mtu_bytes, d.mac[0], d.mac[1], d.mac[2],
        d.mac[3], d.mac[4], d.mac[5], d.numa_node);
    fprintf(out, "  %-*s%u rx, %u tx\n", LABEL_CHARS, "queues", d.n_rx_queues, d.n_tx_queues);
    fprintf(out, "  %-*s%s\n", LABEL_CHARS, "offloads", d.offloads);
    fprintf(out, "  %-*s%s\n", LABEL_CHARS, "steering", d.steering);
    print_workers(out, e, ep);
    print_addresses(out, s);
    print_ranges(out, s);
    fprintf(out, "  %-*s%s\n", LABEL_CHARS, "memory", d.memory);
    fprintf(out, "  %-*s%s\n", LABEL_CHARS, "pages", d.pages);
    if (d.note[0] != '\0')
        fprintf(out, "  %-*s%s\n", LABEL_CHARS, "note", d.note);
    print_time_wait(out, s);
    app_impair_banner(out, cfg, LABEL_CHARS);
}

void app_report_banner(FILE *out, const char *title, const struct tern_engine *e,
    const struct tern_config *cfg, const char *const *end_names)
{
    fprintf(out, "tern %s ", TERN_VERSION);
    app_print_plain(out, title);
    fputc('\n', out);
    for (uint32_t ep = 0; ep < cfg->n_endpoints; ep++)
        print_end(out, end_names[ep], e, ep, &cfg->endpoints[ep]);
    fflush(out);
}

/* ---- a line a second ---- */

static void print_heading(FILE *out, bool stream)
{
    if (stream)
        fprintf(out, "%7s %11s %11s %11s", "time s", "open", "MB/s up", "MB/s down");
    else
        fprintf(out, "%7s %11s %11s %11s", "time s", "opened", "established", "closed");
    fprintf(out, " %8s %8s %8s %8s %6s\n", "failed", "retrans", "Mpps in", "Mpps out", "busy %");
}

static double busiest(const struct app_second *s)
{
    double most = 0;
    for (uint32_t i = 0; i < TERN_WORKERS_MAX; i++)
        most = s->busy[0][i] > most ? s->busy[0][i] : most;
    return most;
}

void app_report_line(FILE *out, uint32_t n, bool stream, const struct app_second *s)
{
    const double us = (double)s->length_ns / 1e3;
    if (n % HEADING_EVERY == 0)
        print_heading(out, stream);
    fprintf(out, "%7.1f", (double)s->at_ns / 1e9);
    if (stream)
        fprintf(out, " %11" PRIu64 " %11.1f %11.1f", s->open_now, (double)s->up_bytes / us,
            (double)s->down_bytes / us);
    else
        fprintf(
            out, " %11" PRIu64 " %11" PRIu64 " %11" PRIu64, s->opened, s->established, s->closed);
    fprintf(out, " %8" PRIu64 " %8" PRIu64 " %8.3f %8.3f %6.1f\n", s->failed, s->retransmits,
        (double)s->rx_packets / us, (double)s->tx_packets / us, 100 * busiest(s));
    fflush(out);
}

/* ---- summary ---- */

static void print_count(FILE *out, const char *label, uint64_t n)
{
    fprintf(out, "    %-22s %14" PRIu64 "\n", label, n);
}

static void print_connections(FILE *out, const struct app_books *b)
{
    fprintf(out, "  connections\n");
    print_count(out, "opened", b->opened);
    print_count(out, "established", b->established);
    print_count(out, "closed", b->closed);
    print_count(out, "failed", b->failed);
    for (uint32_t i = 0; i < b->n_failures; i++)
        fprintf(out, "      %-20s %14" PRIu64 "\n", b->failures[i].name, b->failures[i].count);
}

/** 0 of nothing, not infinity: a run may end before it has opened or held anything. */
static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void print_held(FILE *out, const struct app_result *r)
{
    const double mib = 1 << 20;
    const struct app_held *h = &r->held;
    fprintf(out, "  held\n");
    print_count(out, "connections", h->open);
    fprintf(out, "    %-22s %14.1f\n", "seconds to open them", h->opening_s);
    fprintf(out, "    %-22s %14.0f\n", "opened a second", ratio((double)h->open, h->opening_s));
    fprintf(out, "    %-22s %14.1f\n", "seconds held", h->holding_s);
    fprintf(out, "  memory\n");
    fprintf(out, "    %-22s %14.1f\n", "planned, MiB", (double)r->planned_bytes / mib);
    fprintf(out, "    %-22s %14.1f  %.2f %% of the plan\n", "taken, MiB",
        (double)r->taken_bytes / mib,
        100 * ratio((double)r->taken_bytes, (double)r->planned_bytes));
    fprintf(out, "    %-22s %14.1f\n", "bytes each, every end",
        ratio((double)r->taken_bytes, (double)(h->open * r->n_ends)));
}

static void print_rate(FILE *out, const struct app_result *r)
{
    fprintf(out, "  rate\n    %-22s %14.0f\n",
        strcmp(r->scenario, "handshake") == 0 ? "handshakes a second" : "connections a second",
        r->cps);
    if (r->load.answered != 0)
        fprintf(out, "    %-22s %14.0f\n", "requests a second", r->rps);
}

/** What the schedule asked for and did not get in time. */
static void print_ledger(FILE *out, const struct app_result *r)
{
    const struct app_ledger *l = &r->ledger;
    if ((l->late | l->held_back | r->not_started) == 0)
        return;
    fprintf(out, "  schedule\n");
    print_count(out, "starts late", l->late);
    print_count(out, "held back by --conns", l->held_back);
    print_count(out, "not started at the end", r->not_started);
    fprintf(out, "    %-22s %14.3f\n", "longest behind, ms", (double)l->late_max_ns / 1e6);
}

static void print_traffic(FILE *out, const struct app_result *r)
{
    const struct tern_stats *s = &r->ends[0].stats;
    fprintf(out, "  traffic\n");
    print_count(out, "packets in", s->rx_packets);
    print_count(out, "packets out", s->tx_packets);
    print_count(out, "segments in", s->rx_segments);
    print_count(out, "segments out", s->tx_segments);
    fprintf(out, "    %-22s %14.2f\n", "packets a connection", r->packets_per_connection);
    print_count(out, "retransmits", s->retransmits);
    if (s->time_wait_overflow != 0)
        print_count(out, "TIME-WAITs cut short", s->time_wait_overflow);
}

/** What steering cost each end, where segments met another worker first. */
static void print_handed_over(FILE *out, const struct app_result *r)
{
    for (uint32_t e = 0; e < r->n_ends; e++) {
        const struct tern_stats *s = &r->ends[e].stats;
        if (r->ends[e].n_workers < 2 || s->rx_segments == 0)
            continue;
        fprintf(out, "    %-22s %14" PRIu64 "  %.1f %% of the %s's segments in\n", "handed over",
            s->steered_in, 100 * (double)s->steered_in / (double)s->rx_segments, r->ends[e].name);
    }
}

static void print_drops(FILE *out, const struct app_result *r)
{
    bool any = false;
    for (int i = 0; i < TERN_DROP_COUNT; i++) {
        const enum tern_drop reason = (enum tern_drop)i;
        const uint64_t n = app_result_drops(r, reason);
        if (n == 0)
            continue;
        if (!any)
            fprintf(out, "  packets dropped\n");
        any = true;
        fprintf(out, "    %-22s %14" PRIu64 "  %s\n", tern_drop_name(reason), n,
            tern_drop_text(reason));
    }
}

static void print_busy(FILE *out, const struct app_result *r)
{
    fprintf(out, "  workers\n");
    for (uint32_t e = 0; e < r->n_ends; e++)
        for (uint32_t i = 0; i < r->ends[e].n_workers; i++)
            fprintf(out, "    %-6s lcore %-9u %12.1f %% busy\n", r->ends[e].name,
                r->ends[e].workers[i].lcore, 100 * r->ends[e].busy[i]);
}

static void print_leaks(FILE *out, const struct tern_leaks *l)
{
    fprintf(out,
        "  leaked        mbufs %" PRIu64 ", connections %" PRIu64 ", half-open %" PRIu64
        ", TIME-WAITs %" PRIu64 ", records %" PRIu64 ", timers %" PRIu64 "\n",
        l->mbufs, l->conns, l->halves, l->time_waits, l->records, l->timers);
}

void app_report_summary(FILE *out, const struct app_result *r)
{
    fprintf(out, "\n%s %s on %s, %.2f s%s\n", r->command, r->scenario, r->device, r->duration_s,
        r->interrupted ? " (interrupted)" : "");
    print_connections(out, &r->books);
    if (r->goodput.cfg != NULL)
        app_goodput_report(out, &r->goodput);
    else if (r->held.wanted != 0)
        print_held(out, r);
    else
        print_rate(out, r);
    app_requests_report(out, &r->load);
    print_ledger(out, r);
    if (r->times != NULL)
        app_latency_report(out, r->times);
    app_parts_report(out, &r->parts);
    if (r->listeners != NULL)
        app_server_report(out, r->listeners, r->books.established);
    print_traffic(out, r);
    print_handed_over(out, r);
    app_impair_report(out, r);
    print_drops(out, r);
    if (r->settings != NULL && r->settings->capture.path != NULL)
        app_capture_report(out, &r->settings->capture, &r->capture);
    print_busy(out, r);
    if (r->is_silent)
        app_diagnosis_report(out, &r->diagnosis);
    if (r->leaked)
        print_leaks(out, &r->leaks);
    fprintf(out, "  books         %s\n", r->balanced ? "balance" : "DO NOT BALANCE");
    fprintf(out, "  result        %s\n", r->n_invalid == 0 ? "valid" : "NOT VALID");
    for (uint32_t i = 0; i < r->n_invalid; i++)
        fprintf(out, "    %s\n", r->invalid[i]);
    app_goal_report(out, r);
    fflush(out);
}
