/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goals are about what counts: what was meant to begin in the steady part. A start that was due and
 * never made has failed, for whoever wanted it. A result that is not valid measured the tester, so
 * it says nothing about the goals, met or missed; that has an exit status of its own.
 */
#include "goal.h"

#include "search_result.h"

#include <inttypes.h>

enum { WHY_BYTES = 128 };

/* ---- judging ---- */

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* A connection that fails takes its requests along; one that was never made had none. */
static void count_requests(
    struct app_slo_facts *f, const struct app_ledger *l, const struct app_load_counts *c)
{
    const uint64_t ok = l->ended[false][TERN_CLOSE_NORMAL] + l->ended[true][TERN_CLOSE_NORMAL];
    const uint64_t ended = app_ledger_n_ended(l, false) + app_ledger_n_ended(l, true);
    f->attempts = c->asked[false] + c->asked[true] + (ended - ok);
    f->failed = c->unanswered + (ended - ok);
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        f->failed += c->wrong[why];
}

void app_goal_count(struct app_slo_facts *f, bool of_requests, const struct app_ledger *ledger,
    const struct app_load_counts *counts, uint64_t not_started)
{
    if (of_requests) {
        count_requests(f, ledger, counts);
    } else {
        f->attempts = ledger->begun[true];
        f->failed = less(ledger->begun[true], ledger->ended[true][TERN_CLOSE_NORMAL]);
    }
    f->attempts += not_started;
    f->failed += not_started;
}

/* The answer's, or that of the last step, which none has met. */
static void judge_search(struct app_result *r)
{
    const struct app_search *s = r->search;
    const struct app_step *found = app_search_found(s);
    if (found == NULL && s->n_steps == 0)
        return;
    r->goals = found != NULL ? found->goals : s->steps[s->n_steps - 1].goals;
    r->goals.met = found != NULL;
}

void app_goal_judge(struct app_result *r, const struct app_load_config *cfg)
{
    if (r->slo == NULL || r->slo->n == 0)
        return;
    if (r->search != NULL) {
        judge_search(r);
        return;
    }
    const bool of_requests = cfg->scenario->paces_requests;
    struct app_slo_facts f = {
        .times = r->times,
        .rate = of_requests ? r->rps : r->cps,
        .rate_goal = (double)cfg->rate,
        .retransmits = r->ends[0].stats.retransmits,
        .segments = r->ends[0].stats.tx_segments,
    };
    app_goal_count(&f, of_requests, &r->ledger, &r->load, r->not_started);
    app_slo_judge(r->slo, &f, &r->goals);
}

/* ---- telling ---- */

static bool has_goals(const struct app_result *r)
{
    return r->slo != NULL && r->slo->n != 0;
}

static const char *verdict(const struct app_result *r)
{
    if (r->n_invalid != 0)
        return "not judged: the result is not valid";
    return r->goals.met ? "met" : "NOT MET";
}

void app_goal_report(FILE *out, const struct app_result *r)
{
    if (!has_goals(r))
        return;
    if (r->search != NULL)
        app_search_report(out, r->search);
    app_slo_report(out, r->slo, &r->goals);
    fprintf(out, "  goal          %s\n", verdict(r));
}

void app_goal_json(json_t *result, const struct app_result *r)
{
    if (!has_goals(r))
        return;
    json_object_set_new(result, "slo",
        json_pack("{s:b, s:o}", "met", r->goals.met && r->n_invalid == 0, "goals",
            app_slo_json(r->slo, &r->goals)));
    if (r->search != NULL)
        app_search_json(result, r->search);
}

enum app_exit app_goal_status(const struct app_result *r, struct tern_error *err)
{
    char why[WHY_BYTES];
    if (!has_goals(r))
        return APP_EXIT_OK;
    if (r->n_invalid != 0) {
        app_refuse(err, "the goal cannot be judged, the result is not valid: %s", r->invalid[0]);
        return APP_EXIT_INVALID;
    }
    if (r->goals.met)
        return APP_EXIT_OK;
    if (r->search != NULL) {
        const struct app_step *last = &r->search->steps[r->search->n_steps - 1];
        app_refuse(err, "no rate met the goal: at %" PRIu64 " a second %s", last->rate, last->why);
        return APP_EXIT_SLO;
    }
    app_refuse(err, "the goal was not met: %s", app_slo_why(r->slo, &r->goals, why, sizeof why));
    return APP_EXIT_SLO;
}
