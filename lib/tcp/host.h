/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the protocol asks of the shard around it: records, the table that finds them, timers, the
 * link. Plain functions that lib/shard defines, so that lib/tcp includes nothing of it, and no call
 * goes through a pointer. Each record is freed in one function here and nowhere else.
 */
#include "dest.h"

/** A connection like `as` under `key`, entered in the flow table; NULL: conns_max or table full.
 * @param neighbour  next hop with a reference, which the connection takes over; it is given back
 *                   when there is no connection. 0: NULL */
struct tern_conn *tern_host_conn_new(struct tern_tcp *t, const struct tern_conn *as,
    const struct tern_flow_key *key, uint64_t hash, uint16_t neighbour);

/** The connection that a half-open one becomes, in its place in the table; `h` is freed. NULL: as
 * above, and `h` lives. @param seg  of the same four-tuple */
struct tern_conn *tern_host_conn_from_half(struct tern_tcp *t, const struct tern_conn *as,
    struct tern_half *h, const struct tern_seg *seg, uint16_t neighbour);

/** A TIME-WAIT record in the place of `c` in the table, freed at `due` (c itself stays to be
 * settled and freed, and is in the table no more). NULL: none left; then c's entry is gone, too.
 * @param seg  of the same four-tuple */
struct tern_tw *tern_host_tw_from_conn(
    struct tern_tcp *t, const struct tern_conn *c, const struct tern_seg *seg, uint32_t due);

/** Remove a connection's entry from the table: its four-tuple is free. */
void tern_host_conn_forget(struct tern_tcp *t, const struct tern_conn *c);
/** The same where its hash is known. */
void tern_host_conn_forget_at(struct tern_tcp *t, const struct tern_conn *c, uint64_t hash);

/** Free a forgotten connection and every record it holds; its timer is cancelled. */
void tern_host_conn_free(struct tern_tcp *t, struct tern_conn *c);

struct tern_half *tern_host_half_new(
    struct tern_tcp *t, const struct tern_flow_key *key, uint64_t hash);
void tern_host_half_free(struct tern_tcp *t, struct tern_half *h);
bool tern_host_halves_full(const struct tern_tcp *t);
void tern_host_tw_free(struct tern_tcp *t, struct tern_tw *tw);

/** The four-tuple with this hash will be asked for soon. */
void tern_host_prefetch(struct tern_tcp *t, uint64_t hash);

/** What holds a four-tuple: a TIME-WAIT record (returned), something alive (*in_use), or nothing.
 */
struct tern_tw *tern_host_find_tw(
    struct tern_tcp *t, const struct tern_flow_key *key, uint64_t hash, bool *in_use);

/** Records from their pools: index, or 0. They come zeroed. */
uint32_t tern_host_txq_new(struct tern_tcp *t);
/** The same, not zeroed: its first four bytes are garbage, the rest what it last held. */
uint32_t tern_host_txq_take(struct tern_tcp *t);
void tern_host_txq_free(struct tern_tcp *t, uint32_t idx);
bool tern_host_txq_left(const struct tern_tcp *t);
/** A record of what is in flight; not zeroed. `first`: the connection's only one, which is always
 * to be had; free it with `last`. */
uint32_t tern_host_sent_new(struct tern_tcp *t, bool first);
void tern_host_sent_free(struct tern_tcp *t, uint32_t idx, bool last);
/** Another one than a first is to be had. */
bool tern_host_sent_left(const struct tern_tcp *t);
uint32_t tern_host_cong_new(struct tern_tcp *t);
void tern_host_cong_free(struct tern_tcp *t, uint32_t idx);
uint32_t tern_host_rxq_new(struct tern_tcp *t);
void tern_host_rxq_free(struct tern_tcp *t, uint32_t idx);
uint32_t tern_host_rare_new(struct tern_tcp *t);

/** See to it that the record's timer function is called at `due` or before. */
void tern_host_conn_timer(struct tern_tcp *t, struct tern_conn *c, uint32_t due);
/** Call tern_half_timer() at `due`, not earlier and not at an earlier `due`. All with the same
 * number of `tries`, 1..TERN_SYNACK_TRIES_MAX, wait equally long. */
void tern_host_half_timer(struct tern_tcp *t, struct tern_half *h, uint8_t tries, uint32_t due);
/** Free the record at `due` after all; all wait equally long. */
void tern_host_tw_timer(struct tern_tcp *t, struct tern_tw *tw, uint32_t due);

/** Somebody listens on this port of ours, on whatever address. */
bool tern_host_listens(const struct tern_tcp *t, uint16_t port);

/**
 * What an open to (remote, rport) from `wanted`, or from any address of ours when that is
 * unspecified (MUST-44), has to know. *out is good until the next call.
 * @return 0, -EADDRNOTAVAIL, -ENETUNREACH, -EINVAL (MUST-46)
 */
int tern_host_dest(struct tern_tcp *t, const union tern_addr *remote, uint16_t rport,
    const union tern_addr *wanted, struct tern_dest **out);

/** A static body's bytes from `off` on, and how many these are. */
const uint8_t *tern_host_static_bytes(const struct tern_static *s, size_t off);
size_t tern_host_static_left(const struct tern_static *s, size_t off);
/** One more mbuf refers to an external buffer that one of this shard's refers to. */
void tern_host_refer(struct rte_mbuf_ext_shared_info *shared);
/** A buffer that refers to [off, off + n) of a static body, or NULL. May hold less than n. */
struct rte_mbuf *tern_host_static_mbuf(
    struct tern_tcp *t, struct tern_static *s, size_t off, size_t n);

/** Next hop towards `remote`, with a reference; 0: no route or no entry left. */
uint16_t tern_host_route(struct tern_tcp *t, const union tern_addr *remote);
/** The next hop of a destination, with a reference; 0: no entry left. */
uint16_t tern_host_next_hop(struct tern_tcp *t, const struct tern_dest *d);
/** Next hop towards a peer whose segment was let in: it has a route. */
uint16_t tern_host_route_back(struct tern_tcp *t, const union tern_addr *peer);
void tern_host_unroute(struct tern_tcp *t, uint16_t neighbour);
/** The next hop was asked for and did not answer. */
bool tern_host_unreachable(struct tern_tcp *t, uint16_t neighbour);
/** The next hop carries our packets: the peer acknowledged something new (RFC 4861 §7.3.1). */
void tern_host_confirm(struct tern_tcp *t, uint16_t neighbour);
/** The peer does not answer: is the next hop still where it was (RFC 1122 §3.3.1.4)? */
void tern_host_doubt(struct tern_tcp *t, uint16_t neighbour);
/** The handshake with a peer behind this next hop was completed by this segment. */
void tern_host_learn(struct tern_tcp *t, uint16_t neighbour, const struct tern_seg *seg);

/** Send a packet that starts at its IP header to a neighbour. Takes over m. */
void tern_host_output(struct tern_tcp *t, uint16_t neighbour, struct rte_mbuf *m, bool v6);
/** Send a whole frame. Takes over m. */
void tern_host_send(struct tern_tcp *t, struct rte_mbuf *frame);
