/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * An acceptable ACK (RFC 9293 §3.10.7.4, fifth): SND.UNA moves, buffers go, the window is taken
 * over, congestion control (RFC 5681, RFC 6582) and the round-trip estimate (RFC 6298) learn from
 * it, and our FIN's acknowledgement moves the state.
 */
#include "host.h"
#include "sendq.h"

/* ---- congestion control: NewReno ---- */

static void grow_window(const struct tern_tcp *t, struct tern_conn *c, uint32_t acked)
{
    const uint32_t mss = tern_conn_payload_max(t, c);
    if (c->cwnd_bytes > t->cfg.snd_buf_bytes)
        return; /* no use for more */
    if (c->cwnd_bytes < c->ssthresh_bytes) {
        c->cwnd_bytes += RTE_MIN(acked, mss); /* RFC 5681 §3.1: slow start */
        return;
    }
    const uint64_t step = (uint64_t)mss * RTE_MIN(acked, mss) / c->cwnd_bytes;
    c->cwnd_bytes += RTE_MAX((uint32_t)step, 1u); /* about one MSS a round trip */
}

static void leave_recovery(struct tern_conn *c, struct tern_txq *q)
{
    q->flags &= (uint8_t) ~(TERN_TXQ_FAST | TERN_TXQ_RTO);
    c->slow &= (uint8_t)~TERN_SLOW_RECOVERY;
}

/** RFC 6582 §3.2 step 3: all, or a part, of what was outstanding has been acknowledged. */
static void ack_in_recovery(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    struct tern_seq ack, uint32_t acked)
{
    const uint32_t mss = tern_conn_payload_max(t, c);
    const bool complete = !tern_seq_before(ack, q->recover);
    if (q->flags & TERN_TXQ_RTO) {
        grow_window(t, c, acked);
        if (tern_seq_before(q->rtx_nxt, ack))
            q->rtx_nxt = ack;
    } else if (complete) {
        c->cwnd_bytes = RTE_MAX(c->ssthresh_bytes, mss);
    } else {
        c->cwnd_bytes = RTE_MAX(c->cwnd_bytes - RTE_MIN(acked, c->cwnd_bytes - mss), mss);
        if (acked >= mss)
            c->cwnd_bytes += mss;
    }
    if (complete)
        leave_recovery(c, q);
}

static void enter_fast_recovery(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    const uint32_t mss = tern_conn_payload_max(t, c);
    const uint32_t in_flight = tern_seq_span(c->snd.una, c->snd.nxt);
    q->flags = (uint8_t)((q->flags & ~TERN_TXQ_TIMED) | TERN_TXQ_FAST);
    q->recover = c->snd.nxt;
    c->slow |= TERN_SLOW_RECOVERY;
    c->ssthresh_bytes = RTE_MAX(in_flight / 2, 2 * mss); /* RFC 5681 §3.2 */
    c->cwnd_bytes = c->ssthresh_bytes + TERN_DUPACKS * mss;
    tern_conn_retransmit(t, c);
}

static void duplicate_ack(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (q->dupacks < UINT8_MAX)
        q->dupacks++;
    if (q->flags & TERN_TXQ_RTO)
        return;
    if (q->flags & TERN_TXQ_FAST) {
        /* A segment has left the network; of those that were in it, not of any that are made up. */
        if (c->cwnd_bytes < c->ssthresh_bytes + tern_seq_span(c->snd.una, q->recover))
            c->cwnd_bytes += tern_conn_payload_max(t, c);
        tern_conn_touch(t, c);
    } else if (q->dupacks == TERN_DUPACKS) {
        enter_fast_recovery(t, c, q);
    }
}

/* ---- SND.UNA ---- */

static void sample_rtt(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_seq ack)
{
    if (!(q->flags & TERN_TXQ_TIMED) || tern_seq_before(ack, q->timed_seq))
        return;
    q->flags &= (uint8_t)~TERN_TXQ_TIMED;
    tern_conn_rtt_sample(c, t->now_us - q->timed_us);
}

static void release_acked(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    struct tern_seq ack, uint32_t acked)
{
    const uint32_t in_flight = q->n_bytes - q->unsent_bytes;
    sample_rtt(t, c, q, ack);
    tern_sendq_ack(q, RTE_MIN(acked, in_flight)); /* what is beyond is our FIN */
    q->dupacks = 0;
    const bool recovering = q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO);
    if (recovering)
        ack_in_recovery(t, c, q, ack, acked);
    else
        grow_window(t, c, acked);
    c->snd.una = ack;
    if (q->flags & TERN_TXQ_FAST)
        tern_conn_retransmit(t, c); /* partial: the next hole (RFC 6582 §3.2) */
    if (q->n_bytes == 0) {
        c->slow &= (uint8_t)~TERN_SLOW_RECOVERY;
        tern_host_txq_free(t, c->txq);
        c->txq = 0;
    }
}

static void fin_acked(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->state == TERN_FIN_WAIT_1) {
        tern_conn_set_state(c, TERN_FIN_WAIT_2);
        if (c->slow & TERN_SLOW_DEAF) {
            c->rtx_at = t->now_tick + tern_ticks_from_ms(t->cfg.fin_wait2_ms);
            c->flags |= TERN_CF_RTX;
        }
    } else if (c->state == TERN_CLOSING) {
        tern_conn_time_wait(t, c);
    } else if (c->state == TERN_LAST_ACK) {
        tern_conn_end(t, c, TERN_CLOSE_NORMAL);
    }
}

static void advance_una(struct tern_tcp *t, struct tern_conn *c, struct tern_seq ack)
{
    const uint32_t acked = tern_seq_span(c->snd.una, ack);
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL)
        release_acked(t, c, q, ack, acked);
    c->snd.una = ack;
    c->backoff = 0;
    tern_host_confirm(t, c->neighbour);

    const bool all = c->snd.una.v == c->snd.nxt.v;
    if (all)
        tern_conn_cancel_rtx(c); /* RFC 6298 §5.2 */
    else
        tern_conn_arm_rtx(t, c); /* §5.3 */
    tern_conn_touch(t, c);
    if (all && (c->flags & TERN_CF_FIN_SENT))
        fin_acked(t, c);
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
        tern_conn_cancel_rtx(c);
        return;
    }
    tern_conn_resend(t, c);
    tern_conn_arm_rtx(t, c);
}

static void update_window(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    if (tern_seq_before(seg->p.seq, c->wl1) || tern_seq_before(seg->p.ack, c->snd.una))
        return; /* older than what set the window */
    const uint32_t wnd = (uint32_t)seg->p.wnd << tern_conn_snd_wscale(c);
    const bool was_shut = c->snd.wnd_bytes == 0;
    if (wnd > c->snd.wnd_bytes)
        tern_conn_touch(t, c);
    c->snd.wnd_bytes = wnd;
    c->wl1 = seg->p.seq;
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q != NULL && wnd > q->max_wnd_bytes)
        q->max_wnd_bytes = wnd;
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

void tern_conn_ack(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    const struct tern_seq ack = seg->p.ack;
    const uint8_t doublings = c->backoff & 0xf;
    c->last_rx_ms = t->now_ms;
    if (!is_stalling(c, seg))
        c->backoff = doublings; /* the peer lives: the silence starts anew (MUST-37) */

    struct tern_txq *q = tern_conn_txq(t, c);
    if (tern_seq_before(c->snd.una, ack)) {
        advance_una(t, c, ack);
        if (seg->p.wnd == 0) /* an acknowledged probe does not make probing faster (SHLD-30) */
            c->backoff = doublings;
        if (c->state == TERN_CLOSED)
            return;
    } else if (q != NULL && ack.v == c->snd.una.v && seg->p.len_bytes == 0
               && !(seg->p.flags & TERN_TCP_FIN) && c->snd.una.v != c->snd.nxt.v
               && c->snd.wnd_bytes != 0 /* an answer to a probe tells of no loss */
               && (uint32_t)seg->p.wnd << tern_conn_snd_wscale(c) == c->snd.wnd_bytes) {
        duplicate_ack(t, c, q);
    }
    update_window(t, c, seg);
}
