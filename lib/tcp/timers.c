/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The timers of a connection, in prose.
 *
 * One node on the shard's wheel per connection, armed for the nearest of these deadlines. The fast
 * path only writes deadlines; a node that fires early finds nothing due and is armed again.
 *
 *   rtx_at     while something is unacknowledged: retransmission (RFC 6298), doubling, until the
 *              peer has been silent for R2 (RFC 9293 §3.8.3); SYN and SYN-ACK, too.
 *              with nothing in flight and data that may not leave: zero-window probe, doubling,
 *              for as long as the peer acknowledges (MUST-36, MUST-37), or persist_timeout_ms.
 *              in FIN-WAIT-2 after a full close: how long to wait for the peer's FIN.
 *              While data is in flight it may be earlier than the RTO (which is in txq.rto_at):
 *              TXQ_PTO, a tail loss probe, or TXQ_REO, the end of a reordering window (RFC 8985).
 *   ack_at     an acknowledgement was delayed (RFC 9293 §3.8.6.3 MUST-40).
 *   rare:      keepalive_at (off by default, MUST-25), linger_at, timer_at (the application's).
 *
 * How long a peer has been silent is not stored: every expiry doubled a known RTO, so the sum of
 * those intervals is it, or what has passed since it last spoke. Only what goes beyond
 * UNANSWERED_MAX of them, with an R2 of many minutes, is added up in a tern_rare.
 */
#include "flight.h"
#include "host.h"
#include "pmtu.h"
#include "recovery.h"
#include "state.h"

/** G of RFC 6298 §2.3, as four times the variation is counted: 1 ms. */
#define RTTVAR_LEAST_US4 UINT32_C(1000)

enum {
    UNANSWERED_MAX = 15, /* what the high nibble of tern_conn.backoff counts to */
    R1_EXPIRIES = 3,     /* from then on the next hop is asked whether it is still there */
};

static bool is_due(const struct tern_tcp *t, uint32_t at)
{
    return (int32_t)(at - t->now_tick) <= 0;
}

static uint8_t backoff_of(const struct tern_conn *c)
{
    return c->backoff & 0xf;
}

static uint8_t unanswered_of(const struct tern_conn *c)
{
    return c->backoff >> 4;
}

/* ---- RTO ---- */

/* V128 */
void tern_conn_rtt_sample(struct tern_conn *c, uint32_t rtt_us)
{
    c->backoff &= 0xf0; /* a doubled RTO stays until something is known better (RFC 6298 §5) */
    const uint32_t rtt = RTE_MIN(RTE_MAX(rtt_us, 1u), 60u * 1000 * 1000);
    if (c->rttvar_us4 == 0) { /* RFC 6298 §2.2: the first. After it the variation is never 0 */
        c->srtt_us8 = rtt * 8;
        c->rttvar_us4 = rtt * 2;
        return;
    }
    /* RFC 6298 §2.3, alpha 1/8 and beta 1/4 (6298-2, MUST-18) */
    const int32_t err = (int32_t)rtt - (int32_t)(c->srtt_us8 / 8);
    const uint32_t dev = (uint32_t)(err < 0 ? -err : err);
    c->rttvar_us4 += dev - c->rttvar_us4 / 4;
    c->srtt_us8 = (uint32_t)((int32_t)c->srtt_us8 + err);
}

/** The RTO before any doubling. */
static uint32_t base_rto_ms(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (c->srtt_us8 == 0)
        return t->cfg.rto_initial_ms; /* (6298-1) */
    const uint32_t rto_ms = (c->srtt_us8 / 8 + RTE_MAX(c->rttvar_us4, RTTVAR_LEAST_US4)) / 1000;
    return RTE_MIN(RTE_MAX(rto_ms, t->cfg.rto_min_ms), t->cfg.rto_max_ms); /* (6298-3, 6298-4) */
}

/* V127, V128 */
static uint32_t doubled_ms(const struct tern_tcp *t, uint32_t base_ms, uint8_t doublings)
{
    const uint64_t ms = (uint64_t)base_ms << doublings;
    return (uint32_t)RTE_MIN(ms, (uint64_t)t->cfg.rto_max_ms);
}

uint32_t tern_conn_rto_ms(const struct tern_tcp *t, const struct tern_conn *c)
{
    return doubled_ms(t, base_rto_ms(t, c), backoff_of(c));
}

/**
 * How long nothing was heard although we asked, ms: the sum of the intervals that ran out, or what
 * has passed since the peer spoke within one of them.
 * @param running_ms  the interval that is running out right now
 */
static uint64_t silent_ms(const struct tern_tcp *t, const struct tern_conn *c, uint32_t running_ms)
{
    const uint32_t base_ms = base_rto_ms(t, c);
    const struct tern_rare *r = tern_conn_rare(t, c);
    uint64_t sum = unanswered_of(c) == UNANSWERED_MAX && r != NULL ? r->silent_more_ms : 0;
    for (int i = 1; i <= unanswered_of(c) && i <= backoff_of(c); i++)
        sum += doubled_ms(t, base_ms, (uint8_t)(backoff_of(c) - i));
    sum += running_ms;
    if (c->slow & TERN_SLOW_DEAF) /* a peer may not stall the end of a connection by answering */
        return sum;
    return RTE_MIN(sum, (uint64_t)(t->now_ms - c->last_rx_ms));
}

/** An interval ran out. */
static void count_expiry(struct tern_tcp *t, struct tern_conn *c)
{
    if (unanswered_of(c) == UNANSWERED_MAX) {
        struct tern_rare *r = tern_conn_rare_need(t, c);
        if (r != NULL) /* else it is not counted, and the end comes later */
            r->silent_more_ms += tern_conn_rto_ms(t, c);
    }
    /* RFC 6298 §5.5 (6298-7, MUST-19), and so do the gaps between probes (SHLD-30) */
    const uint8_t doublings = (uint8_t)RTE_MIN(backoff_of(c) + 1, TERN_RTO_BACKOFF_MAX);
    const uint8_t silent = (uint8_t)RTE_MIN(unanswered_of(c) + 1, UNANSWERED_MAX);
    struct tern_rare *r = tern_conn_rare(t, c);
    if (r != NULL && unanswered_of(c) < UNANSWERED_MAX)
        r->silent_more_ms = 0;
    c->backoff = (uint8_t)(silent << 4 | doublings);
}

/** A SYN-ACK is sent as often as from a half-open record (listen.c). */
static uint32_t syn_ack_timeout_ms(const struct tern_tcp *t)
{
    uint32_t ms = 0;
    for (uint8_t i = 0; i < TERN_SYNACK_TRIES_MAX; i++)
        ms += doubled_ms(t, t->cfg.rto_initial_ms, i);
    return RTE_MIN(ms, t->cfg.syn_timeout_ms);
}

/* V109, V110, V214 */
static uint32_t user_timeout_ms(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (tern_conn_is_early(c))
        return syn_ack_timeout_ms(t);
    if (tern_conn_is_opening(c))
        return t->cfg.syn_timeout_ms;
    const struct tern_rare *r = tern_conn_rare(t, c);
    return r != NULL && r->user_timeout_ms != 0 ? r->user_timeout_ms : t->cfg.user_timeout_ms;
}

/** V108: How much longer a shut window is borne, ms; UINT64_MAX: for ever, or it is open. */
static uint64_t persist_left_ms(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint32_t limit_ms = t->cfg.persist_timeout_ms;
    if (likely(c->snd.wnd_bytes != 0) || limit_ms == 0 || tern_conn_is_opening(c))
        return UINT64_MAX;
    const struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL)
        return UINT64_MAX;
    const uint32_t shut_ms = t->now_ms - q->shut_ms;
    return limit_ms - RTE_MIN(shut_ms, limit_ms);
}

/* ---- arming ---- */

/** What is left of R2, ms. */
static uint64_t r2_left_ms(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint64_t limit = user_timeout_ms(t, c);
    if (likely(unanswered_of(c) == 0)) /* no silence: all of it */
        return limit;
    const uint64_t silent = silent_ms(t, c, 0);
    return limit > silent ? limit - silent : 0;
}

void tern_conn_heard(struct tern_tcp *t, struct tern_conn *c)
{
    const bool cut_short = r2_left_ms(t, c) < tern_conn_rto_ms(t, c);
    c->backoff &= 0xf;
    if (!cut_short || !(c->flags & TERN_CF_RTX))
        return;
    tern_conn_arm_rtx(t, c);
    tern_conn_touch(t, c); /* it may end earlier than what the node is armed for */
}

/** Microseconds to ticks, rounded up, at most TERN_TICKS_MAX. */
static uint32_t ticks_from_us(uint64_t us)
{
    const uint64_t ticks = (us * TERN_NS_PER_US + (1u << TERN_TICK_SHIFT) - 1) >> TERN_TICK_SHIFT;
    return (uint32_t)RTE_MIN(ticks, (uint64_t)TERN_TICKS_MAX);
}

/** A probe `after_us` from now, or the RTO if that ends before (RFC 8985 §7.2). */
static uint32_t probe_at(const struct tern_tcp *t, uint64_t after_us, uint32_t rto_at)
{
    const uint32_t at = t->now_tick + ticks_from_us(after_us);
    return (int32_t)(at - rto_at) < 0 ? at : rto_at;
}

static inline void arm_flight_probe(
    const struct tern_tcp *t, struct tern_conn *c, struct tern_flight *f)
{
    const bool may = (f->flags & TERN_FLIGHT_SENT) && tern_tlp_may_follow(c);
    if (may)
        c->rtx_at = probe_at(t, tern_tlp_after_us(t, c), f->rto_at);
    else if (f->flags & TERN_FLIGHT_PTO)
        c->rtx_at = f->rto_at;
    f->flags = (uint8_t)(may ? f->flags | TERN_FLIGHT_PTO : f->flags & ~TERN_FLIGHT_PTO);
}

void tern_conn_arm_flight_probe(const struct tern_tcp *t, struct tern_conn *c)
{
    arm_flight_probe(t, c, tern_conn_flight(t, c));
}

/** What every connection's timer has in common, once. */
void tern_timers_init(struct tern_tcp *t)
{
    const struct tern_stack_config *cfg = &t->cfg;
    t->pause_ticks = tern_ticks_from_ms(RTE_MIN(cfg->rto_min_ms, cfg->rto_initial_ms));
    t->rto_first_ticks = tern_ticks_from_ms(RTE_MIN(cfg->rto_initial_ms, cfg->user_timeout_ms));
    t->rto_least_ticks = tern_ticks_from_ms(RTE_MIN(cfg->rto_min_ms, cfg->user_timeout_ms));
    t->rto_least_us = (cfg->rto_min_ms + 1) * 1000; /* whole milliseconds count */
}

/** Until the retransmission timer runs out. The last interval ends at R2, not after it (MUST-21).
 */
static uint32_t rtx_ticks(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint64_t left_ms = RTE_MIN(r2_left_ms(t, c), persist_left_ms(t, c));
    const uint64_t rto_ms = tern_conn_rto_ms(t, c);
    return tern_ticks_from_ms((uint32_t)RTE_MIN(rto_ms, left_ms));
}

/** The same, known beforehand for nearly all. */
static inline uint32_t rtx_ticks_everyday(const struct tern_tcp *t, const struct tern_conn *c)
{
    const bool waits = c->backoff != 0 || c->snd.wnd_bytes == 0 || tern_conn_is_opening(c);
    if (unlikely(waits || c->rare != 0))
        return rtx_ticks(t, c);
    if (c->srtt_us8 == 0)
        return t->rto_first_ticks;
    const uint32_t rto_us = c->srtt_us8 / 8 + RTE_MAX(c->rttvar_us4, RTTVAR_LEAST_US4);
    return likely(rto_us < t->rto_least_us) ? t->rto_least_ticks : rtx_ticks(t, c);
}

void tern_conn_arm_flight(const struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_flight *f = tern_conn_flight(t, c);
    c->rtx_at = f->rto_at = t->now_tick + rtx_ticks_everyday(t, c);
    c->flags |= TERN_CF_RTX;
    f->flags &= (uint8_t)~TERN_FLIGHT_PTO;
    arm_flight_probe(t, c, f);
}

void tern_conn_arm_rtx(struct tern_tcp *t, struct tern_conn *c)
{
    if (tern_conn_has_flight(c)) {
        tern_conn_arm_flight(t, c);
        return;
    }
    const uint32_t at = t->now_tick + rtx_ticks_everyday(t, c);
    struct tern_txq *q = tern_conn_txq(t, c);
    const bool reorder = q != NULL && (q->flags & TERN_TXQ_REO) && (c->flags & TERN_CF_RTX);
    if (!reorder || (int32_t)(at - c->rtx_at) < 0)
        c->rtx_at = at;
    c->flags |= TERN_CF_RTX;
    if (q == NULL)
        return;
    q->rto_at = at;
    q->flags &= (uint16_t)~TERN_TXQ_PTO;
    if (!reorder)
        tern_conn_arm_probe(t, c, q);
}

void tern_conn_arm_probe(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (!tern_tlp_may_probe(c, q)) {
        if (q->flags & TERN_TXQ_PTO)
            c->rtx_at = q->rto_at;
        q->flags &= (uint16_t)~TERN_TXQ_PTO;
        return;
    }
    c->rtx_at = probe_at(t, tern_tlp_after_us(t, c), q->rto_at);
    q->flags |= TERN_TXQ_PTO;
}

void tern_conn_arm_reorder(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t after_us)
{
    if (!(c->flags & TERN_CF_RTX))
        tern_conn_arm_rtx(t, c);
    const uint32_t at = t->now_tick + ticks_from_us(after_us);
    q->flags &= (uint16_t) ~(TERN_TXQ_PTO | TERN_TXQ_REO);
    c->rtx_at = q->rto_at;
    if ((int32_t)(at - q->rto_at) >= 0)
        return;
    c->rtx_at = at;
    q->flags |= TERN_TXQ_REO;
    tern_conn_touch(t, c);
}

void tern_conn_cancel_rtx(const struct tern_tcp *t, struct tern_conn *c)
{
    c->flags &= (uint16_t)~TERN_CF_RTX;
    c->rtx_at = t->now_tick; /* a pause begins */
}

static void nearer(const struct tern_tcp *t, uint32_t *due, bool *any, uint32_t at)
{
    if (!*any || (int32_t)(at - t->now_tick) < (int32_t)(*due - t->now_tick))
        *due = at;
    *any = true;
}

/** The node fires at `due` or before as it is: what nearly every burst finds, as deadlines move
 * away with every answer. */
static bool fires_by(const struct tern_conn *c, uint32_t due)
{
    return c->wheel_prev != 0 && (int32_t)(due - c->wheel_due) >= 0;
}

/** A send was cut short for want of memory: when to see whether there is some. */
static uint32_t sendable_retry_ms(const struct tern_tcp *t, const struct tern_conn *c)
{
    const bool queue = c->txq == 0 && !tern_host_txq_left(t);
    return queue ? TERN_QUEUE_RETRY_MS : TERN_SENDABLE_RETRY_MS;
}

void tern_conn_arm_timer(struct tern_tcp *t, struct tern_conn *c)
{
    uint32_t due = 0;
    bool any = false;
    if (c->flags & TERN_CF_RTX)
        nearer(t, &due, &any, c->rtx_at);
    if (c->flags & TERN_CF_ACK_LATER)
        nearer(t, &due, &any, c->ack_at);
    const struct tern_cong *g = tern_conn_cong(t, c);
    if (unlikely(g != NULL) && (g->flags & TERN_CG_PACE_WAIT) && t->now_ns < g->pace_ns)
        nearer(t, &due, &any, tern_tcp_tick_at(t, g->pace_ns));
    const struct tern_rare *r = tern_conn_rare(t, c);
    if (unlikely(r != NULL)) {
        if (r->keepalive_armed)
            nearer(t, &due, &any, r->keepalive_at);
        if (r->linger_armed)
            nearer(t, &due, &any, r->linger_at);
        if (r->timer_armed)
            nearer(t, &due, &any, r->timer_at);
    }
    if (unlikely(c->flags & TERN_CF_WANT_SENDABLE) && tern_conn_is_drained(t, c)
        && tern_state_can_send((enum tern_state)c->state) && !tern_conn_is_opening(c))
        nearer(t, &due, &any, t->now_tick + tern_ticks_from_ms(sendable_retry_ms(t, c)));
    if (any && !fires_by(c, due))
        tern_host_conn_timer(t, c, due);
}

/* ---- expiry ---- */

static void handshake_expired(struct tern_tcp *t, struct tern_conn *c)
{
    t->stats.retransmits++;
    tern_conn_send_syn(t, c);
}

static void data_expired(struct tern_tcp *t, struct tern_conn *c)
{
    if (!tern_conn_unfold(t, c))
        return; /* no buffer, and so none to send; it is tried again like anything */
    struct tern_txq *q = tern_conn_txq(t, c);
    const bool in_flight = c->snd.una.v != c->snd.nxt.v;
    if (!in_flight) {
        if (q != NULL && q->unsent_bytes > 0)
            tern_conn_probe(t, c);
        return;
    }
    if (q == NULL || q->n_sent == 0 || c->snd.wnd_bytes == 0)
        tern_conn_retransmit(t, c); /* a shut window says nothing of congestion */
    else if (tern_pmtu_expired(t, c, q))
        tern_conn_resend(t, c);
    else
        tern_recovery_timeout(t, c, q);
}

/** Before the RTO ends: a tail is to be probed, or a reordering window is over (RFC 8985). */
static bool is_early(struct tern_tcp *t, struct tern_conn *c)
{
    if (tern_conn_has_flight(c)) {
        struct tern_flight *f = tern_conn_flight(t, c);
        if (!(f->flags & TERN_FLIGHT_PTO))
            return false;
        if (!tern_flight_unfold(t, c)) { /* no buffer for a probe: the RTO it is */
            f->flags &= (uint8_t)~TERN_FLIGHT_PTO;
            c->rtx_at = f->rto_at;
            return !is_due(t, c->rtx_at);
        }
    }
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL || !(q->flags & (TERN_TXQ_PTO | TERN_TXQ_REO)))
        return false;
    const bool tail = q->flags & TERN_TXQ_PTO;
    q->flags &= (uint16_t) ~(TERN_TXQ_PTO | TERN_TXQ_REO);
    c->rtx_at = q->rto_at;
    if (tail) {
        tern_tlp_expired(t, c, q);
        if (q->flags & TERN_TXQ_TLP)
            tern_conn_arm_rtx(t, c); /* §7.3: the RTO starts anew */
        return q->flags & TERN_TXQ_TLP || !is_due(t, c->rtx_at);
    }
    const uint32_t lost_bytes = tern_rack_detect(t, c, q);
    if (lost_bytes > 0)
        tern_recovery_lost(t, c, q, lost_bytes);
    return !is_due(t, c->rtx_at);
}

/** (SHLD-9) */
static void tell_unanswered(struct tern_tcp *t, struct tern_conn *c)
{
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_unanswered != NULL && !(c->slow & TERN_SLOW_DEAF))
        app->on_unanswered(tern_shard_of(t), c);
}

/* V114 */
static void rtx_expired(struct tern_tcp *t, struct tern_conn *c)
{
    if (is_early(t, c))
        return;
    c->flags &= (uint16_t)~TERN_CF_RTX;
    if (c->state == TERN_FIN_WAIT_2) {
        tern_conn_end(t, c, TERN_CLOSE_TIMEOUT);
        return;
    }
    if (silent_ms(t, c, tern_conn_rto_ms(t, c)) >= user_timeout_ms(t, c)) { /* MUST-20, MUST-22 */
        tern_conn_abort(t, c, TERN_CLOSE_TIMEOUT);
        return;
    }
    if (persist_left_ms(t, c) == 0) {
        t->stats.persist_expired++;
        tern_conn_abort(t, c, TERN_CLOSE_TIMEOUT);
        return;
    }
    if (c->state == TERN_SYN_SENT && tern_host_unreachable(t, c->neighbour)) {
        tern_conn_end(t, c, TERN_CLOSE_UNREACHABLE);
        return;
    }
    t->stats.rto_expired++;
    count_expiry(t, c);
    if (unanswered_of(c) >= R1_EXPIRIES) /* RFC 9293 §3.8.3 (b), MUST-20, SHLD-10 */
        tern_host_doubt(t, c->neighbour);
    if (unanswered_of(c) == R1_EXPIRIES)
        tell_unanswered(t, c);
    if (c->state == TERN_CLOSED)
        return;
    if (tern_conn_is_opening(c))
        handshake_expired(t, c);
    else
        data_expired(t, c);
    tern_conn_arm_rtx(t, c); /* RFC 6298 §5.5, §5.6 */
}

/* V214 */
static void keepalive_expired(struct tern_tcp *t, struct tern_conn *c, struct tern_rare *r)
{
    r->keepalive_armed = false;
    const uint32_t idle_ms = t->now_ms - c->last_rx_ms;
    const bool outstanding = c->snd.una.v != c->snd.nxt.v;
    /* Answered, however late the timer is and however short the round trip (MUST-29). */
    const uint32_t probe_ms = t->now_ms - r->keepalive_probe_ms; /* ago; idle may be weeks */
    if (idle_ms < r->keepalive_ms || idle_ms <= probe_ms)
        r->keepalive_sent = 0;
    if (outstanding || idle_ms < r->keepalive_ms) { /* MUST-26 */
        const uint32_t left_ms = outstanding ? r->keepalive_ms : r->keepalive_ms - idle_ms;
        r->keepalive_at = t->now_tick + tern_ticks_from_ms(left_ms);
        r->keepalive_armed = true;
        return;
    }
    if (r->keepalive_sent >= TERN_KEEPALIVE_PROBES) { /* MUST-29: never after one */
        tern_conn_abort(t, c, TERN_CLOSE_TIMEOUT);
        return;
    }
    r->keepalive_sent++;
    r->keepalive_probe_ms = t->now_ms;
    tern_conn_send_keepalive(t, c);
    const uint32_t again_ms = RTE_MIN(r->keepalive_ms, (uint32_t)TERN_KEEPALIVE_PROBE_MS);
    r->keepalive_at = t->now_tick + tern_ticks_from_ms(again_ms);
    r->keepalive_armed = true;
}

static void rare_timers(struct tern_tcp *t, struct tern_conn *c, struct tern_rare *r)
{
    if (r->keepalive_armed && is_due(t, r->keepalive_at))
        keepalive_expired(t, c, r);
    if (r->linger_armed && is_due(t, r->linger_at)) {
        r->linger_armed = false;
        tern_conn_abort(t, c, TERN_CLOSE_ABORTED);
    }
    if (c->state != TERN_CLOSED && r->timer_armed && is_due(t, r->timer_at)) {
        r->timer_armed = false;
        const struct tern_app *app = tern_conn_app(t, c);
        if (app->on_timer != NULL)
            app->on_timer(tern_shard_of(t), c);
    }
}

void tern_conn_timers(struct tern_tcp *t, struct tern_conn *c)
{
    tern_conn_touch(t, c); /* settling arms the node again */
    if (c->state == TERN_CLOSED)
        return;
    if ((c->flags & TERN_CF_ACK_LATER) && is_due(t, c->ack_at)) {
        c->flags &= (uint16_t)~TERN_CF_ACK_LATER;
        c->flags |= TERN_CF_ACK_NOW;
    }
    if ((c->flags & TERN_CF_RTX) && is_due(t, c->rtx_at))
        rtx_expired(t, c);
    struct tern_rare *r = tern_conn_rare(t, c);
    if (r != NULL && c->state != TERN_CLOSED)
        rare_timers(t, c, r);
}
