/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a shard is made of. Known to the few files of lib/shard that make up the shard itself; the
 * protocol sees the first member, the engine sees shard.h.
 */
#include "flow_table.h"
#include "icmp_in.h"
#include "listeners.h"
#include "neighbour.h"
#include "pool.h"
#include "queue.h"
#include "route.h"
#include "shard.h"
#include "tcp/dest.h"
#include "tcp/tcp.h"
#include "wheel.h"
#include "wire/pkt_plain.h"

/** A reference in the flow table: which kind of record, and its index. Never 0. */
enum tern_ref_kind {
    TERN_REF_CONN = 1,
    TERN_REF_HALF = 2,
    TERN_REF_TW = 3,
};

enum { TERN_REF_IDX_BITS = 30, TERN_PORT_TURNS = 1024 };
enum { TERN_DESTS_LOG2 = 9, TERN_DESTS = 1 << TERN_DESTS_LOG2 };

static inline uint32_t tern_ref(enum tern_ref_kind kind, uint32_t idx)
{
    return (uint32_t)kind << TERN_REF_IDX_BITS | idx;
}

static inline enum tern_ref_kind tern_ref_kind(uint32_t ref)
{
    return (enum tern_ref_kind)(ref >> TERN_REF_IDX_BITS);
}

static inline uint32_t tern_ref_idx(uint32_t ref)
{
    return ref & ((1u << TERN_REF_IDX_BITS) - 1);
}

struct tern_shard {
    struct tern_tcp tcp; /* first: tern_shard_of() */
    struct tern_plain plain;
    struct tern_flow_table flow;
    struct tern_pool conns, addr6s, txqs, sents, congs, rxqs, rares, halves, tws;
    union tern_addr mine_last;          /* the address of ours that the last segment was sent to */
    const struct tern_pool *pool_of[4]; /* by enum tern_ref_kind */
    uint32_t n_sent_more;               /* of sents: beyond the first of each connection */
    struct tern_wheel conn_wheel;
    struct tern_queue half_queues[TERN_SYNACK_TRIES_MAX]; /* by SYN-ACKs sent, less one */
    struct tern_queue tw_queue;
    struct tern_listeners listeners;
    struct tern_neigh_table neighbours;
    struct tern_icmp_in icmp;
    struct tern_routes routes;
    void *user;
    uint32_t port_turns[TERN_PORT_TURNS]; /* next ephemeral port, by hash of the destination */
    struct tern_dest dests[TERN_DESTS];   /* opened to lately; see link.c */
};

static inline bool tern_conn_has_key(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_flow_key *k)
{
    if (c->rport != k->rport || c->lport != k->lport)
        return false;
    if (unlikely(c->flags & TERN_CF_V6)) {
        const struct tern_addr6 *a = &t->addr6s[c->remote4];
        return tern_addr_equal(&a->remote, &k->remote) && tern_addr_equal(&a->local, &k->local);
    }
    return c->remote4 == k->remote.w[3] && c->local4 == k->local.w[3]
           && tern_addr_is_v4(&k->remote);
}

/** Is this the record of that four-tuple? */
static inline bool tern_ref_has_key(
    const struct tern_shard *sh, uint32_t ref, const struct tern_flow_key *k)
{
    const uint32_t idx = tern_ref_idx(ref);
    switch (tern_ref_kind(ref)) {
    case TERN_REF_CONN: return tern_conn_has_key(&sh->tcp, &sh->tcp.conns[idx], k);
    case TERN_REF_HALF:
        return tern_flow_key_equal(
            &((const struct tern_half *)tern_pool_at(&sh->halves, idx))->key, k);
    case TERN_REF_TW:
        return tern_flow_key_equal(&((const struct tern_tw *)tern_pool_at(&sh->tws, idx))->key, k);
    }
    return false;
}

/* shard.c */
/**
 * Before time is set: a leap (a machine that slept, a simulator) longer than the furthest deadline,
 * which ticks, on their circle, could not tell from going back. They count no more of it than that:
 * everything armed fires, and once. In steps it would fire once a step, with retransmissions of the
 * past whose timestamps run round the circle, too, until the peer refuses those of today (RFC 7323
 * §5.3). Cost: nothing without one.
 */
void tern_shard_leap(struct tern_shard *sh, uint64_t now_ns);

/* records.c */
TERN_MUST_CHECK int tern_records_init(struct tern_shard *sh);
void tern_records_fini(struct tern_shard *sh);
void tern_records_plan(const struct tern_stack_config *cfg, struct tern_memory_plan *plan);
/** The reference of a four-tuple, or 0. */
uint32_t tern_records_find(
    const struct tern_shard *sh, const struct tern_flow_key *key, uint64_t hash);
/** Timers that are armed: of connections, of half-open and of TIME-WAIT records. */
uint32_t tern_records_n_armed(const struct tern_shard *sh);
/** The next tick at which a timer may be due. @return false: none is armed */
bool tern_records_next_tick(const struct tern_shard *sh, uint32_t *tick);
/** Run the timers that are due. Bounded work a call. */
void tern_records_advance(struct tern_shard *sh);
/** Call `fn` for every reference in the table; fn may remove that reference and add none. */
void tern_records_each(struct tern_shard *sh, void (*fn)(struct tern_shard *, uint32_t ref));

/* link.c */
struct tern_neigh_io tern_link_io(struct tern_shard *sh);
/** Queue a whole frame for sending; drops with TX_FULL when the list is full. */
void tern_link_send(struct tern_shard *sh, struct rte_mbuf *frame);
