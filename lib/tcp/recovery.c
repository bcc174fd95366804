/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery.h"

/*
 * What is done about losses. A connection's queue is in one of three conditions:
 *
 *   open           cwnd belongs to the congestion control; no loss is known
 *   fast recovery  TERN_TXQ_FAST: a loss was noticed. cwnd is led to ssthresh by PRR (RFC 6937)
 *                  while holes are filled before anything new is sent (RFC 6675 §5)
 *   after timeout  TERN_TXQ_RTO: cwnd grows from one segment (RFC 5681 §3.1), at first watching for
 *                  signs that the timeout was for nothing (F-RTO, RFC 5682)
 *
 * Both end when what was in flight at their start is acknowledged; no other begins before
 * (RFC 6675 §5). Either is taken back when it turns out that nothing had been lost: the echoed
 * timestamp is older than the retransmission (RFC 3522), every retransmission was reported as a
 * duplicate (RFC 2883, RFC 3708), or F-RTO says so.
 *
 * Without SACK the same code runs on what duplicate ACKs tell (RFC 6582): each says that one
 * segment has left the network, the third that the first in flight is lost.
 */
#include "host.h"

static uint32_t mss_of(const struct tern_tcp *t, const struct tern_conn *c)
{
    return tern_conn_payload_max(t, c);
}

/* ---- reducing, and taking it back ---- */

/** @param head_tells  the first in flight is taken for lost and was sent once: what acknowledges it
 *                     tells whether it was */
static void note_undo(struct tern_conn *c, struct tern_txq *q, struct tern_cong *g, bool head_tells)
{
    q->flags = (uint16_t)(head_tells ? q->flags & ~TERN_TXQ_MUTE : q->flags | TERN_TXQ_MUTE);
    g->undo_cwnd_bytes = c->cwnd_bytes;
    g->undo_ssthresh_bytes = g->ssthresh_bytes;
    g->undo_una = c->snd.una;
    g->undo_segs = 0;
    g->again_ts = 0;
    g->flags |= TERN_CG_UNDO;
}

/** Whatever it was for: CWR goes with the next new data, and echoes are of this window until what
 * carries it is acknowledged (RFC 3168 §6.1.2) (3168-4). */
static void note_reduced(const struct tern_conn *c, struct tern_cong *g)
{
    g->cwr_end = tern_seq_add(c->snd.nxt, 1);
    g->flags |= TERN_CG_CWR;
}

static void undo(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    g->flags &= (uint8_t)~TERN_CG_UNDO;
    c->cwnd_bytes = RTE_MAX(c->cwnd_bytes, g->undo_cwnd_bytes);
    g->ssthresh_bytes = RTE_MAX(g->ssthresh_bytes, g->undo_ssthresh_bytes);
    t->stats.undone++;
    const struct tern_cc *cc = tern_conn_cc(t, c);
    if (cc->undone != NULL)
        cc->undone(t, c, g);
}

static void leave(struct tern_conn *c, struct tern_txq *q)
{
    q->flags &= (uint16_t) ~(TERN_TXQ_FAST | TERN_TXQ_RTO | TERN_TXQ_FRTO | TERN_TXQ_FRTO2);
    q->dupacks = 0;
    c->slow &= (uint8_t)~TERN_SLOW_RECOVERY;
}

static void begin_fast(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    t->stats.recoveries++;
    q->flags |= TERN_TXQ_FAST;
    q->recover = c->snd.nxt;
    c->slow |= TERN_SLOW_RECOVERY;
    struct tern_cong *g = tern_conn_cong_need(t, c);
    const uint8_t head = q->first != 0 ? t->sents[q->first].flags : 0;
    if (g != NULL)
        note_undo(c, q, g, (head & TERN_SENT_LOST) && !(head & TERN_SENT_AGAIN));
    tern_cc_reduce(t, c, TERN_CAUSE_LOSS); /* (6675-1) */
    if (g == NULL)
        return;
    note_reduced(c, g);
    g->prr_delivered_bytes = g->prr_out_bytes = 0;
    g->prr_flight_bytes = tern_seq_span(c->snd.una, c->snd.nxt);
}

/** For congestion controls that look at the share of what is lost. */
static void count_lost(const struct tern_tcp *t, const struct tern_conn *c, uint32_t n_bytes)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g != NULL)
        g->lost_total_bytes += n_bytes;
}

void tern_recovery_lost(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t n_bytes)
{
    count_lost(t, c, n_bytes);
    if (!(q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO))) {
        begin_fast(t, c, q);
        if (!tern_conn_cc(t, c)->owns_window)
            c->cwnd_bytes = tern_sent_pipe(c, q) + mss_of(t, c); /* the first goes at once */
    }
    tern_conn_touch(t, c);
}

/** RFC 6937 §3 with the slow start reduction bound: as much goes in as has come out (5681-6). */
static void proportional_rate(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q, const struct tern_ack *a)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL || tern_conn_cc(t, c)->owns_window)
        return;
    const uint32_t mss = mss_of(t, c), pipe = tern_sent_pipe(c, q);
    g->prr_delivered_bytes += a->delivered_bytes;
    int64_t send;
    if (pipe > g->ssthresh_bytes) {
        const uint64_t share = (uint64_t)g->prr_delivered_bytes * g->ssthresh_bytes;
        send =
            (int64_t)((share + g->prr_flight_bytes - 1) / g->prr_flight_bytes) - g->prr_out_bytes;
    } else {
        const int64_t owed = (int64_t)g->prr_delivered_bytes - g->prr_out_bytes;
        const int64_t limit = RTE_MAX(owed, (int64_t)a->delivered_bytes) + mss;
        send = RTE_MIN((int64_t)g->ssthresh_bytes - pipe, limit);
    }
    const bool partial = !(c->flags & TERN_CF_SACK) && a->acked_bytes > 0;
    if (g->prr_out_bytes == 0 || partial) /* fast retransmit (5681-5); RFC 6582 §3.2 step 3 */
        send = RTE_MAX(send, (int64_t)mss);
    c->cwnd_bytes = pipe + (uint32_t)RTE_MAX(send, (int64_t)0);
}

void tern_recovery_sent(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_txq *q, uint32_t n_bytes, bool again)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL)
        return;
    if (q->flags & TERN_TXQ_FAST)
        g->prr_out_bytes += n_bytes;
    if (!again)
        return;
    if (g->undo_segs++ == 0)
        g->again_ts = RTE_MAX(tern_ts_now(t, c->ts_offset), 1u); /* 0: nothing yet */
}

/** Was the reduction for nothing? RFC 3522 §3.2; RFC 3708 §2. */
static bool is_spurious(const struct tern_conn *c, const struct tern_txq *q,
    const struct tern_cong *g, const struct tern_ack *a, const struct tern_seg *seg)
{
    if (!(g->flags & TERN_CG_UNDO) || !tern_seq_before(g->undo_una, c->snd.una))
        return false;
    if (a->is_dsack && g->undo_segs == 0)
        return true;
    if (g->again_ts == 0 && a->acked_bytes > 0) /* it came before anything had been sent again */
        return !(q->flags & TERN_TXQ_MUTE) && a->prior_una.v == g->undo_una.v;
    /* The first ACK of what was sent again decides; later ones may echo anything. */
    return g->undo_segs > 0 && !(q->flags & TERN_TXQ_MUTE) && a->acked_bytes > 0
           && a->prior_una.v == g->undo_una.v && (c->flags & TERN_CF_TS)
           && (seg->opts.has & TERN_HAS_TS) && seg->opts.ts_ecr != 0
           && (int32_t)(seg->opts.ts_ecr - g->again_ts) < 0;
}

/* ---- after a timeout ---- */

void tern_recovery_timeout(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    const bool anew = !(q->flags & TERN_TXQ_RTO), recovering = q->flags & TERN_TXQ_FAST;
    struct tern_cong *g = tern_conn_cong_need(t, c);
    if (g != NULL && anew) {
        note_undo(c, q, g, !(t->sents[q->first].flags & TERN_SENT_AGAIN));
        note_reduced(c, g);
    }
    if (anew)
        tern_cc_reduce(t, c, TERN_CAUSE_TIMEOUT); /* once for one loss: RFC 5681 §3.1 (5681-4) */
    c->cwnd_bytes = mss_of(t, c);
    q->flags &= (uint16_t) ~(TERN_TXQ_FAST | TERN_TXQ_FRTO | TERN_TXQ_FRTO2 | TERN_TXQ_TLP
                             | TERN_TXQ_TLP_AGAIN | TERN_TXQ_RACK | TERN_TXQ_REO | TERN_TXQ_PTO);
    q->flags |= TERN_TXQ_RTO;
    if (anew && !recovering && g != NULL)
        q->flags |= TERN_TXQ_FRTO; /* RFC 5682 §2.1, §3.1 step 1 */
    q->recover = c->snd.nxt;
    q->rtt_seq = c->snd.nxt; /* what was sent before would measure the timeout, too */
    q->dupacks = 0;
    count_lost(t, c, tern_sent_pipe(c, q));
    tern_sent_lose_all(t, q); /* (2018-5) */
    if (c->flags & TERN_CF_FIN_SENT)
        tern_sent_join_fin(t, q);
    c->slow |= TERN_SLOW_RECOVERY;
    tern_conn_touch(t, c);
}

/** V127: The timeout was for nothing: as before, and what was taken for lost is still on its
 * way. */
static void timeout_was_spurious(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_cong *g)
{
    tern_sent_find_again(t, q);
    undo(t, c, g);
    leave(c, q);
}

/**
 * RFC 5682 §2.1 and §3.1: two ACKs after the timeout tell whether the originals or the
 * retransmission are being acknowledged; between them new data is sent rather than old.
 */
static void watch_for_spurious(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_ack *a)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    const bool sack = c->flags & TERN_CF_SACK;
    const bool second = q->flags & TERN_TXQ_FRTO2;
    if (second && (sack ? a->original_delivered : a->acked_bytes > 0)) {
        timeout_was_spurious(t, c, q, g); /* step 3 (b) */
        return;
    }
    if (a->acked_bytes == 0 && !second && sack)
        return; /* §3.1 step 2: duplicates from before the timeout decide nothing */
    q->flags &= (uint16_t) ~(TERN_TXQ_FRTO | TERN_TXQ_FRTO2);
    if (!second && a->acked_bytes > 0 && tern_txq_has_new(q)) {
        q->flags |= TERN_TXQ_FRTO2; /* step 2 (b): up to two segments that were never sent */
        c->cwnd_bytes = tern_sent_pipe(c, q) + 2 * mss_of(t, c);
        a->was_filled = false; /* and not more */
    } else if (second) {
        c->cwnd_bytes = 3 * mss_of(t, c); /* step 3 (a): two of them are in flight */
    }
}

/* ---- without SACK ---- */

/** V124:
 * Duplicate ACKs can speak of no more than is outstanding, and in recovery of no more than was
 * when it began, less the one segment that is missing for sure: made-up ones gain nothing. */
static void clamp_reports(const struct tern_tcp *t, const struct tern_conn *c, struct tern_txq *q)
{
    const bool recovering = q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO);
    const struct tern_seq end = recovering ? q->recover : c->snd.nxt;
    const uint32_t flight = tern_seq_before(c->snd.una, end) ? tern_seq_span(c->snd.una, end) : 0;
    const uint32_t missing = RTE_MAX(q->lost_bytes, mss_of(t, c));
    q->sacked_bytes = RTE_MIN(q->sacked_bytes, flight - RTE_MIN(missing, flight));
}

static void lose_head(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    const uint32_t before = q->lost_bytes;
    tern_sent_lose_head(t, q, mss_of(t, c));
    count_lost(t, c, q->lost_bytes - before);
    clamp_reports(t, c, q);
}

/** RFC 5681 §2, §3.2; RFC 6582 §3.2. */
static void count_duplicate(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_ack *a)
{
    if (q->dupacks < UINT8_MAX)
        q->dupacks++;
    const uint32_t before = q->sacked_bytes;
    q->sacked_bytes += RTE_MIN(mss_of(t, c), tern_sent_pipe(c, q));
    clamp_reports(t, c, q);
    a->delivered_bytes += q->sacked_bytes - RTE_MIN(before, q->sacked_bytes);
    tern_conn_touch(t, c); /* a segment has left the network: limited transmit (5681-7) */
    if (q->dupacks == TERN_DUPACKS && !(q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO))
        && tern_seq_before(q->recover, c->snd.una)) {
        lose_head(t, c, q);
        begin_fast(t, c, q);
    }
}

/** SND.UNA has moved: what duplicates had told of is counted by the ACK now. */
static void settle_reports(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_ack *a)
{
    const uint32_t mss = mss_of(t, c);
    const bool recovering = q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO);
    const uint32_t told = a->acked_bytes - RTE_MIN(a->acked_bytes, mss);
    const uint32_t known = RTE_MIN(told, q->sacked_bytes);
    a->delivered_bytes -= RTE_MIN(known, a->delivered_bytes);
    q->sacked_bytes = recovering ? q->sacked_bytes - known : 0;
    clamp_reports(t, c, q);
    if (!recovering) {
        q->dupacks = 0;
        if (tern_seq_before(q->recover, c->snd.una))
            q->recover = tern_seq_add(c->snd.una, UINT32_MAX);
    } else if ((q->flags & TERN_TXQ_FAST) && tern_seq_before(c->snd.una, q->recover)) {
        lose_head(t, c, q); /* a partial ACK shows the next hole (RFC 6582 §3.2 step 3) */
    }
}

/* ---- an ACK ---- */

/** Everything that was in flight when it began is acknowledged. */
static void end_if_over(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (!(q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO)) || tern_seq_before(c->snd.una, q->recover))
        return;
    struct tern_cong *g = tern_conn_cong(t, c); /* (6675-5) */
    if ((q->flags & TERN_TXQ_FAST) && g != NULL && !tern_conn_cc(t, c)->owns_window)
        c->cwnd_bytes = RTE_MAX(g->ssthresh_bytes, mss_of(t, c));
    leave(c, q);
    tern_rack_recovered(t, c);
}

static void take_back(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_cong *g)
{
    if (q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO))
        tern_sent_find_again(t, q);
    undo(t, c, g);
    leave(c, q);
}

void tern_recovery_undo_late(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g != NULL && (g->flags & TERN_CG_UNDO) && g->undo_segs == 0
        && tern_seq_before(g->undo_una, c->snd.una))
        undo(t, c, g);
}

/** V126: RFC 3168 §6.1.2: ECE is a loss of nothing; once a round trip (3168-4). */
static void take_ece(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL || (q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO))
        || tern_seq_before(c->snd.una, g->cwr_end))
        return;
    note_reduced(c, g);
    g->flags &= (uint8_t)~TERN_CG_UNDO;
    t->stats.ecn_reduced++;
    const uint32_t ssthresh = tern_cc_reduce(t, c, TERN_CAUSE_ECE);
    if (!tern_conn_cc(t, c)->owns_window)
        c->cwnd_bytes = ssthresh;
}

void tern_recovery_acked(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    struct tern_ack *a, const struct tern_seg *seg)
{
    const bool sack = c->flags & TERN_CF_SACK;
    struct tern_cong *g = tern_conn_cong(t, c);
    if (q->flags & TERN_TXQ_FAST)
        a->was_filled = false; /* cwnd is PRR's, also with the ACK that ends recovery */
    if (!sack && a->acked_bytes > 0)
        settle_reports(t, c, q, a);
    else if (!sack && a->is_duplicate)
        count_duplicate(t, c, q, a);
    if (g != NULL && is_spurious(c, q, g, a, seg))
        take_back(t, c, q, g);
    if (q->flags & (TERN_TXQ_FRTO | TERN_TXQ_FRTO2))
        watch_for_spurious(t, c, q, a);
    end_if_over(t, c, q);

    if (tern_tlp_acked(c, q, a) && !(q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO))) {
        t->stats.tlp_recovered++;
        begin_fast(t, c, q); /* (8985-6): one reduction; it ends with what is in flight */
    }
    a->lost_bytes = sack ? tern_rack_detect(t, c, q) : 0;
    count_lost(t, c, a->lost_bytes);
    if (a->lost_bytes > 0 && !(q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO)))
        begin_fast(t, c, q);
    if (a->ece)
        take_ece(t, c, q);
    if (q->flags & TERN_TXQ_FAST)
        proportional_rate(t, c, q, a);
    if (a->delivered_bytes > 0)
        tern_cc_acked(t, c, a); /* in fast recovery it leaves cwnd to PRR */
}
