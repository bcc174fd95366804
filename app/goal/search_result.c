/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The times of a step's line are those that the first goal about a time is of; without one, of the
 * answer, and where nothing is answered of the connection.
 */
#include "search_result.h"

#include <inttypes.h>

enum { HEADING_EVERY = 20 };

static enum app_metric metric_of(const struct app_search *s, const struct app_step *step)
{
    for (uint32_t i = 0; i < s->goal->slo.n; i++)
        if (app_slo_is_time(&s->goal->slo.of[i]))
            return s->goal->slo.of[i].metric;
    return step->latency[APP_METRIC_COMPLETE].n != 0 ? APP_METRIC_COMPLETE : APP_METRIC_CONNECT;
}

static const char *verdict_name(enum app_step_verdict v)
{
    static const char *const names[] = {
        [APP_STEP_MET] = "met", [APP_STEP_MISSED] = "missed", [APP_STEP_TESTER] = "tester"};
    return names[v];
}

static const char *end_name(const struct app_search *s)
{
    static const char *const ends[] = {[APP_SEARCH_TESTER] = "tester",
        [APP_SEARCH_STEPS] = "too many steps",
        [APP_SEARCH_INTERRUPTED] = "interrupted"};
    static const char *const hunts[] = {[APP_HUNT_FOUND] = "found",
        [APP_HUNT_CEILING] = "ceiling",
        [APP_HUNT_NOTHING] = "nothing",
        [APP_HUNT_UNSTEADY] = "unsteady"};
    return s->end == APP_SEARCH_DONE ? hunts[s->hunt.phase] : ends[s->end];
}

/* ---- for people ---- */

static double percent_failed(const struct app_step *step)
{
    return step->attempts == 0 ? 0 : 100 * (double)step->failed / (double)step->attempts;
}

void app_search_report_step(FILE *out, const struct app_search *s, uint32_t n)
{
    const struct app_step *step = &s->steps[n];
    const struct app_latency *l = &step->latency[metric_of(s, step)];
    if (n % HEADING_EVERY == 0)
        fprintf(out, "%4s %11s %11s %7s %9s %9s %9s %9s  %s\n", "step", "rate/s", "achieved/s",
            "time s", "failed %", "p50 ms", "p99 ms", "max ms", "verdict");
    fprintf(out, "%4" PRIu32 " %11" PRIu64 " %11.0f %7.1f %9.4f %9.3f %9.3f %9.3f  %s%s%s%s\n",
        n + 1, step->rate, step->achieved, step->steady_s, percent_failed(step),
        (double)l->percentile_ns[APP_P50] / 1e6, (double)l->percentile_ns[APP_P99] / 1e6,
        (double)l->max_ns / 1e6, verdict_name(step->verdict), step->confirms ? ", confirming" : "",
        step->why[0] == '\0' ? "" : ": ", step->why);
    fflush(out);
}

void app_search_report(FILE *out, const struct app_search *s)
{
    const struct app_step *found = app_search_found(s);
    for (uint32_t i = 0; i < s->n_steps && !s->is_shown; i++)
        app_search_report_step(out, s, i);
    fprintf(out, "  search\n    %-22s %14" PRIu32 "\n", "steps", s->n_steps);
    if (found == NULL)
        fprintf(out, "    %-22s %14s  %s\n", "highest rate met", "none", end_name(s));
    else
        fprintf(out, "    %-22s %14" PRIu64 "  a second, %s\n", "highest rate met", found->rate,
            end_name(s));
    if (s->hunt.missed != 0)
        fprintf(out, "    %-22s %14" PRIu64 "  a second\n", "lowest rate missed", s->hunt.missed);
}

/* ---- for programs ---- */

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *ended_json(const struct app_ledger *l)
{
    json_t *o = json_object();
    for (uint32_t end = 0; end < APP_ENDS; end++)
        if (l->ended[true][end] != 0)
            json_object_set_new(o, app_end_name(end), count(l->ended[true][end]));
    return o;
}

static json_t *latency_json(const struct app_step *step)
{
    json_t *o = json_object();
    for (int m = 0; m < APP_METRIC_COUNT; m++) {
        const struct app_latency *l = &step->latency[m];
        if (l->n == 0)
            continue;
        json_t *times = json_pack("{s:o, s:f}", "n", count(l->n), "mean_ns", l->mean_ns);
#define SET(name, percent, json)                                                                   \
    json_object_set_new(times, json "_ns", count(l->percentile_ns[APP_##name]));
        APP_PERCENTILE_LIST(SET)
#undef SET
        json_object_set_new(times, "max_ns", count(l->max_ns));
        json_object_set_new(o, app_metric_name((enum app_metric)m), times);
    }
    return o;
}

static json_t *step_json(const struct app_search *s, const struct app_step *step)
{
    return json_pack("{s:o, s:f, s:f, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o}",
        "rate", count(step->rate), "achieved", step->achieved, "steady_s", step->steady_s,
        "confirms", step->confirms, "verdict", verdict_name(step->verdict), "why", step->why,
        "attempts", count(step->attempts), "failed", count(step->failed), "not_started",
        count(step->not_started), "late", count(step->ledger.late), "retransmits",
        count(step->retransmits), "ended", ended_json(&step->ledger), "busy", step->busy, "latency",
        latency_json(step), "goals", app_slo_json(&s->goal->slo, &step->goals));
}

void app_search_json(json_t *result, const struct app_search *s)
{
    const struct app_step *found = app_search_found(s);
    json_t *steps = json_array();
    for (uint32_t i = 0; i < s->n_steps; i++)
        json_array_append_new(steps, step_json(s, &s->steps[i]));
    json_object_set_new(result, "search",
        json_pack("{s:s, s:o, s:o, s:f}", "end", end_name(s), "found_per_s",
            found == NULL ? json_null() : count(found->rate), "missed_per_s",
            s->hunt.missed == 0 ? json_null() : count(s->hunt.missed), "resolution",
            (double)s->goal->resolution_ppm / 1e6));
    json_object_set_new(result, "steps", steps);
}
