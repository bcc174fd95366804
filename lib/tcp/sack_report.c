/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One walk over what is held, and a comparison a run: a peer that sends every other octet makes
 * each ACK look at all of it.
 */
#include "sack_report.h"

#include "mbuf.h"

/** The run of touching pieces that begins with *m, which moves on behind it. */
static struct tern_sack_block next_run(struct rte_mbuf **m)
{
    struct tern_sack_block b = {.left = tern_mbuf_priv(*m)->seq, .right = tern_mbuf_priv(*m)->seq};
    do {
        b.right = tern_seq_add(b.right, tern_mbuf_priv(*m)->len_bytes);
        *m = tern_mbuf_priv(*m)->next_piece;
    } while (*m != NULL && tern_mbuf_priv(*m)->seq.v == b.right.v);
    return b;
}

/** @param n_dsack  blocks in front that speak of a duplicate */
static void add_block(struct tern_sack_block b, struct tern_tcp_opts *o, uint8_t n_dsack)
{
    if (o->n_sack == TERN_SACK_BLOCKS_MAX || b.left.v == b.right.v)
        return;
    for (uint8_t i = n_dsack; i < o->n_sack; i++)
        if (o->sack[i].left.v == b.left.v)
            return;
    o->sack[o->n_sack++] = b;
}

/** Of the recent segments whose bit is in `want`, the first in sequence. */
static struct tern_seq first_wanted(const struct tern_rxq *r, uint32_t want)
{
    struct tern_seq first = r->recent[rte_bsf32(want)];
    for (uint8_t i = 0; i < r->n_recent; i++)
        if ((want & 1u << i) != 0 && tern_seq_before(r->recent[i], first))
            first = r->recent[i];
    return first;
}

/** The recent segments in the run get it. @return those that lie behind it */
static uint32_t take_run(const struct tern_rxq *r, uint32_t want, struct tern_sack_block run,
    struct tern_sack_block recent[TERN_SACK_BLOCKS_MAX])
{
    for (uint8_t i = 0; i < r->n_recent; i++) {
        if ((want & 1u << i) == 0 || !tern_seq_before(r->recent[i], run.right))
            continue;
        if (!tern_seq_before(r->recent[i], run.left))
            recent[i] = run;
        want &= ~(1u << i);
    }
    return want;
}

/** First the block of the segment that came last, then those reported before (RFC 2018 §4)
 * (2018-3), then any. V117 */
static void sack_blocks(const struct tern_rxq *r, struct tern_tcp_opts *o)
{
    struct tern_sack_block recent[TERN_SACK_BLOCKS_MAX] = {0}, front[TERN_SACK_BLOCKS_MAX];
    const uint8_t n_dsack = o->n_sack;
    uint32_t want = (1u << r->n_recent) - 1, n_front = 0;
    struct tern_seq next = want != 0 ? first_wanted(r, want) : (struct tern_seq){0};
    for (struct rte_mbuf *m = r->first; m != NULL && (want != 0 || n_front < RTE_DIM(front));) {
        const struct tern_sack_block run = next_run(&m);
        if (n_front < RTE_DIM(front))
            front[n_front++] = run;
        if (want == 0 || !tern_seq_before(next, run.right))
            continue;
        want = take_run(r, want, run, recent);
        next = want != 0 ? first_wanted(r, want) : next;
    }
    for (uint8_t i = 0; i < r->n_recent; i++)
        add_block(recent[i], o, n_dsack);
    for (uint32_t i = 0; i < n_front; i++)
        add_block(front[i], o, n_dsack);
}

/** The duplicate of this connection that is to be reported next, or NULL. */
static const struct tern_dsack *find_dsack(const struct tern_tcp *t, const struct tern_conn *c)
{
    for (uint32_t i = 0; i < t->n_dsacks; i++)
        if (t->dsacks[i].conn == tern_conn_idx(t, c))
            return &t->dsacks[i];
    return NULL;
}

/** First the duplicate that came (RFC 2883 §4) (2883-1): reported once. */
static void dsack_block(struct tern_tcp *t, const struct tern_conn *c, struct tern_tcp_opts *o)
{
    const struct tern_dsack *d = find_dsack(t, c);
    if (d == NULL)
        return;
    o->sack[o->n_sack++] = d->block;
    t->stats.dsack_sent++;
    t->dsacks[d - t->dsacks] = t->dsacks[--t->n_dsacks];
}

uint32_t tern_sack_n_held(const struct tern_tcp *t, const struct tern_conn *c)
{
    const struct tern_rxq *r = tern_conn_rxq(t, c);
    const uint32_t n = (r != NULL ? r->n_ranges : 0u) + (find_dsack(t, c) != NULL ? 1u : 0u);
    return RTE_MIN(n, c->flags & TERN_CF_TS ? 3u : 4u); /* (2018-4) */
}

void tern_sack_report(struct tern_tcp *t, const struct tern_conn *c, struct tern_tcp_opts *o)
{
    dsack_block(t, c, o);
    if (c->rxq != 0)
        sack_blocks(&t->rxqs[c->rxq], o);
}
