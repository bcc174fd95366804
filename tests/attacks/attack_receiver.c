/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receivers that lie to a sender: acknowledgements in slivers, congestion that never ends, echoes
 * of times that never were, losses in step with the timeout. The sender's window and timer stay
 * within their bounds, and it is as fast as ever when the lies end.
 */
#include "attack_conn.h"

static const enum tern_cc_kind kinds[] = {
    TERN_CC_CUBIC, TERN_CC_NEWRENO, TERN_CC_BBR, TERN_CC_DCTCP};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static void begin_with(struct peer *p, enum tern_cc_kind cc)
{
    peer_restart(p);
    p->seq = p->ack = 0;
    offer_sack(p);
    p->cfg.stack.cc = cc;
    p->no_pattern = true;
}

/** The window after ten segments were acknowledged in steps of `step` bytes. */
static uint32_t cwnd_after_acks_of(struct peer *p, enum tern_cc_kind cc, uint32_t step)
{
    begin_with(p, cc);
    const struct flight f = fly_rtt(p, 10);
    const uint32_t end = f.base + 10 * f.mss;
    for (uint32_t ack = f.base; ack < end;) {
        ack = RTE_MIN(ack + step, end);
        inject(p, ACK, p->seq, ack, 0);
    }
    const uint32_t cwnd_bytes = describe(p).cwnd_bytes;
    p->ack = end;
    skip_segments(p);
    return cwnd_bytes;
}

/** V123: however small the steps, the window grows by no more than an honest receiver gets. */
static void slivers_of_acks_open_no_more_than_whole_ones(void **state)
{
    static const uint32_t steps[] = {1, 2, 7, 100, 730};
    struct peer *p = *state;
    for (uint32_t k = 0; k < N_KINDS; k++) {
        const uint32_t honest = cwnd_after_acks_of(p, kinds[k], full_segment(p));
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
            assert_true(cwnd_after_acks_of(p, kinds[k], steps[i]) <= honest);
    }
}

/** V125: each segment is acknowledged at once, and what was not sent as well. */
static void acks_ahead_of_the_data_move_nothing(void **state)
{
    static const uint32_t ahead[] = {1, 2, 1460, 65535, 0x40000000, 0x7fffffff};
    struct peer *p = *state;
    for (uint32_t k = 0; k < N_KINDS; k++) {
        begin_with(p, kinds[k]);
        const struct flight f = fly_rtt(p, 10);
        const uint32_t cwnd_bytes = describe(p).cwnd_bytes;
        for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++)
            inject(p, ACK, p->seq, f.base + 10 * f.mss + ahead[i], 0);
        assert_int_equal(describe(p).cwnd_bytes, cwnd_bytes);
        assert_int_equal(describe(p).unacked_bytes, 10 * f.mss);
        check_in_flight(p);
        p->ack = f.base;
        skip_segments(p);
        ack_seg(&f, 10);
    }
}

/** V126: ECE in every ACK: a segment a round trip at the least, a reduction a round trip at most.
 */
static void congestion_that_never_ends_leaves_a_segment(void **state)
{
    enum { ROUNDS = 100, ECT0 = 2 };
    struct peer *p = *state;
    for (uint32_t k = 0; k < N_KINDS; k++) {
        begin_with(p, kinds[k]);
        listen_here(p);
        inject_syn(p, SYN | ECE | CWR, 0);
        expect_flags(p, SYN | ACK | ECE);
        inject(p, ACK, 1, 1, 0);
        accept_one(p);
        p->seq = p->ack = 1;
        p->ecn = ECT0;
        write_bytes(p, 1000000);
        for (uint32_t round = 1; round <= ROUNDS && describe(p).queued_bytes > 0; round++) {
            p->ack = 1 + p->n_sent - describe(p).queued_bytes;
            skip_segments(p);
            advance_ms(p, RTT_MS);
            inject(p, ACK | ECE, 1, p->ack, 0);
            assert_true(describe(p).cwnd_bytes >= full_segment(p));
            assert_true(describe(p).pipe_bytes > 0);
            assert_true(stats(p)->ecn_reduced <= round);
        }
        skip_segments(p);
        inject(p, RST, 1, 0, 0);
    }
}

/** V128: echoes of the future, of nothing and of long ago: the timeout keeps its bounds. */
static void echoes_that_lie_keep_the_timeout_in_bounds(void **state)
{
    static const uint32_t lies[] = {
        1, 1000, 0x7fffffff, 0x80000000, 0x80000001, 0xffff0000, 0xffffffff};
    struct peer *p = *state;
    p->offer.has_ts = true;
    const struct tern_stack_config *cfg = &p->cfg.stack;
    for (size_t i = 0; i <= sizeof lies / sizeof lies[0]; i++) {
        begin_with(p, TERN_CC_NEWRENO);
        fly(p, 10, 0);
        for (uint32_t n = 0; n < 300; n++) {
            const uint32_t truth = p->ts_ecr;
            p->ts_ecr = i < sizeof lies / sizeof lies[0] ? truth + lies[i] : 0;
            p->ack += payload_of(p);
            inject(p, ACK, 1, p->ack, 0);
            p->ts_ecr = truth;
            write_bytes(p, payload_of(p));
            advance_ms(p, n % 7);
            skip_segments(p);
            const struct tern_conn_info info = describe(p);
            assert_in_range(info.rto_us, cfg->rto_min_ms * 1000, cfg->rto_max_ms * 1000);
            assert_true(info.srtt_us <= cfg->rto_max_ms * 1000);
        }
        wait_segment(p, cfg->rto_max_ms); /* what is lost is sent again in time */
        skip_segments(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(slivers_of_acks_open_no_more_than_whole_ones),
        BOTH(acks_ahead_of_the_data_move_nothing),
        BOTH(congestion_that_never_ends_leaves_a_segment),
        BOTH(echoes_that_lie_keep_the_timeout_in_bounds),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
