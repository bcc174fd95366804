/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a scenario has nothing of is no goal of it: a handshake completes no answer. Where a goal
 * names no time, it is that of the answer, and of the connection where there is none.
 */
#include "settings.h"

#include "../error.h"
#include "../opt/settings.h"

#include <inttypes.h>

enum { RESOLUTION_PPM = 10000 }; /* 1 % */
#define STEP_NS UINT64_C(5000000000)

void app_goal_settings_init(struct app_goal_settings *g)
{
    *g = (struct app_goal_settings){.resolution_ppm = RESOLUTION_PPM, .step_ns = STEP_NS};
}

static bool has_answers(const struct app_scenario *s)
{
    return s != &app_scenario_handshake && s != &app_scenario_hold && s != &app_scenario_stream;
}

static int check_time(struct app_slo_goal *g, const struct app_settings *s, struct tern_error *err)
{
    const bool is_of_answer =
        g->metric == APP_METRIC_FIRST_BYTE || g->metric == APP_METRIC_COMPLETE;
    if (s->no_latency)
        return app_refuse(
            err, "--slo: '%s' is a time, and none are kept; leave --no-latency out", g->text);
    if (!is_of_answer || has_answers(s->scenario))
        return 0;
    if (g->says_metric)
        return app_refuse(err, "--slo: '%s', but %s asks for nothing; type :connect or :close",
            g->text, s->scenario->name);
    g->metric = APP_METRIC_CONNECT;
    return 0;
}

static int check_goal(struct app_slo_goal *g, const struct app_settings *s, struct tern_error *err)
{
    if (app_slo_is_time(g))
        return check_time(g, s, err);
    if (g->figure == APP_SLO_RATE && g->is_share && s->rate == 0 && !s->goal.searches)
        return app_refuse(err, "--slo: '%s' is a part of --rate; add --rate N", g->text);
    return 0;
}

/* What is said of a search without one is a slip, not a thing to ignore. */
static int check_no_search(const struct app_settings *s, struct tern_error *err)
{
    static const char *const options[] = {"search-from", "search-resolution", "search-step"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (app_settings_has(s, options[i]))
            return app_refuse(err, "--%s: nothing is searched; add --search", options[i]);
    return 0;
}

static bool has_starts(const struct app_scenario *s)
{
    return !s->holds && s != &app_scenario_stream;
}

/* Each of its scenarios, where it is a mix. */
static bool has_starts_alone(const struct app_settings *s)
{
    bool all = has_starts(s->scenario);
    for (uint32_t i = 0; i < s->mix.n; i++)
        all = all && has_starts(s->mix.of[i].scenario);
    return all;
}

static int check_search(const struct app_settings *s, struct tern_error *err)
{
    if (s->goal.slo.n == 0)
        return app_refuse(
            err, "--search: there is no goal; add --slo, such as --slo 'p99<2ms,failed<0.01%%'");
    if (!has_starts_alone(s))
        return app_refuse(
            err, "--search: %s has no rate to search for; type --scenario http", s->scenario->name);
    if (s->count != 0)
        return app_refuse(err, "--count: a search ends by itself; leave it out");
    if (s->ramp_ns != 0)
        return app_refuse(err, "--ramp: every step of a search settles; leave it out");
    if (s->rate != 0 && s->goal.from > s->rate)
        return app_refuse(err,
            "--search-from: %" PRIu64 " is above --rate, the highest that is tried", s->goal.from);
    return 0;
}

int app_goal_check(struct app_settings *s, struct tern_error *err)
{
    s->goal.rate_max = s->rate;
    int rc = s->goal.searches ? check_search(s, err) : check_no_search(s, err);
    for (uint32_t i = 0; i < s->goal.slo.n && rc == 0; i++)
        rc = check_goal(&s->goal.slo.of[i], s, err);
    return rc;
}
