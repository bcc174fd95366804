/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_bbr.h"

/*
 * BBR's states (draft-ietf-ccwg-bbr-06 §5.3), and what moves from one to the next:
 *
 *   Startup   the rate grows by less than a quarter in each of three rounds, or many are lost
 *   Drain     what Startup queued is gone, or three rounds are over
 *   Down      in flight is what the path holds, with room left for others
 *   Cruise    2 to 3 s after the last probe, or as many rounds as Reno would have needed to come
 *             back to this flight
 *   Refill    one round, so that the pipe is full when the probe begins
 *   Up        the queue fills: the rate grows no more, too much is lost, or the flight that was too
 *             high last time is reached
 *   ProbeRTT  200 ms and a round after the flight has come down
 *
 * What ACKs say comes a round trip after what was done: tern_bbr_acks keeps apart whose they are.
 */
enum {
    PROBE_RTT_MS = 200,   /* §5.3.4.3 */
    PROBE_WAIT_MS = 2000, /* and up to 1 s more (§5.3.3.8.2) */
    PROBE_WAIT_MORE_MS = 1000,
    UP_ROUNDS_MAX = 30, /* §5.3.3.9 */
};

/* ---- ProbeBW (§5.3.3.9) ---- */

/** PickProbeWait (§5.3.3.8.3). Only mixing is asked for: a hash of connection and time will do. */
static void pick_probe_wait(struct tern_bbr_step *s)
{
    const uint64_t words[] = {s->t->now_ns, tern_conn_idx(s->t, s->c), PROBE_WAIT_MORE_MS};
    const uint64_t random = tern_siphash13(s->t->keys.bbr, words, 3);
    s->b->probe_rounds = random & 1;
    s->b->wait_more_ms = (unsigned)((random >> 1) % PROBE_WAIT_MORE_MS) & 0x3ff;
}

static void start_down(struct tern_bbr_step *s)
{
    tern_bbr_reset_signals(s->b);
    pick_probe_wait(s);
    s->b->phase_ms = s->t->now_ms;
    s->b->ack_phase = TERN_BBR_ACKS_STOPPING;
    tern_bbr_start_round(s);
    s->b->state = TERN_BBR_DOWN;
}

void tern_bbr_start_refill(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    tern_bbr_reset_shortterm(b);
    b->up_rounds = 0;
    b->up_acked = 0;
    b->probe_precautionary = false;
    b->ack_phase = TERN_BBR_ACKS_REFILLING;
    tern_bbr_start_round(s);
    b->state = TERN_BBR_REFILL;
}

/** RaiseInflightLongtermSlope: 1, 2, 4 … segments more in successive rounds. */
static void raise_slope(struct tern_bbr *b)
{
    if (b->up_rounds < UP_ROUNDS_MAX)
        b->up_rounds++;
}

static void start_up(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    b->probe_sample = true;
    b->ack_phase = TERN_BBR_ACKS_STARTING;
    tern_bbr_start_round(s);
    tern_bbr_reset_full_bw(b);
    b->full_bw = s->bw;
    b->state = TERN_BBR_UP;
    raise_slope(b);
}

static bool is_time_to_probe(const struct tern_bbr_step *s)
{
    const struct tern_bbr *b = s->b;
    const uint32_t elapsed_ms = s->t->now_ms - b->phase_ms;
    const uint32_t reno_rounds = tern_bbr_target_inflight(s) / s->mss;
    return elapsed_ms > PROBE_WAIT_MS + (uint32_t)b->wait_more_ms
           || b->probe_rounds >= RTE_MIN(reno_rounds, (uint32_t)TERN_BBR_RENO_ROUNDS_MAX);
}

static bool is_time_to_cruise(const struct tern_bbr_step *s)
{
    return s->pipe_bytes <= tern_bbr_inflight_with_headroom(s)
           && s->pipe_bytes <= tern_bbr_inflight_at(s, tern_bbr_max_bw(s->b));
}

static bool is_time_to_go_down(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (b->probe_too_high && s->pipe_bytes >= b->inflight_longterm) {
        b->probe_precautionary = true;
        return true;
    }
    if (s->is_filled && s->c->cwnd_bytes >= b->inflight_longterm) {
        tern_bbr_reset_full_bw(b); /* it is longterm that limits; the path may have more */
        b->full_bw = s->bw;
        return false;
    }
    return b->full_bw_now;
}

/** ProbeInflightLongtermUpward */
static void probe_longterm(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (!s->is_filled || s->c->cwnd_bytes < b->inflight_longterm)
        return;
    const uint32_t per_segment = RTE_MAX(s->c->cwnd_bytes >> (b->up_rounds - 1), s->mss);
    b->up_acked += s->a->delivered_bytes;
    const uint64_t segs = b->up_acked / per_segment;
    b->up_acked %= per_segment;
    const uint64_t longterm = b->inflight_longterm + segs * s->mss;
    b->inflight_longterm = (uint32_t)RTE_MIN(longterm, (uint64_t)TERN_BBR_WINDOW_BYTES_MAX);
    if (s->round_start)
        raise_slope(b);
}

/** HandleInflightTooHigh (§5.5.10.2): once a probe. */
void tern_bbr_handle_too_high(struct tern_bbr_step *s, uint32_t pipe_bytes)
{
    struct tern_bbr *b = s->b;
    b->probe_too_high = true;
    b->probe_sample = false;
    if (!s->a->rate_limited)
        b->inflight_longterm =
            RTE_MAX(pipe_bytes, tern_bbr_percent(tern_bbr_target_inflight(s), TERN_BBR_BETA_PCT));
    if (b->state == TERN_BBR_UP) {
        b->undo_state = TERN_BBR_UP;
        start_down(s);
    }
}

/** One round after Up: its samples are in. @return true: the state has changed */
static bool probe_over(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    b->probe_sample = false;
    b->ack_phase = TERN_BBR_ACKS_INIT;
    if (!tern_bbr_is_in_probe_bw(b))
        return false;
    if (!s->a->rate_limited && b->max_bw[1] != 0) { /* AdvanceMaxBwFilter (§5.5.6) */
        b->max_bw[0] = b->max_bw[1];
        b->max_bw[1] = 0;
    }
    if (!b->probe_precautionary || b->probe_too_high)
        return false;
    tern_bbr_start_refill(s); /* what was too high last time is no more (§5.3.3.6) */
    return true;
}

/** AdaptLongTermModel. @return true: the state has changed */
static bool adapt_longterm(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (b->ack_phase == TERN_BBR_ACKS_STARTING && s->round_start)
        b->ack_phase = TERN_BBR_ACKS_FEEDBACK;
    if (b->ack_phase == TERN_BBR_ACKS_STOPPING && s->round_start && probe_over(s))
        return true;
    if (tern_bbr_is_too_high(s)) {
        const enum tern_bbr_state before = (enum tern_bbr_state)b->state;
        if (b->probe_sample)
            tern_bbr_handle_too_high(s, s->a->sent_pipe_bytes);
        return b->state != before;
    }
    if (b->inflight_longterm == tern_bbr_unknown)
        return false;
    b->inflight_longterm = RTE_MAX(b->inflight_longterm, s->a->sent_pipe_bytes);
    if (b->state == TERN_BBR_UP)
        probe_longterm(s);
    return false;
}

/** UpdateProbeBWCyclePhase */
void tern_bbr_update_cycle(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (!b->full_bw_reached || adapt_longterm(s) || !tern_bbr_is_in_probe_bw(b))
        return;
    if (b->state == TERN_BBR_REFILL) {
        if (s->round_start) /* one round of it */
            start_up(s);
    } else if (b->state == TERN_BBR_UP) {
        if (is_time_to_go_down(s)) {
            b->probe_too_high = false;
            start_down(s);
        }
    } else if (is_time_to_probe(s)) {
        tern_bbr_start_refill(s);
    } else if (b->state == TERN_BBR_DOWN && is_time_to_cruise(s)) {
        b->state = TERN_BBR_CRUISE;
    }
}

/* ---- Startup and Drain ---- */

/** CheckStartupHighLoss (§5.3.1.3) */
static bool loses_much(const struct tern_bbr_step *s)
{
    const struct tern_txq *q = tern_conn_txq(s->t, s->c);
    if (q == NULL || !(q->flags & TERN_TXQ_FAST))
        return false;
    if (!(s->c->flags & TERN_CF_SACK))
        return s->lost_bytes > 0;
    return s->loss_round_start && s->b->loss_events >= TERN_BBR_STARTUP_LOSSES
           && tern_bbr_is_too_high(s);
}

/** CheckStartupDone */
void tern_bbr_check_startup_done(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (b->state != TERN_BBR_STARTUP)
        return;
    if (loses_much(s)) {
        b->undo_state = TERN_BBR_STARTUP;
        b->full_bw_reached = true;
        b->inflight_longterm = RTE_MAX(tern_bbr_bdp(s, tern_bbr_bw(b), 100), b->inflight_latest);
    }
    if (!b->full_bw_reached)
        return;
    b->state = TERN_BBR_DRAIN;
    b->drain_rounds = 0;
}

/** CheckDrainDone (§5.3.2) */
void tern_bbr_check_drain_done(struct tern_bbr_step *s)
{
    const struct tern_bbr *b = s->b;
    if (b->state != TERN_BBR_DRAIN)
        return;
    if (s->pipe_bytes <= tern_bbr_inflight_at(s, tern_bbr_bw(b))
        || b->drain_rounds > TERN_BBR_DRAIN_ROUNDS_MAX)
        start_down(s);
}

/* ---- ProbeRTT ---- */

/** SaveCwnd (§5.6.4.4) */
void tern_bbr_save_cwnd(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    const bool is_good = !b->in_recovery && b->state != TERN_BBR_PROBE_RTT;
    b->prior_cwnd = is_good ? s->c->cwnd_bytes : RTE_MAX(b->prior_cwnd, s->c->cwnd_bytes);
}

void tern_bbr_restore_cwnd(struct tern_bbr_step *s)
{
    s->c->cwnd_bytes = RTE_MAX(s->c->cwnd_bytes, s->b->prior_cwnd);
}

uint32_t tern_bbr_probe_rtt_cwnd(const struct tern_bbr_step *s)
{
    return RTE_MAX(tern_bbr_bdp(s, tern_bbr_bw(s->b), tern_bbr_gains[TERN_BBR_PROBE_RTT].cwnd_pct),
        tern_bbr_min_pipe(s));
}

/** ExitProbeRTT (§5.3.4.4) */
static void exit_probe_rtt(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    b->probe_rtt_ms = s->t->now_ms; /* the next one is 5 s away */
    tern_bbr_restore_cwnd(s);
    tern_bbr_reset_shortterm(b);
    if (b->full_bw_reached) {
        start_down(s);
        b->state = TERN_BBR_CRUISE; /* there is no queue to drain */
    } else {
        b->state = TERN_BBR_STARTUP;
    }
}

void tern_bbr_check_probe_rtt_done(struct tern_bbr_step *s)
{
    const uint32_t left_ms = s->b->phase_ms - s->t->now_ms; /* more than there was: it is past */
    if (s->b->is_probe_rtt_timed && left_ms > PROBE_RTT_MS)
        exit_probe_rtt(s);
}

/** HandleProbeRTT (§5.3.4.3) */
static void handle_probe_rtt(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    s->g->limited_end = s->c->snd.nxt; /* these samples say nothing of the bottleneck */
    if (!b->is_probe_rtt_timed) {
        if (s->pipe_bytes > tern_bbr_probe_rtt_cwnd(s))
            return;
        b->is_probe_rtt_timed = true;
        b->is_probe_rtt_round_done = false;
        b->phase_ms = s->t->now_ms + PROBE_RTT_MS;
        tern_bbr_start_round(s);
        return;
    }
    if (s->round_start)
        b->is_probe_rtt_round_done = true;
    if (b->is_probe_rtt_round_done)
        tern_bbr_check_probe_rtt_done(s);
}

/** CheckProbeRTT (§5.3.4.3) */
void tern_bbr_check_probe_rtt(struct tern_bbr_step *s)
{
    struct tern_bbr *b = s->b;
    if (b->state != TERN_BBR_PROBE_RTT && s->probe_rtt_expired && !b->idle_restart) {
        tern_bbr_save_cwnd(s);
        b->state = TERN_BBR_PROBE_RTT;
        b->is_probe_rtt_timed = false;
        b->ack_phase = TERN_BBR_ACKS_STOPPING;
        tern_bbr_start_round(s);
    }
    if (b->state == TERN_BBR_PROBE_RTT)
        handle_probe_rtt(s);
    if (s->a->rate_bytes > 0)
        b->idle_restart = false;
}
