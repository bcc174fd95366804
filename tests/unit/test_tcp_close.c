/* SPDX-License-Identifier: BSD-3-Clause */
/* Closing: graceful in every order, abrupt in every state, half and full (RFC 9293 §3.6,
 * §3.10.4-5). What comes after: test_tcp_time_wait. */
#include "tcp_peer.h"

static uint64_t closed(const struct peer *p, enum tern_close_reason why)
{
    return stats(p)->closed[why];
}

/* ---- graceful ---- */

static void close_takes_four_segments(void **state)
{
    struct peer *p = *state;
    establish(p);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    assert_state(p, TERN_FIN_WAIT_1);
    inject(p, ACK, 1, 2, 0);
    expect_nothing(p);
    assert_state(p, TERN_FIN_WAIT_2);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    assert_over(p, 0);
    expect_eof(p);
    assert_int_equal(closed(p, TERN_CLOSE_NORMAL), 1);
    assert_int_equal(stats(p)->time_wait_opened, 1);
}

static void close_takes_three_segments(void **state)
{
    struct peer *p = *state;
    establish(p);
    tern_sends_fin(p);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    expect_nothing(p);
    assert_over(p, 0);
    assert_int_equal(stats(p)->time_wait_opened, 1);
}

static void peer_closes_first(void **state)
{
    struct peer *p = *state;
    establish(p);
    inject(p, FIN | ACK, 1, 1, 0);
    expect_segment(p, ACK, 1, 2, 0);
    assert_state(p, TERN_CLOSE_WAIT);
    expect_eof(p);
    assert_true(tern_sock_ready(p->s) & TERN_READY_READ);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 1, 2, 0);
    assert_state(p, TERN_LAST_ACK);
    inject(p, ACK, 2, 2, 0);
    expect_silence_ms(p, 200000);
    assert_over(p, 0);
    assert_int_equal(stats(p)->time_wait_opened, 0);
}

static void both_close_at_once(void **state) /* RFC 9293 figure 13 */
{
    struct peer *p = *state;
    establish(p);
    tern_sends_fin(p);
    inject(p, FIN | ACK, 1, 1, 0);
    expect_segment(p, ACK, 2, 2, 0);
    assert_state(p, TERN_CLOSING);
    inject(p, ACK, 2, 2, 0);
    expect_nothing(p); /* an ACK is not acknowledged */
    assert_over(p, 0);
    assert_int_equal(stats(p)->time_wait_opened, 1);
}

static void fin_follows_queued_data(void **state)
{
    struct peer *p = *state;
    p->wnd = 1000;
    establish(p);
    write_bytes(p, 2500);
    tern_sock_close(p->s);
    expect_segment(p, ACK, 1, 1, 1000);
    expect_nothing(p);
    inject(p, ACK, 1, 1001, 0);
    expect_segment(p, ACK, 1001, 1, 1000);
    inject(p, ACK, 1, 2001, 0);
    expect_segment(p, FIN | ACK, 2001, 1, 500);
    inject(p, ACK, 1, 2501, 0); /* the data, not the FIN */
    expect_after_ms(p, 200);
    expect_segment(p, FIN | ACK, 2501, 1, 0);
    inject(p, FIN | ACK, 1, 2502, 0);
    expect_segment(p, ACK, 2502, 2, 0);
    assert_int_equal(closed(p, TERN_CLOSE_NORMAL), 1);
}

static void fin_with_data_is_taken_and_acked_at_once(void **state)
{
    struct peer *p = *state;
    establish(p);
    inject(p, FIN | ACK | PSH, 1, 1, 500);
    expect_segment(p, ACK, 1, 502, 0);
    expect_read(p, 500);
    expect_eof(p);
    assert_state(p, TERN_CLOSE_WAIT);
}

/* V080 */
static void fin_out_of_order_waits_for_the_gap(void **state)
{
    struct peer *p = *state;
    establish(p);
    inject(p, FIN | ACK, 101, 1, 0);
    expect_segment(p, ACK, 1, 1, 0);
    assert_state(p, TERN_ESTABLISHED);
    inject(p, ACK, 51, 1, 50);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 1, 1, 50);
    expect_segment(p, ACK, 1, 102, 0);
    expect_read(p, 100);
    assert_state(p, TERN_CLOSE_WAIT);
}

/* ---- half-close ---- */

static void half_closed_by_tern_data_flows_on(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_FIN_WAIT_2);
    for (int i = 0; i < 10; i++) {
        inject(p, ACK, p->seq, 2, 1000);
        p->seq += 1000;
        expect_segment(p, ACK, 2, p->seq, 0);
        expect_read(p, 1000);
    }
    assert_int_equal(tern_sock_send(p->s, "x", 1), -EPIPE);
    expect_silence_ms(p, 3600000); /* the peer may take its time */
    assert_state(p, TERN_FIN_WAIT_2);
    inject(p, FIN | ACK, p->seq, 2, 0);
    expect_segment(p, ACK, 2, p->seq + 1, 0);
    assert_over(p, 0);
}

static void half_closed_by_peer_data_flows_on(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_CLOSE_WAIT);
    for (uint32_t i = 0; i < 10; i++) {
        write_bytes(p, 1000);
        expect_segment(p, ACK, 1 + i * 1000, 2, 1000);
        inject(p, ACK, 2, 1001 + i * 1000, 0);
    }
    expect_silence_ms(p, 3600000);
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, 10001, 2, 0);
    inject(p, ACK, 2, 10002, 0);
    assert_over(p, 0);
}

/* V109 */
static void fully_closed_fin_wait_2_is_bounded(void **state)
{
    struct peer *p = *state;
    establish(p);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    inject(p, ACK, 1, 2, 0);
    advance_ms(p, 59000);
    assert_int_equal(tern_shard_n_live(p->sh), 1);
    advance_ms(p, 2000);
    expect_nothing(p);
    assert_int_equal(tern_shard_n_live(p->sh), 0);
    assert_int_equal(closed(p, TERN_CLOSE_TIMEOUT), 1);
    inject(p, FIN | ACK, 1, 2, 0); /* nobody there any more */
    expect_segment(p, RST, 2, 0, 0);
}

/* V109 */
static void fully_closed_later_fin_wait_2_is_bounded_too(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_FIN_WAIT_2);
    tern_sock_close(p->s);
    expect_silence_ms(p, 61000);
    assert_int_equal(closed(p, TERN_CLOSE_TIMEOUT), 1);
}

/** V109: A peer that shuts and opens its window cannot hold on to a connection we have closed. */
static void fin_wait_2_window_games_do_not_lift_the_bound(void **state)
{
    struct peer *p = *state;
    establish(p);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    inject(p, ACK, 1, 2, 0);
    p->wnd = 0;
    inject(p, ACK, 1, 2, 0);
    p->wnd = 1000;
    inject(p, ACK, 1, 2, 0);
    expect_silence_ms(p, 61000);
    assert_int_equal(closed(p, TERN_CLOSE_TIMEOUT), 1);
}

/** V109, V110: A window that stays shut cannot hold on to a closed connection either
 * (CVE-2015-5358). */
static void closed_at_a_shut_window_is_bounded(void **state)
{
    struct peer *p = *state;
    static const enum tern_state states[] = {TERN_ESTABLISHED, TERN_CLOSE_WAIT};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        peer_restart(p);
        establish(p);
        reach(p, states[i]);
        p->wnd = 0;
        inject(p, ACK, p->seq, 1, 0);
        write_bytes(p, 100);
        tern_sock_close(p->s);
        const uint64_t start_ns = p->now_ns;
        while (tern_shard_n_live(p->sh) > 0) {
            wait_segment(p, 61000);
            skip_segments(p);
            inject(p, ACK, p->seq, 1, 0);
        }
        assert_in_range((p->now_ns - start_ns) / 1000000, 60000, 180000);
        assert_int_equal(closed(p, TERN_CLOSE_TIMEOUT), 1);
        p->wnd = 65535;
        skip_segments(p);
    }
}

/* ---- while opening ---- */

static void syn_sent_close_is_silent(void **state) /* RFC 9293 §3.10.4 */
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    tern_sock_close(p->s);
    expect_silence_ms(p, 10000);
    assert_int_equal(tern_shard_n_live(p->sh), 0);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, RST, 1, 0, 0);
}

static void syn_sent_shutdown_waits_for_the_handshake(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    tern_sock_shutdown(p->s);
    expect_segment(p, SYN, 0, 0, 0);
    expect_nothing(p);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    assert_state(p, TERN_FIN_WAIT_1);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    assert_over(p, 0);
}

static void syn_received_close_waits_for_the_ack(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    tern_sock_close(p->s);
    expect_nothing(p);
    expect_after_ms(p, 1000); /* and its SYN-ACK is still repeated as such */
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    assert_int_equal(closed(p, TERN_CLOSE_NORMAL), 1);
}

static void syn_received_abort_resets(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    tern_sock_abort(p->s);
    expect_segment(p, RST | ACK, 1, 1, 0);
    assert_int_equal(stats(p)->active_failed[TERN_CLOSE_ABORTED], 1);
}

static void syn_sent_abort_is_silent(void **state)
{
    struct peer *p = *state;
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    tern_sock_abort(p->s);
    expect_silence_ms(p, 10000);
}

/* ---- abrupt ---- */

/** RFC 9293 §3.10.5: RST where the peer still counts on us; none once both FINs are out. */
static void abort_resets_as_the_state_asks(void **state)
{
    struct peer *p = *state;
    static const struct {
        enum tern_state s;
        bool rst;
    } cases[] = {{TERN_ESTABLISHED, true}, {TERN_FIN_WAIT_1, true}, {TERN_FIN_WAIT_2, true},
        {TERN_CLOSE_WAIT, true}, {TERN_CLOSING, false}, {TERN_LAST_ACK, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        peer_restart(p);
        establish(p);
        reach(p, cases[i].s);
        tern_sock_abort(p->s);
        if (cases[i].rst)
            expect_segment(p, RST | ACK, p->ack, p->seq, 0);
        expect_silence_ms(p, 200000);
        assert_int_equal(closed(p, TERN_CLOSE_ABORTED), 1);
        inject(p, ACK, p->seq, p->ack, 0);
        expect_segment(p, RST, p->ack, 0, 0);
    }
}

static void last_ack_abort_with_unsent_data_resets(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_CLOSE_WAIT);
    p->wnd = 0;
    inject(p, ACK, 2, 1, 0);
    write_bytes(p, 100);
    tern_sock_shutdown(p->s);
    assert_state(p, TERN_LAST_ACK);
    tern_sock_abort(p->s);
    expect_segment(p, RST | ACK, 1, 2, 0); /* the peer waits for what will never come */
}

static void close_with_unread_data_resets(void **state) /* SHLD-3 */
{
    struct peer *p = *state;
    static const enum tern_state states[] = {TERN_ESTABLISHED, TERN_FIN_WAIT_1, TERN_FIN_WAIT_2};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        peer_restart(p);
        establish(p);
        reach(p, states[i]);
        inject(p, ACK, p->seq, p->ack, 10);
        expect_segment(p, ACK, p->ack, p->seq + 10, 0);
        tern_sock_close(p->s);
        expect_segment(p, RST | ACK, p->ack, p->seq + 10, 0);
        assert_int_equal(closed(p, TERN_CLOSE_ABORTED), 1);
    }
}

static void data_after_close_resets(void **state) /* SHLD-3 */
{
    struct peer *p = *state;
    static const enum tern_state states[] = {TERN_FIN_WAIT_1, TERN_FIN_WAIT_2};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        peer_restart(p);
        establish(p);
        reach(p, states[i]);
        tern_sock_close(p->s);
        inject(p, ACK, 1, p->ack, 10);
        expect_segment(p, RST | ACK, 2, 1, 0);
        assert_int_equal(drops(p, TERN_DROP_TCP_AFTER_CLOSE), 1);
        expect_nothing(p);
    }
}

static void old_data_after_close_does_not_reset(void **state)
{
    struct peer *p = *state;
    establish(p);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 101, 0);
    expect_read(p, 100);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, 101, 0);
    inject(p, ACK, 1, 1, 100); /* a repetition of what we have */
    expect_segment(p, ACK, 2, 101, 0);
    inject(p, FIN | ACK, 101, 2, 0);
    expect_segment(p, ACK, 2, 102, 0);
    assert_int_equal(closed(p, TERN_CLOSE_NORMAL), 1);
}

static void reset_and_fin_are_told_apart(void **state) /* MUST-12 */
{
    struct peer *p = *state;
    char byte;
    establish(p);
    inject(p, RST, 1, 0, 0);
    expect_nothing(p);
    assert_int_equal(tern_sock_recv(p->s, &byte, 1), -ECONNRESET);
    assert_int_equal(tern_sock_recv(p->s, &byte, 1), 0);
    assert_int_equal(tern_sock_send(p->s, "x", 1), -EPIPE);
    assert_int_equal(closed(p, TERN_CLOSE_RESET), 1);
}

/* ---- FIN lost ---- */

/* V110 */
static void fin_is_repeated_and_given_up(void **state)
{
    struct peer *p = *state;
    static const enum tern_state states[] = {TERN_FIN_WAIT_1, TERN_CLOSING, TERN_LAST_ACK};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        peer_restart(p);
        establish(p);
        const uint64_t start_ns = p->now_ns;
        reach(p, states[i]);
        for (uint32_t ms = 1000; ms <= 32000; ms *= 2) {
            expect_after_ms(p, ms);
            expect_segment(p, FIN | ACK, 1, p->seq, 0);
        }
        while (tern_shard_n_live(p->sh) > 0)
            advance_ms(p, 100);
        assert_in_range((p->now_ns - start_ns) / 1000000, 119000, 121000); /* R2 */
        assert_int_equal(closed(p, TERN_CLOSE_TIMEOUT), 1);
        skip_segments(p);
    }
}

static void fin_repeated_by_peer_is_acked_again(void **state)
{
    struct peer *p = *state;
    static const enum tern_state states[] = {TERN_CLOSE_WAIT, TERN_LAST_ACK, TERN_CLOSING};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        peer_restart(p);
        establish(p);
        reach(p, states[i]);
        inject(p, FIN | ACK, p->seq - 1, 1, 0);
        expect_segment(p, ACK, p->ack, p->seq, 0);
        assert_state(p, states[i]);
    }
}

/* V080 */
static void data_beyond_fin_is_not_taken(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_CLOSE_WAIT);
    inject(p, ACK, 2, 1, 100);
    expect_segment(p, ACK, 1, 2, 0);
    expect_eof(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_AFTER_FIN), 1);
}

/* ---- linger ---- */

static void linger_zero_close_resets(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_LINGER_MS, 0), 0);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    tern_sock_close(p->s);
    expect_segment(p, RST | ACK, 11, 1, 0);
    expect_silence_ms(p, 10000);
}

static void linger_timed_resets_when_it_runs_out(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_LINGER_MS, 700), 0);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 11, 1, 0);
    expect_after_ms(p, 700);
    expect_segment(p, RST | ACK, 12, 1, 0);
    assert_int_equal(closed(p, TERN_CLOSE_ABORTED), 1);
}

static void linger_timed_is_no_matter_when_closed_in_time(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_LINGER_MS, 700), 0);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    expect_silence_ms(p, 10000);
    assert_int_equal(closed(p, TERN_CLOSE_NORMAL), 1);
}

/* ---- the endpoint itself ---- */

static void drain_closes_every_connection(void **state)
{
    struct peer *p = *state;
    establish(p);
    inject(p, ACK, 1, 1, 10); /* unread, and yet a FIN */
    expect_segment(p, ACK, 1, 11, 0);
    tern_shard_drain(p->sh);
    expect_segment(p, FIN | ACK, 1, 11, 0);
    p->port++;
    inject_syn(p, SYN, 0);
    expect_flags(p, RST | ACK); /* no listener any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(close_takes_four_segments),
        BOTH(close_takes_three_segments),
        BOTH(peer_closes_first),
        BOTH(both_close_at_once),
        BOTH(fin_follows_queued_data),
        BOTH(fin_with_data_is_taken_and_acked_at_once),
        BOTH(fin_out_of_order_waits_for_the_gap),
        BOTH(half_closed_by_tern_data_flows_on),
        BOTH(half_closed_by_peer_data_flows_on),
        BOTH(fully_closed_fin_wait_2_is_bounded),
        BOTH(fully_closed_later_fin_wait_2_is_bounded_too),
        BOTH(fin_wait_2_window_games_do_not_lift_the_bound),
        BOTH(closed_at_a_shut_window_is_bounded),
        BOTH(syn_sent_close_is_silent),
        BOTH(syn_sent_shutdown_waits_for_the_handshake),
        BOTH(syn_received_close_waits_for_the_ack),
        BOTH(syn_received_abort_resets),
        BOTH(syn_sent_abort_is_silent),
        BOTH(abort_resets_as_the_state_asks),
        BOTH(last_ack_abort_with_unsent_data_resets),
        BOTH(close_with_unread_data_resets),
        BOTH(data_after_close_resets),
        BOTH(old_data_after_close_does_not_reset),
        BOTH(reset_and_fin_are_told_apart),
        BOTH(fin_is_repeated_and_given_up),
        BOTH(fin_repeated_by_peer_is_acked_again),
        BOTH(data_beyond_fin_is_not_taken),
        BOTH(linger_zero_close_resets),
        BOTH(linger_timed_resets_when_it_runs_out),
        BOTH(linger_timed_is_no_matter_when_closed_in_time),
        BOTH(drain_closes_every_connection),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
