/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_fixture.h"

/* What all algorithms share (cc.c), and NewReno, which is little more than that. */
#include <errno.h>

enum { MSS = 1460, CWND = 100 * MSS };

/* ---- the first window ---- */

static void initial_window_is_that_of_rfc_6928(void **state)
{
    (void)state;
    const struct {
        uint16_t mss;
        uint32_t segs, want;
    } rows[] = {
        /* min(10 MSS, max(2 MSS, 14600)) (6928-1) */
        {1460, 10, 14600},
        {536, 10, 5360},
        {1220, 10, 12200},
        {8960, 10, 17920},
        {4000, 10, 14600},
        {1460, 1, 1460},
        {1460, 3, 4380},
        {9000, 1, 9000},
        {65495, 1000, 1460000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(TERN_CC_NEWRENO, rows[i].mss);
        w->t->cfg.init_cwnd_segs = rows[i].segs;
        tern_cc_open(w->t, w->c);
        assert_int_equal(w->c->cwnd_bytes, rows[i].want);
        assert_int_equal(w->c->cong, 0);
        world_free(w);
    }
}

static void one_syn_lost_costs_nothing_two_all_but_one_segment(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_NEWRENO, MSS);
    w->c->backoff = 0x11; /* one doubling */
    tern_cc_open(w->t, w->c);
    assert_int_equal(w->c->cwnd_bytes, 10 * MSS);
    w->c->backoff = 0x22;
    tern_cc_open(w->t, w->c);
    assert_int_equal(w->c->cwnd_bytes, MSS); /* RFC 6928 §2 (6928-2) */
    world_free(w);
}

/* ---- slow start ---- */

static void slow_start_without_a_record_counts_bytes(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_NEWRENO, MSS);
    tern_cc_open(w->t, w->c);
    ack_full(w, MSS);
    assert_int_equal(w->c->cwnd_bytes, 11 * MSS);
    ack_full(w, 2 * MSS);
    assert_int_equal(w->c->cwnd_bytes, 13 * MSS);
    ack_full(w, 8 * MSS); /* L = 2 (RFC 3465 §2.3, 5681-2) */
    assert_int_equal(w->c->cwnd_bytes, 15 * MSS);
    assert_int_equal(w->c->cong, 0);
    world_free(w);
}

static void divided_acks_gain_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_NEWRENO, MSS);
    tern_cc_open(w->t, w->c);
    for (uint32_t i = 0; i < 10; i++) /* a segment, acknowledged in ten pieces (RFC 3465 §1) */
        ack_full(w, MSS / 10);
    assert_int_equal(w->c->cwnd_bytes, 11 * MSS);
    world_free(w);
}

static void after_a_timeout_it_is_one_segment_an_ack(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
    reduce(w, TERN_CAUSE_TIMEOUT);
    assert_int_equal(cong(w)->ssthresh_bytes, CWND / 2);
    w->q->flags |= TERN_TXQ_RTO;
    ack_full(w, 2 * MSS); /* L = 1 (RFC 3465 §2.3) */
    assert_int_equal(w->c->cwnd_bytes, 2 * MSS);
    world_free(w);
}

static void slow_start_ends_at_ssthresh_to_the_byte(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
    const uint32_t ssthresh = CWND + 1000;
    assert_int_equal(tern_cc_slow_start(w->t, w->c, ssthresh, MSS), MSS - 1000);
    assert_int_equal(w->c->cwnd_bytes, ssthresh);
    assert_int_equal(tern_cc_slow_start(w->t, w->c, ssthresh, 5 * MSS), 5 * MSS);
    assert_int_equal(w->c->cwnd_bytes, ssthresh);
    world_free(w);
}

/* ---- congestion avoidance ---- */

static void a_window_of_acks_adds_one_segment(void **state)
{
    (void)state;
    for (uint32_t segs = 1; segs <= 16; segs *= 2) { /* however they are stretched (5681-3) */
        struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
        cong(w)->ssthresh_bytes = CWND;
        for (uint32_t i = 1; i <= 50; i++) {
            ack_window(w, segs);
            assert_int_equal(w->c->cwnd_bytes, CWND + i * MSS);
        }
        world_free(w);
    }
}

static void one_ack_adds_one_segment_at_most(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
    cong(w)->ssthresh_bytes = CWND;
    ack_full(w, 10 * CWND);
    assert_int_equal(w->c->cwnd_bytes, CWND + MSS);
    ack_full(w, MSS);
    assert_int_equal(w->c->cwnd_bytes, CWND + MSS);
    world_free(w);
}

static void a_window_not_put_to_use_does_not_grow(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
    const struct tern_ack a = {.acked_bytes = 2 * MSS, .delivered_bytes = 2 * MSS};
    tern_cc_acked(w->t, w->c, &a); /* RFC 7661 §4.2 */
    assert_int_equal(w->c->cwnd_bytes, CWND);
    w->c->cong = 0;
    tern_cc_acked(w->t, w->c, &a);
    assert_int_equal(w->c->cwnd_bytes, CWND);
    world_free(w);
}

static void ece_and_fast_recovery_do_not_grow(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
    struct tern_ack a = {
        .acked_bytes = MSS, .delivered_bytes = MSS, .was_filled = true, .ece = true};
    tern_cc_acked(w->t, w->c, &a);
    assert_int_equal(w->c->cwnd_bytes, CWND);
    a.ece = false;
    w->q->flags |= TERN_TXQ_FAST;
    tern_cc_acked(w->t, w->c, &a);
    assert_int_equal(w->c->cwnd_bytes, CWND);
    w->q->flags = 0;
    tern_cc_acked(w->t, w->c, &a);
    assert_int_equal(w->c->cwnd_bytes, CWND + MSS);
    world_free(w);
}

/* ---- losses ---- */

static void loss_halves_what_was_in_flight(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, CWND);
    set_flight(w, CWND);
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS), CWND / 2);
    set_flight(w, CWND + 2 * MSS); /* limited transmit does not count (RFC 5681 §3.2 step 2) */
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS), CWND / 2);
    set_flight(w, CWND / 2); /* nor does a window that was not filled */
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_ECE), CWND / 4);
    w->q->flags |= TERN_TXQ_FILLED; /* but one that was, though an ACK took half of it by now */
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_TIMEOUT), CWND / 2);
    assert_int_equal(cong(w)->ssthresh_bytes, CWND / 2);
    world_free(w);
}

static void ssthresh_is_two_segments_at_least(void **state)
{
    (void)state;
    for (int cc = 0; cc < TERN_CC_COUNT; cc++) {
        struct world *w = world_with((enum tern_cc_kind)cc, MSS, MSS);
        for (int cause = TERN_CAUSE_LOSS; cause <= TERN_CAUSE_TIMEOUT; cause++) {
            set_flight(w, MSS);
            assert_int_equal(tern_cc_reduce(w->t, w->c, (enum tern_cc_cause)cause), 2 * MSS);
        }
        world_free(w);
    }
}

static void halves_and_grows_in_saw_teeth(void **state)
{
    (void)state;
    struct world *w = world_with(TERN_CC_NEWRENO, MSS, 10 * MSS);
    const uint32_t bdp = 50 * MSS;
    struct path *p = path_new(bdp * 20, 50000, bdp); /* 50 ms; a buffer of one BDP keeps it full */
    path_run(p, w, 20000000);
    path_forget(p);
    assert_true(path_run(p, w, 60000000) > 0.97 * bdp * 20);
    assert_in_range(p->cwnd_min_bytes, bdp * 9 / 10, bdp * 11 / 10);
    /* a tooth: 50 segments, one a round trip of 50 to 100 ms: 3.8 s, 16 in 60 s */
    assert_in_range(p->n_recoveries, 14, 18);
    free(p);
    world_free(w);
}

/* ---- pauses ---- */

static void restart_is_from_the_initial_window_towards_where_it_was(void **state)
{
    (void)state;
    for (int cc = 0; cc < TERN_CC_COUNT; cc++) {
        if (cc == TERN_CC_BBR)
            continue;
        struct world *w = world_with((enum tern_cc_kind)cc, MSS, CWND);
        cong(w)->ssthresh_bytes = 20 * MSS;
        tern_cc_restart(w->t, w->c);
        assert_int_equal(w->c->cwnd_bytes, 10 * MSS);            /* RFC 5681 §4.1 (5681-8) */
        assert_int_equal(cong(w)->ssthresh_bytes, CWND / 4 * 3); /* RFC 7661 §4.4.3 */
        w->c->cwnd_bytes = 4 * MSS;                              /* RW = min(IW, cwnd) */
        tern_cc_restart(w->t, w->c);
        assert_int_equal(w->c->cwnd_bytes, 4 * MSS);
        assert_int_equal(cong(w)->ssthresh_bytes, CWND / 4 * 3);
        world_free(w);
    }
}

static void restart_without_a_record(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_BBR, MSS);
    w->c->cwnd_bytes = CWND;
    tern_cc_restart(w->t, w->c);
    assert_int_equal(w->c->cwnd_bytes, 10 * MSS);
    world_free(w);
}

/* ---- the record ---- */

static void record_is_made_once(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_NEWRENO, MSS);
    struct tern_cong *g = tern_conn_cong_need(w->t, w->c);
    assert_ptr_equal(g, cong(w));
    assert_int_equal(g->ssthresh_bytes, UINT32_MAX);
    assert_int_equal(g->cc, TERN_CC_NEWRENO);
    g->ssthresh_bytes = 1;
    assert_ptr_equal(tern_conn_cong_need(w->t, w->c), g);
    assert_int_equal(g->ssthresh_bytes, 1);
    world_free(w);
}

/** una < mark means "not yet": that must hold from the first octet and beyond the fourth GiB. */
static void marks_lie_never_ahead_by_mistake(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_NEWRENO, MSS);
    w->c->snd.una.v = w->c->snd.nxt.v = 0x90000000;
    const struct tern_cong *g = tern_conn_cong_need(w->t, w->c);
    for (int i = 0; i < 1000; i++) {
        assert_false(tern_seq_before(w->c->snd.una, g->limited_end));
        assert_false(tern_seq_before(w->c->snd.una, g->cwr_end));
        assert_false(tern_seq_before(w->c->snd.una, g->reo_seq));
        ack_full(w, 10000000);
    }
    world_free(w);
}

static void without_a_record_one_segment_at_a_time(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_CUBIC, MSS);
    w->c->cwnd_bytes = CWND;
    world_has_cong = false;
    assert_int_equal(tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS), 2 * MSS);
    assert_int_equal(w->c->cwnd_bytes, MSS);
    assert_true(w->c->slow & TERN_SLOW_BARE);
    for (int i = 0; i < 5; i++)
        ack_full(w, MSS);
    assert_int_equal(w->c->cwnd_bytes, MSS);
    assert_int_equal(w->t->stats.cong_full, 1); /* counted once a connection */

    world_has_cong = true; /* one has come free */
    ack_full(w, MSS);
    assert_false(w->c->slow & TERN_SLOW_BARE);
    assert_int_equal(w->c->cong, CC_IDX);
    assert_int_equal(w->c->cwnd_bytes, 2 * MSS);
    world_free(w);
}

/* ---- changing the algorithm ---- */

static void a_change_starts_over_from_the_initial_window(void **state)
{
    (void)state;
    for (int from = 0; from < TERN_CC_COUNT; from++) {
        for (int to = 0; to < TERN_CC_COUNT; to++) {
            struct world *w = world_with((enum tern_cc_kind)from, MSS, CWND);
            assert_int_equal(tern_cc_set(w->t, w->c, (enum tern_cc_kind)to), 0);
            assert_int_equal(cong(w)->cc, to);
            assert_int_equal(w->c->cwnd_bytes, 10 * MSS);
            ack_full(w, MSS);
            assert_in_range(w->c->cwnd_bytes, 10 * MSS, 11 * MSS);
            world_free(w);
        }
    }
}

static void a_change_needs_a_record_only_if_it_is_one(void **state)
{
    (void)state;
    struct world *w = world_new(TERN_CC_CUBIC, MSS);
    world_has_cong = false;
    assert_int_equal(tern_cc_set(w->t, w->c, TERN_CC_CUBIC), 0);
    assert_int_equal(tern_cc_set(w->t, w->c, TERN_CC_BBR), -ENOBUFS);
    assert_false(w->c->slow & TERN_SLOW_BARE); /* nothing was lost */
    world_has_cong = true;
    assert_int_equal(tern_cc_set(w->t, w->c, TERN_CC_BBR), 0);
    assert_ptr_equal(tern_conn_cc(w->t, w->c), &tern_cc_bbr);
    assert_true(tern_cc_pacing_rate(w->t, w->c) > 0);
    world_free(w);
}

/* ---- bounds ---- */

static void windows_end_at_a_gibibyte(void **state)
{
    (void)state;
    for (int cc = 0; cc < TERN_CC_COUNT; cc++) {
        struct world *w = world_with((enum tern_cc_kind)cc, 65495, (1u << 30) - 10);
        for (int i = 0; i < 10; i++) {
            set_us(w, now_us(w) + 1000000);
            ack_full(w, 1u << 30);
            assert_true(w->c->cwnd_bytes <= 1u << 30);
        }
        assert_true(tern_cc_reduce(w->t, w->c, TERN_CAUSE_LOSS) <= 1u << 30);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initial_window_is_that_of_rfc_6928),
        cmocka_unit_test(one_syn_lost_costs_nothing_two_all_but_one_segment),
        cmocka_unit_test(slow_start_without_a_record_counts_bytes),
        cmocka_unit_test(divided_acks_gain_nothing),
        cmocka_unit_test(after_a_timeout_it_is_one_segment_an_ack),
        cmocka_unit_test(slow_start_ends_at_ssthresh_to_the_byte),
        cmocka_unit_test(a_window_of_acks_adds_one_segment),
        cmocka_unit_test(one_ack_adds_one_segment_at_most),
        cmocka_unit_test(a_window_not_put_to_use_does_not_grow),
        cmocka_unit_test(ece_and_fast_recovery_do_not_grow),
        cmocka_unit_test(loss_halves_what_was_in_flight),
        cmocka_unit_test(ssthresh_is_two_segments_at_least),
        cmocka_unit_test(halves_and_grows_in_saw_teeth),
        cmocka_unit_test(restart_is_from_the_initial_window_towards_where_it_was),
        cmocka_unit_test(restart_without_a_record),
        cmocka_unit_test(record_is_made_once),
        cmocka_unit_test(marks_lie_never_ahead_by_mistake),
        cmocka_unit_test(without_a_record_one_segment_at_a_time),
        cmocka_unit_test(a_change_starts_over_from_the_initial_window),
        cmocka_unit_test(a_change_needs_a_record_only_if_it_is_one),
        cmocka_unit_test(windows_end_at_a_gibibyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
