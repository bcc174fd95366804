/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulator's link (link/link.h) between a device's queue and a worker. A link says of a packet
 * when it comes out, once, twice or never, and whether it was changed; here the mbuf waits for that
 * time in a heap. The mbuf that came is the one that goes on: only what is doubled, changed or in
 * several buffers is copied. What is not due yet costs a comparison a poll.
 *
 *   device --> enter: link --> held --> take: what is due --> steer, shard
 *   outbox --> enter: link --> held --> take: what is due --> device
 *
 * Sending, no checksum or segmentation is left to the device (device.c): it would mend what was to
 * be damaged, and a link's packets are as long as those of a wire. Received, a changed packet loses
 * the device's word that its checksums hold.
 *
 * Rejected: a queue for each of loss, delay and rate with a pass of its own over the packets; and
 * impairing in the shard, where frames of others (ARP) would have come by.
 */
#include "impair.h"

#include "error.h"
#include "internal.h"
#include "shard/arena.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { ETH_BYTES = 14, VLAN_BYTES = 4, TYPE_OFF = 12, VLAN_TYPE_HIGH = 0x81 };

/* ---- configuration ---- */

uint32_t tern_impair_packets_max(const struct tern_impair *cfg)
{
    return cfg->packets_max != 0 ? cfg->packets_max : TERN_IMPAIR_PACKETS_DEFAULT;
}

static bool has_chances(const struct tern_impair *c)
{
    return c->loss_ppm <= TERN_IMPAIR_PPM_MAX && c->duplicate_ppm <= TERN_IMPAIR_PPM_MAX
           && c->reorder_ppm <= TERN_IMPAIR_PPM_MAX && c->corrupt_ppm <= TERN_IMPAIR_PPM_MAX;
}

static bool has_times(const struct tern_impair *c)
{
    return c->delay_ns <= TERN_IMPAIR_TIME_MAX_NS && c->jitter_ns <= TERN_IMPAIR_TIME_MAX_NS
           && c->reorder_ns <= TERN_IMPAIR_TIME_MAX_NS;
}

static bool has_rate(const struct tern_impair *c)
{
    return c->rate_bytes_per_s == 0
           || (c->rate_bytes_per_s >= TERN_IMPAIR_RATE_MIN
               && c->rate_bytes_per_s <= TERN_IMPAIR_RATE_MAX
               && (c->queue_bytes == 0 || c->queue_bytes >= TERN_IMPAIR_QUEUE_MIN));
}

int tern_impair_check(const struct tern_impair *c, const char *device, struct tern_error *err)
{
    const uint32_t n = tern_impair_packets_max(c);
    if (!has_chances(c))
        return tern_fail(err, -EINVAL,
            "%s: impairment of more packets than there are; give chances of 0 to %u in a million",
            device, TERN_IMPAIR_PPM_MAX);
    if (!has_times(c))
        return tern_fail(err, -EINVAL,
            "%s: impairment for too long; give delay, jitter and reorder times of at most %" PRIu64
            " ns",
            device, TERN_IMPAIR_TIME_MAX_NS);
    if (!has_rate(c))
        return tern_fail(err, -EINVAL,
            "%s: impairment with a rate of %" PRIu64
            " bytes a second and a queue of %u; give %" PRIu64 " to %" PRIu64
            " and at least %u, or 0",
            device, c->rate_bytes_per_s, c->queue_bytes, TERN_IMPAIR_RATE_MIN, TERN_IMPAIR_RATE_MAX,
            TERN_IMPAIR_QUEUE_MIN);
    if (n < TERN_IMPAIR_PACKETS_MIN || n > TERN_IMPAIR_PACKETS_MAX)
        return tern_fail(err, -EINVAL,
            "%s: impairment that may hold %u packets; give %u to %u, or 0", device, n,
            TERN_IMPAIR_PACKETS_MIN, TERN_IMPAIR_PACKETS_MAX);
    return 0;
}

/** As the link wants it. A rate without a queue would delay without end. */
static struct tern_link_config link_config(const struct tern_impair *c)
{
    return (struct tern_link_config){
        .delay_ns = c->delay_ns,
        .jitter_ns = c->jitter_ns,
        .jitter_keeps_order = true,
        .rate_bytes_per_s = c->rate_bytes_per_s,
        .queue_bytes = c->queue_bytes != 0 ? c->queue_bytes : TERN_IMPAIR_QUEUE_DEFAULT,
        .loss_ppm = c->loss_ppm,
        .duplicate_ppm = c->duplicate_ppm,
        .reorder_ppm = c->reorder_ppm,
        .reorder_ns = c->reorder_ns,
        .corrupt_ppm = c->corrupt_ppm,
    };
}

/* ---- in: through the link ---- */

static void grow(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void drop(struct tern_impair_way *w, struct rte_mbuf *m, enum tern_drop why)
{
    w->drops[why]++;
    rte_pktmbuf_free(m);
}

/** A copy of the frame in the link, with the bytes as they came out of it. */
static struct rte_mbuf *copy_of(struct tern_impair_way *w, const struct tern_link_out *out)
{
    struct rte_mbuf *m = rte_pktmbuf_copy(w->frame, w->pool, 0, UINT32_MAX);
    if (m == NULL || out->bytes == w->bytes)
        return m;
    memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, w->bytes - rte_pktmbuf_mtod(w->frame, uint8_t *)),
        out->bytes, out->n);
    m->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    return m;
}

/** Where the mbuf itself will do, it is used, once. @return NULL: the pool is empty */
static struct rte_mbuf *mbuf_for(struct tern_impair_way *w, const struct tern_link_out *out)
{
    if (w->is_held || out->bytes != w->bytes)
        return copy_of(w, out);
    w->is_held = true;
    return w->frame;
}

static void come_out(void *ctx, const struct tern_link_out *out)
{
    struct tern_impair_way *w = (struct tern_impair_way *)ctx;
    if (tern_heap_is_full(&w->held)) {
        w->drops[TERN_DROP_IMPAIR_FULL]++;
        grow(&w->n_hold_full);
        return;
    }
    struct rte_mbuf *m = mbuf_for(w, out);
    if (m == NULL) {
        w->drops[TERN_DROP_NO_MBUF]++;
        grow(&w->n_no_mbuf);
        return;
    }
    if (out->at_ns > w->now_ns)
        grow(&w->n_delayed);
    tern_heap_push(&w->held, (struct tern_due){.at_ns = out->at_ns, .what = m});
}

/** What the user asked for is in the ledger, too: nothing vanishes without a name. */
static void note(void *ctx, enum tern_link_fault what)
{
    const struct tern_impair_way *w = (const struct tern_impair_way *)ctx;
    w->drops[TERN_DROP_IMPAIR_LOSS] += what == TERN_LINK_LOSS;
    w->drops[TERN_DROP_IMPAIR_QUEUE] += what == TERN_LINK_TAIL_DROP;
}

static uint32_t l2_bytes(const struct tern_impair_way *w, const struct rte_mbuf *m)
{
    const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);
    if (w->l3)
        return 0;
    const bool is_tagged = m->data_len >= ETH_BYTES + VLAN_BYTES && at[TYPE_OFF] == VLAN_TYPE_HIGH
                           && at[TYPE_OFF + 1] == 0;
    return is_tagged ? ETH_BYTES + VLAN_BYTES : ETH_BYTES;
}

/** The frame is in one buffer. */
static void enter(struct tern_impair_way *w, struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    const uint32_t off = l2_bytes(w, m);
    w->frame = m;
    w->is_held = false;
    w->bytes = frame + RTE_MIN(off, (uint32_t)m->data_len);
    w->n_bytes = m->data_len - (uint32_t)(w->bytes - frame);
    if (!tern_link_enter(&w->link, w->now_ns, w->bytes, w->n_bytes))
        tern_link_enter_other(&w->link, w->now_ns, w->bytes, w->n_bytes);
    if (!w->is_held)
        rte_pktmbuf_free(m);
}

void tern_impair_enter(
    struct tern_impair_way *w, struct rte_mbuf **pkts, uint32_t n, uint64_t now_ns, uint64_t *drops)
{
    w->drops = drops;
    w->now_ns = now_ns;
    for (uint32_t i = 0; i < n; i++) {
        struct rte_mbuf *m = pkts[i];
        grow(&w->n_packets);
        if (m->nb_segs > 1) {
            m = rte_pktmbuf_copy(pkts[i], w->pool, 0, UINT32_MAX);
            if (m == NULL || m->nb_segs > 1) {
                grow(&w->n_no_mbuf);
                rte_pktmbuf_free(m);
                drop(w, pkts[i], TERN_DROP_NO_MBUF);
                continue;
            }
            rte_pktmbuf_free(pkts[i]);
        }
        enter(w, m);
    }
}

/* ---- out: what is due ---- */

uint32_t tern_impair_take(
    struct tern_impair_way *w, uint64_t now_ns, struct rte_mbuf **out, uint32_t n_max)
{
    uint32_t n = 0;
    uint64_t late_ns = w->late_max_ns;
    while (n < n_max && w->held.n > 0 && tern_heap_next_ns(&w->held) <= now_ns) {
        const struct tern_due due = tern_heap_pop(&w->held);
        late_ns = RTE_MAX(late_ns, now_ns - due.at_ns);
        out[n++] = (struct rte_mbuf *)due.what;
    }
    __atomic_store_n(&w->late_max_ns, late_ns, __ATOMIC_RELAXED);
    return n;
}

uint32_t tern_impair_empty(struct tern_impair_way *w)
{
    const uint32_t n = w->held.n;
    for (uint32_t i = 0; i < n; i++)
        rte_pktmbuf_free((struct rte_mbuf *)w->held.dues[i].what);
    w->held.n = 0;
    return n;
}

void tern_impair_way_init(struct tern_impair_way *w, const struct tern_impair *cfg,
    struct tern_due *dues, struct rte_mempool *pool, uint64_t stream, bool l3)
{
    const struct tern_link_config link = link_config(cfg);
    *w = (struct tern_impair_way){
        .held = {.dues = dues, .cap = tern_impair_packets_max(cfg)}, .pool = pool, .l3 = l3};
    tern_link_init(&w->link, &link, tern_link_network, cfg->seed, stream);
    w->link.out = come_out;
    w->link.note = note;
    w->link.ctx = w;
}

/* ---- looking in ---- */

static uint64_t read_count(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void tern_impair_read(const struct tern_impair_way *w, struct tern_impaired *out)
{
    const uint64_t *counts = w->link.counts;
    *out = (struct tern_impaired){
        .packets = read_count(&w->n_packets),
        .lost = read_count(&counts[TERN_LINK_LOSS]),
        .queue_full = read_count(&counts[TERN_LINK_TAIL_DROP]),
        .hold_full = read_count(&w->n_hold_full),
        .no_mbuf = read_count(&w->n_no_mbuf),
        .duplicated = read_count(&counts[TERN_LINK_DUPLICATE]),
        .reordered = read_count(&counts[TERN_LINK_REORDER]),
        .corrupted = read_count(&counts[TERN_LINK_CORRUPT]),
        .delayed = read_count(&w->n_delayed),
        .late_max_ns = read_count(&w->late_max_ns),
    };
}

static void add(struct tern_impaired *sum, const struct tern_impaired *one)
{
    const uint64_t late_ns = RTE_MAX(sum->late_max_ns, one->late_max_ns);
#define ADD(name) sum->name += one->name;
    TERN_IMPAIRED_LIST(ADD)
#undef ADD
    sum->late_max_ns = late_ns;
}

void tern_engine_impaired(
    const struct tern_engine *e, uint32_t ep, enum tern_impair_dir dir, struct tern_impaired *out)
{
    *out = (struct tern_impaired){0};
    for (uint32_t i = 0; i < tern_engine_n_workers(e, ep); i++) {
        const struct tern_impair_way *way = e->endpoints[ep].workers[i].impair[dir];
        struct tern_impaired one;
        if (way == NULL)
            continue;
        tern_impair_read(way, &one);
        add(out, &one);
    }
}

/* ---- of the engine's workers ---- */

static uint32_t n_held(const struct tern_impair *cfg)
{
    return tern_impair_is_on(cfg) ? tern_impair_packets_max(cfg) : 0;
}

/** In a pair the other end holds ours on its way in, and its copies are its own. */
uint32_t tern_impair_n_mbufs(const struct tern_engine *e, const struct tern_endpoint *ep)
{
    const struct tern_impair *own = ep->cfg.impair;
    uint32_t n = n_held(&own[TERN_IMPAIR_RX]) + n_held(&own[TERN_IMPAIR_TX]);
    if (e->n_endpoints == 2) {
        const struct tern_endpoint_config *other = &e->endpoints[1 - ep->idx].cfg;
        n += n_held(&other->impair[TERN_IMPAIR_RX])
             * ((other->n_workers + ep->cfg.n_workers - 1) / ep->cfg.n_workers);
    }
    return n;
}

/** A way and what it holds lie in one piece, on the worker's node. */
static size_t way_bytes(const struct tern_impair *cfg)
{
    return sizeof(struct tern_impair_way)
           + (size_t)tern_impair_packets_max(cfg) * sizeof(struct tern_due);
}

static_assert(sizeof(struct tern_impair_way) % _Alignof(struct tern_due) == 0,
    "what is due lies behind the way");

static int open_way(struct tern_worker *w, enum tern_impair_dir dir, struct tern_error *err)
{
    const struct tern_impair *cfg = &w->ep->cfg.impair[dir];
    struct tern_impair_way *way =
        (struct tern_impair_way *)tern_arena_map(way_bytes(cfg), w->cpu->node, NULL);
    if (way == NULL)
        return tern_fail(err, -ENOMEM,
            "%s: no memory to hold %u packets back; give a smaller impairment packets_max",
            w->ep->cfg.device, tern_impair_packets_max(cfg));
    const uint64_t stream =
        ((uint64_t)w->ep->idx * TERN_WORKERS_MAX + w->idx) * TERN_IMPAIR_DIRS + (uint64_t)dir;
    tern_impair_way_init(
        way, cfg, (struct tern_due *)(void *)(way + 1), w->pool, stream, w->ep->cfg.stack.l3);
    w->impair[dir] = way;
    return 0;
}

/** A worker without a queue is sent to, and sends, through one that has. */
static bool has_queue(const struct tern_worker *w, enum tern_impair_dir dir)
{
    return dir == TERN_IMPAIR_RX ? w->idx < w->ep->port.n_rxq : w->tx_queue >= 0;
}

static int open_ways(struct tern_worker *w, struct tern_error *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < TERN_IMPAIR_DIRS; i++) {
        const enum tern_impair_dir dir = (enum tern_impair_dir)i;
        if (tern_impair_is_on(&w->ep->cfg.impair[dir]) && has_queue(w, dir))
            rc = open_way(w, dir, err);
    }
    return rc;
}

int tern_impair_set_up(struct tern_engine *e, struct tern_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < e->n_endpoints; i++)
        for (uint32_t w = 0; rc == 0 && w < e->endpoints[i].cfg.n_workers; w++)
            rc = open_ways(&e->endpoints[i].workers[w], err);
    return rc;
}

void tern_impair_take_down(struct tern_endpoint *ep)
{
    for (uint32_t i = 0; ep->workers != NULL && i < ep->cfg.n_workers; i++)
        for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++) {
            struct tern_impair_way *way = ep->workers[i].impair[dir];
            if (way != NULL)
                tern_impair_empty(way);
            tern_arena_unmap(way, way_bytes(&ep->cfg.impair[dir]));
            ep->workers[i].impair[dir] = NULL;
        }
}
