/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard_struct.h"

/*
 * Between the protocol and the wire: routes, next hops, Ethernet headers, the list of frames to
 * send. The list keeps room for packets without payload, so that a shard which is behind with data
 * can still acknowledge, reset and resolve.
 */
#include "tcp/host.h"
#include "wire/build.h"

#include <errno.h>

enum { ETH_MIN_BYTES = 60 /* without the frame check sequence; IEEE 802.3 */ };

/** Test pins: pad a short frame as the recorded one was. Devices pad by themselves. */
static void pad_as_pinned(struct tern_tcp *t, struct rte_mbuf *frame)
{
    const struct tern_test_pins *pins = &t->cfg.pins;
    if (t->n_ip_id == 0 || frame->pkt_len >= ETH_MIN_BYTES)
        return;
    const uint16_t n = (uint16_t)(ETH_MIN_BYTES - frame->pkt_len);
    memcpy(rte_pktmbuf_append(frame, n), pins->padding[t->n_ip_id - 1], n);
}

void tern_link_send(struct tern_shard *sh, struct rte_mbuf *frame)
{
    struct tern_tcp *t = &sh->tcp;
    if (unlikely(t->cfg.pins.has_padding))
        pad_as_pinned(t, frame);
    tern_tcp_queue(t, frame);
}

/** tern_host_output() where there is something to think of. */
static TERN_ASIDE void output_any(struct tern_shard *sh, uint16_t neighbour, struct rte_mbuf *m)
{
    if (tern_neigh_output(&sh->neighbours, neighbour, m))
        tern_link_send(sh, m);
}

void tern_host_output(struct tern_tcp *t, uint16_t neighbour, struct rte_mbuf *m, bool v6)
{
    (void)v6; /* the neighbour's header knows its family */
    struct tern_shard *sh = tern_shard_of(t);
    const bool usual = t->n_tx < TERN_TX_BURST && !t->cfg.pins.has_padding;
    if (unlikely(!usual || !tern_neigh_output_fresh(&sh->neighbours, neighbour, m))) {
        output_any(sh, neighbour, m);
        return;
    }
    t->tx[t->n_tx++] = m;
}

void tern_host_send(struct tern_tcp *t, struct rte_mbuf *frame)
{
    tern_link_send(tern_shard_of(t), frame);
}

/* ---- routes ---- */

uint16_t tern_host_route(struct tern_tcp *t, const union tern_addr *remote)
{
    struct tern_shard *sh = tern_shard_of(t);
    union tern_addr hop;
    if (!tern_route_next_hop(&sh->routes, remote, &hop))
        return 0;
    return tern_neigh_get(&sh->neighbours, &hop, t->now_ns);
}

uint16_t tern_host_route_back(struct tern_tcp *t, const union tern_addr *peer)
{
    struct tern_shard *sh = tern_shard_of(t);
    union tern_addr hop = *peer;
    if (!t->cfg.l3)
        tern_route_back(&sh->routes, peer, &hop);
    return tern_neigh_get(&sh->neighbours, &hop, t->now_ns);
}

void tern_host_unroute(struct tern_tcp *t, uint16_t neighbour)
{
    tern_neigh_put(&tern_shard_of(t)->neighbours, neighbour);
}

bool tern_host_unreachable(struct tern_tcp *t, uint16_t neighbour)
{
    return tern_neigh_state(&tern_shard_of(t)->neighbours, neighbour) == TERN_NEIGH_FAILED;
}

void tern_host_learn(struct tern_tcp *t, uint16_t neighbour, const struct tern_seg *seg)
{
    if (!t->cfg.l3)
        tern_neigh_learn_at(&tern_shard_of(t)->neighbours, neighbour, &seg->key.remote,
            seg->frame + TERN_MAC_BYTES, t->now_ns);
}

void tern_host_confirm(struct tern_tcp *t, uint16_t neighbour)
{
    tern_neigh_confirm(&tern_shard_of(t)->neighbours, neighbour, t->now_ns);
}

void tern_host_doubt(struct tern_tcp *t, uint16_t neighbour)
{
    tern_neigh_doubt(&tern_shard_of(t)->neighbours, neighbour, t->now_ns);
}

bool tern_host_listens(const struct tern_tcp *t, uint16_t port)
{
    return tern_listeners_any(&((const struct tern_shard *)(const void *)t)->listeners, port);
}

/* ---- destinations of active opens ---- */

/** Our address for `remote`. @return 0, -EADDRNOTAVAIL, -ENETUNREACH, -EINVAL */
static int choose_source(const struct tern_routes *routes, const union tern_addr *remote,
    const union tern_addr *wanted, union tern_addr *out)
{
    const bool unspecified = wanted->q[0] == 0 && wanted->q[1] == 0;
    if (tern_addr_classify(remote) != TERN_ADDR_UNICAST || tern_route_is_mine(routes, remote)
        || tern_route_is_subnet_broadcast(routes, remote))
        return -EINVAL; /* MUST-46, and a connection to oneself */
    if (!unspecified) {
        if (!tern_route_is_mine(routes, wanted)
            || tern_addr_is_v4(wanted) != tern_addr_is_v4(remote))
            return -EADDRNOTAVAIL;
        *out = *wanted;
        return 0;
    }
    const union tern_addr *own = tern_route_source(routes, remote); /* MUST-44 */
    if (own == NULL)
        return -ENETUNREACH;
    *out = *own;
    return 0;
}

/** The counter that walks the ports towards a destination (RFC 6056 §3.3.4). */
static uint32_t *port_turn(struct tern_shard *sh, const struct tern_flow_key *key)
{
    uint64_t w[5];
    memcpy(w, &key->remote, sizeof key->remote);
    memcpy(w + 2, &key->local, sizeof key->local);
    w[4] = key->rport;
    const uint64_t h = tern_siphash13(sh->tcp.keys.port, w, 5);
    return &sh->port_turns[h % TERN_PORT_TURNS];
}

static int dest_init(struct tern_shard *sh, struct tern_dest *d, const union tern_addr *remote,
    uint16_t rport, const union tern_addr *wanted)
{
    struct tern_flow_key key = {.remote = *remote, .rport = rport};
    union tern_addr hop;
    const int rc = choose_source(&sh->routes, remote, wanted, &key.local);
    if (rc != 0)
        return rc;
    if (!tern_route_next_hop(&sh->routes, remote, &hop))
        return -ENETUNREACH;
    *d = (struct tern_dest){
        .remote = *remote,
        .wanted = *wanted,
        .rport = rport,
        .local = key.local,
        .hop = hop,
        .turn = port_turn(sh, &key),
    };
    tern_port_order_init(&d->order, &sh->tcp, &key);
    return 0;
}

/** Where a destination is kept. Addresses and ports that follow each other fall on places of their
 * own. Not keyed: who opens chooses the destinations, and two that meet only cost. */
static struct tern_dest *dest_place(struct tern_shard *sh, const union tern_addr *remote,
    uint16_t rport, const union tern_addr *wanted)
{
    const uint64_t ends = __builtin_bswap64(remote->q[1]) * UINT64_C(0xd6e8feb86659fd93)
                          + __builtin_bswap64(wanted->q[1]) + ((uint64_t)rport << 32);
    return &sh->dests[ends * UINT64_C(0x9e3779b97f4a7c15) >> (64 - TERN_DESTS_LOG2)];
}

int tern_host_dest(struct tern_tcp *t, const union tern_addr *remote, uint16_t rport,
    const union tern_addr *wanted, struct tern_dest **out)
{
    struct tern_shard *sh = tern_shard_of(t);
    struct tern_dest *d = *out = dest_place(sh, remote, rport, wanted);
    if (likely(d->rport == rport && tern_addr_equal(&d->remote, remote)
               && tern_addr_equal(&d->wanted, wanted)))
        return 0;
    return dest_init(sh, d, remote, rport, wanted);
}

uint16_t tern_host_next_hop(struct tern_tcp *t, const struct tern_dest *d)
{
    return tern_neigh_get(&tern_shard_of(t)->neighbours, &d->hop, t->now_ns);
}

/* ---- what the neighbour table needs ---- */

static struct rte_mbuf *neigh_alloc(void *ctx)
{
    struct tern_tcp *t = ctx;
    struct rte_mbuf *m = rte_pktmbuf_alloc(t->pool);
    if (m == NULL)
        m = rte_pktmbuf_alloc(t->reserve);
    if (m == NULL)
        t->stats.drops[TERN_DROP_NO_MBUF]++;
    return m;
}

static void neigh_send(void *ctx, struct rte_mbuf *frame)
{
    tern_link_send(ctx, frame);
}

static void neigh_drop(void *ctx, struct rte_mbuf *m, enum tern_drop why)
{
    tern_drop_mbuf(ctx, m, why);
}

/** Connections learn of it when their timer runs out (tern_host_unreachable()). */
static void neigh_failed(void *ctx, uint16_t idx)
{
    (void)ctx;
    (void)idx;
}

struct tern_neigh_io tern_link_io(struct tern_shard *sh)
{
    return (struct tern_neigh_io){
        .ctx = sh,
        .alloc = neigh_alloc,
        .send = neigh_send,
        .drop = neigh_drop,
        .failed = neigh_failed,
    };
}
