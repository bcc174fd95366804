/* SPDX-License-Identifier: BSD-3-Clause */
/* What of congestion control can be seen from outside: how much leaves at once, and when. The
 * algorithms themselves: test_cc_*.c. */
#include "tcp_flight.h"

/** The initial window as it shows: what leaves at once of a long write. */
static uint32_t first_flight(struct peer *p)
{
    const struct flight f = at_rest(p);
    queue_segs(&f, 40);
    return skip_segments(p);
}

/* ---- the initial window ---- */

/** Accept a connection whose SYN-ACK has to be sent `n` times again. */
static void establish_with_syn_acks_lost(struct peer *p, uint32_t n)
{
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    for (; n > 0; n--) {
        wait_segment(p, 60000);
        expect_segment(p, SYN | ACK, 0, 1, 0);
    }
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    p->seq = p->ack = 1;
}

static void one_lost_syn_ack_leaves_the_initial_window(void **state) /* 6928-2 */
{
    struct peer *p = *state;
    establish_with_syn_acks_lost(p, 1);
    assert_int_equal(first_flight(p), 10); /* 6928-1 */
}

static void two_lost_syn_acks_leave_one_segment(void **state) /* 6928-2 */
{
    struct peer *p = *state;
    establish_with_syn_acks_lost(p, 2);
    assert_int_equal(first_flight(p), 1);
}

/** Connect, with the SYN sent `n` times again. */
static void connect_with_syns_lost(struct peer *p, uint32_t n)
{
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    for (; n > 0; n--) {
        wait_segment(p, 60000);
        expect_segment(p, SYN, 0, 0, 0);
    }
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
    p->seq = p->ack = 1;
}

static void one_lost_syn_leaves_the_initial_window(void **state) /* 6928-2 */
{
    struct peer *p = *state;
    connect_with_syns_lost(p, 1);
    assert_int_equal(first_flight(p), 10);
}

static void two_lost_syns_leave_one_segment(void **state) /* 6928-2 */
{
    struct peer *p = *state;
    connect_with_syns_lost(p, 2);
    assert_int_equal(first_flight(p), 1);
}

static void initial_window_is_as_configured(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.init_cwnd_segs = 3;
    establish(p);
    assert_int_equal(first_flight(p), 3);
}

/* ---- pauses ---- */

/** Slow start up to 40 segments in flight, all acknowledged. */
static struct flight grow_to_forty(struct peer *p)
{
    const struct flight f = fly_sack(p, 10, RTT_MS);
    queue_segs(&f, 30);
    for (uint32_t n = 0; n < 40; n++)
        ack_seg(&f, n + 1);
    skip_segments(p);
    assert_int_equal(describe(p).unacked_bytes, 0);
    assert_in_range(cwnd_segs(&f), 25, 41);
    return f;
}

static void after_a_pause_the_initial_window_leaves_at_once(void **state) /* 5681-8 */
{
    struct peer *p = *state;
    grow_to_forty(p);
    advance_ms(p, 10000);
    assert_int_equal(first_flight(p), 10);
}

static void short_pause_costs_nothing(void **state) /* 5681-8: only longer than an RTO */
{
    struct peer *p = *state;
    const struct flight f = grow_to_forty(p);
    const uint32_t segs = cwnd_segs(&f);
    advance_ms(p, describe(p).rto_us / 1000 - 10);
    assert_int_equal(first_flight(p), segs);
}

static void pause_does_not_widen_a_small_window(void **state) /* RFC 5681 §4.1: min(IW, cwnd) */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 1, RTT_MS);
    wait_segment(p, 1000);
    expect_seg(&f, 0); /* a timeout: one segment */
    ack_seg(&f, 1);
    const uint32_t segs = cwnd_segs(&f);
    assert_in_range(segs, 1, 2);
    advance_ms(p, 10000);
    assert_int_equal(first_flight(p), segs);
}

/* ---- growth ---- */

static void window_that_is_not_filled_does_not_grow(void **state) /* RFC 7661 §4.2 */
{
    struct peer *p = *state;
    offer_sack(p);
    establish(p);
    for (int i = 0; i < 100; i++) {
        one_round_trip(p, 1);
        one_round_trip(p, 1);
    }
    assert_int_equal(first_flight(p), 10);
}

static void avoidance_adds_a_segment_a_round_trip(void **state) /* 5681-3 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 10, RTT_MS);
    advance_ms(p, RTT_MS);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    ack_seg(&f, 10);
    assert_int_equal(cwnd_segs(&f), 5); /* ssthresh */
    const struct flight g = at_rest(p);
    queue_segs(&g, 200);
    uint32_t sent = skip_segments(p), acked = 0;
    for (uint32_t round = 0; round < 8; round++) {
        advance_ms(p, RTT_MS);
        for (const uint32_t end = sent; acked < end;) {
            ack_seg(&g, ++acked);
            sent += skip_segments(p);
        }
        assert_int_equal(sent - acked, 6 + round);
    }
}

/* ---- choice ---- */

/** The share of a flight of 20 that a loss leaves, in percent. */
static uint32_t loss_leaves_pct(struct peer *p, enum tern_cc_kind kind)
{
    peer_restart(p);
    p->cfg.stack.init_cwnd_segs = 20;
    offer_sack(p);
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_CC, kind), 0);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_CC), kind);
    assert_int_equal(describe(p).cc, kind);
    const struct flight f = at_rest(p);
    queue_segs(&f, 20);
    expect_segs(&f, 0, 20);
    advance_ms(p, RTT_MS);
    sack(&f, 0, 1, 10);
    skip_segments(p);
    return describe(p).ssthresh_bytes / f.mss * 5;
}

static void connection_chooses_its_algorithm(void **state)
{
    struct peer *p = *state;
    assert_int_equal(loss_leaves_pct(p, TERN_CC_NEWRENO), 50); /* RFC 5681 §3.1 */
    assert_int_equal(loss_leaves_pct(p, TERN_CC_CUBIC), 70);   /* RFC 9438 §4.6 */
    assert_int_equal(loss_leaves_pct(p, TERN_CC_DCTCP), 50);   /* RFC 8257 §3.5 */
}

static void unknown_algorithm_is_refused(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_CC, TERN_CC_COUNT), -EINVAL);
    assert_int_equal(describe(p).cc, TERN_CC_CUBIC);
}

/* ---- pacing ---- */

static void paced_window_is_spread_over_the_round_trip(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.pacing = true;
    offer_sack(p);
    establish(p);
    one_round_trip(p, RTT_MS);
    const struct flight f = at_rest(p);
    queue_segs(&f, 10);
    const uint64_t start_ns = p->now_ns;
    uint32_t at_once = 0;
    for (uint32_t n = 0; n < 10; n++) {
        wait_segment(p, RTT_MS);
        expect_seg(&f, n);
        at_once += p->now_ns == start_ns;
    }
    /* in slow start twice cwnd a round trip (10 in 50 ms), with two or three ahead */
    assert_in_range(at_once, 1, 3);
    assert_in_range((p->now_ns - start_ns) / 1000000, 30, 50);
    assert_int_equal(stats(p)->retransmits, 0);
}

static void unpaced_window_leaves_at_once(void **state)
{
    struct peer *p = *state;
    fly_sack(p, 10, RTT_MS);
    assert_int_equal(describe(p).pacing_bytes_per_s, 0);
}

static void pacing_can_be_chosen_for_one_connection(void **state)
{
    struct peer *p = *state;
    offer_sack(p);
    establish(p);
    one_round_trip(p, RTT_MS);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_PACING, 1), 0);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_PACING), 1);
    const struct flight f = at_rest(p);
    queue_segs(&f, 10);
    assert_in_range(skip_segments(p), 1, 3);
    assert_in_range(describe(p).pacing_bytes_per_s, 190 * f.mss, 210 * f.mss);
    advance_ms(p, RTT_MS / 2);
    assert_in_range(skip_segments(p), 7, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(one_lost_syn_ack_leaves_the_initial_window),
        BOTH(two_lost_syn_acks_leave_one_segment),
        BOTH(one_lost_syn_leaves_the_initial_window),
        BOTH(two_lost_syns_leave_one_segment),
        BOTH(initial_window_is_as_configured),
        BOTH(after_a_pause_the_initial_window_leaves_at_once),
        BOTH(short_pause_costs_nothing),
        BOTH(pause_does_not_widen_a_small_window),
        BOTH(window_that_is_not_filled_does_not_grow),
        BOTH(avoidance_adds_a_segment_a_round_trip),
        BOTH(connection_chooses_its_algorithm),
        BOTH(unknown_algorithm_is_refused),
        BOTH(paced_window_is_spread_over_the_round_trip),
        BOTH(unpaced_window_leaves_at_once),
        BOTH(pacing_can_be_chosen_for_one_connection),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
