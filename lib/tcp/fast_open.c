/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * TCP Fast Open (RFC 7413): a request travels in the SYN, its answer need not wait for the ACK.
 *
 *   client                               server
 *   SYN, asks for a cookie ───────────▶  SYN-ACK with the cookie: a hash of the client's address
 *   … the next time
 *   SYN, cookie, data ────────────────▶  connection in SYN-RECEIVED, data delivered at once;
 *                      ◀───────────────  SYN-ACK acknowledges it, the answer follows
 *   ACK ──────────────────────────────▶  confirmed
 *
 * Server. An early connection (tern_conn_is_early()) is an ordinary struct tern_conn without
 * CF_OPENED. Its SND.UNA stands behind our SYN from the start, so that queue, windows and
 * scoreboard count payload alone; that the SYN is outstanding is the flag's absence. rtx_at sends
 * the SYN-ACK again, never the data: a client that did not hear the one has no use for the other,
 * and both go again when its ACK shows that. What may be sent meanwhile is the initial window, to
 * an address that has proved itself by the cookie. At most tfo_pending_max wait at a time; one that
 * was reset keeps its place for a while, or whoever spoofs addresses that answer with RST would
 * have no limit (§5.1). A SYN that is not accepted so is a SYN like any other. Nothing is accepted
 * early under SYN cookies.
 *
 * Client. Early data is queued before the SYN is sent; what the SYN carries counts as sent, and
 * what the SYN-ACK does not acknowledge is unsent again. A SYN that has to be repeated carries
 * neither data nor option (§4.1.3.1), but an answer to the first may still come. Cookies are kept
 * by server address in a table of fixed size; so are failures: who does not answer in time, or with
 * neither cookie nor acknowledgement, is left alone for a minute, then two, up to an hour.
 *
 * Rejected: a bit in struct tern_half to repeat the cookie in a repeated SYN-ACK (the client will
 * ask again); the experimental option 254 (RFC 6994).
 */
#include "cc.h"
#include "host.h"
#include "mbuf.h"
#include "packet.h"
#include "pmtu.h"
#include "rcvbuf.h"
#include "sendq.h"
#include "state.h"

enum {
    COOKIE_BYTES = 8,   /* of ours; a server's may have any legal length */
    RESET_SHIFT = 36,   /* a reset connection counts for one to two times 2^36 ns = 69 s */
    WAYS = 4,           /* entries an address may be in */
    RETRY_MS = 60000,   /* after the first failure; doubled with each … */
    RETRY_DOUBLINGS = 6 /* … up to 64 minutes */
};

/* ---- cookies ---- */

/** RFC 7413 §4.1.2: bound to the client's address, and known to this endpoint alone. */
static void make_cookie(
    const struct tern_tcp *t, const union tern_addr *client, uint8_t out[COOKIE_BYTES])
{
    const uint64_t words[] = {client->q[0], client->q[1]};
    const uint64_t mac = tern_siphash24(t->keys.tfo, words, 2);
    memcpy(out, &mac, COOKIE_BYTES);
}

static const uint8_t *cookie_of(const struct tern_seg *seg)
{
    return seg->frame + seg->p.l4_off + TERN_TCP_BYTES + seg->opts.tfo_at;
}

static bool is_ours(const struct tern_tcp *t, const struct tern_seg *seg)
{
    uint8_t expected[COOKIE_BYTES];
    make_cookie(t, &seg->key.remote, expected);
    if (seg->opts.tfo_n_bytes != COOKIE_BYTES)
        return false;
    uint8_t differ = 0; /* in a time that does not tell where */
    for (int i = 0; i < COOKIE_BYTES; i++)
        differ |= (uint8_t)(expected[i] ^ cookie_of(seg)[i]);
    return differ == 0;
}

uint32_t tern_tfo_offer(struct tern_tcp *t, const struct tern_flow_key *key,
    const struct tern_tcp_opts *peer, uint8_t *opt, uint32_t opt_bytes)
{
    uint8_t cookie[COOKIE_BYTES];
    if (likely(!(peer->has & TERN_HAS_TFO)) || !t->cfg.tfo_accept)
        return opt_bytes;
    make_cookie(t, &key->remote, cookie);
    t->stats.tfo_cookies_sent++;
    return tern_tcp_opts_add_tfo(opt, opt_bytes, cookie, COOKIE_BYTES);
}

/* ---- how many wait ---- */

static void turn_period(struct tern_tcp *t)
{
    struct tern_tfo *f = &t->tfo;
    const uint32_t period = (uint32_t)(t->now_ns >> RESET_SHIFT);
    if (period == f->reset_period)
        return;
    f->n_reset[1] = period - f->reset_period == 1 ? f->n_reset[0] : 0;
    f->n_reset[0] = 0;
    f->reset_period = period;
}

/** RFC 7413 §5.1: PendingFastOpenRequests. */
static bool has_room(struct tern_tcp *t)
{
    const struct tern_tfo *f = &t->tfo;
    turn_period(t);
    return (uint64_t)f->n_pending + f->n_reset[0] + f->n_reset[1] < t->cfg.tfo_pending_max;
}

void tern_tfo_unconfirmed(struct tern_tcp *t, const struct tern_conn *c)
{
    t->tfo.n_pending--;
    turn_period(t);
    if (c->misc == TERN_CLOSE_RESET)
        t->tfo.n_reset[0]++;
}

/* ---- server: the SYN ---- */

/** A connection in SYN-RECEIVED, as the SYN makes it. */
static void init_early(struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_conn *c,
    const struct tern_seg *seg)
{
    const struct tern_seq iss = l->reopens ? tern_isn_beyond(t, tern_isn(t, &seg->key), l->old_nxt)
                                           : tern_isn(t, &seg->key);
    tern_conn_init(t, c, l->app, l->user);
    tern_conn_negotiate(t, c, &seg->opts);
    c->ts_offset = tern_ts_offset(t, &seg->key);
    tern_conn_set_state(c, TERN_SYN_RCVD);
    c->snd.una = c->snd.nxt = tern_seq_add(iss, 1);
    c->rcv.nxt = c->last_ack_sent = tern_seq_add(seg->p.seq, 1);
    c->rcv.adv = tern_seq_add(c->rcv.nxt, tern_syn_window(t));
    c->snd.wnd_bytes = seg->p.wnd; /* never scaled in a SYN (RFC 7323 §2.2) */
    c->wl1 = seg->p.seq;
    if (c->snd.wnd_bytes == 0)
        c->slow |= TERN_SLOW_WINDOW;
    if (tern_ecn_accepts(t, seg->p.flags))
        tern_ecn_agreed(t, c);
    tern_pmtu_open(t, c);
    tern_cc_open(t, c);
}

/** on_open(), then the payload of the SYN. */
static void tell_application(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_open != NULL)
        app->on_open(tern_shard_of(t), c);
    const uint32_t len = RTE_MIN(seg->p.len_bytes, tern_seq_span(c->rcv.nxt, c->rcv.adv));
    if (len == 0 || c->state == TERN_CLOSED)
        return;
    if (c->slow & TERN_SLOW_DEAF) {
        tern_conn_abort(t, c, TERN_CLOSE_ABORTED); /* SHLD-3 */
        return;
    }
    struct rte_mbuf *m = tern_mbuf_cut(seg->m, seg->p.payload_off, len);
    seg->m = NULL;
    tern_conn_deliver(t, c, m, len);
}

static void accept_early(
    struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_conn *c, struct tern_seg *seg)
{
    t->stats.tfo_accepted++;
    t->stats.passive_established++;
    t->stats.open_now++;
    t->tfo.n_pending++;
    init_early(t, l, c, seg);
    tell_application(t, c, seg);
    tern_conn_touch(t, c);
    const bool had_payload = seg->m == NULL;
    tern_seg_done(t, seg, had_payload ? TERN_DROP_NONE : TERN_DROP_TCP_DONE);
    if (c->state == TERN_CLOSED)
        return;
    tern_conn_send_syn(t, c); /* before whatever the application wants sent */
    tern_conn_arm_rtx(t, c);
}

bool tern_tfo_take_syn(struct tern_tcp *t, const struct tern_listen_ctx *l, struct tern_seg *seg)
{
    struct tern_tcp_opts *o = &seg->opts;
    if (likely(!(o->has & TERN_HAS_TFO)) || !t->cfg.tfo_accept || o->tfo_n_bytes == 0)
        return false;
    if (!is_ours(t, seg)) {
        t->stats.tfo_cookies_bad++;
        return false; /* RFC 7413 §4.2.2: the answer carries the right one */
    }
    o->has &= (uint8_t)~TERN_HAS_TFO; /* it has one */
    if (!has_room(t)) {
        t->stats.tfo_overflow++;
        return false;
    }
    struct tern_conn *c = tern_host_conn_new(
        t, &t->blank, &seg->key, seg->hash, tern_host_route_back(t, &seg->key.remote));
    if (c == NULL)
        return false;
    accept_early(t, l, c, seg);
    return true;
}

/* ---- server: its ACK ---- */

/** The SYN-ACK had to be sent again: what left beside the first one is lost, too. */
static void catch_up(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->state != TERN_CLOSED && c->snd.una.v != c->snd.nxt.v)
        tern_conn_resend(t, c);
}

enum tern_drop tern_tfo_confirmed(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (tern_seq_before(seg->p.ack, c->snd.una) || tern_seq_before(c->snd.nxt, seg->p.ack)) {
        tern_packet_reset(t, seg); /* RFC 9293 §3.10.7.4, fifth, SYN-RECEIVED */
        return TERN_DROP_TCP_HALF_ACK;
    }
    const uint32_t again = c->backoff & 0xf;
    const bool acks_syn_alone = seg->p.ack.v == c->snd.una.v;
    if (again == 0) /* Karn; last_rx_ms held when the SYN came */
        tern_conn_rtt_sample(c, (t->now_ms - c->last_rx_ms) * 1000);
    if (again > 1) /* RFC 6928 §2 (6928-2) */
        tern_cc_open(t, c);
    if (seg->sets_echo)
        c->ts_recent = seg->opts.ts_val;
    t->tfo.n_pending--;
    tern_host_learn(t, c->neighbour, seg);
    tern_conn_cancel_rtx(t, c);
    tern_conn_syn_acked(t, c);
    if (c->snd.una.v != c->snd.nxt.v)
        tern_conn_arm_rtx(t, c);
    tern_conn_ack(t, c, seg);
    if (again > 0 && acks_syn_alone)
        catch_up(t, c);
    tern_consume(tern_shard_of(t), c, 0); /* tell of the room it made meanwhile, if that is much */
    tern_conn_touch(t, c);
    return TERN_DROP_NONE;
}

/* ---- client: the servers we know ---- */

static uint32_t n_sets(const struct tern_stack_config *cfg)
{
    return cfg->tfo_peers_max / WAYS;
}

uint64_t tern_tfo_peers_bytes(const struct tern_stack_config *cfg)
{
    return cfg->tfo_connect ? (uint64_t)n_sets(cfg) * WAYS * sizeof(struct tern_tfo_peer) : 0;
}

/** The set that may hold these addresses; [WAYS]. */
static struct tern_tfo_peer *set_of(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    const uint64_t words[] = {key->remote.q[0], key->remote.q[1], key->local.q[0], key->local.q[1]};
    const uint64_t hash = tern_siphash13(t->keys.tfo_peers, words, 4);
    return &t->tfo.peers[hash % n_sets(&t->cfg) * WAYS];
}

static struct tern_tfo_peer *find_in(struct tern_tfo_peer *set, const struct tern_flow_key *key)
{
    for (int i = 0; i < WAYS; i++)
        if (tern_addr_equal(&set[i].addr, &key->remote)
            && tern_addr_equal(&set[i].ours, &key->local))
            return &set[i];
    return NULL;
}

/** The entry of a server, made where there is none: in a free place, or another's, by turns. */
static struct tern_tfo_peer *need_peer(struct tern_tcp *t, const struct tern_flow_key *key)
{
    static const struct tern_flow_key nobody;
    struct tern_tfo_peer *set = set_of(t, key);
    struct tern_tfo_peer *p = find_in(set, key);
    if (p != NULL)
        return p;
    p = find_in(set, &nobody);
    if (p == NULL)
        p = &set[t->tfo.next_victim++ % WAYS];
    *p = (struct tern_tfo_peer){.addr = key->remote, .ours = key->local};
    return p;
}

static void keep_cookie(struct tern_tfo_peer *p, const struct tern_seg *seg)
{
    p->n_cookie = seg->opts.tfo_n_bytes;
    memcpy(p->cookie, cookie_of(seg), p->n_cookie);
}

/** It led to nothing: leave the server alone for a while (RFC 7413 §4.1.3.1). */
static void note_failure(const struct tern_tcp *t, struct tern_tfo_peer *p)
{
    const uint64_t wait_ms = (uint64_t)RETRY_MS << RTE_MIN(p->fails, RETRY_DOUBLINGS);
    p->retry_ns = t->now_ns + wait_ms * TERN_NS_PER_MS;
    if (p->fails < UINT8_MAX)
        p->fails++;
}

/* ---- client: our SYN ---- */

/** Payload that fits in a SYN to this server (RFC 7413 §4.2.1): by the MSS it stated last. */
static uint32_t syn_payload_max(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_tfo_peer *p, uint32_t opt_bytes)
{
    const uint32_t own = tern_tcp_own_mss(t, c->flags & TERN_CF_V6);
    const uint32_t theirs =
        p->mss != 0 ? RTE_MAX((uint32_t)p->mss, (uint32_t)TERN_MSS_MIN) : c->mss_bytes;
    const uint32_t mss = RTE_MIN(own, theirs);
    return mss > opt_bytes ? mss - opt_bytes : 0;
}

/** What is queued goes with the SYN, as much as fits. */
static void add_payload(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t room, struct rte_mbuf **m)
{
    uint32_t len = RTE_MIN(q->unsent_bytes, room);
    struct rte_mbuf *with_data = len > 0 ? tern_sendq_payload(t, q, 0, &len) : NULL;
    if (with_data == NULL)
        return; /* the cookie alone */
    rte_pktmbuf_free(*m);
    *m = with_data;
    tern_sendq_advance(q, len);
    c->snd.nxt = tern_seq_add(c->snd.nxt, len);
}

uint32_t tern_tfo_ask(
    struct tern_tcp *t, struct tern_conn *c, uint8_t *opt, uint32_t opt_bytes, struct rte_mbuf **m)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    if (likely(q == NULL) || !t->cfg.tfo_connect)
        return opt_bytes;
    const struct tern_flow_key key = tern_conn_key(t, c);
    const uint32_t again = c->backoff & 0xf;
    if (again == 1 && (q->flags & TERN_TXQ_TFO))
        note_failure(t, need_peer(t, &key));
    if (again != 0)
        return opt_bytes; /* neither data nor option: something on the path may drop them */
    const struct tern_tfo_peer *p = find_in(set_of(t, &key), &key);
    if (p != NULL && p->fails > 0 && t->now_ns < p->retry_ns)
        return opt_bytes;
    q->flags |= TERN_TXQ_TFO;
    if (p == NULL || p->n_cookie == 0)
        return tern_tcp_opts_add_tfo(opt, opt_bytes, NULL, 0);
    const uint32_t n = tern_tcp_opts_add_tfo(opt, opt_bytes, p->cookie, p->n_cookie);
    add_payload(t, c, q, syn_payload_max(t, c, p, n), m);
    return n;
}

/* ---- client: the answer ---- */

/** @param noted  that nothing came of it, when our SYN had to be sent again */
static void learn(struct tern_tcp *t, const struct tern_seg *seg, bool took_data, bool noted)
{
    struct tern_tfo_peer *p = need_peer(t, &seg->key);
    const bool brings = (seg->opts.has & TERN_HAS_TFO) && seg->opts.tfo_n_bytes > 0;
    if (seg->opts.has & TERN_HAS_MSS)
        p->mss = seg->opts.mss;
    if (brings)
        keep_cookie(p, seg);
    if (brings || took_data)
        p->fails = 0;
    else if (!noted)
        note_failure(t, p);
}

void tern_tfo_answered(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    if (likely(q == NULL) || !(q->flags & TERN_TXQ_TFO))
        return;
    q->flags &= (uint16_t)~TERN_TXQ_TFO;
    const uint32_t sent = q->n_bytes - q->unsent_bytes;
    const uint32_t acked = tern_seq_span(c->snd.una, seg->p.ack) - 1; /* behind our SYN */
    learn(t, seg, acked > 0, c->backoff != 0);
    t->stats.tfo_data_acked += acked > 0;
    t->stats.tfo_data_again += acked < sent;
    t->stats.tx_payload_bytes += acked;
    tern_sendq_ack(t, q, acked);
    tern_sendq_rewind(q);
    if (q->n_bytes == 0) {
        tern_host_txq_free(t, c->txq);
        c->txq = 0;
    }
}

void tern_tfo_crossed(const struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL)
        return;
    q->flags &= (uint16_t)~TERN_TXQ_TFO;
    tern_sendq_rewind(q);
    c->snd.nxt = tern_seq_add(c->snd.una, 1);
}
