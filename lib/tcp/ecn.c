/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * Explicit congestion notification (RFC 3168), and its finer form for DCTCP (RFC 8257).
 *
 *   asked for     SYN with ECE and CWR, answered by SYN-ACK with ECE alone; nothing is marked ECT
 *                 before (3168-1, 3168-2). A SYN that has to be sent again asks no more: something
 *                 on the path may drop those that do (3168-7).
 *   data          new segments with payload carry ECT(0); what is sent again, pure ACKs and probes
 *                 do not (3168-5, 3168-6)
 *   CE came       every ACK carries ECE until the peer says CWR (3168-3). DCTCP: ECE says of every
 *                 segment whether it was marked, and a change is acknowledged at once.
 *   ECE came      cwnd is reduced once a round trip, and the next new data says CWR (3168-4):
 *                 recovery.c
 *
 * The state is in struct tern_cong; a connection that finds none left does without ECN.
 */

static bool is_wanted(const struct tern_tcp *t, const struct tern_conn *c)
{
    return t->cfg.ecn == TERN_ECN_REQUEST || tern_conn_cc(t, c)->wants_ecn;
}

bool tern_ecn_asks(const struct tern_tcp *t)
{
    return is_wanted(t, &t->blank);
}

uint8_t tern_ecn_request(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->backoff != 0 || !is_wanted(t, c) || tern_conn_cong_need(t, c) == NULL) /* (3168-7) */
        return 0;
    return TERN_TCP_ECE | TERN_TCP_CWR; /* (3168-1, SHLD-8) */
}

void tern_ecn_answered(struct tern_tcp *t, struct tern_conn *c, uint8_t flags)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    const bool asked = c->backoff == 0 && is_wanted(t, c) && g != NULL;
    if (asked && (flags & (TERN_TCP_ECE | TERN_TCP_CWR)) == TERN_TCP_ECE) /* (3168-1) */
        g->flags |= TERN_CG_ECN;
}

bool tern_ecn_accepts(const struct tern_tcp *t, uint8_t flags)
{
    const uint8_t setup = TERN_TCP_ECE | TERN_TCP_CWR; /* (3168-1, SHLD-8) */
    return t->cfg.ecn != TERN_ECN_OFF && (flags & setup) == setup;
}

void tern_ecn_agreed(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_cong *g = tern_conn_cong_need(t, c);
    if (g != NULL)
        g->flags |= TERN_CG_ECN;
}

/** RFC 8257 §3.2: one bit that says what the last segments were; a change ends their ACK. */
static void note_mark(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, bool marked)
{
    const bool was = g->flags & TERN_CG_CE;
    if (was == marked)
        return;
    if (c->last_ack_sent.v != c->rcv.nxt.v)
        tern_conn_send_ack(t, c);
    const uint8_t both = TERN_CG_CE | TERN_CG_ECE;
    g->flags = (uint8_t)(marked ? g->flags | both : g->flags & ~both);
}

void tern_ecn_rcvd(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    const bool marked = tern_seg_is_marked(seg);
    t->stats.ecn_ce_rcvd += marked;
    if (g->cc == TERN_CC_DCTCP) {
        note_mark(t, c, g, marked);
        return;
    }
    if (seg->p.flags & TERN_TCP_CWR)
        g->flags &= (uint8_t)~TERN_CG_ECE;
    if (marked) /* (3168-3) */
        g->flags |= TERN_CG_ECE;
}
