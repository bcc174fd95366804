/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Passive opens: LISTEN (RFC 9293 §3.10.7.2) and SYN-RECEIVED before there is a connection.
 *
 * A SYN costs a 64-byte record (struct tern_half) or, under SYN cookies, nothing. Its SYN-ACK is
 * written into the buffer the SYN came in. Only the ACK that proves the peer lives where it says
 * makes a connection. Both ways end in complete(), so that a connection is the same whichever it
 * came by.
 */
#include "cc.h"
#include "cookie.h"
#include "host.h"
#include "mbuf.h"
#include "packet.h"
#include "syn_ack.h"
#include "syn_secret.h"
#include "wire/hint.h"

/* ---- SYN-ACK ---- */

/** What we answer to the options of a SYN: each only where both have it. */
static struct tern_tcp_opts agreed(
    const struct tern_tcp *t, const struct tern_flow_key *key, const struct tern_tcp_opts *peer)
{
    struct tern_tcp_opts o = {
        .has = TERN_HAS_MSS | (peer->has & t->syn_agrees), /* MSS always: MUST-14, SHLD-5, MAY-3 */
        .mss = tern_tcp_own_mss(t, !tern_addr_is_v4(&key->remote)),
    };
    if (o.has & TERN_HAS_TS) {
        o.ts_val = tern_ts_now(t, tern_ts_offset(t, key));
        o.ts_ecr = peer->ts_val;
    }
    if (o.has & TERN_HAS_WSCALE)
        o.wscale = t->rcv_wscale;
    return o;
}

/** @param seg  the SYN, in whose buffer it goes back; NULL: a retransmission, by route */
static TERN_ASIDE void send_syn_ack(struct tern_tcp *t, const struct tern_flow_key *key,
    struct tern_seq iss, struct tern_seq irs, const struct tern_tcp_opts *peer, bool ecn,
    struct tern_seg *seg)
{
    uint8_t opt[TERN_TCP_OPT_BYTES_MAX];
    const struct tern_tcp_opts o = agreed(t, key, peer);
    const struct tern_packet p = {
        .key = key,
        .seq = iss,
        .ack = tern_seq_add(irs, 1),
        .flags = (uint8_t)(TERN_TCP_SYN | TERN_TCP_ACK | (ecn ? TERN_TCP_ECE : 0)), /* (3168-1) */
        .wnd = tern_syn_ack_window(t),
        .ttl = t->cfg.ttl,
        .tos = (uint8_t)(t->cfg.dscp << 2),
        .opt = opt,
        .opt_bytes = tern_tfo_offer(t, key, peer, opt, tern_tcp_opts_build_syn(&o, opt)),
    };
    if (seg != NULL) {
        tern_packet_reply(t, seg, &p);
        return;
    }
    struct rte_mbuf *m = tern_mbuf_control(t);
    const uint16_t neighbour = m != NULL ? tern_host_route(t, &key->remote) : 0;
    if (neighbour == 0) {
        tern_drop_mbuf(t, m, m == NULL ? TERN_DROP_NO_MBUF : TERN_DROP_NO_ROUTE);
        return;
    }
    tern_packet_build(t, m, &p);
    tern_host_output(t, neighbour, m, !tern_addr_is_v4(&key->remote));
    tern_host_unroute(t, neighbour);
}

/** Answer a SYN: from the store, or written anew. */
static inline void answer_syn(
    struct tern_tcp *t, struct tern_seg *seg, struct tern_seq iss, bool ecn)
{
    const struct tern_tcp_opts *peer = &seg->opts;
    if (unlikely(!tern_syn_ack_fits(t, seg))) {
        send_syn_ack(t, &seg->key, iss, seg->p.seq, peer, ecn, seg);
        return;
    }
    struct tern_syn_ack_fields f = {.iss = iss, .irs = seg->p.seq, .ecn = ecn};
    if (peer->has & t->syn_agrees & TERN_HAS_TS)
        f.ts_val = tern_ts_now(t, tern_ts_offset(t, &seg->key));
    tern_syn_ack_send(t, seg, &f);
}

/* ---- half-open records ---- */

/* V098 */
static struct tern_tcp_opts half_opts(const struct tern_half *h)
{
    struct tern_tcp_opts o = {.has = TERN_HAS_MSS, .mss = h->mss, .ts_val = h->ts_recent};
    if (h->wscale_sack_ts & TERN_HALF_WSCALE) {
        o.has |= TERN_HAS_WSCALE;
        o.wscale = h->wscale_sack_ts & 0xf;
    }
    if (h->wscale_sack_ts & TERN_HALF_SACK)
        o.has |= TERN_HAS_SACK_OK;
    if (h->wscale_sack_ts & TERN_HALF_TS)
        o.has |= TERN_HAS_TS;
    return o;
}

static void half_remember(const struct tern_tcp *t, struct tern_half *h, const struct tern_seg *seg)
{
    const struct tern_tcp_opts *o = &seg->opts;
    const uint16_t absent = seg->p.v6 ? TERN_MSS_DEFAULT6 : TERN_MSS_DEFAULT4; /* MUST-15 */
    h->irs = seg->p.seq;
    h->mss = o->has & TERN_HAS_MSS ? o->mss : absent;
    h->ts_recent = o->ts_val;
    h->wscale_sack_ts = o->wscale;
    if (o->has & TERN_HAS_WSCALE)
        h->wscale_sack_ts |= TERN_HALF_WSCALE;
    if (o->has & TERN_HAS_SACK_OK)
        h->wscale_sack_ts |= TERN_HALF_SACK;
    if ((o->has & TERN_HAS_TS) && t->cfg.timestamps)
        h->wscale_sack_ts |= TERN_HALF_TS;
    if (tern_ecn_accepts(t, seg->p.flags))
        h->wscale_sack_ts |= TERN_HALF_ECN;
}

static uint8_t half_tries(const struct tern_half *h)
{
    return h->tries_queue & 0xf;
}

static void half_arm(struct tern_tcp *t, struct tern_half *h)
{
    const uint8_t tries = half_tries(h);
    tern_host_half_timer(t, h, tries, t->now_tick + t->syn_ack_ticks[tries - 1]);
}

/* V099, V103 */
void tern_half_timer(struct tern_tcp *t, struct tern_half *h)
{
    if (half_tries(h) >= TERN_SYNACK_TRIES_MAX) { /* (4987-3) */
        t->stats.half_expired++;
        tern_host_half_free(t, h);
        return;
    }
    const struct tern_tcp_opts peer = half_opts(h);
    h->tries_queue++;
    t->stats.retransmits++;
    send_syn_ack(t, &h->key, h->iss, h->irs, &peer, h->wscale_sack_ts & TERN_HALF_ECN, NULL);
    half_arm(t, h);
}

void tern_half_init(struct tern_tcp *t)
{
    for (int i = 0; i < TERN_SYNACK_TRIES_MAX; i++) {
        const uint32_t ms = RTE_MIN(t->cfg.rto_initial_ms << i, t->cfg.rto_max_ms);
        t->syn_ack_ticks[i] = tern_ticks_from_ms(ms);
    }
}

/* ---- the ACK that completes ---- */

/** An ACK and nothing else: once the connection is made, it has said all it has to say. */
static bool is_bare_ack(const struct tern_seg *seg)
{
    return (seg->p.flags & ~TERN_TCP_PSH) == TERN_TCP_ACK && seg->p.len_bytes == 0;
}

/** RFC 7323 §4.1: our clock comes back. */
static void take_timestamp(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    c->ts_offset = tern_ts_offset(t, &seg->key);
    const uint32_t rtt_ms = tern_ts_now(t, c->ts_offset) - seg->opts.ts_ecr;
    if (rtt_ms < t->cfg.rto_initial_ms) /* later: the SYN-ACK was sent again */
        tern_conn_rtt_sample(c, rtt_ms * 1000);
}

/** What a handshake has come to. */
struct handshake {
    struct tern_seq irs, iss;
    struct tern_tcp_opts peer; /* what its SYN had offered */
    uint8_t tries;             /* SYN-ACKs it took, as far as is known */
    bool ecn;                  /* agreed on */
};

/** Has the connection nothing to it but what tern_tcp.opened holds and complete_plainly() adds? */
static inline bool is_plain(const struct tern_tcp *t, const struct handshake *h)
{
    return t->opens_plainly && h->tries == 1 && !h->ecn;
}

/** The connection is the application's. What the ACK that completed it says beside that comes next.
 * @return TCP_DONE, or NONE: the connection has taken the segment */
static inline enum tern_drop take_rest(
    struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg, bool bare)
{
    if (likely(bare))
        return TERN_DROP_TCP_DONE;
    tern_conn_touch(t, c);
    tern_conn_rx(t, c, seg); /* its payload and FIN */
    return TERN_DROP_NONE;
}

/**
 * complete() for the everyday handshake, with the same result. The connection is a copy of
 * t->opened and is only written to: a load that met those wide stores would wait for them.
 */
static inline enum tern_drop complete_plainly(struct tern_tcp *t, const struct tern_listen_ctx *l,
    struct tern_conn *c, uint16_t neighbour, struct tern_seg *seg, const struct handshake *h)
{
    const bool v6 = seg->p.v6;
    const uint16_t agreed_on = tern_options_agreed(t, &h->peer);
    const uint16_t mss = tern_mss_agreed(t, &h->peer, v6);
    const uint8_t wscale = agreed_on & TERN_CF_WSCALE ? h->peer.wscale : 0;
    const struct tern_seq rcv_nxt = tern_seq_add(h->irs, 1);
    const uint32_t wnd_bytes = (uint32_t)seg->p.wnd << wscale;
    c->app = l->app;
    c->user = l->user;
    c->last_rx_ms = t->now_ms;
    c->flags = t->opened.flags | agreed_on | (v6 ? TERN_CF_V6 : 0);
    c->slow = t->opened.slow | (wnd_bytes == 0 ? TERN_SLOW_WINDOW : 0);
    c->mss_bytes = mss;
    c->wscale = wscale;
    c->snd.una = c->snd.nxt = tern_seq_add(h->iss, 1);
    c->snd.wnd_bytes = wnd_bytes;
    c->rcv.nxt = c->last_ack_sent = rcv_nxt;
    c->rcv.adv = tern_seq_add(rcv_nxt, tern_syn_window(t));
    c->wl1 = seg->p.seq;
    c->rtx_at = t->now_tick;
    const bool ts = agreed_on & TERN_CF_TS;
    c->cwnd_bytes = tern_cc_initial(t, mss - (ts ? TERN_TS_OPT_BYTES : 0u));
    const bool bare = is_bare_ack(seg);
    if (bare && seg->p.seq.v == rcv_nxt.v)
        c->ts_recent = seg->opts.ts_val;
    else if (ts)
        c->ts_recent = h->peer.ts_val;
    if (ts)
        take_timestamp(t, c, seg);
    tern_host_learn(t, neighbour, seg);
    t->stats.open_now++;
    t->stats.passive_established++;
    const struct tern_app *app = &t->apps[l->app];
    if (app->on_open != NULL)
        app->on_open(tern_shard_of(t), c);
    return take_rest(t, c, seg, bare);
}

/** V070, V107:
 * Fill in a connection from what the handshake agreed on, and tell the application. @return as
 * take_rest() */
static TERN_ASIDE enum tern_drop complete(struct tern_tcp *t, const struct tern_listen_ctx *l,
    struct tern_conn *c, struct tern_seg *seg, const struct handshake *h)
{
    tern_conn_init(t, c, l->app, l->user);
    tern_conn_negotiate(t, c, &h->peer);
    tern_conn_set_state(c, TERN_SYN_RCVD);
    c->snd.una = c->snd.nxt = tern_seq_add(h->iss, 1);
    c->rcv.nxt = c->last_ack_sent = tern_seq_add(h->irs, 1);
    c->rcv.adv = tern_seq_add(c->rcv.nxt, tern_syn_window(t));
    c->snd.wnd_bytes = (uint32_t)seg->p.wnd << tern_conn_snd_wscale(c);
    c->wl1 = seg->p.seq;
    c->rtx_at = t->now_tick; /* no pause yet */
    if (c->snd.wnd_bytes == 0)
        c->slow |= TERN_SLOW_WINDOW;
    if (c->flags & TERN_CF_TS)
        take_timestamp(t, c, seg);
    c->backoff = (uint8_t)(h->tries > 1 ? h->tries - 1 : 0);
    tern_host_learn(t, c->neighbour, seg);
    if (h->ecn)
        tern_ecn_agreed(t, c);
    const bool bare = is_bare_ack(seg);
    if (bare && seg->p.seq.v == c->last_ack_sent.v)
        c->ts_recent = seg->opts.ts_val; /* not looked at without timestamps */
    tern_conn_established(t, c);
    return take_rest(t, c, seg, bare);
}

/** A cookie may be on its way back: one was sent lately. */
static bool expects_cookies(const struct tern_tcp *t)
{
    return t->now_ns < t->cookies_until_ns;
}

/** @param peer  what the SYN had offered, as far as the cookie and this segment tell */
static bool read_cookie(
    const struct tern_tcp *t, const struct tern_seg *seg, struct tern_tcp_opts *peer)
{
    *peer = (struct tern_tcp_opts){
        .has = seg->opts.has & TERN_HAS_TS,
        .ts_val = seg->opts.ts_val,
    };
    const struct tern_seq irs = {seg->p.seq.v - 1}, iss = {seg->p.ack.v - 1};
    return expects_cookies(t) && !(seg->p.flags & TERN_TCP_SYN)
           && tern_cookie_check(t, &seg->key, irs, iss, peer);
}

static bool returns_cookie(const struct tern_tcp *t, const struct tern_seg *seg)
{
    struct tern_tcp_opts peer;
    return read_cookie(t, seg, &peer);
}

/* V096 */
static enum tern_drop try_cookie(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_seg *seg)
{
    struct handshake h = {
        .irs = {seg->p.seq.v - 1},
        .iss = {seg->p.ack.v - 1},
        .tries = 1,
    };
    if (!read_cookie(t, seg, &h.peer)) {
        /* Perhaps the second segment of a client whose ACK and first segment were lost: a RST would
         * kill what its retransmission completes. An empty ACK has no such excuse. */
        if (expects_cookies(t) && seg->p.len_bytes > 0)
            return TERN_DROP_TCP_COOKIE_EARLY;
        if (!tern_rate_take(&t->rst_rate, t->now_ns))
            return TERN_DROP_TCP_RST_RATE;
        tern_packet_reset(t, seg); /* (4987-4) */
        return TERN_DROP_TCP_LISTEN_ACK;
    }
    const uint16_t neighbour = tern_host_route_back(t, &seg->key.remote);
    const bool plain = is_plain(t, &h);
    struct tern_conn *c =
        tern_host_conn_new(t, plain ? &t->opened : &t->blank, &seg->key, seg->hash, neighbour);
    if (c == NULL)
        return TERN_DROP_TCP_TABLE_FULL;
    t->stats.syn_cookies_accepted++;
    return plain ? complete_plainly(t, l, c, neighbour, seg, &h)
                 : complete(t, l, c, seg, &h); /* (4987-2) */
}

/* ---- LISTEN ---- */

/* V095 */
bool tern_syn_gets_cookie(const struct tern_tcp *t)
{
    if (t->cfg.syn_cookies == TERN_SYN_COOKIES_AUTO)
        return tern_host_halves_full(t); /* so a full cache refuses nobody (4987-1) */
    return t->cfg.syn_cookies == TERN_SYN_COOKIES_ALWAYS;
}

/** The ISN of an answer that is all we remember. ECN finds no room in it, and is not agreed on. */
static inline struct tern_seq make_cookie(struct tern_tcp *t, const struct tern_seg *seg)
{
    t->stats.syn_cookies_sent++;
    t->cookies_until_ns = t->now_ns + ((uint64_t)TERN_COOKIE_PERIODS << TERN_COOKIE_PERIOD_SHIFT);
    return tern_cookie_make(seg->secret, seg->p.v6, &seg->opts);
}

/** @return a half-open record with its ISN and timer, or NULL: no room */
static inline struct tern_half *make_half(
    struct tern_tcp *t, const struct tern_listen_ctx *l, const struct tern_seg *seg)
{
    struct tern_half *h = tern_host_half_new(t, &seg->key, seg->hash);
    if (h == NULL)
        return NULL;
    t->stats.half_opened++;
    half_remember(t, h, seg);
    h->iss = tern_isn_from(t, seg->secret);
    if (unlikely(l->reopens))
        h->iss = tern_isn_beyond(t, h->iss, l->old_nxt);
    h->tries_queue = 1;
    half_arm(t, h);
    return h;
}

/* V105, V106 */
static inline enum tern_drop take_syn(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_seg *seg)
{
    t->stats.syn_rcvd++;
    const bool cookie = tern_syn_gets_cookie(t);
    if (!cookie && tern_tfo_take_syn(t, l, seg))
        return TERN_DROP_NONE;
    if (unlikely(seg->secret_is_cookies != cookie)) /* the cache filled up within the burst */
        tern_syn_prepare(t, &seg, 1, cookie);
    struct tern_seq iss;
    bool ecn = false;
    if (cookie) {
        iss = make_cookie(t, seg);
    } else {
        if (tern_host_halves_full(t))
            return TERN_DROP_TCP_REFUSED;
        const struct tern_half *h = make_half(t, l, seg);
        if (h == NULL)
            return TERN_DROP_TCP_TABLE_FULL;
        iss = h->iss;
        ecn = h->wscale_sack_ts & TERN_HALF_ECN;
    }
    answer_syn(t, seg, iss, ecn);
    return TERN_DROP_TCP_DONE;
}

/* V061, V063, V104 */
enum tern_drop tern_listen_rx(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_seg *seg)
{
    const uint8_t flags = seg->p.flags;
    if (flags & TERN_TCP_RST) /* first */
        return TERN_DROP_TCP_LISTEN_RST;
    tern_pkt_tcp_opts(seg->frame, &seg->p, &seg->opts);
    if (flags & TERN_TCP_ACK) /* second */
        return try_cookie(t, l, seg);
    if (flags & TERN_TCP_SYN) /* third */
        return take_syn(t, l, seg);
    return TERN_DROP_TCP_FLAGS; /* fourth */
}

/* ---- SYN-RECEIVED of a passive open: RFC 9293 §3.10.7.4 with RFC 5961 ---- */

/** An ACK from a half-open connection, back where the segment came from; bounded by the RST rate.
 */
static enum tern_drop half_answer(
    struct tern_tcp *t, const struct tern_half *h, struct tern_seg *seg, enum tern_drop why)
{
    if (!tern_rate_take(&t->rst_rate, t->now_ns))
        return TERN_DROP_TCP_CHALLENGE_RATE;
    uint8_t opt[TERN_TS_OPT_BYTES];
    const uint8_t shift = h->wscale_sack_ts & TERN_HALF_WSCALE ? t->rcv_wscale : 0;
    struct tern_packet p = {
        .key = &h->key,
        .seq = tern_seq_add(h->iss, 1),
        .ack = tern_seq_add(h->irs, 1),
        .flags = TERN_TCP_ACK,
        .wnd = (uint16_t)(tern_syn_window(t) >> shift), /* as complete() */
        .ttl = t->cfg.ttl,
        .tos = (uint8_t)(t->cfg.dscp << 2),
        .opt = opt,
    };
    if (h->wscale_sack_ts & TERN_HALF_TS)
        p.opt_bytes =
            tern_packet_ts_opt(opt, tern_ts_now(t, tern_ts_offset(t, &h->key)), h->ts_recent);
    t->stats.challenge_acks++;
    tern_packet_reply(t, seg, &p);
    return why;
}

static enum tern_drop half_rst(struct tern_tcp *t, struct tern_half *h, struct tern_seg *seg)
{
    const struct tern_seq rcv_nxt = tern_seq_add(h->irs, 1);
    if (seg->p.seq.v == rcv_nxt.v) { /* (5961-2) */
        t->stats.half_reset++;
        tern_host_half_free(t, h); /* back to LISTEN, as if it had never been (MUST-11) */
        return TERN_DROP_TCP_DONE;
    }
    if (tern_seq_span(rcv_nxt, seg->p.seq) < tern_syn_window(t))
        return half_answer(t, h, seg, TERN_DROP_TCP_CHALLENGE); /* (5961-3) */
    return TERN_DROP_TCP_RST_WINDOW;                            /* (5961-1) */
}

static enum tern_drop half_syn(struct tern_tcp *t, struct tern_half *h, struct tern_seg *seg)
{
    if (seg->p.seq.v != h->irs.v || (seg->p.flags & TERN_TCP_ACK))
        return half_answer(t, h, seg, TERN_DROP_TCP_CHALLENGE); /* (5961-4) */
    if (half_tries(h) >= TERN_SYNACK_TRIES_MAX)
        return TERN_DROP_TCP_DUPLICATE;
    /* The peer sends its SYN again: our SYN-ACK was lost, or is late. */
    const struct tern_tcp_opts peer = half_opts(h);
    h->tries_queue++;
    t->stats.retransmits++;
    send_syn_ack(t, &h->key, h->iss, h->irs, &peer, h->wscale_sack_ts & TERN_HALF_ECN, seg);
    return TERN_DROP_TCP_DUPLICATE;
}

/** V058: RFC 9293 §3.10.7.4, table 6: starts in the window, or reaches into it. */
static bool half_accepts(
    const struct tern_tcp *t, const struct tern_half *h, const struct tern_seg *seg)
{
    const uint32_t wnd = tern_syn_window(t);
    const uint32_t at = tern_seq_span(tern_seq_add(h->irs, 1), seg->p.seq);
    const uint32_t span = seg->p.len_bytes + ((seg->p.flags & TERN_TCP_FIN) != 0);
    if (at >= wnd && (span == 0 || at + span - 1 >= wnd))
        return false;
    const bool ts = h->wscale_sack_ts & TERN_HALF_TS;
    return !ts || (int32_t)(seg->opts.ts_val - h->ts_recent) >= 0;
}

static bool half_lacks_timestamp(const struct tern_half *h, const struct tern_seg *seg)
{
    return (h->wscale_sack_ts & TERN_HALF_TS) && !(seg->opts.has & TERN_HAS_TS);
}

enum tern_drop tern_half_rx(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_half *h, struct tern_seg *seg)
{
    if (l == NULL) { /* its listener was closed (RFC 9293 §3.10.4) */
        t->stats.half_refused++;
        tern_host_half_free(t, h);
        return tern_closed_rx(t, seg);
    }
    const uint8_t flags = seg->p.flags;
    tern_pkt_tcp_opts(seg->frame, &seg->p, &seg->opts);
    if (flags & TERN_TCP_RST)
        return half_rst(t, h, seg);
    if (flags & TERN_TCP_SYN)
        return half_syn(t, h, seg);
    if (!(flags & TERN_TCP_ACK))
        return TERN_DROP_TCP_NO_ACK;
    if (half_lacks_timestamp(h, seg))
        return TERN_DROP_TCP_TS_MISSING; /* RFC 7323 §3.2 */
    if (!half_accepts(t, h, seg))
        return half_answer(t, h, seg, TERN_DROP_TCP_OUT_OF_WINDOW);
    if (seg->p.ack.v != tern_seq_add(h->iss, 1).v) {
        if (returns_cookie(t, seg)) { /* sent before there was room for this record */
            t->stats.half_refused++;
            tern_host_half_free(t, h);
            return try_cookie(t, l, seg);
        }
        tern_packet_reset(t, seg);
        return TERN_DROP_TCP_HALF_ACK;
    }
    const struct handshake done = {
        .irs = h->irs,
        .iss = h->iss,
        .peer = half_opts(h),
        .tries = half_tries(h),
        .ecn = h->wscale_sack_ts & TERN_HALF_ECN,
    };
    const bool plain = is_plain(t, &done);
    const uint16_t neighbour = tern_host_route_back(t, &seg->key.remote);
    struct tern_conn *c =
        tern_host_conn_from_half(t, plain ? &t->opened : &t->blank, h, seg, neighbour);
    if (c == NULL)
        return TERN_DROP_TCP_TABLE_FULL; /* the record stays: a later ACK may find room */
    return plain ? complete_plainly(t, l, c, neighbour, seg, &done) : complete(t, l, c, seg, &done);
}
