/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out-of-order data that costs the receiver more than the sender: a byte a segment, over the whole
 * window, with the hole left open (SegmentSmack). What is held is bounded in runs and in buffers,
 * data in order goes on, and when the hole is filled nothing that was acknowledged is missing.
 */
#include "attack_conn.h"

enum { WINDOW = 65535 };

/** Every other byte of the window once, in an order that no list likes. */
static void smack(struct peer *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t nth = i * 7919u % (WINDOW / 2);
        inject(p, ACK, 2 + 2 * nth, p->ack, 1);
        skip_segments(p);
    }
}

/** V117, V118: runs and buffers held are bounded, whatever the order; the sender repeats the rest.
 */
static void tiny_segments_hold_a_bounded_number_of_runs(void **state)
{
    enum { LEN = 1000 };
    struct peer *p = *state;
    establish(p);
    const struct baseline before = baseline_of(p->sh);
    smack(p, 20000);
    assert_int_equal(held_by(p)->n_ranges, TERN_REASM_RANGES_MAX);
    assert_true(baseline_of(p->sh).mbufs - before.mbufs <= TERN_REASM_RANGES_MAX);
    for (uint32_t at = 0; at < WINDOW; at += LEN) { /* all of it, in order */
        inject(p, ACK, 1 + at, 1, RTE_MIN((uint32_t)LEN, WINDOW - at));
        skip_segments(p);
    }
    expect_read(p, WINDOW);
    assert_null(held_by(p));
    advance_ms(p, ONE_SECOND);
    skip_segments(p);
    assert_baseline(p->sh, &before);
}

/** V119: a pool that many such connections have emptied is left to data in order. */
static void what_is_held_never_takes_the_last_buffers(void **state)
{
    enum { CONNS = 60 };
    struct peer *p = *state;
    p->cfg.mbufs = 1024;
    establish(p);
    const uint32_t irs = p->irs;
    for (uint16_t i = 1; i <= CONNS; i++) {
        p->port = (uint16_t)(PEER_PORT + i);
        p->edge_known = false;
        inject_syn(p, SYN, 0);
        skip_segments(p);
        inject(p, ACK, 1, 1, 0);
        smack(p, 100);
    }
    const uint32_t n_free = rte_mempool_avail_count(p->sh->tcp.pool);
    assert_in_range(n_free, 1024 / TERN_REASM_POOL_SHARE - 1, 1024 / 2);
    p->port = PEER_PORT;
    p->irs = irs;
    p->edge_known = false;
    for (uint32_t at = 1; at < 10000; at += 1000) {
        inject(p, ACK, at, 1, 1000);
        expect_read(p, 1000);
    }
    skip_segments(p);
}

/** V120: with the queue at its bound the segment that fills the first hole is taken, and all that
 * is held behind it. */
static void full_queue_takes_what_fills_its_hole(void **state)
{
    struct peer *p = *state;
    for (int larger = 0; larger < 3; larger++) { /* exactly, and reaching into what is held */
        peer_restart(p);
        establish(p);
        for (uint32_t i = 0; i < TERN_REASM_RANGES_MAX + 5; i++)
            inject(p, ACK, 11 + 20 * i, 1, 10);
        assert_int_equal(held_by(p)->n_ranges, TERN_REASM_RANGES_MAX);
        assert_int_equal(drops(p, TERN_DROP_TCP_REASM_FULL), 5);
        skip_segments(p);
        inject(p, ACK, 1, 1, 10 + 5 * (uint32_t)larger);
        expect_read(p, 20);
        for (uint32_t i = 1; i < TERN_REASM_RANGES_MAX; i++)
            inject(p, ACK, 1 + 20 * i, 1, 10);
        expect_read(p, 20 * (TERN_REASM_RANGES_MAX - 1));
        assert_null(held_by(p));
        skip_segments(p);
    }
}

/** V122: out of order and longer than the window, with every flag that takes a number. */
static void segments_beyond_the_window_are_trimmed_whatever_their_flags(void **state)
{
    enum { RCV_BUF = 2000 };
    static const uint8_t flags[] = {
        ACK, ACK | PSH, ACK | FIN, ACK | SYN, ACK | SYN | FIN, ACK | URG};
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof flags; i++) {
        peer_restart(p);
        p->cfg.stack.rcv_buf_bytes = RCV_BUF;
        establish(p);
        for (uint32_t at = 2; at < RCV_BUF + 2; at += 111)
            inject(p, flags[i], at, 1, 1400);
        const struct tern_rxq *r = held_by(p);
        assert_true(r == NULL || r->n_bytes < RCV_BUF);
        if (flags[i] & SYN)
            assert_null(r); /* V056: never held */
        skip_segments(p);
        inject(p, ACK, 1, 1, 1);
        assert_state(p, TERN_ESTABLISHED); /* no FIN lay in the window */
        skip_segments(p);
    }
}

/** V068: a segment without a byte is never held, be it the one that completes the handshake. */
static void segments_without_a_byte_are_never_held(void **state)
{
    struct peer *p = *state;
    listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 500, 1, 0); /* in the window, and not next */
    accept_one(p);
    p->seq = p->ack = 1;
    for (uint32_t at = 2; at < 1000; at++)
        inject(p, ACK | PSH, at, 1, 0);
    assert_null(held_by(p));
    skip_segments(p);
    write_bytes(p, 10); /* SYN has counted once */
    expect_segment(p, ACK, 1, 1, 10);
    inject(p, ACK, 1, 11, 10);
    expect_read(p, 10);
    skip_segments(p);
}

/** A segment in buffers of `step` bytes, the headers in the first. */
static void arrive_in_pieces(struct peer *p, uint32_t seq, uint32_t len, uint32_t step)
{
    struct frame f;
    write_segment(p, &f, ACK, seq, 1, len, (const uint8_t *)"", 0);
    const uint32_t headers = f.n - len;
    struct rte_mbuf *m = tern_shard_mbuf(p->sh);
    memcpy(rte_pktmbuf_append(m, (uint16_t)headers), f.b, headers);
    for (uint32_t at = headers; at < f.n; at += step) {
        const uint32_t n = RTE_MIN(step, f.n - at);
        struct rte_mbuf *piece = tern_shard_mbuf(p->sh);
        memcpy(rte_pktmbuf_append(piece, (uint16_t)n), f.b + at, n);
        assert_int_equal(rte_pktmbuf_chain(m, piece), 0);
    }
    p->n_injected++;
    tern_shard_rx(p->sh, &m, 1, p->now_ns);
}

/** V190: chains that are trimmed at every byte, at either end, to nothing as well. */
static void chains_are_trimmed_and_their_buffers_come_back(void **state)
{
    enum { HELD_AT = 40, HELD = 20, LEN = 30 };
    struct peer *p = *state;
    for (uint32_t step = 1; step <= LEN; step += 4)
        for (uint32_t at = 2; at < HELD_AT + HELD + 5; at++) {
            peer_restart(p);
            establish(p);
            const struct baseline before = baseline_of(p->sh);
            inject(p, ACK, HELD_AT, 1, HELD);
            arrive_in_pieces(p, at, LEN, step); /* cut by what is held */
            inject(p, ACK, 1, 1, 20);           /* … by what is in order */
            arrive_in_pieces(p, 11, LEN, step);
            arrive_in_pieces(p, 1, LEN / 2, step); /* old to the last byte */
            inject(p, ACK, 21, 1, 100);
            expect_read(p, 120);
            advance_ms(p, ONE_SECOND);
            skip_segments(p);
            assert_baseline(p->sh, &before);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(tiny_segments_hold_a_bounded_number_of_runs),
        BOTH(what_is_held_never_takes_the_last_buffers),
        BOTH(full_queue_takes_what_fills_its_hole),
        BOTH(segments_beyond_the_window_are_trimmed_whatever_their_flags),
        BOTH(segments_without_a_byte_are_never_held),
        BOTH(chains_are_trimmed_and_their_buffers_come_back),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
