/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A step measures the target only while the tester keeps up: where starts were late, packets were
 * lost on our side or a worker had no time left, the step is tried again, as it may have been
 * somebody else on the machine; then the search ends, as the tester's limit and never as the
 * target's. That the goals were missed is another matter, and so is that too few of the starts
 * could be made because --conns were open.
 *
 * Where a percentile needs more times than a step of the usual length has at this rate, the step is
 * made longer. What a step left behind that does not end (a SYN nobody answers) is waited for; what
 * then still is not over has failed, and is taken out of the next step's books.
 */
#include "search.h"

#include "../verdict.h"
#include "goal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS         UINT64_C(1000000000)
#define SETTLE_NS         SECOND_NS
#define STRETCH_NS        (60 * SECOND_NS) /* the longest that a step is made for its samples */
#define RECOVER_NS        (60 * SECOND_NS)
#define NOT_STARTED_LIMIT 0.01 /* of the starts that were due */
enum { CONFIRM_TIMES = 2, FROM = 1000, RATE_PARTS = 100, RATE_MAX = 1000000000 };

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static bool of_requests(const struct app_search *s)
{
    return s->load->cfg.scenario->paces_requests;
}

/* ---- readings ---- */

static void read_times(struct app_search *s, struct app_hist *out)
{
    memset(out, 0, APP_METRIC_COUNT * sizeof *out);
    for (int m = 0; m < APP_METRIC_COUNT; m++)
        app_load_times(s->load, (enum app_metric)m, &out[m]);
}

/* Begun, and not over: connections, or requests of connections that stay. */
static uint64_t under_way(const struct app_search *s, const struct app_moment *m)
{
    const struct app_ledger *l = &m->sample.ledger;
    const struct app_load_counts *c = &m->counts;
    if (!of_requests(s))
        return less(l->begun[false] + l->begun[true],
            app_ledger_n_ended(l, false) + app_ledger_n_ended(l, true));
    uint64_t over = c->answered + c->unanswered;
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        over += c->wrong[why];
    return less(c->asked[false] + c->asked[true], over);
}

static void subtract_ledger(
    const struct app_ledger *a, const struct app_ledger *b, struct app_ledger *out)
{
    *out = (struct app_ledger){
        .late = b->late - a->late,
        .held_back = b->held_back - a->held_back,
        .late_max_ns = b->late_max_ns, /* of the run so far */
    };
    for (int counts = 0; counts < 2; counts++) {
        out->begun[counts] = b->begun[counts] - a->begun[counts];
        for (uint32_t end = 0; end < APP_ENDS; end++)
            out->ended[counts][end] = b->ended[counts][end] - a->ended[counts][end];
    }
}

static void subtract_counts(
    const struct app_load_counts *a, const struct app_load_counts *b, struct app_load_counts *out)
{
    *out = (struct app_load_counts){
        .opened = b->opened - a->opened,
        .no_port = b->no_port - a->no_port,
        .asked = {b->asked[false] - a->asked[false], b->asked[true] - a->asked[true]},
        .answered = b->answered - a->answered,
        .unanswered = b->unanswered - a->unanswered,
    };
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        out->wrong[why] = b->wrong[why] - a->wrong[why];
}

/* ---- beginning a step ---- */

/* As long as told, and as long as its percentiles need. */
static uint64_t steady_ns(const struct app_search *s)
{
    const uint64_t n = app_slo_samples(&s->goal->slo);
    const uint64_t needs_ns = lesser(n * SECOND_NS / s->hunt.rate + SECOND_NS / 10, STRETCH_NS);
    const uint64_t ns = greater(s->goal->step_ns, n == 0 ? 0 : needs_ns);
    return s->hunt.phase == APP_HUNT_CONFIRMS ? CONFIRM_TIMES * ns : ns;
}

static void begin_step(struct app_search *s)
{
    s->read(s->ctx, &s->before);
    if (s->times_before != NULL)
        read_times(s, s->times_before);
    s->part = APP_SEARCH_MEASURES;
    s->now = (struct app_load_step){
        .rate = s->hunt.rate,
        .settle_ns = lesser(SETTLE_NS, s->goal->step_ns),
        .steady_ns = steady_ns(s),
    };
    app_load_set_step(s->load, &s->now);
}

static uint64_t first_rate(const struct app_goal_settings *goal, uint64_t rate_max)
{
    if (goal->from != 0)
        return lesser(goal->from, rate_max);
    return rate_max == RATE_MAX ? FROM : greater(rate_max / RATE_PARTS, 1);
}

static bool take_memory(struct app_search *s)
{
    s->times_before = calloc(APP_METRIC_COUNT, sizeof *s->times_before);
    s->times = calloc(APP_METRIC_COUNT, sizeof *s->times);
    s->best_times = calloc(APP_METRIC_COUNT, sizeof *s->best_times);
    return s->times_before != NULL && s->times != NULL && s->best_times != NULL;
}

struct app_search *app_search_new(const struct app_goal_settings *goal, struct app_load *load,
    uint64_t rate_max, void (*read)(void *ctx, struct app_moment *out), void *ctx)
{
    const uint64_t max = rate_max == 0 ? RATE_MAX : rate_max;
    struct app_search *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->goal = goal;
    s->load = load;
    s->read = read;
    s->ctx = ctx;
    s->best = APP_STEPS_MAX;
    s->hunt = app_hunt_make(first_rate(goal, max), max, goal->resolution_ppm);
    if (!load->cfg.no_times && !take_memory(s)) {
        app_search_free(s);
        return NULL;
    }
    begin_step(s);
    return s;
}

void app_search_free(struct app_search *s)
{
    if (s == NULL)
        return;
    free(s->times_before);
    free(s->times);
    free(s->best_times);
    free(s);
}

/* ---- the books of a step ---- */

static uint64_t n_begun(
    const struct app_search *s, const struct app_ledger *l, const struct app_load_counts *c)
{
    return of_requests(s) ? c->asked[true] : l->begun[true];
}

/* The schedule is exact to one start a worker. */
static uint64_t not_started(const struct app_search *s, uint64_t begun)
{
    const uint64_t due =
        (uint64_t)((double)s->now.rate * ((double)s->now.steady_ns / (double)SECOND_NS));
    const uint64_t missing = less(due, begun);
    return missing <= s->load->cfg.n_workers ? 0 : missing;
}

/* What an earlier step left behind and has ended since is not this one's. */
static void take_out_left_behind(const struct app_search *s, struct app_ledger *l)
{
    const uint64_t left = under_way(s, &s->before);
    const uint64_t ended_since = less(left, under_way(s, &s->after));
    uint64_t *ok = &l->ended[true][TERN_CLOSE_NORMAL];
    *ok = less(*ok, of_requests(s) ? 0 : ended_since);
}

static double busiest(const struct app_search *s)
{
    double most = 0;
    for (uint32_t i = 0; i < s->load->cfg.n_workers; i++) {
        const double busy =
            app_busy_between(&s->before.sample.workers[0][i], &s->loaded.sample.workers[0][i]);
        most = busy > most ? busy : most;
    }
    return most;
}

static void find_times(struct app_search *s, struct app_step *step)
{
    if (s->times == NULL)
        return;
    read_times(s, s->times);
    for (int m = 0; m < APP_METRIC_COUNT; m++) {
        app_hist_subtract(&s->times[m], &s->times_before[m]);
        app_latency_of(&s->times[m], &step->latency[m]);
    }
}

/* Ended well, a second. */
static double achieved(
    const struct app_search *s, const struct app_step *step, const struct app_load_counts *c)
{
    const uint64_t all = c->asked[false] + c->asked[true];
    uint64_t n = step->ledger.ended[true][TERN_CLOSE_NORMAL];
    if (of_requests(s)) /* those of the settling part are answered alike */
        n = all == 0 ? 0 : (uint64_t)((double)c->answered * (double)c->asked[true] / (double)all);
    return (double)n / step->steady_s;
}

/* ---- its verdict ---- */

/* @return true when the tester was behind; then step->why says with what */
static bool blames_tester(
    const struct app_search *s, struct app_step *step, const struct app_load_counts *c)
{
    const uint64_t begun = step->ledger.begun[false] + step->ledger.begun[true];
    const uint64_t starts = greater(begun, c->asked[false] + c->asked[true]);
    const uint64_t lost = s->after.lost - s->before.lost;
    char *why = step->why;
    if ((double)step->ledger.late > APP_LATE_LIMIT * (double)starts)
        snprintf(why, APP_STEP_WHY_BYTES,
            "%" PRIu64 " of %" PRIu64 " starts were late: raise --workers", step->ledger.late,
            starts);
    else if (lost != 0)
        snprintf(why, APP_STEP_WHY_BYTES,
            "%" PRIu64 " packets were lost on this side: raise --workers", lost);
    else if (c->no_port != 0)
        snprintf(
            why, APP_STEP_WHY_BYTES, "no local port was free: add --ip, or shorten --time-wait");
    else if (s->has_load_alone && step->busy > APP_BUSY_LIMIT)
        snprintf(why, APP_STEP_WHY_BYTES, "a worker was %.1f %% busy: raise --workers",
            100 * step->busy);
    return why[0] != '\0';
}

static void judge_step(struct app_search *s, struct app_step *step, const struct app_load_counts *c)
{
    struct app_slo_facts f = {
        .times = s->times,
        .rate = step->achieved,
        .rate_goal = (double)step->rate,
        .retransmits = step->retransmits,
        .segments = s->after.segments - s->before.segments,
    };
    app_goal_count(&f, of_requests(s), &step->ledger, c, step->not_started);
    app_slo_judge(&s->goal->slo, &f, &step->goals);
    step->attempts = f.attempts;
    step->failed = f.failed;
    if (blames_tester(s, step, c)) {
        step->verdict = APP_STEP_TESTER;
        return;
    }
    const bool has_all = (double)step->not_started <= NOT_STARTED_LIMIT * (double)f.attempts;
    step->verdict = step->goals.met && has_all ? APP_STEP_MET : APP_STEP_MISSED;
    if (!has_all)
        snprintf(step->why, sizeof step->why,
            "%" PRIu64 " starts had no room: raise --conns, or the target is full",
            step->not_started);
    else
        app_slo_why(&s->goal->slo, &step->goals, step->why, sizeof step->why);
}

static struct app_step *end_step(struct app_search *s)
{
    struct app_step *step = &s->steps[s->n_steps++];
    struct app_load_counts c;
    *step = (struct app_step){
        .rate = s->now.rate,
        .steady_s = (double)s->now.steady_ns / (double)SECOND_NS,
        .confirms = s->hunt.phase == APP_HUNT_CONFIRMS,
        .retransmits = s->after.sample.retransmits - s->before.sample.retransmits,
        .busy = busiest(s),
    };
    subtract_counts(&s->before.counts, &s->after.counts, &c);
    subtract_ledger(&s->before.sample.ledger, &s->after.sample.ledger, &step->ledger);
    step->not_started = not_started(s, n_begun(s, &step->ledger, &c));
    take_out_left_behind(s, &step->ledger);
    step->achieved = achieved(s, step, &c);
    find_times(s, step);
    judge_step(s, step, &c);
    return step;
}

/* ---- the whole ---- */

/* The highest rate that was met; of two times the same, the later one, which took longer. */
static void keep_best(struct app_search *s, const struct app_step *step)
{
    if (step->verdict != APP_STEP_MET)
        return;
    s->best = (uint32_t)(step - s->steps);
    if (s->times != NULL)
        memcpy(s->best_times, s->times, APP_METRIC_COUNT * sizeof *s->times);
}

static void next_step(struct app_search *s, const struct app_step *step)
{
    const bool is_tester = step->verdict == APP_STEP_TESTER;
    s->n_tries = is_tester ? s->n_tries + 1 : 0;
    keep_best(s, step);
    if (!is_tester)
        app_hunt_tell(&s->hunt, step->verdict == APP_STEP_MET);
    if (s->n_tries == APP_STEP_TRIES)
        s->end = APP_SEARCH_TESTER;
    else if (app_hunt_is_over(&s->hunt))
        s->end = APP_SEARCH_DONE;
    else if (s->n_steps == APP_STEPS_MAX)
        s->end = APP_SEARCH_STEPS;
    else
        begin_step(s);
}

const struct app_step *app_search_poll(struct app_search *s, uint64_t now_ns)
{
    if (s->end != APP_SEARCH_GOES_ON)
        return NULL;
    if (s->part == APP_SEARCH_MEASURES) {
        if (!app_load_step_is_over(s->load))
            return NULL;
        s->read(s->ctx, &s->loaded);
        s->part = APP_SEARCH_RECOVERS;
        s->patience_ns = now_ns + RECOVER_NS;
    }
    s->read(s->ctx, &s->after);
    if (under_way(s, &s->after) > under_way(s, &s->before) && now_ns < s->patience_ns)
        return NULL;
    const struct app_step *step = end_step(s);
    next_step(s, step);
    return step;
}

void app_search_interrupt(struct app_search *s)
{
    if (s->end == APP_SEARCH_GOES_ON)
        s->end = APP_SEARCH_INTERRUPTED;
}

const struct app_step *app_search_found(const struct app_search *s)
{
    const bool is_none = s->hunt.phase == APP_HUNT_NOTHING || s->hunt.phase == APP_HUNT_UNSTEADY;
    return is_none || s->best == APP_STEPS_MAX ? NULL : &s->steps[s->best];
}

const char *app_search_doubt(const struct app_search *s, char *buf, size_t n_bytes)
{
    const struct app_step *last = s->n_steps == 0 ? NULL : &s->steps[s->n_steps - 1];
    buf[0] = '\0';
    if (s->end == APP_SEARCH_TESTER)
        snprintf(buf, n_bytes,
            "the search ended at the tester's own limit: at %" PRIu64 " a second %s", last->rate,
            last->why);
    else if (s->end == APP_SEARCH_STEPS)
        snprintf(buf, n_bytes, "the search was not over after %d steps: raise --search-resolution",
            APP_STEPS_MAX);
    else if (s->end == APP_SEARCH_INTERRUPTED)
        snprintf(buf, n_bytes,
            "the search was not over: raise --duration, or leave it out to let it end by itself");
    return buf;
}
