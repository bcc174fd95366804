/* SPDX-License-Identifier: BSD-3-Clause */
/* Keep-alive (RFC 9293 §3.8.4, MUST-24..29, SHLD-12). */
#include "tcp_peer.h"

enum { TWO_HOURS_MS = 7200000 };

static void keep_alive(struct peer *p, uint32_t ms)
{
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_KEEPALIVE_MS, ms), 0);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_KEEPALIVE_MS), ms);
}

static void expect_probe(struct peer *p)
{
    expect_segment(p, ACK, 0, 1, 0); /* SEQ = SND.NXT - 1, no data */
}

/* V214 */
static void idle_connection_is_silent_by_default(void **state) /* MUST-25 */
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_KEEPALIVE_MS), 0);
    expect_silence_ms(p, 3 * 3600 * 1000);
    assert_state(p, TERN_ESTABLISHED);
}

static void idle_connection_is_probed_after_its_interval(void **state) /* MUST-24, MUST-27 */
{
    struct peer *p = *state;
    establish(p);
    keep_alive(p, TWO_HOURS_MS);
    for (int i = 0; i < 5; i++) {
        expect_after_ms(p, TWO_HOURS_MS);
        expect_probe(p);
        inject(p, ACK, 1, 1, 0);
        expect_nothing(p);
    }
    keep_alive(p, 0);
    expect_silence_ms(p, 3ull * TWO_HOURS_MS);
}

static void interval_may_be_configured_for_all(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.keepalive_ms = 10000;
    establish(p);
    expect_after_ms(p, 10000);
    expect_probe(p);
}

static void traffic_puts_the_probe_off(void **state) /* MUST-26 */
{
    struct peer *p = *state;
    establish(p);
    keep_alive(p, 10000);
    for (int i = 0; i < 10; i++) {
        advance_ms(p, 9000);
        expect_nothing(p);
        inject(p, ACK, p->seq, 1, 10);
        p->seq += 10;
        skip_segments(p);
    }
    advance_ms(p, 9000);
    expect_nothing(p);
    wait_segment(p, 1100);
    expect_segment(p, ACK, 0, p->seq, 0);
}

/** The probe is not acceptable, so the peer never reads what it acknowledges. */
static void acknowledgement_that_is_owed_goes_before_the_probe(void **state) /* MUST-40 */
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    p->cfg.stack.delayed_ack_ms = 400;
    establish(p);
    keep_alive(p, 300);
    inject(p, PSH | ACK, 1, 1, 10);
    expect_after_ms(p, 300);
    expect_segment(p, ACK, 1, 11, 0);
    expect_segment(p, ACK, 0, 11, 0);
    inject(p, ACK, 11, 1, 0);
    expect_silence_ms(p, 290);
}

static void data_outstanding_is_retransmitted_not_probed(void **state) /* MUST-26 */
{
    struct peer *p = *state;
    establish(p);
    keep_alive(p, 300);
    write_bytes(p, 10);
    expect_segment(p, ACK, 1, 1, 10);
    for (uint32_t ms = 1000; ms < 8000; ms *= 2) {
        expect_after_ms(p, ms);
        expect_segment(p, ACK, 1, 1, 10);
    }
    assert_int_equal(stats(p)->keepalive_probes, 0);
}

static void one_lost_answer_does_not_end_it(void **state) /* MUST-29 */
{
    struct peer *p = *state;
    establish(p);
    keep_alive(p, 100000);
    for (int i = 0; i < 30; i++) {
        wait_segment(p, 200000);
        expect_probe(p); /* lost */
        expect_after_ms(p, 75000);
        expect_probe(p);
        inject(p, ACK, 1, 1, 0);
    }
    assert_state(p, TERN_ESTABLISHED);
}

/* V214 */
static void nine_lost_answers_end_it(void **state)
{
    struct peer *p = *state;
    establish(p);
    keep_alive(p, 10000);
    for (int i = 0; i < 9; i++) {
        expect_after_ms(p, 10000);
        expect_probe(p);
    }
    expect_after_ms(p, 10000);
    expect_flags(p, RST | ACK);
    assert_over(p, ETIMEDOUT);
}

static void reset_in_answer_ends_it(void **state)
{
    struct peer *p = *state;
    establish(p);
    keep_alive(p, 10000);
    expect_after_ms(p, 10000);
    expect_probe(p);
    inject(p, RST, 1, 0, 0);
    assert_over(p, ECONNRESET);
}

static void half_closed_connections_are_probed_too(void **state)
{
    struct peer *p = *state;
    establish(p);
    reach(p, TERN_CLOSE_WAIT);
    keep_alive(p, 10000);
    expect_after_ms(p, 10000);
    expect_segment(p, ACK, 0, 2, 0);
    inject(p, ACK, 2, 1, 0);
}

/** Longer than the wheel and than half of the tick circle. */
static void interval_of_weeks_is_silent_for_weeks(void **state)
{
    struct peer *p = *state;
    const uint32_t weeks_ms = 4000000000; /* 46 days */
    establish(p);
    keep_alive(p, weeks_ms);
    expect_silence_ms(p, weeks_ms - 1000);
    wait_segment(p, 2000);
    expect_probe(p);
}

/** Longer than half of what 32 bits of milliseconds tell apart. */
static void peer_that_is_gone_is_given_up_after_weeks_too(void **state)
{
    struct peer *p = *state;
    const uint32_t weeks_ms = 2200000000; /* 25 days */
    establish(p);
    keep_alive(p, weeks_ms);
    expect_silence_ms(p, weeks_ms - 1000);
    wait_segment(p, 2000);
    expect_probe(p);
    for (int i = 1; i < 9; i++) {
        expect_after_ms(p, 75000);
        expect_probe(p);
    }
    expect_after_ms(p, 75000);
    expect_flags(p, RST | ACK);
    assert_over(p, ETIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(idle_connection_is_silent_by_default),
        BOTH(idle_connection_is_probed_after_its_interval),
        BOTH(interval_may_be_configured_for_all),
        BOTH(traffic_puts_the_probe_off),
        BOTH(acknowledgement_that_is_owed_goes_before_the_probe),
        BOTH(data_outstanding_is_retransmitted_not_probed),
        BOTH(one_lost_answer_does_not_end_it),
        BOTH(nine_lost_answers_end_it),
        BOTH(reset_in_answer_ends_it),
        BOTH(half_closed_connections_are_probed_too),
        BOTH(interval_of_weeks_is_silent_for_weeks),
        BOTH(peer_that_is_gone_is_given_up_after_weeks_too),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
