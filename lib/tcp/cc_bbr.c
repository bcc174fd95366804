/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * BBR version 3 (draft-ietf-ccwg-bbr-06, from here on "the draft"): instead of waiting for losses,
 * a model of the path, and sending to fit it: at the rate of the bottleneck (max_bw, the fastest
 * delivery of two cycles), with what fills it in flight (bw × min_rtt, twice that at most).
 *
 *   Startup ─▶ Drain ─▶ Down ─▶ Cruise ─▶ Refill ─▶ Up ─┐     from anywhere, 5 s after the round
 * trip 2.77       0.5      0.9     1.0       1.0      1.25 │     was last at its smallest:
 * ProbeRTT, half ▲                              │     of the BDP for 200 ms, to see it again
 *                        └──────────────────────────────┘     (figures: pacing gain)
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

#include <rte_common.h>

#include <string.h>

enum {
    /* gains and shares, per cent */
    BETA_PCT = 70,         /* §5.5.10 */
    LOSS_THRESH_PCT = 2,   /* §5.3.1.3, §5.5.10.2 */
    HEADROOM_PCT = 15,     /* §5.3.3.1 */
    FULL_BW_PCT = 125,     /* growth that counts (§5.3.1.2) */
    PACING_MARGIN_PCT = 1, /* §5.6.2 */
    /* counts */
    FULL_BW_ROUNDS = 3,     /* §5.3.1.2 */
    DRAIN_ROUNDS_MAX = 3,   /* §5.3.2 */
    STARTUP_LOSSES = 6,     /* §5.3.1.3 */
    EXTRA_ACKED_ROUNDS = 5, /* half of the window of 10 (§5.5.9): two slots */
    RENO_ROUNDS_MAX = 63,   /* §5.3.3.8.2 */
    UP_ROUNDS_MAX = 30,     /* §5.3.3.9 */
    MIN_PIPE_SEGS = 4,      /* §5.6.4.3 */
    OFFLOAD_QUANTA = 3,     /* §5.5.8.1 */
    /* times */
    MIN_RTT_WINDOW_MS = 10000, /* §5.5.7.2 */
    PROBE_RTT_EVERY_MS = 5000, /* §5.3.4.3 */
    PROBE_RTT_MS = 200,        /* §5.3.4.3 */
    PROBE_WAIT_MS = 2000,      /* and up to 1 s more (§5.3.3.8.2) */
    PROBE_WAIT_MORE_MS = 1000,
    US_MAX = 1 << 26, /* longer intervals are cut off, so that products fit */
    /* sizes */
    QUANTUM_BYTES = 64 * 1024, /* §5.6.3 */
    WINDOW_BYTES_MAX = 1 << 30,
    BW_SHIFT = 4, /* rates are kept in 16 bytes a second: up to 550 Gbit/s */
};

static const uint32_t unknown = UINT32_MAX; /* "Infinity" of the draft */
static const uint64_t us_per_s = 1000000;

enum state { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };

/** Where the ACKs that come belong in a probe for bandwidth (§5.3.3.9). */
enum ack_phase { ACKS_INIT, ACKS_REFILLING, ACKS_STARTING, ACKS_FEEDBACK, ACKS_STOPPING };

/** §5.6.1 */
static const struct gains {
    uint32_t pacing_pct, cwnd_pct;
} gains[] = {
    [STARTUP] = {277, 200},
    [DRAIN] = {50, 200},
    [DOWN] = {90, 200},
    [CRUISE] = {100, 200},
    [REFILL] = {100, 200},
    [UP] = {125, 225},
    [PROBE_RTT] = {100, 50},
};

/** Rates in 16 bytes a second, volumes in bytes; `unknown`: no bound, or never seen. */
struct bbr {
    uint32_t max_bw[2]; /* of the last cycle, of this one */
    uint32_t bw_shortterm, bw_latest, full_bw, pacing;
    uint32_t inflight_longterm, inflight_shortterm;
    uint32_t inflight_latest;                           /* delivered in a sample, this round */
    uint32_t undo_longterm;                             /* as recovery began */
    uint32_t min_rtt_us, min_rtt_ms;                    /* smallest of 10 s, and when seen */
    uint32_t probe_rtt_us, probe_rtt_ms;                /* smallest of 5 s, and when seen */
    uint32_t phase_ms;                                  /* cycle_stamp; in ProbeRTT its end */
    uint32_t round_delivered, loss_round_delivered;     /* C.delivered when a round ends */
    uint32_t lost_seen;                                 /* lost_total_bytes dealt with */
    uint32_t prior_cwnd;                                /* before recovery or ProbeRTT */
    uint32_t extra_start_us, extra_delivered, extra[2]; /* ACK aggregation (§5.5.9) */
    uint32_t up_acked;                                  /* since longterm last grew */
    unsigned state : 3, undo_state : 3, ack_phase : 3;  /* undo_state UP, STARTUP; else none */
    unsigned full_bw_count : 2, drain_rounds : 3;
    unsigned up_rounds : 5, probe_rounds : 6; /* probe_rounds: since Up */
    unsigned full_bw_reached : 1, full_bw_now : 1;
    unsigned probe_sample : 1, loss_in_round : 1;
    unsigned probe_too_high : 1, probe_precautionary : 1; /* the last Up: how it ended */
    unsigned wait_more_ms : 10;
    unsigned loss_events : 4, extra_rounds : 3;
    unsigned idle_restart : 1, in_recovery : 1;
    unsigned has_rtt : 1, is_probe_rtt_timed : 1, is_probe_rtt_round_done : 1;
} __attribute__((__may_alias__)); /* lives in a tern_bbr_room */
static_assert(sizeof(struct bbr) <= sizeof(struct tern_bbr_room), "BBR fits the path record");
enum { UNDO_NONE = DRAIN };

/** One event, with what is derived from it once. */
struct step {
    struct tern_tcp *t;
    struct tern_conn *c;
    struct tern_cong *g;
    struct bbr *b;
    const struct tern_ack *a;
    uint32_t mss, pipe_bytes;
    uint32_t bw;         /* RS.delivery_rate; 0: no sample */
    uint32_t lost_bytes; /* since the last event */
    bool round_start, loss_round_start, is_filled, probe_rtt_expired;
};

static struct bbr *bbr_of(struct tern_cong *g)
{
    return (struct bbr *)(void *)&g->bbr;
}

static uint32_t clamped(uint64_t v)
{
    return (uint32_t)RTE_MIN(v, (uint64_t)(UINT32_MAX - 1)); /* never `unknown` */
}

static uint32_t percent(uint64_t v, uint32_t pct)
{
    return clamped(v * pct / 100);
}

static uint32_t sampled_bw(const struct tern_ack *a)
{
    if (a->interval_us == 0)
        return 0;
    return clamped((a->rate_bytes * us_per_s / a->interval_us) >> BW_SHIFT);
}

static struct step step_of(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    const struct tern_txq *q = tern_conn_txq(t, c);
    struct step s = {
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

static const struct tern_ack no_ack;

/* ---- the model: rate and volume ---- */

static uint32_t max_bw(const struct bbr *b)
{
    return RTE_MAX(b->max_bw[0], b->max_bw[1]);
}

/** BoundBWForModel (§5.5.10.3) */
static uint32_t bw_of(const struct bbr *b)
{
    return RTE_MIN(max_bw(b), b->bw_shortterm);
}

static uint32_t min_pipe(const struct step *s)
{
    return MIN_PIPE_SEGS * s->mss;
}

/** BDPMultiple (§5.6.4.2), of the rate given */
static uint32_t bdp_multiple(const struct step *s, uint32_t bw, uint32_t gain_pct)
{
    if (s->b->min_rtt_us == unknown)
        return tern_cc_initial_window(s->t, s->c);
    const uint32_t rtt_us = RTE_MIN(s->b->min_rtt_us, (uint32_t)US_MAX);
    const uint64_t bdp = ((uint64_t)bw << BW_SHIFT) * rtt_us / us_per_s;
    return percent(RTE_MIN(bdp, (uint64_t)WINDOW_BYTES_MAX), gain_pct);
}

/** TargetInflight (§5.3.3.8.3) */
static uint32_t target_inflight(const struct step *s)
{
    return RTE_MIN(bdp_multiple(s, bw_of(s->b), 100), s->c->cwnd_bytes);
}

/** SetSendQuantum (§5.6.3): 1 ms of sending. */
static uint32_t send_quantum(const struct step *s)
{
    const uint64_t ms = ((uint64_t)s->b->pacing << BW_SHIFT) / 1000;
    return RTE_MAX((uint32_t)RTE_MIN(ms, (uint64_t)QUANTUM_BYTES), 2 * s->mss);
}

/** QuantizationBudget (§5.6.4.2) */
static uint32_t quantized(const struct step *s, uint32_t cap)
{
    const uint32_t floor = RTE_MAX(OFFLOAD_QUANTA * send_quantum(s), min_pipe(s));
    return RTE_MAX(cap, floor) + (s->b->state == UP ? 2 * s->mss : 0);
}

static uint32_t inflight_at(const struct step *s, uint32_t bw)
{
    return quantized(s, bdp_multiple(s, bw, 100));
}

/** InflightWithHeadroom (§5.3.3.9): what leaves room for others. */
static uint32_t inflight_with_headroom(const struct step *s)
{
    const uint32_t longterm = s->b->inflight_longterm;
    if (longterm == unknown)
        return unknown;
    const uint32_t headroom = RTE_MAX(s->mss, percent(longterm, HEADROOM_PCT));
    return RTE_MAX(longterm - RTE_MIN(headroom, longterm), min_pipe(s));
}

static bool is_in_probe_bw(const struct bbr *b)
{
    return b->state >= DOWN && b->state <= UP;
}

/** IsProbingBW (§5.3.3.9) */
static bool is_accelerating(const struct bbr *b)
{
    return b->state == STARTUP || b->state == REFILL || b->state == UP;
}

/** IsInflightTooHigh (§5.5.10.2) */
static bool is_too_high(const struct step *s)
{
    const uint64_t lost = s->a->sent_lost_bytes;
    if (!(s->c->flags & TERN_CF_SACK))
        return lost > 0;
    return lost * 100 > (uint64_t)s->a->sent_pipe_bytes * LOSS_THRESH_PCT;
}

/* ---- resets ---- */

static void start_round(struct step *s)
{
    s->b->round_delivered = s->g->delivered_bytes;
}

static void reset_congestion_signals(struct bbr *b)
{
    b->loss_in_round = false;
    b->loss_events = 0;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

static void reset_shortterm(struct bbr *b)
{
    b->bw_shortterm = unknown;
    b->inflight_shortterm = unknown;
}

static void reset_full_bw(struct bbr *b)
{
    b->full_bw = 0;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

/** SaveCwnd (§5.6.4.4) */
static void save_cwnd(struct step *s)
{
    struct bbr *b = s->b;
    const bool is_good = !b->in_recovery && b->state != PROBE_RTT;
    b->prior_cwnd = is_good ? s->c->cwnd_bytes : RTE_MAX(b->prior_cwnd, s->c->cwnd_bytes);
}

static void restore_cwnd(struct step *s)
{
    s->c->cwnd_bytes = RTE_MAX(s->c->cwnd_bytes, s->b->prior_cwnd);
}

/* ---- pacing ---- */

/** SetPacingRateWithGain (§5.6.2): before the pipe was seen full, only upwards. */
static void set_pacing(struct step *s, uint32_t gain_pct)
{
    struct bbr *b = s->b;
    const uint64_t paced = (uint64_t)bw_of(b) * (100 - PACING_MARGIN_PCT) / 100;
    const uint32_t rate = percent(paced, gain_pct);
    if (b->full_bw_reached || rate > b->pacing)
        b->pacing = rate;
}

/** InitPacingRate (§5.6.2): the initial window over the first round trip, or 1 ms. */
static void init_pacing(struct step *s)
{
    struct bbr *b = s->b;
    b->has_rtt = s->c->rttvar_us4 != 0;
    const uint32_t rtt_us = b->has_rtt ? RTE_MAX(s->c->srtt_us8 / 8, 1u) : 1000;
    const uint64_t nominal = tern_cc_initial_window(s->t, s->c) * us_per_s / rtt_us;
    b->pacing = percent(nominal >> BW_SHIFT, gains[STARTUP].pacing_pct);
}

/* ---- the states of ProbeBW (§5.3.3.9) ---- */

/** PickProbeWait (§5.3.3.8.3). Only mixing is asked for: a hash of connection and time will do. */
static void pick_probe_wait(struct step *s)
{
    const uint64_t words[] = {s->t->now_ns, tern_conn_idx(s->t, s->c), PROBE_WAIT_MORE_MS};
    const uint64_t random = tern_siphash13(s->t->keys.flow, words, 3);
    s->b->probe_rounds = random & 1;
    s->b->wait_more_ms = (unsigned)((random >> 1) % PROBE_WAIT_MORE_MS) & 0x3ff;
}

static void start_down(struct step *s)
{
    reset_congestion_signals(s->b);
    pick_probe_wait(s);
    s->b->phase_ms = s->t->now_ms;
    s->b->ack_phase = ACKS_STOPPING;
    start_round(s);
    s->b->state = DOWN;
}

static void start_refill(struct step *s)
{
    struct bbr *b = s->b;
    reset_shortterm(b);
    b->up_rounds = 0;
    b->up_acked = 0;
    b->probe_precautionary = false;
    b->ack_phase = ACKS_REFILLING;
    start_round(s);
    b->state = REFILL;
}

/** RaiseInflightLongtermSlope: 1, 2, 4 … segments more in successive rounds. */
static void raise_slope(struct bbr *b)
{
    if (b->up_rounds < UP_ROUNDS_MAX)
        b->up_rounds++;
}

static void start_up(struct step *s)
{
    struct bbr *b = s->b;
    b->probe_sample = true;
    b->ack_phase = ACKS_STARTING;
    start_round(s);
    reset_full_bw(b);
    b->full_bw = s->bw;
    b->state = UP;
    raise_slope(b);
}

static bool is_time_to_probe(const struct step *s)
{
    const struct bbr *b = s->b;
    const uint32_t elapsed_ms = s->t->now_ms - b->phase_ms;
    const uint32_t reno_rounds = target_inflight(s) / s->mss;
    return elapsed_ms > PROBE_WAIT_MS + (uint32_t)b->wait_more_ms
           || b->probe_rounds >= RTE_MIN(reno_rounds, (uint32_t)RENO_ROUNDS_MAX);
}

static bool is_time_to_cruise(const struct step *s)
{
    return s->pipe_bytes <= inflight_with_headroom(s)
           && s->pipe_bytes <= inflight_at(s, max_bw(s->b));
}

static bool is_time_to_go_down(struct step *s)
{
    struct bbr *b = s->b;
    if (b->probe_too_high && s->pipe_bytes >= b->inflight_longterm) {
        b->probe_precautionary = true;
        return true;
    }
    if (s->is_filled && s->c->cwnd_bytes >= b->inflight_longterm) {
        reset_full_bw(b); /* it is longterm that limits; the path may have more */
        b->full_bw = s->bw;
        return false;
    }
    return b->full_bw_now;
}

/** ProbeInflightLongtermUpward */
static void probe_longterm(struct step *s)
{
    struct bbr *b = s->b;
    if (!s->is_filled || s->c->cwnd_bytes < b->inflight_longterm)
        return;
    const uint32_t per_segment = RTE_MAX(s->c->cwnd_bytes >> (b->up_rounds - 1), s->mss);
    b->up_acked += s->a->delivered_bytes;
    const uint64_t segs = b->up_acked / per_segment;
    b->up_acked %= per_segment;
    const uint64_t longterm = b->inflight_longterm + segs * s->mss;
    b->inflight_longterm = (uint32_t)RTE_MIN(longterm, (uint64_t)WINDOW_BYTES_MAX);
    if (s->round_start)
        raise_slope(b);
}

/** HandleInflightTooHigh (§5.5.10.2): once a probe. */
static void handle_too_high(struct step *s, uint32_t pipe_bytes)
{
    struct bbr *b = s->b;
    b->probe_too_high = true;
    b->probe_sample = false;
    if (!s->a->rate_limited)
        b->inflight_longterm = RTE_MAX(pipe_bytes, percent(target_inflight(s), BETA_PCT));
    if (b->state == UP) {
        b->undo_state = UP;
        start_down(s);
    }
}

/** One round after Up: its samples are in. @return true: the state has changed */
static bool probe_over(struct step *s)
{
    struct bbr *b = s->b;
    b->probe_sample = false;
    b->ack_phase = ACKS_INIT;
    if (!is_in_probe_bw(b))
        return false;
    if (!s->a->rate_limited && b->max_bw[1] != 0) { /* AdvanceMaxBwFilter (§5.5.6) */
        b->max_bw[0] = b->max_bw[1];
        b->max_bw[1] = 0;
    }
    if (!b->probe_precautionary || b->probe_too_high)
        return false;
    start_refill(s); /* what was too high last time is no more (§5.3.3.6) */
    return true;
}

/** AdaptLongTermModel. @return true: the state has changed */
static bool adapt_longterm(struct step *s)
{
    struct bbr *b = s->b;
    if (b->ack_phase == ACKS_STARTING && s->round_start)
        b->ack_phase = ACKS_FEEDBACK;
    if (b->ack_phase == ACKS_STOPPING && s->round_start && probe_over(s))
        return true;
    if (is_too_high(s)) {
        const enum state before = (enum state)b->state;
        if (b->probe_sample)
            handle_too_high(s, s->a->sent_pipe_bytes);
        return b->state != before;
    }
    if (b->inflight_longterm == unknown)
        return false;
    b->inflight_longterm = RTE_MAX(b->inflight_longterm, s->a->sent_pipe_bytes);
    if (b->state == UP)
        probe_longterm(s);
    return false;
}

/** UpdateProbeBWCyclePhase */
static void update_cycle(struct step *s)
{
    struct bbr *b = s->b;
    if (!b->full_bw_reached || adapt_longterm(s) || !is_in_probe_bw(b))
        return;
    if (b->state == REFILL) {
        if (s->round_start) /* one round of it */
            start_up(s);
    } else if (b->state == UP) {
        if (is_time_to_go_down(s)) {
            b->probe_too_high = false;
            start_down(s);
        }
    } else if (is_time_to_probe(s)) {
        start_refill(s);
    } else if (b->state == DOWN && is_time_to_cruise(s)) {
        b->state = CRUISE;
    }
}

/* ---- what an ACK tells the model ---- */

/** NoteLoss (§5.5.10.2) */
static void note_loss(struct step *s)
{
    struct bbr *b = s->b;
    if (!b->loss_in_round)
        b->loss_round_delivered = s->g->delivered_bytes;
    b->loss_in_round = true;
    if (b->loss_events < STARTUP_LOSSES)
        b->loss_events++;
}

static void note_losses(struct step *s)
{
    if (s->lost_bytes != 0)
        note_loss(s);
    s->b->lost_seen = s->g->lost_total_bytes;
}

/** UpdateRound (§5.5.1), and the rounds that losses are counted in (§5.5.10.3) */
static void update_rounds(struct step *s)
{
    struct bbr *b = s->b;
    if (s->a->interval_us == 0)
        return;
    const uint32_t prior = s->a->prior_delivered_bytes;
    s->loss_round_start = (int32_t)(prior - b->loss_round_delivered) >= 0;
    if (s->loss_round_start)
        b->loss_round_delivered = s->g->delivered_bytes;
    s->round_start = (int32_t)(prior - b->round_delivered) >= 0;
    if (!s->round_start)
        return;
    start_round(s);
    if (b->probe_rounds < RENO_ROUNDS_MAX)
        b->probe_rounds++;
    if (b->drain_rounds <= DRAIN_ROUNDS_MAX)
        b->drain_rounds++;
    if (++b->extra_rounds >= (b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1)) {
        b->extra_rounds = 0;
        b->extra[0] = b->extra[1];
        b->extra[1] = 0;
    }
}

/** UpdateMaxBw (§5.5.5): what an application did not offer says nothing, unless it is more. */
static void update_max_bw(struct step *s)
{
    if (s->bw > 0 && (s->bw >= max_bw(s->b) || !s->a->rate_limited))
        s->b->max_bw[1] = RTE_MAX(s->b->max_bw[1], s->bw);
}

/** AdaptLowerBoundsFromCongestion (§5.5.10.3): by what was delivered, by 0.7 at most. */
static void lower_shortterm(struct step *s)
{
    struct bbr *b = s->b;
    if (b->bw_shortterm == unknown)
        b->bw_shortterm = max_bw(b);
    if (b->inflight_shortterm == unknown)
        b->inflight_shortterm = s->c->cwnd_bytes;
    b->bw_shortterm = RTE_MAX(b->bw_latest, percent(b->bw_shortterm, BETA_PCT));
    b->inflight_shortterm = RTE_MAX(b->inflight_latest, percent(b->inflight_shortterm, BETA_PCT));
}

/** UpdateLatestDeliverySignals, UpdateCongestionSignals (§5.5.10.3) */
static void update_congestion(struct step *s)
{
    struct bbr *b = s->b;
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
static void advance_latest(struct step *s)
{
    if (!s->loss_round_start)
        return;
    s->b->bw_latest = s->bw;
    s->b->inflight_latest = s->a->rate_bytes;
    s->b->loss_events = 0;
}

/** UpdateACKAggregation (§5.5.9): ACKs that come in heaps need more in flight than the BDP. */
static void update_aggregation(struct step *s)
{
    struct bbr *b = s->b;
    const uint32_t us = RTE_MIN(s->t->now_us - b->extra_start_us, (uint32_t)US_MAX);
    uint64_t expected = ((uint64_t)bw_of(b) << BW_SHIFT) / 1000 * us / 1000;
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
static void check_full_bw(struct step *s)
{
    struct bbr *b = s->b;
    if (b->full_bw_now || !s->round_start || s->a->rate_limited)
        return;
    if ((uint64_t)s->bw * 100 >= (uint64_t)b->full_bw * FULL_BW_PCT) {
        reset_full_bw(b);
        b->full_bw = s->bw;
        return;
    }
    b->full_bw_count++;
    b->full_bw_now = b->full_bw_count >= FULL_BW_ROUNDS;
    if (b->full_bw_now)
        b->full_bw_reached = true;
}

/* ---- Startup and Drain ---- */

/** CheckStartupHighLoss (§5.3.1.3) */
static bool loses_much(const struct step *s)
{
    const struct tern_txq *q = tern_conn_txq(s->t, s->c);
    if (q == NULL || !(q->flags & TERN_TXQ_FAST))
        return false;
    if (!(s->c->flags & TERN_CF_SACK))
        return s->lost_bytes > 0;
    return s->loss_round_start && s->b->loss_events >= STARTUP_LOSSES && is_too_high(s);
}

/** CheckStartupDone */
static void check_startup_done(struct step *s)
{
    struct bbr *b = s->b;
    if (b->state != STARTUP)
        return;
    if (loses_much(s)) {
        b->undo_state = STARTUP;
        b->full_bw_reached = true;
        b->inflight_longterm = RTE_MAX(bdp_multiple(s, bw_of(b), 100), b->inflight_latest);
    }
    if (!b->full_bw_reached)
        return;
    b->state = DRAIN;
    b->drain_rounds = 0;
}

/** CheckDrainDone (§5.3.2) */
static void check_drain_done(struct step *s)
{
    const struct bbr *b = s->b;
    if (b->state != DRAIN)
        return;
    if (s->pipe_bytes <= inflight_at(s, bw_of(b)) || b->drain_rounds > DRAIN_ROUNDS_MAX)
        start_down(s);
}

/* ---- ProbeRTT ---- */

/** UpdateMinRTT (§5.3.4.3) */
static void update_min_rtt(struct step *s)
{
    struct bbr *b = s->b;
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

static uint32_t probe_rtt_cwnd(const struct step *s)
{
    return RTE_MAX(bdp_multiple(s, bw_of(s->b), gains[PROBE_RTT].cwnd_pct), min_pipe(s));
}

/** ExitProbeRTT (§5.3.4.4) */
static void exit_probe_rtt(struct step *s)
{
    struct bbr *b = s->b;
    b->probe_rtt_ms = s->t->now_ms; /* the next one is 5 s away */
    restore_cwnd(s);
    reset_shortterm(b);
    if (b->full_bw_reached) {
        start_down(s);
        b->state = CRUISE; /* there is no queue to drain */
    } else {
        b->state = STARTUP;
    }
}

static void check_probe_rtt_done(struct step *s)
{
    if (s->b->is_probe_rtt_timed && (int32_t)(s->t->now_ms - s->b->phase_ms) > 0)
        exit_probe_rtt(s);
}

/** HandleProbeRTT (§5.3.4.3) */
static void handle_probe_rtt(struct step *s)
{
    struct bbr *b = s->b;
    s->g->limited_end = s->c->snd.nxt; /* these samples say nothing of the bottleneck */
    if (!b->is_probe_rtt_timed) {
        if (s->pipe_bytes > probe_rtt_cwnd(s))
            return;
        b->is_probe_rtt_timed = true;
        b->is_probe_rtt_round_done = false;
        b->phase_ms = s->t->now_ms + PROBE_RTT_MS;
        start_round(s);
        return;
    }
    if (s->round_start)
        b->is_probe_rtt_round_done = true;
    if (b->is_probe_rtt_round_done)
        check_probe_rtt_done(s);
}

/** CheckProbeRTT (§5.3.4.3) */
static void check_probe_rtt(struct step *s)
{
    struct bbr *b = s->b;
    if (b->state != PROBE_RTT && s->probe_rtt_expired && !b->idle_restart) {
        save_cwnd(s);
        b->state = PROBE_RTT;
        b->is_probe_rtt_timed = false;
        b->ack_phase = ACKS_STOPPING;
        start_round(s);
    }
    if (b->state == PROBE_RTT)
        handle_probe_rtt(s);
    if (s->a->rate_bytes > 0)
        b->idle_restart = false;
}

/* ---- cwnd ---- */

/** BoundCwndForModel (§5.6.4.7) */
static uint32_t model_cap(const struct step *s)
{
    const struct bbr *b = s->b;
    uint32_t cap = unknown;
    if (b->state == PROBE_RTT || b->state == CRUISE)
        cap = inflight_with_headroom(s);
    else if (is_in_probe_bw(b))
        cap = b->inflight_longterm;
    return RTE_MAX(RTE_MIN(cap, b->inflight_shortterm), min_pipe(s));
}

/** SetCwnd (§5.6.4.6) */
static void set_cwnd(struct step *s)
{
    const struct bbr *b = s->b;
    struct tern_conn *c = s->c;
    const uint64_t extra = RTE_MAX(b->extra[0], b->extra[1]);
    const uint64_t wanted = bdp_multiple(s, bw_of(b), gains[b->state].cwnd_pct) + extra;
    const uint32_t max_inflight =
        quantized(s, (uint32_t)RTE_MIN(wanted, (uint64_t)WINDOW_BYTES_MAX));
    const bool is_young = s->g->delivered_bytes < tern_cc_initial_window(s->t, c);
    if (b->full_bw_reached || c->cwnd_bytes < max_inflight || is_young)
        tern_cc_grow(c, s->a->delivered_bytes);
    if (b->full_bw_reached)
        c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, max_inflight);
    c->cwnd_bytes = RTE_MAX(c->cwnd_bytes, min_pipe(s));
    if (b->state == PROBE_RTT) /* §5.6.4.5 */
        c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, probe_rtt_cwnd(s));
    c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, model_cap(s));
}

/** Recovery is over: the window from before it, as far as the model still allows (§5.6.4.4). */
static void check_recovery_done(struct step *s)
{
    const struct tern_txq *q = tern_conn_txq(s->t, s->c);
    const bool recovering = q != NULL && (q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO));
    if (s->b->in_recovery && !recovering)
        restore_cwnd(s);
    s->b->in_recovery = recovering;
}

/* ---- events ---- */

/** OnInit (§5.2.1) */
static void start(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    struct bbr *b = bbr_of(g);
    memset(b, 0, sizeof *b);
    b->min_rtt_us = c->rttvar_us4 != 0 ? RTE_MAX(c->srtt_us8 / 8, 1u) : unknown;
    b->probe_rtt_us = b->min_rtt_us;
    b->min_rtt_ms = b->probe_rtt_ms = b->phase_ms = t->now_ms;
    b->extra_start_us = t->now_us;
    b->inflight_longterm = b->undo_longterm = unknown;
    b->lost_seen = g->lost_total_bytes;
    b->loss_round_delivered = g->delivered_bytes;
    b->undo_state = UNDO_NONE;
    reset_shortterm(b);
    struct step s = step_of(t, c, g, &no_ack);
    start_round(&s);
    init_pacing(&s);
}

/** UpdateOnACK (§5.2.3) */
static void acked(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    struct step s = step_of(t, c, g, a);
    note_losses(&s);
    update_rounds(&s);
    update_congestion(&s);
    update_aggregation(&s);
    check_full_bw(&s);
    check_startup_done(&s);
    check_drain_done(&s);
    update_cycle(&s);
    update_min_rtt(&s);
    check_probe_rtt(&s);
    advance_latest(&s);
    check_recovery_done(&s);
    if (!s.b->has_rtt && c->rttvar_us4 != 0)
        init_pacing(&s);
    set_pacing(&s, gains[s.b->state].pacing_pct);
    set_cwnd(&s);
}

/** SaveStateUponLoss, OnEnterRTO, OnEnterFastRecovery (§5.5.11.1, §5.6.4.4) */
static uint32_t reduced(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, enum tern_cc_cause cause)
{
    struct step s = step_of(t, c, g, &no_ack);
    struct bbr *b = s.b;
    save_cwnd(&s);
    b->undo_state = UNDO_NONE;
    b->undo_longterm = b->inflight_longterm;
    note_loss(&s);
    b->lost_seen = g->lost_total_bytes;
    if (cause == TERN_CAUSE_ECE) { /* §3.7: CE must be treated as congestion */
        if (b->probe_sample)
            handle_too_high(&s, c->cwnd_bytes);
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
    struct step s = step_of(t, c, g, &no_ack);
    struct bbr *b = s.b;
    restore_cwnd(&s);
    b->loss_in_round = false;
    reset_full_bw(b);
    reset_shortterm(b);
    b->inflight_longterm = RTE_MAX(b->inflight_longterm, b->undo_longterm);
    if (b->undo_state == STARTUP && b->state != STARTUP) {
        b->full_bw_reached = false;
        if (b->state != PROBE_RTT)
            b->state = STARTUP;
    } else if (b->undo_state == UP && b->state != UP && b->state != PROBE_RTT) {
        start_refill(&s);
    }
    b->undo_state = UNDO_NONE;
}

/** HandleRestartFromIdle (§5.4.1): cwnd stays; the first flight leaves at the rate of the path. */
static void restarted(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    struct step s = step_of(t, c, g, &no_ack);
    s.b->idle_restart = true;
    s.b->extra_start_us = t->now_us;
    s.b->extra_delivered = 0;
    if (is_in_probe_bw(s.b))
        set_pacing(&s, 100);
    else if (s.b->state == PROBE_RTT)
        check_probe_rtt_done(&s);
}

static uint64_t pacing_rate(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_cong *g)
{
    (void)t;
    (void)c;
    const struct bbr *b = (const struct bbr *)(const void *)&g->bbr;
    return (uint64_t)b->pacing << BW_SHIFT;
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
