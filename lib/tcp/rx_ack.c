/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * An acceptable ACK (RFC 9293 §3.10.7.4, fifth): SACK blocks and SND.UNA move the scoreboard, the
 * buffers go, the round-trip estimate learns (RFC 6298), losses and congestion control are told,
 * the window is taken over, and our FIN's acknowledgement moves the state.
 */
#include "flight.h"
#include "host.h"
#include "pmtu.h"
#include "recovery.h"
#include "sendq.h"

/* ---- SACK ---- */

/** RFC 2883 §4: the first block lies below the ACK, or inside of the second block. */
static bool is_dsack(const struct tern_seg *seg)
{
    const struct tern_tcp_opts *o = &seg->opts;
    const struct tern_sack_block *b = o->sack;
    if (!tern_seq_before(seg->p.ack, b[0].right))
        return true;
    return o->n_sack > 1 && !tern_seq_before(b[0].left, b[1].left)
           && !tern_seq_before(b[1].right, b[0].right);
}

static void take_dsack(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_sack_block *b, struct tern_ack *a)
{
    t->stats.dsack_rcvd++;
    a->is_dsack = true;
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g != NULL && !tern_seq_before(b->left, g->undo_una)) {
        const uint32_t mss = tern_conn_payload_max(t, c);
        const uint32_t segs = (tern_seq_span(b->left, b->right) + mss - 1) / mss;
        g->undo_segs -= RTE_MIN(segs, g->undo_segs);
    }
    tern_rack_dsack(t, c);
}

/** All has been acknowledged already: a duplicate can still tell that a reduction was for nothing.
 */
static void take_late_dsack(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    struct tern_ack a = {0};
    if (seg->opts.n_sack == 0 || !is_dsack(seg))
        return;
    take_dsack(t, c, &seg->opts.sack[0], &a);
    tern_recovery_undo_late(t, c);
}

/** V007, V008: The blocks say something only of [SND.UNA, SND.NXT) (RFC 2018 §5); others are
 * refused. */
static void take_sack(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    const struct tern_seg *seg, struct tern_ack *a, struct tern_delivered *d)
{
    const struct tern_tcp_opts *o = &seg->opts;
    uint8_t i = 0;
    if (is_dsack(seg))
        take_dsack(t, c, &o->sack[i++], a);
    for (; i < o->n_sack; i++) {
        const struct tern_sack_block *b = &o->sack[i];
        if (!tern_seq_before(b->left, b->right) || tern_seq_before(c->snd.nxt, b->right)
            || tern_seq_before(c->snd.nxt, b->left)) {
            t->stats.sack_refused++;
            continue;
        }
        const struct tern_seq left = tern_seq_before(b->left, c->snd.una) ? c->snd.una : b->left;
        if (tern_seq_before(left, b->right)) /* else old news */
            tern_sent_sack(t, q, left, b->right, d);
    }
}

/* ---- round-trip time ---- */

enum { MIN_RTT_WINDOW_MS = 300000 };

static void note_min_rtt(const struct tern_tcp *t, struct tern_cong *g, uint32_t rtt_us)
{
    const bool old = t->now_ms - g->min_rtt_ms > MIN_RTT_WINDOW_MS;
    if (g->min_rtt_us == 0 || rtt_us <= g->min_rtt_us || old) {
        g->min_rtt_us = rtt_us;
        g->min_rtt_ms = t->now_ms;
    }
}

/**
 * V128: One sample a round trip for the estimate (RFC 6298 §3), of the newest segment that was sent
 * once only (Karn), or whose last transmission the echoed timestamp tells of (RFC 7323 §4.1)
 * (6298-5). The time since an earlier one would be the peer's timers, too, where ACKs were lost.
 */
static void sample_rtt(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    const struct tern_delivered *d, struct tern_ack *a)
{
    const bool again = d->newest.flags & TERN_SENT_AGAIN;
    if (!d->any || (again && !(d->has_ecr && a->acked_bytes > 0)))
        return;
    a->rtt_us = RTE_MAX(d->now_us - d->newest.sent_us, 1u);
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g != NULL)
        note_min_rtt(t, g, a->rtt_us);
    if (!again && tern_seq_before(d->newest.start, q->rtt_seq))
        return;
    tern_conn_rtt_sample(c, a->rtt_us);
    q->rtt_seq = c->snd.nxt;
}

/** draft-cheng-iccrg-delivery-rate-estimation §3.3: how fast what was newest got here. */
static void sample_rate(const struct tern_tcp *t, struct tern_conn *c,
    const struct tern_delivered *d, struct tern_ack *a)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL || a->delivered_bytes == 0)
        return;
    g->delivered_bytes += a->delivered_bytes;
    g->delivered_us = t->now_us;
    if (!d->any)
        return;
    const struct tern_sent *s = &d->newest;
    const uint32_t sending_us = s->sent_us - s->first_sent_us;
    const uint32_t acking_us = t->now_us - s->delivered_us;
    g->first_sent_us = s->sent_us;
    a->rate_bytes = g->delivered_bytes - s->delivered_bytes;
    a->interval_us = RTE_MAX(sending_us, acking_us);
    if (a->interval_us < g->min_rtt_us)
        a->interval_us = 0; /* §3.3: faster than the path can be: a spurious retransmission's ACK */
    a->prior_delivered_bytes = s->delivered_bytes;
    a->sent_pipe_bytes = s->pipe_bytes;
    a->sent_lost_bytes = g->lost_total_bytes - s->lost_total_bytes;
    a->rate_limited = s->flags & TERN_SENT_LIMITED;
}

/* ---- SND.UNA ---- */

/** RFC 5681 §2: nothing new, nothing but an ACK, while something is in flight. */
static bool is_duplicate(
    const struct tern_conn *c, const struct tern_txq *q, const struct tern_seg *seg)
{
    /* the second copy of a tail loss probe may come when all is acknowledged (RFC 8985 §7.4.2) */
    const bool expected = c->snd.una.v != c->snd.nxt.v || (q->flags & TERN_TXQ_TLP_AGAIN);
    return seg->p.ack.v == c->snd.una.v && seg->p.len_bytes == 0 && !(seg->p.flags & TERN_TCP_FIN)
           && expected && c->snd.wnd_bytes != 0 /* an answer to a probe tells of no loss */
           && (uint32_t)seg->p.wnd << tern_conn_snd_wscale(c) == c->snd.wnd_bytes;
}

static struct tern_delivered expect_delivery(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_seg *seg)
{
    const struct tern_cong *g = tern_conn_cong(t, c);
    const bool ts = (c->flags & TERN_CF_TS) && (seg->opts.has & TERN_HAS_TS);
    return (struct tern_delivered){
        .now_us = t->now_us,
        .now64_us = t->now_ns / TERN_NS_PER_US,
        .min_rtt_us = g != NULL ? g->min_rtt_us : c->srtt_us8 / 8,
        .has_ecr = ts && seg->opts.ts_ecr != 0,
        .ecr_ms = ts ? seg->opts.ts_ecr - c->ts_offset : 0,
    };
}

static void release(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (unlikely(q->n_sent != 0))
        tern_sent_clear(t, q);
    c->slow &= (uint8_t)~TERN_SLOW_RECOVERY;
    tern_host_txq_free(t, c->txq);
    c->txq = 0;
}

/** All is acknowledged, but the second copy of a tail loss probe may still be answered (RFC 8985
 * §7.4.2). The answer may never come: only where every connection has its queue is one kept for it.
 */
static bool awaits_copy(const struct tern_tcp *t, const struct tern_txq *q)
{
    const bool scarce = t->cfg.sending_max != 0 && t->cfg.sending_max < t->cfg.conns_max;
    return (q->flags & TERN_TXQ_TLP_AGAIN) && !scarce;
}

/** What the ACK tells about the queue; SND.UNA moves. */
static void take_ack_in_full(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, const struct tern_seg *seg)
{
    const struct tern_seq ack = seg->p.ack;
    struct tern_delivered d = expect_delivery(t, c, seg);
    struct tern_ack a = {
        .prior_una = c->snd.una,
        .acked_bytes = tern_seq_before(c->snd.una, ack) ? tern_seq_span(c->snd.una, ack) : 0,
        .prior_pipe_bytes = tern_sent_pipe(c, q),
        .ece = tern_conn_has_ecn(t, c) && (seg->p.flags & TERN_TCP_ECE),
        .is_duplicate = is_duplicate(c, q, seg),
        .has_sack = seg->opts.has & TERN_HAS_SACK,
    };
    a.was_filled = 2 * (uint64_t)a.prior_pipe_bytes >= c->cwnd_bytes; /* RFC 7661 §4.2 */
    if (unlikely((seg->opts.has & TERN_HAS_SACK) && (c->flags & TERN_CF_SACK)))
        take_sack(t, c, q, seg, &a, &d);
    if (a.acked_bytes > 0) {
        tern_sent_ack(t, q, ack, &d);
        /* what is SACKed stays (2018-6); what is beyond the payload is our FIN */
        tern_sendq_ack(t, q, RTE_MIN(a.acked_bytes, q->n_bytes - q->unsent_bytes));
        c->snd.una = ack;
        q->flags &= (uint16_t)~TERN_TXQ_REOPENED;
    }
    a.delivered_bytes = d.bytes;
    a.original_delivered = d.original;
    a.again_delivered = d.again;
    if (d.bytes == 0 && a.acked_bytes == 0 && !a.is_duplicate && !a.ece && !a.is_dsack)
        return;
    tern_pmtu_delivered(t, c, &d);
    sample_rtt(t, c, q, &d, &a);
    sample_rate(t, c, &d, &a);
    tern_rack_update(t, c, q, &d);
    tern_recovery_acked(t, c, q, &a, seg);
    if (d.bytes > 0)
        tern_conn_touch(t, c); /* there may be room in the window now */
    if (q->n_bytes == 0 && c->snd.una.v == c->snd.nxt.v && !awaits_copy(t, q))
        release(t, c, q);
}

/* ---- the everyday ACK ---- */

/**
 * Something new is acknowledged, all of it was sent once, and nothing tells of a loss or might turn
 * out to be one: no recovery, no probe of the tail, no reordering, no duplicates, no path record
 * that wants to learn. Only reads.
 * @return the newest that arrived, NULL: not so
 */
static const struct tern_sent *find_everyday(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_txq *q, const struct tern_seg *seg)
{
    const uint16_t events = TERN_TXQ_FAST | TERN_TXQ_RTO | TERN_TXQ_REO | TERN_TXQ_TLP
                            | TERN_TXQ_TLP_AGAIN | TERN_TXQ_FRTO | TERN_TXQ_FRTO2;
    if (!t->fast_path || c->cong != 0 || (c->slow & TERN_SLOW_BARE))
        return NULL;
    if ((q->flags & events) || q->dupacks != 0 || (seg->opts.has & TERN_HAS_SACK))
        return NULL;
    if (!tern_seq_before(c->snd.una, seg->p.ack))
        return NULL;
    const struct tern_sent *s = tern_sent_newest_once(t, q, seg->p.ack);
    if (s == NULL || !(q->flags & TERN_TXQ_RACK))
        return s;
    /* What was sent before something that has arrived is reordered, or lost (RFC 8985 §6.2). */
    const bool overtaken = tern_seq_before(c->snd.una, q->fack)
                           || tern_sent_is_after(q->rack_us, q->rack_end, s->sent_us, s->end);
    return overtaken ? NULL : s;
}

/** What is left of the queue begins at SND.UNA, and what arrived was sent at `sent_us`. */
static void keep_queue(
    const struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q, uint32_t sent_us)
{
    q->flags &= (uint16_t)~TERN_TXQ_REOPENED;
    tern_rack_arrived(t, q, sent_us, c->snd.una);
    q->fack = c->snd.una;
    q->flags |= TERN_TXQ_RACK;
    if (!(c->flags & TERN_CF_SACK) && tern_seq_before(q->recover, c->snd.una))
        q->recover = tern_seq_add(c->snd.una, UINT32_MAX);
}

/** take_ack_in_full() where find_everyday() leaves it little to do: the same, straight through. */
static void take_everyday_ack(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    const struct tern_seg *seg, const struct tern_sent *newest)
{
    const struct tern_seq ack = seg->p.ack;
    const uint32_t acked = tern_seq_span(c->snd.una, ack), sent_us = newest->sent_us;
    const bool was_filled = 2 * (uint64_t)tern_sent_pipe(c, q) >= c->cwnd_bytes; /* RFC 7661 §4.2 */
    tern_pmtu_segment_arrived(t, c, newest, acked, tern_seq_span(newest->start, ack));
    if (!tern_seq_before(newest->start, q->rtt_seq)) {
        tern_conn_rtt_sample(c, t->now_us - sent_us);
        q->rtt_seq = c->snd.nxt;
    }
    tern_sent_ack_once(t, q, ack);
    tern_sendq_ack(t, q, RTE_MIN(acked, q->n_bytes - q->unsent_bytes)); /* beyond it is our FIN */
    c->snd.una = ack;
    if (was_filled)
        tern_cc_slow_start(t, c, UINT32_MAX, acked);
    tern_conn_touch(t, c);
    if (q->n_bytes == 0 && ack.v == c->snd.nxt.v)
        release(t, c, q);
    else
        keep_queue(t, c, q, sent_us);
}

static void take_ack(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, const struct tern_seg *seg)
{
    const struct tern_sent *newest = find_everyday(t, c, q, seg);
    if (likely(newest != NULL))
        take_everyday_ack(t, c, q, seg, newest);
    else
        take_ack_in_full(t, c, q, seg);
}

/* ---- what follows ---- */

static void fin_acked(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (c->state == TERN_FIN_WAIT_1) {
        tern_conn_set_state(c, TERN_FIN_WAIT_2);
        if (c->slow & TERN_SLOW_DEAF) {
            c->rtx_at = t->now_tick + tern_ticks_from_ms(t->cfg.fin_wait2_ms);
            c->flags |= TERN_CF_RTX;
        }
    } else if (c->state == TERN_CLOSING) {
        tern_conn_time_wait(t, c, seg);
    } else if (c->state == TERN_LAST_ACK) {
        tern_conn_end_in_order(t, c, seg);
    }
}

/** SND.UNA has moved. */
static void una_advanced(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    c->backoff &= 0xf; /* the doublings stay until there is a sample (Karn, RFC 6298 §5) */
    tern_host_confirm(t, c->neighbour);
    const bool all = c->snd.una.v == c->snd.nxt.v;
    if (all)
        tern_conn_cancel_rtx(t, c); /* RFC 6298 §5.2 (6298-6) */
    else
        tern_conn_arm_rtx(t, c); /* §5.3 (6298-6) */
    tern_conn_touch(t, c);
    if (all && (c->flags & TERN_CF_FIN_SENT))
        fin_acked(t, c, seg);
}

/* ---- window ---- */

/** The peer opened its window again, and may have thrown away what was in flight: that first. */
static void window_reopened(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->state == TERN_FIN_WAIT_2)
        return; /* nothing of ours waits, and rtx_at is this state's limit */
    c->backoff = 0;
    tern_conn_touch(t, c);
    if (c->snd.una.v == c->snd.nxt.v) {
        tern_conn_cancel_rtx(t, c);
        return;
    }
    /* Once, until it leads to something: a window that flaps must not have a flight sent again for
     * every ACK of the flight before. After that the timer does it. */
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL && (q->flags & TERN_TXQ_REOPENED))
        return;
    if (q != NULL)
        q->flags |= TERN_TXQ_REOPENED;
    tern_conn_resend(t, c);
    tern_conn_arm_rtx(t, c);
}

/** What is known of windows while something is queued or in flight. */
static void note_window(
    const struct tern_tcp *t, const struct tern_conn *c, uint32_t wnd, bool was_shut)
{
    if (tern_conn_has_flight(c)) { /* and wnd is not 0: tern_flight_takes() */
        struct tern_flight *f = tern_conn_flight(t, c);
        f->max_wnd_bytes = RTE_MAX(f->max_wnd_bytes, wnd);
        return;
    }
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL)
        return;
    q->max_wnd_bytes = RTE_MAX(q->max_wnd_bytes, wnd);
    if (wnd == 0 && !was_shut)
        q->shut_ms = t->now_ms;
}

/** @param advanced  by this segment: then it is news whatever its sequence, or the window would
 *                   slide on with SND.UNA and promise what the peer never did */
static void update_window(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg, bool advanced)
{
    const bool older = tern_seq_before(seg->p.seq, c->wl1);
    if ((older && !advanced) || tern_seq_before(seg->p.ack, c->snd.una))
        return; /* than what set the window */
    const uint32_t wnd = (uint32_t)seg->p.wnd << tern_conn_snd_wscale(c); /* REC-1 */
    const bool was_shut = c->snd.wnd_bytes == 0;
    if (wnd > c->snd.wnd_bytes)
        tern_conn_touch(t, c);
    c->snd.wnd_bytes = wnd;
    if (!older)
        c->wl1 = seg->p.seq;
    note_window(t, c, wnd, was_shut);
    if (wnd == 0)
        c->slow |= TERN_SLOW_WINDOW;
    else
        c->slow &= (uint8_t)~TERN_SLOW_WINDOW;
    if (was_shut && wnd != 0)
        window_reopened(t, c);
}

/** Nothing acknowledged, the window shut, the application gone: R2 runs on, or there is no end. */
static bool is_stalling(const struct tern_conn *c, const struct tern_seg *seg)
{
    return (c->slow & TERN_SLOW_DEAF) && seg->p.wnd == 0 && seg->p.ack.v == c->snd.una.v
           && c->snd.una.v != c->snd.nxt.v;
}

/* V123 */
void tern_conn_ack(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const struct tern_seq ack = seg->p.ack;
    const uint8_t doublings = c->backoff & 0xf;
    const bool advances = tern_seq_before(c->snd.una, ack);
    if (unlikely(c->backoff != doublings) && !is_stalling(c, seg))
        tern_conn_heard(t, c); /* (MUST-37) */
    c->last_rx_ms = t->now_ms;
    struct tern_txq *q = NULL;
    if (!tern_conn_has_flight(c))
        q = tern_conn_txq(t, c);
    else if (advances)
        tern_flight_acked(t, c);
    if (q != NULL)
        take_ack(t, c, q, seg);
    else if (unlikely((seg->opts.has & TERN_HAS_SACK) && (c->flags & TERN_CF_SACK)))
        take_late_dsack(t, c, seg);
    if (advances) {
        c->snd.una = ack;
        una_advanced(t, c, seg);
        if (seg->p.wnd == 0) /* an acknowledged probe does not make probing faster (SHLD-30) */
            c->backoff = doublings;
        if (c->state == TERN_CLOSED)
            return;
    }
    update_window(t, c, seg, advances);
}

void tern_conn_ack_plainly(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const bool advances = tern_seq_before(c->snd.una, seg->p.ack);
    c->last_rx_ms = t->now_ms;
    if (advances) {
        /* all of the flight, or a FIN alone */
        if (likely(tern_conn_has_flight(c)))
            tern_flight_acked(t, c);
        c->snd.una = seg->p.ack;
        tern_host_confirm(t, c->neighbour);
        tern_conn_cancel_rtx(t, c); /* RFC 6298 §5.2 (6298-6) */
        tern_conn_touch(t, c);
        if (c->flags & TERN_CF_FIN_SENT) {
            fin_acked(t, c, seg);
            if (c->state == TERN_CLOSED)
                return;
        }
    }
    update_window(t, c, seg, advances);
}
