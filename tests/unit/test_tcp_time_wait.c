/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME-WAIT: what it answers, what reopens it (RFC 6191) and what does not end it (RFC 1337). */
#include "tcp_peer.h"

static void use_timestamps(struct peer *p)
{
    p->offer.has_ts = true;
}

static void time_wait_fin_again_is_acked_and_restarts(void **state) /* MUST-13 */
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_TIME_WAIT);
    advance_ms(p, 50000);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    advance_ms(p, 50000); /* 100 s since it began, 50 s since the FIN */
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
    advance_ms(p, 61000);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, RST, 2, 0, 0);
}

static void time_wait_ack_is_not_answered(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_TIME_WAIT);
    inject(p, ACK, 2, 2, 0);
    expect_nothing(p);
    inject(p, ACK, 2, 2, 100);
    expect_segment(p, ACK, 2, 2, 0);
    inject(p, ACK, 500, 2, 0); /* nothing empty is: two ends could answer each other for ever */
    expect_nothing(p);
}

/* V132, V133 */
static void time_wait_rst_does_not_end_it(void **state) /* RFC 1337 §3 F1 */
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_TIME_WAIT);
    inject(p, RST, 1, 0, 0);
    inject(p, RST, 3, 0, 0);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0); /* still there */
    inject(p, RST, 2, 0, 0);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0);
}

/** A SYN from the same port, its sequence and timestamp moved. */
static void inject_new_syn(struct peer *p, int32_t seq_moved, int32_t ts_moved)
{
    struct opts o = p->offer;
    o.ts_val = p->ts_val + (uint32_t)ts_moved;
    inject_opts(p, SYN, p->seq + (uint32_t)seq_moved, 0, 0, &o);
}

static void assert_reopens(struct peer *p, int32_t seq_moved, int32_t ts_moved)
{
    const uint32_t old_end = p->irs + p->ack;
    inject_new_syn(p, seq_moved, ts_moved);
    const struct heard *h = expect_flags(p, SYN | ACK);
    assert_int_equal(h->ack, p->seq + (uint32_t)seq_moved + 1);
    assert_true(is_before(old_end, h->abs_seq)); /* MAY-2, its first condition */
    assert_int_equal(stats(p)->time_wait_reused, 1);
}

static void assert_challenged(struct peer *p, int32_t seq_moved, int32_t ts_moved)
{
    inject_new_syn(p, seq_moved, ts_moved);
    expect_segment(p, ACK, p->ack, p->seq, 0);
    assert_int_equal(stats(p)->time_wait_reused, 0);
}

/* V132 */
static void time_wait_newer_timestamp_reopens(void **state) /* SHLD-4, RFC 6191 */
{
    struct peer *p = *state;
    use_timestamps(p);
    establish(p);
    reach(p, TERN_TIME_WAIT);
    assert_challenged(p, 1000, -1);
    assert_challenged(p, 0, 0);
    assert_challenged(p, -1000, 0);
    assert_reopens(p, -1000, 1);
}

static void time_wait_equal_timestamp_and_later_sequence_reopens(void **state)
{
    struct peer *p = *state;
    use_timestamps(p);
    establish(p);
    reach(p, TERN_TIME_WAIT);
    assert_reopens(p, 1, 0);
}

/* V132 */
static void time_wait_later_sequence_reopens(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_TIME_WAIT);
    assert_challenged(p, -1, 0);
    assert_reopens(p, 1, 0);
}

/** V066: Faster than the ISN clock: the next ISN must still lie beyond. */
static void time_wait_reopens_beyond_a_fast_connection(void **state)
{
    struct peer *p = *state;
    p->offer.has_wscale = true;
    p->offer.wscale = 10;
    p->cfg.stack.nodelay = true;
    establish(p);
    for (uint32_t sent = 1; sent < 3000001; sent += 10000) {
        write_bytes(p, 10000);
        skip_segments(p);
        inject(p, ACK, 1, sent + 10000, 0);
    }
    p->ack = 3000001;
    reach(p, TERN_TIME_WAIT);
    assert_reopens(p, 1000, 0);
}

static void time_wait_new_syn_without_listener_is_reset(void **state)
{
    struct peer *p = *state;
    establish_actively(p);
    reach(p, TERN_TIME_WAIT);
    inject_new_syn(p, 1000, 0);
    expect_segment(p, RST | ACK, 0 - p->irs, p->seq + 1001, 0);
    inject(p, FIN | ACK, 1, 2, 0);
    expect_segment(p, ACK, 2, 2, 0); /* and TIME-WAIT is still there */
}

static void time_wait_holds_the_tuple_until_it_expires(void **state)
{
    struct peer *p = *state;
    struct tern_sock *s;
    establish_actively(p);
    reach(p, TERN_TIME_WAIT);
    assert_int_equal(tern_sock_connect(p->e, &p->them, p->port, NULL, TERN_PORT, &s), -EADDRINUSE);
    advance_ms(p, 59000);
    assert_int_equal(tern_sock_connect(p->e, &p->them, p->port, NULL, TERN_PORT, &s), -EADDRINUSE);
    advance_ms(p, 2000);
    assert_int_equal(tern_sock_connect(p->e, &p->them, p->port, NULL, TERN_PORT, &s), 0);
    expect_flags(p, SYN);
}

/* V066 */
static void time_wait_with_timestamps_is_reused_by_connect(void **state)
{
    struct peer *p = *state;
    use_timestamps(p);
    establish_actively(p);
    reach(p, TERN_TIME_WAIT);
    const uint32_t old_end = p->irs + p->ack, old_ts = p->heard.opts.ts_val;
    advance_ms(p, 10);
    connect_out(p);
    const struct heard *h = expect_flags(p, SYN);
    assert_true(is_before(old_end, h->abs_seq));
    assert_true(is_before(old_ts, h->opts.ts_val));
    assert_int_equal(stats(p)->time_wait_reused, 1);
}

/* V111 */
static void time_wait_records_exhausted_are_counted(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.time_wait_max = 1;
    for (int i = 0; i < 2; i++) {
        establish(p);
        reach(p, TERN_TIME_WAIT);
        p->port++;
    }
    assert_int_equal(stats(p)->time_wait_opened, 1);
    assert_int_equal(stats(p)->time_wait_overflow, 1);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_NORMAL], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(time_wait_fin_again_is_acked_and_restarts),
        BOTH(time_wait_ack_is_not_answered),
        BOTH(time_wait_rst_does_not_end_it),
        BOTH(time_wait_newer_timestamp_reopens),
        BOTH(time_wait_equal_timestamp_and_later_sequence_reopens),
        BOTH(time_wait_later_sequence_reopens),
        BOTH(time_wait_reopens_beyond_a_fast_connection),
        BOTH(time_wait_new_syn_without_listener_is_reset),
        BOTH(time_wait_holds_the_tuple_until_it_expires),
        BOTH(time_wait_with_timestamps_is_reused_by_connect),
        BOTH(time_wait_records_exhausted_are_counted),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
