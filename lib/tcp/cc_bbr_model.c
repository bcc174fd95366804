/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_bbr.h"

/*
 * BBR's model of the path (draft-ietf-ccwg-bbr-06 §5.5), in bytes and 16 bytes a second:
 *
 *   max_bw                fastest delivery of this cycle of probing and the last
 *   min_rtt               shortest round trip of 10 s
 *   extra                 what ACKs that come in heaps bring beyond the rate, per round
 *   bw, inflight          what was delivered per round while losses came bounds them: shortterm;
 *                         what was too much in a probe bounds inflight until the next: longterm
 *
 * A round begins when what was sent at the start of the last one is delivered. Losses are counted
 * in rounds of their own, which begin with a loss.
 */
enum {
    /* gains and shares, per cent */
    LOSS_THRESH_PCT = 2, /* §5.3.1.3, §5.5.10.2 */
    HEADROOM_PCT = 15,   /* §5.3.3.1 */
    FULL_BW_PCT = 125,   /* growth that counts (§5.3.1.2) */
    /* counts */
    FULL_BW_ROUNDS = 3,     /* §5.3.1.2 */
    EXTRA_ACKED_ROUNDS = 5, /* half of the window of 10 (§5.5.9): two slots */
    OFFLOAD_QUANTA = 3,     /* §5.5.8.1 */
    /* times and sizes */
    MIN_RTT_WINDOW_MS = 10000, /* §5.5.7.2 */
    PROBE_RTT_EVERY_MS = 5000, /* §5.3.4.3 */
    US_MAX = 1 << 26,          /* longer intervals are cut off, so that products fit */
    QUANTUM_BYTES = 64 * 1024, /* §5.6.3 */
};

/* ---- what follows from the model: rate and volume ---- */

uint32_t tern_bbr_max_bw(const struct tern_bbr *b)
{
    return RTE_MAX(b->max_bw[0], b->max_bw[1]);
}

/** BoundBWForModel (§5.5.10.3) */
uint32_t tern_bbr_bw(const struct tern_bbr *b)
{
    return RTE_MIN(tern_bbr_max_bw(b), b->bw_shortterm);
}

/** BDPMultiple (§5.6.4.2), of the rate given */
uint32_t tern_bbr_bdp(const struct tern_bbr_step *s, uint32_t bw, uint32_t gain_pct)
{
    if (s->b->min_rtt_us == tern_bbr_unknown)
        return tern_cc_initial_window(s->t, s->c);
    const uint32_t rtt_us = RTE_MIN(s->b->min_rtt_us, (uint32_t)US_MAX);
    const uint64_t bdp = ((uint64_t)bw << TERN_BBR_BW_SHIFT) * rtt_us / tern_bbr_us_per_s;
    return tern_bbr_percent(RTE_MIN(bdp, (uint64_t)TERN_BBR_WINDOW_BYTES_MAX), gain_pct);
}

/** TargetInflight (§5.3.3.8.3) */
uint32_t tern_bbr_target_inflight(const struct tern_bbr_step *s)
{
    return RTE_MIN(tern_bbr_bdp(s, tern_bbr_bw(s->b), 100), s->c->cwnd_bytes);
}

/** SetSendQuantum (§5.6.3): 1 ms of sending. */
static uint32_t send_quantum(const struct tern_bbr_step *s)
{
    const uint64_t ms = ((uint64_t)s->b->pacing << TERN_BBR_BW_SHIFT) / 1000;
    return RTE_MAX((uint32_t)RTE_MIN(ms, (uint64_t)QUANTUM_BYTES), 2 * s->mss);
}

/** QuantizationBudget (§5.6.4.2) */
uint32_t tern_bbr_quantized(const struct tern_bbr_step *s, uint32_t cap)
{
    const uint32_t floor = RTE_MAX(OFFLOAD_QUANTA * send_quantum(s), tern_bbr_min_pipe(s));
    return RTE_MAX(cap, floor) + (s->b->state == TERN_BBR_UP ? 2 * s->mss : 0);
}

uint32_t tern_bbr_inflight_at(const struct tern_bbr_step *s, uint32_t bw)
{
    return tern_bbr_quantized(s, tern_bbr_bdp(s, bw, 100));
}

/** InflightWithHeadroom (§5.3.3.9): what leaves room for others. */
uint32_t tern_bbr_inflight_with_headroom(const struct tern_bbr_step *s)
{
    const uint32_t longterm = s->b->inflight_longterm;
    if (longterm == tern_bbr_unknown)
        return tern_bbr_unknown;
    const uint32_t headroom = RTE_MAX(s->mss, tern_bbr_percent(longterm, HEADROOM_PCT));
    return RTE_MAX(longterm - RTE_MIN(headroom, longterm), tern_bbr_min_pipe(s));
}

/** IsInflightTooHigh (§5.5.10.2) */
bool tern_bbr_is_too_high(const struct tern_bbr_step *s)
{
    const uint64_t lost = s->a->sent_lost_bytes;
    if (!(s->c->flags & TERN_CF_SACK))
        return lost > 0;
    return lost * 100 > (uint64_t)s->a->sent_pipe_bytes * LOSS_THRESH_PCT;
}

/* ---- what is forgotten ---- */

void tern_bbr_reset_signals(struct tern_bbr *b)
{
    b->loss_in_round = false;
    b->loss_events = 0;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

void tern_bbr_reset_shortterm(struct tern_bbr *b)
{
    b->bw_shortterm = tern_bbr_unknown;
    b->inflight_shortterm = tern_bbr_unknown;
}

void tern_bbr_reset_full_bw(struct tern_bbr *b)
{
    b->full_bw = 0;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

/* ---- losses ---- */

/** NoteLoss (§5.5.10.2) */
void tern_bbr_note_loss(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (!b->loss_in_round)
        b->loss_round_delivered = s->g->delivered_bytes;
    b->loss_in_round = true;
    if (b->loss_events < TERN_BBR_STARTUP_LOSSES)
        b->loss_events++;
}

void tern_bbr_note_losses(struct tern_bbr_step *s)
{
    if (s->lost_bytes != 0)
        tern_bbr_note_loss(s);
    s->b->lost_seen = s->g->lost_total_bytes;
}

/** IsProbingBW (§5.3.3.9) */
static bool is_accelerating(const struct tern_bbr *b)
{
    return b->state == TERN_BBR_STARTUP || b->state == TERN_BBR_REFILL || b->state == TERN_BBR_UP;
}

/** AdaptLowerBoundsFromCongestion (§5.5.10.3): by what was delivered, by 0.7 at most. */
static void lower_shortterm(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (b->bw_shortterm == tern_bbr_unknown)
        b->bw_shortterm = tern_bbr_max_bw(b);
    if (b->inflight_shortterm == tern_bbr_unknown)
        b->inflight_shortterm = s->c->cwnd_bytes;
    b->bw_shortterm = RTE_MAX(b->bw_latest, tern_bbr_percent(b->bw_shortterm, TERN_BBR_BETA_PCT));
    b->inflight_shortterm =
        RTE_MAX(b->inflight_latest, tern_bbr_percent(b->inflight_shortterm, TERN_BBR_BETA_PCT));
}

/* ---- rate and flight ---- */

/** UpdateRound (§5.5.1), and the rounds that losses are counted in (§5.5.10.3) */
void tern_bbr_update_rounds(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (s->a->interval_us == 0)
        return;
    const uint32_t prior = s->a->prior_delivered_bytes;
    s->loss_round_start = (int32_t)(prior - b->loss_round_delivered) >= 0;
    if (s->loss_round_start)
        b->loss_round_delivered = s->g->delivered_bytes;
    s->round_start = (int32_t)(prior - b->round_delivered) >= 0;
    if (!s->round_start)
        return;
    tern_bbr_start_round(s);
    if (b->probe_rounds < TERN_BBR_RENO_ROUNDS_MAX)
        b->probe_rounds++;
    if (b->drain_rounds <= TERN_BBR_DRAIN_ROUNDS_MAX)
        b->drain_rounds++;
    if (++b->extra_rounds >= (b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1)) {
        b->extra_rounds = 0;
        b->extra[0] = b->extra[1];
        b->extra[1] = 0;
    }
}

/** UpdateMaxBw (§5.5.5): what an application did not offer says nothing, unless it is more. */
static void update_max_bw(struct tern_bbr_step *s)
{
    if (s->bw > 0 && (s->bw >= tern_bbr_max_bw(s->b) || !s->a->rate_limited))
        s->b->max_bw[1] = RTE_MAX(s->b->max_bw[1], s->bw);
}

/** UpdateLatestDeliverySignals, UpdateCongestionSignals (§5.5.10.3) */
void tern_bbr_update_congestion(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    b->bw_latest = RTE_MAX(b->bw_latest, s->bw);
    b->inflight_latest = RTE_MAX(b->inflight_latest, s->a->rate_bytes);
    update_max_bw(s);
    if (!s->loss_round_start)
        return;
    if (b->loss_in_round && !is_accelerating(b))
        lower_shortterm(s);
    b->loss_in_round = false;
}

/** AdvanceLatestDeliverySignals (§5.5.10.3) */
void tern_bbr_advance_latest(struct tern_bbr_step *s)
{
    if (!s->loss_round_start)
        return;
    s->b->bw_latest = s->bw;
    s->b->inflight_latest = s->a->rate_bytes;
    s->b->loss_events = 0;
}

/** UpdateACKAggregation (§5.5.9): ACKs that come in heaps need more in flight than the BDP. */
void tern_bbr_update_aggregation(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    const uint32_t us = RTE_MIN(s->t->now_us - b->extra_start_us, (uint32_t)US_MAX);
    uint64_t expected = ((uint64_t)tern_bbr_bw(b) << TERN_BBR_BW_SHIFT) / 1000 * us / 1000;
    if (b->extra_delivered <= expected) {
        b->extra_delivered = 0;
        b->extra_start_us = s->t->now_us;
        expected = 0;
    }
    b->extra_delivered += s->a->delivered_bytes;
    const uint64_t extra = b->extra_delivered - RTE_MIN(expected, (uint64_t)b->extra_delivered);
    const uint32_t bounded = (uint32_t)RTE_MIN(extra, (uint64_t)s->c->cwnd_bytes);
    b->extra[1] = RTE_MAX(b->extra[1], bounded);
}

/** CheckFullBWReached (§5.3.1.2) */
void tern_bbr_check_full_bw(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (b->full_bw_now || !s->round_start || s->a->rate_limited)
        return;
    if ((uint64_t)s->bw * 100 >= (uint64_t)b->full_bw * FULL_BW_PCT) {
        tern_bbr_reset_full_bw(b);
        b->full_bw = s->bw;
        return;
    }
    b->full_bw_count++;
    b->full_bw_now = b->full_bw_count >= FULL_BW_ROUNDS;
    if (b->full_bw_now)
        b->full_bw_reached = true;
}

/* ---- round trip ---- */

/** UpdateMinRTT (§5.3.4.3) */
void tern_bbr_update_min_rtt(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    const uint32_t now_ms = s->t->now_ms, rtt_us = s->a->rtt_us;
    s->probe_rtt_expired = now_ms - b->probe_rtt_ms > PROBE_RTT_EVERY_MS;
    if (rtt_us != 0 && (rtt_us < b->probe_rtt_us || s->probe_rtt_expired)) {
        b->probe_rtt_us = rtt_us;
        b->probe_rtt_ms = now_ms;
    }
    if (b->probe_rtt_us < b->min_rtt_us || now_ms - b->min_rtt_ms > MIN_RTT_WINDOW_MS) {
        b->min_rtt_us = b->probe_rtt_us;
        b->min_rtt_ms = b->probe_rtt_ms;
    }
}
