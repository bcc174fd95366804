/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SACK blocks made to shatter, overflow or mislead the scoreboard (SACK Panic and what came after
 * it). The sender's records stay at one a segment at the most and within sent_max, its equations
 * hold throughout, and in the end everything that was sent can be acknowledged.
 */
#include "attack_conn.h"

enum { TINY_MSS = 48, SENT_MAX = 256, LARGEST_SCALE = 14 };

/** `n` of the smallest segments that a peer can ask for are out, whatever it takes. */
static struct flight fly_tiny(struct peer *p, uint32_t n)
{
    offer_sack(p);
    p->offer.mss = TINY_MSS;
    p->offer.wscale = LARGEST_SCALE;
    p->no_pattern = true; /* a write is 4096 bytes of it: not what is looked at here */
    p->cfg.mbufs = 16384;
    p->cfg.stack.snd_buf_bytes = 1 << 23;
    p->cfg.stack.init_cwnd_segs = 1000;
    establish(p);
    const struct flight f = {.p = p, .base = 1, .mss = TERN_MSS_MIN};
    queue_segs(&f, n);
    return f;
}

/** All that was sent is acknowledged, and the connection carries what is written next. */
static void expect_recovered(const struct flight *f)
{
    struct peer *p = f->p;
    for (int i = 0; describe(p).unacked_bytes + describe(p).queued_bytes > 0; i++) {
        assert_true(i < 1000);
        p->ack += describe(p).unacked_bytes;
        inject(p, ACK, p->seq, p->ack, 0);
        check_in_flight(p);
        skip_segments(p);
    }
    assert_int_equal(p->sh->n_sent_more, 0);
    inject(p, ACK, p->seq, p->ack, 10);
    expect_read(p, 10);
    advance_ms(p, ONE_SECOND);
    skip_segments(p);
    assert_state(p, TERN_ESTABLISHED);
}

/** V001, V003: the block grows by 8 bytes an ACK, over more segments than 16 bits count. */
static void block_grows_over_more_segments_than_16_bits_count(void **state)
{
    enum { SEGMENTS = 66000, STEP = 8 };
    struct peer *p = *state;
    const struct flight f = fly_tiny(p, SEGMENTS);
    const uint32_t left = f.base + f.mss, first = left + 990 * f.mss;
    uint32_t n_steps = 0;
    for (uint32_t right = left; right < first; right += STEP, n_steps++) {
        sack_bytes(&f, ACK, f.base, EDGES(left, right));
        skip_segments(p);
    }
    for (uint32_t right = first; right < f.base + SEGMENTS * f.mss; right = f.base + 0) {
        const uint32_t sent = describe(p).unacked_bytes;
        right = f.base + sent;
        sack_bytes(&f, ACK, f.base, EDGES(left, right));
        if (skip_segments(p) == 0)
            break;
        n_steps++;
    }
    check_in_flight(p);
    assert_true(describe(p).unacked_bytes > UINT16_MAX * f.mss);
    assert_true(p->sh->n_sent_more < 16); /* what is SACKED side by side is one record */
    expect_recovered(&f);
}

/** SACK every second stretch of `bytes`, three an ACK, over all that is in flight. */
static void shatter(const struct flight *f, uint32_t bytes)
{
    const uint32_t n_bytes = describe(f->p).unacked_bytes, step = 2 * bytes;
    for (uint32_t at = f->base + bytes; at + 5 * step < f->base + n_bytes; at += 3 * step) {
        sack_bytes(f, ACK, f->base,
            EDGES(at, at + bytes, at + step, at + step + bytes, at + 2 * step,
                at + 2 * step + bytes));
        assert_true(f->p->sh->n_sent_more <= f->p->cfg.stack.sent_max);
        skip_segments(f->p);
    }
    check_in_flight(f->p);
}

/** V002, V004, V005: every second piece of any size is SACKED; records stay at one a segment. */
static void flight_does_not_shatter_below_a_segment(void **state)
{
    enum { SEGMENTS = 900 };
    struct peer *p = *state;
    static const uint32_t bytes[] = {8, 1, TERN_MSS_MIN / 2, TERN_MSS_MIN, TERN_MSS_MIN + 1, 200};
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        peer_restart(p);
        p->seq = p->ack = 0;
        const struct flight f = fly_tiny(p, SEGMENTS);
        skip_segments(p);
        advance_ms(p, 1);
        shatter(&f, bytes[i]);
        assert_true(p->sh->n_sent_more <= SEGMENTS);
        if (bytes[i] < TERN_MSS_MIN) /* no whole segment lies in a block */
            assert_int_equal(p->sh->n_sent_more, 0);
        expect_recovered(&f);
    }
}

/** V002, V005: beyond sent_max blocks say nothing; a timeout repairs what is missing. */
static void records_of_what_was_sent_are_bounded(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.sent_max = SENT_MAX;
    const struct flight f = fly_tiny(p, 2000);
    skip_segments(p);
    advance_ms(p, 1);
    for (int again = 0; again < 3; again++)
        shatter(&f, f.mss);
    for (uint32_t tail = 0; tail < 1000; tail++) { /* and on, for the tail */
        const uint32_t end = f.base + describe(p).unacked_bytes;
        sack_bytes(&f, ACK, f.base, EDGES(end - f.mss, end));
    }
    assert_true(p->sh->n_sent_more <= SENT_MAX);
    skip_segments(p);
    wait_segment(p, 60 * ONE_SECOND);
    assert_int_equal(expect_flags(p, ACK)->seq, f.base);
    skip_segments(p);
    expect_recovered(&f);
}

/** V007: wherever the numbers begin, the same holes are filled. */
static void holes_are_the_same_for_every_isn(void **state)
{
    struct peer *p = *state;
    for (uint32_t i = 0; i < N_ODD_ISNS; i++) {
        begin_at(p, odd_isns[i] - 5000);
        const struct flight f = fly_rtt(p, 10);
        sack(&f, 0, 1, 3, 4, 6, 7, 10);
        expect_seg(&f, 0);
        skip_segments(p);
        assert_int_equal(stats(p)->sack_refused, 0);
        check_in_flight(p);
        ack_seg(&f, 10);
        inject(p, ACK, 6001, p->ack, 1000); /* and what we report ourselves */
        skip_segments(p);
        assert_int_equal(p->heard.opts.n_sack, 1);
        assert_int_equal(p->heard.opts.left[0] - p->iss, 6001);
        assert_int_equal(p->heard.opts.right[0] - p->iss, 7001);
    }
}

/** V008: a SACK option that is none changes nothing; neither do blocks that are none. */
static void corrupted_sack_changes_nothing(void **state)
{
    struct peer *p = *state;
    const struct flight f = fly_rtt(p, 10);
    const uint32_t pipe_bytes = describe(p).pipe_bytes;
    for (uint32_t len = 0; len <= 255; len++) {
        uint8_t opt[40] = {5, (uint8_t)len};
        for (int i = 0; i < 4; i++) { /* whole segments, if they were read */
            put32(opt + 2 + 8 * i, p->irs + f.base + f.mss);
            put32(opt + 6 + 8 * i, p->irs + f.base + 9 * f.mss);
        }
        const bool is_legal = len % 8 == 2 && len >= 10 && len <= 34;
        if (!is_legal)
            inject_raw(p, ACK, 1, f.base, 0, opt, sizeof opt);
        inject_raw(p, ACK, 1, f.base, 0, opt, 8); /* the block runs out of the header */
    }
    for (uint32_t i = 0; i < N_ODD_ISNS; i++) {
        sack_bytes(&f, ACK, f.base, EDGES(f.base + 5 * f.mss, f.base + 4 * f.mss));
        sack_bytes(
            &f, ACK, f.base, EDGES(f.base + 5 * f.mss, f.base + 5 * f.mss + odd_isns[i] / 2));
        sack_bytes(&f, ACK, f.base, EDGES(f.base + f.mss, f.base + 11 * f.mss));
    }
    check_in_flight(p);
    assert_int_equal(describe(p).pipe_bytes, pipe_bytes);
    assert_int_equal(describe(p).unacked_bytes, 10 * f.mss);
    skip_segments(p);
    expect_recovered(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(block_grows_over_more_segments_than_16_bits_count),
        BOTH(flight_does_not_shatter_below_a_segment),
        BOTH(records_of_what_was_sent_are_bounded),
        BOTH(holes_are_the_same_for_every_isn),
        BOTH(corrupted_sack_changes_nothing),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
