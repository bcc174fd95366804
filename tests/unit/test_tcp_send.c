/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending side: segments, Nagle, the peer's window, congestion window (RFC 9293 §3.7.4,
 * §3.8.6). */
#include "tcp_peer.h"

/** Acknowledge everything sent up to relative `ack`. */
static void ack_up_to(struct peer *p, uint32_t ack)
{
    inject(p, ACK, 1, ack, 0);
    p->ack = ack;
}

/* ---- segments ---- */

static void write_is_cut_into_full_segments_psh_on_the_last(void **state) /* MUST-61, SHLD-28 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    establish(p);
    write_bytes(p, 3 * mss);
    assert_false(expect_segment(p, ACK, 1, 1, mss)->flags & PSH);
    assert_false(expect_segment(p, ACK, 1 + mss, 1, mss)->flags & PSH);
    assert_true(expect_segment(p, ACK, 1 + 2 * mss, 1, mss)->flags & PSH);
    expect_nothing(p);
}

static void initial_window_is_ten_segments(void **state) /* 6928-1 */
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 40 * full_segment(p));
    assert_int_equal(skip_segments(p), 10);
    ack_up_to(p, 1 + 2 * full_segment(p));
    assert_int_equal(skip_segments(p), 4); /* two left the network, two are slow start's (5681-2) */
}

static void congestion_window_doubles_then_grows_by_one(void **state) /* 5681-2, 5681-3 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    p->offer.has_wscale = true;
    p->offer.wscale = 7;
    p->cfg.stack.snd_buf_bytes = 1 << 22;
    establish(p);
    write_bytes(p, 1000 * mss);
    uint32_t flight = skip_segments(p), acked = 0;
    for (int round = 0; round < 3; round++) {
        uint32_t sent = 0;
        for (uint32_t i = 0; i < flight; i++) {
            ack_up_to(p, 1 + ++acked * mss);
            sent += skip_segments(p);
        }
        assert_int_equal(sent, 2 * flight);
        flight = sent;
    }
}

/* ---- Nagle ---- */

static void small_writes_wait_for_the_ack_and_go_together(
    void **state) /* SHLD-7, SHLD-27, MUST-60 */
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    for (int i = 0; i < 10; i++)
        write_bytes(p, 10);
    expect_nothing(p);
    ack_up_to(p, 11);
    expect_segment(p, ACK, 11, 1, 100);
    write_bytes(p, full_segment(p)); /* a full segment never waits */
    expect_segment(p, ACK, 111, 1, full_segment(p));
}

static void no_delay_sends_each_write(void **state) /* MUST-17 */
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_NODELAY, 1), 0);
    for (uint32_t i = 0; i < 10; i++) {
        write_bytes(p, 10);
        expect_segment(p, ACK, 1 + 10 * i, 1, 10);
    }
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_NODELAY, 0), 0);
    write_bytes(p, 10);
    expect_nothing(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_NODELAY, 1), 0);
    expect_segment(p, ACK, 101, 1, 10); /* what waited goes */
}

static void fin_ends_nagles_wait(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 10);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 20);
    write_bytes(p, 10);
    expect_nothing(p);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 21, 1, 10);
}

static void many_tiny_writes_fill_segments(void **state)
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    establish(p);
    write_bytes(p, 1);
    expect_segment(p, ACK, 1, 1, 1);
    for (uint32_t i = 0; i < 2 * mss; i++)
        write_bytes(p, 1);
    expect_segment(p, ACK, 2, 1, mss);
    expect_segment(p, ACK, 2 + mss, 1, mss);
    expect_nothing(p);
}

/* ---- the peer's window ---- */

static void data_stays_within_the_window(void **state)
{
    struct peer *p = *state;
    p->wnd = 2000;
    establish(p);
    write_bytes(p, 10000);
    const uint32_t sent = hear_payload(p);
    assert_in_range(sent, full_segment(p), 2000);
    ack_up_to(p, 1 + sent);
    for (; poll_segment(p); p->has_heard = false)
        assert_true(p->heard.seq + p->heard.len <= 1 + sent + 2000);
}

static void window_opened_a_little_sends_nothing_small(void **state) /* MUST-38 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    p->wnd = (uint16_t)(4 * mss);
    establish(p);
    write_bytes(p, 10 * mss);
    assert_int_equal(skip_segments(p), 4);
    p->wnd = 10;
    ack_up_to(p, 1 + 4 * mss);
    expect_nothing(p);
    p->wnd = 20;
    inject(p, ACK, 1, p->ack, 0);
    expect_nothing(p);
    wait_segment(p, 5000); /* the override: what fits goes */
    expect_segment(p, ACK, p->ack, 1, 20);
    p->wnd = (uint16_t)mss;
    ack_up_to(p, p->ack + 20);
    expect_segment(p, ACK, p->ack, 1, mss);
}

static void half_of_the_largest_window_is_worth_a_segment(void **state)
{
    struct peer *p = *state;
    p->wnd = 1000; /* less than a segment from the start */
    establish(p);
    write_bytes(p, 3000);
    expect_segment(p, ACK, 1, 1, 1000);
    p->wnd = 500;
    ack_up_to(p, 1001);
    expect_segment(p, ACK, 1001, 1, 500);
    p->wnd = 499;
    ack_up_to(p, 1501);
    expect_nothing(p);
}

/* V114 */
static void shut_window_is_probed_with_doubling_gaps(void **state) /* MUST-36, SHLD-29, SHLD-30 */
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 100);
    skip_segments(p);
    p->wnd = 0;
    advance_ms(p, 10);
    ack_up_to(p, 101);
    write_bytes(p, 100);
    expect_nothing(p);
    for (uint32_t ms = 200; ms < 60000; ms *= 2) { /* RTO is at its minimum */
        expect_after_ms(p, ms);
        expect_segment(p, ACK, 101, 1, 1);
        inject(p, ACK, 1, 101, 0); /* no room for the octet */
        expect_nothing(p);
    }
    expect_after_ms(p, 60000);
    expect_segment(p, ACK, 101, 1, 1);
    p->wnd = 65535;
    inject(p, ACK, 1, 101, 0);
    expect_segment(p, ACK, 101, 1, 1); /* at once: what the peer had no room for, … */
    ack_up_to(p, 102);
    expect_segment(p, ACK, 102, 1, 99); /* … and the rest as Nagle has it */
}

static void probes_that_are_answered_go_on_for_an_hour(void **state) /* MUST-37 */
{
    struct peer *p = *state;
    p->wnd = 0;
    establish(p);
    write_bytes(p, 100);
    const uint64_t end_ns = p->now_ns + ms_to_ns(3600000);
    uint32_t n = 0;
    for (; p->now_ns < end_ns; n++) {
        wait_segment(p, 61000);
        expect_segment(p, ACK, 1, 1, 1);
        inject(p, ACK, 1, 1, 0);
    }
    assert_in_range(n, 60, 75);
    assert_state(p, TERN_ESTABLISHED);
    p->wnd = 65535;
    inject(p, ACK, 1, 1, 0);
    expect_segment(p, ACK, 1, 1, 1);
    ack_up_to(p, 2);
    expect_segment(p, ACK, 2, 1, 99);
}

static void probes_whose_octet_is_taken_go_on_too(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 100);
    skip_segments(p);
    p->wnd = 0;
    ack_up_to(p, 101);
    write_bytes(p, 100);
    uint32_t last_ms = 0;
    for (uint32_t i = 0; i < 40; i++) {
        const uint32_t ms = wait_segment(p, 61000);
        assert_true(ms + 1 >= last_ms); /* not faster for it */
        last_ms = ms;
        expect_segment(p, ACK, 101 + i, 1, 1);
        inject(p, ACK, 1, 102 + i, 0);
    }
    assert_true(last_ms > 59000);
    assert_state(p, TERN_ESTABLISHED);
}

static void probes_unanswered_end_the_connection(void **state)
{
    struct peer *p = *state;
    p->wnd = 0;
    establish(p);
    write_bytes(p, 100);
    advance_ms(p, 119000);
    assert_state(p, TERN_ESTABLISHED);
    advance_ms(p, 2000);
    assert_over(p, ETIMEDOUT);
    p->no_edge = true;
    skip_segments(p);
}

static void window_shut_is_no_congestion(void **state)
{
    struct peer *p = *state;
    establish(p);
    write_bytes(p, 100);
    skip_segments(p);
    p->wnd = 0;
    ack_up_to(p, 101);
    const uint32_t cwnd = describe(p).cwnd_bytes;
    write_bytes(p, 10 * full_segment(p));
    for (int i = 0; i < 8; i++) {
        wait_segment(p, 61000);
        skip_segments(p);
        inject(p, ACK, 1, 101, 0);
        inject(p, ACK, 1, 101, 0); /* such answers are no duplicate ACKs either */
        expect_nothing(p);
    }
    assert_int_equal(describe(p).cwnd_bytes, cwnd);
    assert_int_equal(describe(p).ssthresh_bytes, UINT32_MAX);
    p->wnd = 65535;
    inject(p, ACK, 1, 101, 0);
    assert_true(skip_segments(p) >= 8);
}

/** V115: The peer takes back what it offered (MUST-34, SHLD-15, SHLD-16). */
static void window_shrunk_sends_nothing_new_and_repeats_the_old(void **state)
{
    struct peer *p = *state;
    p->wnd = 10000;
    establish(p);
    write_bytes(p, 20000);
    uint32_t end = 1;
    for (; poll_segment(p); p->has_heard = false)
        end = p->heard.seq + p->heard.len;
    assert_true(end > 8000);
    p->wnd = 2000;
    ack_up_to(p, 1001);
    expect_nothing(p);
    wait_segment(p, 5000);
    const struct heard *h = expect_flags(p, ACK);
    assert_int_equal(h->seq, 1001);
    p->wnd = 20000;
    ack_up_to(p, end);
    h = expect_flags(p, ACK);
    assert_int_equal(h->seq, end);
}

/** V114: Everything in flight is thrown away with the window shut; it comes again when it opens. */
static void window_shut_with_data_in_flight_is_probed_and_resent(void **state) /* MUST-35 */
{
    struct peer *p = *state;
    const uint32_t mss = full_segment(p);
    establish(p);
    write_bytes(p, 5 * mss);
    assert_int_equal(skip_segments(p), 5);
    p->wnd = 0;
    inject(p, ACK, 1, 1, 0);
    for (uint32_t ms = 1000; ms <= 4000; ms *= 2) {
        expect_after_ms(p, ms);
        expect_segment(p, ACK, 1, 1, 1);
        inject(p, ACK, 1, 1, 0);
        expect_nothing(p);
    }
    p->wnd = 65535;
    inject(p, ACK, 1, 1, 0);
    for (uint32_t i = 0; i < 5; i++)
        expect_segment(p, ACK, 1 + i * mss, 1, mss);
    expect_nothing(p);
    ack_up_to(p, 1 + 5 * mss);
    expect_silence_ms(p, 100000);
}

static void fin_at_shut_window_is_repeated_until_it_opens(void **state)
{
    struct peer *p = *state;
    p->wnd = 0;
    establish(p);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    for (int i = 0; i < 20; i++) {
        wait_segment(p, 61000);
        expect_segment(p, FIN | ACK, 1, 1, 0);
        inject(p, ACK, 1, 1, 0);
        expect_nothing(p);
    }
    p->wnd = 10;
    inject(p, ACK, 1, 1, 0);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    ack_up_to(p, 2);
    assert_state(p, TERN_FIN_WAIT_2);
}

/* ---- the queue ---- */

/* V116 */
static void send_buffer_is_bounded_and_tells_of_room(void **state)
{
    struct peer *p = *state;
    uint8_t bytes[5000];
    p->cfg.stack.snd_buf_bytes = 10000;
    p->no_pattern = true;
    establish(p);
    memset(bytes, 7, sizeof bytes);
    assert_int_equal(tern_sock_send(p->s, bytes, 5000), 5000);
    assert_true(tern_sock_ready(p->s) & TERN_READY_WRITE);
    assert_int_equal(tern_sock_send(p->s, bytes, 5000), 5000);
    assert_int_equal(tern_sock_send(p->s, bytes, 5000), -EAGAIN);
    assert_false(tern_sock_ready(p->s) & TERN_READY_WRITE);
    assert_int_equal(tern_sock_send(p->s, bytes, 0), 0);
    skip_segments(p);
    ack_up_to(p, 3001);
    assert_true(tern_sock_ready(p->s) & TERN_READY_WRITE);
    assert_int_equal(tern_sock_send(p->s, bytes, 5000), 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(write_is_cut_into_full_segments_psh_on_the_last),
        BOTH(initial_window_is_ten_segments),
        BOTH(congestion_window_doubles_then_grows_by_one),
        BOTH(small_writes_wait_for_the_ack_and_go_together),
        BOTH(no_delay_sends_each_write),
        BOTH(fin_ends_nagles_wait),
        BOTH(many_tiny_writes_fill_segments),
        BOTH(data_stays_within_the_window),
        BOTH(window_opened_a_little_sends_nothing_small),
        BOTH(half_of_the_largest_window_is_worth_a_segment),
        BOTH(shut_window_is_probed_with_doubling_gaps),
        BOTH(probes_that_are_answered_go_on_for_an_hour),
        BOTH(probes_whose_octet_is_taken_go_on_too),
        BOTH(probes_unanswered_end_the_connection),
        BOTH(window_shut_is_no_congestion),
        BOTH(window_shrunk_sends_nothing_new_and_repeats_the_old),
        BOTH(window_shut_with_data_in_flight_is_probed_and_resent),
        BOTH(fin_at_shut_window_is_repeated_until_it_opens),
        BOTH(send_buffer_is_bounded_and_tells_of_room),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
