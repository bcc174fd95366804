/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search for the highest rate that meets the goals: which rates it tries, as numbers alone; and
 * a whole one in virtual time, against a server that answers so many requests a second with 200 and
 * the rest with 503.
 */
#include "goal/search.h"
#include "load_world.h"

#include <math.h>

/* ---- the hunt ---- */

/* Tell it the truth until it is over. @return steps */
static uint32_t hunt(struct app_hunt *h, uint64_t limit)
{
    enum { STEPS_MAX = 200 };
    uint32_t n = 0;
    for (; !app_hunt_is_over(h) && n < STEPS_MAX; n++) {
        assert_true(h->rate >= 1 && h->rate <= h->max);
        app_hunt_tell(h, h->rate <= limit);
    }
    return n;
}

static void a_hunt_ends_close_below_the_limit(void **state)
{
    static const uint64_t limits[] = {
        1, 2, 3, 99, 100, 101, 999, 1000, 12345, 1000003, 999999999, 123456789};
    static const uint64_t resolutions_ppm[] = {1000, 10000, 50000, 500000};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (size_t j = 0; j < sizeof resolutions_ppm / sizeof resolutions_ppm[0]; j++)
            for (uint64_t from = 1; from <= 1000000000; from *= 10) {
                struct app_hunt h = app_hunt_make(from, 1000000000, resolutions_ppm[j]);
                const uint32_t n = hunt(&h, limits[i]);
                assert_int_equal(h.phase, APP_HUNT_FOUND);
                assert_true(h.met <= limits[i]);
                const double gap = (double)(h.missed - h.met);
                assert_true(gap <= 1 || gap <= (double)(h.met * resolutions_ppm[j]) / 1e6);
                assert_true(h.missed > limits[i]);
                assert_true(n <= 64);
            }
}

static void a_hunt_says_how_else_it_ended(void **state)
{
    (void)state;
    struct app_hunt h = app_hunt_make(1000, 5000, 10000);
    assert_true(hunt(&h, 9000) <= 5);
    assert_int_equal(h.phase, APP_HUNT_CEILING);
    assert_int_equal(h.met, 5000);
    h = app_hunt_make(1000, 5000, 10000);
    hunt(&h, 0);
    assert_int_equal(h.phase, APP_HUNT_NOTHING);
}

static void a_winner_that_fails_steps_down_once(void **state)
{
    (void)state;
    for (int fails = 0; fails <= 2; fails++) {
        struct app_hunt h = app_hunt_make(100, 100000, 10000);
        while (h.phase == APP_HUNT_SEEKS)
            app_hunt_tell(&h, h.rate <= 1000);
        const uint64_t winner = h.rate;
        for (int i = 0; i < fails; i++)
            app_hunt_tell(&h, false);
        assert_int_equal(app_hunt_is_over(&h), fails == 2);
        if (fails == 2) {
            assert_int_equal(h.phase, APP_HUNT_UNSTEADY);
            assert_int_equal(h.met, 0);
            continue;
        }
        app_hunt_tell(&h, true);
        assert_int_equal(h.phase, APP_HUNT_FOUND);
        assert_true(fails == 0 ? h.met == winner : h.met < winner && h.met > winner * 98 / 100);
    }
}

/* ---- a whole search ---- */

enum { HOURS_MAX = 2, STEP_S = 2, SETTLES_S = 1 };
enum { TIME_WAIT_MS = 1000, CONNS = 100000, LIMIT_DEPTH = 5 };

static char get_text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const struct app_requests get = {
    .n = 1, .of = {{.bytes = get_text, .n_bytes = sizeof get_text - 1}}};

struct searching {
    struct world w;
    struct app_goal_settings goal;
    struct app_search *s;
    uint32_t away_from_per_s; /* the tester is away for a while at rates above; 0: never */
};

static void read_moment(void *ctx, struct app_moment *out)
{
    const struct world *w = ctx;
    const struct tern_stats *stats = tern_shard_stats(client(w));
    *out = (struct app_moment){.segments = stats->tx_segments};
    out->sample.retransmits = stats->retransmits;
    app_load_ledger(&w->load, &out->sample.ledger);
    app_load_sum(&w->load, &out->counts);
}

static void begin(struct searching *t, const struct app_scenario *scenario, const char *slo)
{
    struct tern_error err;
    *t = (struct searching){.s = NULL};
    pair_init(&t->w.pair, false);
    for (int i = CLIENT; i <= SERVER; i++) {
        t->w.pair.cfg[i].stack.time_wait_ms = TIME_WAIT_MS; /* a port is soon free again */
        t->w.pair.cfg[i].stack.nodelay = true;
    }
    world_open(&t->w, scenario, CONNS);
    t->w.load.cfg.asks = &get;
    t->w.load.cfg.requests = 1;
    t->w.load.cfg.pipeline = 1;
    app_expect_init(&t->w.load.cfg.expect);
    t->w.load.cfg.rate = 1;
    t->w.load.cfg.steady_ns = 0;
    app_goal_settings_init(&t->goal);
    t->goal.from = 50;
    t->goal.step_ns = ms_to_ns(STEP_S * ONE_SECOND);
    assert_int_equal(app_slo_add(&t->goal.slo, slo, &err), 0);
}

static bool is_away(const struct searching *t)
{
    return t->away_from_per_s != 0 && t->s->now.rate >= t->away_from_per_s
           && t->w.pair.now_ns / ms_to_ns(100) % 5 == 0;
}

/* To its end. */
static void run_search(struct searching *t, uint64_t rate_max)
{
    struct world *w = &t->w;
    t->s = app_search_new(&t->goal, &w->load, rate_max, read_moment, w);
    assert_non_null(t->s);
    start_server(w, "http");
    start_load(w);
    const uint64_t until_ns = w->begin_ns + ms_to_ns(UINT64_C(3600) * HOURS_MAX * ONE_SECOND);
    while (t->s->end == APP_SEARCH_GOES_ON && w->pair.now_ns < until_ns) {
        if (is_away(t))
            pair_run_ms(&w->pair, POLL_MS);
        else
            run_world(w, POLL_MS);
        app_search_poll(t->s, w->pair.now_ns);
    }
    assert_int_not_equal(t->s->end, APP_SEARCH_GOES_ON);
}

/* Every step's books are whole: what was due in it is what was attempted. */
static void end(struct searching *t)
{
    for (uint32_t i = 0; i < t->s->n_steps; i++) {
        const struct app_step *step = &t->s->steps[i];
        const double due = (double)step->rate * step->steady_s;
        if (!t->w.load.cfg.scenario->paces_requests) {
            assert_true(fabs((double)step->attempts - due) <= 1);
            assert_true((double)step->ledger.begun[false] >= (double)step->rate * SETTLES_S - 1
                        || step->not_started > 0 || step->ledger.late > 0);
        }
        assert_true(step->steady_s == (step->confirms ? 2 * STEP_S : STEP_S));
        assert_true(step->failed <= step->attempts);
        assert_int_equal(step->why[0] == '\0', step->verdict == APP_STEP_MET);
    }
    end_load(&t->w);
    app_search_free(t->s);
    free_world(&t->w);
}

static void assert_found(const struct searching *t, double limit, double within)
{
    const struct app_step *found = app_search_found(t->s);
    assert_non_null(found);
    if (fabs((double)found->rate - limit) > within * limit)
        fail_msg("found %lu, and the limit is %g", (unsigned long)found->rate, limit);
    assert_true(fabs(found->achieved - (double)found->rate) <= 0.02 * limit);
}

static void the_limit_of_a_server_is_found(void **state)
{
    static const struct app_scenario *const scenarios[] = {
        &app_scenario_http, &app_scenario_http_keepalive};
    enum { LIMIT = 430 };
    char doubt[APP_STEP_WHY_BYTES];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct searching t;
        begin(&t, scenarios[i], "failed<0.5%,p50<100ms");
        t.w.limit = app_bucket_plan_make(LIMIT, LIMIT_DEPTH);
        if (scenarios[i]->paces_requests) {
            t.w.load.cfg.conns = 100;
            t.w.load.cfg.requests = 0;
        }
        run_search(&t, 0);
        assert_int_equal(t.s->hunt.phase, APP_HUNT_FOUND);
        assert_string_equal(app_search_doubt(t.s, doubt, sizeof doubt), "");
        assert_found(&t, LIMIT, 0.02);
        assert_true(app_search_found(t.s)->confirms);
        assert_true(t.s->best_times[APP_METRIC_COMPLETE].max_ns < ms_to_ns(100));
        end(&t);
    }
}

static void the_times_of_a_step_are_its_own(void **state)
{
    struct searching t;
    (void)state;
    begin(&t, &app_scenario_http, "max<15ms"); /* it takes two round trips */
    run_search(&t, 0);
    assert_int_equal(t.s->hunt.phase, APP_HUNT_NOTHING);
    assert_null(app_search_found(t.s));
    for (uint32_t i = 0; i < t.s->n_steps; i++) {
        const struct app_step *step = &t.s->steps[i];
        const struct app_latency *l = &step->latency[APP_METRIC_COMPLETE];
        assert_true(fabs((double)l->n - (double)step->rate * step->steady_s) <= 1);
        assert_in_range(l->max_ns, ms_to_ns(2 * RTT_MS), ms_to_ns(2 * RTT_MS + 3 * POLL_MS));
        assert_true(fabs((double)step->attempts - (double)l->n) <= 1);
        assert_int_equal(step->failed, 0);
    }
    end(&t);
}

static void a_rate_that_is_allowed_and_met_is_the_end(void **state)
{
    struct searching t;
    (void)state;
    begin(&t, &app_scenario_http, "failed<0.5%");
    t.w.limit = app_bucket_plan_make(900, LIMIT_DEPTH);
    run_search(&t, 300);
    assert_int_equal(t.s->hunt.phase, APP_HUNT_CEILING);
    assert_int_equal(app_search_found(t.s)->rate, 300);
    end(&t);
}

/* 20 ms a connection of which ten may be open: 500 a second at most. */
static void what_has_no_room_is_missed_and_told(void **state)
{
    struct searching t;
    (void)state;
    begin(&t, &app_scenario_http, "failed<0.5%");
    t.w.load.cfg.conns = 10;
    run_search(&t, 0);
    assert_int_equal(t.s->hunt.phase, APP_HUNT_FOUND);
    assert_in_range(app_search_found(t.s)->rate, 200, 500);
    bool is_told = false;
    for (uint32_t i = 0; i < t.s->n_steps; i++)
        is_told = is_told || strstr(t.s->steps[i].why, "raise --conns") != NULL;
    assert_true(is_told);
    end(&t);
}

static void the_tester_s_limit_is_not_the_target_s(void **state)
{
    struct searching t;
    char doubt[APP_STEP_WHY_BYTES];
    (void)state;
    begin(&t, &app_scenario_http, "failed<0.5%");
    t.away_from_per_s = 400;
    run_search(&t, 0);
    assert_int_equal(t.s->end, APP_SEARCH_TESTER);
    assert_int_equal(app_search_found(t.s)->rate, 200);
    assert_non_null(strstr(app_search_doubt(t.s, doubt, sizeof doubt), "at 400 a second"));
    assert_int_equal(t.s->hunt.missed, 0);
    assert_int_equal(t.s->n_steps, 3 + APP_STEP_TRIES);
    end(&t);
}

/* Nothing comes back for a while: what began in that step is waited for, and the next is not
 * blamed. */
static void what_takes_long_is_waited_for(void **state)
{
    struct searching t;
    (void)state;
    begin(&t, &app_scenario_http, "failed<0.5%,max<1s");
    t.w.limit = app_bucket_plan_make(430, LIMIT_DEPTH);
    t.w.stall_ns = t.w.pair.now_ns + ms_to_ns(2000);
    t.w.stall_end_ns = t.w.stall_ns + ms_to_ns(12000);
    run_search(&t, 0);
    const struct app_step *steps = t.s->steps;
    assert_int_equal(steps[0].verdict, APP_STEP_MISSED);
    assert_true(steps[0].latency[APP_METRIC_COMPLETE].max_ns > ms_to_ns(10000));
    assert_int_equal(steps[1].verdict, APP_STEP_MET);
    assert_true(steps[1].latency[APP_METRIC_COMPLETE].max_ns < ms_to_ns(100));
    end(&t);
}

/* A server that is gone: what it owes is waited for only so long, and has failed. */
static void what_never_ends_has_failed(void **state)
{
    struct searching t;
    (void)state;
    begin(&t, &app_scenario_http, "failed<0.5%");
    t.w.stall_ns = t.w.pair.now_ns + ms_to_ns(2000);
    t.w.stall_end_ns = t.w.stall_ns + ms_to_ns(3600 * ONE_SECOND);
    run_search(&t, 0);
    assert_int_equal(t.s->hunt.phase, APP_HUNT_NOTHING);
    for (uint32_t i = 0; i < t.s->n_steps; i++)
        assert_true(t.s->steps[i].failed > 0);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hunt_ends_close_below_the_limit),
        cmocka_unit_test(a_hunt_says_how_else_it_ended),
        cmocka_unit_test(a_winner_that_fails_steps_down_once),
        cmocka_unit_test(the_limit_of_a_server_is_found),
        cmocka_unit_test(the_times_of_a_step_are_its_own),
        cmocka_unit_test(a_rate_that_is_allowed_and_met_is_the_end),
        cmocka_unit_test(what_has_no_room_is_missed_and_told),
        cmocka_unit_test(the_tester_s_limit_is_not_the_target_s),
        cmocka_unit_test(what_takes_long_is_waited_for),
        cmocka_unit_test(what_never_ends_has_failed),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
