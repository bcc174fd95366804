/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sender makes of SACK blocks (RFC 2018 §5, RFC 2883 §4, RFC 6675). Time stands still but
 * where it says otherwise: all that was in flight is older than what is reported. */
#include "tcp_flight.h"

static uint32_t pipe_segs(const struct flight *f)
{
    assert_int_equal(describe(f->p).pipe_bytes % f->mss, 0);
    return describe(f->p).pipe_bytes / f->mss;
}

/* ---- the scoreboard ---- */

static void only_the_hole_is_sent_again(void **state) /* 2018-7 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    expect_nothing(p);
    advance_ms(p, RTT_MS);
    ack_seg(&f, 10);
    expect_silence_ms(p, 10000);
    assert_int_equal(stats(p)->retransmits, 1);
}

static void holes_are_filled_in_order_before_new_data(void **state) /* 6675-2 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    queue_segs(&f, 10);
    expect_nothing(p);
    sack(&f, 0, 7, 10, 4, 6, 1, 3);
    expect_seg(&f, 0);
    expect_seg(&f, 3);
    expect_seg(&f, 6);
    expect_segs(&f, 10, 12); /* pipe is ssthresh now */
    expect_nothing(p);
}

static void blocks_are_remembered_from_ack_to_ack(void **state) /* RFC 6675 §4 Update() */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 2);
    sack(&f, 0, 3, 4);
    expect_nothing(p);
    sack(&f, 0, 5, 6); /* three are SACKED: holes 0, 2 and 4 are lost */
    expect_seg(&f, 0);
    expect_nothing(p);
    sack(&f, 0, 6, 10);
    expect_seg(&f, 2);
    expect_seg(&f, 4);
    expect_nothing(p);
}

static void repeated_blocks_count_once(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    for (int i = 0; i < 5; i++) {
        sack(&f, 0, 1, 2, 4, 5);
        sack(&f, 0, 4, 5, 1, 2);
    }
    assert_int_equal(pipe_segs(&f), 8);
    assert_int_equal(stats(p)->retransmits, 0);
}

static void pipe_counts_what_is_in_the_network(void **state) /* 6675-3 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    assert_int_equal(pipe_segs(&f), 10);
    sack(&f, 0, 2, 3);
    assert_int_equal(pipe_segs(&f), 9);
    sack(&f, 0, 2, 4, 6, 7); /* 3 are SACKED, 4 lost, and of these 2 under way again */
    expect_segs(&f, 0, 2);
    expect_nothing(p);
    assert_int_equal(pipe_segs(&f), 5);
    ack_seg(&f, 4);
    expect_segs(&f, 4, 6);
    assert_int_equal(pipe_segs(&f), 5); /* ssthresh */
    ack_seg(&f, 10);
    assert_int_equal(describe(p).unacked_bytes, 0);
    assert_int_equal(pipe_segs(&f), 0);
}

/* V004 */
static void block_is_rounded_inward_to_whole_segments(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    const uint32_t one = f.base + f.mss, four = f.base + 4 * f.mss;
    sack_bytes(&f, ACK, f.base, EDGES(one + 1, four - 1));
    assert_int_equal(pipe_segs(&f), 9); /* segment 2 alone is whole */
    sack_bytes(&f, ACK, f.base, EDGES(one, four - 1));
    assert_int_equal(pipe_segs(&f), 8);
    sack_bytes(&f, ACK, f.base, EDGES(one, four));
    assert_int_equal(pipe_segs(&f), 7);
    for (uint32_t at = 0; at < f.mss - 1; at += 100) /* slivers of a segment say nothing */
        sack_bytes(&f, ACK, f.base, EDGES(four + at + 1, four + at + 50));
    assert_int_equal(pipe_segs(&f), 7);
    expect_nothing(p);
}

static void blocks_on_segments_with_payload_count(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    const uint32_t left = p->irs + f.base + f.mss;
    const struct opts o = {.n_sack = 1, .left = {left}, .right = {left + 4 * f.mss}};
    inject_opts(p, ACK, 1, f.base, 10, &o);
    expect_segment(p, ACK, f.base, 11, f.mss);
}

static void one_record_for_all_in_flight_measures_no_round_trip(void **state) /* 6298-5 */
{
    struct peer *p = *state;
    p->cfg.stack.sent_max = 0; /* what is sent at different times shares the connection's one */
    const struct flight f = fly_sack(p, 10, 3 * RTT_MS);
    advance_ms(p, 27 * RTT_MS / 10);
    for (uint32_t n = 1; n <= 40; n++) { /* a round trip of 300 ms, full all the time */
        advance_ms(p, 3 * RTT_MS / 10);
        queue_segs(&f, 1);
        ack_seg(&f, n);
        skip_segments(p);
    }
    assert_in_range(describe(p).srtt_us, 290000, 310000);
    assert_int_equal(stats(p)->retransmits, 0);
}

/* V002, V005 */
static void one_record_for_all_in_flight_still_recovers(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.sent_max = 0;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 10); /* cannot be told apart */
    uint32_t acked = 0;
    for (int i = 0; i < 20 && acked < 10; i++) {
        wait_segment(p, 10000);
        for (; poll_segment(p); p->has_heard = false)
            if (p->heard.seq == f.base + acked * f.mss)
                acked = acked == 0 ? 9 : 10;
        ack_seg(&f, acked);
    }
    assert_int_equal(describe(p).unacked_bytes, 0);
    expect_silence_ms(p, 10000);
}

/* V005 */
static void one_record_for_all_in_flight_needs_one_timeout(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.sent_max = 0;
    const struct flight f = fly_rtt(p, 10);
    wait_segment(p, 10000); /* a tail loss probe */
    skip_segments(p);
    wait_segment(p, 10000);
    expect_seg(&f, 0);
    for (uint32_t acked = 1; acked < 10; acked++) { /* a segment a round trip, by the ACKs alone */
        advance_ms(p, RTT_MS);
        ack_seg(&f, acked);
        expect_seg(&f, acked);
        expect_nothing(p);
    }
    ack_seg(&f, 10);
    assert_int_equal(stats(p)->rto_expired, 1);
    assert_int_equal(describe(p).unacked_bytes, 0);
}

/* ---- what may not be believed ---- */

/* V008 */
static void blocks_outside_of_the_flight_are_refused(void **state) /* RFC 2018 §5 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    ack_seg(&f, 2);
    sack(&f, 2, 8, 11); /* ends beyond SND.NXT */
    sack(&f, 2, 20, 30);
    assert_int_equal(stats(p)->sack_refused, 2);
    sack(&f, 2, 7, 5); /* right before left, and empty: none at all */
    sack(&f, 2, 6, 6);
    assert_int_equal(pipe_segs(&f), 8);
    sack(&f, 2, 4, 5, 0, 1); /* the second is old news */
    assert_int_equal(stats(p)->sack_refused, 2);
    assert_int_equal(pipe_segs(&f), 7);
    assert_int_equal(stats(p)->retransmits, 0);
}

static void blocks_mean_nothing_where_sack_was_not_agreed(void **state) /* 2018-2 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    const struct flight f = fly(p, 10, RTT_MS);
    sack(&f, 0, 1, 10);
    assert_int_equal(stats(p)->retransmits, 0);
    sack(&f, 0, 1, 10);
    sack(&f, 0, 1, 10); /* the third duplicate ACK */
    expect_seg(&f, 0);
    expect_nothing(p);
}

static void peer_that_reneges_gets_all_again(void **state) /* 2018-5, 2018-6 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 10);
    expect_seg(&f, 0);
    expect_after_ms(p, describe(p).rto_us / 1000);
    expect_seg(&f, 0);
    assert_int_equal(stats(p)->rto_expired, 1);
    ack_seg(&f, 1); /* what it held it holds no more */
    uint32_t next = 1;
    for (uint32_t acked = 1; acked < 10; ack_seg(&f, acked))
        for (acked = next; poll_segment(p); acked = next)
            expect_seg(&f, next++);
    assert_int_equal(next, 10);
    expect_silence_ms(p, 10000);
    assert_int_equal(describe(p).unacked_bytes, 0);
}

static void what_is_sacked_again_after_a_timeout_is_skipped_again(void **state) /* 2018-7 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 1, 4, 5, 10);
    expect_seg(&f, 0);
    expect_seg(&f, 4);
    expect_after_ms(p, describe(p).rto_us / 1000);
    expect_seg(&f, 0);
    sack(&f, 4, 5, 10);
    expect_seg(&f, 4);
    expect_nothing(p);
    ack_seg(&f, 10);
    expect_silence_ms(p, 10000);
}

/* ---- D-SACK ---- */

static void dsack_below_the_ack_is_a_duplicate_and_no_block(void **state) /* RFC 2883 §4.1 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 4, 1, 2);
    assert_int_equal(stats(p)->dsack_rcvd, 1);
    sack(&f, 4, 3, 4, 6, 7); /* and a block of data behind it */
    assert_int_equal(stats(p)->dsack_rcvd, 2);
    assert_int_equal(pipe_segs(&f), 5);
    assert_int_equal(stats(p)->sack_refused, 0);
}

static void dsack_inside_of_a_block_is_a_duplicate(void **state) /* RFC 2883 §4.2, §4.3 */
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    sack(&f, 0, 5, 6, 5, 7);
    assert_int_equal(stats(p)->dsack_rcvd, 1);
    assert_int_equal(pipe_segs(&f), 8);
    sack(&f, 0, 5, 6, 2, 3); /* two blocks beside each other are none */
    assert_int_equal(stats(p)->dsack_rcvd, 1);
}

static void dsack_alone_sends_nothing(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    ack_seg(&f, 2);
    for (int i = 0; i < 10; i++)
        sack(&f, 2, 0, 2);
    expect_nothing(p);
    assert_int_equal(stats(p)->recoveries, 0);
    assert_int_equal(pipe_segs(&f), 8);
}

/** One segment lost, sent again and everything acknowledged with this "duplicate". */
static void dsack_is_refused(struct peer *p, uint32_t left, uint32_t right)
{
    const struct flight f = at_rest(p);
    queue_segs(&f, 10);
    expect_segs(&f, 0, 5);
    skip_segments(p);
    advance_ms(p, RTT_MS);
    sack(&f, 0, 1, 5);
    expect_seg(&f, 0);
    skip_segments(p);
    sack_bytes(&f, ACK, f.base + 5 * f.mss, EDGES(f.base + left, f.base + right));
    skip_segments(p);
    assert_int_equal(stats(p)->undone, 0);
    ack_seg(&f, 10);
    skip_segments(p);
}

/* V008 */
static void dsack_that_is_no_range_takes_nothing_back(void **state)
{
    struct peer *p = *state;
    offer_sack(p);
    establish(p);
    one_round_trip(p, RTT_MS);
    dsack_is_refused(p, 2000, 1000); /* right before left */
    dsack_is_refused(p, 1000, 1000); /* empty */
    assert_int_equal(stats(p)->dsack_rcvd, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(only_the_hole_is_sent_again),
        BOTH(holes_are_filled_in_order_before_new_data),
        BOTH(blocks_are_remembered_from_ack_to_ack),
        BOTH(repeated_blocks_count_once),
        BOTH(pipe_counts_what_is_in_the_network),
        BOTH(block_is_rounded_inward_to_whole_segments),
        BOTH(blocks_on_segments_with_payload_count),
        BOTH(one_record_for_all_in_flight_measures_no_round_trip),
        BOTH(one_record_for_all_in_flight_still_recovers),
        BOTH(one_record_for_all_in_flight_needs_one_timeout),
        BOTH(blocks_outside_of_the_flight_are_refused),
        BOTH(blocks_mean_nothing_where_sack_was_not_agreed),
        BOTH(peer_that_reneges_gets_all_again),
        BOTH(what_is_sacked_again_after_a_timeout_is_skipped_again),
        BOTH(dsack_below_the_ack_is_a_duplicate_and_no_block),
        BOTH(dsack_inside_of_a_block_is_a_duplicate),
        BOTH(dsack_alone_sends_nothing),
        BOTH(dsack_that_is_no_range_takes_nothing_back),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
