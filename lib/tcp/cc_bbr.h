/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * BBR, what its three files share. "The draft" is draft-ietf-ccwg-bbr-06; functions here are named
 * after its own, which their comments give.
 *
 *   cc_bbr_model.c    what is known of the path, and what follows for rate and flight
 *   cc_bbr_states.c   Startup, Drain, ProbeBW, ProbeRTT: how it gets to be known
 *   cc_bbr.c          the events, and what they make of pacing and cwnd; the essay
 *
 * Calls go from the last to the first.
 */
#include "cc.h"

#include <rte_common.h>

enum {
    TERN_BBR_MIN_PIPE_SEGS = 4,    /* §5.6.4.3 */
    TERN_BBR_BETA_PCT = 70,        /* §5.5.10 */
    TERN_BBR_STARTUP_LOSSES = 6,   /* §5.3.1.3 */
    TERN_BBR_DRAIN_ROUNDS_MAX = 3, /* §5.3.2 */
    TERN_BBR_RENO_ROUNDS_MAX = 63, /* §5.3.3.8.2 */
    TERN_BBR_WINDOW_BYTES_MAX = 1 << 30,
    TERN_BBR_BW_SHIFT = 4, /* rates are kept in 16 bytes a second: up to 550 Gbit/s */
};

/** "Infinity" of the draft: no bound, or never seen. */
static const uint32_t tern_bbr_unknown = UINT32_MAX;
static const uint64_t tern_bbr_us_per_s = 1000000;

enum tern_bbr_state {
    TERN_BBR_STARTUP,
    TERN_BBR_DRAIN,
    TERN_BBR_DOWN, /* ProbeBW, from here … */
    TERN_BBR_CRUISE,
    TERN_BBR_REFILL,
    TERN_BBR_UP, /* … to here */
    TERN_BBR_PROBE_RTT,
};

enum { TERN_BBR_UNDO_NONE = TERN_BBR_DRAIN }; /* a state that no loss ends */

/** Where the ACKs that come belong in a probe for bandwidth (§5.3.3.9). */
enum tern_bbr_acks {
    TERN_BBR_ACKS_INIT,
    TERN_BBR_ACKS_REFILLING,
    TERN_BBR_ACKS_STARTING,
    TERN_BBR_ACKS_FEEDBACK,
    TERN_BBR_ACKS_STOPPING,
};

/** §5.6.1 */
static const struct tern_bbr_gains {
    uint32_t pacing_pct, cwnd_pct;
} tern_bbr_gains[] = {
    [TERN_BBR_STARTUP] = {277, 200},
    [TERN_BBR_DRAIN] = {50, 200},
    [TERN_BBR_DOWN] = {90, 200},
    [TERN_BBR_CRUISE] = {100, 200},
    [TERN_BBR_REFILL] = {100, 200},
    [TERN_BBR_UP] = {125, 225},
    [TERN_BBR_PROBE_RTT] = {100, 50},
};

/** Rates in 16 bytes a second, volumes in bytes; or tern_bbr_unknown. */
struct tern_bbr {
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
    unsigned state : 3;                                 /* enum tern_bbr_state */
    unsigned undo_state : 3; /* what a loss ended: UP, STARTUP, or TERN_BBR_UNDO_NONE */
    unsigned ack_phase : 3;  /* enum tern_bbr_acks */
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
static_assert(sizeof(struct tern_bbr) <= sizeof(struct tern_bbr_room), "BBR fits the path record");

/** One event, with what is derived from it once. */
struct tern_bbr_step {
    struct tern_tcp *t;
    struct tern_conn *c;
    struct tern_cong *g;
    struct tern_bbr *b;
    const struct tern_ack *a;
    uint32_t mss, pipe_bytes;
    uint32_t bw;         /* RS.delivery_rate; 0: no sample */
    uint32_t lost_bytes; /* since the last event */
    bool round_start, loss_round_start, is_filled, probe_rtt_expired;
};

/* ---- cc_bbr_model.c: what follows from it ---- */

/** max_bw: the fastest delivery of two cycles. */
uint32_t tern_bbr_max_bw(const struct tern_bbr *b);
/** bw: max_bw, as far as the losses of late allow. */
uint32_t tern_bbr_bw(const struct tern_bbr *b);
/** What fills the path at the rate given, times a gain. */
uint32_t tern_bbr_bdp(const struct tern_bbr_step *s, uint32_t bw, uint32_t gain_pct);
/** `cap`, and what sending in bursts needs at least. */
uint32_t tern_bbr_quantized(const struct tern_bbr_step *s, uint32_t cap);
uint32_t tern_bbr_inflight_at(const struct tern_bbr_step *s, uint32_t bw);
uint32_t tern_bbr_inflight_with_headroom(const struct tern_bbr_step *s);
uint32_t tern_bbr_target_inflight(const struct tern_bbr_step *s);
/** Of what was in flight with the newest segment that arrived too much was lost. */
bool tern_bbr_is_too_high(const struct tern_bbr_step *s);

/* ---- cc_bbr_model.c: what it learns, in this order for each ACK ---- */

void tern_bbr_note_losses(struct tern_bbr_step *s);
void tern_bbr_update_rounds(struct tern_bbr_step *s);
void tern_bbr_update_congestion(struct tern_bbr_step *s);
void tern_bbr_update_aggregation(struct tern_bbr_step *s);
void tern_bbr_check_full_bw(struct tern_bbr_step *s);
void tern_bbr_update_min_rtt(struct tern_bbr_step *s);
/** When the states have had their say. */
void tern_bbr_advance_latest(struct tern_bbr_step *s);

/* ---- cc_bbr_model.c: what it forgets ---- */

void tern_bbr_reset_signals(struct tern_bbr *b);
void tern_bbr_reset_shortterm(struct tern_bbr *b);
void tern_bbr_reset_full_bw(struct tern_bbr *b);
/** A loss outside of an ACK. */
void tern_bbr_note_loss(struct tern_bbr_step *s);

/* ---- cc_bbr_states.c ---- */

void tern_bbr_check_startup_done(struct tern_bbr_step *s);
void tern_bbr_check_drain_done(struct tern_bbr_step *s);
void tern_bbr_update_cycle(struct tern_bbr_step *s);
void tern_bbr_check_probe_rtt(struct tern_bbr_step *s);
/** Back from ProbeRTT when its time is over. */
void tern_bbr_check_probe_rtt_done(struct tern_bbr_step *s);
uint32_t tern_bbr_probe_rtt_cwnd(const struct tern_bbr_step *s);
/** `pipe_bytes` were too much for the path. */
void tern_bbr_handle_too_high(struct tern_bbr_step *s, uint32_t pipe_bytes);
/** Fill the pipe for another probe. */
void tern_bbr_start_refill(struct tern_bbr_step *s);
/** cwnd before a recovery or ProbeRTT, and back to it. */
void tern_bbr_save_cwnd(struct tern_bbr_step *s);
void tern_bbr_restore_cwnd(struct tern_bbr_step *s);

/* ---- small things ---- */

static inline uint32_t tern_bbr_clamped(uint64_t v)
{
    return (uint32_t)RTE_MIN(v, (uint64_t)(UINT32_MAX - 1)); /* never tern_bbr_unknown */
}

static inline uint32_t tern_bbr_percent(uint64_t v, uint32_t pct)
{
    return tern_bbr_clamped(v * pct / 100);
}

static inline bool tern_bbr_is_in_probe_bw(const struct tern_bbr *b)
{
    return b->state >= TERN_BBR_DOWN && b->state <= TERN_BBR_UP;
}

static inline void tern_bbr_start_round(struct tern_bbr_step *s)
{
    s->b->round_delivered = s->g->delivered_bytes;
}

static inline uint32_t tern_bbr_min_pipe(const struct tern_bbr_step *s)
{
    return TERN_BBR_MIN_PIPE_SEGS * s->mss;
}
