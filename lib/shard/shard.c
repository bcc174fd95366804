/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard_struct.h"

/*
 * A shard from open to close, and the parts of its surface that are neither arrival (rx.c), records
 * (records.c) nor link (link.c). Memory is taken in tern_shard_open() and nowhere later.
 */
#include "arena.h"
#include "tcp/host.h"
#include "tcp/state.h"
#include "tcp/syn_ack.h"

#include <rte_mempool.h>

#include <errno.h>
#include <stdio.h>

/* ---- open ---- */

static uint8_t wscale_for(uint32_t rcv_buf_bytes)
{
    uint8_t shift = 0;
    while (shift < TERN_WSCALE_MAX && rcv_buf_bytes >> shift > 0xffff)
        shift++;
    return shift;
}

static void init_tcp(struct tern_shard *sh, const struct tern_shard_params *params)
{
    struct tern_tcp *t = &sh->tcp;
    t->cfg = *params->cfg;
    t->pool = params->pool;
    t->reserve = params->reserve;
    t->rss = params->rss;
    t->worker = params->worker;
    t->fast_path = !t->cfg.pins.slow_path_only;
    t->cfg.rcv_buf_max_bytes = RTE_MAX(t->cfg.rcv_buf_max_bytes, t->cfg.rcv_buf_bytes);
    t->rcv_wscale = t->cfg.window_scale ? wscale_for(t->cfg.rcv_buf_max_bytes) : 0;
    tern_tcp_derive(t);
    t->rcv_grow_left_bytes = t->cfg.rcv_grow_bytes != 0
                                 ? t->cfg.rcv_grow_bytes
                                 : (uint64_t)t->pool->size * tern_tcp_own_mss(t, false);
    t->rst_rate = tern_rate_make(t->cfg.rst_rate_per_s, params->now_ns);
    tern_keys_init(&t->keys, t->cfg.seed);
    tern_half_init(t);
    tern_syn_ack_init(t);
    tern_tcp_set_time(t, params->now_ns);
}

static int init_tables(struct tern_shard *sh, const struct tern_shard_params *params)
{
    struct tern_tcp *t = &sh->tcp;
    int rc = tern_records_init(sh);
    if (rc == 0)
        rc = tern_listeners_init(&sh->listeners, t->cfg.listeners_max, t->cfg.numa_node);
    if (rc == 0 && tern_tfo_peers_bytes(&t->cfg) != 0) {
        t->tfo.peers = tern_arena_map(tern_tfo_peers_bytes(&t->cfg), t->cfg.numa_node, NULL);
        rc = t->tfo.peers != NULL ? 0 : -ENOMEM;
    }
    if (rc != 0)
        return rc;
    tern_routes_init(&sh->routes, &t->cfg);
    sh->mine_last = t->cfg.addrs[0].addr;
    tern_plain_init(&sh->plain, t->cfg.l3, t->cfg.vlan, t->cfg.mac);
    const struct tern_neigh_params neigh = {
        .cfg = &t->cfg,
        .routes = &sh->routes,
        .io = tern_link_io(sh),
        .stats = &t->stats,
        .announces = params->worker == 0,
        .now_ns = params->now_ns,
    };
    rc = tern_neigh_init(&sh->neighbours, &neigh);
    if (rc == 0)
        tern_icmp_in_init(&sh->icmp, &t->cfg, &sh->routes, &sh->neighbours, params->now_ns);
    return rc;
}

static void unmake(struct tern_shard *sh)
{
    tern_neigh_fini(&sh->neighbours);
    tern_listeners_fini(&sh->listeners);
    tern_arena_unmap(sh->tcp.tfo.peers, tern_tfo_peers_bytes(&sh->tcp.cfg));
    tern_records_fini(sh);
    tern_arena_unmap(sh, sizeof *sh);
}

int tern_shard_open(
    const struct tern_shard_params *params, struct tern_shard **out, struct tern_error *err)
{
    int rc = tern_stack_config_check(params->cfg, err);
    if (rc != 0)
        return rc;
    assert(rte_pktmbuf_priv_size(params->pool) >= TERN_MBUF_PRIV_BYTES);
    struct tern_shard *sh = tern_arena_map(sizeof *sh, params->cfg->numa_node, NULL);
    if (sh != NULL) {
        init_tcp(sh, params);
        rc = init_tables(sh, params);
        if (rc == 0) {
            *out = sh;
            return 0;
        }
        unmake(sh);
    }
    struct tern_memory_plan plan;
    tern_shard_plan(params->cfg, &plan);
    snprintf(err->text, sizeof err->text,
        "no memory for a worker's tables: %.1f MiB for %u connections; lower --conns-max",
        (double)plan.total / (1 << 20), params->cfg->conns_max);
    return -ENOMEM;
}

void tern_shard_plan(const struct tern_stack_config *cfg, struct tern_memory_plan *out)
{
    *out = (struct tern_memory_plan){
        .neighbours = tern_neigh_bytes(cfg->neighbours_max),
        .other = sizeof(struct tern_shard) + tern_listeners_bytes(cfg->listeners_max)
                 + tern_tfo_peers_bytes(cfg),
    };
    tern_records_plan(cfg, out);
    out->total = out->conns + out->flow + out->halves + out->time_waits + out->records
                 + out->neighbours + out->other;
}

/* ---- close ---- */

static void end_one(struct tern_shard *sh, uint32_t ref)
{
    if (tern_ref_kind(ref) == TERN_REF_CONN)
        tern_conn_end(&sh->tcp, &sh->tcp.conns[tern_ref_idx(ref)], TERN_CLOSE_STOPPED);
}

/** The next reference in the table from *bucket on, or 0. */
static uint32_t any_ref(const struct tern_shard *sh, uint32_t *bucket)
{
    for (; *bucket < sh->flow.n_buckets; ++*bucket)
        for (int i = 0; i < TERN_FLOW_SLOTS; i++)
            if (sh->flow.buckets[*bucket].tag[i] != 0)
                return sh->flow.buckets[*bucket].ref[i];
    return 0;
}

static void drop_tx(struct tern_shard *sh)
{
    for (uint32_t i = 0; i < sh->tcp.n_tx; i++)
        tern_drop_mbuf(&sh->tcp, sh->tcp.tx[i], TERN_DROP_STOPPING);
    sh->tcp.n_tx = 0;
}

static void settle_all(struct tern_shard *sh)
{
    do {
        tern_tcp_settle(&sh->tcp);
        drop_tx(sh);
    } while (sh->tcp.touched_head != 0);
}

/** Half-open and TIME-WAIT records; connections are gone already. */
static void free_rest(struct tern_shard *sh)
{
    uint32_t bucket = 0, ref;
    while ((ref = any_ref(sh, &bucket)) != 0) {
        if (tern_ref_kind(ref) == TERN_REF_HALF)
            tern_host_half_free(&sh->tcp, tern_pool_at(&sh->halves, tern_ref_idx(ref)));
        else
            tern_host_tw_free(&sh->tcp, tern_pool_at(&sh->tws, tern_ref_idx(ref)));
    }
}

void tern_shard_stop(struct tern_shard *sh)
{
    sh->tcp.stopping = true; /* an on_closed() that connects again is refused */
    tern_records_each(sh, end_one);
    settle_all(sh);
    free_rest(sh);
}

void tern_shard_close(struct tern_shard *sh, struct tern_shard_leaks *leaks)
{
    tern_shard_stop(sh);
    if (leaks != NULL)
        *leaks = (struct tern_shard_leaks){
            .conns = sh->conns.n_used + sh->addr6s.n_used,
            .halves = sh->halves.n_used,
            .time_waits = sh->tws.n_used,
            .txqs = sh->txqs.n_used + sh->rxqs.n_used + sh->sents.n_used + sh->congs.n_used,
            .opts = sh->rares.n_used,
            .timers = tern_records_n_armed(sh),
            .flow_entries = sh->flow.n_used,
        };
    tern_tcp_free_spares(&sh->tcp);
    unmake(sh);
}

/* ---- time and output ---- */

static void advance_to(struct tern_shard *sh, uint64_t now_ns)
{
    tern_tcp_set_time(&sh->tcp, now_ns);
    tern_neigh_advance(&sh->neighbours, sh->tcp.now_ns);
    tern_records_advance(sh);
    tern_tcp_settle(&sh->tcp);
}

void tern_shard_leap(struct tern_shard *sh, uint64_t now_ns)
{
    struct tern_tcp *t = &sh->tcp;
    const uint64_t most_ns = (uint64_t)TERN_TICKS_MAX << TERN_TICK_SHIFT;
    if (likely(now_ns < t->now_ns || now_ns - t->now_ns <= most_ns))
        return;
    t->unticked_ns += RTE_ALIGN_FLOOR(now_ns - t->now_ns - most_ns, UINT64_C(1) << TERN_TICK_SHIFT);
    advance_to(sh, now_ns);
}

void tern_shard_advance(struct tern_shard *sh, uint64_t now_ns)
{
    tern_shard_leap(sh, now_ns);
    advance_to(sh, now_ns);
}

void tern_shard_settle(struct tern_shard *sh)
{
    tern_tcp_settle(&sh->tcp);
}

uint32_t tern_shard_take_tx(struct tern_shard *sh, struct rte_mbuf **out)
{
    const uint32_t n = sh->tcp.n_tx;
    memcpy(out, sh->tcp.tx, n * sizeof out[0]);
    sh->tcp.n_tx = 0;
    return n;
}

void tern_shard_tx_failed(
    struct tern_shard *sh, struct rte_mbuf **pkts, uint32_t n, enum tern_drop why)
{
    for (uint32_t i = 0; i < n; i++)
        tern_drop_mbuf(&sh->tcp, pkts[i], why);
}

void tern_shard_tx_done(struct tern_shard *sh, uint32_t n_packets, uint64_t n_bytes)
{
    sh->tcp.stats.tx_packets += n_packets;
    sh->tcp.stats.tx_bytes += n_bytes;
}

static void sooner(uint64_t *at_ns, bool *any, uint64_t candidate_ns)
{
    if (!*any || candidate_ns < *at_ns)
        *at_ns = candidate_ns;
    *any = true;
}

bool tern_shard_next_deadline(const struct tern_shard *sh, uint64_t *at_ns)
{
    const uint64_t now_ns = sh->tcp.now_ns;
    bool any = false;
    if (sh->tcp.touched_head != 0 || sh->tcp.n_tx != 0)
        sooner(at_ns, &any, now_ns);
    uint32_t due;
    if (tern_records_next_tick(sh, &due)) {
        const int32_t ahead = (int32_t)(due - sh->tcp.now_tick);
        const uint64_t tick_ns = RTE_ALIGN_FLOOR(now_ns, UINT64_C(1) << TERN_TICK_SHIFT);
        const uint64_t due_ns = tick_ns + ((uint64_t)RTE_MAX(ahead, 0) << TERN_TICK_SHIFT);
        sooner(at_ns, &any, RTE_MAX(due_ns, now_ns));
    }
    uint64_t neigh_ns;
    if (tern_neigh_next_deadline(&sh->neighbours, &neigh_ns))
        sooner(at_ns, &any, neigh_ns > now_ns ? neigh_ns : now_ns);
    return any;
}

/* ---- an orderly end ---- */

static void close_one(struct tern_shard *sh, uint32_t ref)
{
    const uint32_t idx = tern_ref_idx(ref);
    switch (tern_ref_kind(ref)) {
    case TERN_REF_CONN:
        /* What the application did not come to read is not its fault: FIN, not RST. */
        tern_conn_close(&sh->tcp, &sh->tcp.conns[idx], false);
        break;
    case TERN_REF_HALF:
        sh->tcp.stats.half_refused++;
        tern_host_half_free(&sh->tcp, tern_pool_at(&sh->halves, idx));
        break;
    case TERN_REF_TW: break;
    }
}

void tern_shard_drain(struct tern_shard *sh)
{
    for (uint32_t i = 0; i < sh->listeners.n_max; i++)
        tern_listeners_remove(&sh->listeners, (int)i);
    tern_records_each(sh, close_one);
    tern_tcp_settle(&sh->tcp);
}

uint32_t tern_shard_n_live(const struct tern_shard *sh)
{
    return sh->conns.n_used + sh->halves.n_used;
}

/* ---- listening, and what applications ask of a shard ---- */

int tern_listen(struct tern_shard *sh, const union tern_addr *addr, uint16_t port,
    const struct tern_app *app, void *user)
{
    const bool any = addr == NULL || (addr->q[0] == 0 && addr->q[1] == 0);
    if (port == 0 || app == NULL)
        return -EINVAL;
    if (!any && !tern_route_is_mine(&sh->routes, addr)) /* MUST-43 */
        return -EADDRNOTAVAIL;
    const int app_idx = tern_tcp_app(&sh->tcp, app);
    if (app_idx < 0)
        return -ENOSPC;
    struct tern_listener l = {.port = port, .any_addr = any, .app = (uint8_t)app_idx, .user = user};
    if (!any)
        l.addr = *addr;
    return tern_listeners_add(&sh->listeners, &l);
}

void tern_unlisten(struct tern_shard *sh, int listener)
{
    tern_listeners_remove(&sh->listeners, listener);
}

bool tern_shard_listens_on(const struct tern_shard *sh, uint16_t port)
{
    return tern_listeners_any(&sh->listeners, port);
}

bool tern_shard_addrs_ready(const struct tern_shard *sh)
{
    return tern_neigh_addrs_ready(&sh->neighbours);
}

bool tern_shard_addr_conflict(
    const struct tern_shard *sh, union tern_addr *addr, uint8_t mac[TERN_MAC_BYTES])
{
    return tern_neigh_conflict(&sh->neighbours, addr, mac);
}

void *tern_shard_user(const struct tern_shard *sh)
{
    return sh->user;
}

void tern_shard_set_user(struct tern_shard *sh, void *user)
{
    sh->user = user;
}

uint32_t tern_shard_worker(const struct tern_shard *sh)
{
    return sh->tcp.worker;
}

uint64_t tern_shard_now_ns(const struct tern_shard *sh)
{
    return sh->tcp.now_ns;
}

const struct tern_stats *tern_shard_stats(const struct tern_shard *sh)
{
    return &sh->tcp.stats;
}

struct tern_stats *tern_shard_stats_rw(struct tern_shard *sh)
{
    return &sh->tcp.stats;
}

uint32_t tern_shard_conns(
    struct tern_shard *sh, uint64_t *cursor, struct tern_conn **out, uint32_t n)
{
    const uint64_t n_slots = (uint64_t)sh->flow.n_buckets * TERN_FLOW_SLOTS;
    uint32_t n_found = 0;
    for (; *cursor < n_slots && n_found < n; ++*cursor) {
        const struct tern_flow_bucket *b = &sh->flow.buckets[*cursor / TERN_FLOW_SLOTS];
        const uint32_t slot = (uint32_t)(*cursor % TERN_FLOW_SLOTS);
        if (b->tag[slot] != 0 && tern_ref_kind(b->ref[slot]) == TERN_REF_CONN)
            out[n_found++] = &sh->tcp.conns[tern_ref_idx(b->ref[slot])];
    }
    return n_found;
}

struct rte_mbuf *tern_shard_mbuf(struct tern_shard *sh)
{
    return rte_pktmbuf_alloc(sh->tcp.pool);
}
