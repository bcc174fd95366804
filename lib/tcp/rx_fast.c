/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The straight paths: the next segment of an undisturbed connection, or the acknowledgement of one;
 * and the same while it closes, FINs included. Each is a checklist that only reads, then a point of
 * no return. They are optimisations and nothing else: with them off the same segments lead to the
 * same packets.
 */
#include "flight.h"
#include "mbuf.h"
#include "rcvbuf.h"
#include "state.h"
#include "wire/bytes.h"

/** Options are exactly what the connection negotiated: none, or nop, nop, TS. */
static bool plain_options(const struct tern_conn *c, struct tern_seg *seg)
{
    seg->opts.has = 0;
    if (!(c->flags & TERN_CF_TS))
        return seg->p.doff_bytes == TERN_TCP_BYTES;
    const uint8_t *opt = seg->frame + seg->p.l4_off + TERN_TCP_BYTES;
    if (seg->p.doff_bytes != TERN_TCP_BYTES + TERN_TS_OPT_BYTES
        || tern_load32(opt) != TERN_TS_OPT_WORD)
        return false;
    seg->opts.has = TERN_HAS_TS;
    seg->opts.ts_val = tern_load32(opt + 4);
    seg->opts.ts_ecr = tern_load32(opt + 8);
    return true;
}

/**
 * The very next segment, in any synchronized state: it says nothing that needs a thought. Writes
 * nothing but seg->opts.
 * @param span  sequence numbers of its payload and FIN
 */
static inline bool is_next(
    const struct tern_tcp *t, const struct tern_conn *c, struct tern_seg *seg, uint32_t span)
{
    const struct tern_pkt *p = &seg->p;
    /* The very next byte we expect, and it fits. */
    if (unlikely(p->seq.v != c->rcv.nxt.v || span > tern_seq_span(c->rcv.nxt, c->rcv.adv)))
        return false;
    /* Acknowledges something we sent, or nothing new along with payload or FIN. */
    if (unlikely(tern_seq_before(p->ack, c->snd.una) || tern_seq_before(c->snd.nxt, p->ack)))
        return false;
    if (unlikely(span == 0 && p->ack.v == c->snd.una.v))
        return false; /* duplicate ACK or window update */
    if (unlikely(p->wnd == 0 || !plain_options(c, seg)))
        return false;
    /* What is in flight, if that is a single segment, arrived as a whole, or nothing is said of it.
     */
    if (tern_conn_has_flight(c) && unlikely(!tern_flight_takes(c, seg)))
        return false;
    /* Congestion notices are the slow path's (RFC 3168). */
    if (unlikely(c->cong != 0) && tern_conn_has_ecn(t, c)
        && (tern_seg_is_marked(seg) || (t->congs[c->cong].flags & (TERN_CG_ECE | TERN_CG_CE))))
        return false;
    /* PAWS (RFC 7323 §5.3), and no doubt about an idle connection's timestamp. */
    return !(c->flags & TERN_CF_TS) || likely((int32_t)(seg->opts.ts_val - c->ts_recent) >= 0);
}

/** It is taken: its timestamp and its acknowledgement. */
static inline void take_head(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if ((c->flags & TERN_CF_TS) && c->last_ack_sent.v == seg->p.seq.v)
        c->ts_recent = seg->opts.ts_val; /* RFC 7323 §4.3 (7323-5) */
    t->stats.rx_fast++;
    const bool queued = c->txq != 0 && !tern_conn_has_flight(c);
    if (likely(!queued && c->backoff == 0))
        tern_conn_ack_plainly(t, c, seg);
    else
        tern_conn_ack(t, c, seg);
}

bool tern_conn_rx_fast(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const struct tern_pkt *p = &seg->p;
    const uint32_t len = p->len_bytes;

    /* Only the plain shape: ACK, perhaps PSH. */
    if (unlikely((p->flags & ~TERN_TCP_PSH) != TERN_TCP_ACK))
        return false;
    /* Established, nothing out of order held, no recovery, window open, application listening. */
    if (unlikely((c->slow & ~TERN_SLOW_NOTES) != 0) || !is_next(t, c, seg, len))
        return false;

    /* --- Point of no return: nothing above wrote to *c, nothing below can fail. --- */
    take_head(t, c, seg);
    if (len > 0 && c->state == TERN_ESTABLISHED) {
        struct rte_mbuf *m = tern_mbuf_cut(seg->m, p->payload_off, len);
        seg->m = NULL;
        tern_rcvbuf_arrived(t, c, seg);
        tern_conn_deliver(t, c, m, len);
    }
    tern_seg_done(t, seg, len > 0 ? TERN_DROP_NONE : TERN_DROP_TCP_DONE);
    return true;
}

/* ---- closing ---- */

/** What only the way out has: a FIN, or a connection that one of the two has closed. The peer says
 * no more than it may, and the application wants to hear of it. */
static inline bool is_on_the_way_out(const struct tern_conn *c, const struct tern_pkt *p)
{
    const uint8_t usual = TERN_SLOW_NOTES | TERN_SLOW_STATE | TERN_SLOW_DEAF;
    if ((p->flags & ~(TERN_TCP_PSH | TERN_TCP_FIN)) != TERN_TCP_ACK || (c->slow & ~usual) != 0
        || !(c->flags & TERN_CF_OPENED))
        return false;
    if (!tern_state_can_receive((enum tern_state)c->state))
        return p->len_bytes == 0 && !(p->flags & TERN_TCP_FIN);
    return p->len_bytes == 0 || !(c->slow & TERN_SLOW_DEAF);
}

bool tern_conn_rx_closing(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const struct tern_pkt *p = &seg->p;
    const uint32_t span = p->len_bytes + !!(p->flags & TERN_TCP_FIN);
    if (!is_on_the_way_out(c, p) || !is_next(t, c, seg, span))
        return false;

    /* --- Point of no return, as above. --- */
    enum tern_drop why = TERN_DROP_TCP_DONE;
    take_head(t, c, seg);
    if (span > 0)
        why = tern_conn_take(t, c, seg);
    tern_seg_done(t, seg, why);
    return true;
}
