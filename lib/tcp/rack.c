/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery.h"

/*
 * RACK-TLP (RFC 8985): time tells of losses. What was sent before something that has arrived, by
 * more than a reordering window, is lost; and where nothing arrives any more, the tail is probed
 * before the retransmission timer would take the window away.
 *
 * The outstanding stretches are linked by time, so detection looks at those it marks and one more.
 */
#include "pmtu.h"
#include "state.h"

enum {
    REO_MULT_MAX = 255,
    REO_PERSIST = 16,          /* recoveries that a widened window lasts (RFC 8985 §6.2) */
    TLP_ACK_DELAY_US = 200000, /* what a peer may wait with the ACK of one segment (§7.2) */
    TLP_MIN_US = 1 << 11,      /* not below the clockwork of either end */
    RTT_US_MAX = 60000000,     /* more is a clock that leapt, not a network */
};

/* ---- RACK ---- */

void tern_rack_arrived(
    const struct tern_tcp *t, struct tern_txq *q, uint32_t sent_us, struct tern_seq end)
{
    const bool first = !(q->flags & TERN_TXQ_RACK);
    const bool outdated = (int32_t)(t->now_us - q->rack_us) < 0; /* half the circle ago */
    if (first || outdated || tern_sent_is_after(sent_us, end, q->rack_us, q->rack_end)) {
        q->rack_us = sent_us;
        q->rack_end = end;
        q->rack_rtt_us = RTE_MIN(t->now_us - sent_us, (uint32_t)RTT_US_MAX);
    }
}

void tern_rack_update(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, const struct tern_delivered *d)
{
    if (d->reordered) {
        struct tern_cong *g = tern_conn_cong_need(t, c);
        if (g != NULL)
            g->flags |= TERN_CG_REORDERS;
    }
    const bool first = !(q->flags & TERN_TXQ_RACK);
    if (!first && d->some && tern_seq_before(q->fack, d->highest))
        q->fack = d->highest;
    if (!d->any)
        return;
    tern_rack_arrived(t, q, d->newest.sent_us, d->newest.end);
    if (first)
        q->fack = d->highest;
    q->flags |= TERN_TXQ_RACK;
}

void tern_rack_dsack(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g == NULL || tern_seq_before(c->snd.una, g->reo_seq))
        return; /* once a round trip */
    g->reo_seq = c->snd.nxt;
    g->reo_mult = (uint8_t)RTE_MIN((g->reo_mult != 0 ? g->reo_mult : 1) + 1, REO_MULT_MAX);
    g->reo_persist = REO_PERSIST;
}

void tern_rack_recovered(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (g != NULL && g->reo_persist > 0 && --g->reo_persist == 0)
        g->reo_mult = 1;
}

/** RFC 8985 §6.2 step 4. */
static uint32_t reo_wnd_us(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_txq *q)
{
    const struct tern_cong *g = tern_conn_cong(t, c);
    const bool reorders = g != NULL && (g->flags & TERN_CG_REORDERS);
    if (!reorders
        && ((q->flags & (TERN_TXQ_FAST | TERN_TXQ_RTO)) || q->sacked_segs >= TERN_DUPACKS))
        return 0;
    const uint32_t srtt_us = c->srtt_us8 / 8;
    const uint32_t min_us = g != NULL && g->min_rtt_us != 0 ? g->min_rtt_us : srtt_us;
    const uint64_t mult = g != NULL && g->reo_mult != 0 ? g->reo_mult : 1;
    return (uint32_t)RTE_MIN(mult * (min_us / 4), (uint64_t)srtt_us); /* (8985-3) */
}

uint32_t tern_rack_detect(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (!(q->flags & TERN_TXQ_RACK))
        return 0;
    const uint32_t lost_before = q->lost_bytes;
    uint32_t probe_bytes = 0; /* a lost path MTU probe is no congestion (RFC 4821 §7.5) */
    const uint32_t wait_us = q->rack_rtt_us + reo_wnd_us(t, c, q);
    if (q->flags & TERN_TXQ_REO) {
        q->flags &= (uint16_t)~TERN_TXQ_REO;
        c->rtx_at = q->rto_at;
    }
    while (q->oldest != 0) {
        const struct tern_sent *s = &t->sents[q->oldest];
        if (!tern_sent_is_after(q->rack_us, q->rack_end, s->sent_us, s->end))
            break;
        const int32_t left_us = (int32_t)(s->sent_us + wait_us - t->now_us);
        if (left_us > 0) {
            tern_conn_arm_reorder(t, c, q, (uint32_t)left_us);
            break;
        }
        if (unlikely(s->flags & TERN_SENT_PROBE)) {
            probe_bytes = tern_seq_span(s->start, s->end);
            tern_pmtu_probe_lost(t, c);
        }
        tern_sent_lose(t, q, q->oldest); /* (8985-1), with however few in flight (8985-2) */
    }
    return q->lost_bytes - lost_before - probe_bytes;
}

/* ---- tail loss probes ---- */

bool tern_tlp_may_follow(const struct tern_conn *c)
{
    if (!(c->flags & TERN_CF_SACK) || c->srtt_us8 == 0 || c->rttvar_us4 == 0)
        return false;
    return c->snd.wnd_bytes != 0 && (c->backoff & 0xf) == 0;
}

bool tern_tlp_may_probe(const struct tern_conn *c, const struct tern_txq *q)
{
    const uint16_t busy = TERN_TXQ_FAST | TERN_TXQ_RTO | TERN_TXQ_TLP;
    if (q->oldest == 0 || q->sacked_bytes != 0 || q->lost_bytes != 0 || (q->flags & busy))
        return false;
    return tern_tlp_may_follow(c);
}

uint64_t tern_tlp_after_us(const struct tern_tcp *t, const struct tern_conn *c)
{
    const bool one_segment = tern_seq_span(c->snd.una, c->snd.nxt) <= tern_conn_payload_max(t, c);
    const uint64_t us = 2 * (uint64_t)(c->srtt_us8 / 8) + (one_segment ? TLP_ACK_DELAY_US : 0);
    return RTE_MAX(us, (uint64_t)TLP_MIN_US); /* (8985-4) */
}

void tern_tlp_expired(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    bool again;
    if (!tern_conn_send_tail(t, c, q, &again))
        return;
    t->stats.tlp_probes++;
    q->tlp_end = c->snd.nxt;
    q->flags |= TERN_TXQ_TLP; /* one a tail (8985-5) */
    q->flags = (uint16_t)(again ? q->flags | TERN_TXQ_TLP_AGAIN : q->flags & ~TERN_TXQ_TLP_AGAIN);
}

bool tern_tlp_acked(const struct tern_conn *c, struct tern_txq *q, const struct tern_ack *a)
{
    if (!(q->flags & TERN_TXQ_TLP) || tern_seq_before(c->snd.una, q->tlp_end))
        return false;
    const bool beyond = tern_seq_before(q->tlp_end, c->snd.una);
    const bool twice = a->is_dsack || (a->is_duplicate && !a->has_sack && !beyond);
    if ((q->flags & TERN_TXQ_TLP_AGAIN) && !twice && !beyond)
        return false; /* one of the two arrived; the next ACK tells whether the other did, too */
    const bool repaired = (q->flags & TERN_TXQ_TLP_AGAIN) && !twice;
    q->flags &= (uint16_t) ~(TERN_TXQ_TLP | TERN_TXQ_TLP_AGAIN);
    return repaired;
}
