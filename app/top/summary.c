/* SPDX-License-Identifier: BSD-3-Clause */
#include "summary.h"

#include <tern/engine.h>

#include "../sample.h"

#include <inttypes.h>

enum { COMMAND_BYTES = 32 };

static uint64_t sum_of(const json_t *values)
{
    uint64_t sum = 0;
    size_t i;
    const json_t *v;
    json_array_foreach(values, i, v) sum +=
        json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
    return sum;
}

static void add_workers(struct app_top_sample *s, const json_t *endpoint)
{
    s->rx_packets += sum_of(json_object_get(endpoint, "rx_packets"));
    s->tx_packets += sum_of(json_object_get(endpoint, "tx_packets"));
    s->busy_cycles += sum_of(json_object_get(endpoint, "busy_cycles"));
    s->total_cycles += sum_of(json_object_get(endpoint, "total_cycles"));
}

static void add_counters(struct app_top_sample *s, const json_t *stats)
{
    const char *why;
    json_t *n;
    s->open += app_number(stats, "open_now");
    s->established += app_number(stats, "active_established");
    s->established += app_number(stats, "passive_established");
    s->retransmits += app_number(stats, "retransmits");
    json_object_foreach(json_object_get(stats, "active_failed"), why, n) s->failed +=
        app_number(json_object_get(stats, "active_failed"), why);
}

/** Endpoint i: its workers from `info`, its counters asked for. */
static int add_endpoint(struct app_process *p, const json_t *info, uint64_t i,
    struct app_top_sample *out, struct tern_error *err)
{
    char command[COMMAND_BYTES], name[COMMAND_BYTES];
    json_t *stats;
    snprintf(name, sizeof name, "%" PRIu64, i);
    snprintf(command, sizeof command, "/tern/stats,%" PRIu64, i);
    add_workers(out, json_object_get(info, name));
    const int rc = app_process_ask(p, command, &stats, err);
    if (rc == 0)
        add_counters(out, stats);
    json_decref(stats);
    return rc;
}

int app_top_sample_take(struct app_process *p, struct app_top_sample *out, struct tern_error *err)
{
    json_t *info;
    *out = (struct app_top_sample){.at_ns = app_now_ns()};
    int rc = app_process_ask(p, "/tern/info", &info, err);
    const uint64_t n = app_number(info, "endpoints");
    for (uint64_t i = 0; rc == 0 && i < n && i < TERN_ENDPOINTS_MAX; i++)
        rc = add_endpoint(p, info, i, out, err);
    json_decref(info);
    return rc;
}

static double per_s(uint64_t before, uint64_t now, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void print_rates(
    FILE *out, const struct app_top_sample *before, const struct app_top_sample *now)
{
    const double s = (double)(now->at_ns - before->at_ns) / 1e9;
    const double busy = per_s(before->busy_cycles, now->busy_cycles, 1);
    const double total = per_s(before->total_cycles, now->total_cycles, 1);
    fprintf(out, ", %.0f opened/s, %.0f retransmits/s, %.0f packets/s in, %.0f out, busy %.0f %%",
        per_s(before->established, now->established, s),
        per_s(before->retransmits, now->retransmits, s),
        per_s(before->rx_packets, now->rx_packets, s),
        per_s(before->tx_packets, now->tx_packets, s), total > 0 ? 100 * busy / total : 0);
}

void app_top_print_summary(FILE *out, const struct app_process *p,
    const struct app_top_sample *before, const struct app_top_sample *now)
{
    fprintf(out, "%" PRIu64 " %.100s\n", p->pid, p->title);
    fprintf(out,
        "%" PRIu64 " open, %" PRIu64 " opened, %" PRIu64 " failed, %" PRIu64 " retransmits",
        now->open, now->established, now->failed, now->retransmits);
    if (before != NULL)
        print_rates(out, before, now);
    fputc('\n', out);
}
