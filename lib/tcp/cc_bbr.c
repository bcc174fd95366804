/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_bbr.h"

/*
 * BBR version 3 (draft-ietf-ccwg-bbr-06, from here on "the draft"): instead of waiting for losses,
 * a model of the path, and sending to fit it: at the rate of the bottleneck (max_bw, the fastest
 * delivery of two cycles), with what fills it in flight (bw × min_rtt, twice that at most).
 *
 *   Startup ─▶ Drain ─▶ Down ─▶ Cruise ─▶ Refill ─▶ Up ─┐
 *    2.77       0.5     0.9      1.0       1.0      1.25│     (pacing gain)
 *                        ▲                              │
 *                        └──────────────────────────────┘
 *
 * From anywhere ProbeRTT, 5 s after the round trip was last at its smallest: half of the BDP in
 * flight for 200 ms, to see it again.
 *
 * Losses bound the model twice. Above 2 % while probing, what was in flight was too much:
 * `longterm`. At other times rate and flight fall towards what was delivered, to 0.7 a round trip
 * at most: `shortterm`, forgotten before the next probe.
 *
 * Differences from the draft. What was too much is judged when an ACK tells of it, not segment by
 * segment (§5.5.10.2). An undo forgets the short-term bounds instead of restoring older ones
 * (§5.5.11). Ranges lost in Startup are counted as ACKs that told of losses (§5.3.1.3). CE counts
 * as a loss (§3.7). A pause shorter than an RTO is not a restart from idle (§5.4).
 */
#include "sent.h"

#include <string.h>

enum { PACING_MARGIN_PCT = 1 }; /* §5.6.2 */

static const struct tern_ack no_ack;

/* ---- an event, and what is derived from it once ---- */

static struct tern_bbr *bbr_of(struct tern_cong *g)
{
    return (struct tern_bbr *)(void *)&g->bbr;
}

static uint32_t sampled_bw(const struct tern_ack *a)
{
    if (a->interval_us == 0)
        return 0;
    return tern_bbr_clamped(
        (a->rate_bytes * tern_bbr_us_per_s / a->interval_us) >> TERN_BBR_BW_SHIFT);
}

static struct tern_bbr_step step_of(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    const struct tern_txq *q = tern_conn_txq(t, c);
    struct tern_bbr_step s = {
        .t = t,
        .c = c,
        .g = g,
        .b = bbr_of(g),
        .a = a,
        .mss = tern_conn_payload_max(t, c),
        .pipe_bytes = q != NULL ? tern_sent_pipe(c, q) : 0,
        .bw = sampled_bw(a),
    };
    s.lost_bytes = g->lost_total_bytes - s.b->lost_seen;
    /* C.is_cwnd_limited: before the ACK there was no room for a burst. */
    s.is_filled = a->prior_pipe_bytes + 2 * s.mss > c->cwnd_bytes;
    return s;
}

/* ---- pacing ---- */

/** SetPacingRateWithGain (§5.6.2): before the pipe was seen full, only upwards. */
static void set_pacing(struct tern_bbr_step *s, uint32_t gain_pct)
{
    struct tern_bbr *b = s->b;
    const uint64_t paced = (uint64_t)tern_bbr_bw(b) * (100 - PACING_MARGIN_PCT) / 100;
    const uint32_t rate = tern_bbr_percent(paced, gain_pct);
    if (b->full_bw_reached || rate > b->pacing)
        b->pacing = rate;
}

/** InitPacingRate (§5.6.2): the initial window over the first round trip, or 1 ms. */
static void init_pacing(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    b->has_rtt = s->c->rttvar_us4 != 0;
    const uint32_t rtt_us = b->has_rtt ? RTE_MAX(s->c->srtt_us8 / 8, 1u) : 1000;
    const uint64_t nominal = tern_cc_initial_window(s->t, s->c) * tern_bbr_us_per_s / rtt_us;
    b->pacing =
        tern_bbr_percent(nominal >> TERN_BBR_BW_SHIFT, tern_bbr_gains[TERN_BBR_STARTUP].pacing_pct);
}

/* ---- cwnd ---- */

/** BoundCwndForModel (§5.6.4.7) */
static uint32_t model_cap(const struct tern_bbr_step *s)
{
    const struct tern_bbr *b = s->b;
    uint32_t cap = tern_bbr_unknown;
    if (b->state == TERN_BBR_PROBE_RTT || b->state == TERN_BBR_CRUISE)
        cap = tern_bbr_inflight_with_headroom(s);
    else if (tern_bbr_is_in_probe_bw(b))
        cap = b->inflight_longterm;
    return RTE_MAX(RTE_MIN(cap, b->inflight_shortterm), tern_bbr_min_pipe(s));
}

/** SetCwnd (§5.6.4.6) */
static void set_cwnd(struct tern_bbr_step *s)
{
    const struct tern_bbr *b = s->b;
    struct tern_conn *c = s->c;
    const uint64_t extra = RTE_MAX(b->extra[0], b->extra[1]);
    const uint64_t wanted =
        tern_bbr_bdp(s, tern_bbr_bw(b), tern_bbr_gains[b->state].cwnd_pct) + extra;
    const uint32_t max_inflight =
        tern_bbr_quantized(s, (uint32_t)RTE_MIN(wanted, (uint64_t)TERN_BBR_WINDOW_BYTES_MAX));
    const bool is_young = s->g->delivered_bytes < tern_cc_initial_window(s->t, c);
    if (b->full_bw_reached || c->cwnd_bytes < max_inflight || is_young)
        tern_cc_grow(c, s->a->delivered_bytes);
    if (b->full_bw_reached)
        c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, max_inflight);
    c->cwnd_bytes = RTE_MAX(c->cwnd_bytes, tern_bbr_min_pipe(s));
    if (b->state == TERN_BBR_PROBE_RTT) /* §5.6.4.5 */
        c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, tern_bbr_probe_rtt_cwnd(s));
    c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, model_cap(s));
}

/** Recovery is over: the window from before it, as far as the model still allows (§5.6.4.4). */
static void check_recovery_done(struct tern_bbr_step *s)
{
    const struct tern_txq *q = tern_conn_txq(s->t, s->c);
    const bool recovering = q != NULL && (q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO));
    if (s->b->in_recovery && !recovering)
        tern_bbr_restore_cwnd(s);
    s->b->in_recovery = recovering;
}

/* ---- events ---- */

/** OnInit (§5.2.1) */
static void start(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    struct tern_bbr *b = bbr_of(g);
    memset(b, 0, sizeof *b);
    b->min_rtt_us = c->rttvar_us4 != 0 ? RTE_MAX(c->srtt_us8 / 8, 1u) : tern_bbr_unknown;
    b->probe_rtt_us = b->min_rtt_us;
    b->min_rtt_ms = b->probe_rtt_ms = b->phase_ms = t->now_ms;
    b->extra_start_us = t->now_us;
    b->inflight_longterm = b->undo_longterm = tern_bbr_unknown;
    b->lost_seen = g->lost_total_bytes;
    b->loss_round_delivered = g->delivered_bytes;
    b->undo_state = TERN_BBR_UNDO_NONE;
    tern_bbr_reset_shortterm(b);
    struct tern_bbr_step s = step_of(t, c, g, &no_ack);
    tern_bbr_start_round(&s);
    init_pacing(&s);
}

/** UpdateOnACK (§5.2.3) */
static void acked(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    struct tern_bbr_step s = step_of(t, c, g, a);
    tern_bbr_note_losses(&s);
    tern_bbr_update_rounds(&s);
    tern_bbr_update_congestion(&s);
    tern_bbr_update_aggregation(&s);
    tern_bbr_check_full_bw(&s);
    tern_bbr_check_startup_done(&s);
    tern_bbr_check_drain_done(&s);
    tern_bbr_update_cycle(&s);
    tern_bbr_update_min_rtt(&s);
    tern_bbr_check_probe_rtt(&s);
    tern_bbr_advance_latest(&s);
    check_recovery_done(&s);
    if (!s.b->has_rtt && c->rttvar_us4 != 0)
        init_pacing(&s);
    set_pacing(&s, tern_bbr_gains[s.b->state].pacing_pct);
    set_cwnd(&s);
}

/** SaveStateUponLoss, OnEnterRTO, OnEnterFastRecovery (§5.5.11.1, §5.6.4.4) */
static uint32_t reduced(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, enum tern_cc_cause cause)
{
    struct tern_bbr_step s = step_of(t, c, g, &no_ack);
    struct tern_bbr *b = s.b;
    tern_bbr_save_cwnd(&s);
    b->undo_state = TERN_BBR_UNDO_NONE;
    b->undo_longterm = b->inflight_longterm;
    tern_bbr_note_loss(&s);
    b->lost_seen = g->lost_total_bytes;
    if (cause == TERN_CAUSE_ECE) { /* §3.7: CE must be treated as congestion */
        if (b->probe_sample)
            tern_bbr_handle_too_high(&s, c->cwnd_bytes);
        return c->cwnd_bytes;
    }
    b->in_recovery = true;
    if (cause == TERN_CAUSE_TIMEOUT)
        c->cwnd_bytes = s.mss; /* all that was in flight is taken to be gone */
    return b->prior_cwnd;
}

/** HandleSpuriousLossDetection (§5.5.11.2) */
static void undone(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    struct tern_bbr_step s = step_of(t, c, g, &no_ack);
    struct tern_bbr *b = s.b;
    tern_bbr_restore_cwnd(&s);
    b->loss_in_round = false;
    tern_bbr_reset_full_bw(b);
    tern_bbr_reset_shortterm(b);
    b->inflight_longterm = RTE_MAX(b->inflight_longterm, b->undo_longterm);
    if (b->undo_state == TERN_BBR_STARTUP && b->state != TERN_BBR_STARTUP) {
        b->full_bw_reached = false;
        if (b->state != TERN_BBR_PROBE_RTT)
            b->state = TERN_BBR_STARTUP;
    } else if (b->undo_state == TERN_BBR_UP && b->state != TERN_BBR_UP
               && b->state != TERN_BBR_PROBE_RTT) {
        tern_bbr_start_refill(&s);
    }
    b->undo_state = TERN_BBR_UNDO_NONE;
}

/** HandleRestartFromIdle (§5.4.1): cwnd stays; the first flight leaves at the rate of the path. */
static void restarted(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    struct tern_bbr_step s = step_of(t, c, g, &no_ack);
    s.b->idle_restart = true;
    s.b->extra_start_us = t->now_us;
    s.b->extra_delivered = 0;
    if (tern_bbr_is_in_probe_bw(s.b))
        set_pacing(&s, 100);
    else if (s.b->state == TERN_BBR_PROBE_RTT)
        tern_bbr_check_probe_rtt_done(&s);
}

static uint64_t pacing_rate(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_cong *g)
{
    (void)t;
    (void)c;
    const struct tern_bbr *b = (const struct tern_bbr *)(const void *)&g->bbr;
    return (uint64_t)b->pacing << TERN_BBR_BW_SHIFT;
}

const struct tern_cc tern_cc_bbr = {
    .name = "bbr",
    .wants_cong = true,
    .owns_window = true,
    .paces = true,
    .start = start,
    .acked = acked,
    .reduced = reduced,
    .undone = undone,
    .restarted = restarted,
    .pacing_rate = pacing_rate,
};
