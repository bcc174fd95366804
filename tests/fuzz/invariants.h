/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What holds for a shard between any two calls, whatever was done to it. Each line of check_conn()
 * and below is one equation of tcp/conn.h or RFC 9293; a failure is an assert at that line. Cost:
 * O(connections and buffers queued), so for small instances.
 *
 * tern_shard_settle() must have run: timers are armed there, and closed connections released.
 */
#include "shard/shard_struct.h"
#include "tcp/flight.h"
#include "tcp/mbuf.h"
#include "tcp/sent.h"
#include "tcp/state.h"

#include <assert.h>

#ifdef __clang__ /* the fuzzer need not look for new ways through the checks */
#    pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

static inline bool seq_at_most(struct tern_seq a, struct tern_seq b)
{
    return !tern_seq_before(b, a);
}

/** A chain as DPDK wants it; no buffer of it empty. @return its bytes */
static inline uint32_t check_chain(const struct rte_mbuf *m)
{
    const char *why = "";
    assert(rte_mbuf_check(m, 1, &why) == 0);
    uint32_t n = 0;
    for (const struct rte_mbuf *at = m; at != NULL; at = at->next) {
        assert(at->data_len > 0 && rte_mbuf_refcnt_read(at) > 0);
        n += at->data_len;
    }
    assert(n == m->pkt_len);
    return n;
}

/** tcp/sendq.h: one list from SND.UNA to the last byte queued, `cur` at the first never sent. */
static inline void check_send_queue(const struct tern_conn *c, const struct tern_txq *q)
{
    uint32_t n = 0, before_cur = 0;
    bool seen_cur = false;
    const struct rte_mbuf *last = NULL;
    for (const struct rte_mbuf *m = q->head; m != NULL; last = m, m = m->next) {
        assert(m->data_len > 0 && rte_mbuf_refcnt_read(m) > 0);
        if (m == q->cur) {
            seen_cur = true;
            before_cur = n + q->cur_off;
        }
        n += m->data_len;
    }
    assert(last == q->tail || q->head == NULL);
    assert(q->unsent_bytes <= q->n_bytes);
    assert(q->head == NULL ? q->n_bytes == 0 : n - q->head_off == q->n_bytes);
    assert(q->head == NULL || q->head_off < q->head->data_len);
    assert((q->cur != NULL) == (q->unsent_bytes > 0) && (q->cur == NULL || seen_cur));
    if (q->cur != NULL)
        assert(before_cur - q->head_off == q->n_bytes - q->unsent_bytes);
    if (!tern_conn_is_opening(c)) {
        const bool fin = (c->flags & TERN_CF_FIN_SENT) && c->state != TERN_FIN_WAIT_2;
        const uint32_t in_flight = q->n_bytes - q->unsent_bytes + fin;
        assert(tern_seq_span(c->snd.una, c->snd.nxt) == in_flight);
    }
}

/** Pieces in order, apart, in the window; what they add up to is what is noted (SHLD-31). */
static inline void check_reassembly(const struct tern_conn *c, const struct tern_rxq *r)
{
    uint32_t n_ranges = 0, n_bytes = 0;
    struct tern_seq end = c->rcv.nxt;
    for (struct rte_mbuf *m = r->first; m != NULL; m = tern_mbuf_priv(m)->next_piece) {
        const struct tern_mbuf_priv *p = tern_mbuf_priv(m);
        assert(p->len_bytes > 0 && check_chain(m) == p->len_bytes);
        assert(n_ranges == 0 ? tern_seq_before(end, p->seq) : seq_at_most(end, p->seq));
        end = tern_seq_add(p->seq, p->len_bytes);
        n_ranges++;
        n_bytes += p->len_bytes;
    }
    assert(seq_at_most(end, c->rcv.adv));
    assert(n_ranges == r->n_ranges && n_bytes == r->n_bytes);
    assert(n_ranges <= TERN_REASM_RANGES_MAX);
    assert(n_ranges > 0 || r->has_fin);
}

/** RFC 6298 §5: something outstanding has a timer; the node fires no later than any deadline. */
static inline void check_timers(struct tern_shard *sh, struct tern_conn *c)
{
    const uint32_t idx = tern_conn_idx(&sh->tcp, c);
    const bool armed = tern_wheel_is_armed(&sh->conn_wheel, idx);
    const uint32_t due = tern_wheel_node(&sh->conn_wheel, idx)->due;
    if (c->snd.una.v != c->snd.nxt.v)
        assert(c->flags & TERN_CF_RTX);
    if (c->flags & TERN_CF_RTX)
        assert(armed && (int32_t)(c->rtx_at - due) >= 0);
    if (c->flags & TERN_CF_ACK_LATER)
        assert(armed && (int32_t)(c->ack_at - due) >= 0);
    const struct tern_rare *r = tern_conn_rare(&sh->tcp, c);
    const struct tern_cong *g = tern_conn_cong(&sh->tcp, c);
    if (g != NULL && (g->flags & TERN_CG_PACE_WAIT) && sh->tcp.now_ns < g->pace_ns)
        assert(armed);
    if (r != NULL && r->timer_armed)
        assert(armed && (int32_t)(r->timer_at - due) >= 0);
    if (r != NULL && r->keepalive_armed)
        assert(armed && (int32_t)(r->keepalive_at - due) >= 0);
    if (r != NULL && r->linger_armed)
        assert(armed && (int32_t)(r->linger_at - due) >= 0);
}

static inline void check_conn(struct tern_shard *sh, struct tern_conn *c)
{
    const struct tern_tcp *t = &sh->tcp;
    assert(c->state == TERN_SYN_SENT || (c->state >= TERN_SYN_RCVD && c->state <= TERN_LAST_ACK));
    assert(seq_at_most(c->snd.una, c->snd.nxt));
    assert(c->state == TERN_SYN_SENT || seq_at_most(c->rcv.nxt, c->rcv.adv));
    assert(c->state == TERN_SYN_SENT || seq_at_most(c->last_ack_sent, c->rcv.nxt));
    assert(tern_seq_span(c->rcv.nxt, c->rcv.adv) <= 0xffffu << tern_conn_rcv_wscale(t, c));
    assert(c->mss_bytes >= TERN_MSS_MIN && tern_conn_snd_wscale(c) <= TERN_WSCALE_MAX);
    assert(tern_conn_payload_max(t, c) > 0);
    assert(!(c->flags & TERN_CF_FIN_SENT) || (c->flags & TERN_CF_FIN_QUEUED));
    assert(c->state == TERN_ESTABLISHED || (c->slow & TERN_SLOW_STATE));
    assert((c->rxq != 0) == !!(c->slow & TERN_SLOW_REASM));
    if (!tern_conn_is_opening(c))
        assert(c->cwnd_bytes > 0);
    const bool has_flight = tern_conn_has_flight(c);
    const struct tern_txq *q = has_flight ? NULL : tern_conn_txq(t, c);
    if (has_flight)
        tern_flight_check(t, c);
    else if (q != NULL)
        check_send_queue(c, q);
    else if (!tern_conn_is_opening(c)) /* nothing but a FIN can be out */
        assert(tern_seq_span(c->snd.una, c->snd.nxt) <= !!(c->flags & TERN_CF_FIN_SENT));
    const struct tern_rxq *r = tern_conn_rxq(t, c);
    if (r != NULL)
        check_reassembly(c, r);
    check_timers(sh, c);
}

/** Times of transmission are 32 bits of microseconds: no order across half that circle. */
static const uint64_t scoreboard_span_ns = (UINT64_C(1) << 31) * TERN_NS_PER_US;

/** What is in flight adds up (tcp/sent.h). Only within scoreboard_span_ns of the shard's start. */
static inline void check_scoreboards(const struct tern_shard *sh)
{
    for (uint32_t b = 0; b < sh->flow.n_buckets; b++) {
        const struct tern_flow_bucket *at = &sh->flow.buckets[b];
        for (int i = 0; i < TERN_FLOW_SLOTS; i++)
            if (at->tag[i] != 0 && tern_ref_kind(at->ref[i]) == TERN_REF_CONN)
                tern_sent_check(&sh->tcp, &sh->tcp.conns[tern_ref_idx(at->ref[i])]);
    }
}

/** How many records of each kind the flow table leads to. */
struct census {
    uint32_t conns, halves, tws, txqs, congs, rxqs, rares;
};

static inline struct census check_records(struct tern_shard *sh)
{
    struct census n = {0};
    for (uint32_t b = 0; b < sh->flow.n_buckets; b++) {
        for (int i = 0; i < TERN_FLOW_SLOTS; i++) {
            if (sh->flow.buckets[b].tag[i] == 0)
                continue;
            const uint32_t ref = sh->flow.buckets[b].ref[i], idx = tern_ref_idx(ref);
            n.halves += tern_ref_kind(ref) == TERN_REF_HALF;
            n.tws += tern_ref_kind(ref) == TERN_REF_TW;
            if (tern_ref_kind(ref) != TERN_REF_CONN)
                continue;
            struct tern_conn *c = &sh->tcp.conns[idx];
            n.conns++;
            n.txqs += c->txq != 0;
            n.congs += c->cong != 0;
            n.rxqs += c->rxq != 0;
            n.rares += c->rare != 0;
            check_conn(sh, c);
        }
    }
    return n;
}

/** Reasons for packets that were not sent; all others are about packets received. */
static inline bool is_about_sending(int drop)
{
    return drop == TERN_DROP_NO_MBUF || drop == TERN_DROP_TX_FULL || drop == TERN_DROP_STOPPING
           || (drop >= TERN_DROP_NEIGH_QUEUE_FULL && drop <= TERN_DROP_NO_ROUTE);
}

/** Every packet received, every SYN and every connection is accounted for. */
static inline void check_books(const struct tern_shard *sh)
{
    const struct tern_stats *st = &sh->tcp.stats;
    uint64_t judged = 0;
    for (int i = 0; i < TERN_DROP_COUNT; i++)
        judged += is_about_sending(i) ? 0 : st->drops[i];
    assert(judged <= st->rx_packets);
    if (st->drops[TERN_DROP_NO_MBUF] == 0)
        assert(judged == st->rx_packets);
    assert(tern_stats_balance(st));
    const uint64_t by_ack = st->passive_established - st->syn_cookies_accepted - st->tfo_accepted;
    assert(st->half_opened
           == sh->halves.n_used + by_ack + st->half_expired + st->half_reset + st->half_refused);
}

/** All of it. */
static inline void check_shard(struct tern_shard *sh)
{
    check_books(sh);
    if (sh->tcp.touched_head != 0)
        return; /* the tx list is full: the rest is settled when it was taken */
    const struct census n = check_records(sh);
    assert(n.conns == sh->conns.n_used && n.halves == sh->halves.n_used);
    assert(n.tws == sh->tws.n_used && n.conns + n.halves + n.tws == sh->flow.n_used);
    assert(n.txqs == sh->txqs.n_used && n.congs == sh->congs.n_used);
    assert(n.rxqs == sh->rxqs.n_used && n.rares == sh->rares.n_used);
    assert(sh->tw_queue.n == n.tws);
    assert(tern_records_n_armed(sh) - sh->conn_wheel.n_armed == n.halves + n.tws);
    assert(sh->conn_wheel.n_armed <= n.conns);
    assert(sh->tcp.stats.open_now + sh->tcp.stats.opening_now == n.conns);
}

#ifdef __clang__
#    pragma clang attribute pop
#endif
