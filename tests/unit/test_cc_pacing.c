/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_fixture.h"

/* Pacing: the rate, what may leave at once, and that a late timer costs nothing. */

enum { MSS = 1460, CWND = 100 * MSS, RTT_US = 40000 };

#define TICK_NS (UINT64_C(1) << TERN_TICK_SHIFT)
#define MS      UINT64_C(1000000)

static struct world *paced(enum tern_cc_kind cc, uint32_t cwnd_bytes, uint32_t rtt_us)
{
    struct world *w = world_new(cc, MSS);
    w->t->cfg.pacing = true;
    tern_cc_open(w->t, w->c);
    assert_int_equal(w->c->cong, CC_IDX);
    w->c->cwnd_bytes = cwnd_bytes;
    set_rtt(w, rtt_us);
    return w;
}

/** Send all that may leave now. @return bytes */
static uint64_t send_all(struct world *w)
{
    uint64_t n = 0;
    while (tern_cc_may_send_now(w->t, w->c)) {
        tern_cc_sent(w->t, w->c, MSS);
        n += MSS;
        assert_true(n < UINT64_C(1) << 30);
    }
    assert_true(cong(w)->flags & TERN_CG_PACE_WAIT);
    return n;
}

static void unpaced_unless_asked_for(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_CUBIC, MSS, CWND);
    set_rtt(w, RTT_US);
    assert_int_equal(tern_cc_pacing_rate(w->t, w->c), 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(tern_cc_may_send_now(w->t, w->c));
        tern_cc_sent(w->t, w->c, MSS);
    }
    assert_int_equal(cong(w)->pace_ns, 0);
    cong(w)->flags |= TERN_CG_PACED;
    assert_true(tern_cc_pacing_rate(w->t, w->c) > 0);
    w->c->cong = 0;
    assert_true(tern_cc_may_send_now(w->t, w->c));
    world_free(w);
}

static void rate_is_twice_the_window_in_slow_start_then_a_quarter_more(void **state)
{
    (void)state;
    struct world *w = paced(TERN_CC_CUBIC, CWND, RTT_US);
    const uint64_t window = UINT64_C(1000000) * CWND / RTT_US;
    assert_int_equal(tern_cc_pacing_rate(w->t, w->c), 2 * window);
    cong(w)->ssthresh_bytes = CWND;
    assert_int_equal(tern_cc_pacing_rate(w->t, w->c), window * 5 / 4);
    w->c->rttvar_us4 = 0; /* no round trip measured, whatever srtt stands for */
    assert_int_equal(tern_cc_pacing_rate(w->t, w->c), 0);
    world_free(w);
}

/** What may leave at once after a pause: 1 ms of sending or 64 KB; two segments; three ticks. */
static double burst_bytes(double rate)
{
    const double stride = RTE_MAX(RTE_MIN(rate * 0.5e-3, 32768.0), (double)MSS);
    const double tick = rate * 1e-9 * (double)TICK_NS;
    return RTE_MAX(stride, tick) + RTE_MAX(stride, 2 * tick);
}

static void a_burst_leaves_then_the_rate(void **state)
{
    (void)state;
    const struct {
        uint32_t cwnd, rtt_us;
    } rows[] = {
        {CWND, RTT_US},      /* 7.3 MB/s: 1 ms is five segments */
        {10 * MSS, 300000},  /* 97 KB/s: two segments */
        {1000 * MSS, 10000}, /* 292 MB/s: three ticks are 115 KB */
        {1 << 30, 100000},   /* 21 GB/s */
        {2 * MSS, 1000000},  /* 6 KB/s */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = paced(TERN_CC_CUBIC, rows[i].cwnd, rows[i].rtt_us);
        const uint64_t start = w->t->now_ns;
        const double rate = (double)tern_cc_pacing_rate(w->t, w->c);
        const double rounded = 0.5e-9 * rate / MSS; /* pace_ns counts whole ns */
        const double most = burst_bytes(rate) * (1 + rounded) + MSS;
        uint64_t sent = send_all(w);
        assert_true((double)sent >= burst_bytes(rate) * (1 - rounded) - 1 && (double)sent <= most);
        for (int n = 0; n < 2000; n++) { /* woken by the first tick at or after pace_ns */
            const uint64_t tick = (cong(w)->pace_ns + TICK_NS - 1) / TICK_NS;
            tern_tcp_set_time(w->t, tick * TICK_NS);
            const uint64_t burst = send_all(w);
            assert_true((double)burst <= most);
            sent += burst;
        }
        const double secs = (double)(w->t->now_ns - start) * 1e-9;
        assert_true((double)sent >= (0.9999 - rounded) * rate * secs);
        assert_true((double)sent <= (1 + rounded) * rate * secs + most);
        world_free(w);
    }
}

static void a_pause_earns_one_burst(void **state)
{
    (void)state;
    struct world *w = paced(TERN_CC_CUBIC, CWND, RTT_US);
    const uint64_t first = send_all(w);
    /* woken a second late */
    tern_tcp_set_time(w->t, w->t->now_ns + 1000 * MS);
    assert_in_range(send_all(w), first - MSS, first + MSS);
    /* not waiting: the application had nothing to send */
    tern_tcp_set_time(w->t, cong(w)->pace_ns);
    assert_true(tern_cc_may_send_now(w->t, w->c));
    tern_cc_sent(w->t, w->c, MSS);
    tern_tcp_set_time(w->t, w->t->now_ns + 1000 * MS);
    assert_in_range(send_all(w), first - MSS, first + MSS);
    world_free(w);
}

static void acks_do_not_break_the_wait(void **state)
{
    (void)state;
    struct world *w = paced(TERN_CC_CUBIC, CWND, RTT_US);
    send_all(w);
    const uint64_t due = cong(w)->pace_ns;
    assert_int_equal(w->t->stats.paced, 1);
    for (int i = 0; i < 10; i++) {
        ack_full(w, MSS);
        assert_false(tern_cc_may_send_now(w->t, w->c));
    }
    assert_int_equal(cong(w)->pace_ns, due);
    assert_int_equal(w->t->stats.paced, 1); /* one output waited */
    tern_tcp_set_time(w->t, due - 1);
    assert_false(tern_cc_may_send_now(w->t, w->c));
    tern_tcp_set_time(w->t, due);
    assert_true(tern_cc_may_send_now(w->t, w->c));
    world_free(w);
}

static void an_estimate_gone_wrong_does_not_silence(void **state)
{
    (void)state;
    struct world *w = paced(TERN_CC_CUBIC, MSS, 500000000 / 8);
    w->c->srtt_us8 = UINT32_MAX;
    assert_true(tern_cc_pacing_rate(w->t, w->c) >= MSS); /* a segment a second */
    world_free(w);
}

static void a_paced_slow_start_still_doubles(void **state)
{
    (void)state;
    struct world *w = paced(TERN_CC_NEWRENO, 10 * MSS, RTT_US);
    struct path *p = path_new(1250000000, RTT_US, UINT32_MAX);
    path_run(p, w, 6 * RTT_US + RTT_US / 2);
    assert_true(w->c->cwnd_bytes > 10 * MSS * 32);
    free(p);
    world_free(w);
}

static void pacing_needs_less_buffer(void **state)
{
    (void)state;
    uint32_t queue[2];
    for (int i = 0; i < 2; i++) {
        struct world *w = world_new(TERN_CC_CUBIC, MSS);
        w->t->cfg.pacing = i == 1;
        set_rtt(w, RTT_US);
        tern_cc_open(w->t, w->c);
        assert_non_null(tern_conn_cong_need(w->t, w->c));
        struct path *p = path_new(125000000, RTT_US, UINT32_MAX);
        path_run(p, w, RTT_US / 2); /* the initial window, at once or spread */
        queue[i] = p->queue_max_bytes;
        free(p);
        world_free(w);
    }
    assert_true(queue[0] >= 8 * MSS);
    assert_true(queue[1] <= 2 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpaced_unless_asked_for),
        cmocka_unit_test(rate_is_twice_the_window_in_slow_start_then_a_quarter_more),
        cmocka_unit_test(a_burst_leaves_then_the_rate),
        cmocka_unit_test(a_pause_earns_one_burst),
        cmocka_unit_test(acks_do_not_break_the_wait),
        cmocka_unit_test(an_estimate_gone_wrong_does_not_silence),
        cmocka_unit_test(a_paced_slow_start_still_doubles),
        cmocka_unit_test(pacing_needs_less_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
