/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_fixture.h"

/*
 * BBR on a bottleneck: it finds the rate, keeps the queue short, yields every five seconds, and
 * answers losses above its threshold but not below.
 */
#define MBIT_100 UINT64_C(12500000)

enum { MSS = 1448, RTT_US = 40000, BDP = 500000, S = 1000000 };

/** A connection that has opened with a round trip known from its handshake. */
static struct world *opened(void)
{
    struct world *w = world_new(TERN_CC_BBR, MSS);
    set_rtt(w, RTT_US);
    tern_cc_open(w->t, w->c);
    assert_true(w->c->cong != 0);
    return w;
}

static void starts_with_the_initial_window_paced(void **state)
{
    (void)state;
    struct world *w = opened();
    assert_int_equal(w->c->cwnd_bytes, 10 * MSS);
    /* 2.77 initial windows a round trip (§5.6.2), in steps of 16 bytes a second */
    const double want = 2.77 * 10 * MSS / (RTT_US * 1e-6);
    const double got = (double)tern_cc_pacing_rate(w->t, w->c);
    assert_true(got <= want && got > want - 64);
    world_free(w);
}

static void startup_doubles_each_round_trip(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(100 * MBIT_100, RTT_US, UINT32_MAX);
    path_run(p, w, 2 * RTT_US);
    for (int i = 0; i < 4; i++) {
        const uint32_t before = w->c->cwnd_bytes;
        path_run(p, w, 2 * RTT_US + RTT_US / 8); /* the ACK clock lags a little */
        assert_true(w->c->cwnd_bytes > 3 * before);
    }
    free(p);
    world_free(w);
}

static void converges_to_the_bottleneck(void **state)
{
    (void)state;
    const struct {
        uint64_t rate;
        uint32_t rtt_us;
        double buffer_bdp;
    } rows[] = {
        {MBIT_100, RTT_US, 1.0},
        {MBIT_100, RTT_US, 8.0},
        {MBIT_100 / 20, 100000, 2.0},
        {MBIT_100 * 10, 10000, 1.0},
        {MBIT_100 / 10, 30000, 4.0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double rate = (double)rows[i].rate, bdp = rate * rows[i].rtt_us * 1e-6;
        struct world *w = opened();
        set_rtt(w, rows[i].rtt_us);
        const uint32_t buffer = RTE_MAX((uint32_t)(bdp * rows[i].buffer_bdp), 12u * MSS);
        struct path *p = path_new(rows[i].rate, rows[i].rtt_us, buffer);
        path_run(p, w, 10 * S);
        path_forget(p);
        assert_true(path_run(p, w, 20 * S) > 0.92 * rate);
        /* and what waits in front of it is less than half a round trip (or three packets) */
        const double queue_us = p->queue_us_sum / (double)p->queue_samples;
        assert_true(queue_us < 0.5 * rows[i].rtt_us + 4.0 * MSS / rate * 1e6);
        const double paced = (double)tern_cc_pacing_rate(w->t, w->c);
        assert_true(paced > 0.8 * rate && paced < 1.4 * rate);
        free(p);
        world_free(w);
    }
}

static void startup_ends_and_drains(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 100 * BDP);
    path_run(p, w, 1 * S); /* 25 round trips: five to double, three to see the plateau, drain */
    path_forget(p);
    path_run(p, w, 1 * S);
    assert_true(p->queue_us_sum / (double)p->queue_samples < RTT_US * 0.5);
    assert_true(w->c->cwnd_bytes < 2.3 * BDP);
    free(p);
    world_free(w);
}

static void yields_in_probe_rtt(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 4 * BDP);
    path_run(p, w, 3 * S);
    uint64_t low_us = 0;
    uint32_t n_episodes = 0;
    bool was_low = false;
    for (const uint64_t end = now_us(w) + 20 * S; now_us(w) < end;) {
        const uint64_t before = now_us(w);
        path_run(p, w, 5000);
        const bool low = w->c->cwnd_bytes <= BDP * 6 / 10;
        low_us += low ? now_us(w) - before : 0;
        n_episodes += low && !was_low;
        was_low = low;
    }
    /* each 5 s, for 200 ms and up to a round trip more (§5.3.4.3) */
    assert_in_range(n_episodes, 3, 4);
    assert_in_range(low_us / n_episodes, 190000, 300000);
    free(p);
    world_free(w);
}

/** A pause of more than half of what 32 bits of milliseconds tell apart, while it yields. */
static void yields_no_longer_after_weeks_of_silence(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 4 * BDP);
    path_run(p, w, 3 * S);
    while (w->c->cwnd_bytes > BDP * 6 / 10)
        path_run(p, w, 5000);
    path_run(p, w, 100000); /* the 200 ms have begun */
    assert_true(w->c->cwnd_bytes <= BDP * 6 / 10);
    set_us(w, now_us(w) + UINT64_C(26) * 24 * 3600 * S);
    path_run(p, w, 3 * S);
    assert_true(w->c->cwnd_bytes > BDP * 6 / 10);
    free(p);
    world_free(w);
}

static void follows_a_path_that_changes(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 2 * BDP);
    path_run(p, w, 5 * S);
    p->bytes_per_s = 4 * MBIT_100; /* more room: found by probing */
    path_run(p, w, 20 * S);
    assert_true(path_run(p, w, 5 * S) > 0.85 * 4 * MBIT_100);
    p->bytes_per_s = MBIT_100; /* less: two cycles of the filter later */
    path_run(p, w, 15 * S);
    path_forget(p);
    assert_true(path_run(p, w, 5 * S) > 0.9 * MBIT_100);
    assert_true((double)tern_cc_pacing_rate(w->t, w->c) < 1.4 * MBIT_100);
    p->rtt_us = 2 * RTT_US; /* longer: min_rtt forgets within 10 s and two ProbeRTTs */
    path_run(p, w, 25 * S);
    path_forget(p);
    assert_true(path_run(p, w, 5 * S) > 0.85 * MBIT_100);
    free(p);
    world_free(w);
}

static void keeps_a_shallow_buffer_from_overflowing(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, BDP / 10);
    path_run(p, w, 5 * S);
    path_forget(p);
    assert_true(path_run(p, w, 30 * S) > 0.8 * MBIT_100);
    assert_true((double)p->dropped < 0.02 * (double)p->sent); /* the threshold is 2 % a round */
    free(p);
    world_free(w);
}

static void random_loss_below_the_threshold_does_not_slow_it(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, BDP);
    p->loss_per_million = 5000;
    path_run(p, w, 5 * S);
    const double bbr = path_run(p, w, 30 * S);
    assert_true(bbr > 0.8 * MBIT_100);
    free(p);
    world_free(w);

    w = world_with(TERN_CC_NEWRENO, MSS, 10 * MSS);
    p = path_new(MBIT_100, RTT_US, BDP);
    p->loss_per_million = 5000;
    path_run(p, w, 5 * S);
    assert_true(path_run(p, w, 30 * S) < bbr / 4);
    free(p);
    world_free(w);
}

static void heavy_loss_slows_it(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, BDP);
    path_run(p, w, 5 * S);
    p->loss_per_million = 200000;
    assert_true(path_run(p, w, 20 * S) < 0.6 * MBIT_100);
    free(p);
    world_free(w);
}

static void two_flows_with_the_same_seed_do_the_same(void **state)
{
    (void)state;
    uint64_t delivered[2];
    for (int i = 0; i < 2; i++) {
        struct world *w = opened();
        struct path *p = path_new(MBIT_100, RTT_US, BDP / 4);
        path_run(p, w, 15 * S);
        delivered[i] = p->delivered;
        free(p);
        world_free(w);
    }
    assert_int_equal(delivered[0], delivered[1]);
}

static void probes_at_times_that_the_seed_draws(void **state)
{
    (void)state;
    uint64_t delivered[2];
    for (uint64_t i = 0; i < 2; i++) {
        struct world *w = opened();
        w->t->keys.bbr.k0 = i;
        struct path *p = path_new(10 * MBIT_100, RTT_US, BDP);
        path_run(p, w, 15 * S);
        delivered[i] = p->delivered;
        free(p);
        world_free(w);
    }
    assert_int_not_equal(delivered[0], delivered[1]);
}

static void timeout_takes_one_segment_and_recovery_gives_the_window_back(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 2 * BDP);
    path_run(p, w, 4 * S);
    const uint32_t before = w->c->cwnd_bytes;
    tern_cc_reduce(w->t, w->c, TERN_CAUSE_TIMEOUT);
    assert_int_equal(w->c->cwnd_bytes, MSS); /* §5.6.4.4, RFC 5681 §3.1 (5681-4) */
    w->q->flags |= TERN_TXQ_RTO;
    path_run(p, w, RTT_US / 4);
    assert_true(w->c->cwnd_bytes < before);
    w->q->flags &= (uint16_t)~TERN_TXQ_RTO;
    path_run(p, w, RTT_US);
    assert_true(w->c->cwnd_bytes > before / 2);
    free(p);
    world_free(w);
}

static void undo_gives_the_window_back_and_startup_goes_on(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(10 * MBIT_100, RTT_US, UINT32_MAX);
    path_run(p, w, 3 * RTT_US);
    const uint32_t before = w->c->cwnd_bytes;
    tern_cc_reduce(w->t, w->c, TERN_CAUSE_TIMEOUT);
    tern_conn_cc(w->t, w->c)->undone(w->t, w->c, cong(w));
    assert_int_equal(w->c->cwnd_bytes, before);
    path_run(p, w, 3 * RTT_US);
    assert_true(w->c->cwnd_bytes > 4 * before);
    free(p);
    world_free(w);
}

/** The bottleneck halves. Without losses or marks max_bw would remember for two cycles. */
static double paced_after_halving(uint32_t mark_bytes)
{
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 100 * BDP);
    path_run(p, w, 4 * S);
    p->mark_bytes = mark_bytes;
    p->bytes_per_s = MBIT_100 / 2;
    path_run(p, w, 20 * RTT_US);
    const double paced = (double)tern_cc_pacing_rate(w->t, w->c);
    free(p);
    world_free(w);
    return paced;
}

static void ce_slows_it_like_loss(void **state)
{
    (void)state;
    assert_true(paced_after_halving(0) > 0.9 * MBIT_100);
    assert_true(paced_after_halving(1) < 0.65 * MBIT_100); /* §3.7 */
}

static void ce_while_probing_bounds_the_probe(void **state)
{
    (void)state;
    uint32_t queue[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct world *w = opened();
        struct path *p = path_new(10 * MBIT_100, RTT_US, 100 * BDP);
        path_run(p, w, 4 * S);
        p->mark_bytes = i * BDP / 4;
        path_run(p, w, 6 * S);
        path_forget(p);
        assert_true(path_run(p, w, 4 * S) > 0.9 * 10 * MBIT_100);
        queue[i] = p->queue_max_bytes;
        free(p);
        world_free(w);
    }
    print_message("queue %u, with marks %u\n", queue[0], queue[1]);
    assert_true(queue[1] < queue[0] / 2);
}

static void a_slow_application_does_not_slow_the_model(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 2 * BDP);
    path_run(p, w, 4 * S);
    p->app_bytes = BDP / 5;
    assert_true(path_run(p, w, 20 * S) < 0.25 * MBIT_100);
    assert_true((double)tern_cc_pacing_rate(w->t, w->c) > 0.85 * MBIT_100); /* §5.5.4 */
    p->app_bytes = 0;
    path_run(p, w, 5 * RTT_US);
    assert_true(path_run(p, w, S / 2) > 0.9 * MBIT_100);
    free(p);
    world_free(w);
}

static void restart_keeps_the_window_and_the_rate(void **state)
{
    (void)state;
    struct world *w = opened();
    struct path *p = path_new(MBIT_100, RTT_US, 2 * BDP);
    path_run(p, w, 4 * S);
    const uint32_t before = w->c->cwnd_bytes;
    w->c->snd.una = w->c->snd.nxt;
    p->head = p->tail;
    set_us(w, now_us(w) + 20 * S);
    tern_cc_restart(w->t, w->c); /* §5.4: not the restart window, but paced at bw */
    assert_int_equal(w->c->cwnd_bytes, before);
    const double paced = (double)tern_cc_pacing_rate(w->t, w->c);
    assert_true(paced > 0.9 * MBIT_100 && paced < 1.05 * MBIT_100);
    /* and the silence counts as ProbeRTT's */
    path_forget(p);
    path_run(p, w, 1 * S);
    assert_true(p->cwnd_min_bytes > BDP * 6 / 10);
    free(p);
    world_free(w);
}

/** Windows of 1 GiB and 100 Gbit/s over a tenth of a second: nothing overflows. */
static void holds_at_the_largest_rates(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_BBR, 8948);
    set_rtt(w, 100000);
    tern_cc_open(w->t, w->c);
    struct tern_cong *g = cong(w);
    for (uint32_t i = 1; i <= 40; i++) {
        const uint32_t n = 1u << 30;
        const struct tern_ack a = {
            .acked_bytes = n,
            .delivered_bytes = n,
            .prior_pipe_bytes = w->c->cwnd_bytes,
            .was_filled = true,
            .rtt_us = 100000,
            .rate_bytes = 1250000000, /* 12.5 GB/s */
            .interval_us = 100000,
            .prior_delivered_bytes = g->delivered_bytes,
            .sent_pipe_bytes = n,
        };
        set_us(w, now_us(w) + 100000);
        g->delivered_bytes += n;
        w->c->snd.nxt = w->c->snd.una;
        tern_cc_acked(w->t, w->c, &a);
        assert_true(w->c->cwnd_bytes <= 1u << 30);
        const double rate = (double)tern_cc_pacing_rate(w->t, w->c);
        assert_true(i < 2 || (rate > 0.88 * 12.5e9 && rate < 2.8 * 12.5e9));
    }
    assert_int_equal(w->c->cwnd_bytes, 1u << 30);
    world_free(w);
}

static void without_a_record_it_is_slow_start(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_BBR, MSS);
    world_has_cong = false;
    tern_cc_open(w->t, w->c);
    assert_int_equal(w->c->cong, 0);
    assert_int_equal(tern_cc_pacing_rate(w->t, w->c), 0);
    ack_full(w, 2 * MSS);
    assert_int_equal(w->c->cwnd_bytes, 12 * MSS);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_the_initial_window_paced),
        cmocka_unit_test(startup_doubles_each_round_trip),
        cmocka_unit_test(converges_to_the_bottleneck),
        cmocka_unit_test(startup_ends_and_drains),
        cmocka_unit_test(yields_in_probe_rtt),
        cmocka_unit_test(yields_no_longer_after_weeks_of_silence),
        cmocka_unit_test(follows_a_path_that_changes),
        cmocka_unit_test(keeps_a_shallow_buffer_from_overflowing),
        cmocka_unit_test(random_loss_below_the_threshold_does_not_slow_it),
        cmocka_unit_test(heavy_loss_slows_it),
        cmocka_unit_test(two_flows_with_the_same_seed_do_the_same),
        cmocka_unit_test(probes_at_times_that_the_seed_draws),
        cmocka_unit_test(timeout_takes_one_segment_and_recovery_gives_the_window_back),
        cmocka_unit_test(undo_gives_the_window_back_and_startup_goes_on),
        cmocka_unit_test(ce_slows_it_like_loss),
        cmocka_unit_test(ce_while_probing_bounds_the_probe),
        cmocka_unit_test(a_slow_application_does_not_slow_the_model),
        cmocka_unit_test(restart_keeps_the_window_and_the_rate),
        cmocka_unit_test(holds_at_the_largest_rates),
        cmocka_unit_test(without_a_record_it_is_slow_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
