/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving side: acknowledging, reassembly, SACK, the window (RFC 9293 §3.8.6, RFC 2018). */
#include "tcp_peer.h"

#include <rte_mbuf.h>

/** In-order payload; p->seq moves on. */
static void inject_next(struct peer *p, uint32_t len)
{
    inject(p, ACK, p->seq, 1, len);
    p->seq += len;
}

/* ---- when to acknowledge ---- */

static void quick_start_acks_the_first_segments_at_once(void **state)
{
    struct peer *p = *state;
    establish(p);
    for (int i = 0; i < 16; i++) {
        inject_next(p, 100);
        expect_segment(p, ACK, 1, p->seq, 0);
    }
    inject_next(p, 100);
    expect_after_ms(p, 40); /* SHLD-18, MUST-40 */
    expect_segment(p, ACK, 1, p->seq, 0);
}

static void delayed_ack_is_for_every_second_full_segment(void **state) /* SHLD-19 */
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    establish(p);
    for (int i = 0; i < 10; i++) {
        inject_next(p, full_segment(p));
        expect_nothing(p);
        inject_next(p, full_segment(p));
        expect_segment(p, ACK, 1, p->seq, 0);
    }
    inject_next(p, 10);
    inject_next(p, 10);
    expect_after_ms(p, 40);
    expect_segment(p, ACK, 1, p->seq, 0);
    expect_silence_ms(p, 10000);
}

static void delayed_ack_rides_on_data(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    establish(p);
    inject_next(p, 10);
    write_bytes(p, 5);
    expect_segment(p, ACK, 1, 11, 5);
    inject(p, ACK, 11, 6, 0);
    expect_silence_ms(p, 10000);
}

static void every_burst_policy_never_delays(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_EVERY_BURST;
    establish(p);
    for (int i = 0; i < 40; i++) {
        inject_next(p, 1);
        expect_segment(p, ACK, 1, p->seq, 0);
    }
}

static void ack_policy_may_change(void **state)
{
    struct peer *p = *state;
    establish(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_ACK_POLICY, TERN_ACK_DELAYED), 0);
    inject_next(p, 1);
    expect_nothing(p);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_ACK_POLICY, TERN_ACK_EVERY_BURST), 0);
    inject_next(p, 1);
    expect_segment(p, ACK, 1, p->seq, 0);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_ACK_POLICY, TERN_ACK_QUICK_START), 0);
    inject_next(p, 1);
    expect_segment(p, ACK, 1, p->seq, 0);
    assert_int_equal(tern_sock_get(p->s, TERN_CONN_ACK_POLICY), TERN_ACK_QUICK_START);
    assert_int_equal(tern_sock_set(p->s, TERN_CONN_ACK_POLICY, 3), -EINVAL);
}

/** Segments that arrive in one burst of the device. */
static void inject_burst(struct peer *p, const uint32_t *seqs, uint32_t n, uint32_t len)
{
    struct rte_mbuf *pkts[64];
    for (uint32_t i = 0; i < n; i++)
        pkts[i] = segment_mbuf(p, ACK, seqs[i], 1, len);
    tern_shard_rx(p->sh, pkts, n, p->now_ns);
}

static void burst_is_acked_once(void **state) /* MUST-58 */
{
    struct peer *p = *state;
    uint32_t seqs[32];
    establish(p);
    for (uint32_t i = 0; i < 32; i++)
        seqs[i] = 1 + i * 1000;
    inject_burst(p, seqs, 32, 1000);
    expect_segment(p, ACK, 1, 32001, 0);
    expect_nothing(p);
}

static void burst_that_fills_its_own_hole_is_acked_once(void **state) /* MUST-59 */
{
    struct peer *p = *state;
    establish(p);
    inject_burst(p, (uint32_t[]){2001, 1001, 3001, 1}, 4, 1000);
    expect_segment(p, ACK, 1, 4001, 0);
    expect_nothing(p);
    expect_read(p, 4000);
}

/* ---- reassembly ---- */

static void gap_is_reported_at_once_and_filled_at_once(void **state) /* SHLD-31, MAY-13, 5681-9 */
{
    struct peer *p = *state;
    p->cfg.stack.ack_policy = TERN_ACK_DELAYED;
    establish(p);
    inject(p, ACK, 101, 1, 100);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 201, 1, 100);
    expect_segment(p, ACK, 1, 1, 0);
    inject(p, ACK, 1, 1, 100);
    expect_segment(p, ACK, 1, 301, 0);
    expect_read(p, 300);
}

/** What is held survives segments that overlap it in every way. */
static void overlaps_of_held_pieces_are_settled(void **state)
{
    struct peer *p = *state;
    static const struct {
        uint32_t from, to;
    } pieces[] = {{100, 200}, {50, 250}, {240, 300}, {45, 60}, {400, 500}, {290, 450}, {350, 360},
        {30, 600}, {10, 700}};
    establish(p);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        inject(p, ACK, pieces[i].from, 1, pieces[i].to - pieces[i].from);
        expect_segment(p, ACK, 1, 1, 0);
    }
    inject(p, ACK, 1, 1, 9);
    expect_segment(p, ACK, 1, 700, 0);
    expect_read(p, 699);
}

/** Random segments of a stream against a map of what has come. */
static void play_random_segments(struct peer *p, uint64_t seed)
{
    enum { STREAM = 4000, PIECE_MAX = 300 };
    bool has[STREAM + 2] = {false};
    uint32_t next = 1;
    establish(p);
    p->no_edge = true; /* reading happens in between: the window is another test's */
    while (next <= STREAM) {
        const uint32_t from = 1 + next_random(&seed) % STREAM;
        uint32_t len = 20 + next_random(&seed) % PIECE_MAX;
        if (len > STREAM + 1 - from)
            len = STREAM + 1 - from;
        inject(p, ACK, from, 1, len);
        for (uint32_t i = from; i < from + len; i++)
            has[i] = true;
        const uint32_t before = next;
        while (next <= STREAM && has[next])
            next++;
        skip_segments(p);
        assert_int_equal(p->heard.ack, next);
        expect_read(p, next - before);
        expect_unreadable(p);
    }
    assert_int_equal(drops(p, TERN_DROP_TCP_REASM_FULL), 0);
    inject(p, FIN | ACK, STREAM + 1, 1, 0);
    expect_segment(p, ACK, 1, STREAM + 2, 0);
}

/* V117 */
static void random_segments_give_the_stream(void **state)
{
    struct peer *p = *state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        peer_restart(p);
        p->cfg.mbufs = 256;
        play_random_segments(p, seed);
    }
}

/* V117, V118 */
static void pieces_held_are_bounded(void **state)
{
    struct peer *p = *state;
    establish(p);
    for (uint32_t i = 0; i < 100; i++)
        inject(p, ACK, 11 + i * 20, 1, 10);
    skip_segments(p);
    assert_int_equal(drops(p, TERN_DROP_TCP_REASM_FULL), 36);
    for (uint32_t i = 0; i < 100; i++) /* the sender repeats what was not acknowledged */
        inject(p, ACK, 1 + i * 20, 1, 20);
    advance_ms(p, 50);
    skip_segments(p);
    assert_int_equal(p->heard.ack, 2001);
    expect_read(p, 2000);
}

/* V119 */
static void held_pieces_are_freed_with_the_connection(void **state)
{
    struct peer *p = *state;
    establish(p);
    for (uint32_t i = 0; i < 10; i++)
        inject(p, ACK, 11 + i * 20, 1, 10);
    skip_segments(p);
    inject(p, RST, 1, 0, 0);
    assert_over(p, ECONNRESET);
    assert_int_equal(tern_shard_n_live(p->sh), 0);
}

/* ---- SACK (RFC 2018 §4) ---- */

static void expect_sack(struct peer *p, uint32_t ack, const uint32_t *blocks, uint8_t n)
{
    const struct heard *h = expect_segment(p, ACK, 1, ack, 0);
    assert_int_equal(h->opts.n_sack, n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(h->opts.left[i] - p->iss, blocks[2 * i]);
        assert_int_equal(h->opts.right[i] - p->iss, blocks[2 * i + 1]);
    }
}

static void sack_reports_the_newest_block_first(void **state) /* 2018-3, 2018-4 */
{
    struct peer *p = *state;
    p->offer.sack_ok = true;
    establish(p);
    inject(p, ACK, 101, 1, 100);
    expect_sack(p, 1, (uint32_t[]){101, 201}, 1);
    inject(p, ACK, 501, 1, 100);
    expect_sack(p, 1, (uint32_t[]){501, 601, 101, 201}, 2);
    inject(p, ACK, 301, 1, 100);
    expect_sack(p, 1, (uint32_t[]){301, 401, 501, 601, 101, 201}, 3);
    inject(p, ACK, 201, 1, 50); /* one block grows */
    expect_sack(p, 1, (uint32_t[]){101, 251, 301, 401, 501, 601}, 3);
    inject(p, ACK, 591, 1, 10); /* a duplicate of what is held: D-SACK (2883-1), once */
    expect_sack(p, 1, (uint32_t[]){591, 601, 501, 601, 101, 251, 301, 401}, 4);
    inject(p, ACK, 701, 1, 100);
    inject(p, ACK, 901, 1, 100);
    skip_segments(p);
    inject(p, ACK, 251, 1, 50); /* two blocks become one */
    expect_sack(p, 1, (uint32_t[]){101, 401, 901, 1001, 701, 801, 501, 601}, 4);
    inject(p, ACK, 1, 1, 100);
    expect_sack(p, 401, (uint32_t[]){901, 1001, 701, 801, 501, 601}, 3);
    inject(p, ACK, 401, 1, 600);
    expect_sack(p, 1001, NULL, 0);
}

static void sack_beside_timestamps_is_three_blocks(void **state)
{
    struct peer *p = *state;
    p->offer.sack_ok = p->offer.has_ts = true;
    establish(p);
    for (uint32_t i = 0; i < 5; i++)
        inject(p, ACK, 101 + 200 * i, 1, 100);
    skip_segments(p);
    assert_int_equal(p->heard.opts.n_sack, 3);
    inject(p, ACK, 1101, 1, 100);
    expect_sack(p, 1, (uint32_t[]){1101, 1201, 901, 1001, 701, 801}, 3);
}

/** Data of ours shares its segment with SACK: the packet must still fit the MTU (6691-1). */
static void sack_beside_data_keeps_within_the_mtu(void **state)
{
    struct peer *p = *state;
    p->offer.sack_ok = p->offer.has_ts = true;
    establish(p);
    for (uint32_t i = 0; i < 3; i++)
        inject(p, ACK, 101 + 200 * i, 1, 100);
    skip_segments(p);
    write_bytes(p, 3000); /* check_always() looks at the size */
    const struct heard *h = expect_flags(p, ACK);
    assert_int_equal(h->n_packet, p->cfg.stack.mtu_bytes);
    assert_int_equal(h->opts.n_sack, 3);
    const uint32_t len = full_segment(p) - 12 - 28, rest = 3000 - 2 * len;
    assert_int_equal(h->len, len);
    skip_segments(p);
    inject(p, ACK, 1, 3001 - rest, 1000); /* the gaps are filled; the last bytes go, too */
    expect_segment(p, ACK, 3001 - rest, 1001, rest);
    inject(p, ACK, 1001, 3001, 0);
    write_bytes(p, 2000);
    h = expect_flags(p, ACK);
    assert_int_equal(h->n_packet, p->cfg.stack.mtu_bytes);
    assert_int_equal(h->opts.n_sack, 0);
}

static void sack_gives_way_to_data_in_tiny_segments(void **state)
{
    struct peer *p = *state;
    p->offer.sack_ok = p->offer.has_ts = true;
    p->offer.mss = 64;
    establish(p);
    for (uint32_t i = 0; i < 3; i++)
        inject(p, ACK, 101 + 200 * i, 1, 100);
    skip_segments(p);
    write_bytes(p, 500);
    const struct heard *h = expect_flags(p, ACK);
    assert_int_equal(h->len, 64 - 12);
    assert_int_equal(h->opts.n_sack, 0);
}

/* ---- the window ---- */

static void window_closes_as_the_buffer_fills_and_opens_as_it_is_read(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.rcv_buf_bytes = 10000;
    establish(p);
    for (uint32_t left = 10000; left > 0; left -= 1000) {
        inject_next(p, 1000);
        assert_int_equal(expect_segment(p, ACK, 1, p->seq, 0)->wnd, left - 1000);
    }
    inject(p, ACK, p->seq, 1, 1000);
    assert_int_equal(expect_segment(p, ACK, 1, p->seq, 0)->wnd, 0);
    expect_read(p, 10000);
    assert_int_equal(expect_segment(p, ACK, 1, p->seq, 0)->wnd, 10000);
}

/** The application reads byte by byte: no window below min(MSS, buffer / 2) is offered (MUST-39).
 */
static void read_by_bytes_opens_by_segments(struct peer *p, uint32_t buf_bytes, uint32_t step)
{
    peer_restart(p);
    p->cfg.stack.rcv_buf_bytes = buf_bytes;
    p->cfg.stack.ack_policy = TERN_ACK_EVERY_BURST;
    establish(p);
    for (uint32_t left = buf_bytes; left > 0;) {
        const uint32_t len = left < 1000 ? left : 1000;
        inject_next(p, len);
        left -= len;
    }
    skip_segments(p);
    assert_int_equal(p->heard.wnd, 0);
    for (uint32_t n = 1; n < step; n++) {
        expect_read(p, 1);
        expect_nothing(p);
    }
    expect_read(p, 1);
    assert_int_equal(expect_segment(p, ACK, 1, p->seq, 0)->wnd, step);
}

static void window_opens_in_steps_worth_telling(void **state)
{
    struct peer *p = *state;
    read_by_bytes_opens_by_segments(p, 20000, full_segment(p));
    read_by_bytes_opens_by_segments(p, 2000, 1000);
}

static void window_update_waits_while_the_window_is_wide(void **state)
{
    struct peer *p = *state;
    establish(p);
    for (int i = 0; i < 20; i++) {
        inject_next(p, 1000);
        skip_segments(p);
        expect_read(p, 1000);
        expect_nothing(p); /* 60 KB are open still */
    }
}

/** An application that takes data in and does not give the window back. */
static void swallow(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    (void)sh;
    (void)c;
    rte_pktmbuf_free(m);
}

static const struct tern_app swallows = {.on_data = swallow};

static void establish_with_app(struct peer *p, const struct tern_app *app)
{
    peer_open(p);
    assert_true(tern_listen(p->sh, NULL, TERN_PORT, app, p) >= 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    p->seq = p->ack = 1;
}

/**
 * A scaled window rounds. However small the segments, it must close when the buffer is full, the
 * right edge must not run away, and it may seem to move left by less than a unit (RFC 7323 §2.4).
 */
static void scaled_window_closes(struct peer *p, uint32_t buf_bytes, uint32_t len)
{
    peer_restart(p);
    p->cfg.stack.rcv_buf_bytes = buf_bytes;
    p->cfg.stack.ack_policy = TERN_ACK_EVERY_BURST;
    p->offer.has_wscale = true;
    establish_with_app(p, &swallows);
    const uint32_t unit = 1u << p->tern_wscale;
    uint32_t n = 0;
    p->no_edge = true;
    for (uint32_t furthest = 0; n * len < buf_bytes + 10 * unit; n++) {
        inject(p, ACK, 1 + n * len, 1, len);
        skip_segments(p);
        const uint32_t edge = right_edge(p, &p->heard) - p->iss;
        assert_true(edge + unit > furthest);
        furthest = edge > furthest ? edge : furthest;
        assert_in_range(furthest, 65536, buf_bytes + 3 * unit);
        if (p->heard.wnd == 0)
            break;
    }
    assert_int_equal(p->heard.wnd, 0);
    assert_in_range(n * len, buf_bytes - 3 * unit - len, buf_bytes + 3 * unit);
    p->no_edge = false;
}

static void scaled_window_closes_with_any_segments(void **state)
{
    struct peer *p = *state;
    scaled_window_closes(p, 1u << 17, 1000);
    scaled_window_closes(p, 1u << 17, 1);
    scaled_window_closes(p, 1u << 20, 31);
    scaled_window_closes(p, 1u << 26, 1000); /* a unit is more than a segment */
    scaled_window_closes(p, 100000000, 1447);
}

static void scaled_window_is_used_whole(void **state) /* REC-1 */
{
    struct peer *p = *state;
    p->offer.has_wscale = true;
    establish(p);
    inject_next(p, 1000);
    const struct heard *h = expect_segment(p, ACK, 1, 1001, 0);
    assert_int_equal((uint32_t)h->wnd << p->tern_wscale, 262144 - 1000);
    inject(p, ACK, 1001 + 200000, 1, 1000); /* far beyond 64 KiB, and inside */
    expect_segment(p, ACK, 1, 1001, 0);
    assert_int_equal(drops(p, TERN_DROP_TCP_OUT_OF_WINDOW), 0);
}

static void peek_leaves_bytes_and_window(void **state)
{
    struct peer *p = *state;
    char a[100], b[100];
    establish(p);
    inject_next(p, 60);
    inject_next(p, 60);
    assert_int_equal(tern_sock_peek(p->s, a, sizeof a), 100);
    assert_int_equal(tern_sock_peek(p->s, b, sizeof b), 100);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(describe(p).unread_bytes, 120);
    expect_read(p, 120);
    assert_int_equal(describe(p).unread_bytes, 0);
    assert_int_equal(tern_sock_peek(p->s, a, sizeof a), -EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(quick_start_acks_the_first_segments_at_once),
        BOTH(delayed_ack_is_for_every_second_full_segment),
        BOTH(delayed_ack_rides_on_data),
        BOTH(every_burst_policy_never_delays),
        BOTH(ack_policy_may_change),
        BOTH(burst_is_acked_once),
        BOTH(burst_that_fills_its_own_hole_is_acked_once),
        BOTH(gap_is_reported_at_once_and_filled_at_once),
        BOTH(overlaps_of_held_pieces_are_settled),
        BOTH(random_segments_give_the_stream),
        BOTH(pieces_held_are_bounded),
        BOTH(held_pieces_are_freed_with_the_connection),
        BOTH(sack_reports_the_newest_block_first),
        BOTH(sack_beside_timestamps_is_three_blocks),
        BOTH(sack_beside_data_keeps_within_the_mtu),
        BOTH(sack_gives_way_to_data_in_tiny_segments),
        BOTH(window_closes_as_the_buffer_fills_and_opens_as_it_is_read),
        BOTH(window_opens_in_steps_worth_telling),
        BOTH(window_update_waits_while_the_window_is_wide),
        BOTH(scaled_window_closes_with_any_segments),
        BOTH(scaled_window_is_used_whole),
        BOTH(peek_leaves_bytes_and_window),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
