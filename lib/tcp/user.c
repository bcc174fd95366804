/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/conn.h>

/* The user calls of RFC 9293 §3.10 on an open connection: SEND, RECEIVE's window, CLOSE, ABORT.
 * STATUS is status.c. */
#include "cc.h"
#include "flight.h"
#include "host.h"
#include "mbuf.h"
#include "rcvbuf.h"
#include "sendq.h"
#include "sent.h"
#include "state.h"
#include "wire/hint.h"

#include <errno.h>

/* ---- receiving ---- */

void tern_consume(struct tern_shard *sh, struct tern_conn *c, uint32_t n_bytes)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    c->unread_bytes -= RTE_MIN(n_bytes, c->unread_bytes);
    if (!tern_state_can_receive((enum tern_state)c->state))
        return;
    /* Tell the peer when the window opens by a step worth telling (MUST-39) and had become small.
     */
    const uint32_t promised = tern_seq_span(c->rcv.nxt, c->rcv.adv);
    if (promised >= tern_conn_window_max(t, c) / 2)
        return;
    if (tern_conn_window(t, c) > promised + (1u << tern_conn_rcv_wscale(t, c))) {
        c->flags |= TERN_CF_ACK_NOW;
        tern_conn_touch(t, c);
    }
}

/* ---- sending ---- */

static bool may_queue(const struct tern_conn *c)
{
    return tern_state_can_send((enum tern_state)c->state) && !(c->flags & TERN_CF_FIN_QUEUED);
}

uint32_t tern_sendable_bytes(const struct tern_shard *sh, const struct tern_conn *c)
{
    const struct tern_tcp *t = tern_tcp_of_const(sh);
    if (!may_queue(c))
        return 0;
    const uint32_t queued = tern_conn_queued(t, c).n_bytes;
    return queued < t->cfg.snd_buf_bytes ? t->cfg.snd_buf_bytes - queued : 0;
}

/** What is sent goes there; NULL: no memory for it. */
static struct tern_txq *queue_of(struct tern_tcp *t, struct tern_conn *c)
{
    if (!tern_conn_unfold(t, c))
        return NULL;
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL)
        return q;
    c->txq = tern_host_txq_new(t);
    if (c->txq == 0)
        return NULL;
    q = &t->txqs[c->txq];
    tern_sendq_init(t, c, q);
    return q;
}

/** A single buffer that is all of a flight. */
static bool starts_flight(
    const struct tern_tcp *t, const struct tern_conn *c, const struct rte_mbuf *m)
{
    return m->next == NULL && tern_flight_may_start(t, c, m->data_len);
}

uint32_t tern_send_mbufs(
    struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf **pkts, uint32_t n)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    uint32_t done = 0;
    if (n > 0 && starts_flight(t, c, pkts[0]) && tern_flight_start_mbuf(t, c, pkts[0], false))
        done = 1;
    while (done < n && tern_sendable_bytes(sh, c) > 0) {
        struct tern_txq *q = queue_of(t, c);
        if (q == NULL)
            break;
        tern_sendq_push(q, pkts[done], rte_pktmbuf_pkt_len(pkts[done]));
        done++;
    }
    if (done < n)
        c->flags |= TERN_CF_WANT_SENDABLE;
    tern_conn_touch(t, c);
    return done;
}

/** A buffer of copied bytes at the end of the queue. @return bytes taken, 0: no mbuf */
static uint32_t push_copy(struct tern_tcp *t, struct tern_txq *q, const uint8_t *bytes, uint32_t n)
{
    struct rte_mbuf *m = tern_mbuf_data(t);
    if (m == NULL)
        return 0;
    const uint32_t len = RTE_MIN(n, (uint32_t)rte_pktmbuf_tailroom(m));
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes, len);
    tern_sendq_push(q, m, len);
    q->flags |= TERN_TXQ_TAIL_OURS;
    return len;
}

/** Copied bytes in a buffer of their own are a flight. @return bytes taken: all, or 0 */
static size_t start_with_copy(
    struct tern_tcp *t, struct tern_conn *c, const uint8_t *bytes, size_t n_bytes)
{
    if (!tern_flight_may_start(t, c, n_bytes))
        return 0;
    struct rte_mbuf *m = tern_mbuf_data(t);
    if (m == NULL)
        return 0;
    char *to = n_bytes <= rte_pktmbuf_tailroom(m) ? rte_pktmbuf_append(m, (uint16_t)n_bytes) : NULL;
    if (to != NULL && tern_flight_start_mbuf(t, c, m, true)) {
        memcpy(to, bytes, n_bytes);
        return n_bytes;
    }
    rte_pktmbuf_free(m);
    return 0;
}

size_t tern_send_bytes(
    struct tern_shard *sh, struct tern_conn *c, const void *bytes, size_t n_bytes)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    const uint8_t *from = bytes;
    size_t done = start_with_copy(t, c, from, n_bytes);
    uint32_t room;
    while (done < n_bytes && (room = tern_sendable_bytes(sh, c)) > 0) {
        struct tern_txq *q = queue_of(t, c);
        if (q == NULL)
            break;
        const uint32_t want = (uint32_t)RTE_MIN(n_bytes - done, (size_t)room);
        uint32_t took = tern_sendq_fill_tail(q, from + done, want);
        if (took == 0)
            took = push_copy(t, q, from + done, want);
        if (took == 0)
            break;
        done += took;
    }
    if (done < n_bytes)
        c->flags |= TERN_CF_WANT_SENDABLE;
    tern_conn_touch(t, c);
    return done;
}

size_t tern_send_urgent(
    struct tern_shard *sh, struct tern_conn *c, const void *bytes, size_t n_bytes)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    struct tern_rare *r = tern_conn_rare_need(t, c);
    const size_t done =
        r != NULL ? tern_send_bytes(sh, c, bytes, n_bytes) : 0; /* MUST-30, MUST-31 */
    if (done > 0) {
        r->snd_is_urgent = true; /* … and ends just behind it (MUST-62) */
        r->snd_up = tern_seq_add(c->snd.una, tern_conn_queued(t, c).n_bytes);
        if (tern_conn_is_opening(c))
            r->snd_up = tern_seq_add(r->snd_up, 1); /* behind our SYN */
    }
    return done;
}

/** As tern_send_static(), in any number of pieces. */
static TERN_ASIDE size_t queue_static(
    struct tern_shard *sh, struct tern_conn *c, struct tern_static *s, size_t off, size_t n_bytes)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    size_t done = 0;
    uint32_t room;
    while (done < n_bytes && (room = tern_sendable_bytes(sh, c)) > 0) {
        struct tern_txq *q = queue_of(t, c);
        const uint32_t want = (uint32_t)RTE_MIN(n_bytes - done, (size_t)room);
        struct rte_mbuf *m = q != NULL ? tern_host_static_mbuf(t, s, off + done, want) : NULL;
        if (m == NULL)
            break;
        done += m->data_len;
        tern_sendq_push(q, m, m->data_len);
    }
    if (done < n_bytes)
        c->flags |= TERN_CF_WANT_SENDABLE;
    tern_conn_touch(t, c);
    return done;
}

size_t tern_send_static(
    struct tern_shard *sh, struct tern_conn *c, struct tern_static *s, size_t off, size_t n_bytes)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    const bool alone =
        tern_flight_may_start(t, c, n_bytes) && n_bytes <= tern_host_static_left(s, off);
    if (unlikely(!alone || !tern_flight_start_static(t, c, s, off, (uint32_t)n_bytes)))
        return queue_static(sh, c, s, off, n_bytes);
    tern_conn_touch(t, c);
    return n_bytes;
}

/* ---- closing ---- */

/** CLOSE of the sending side (RFC 9293 §3.10.4). In SYN-SENT the FIN waits for the handshake. */
void tern_shutdown(struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    if (c->flags & TERN_CF_FIN_QUEUED)
        return;
    c->flags |= TERN_CF_FIN_QUEUED;
    if (c->state == TERN_ESTABLISHED || c->state == TERN_SYN_RCVD)
        tern_conn_set_state(c, TERN_FIN_WAIT_1);
    else if (c->state == TERN_CLOSE_WAIT)
        tern_conn_set_state(c, TERN_LAST_ACK);
    tern_conn_touch(t, c);
}

static void start_linger(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_rare *r = tern_conn_rare(t, c);
    if (r == NULL || r->linger_ms == UINT32_MAX)
        return;
    r->linger_at = t->now_tick + tern_ticks_from_ms(r->linger_ms);
    r->linger_armed = true;
}

void tern_conn_close(struct tern_tcp *t, struct tern_conn *c, bool unread_matters)
{
    if (c->state == TERN_CLOSED || (c->slow & TERN_SLOW_DEAF))
        return;
    c->slow |= TERN_SLOW_DEAF; /* nothing is read any more (MAY-1) */
    const struct tern_rare *r = tern_conn_rare(t, c);
    const bool abrupt = r != NULL && r->linger_ms == 0;
    if (c->state == TERN_SYN_SENT || abrupt
        || (unread_matters && c->unread_bytes > 0)) { /* SHLD-3 */
        tern_conn_abort(t, c, TERN_CLOSE_ABORTED);
        return;
    }
    tern_shutdown(tern_shard_of(t), c);
    start_linger(t, c);
    if (c->state == TERN_FIN_WAIT_2) {
        c->rtx_at = t->now_tick + tern_ticks_from_ms(t->cfg.fin_wait2_ms);
        c->flags |= TERN_CF_RTX;
    }
    tern_conn_touch(t, c);
}

void tern_close(struct tern_shard *sh, struct tern_conn *c)
{
    tern_conn_close(tern_tcp_of(sh), c, true);
}

void tern_abort(struct tern_shard *sh, struct tern_conn *c)
{
    tern_conn_abort(tern_tcp_of(sh), c, TERN_CLOSE_ABORTED);
}

/* ---- options ---- */

static int set_keepalive(struct tern_tcp *t, struct tern_rare *r, uint32_t ms)
{
    r->keepalive_ms = ms;         /* MUST-27 */
    r->keepalive_armed = ms != 0; /* MUST-24, MAY-5 */
    r->keepalive_at = t->now_tick + tern_ticks_from_ms(ms);
    r->keepalive_sent = 0;
    return 0;
}

static int set_mss_max(struct tern_conn *c, struct tern_rare *r, uint32_t mss)
{
    if (mss < TERN_MSS_MIN || mss > UINT16_MAX)
        return -EINVAL;
    r->mss_max = (uint16_t)mss;
    if (r->mss_max < c->mss_bytes)
        c->mss_bytes = r->mss_max;
    return 0;
}

static int set_pacing(struct tern_tcp *t, struct tern_conn *c, uint32_t on)
{
    if (on > 1)
        return -EINVAL;
    struct tern_cong *g = tern_conn_cong_need(t, c);
    if (g == NULL)
        return -ENOBUFS;
    g->flags = (uint8_t)(on ? g->flags | TERN_CG_PACED : g->flags & ~TERN_CG_PACED);
    return 0;
}

static int set_rare(struct tern_tcp *t, struct tern_conn *c, struct tern_rare *r,
    enum tern_conn_opt opt, uint32_t v)
{
    switch (opt) {
    case TERN_CONN_KEEPALIVE_MS: return set_keepalive(t, r, v);
    case TERN_CONN_USER_TIMEOUT_MS: r->user_timeout_ms = v; return 0; /* MUST-21 */
    case TERN_CONN_MSS_MAX: return set_mss_max(c, r, v);
    case TERN_CONN_DSCP:
        if (v > 63)
            return -EINVAL;
        r->dscp = (uint8_t)v;
        return 0;
    case TERN_CONN_TTL:
        if (v < 1 || v > 255)
            return -EINVAL;
        r->ttl = (uint8_t)v;
        return 0;
    case TERN_CONN_LINGER_MS: r->linger_ms = v; return 0;
    case TERN_CONN_NODELAY:
    case TERN_CONN_CC:
    case TERN_CONN_PACING:
    case TERN_CONN_ACK_POLICY: break;
    }
    return -EINVAL;
}

int tern_conn_set(
    struct tern_shard *sh, struct tern_conn *c, enum tern_conn_opt opt, uint32_t value)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    tern_conn_touch(t, c); /* a nearer timer, or data that may leave now */
    if (opt == TERN_CONN_NODELAY) {
        c->flags = (uint16_t)(value ? c->flags | TERN_CF_NODELAY : c->flags & ~TERN_CF_NODELAY);
        return 0;
    }
    if (opt == TERN_CONN_ACK_POLICY) {
        if (value > TERN_ACK_EVERY_BURST)
            return -EINVAL;
        tern_conn_set_ack_policy(c, (enum tern_ack_policy)value);
        return 0;
    }
    const bool of_path = opt == TERN_CONN_CC || opt == TERN_CONN_PACING;
    if (of_path && !tern_conn_unfold(t, c))
        return -ENOBUFS;
    if (opt == TERN_CONN_CC)
        return value < TERN_CC_COUNT ? tern_cc_set(t, c, (enum tern_cc_kind)value) : -EINVAL;
    if (opt == TERN_CONN_PACING)
        return set_pacing(t, c, value);
    struct tern_rare *r = tern_conn_rare_need(t, c);
    return r != NULL ? set_rare(t, c, r, opt, value) : -ENOBUFS;
}

uint32_t tern_conn_get(
    const struct tern_shard *sh, const struct tern_conn *c, enum tern_conn_opt opt)
{
    const struct tern_tcp *t = tern_tcp_of_const(sh);
    const struct tern_rare *r = tern_conn_rare(t, c);
    const struct tern_cong *g = tern_conn_cong(t, c);
    switch (opt) {
    case TERN_CONN_NODELAY: return !!(c->flags & TERN_CF_NODELAY);
    case TERN_CONN_ACK_POLICY:
        if (c->flags & TERN_CF_QUICK_ACK)
            return TERN_ACK_EVERY_BURST;
        return c->flags & TERN_CF_DELAY_ACK ? TERN_ACK_DELAYED : TERN_ACK_QUICK_START;
    case TERN_CONN_CC: return g != NULL ? g->cc : (uint32_t)t->cfg.cc;
    case TERN_CONN_PACING: return g != NULL ? !!(g->flags & TERN_CG_PACED) : t->cfg.pacing;
    case TERN_CONN_KEEPALIVE_MS: return r != NULL ? r->keepalive_ms : t->cfg.keepalive_ms;
    case TERN_CONN_USER_TIMEOUT_MS:
        return r != NULL && r->user_timeout_ms != 0 ? r->user_timeout_ms : t->cfg.user_timeout_ms;
    case TERN_CONN_MSS_MAX: return r != NULL && r->mss_max != 0 ? r->mss_max : UINT16_MAX;
    case TERN_CONN_DSCP: return r != NULL && r->dscp != 0xff ? r->dscp : t->cfg.dscp;
    case TERN_CONN_TTL: return r != NULL && r->ttl != 0 ? r->ttl : t->cfg.ttl;
    case TERN_CONN_LINGER_MS: return r != NULL ? r->linger_ms : UINT32_MAX;
    }
    return 0;
}

void *tern_conn_user(const struct tern_conn *c)
{
    return c->user;
}

void tern_conn_set_user(struct tern_conn *c, void *user)
{
    c->user = user;
}

int tern_timer_arm(struct tern_shard *sh, struct tern_conn *c, uint64_t delay_ns)
{
    struct tern_tcp *t = tern_tcp_of(sh);
    struct tern_rare *r = tern_conn_rare_need(t, c);
    if (r == NULL)
        return -ENOBUFS;
    const uint64_t max_ns = (uint64_t)TERN_TICKS_MAX << TERN_TICK_SHIFT;
    r->timer_at = tern_tcp_tick_at(t, t->now_ns + RTE_MIN(delay_ns, max_ns));
    r->timer_armed = true;
    tern_conn_touch(t, c);
    return 0;
}

void tern_timer_cancel(struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_rare *r = tern_conn_rare(tern_tcp_of(sh), c);
    if (r != NULL)
        r->timer_armed = false;
}
