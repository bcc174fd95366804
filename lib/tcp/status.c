/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * STATUS (RFC 9293 §3.10.6): a connection, described for people. Nothing is kept for it: what is
 * not in the records (bytes since the beginning, say) is not told.
 */
#include <tern/conn.h>

#include "cc.h"
#include "flight.h"
#include "rcvbuf.h"
#include "sent.h"
#include "state.h"

// clang-format off
static const char *const timer_names[TERN_TIMER_COUNT] = {
    [TERN_TIMER_NONE]       = "none",
    [TERN_TIMER_RETRANSMIT] = "retransmit",
    [TERN_TIMER_PROBE]      = "probe",
    [TERN_TIMER_PERSIST]    = "persist",
    [TERN_TIMER_FIN_WAIT_2] = "fin-wait-2",
    [TERN_TIMER_TIME_WAIT]  = "time-wait",
    [TERN_TIMER_ACK]        = "ack",
    [TERN_TIMER_PACE]       = "pace",
    [TERN_TIMER_KEEPALIVE]  = "keepalive",
    [TERN_TIMER_LINGER]     = "linger",
    [TERN_TIMER_APP]        = "app",
};
// clang-format on

const char *tern_timer_name(enum tern_conn_timer timer)
{
    return (unsigned)timer < TERN_TIMER_COUNT ? timer_names[timer] : "unknown";
}

static uint32_t pipe_of(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (tern_conn_has_flight(c))
        return tern_seq_span(c->snd.una, c->snd.nxt);
    const struct tern_txq *q = tern_conn_txq(t, c);
    return q != NULL ? tern_sent_pipe(c, q) : 0;
}

/* ---- timers (timers.c says in prose what they are) ---- */

/** What rtx_at is the end of. */
static enum tern_conn_timer what_rtx_is(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (tern_conn_has_flight(c))
        return tern_conn_flight(t, c)->flags & TERN_FLIGHT_PTO ? TERN_TIMER_PROBE
                                                               : TERN_TIMER_RETRANSMIT;
    if (c->state == TERN_FIN_WAIT_2)
        return TERN_TIMER_FIN_WAIT_2;
    if (c->snd.una.v == c->snd.nxt.v || (c->snd.wnd_bytes == 0 && !tern_conn_is_opening(c)))
        return TERN_TIMER_PERSIST;
    const struct tern_txq *q = tern_conn_txq(t, c);
    const bool is_probe = q != NULL && (q->flags & (TERN_TXQ_PTO | TERN_TXQ_REO));
    return is_probe ? TERN_TIMER_PROBE : TERN_TIMER_RETRANSMIT;
}

/** It acts at that tick; one that is overdue acts now. */
static void nearer(
    const struct tern_tcp *t, struct tern_conn_info *out, enum tern_conn_timer timer, uint32_t at)
{
    const uint32_t us = tern_us_until(t->now_tick, at);
    if (out->timer != TERN_TIMER_NONE && us >= out->timer_us)
        return;
    out->timer = timer;
    out->timer_us = us;
}

static void describe_rare_timers(
    const struct tern_tcp *t, const struct tern_rare *r, struct tern_conn_info *out)
{
    if (r->keepalive_armed)
        nearer(t, out, TERN_TIMER_KEEPALIVE, r->keepalive_at);
    if (r->linger_armed)
        nearer(t, out, TERN_TIMER_LINGER, r->linger_at);
    if (r->timer_armed)
        nearer(t, out, TERN_TIMER_APP, r->timer_at);
}

static void describe_timer(
    const struct tern_tcp *t, const struct tern_conn *c, struct tern_conn_info *out)
{
    const struct tern_cong *g = tern_conn_cong(t, c);
    const struct tern_rare *r = tern_conn_rare(t, c);
    if (c->flags & TERN_CF_RTX)
        nearer(t, out, what_rtx_is(t, c), c->rtx_at);
    if (c->flags & TERN_CF_ACK_LATER)
        nearer(t, out, TERN_TIMER_ACK, c->ack_at);
    if (g != NULL && (g->flags & TERN_CG_PACE_WAIT) && t->now_ns < g->pace_ns)
        nearer(t, out, TERN_TIMER_PACE, tern_tcp_tick_at(t, g->pace_ns));
    if (r != NULL)
        describe_rare_timers(t, r, out);
}

/* ---- the whole ---- */

void tern_conn_describe(
    const struct tern_shard *sh, const struct tern_conn *c, struct tern_conn_info *out)
{
    const struct tern_tcp *t = tern_tcp_of_const(sh);
    const struct tern_flow_key key = tern_conn_key(t, c);
    const struct tern_queued queued = tern_conn_queued(t, c);
    const struct tern_rare *r = tern_conn_rare(t, c);
    const struct tern_cong *g = tern_conn_cong(t, c);
    *out = (struct tern_conn_info){
        .local = key.local,
        .remote = key.remote,
        .lport = key.lport,
        .rport = key.rport,
        .state = (enum tern_state)c->state,
        .timestamps = c->flags & TERN_CF_TS,
        .sack = c->flags & TERN_CF_SACK,
        .window_scale = c->flags & TERN_CF_WSCALE,
        .snd_wscale = tern_conn_snd_wscale(c),
        .rcv_wscale = tern_conn_rcv_wscale(t, c),
        .mss_bytes = (uint16_t)tern_conn_payload_max(t, c),
        .srtt_us = c->srtt_us8 / 8,
        .rttvar_us = c->rttvar_us4 / 4,
        .rto_us = tern_conn_rto_ms(t, c) * 1000,
        .min_rtt_us = g != NULL ? g->min_rtt_us : 0,
        .cc = g != NULL ? g->cc : (uint8_t)t->cfg.cc,
        .ecn = tern_conn_has_ecn(t, c),
        .recovering = c->slow & TERN_SLOW_RECOVERY,
        .cwnd_bytes = c->cwnd_bytes,
        .ssthresh_bytes = g != NULL ? g->ssthresh_bytes : UINT32_MAX,
        .pipe_bytes = pipe_of(t, c),
        .pacing_bytes_per_s = tern_cc_pacing_rate(t, c),
        .snd_wnd_bytes = c->snd.wnd_bytes,
        .rcv_wnd_bytes = tern_seq_span(c->rcv.nxt, c->rcv.adv),
        .rcv_buf_bytes = tern_conn_rcv_buf(t, c),
        .unacked_bytes = queued.n_bytes - queued.unsent_bytes,
        .queued_bytes = queued.unsent_bytes,
        .unread_bytes = c->unread_bytes,
        .urgent_bytes = tern_urgent_left(t, c),
        .soft_error = r != NULL ? r->soft_error : 0,
        .unanswered = c->backoff >> 4,
    };
    describe_timer(t, c, out);
}
