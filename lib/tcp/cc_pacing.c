/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * Pacing: a window leaves spread over its round trip, not in a burst.
 *
 * tern_cong.pace_ns is when the segments sent so far will have had their time at the pacing rate.
 * Output may run ahead of it by a stride, then waits (TERN_CG_PACE_WAIT) until the clock has caught
 * up; and it may lag behind by about as much, which makes up for timers that fire late. So what
 * leaves on average is the rate, exactly, and what leaves at once, after a pause, is two strides:
 * 1 ms of sending, or two segments where those take longer, or what the timer's tick demands.
 *
 *   |<-lag->|<-ahead->|            |<-ahead->|
 *   ###################............##########...........##########   sent
 *           now       wait ......  pace_ns: on
 */
#include <rte_common.h>

enum {
    STRIDE_NS = 500000,
    STRIDE_BYTES = 32 * 1024, /* half of a quantum of draft-ietf-ccwg-bbr-06 §5.6.3 */
    TICK_NS = 1 << TERN_TICK_SHIFT,
    LAG_TICKS = 2, /* a timer is late by one tick at most, a worker by the burst it is in */
    GAIN_SLOW_START_PCT = 200, /* or the window could not double within a round trip */
    GAIN_AVOIDANCE_PCT = 125,  /* so that cwnd, not pacing, is what limits */
    RTT_SCALE = 8,             /* of tern_conn.srtt_us8 */
};

static const uint64_t us_per_s = 1000000, ns_per_s = 1000000000;

/** cwnd a round trip, with a gain. 0: no round trip has been measured. */
static uint64_t window_rate(const struct tern_conn *c, const struct tern_cong *g)
{
    if (c->rttvar_us4 == 0 || c->srtt_us8 == 0)
        return 0;
    const bool slow_start = c->cwnd_bytes < g->ssthresh_bytes;
    const uint64_t gain_pct = slow_start ? GAIN_SLOW_START_PCT : GAIN_AVOIDANCE_PCT;
    /* 2^30 bytes × 8·10^6 × 2: below 2^55 */
    return c->cwnd_bytes * us_per_s * RTT_SCALE / 100 * gain_pct / c->srtt_us8;
}

uint64_t tern_cc_pacing_rate(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL)
        return 0;
    const struct tern_cc *cc = tern_conn_cc(t, c);
    if (!cc->paces && !(g->flags & TERN_CG_PACED))
        return 0;
    uint64_t rate = cc->pacing_rate != NULL ? cc->pacing_rate(t, c, g) : 0;
    if (rate == 0)
        rate = window_rate(c, g);
    /* Never slower than a segment a second: an estimate gone wrong must not silence us. */
    return rate != 0 ? RTE_MAX(rate, (uint64_t)c->mss_bytes) : 0;
}

/** The time that `n_bytes` take at `rate`, to the nearest ns: 0.4 % of a segment at 100 Gbit/s. */
static uint64_t span_ns(uint64_t n_bytes, uint64_t rate)
{
    return (n_bytes * ns_per_s + rate / 2) / rate;
}

static uint64_t stride_ns(const struct tern_conn *c, uint64_t rate)
{
    const uint64_t big = RTE_MIN(span_ns(STRIDE_BYTES, rate), (uint64_t)STRIDE_NS);
    return RTE_MAX(RTE_MAX(big, span_ns(c->mss_bytes, rate)), (uint64_t)TICK_NS);
}

bool tern_cc_may_send_now(struct tern_tcp *t, struct tern_conn *c)
{
    const uint64_t rate = tern_cc_pacing_rate(t, c);
    if (rate == 0)
        return true;
    struct tern_cong *g = &t->congs[c->cong];
    if ((g->flags & TERN_CG_PACE_WAIT) && t->now_ns < g->pace_ns)
        return false;
    g->flags &= (uint8_t)~TERN_CG_PACE_WAIT;
    const uint64_t stride = stride_ns(c, rate);
    const uint64_t lag = RTE_MAX(stride, (uint64_t)LAG_TICKS * TICK_NS);
    g->pace_ns = RTE_MAX(g->pace_ns, t->now_ns - RTE_MIN(lag, t->now_ns));
    if (g->pace_ns < t->now_ns + stride)
        return true;
    g->flags |= TERN_CG_PACE_WAIT;
    t->stats.paced++;
    return false;
}

void tern_cc_sent(struct tern_tcp *t, struct tern_conn *c, uint32_t n_bytes)
{
    const uint64_t rate = tern_cc_pacing_rate(t, c);
    if (rate != 0)
        t->congs[c->cong].pace_ns += span_ns(n_bytes, rate);
}
