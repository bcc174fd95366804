/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A peer of one connection that means harm: its segments are well-formed (attack.h is for those
 * that are not) and say what a protocol machine should choke on. On top of tcp_flight.h this gives
 * the record of the connection, whose equations can be asserted between any two steps, and the
 * baseline before and after.
 */
#include "baseline.h"
#include "tcp/conn.h"
#include "tcp/sent.h"
#include "tcp_flight.h"

/** The only connection of the shard. */
static inline struct tern_conn *only_conn(const struct peer *p)
{
    struct tern_conn *c = NULL;
    uint64_t cursor = 0;
    tern_shard_settle(p->sh);
    assert_int_equal(tern_shard_conns(p->sh, &cursor, &c, 1), 1);
    return c;
}

/** What is in flight is what the records of it say (V067). */
static inline void check_in_flight(const struct peer *p)
{
    const struct tern_conn *c = only_conn(p);
    if (c->txq != 0)
        tern_sent_check(&p->sh->tcp, c);
}

/** Out-of-order data of the connection; NULL: none is held. */
static inline const struct tern_rxq *held_by(const struct peer *p)
{
    const struct tern_conn *c = only_conn(p);
    return c->rxq != 0 ? &p->sh->tcp.rxqs[c->rxq] : NULL;
}

/** Sequence numbers around which arithmetic breaks that is not modulo 2^32. */
static const uint32_t odd_isns[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffff};
enum { N_ODD_ISNS = sizeof odd_isns / sizeof odd_isns[0] };

/** Both ends begin there, on an instance of its own. */
static inline void begin_at(struct peer *p, uint32_t isn)
{
    peer_restart(p);
    p->seq = p->ack = 0;
    p->has_irs = false;
    p->iss = isn;
    p->cfg.stack.pins.has_isn = true;
    p->cfg.stack.pins.isn = isn;
}
