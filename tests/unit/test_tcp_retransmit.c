/* SPDX-License-Identifier: BSD-3-Clause */
/* What is lost: timeouts (RFC 6298), fast retransmit (RFC 5681, RFC 6582), giving up (RFC 9293
 * §3.8.3). */
#include "tcp_peer.h"

/** A round trip of `rtt_ms` for n bytes. */
static void round_trip(struct peer *p, uint32_t n, uint32_t rtt_ms)
{
    write_bytes(p, n);
    skip_segments(p);
    advance_ms(p, rtt_ms);
    inject(p, ACK, 1, 1 + p->n_sent, 0);
    expect_nothing(p);
}

/** n full segments in flight. */
static void fill_flight(struct peer *p, uint32_t n)
{
    write_bytes(p, n * full_segment(p));
    assert_int_equal(skip_segments(p), n);
}

/* ---- RTO ---- */

static void rto_follows_rfc_6298(void **state) /* MUST-18, 6298-2 */
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(describe(p).rto_us, 1000000); /* 6298-1 */
    uint32_t srtt = 0, rttvar = 0;
    static const uint32_t rtts_ms[] = {500, 300, 700, 500, 100, 100, 100, 900};
    for (size_t i = 0; i < sizeof rtts_ms / sizeof rtts_ms[0]; i++) {
        round_trip(p, 10, rtts_ms[i]);
        const uint32_t r = rtts_ms[i] * 1000, dev = r > srtt ? r - srtt : srtt - r;
        rttvar = i == 0 ? r / 2 : (3 * rttvar + dev) / 4;
        srtt = i == 0 ? r : (7 * srtt + r) / 8;
        const struct tern_conn_info info = describe(p);
        assert_in_range(info.srtt_us, srtt - 300, srtt + 300);
        assert_in_range(info.rttvar_us, rttvar - 300, rttvar + 300);
        assert_in_range(info.rto_us, srtt + 4 * rttvar - 2500, srtt + 4 * rttvar + 2500);
    }
}

static void rto_minimum_is_honoured(void **state) /* 6298-3: declared */
{
    struct peer *p = *state;
    p->cfg.stack.rto_min_ms = 350;
    establish(p);
    for (int i = 0; i < 20; i++)
        round_trip(p, 10, 1);
    write_bytes(p, 10);
    skip_segments(p);
    expect_after_ms(p, 350);
    expect_segment(p, ACK, 201, 1, 10);
}

/* V214 */
static void lost_data_is_repeated_with_doubling_gaps_and_given_up(void **state)
{
    struct peer *p = *state;
    establish(p);
    round_trip(p, 10, 1);
    const uint64_t start_ns = p->now_ns;
    write_bytes(p, 10);
    expect_segment(p, ACK, 11, 1, 10);
    for (uint32_t ms = 200; ms <= 51200; ms *= 2) { /* 6298-7, SHLD-10 */
        expect_after_ms(p, ms);
        expect_segment(p, ACK, 11, 1, 10);
    }
    while (state_of(p->s) == TERN_ESTABLISHED)
        advance_ms(p, 10);
    assert_in_range((p->now_ns - start_ns) / 1000000, 120000, 120100); /* MUST-20, SHLD-11 */
    expect_segment(p, RST | ACK, 21, 1, 0);
    expect_silence_ms(p, 200000);
    assert_over(p, ETIMEDOUT);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_TIMEOUT], 1);
}

/** R2 of a connection, to a tick an interval (MUST-21). */
static void user_timeout_is_honoured(struct peer *p, uint32_t timeout_ms)
{
    peer_restart(p);
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_USER_TIMEOUT_MS, timeout_ms), 0);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_USER_TIMEOUT_MS), timeout_ms);
    round_trip(p, 10, 1);
    write_bytes(p, 10);
    const uint32_t slack_ms = 20 + timeout_ms / 100000;
    advance_ms(p, timeout_ms - slack_ms);
    assert_state(p, TERN_ESTABLISHED);
    advance_ms(p, 2 * slack_ms);
    assert_over(p, ETIMEDOUT);
    skip_segments(p);
}

static void user_timeouts_short_and_long_are_honoured(void **state)
{
    struct peer *p = *state;
    user_timeout_is_honoured(p, 100); /* less than one RTO */
    user_timeout_is_honoured(p, 5000);
    user_timeout_is_honoured(p, 1200000);
    user_timeout_is_honoured(p, 86400000);
}

/** A machine slept: what was due went off meanwhile, once, and it speaks with the time of today. */
static void leap_is_one_timeout(struct peer *p, uint64_t leap_ms)
{
    p->offer.has_ts = true;
    establish(p);
    write_bytes(p, 10);
    const uint32_t before = expect_segment(p, ACK, 1, 1, 10)->opts.ts_val;
    p->now_ns += ms_to_ns(leap_ms);
    tern_embed_advance(p->e, p->now_ns);
    assert_int_equal(
        expect_segment(p, ACK, 1, 1, 10)->opts.ts_val, (uint32_t)(before + leap_ms)); /* 7323-4 */
    expect_nothing(p);
    assert_int_equal(stats(p)->rto_expired, 1);
    expect_after_ms(p, 2 * p->cfg.stack.rto_min_ms); /* timers run on as ever */
    expect_segment(p, ACK, 1, 1, 10);
    inject(p, ACK, 1, 11, 0);
    expect_silence_ms(p, 100000);
    assert_state(p, TERN_ESTABLISHED);
    peer_restart(p);
}

/* V127 */
static void leap_of_any_length_is_one_timeout(void **state)
{
    static const uint64_t hours[] = {1, 39, 40, 78, 79, 156, 1999, 100000};
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++)
        leap_is_one_timeout(*state, hours[i] * 3600 * 1000);
}

static void user_timeout_counts_from_the_last_sign_of_life(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_USER_TIMEOUT_MS, 5000), 0);
    round_trip(p, 10, 1);
    write_bytes(p, 3000);
    for (int i = 0; i < 3; i++) {
        advance_ms(p, 4000);
        skip_segments(p);
        inject(p, ACK, 1, 111 + 100u * (uint32_t)i, 0);
        assert_state(p, TERN_ESTABLISHED);
    }
    advance_ms(p, 5200);
    assert_over(p, ETIMEDOUT);
    skip_segments(p);
}

static void ack_of_repeated_data_is_no_rtt_sample(void **state) /* Karn: 6298-5 */
{
    struct peer *p = *state;
    establish(p);
    round_trip(p, 10, 100);
    const struct tern_conn_info before = describe(p);
    write_bytes(p, 10);
    skip_segments(p);
    expect_after_ms(p, 300);
    skip_segments(p);
    inject(p, ACK, 1, 21, 0); /* of which of the two? */
    assert_int_equal(describe(p).srtt_us, before.srtt_us);
    assert_int_equal(describe(p).rto_us, 2 * before.rto_us); /* until there is a sample (§5.5) */
    write_bytes(p, 10);
    skip_segments(p);
    advance_ms(p, 100);
    inject(p, ACK, 1, 31, 0);
    assert_in_range(describe(p).rto_us, 1, before.rto_us);
}

/** Ten bytes in flight when the peer shuts its window. @return the smoothed RTT until then */
static uint32_t lose_window_in_flight(struct peer *p)
{
    establish(p);
    round_trip(p, 10, 100);
    write_bytes(p, 10);
    skip_segments(p);
    p->wnd = 0;
    inject(p, ACK, 1, 11, 0);
    return describe(p).srtt_us;
}

static void ack_of_data_repeated_after_a_shut_window_is_no_rtt_sample(void **state)
{
    struct peer *p = *state;
    const uint32_t srtt_us = lose_window_in_flight(p);
    advance_ms(p, 200);
    p->wnd = 1000;
    inject(p, ACK, 1, 11, 0);
    expect_segment(p, ACK, 11, 1, 10);
    inject(p, ACK, 1, 21, 0);
    assert_int_equal(describe(p).srtt_us, srtt_us);
}

static void ack_of_data_probed_at_a_shut_window_is_no_rtt_sample(void **state)
{
    struct peer *p = *state;
    const uint32_t srtt_us = lose_window_in_flight(p);
    expect_after_ms(p, 300);
    expect_segment(p, ACK, 11, 1, 1);
    inject(p, ACK, 1, 21, 0);
    assert_int_equal(describe(p).srtt_us, srtt_us);
}

static void timer_stops_when_all_is_acked(void **state) /* 6298-6 */
{
    struct peer *p = *state;
    establish(p);
    round_trip(p, 100, 10);
    expect_silence_ms(p, 100000);
    assert_int_equal(stats(p)->rto_expired, 0);
}

static void timer_restarts_when_some_is_acked(void **state)
{
    struct peer *p = *state;
    establish(p);
    fill_flight(p, 2);
    advance_ms(p, 900);
    inject(p, ACK, 1, 1 + full_segment(p), 0);
    expect_nothing(p);
    expect_after_ms(p, describe(p).rto_us / 1000);
    expect_segment(p, ACK, 1 + full_segment(p), 1, full_segment(p));
}

static void timeout_sends_all_again_in_slow_start(void **state) /* 5681-4 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    establish(p);
    fill_flight(p, 8);
    expect_after_ms(p, 1000);
    expect_segment(p, ACK, 1, 1, mss);
    expect_nothing(p);
    assert_int_equal(describe(p).cwnd_bytes, mss);
    assert_int_equal(describe(p).ssthresh_bytes, 4 * mss);
    inject(p, ACK, 1, 1 + mss, 0);
    expect_segment(p, ACK, 1 + mss, 1, mss);
    expect_segment(p, ACK, 1 + 2 * mss, 1, mss);
    expect_nothing(p);
    inject(p, ACK, 1, 1 + 8 * mss, 0); /* the rest had arrived */
    expect_silence_ms(p, 100000);
    assert_int_equal(stats(p)->retransmits, 3);
}

static void fin_is_repeated_with_the_data_before_it(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 100);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 100);
    expect_after_ms(p, 1000);
    expect_segment(p, FIN | ACK, 1, 1, 100);
    inject(p, ACK, 1, 102, 0);
    assert_state(p, TERN_FIN_WAIT_2);
}

static void data_added_meanwhile_is_not_part_of_the_repetition(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    write_bytes(p, 10);
    expect_after_ms(p, 1000);
    expect_segment(p, ACK, 1, 1, 10);
    inject(p, ACK, 1, 11, 0);
    expect_segment(p, ACK, 11, 1, 10);
}

/* ---- fast retransmit ---- */

/* V124 */
static void third_duplicate_ack_repeats_the_segment(void **state) /* 5681-5 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    establish(p);
    fill_flight(p, 10);
    inject(p, ACK, 1, 1, 0);
    inject(p, ACK, 1, 1, 0);
    assert_int_equal(stats(p)->retransmits, 0);
    inject(p, ACK, 1, 1, 0);
    expect_segment(p, ACK, 1, 1, mss);
    assert_int_equal(describe(p).ssthresh_bytes, 5 * mss);
    inject(p, ACK, 1, 1, 0);
    expect_nothing(p);
    inject(p, ACK, 1, 1 + 10 * mss, 0);
    assert_int_equal(describe(p).cwnd_bytes, 5 * mss);
    expect_silence_ms(p, 100000);
}

/** V124: Made-up duplicates inflate the window by no more than was in flight. */
static void duplicate_acks_beyond_the_flight_open_no_window(void **state)
{
    struct peer *p = *state;
    p->offer.has_wscale = true;
    p->offer.wscale = 7;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    establish(p);
    write_bytes(p, 500 * full_segment(p));
    assert_int_equal(skip_segments(p), 10);
    for (int i = 0; i < 10000; i++)
        inject(p, ACK, 1, 1, 0);
    assert_in_range(skip_segments(p), 1, 10);
    assert_in_range(describe(p).cwnd_bytes, 5 * full_segment(p), 16 * full_segment(p));
}

static void partial_ack_repeats_the_next_hole(void **state) /* RFC 6582 §3.2 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    establish(p);
    fill_flight(p, 10);
    for (int i = 0; i < 3; i++)
        inject(p, ACK, 1, 1, 0);
    expect_segment(p, ACK, 1, 1, mss);
    inject(p, ACK, 1, 1 + 4 * mss, 0);
    expect_segment(p, ACK, 1 + 4 * mss, 1, mss);
    inject(p, ACK, 1, 1 + 10 * mss, 0);
    expect_silence_ms(p, 100000);
    assert_int_equal(stats(p)->rto_expired, 0);
}

static void acks_that_are_no_duplicates_do_not_count(void **state)
{
    struct peer *p = *state;
    establish(p);
    fill_flight(p, 10);
    for (uint32_t i = 0; i < 5; i++) {
        p->wnd = (uint16_t)(60000 + i); /* window updates */
        inject(p, ACK, 1, 1, 0);
    }
    for (uint32_t i = 0; i < 5; i++)
        inject(p, ACK, 1 + i, 1, 1); /* data */
    assert_int_equal(stats(p)->retransmits, 0);
    skip_segments(p);
}

static void duplicate_acks_with_nothing_in_flight_do_nothing(void **state)
{
    struct peer *p = *state;
    establish(p);
    round_trip(p, 10, 1);
    for (int i = 0; i < 10; i++)
        inject(p, ACK, 1, 11, 0);
    expect_silence_ms(p, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(rto_follows_rfc_6298),
        BOTH(rto_minimum_is_honoured),
        BOTH(lost_data_is_repeated_with_doubling_gaps_and_given_up),
        BOTH(user_timeouts_short_and_long_are_honoured),
        BOTH(leap_of_any_length_is_one_timeout),
        BOTH(user_timeout_counts_from_the_last_sign_of_life),
        BOTH(ack_of_repeated_data_is_no_rtt_sample),
        BOTH(ack_of_data_repeated_after_a_shut_window_is_no_rtt_sample),
        BOTH(ack_of_data_probed_at_a_shut_window_is_no_rtt_sample),
        BOTH(timer_stops_when_all_is_acked),
        BOTH(timer_restarts_when_some_is_acked),
        BOTH(timeout_sends_all_again_in_slow_start),
        BOTH(fin_is_repeated_with_the_data_before_it),
        BOTH(data_added_meanwhile_is_not_part_of_the_repetition),
        BOTH(third_duplicate_ack_repeats_the_segment),
        BOTH(duplicate_acks_beyond_the_flight_open_no_window),
        BOTH(partial_ack_repeats_the_next_hole),
        BOTH(acks_that_are_no_duplicates_do_not_count),
        BOTH(duplicate_acks_with_nothing_in_flight_do_nothing),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
