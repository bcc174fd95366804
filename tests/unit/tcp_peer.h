/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One tern instance against a peer that does what the test says, on a link without Ethernet.
 * Segments are written and read here, by code that shares nothing with tern's; everything tern
 * emits is checked for what must always hold (check_always()), so a test states only what is
 * special about it.
 *
 * Numbers are relative, as in packet scripts: the peer's SYN and tern's SYN both have sequence 0.
 * The byte at relative sequence n of either stream is pattern(n), so payload needs no bookkeeping.
 *
 *     static void established_fin_moves_to_close_wait(void **state)
 *     {
 *         struct peer *p = *state;
 *         establish(p);
 *         inject(p, FIN | ACK, 1, 1, 0);
 *         expect_segment(p, ACK, 1, 2, 0);
 *         assert_state(p, TERN_CLOSE_WAIT);
 *     }
 *
 * Listed with BOTH(), it runs over IPv4 and over IPv6. Change p->cfg before the first call that
 * needs the instance; after the test teardown looks for leaks and balances the books.
 */
#include "tcp_instance.h"
#include "tcp_opts.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Control bits, as the RFC calls them. */
enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
    URG = 0x20,
    ECE = 0x40,
    CWR = 0x80
};

enum { TERN_PORT = 80, PEER_PORT = 4321, PEER_ISS = 1000000 };

/** A segment that tern emitted. Numbers relative. */
struct heard {
    uint8_t flags, ttl, tos;
    uint16_t sport, dport, wnd, urg;
    uint32_t seq, ack, len, abs_seq, abs_ack;
    struct opts opts;
    const uint8_t *data; /* [len] */
    uint32_t n_packet;
    uint8_t packet[10000];
};

/** A packet fetched from tern while time passed, not yet looked at. */
struct waiting {
    struct waiting *next;
    uint32_t n;
    uint8_t packet[];
};

struct peer {
    bool v6;
    struct tern_embed_config cfg;
    struct tern_embed *e; /* NULL until peer_open() */
    struct tern_shard *sh;
    uint64_t now_ns;
    union tern_addr us, them; /* tern's address and the peer's */
    struct tern_sock *listener, *s;

    /* what the peer says */
    uint16_t port, tern_port;
    uint32_t iss, irs; /* the peer's and tern's initial sequence numbers */
    struct opts offer; /* options of its SYN or SYN-ACK */
    uint16_t wnd, urg;
    uint8_t ecn; /* its ECN field: 0..3 */
    bool ts;     /* timestamps are in use: set by the handshake */
    uint32_t ts_val, ts_ecr;
    uint32_t n_injected;

    /* what it has heard */
    struct waiting *waiting, **waiting_end;
    struct heard heard;
    bool has_heard; /* parsed, not yet expected */
    bool has_irs, edge_known, no_pattern, no_edge;
    uint8_t tern_wscale;     /* as it acts */
    uint32_t edge;           /* furthest right edge tern has offered */
    uint32_t seq, ack;       /* natural next values, kept up to date by establish() and reach() */
    uint32_t n_read, n_sent; /* bytes the test read from and wrote to p->s */
};

/* ---- the instance ---- */

static inline void peer_open(struct peer *p)
{
    struct tern_error err = {0};
    if (p->e != NULL)
        return;
    if (tern_embed_open(&p->cfg, p->now_ns, &p->e, &err) != 0)
        fail_msg("%s", err.text);
    p->sh = tern_embed_shard(p->e);
}

static inline const struct tern_stats *stats(const struct peer *p)
{
    return tern_shard_stats(p->sh);
}

static inline uint64_t drops(const struct peer *p, enum tern_drop why)
{
    return stats(p)->drops[why];
}

static inline void peer_close(struct peer *p)
{
    if (p->e == NULL)
        return;
    tern_shard_settle(p->sh);
    assert_books_balance(p->sh);
    assert_clean_close(p->e);
    p->e = NULL;
}

static inline void forget_waiting(struct peer *p)
{
    while (p->waiting != NULL) {
        struct waiting *w = p->waiting;
        p->waiting = w->next;
        free(w);
    }
    p->waiting_end = &p->waiting;
    p->has_heard = false;
}

/** Close, and be ready for another instance made from p->cfg. */
static inline void peer_restart(struct peer *p)
{
    peer_close(p);
    forget_waiting(p);
    p->listener = p->s = NULL;
    p->ts = p->edge_known = false;
    p->n_read = p->n_sent = 0;
}

/* ---- what tern emits ---- */

/** Put the packet in p->heard.packet apart. @return the TCP header */
static inline const uint8_t *open_ip(struct peer *p, uint32_t *l4_bytes)
{
    struct heard *h = &p->heard;
    static struct frame f;
    f = (struct frame){.n = h->n_packet, .v6 = p->v6, .proto = 6};
    memcpy(f.b, h->packet, h->n_packet < sizeof f.b ? h->n_packet : sizeof f.b);
    const uint8_t *ip = h->packet;
    assert_int_equal(ip[0] >> 4, p->v6 ? 6 : 4);
    f.l4 = p->v6 ? 40 : 20;
    *l4_bytes = h->n_packet - f.l4;
    if (p->v6) {
        assert_int_equal(get16(ip + 4), *l4_bytes);
        assert_int_equal(ip[6], 6);
        assert_memory_equal(ip + 8, p->us.b, 16);
        assert_memory_equal(ip + 24, p->them.b, 16);
        h->tos = (uint8_t)(get16(ip) >> 4);
        h->ttl = ip[7];
    } else {
        assert_int_equal(ip[0], 0x45);
        assert_int_equal(get16(ip + 2), h->n_packet);
        assert_int_equal(get16(ip + 6), 0x4000); /* don't fragment, no fragment (V163) */
        assert_int_equal(ip[9], 6);
        assert_int_equal(slow_sum(0, ip, 20), 0xffff);
        assert_memory_equal(ip + 12, &p->us.w[3], 4);
        assert_memory_equal(ip + 16, &p->them.w[3], 4);
        h->tos = ip[1];
        h->ttl = ip[8];
    }
    if (h->n_packet <= sizeof f.b)
        assert_int_equal(slow_l4_sum(&f, *l4_bytes), 0xffff); /* MUST-2 */
    return h->packet + f.l4;
}

static inline bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline uint32_t right_edge(const struct peer *p, const struct heard *h)
{
    return h->abs_ack + ((uint32_t)h->wnd << (h->flags & SYN ? 0 : p->tern_wscale));
}

static inline void check_edge(struct peer *p, const struct heard *h)
{
    if ((h->flags & RST) || !(h->flags & ACK) || p->no_edge)
        return;
    const uint32_t edge = right_edge(p, h);
    if (p->edge_known)
        assert_false(is_before(edge, p->edge)); /* SHLD-14 */
    p->edge = edge;
    p->edge_known = true;
}

/** What holds for every segment whatever the test is about. */
static inline void check_always(struct peer *p, const struct heard *h)
{
    const struct opts *o = &h->opts;
    assert_true(h->n_packet <= p->cfg.stack.mtu_bytes);
    if (!(h->flags & SYN)) { /* MUST-65, 7323-1, 2018-1 */
        assert_false(o->has_mss || o->has_wscale || o->sack_ok || o->has_tfo);
        assert_true(h->flags & (ACK | RST));
    }
    if (h->flags & RST)
        assert_int_equal(h->wnd, 0);
    if (p->ts && !(h->flags & RST))
        assert_true(o->has_ts); /* 7323-4 */
    assert_int_equal(h->urg != 0, !!(h->flags & URG));
    const uint32_t first = h->seq + !!(h->flags & SYN);
    for (uint32_t i = 0; i < h->len && !p->no_pattern; i++)
        assert_int_equal(h->data[i], pattern(first + i));
    check_edge(p, h);
}

static inline void learn_from_syn(struct peer *p, const struct heard *h)
{
    p->irs = h->abs_seq;
    p->has_irs = true;
    p->edge_known = false;
    p->ts = h->opts.has_ts && p->offer.has_ts;
    p->tern_wscale = h->opts.has_wscale && p->offer.has_wscale ? h->opts.wscale : 0;
}

static inline void parse_heard(struct peer *p)
{
    struct heard *h = &p->heard;
    uint32_t l4_bytes;
    const uint8_t *tcp = open_ip(p, &l4_bytes);
    const uint32_t doff = (uint32_t)(tcp[12] >> 4) * 4;
    assert_true(doff >= 20 && doff <= l4_bytes);
    assert_int_equal(tcp[12] & 0xf, 0);
    h->sport = (uint16_t)get16(tcp);
    h->dport = (uint16_t)get16(tcp + 2);
    h->abs_seq = get32(tcp + 4);
    h->abs_ack = get32(tcp + 8);
    h->flags = tcp[13];
    h->wnd = (uint16_t)get16(tcp + 14);
    h->urg = (uint16_t)get16(tcp + 18);
    h->opts = opts_read(tcp + 20, doff - 20);
    h->data = tcp + doff;
    h->len = l4_bytes - doff;
    if ((h->flags & (SYN | RST)) == SYN)
        learn_from_syn(p, h);
    h->seq = h->abs_seq - p->irs;
    h->ack = h->flags & ACK ? h->abs_ack - p->iss : 0;
    if (h->opts.has_ts && !(h->flags & RST))
        p->ts_ecr = h->opts.ts_val;
    check_always(p, h);
}

/** Take over what tern wants sent. */
static inline void fetch(struct peer *p)
{
    uint8_t packet[sizeof p->heard.packet];
    uint32_t n;
    while ((n = (uint32_t)tern_embed_output(p->e, packet, sizeof packet)) > 0) {
        struct waiting *w = malloc(sizeof *w + n);
        assert_non_null(w);
        *w = (struct waiting){.n = n};
        memcpy(w->packet, packet, n);
        *p->waiting_end = w;
        p->waiting_end = &w->next;
    }
}

/** The next segment, if there is one, into p->heard. */
static inline bool poll_segment(struct peer *p)
{
    if (p->has_heard)
        return true;
    fetch(p);
    struct waiting *w = p->waiting;
    if (w == NULL)
        return false;
    p->waiting = w->next;
    if (p->waiting == NULL)
        p->waiting_end = &p->waiting;
    p->heard.n_packet = w->n;
    memcpy(p->heard.packet, w->packet, w->n);
    free(w);
    parse_heard(p);
    p->has_heard = true;
    return true;
}

static inline void print_heard(const struct heard *h)
{
    static const char letters[] = "FSRPAUEC";
    char flags[9] = {0};
    for (int i = 0, n = 0; i < 8; i++)
        if (h->flags & 1 << i)
            flags[n++] = letters[i];
    print_error(
        "tern sent: %s seq %u ack %u len %u wnd %u\n", flags, h->seq, h->ack, h->len, h->wnd);
}

/** The next segment has these control bits (PSH aside). */
static inline const struct heard *expect_flags(struct peer *p, uint8_t flags)
{
    if (!poll_segment(p))
        fail_msg("expected a segment, tern sent nothing");
    p->has_heard = false;
    if ((p->heard.flags & ~PSH) != (flags & ~PSH)) {
        print_heard(&p->heard);
        assert_int_equal(p->heard.flags, flags);
    }
    return &p->heard;
}

/** The next segment is exactly this (PSH aside). */
static inline const struct heard *expect_segment(
    struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    const struct heard *h = expect_flags(p, flags);
    if (h->seq != seq || h->ack != ack || h->len != len) {
        print_heard(h);
        fail_msg("expected seq %u ack %u len %u", seq, ack, len);
    }
    return h;
}

static inline void expect_nothing(struct peer *p)
{
    if (poll_segment(p)) {
        print_heard(&p->heard);
        fail_msg("expected silence");
    }
}

/** Forget what tern has sent so far. @return how many segments that were */
static inline uint32_t skip_segments(struct peer *p)
{
    uint32_t n = 0;
    for (; poll_segment(p); n++)
        p->has_heard = false;
    return n;
}

/** Payload bytes of all that tern has sent so far. */
static inline uint32_t hear_payload(struct peer *p)
{
    uint32_t n = 0;
    for (; poll_segment(p); p->has_heard = false)
        n += p->heard.len;
    return n;
}

/* ---- time ---- */

/** Move to the next deadline, at the latest to `limit_ns`. @return false: the limit was reached */
static inline bool step_time(struct peer *p, uint64_t limit_ns)
{
    uint64_t at;
    const bool any = tern_embed_deadline(p->e, &at) && at <= limit_ns;
    if (!any)
        at = limit_ns;
    if (at > p->now_ns)
        p->now_ns = at;
    tern_embed_advance(p->e, p->now_ns);
    fetch(p);
    return any;
}

static inline void advance_ms(struct peer *p, uint64_t ms)
{
    const uint64_t limit_ns = p->now_ns + ms_to_ns(ms);
    while (step_time(p, limit_ns)) {
    }
}

/** Let time pass until tern says something. @return ms that took; fails after limit_ms */
static inline uint32_t wait_segment(struct peer *p, uint64_t limit_ms)
{
    const uint64_t from_ns = p->now_ns, limit_ns = from_ns + ms_to_ns(limit_ms);
    while (!poll_segment(p))
        if (!step_time(p, limit_ns) && !poll_segment(p))
            fail_msg("tern was silent for %llu ms", (unsigned long long)limit_ms);
    return (uint32_t)((p->now_ns - from_ns) / 1000000);
}

/** As wait_segment(), and the time must be within a tick of `ms`. */
static inline void expect_after_ms(struct peer *p, uint32_t ms)
{
    assert_in_range(wait_segment(p, (uint64_t)ms + 60000), ms - (ms > 0), ms + 1);
}

static inline void expect_silence_ms(struct peer *p, uint64_t ms)
{
    expect_nothing(p);
    advance_ms(p, ms);
    expect_nothing(p);
}

/* ---- what the peer says ---- */

static inline void begin_packet(const struct peer *p, struct frame *f, uint8_t proto)
{
    *f = (struct frame){0};
    if (p->v6) {
        frame_ip6(f, proto);
        memcpy(f->b + 8, p->them.b, 16);
        memcpy(f->b + 24, p->us.b, 16);
        f->b[1] = (uint8_t)(p->ecn << 4);
    } else {
        frame_ip4(f, proto, "", 0);
        memcpy(f->b + 12, &p->them.w[3], 4);
        memcpy(f->b + 16, &p->us.w[3], 4);
        f->b[1] = p->ecn;
    }
}

static inline void feed(struct peer *p, const struct frame *f)
{
    peer_open(p);
    p->n_injected++;
    tern_embed_input(p->e, f->b, f->n, p->now_ns);
}

/** The segment as a packet, sealed. */
static inline void write_segment(struct peer *p, struct frame *f, uint8_t flags, uint32_t seq,
    uint32_t ack, uint32_t len, const uint8_t *opt, uint32_t n_opt)
{
    begin_packet(p, f, 6);
    frame_tcp(f, flags, opt, n_opt);
    uint8_t *tcp = f->b + f->l4;
    put16(tcp, p->port);
    put16(tcp + 2, p->tern_port);
    put32(tcp + 4, p->iss + seq);
    put32(tcp + 8, flags & ACK ? p->irs + ack : 0);
    put16(tcp + 14, p->wnd);
    put16(tcp + 18, p->urg);
    for (uint32_t i = 0; i < len; i++)
        frame_fill(f, pattern(seq + !!(flags & SYN) + i), 1);
    frame_seal(f);
}

/** A segment as a device would hand it over, for a burst: count it in p->n_injected. */
static inline struct rte_mbuf *segment_mbuf(
    struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct frame f;
    write_segment(p, &f, flags, seq, ack, len, NULL, 0);
    struct rte_mbuf *m = tern_shard_mbuf(p->sh);
    assert_non_null(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t)f.n), f.b, f.n);
    p->n_injected++;
    return m;
}

/** A segment with options given as bytes, a multiple of four. */
static inline void inject_raw(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
    uint32_t len, const uint8_t *opt, uint32_t n_opt)
{
    struct frame f;
    write_segment(p, &f, flags, seq, ack, len, opt, n_opt);
    feed(p, &f);
}

static inline void inject_opts(
    struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, const struct opts *o)
{
    uint8_t opt[128];
    const uint32_t n_opt = opts_write(o, opt);
    assert_true(n_opt <= 40);
    inject_raw(p, flags, seq, ack, len, opt, n_opt);
}

/** A segment with the timestamps the peer would send now. */
static inline void inject(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    const struct opts o = {.has_ts = p->ts, .ts_val = p->ts_val, .ts_ecr = p->ts_ecr};
    inject_opts(p, flags, seq, ack, len, &o);
}

/** SYN or SYN-ACK with the peer's offer. */
static inline void inject_syn(struct peer *p, uint8_t flags, uint32_t ack)
{
    struct opts o = p->offer;
    o.ts_val = p->ts_val;
    o.ts_ecr = flags & ACK ? p->ts_ecr : 0;
    inject_opts(p, flags, 0, ack, 0, &o);
}

/** Payload of a full segment towards the peer, without timestamps. */
static inline uint32_t full_segment(const struct peer *p)
{
    return p->offer.mss;
}

/* ---- getting somewhere ---- */

static inline void listen_here(struct peer *p)
{
    peer_open(p);
    assert_int_equal(tern_sock_listen(p->e, NULL, p->tern_port, 16, &p->listener), 0);
}

static inline void accept_one(struct peer *p)
{
    p->s = tern_sock_accept(p->listener);
    assert_non_null(p->s);
}

/** SYN, SYN-ACK, ACK: tern was called. */
static inline void establish(struct peer *p)
{
    if (p->listener == NULL)
        listen_here(p);
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
    expect_nothing(p);
    accept_one(p);
    p->seq = p->ack = 1;
}

/** tern_sock_connect() to the peer from TERN_PORT. */
static inline void connect_out(struct peer *p)
{
    peer_open(p);
    assert_int_equal(tern_sock_connect(p->e, &p->them, p->port, NULL, p->tern_port, &p->s), 0);
}

/** SYN, SYN-ACK, ACK: tern called. */
static inline void establish_actively(struct peer *p)
{
    connect_out(p);
    expect_segment(p, SYN, 0, 0, 0);
    inject_syn(p, SYN | ACK, 1);
    expect_segment(p, ACK, 1, 1, 0);
    p->seq = p->ack = 1;
}

static inline enum tern_state state_of(const struct tern_sock *s)
{
    struct tern_conn_info info;
    return tern_sock_describe(s, &info) ? info.state : TERN_CLOSED;
}

static inline struct tern_conn_info describe(const struct peer *p)
{
    struct tern_conn_info info;
    assert_true(tern_sock_describe(p->s, &info));
    return info;
}

#define assert_state(p, want)                                                                      \
    assert_string_equal(tern_state_name(state_of((p)->s)), tern_state_name(want))

/** The connection is over, for this reason (an errno, 0 for a normal end). */
static inline void assert_over(struct peer *p, int error)
{
    assert_int_equal(state_of(p->s), TERN_CLOSED);
    assert_true(tern_sock_ready(p->s) & TERN_READY_CLOSED);
    assert_int_equal(tern_sock_error(p->s), error);
}

static inline void peer_sends_fin(struct peer *p)
{
    inject(p, FIN | ACK, p->seq, p->ack, 0);
    p->seq++;
}

/** Half-close by tern; its FIN is taken note of, not acknowledged. */
static inline void tern_sends_fin(struct peer *p)
{
    tern_sock_shutdown(p->s);
    expect_segment(p, FIN | ACK, p->ack, p->seq, 0);
    p->ack++;
}

/** Bring a connection that is established into another synchronized state. */
static inline void reach(struct peer *p, enum tern_state s)
{
    if (s == TERN_FIN_WAIT_1 || s == TERN_FIN_WAIT_2 || s == TERN_CLOSING || s == TERN_TIME_WAIT)
        tern_sends_fin(p);
    if (s == TERN_FIN_WAIT_2 || s == TERN_TIME_WAIT)
        inject(p, ACK, p->seq, p->ack, 0);
    if (s == TERN_CLOSING) { /* the FINs cross */
        inject(p, FIN | ACK, p->seq, p->ack - 1, 0);
        p->seq++;
        expect_segment(p, ACK, p->ack, p->seq, 0);
    }
    if (s == TERN_CLOSE_WAIT || s == TERN_LAST_ACK || s == TERN_TIME_WAIT) {
        peer_sends_fin(p);
        expect_segment(p, ACK, p->ack, p->seq, 0);
    }
    if (s == TERN_LAST_ACK)
        tern_sends_fin(p);
    if (s != TERN_TIME_WAIT)
        assert_state(p, s);
    expect_nothing(p);
}

/* ---- payload through the socket ---- */

static inline void write_bytes(struct peer *p, uint32_t n)
{
    uint8_t bytes[4096];
    while (n > 0) {
        const uint32_t here = n < sizeof bytes ? n : sizeof bytes;
        for (uint32_t i = 0; i < here; i++)
            bytes[i] = pattern(1 + p->n_sent + i);
        assert_int_equal(tern_sock_send(p->s, bytes, here), here);
        p->n_sent += here;
        n -= here;
    }
}

/** The next n bytes are there and right. */
static inline void expect_read(struct peer *p, uint32_t n)
{
    uint8_t bytes[4096];
    while (n > 0) {
        const uint32_t want = n < sizeof bytes ? n : sizeof bytes;
        assert_int_equal(tern_sock_recv(p->s, bytes, want), want);
        for (uint32_t i = 0; i < want; i++)
            assert_int_equal(bytes[i], pattern(1 + p->n_read + i));
        p->n_read += want;
        n -= want;
    }
}

static inline void expect_unreadable(struct peer *p)
{
    char byte;
    assert_int_equal(tern_sock_recv(p->s, &byte, 1), -EAGAIN);
}

static inline void expect_eof(struct peer *p)
{
    char byte;
    assert_int_equal(tern_sock_recv(p->s, &byte, 1), 0);
}

/* ---- cmocka ---- */

static inline int peer_setup(void **state, bool v6)
{
    struct peer *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -1;
    p->v6 = v6;
    p->now_ns = ms_to_ns(START_MS);
    tern_embed_config_init(&p->cfg);
    struct tern_stack_config *c = &p->cfg.stack;
    if (tern_prefix_parse(v6 ? "2001:db8::1/64" : "192.0.2.1/24", &c->addrs[0]) != 0
        || tern_addr_parse(v6 ? "2001:db8::2" : "192.0.2.2", &p->them) != 0)
        return -1;
    c->n_addrs = 1;
    c->rcv_buf_max_bytes = 0; /* windows that a test can tell beforehand */
    c->seed[0] = 1;
    c->seed[3] = v6 ? 6 : 4;
    p->us = c->addrs[0].addr;
    p->waiting_end = &p->waiting;
    p->port = PEER_PORT;
    p->tern_port = TERN_PORT;
    p->iss = PEER_ISS;
    p->wnd = 65535;
    p->ts_val = 5000;
    p->offer = (struct opts){.has_mss = true, .mss = v6 ? 1440 : 1460};
    *state = p;
    return 0;
}

static inline int peer_setup4(void **state)
{
    return peer_setup(state, false);
}

static inline int peer_setup6(void **state)
{
    return peer_setup(state, true);
}

static inline int peer_teardown(void **state)
{
    peer_close(*state);
    forget_waiting(*state);
    free(*state);
    return 0;
}

/** A test over both families. */
#define BOTH(test)                                                                                 \
    {#test " (IPv4)", test, peer_setup4, peer_teardown, NULL},                                     \
    {                                                                                              \
#        test " (IPv6)", test, peer_setup6, peer_teardown, NULL                                    \
    }

#define V4_ONLY(test)                                                                              \
    {                                                                                              \
#        test, test, peer_setup4, peer_teardown, NULL                                              \
    }
#define V6_ONLY(test)                                                                              \
    {                                                                                              \
#        test, test, peer_setup6, peer_teardown, NULL                                              \
    }
