/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The result as JSON. Names are stable: later versions add keys and never change the meaning of
 * one. Maps from reason to count hold what is not zero, so that a clean run has empty maps.
 */
#include "capture/capture.h"
#include "goal/goal.h"
#include "load/requests_result.h"
#include "measure/latency.h"
#include "measure/ledger_json.h"
#include "opt/settings.h"
#include "output/options_json.h"
#include "output/series_json.h"
#include "result.h"
#include "serve/books.h"

#include <stdio.h>
#include <time.h>

enum { NOTE_BYTES = 48 };

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *connections(const struct app_books *b)
{
    json_t *failed = json_object();
    for (uint32_t i = 0; i < b->n_failures; i++)
        json_object_set_new(failed, b->failures[i].name, count(b->failures[i].count));
    json_t *o = json_object();
    json_object_set_new(o, "opened", count(b->opened));
    json_object_set_new(o, "established", count(b->established));
    json_object_set_new(o, "closed", count(b->closed));
    json_object_set_new(o, "failed", failed);
    return o;
}

static json_t *drops(const struct app_result *r)
{
    json_t *o = json_object();
    for (int reason = 0; reason < TERN_DROP_COUNT; reason++) {
        const uint64_t n = app_result_drops(r, (enum tern_drop)reason);
        if (n != 0)
            json_object_set_new(o, tern_drop_name((enum tern_drop)reason), count(n));
    }
    return o;
}

static json_t *workers(const struct app_result *r)
{
    json_t *list = json_array();
    for (uint32_t e = 0; e < r->n_ends; e++) {
        const struct app_end *end = &r->ends[e];
        for (uint32_t i = 0; i < end->n_workers; i++) {
            const struct tern_worker_info *w = &end->workers[i];
            json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:f}", "end", end->name, "lcore",
                (int)w->lcore, "cpu", (int)w->cpu, "numa_node", w->numa_node, "busy", end->busy[i]);
            if (e == 0 && r->listeners == NULL)
                json_object_set_new(o, "begun", count(r->begun[i]));
            json_array_append_new(list, o);
        }
    }
    return list;
}

/* Every counter of the library, by the name it has there. */
static json_t *counters(const struct tern_stats *s)
{
    json_t *o = json_object();
#define SET(name) json_object_set_new(o, #name, count(s->name));
    TERN_STAT_LIST(SET)
#undef SET
    return o;
}

static json_t *ends(const struct app_result *r)
{
    json_t *o = json_object();
    for (uint32_t e = 0; e < r->n_ends; e++) {
        const struct tern_device_info *d = &r->ends[e].device;
        json_t *end = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "driver",
            d->driver, "steering", d->steering, "offloads", d->offloads, "pages", d->pages,
            "memory", d->memory, "note", d->note, "rx_queues", (int)d->n_rx_queues, "mtu",
            (int)d->mtu_bytes, "numa_node", d->numa_node);
        json_object_set_new(end, "counters", counters(&r->ends[e].stats));
        json_object_set_new(o, r->ends[e].name, end);
    }
    return o;
}

static json_t *leaks(const struct tern_leaks *l)
{
    json_t *o = json_object();
    json_object_set_new(o, "mbufs", count(l->mbufs));
    json_object_set_new(o, "conns", count(l->conns));
    json_object_set_new(o, "halves", count(l->halves));
    json_object_set_new(o, "time_waits", count(l->time_waits));
    json_object_set_new(o, "records", count(l->records));
    json_object_set_new(o, "timers", count(l->timers));
    return o;
}

static json_t *invalid_reasons(const struct app_result *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->n_invalid; i++)
        json_array_append_new(list, json_string(r->invalid[i]));
    return list;
}

/* What the reader should know though the figures are right. */
static json_t *notes(const struct app_result *r)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < r->n_rows_lost; i++) {
        char name[NOTE_BYTES];
        snprintf(name, sizeof name, "%s_rows_lost", r->rows_lost[i].of);
        json_object_set_new(o, name, count(r->rows_lost[i].n));
    }
    return o;
}

static json_t *ledger(const struct app_result *r)
{
    const struct app_ledger *l = &r->ledger;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "counted", app_ledger_part_json(l, true),
        "not_counted", app_ledger_part_json(l, false), "late", count(l->late), "held_back",
        count(l->held_back), "not_started", count(r->not_started), "longest_behind_ns",
        count(l->late_max_ns));
}

static void set_time(json_t *o)
{
    char text[sizeof "2026-11-21T14:00:00Z"];
    struct tm utc;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &utc) != NULL
        && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) != 0)
        json_object_set_new(o, "finished_at", json_string(text));
}

json_t *app_result_json(const struct app_result *r)
{
    const struct tern_stats *s = &r->ends[0].stats;
    json_t *o = json_object();
    json_object_set_new(o, "tern", json_string(TERN_VERSION));
    json_object_set_new(o, "command", json_string(r->command));
    set_time(o);
    json_object_set_new(o, "device", json_string(r->device));
    json_object_set_new(o, "scenario", json_string(r->scenario));
    if (r->settings != NULL)
        json_object_set_new(o, "options", app_options_json(r->settings));
    json_object_set_new(o, "duration_s", json_real(r->duration_s));
    json_object_set_new(o, "connections", connections(&r->books));
    if (r->listeners != NULL)
        json_object_set_new(o, "listeners", app_server_json(r->listeners, r->books.established));
    json_object_set_new(o, "cps", json_real(r->cps));
    if (r->times != NULL) {
        json_object_set_new(o, "latency", app_latency_json(r->times));
        json_object_set_new(o, "ledger", ledger(r));
    }
    if ((r->load.answered | r->load.asked[false] | r->load.asked[true]) != 0)
        json_object_set_new(o, "requests", app_requests_json(&r->load, &r->rps));
    if (r->parts.n != 0)
        json_object_set_new(o, "scenarios", app_parts_json(&r->parts));
    if (r->held.wanted != 0)
        json_object_set_new(o, "held",
            json_pack("{s:o, s:o, s:f, s:f}", "wanted", count(r->held.wanted), "open",
                count(r->held.open), "opening_s", r->held.opening_s, "holding_s",
                r->held.holding_s));
    json_object_set_new(o, "memory",
        json_pack("{s:o, s:o}", "planned_bytes", count(r->planned_bytes), "taken_bytes",
            count(r->taken_bytes)));
    json_object_set_new(o, "packets_per_connection", json_real(r->packets_per_connection));
    json_object_set_new(o, "packets",
        json_pack("{s:o, s:o}", "rx", count(s->rx_packets), "tx", count(s->tx_packets)));
    json_object_set_new(o, "retransmits", count(s->retransmits));
    if (r->goodput.cfg != NULL)
        json_object_set_new(o, "stream", app_goodput_json(&r->goodput));
    json_object_set_new(o, "drops", drops(r));
    json_t *impairment = app_impair_json(r);
    if (impairment != NULL)
        json_object_set_new(o, "impairment", impairment);
    json_object_set_new(o, "workers", workers(r));
    json_object_set_new(o, "books_balance", json_boolean(r->balanced));
    json_object_set_new(o, "valid", json_boolean(r->n_invalid == 0));
    json_object_set_new(o, "invalid_reasons", invalid_reasons(r));
    json_object_set_new(o, "notes", notes(r));
    if (r->is_silent)
        json_object_set_new(o, "diagnosis", app_diagnosis_json(&r->diagnosis));
    app_goal_json(o, r);
    json_object_set_new(o, "interrupted", json_boolean(r->interrupted));
    json_object_set_new(o, "leaks", leaks(&r->leaks));
    if (r->settings != NULL && r->settings->capture.path != NULL)
        json_object_set_new(o, "capture", app_capture_json(&r->settings->capture, &r->capture));
    json_object_set_new(o, "ends", ends(r));
    json_object_set_new(o, "series", app_series_json(r, &r->series));
    return o;
}
