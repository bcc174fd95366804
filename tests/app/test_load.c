/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A load in virtual time, against a service of ours over a line of 5 ms. What is asked throughout:
 * times count from when a connection was meant to begin, so a target that stalls is seen by all
 * that it kept waiting, opened or not; and every start ends under one name.
 */
#include "load_world.h"

enum { RATE = 200, STALL_AT_MS = 2000, STALL_MS = 900 };

static void begin_world(struct world *w, const struct app_scenario *scenario)
{
    world_init(w, scenario, 100000, false);
    w->load.cfg.rate = RATE;
    w->load.cfg.echo_bytes = 100;
    w->load.cfg.requests = 1;
}

static void start_world(struct world *w)
{
    start_server(w, w->load.cfg.scenario == &app_scenario_echo ? "echo" : "discard");
    start_load(w);
}

static void a_quiet_target_takes_its_round_trips(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_echo);
    start_world(&w);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    l = end_load(&w);
    assert_int_equal(l.begun[true], RATE * STEADY_S);
    assert_int_equal(l.ended[true][TERN_CLOSE_NORMAL], RATE * STEADY_S);
    assert_int_equal(l.late + l.held_back, 0);
    assert_int_equal(app_load_not_started(&w.load), 0);
    for (int i = 0; i < 2; i++) { /* the smallest, and all but the largest */
        const double percent = i == 0 ? 0 : 100;
        assert_about(at_percent(&w, APP_METRIC_CONNECT, percent), RTT_MS, RTT_MS + POLL_MS + 0.1);
        assert_about(
            at_percent(&w, APP_METRIC_FIRST_BYTE, percent), 2 * RTT_MS, 2 * RTT_MS + POLL_MS + 0.1);
    }
    assert_int_equal(n_timed(&w, APP_METRIC_COMPLETE), RATE * STEADY_S);
    assert_int_equal(n_timed(&w, APP_METRIC_CLOSE), RATE * STEADY_S);
    assert_int_equal(n_timed(&w, APP_METRIC_FAILED), 0);
    free_world(&w);
}

/* 18 % of all starts lie in the stall and wait for its end, the first of them longest. */
static void assert_stall_is_seen(const struct world *w)
{
    assert_about(at_percent(w, APP_METRIC_CONNECT, 50), RTT_MS, RTT_MS + 2 * POLL_MS);
    assert_about(at_percent(w, APP_METRIC_CONNECT, 90), 380, 430);
    assert_about(at_percent(w, APP_METRIC_CONNECT, 99), 840, 880);
    assert_about(at_percent(w, APP_METRIC_CONNECT, 100), STALL_MS, STALL_MS + 2 * RTT_MS);
}

static void a_stall_is_seen_by_all_that_were_due_in_it(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_handshake);
    start_world(&w);
    stall(&w, STALL_AT_MS, STALL_MS);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    l = end_load(&w);
    assert_int_equal(l.begun[true], RATE * STEADY_S);
    assert_int_equal(l.late + l.held_back, 0);
    assert_stall_is_seen(&w);
    free_world(&w);
}

/* Where few may be open, most of the starts in the stall are made behind it: their times are the
 * same, and they are told from those that we are late with. */
static void a_stall_is_seen_though_few_may_be_open(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_handshake);
    w.load.cfg.conns = 20;
    start_world(&w);
    stall(&w, STALL_AT_MS, STALL_MS);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    l = end_load(&w);
    assert_int_equal(l.begun[true], RATE * STEADY_S);
    assert_true(l.held_back > RATE * STALL_MS / 1000 / 2);
    assert_int_equal(l.late, 0);
    assert_about((double)l.late_max_ns / 1e6, STALL_MS * 0.8, STALL_MS);
    assert_about(at_percent(&w, APP_METRIC_CONNECT, 90), 380, 600);
    assert_about(at_percent(&w, APP_METRIC_CONNECT, 99), 840, 1100);
    free_world(&w);
}

static void a_worker_that_was_away_says_so(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_handshake);
    start_world(&w);
    run_world(&w, 1000);
    pair_run_ms(&w.pair, 500); /* no tick */
    run_world(&w, STEADY_S * ONE_SECOND);
    l = end_load(&w);
    assert_int_equal(l.begun[true], RATE * STEADY_S);
    assert_about((double)l.late, RATE / 2 - 2, RATE / 2 + 2);
    assert_int_equal(l.held_back, 0);
    assert_about(at_percent(&w, APP_METRIC_CONNECT, 100), 500, 520);
    free_world(&w);
}

static void the_ramp_does_not_count(void **state)
{
    enum { RAMP_S = 2 };
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_handshake);
    w.load.cfg.ramp_ns = RAMP_S * UINT64_C(1000000000);
    start_world(&w);
    stall(&w, 500, STALL_MS);
    run_world(&w, (RAMP_S + STEADY_S) * ONE_SECOND + 100);
    l = end_load(&w);
    assert_int_equal(l.begun[true], RATE * STEADY_S);
    assert_about((double)l.begun[false], RAMP_S * RATE / 2, RAMP_S * RATE / 2 + 0.2 * RATE);
    assert_about(at_percent(&w, APP_METRIC_CONNECT, 100), RTT_MS, RTT_MS + 2 * POLL_MS);
    free_world(&w);
}

static void what_never_began_is_not_forgotten(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_handshake);
    w.load.cfg.conns = 20;
    start_world(&w);
    stall(&w, STALL_AT_MS, 100 * ONE_SECOND);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    l = end_load(&w);
    assert_true(l.begun[true] <= STALL_AT_MS * RATE / 1000 + 20);
    assert_int_equal(l.begun[true] + app_load_not_started(&w.load), RATE * STEADY_S);
    free_world(&w);
}

static void a_target_that_refuses_is_booked_under_its_name(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w, &app_scenario_handshake);
    w.target[0].port = PAIR_PORT + 1;
    start_world(&w);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    l = end_load(&w);
    assert_int_equal(l.ended[true][TERN_CLOSE_REFUSED], RATE * STEADY_S);
    assert_int_equal(n_timed(&w, APP_METRIC_FAILED), RATE * STEADY_S);
    assert_int_equal(n_timed(&w, APP_METRIC_CONNECT), 0);
    free_world(&w);
}

static void targets_take_turns_or_are_drawn(void **state)
{
    enum { COUNT = 400, HALF = COUNT / 2 };
    struct world w;
    struct app_ledger l;
    (void)state;
    for (int random = 0; random < 2; random++) {
        begin_world(&w, &app_scenario_handshake);
        w.target[1] = (struct app_load_target){w.target[0].addr, PAIR_PORT + 1, 2}; /* refuses */
        w.load.cfg.n_targets = 2;
        w.load.cfg.random_targets = random == 1;
        w.load.cfg.count = COUNT;
        start_world(&w);
        run_world(&w, STEADY_S * ONE_SECOND + 100);
        l = end_load(&w);
        const uint64_t refused =
            l.ended[true][TERN_CLOSE_REFUSED] + l.ended[false][TERN_CLOSE_REFUSED];
        if (random == 0)
            assert_int_equal(refused, HALF);
        else
            assert_about((double)refused, HALF - 50, HALF + 50);
        free_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_target_takes_its_round_trips),
        cmocka_unit_test(a_stall_is_seen_by_all_that_were_due_in_it),
        cmocka_unit_test(a_stall_is_seen_though_few_may_be_open),
        cmocka_unit_test(a_worker_that_was_away_says_so),
        cmocka_unit_test(the_ramp_does_not_count),
        cmocka_unit_test(what_never_began_is_not_forgotten),
        cmocka_unit_test(targets_take_turns_or_are_drawn),
        cmocka_unit_test(a_target_that_refuses_is_booked_under_its_name),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
