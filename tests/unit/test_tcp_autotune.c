/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow control at its ends: receive buffers that grow to what the path carries and the application
 * takes, within the shard's allowance and never moving the right edge left; windows of 1 GiB; a
 * peer whose window stays shut.
 */
#include "tcp/tcp.h"
#include "tcp_pair.h"
#include "tcp_peer.h"

#include <rte_mbuf.h>

enum { KIB = 1 << 10, MIB = 1 << 20, GIB = 1 << 30, WINDOW_MAX = 65535 << 14 };

/* ---- two instances, 100 ms apart; end 1 sends ---- */

/** One direction of payload, and what its receiver offers. */
struct bulk {
    struct pair pair;
    struct stream stream;
    bool reads;
    uint32_t reads_at_most; /* bytes a step, 0: all */
    bool edge_known;
    uint8_t shift;
    uint32_t edge, widest;
};

/** The right edge that end 0 offers never moves left (SHLD-14), whatever its buffer does. */
static enum fate watch_edge(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    struct bulk *b = pair->ctx;
    (void)n;
    const uint8_t *tcp = packet + (pair->v6 ? 40 : 20);
    if (from != 0 || (tcp[13] & (SYN | RST)))
        return ARRIVES;
    const uint32_t wnd = (uint32_t)get16(tcp + 14) << b->shift;
    const uint32_t edge = get32(tcp + 8) + wnd;
    /* A full buffer may make it seem to, by less than a unit (RFC 7323 §2.4). */
    const uint32_t slack = b->reads && b->reads_at_most == 0 ? 0 : (1u << b->shift) - 1;
    assert_true(!b->edge_known || !is_before(edge + slack, b->edge));
    b->edge = b->edge_known && is_before(edge, b->edge) ? b->edge : edge;
    b->edge_known = true;
    b->widest = wnd > b->widest ? wnd : b->widest;
    return ARRIVES;
}

static void read_some(struct stream *s, uint32_t most)
{
    uint8_t bytes[4096];
    const ssize_t n = tern_sock_recv(s->to, bytes, most);
    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], pattern(s->read++));
}

static void carry(struct pair *pair)
{
    struct bulk *b = pair->ctx;
    stream_write(&b->stream);
    if (!b->reads)
        return;
    if (b->reads_at_most == 0)
        stream_read(&b->stream);
    else
        read_some(&b->stream, b->reads_at_most);
}

static void bulk_init(struct bulk *b, bool v6)
{
    *b = (struct bulk){.reads = true};
    pair_init(&b->pair, v6);
    b->pair.delay_ns = ms_to_ns(50);
    b->pair.ctx = b;
    for (int i = 0; i < 2; i++) {
        struct tern_stack_config *c = &b->pair.cfg[i].stack;
        c->rcv_buf_bytes = 16 * KIB;
        c->snd_buf_bytes = 8 * MIB;
        b->pair.cfg[i].mbufs = 16384;
    }
}

static struct tern_conn_info receiver(const struct bulk *b)
{
    struct tern_conn_info info;
    assert_true(tern_sock_describe(b->stream.to, &info));
    return info;
}

/** Connect; end 1 begins to send `total` bytes. */
static void bulk_start(struct bulk *b, uint32_t total)
{
    struct pair *pair = &b->pair;
    pair_open(pair);
    pair->hook = NULL;
    pair_connect(pair);
    b->stream = (struct stream){.from = pair->server, .to = pair->client, .total = total};
    b->shift = receiver(b).rcv_wscale;
    b->edge_known = false;
    pair->hook = watch_edge;
    pair->on_event = carry;
    carry(pair);
}

/** @return ms until all was read */
static uint64_t bulk_run(struct bulk *b)
{
    const uint64_t from_ns = b->pair.now_ns;
    while (b->stream.read < b->stream.total && b->pair.now_ns - from_ns < ms_to_ns(600000))
        pair_step(&b->pair, UINT64_MAX);
    assert_int_equal(b->stream.read, b->stream.total);
    return (b->pair.now_ns - from_ns) / 1000000;
}

static void buffer_grows_with_the_path(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    bulk_start(&b, 8 * MIB);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 16 * KIB);
    assert_true(bulk_run(&b) < 2500); /* slow start all the way: log2(8 MiB / 14 KiB) round trips */
    assert_in_range(receiver(&b).rcv_buf_bytes, 4 * MIB, 16 * MIB);
    assert_true(b.widest >= 2 * MIB);
    assert_true(pair_stats(&b.pair, 0)->rcv_grown >= 8);
    assert_int_equal(pair_stats(&b.pair, 0)->retransmits, 0);
    assert_int_equal(pair_stats(&b.pair, 1)->retransmits, 0);
    pair_close(&b.pair);
}

static void without_tuning_the_buffer_is_the_limit(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.pair.cfg[0].stack.rcv_buf_max_bytes = 0;
    bulk_start(&b, MIB);
    assert_true(bulk_run(&b) > 5000); /* 16 KiB a round trip */
    assert_int_equal(receiver(&b).rcv_buf_bytes, 16 * KIB);
    assert_in_range(b.widest, 15 * KIB, 16 * KIB);
    pair_close(&b.pair);
}

/** What is in flight is bounded by the sender: twice that is enough, and no more is offered. */
static void buffer_stops_at_twice_what_a_round_trip_brings(void **state)
{
    for (int ts = 0; ts < 2; ts++) {
        struct bulk b;
        bulk_init(&b, *state != NULL);
        for (int i = 0; i < 2; i++)
            b.pair.cfg[i].stack.timestamps = ts;
        b.pair.cfg[1].stack.snd_buf_bytes = 100 * KIB;
        bulk_start(&b, 4 * MIB);
        bulk_run(&b);
        assert_int_equal(receiver(&b).timestamps, ts);
        assert_in_range(receiver(&b).rcv_buf_bytes, 128 * KIB, 256 * KIB);
        pair_close(&b.pair);
    }
}

static void slow_reader_keeps_its_buffer(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.reads_at_most = 100; /* a step */
    bulk_start(&b, MIB);
    pair_run_ms(&b.pair, 20000);
    assert_true(b.stream.read > 16 * KIB);
    assert_in_range(receiver(&b).rcv_buf_bytes, 16 * KIB, 32 * KIB);
    b.reads = false;
    pair_run_ms(&b.pair, 20000);
    assert_true(receiver(&b).unread_bytes <= 33 * KIB);
    pair_close(&b.pair);
}

/** It is what was consumed that counts, not what came. */
static void unread_data_grows_no_buffer(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.pair.cfg[0].stack.rcv_buf_bytes = 40000;
    b.pair.cfg[0].stack.ack_policy = TERN_ACK_DELAYED;
    b.reads = false;
    bulk_start(&b, MIB);
    pair_run_ms(&b.pair, 20000);
    assert_in_range(receiver(&b).unread_bytes, 39000, 40000 + 2 * 512); /* units of the window */
    assert_int_equal(receiver(&b).rcv_buf_bytes, 40000);
    pair_close(&b.pair);
}

static void growth_ends_at_the_largest_buffer(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.pair.cfg[0].stack.rcv_buf_max_bytes = 100000;
    bulk_start(&b, 2 * MIB);
    bulk_run(&b);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 100000);
    assert_in_range(b.widest, 90000, 100000 + 2);
    pair_close(&b.pair);
}

static void growth_ends_where_the_field_does_without_scaling(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.pair.cfg[1].stack.window_scale = false;
    bulk_start(&b, 2 * MIB);
    bulk_run(&b);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 64 * KIB);
    assert_in_range(b.widest, 60000, 65535);
    pair_close(&b.pair);
}

static void connections_share_an_allowance(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.pair.cfg[0].stack.rcv_grow_bytes = 60 * KIB; /* 16 KiB, then 32 KiB, then too little */
    bulk_start(&b, MIB);
    bulk_run(&b);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 64 * KIB);
    assert_true(pair_stats(&b.pair, 0)->rcv_grow_refused > 0);
    struct tern_sock *first = b.pair.client, *first_server = b.pair.server;

    b.pair.on_event = NULL;
    b.pair.hook = NULL;
    pair_connect(&b.pair);
    b.pair.on_event = carry;
    b.stream = (struct stream){.from = b.pair.server, .to = b.pair.client, .total = MIB};
    bulk_run(&b);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 16 * KIB); /* nothing is left */

    tern_sock_abort(first);
    tern_sock_close(first_server);
    b.stream.total = 2 * MIB;
    bulk_run(&b);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 64 * KIB); /* what the first had */
    pair_close(&b.pair);
}

static void default_allowance_is_what_the_pool_holds(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    b.pair.cfg[0].mbufs = 200; /* 292 KB */
    bulk_start(&b, 4 * MIB);
    bulk_run(&b);
    assert_int_equal(receiver(&b).rcv_buf_bytes, 256 * KIB);
    pair_close(&b.pair);
}

/** With the default policy the first segments are not measured; short connections cost nothing. */
static void idle_and_short_connections_are_not_measured(void **state)
{
    struct bulk b;
    bulk_init(&b, *state != NULL);
    bulk_start(&b, 10000);
    bulk_run(&b);
    const struct tern_tcp *t = tern_tcp_of(tern_embed_shard(b.pair.end[0]));
    for (int i = 0; i < TERN_RCV_ROUNDS; i++)
        assert_int_equal(t->rcv_rounds[i].conn, 0);
    pair_close(&b.pair);
}

static void scale_is_of_the_larger_buffer(void **state)
{
    static const struct {
        uint32_t buf, max;
        uint8_t shift;
    } cases[] = {{65535, 0, 0}, {65535, 65536, 1}, {GIB, 0, 14}, {536, GIB, 14}, {MIB, 65536, 5},
        {262144, 16 * MIB, 9}};
    struct peer *p = *state;
    p->offer.has_wscale = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        peer_restart(p);
        p->cfg.stack.rcv_buf_bytes = cases[i].buf;
        p->cfg.stack.rcv_buf_max_bytes = cases[i].max;
        listen_here(p);
        inject_syn(p, SYN, 0);
        const struct heard *h = expect_flags(p, SYN | ACK);
        assert_int_equal(h->opts.wscale, cases[i].shift);
        assert_int_equal(h->wnd, cases[i].buf < 65535 ? cases[i].buf : 65535);
    }
}

/* ---- 1 GiB (RFC 7323 §2.3) ---- */

static void window_of_one_gib_is_offered_and_kept(void **state)
{
    struct peer *p = *state;
    static const uint32_t iss[] = {1000000, 0u - (GIB / 2), 0x7fffffffu - 100};
    for (size_t i = 0; i < sizeof iss / sizeof iss[0]; i++) {
        peer_restart(p);
        p->iss = iss[i];
        p->cfg.stack.rcv_buf_bytes = GIB;
        p->cfg.stack.ack_policy = TERN_ACK_EVERY_BURST;
        p->offer.has_wscale = p->offer.sack_ok = true;
        establish(p);
        inject(p, ACK, 1, 1, 1000);
        assert_int_equal(expect_segment(p, ACK, 1, 1001, 0)->wnd, 65535);
        assert_int_equal(describe(p).rcv_wnd_bytes, WINDOW_MAX);
        const uint32_t edge = 1001 + WINDOW_MAX;

        inject(p, ACK, edge - 1000, 1, 1000); /* the last that fits */
        const struct heard *h = expect_segment(p, ACK, 1, 1001, 0);
        assert_int_equal(h->opts.n_sack, 1);
        assert_int_equal(h->opts.left[0], p->iss + edge - 1000);
        assert_int_equal(h->opts.right[0], p->iss + edge);
        inject(p, ACK, edge, 1, 1000); /* the first that does not */
        expect_segment(p, ACK, 1, 1001, 0);
        assert_int_equal(drops(p, TERN_DROP_TCP_OUT_OF_WINDOW), 1);
        inject(p, RST, edge, 0, 0);
        assert_int_equal(drops(p, TERN_DROP_TCP_RST_WINDOW), 1);
        inject(p, ACK, 1u - GIB, 1, 1000); /* as far on the other side: old */
        expect_segment(p, ACK, 1, 1001, 0);
        assert_int_equal(drops(p, TERN_DROP_TCP_OUT_OF_WINDOW), 2);
        expect_read(p, 1000);
        assert_state(p, TERN_ESTABLISHED);
    }
}

static struct tern_conn *opened;

static void note_open(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    opened = c;
}

static const struct tern_app opens = {.on_open = note_open};

/** Everything tern wants sent, unparsed. @return packets */
static uint32_t drain(struct peer *p, uint32_t *last_seq)
{
    static uint8_t packet[9000];
    uint32_t n = 0;
    for (; tern_embed_output(p->e, packet, sizeof packet) > 0; n++)
        *last_seq = get32(packet + (p->v6 ? 40 : 20) + 4) - p->irs;
    return n;
}

static void peer_window_of_one_gib_is_filled(void **state)
{
    struct peer *p = *state;
    enum { MTU = 3000, BODY = MIB };
    static uint8_t body[BODY];
    const uint32_t mss = MTU - (p->v6 ? 60 : 40);
    p->cfg.stack.mtu_bytes = MTU;
    p->cfg.stack.snd_buf_bytes = GIB;
    p->cfg.stack.nodelay = true;
    p->cfg.mbufs = 48000; /* 32 KiB of the body each */
    p->offer = (struct opts){
        .has_mss = true, .mss = (uint16_t)mss, .has_wscale = true, .wscale = 14, .sack_ok = true};
    peer_open(p);
    assert_true(tern_listen(p->sh, NULL, TERN_PORT, &opens, p) >= 0);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    struct tern_static *s = tern_static_new(p->sh, body, BODY);
    assert_non_null(s);
    assert_non_null(opened);
    opened->cwnd_bytes = GIB;
    opened->rtx_at = tern_tcp_of(p->sh)->now_tick; /* no pause before */
    for (uint32_t i = 0; i < GIB / BODY; i++)
        assert_int_equal(tern_send_static(p->sh, opened, s, 0, BODY), BODY);

    uint32_t seq = 0;
    const uint32_t n = drain(p, &seq);
    struct tern_conn_info info;
    tern_conn_describe(p->sh, opened, &info);
    assert_in_range(info.unacked_bytes, WINDOW_MAX - mss, WINDOW_MAX);
    assert_int_equal(info.pipe_bytes, info.unacked_bytes);
    assert_in_range(n, WINDOW_MAX / mss, WINDOW_MAX / mss + 1);
    const uint32_t nxt = 1 + info.unacked_bytes;

    inject(p, ACK, 1, nxt + 1, 0); /* beyond what was sent (RFC 5961 §5) */
    assert_int_equal(drops(p, TERN_DROP_TCP_CHALLENGE) + drops(p, TERN_DROP_TCP_ACK_RANGE), 1);
    inject(p, ACK, 1, 1 + GIB / 2, 0);
    tern_conn_describe(p->sh, opened, &info);
    assert_int_equal(info.unacked_bytes + info.queued_bytes, GIB / 2);
    inject(p, ACK, 1, 1, 0); /* an old one, half a GiB back: takes nothing away */
    drain(p, &seq);
    tern_conn_describe(p->sh, opened, &info);
    assert_int_equal(info.unacked_bytes, GIB / 2); /* the rest has gone, too */
    assert_int_equal(info.snd_wnd_bytes, WINDOW_MAX);
    assert_int_equal(stats(p)->retransmits, 0);

    const struct opts far = {.n_sack = 1, .left = {p->irs + seq}, .right = {p->irs + 1 + GIB}};
    inject_opts(p, ACK, 1, 1 + GIB / 2, 0, &far); /* the last came, half a GiB before it did not */
    assert_int_equal(stats(p)->sack_refused, 0);
    assert_true(drain(p, &seq) >= 1);
    assert_int_equal(stats(p)->recoveries, 1);
    assert_in_range(seq, 1 + GIB / 2, 1 + GIB / 2 + 10 * mss); /* from the head on */
    inject(p, ACK, 1, 1 + GIB, 0);
    tern_conn_describe(p->sh, opened, &info);
    assert_int_equal(info.unacked_bytes, 0);
    tern_abort(p->sh, opened);
    drain(p, &seq);
    tern_static_free(s);
}

/* ---- a window that stays shut ---- */

/** Probes are answered with a shut window for `ms`, or until tern resets. */
static void keep_shut_ms(struct peer *p, uint64_t ms)
{
    const uint64_t end_ns = p->now_ns + ms_to_ns(ms);
    while (p->now_ns < end_ns && state_of(p->s) != TERN_CLOSED) {
        if (poll_segment(p)) {
            p->has_heard = false;
            if (p->heard.flags & RST)
                return;
            inject(p, ACK, 1, p->ack, 0);
        } else {
            step_time(p, end_ns);
        }
    }
    poll_segment(p);
}

static void shut_window_is_borne_for_ever_by_default(void **state) /* MUST-37 */
{
    struct peer *p = *state;
    p->wnd = 0;
    establish(p);
    write_bytes(p, 100);
    keep_shut_ms(p, 24 * 3600 * 1000);
    assert_state(p, TERN_ESTABLISHED);
    assert_in_range(stats(p)->rto_expired, 24 * 60, 24 * 60 + 12); /* capped at rto_max_ms */
}

/* V108 */
static void shut_window_ends_the_connection_where_configured(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.persist_timeout_ms = 300000;
    p->wnd = 0;
    establish(p);
    advance_ms(p, 500000); /* nothing waits: no harm done */
    write_bytes(p, 100);
    const uint64_t from_ns = p->now_ns;
    keep_shut_ms(p, 299000);
    assert_state(p, TERN_ESTABLISHED);
    keep_shut_ms(p, 10000);
    assert_in_range((p->now_ns - from_ns) / 1000000, 300000, 300010);
    assert_over(p, ETIMEDOUT);
    assert_int_equal(p->heard.flags & RST, RST);
    assert_int_equal(stats(p)->persist_expired, 1);
    assert_int_equal(stats(p)->closed[TERN_CLOSE_TIMEOUT], 1);
}

static void window_that_opens_starts_the_count_anew(void **state)
{
    struct peer *p = *state;
    p->cfg.stack.persist_timeout_ms = 300000;
    p->wnd = 0;
    establish(p);
    write_bytes(p, 100);
    for (uint32_t i = 0; i < 5; i++) {
        keep_shut_ms(p, 200000);
        skip_segments(p);
        p->wnd = 1; /* room for one octet, then none */
        inject(p, ACK, 1, p->ack, 0);
        skip_segments(p);
        p->wnd = 0;
        p->ack++;
        inject(p, ACK, 1, p->ack, 0);
        assert_state(p, TERN_ESTABLISHED);
    }
    keep_shut_ms(p, 310000);
    assert_over(p, ETIMEDOUT);
    assert_int_equal(stats(p)->persist_expired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAMILIES(buffer_grows_with_the_path),
        FAMILIES(without_tuning_the_buffer_is_the_limit),
        FAMILIES(buffer_stops_at_twice_what_a_round_trip_brings),
        FAMILIES(slow_reader_keeps_its_buffer),
        FAMILIES(unread_data_grows_no_buffer),
        FAMILIES(growth_ends_at_the_largest_buffer),
        FAMILIES(growth_ends_where_the_field_does_without_scaling),
        FAMILIES(connections_share_an_allowance),
        FAMILIES(default_allowance_is_what_the_pool_holds),
        FAMILIES(idle_and_short_connections_are_not_measured),
        BOTH(scale_is_of_the_larger_buffer),
        BOTH(window_of_one_gib_is_offered_and_kept),
        V4_ONLY(peer_window_of_one_gib_is_filled),
        BOTH(shut_window_is_borne_for_ever_by_default),
        BOTH(shut_window_ends_the_connection_where_configured),
        BOTH(window_that_opens_starts_the_count_anew),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
