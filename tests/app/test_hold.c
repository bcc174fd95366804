/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections that are held and tick, in virtual time: each as often as --tick says, all of them
 * evenly, timed from when a tick was meant to be; and every tick is answered, or was not.
 */
#include "load_world.h"

enum { CONNS = 50, TICK_MS = 500, HELD_MS = 10 * 1000, SOON_MS = 100 };
enum { ALL_TICKS = CONNS * (HELD_MS / TICK_MS) };

static void begin_world(struct world *w)
{
    world_init(w, &app_scenario_hold_ticking, 100000, false);
    w->load.cfg.conns = CONNS;
    w->load.cfg.echo_bytes = 64;
    w->load.cfg.tick_ns = ms_to_ns(TICK_MS);
    w->load.cfg.steady_ns = 0; /* the run's end decides */
}

static void start_world(struct world *w, const char *service)
{
    start_server(w, service);
    start_load(w);
    run_world(w, SOON_MS);
    assert_int_equal(w->load.workers[0]->live, CONNS);
}

static uint64_t n_asked(const struct world *w)
{
    const struct app_load_counts c = counts_of(w);
    return c.asked[true] + c.asked[false];
}

static void ticks_are_as_many_as_they_should_be_and_even(void **state)
{
    enum { STEP_MS = 50, EACH = CONNS * STEP_MS / TICK_MS };
    struct world w;
    (void)state;
    begin_world(&w);
    start_world(&w, "echo");
    const uint64_t before = n_asked(&w);
    for (uint32_t ms = 0; ms < HELD_MS; ms += STEP_MS) {
        const uint64_t n = n_asked(&w);
        run_world(&w, STEP_MS);
        assert_about((double)(n_asked(&w) - n), EACH - 1, EACH + 1);
    }
    assert_about((double)(n_asked(&w) - before), ALL_TICKS - 1, ALL_TICKS + 1);
    assert_int_equal(counts_of(&w).opened, CONNS);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 0), RTT_MS, RTT_MS + POLL_MS);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 100), RTT_MS, RTT_MS + POLL_MS + 0.1);
    const struct app_ledger l = end_load(&w);
    assert_int_equal(counts_of(&w).unanswered, 0);
    assert_int_equal(l.late, 0);
    assert_int_equal(l.ended[true][TERN_CLOSE_NORMAL] + l.ended[false][TERN_CLOSE_NORMAL], CONNS);
    free_world(&w);
}

/* No connection is asked more often than another. */
static void every_connection_has_its_turn(void **state)
{
    struct world w;
    struct tern_conn *conns[CONNS];
    uint64_t cursor = 0;
    (void)state;
    begin_world(&w);
    start_world(&w, "echo");
    run_world(&w, HELD_MS);
    assert_int_equal(tern_shard_conns(client(&w), &cursor, conns, CONNS), CONNS);
    const struct tern_stats *st = pair_stats(&w.pair, CLIENT);
    assert_about((double)st->rx_payload_bytes, 64.0 * ALL_TICKS, 64.0 * (ALL_TICKS + CONNS));
    for (uint32_t i = 0; i < CONNS; i++) {
        struct tern_conn_info info;
        tern_conn_describe(client(&w), conns[i], &info);
        assert_int_equal(info.unread_bytes, 0);
    }
    end_load(&w);
    free_world(&w);
}

/* Those due in the stall wait, one behind the other on their connection, and are all timed. */
static void a_stall_is_seen_by_all_ticks_that_were_due_in_it(void **state)
{
    enum { STALL_MS = 1800 };
    struct world w;
    (void)state;
    begin_world(&w);
    start_world(&w, "echo");
    stall(&w, SOON_MS + 2000, STALL_MS);
    const uint64_t before = n_asked(&w);
    run_world(&w, HELD_MS);
    assert_about((double)(n_asked(&w) - before), ALL_TICKS - 1, ALL_TICKS + 1);
    const uint64_t asked = n_asked(&w);
    const struct app_ledger l = end_load(&w);
    assert_int_equal(l.late, 0);
    assert_int_equal(counts_of(&w).answered, asked);
    assert_int_equal(n_timed(&w, APP_METRIC_COMPLETE), asked);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 50), RTT_MS, RTT_MS + 2 * POLL_MS);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 90), 700, 1300); /* 18 % lie in the stall */
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 100), STALL_MS, STALL_MS + 5 * RTT_MS);
    free_world(&w);
}

static void a_worker_that_was_away_says_so(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    start_world(&w, "echo");
    run_world(&w, 1000);
    pair_run_ms(&w.pair, 200); /* no tick */
    const uint64_t before = n_asked(&w);
    run_world(&w, SOON_MS);
    assert_about(
        (double)(n_asked(&w) - before), CONNS * 300 / TICK_MS - 1, CONNS * 300 / TICK_MS + 1);
    const struct app_ledger l = end_load(&w);
    assert_about((double)l.late, CONNS * 200 / TICK_MS - 2, CONNS * 200 / TICK_MS);
    assert_about((double)l.late_max_ns / 1e6, 180, 210);
    free_world(&w);
}

/* Bytes that nobody asked for. */
static void what_is_no_echo_fails_under_its_name(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    w.load.cfg.count = CONNS;
    start_server(&w, "chargen");
    start_load(&w);
    run_world(&w, HELD_MS);
    const struct app_ledger l = end_load(&w);
    const uint32_t mismatch = TERN_CLOSE_COUNT + APP_FAIL_ECHO_MISMATCH;
    assert_int_equal(l.ended[true][mismatch] + l.ended[false][mismatch], CONNS);
    assert_int_equal(counts_of(&w).answered, 0);
    free_world(&w);
}

/* The server is gone with a tick under way: it and those behind it are unanswered. */
static void a_tick_that_is_lost_is_unanswered(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    w.load.cfg.conns = w.load.cfg.count = 1;
    assert_int_equal(
        tern_sock_listen(w.pair.end[SERVER], NULL, PAIR_PORT, 16, &w.pair.listener), 0);
    start_load(&w);
    run_world(&w, SOON_MS);
    w.pair.server = tern_sock_accept(w.pair.listener);
    assert_non_null(w.pair.server);
    run_world(&w, 3 * TICK_MS + SOON_MS);
    tern_sock_abort(w.pair.server);
    run_world(&w, SOON_MS);
    const struct app_ledger l = end_load(&w);
    assert_int_equal(l.ended[true][TERN_CLOSE_RESET] + l.ended[false][TERN_CLOSE_RESET], 1);
    assert_int_equal(counts_of(&w).unanswered, 3);
    assert_int_equal(counts_of(&w).answered, 0);
    free_world(&w);
}

/* A connection that goes is passed over, be it the next in turn. */
static void connections_may_come_and_go(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    w.load.cfg.hold_ns = ms_to_ns(3 * TICK_MS / 2);
    start_world(&w, "echo");
    run_world(&w, HELD_MS);
    const struct app_load_counts c = counts_of(&w);
    assert_true(c.opened > CONNS * (HELD_MS / (2 * TICK_MS)));
    assert_about((double)n_asked(&w), ALL_TICKS * 0.95, ALL_TICKS * 1.05); /* as many are open */
    const struct app_ledger l = end_load(&w);
    assert_int_equal(counts_of(&w).unanswered, 0);
    assert_int_equal(
        l.ended[true][TERN_CLOSE_NORMAL] + l.ended[false][TERN_CLOSE_NORMAL], c.opened);
    free_world(&w);
}

static void without_ticks_nothing_is_asked(void **state)
{
    struct world w;
    (void)state;
    for (int idle = 0; idle < 2; idle++) {
        begin_world(&w);
        w.load.cfg.tick_ns = 0;
        w.load.cfg.scenario = idle == 1 ? &app_scenario_hold : &app_scenario_hold_ticking;
        start_world(&w, "discard");
        const uint64_t packets = pair_stats(&w.pair, CLIENT)->tx_packets;
        run_world(&w, HELD_MS);
        assert_int_equal(pair_stats(&w.pair, CLIENT)->tx_packets, packets);
        assert_int_equal(n_asked(&w), 0);
        const struct app_ledger l = end_load(&w);
        assert_int_equal(
            l.ended[true][TERN_CLOSE_NORMAL] + l.ended[false][TERN_CLOSE_NORMAL], CONNS);
        free_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_as_many_as_they_should_be_and_even),
        cmocka_unit_test(every_connection_has_its_turn),
        cmocka_unit_test(a_stall_is_seen_by_all_ticks_that_were_due_in_it),
        cmocka_unit_test(a_worker_that_was_away_says_so),
        cmocka_unit_test(what_is_no_echo_fails_under_its_name),
        cmocka_unit_test(a_tick_that_is_lost_is_unanswered),
        cmocka_unit_test(connections_may_come_and_go),
        cmocka_unit_test(without_ticks_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
