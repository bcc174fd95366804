/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done about losses: PRR (RFC 6937), limited transmit (RFC 3042), the end of a recovery
 * (RFC 6675 §5, RFC 6582), and reductions taken back: F-RTO (RFC 5682), Eifel (RFC 3522), D-SACK
 * (RFC 3708). */
#include "tcp_flight.h"

enum { RTO_MS = 300 };

static uint32_t undone(const struct peer *p)
{
    return (uint32_t)stats(p)->undone;
}

static uint32_t recoveries(const struct peer *p)
{
    return (uint32_t)stats(p)->recoveries;
}

/* ---- proportional rate reduction ---- */

/** 20 segments of 100 are out, cwnd is full, and the peer has answered for two with SACK: limited
 * transmit has sent two more. */
static struct flight fly_twenty(struct peer *p, uint32_t held_from)
{
    p->cfg.stack.init_cwnd_segs = 20;
    const struct flight f = fly_sack(p, 20, RTT_MS);
    queue_segs(&f, 80);
    expect_nothing(p);
    advance_ms(p, RTT_MS);
    sack(&f, 0, held_from, held_from + 1);
    expect_seg(&f, 20);
    sack(&f, 0, held_from, held_from + 2);
    expect_seg(&f, 21);
    expect_nothing(p);
    advance_ms(p, 1); /* or what is sent again would have left at the same time as these */
    return f;
}

/** Segments that may have left when so many have arrived: ssthresh 10 of RecoverFS 22, the fast
 * retransmit at least. */
static uint32_t half_of(uint32_t delivered)
{
    const uint32_t n = delivered * 10 / 22;
    return n > 0 ? n : 1;
}

static void one_loss_lets_out_half_of_what_arrives(void **state) /* RFC 6937 §3, 6675-1, 6675-3 */
{
    struct peer *p = *state;
    const struct flight f = fly_twenty(p, 1);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0); /* fast retransmit */
    expect_nothing(p);
    assert_int_equal(ssthresh_segs(&f), 10);
    uint32_t sent = 1;
    for (uint32_t delivered = 2; delivered <= 13; delivered++) { /* pipe > ssthresh */
        sack(&f, 0, 1, 3 + delivered);
        sent += skip_segments(p);
        assert_int_equal(sent, half_of(delivered));
    }
    sack(&f, 0, 1, 22);
    skip_segments(p);
    assert_in_range(describe(p).pipe_bytes, 9 * f.mss, 10 * f.mss);
    ack_seg(&f, 22);
    assert_int_equal(cwnd_segs(&f), 10);
}

static void many_losses_let_out_one_more_than_arrives(void **state) /* RFC 6937 §3: PRR-SSRB */
{
    struct peer *p = *state;
    const struct flight f = fly_twenty(p, 14); /* 0 to 13 are gone */
    sack(&f, 0, 14, 17);
    expect_segs(&f, 0, 2);
    expect_nothing(p);
    for (uint32_t i = 0; i < 3; i++) { /* pipe < ssthresh */
        sack(&f, 0, 14, 18 + i);
        expect_segs(&f, 2 * i + 2, 2 * i + 4);
        expect_nothing(p);
    }
    assert_int_equal(describe(p).pipe_bytes, 10 * f.mss); /* 8 sent again, and 20 and 21 */
    sack(&f, 0, 14, 20);
    expect_nothing(p);
}

static void heavy_loss_is_repaired_without_a_timeout(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_twenty(p, 14);
    sack(&f, 0, 14, 20);
    expect_segs(&f, 0, 5);
    expect_nothing(p);
    advance_ms(p, RTT_MS);
    sack(&f, 0, 14, 22);
    uint32_t next = 5;
    for (uint32_t acked = 1; acked < 14; acked++) {
        while (poll_segment(p) && next < 14)
            expect_seg(&f, next++);
        assert_in_range(describe(p).pipe_bytes, f.mss, 10 * f.mss);
        advance_ms(p, RTT_MS / 5);
        sack(&f, acked, 14, 22);
    }
    skip_segments(p);
    ack_seg(&f, 22);
    skip_segments(p);
    assert_int_equal(stats(p)->rto_expired, 0);
    assert_int_equal(stats(p)->retransmits, 14);
    assert_int_equal(ssthresh_segs(&f), 10);
}

/* ---- limited transmit ---- */

static void first_two_duplicates_let_out_new_data(void **state) /* 5681-7 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 10, RTT_MS);
    queue_segs(&f, 10);
    expect_nothing(p);
    ack_seg(&f, 0);
    expect_seg(&f, 10);
    expect_nothing(p);
    ack_seg(&f, 0);
    expect_seg(&f, 11);
    expect_nothing(p);
    ack_seg(&f, 0);
    expect_seg(&f, 0); /* 5681-5 */
    expect_nothing(p);
    assert_int_equal(ssthresh_segs(&f), 5); /* limited transmit does not count: RFC 5681 §3.2 */
}

static void first_two_sacked_segments_let_out_new_data(void **state) /* 5681-7 */
{
    struct peer *p = *state;
    fly_twenty(p, 1);
    assert_int_equal(recoveries(p), 0);
}

/* ---- the end of a recovery ---- */

static void recovery_lasts_to_the_recovery_point(void **state) /* 6675-5 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 2, 9);
    expect_segs(&f, 0, 2);
    sack(&f, 1, 2, 9);
    assert_true(describe(p).recovering);
    ack_seg(&f, 9);
    assert_true(describe(p).recovering); /* segment 9 was in flight when it began */
    ack_seg(&f, 10);
    assert_false(describe(p).recovering);
    assert_int_equal(describe(p).cwnd_bytes, 5 * f.mss);
}

static void losses_of_one_window_reduce_once(void **state) /* 6675-5, RFC 5681 §3.1 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    const uint32_t ssthresh = describe(p).ssthresh_bytes;
    sack(&f, 0, 1, 4, 6, 8); /* two more are lost */
    expect_segs(&f, 4, 5);
    skip_segments(p);
    ack_seg(&f, 4);
    skip_segments(p);
    assert_int_equal(describe(p).ssthresh_bytes, ssthresh);
    ack_seg(&f, 10);
    assert_int_equal(recoveries(p), 1);
    assert_int_equal(describe(p).cwnd_bytes, ssthresh);
}

static void loss_in_the_next_window_reduces_again(void **state)
{
    struct peer *p = *state;
    struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    ack_seg(&f, 10);
    f = at_rest(p);
    queue_segs(&f, 5);
    expect_segs(&f, 0, 5);
    advance_ms(p, RTT_MS);
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    assert_int_equal(recoveries(p), 2);
    assert_int_equal(ssthresh_segs(&f), 2);
}

/* ---- without SACK ---- */

static void each_partial_ack_shows_the_next_hole(void **state) /* RFC 6582 §3.2 step 3 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 10, RTT_MS);
    for (int i = 0; i < 3; i++)
        ack_seg(&f, 0);
    expect_seg(&f, 0);
    for (uint32_t hole = 2; hole < 10; hole += 2) {
        advance_ms(p, RTT_MS);
        ack_seg(&f, hole);
        expect_seg(&f, hole);
        expect_nothing(p);
    }
    ack_seg(&f, 10);
    assert_int_equal(describe(p).cwnd_bytes, 5 * f.mss);
    assert_int_equal(recoveries(p), 1);
    assert_int_equal(stats(p)->rto_expired, 0);
}

static void each_duplicate_lets_out_its_share(void **state) /* 5681-6, by RFC 6937 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    p->cfg.stack.init_cwnd_segs = 20;
    const struct flight f = fly(p, 20, RTT_MS);
    queue_segs(&f, 40);
    expect_nothing(p);
    for (int i = 0; i < 3; i++)
        ack_seg(&f, 0);
    expect_segs(&f, 20, 22); /* limited transmit */
    expect_seg(&f, 0);
    uint32_t sent = 1;
    for (uint32_t delivered = 2; delivered <= 13; delivered++) {
        ack_seg(&f, 0);
        sent += skip_segments(p);
        assert_int_equal(sent, half_of(delivered));
    }
}

static void duplicates_of_the_old_window_start_no_recovery(void **state) /* RFC 6582 §3.2 step 2 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 10, 0);
    expect_after_ms(p, 1000);
    expect_seg(&f, 0);
    ack_seg(&f, 1);
    expect_segs(&f, 1, 3);
    for (int i = 0; i < 5; i++)
        ack_seg(&f, 1); /* what was sent again had arrived before */
    assert_int_equal(recoveries(p), 0);
    skip_segments(p);
}

/* ---- timeouts ---- */

/** n segments and the timeout of the first of them, which has been sent again; 20 more wait. A tail
 * loss probe would come before it with SACK, and is answered as if the flight were late. */
static struct flight time_out(struct peer *p, uint32_t n)
{
    const struct flight f = fly(p, n, RTT_MS);
    queue_segs(&f, 20);
    expect_nothing(p);
    while (stats(p)->rto_expired == 0) {
        wait_segment(p, 2000);
        if (stats(p)->rto_expired == 0)
            skip_segments(p);
    }
    expect_seg(&f, 0);
    expect_nothing(p);
    assert_int_equal(cwnd_segs(&f), 1); /* 5681-4 */
    return f;
}

static struct flight time_out_sack(struct peer *p, uint32_t n)
{
    offer_sack(p);
    return time_out(p, n); /* and segment n has been sent as a probe */
}

static void late_acks_after_a_timeout_restore_the_window(void **state) /* RFC 5682 §2.1 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = time_out(p, 10);
    ack_seg(&f, 4);
    expect_segs(&f, 10, 12); /* step 2 (b): two that were never sent */
    expect_nothing(p);
    ack_seg(&f, 6);
    assert_int_equal(undone(p), 1);
    assert_int_equal(stats(p)->retransmits, 1);
    assert_true(cwnd_segs(&f) >= 10);
    assert_int_equal(describe(p).ssthresh_bytes, UINT32_MAX);
    expect_seg(&f, 12);
    skip_segments(p);
    ack_seg(&f, 10);
    assert_int_equal(stats(p)->retransmits, 1);
    skip_segments(p);
}

static void late_acks_after_a_timeout_restore_the_window_with_sack(void **state) /* RFC 5682 §3.1 */
{
    struct peer *p = *state;
    const struct flight f = time_out_sack(p, 10);
    ack_seg(&f, 4);
    expect_segs(&f, 11, 13);
    expect_nothing(p);
    sack(&f, 4, 5, 7); /* originals, as the window was full of them */
    assert_int_equal(undone(p), 1);
    assert_int_equal(stats(p)->retransmits, 1);
    assert_true(cwnd_segs(&f) >= 10);
    skip_segments(p);
}

static void second_ack_that_does_not_advance_is_a_genuine_timeout(
    void **state) /* §2.1 step 3 (a) */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = time_out(p, 10);
    ack_seg(&f, 1);
    expect_segs(&f, 10, 12);
    ack_seg(&f, 1); /* the new segments arrived, segment 1 had not */
    expect_seg(&f, 1);
    assert_int_equal(undone(p), 0);
    assert_in_range(cwnd_segs(&f), 1, 3);
    assert_int_equal(ssthresh_segs(&f), 5);
    skip_segments(p);
}

static void new_data_sacked_after_a_timeout_proves_nothing(void **state) /* RFC 5682 §3.1 step 3 */
{
    struct peer *p = *state;
    const struct flight f = time_out_sack(p, 10);
    ack_seg(&f, 1);
    expect_segs(&f, 11, 13);
    sack(&f, 1, 11, 12); /* above RecoveryPoint: segment 1 was lost indeed */
    assert_int_equal(undone(p), 0);
    expect_seg(&f, 1);
    assert_in_range(cwnd_segs(&f), 1, 3);
    skip_segments(p);
}

static void first_ack_that_is_a_duplicate_is_a_genuine_timeout(void **state) /* §2.1 step 2 (a) */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = time_out(p, 10);
    ack_seg(&f, 0);
    skip_segments(p);
    ack_seg(&f, 4);
    skip_segments(p);
    ack_seg(&f, 6);
    assert_int_equal(undone(p), 0);
    skip_segments(p);
}

static void without_new_data_lost_data_goes_on(void **state) /* RFC 5682 §2.1 step 2 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 10, RTT_MS);
    expect_after_ms(p, RTO_MS);
    expect_seg(&f, 0);
    ack_seg(&f, 1);
    expect_segs(&f, 1, 3); /* slow start: 5681-2, 5681-4 */
    expect_nothing(p);
    ack_seg(&f, 2);
    expect_segs(&f, 3, 5);
    assert_int_equal(undone(p), 0);
}

static void without_room_for_new_data_lost_data_goes_on(void **state) /* RFC 5682 §2.1 step 2 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = time_out(p, 10);
    p->wnd = (uint16_t)(9 * f.mss); /* up to the end of the flight, as before */
    ack_seg(&f, 1);
    expect_segs(&f, 1, 3);
    expect_nothing(p);
    p->wnd = (uint16_t)(8 * f.mss);
    ack_seg(&f, 2);
    expect_seg(&f, 3);
    assert_int_equal(undone(p), 0);
    skip_segments(p);
}

static void without_records_for_new_data_lost_data_goes_on(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    p->cfg.stack.sent_max = 0; /* what is sent at different times shares the connection's one */
    const struct flight f = time_out(p, 10);
    ack_seg(&f, 1);
    expect_seg(&f, 1);
    expect_nothing(p);
    ack_seg(&f, 2);
    expect_seg(&f, 2);
    assert_int_equal(undone(p), 0);
}

static void second_timeout_is_never_taken_back(void **state) /* RFC 5682 §2.1 step 1 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    p->cfg.stack.plpmtud = TERN_PLPMTUD_OFF; /* or the third is in smaller segments */
    const struct flight f = time_out(p, 10);
    expect_after_ms(p, 2 * RTO_MS);
    expect_seg(&f, 0);
    ack_seg(&f, 4);
    skip_segments(p);
    ack_seg(&f, 6);
    skip_segments(p);
    assert_int_equal(undone(p), 0);
    assert_int_equal(ssthresh_segs(&f), 5); /* reduced once */
}

static void timeout_of_a_recovery_is_not_taken_back_by_what_was_under_way(
    void **state) /* RFC 5682 §3.1 step 1 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    queue_segs(&f, 20);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    expect_segs(&f, 10, 14);
    expect_after_ms(p, describe(p).rto_us / 1000);
    expect_seg(&f, 0); /* the retransmission was lost, too, and 10 to 13 are late */
    assert_int_equal(stats(p)->rto_expired, 1);
    ack_seg(&f, 10);
    skip_segments(p);
    ack_seg(&f, 12);
    skip_segments(p);
    assert_int_equal(undone(p), 0);
}

static void duplicates_right_after_a_timeouts_recovery_start_none(void **state) /* RFC 6582 §4 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = time_out(p, 10);
    ack_seg(&f, 0);
    ack_seg(&f, 10);
    skip_segments(p);
    assert_false(describe(p).recovering);
    for (int i = 0; i < 3; i++)
        ack_seg(&f, 10); /* from what was sent again for nothing */
    assert_int_equal(recoveries(p), 0);
    ack_seg(&f, 11);
    for (int i = 0; i < 3; i++)
        ack_seg(&f, 11);
    assert_int_equal(recoveries(p), 1);
    skip_segments(p);
}

/* ---- taken back ---- */

static void older_echo_takes_a_fast_recovery_back(void **state) /* RFC 3522 §3.2 */
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    const struct flight f = fly_rtt(p, 10);
    const uint32_t original_ts = p->ts_ecr;
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    assert_int_equal(ssthresh_segs(&f), 5);
    advance_ms(p, 5);
    p->ts_ecr = original_ts;
    ack_seg(&f, 4); /* the original of segment 0 has come */
    assert_int_equal(undone(p), 1);
    assert_false(describe(p).recovering);
    assert_int_equal(describe(p).ssthresh_bytes, UINT32_MAX);
    assert_true(cwnd_segs(&f) >= 10);
    expect_nothing(p);
}

static void echo_of_the_retransmission_takes_nothing_back(void **state) /* RFC 3522 §3.2 */
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    const struct flight f = fly_rtt(p, 10);
    const uint32_t original_ts = p->ts_ecr;
    sack(&f, 0, 1, 4);
    expect_seg(&f, 0);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 4);
    p->ts_ecr = original_ts; /* later ones may echo anything */
    ack_seg(&f, 6);
    assert_int_equal(undone(p), 0);
    assert_true(describe(p).recovering);
}

static void older_echo_takes_a_timeout_back(void **state) /* RFC 3522 §3.2 */
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 10, RTT_MS);
    const uint32_t original_ts = p->ts_ecr;
    expect_after_ms(p, describe(p).rto_us / 1000);
    expect_seg(&f, 0);
    p->ts_ecr = original_ts;
    ack_seg(&f, 2);
    assert_int_equal(undone(p), 1);
    expect_nothing(p); /* 2 to 9 are under way */
    assert_true(cwnd_segs(&f) >= 10);
}

static void every_retransmission_reported_twice_takes_the_reduction_back(
    void **state) /* RFC 3708 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 2, 9);
    expect_segs(&f, 0, 2);
    sack(&f, 9, 0, 1);
    assert_int_equal(undone(p), 0); /* one of two */
    sack(&f, 9, 1, 2);
    assert_int_equal(undone(p), 1);
    assert_true(cwnd_segs(&f) >= 10);
    assert_false(describe(p).recovering);
}

static void report_of_all_in_one_block_will_do(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 2, 9);
    expect_segs(&f, 0, 2);
    ack_seg(&f, 10); /* recovery is over before the report comes */
    assert_int_equal(cwnd_segs(&f), 5);
    sack(&f, 10, 0, 2);
    assert_int_equal(undone(p), 1);
    assert_true(cwnd_segs(&f) >= 10);
}

static void duplicates_of_older_data_take_nothing_back(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    ack_seg(&f, 3);
    sack(&f, 3, 4, 8);
    expect_seg(&f, 3);
    sack(&f, 8, 0, 3); /* from before the reduction */
    assert_int_equal(undone(p), 0);
}

/* ---- ECN beside losses ---- */

static struct flight fly_with_ecn(struct peer *p, uint32_t n)
{
    offer_sack(p);
    listen_here(p);
    inject_syn(p, SYN | ECE | CWR, 0);
    expect_segment(p, SYN | ACK | ECE, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    p->seq = p->ack = 1;
    one_round_trip(p, RTT_MS);
    const struct flight f = at_rest(p);
    queue_segs(&f, n);
    expect_segs(&f, 0, 10);
    advance_ms(p, RTT_MS);
    return f;
}

static void ack_seg_ece(const struct flight *f, uint32_t n)
{
    sack_bytes(f, ACK | ECE, f->base + n * f->mss, NULL, 0);
}

static void echo_in_a_recovery_reduces_no_more(void **state) /* 3168-4 */
{
    struct peer *p = *state;
    const struct flight f = fly_with_ecn(p, 10);
    sack_segs(&f, ACK | ECE, 0, EDGES(1, 4));
    expect_seg(&f, 0);
    const uint32_t ssthresh = describe(p).ssthresh_bytes;
    sack_segs(&f, ACK | ECE, 0, EDGES(1, 6));
    ack_seg_ece(&f, 8);
    assert_int_equal(describe(p).ssthresh_bytes, ssthresh);
    ack_seg_ece(&f, 10); /* the same window of data, to its last segment */
    assert_int_equal(describe(p).ssthresh_bytes, ssthresh);
    assert_int_equal(stats(p)->ecn_reduced + recoveries(p), 1);
}

static void reduction_for_a_loss_is_told_by_cwr_too(void **state) /* RFC 3168 §6.1.2 */
{
    struct peer *p = *state;
    const struct flight f = fly_with_ecn(p, 20);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    expect_segment(p, ACK | CWR, f.base + 10 * f.mss, 1, f.mss);
    expect_segs(&f, 11, 14); /* once */
}

static void reduction_for_a_timeout_is_told_by_cwr_too(void **state) /* RFC 3168 §6.1.2 */
{
    struct peer *p = *state;
    const struct flight f = fly_with_ecn(p, 20);
    while (stats(p)->rto_expired == 0) {
        skip_segments(p);
        wait_segment(p, 2000);
    }
    expect_seg(&f, 0); /* not on what is sent again */
    ack_seg(&f, 1);
    expect_segment(p, ACK | CWR, f.base + 11 * f.mss, 1, f.mss); /* 10 was a tail loss probe */
    expect_seg(&f, 12);
}

static void echoes_of_one_window_reduce_once(void **state) /* 3168-4 */
{
    struct peer *p = *state;
    const struct flight f = fly_with_ecn(p, 30);
    for (uint32_t n = 1; n <= 10; n++) { /* each ACK, until CWR has come to the peer */
        ack_seg_ece(&f, n);
        skip_segments(p);
    }
    assert_int_equal(stats(p)->ecn_reduced, 1);
    assert_int_equal(ssthresh_segs(&f), 5);
    ack_seg_ece(&f, 11); /* CWR was on segment 10: a mark of the next window */
    assert_int_equal(stats(p)->ecn_reduced, 2);
    skip_segments(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(one_loss_lets_out_half_of_what_arrives),
        BOTH(many_losses_let_out_one_more_than_arrives),
        BOTH(heavy_loss_is_repaired_without_a_timeout),
        BOTH(first_two_duplicates_let_out_new_data),
        BOTH(first_two_sacked_segments_let_out_new_data),
        BOTH(recovery_lasts_to_the_recovery_point),
        BOTH(losses_of_one_window_reduce_once),
        BOTH(loss_in_the_next_window_reduces_again),
        BOTH(each_partial_ack_shows_the_next_hole),
        BOTH(each_duplicate_lets_out_its_share),
        BOTH(duplicates_of_the_old_window_start_no_recovery),
        BOTH(late_acks_after_a_timeout_restore_the_window),
        BOTH(late_acks_after_a_timeout_restore_the_window_with_sack),
        BOTH(second_ack_that_does_not_advance_is_a_genuine_timeout),
        BOTH(new_data_sacked_after_a_timeout_proves_nothing),
        BOTH(first_ack_that_is_a_duplicate_is_a_genuine_timeout),
        BOTH(without_new_data_lost_data_goes_on),
        BOTH(without_room_for_new_data_lost_data_goes_on),
        BOTH(without_records_for_new_data_lost_data_goes_on),
        BOTH(second_timeout_is_never_taken_back),
        BOTH(timeout_of_a_recovery_is_not_taken_back_by_what_was_under_way),
        BOTH(duplicates_right_after_a_timeouts_recovery_start_none),
        BOTH(older_echo_takes_a_fast_recovery_back),
        BOTH(echo_of_the_retransmission_takes_nothing_back),
        BOTH(older_echo_takes_a_timeout_back),
        BOTH(every_retransmission_reported_twice_takes_the_reduction_back),
        BOTH(report_of_all_in_one_block_will_do),
        BOTH(duplicates_of_older_data_take_nothing_back),
        BOTH(echo_in_a_recovery_reduces_no_more),
        BOTH(reduction_for_a_loss_is_told_by_cwr_too),
        BOTH(reduction_for_a_timeout_is_told_by_cwr_too),
        BOTH(echoes_of_one_window_reduce_once),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
