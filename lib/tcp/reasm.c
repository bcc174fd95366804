/* SPDX-License-Identifier: BSD-3-Clause */
#include "reasm.h"

/*
 * Pieces are the received mbufs themselves, linked through their private areas in sequence order
 * and never overlapping: what a new segment shares with a held piece is cut from the new one, so
 * bytes once taken are not replaced. The bound is in pieces (TERN_REASM_RANGES_MAX); bytes are
 * bounded by the window, outside of which nothing arrives here.
 */
#include "host.h"
#include "mbuf.h"

static struct tern_seq piece_end(struct rte_mbuf *m)
{
    return tern_seq_add(tern_mbuf_priv(m)->seq, tern_mbuf_priv(m)->len_bytes);
}

/** The link at which a piece starting at `seq` belongs: behind every piece that starts no later. */
static struct rte_mbuf **find_link(
    struct tern_rxq *r, struct tern_seq seq, struct rte_mbuf **before)
{
    struct rte_mbuf **link = &r->first;
    *before = NULL;
    while (*link != NULL && !tern_seq_before(seq, tern_mbuf_priv(*link)->seq)) {
        *before = *link;
        link = &tern_mbuf_priv(*link)->next_piece;
    }
    return link;
}

static void unlink_piece(struct tern_rxq *r, struct rte_mbuf **link)
{
    struct rte_mbuf *m = *link;
    *link = tern_mbuf_priv(m)->next_piece;
    r->n_bytes -= tern_mbuf_priv(m)->len_bytes;
    r->n_ranges--;
}

/** Cut from the segment what the pieces around it hold; drop pieces that it covers. */
static void settle_overlap(
    struct tern_rxq *r, struct tern_pkt *p, struct rte_mbuf **link, struct rte_mbuf *before)
{
    if (before != NULL && tern_seq_before(p->seq, piece_end(before))) {
        const uint32_t held = RTE_MIN(tern_seq_span(p->seq, piece_end(before)), p->len_bytes);
        p->seq = tern_seq_add(p->seq, held);
        p->payload_off += held;
        p->len_bytes -= held;
    }
    const struct tern_seq end = tern_seq_add(p->seq, p->len_bytes);
    while (*link != NULL && !tern_seq_before(end, piece_end(*link))) {
        struct rte_mbuf *covered = *link;
        unlink_piece(r, link);
        rte_pktmbuf_free(covered);
    }
    if (*link != NULL && tern_seq_before(tern_mbuf_priv(*link)->seq, end))
        p->len_bytes = tern_seq_span(p->seq, tern_mbuf_priv(*link)->seq);
}

/** A segment at `seq` came: its block is the first to be reported (RFC 2018 §4). */
static void note_recent(struct tern_rxq *r, struct tern_seq seq)
{
    const uint8_t room = sizeof r->recent / sizeof r->recent[0];
    uint8_t at = 0;
    while (at < r->n_recent && r->recent[at].v != seq.v)
        at++;
    if (at == r->n_recent && r->n_recent < room)
        r->n_recent++;
    if (at == room)
        at--; /* the oldest makes room */
    memmove(r->recent + 1, r->recent, at * sizeof r->recent[0]);
    r->recent[0] = seq;
}

static void note_fin(struct tern_rxq *r, const struct tern_pkt *p)
{
    r->has_fin = true;
    r->fin = tern_seq_add(p->seq, p->len_bytes);
}

enum tern_drop tern_reasm_hold(
    struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg, bool fin)
{
    if (c->rxq == 0)
        c->rxq = tern_host_rxq_new(t);
    if (c->rxq == 0)
        return TERN_DROP_TCP_REASM_FULL;
    struct tern_rxq *r = &t->rxqs[c->rxq];
    struct tern_pkt *p = &seg->p;
    c->slow |= TERN_SLOW_REASM;
    if (fin)
        note_fin(r, p);
    if (p->len_bytes == 0)
        return TERN_DROP_TCP_DONE;

    const struct tern_seq start = p->seq;
    struct rte_mbuf *before;
    struct rte_mbuf **link = find_link(r, p->seq, &before);
    settle_overlap(r, p, link, before);
    note_recent(r, start);
    if (p->len_bytes == 0)
        return TERN_DROP_TCP_DUPLICATE;
    if (r->n_ranges >= TERN_REASM_RANGES_MAX)
        return TERN_DROP_TCP_REASM_FULL;

    struct rte_mbuf *m = tern_mbuf_cut(seg->m, p->payload_off, p->len_bytes);
    seg->m = NULL;
    *tern_mbuf_priv(m) = (struct tern_mbuf_priv){*link, p->seq, p->len_bytes};
    *link = m;
    r->n_ranges++;
    r->n_bytes += p->len_bytes;
    return TERN_DROP_NONE;
}

static void release_if_empty(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_rxq *r = &t->rxqs[c->rxq];
    if (r->first != NULL || (r->has_fin && tern_seq_before(c->rcv.nxt, r->fin)))
        return;
    tern_host_rxq_free(t, c->rxq);
    c->rxq = 0;
    c->slow &= (uint8_t)~TERN_SLOW_REASM;
}

/** Free what in-order data has overtaken. */
static void drop_old(const struct tern_conn *c, struct tern_rxq *r)
{
    while (r->first != NULL && !tern_seq_before(c->rcv.nxt, piece_end(r->first))) {
        struct rte_mbuf *old = r->first;
        unlink_piece(r, &r->first);
        rte_pktmbuf_free(old); /* counted when it came */
    }
}

struct rte_mbuf *tern_reasm_next(
    struct tern_tcp *t, struct tern_conn *c, uint32_t *len_bytes, bool *fin)
{
    struct tern_rxq *r = &t->rxqs[c->rxq];
    drop_old(c, r);
    struct rte_mbuf *m = r->first;
    if (m == NULL || tern_seq_before(c->rcv.nxt, tern_mbuf_priv(m)->seq)) {
        *fin = r->has_fin && r->fin.v == c->rcv.nxt.v;
        release_if_empty(t, c);
        return NULL;
    }
    unlink_piece(r, &r->first);
    const uint32_t old = tern_seq_span(tern_mbuf_priv(m)->seq, c->rcv.nxt);
    *len_bytes = tern_mbuf_priv(m)->len_bytes - old;
    return old == 0 ? m : tern_mbuf_cut(m, old, *len_bytes);
}

void tern_reasm_clear(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_rxq *r = &t->rxqs[c->rxq];
    while (r->first != NULL) {
        struct rte_mbuf *m = r->first;
        unlink_piece(r, &r->first);
        rte_pktmbuf_free(m);
    }
    tern_host_rxq_free(t, c->rxq);
    c->rxq = 0;
    c->slow &= (uint8_t)~TERN_SLOW_REASM;
}
