/* SPDX-License-Identifier: BSD-3-Clause */
#include "reasm.h"

/*
 * Pieces are chains of the received mbufs themselves, linked through their private areas in
 * sequence order, neither overlapping nor touching: what a new segment shares with a held piece is
 * cut from the new one, so bytes once taken are not replaced, and what it touches it is joined
 * with.
 *
 * Bounds: pieces, that is gaps (TERN_REASM_RANGES_MAX), and so the work a segment can cause; bytes
 * by the window, outside of which nothing arrives here; and buffers, each of which counts as
 * TERN_REASM_SEG_BYTES at the least, so that a peer cannot take a buffer for every byte.
 */
#include "host.h"
#include "mbuf.h"
#include "rcvbuf.h"

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
    r->n_segs -= m->nb_segs;
    r->n_ranges--;
}

/** Append `m` and what it holds to the chain of `piece`. */
static void join(struct rte_mbuf *piece, struct rte_mbuf *m)
{
    struct tern_mbuf_priv *a = tern_mbuf_priv(piece);
    const struct tern_mbuf_priv *b = tern_mbuf_priv(m);
    a->last->next = m;
    a->last = b->last;
    a->len_bytes += b->len_bytes;
    piece->nb_segs = (uint16_t)(piece->nb_segs + m->nb_segs);
    piece->pkt_len += m->pkt_len;
}

static bool touches(struct rte_mbuf *a, struct rte_mbuf *b)
{
    return a != NULL && b != NULL && piece_end(a).v == tern_mbuf_priv(b)->seq.v
           && a->nb_segs + b->nb_segs <= TERN_REASM_RUN_SEGS_MAX;
}

/** Put `m` at `link`, behind `before`, as a piece of its own or a part of its neighbours. */
static void insert(
    struct tern_rxq *r, struct rte_mbuf *m, struct rte_mbuf **link, struct rte_mbuf *before)
{
    struct rte_mbuf *after = *link;
    r->n_bytes += m->pkt_len;
    r->n_segs += m->nb_segs;
    tern_mbuf_priv(m)->next_piece = after;
    *link = m;
    r->n_ranges++;
    if (touches(m, after)) {
        tern_mbuf_priv(m)->next_piece = tern_mbuf_priv(after)->next_piece;
        join(m, after);
        r->n_ranges--;
    }
    if (touches(before, m)) {
        tern_mbuf_priv(before)->next_piece = tern_mbuf_priv(m)->next_piece;
        join(before, m);
        r->n_ranges--;
    }
}

/** Held pieces must not take the buffers that what fills the gaps will need. */
static bool pool_is_low(const struct tern_tcp *t)
{
    return rte_mempool_avail_count(t->pool) < t->pool->size / TERN_REASM_POOL_SHARE;
}

/** V117..V120: One more segment is within the bounds. */
static bool has_room(const struct tern_tcp *t, const struct tern_conn *c, const struct tern_rxq *r,
    const struct tern_pkt *p, const struct rte_mbuf *before)
{
    if ((r->n_segs + 1) * (uint64_t)TERN_REASM_SEG_BYTES > tern_conn_rcv_buf(t, c) && r->n_segs > 0)
        return false;
    if (pool_is_low(t))
        return false;
    if (r->n_ranges < TERN_REASM_RANGES_MAX)
        return true;
    return before != NULL && piece_end((struct rte_mbuf *)(uintptr_t)before).v == p->seq.v;
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

static void release_if_empty(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_rxq *r = &t->rxqs[c->rxq];
    if (r->first != NULL || (r->has_fin && tern_seq_before(c->rcv.nxt, r->fin)))
        return;
    tern_host_rxq_free(t, c->rxq);
    c->rxq = 0;
    c->slow &= (uint8_t)~TERN_SLOW_REASM;
}

/* V068, V120 */
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
    const uint32_t came = p->len_bytes;
    struct rte_mbuf *before;
    struct rte_mbuf **link = find_link(r, p->seq, &before);
    settle_overlap(r, p, link, before);
    if (p->len_bytes == 0) {
        note_recent(r, start);
        tern_conn_note_duplicate(t, c, start, tern_seq_add(start, came));
        return TERN_DROP_TCP_DUPLICATE;
    }
    if (!has_room(t, c, r, p, before)) {
        release_if_empty(t, c);
        return TERN_DROP_TCP_REASM_FULL;
    }
    note_recent(r, start);

    struct rte_mbuf *m = tern_mbuf_cut(seg->m, p->payload_off, p->len_bytes);
    seg->m = NULL;
    *tern_mbuf_priv(m) = (struct tern_mbuf_priv){
        .last = rte_pktmbuf_lastseg(m), .seq = p->seq, .len_bytes = p->len_bytes};
    insert(r, m, link, before);
    return TERN_DROP_NONE;
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
