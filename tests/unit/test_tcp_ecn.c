/* SPDX-License-Identifier: BSD-3-Clause */
/* Explicit congestion notification (RFC 3168) and DCTCP's echo (RFC 8257). */
#include "tcp_peer.h"

enum { NOT_ECT = 0, ECT0 = 2, CE = 3 };

static void establish_with_ecn(struct peer *p)
{
    listen_here(p);
    inject_syn(p, SYN | ECE | CWR, 0);
    const struct heard *h = expect_segment(p, SYN | ACK | ECE, 0, 1, 0);
    assert_int_equal(h->tos & CE, NOT_ECT);
    inject(p, ACK, 1, 1, 0);
    accept_one(p);
    p->seq = p->ack = 1;
    assert_true(describe(p).ecn);
}

static void syn_with_both_bits_is_answered_with_one(void **state) /* 3168-1, 3168-2 */
{
    establish_with_ecn(*state);
}

static void plain_syn_gets_no_ecn(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_false(describe(p).ecn);
    write_bytes(p, 10);
    assert_int_equal(expect_segment(p, ACK, 1, 1, 10)->tos & CE, NOT_ECT);
}

static void ecn_can_be_switched_off(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.ecn = TERN_ECN_OFF;
    listen_here(p);
    inject_syn(p, SYN | ECE | CWR, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

static void cookies_agree_to_no_ecn(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.syn_cookies = TERN_SYN_COOKIES_ALWAYS;
    listen_here(p);
    inject_syn(p, SYN | ECE | CWR, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
}

static void active_open_asks_and_takes_the_answer(void **state) /* 3168-1 */
{
    struct peer *p = *state;
    p->cfg.stack.ecn = TERN_ECN_REQUEST;
    connect_out(p);
    assert_int_equal(expect_segment(p, SYN | ECE | CWR, 0, 0, 0)->tos & CE, NOT_ECT);
    inject_syn(p, SYN | ACK | ECE, 1);
    expect_segment(p, ACK, 1, 1, 0);
    assert_true(describe(p).ecn);
}

/* V126 */
static void answer_that_reflects_both_bits_is_no_ecn(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.ecn = TERN_ECN_REQUEST;
    connect_out(p);
    expect_segment(p, SYN | ECE | CWR, 0, 0, 0);
    inject_syn(p, SYN | ACK | ECE | CWR, 1);
    expect_segment(p, ACK, 1, 1, 0);
    assert_false(describe(p).ecn);
}

static void second_syn_asks_no_more(void **state) /* 3168-7 */
{
    struct peer *p = *state;
    p->cfg.stack.ecn = TERN_ECN_REQUEST;
    connect_out(p);
    expect_segment(p, SYN | ECE | CWR, 0, 0, 0);
    expect_after_ms(p, 1000);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK | ECE, 1);
    expect_segment(p, ACK, 1, 1, 0);
    assert_false(describe(p).ecn);
}

static void mark_is_echoed_until_cwr(void **state) /* 3168-3, 3168-6 */
{
    struct peer *p = *state;
    establish_with_ecn(p);
    p->ecn = CE;
    inject(p, ACK, 1, 1, 10);
    assert_int_equal(expect_segment(p, ACK | ECE, 1, 11, 0)->tos & CE, NOT_ECT);
    p->ecn = ECT0;
    inject(p, ACK, 11, 1, 10);
    expect_segment(p, ACK | ECE, 1, 21, 0);
    inject(p, ACK | CWR, 21, 1, 10);
    expect_segment(p, ACK, 1, 31, 0);
    p->ecn = CE;
    inject(p, ACK | CWR, 31, 1, 10); /* marked itself */
    expect_segment(p, ACK | ECE, 1, 41, 0);
    assert_int_equal(stats(p)->ecn_ce_rcvd, 2);
}

/* V126 */
static void echo_halves_the_window_once_a_round_trip(void **state) /* 3168-4 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_NEWRENO;
    establish_with_ecn(p);
    const uint32_t mss = full_segment(p);
    write_bytes(p, 30 * mss);
    for (int i = 0; i < 10; i++)
        assert_int_equal(expect_flags(p, ACK)->tos & CE, ECT0);
    inject(p, ACK | ECE, 1, 1 + mss, 0);
    assert_int_equal(describe(p).cwnd_bytes, 5 * mss);
    expect_nothing(p);
    inject(p, ACK | ECE, 1, 1 + 2 * mss, 0); /* the same round trip */
    assert_int_equal(describe(p).cwnd_bytes, 5 * mss);
    inject(p, ACK | ECE, 1, 1 + 6 * mss, 0);
    expect_segment(p, ACK | CWR, 1 + 10 * mss, 1, mss);
    inject(p, ACK, 1, 1 + 7 * mss, 0);
    expect_segment(p, ACK, 1 + 11 * mss, 1, mss);
    inject(p, ACK | ECE, 1, 1 + 11 * mss, 0); /* the next */
    assert_in_range(describe(p).cwnd_bytes, 2 * mss, 3 * mss);
    assert_int_equal(stats(p)->ecn_reduced, 2);
    skip_segments(p);
}

static void what_is_sent_again_may_not_be_marked(void **state) /* 3168-5 */
{
    struct peer *p = *state;
    establish_with_ecn(p);
    write_bytes(p, 10);
    assert_int_equal(expect_segment(p, ACK, 1, 1, 10)->tos & CE, ECT0);
    expect_after_ms(p, 1000);
    assert_int_equal(expect_segment(p, ACK, 1, 1, 10)->tos & CE, NOT_ECT);
}

static void dscp_stays_beside_ecn(void **state) /* SHLD-22 */
{
    struct peer *p = *state;
    p->cfg.stack.dscp = 46;
    establish_with_ecn(p);
    write_bytes(p, 10);
    assert_int_equal(expect_segment(p, ACK, 1, 1, 10)->tos, 46 << 2 | ECT0);
}

static void dctcp_echoes_each_change_at_once(void **state) /* RFC 8257 §3.2 */
{
    struct peer *p = *state;
    p->cfg.stack.cc = TERN_CC_DCTCP;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    establish_with_ecn(p);
    p->ecn = ECT0;
    inject(p, ACK, 1, 1, 10);
    expect_nothing(p);
    p->ecn = CE;
    inject(p, ACK, 11, 1, 10);
    expect_segment(p, ACK, 1, 11, 0); /* the first was not marked */
    expect_nothing(p);
    p->ecn = ECT0;
    inject(p, ACK, 21, 1, 10);
    expect_segment(p, ACK | ECE, 1, 21, 0); /* the second was */
    expect_after_ms(p, 40);
    expect_segment(p, ACK, 1, 31, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(syn_with_both_bits_is_answered_with_one),
        BOTH(plain_syn_gets_no_ecn),
        BOTH(ecn_can_be_switched_off),
        BOTH(cookies_agree_to_no_ecn),
        BOTH(active_open_asks_and_takes_the_answer),
        BOTH(answer_that_reflects_both_bits_is_no_ecn),
        BOTH(second_syn_asks_no_more),
        BOTH(mark_is_echoed_until_cwr),
        BOTH(echo_halves_the_window_once_a_round_trip),
        BOTH(what_is_sent_again_may_not_be_marked),
        BOTH(dscp_stays_beside_ecn),
        BOTH(dctcp_echoes_each_change_at_once),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
