/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The protocol's view of its shard: configuration, keys, the time of this burst, counters, and the
 * packets about to leave. It is the first member of struct tern_shard; what the protocol asks of
 * the shard beyond these fields are the plain functions of host.h.
 */
#include <tern/config.h>
#include <tern/conn.h>
#include <tern/stats.h>

#include "conn.h"
#include "fast_open.h"
#include "rate.h"
#include "wire/pkt.h"
#include "wire/prf.h"
#include "wire/rss.h"
#include "wire/siphash.h"

#include <rte_mbuf.h>

#include <assert.h>

enum {
    TERN_TX_BURST = 2048,   /* packets collected before they are taken */
    TERN_TX_RESERVED = 256, /* of these kept for segments without payload */
    TERN_SPARES_MAX = 64,   /* received buffers kept for replies within a burst */
};

/** One received TCP segment on its way through the stages. */
struct tern_seg {
    struct rte_mbuf *m;   /* owned; NULL once somebody took it over */
    const uint8_t *frame; /* first byte of m */
    struct tern_pkt p;    /* p.seq, p.len_bytes, p.payload_off shrink as it is trimmed */
    struct tern_tcp_opts opts;
    uint32_t old_bytes; /* trimmed from its front: we had them */
    bool sets_echo;     /* its timestamp becomes TS.Recent when its ACK is acceptable */
    struct tern_flow_key key;
    uint64_t hash;
    struct tern_prf secret; /* of a SYN: syn_secret.h … */
    bool secret_is_cookies; /* … and what it was asked for */
    uint32_t *slot;         /* of the flow table, where its record may be named, or NULL … */
    bool is_absent;         /* no entry was there that might name it */
    uint32_t guess;         /* … and what it said when that record was asked for */
};

/** A duplicate that came, to be reported with the next ACK (RFC 2883). */
struct tern_dsack {
    uint32_t conn;
    struct tern_sack_block block;
};

/** A round trip of a connection that receives, while it is measured (rcvbuf.c). */
struct tern_rcv_round {
    uint32_t conn; /* its index, 0: free */
    uint32_t start_ms;
    struct tern_seq consumed; /* by the application, when it began */
    struct tern_seq edge;     /* RCV.ADV when it began */
};

enum {
    TERN_SYN_OPT_BYTES = 20, /* mss, sackOK, TS, nop, wscale */
    TERN_SYN_ACK_BYTES = TERN_IP6_BYTES + TERN_TCP_BYTES + TERN_SYN_OPT_BYTES,
    TERN_SYN_ACKS = 8, /* of a family: with and without window scale, SACK, timestamps */
};

/** A SYN-ACK written ahead (syn_ack.h), or a SYN (syn.h). Sums are without addresses, ports,
 * numbers, timestamps. */
struct __rte_cache_aligned tern_syn_ack {
    uint8_t bytes[TERN_SYN_ACK_BYTES]; /* [n_bytes] IP and TCP header, options */
    uint16_t n_bytes, l3_bytes;
    uint16_t ts_off; /* where timestamps go, from the TCP header; 0: nowhere */
    bool sums_ip;    /* the IPv4 header's checksum is ours to make */
    uint64_t ip_sum, tcp_sum, pseudo;
    uint64_t ol_flags, tx_offload;
};

struct tern_keys {
    struct tern_prf_key place, isn, cookie, period, ts; /* what every handshake asks for */
    struct tern_siphash_key port, tfo;      /* order of source ports, Fast Open cookies, … */
    struct tern_siphash_key tfo_peers, bbr; /* … places of servers that gave one, BBR's waits */
};

struct tern_tcp {
    /* the time of this burst, in every unit that is needed */
    uint64_t now_ns;
    uint32_t now_tick, now_ms, now_us;
    uint64_t unticked_ns; /* time that passed and no tick counts: what was too long of a leap */

    struct tern_stats stats;

    /* connections to settle at the end of the burst */
    uint32_t touched_head, touched_tail;

    /* duplicates of this burst */
    uint32_t n_dsacks;
    struct tern_dsack dsacks[TERN_DSACKS_MAX];

    /* what leaves, in order */
    uint32_t n_tx, n_spares;
    struct rte_mbuf *tx[TERN_TX_BURST];
    struct rte_mbuf *spares[TERN_SPARES_MAX];

    /* records, by index */
    struct tern_conn blank;  /* what all are before anything is known of them … */
    struct tern_conn opened; /* … and after an everyday handshake, as far as that is the same */
    bool opens_plainly;      /* a handshake has nothing more to do than to write over `opened` */
    struct tern_conn *conns;
    struct tern_txq *txqs;
    struct tern_sent *sents;
    struct tern_cong *congs;
    struct tern_rxq *rxqs;
    struct tern_rare *rares;
    struct tern_addr6 *addr6s;

    struct rte_mempool *pool, *reserve;
    struct tern_rate rst_rate;
    struct tern_tfo tfo;
    uint32_t syn_ack_ticks[TERN_SYNACK_TRIES_MAX]; /* until it is sent again, by times sent - 1 */
    uint64_t cookies_until_ns; /* a cookie sent so far may come back until then */
    struct tern_keys keys;
    uint64_t cookie_period;       /* the period … */
    struct tern_prf cookie_blind; /* … and its cookies' key */
    uint32_t link_bytes;          /* in front of an IP header we send */
    uint16_t own_mss[2];          /* what our SYNs say: IPv4, IPv6 */
    uint8_t syn_agrees;           /* options of a SYN that we agree to, TERN_HAS_* */
    uint64_t tx_orders[2];        /* mbuf.ol_flags of what we send: IPv4, IPv6 */
    bool plain_headers;           /* … may come from a template (template.h) */
    uint32_t flight_bytes_max;    /* payload of a flight that one packet carries */
    /* the RTO of a connection that was never kept waiting, as far as it is the same for all: before
     * the first sample; and as long as what the samples make of it is less than … us, the least */
    uint32_t rto_first_ticks, rto_least_ticks, rto_least_us;
    uint32_t pause_ticks;        /* no RTO is shorter */
    uint32_t rcv_most_bytes[2];  /* the window of a buffer that has not grown: unscaled, scaled */
    bool has_syn_acks, has_syns; /* the stores below may be used */
    struct tern_syn_ack syn_acks[2][TERN_SYN_ACKS]; /* IPv4, IPv6 */
    struct tern_syn_ack syns[2];                    /* what all our SYNs say: IPv4, IPv6 */
    const struct tern_rss *rss; /* the device's way with flows, shared, or NULL: see ports.c … */
    uint32_t worker;            /* … and whose entries of it are ours */
    uint16_t n_ip_id;           /* test pins used so far */
    uint8_t rcv_wscale;         /* shift we announce */
    uint64_t rcv_grow_left_bytes; /* what receive buffers may still grow, all together */
    struct tern_rcv_round rcv_rounds[TERN_RCV_ROUNDS];
    uint16_t n_apps;
    struct tern_app apps[TERN_APPS_MAX];
    const struct tern_app *app_ids[TERN_APPS_MAX]; /* what tern_connect() was handed */
    bool fast_path;                                /* off in tests: the wire must not change */
    bool stopping;                                 /* nothing is opened any more */
    struct tern_stack_config cfg;
};

static inline struct tern_shard *tern_shard_of(struct tern_tcp *t)
{
    return (struct tern_shard *)(void *)t;
}

static inline struct tern_tcp *tern_tcp_of(struct tern_shard *sh)
{
    return (struct tern_tcp *)(void *)sh;
}

static inline const struct tern_tcp *tern_tcp_of_const(const struct tern_shard *sh)
{
    return (const struct tern_tcp *)(const void *)sh;
}

static inline uint32_t tern_conn_idx(const struct tern_tcp *t, const struct tern_conn *c)
{
    return (uint32_t)(c - t->conns);
}

/** tern_conn.txq: the record is a tern_flight (flight.h). Indices are below it. */
enum { TERN_FLIGHT_BIT = 1 << 30 };

static inline bool tern_conn_has_flight(const struct tern_conn *c)
{
    return c->txq & TERN_FLIGHT_BIT;
}

/** The send queue, or NULL. Not for a connection that has a flight: see tern_conn_unfold(). */
static inline struct tern_txq *tern_conn_txq(const struct tern_tcp *t, const struct tern_conn *c)
{
    assert(!tern_conn_has_flight(c));
    return c->txq != 0 ? &t->txqs[c->txq] : NULL;
}

static inline struct tern_rxq *tern_conn_rxq(const struct tern_tcp *t, const struct tern_conn *c)
{
    return c->rxq != 0 ? &t->rxqs[c->rxq] : NULL;
}

static inline struct tern_rare *tern_conn_rare(const struct tern_tcp *t, const struct tern_conn *c)
{
    return c->rare != 0 ? &t->rares[c->rare] : NULL;
}

static inline const struct tern_app *tern_conn_app(
    const struct tern_tcp *t, const struct tern_conn *c)
{
    return &t->apps[c->app];
}

/** What is known of the path, or NULL. */
static inline struct tern_cong *tern_conn_cong(const struct tern_tcp *t, const struct tern_conn *c)
{
    return c->cong != 0 ? &t->congs[c->cong] : NULL;
}

static inline bool tern_conn_has_ecn(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_cong *g = tern_conn_cong(t, c);
    return g != NULL && (g->flags & TERN_CG_ECN);
}

/** CE as a segment brings it (RFC 3168 §5). */
static inline bool tern_seg_is_marked(const struct tern_seg *seg)
{
    return (seg->p.tos & TERN_ECN_MASK) == TERN_ECN_CE;
}

/** The shift of the windows we announce: the same for all that negotiated it (RFC 7323 §2.2). */
static inline uint8_t tern_conn_rcv_wscale(const struct tern_tcp *t, const struct tern_conn *c)
{
    return c->flags & TERN_CF_WSCALE ? t->rcv_wscale : 0;
}

/** The window that a SYN of ours announces, and that holds until it is acknowledged: never scaled
 * (RFC 7323 §2.2). */
static inline uint16_t tern_syn_window(const struct tern_tcp *t)
{
    return (uint16_t)RTE_MIN(t->cfg.rcv_buf_bytes, 0xffffu);
}

/** … as the field of a SYN-ACK has it (7323-3). */
static inline uint16_t tern_syn_ack_window(const struct tern_tcp *t)
{
    return t->cfg.pins.has_syn_wnd ? t->cfg.pins.syn_wnd : tern_syn_window(t);
}

/** There is payload that was never sent. */
static inline bool tern_txq_has_new(const struct tern_txq *q)
{
    return q->unsent_bytes > 0;
}

/** The connection's four-tuple as a value. */
static inline struct tern_flow_key tern_conn_key(
    const struct tern_tcp *t, const struct tern_conn *c)
{
    struct tern_flow_key k;
    if (c->flags & TERN_CF_V6) {
        k.remote = t->addr6s[c->remote4].remote;
        k.local = t->addr6s[c->remote4].local;
    } else {
        k.remote = tern_addr_from_v4(c->remote4);
        k.local = tern_addr_from_v4(c->local4);
    }
    k.rport = c->rport;
    k.lport = c->lport;
    return k;
}

static inline bool tern_flow_key_equal(const struct tern_flow_key *a, const struct tern_flow_key *b)
{
    return tern_addr_equal(&a->remote, &b->remote) && tern_addr_equal(&a->local, &b->local)
           && a->rport == b->rport && a->lport == b->lport;
}

/** V088: Our timestamp clock: 1 ms a tick (RFC 7323 §5.4), from the connection's own offset
 * (7323-10). */
static inline uint32_t tern_ts_now(const struct tern_tcp *t, uint32_t ts_offset)
{
    return t->now_ms + ts_offset;
}

/** The MSS that our SYNs announce. */
static inline uint16_t tern_tcp_own_mss(const struct tern_tcp *t, bool v6)
{
    return t->own_mss[v6];
}

/** Set the time of a burst. Time never runs backwards here. */
static inline void tern_tcp_set_time(struct tern_tcp *t, uint64_t now_ns)
{
    if (now_ns < t->now_ns)
        return;
    t->now_ns = now_ns;
    t->now_tick = (uint32_t)((now_ns - t->unticked_ns) >> TERN_TICK_SHIFT);
    t->now_ms = (uint32_t)(now_ns / TERN_NS_PER_MS);
    t->now_us = (uint32_t)(now_ns / TERN_NS_PER_US);
    const uint64_t period = now_ns >> TERN_COOKIE_PERIOD_SHIFT;
    if (unlikely(period != t->cookie_period)) {
        t->cookie_period = period;
        t->cookie_blind = tern_prf4(&t->keys.period, period, 0);
    }
}

/** The first tick that starts no earlier than `ns`, which is now or later. */
static inline uint32_t tern_tcp_tick_at(const struct tern_tcp *t, uint64_t ns)
{
    const uint64_t tick_ns = UINT64_C(1) << TERN_TICK_SHIFT;
    return (uint32_t)((ns - t->unticked_ns + tick_ns - 1) >> TERN_TICK_SHIFT);
}

/** The one place that discards: count, free (V189, V192). @param m may be NULL */
static inline void tern_drop_mbuf(struct tern_tcp *t, struct rte_mbuf *m, enum tern_drop why)
{
    t->stats.drops[why]++;
    rte_pktmbuf_free(m);
}

/** May an answer be written over this frame: direct, unshared, in one buffer? */
static inline bool tern_mbuf_is_writable(const struct rte_mbuf *m)
{
    return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && m->next == NULL;
}

/** Can this buffer be used again as it is: writable, and of the shard's own pool? */
static inline bool tern_mbuf_is_spare(const struct tern_tcp *t, const struct rte_mbuf *m)
{
    return m->pool == t->pool && tern_mbuf_is_writable(m);
}

/** Put a whole frame on the list of what leaves; it is dropped when that is full. Takes it. */
static inline void tern_tcp_queue(struct tern_tcp *t, struct rte_mbuf *frame)
{
    if (likely(t->n_tx < TERN_TX_BURST))
        t->tx[t->n_tx++] = frame;
    else
        tern_drop_mbuf(t, frame, TERN_DROP_TX_FULL);
}

/** Give the spare buffers of a burst back, all at once. */
static inline void tern_tcp_free_spares(struct tern_tcp *t)
{
    if (t->n_spares != 0)
        rte_mempool_put_bulk(t->pool, (void **)t->spares, t->n_spares);
    t->n_spares = 0;
}

/**
 * The segment is done with. Its buffer is kept for a reply of this burst where it can carry one,
 * else freed.
 */
static inline void tern_seg_done(struct tern_tcp *t, struct tern_seg *seg, enum tern_drop why)
{
    struct rte_mbuf *m = seg->m;
    t->stats.drops[why]++;
    if (m == NULL)
        return;
    seg->m = NULL;
    if (likely(t->n_spares < TERN_SPARES_MAX && tern_mbuf_is_spare(t, m)))
        t->spares[t->n_spares++] = m;
    else
        rte_pktmbuf_free(m);
}

/* ---- what each file of lib/tcp offers the others and the shard ---- */

/* rx.c, rx_fast.c, rx_syn.c: segment arrival. Each leaves seg->m owned or NULL; tern_tcp_rx() ends
 * it. */
void tern_conn_rx(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
/** The straight paths. @return false: not for them, and nothing has changed */
bool tern_conn_rx_fast(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
bool tern_conn_rx_closing(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
/** Payload and FIN of a segment at RCV.NXT, in a state that takes them. */
enum tern_drop tern_conn_take(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
enum tern_drop tern_syn_sent_rx(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
/** An ACK that is acceptable: advance SND.UNA, congestion control, window. */
void tern_conn_ack(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
/** The same where what is in flight is a flight or a FIN, and all or nothing of it is acknowledged
 * (tern_flight_takes()), no timer has run out, and no window was shut. */
void tern_conn_ack_plainly(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
/** Payload at RCV.NXT: hand it to the application. Takes seg->m. */
void tern_conn_deliver(
    struct tern_tcp *t, struct tern_conn *c, struct rte_mbuf *m, uint32_t len_bytes);
/** [left, right) came although we had it: the next ACK says so (RFC 2883 §4) (2883-1). */
void tern_conn_note_duplicate(
    struct tern_tcp *t, const struct tern_conn *c, struct tern_seq left, struct tern_seq right);
/** The handshake is over: count, tell the application. */
void tern_conn_established(struct tern_tcp *t, struct tern_conn *c);
/** The part of it that is left for a connection the application has already: the state moves. */
void tern_conn_syn_acked(struct tern_tcp *t, struct tern_conn *c);

/* listen.c: passive opens. `listener` is the application index the listener stands for. */
struct tern_listen_ctx {
    uint8_t app;
    bool reopens;            /* the SYN takes over a TIME-WAIT … */
    struct tern_seq old_nxt; /* … whose SND.NXT was this */
    void *user;
};
/** Is a SYN that comes now answered with a cookie? */
bool tern_syn_gets_cookie(const struct tern_tcp *t);
enum tern_drop tern_listen_rx(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_seg *seg);
enum tern_drop tern_half_rx(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_half *h, struct tern_seg *seg);
void tern_half_timer(struct tern_tcp *t, struct tern_half *h);
/** Once, when the configuration is known. */
void tern_half_init(struct tern_tcp *t);

/* time_wait.c */
enum tern_drop tern_tw_rx(
    struct tern_tcp *t, struct tern_tw *tw, struct tern_seg *seg, bool *reopen);

/* closed.c: segments for no connection (RFC 9293 §3.10.7.1) */
enum tern_drop tern_closed_rx(struct tern_tcp *t, struct tern_seg *seg);

/* ecn.c */
/** Do connections that we open ask for ECN? */
bool tern_ecn_asks(const struct tern_tcp *t);
/** What a SYN of ours asks for: ECE | CWR, or 0. The path record it needs is made. */
uint8_t tern_ecn_request(struct tern_tcp *t, struct tern_conn *c);
/** What the answer to our SYN says. */
void tern_ecn_answered(struct tern_tcp *t, struct tern_conn *c, uint8_t flags);
/** A SYN that asks for ECN and may have it. */
bool tern_ecn_accepts(const struct tern_tcp *t, uint8_t flags);
/** Agreed on by a passive open. */
void tern_ecn_agreed(struct tern_tcp *t, struct tern_conn *c);
/** A segment with payload is about to be taken (RFC 3168 §6.1.3, RFC 8257 §3.2). */
void tern_ecn_rcvd(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg);

/* urgent.c */
/** Sixth: check the URG bit (RFC 9293 §3.10.7.4). */
void tern_urgent_rcvd(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg);
/** The urgent pointer of a segment at `seq`; 0: it has none, and URG stays off. */
uint16_t tern_urgent_pointer(
    const struct tern_tcp *t, const struct tern_conn *c, struct tern_seq seq);
/** Bytes to be delivered next that are urgent. */
uint32_t tern_urgent_left(const struct tern_tcp *t, const struct tern_conn *c);

/* conn.c: life of a connection */
void tern_conn_init(struct tern_tcp *t, struct tern_conn *c, uint8_t app, void *user);
/** MSS and options the peer's SYN stated, as they act from now on. */
void tern_conn_negotiate(struct tern_tcp *t, struct tern_conn *c, const struct tern_tcp_opts *peer);
/** The largest segment to send to a peer whose SYN said that: TCP options included. */
static inline uint16_t tern_mss_agreed(
    const struct tern_tcp *t, const struct tern_tcp_opts *peer, bool v6)
{
    uint16_t mss = v6 ? TERN_MSS_DEFAULT6 : TERN_MSS_DEFAULT4; /* MUST-15 */
    if (peer->has & TERN_HAS_MSS) /* obeyed (MUST-14), but clamped at the door */
        mss = peer->mss > TERN_MSS_MIN ? peer->mss : TERN_MSS_MIN;
    const uint16_t own = tern_tcp_own_mss(t, v6);
    return mss < own ? mss : own; /* MUST-16 */
}
/** TERN_CF_* of what both SYNs have. */
static inline uint16_t tern_options_agreed(
    const struct tern_tcp *t, const struct tern_tcp_opts *peer)
{
    const uint8_t both = peer->has & t->syn_agrees;
    return (uint16_t)((both & TERN_HAS_TS ? TERN_CF_TS : 0)
                      | (both & TERN_HAS_SACK_OK ? TERN_CF_SACK : 0)
                      | (both & TERN_HAS_WSCALE ? TERN_CF_WSCALE : 0));
}
/** How received data is acknowledged from now on. */
void tern_conn_set_ack_policy(struct tern_conn *c, enum tern_ack_policy policy);
/** Put on the list to settle at the end of the burst. */
void tern_conn_touch(struct tern_tcp *t, struct tern_conn *c);
/** Over: CLOSED with a reason; on_closed() and release follow when it is settled. */
void tern_conn_end(struct tern_tcp *t, struct tern_conn *c, enum tern_close_reason why);
/** Over in order, by a segment of its own that acknowledges our FIN in LAST-ACK. */
void tern_conn_end_in_order(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg);
/** CLOSE (RFC 9293 §3.10.4). Unread data makes it an abort where it matters (SHLD-3). */
void tern_conn_close(struct tern_tcp *t, struct tern_conn *c, bool unread_matters);
/** RST to the peer, then over. */
void tern_conn_abort(struct tern_tcp *t, struct tern_conn *c, enum tern_close_reason why);
/** Both FINs exchanged, by this segment of its own: TIME-WAIT record, then over. */
void tern_conn_time_wait(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
/** Send what is owed, call what is to be called, arm the timer, release. */
void tern_conn_settle(struct tern_tcp *t, struct tern_conn *c);
/** Settle touched connections until the tx list is full, at most TERN_SETTLED_MAX. */
void tern_tcp_settle(struct tern_tcp *t);
/** The send queue is down to half of its limit: an application that was cut short may go on. */
bool tern_conn_is_drained(const struct tern_tcp *t, const struct tern_conn *c);
/** The record of rare options, made on first use; NULL when none is left. */
struct tern_rare *tern_conn_rare_need(struct tern_tcp *t, struct tern_conn *c);
/** What follows from the configuration: once, before anything else is asked. */
void tern_tcp_derive(struct tern_tcp *t);
/** Register an application; the index, or -1 when TERN_APPS_MAX is reached. */
int tern_tcp_app(struct tern_tcp *t, const struct tern_app *app);

/* timers.c */
/** Once, when the configuration is known. */
void tern_timers_init(struct tern_tcp *t);
void tern_conn_timers(struct tern_tcp *t, struct tern_conn *c);
void tern_conn_arm_rtx(struct tern_tcp *t, struct tern_conn *c);
/** The peer spoke after intervals had run out: its silence starts anew, and an interval that R2 had
 * cut short is a whole one again, else it would run out at every answer. */
void tern_conn_heard(struct tern_tcp *t, struct tern_conn *c);
void tern_conn_cancel_rtx(const struct tern_tcp *t, struct tern_conn *c);
/** After sending: a tail loss probe is due before the RTO (RFC 8985 §7.2). */
void tern_conn_arm_probe(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q);
/** Timers of a flight (flight.h): as tern_conn_arm_rtx(), and as tern_conn_arm_probe(). */
void tern_conn_arm_flight(const struct tern_tcp *t, struct tern_conn *c);
void tern_conn_arm_flight_probe(const struct tern_tcp *t, struct tern_conn *c);
/** Look for losses again in `after_us`, when a reordering window ends (RFC 8985 §6.2). */
void tern_conn_arm_reorder(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t after_us);
void tern_conn_arm_timer(struct tern_tcp *t, struct tern_conn *c);
uint32_t tern_conn_rto_ms(const struct tern_tcp *t, const struct tern_conn *c);
void tern_conn_rtt_sample(struct tern_conn *c, uint32_t rtt_us);

/* output.c */
void tern_conn_output(struct tern_tcp *t, struct tern_conn *c);
bool tern_conn_send_ack(struct tern_tcp *t, struct tern_conn *c);
/** An ACK at once, in answer to this segment, of which nothing but its buffer is left. */
void tern_conn_answer(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
void tern_conn_send_syn(struct tern_tcp *t, struct tern_conn *c);
void tern_conn_send_rst(struct tern_tcp *t, struct tern_conn *c);
void tern_conn_retransmit(struct tern_tcp *t, struct tern_conn *c);
/** Everything in flight again from SND.UNA on as the windows allow; congestion is not to blame. */
void tern_conn_resend(struct tern_tcp *t, struct tern_conn *c);
void tern_conn_probe(struct tern_tcp *t, struct tern_conn *c);
/** A tail loss probe: new data, or the last segment again. @return false: could not be sent */
bool tern_conn_send_tail(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, bool *again);
void tern_conn_send_keepalive(struct tern_tcp *t, struct tern_conn *c);
/** Challenge ACK (RFC 5961): at most one a connection and period. */
enum tern_drop tern_conn_challenge(struct tern_tcp *t, struct tern_conn *c);
/** Payload bytes that fit beside the options of a segment. */
uint32_t tern_conn_payload_max(const struct tern_tcp *t, const struct tern_conn *c);

/* isn.c: everything drawn from keyed hashes */
struct tern_seq tern_isn(const struct tern_tcp *t, const struct tern_flow_key *key);
/** The same from what syn_secret.h holds of a SYN. */
struct tern_seq tern_isn_from(const struct tern_tcp *t, struct tern_prf secret);
/** `isn`, or where a connection before it ended at `old_nxt`, beyond that (RFC 9293 §3.6.1 MAY-2).
 */
struct tern_seq tern_isn_beyond(
    const struct tern_tcp *t, struct tern_seq isn, struct tern_seq old_nxt);
uint32_t tern_ts_offset(const struct tern_tcp *t, const struct tern_flow_key *key);
uint64_t tern_flow_hash(const struct tern_tcp *t, const struct tern_flow_key *key);
void tern_keys_init(struct tern_keys *k, const uint64_t seed[4]);

/* icmp.c */
enum tern_drop tern_conn_icmp(struct tern_tcp *t, struct tern_conn *c, int kind,
    struct tern_seq seq, uint32_t mtu_bytes, uint32_t quoted_bytes);
