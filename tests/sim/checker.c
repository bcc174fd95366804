/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

/*
 * The invariants of a connection's records. Only what is true between events is asked: an instance
 * whose output is not being fetched may have connections that wait to be settled, and those are
 * looked at less closely.
 */
#include "shard/shard_struct.h"
#include "tcp/flight.h"
#include "tcp/mbuf.h"
#include "tcp/sent.h"
#include "tcp/state.h"

#include <stdlib.h>

enum { SCOREBOARD_EVERY = 16 /* events: it walks everything in flight */ };
#define US_CIRCLE_NS ((UINT64_C(1) << 32) * 1000)

/** A connection under examination. */
struct look {
    struct sim *s;
    uint8_t h;
    struct tern_tcp *t;
    struct tern_conn *c;
    struct checker_conn *last;
};

#define MUST(l, condition, what)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            wrong((l), what);                                                                      \
    } while (0)

static void wrong(const struct look *l, const char *what)
{
    sim_fail(l->s, "host %u, %s, ports %u-%u: %s", l->h,
        tern_state_name((enum tern_state)l->c->state), l->c->lport, l->c->rport, what);
}

bool checker_init(struct checker *c, uint32_t conns_max)
{
    c->n_conns = conns_max + 1; /* index 0 is none */
    c->conns = calloc(c->n_conns, sizeof c->conns[0]);
    return c->conns != NULL;
}

void checker_fini(struct checker *c)
{
    free(c->conns);
}

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* ---- state ---- */

#define TO(s) (1u << TERN_##s)

/** Where a state leads in any number of steps within one event (RFC 9293 figure 5). */
static const uint16_t reachable[TERN_STATE_COUNT] = {
    [TERN_SYN_SENT] = TO(SYN_SENT) | TO(SYN_RCVD) | TO(ESTABLISHED) | TO(FIN_WAIT_1)
                      | TO(FIN_WAIT_2) | TO(CLOSE_WAIT) | TO(CLOSING) | TO(LAST_ACK) | TO(CLOSED),
    [TERN_SYN_RCVD] = TO(SYN_RCVD) | TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(FIN_WAIT_2)
                      | TO(CLOSE_WAIT) | TO(CLOSING) | TO(LAST_ACK) | TO(CLOSED),
    [TERN_ESTABLISHED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(FIN_WAIT_2) | TO(CLOSE_WAIT)
                         | TO(CLOSING) | TO(LAST_ACK) | TO(CLOSED),
    [TERN_FIN_WAIT_1] = TO(FIN_WAIT_1) | TO(FIN_WAIT_2) | TO(CLOSING) | TO(CLOSED),
    [TERN_FIN_WAIT_2] = TO(FIN_WAIT_2) | TO(CLOSED),
    [TERN_CLOSE_WAIT] = TO(CLOSE_WAIT) | TO(LAST_ACK) | TO(CLOSED),
    [TERN_CLOSING] = TO(CLOSING) | TO(CLOSED),
    [TERN_LAST_ACK] = TO(LAST_ACK) | TO(CLOSED),
    [TERN_CLOSED] = TO(CLOSED),
};

static void check_moves(const struct look *l)
{
    const struct tern_conn *c = l->c;
    const struct checker_conn *last = l->last;
    MUST(l, reachable[last->state] & (1u << c->state), "came here by no arrow of the diagram");
    MUST(l, !before(c->snd.una.v, last->una), "SND.UNA moved back");
    MUST(l, !before(c->snd.nxt.v, last->nxt), "SND.NXT moved back");
    if (last->state < TERN_ESTABLISHED)
        return; /* what the peer's SYN sets is set once */
    MUST(l, !before(c->rcv.nxt.v, last->rcv_nxt), "RCV.NXT moved back");
    MUST(l, !before(c->rcv.adv.v, last->rcv_adv), "the right edge moved left");
}

/* ---- sequence spaces and queues ---- */

static void check_sending(const struct look *l)
{
    const struct tern_conn *c = l->c;
    const struct tern_queued all = tern_conn_queued(l->t, c);
    const uint32_t flying = tern_seq_span(c->snd.una, c->snd.nxt);
    MUST(l, !before(c->snd.nxt.v, c->snd.una.v), "SND.UNA is beyond SND.NXT");
    const uint32_t payload = all.n_bytes - all.unsent_bytes;
    const bool fin = c->flags & TERN_CF_FIN_SENT;
    const uint32_t syn_fin = (tern_conn_is_opening(c) ? 1u : 0u) + (fin ? 1u : 0u);
    MUST(l, flying >= payload && flying - payload <= syn_fin,
        "in flight is other than what the queue holds");
    if (tern_conn_has_flight(c)) {
        tern_flight_check(l->t, c);
        return;
    }
    const struct tern_txq *q = tern_conn_txq(l->t, c);
    uint32_t queued = 0;
    const uint32_t head_off = q != NULL ? q->head_off : 0;
    for (const struct rte_mbuf *m = q != NULL ? q->head : NULL; m != NULL; m = m->next)
        queued += m->data_len;
    MUST(l, q == NULL || queued == q->n_bytes + head_off, "send queue miscounts its bytes");
}

static void check_reassembly(const struct look *l)
{
    const struct tern_conn *c = l->c;
    const struct tern_rxq *r = tern_conn_rxq(l->t, c);
    MUST(l, !before(c->rcv.adv.v, c->rcv.nxt.v), "RCV.NXT is beyond what was advertised");
    MUST(l, (r != NULL) == !!(c->slow & TERN_SLOW_REASM), "fast path flag and held data disagree");
    uint32_t n_bytes = 0, n_ranges = 0, end = c->rcv.nxt.v;
    for (struct rte_mbuf *m = r != NULL ? r->first : NULL; m != NULL;
         m = tern_mbuf_priv(m)->next_piece) {
        const struct tern_mbuf_priv *piece = tern_mbuf_priv(m);
        MUST(l, piece->len_bytes > 0 && piece->len_bytes == m->pkt_len, "piece of a wrong length");
        MUST(l, !before(piece->seq.v, end), "held pieces overlap or are out of order");
        end = piece->seq.v + piece->len_bytes;
        n_bytes += piece->len_bytes;
        n_ranges++;
    }
    MUST(l, n_ranges == 0 || !before(c->rcv.adv.v, end), "held data lies beyond the window");
    MUST(l, r == NULL || (n_bytes == r->n_bytes && n_ranges == r->n_ranges),
        "reassembly miscounts what it holds");
    MUST(l, n_ranges <= TERN_REASM_RANGES_MAX, "more pieces held than the bound");
}

/* ---- timers ---- */

static bool is_outstanding(const struct look *l)
{
    if (l->c->snd.una.v != l->c->snd.nxt.v)
        return true;
    return tern_conn_queued(l->t, l->c).unsent_bytes > 0 && !tern_conn_is_opening(l->c);
}

/** The node fires at the deadline or before. */
static void check_node(const struct look *l, bool has_deadline, uint32_t at)
{
    const bool armed = l->c->wheel_prev != 0;
    MUST(l, !has_deadline || armed, "a deadline is set and the timer node is not armed");
    const bool later = before(at, l->c->wheel_due) && before(l->t->now_tick, l->c->wheel_due);
    if (has_deadline && armed && later)
        sim_fail(l->s, "host %u, %s, ports %u-%u: the timer node fires %d ticks after its deadline",
            l->h, tern_state_name((enum tern_state)l->c->state), l->c->lport, l->c->rport,
            (int32_t)(l->c->wheel_due - at));
}

/** Armed while something is outstanding, and not armed while nothing is (RFC 6298 §5). */
static void check_timers(const struct look *l)
{
    const struct tern_conn *c = l->c;
    if (c->flags & TERN_CF_TOUCHED)
        return; /* not settled yet */
    const bool armed = c->flags & TERN_CF_RTX, outstanding = is_outstanding(l);
    const bool owes_fin = (c->flags & TERN_CF_FIN_QUEUED) && !(c->flags & TERN_CF_FIN_SENT);
    MUST(l, !outstanding || armed, "something is outstanding and no timer is armed");
    if (c->state != TERN_FIN_WAIT_2)
        MUST(l, outstanding || owes_fin || !armed, "nothing is outstanding and a timer is armed");
    const bool had_mbufs = l->t->stats.drops[TERN_DROP_NO_MBUF] == 0;
    MUST(l, !(c->flags & TERN_CF_ACK_NOW) || !had_mbufs,
        "an acknowledgement is owed and was not sent");
    check_node(l, armed, c->rtx_at);
    check_node(l, c->flags & TERN_CF_ACK_LATER, c->ack_at);
}

static void remember(const struct look *l)
{
    const struct tern_conn *c = l->c;
    *l->last = (struct checker_conn){
        true, c->rport, c->lport, c->state, c->snd.una.v, c->snd.nxt.v, c->rcv.nxt.v, c->rcv.adv.v};
}

static void look_at(struct sim *s, uint8_t h, uint32_t idx)
{
    struct tern_tcp *t = tern_tcp_of(tern_embed_shard(s->host[h].e));
    const struct look l = {s, h, t, &t->conns[idx], &s->host[h].checker.conns[idx]};
    const struct tern_conn *c = l.c;
    if (l.last->known && l.last->rport == c->rport && l.last->lport == c->lport)
        check_moves(&l);
    check_sending(&l);
    /* Times of transmission are 32 bits of microseconds: no order across half that circle. */
    if (s->n_events % SCOREBOARD_EVERY == 0 && c->txq != 0 && s->leapt_ns < US_CIRCLE_NS / 2)
        tern_sent_check(t, c); /* asserts */
    if (c->state >= TERN_SYN_RCVD) {
        check_reassembly(&l);
        check_timers(&l);
    }
    remember(&l);
}

void checker_look(struct sim *s, uint8_t h)
{
    struct tern_shard *sh = tern_embed_shard(s->host[h].e);
    struct checker *k = &s->host[h].checker;
    if (!tern_stats_balance(&sh->tcp.stats))
        sim_fail(s, "host %u: the books do not balance", h);
    if (sh->conns.n_used == 0 && sh->flow.n_used == 0)
        return;
    bool live[FLOWS_MAX + 8] = {false};
    for (uint32_t b = 0; b < sh->flow.n_buckets && !s->failed; b++)
        for (int i = 0; i < TERN_FLOW_SLOTS && !s->failed; i++) {
            const struct tern_flow_bucket *bucket = &sh->flow.buckets[b];
            if (bucket->tag[i] == 0 || tern_ref_kind(bucket->ref[i]) != TERN_REF_CONN)
                continue;
            const uint32_t idx = tern_ref_idx(bucket->ref[i]);
            live[idx] = true;
            look_at(s, h, idx);
        }
    for (uint32_t idx = 1; idx < k->n_conns; idx++) /* a record that went may come again */
        if (!live[idx])
            k->conns[idx].known = false;
}
