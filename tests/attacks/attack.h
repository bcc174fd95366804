/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An attacker on the same Ethernet as a shard that listens, and that holds one live connection a
 * family (live[0] IPv4, live[1] IPv6). A test makes a frame with wire_frames.h, breaks it, and says
 * under which reason the shard must drop it:
 *
 *     attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, 4);
 *     f.b[f.l4 + 12] = 0xf0;
 *     frame_sum_l4(&f);
 *     refuse(a, &f, TERN_DROP_TCP_HDR_LEN);
 *
 * refuse() sends it whole, in a block of its exact size (so that a sanitizer sees the first byte
 * read too far), and split over two buffers at every byte; each must be dropped for that reason, be
 * answered by nothing, and leave the baseline. Behind every test the live connections must still
 * carry data in both directions.
 */
#include "baseline.h"
#include "engine/steering.h"
#include "tcp_instance.h"
#include "wire/pkt.h"
#include "wire_frames.h"

#include <rte_mbuf.h>

enum { ATTACK_PORT = 80, LIVE_PORT = 4321, LIVE_ISS = 0x01020303 };
enum { REST_S = 1200 /* longer than any timer of a connection that is idle */ };

/** A connection of a peer that means well. */
struct live {
    struct tern_sock *s;
    uint32_t seq, ack; /* what the peer sends next */
};

struct attack {
    struct tern_embed_config cfg;
    struct tern_embed *e;
    struct tern_shard *sh;
    struct tern_sock *listener;
    struct live live[2]; /* by family: IPv4, IPv6 */
    uint64_t now_ns;
    uint64_t ol_flags; /* what the device says of every frame */
    struct baseline before;
    uint8_t reply[4096]; /* the last frame that tern sent */
    uint32_t n_reply_bytes, n_replies;
};

/* ---- buffers ---- */

/** Bytes outside of every pool, in a block of their own. */
struct block {
    struct rte_mbuf_ext_shared_info info;
    uint8_t *bytes;
};

static uint32_t n_blocks; /* not given back yet */

static inline void block_free(void *at, void *opaque)
{
    struct block *b = opaque;
    (void)at;
    free(b->bytes);
    free(b);
    n_blocks--;
}

/** An mbuf whose last byte is the last byte of its memory. */
static inline struct rte_mbuf *mbuf_exact(struct attack *a, const uint8_t *bytes, uint32_t n)
{
    struct rte_mbuf *m = tern_shard_mbuf(a->sh);
    struct block *b = calloc(1, sizeof *b);
    assert_true(m != NULL && b != NULL);
    b->bytes = malloc(n + (n == 0));
    assert_non_null(b->bytes);
    memcpy(b->bytes, bytes, n);
    b->info.free_cb = block_free;
    b->info.fcb_opaque = b;
    rte_mbuf_ext_refcnt_set(&b->info, 1);
    rte_pktmbuf_attach_extbuf(m, b->bytes, 0, (uint16_t)(n + (n == 0)), &b->info);
    m->data_off = n == 0;
    m->data_len = (uint16_t)n;
    m->pkt_len = n;
    n_blocks++;
    return m;
}

static inline struct rte_mbuf *mbuf_whole(struct attack *a, const uint8_t *bytes, uint32_t n)
{
    struct rte_mbuf *m = tern_shard_mbuf(a->sh);
    assert_non_null(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t)n), bytes, n);
    return m;
}

/** A chain of buffers of `step` bytes behind a first one of `front`. */
static inline struct rte_mbuf *mbuf_chain(
    struct attack *a, const uint8_t *bytes, uint32_t n, uint32_t front, uint32_t step)
{
    struct rte_mbuf *m = mbuf_exact(a, bytes, front);
    for (uint32_t at = front; at < n; at += step)
        assert_int_equal(rte_pktmbuf_chain(m, mbuf_exact(a, bytes + at, RTE_MIN(step, n - at))), 0);
    return m;
}

/* ---- sending ---- */

/** Look at what tern wants sent. */
static inline void take_replies(struct attack *a)
{
    uint8_t frame[sizeof a->reply];
    uint32_t n;
    a->n_replies = 0;
    while ((n = (uint32_t)tern_embed_output(a->e, frame, sizeof frame)) > 0) {
        memcpy(a->reply, frame, n);
        a->n_reply_bytes = n;
        a->n_replies++;
    }
}

/** What a worker of the engine reads of a frame before the shard gets it, in its first buffer. */
static inline void look_as_worker(const struct attack *a, const struct rte_mbuf *m)
{
    struct tern_steer_flow flow;
    (void)tern_shard_is_shared_frame(a->sh, m);
    (void)tern_steer_find(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, false, &flow);
}

/** A frame arrives. @return the reason it was dropped for, NONE: it was not */
static inline enum tern_drop arrive(struct attack *a, struct rte_mbuf *m)
{
    uint64_t before[TERN_DROP_COUNT];
    const uint64_t *now = tern_shard_stats(a->sh)->drops;
    enum tern_drop why = TERN_DROP_NONE;
    memcpy(before, now, sizeof before);
    m->ol_flags |= a->ol_flags;
    look_as_worker(a, m);
    tern_shard_rx(a->sh, &m, 1, a->now_ns);
    for (int i = 1; i < TERN_DROP_COUNT; i++) {
        if (now[i] == before[i])
            continue;
        assert_int_equal(now[i], before[i] + 1);
        assert_int_equal(why, TERN_DROP_NONE);
        why = (enum tern_drop)i;
    }
    take_replies(a);
    return why;
}

static inline enum tern_drop arrive_exact(struct attack *a, const struct frame *f)
{
    return arrive(a, mbuf_exact(a, f->b, f->n));
}

/** The buffers of an arrival are back, and nothing was made of it. */
static inline void assert_unmoved(struct attack *a)
{
    assert_baseline(a->sh, &a->before);
    assert_int_equal(n_blocks, 0);
}

static inline void refuse_one(struct attack *a, struct rte_mbuf *m, enum tern_drop why)
{
    assert_drop(arrive(a, m), why);
    assert_int_equal(a->n_replies, 0);
    assert_unmoved(a);
}

/** The frame is dropped for that reason, in whatever buffers it lies, without an answer. */
static inline void refuse(struct attack *a, const struct frame *f, enum tern_drop why)
{
    refuse_one(a, mbuf_whole(a, f->b, f->n), why);
    refuse_one(a, mbuf_exact(a, f->b, f->n), why);
    for (uint32_t front = 1; front < f->n; front++)
        refuse_one(a, mbuf_chain(a, f->b, f->n, front, f->n), why);
}

/* ---- frames ---- */

static inline void attack_ip(struct frame *f, bool v6, uint8_t proto)
{
    frame_eth(f, v6 ? 0x86dd : 0x0800);
    if (v6)
        frame_ip6(f, proto);
    else
        frame_ip4(f, proto, "", 0);
}

/** Give the TCP header behind f->l4 the next numbers of the live connection, and seal. */
static inline void attack_seal(const struct attack *a, struct frame *f)
{
    put32(f->b + f->l4 + 4, a->live[f->v6].seq);
    put32(f->b + f->l4 + 8, a->live[f->v6].ack);
    frame_seal(f);
}

/** The next segment of the live connection, with `n` bytes of payload. */
static inline void attack_segment(const struct attack *a, struct frame *f, bool v6, uint8_t flags,
    const void *opt, uint32_t n_opt, uint32_t n)
{
    attack_ip(f, v6, 6);
    frame_tcp(f, flags, opt, n_opt);
    put16(f->b + f->l4 + 18, 0); /* no urgent pointer */
    frame_fill(f, 'x', n);
    attack_seal(a, f);
}

/* ---- time ---- */

/** Move to the next deadline, at the latest to `end_ns`. @return was there one? */
static inline bool step(struct attack *a, uint64_t end_ns)
{
    uint64_t at_ns;
    const bool any = tern_embed_deadline(a->e, &at_ns) && at_ns <= end_ns;
    a->now_ns = RTE_MAX(a->now_ns, any ? at_ns : end_ns);
    tern_embed_advance(a->e, a->now_ns);
    return any;
}

/** Let every timer run out that is still armed for something done. */
static inline void rest(struct attack *a)
{
    const uint64_t end_ns = a->now_ns + ms_to_ns(REST_S * ONE_SECOND);
    while (step(a, end_ns)) {
    }
}

/* ---- the live connections ---- */

static inline const uint8_t *reply_tcp(const struct attack *a, bool v6)
{
    assert_true(a->n_reply_bytes >= 14u + (v6 ? 40 : 20) + 20);
    return a->reply + 14 + (v6 ? 40 : 20);
}

static inline void live_open(struct attack *a, bool v6)
{
    struct live *c = &a->live[v6];
    struct frame f;
    c->seq = LIVE_ISS;
    attack_segment(a, &f, v6, TERN_TCP_SYN, "", 0, 0);
    arrive_exact(a, &f);
    assert_int_equal(a->n_replies, 1);
    c->seq++;
    c->ack = get32(reply_tcp(a, v6) + 4) + 1;
    attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, 0);
    arrive_exact(a, &f);
    c->s = tern_sock_accept(a->listener);
    assert_non_null(c->s);
}

/** One byte there and one back: the connection lives, and what the attack said is not in it. */
static inline void live_talk(struct attack *a, bool v6)
{
    struct live *c = &a->live[v6];
    struct frame f;
    uint8_t byte[2] = {0};
    attack_segment(a, &f, v6, TERN_TCP_ACK | TERN_TCP_PSH, "", 0, 1);
    assert_drop(arrive_exact(a, &f), TERN_DROP_NONE);
    assert_int_equal(tern_sock_recv(c->s, byte, sizeof byte), 1);
    assert_int_equal(byte[0], 'x');
    c->seq++;
    assert_int_equal(tern_sock_send(c->s, "y", 1), 1);
    tern_embed_advance(a->e, a->now_ns);
    take_replies(a);
    assert_int_equal(get32(reply_tcp(a, v6) + 4), c->ack);
    assert_int_equal(get32(reply_tcp(a, v6) + 8), c->seq);
    c->ack++;
    attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, 0);
    assert_drop(arrive_exact(a, &f), TERN_DROP_TCP_DONE);
}

/* ---- cmocka ---- */

static inline void attack_configure(struct tern_embed_config *cfg)
{
    struct tern_stack_config *c = &cfg->stack;
    tern_embed_config_init(cfg);
    c->l3 = false;
    memcpy(c->mac, my_mac, sizeof my_mac);
    c->n_addrs = 2;
    assert_int_equal(tern_prefix_parse("192.0.2.1/24", &c->addrs[0]), 0);
    assert_int_equal(tern_prefix_parse("2001:db8::1/64", &c->addrs[1]), 0);
    assert_int_equal(tern_addr_parse("192.0.2.2", &c->gateway4), 0);
    c->n_neighbours = 2;
    c->neighbours[0].addr = c->gateway4;
    memcpy(c->neighbours[1].addr.b, peer_ip6, sizeof peer_ip6);
    for (uint32_t i = 0; i < c->n_neighbours; i++)
        memcpy(c->neighbours[i].mac, peer_mac, sizeof peer_mac);
    c->timestamps = false;                /* a frame of an attacker need not know them */
    c->ack_policy = TERN_ACK_EVERY_BURST; /* no timer of an ACK among those counted */
    c->icmp_rate_per_s = 1000000;
    c->seed[0] = 1;
}

/** Listening, with a live connection of either family. Change `cfg` before, or pass none. */
static inline void attack_open(struct attack *a)
{
    struct tern_error err = {0};
    if (tern_embed_open(&a->cfg, a->now_ns, &a->e, &err) != 0)
        fail_msg("%s", err.text);
    a->sh = tern_embed_shard(a->e);
    assert_int_equal(tern_sock_listen(a->e, NULL, ATTACK_PORT, 16, &a->listener), 0);
    take_replies(a);
    live_open(a, false);
    live_open(a, true);
    live_talk(a, false);
    live_talk(a, true);
    rest(a);
    a->before = baseline_of(a->sh);
}

static inline int attack_setup(void **state)
{
    struct attack *a = calloc(1, sizeof *a);
    if (a == NULL)
        return -1;
    n_blocks = 0; /* whatever a test that failed has left */
    a->now_ns = ms_to_ns(START_MS);
    attack_configure(&a->cfg);
    attack_open(a);
    *state = a;
    return 0;
}

static inline int attack_teardown(void **state)
{
    struct attack *a = *state;
    a->ol_flags = 0;
    assert_unmoved(a);
    live_talk(a, false);
    live_talk(a, true);
    rest(a);
    assert_unmoved(a);
    tern_shard_settle(a->sh);
    assert_books_balance(a->sh);
    assert_clean_close(a->e);
    assert_int_equal(n_blocks, 0);
    free(a);
    return 0;
}

#define ATTACK(test)                                                                               \
    {                                                                                              \
#        test, test, attack_setup, attack_teardown, NULL                                           \
    }
