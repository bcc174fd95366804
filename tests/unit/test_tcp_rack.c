/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses noticed by time, and probes of the tail (RACK-TLP, RFC 8985). The round trip is 100 ms, so
 * a reordering window is 25 ms and a probe is due after 200 ms. */
#include "tcp_flight.h"

enum { REO_MS = 25, PTO_MS = 200 };

/** Another flight on the same connection, for one round trip. */
static struct flight fly_again(struct peer *p, uint32_t n)
{
    const struct flight f = at_rest(p);
    queue_segs(&f, n);
    expect_segs(&f, 0, n);
    advance_ms(p, RTT_MS);
    return f;
}

/* ---- RACK ---- */

static void hole_below_three_sacked_segments_is_lost_at_once(void **state) /* 8985-1 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 2);
    sack(&f, 0, 1, 3);
    expect_nothing(p);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    expect_nothing(p);
    assert_true(describe(p).recovering);
}

static void partly_acknowledged_burst_is_not_reordering(void **state) /* RFC 8985 §6.2 step 3 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    ack_seg(&f, 2); /* RACK.fack is here, not at the end of the burst */
    sack(&f, 2, 3, 6);
    expect_seg(&f, 2);
}

static void reordering_within_the_window_is_tolerated(void **state) /* 8985-3 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 2);
    expect_silence_ms(p, REO_MS - 2);
    ack_seg(&f, 2);
    ack_seg(&f, 10);
    expect_silence_ms(p, 10000);
    assert_int_equal(stats(p)->recoveries, 0);
}

static void hole_that_outlasts_the_window_is_lost(void **state) /* 8985-1, 8985-2 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 2); /* no three duplicates can come */
    sack(&f, 0, 1, 2);
    expect_nothing(p);
    expect_after_ms(p, REO_MS);
    expect_seg(&f, 0);
    expect_nothing(p);
    assert_int_equal(stats(p)->recoveries, 1);
}

static void writing_meanwhile_does_not_stop_the_window(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 2);
    sack(&f, 0, 1, 2);
    advance_ms(p, 10);
    queue_segs(&f, 3); /* more than the last buffer has room for */
    expect_segs(&f, 2, 5);
    expect_after_ms(p, REO_MS - 10);
    expect_seg(&f, 0);
}

static void ack_that_advances_leaves_the_window_running(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 3, 4);
    advance_ms(p, 10);
    sack(&f, 1, 3, 4);
    expect_after_ms(p, REO_MS - 10);
    expect_seg(&f, 1);
}

static void three_sacked_are_no_proof_once_reordering_was_seen(void **state) /* RFC 8985 §6.2 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 3, 4);
    sack(&f, 0, 2, 4); /* segment 2 came after segment 3 */
    sack(&f, 0, 1, 8);
    expect_nothing(p);
    expect_after_ms(p, REO_MS);
    expect_seg(&f, 0);
}

static void in_a_recovery_there_is_no_window(void **state) /* RFC 8985 §6.2 step 4 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    ack_seg(&f, 4);
    sack(&f, 4, 5, 6); /* one SACKED segment will do */
    expect_seg(&f, 4);
}

static void arrival_below_the_highest_is_reordering(void **state) /* RFC 8985 §6.2 step 3 */
{
    struct peer *p = *state;
    p->cfg.stack.init_cwnd_segs = 20;
    const struct flight f = fly_rtt(p, 20);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    advance_ms(p, RTT_MS);
    sack(&f, 4, 10, 11); /* the retransmission was sent last, but segment 10 is the highest */
    expect_segs(&f, 4, 9);
    sack(&f, 4, 9, 11); /* segment 9 was lost and had not been sent again */
    sack(&f, 4, 9, 20);
    skip_segments(p);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 20);
    const struct flight next = fly_again(p, 5);
    sack(&next, 0, 1, 4);
    expect_nothing(p);
    wait_segment(p, REO_MS + 1);
    expect_seg(&next, 0);
}

static void retransmission_passed_by_new_data_is_lost_too(void **state) /* 8985-1 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    advance_ms(p, 10);
    queue_segs(&f, 4);
    sack(&f, 0, 1, 10);
    expect_segs(&f, 10, 14);
    advance_ms(p, RTT_MS);
    sack(&f, 0, 1, 11); /* segment 10 left after the retransmission */
    expect_seg(&f, 0);
    expect_nothing(p);
    ack_seg(&f, 14);
    expect_silence_ms(p, 10000);
    assert_int_equal(stats(p)->recoveries, 1);
    assert_int_equal(stats(p)->rto_expired, 0);
}

static void retransmission_is_not_lost_before_a_round_trip(void **state) /* RFC 8985 §6.2 step 2 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 2, 5);
    expect_seg(&f, 0);
    advance_ms(p, 5);
    sack(&f, 0, 2, 7);
    expect_seg(&f, 1);
    advance_ms(p, 5);
    sack(&f, 0, 1, 7); /* too early for the second retransmission: its original came, and */
    expect_nothing(p); /* that says nothing about the first */
}

/** A round: two segments, the second is SACKED, the first is taken for lost after `wait_ms`. */
static struct flight lose_first_of_two(struct peer *p, uint32_t wait_ms)
{
    const struct flight f = fly_again(p, 2);
    sack(&f, 0, 1, 2);
    expect_nothing(p);
    expect_after_ms(p, wait_ms);
    expect_seg(&f, 0);
    return f;
}

static void duplicate_reports_widen_the_window_up_to_the_round_trip(void **state) /* 8985-3 */
{
    struct peer *p = *state;
    p->cfg.stack.rto_min_ms = 1000;
    offer_sack(p);
    establish(p);
    one_round_trip(p, RTT_MS);
    for (uint32_t round = 1; round <= 8; round++) {
        const uint32_t wnd_ms = round < 4 ? round * REO_MS : RTT_MS;
        const struct flight f = lose_first_of_two(p, wnd_ms);
        sack(&f, 2, 0, 1); /* both copies arrived */
        expect_nothing(p);
    }
    assert_int_equal(stats(p)->undone, 8);
}

static void duplicate_reports_of_one_round_trip_widen_once(void **state) /* RFC 8985 §6.2 step 4 */
{
    struct peer *p = *state;
    p->cfg.stack.rto_min_ms = 1000;
    offer_sack(p);
    establish(p);
    one_round_trip(p, RTT_MS);
    struct flight f = lose_first_of_two(p, REO_MS);
    sack(&f, 2, 0, 1);
    f = fly_again(p, 5);
    ack_seg(&f, 1);
    for (int i = 0; i < 5; i++)
        sack(&f, 1, 0, 1);
    ack_seg(&f, 5);
    lose_first_of_two(p, 3 * REO_MS);
}

static void widened_window_lasts_sixteen_recoveries(void **state) /* RFC 8985 §6.2 step 4 */
{
    struct peer *p = *state;
    p->cfg.stack.rto_min_ms = 1000;
    offer_sack(p);
    establish(p);
    one_round_trip(p, RTT_MS);
    struct flight f = lose_first_of_two(p, REO_MS);
    sack(&f, 2, 0, 1);
    for (int i = 0; i < 16; i++) {
        f = lose_first_of_two(p, 2 * REO_MS);
        ack_seg(&f, 2);
    }
    lose_first_of_two(p, REO_MS);
}

static void later_acks_of_a_burst_are_no_samples(void **state) /* RFC 6298 §3: one a round trip */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    ack_seg(&f, 2);
    const uint32_t srtt_us = describe(p).srtt_us;
    assert_in_range(srtt_us, RTT_MS * 1000 - 500, RTT_MS * 1000 + 500);
    advance_ms(p, 50); /* the peer's pause, not the path's */
    ack_seg(&f, 4);
    assert_int_equal(describe(p).srtt_us, srtt_us);
}

/* ---- tail loss probes ---- */

/* V127 */
static void tail_is_probed_after_two_round_trips(void **state) /* 8985-4, 8985-5 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 3, RTT_MS);
    const uint32_t rto_ms = describe(p).rto_us / 1000;
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 2); /* the last segment */
    expect_nothing(p);
    assert_int_equal(stats(p)->tlp_probes, 1);
    expect_after_ms(p, rto_ms); /* one probe a tail; the RTO began anew with it */
    expect_seg(&f, 0);
    assert_int_equal(stats(p)->tlp_probes, 1);
    assert_int_equal(stats(p)->rto_expired, 1);
    advance_ms(p, 10 * rto_ms);
    assert_int_equal(stats(p)->tlp_probes, 1);
    skip_segments(p);
}

static void probe_of_one_segment_waits_for_a_delayed_ack(void **state) /* 8985-4 */
{
    struct peer *p = *state;
    p->cfg.stack.rto_min_ms = 1000;
    const struct flight f = fly_sack(p, 1, RTT_MS);
    expect_after_ms(p, PTO_MS + 200);
    expect_seg(&f, 0);
    assert_int_equal(stats(p)->tlp_probes, 1);
}

static void probe_is_never_later_than_the_timeout(void **state) /* 8985-4 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 1, RTT_MS); /* 2 RTT + 200 ms would be 400 ms */
    expect_after_ms(p, 300);
    expect_seg(&f, 0);
    assert_int_equal(stats(p)->tlp_probes, 1);
    assert_int_equal(stats(p)->rto_expired, 0);
}

static void new_data_is_the_better_probe(void **state) /* 8985-5 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 10, RTT_MS);
    queue_segs(&f, 3);
    expect_nothing(p); /* cwnd is full */
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 10);
    expect_nothing(p);
    assert_int_equal(stats(p)->retransmits, 0);
}

static void what_nagle_held_back_is_new_data_too(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 3, RTT_MS);
    write_bytes(p, 10);
    expect_nothing(p);
    expect_after_ms(p, PTO_MS);
    expect_segment(p, ACK, f.base + 3 * f.mss, 1, 10);
}

static void new_data_beyond_the_window_is_no_probe(void **state)
{
    struct peer *p = *state;
    offer_sack(p);
    p->offer.has_wscale = false;
    establish(p);
    one_round_trip(p, RTT_MS);
    const struct flight f = at_rest(p);
    p->wnd = (uint16_t)(4 * f.mss);
    ack_seg(&f, 0);
    queue_segs(&f, 6);
    expect_segs(&f, 0, 4);
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 3);
}

static void ack_of_new_data_puts_the_probe_off(void **state) /* RFC 8985 §7.2 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 4, RTT_MS);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 2);
    expect_nothing(p);
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 3);
}

static void probe_after_a_partial_ack_condemns_nothing(void **state) /* RFC 8985 §6.2 step 5 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 10, RTT_MS);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 4);
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 9);
    advance_ms(p, 10);
    ack_seg(&f, 5); /* nothing that was sent later than segment 5 has arrived */
    expect_nothing(p);
    assert_int_equal(stats(p)->recoveries, 0);
}

static void probe_shows_what_the_tail_lost(void **state) /* RFC 8985 §7.1: FACK, then repair */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 5, RTT_MS);
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 4);
    advance_ms(p, RTT_MS);
    sack(&f, 2, 4, 5); /* the probe arrived, segments 2 and 3 had not */
    expect_segs(&f, 2, 4);
    assert_int_equal(stats(p)->rto_expired, 0);
}

static void no_probe_in_recovery(void **state) /* RFC 8985 §7.2 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    expect_after_ms(p, describe(p).rto_us / 1000);
    expect_seg(&f, 0);
    assert_int_equal(stats(p)->tlp_probes, 0);
}

static void no_probe_without_sack(void **state) /* RFC 8985 §7.2 */
{
    struct peer *p = *state;
    const struct flight f = fly(p, 3, RTT_MS);
    expect_after_ms(p, 300);
    expect_seg(&f, 0);
    assert_int_equal(stats(p)->tlp_probes, 0);
}

static void last_segment_with_fin_is_probed_whole(void **state) /* 8985-5 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 10, RTT_MS);
    queue_segs(&f, 2);
    tern_sock_shutdown(p->s);
    expect_nothing(p);
    ack_seg(&f, 10);
    expect_seg(&f, 10);
    expect_segment(p, FIN | ACK, f.base + 11 * f.mss, 1, f.mss);
    wait_segment(p, 1000);
    expect_segment(p, FIN | ACK, f.base + 11 * f.mss, 1, f.mss);
    expect_nothing(p);
    assert_int_equal(stats(p)->tlp_probes, 1);
}

static void last_segment_with_fin_is_sent_again_whole(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly(p, 10, RTT_MS);
    queue_segs(&f, 2);
    tern_sock_shutdown(p->s);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 10);
    expect_seg(&f, 10);
    expect_segment(p, FIN | ACK, f.base + 11 * f.mss, 1, f.mss);
    wait_segment(p, 1000);
    expect_seg(&f, 10); /* a timeout */
    ack_seg(&f, 11);
    expect_segment(p, FIN | ACK, f.base + 11 * f.mss, 1, f.mss);
    expect_nothing(p);
    inject(p, ACK, 1, f.base + 12 * f.mss + 1, 0);
    assert_state(p, TERN_FIN_WAIT_2);
}

/** Three segments, of which the last was sent again as a probe. */
static struct flight probe_tail(struct peer *p)
{
    const struct flight f = fly_sack(p, 3, RTT_MS);
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 2);
    advance_ms(p, RTT_MS);
    return f;
}

/** The flight after it is acknowledged. */
static void next_flight(struct peer *p, uint32_t n)
{
    const struct flight f = fly_again(p, n);
    ack_seg(&f, 1);
    expect_nothing(p);
}

/* V067 */
static void loss_repaired_by_the_probe_reduces_cwnd_once(void **state) /* 8985-6 */
{
    struct peer *p = *state;
    const struct flight f = probe_tail(p);
    ack_seg(&f, 3);
    assert_int_equal(stats(p)->recoveries, 0); /* one of the two arrived: which? */
    next_flight(p, 8);
    assert_int_equal(stats(p)->tlp_recovered, 1);
    assert_int_equal(stats(p)->recoveries, 1);
    assert_in_range(ssthresh_segs(&f), 3, 5);
    ack_seg(&f, 11);
    assert_false(describe(p).recovering);
    assert_in_range(cwnd_segs(&f), 3, 5);
    assert_int_equal(stats(p)->recoveries, 1);
}

static void probe_and_original_arriving_is_no_loss(void **state) /* 8985-6, RFC 8985 §7.4.2 */
{
    struct peer *p = *state;
    const struct flight f = probe_tail(p);
    ack_seg(&f, 3);
    sack(&f, 3, 2, 3); /* the second copy */
    next_flight(p, 8);
    assert_int_equal(stats(p)->tlp_recovered, 0);
    assert_int_equal(stats(p)->recoveries, 0);
}

static void both_copies_reported_in_one_ack_are_no_loss(void **state)
{
    struct peer *p = *state;
    const struct flight f = probe_tail(p);
    sack(&f, 3, 2, 3);
    next_flight(p, 8);
    assert_int_equal(stats(p)->tlp_recovered, 0);
}

static void second_copy_shown_by_a_plain_duplicate_is_no_loss(void **state) /* §7.4.2 */
{
    struct peer *p = *state;
    const struct flight f = probe_tail(p);
    ack_seg(&f, 3);
    ack_seg(&f, 3); /* from a peer without D-SACK */
    next_flight(p, 8);
    assert_int_equal(stats(p)->tlp_recovered, 0);
}

static void duplicate_with_sack_decides_nothing(void **state) /* RFC 8985 §7.4.2 */
{
    struct peer *p = *state;
    const struct flight f = probe_tail(p);
    ack_seg(&f, 3);
    const struct flight next = fly_again(p, 8);
    sack(&next, 0, 1, 2); /* of the next flight, and no more than reordered */
    ack_seg(&next, 2);
    assert_int_equal(stats(p)->tlp_recovered, 1);
}

static void probe_of_new_data_repairs_nothing(void **state) /* RFC 8985 §7.4.2 */
{
    struct peer *p = *state;
    const struct flight f = fly_sack(p, 10, RTT_MS);
    queue_segs(&f, 1);
    expect_after_ms(p, PTO_MS);
    expect_seg(&f, 10);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 11);
    next_flight(p, 8);
    assert_int_equal(stats(p)->tlp_recovered, 0);
    assert_int_equal(stats(p)->recoveries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(hole_below_three_sacked_segments_is_lost_at_once),
        BOTH(partly_acknowledged_burst_is_not_reordering),
        BOTH(reordering_within_the_window_is_tolerated),
        BOTH(hole_that_outlasts_the_window_is_lost),
        BOTH(writing_meanwhile_does_not_stop_the_window),
        BOTH(ack_that_advances_leaves_the_window_running),
        BOTH(three_sacked_are_no_proof_once_reordering_was_seen),
        BOTH(in_a_recovery_there_is_no_window),
        BOTH(arrival_below_the_highest_is_reordering),
        BOTH(retransmission_passed_by_new_data_is_lost_too),
        BOTH(retransmission_is_not_lost_before_a_round_trip),
        BOTH(duplicate_reports_widen_the_window_up_to_the_round_trip),
        BOTH(duplicate_reports_of_one_round_trip_widen_once),
        BOTH(widened_window_lasts_sixteen_recoveries),
        BOTH(later_acks_of_a_burst_are_no_samples),
        BOTH(tail_is_probed_after_two_round_trips),
        BOTH(probe_of_one_segment_waits_for_a_delayed_ack),
        BOTH(probe_is_never_later_than_the_timeout),
        BOTH(new_data_is_the_better_probe),
        BOTH(what_nagle_held_back_is_new_data_too),
        BOTH(new_data_beyond_the_window_is_no_probe),
        BOTH(ack_of_new_data_puts_the_probe_off),
        BOTH(probe_after_a_partial_ack_condemns_nothing),
        BOTH(probe_shows_what_the_tail_lost),
        BOTH(no_probe_in_recovery),
        BOTH(no_probe_without_sack),
        BOTH(last_segment_with_fin_is_probed_whole),
        BOTH(last_segment_with_fin_is_sent_again_whole),
        BOTH(loss_repaired_by_the_probe_reduces_cwnd_once),
        BOTH(probe_and_original_arriving_is_no_loss),
        BOTH(both_copies_reported_in_one_ack_are_no_loss),
        BOTH(second_copy_shown_by_a_plain_duplicate_is_no_loss),
        BOTH(duplicate_with_sack_decides_nothing),
        BOTH(probe_of_new_data_repairs_nothing),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
