/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * Congestion control, what all algorithms share: the windows to start and to start again with, slow
 * start, the linear increase, and the doors through which ACKs and losses come.
 *
 * The window grows only on ACKs of data that it had limited (RFC 7661 §4.2): what an application
 * never sent proves nothing about the path. So cwnd stays near what was in flight, and may stand
 * for it when it is reduced (tern_cc_flight).
 *
 * Most connections never lose a segment and live without a struct tern_cong. For them all this is
 * one addition in slow start. The first loss makes the record; where none is left the connection
 * goes on with one segment at a time (TERN_SLOW_BARE) and asks again on every ACK.
 */
#include "host.h"

#include <rte_common.h>

#include <errno.h>
#include <string.h>

enum {
    CWND_BYTES_MAX = 1 << 30, /* the widest window that can be announced (RFC 7323 §2.3) */
    ABC_SEGS = 2,             /* L of RFC 3465 §2.3 */
    ABC_SEGS_RTO = 1,         /* … in slow start after a timeout */
};

/* MAY-18 */
static const struct tern_cc *const algorithms[TERN_CC_COUNT] = {
    [TERN_CC_CUBIC] = &tern_cc_cubic,
    [TERN_CC_NEWRENO] = &tern_cc_newreno,
    [TERN_CC_BBR] = &tern_cc_bbr,
    [TERN_CC_DCTCP] = &tern_cc_dctcp,
};

const struct tern_cc *tern_conn_cc(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_cong *g = tern_conn_cong(t, c);
    return algorithms[g != NULL ? g->cc : t->cfg.cc];
}

/* ---- the record ---- */

static struct tern_cong *make_cong(struct tern_tcp *t, struct tern_conn *c)
{
    c->cong = tern_host_cong_new(t);
    if (c->cong == 0)
        return NULL;
    struct tern_cong *g = &t->congs[c->cong];
    g->ssthresh_bytes = UINT32_MAX;
    g->cc = (uint8_t)t->cfg.cc;
    g->limited_end = g->cwr_end = g->reo_seq = c->snd.una;
    g->min_rtt_us = c->srtt_us8 / 8; /* until something smaller is seen */
    g->min_rtt_ms = t->now_ms;
    if (t->cfg.pacing)
        g->flags |= TERN_CG_PACED;
    c->slow &= (uint8_t)~TERN_SLOW_BARE;
    algorithms[g->cc]->start(t, c, g);
    return g;
}

struct tern_cong *tern_conn_cong_need(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (likely(g != NULL))
        return g;
    return make_cong(t, c);
}

int tern_cc_set(struct tern_tcp *t, struct tern_conn *c, enum tern_cc_kind kind)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL && kind == t->cfg.cc)
        return 0;
    if (g == NULL && (g = make_cong(t, c)) == NULL)
        return -ENOBUFS;
    /* What the path carried so far bounds the slow start of the successor. */
    if (algorithms[g->cc]->owns_window && g->ssthresh_bytes == UINT32_MAX)
        g->ssthresh_bytes = RTE_MAX(c->cwnd_bytes, 2 * tern_conn_payload_max(t, c));
    c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, tern_cc_initial_window(t, c));
    g->cc = (uint8_t)kind;
    g->acked_bytes = 0;
    memset(&g->bbr, 0, sizeof g->bbr);
    algorithms[kind]->start(t, c, g);
    return 0;
}

/* ---- windows ---- */

uint32_t tern_cc_initial_window(const struct tern_tcp *t, const struct tern_conn *c)
{
    return tern_cc_initial(t, tern_conn_payload_max(t, c));
}

void tern_cc_open(struct tern_tcp *t, struct tern_conn *c)
{
    const uint32_t syns_lost = c->backoff & 0xf;
    if (syns_lost > 1) /* RFC 6928 §2 (6928-2) */
        c->cwnd_bytes = tern_conn_payload_max(t, c);
    else
        c->cwnd_bytes = tern_cc_initial_window(t, c);
    if (c->cong == 0 && (t->cfg.pacing || tern_conn_cc(t, c)->wants_cong))
        make_cong(t, c);   /* without one: slow start like everybody, unpaced */
    else if (c->cong != 0) /* made with the SYN, before there was a window */
        tern_conn_cc(t, c)->start(t, c, &t->congs[c->cong]);
}

bool tern_cc_opens_plainly(const struct tern_tcp *t)
{
    return !t->cfg.pacing && !algorithms[t->cfg.cc]->wants_cong;
}

void tern_cc_restart(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    const struct tern_cc *cc = tern_conn_cc(t, c);
    if (g == NULL || !cc->owns_window) {
        const uint32_t used = c->cwnd_bytes / 4 * 3;
        if (g != NULL) /* RFC 7661 §4.4.3: it was in use, so slow start may lead there again */
            g->ssthresh_bytes = RTE_MAX(g->ssthresh_bytes, used);
        /* RFC 5681 §4.1 (5681-8): RW = min(IW, cwnd) */
        c->cwnd_bytes = RTE_MIN(c->cwnd_bytes, tern_cc_initial_window(t, c));
    }
    if (g != NULL)
        cc->restarted(t, c, g);
}

uint32_t tern_cc_flight(const struct tern_tcp *t, const struct tern_conn *c)
{
    /* A window that was filled was all in flight, even if the ACK at hand took much of it. */
    const struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL && (q->flags & TERN_TXQ_FILLED))
        return c->cwnd_bytes;
    /* Limited transmit goes beyond cwnd and must not count (RFC 5681 §3.2 step 2). */
    return RTE_MIN(tern_seq_span(c->snd.una, c->snd.nxt), c->cwnd_bytes);
}

/* ---- growth ---- */

void tern_cc_grow(struct tern_conn *c, uint64_t n_bytes)
{
    const uint64_t grown = c->cwnd_bytes + n_bytes;
    c->cwnd_bytes = (uint32_t)RTE_MIN(grown, (uint64_t)CWND_BYTES_MAX);
}

uint32_t tern_cc_slow_start(
    const struct tern_tcp *t, struct tern_conn *c, uint32_t ssthresh_bytes, uint32_t acked_bytes)
{
    if (c->cwnd_bytes >= ssthresh_bytes)
        return acked_bytes;
    const struct tern_txq *q = tern_conn_txq(t, c);
    const bool after_rto = q != NULL && (q->flags & TERN_TXQ_RTO);
    const uint32_t segs = after_rto ? ABC_SEGS_RTO : ABC_SEGS; /* RFC 3465 §2.3 (5681-2, MUST-19) */
    const uint32_t step = RTE_MIN(acked_bytes, segs * tern_conn_payload_max(t, c));
    const uint32_t room = ssthresh_bytes - c->cwnd_bytes;
    tern_cc_grow(c, RTE_MIN(step, room));
    return step > room ? step - room : 0;
}

void tern_cc_linear(
    const struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, uint32_t acked_bytes)
{
    /* RFC 5681 §3.1 (5681-3, MUST-19): an ACK adds one MSS at most, a window of them one in all. */
    g->acked_bytes += RTE_MIN(acked_bytes, c->cwnd_bytes);
    if (g->acked_bytes < c->cwnd_bytes)
        return;
    g->acked_bytes -= c->cwnd_bytes;
    tern_cc_grow(c, tern_conn_payload_max(t, c));
}

/* ---- events ---- */

/** RFC 7661 §4.2: the window was put to use; RFC 3168 §6.1.2: and this ACK reports no congestion.
 */
static bool may_grow(const struct tern_tcp *t, const struct tern_conn *c, const struct tern_ack *a)
{
    const struct tern_txq *q = tern_conn_txq(t, c);
    const bool recovering = q != NULL && (q->flags & TERN_TXQ_FAST); /* PRR's */
    return a->was_filled && !a->ece && !recovering;
}

static void drag(struct tern_seq *mark, struct tern_seq una)
{
    if (tern_seq_before(*mark, una))
        *mark = una;
}

/** Marks that SND.UNA has passed go with it: left 2^31 behind they would seem to lie ahead. */
static void drag_marks(const struct tern_conn *c, struct tern_cong *g)
{
    drag(&g->limited_end, c->snd.una);
    drag(&g->cwr_end, c->snd.una);
    drag(&g->reo_seq, c->snd.una);
}

void tern_cc_acked(struct tern_tcp *t, struct tern_conn *c, const struct tern_ack *a)
{
    if (unlikely(c->slow & TERN_SLOW_BARE) && tern_conn_cong_need(t, c) == NULL) {
        c->cwnd_bytes = tern_conn_payload_max(t, c);
        return;
    }
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL) {
        if (may_grow(t, c, a))
            tern_cc_slow_start(t, c, UINT32_MAX, a->acked_bytes);
        return;
    }
    const struct tern_cc *cc = algorithms[g->cc];
    drag_marks(c, g);
    if (cc->seen != NULL)
        cc->seen(t, c, g, a);
    if (a->delivered_bytes > 0 && (cc->owns_window || may_grow(t, c, a)))
        cc->acked(t, c, g, a);
}

uint32_t tern_cc_reduce(struct tern_tcp *t, struct tern_conn *c, enum tern_cc_cause cause)
{
    const uint32_t mss = tern_conn_payload_max(t, c);
    struct tern_cong *g = tern_conn_cong_need(t, c);
    if (g == NULL) { /* nothing to remember ssthresh in: one segment is always within the rules */
        t->stats.cong_full += !(c->slow & TERN_SLOW_BARE);
        c->slow |= TERN_SLOW_BARE;
        c->cwnd_bytes = mss;
        return 2 * mss;
    }
    const uint32_t ssthresh = algorithms[g->cc]->reduced(t, c, g, cause);
    g->ssthresh_bytes = RTE_MAX(ssthresh, 2 * mss); /* RFC 5681 §3.1 (4) */
    g->acked_bytes = 0;
    return g->ssthresh_bytes;
}
