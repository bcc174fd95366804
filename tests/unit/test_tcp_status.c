/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection says it waits for (STATUS, RFC 9293 §3.10.6): the timer is named, and when the
 * time it gives is over tern acts, not before and not after.
 */
#include "tcp_peer.h"

enum { LATE_MS = 60000 };

/** It waits for nothing but `timer`, and acts when it says. */
static void expect_timer(struct peer *p, enum tern_conn_timer timer)
{
    const struct tern_conn_info info = describe(p);
    assert_string_equal(tern_timer_name(info.timer), tern_timer_name(timer));
    expect_after_ms(p, info.timer_us / 1000);
}

static void expect_no_timer(const struct peer *p)
{
    const struct tern_conn_info info = describe(p);
    assert_string_equal(tern_timer_name(info.timer), "none");
    assert_int_equal(info.timer_us, 0);
    assert_int_equal(info.unanswered, 0);
}

static void idle_connection_waits_for_nothing(void **state)
{
    struct peer *p = *state;
    establish(p);
    expect_no_timer(p);
}

static void data_in_flight_waits_to_be_sent_again(void **state)
{
    struct peer *p = *state;
    p->offer.sack_ok = false; /* no probe of the tail without */
    establish(p);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(describe(p).unanswered, i);
        expect_timer(p, TERN_TIMER_RETRANSMIT);
        expect_segment(p, ACK, 1, 1, 10);
    }
    inject(p, ACK, 1, 11, 0);
    expect_no_timer(p);
}

static void tail_waits_to_be_probed(void **state)
{
    struct peer *p = *state;
    p->offer.sack_ok = true;
    establish(p);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    advance_ms(p, 20);
    inject(p, ACK, 1, 11, 0); /* a round trip, so that two of it are known */
    write_bytes(p, 10);
    expect_segment(p, ACK, 11, 1, 10);
    expect_timer(p, TERN_TIMER_PROBE);
    expect_segment(p, ACK, 11, 1, 10);
    assert_string_equal(tern_timer_name(describe(p).timer), "retransmit");
}

static void shut_window_waits_to_be_probed(void **state)
{
    struct peer *p = *state;
    establish(p);
    p->wnd = 0;
    inject(p, ACK, 1, 1, 0);
    write_bytes(p, 10);
    expect_nothing(p);
    for (int i = 0; i < 2; i++) {
        expect_timer(p, TERN_TIMER_PERSIST);
        skip_segments(p);
    }
}

static void acknowledgement_that_is_delayed_is_the_next_to_act(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    p->cfg.stack.keepalive_ms = LATE_MS;
    establish(p);
    inject(p, ACK, 1, 1, 10);
    expect_timer(p, TERN_TIMER_ACK);
    expect_segment(p, ACK, 1, 11, 0);
    expect_timer(p, TERN_TIMER_KEEPALIVE);
}

static void peer_that_does_not_close_is_waited_for(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.fin_wait2_ms = LATE_MS;
    establish(p);
    tern_sock_close(p->s);
    expect_segment(p, FIN | ACK, 1, 1, 0);
    p->s = NULL; /* it is the instance's alone now */
    inject(p, ACK, 1, 2, 0);
    struct tern_conn *c;
    struct tern_conn_info info;
    uint64_t cursor = 0;
    assert_int_equal(tern_shard_conns(p->sh, &cursor, &c, 1), 1);
    tern_conn_describe(p->sh, c, &info);
    assert_string_equal(tern_timer_name(info.timer), "fin-wait-2");
    assert_in_range(info.timer_us / 1000, LATE_MS - 1, LATE_MS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(idle_connection_waits_for_nothing),
        BOTH(data_in_flight_waits_to_be_sent_again),
        BOTH(tail_waits_to_be_probed),
        BOTH(shut_window_waits_to_be_probed),
        BOTH(acknowledgement_that_is_delayed_is_the_next_to_act),
        BOTH(peer_that_does_not_close_is_waited_for),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
