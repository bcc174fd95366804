/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * The fast path: the next segment of an undisturbed connection, or the acknowledgement of one. A
 * checklist that only reads, then a point of no return. It is an optimisation and nothing else:
 * with it off the same segments lead to the same packets.
 */
#include "flight.h"
#include "mbuf.h"
#include "rcvbuf.h"
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

bool tern_conn_rx_fast(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const struct tern_pkt *p = &seg->p;
    const uint32_t len = p->len_bytes;

    /* Only the plain shape: ACK, perhaps PSH. */
    if (unlikely((p->flags & ~TERN_TCP_PSH) != TERN_TCP_ACK))
        return false;
    /* Established, nothing out of order held, no recovery, window open, application listening. */
    if (unlikely((c->slow & ~TERN_SLOW_NOTES) != 0))
        return false;
    /* The very next byte we expect, and it fits. */
    if (unlikely(p->seq.v != c->rcv.nxt.v || len > tern_seq_span(c->rcv.nxt, c->rcv.adv)))
        return false;
    /* Acknowledges something we sent, or nothing new along with payload. */
    if (unlikely(tern_seq_before(p->ack, c->snd.una) || tern_seq_before(c->snd.nxt, p->ack)))
        return false;
    if (unlikely(len == 0 && p->ack.v == c->snd.una.v))
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
    if ((c->flags & TERN_CF_TS) && unlikely((int32_t)(seg->opts.ts_val - c->ts_recent) < 0))
        return false;

    /* --- Point of no return: nothing above wrote to *c, nothing below can fail. --- */
    if ((c->flags & TERN_CF_TS) && c->last_ack_sent.v == p->seq.v)
        c->ts_recent = seg->opts.ts_val; /* RFC 7323 §4.3 (7323-5) */
    t->stats.rx_fast++;
    tern_conn_ack(t, c, seg);
    if (len > 0 && c->state == TERN_ESTABLISHED) {
        struct rte_mbuf *m = tern_mbuf_cut(seg->m, p->payload_off, len);
        seg->m = NULL;
        tern_rcvbuf_arrived(t, c, seg);
        tern_conn_deliver(t, c, m, len);
    }
    tern_seg_done(t, seg, len > 0 ? TERN_DROP_NONE : TERN_DROP_TCP_DONE);
    return true;
}
