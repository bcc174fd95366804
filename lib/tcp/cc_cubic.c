/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * CUBIC (RFC 9438): after a loss at W_max the window goes to 0.7 W_max and back along a cubic of
 * the time since: fast at first, flat around W_max, faster and faster beyond it. Not of round
 * trips, so flows with long ones are not at a disadvantage.
 *
 *   W(t) = C (t - K)^3 + W_max,  C = 0.4 MSS/s^3,  K = cbrt((W_max - cwnd) / C)
 *
 *              loss               .'
 *   W_max   ----|----------....--'
 *             .'|     ..'
 *           .'  |  .'               t = 0 at the first ACK after recovery, W(0) = 0.7 W_max
 *               |.'                 t = K where it is back at W_max
 *
 * Where Reno would be faster (short round trips, small windows) cwnd is at least W_est, what Reno
 * would have. Integers only: ms and bytes; K is right to 1 ms, W to MSS/1000. Time in which the
 * window was not put to use does not count: the epoch's start moves on with every pause (§4.2,
 * §5.8). HyStart++ (§4.10, RFC 9406) is not here: it would end the first slow start, in which there
 * is no record to remember round trips in.
 */
#include "cbrt.h"

#include <rte_common.h>

enum {
    BETA_PCT = 70,             /* §4.6 (9438-1) */
    FAST_CONVERGENCE_PCT = 85, /* (1 + beta) / 2, §4.7 */
    ALPHA_NUM = 9,             /* 3 (1 - beta) / (1 + beta) = 9/17, §4.3 */
    ALPHA_DEN = 17,
    C_NUM = 4, /* C = 0.4, §5 */
    C_DEN = 10,
    T_MAX_MS = 1 << 20, /* from K; C · (1000 s)^3 is beyond any window, and its cube below 2^63 */
    W_MAX_BYTES = 1 << 30,
    MS3_PER_UNIT = 1000000, /* cubes are carried in 10^6 ms^3 = 10^-3 s^3 … */
    UNITS_PER_S3 = 1000,    /* … so that they fit 64 bits when multiplied */
};

/* ---- the curve ---- */

/** The seconds until C t^3 makes up for `deficit_bytes`, in ms (§4.2 figure 2). */
static uint32_t k_of(uint32_t deficit_bytes, uint32_t mss)
{
    const uint64_t ms3_per_s3 = 1000000000;
    return tern_cbrt(deficit_bytes * (ms3_per_s3 * C_DEN / C_NUM) / mss);
}

/** W_cubic(t) (§4.2 figure 1) (9438-2) */
static uint32_t curve_at(const struct tern_cubic_curve *e, uint64_t t_ms, uint32_t mss)
{
    const int64_t from_k = (int64_t)t_ms - e->k_ms;
    const int64_t d = RTE_MAX(RTE_MIN(from_k, (int64_t)T_MAX_MS), -(int64_t)T_MAX_MS);
    const int64_t cube = d * d * d / MS3_PER_UNIT;
    const int64_t w = e->w_max_bytes + cube * C_NUM * mss / (C_DEN * UNITS_PER_S3);
    return (uint32_t)RTE_MAX(RTE_MIN(w, (int64_t)W_MAX_BYTES), (int64_t)0);
}

/** A new stretch of congestion avoidance (§4.2, §4.8: without a loss before it, W_max = cwnd). */
static void begin_epoch(
    const struct tern_tcp *t, const struct tern_conn *c, struct tern_cubic_curve *e, uint32_t mss)
{
    e->in_epoch = true;
    e->epoch_ms = t->now_ms;
    e->w_max_bytes = RTE_MAX(e->w_max_bytes, c->cwnd_bytes);
    e->k_ms = k_of(e->w_max_bytes - c->cwnd_bytes, mss);
    e->est_bytes = c->cwnd_bytes;
    e->est_acked = 0;
}

/* ---- growing ---- */

/** W_est += alpha · acked / cwnd, in MSS; alpha is 1 once it is back where it was (§4.3) (9438-3).
 */
static void grow_estimate(
    const struct tern_conn *c, struct tern_cubic_curve *e, uint32_t mss, uint32_t acked_bytes)
{
    const bool back = e->est_bytes >= e->prior_bytes;
    const uint64_t num = (uint64_t)mss * (back ? 1 : ALPHA_NUM);
    const uint64_t den = (uint64_t)c->cwnd_bytes * (back ? 1 : ALPHA_DEN);
    const uint64_t grown = (e->est_acked + (uint64_t)acked_bytes) * num;
    e->est_bytes = (uint32_t)RTE_MIN(e->est_bytes + grown / den, (uint64_t)W_MAX_BYTES);
    e->est_acked = (uint32_t)(grown % den / num);
}

/** cwnd += (target - cwnd) / cwnd for each segment acknowledged (§4.4, §4.5). */
static void grow_to(
    struct tern_conn *c, struct tern_cong *g, uint32_t target_bytes, uint32_t acked_bytes)
{
    const uint64_t cwnd = c->cwnd_bytes;
    /* cwnd <= target <= 1.5 cwnd (§4.2) */
    const uint64_t gap = RTE_MAX(RTE_MIN((uint64_t)target_bytes, cwnd + cwnd / 2), cwnd) - cwnd;
    if (gap == 0)
        return;
    const uint64_t grown = (g->acked_bytes + (uint64_t)acked_bytes) * gap;
    tern_cc_grow(c, grown / cwnd);
    g->acked_bytes = (uint32_t)(grown % cwnd / gap);
}

static void avoid_congestion(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, uint32_t acked_bytes)
{
    struct tern_cubic_curve *e = &g->cubic.now;
    const uint32_t mss = tern_conn_payload_max(t, c);
    if (!e->in_epoch)
        begin_epoch(t, c, e, mss);
    const uint32_t t_ms = t->now_ms - e->epoch_ms;
    const uint32_t rtt_ms = c->srtt_us8 / 8 / 1000;
    grow_estimate(c, e, mss, acked_bytes);
    if (curve_at(e, t_ms, mss) < e->est_bytes) /* §4.3: Reno-friendly */
        c->cwnd_bytes = RTE_MAX(c->cwnd_bytes, e->est_bytes);
    else
        grow_to(c, g, curve_at(e, (uint64_t)t_ms + rtt_ms, mss), acked_bytes);
}

/* ---- events ---- */

static void start(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    (void)c;
    g->cubic = (struct tern_cubic){.seen_ms = t->now_ms};
}

/** The clock of the epoch runs while the window is in use: an ACK comes within a round trip then.
 */
static void seen(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    struct tern_cubic *cu = &g->cubic;
    const uint32_t gap_ms = t->now_ms - cu->seen_ms;
    const uint32_t rtt_ms = c->srtt_us8 / 8 / 1000 + 1;
    const uint32_t used_ms = a->was_filled ? RTE_MIN(gap_ms, rtt_ms) : 0;
    cu->seen_ms = t->now_ms;
    if (cu->now.in_epoch)
        cu->now.epoch_ms += gap_ms - used_ms;
}

static void acked(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    const uint32_t beyond = tern_cc_slow_start(t, c, g->ssthresh_bytes, a->acked_bytes);
    if (beyond > 0)
        avoid_congestion(t, c, g, beyond);
}

static uint32_t percent(uint32_t bytes, uint32_t pct)
{
    return (uint32_t)((uint64_t)bytes * pct / 100);
}

static uint32_t reduced(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, enum tern_cc_cause cause)
{
    const uint32_t w = tern_cc_flight(t, c);
    struct tern_cubic *cu = &g->cubic;
    cu->before = cu->now;
    struct tern_cubic_curve *e = &cu->now;
    e->in_epoch = false;
    e->prior_bytes = w;
    if (cause
        == TERN_CAUSE_TIMEOUT) /* §4.8 (9438-5): K = 0 and W_max = cwnd when slow start ends */
        e->w_max_bytes = 0;
    else if (w < e->w_max_bytes) /* §4.7 (9438-4): others came; leave them more room */
        e->w_max_bytes = percent(w, FAST_CONVERGENCE_PCT);
    else
        e->w_max_bytes = w;
    return percent(w, BETA_PCT); /* §4.6 (9438-1) */
}

static void undone(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    (void)t;
    (void)c;
    g->cubic.now = g->cubic.before; /* §4.9 */
}

static void restarted(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    (void)c;
    g->cubic.now.in_epoch = false; /* from the restart window the curve starts anew */
    g->cubic.seen_ms = t->now_ms;
}

const struct tern_cc tern_cc_cubic = {
    .name = "cubic",
    .start = start,
    .seen = seen,
    .acked = acked,
    .reduced = reduced,
    .undone = undone,
    .restarted = restarted,
};
