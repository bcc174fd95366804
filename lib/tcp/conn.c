/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The life of a connection between arrival, output and timers: how it starts, what the two SYNs
 * agree on, how it ends. Whatever happens to it, it is put on the shard's list of touched
 * connections, and at the end of the burst tern_conn_settle() sends what is owed, arms its timer
 * and, when it is over, tells the application and releases it. So no callback ever runs into a
 * connection that is gone, and there is one place that frees.
 */
#include "cc.h"
#include "flight.h"
#include "host.h"
#include "packet.h"
#include "pmtu.h"
#include "rcvbuf.h"
#include "reasm.h"
#include "sendq.h"
#include "sent.h"
#include "state.h"
#include "template.h"

/* ---- starting ---- */

static uint16_t own_mss(const struct tern_stack_config *cfg, uint32_t ip_bytes)
{
    /* MUST-67: the largest datagram less fixed headers, options not counted. */
    const uint32_t mss = cfg->mtu_bytes - ip_bytes - TERN_TCP_BYTES;
    if (cfg->mss_max != 0 && cfg->mss_max < mss)
        return cfg->mss_max;
    return (uint16_t)mss;
}

void tern_conn_set_ack_policy(struct tern_conn *c, enum tern_ack_policy policy)
{
    c->flags &= (uint16_t) ~(TERN_CF_QUICK_ACK | TERN_CF_DELAY_ACK);
    c->slow &= (uint8_t)~TERN_QUICK_START;
    if (policy == TERN_ACK_EVERY_BURST) {
        c->flags |= TERN_CF_QUICK_ACK;
    } else if (policy == TERN_ACK_DELAYED) {
        c->flags |= TERN_CF_DELAY_ACK;
    } else if (!(c->flags & TERN_CF_ACK_LATER)) {
        c->slow |= TERN_QUICK_START;
        c->quick_acks_left = TERN_ACK_QUICK_SEGS;
    }
}

/** A short one is copied into the packet's buffer, and a long one where it cannot be attached. */
static uint32_t flight_bytes_max(const struct tern_tcp *t)
{
    const uint32_t room = rte_pktmbuf_data_room_size(t->pool) - RTE_PKTMBUF_HEADROOM;
    return t->cfg.tx_multi_seg && room >= TERN_COPY_BYTES_MAX ? TERN_FLIGHT_BYTES_MAX : room;
}

void tern_tcp_derive(struct tern_tcp *t)
{
    const struct tern_stack_config *cfg = &t->cfg;
    const uint32_t tag_bytes = cfg->vlan != 0 ? TERN_VLAN_BYTES : 0;
    t->link_bytes = cfg->l3 ? 0 : TERN_ETH_BYTES + tag_bytes;
    t->own_mss[0] = own_mss(cfg, TERN_IP4_BYTES);
    t->own_mss[1] = own_mss(cfg, TERN_IP6_BYTES);
    t->cookie_period = UINT64_MAX; /* none yet */
    tern_template_init(t);
    tern_timers_init(t);
    t->flight_bytes_max = flight_bytes_max(t);
    t->rcv_most_bytes[0] = RTE_MIN(cfg->rcv_buf_bytes, 0xffffu);
    t->rcv_most_bytes[1] = RTE_MIN(cfg->rcv_buf_bytes, 0xffffu << t->rcv_wscale);
    t->blank = (struct tern_conn){
        .slow = TERN_SLOW_STATE,
        .flags = cfg->nodelay ? TERN_CF_NODELAY : 0,
        .mss_bytes = TERN_MSS_DEFAULT4, /* until the peer says otherwise (MUST-15) */
    };
    tern_conn_set_ack_policy(&t->blank, cfg->ack_policy);
    t->opened = t->blank;
    t->opened.flags |= TERN_CF_OPENED;
    tern_conn_set_state(&t->opened, TERN_SYN_RCVD);
    tern_conn_set_state(&t->opened, TERN_ESTABLISHED);
    t->opens_plainly = t->fast_path && cfg->keepalive_ms == 0 && cfg->plpmtud != TERN_PLPMTUD_ALWAYS
                       && tern_cc_opens_plainly(t);
    t->syn_agrees =
        (uint8_t)((cfg->timestamps ? TERN_HAS_TS : 0) | (cfg->sack ? TERN_HAS_SACK_OK : 0)
                  | (cfg->window_scale ? TERN_HAS_WSCALE : 0));
}

void tern_conn_init(struct tern_tcp *t, struct tern_conn *c, uint8_t app, void *user)
{
    c->app = app;
    c->user = user;
    c->last_rx_ms = t->now_ms;
    if (c->flags & TERN_CF_V6)
        c->mss_bytes = TERN_MSS_DEFAULT6;
}

void tern_conn_negotiate(struct tern_tcp *t, struct tern_conn *c, const struct tern_tcp_opts *peer)
{
    const struct tern_rare *rare = tern_conn_rare(t, c);
    c->mss_bytes = tern_mss_agreed(t, peer, c->flags & TERN_CF_V6);
    if (rare != NULL && rare->mss_max != 0 && rare->mss_max < c->mss_bytes)
        c->mss_bytes = rare->mss_max;
    c->flags |= tern_options_agreed(t, peer);
    if (c->flags & TERN_CF_TS)
        c->ts_recent = peer->ts_val;
    c->wscale =
        c->flags & TERN_CF_WSCALE ? peer->wscale : 0; /* both or none (RFC 7323 §2.2) (7323-1) */
}

static void start_keepalive(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_rare *r = tern_conn_rare(t, c);
    const uint32_t idle_ms = r != NULL ? r->keepalive_ms : t->cfg.keepalive_ms;
    if (idle_ms == 0 || (r == NULL && (r = tern_conn_rare_need(t, c)) == NULL))
        return;
    r->keepalive_at = t->now_tick + tern_ticks_from_ms(idle_ms);
    r->keepalive_armed = true;
    tern_conn_touch(t, c);
}

void tern_conn_syn_acked(struct tern_tcp *t, struct tern_conn *c)
{
    c->flags |= TERN_CF_OPENED;
    /* RFC 6298 §5.7 (6298-8): a lost SYN tells that the RTO was too short; data starts with 3 s or
     * more. */
    if (c->backoff != 0 && c->srtt_us8 == 0)
        c->srtt_us8 = TERN_RTO_AFTER_SYN_LOSS_MS * 1000 * 8;
    c->backoff = 0;
    /* Closed already (RFC 9293 §3.10.4): from SYN-RECEIVED it is in FIN-WAIT-1, from SYN-SENT it
     * goes. */
    if (c->state != TERN_FIN_WAIT_1)
        tern_conn_set_state(c, TERN_ESTABLISHED);
    if (c->state == TERN_ESTABLISHED && (c->flags & TERN_CF_FIN_QUEUED))
        tern_conn_set_state(c, TERN_FIN_WAIT_1);
    start_keepalive(t, c);
}

void tern_conn_established(struct tern_tcp *t, struct tern_conn *c)
{
    t->stats.open_now++;
    if (c->flags & TERN_CF_ACTIVE) {
        t->stats.active_established++;
        t->stats.opening_now--;
    } else {
        t->stats.passive_established++;
    }
    tern_pmtu_open(t, c);
    tern_cc_open(t, c);
    tern_conn_syn_acked(t, c);
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_open != NULL && !(c->slow & TERN_SLOW_DEAF))
        app->on_open(tern_shard_of(t), c);
}

/* ---- ending ---- */

/** Its four-tuple is no longer its own: a later segment of this burst finds it no more. */
static void leave(struct tern_tcp *t, struct tern_conn *c, enum tern_close_reason why)
{
    tern_conn_set_state(c, TERN_CLOSED);
    c->misc = (uint8_t)why; /* what on_closed() will be told (MUST-12) */
    tern_conn_touch(t, c);
}

void tern_conn_end(struct tern_tcp *t, struct tern_conn *c, enum tern_close_reason why)
{
    if (c->state == TERN_CLOSED)
        return;
    tern_host_conn_forget(t, c);
    leave(t, c, why);
}

void tern_conn_end_in_order(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    tern_host_conn_forget_at(t, c, seg->hash);
    leave(t, c, TERN_CLOSE_NORMAL);
}

/** RFC 9293 §3.10.5: the peer is told unless it knows nothing of us yet, or has had our FIN. */
static bool counts_on_us(const struct tern_conn *c)
{
    if (c->state == TERN_CLOSING || c->state == TERN_LAST_ACK)
        return !(c->flags & TERN_CF_FIN_SENT);
    return c->state != TERN_CLOSED && c->state != TERN_SYN_SENT;
}

void tern_conn_abort(struct tern_tcp *t, struct tern_conn *c, enum tern_close_reason why)
{
    if (counts_on_us(c))
        tern_conn_send_rst(t, c);
    tern_conn_end(t, c, why);
}

/* V111 */
void tern_conn_time_wait(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (c->flags & TERN_CF_ACK_NOW) /* the peer's FIN brought us here; not so from CLOSING */
        tern_conn_answer(t, c, seg);
    tern_conn_set_state(c, TERN_TIME_WAIT);
    const uint32_t due = t->now_tick + tern_ticks_from_ms(t->cfg.time_wait_ms); /* MUST-13 */
    struct tern_tw *tw = tern_host_tw_from_conn(t, c, seg, due);
    if (likely(tw != NULL)) {
        tw->snd_nxt = c->snd.nxt;
        tw->rcv_nxt = c->rcv.nxt;
        tw->ts_recent = c->flags & TERN_CF_TS ? c->ts_recent : 0;
        tw->ts_offset = c->flags & TERN_CF_TS ? c->ts_offset : 0;
        t->stats.time_wait_opened++;
    } else {
        t->stats.time_wait_overflow++;
    }
    leave(t, c, TERN_CLOSE_NORMAL);
}

/** The books: every opening and every established connection ends under one name. */
static void count_end(struct tern_tcp *t, const struct tern_conn *c)
{
    if (!(c->flags & (TERN_CF_OPENED | TERN_CF_ACTIVE)))
        tern_tfo_unconfirmed(t, c);
    if ((c->flags & TERN_CF_OPENED) || !(c->flags & TERN_CF_ACTIVE)) {
        t->stats.closed[c->misc]++;
        t->stats.open_now--;
    } else {
        t->stats.active_failed[c->misc]++;
        t->stats.opening_now--;
    }
}

static void release(struct tern_tcp *t, struct tern_conn *c)
{
    count_end(t, c);
    c->flags |= TERN_CF_TOUCHED; /* no call from on_closed() puts it on the list again */
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_closed != NULL)
        app->on_closed(tern_shard_of(t), c, (enum tern_close_reason)c->misc);
    if (tern_conn_has_flight(c))
        tern_flight_drop(t, c);
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL) {
        tern_sendq_clear(q);
        tern_sent_clear(t, q);
    }
    if (c->rxq != 0)
        tern_reasm_clear(t, c);
    tern_rcvbuf_release(t, c);
    tern_host_conn_free(t, c);
}

/* ---- settling ---- */

void tern_conn_touch(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->flags & TERN_CF_TOUCHED)
        return;
    c->flags |= TERN_CF_TOUCHED;
    c->touch_next = 0;
    const uint32_t idx = tern_conn_idx(t, c);
    if (t->touched_tail != 0)
        t->conns[t->touched_tail].touch_next = idx;
    else
        t->touched_head = idx;
    t->touched_tail = idx;
}

bool tern_conn_is_drained(const struct tern_tcp *t, const struct tern_conn *c)
{
    return tern_conn_queued(t, c).n_bytes <= t->cfg.snd_buf_bytes / 2;
}

/** An application told without it would fail at once, and have to be told again. */
static bool has_memory(struct tern_tcp *t, const struct tern_conn *c)
{
    if (c->txq == 0 && !tern_host_txq_left(t))
        return false;
    struct rte_mbuf *m = rte_pktmbuf_alloc(t->pool);
    rte_pktmbuf_free(m);
    return m != NULL;
}

static void tell_sendable(struct tern_tcp *t, struct tern_conn *c)
{
    if (!tern_conn_is_drained(t, c) || !has_memory(t, c))
        return;
    if (!tern_state_can_send((enum tern_state)c->state) || tern_conn_is_opening(c))
        return;
    c->flags &= (uint16_t)~TERN_CF_WANT_SENDABLE;
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_sendable != NULL)
        app->on_sendable(tern_shard_of(t), c);
}

/** It is still open. */
static void settle_open(struct tern_tcp *t, struct tern_conn *c)
{
    if ((c->flags & TERN_CF_WANT_SENDABLE) && c->state != TERN_CLOSED)
        tell_sendable(t, c);
    if (tern_state_can_output((enum tern_state)c->state) || tern_conn_is_early(c))
        tern_conn_output(t, c);
    if ((c->flags & TERN_CF_ACK_NOW) && c->state != TERN_CLOSED)
        tern_conn_send_ack(t, c);
    if (c->state != TERN_CLOSED) /* else on_sendable() ended it, and it comes again */
        tern_conn_arm_timer(t, c);
}

void tern_conn_settle(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->state == TERN_CLOSED)
        release(t, c);
    else
        settle_open(t, c);
}

/** Whatever a burst brought, all of it has been processed by now (MUST-59), and a connection sends
 * one ACK for it (MUST-58). An application may touch another in every callback and never end, so
 * there is a limit; those left have their turn in the next call, as with the list full. */
void tern_tcp_settle(struct tern_tcp *t)
{
    uint32_t n_settled = 0;
    while (t->touched_head != 0 && t->n_tx < TERN_TX_BURST - TERN_TX_RESERVED
           && n_settled++ < TERN_SETTLED_MAX) {
        struct tern_conn *c = &t->conns[t->touched_head];
        t->touched_head = c->touch_next;
        if (t->touched_head == 0)
            t->touched_tail = 0;
        c->flags &= (uint16_t)~TERN_CF_TOUCHED;
        tern_conn_settle(t, c);
    }
    if (t->touched_head == 0)
        t->n_dsacks = 0;
}

/* ---- what few need ---- */

struct tern_rare *tern_conn_rare_need(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->rare == 0) {
        c->rare = tern_host_rare_new(t);
        if (c->rare == 0)
            return NULL;
        struct tern_rare *r = &t->rares[c->rare];
        r->dscp = 0xff;
        r->linger_ms = UINT32_MAX;
        r->keepalive_ms = t->cfg.keepalive_ms;
    }
    return &t->rares[c->rare];
}

int tern_tcp_app(struct tern_tcp *t, const struct tern_app *app)
{
    for (uint16_t i = 0; i < t->n_apps; i++)
        if (t->app_ids[i] == app)
            return i;
    if (t->n_apps == TERN_APPS_MAX)
        return -1;
    t->apps[t->n_apps] = *app;
    t->app_ids[t->n_apps] = app;
    return t->n_apps++;
}
