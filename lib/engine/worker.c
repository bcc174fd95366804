/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The poll loop. A poll reads the clock once, takes at most a burst from each of its queues and
 * rings, lets time pass in the shard, gives the application its tick and sends what came of it:
 *
 *   device --> steer --> own shard --------------> outbox --> device
 *                |   ^                                |
 *                v   | (mailbox)                      v (no transmit queue)
 *            other workers                      other worker's outbox
 *
 * Nothing here waits. A full mailbox drops and counts, as a full device queue would. What the
 * device does not take stays at the head of the outbox, in order, up to a bound.
 *
 * What has begun comes before what is new: the application gets its tick, in which it opens
 * connections, only in polls that took all there was to receive and left nothing in the outbox.
 * Otherwise a load beyond what this worker can do would open more than it finishes, and lose the
 * answers in a full ring; every one of them is then a retransmission timeout, and more work.
 *
 * What comes after a silence is taken in a small burst, and its answers leave before the rest is
 * taken. Else a peer and a worker that have 32 connections between them hand one burst to and fro,
 * and one of the two always waits.
 *
 * A worker that found little work polls again only after an interval (moderation.h), or when
 * something is due that impairment held back: that stands before steering and before the device.
 *
 * Where workers share a CPU they yield when idle and after some busy polls, else each would spin
 * through its time slice while the packets it waits for lie in another one's queue. A worker with a
 * CPU to itself yields after many idle polls, for whoever else the machine has to run.
 *
 * The end: drain, then poll until no worker of the engine has a live connection (the other end's
 * and the other workers' segments come through our queues) or time is up.
 */
#include "internal.h"
#include "recess.h"
#include "wire/hint.h"

#include <rte_ethdev.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

#include <sched.h>
#include <string.h>

enum {
    REPLICAS_BURST = 16,
    FIRST_BURST = 4, /* after a silence */
    BLOCKED_MS = 100,
    SECOND_NS = 1000000000,
    BUSY_POLLS_BEFORE_YIELD = 8,    /* with another worker on the CPU */
    IDLE_POLLS_BEFORE_YIELD = 1024, /* with the CPU to itself: some hundred microseconds */
};

static struct tern_stats *rows(struct tern_worker *w)
{
    return tern_shard_stats_rw(w->sh);
}

/** Packets that found no place in another worker's ring. */
static void drop_unsteered(struct tern_worker *w, struct rte_mbuf **pkts, uint32_t n)
{
    rows(w)->drops[TERN_DROP_STEER_FULL] += n;
    rte_pktmbuf_free_bulk(pkts, n);
}

/* ---- steering ---- */

/** A copy of a frame that every worker must see, to every other worker. */
static void replicate(struct tern_worker *w, const struct rte_mbuf *m)
{
    for (uint32_t i = 0; i < w->ep->cfg.n_workers; i++) {
        if (i == w->idx)
            continue;
        struct rte_mbuf *copy = rte_pktmbuf_copy(m, w->pool, 0, UINT32_MAX);
        if (copy == NULL)
            rows(w)->drops[TERN_DROP_NO_MBUF]++;
        else if (rte_ring_enqueue(w->ep->workers[i].mail.replicas, copy) != 0)
            drop_unsteered(w, &copy, 1);
    }
}

static void hand_over(struct tern_worker *w)
{
    for (uint32_t i = 0; i < w->ep->cfg.n_workers; i++) {
        struct tern_handover *h = &w->handovers[i];
        if (h->n == 0)
            continue;
        const uint32_t n_sent = rte_ring_enqueue_burst(
            w->ep->workers[i].mail.segments, (void *const *)h->pkts, h->n, NULL);
        rows(w)->steered_out += n_sent;
        if (n_sent < h->n)
            drop_unsteered(w, h->pkts + n_sent, h->n - n_sent);
        h->n = 0;
    }
}

/** Connections outlive their listener, so a port that ever had one stays a passive one. */
static bool is_passive(struct tern_worker *w, uint16_t port)
{
    uint64_t *word = &w->passive_ports[port / 64];
    const uint64_t bit = 1ull << port % 64;
    if (unlikely((*word & bit) == 0) && tern_shard_listens_on(w->sh, port))
        *word |= bit;
    return (*word & bit) != 0;
}

static uint32_t owner_of(struct tern_worker *w, const struct rte_mbuf *m)
{
    const struct tern_steering *s = &w->ep->steering;
    struct tern_steer_flow flow;
    if (tern_steer_find(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, s->l3, &flow))
        return tern_steer_owner(s, &flow, is_passive(w, flow.dport), w->idx);
    if (tern_shard_is_shared_frame(w->sh, m))
        replicate(w, m);
    return w->idx;
}

/** Hand over what others own. @return how many stay, at the front of pkts */
static uint32_t keep_own(struct tern_worker *w, struct rte_mbuf **pkts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(pkts[i], const void *));

    uint32_t n_own = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t owner = owner_of(w, pkts[i]);
        struct tern_handover *h = &w->handovers[owner];
        if (owner == w->idx)
            pkts[n_own++] = pkts[i];
        else
            h->pkts[h->n++] = pkts[i];
    }
    hand_over(w);
    return n_own;
}

/* ---- receiving ---- */

static inline uint32_t receive_burst(
    struct tern_worker *w, uint16_t queue, struct rte_mbuf *pkts[TERN_BURST_MAX])
{
    const uint16_t n_max = w->n_idle_polls > 0 ? FIRST_BURST : TERN_BURST_MAX;
    const uint32_t n = rte_eth_rx_burst(w->ep->port.id, queue, pkts, n_max);
    if (n == 0)
        return 0;
    w->rx_packets += n;
    w->is_behind |= n == n_max;
    if (unlikely(w->capture != NULL))
        tern_capture_received(w->capture, pkts, n);
    if (w->ep->port.in_memory)
        tern_pair_received(pkts, n);
    return n;
}

/** What was received goes in, what is due comes out in its place. @return how much */
static TERN_ASIDE uint32_t impair_received(
    struct tern_worker *w, struct rte_mbuf *pkts[TERN_BURST_MAX], uint32_t n, uint64_t now_ns)
{
    struct tern_impair_way *way = w->impair[TERN_IMPAIR_RX];
    tern_impair_enter(way, pkts, n, now_ns, rows(w)->drops);
    n = tern_impair_take(way, now_ns, pkts, TERN_BURST_MAX);
    w->is_behind |= n == TERN_BURST_MAX;
    return n;
}

static bool receive_from(struct tern_worker *w, uint16_t queue, uint64_t now_ns)
{
    struct rte_mbuf *pkts[TERN_BURST_MAX];
    uint32_t n = receive_burst(w, queue, pkts);
    if (unlikely(w->impair[TERN_IMPAIR_RX] != NULL))
        n = impair_received(w, pkts, n, now_ns);
    if (n == 0)
        return false;
    if (w->handovers != NULL)
        n = keep_own(w, pkts, n);
    if (n > 0)
        tern_shard_rx(w->sh, pkts, n, now_ns);
    return true;
}

static bool receive(struct tern_worker *w, uint64_t now_ns)
{
    bool worked = false;
    for (uint32_t q = w->idx; q < w->ep->port.n_rxq; q += w->ep->cfg.n_workers)
        worked |= receive_from(w, (uint16_t)q, now_ns);
    return worked;
}

static bool open_mail(struct tern_worker *w, uint64_t now_ns)
{
    if (w->mail.segments == NULL)
        return false;
    struct rte_mbuf *pkts[TERN_BURST_MAX];
    const uint32_t n_replicas =
        rte_ring_dequeue_burst(w->mail.replicas, (void **)pkts, REPLICAS_BURST, NULL);
    for (uint32_t i = 0; i < n_replicas; i++)
        tern_shard_rx_replica(w->sh, pkts[i], now_ns);

    const uint32_t n =
        rte_ring_dequeue_burst(w->mail.segments, (void **)pkts, TERN_BURST_MAX, NULL);
    rows(w)->steered_in += n;
    if (n > 0)
        tern_shard_rx(w->sh, pkts, n, now_ns);
    return n_replicas + n > 0;
}

/* ---- sending ---- */

/** Take pkts[i] out of the outbox and count it as dropped. */
static void give_up(struct tern_worker *w, uint32_t i, enum tern_drop why)
{
    struct tern_outbox *o = &w->out;
    tern_shard_tx_failed(w->sh, &o->pkts[i], 1, why);
    memmove(&o->pkts[i], &o->pkts[i + 1], (o->n - i - 1) * sizeof o->pkts[0]);
    o->n--;
}

/** Copy packets of more buffers than the device takes into one. */
static void flatten(struct tern_worker *w, uint32_t first)
{
    struct tern_outbox *o = &w->out;
    for (uint32_t i = first; i < o->n;) {
        struct rte_mbuf *m = o->pkts[i];
        if (likely(m->nb_segs <= w->ep->port.segs_max)) {
            i++;
            continue;
        }
        struct rte_mbuf *flat = rte_pktmbuf_copy(m, w->pool, 0, UINT32_MAX);
        if (flat == NULL || flat->nb_segs > w->ep->port.segs_max) {
            rte_pktmbuf_free(flat);
            give_up(w, i, TERN_DROP_NO_MBUF);
            continue;
        }
        rte_pktmbuf_free(m);
        o->pkts[i++] = flat;
    }
}

/** Let the driver finish what it wants in headers whose checksums it computes. */
static void let_driver_prepare(struct tern_worker *w, uint32_t first)
{
    struct tern_outbox *o = &w->out;
    uint32_t at = first;
    while (at < o->n) {
        const uint16_t n_left = (uint16_t)(o->n - at);
        at += rte_eth_tx_prepare(w->ep->port.id, (uint16_t)w->tx_queue, &o->pkts[at], n_left);
        if (at < o->n)
            give_up(w, at, TERN_DROP_TX_FULL);
    }
}

static uint64_t bytes_of(struct rte_mbuf *const *pkts, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += pkts[i]->pkt_len;
    return sum;
}

/** V192: @return packets the device took, from the front */
static uint32_t send_to_device(struct tern_worker *w)
{
    struct tern_outbox *o = &w->out;
    uint32_t n_sent = 0, n_chunk, n_taken;
    uint64_t n_bytes = 0;
    do {
        struct rte_mbuf **chunk = &o->pkts[n_sent];
        n_chunk = RTE_MIN(o->n - n_sent, (uint32_t)TERN_BURST_MAX);
        n_bytes += bytes_of(chunk, n_chunk); /* a packet that was taken is not ours to look at */
        if (unlikely(w->capture != NULL))
            tern_capture_sending(w->capture, chunk, n_chunk);
        n_taken = rte_eth_tx_burst(w->ep->port.id, (uint16_t)w->tx_queue, chunk, (uint16_t)n_chunk);
        if (unlikely(w->capture != NULL))
            tern_capture_sent(w->capture, n_taken);
        n_bytes -= bytes_of(chunk + n_taken, n_chunk - n_taken);
        n_sent += n_taken;
    } while (n_taken == n_chunk && n_sent < o->n);
    w->tx_packets += n_sent;
    tern_shard_tx_done(w->sh, n_sent, n_bytes);
    return n_sent;
}

static uint32_t send_to_proxy(struct tern_worker *w)
{
    struct rte_ring *ring = w->ep->workers[w->tx_proxy].mail.outbound;
    return rte_ring_enqueue_burst(ring, (void *const *)w->out.pkts, w->out.n, NULL);
}

/**
 * Nothing was taken. Some drivers refuse a packet they dislike like one they have no room for, for
 * ever: then it must not hold up all behind it.
 */
static void unblock(struct tern_worker *w)
{
    const uint64_t patience = rte_get_tsc_hz() * BLOCKED_MS / 1000;
    if (w->blocked_cycles == 0)
        w->blocked_cycles = w->last_cycles;
    if (w->last_cycles - w->blocked_cycles < patience)
        return;
    give_up(w, 0, TERN_DROP_TX_FULL);
    w->blocked_cycles = w->last_cycles;
}

/** Remove the first n_sent; keep the rest for the next poll, up to the bound. */
static void keep_backlog(struct tern_worker *w, uint32_t n_sent)
{
    struct tern_outbox *o = &w->out;
    o->n -= n_sent;
    if (likely(n_sent > 0))
        w->blocked_cycles = 0;
    if (likely(o->n == 0))
        return;
    if (n_sent == 0)
        unblock(w);
    memmove(o->pkts, o->pkts + n_sent, o->n * sizeof o->pkts[0]);
    if (o->n > TERN_BACKLOG_MAX) {
        tern_shard_tx_failed(
            w->sh, o->pkts + TERN_BACKLOG_MAX, o->n - TERN_BACKLOG_MAX, TERN_DROP_TX_FULL);
        o->n = TERN_BACKLOG_MAX;
    }
}

/** What is new in the outbox goes in, what is due comes out in its place. */
static TERN_ASIDE void impair_outgoing(struct tern_worker *w, uint32_t n_before, uint64_t now_ns)
{
    struct tern_impair_way *way = w->impair[TERN_IMPAIR_TX];
    struct tern_outbox *o = &w->out;
    tern_impair_enter(way, &o->pkts[n_before], o->n - n_before, now_ns, rows(w)->drops);
    o->n = n_before;
    o->n += tern_impair_take(way, now_ns, &o->pkts[n_before], TERN_BACKLOG_MAX - n_before);
}

static bool transmit(struct tern_worker *w, uint64_t now_ns)
{
    const struct tern_port *port = &w->ep->port;
    struct tern_outbox *o = &w->out;
    const uint32_t n_before = o->n;

    o->n += tern_shard_take_tx(w->sh, o->pkts + o->n);
    if (w->mail.outbound != NULL)
        o->n += rte_ring_dequeue_burst(
            w->mail.outbound, (void **)(o->pkts + o->n), TERN_OUTBOUND_BURST, NULL);
    if (unlikely(w->impair[TERN_IMPAIR_TX] != NULL))
        impair_outgoing(w, n_before, now_ns);
    if (o->n == 0)
        return false;

    if (w->tx_queue < 0) {
        keep_backlog(w, send_to_proxy(w));
        return true;
    }
    flatten(w, n_before);
    if (port->tx_offloads & ~RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
        let_driver_prepare(w, n_before);
    if (o->n > 0)
        keep_backlog(w, send_to_device(w));
    return true;
}

/* ---- the loop ---- */

/** Close the books of what has passed since they were closed last. @return now, in cycles */
static uint64_t account(struct tern_worker *w)
{
    const uint64_t cycles = rte_rdtsc();
    const uint64_t n_cycles = cycles - w->last_cycles;
    w->last_cycles = cycles;
    w->total_cycles += n_cycles;
    if (w->worked)
        w->busy_cycles += n_cycles;
    return cycles;
}

static void poll_once(struct tern_worker *w)
{
    const struct tern_worker_app *app = &w->ep->cfg.app;
    const uint64_t now_ns = tern_clock_ns(&w->engine->clock, account(w));

    w->polls++;
    w->is_behind = w->out.n > 0;
    bool worked = receive(w, now_ns);
    worked |= open_mail(w, now_ns);
    tern_shard_advance(w->sh, now_ns);
    if (app->tick != NULL && !w->is_behind)
        worked |= app->tick(w->sh, app->ctx, now_ns);
    if (unlikely(__atomic_load_n(&w->has_call, __ATOMIC_RELAXED)))
        worked |= tern_worker_take_call(w);
    tern_shard_settle(w->sh);
    worked |= transmit(w, now_ns);
    w->worked = worked;
}

/** Let others have the CPU when we have no use for it. */
static void be_fair(struct tern_worker *w)
{
    w->n_idle_polls = w->worked ? 0 : w->n_idle_polls + 1;
    const bool is_due = w->shares_cpu ? !w->worked || w->polls % BUSY_POLLS_BEFORE_YIELD == 0
                                      : w->n_idle_polls >= IDLE_POLLS_BEFORE_YIELD;
    if (!is_due)
        return;
    w->n_idle_polls = 0;
    sched_yield();
}

/** When impairment lets something go; UINT64_MAX: it holds nothing. */
static uint64_t next_due_ns(const struct tern_worker *w)
{
    const uint64_t rx_ns = tern_impair_next_ns(w->impair[TERN_IMPAIR_RX]);
    const uint64_t tx_ns = tern_impair_next_ns(w->impair[TERN_IMPAIR_TX]);
    return RTE_MIN(rx_ns, tx_ns);
}

/** Let packets gather after a poll that received `n`; this time is idle in the books. */
static void moderate(struct tern_worker *w, uint64_t n)
{
    if (!w->worked)
        return;
    const uint64_t due = tern_moderation_next(&w->moderation, w->last_cycles, (uint32_t)n);
    if (due == 0 || w->is_behind || w->out.n > 0 || w->shares_cpu)
        return;
    account(w);
    w->worked = false;
    const uint64_t held_ns = next_due_ns(w);
    for (uint64_t cycles = rte_rdtsc(); cycles < due; cycles = rte_rdtsc()) {
        if (unlikely(held_ns <= tern_clock_ns(&w->engine->clock, cycles)))
            return;
        rte_pause();
    }
}

/** Let DPDK's handlers run where it is time for them; that is idle in the books. */
static void mind_recess(struct tern_worker *w, uint64_t n_received)
{
    if (likely(!w->has_recess))
        return;
    if (n_received > 0)
        tern_recess_heard(w->last_cycles);
    if (likely(!tern_recess_is_due(w->last_cycles)))
        return;
    account(w);
    w->worked = false;
    tern_recess_take();
}

static bool is_stopping(const struct tern_worker *w)
{
    return __atomic_load_n(&w->engine->stop, __ATOMIC_RELAXED);
}

/** What became of the probes for our addresses, for the thread that waits for it. */
static void tell_addrs(struct tern_worker *w)
{
    if (tern_shard_addrs_ready(w->sh))
        __atomic_store_n(&w->addrs_ready, true, __ATOMIC_RELEASE);
    else if (!w->has_conflict
             && tern_shard_addr_conflict(w->sh, &w->conflict_addr, w->conflict_mac))
        __atomic_store_n(&w->has_conflict, true, __ATOMIC_RELEASE);
}

void tern_worker_run(struct tern_worker *w)
{
    w->moderation =
        tern_moderation_make(w->engine->cfg.moderation_ns * rte_get_tsc_hz() / SECOND_NS);
    w->last_cycles = rte_rdtsc();
    while (!is_stopping(w)) {
        const uint64_t n_before = w->rx_packets;
        poll_once(w);
        be_fair(w);
        moderate(w, w->rx_packets - n_before);
        mind_recess(w, w->rx_packets - n_before);
        if (unlikely(!w->addrs_ready))
            tell_addrs(w);
    }
}

/** @return true when no worker of the engine has anything left to close */
static bool all_are_drained(struct tern_worker *w)
{
    const bool holds_nothing = w->out.n == 0 && next_due_ns(w) == UINT64_MAX;
    if (!w->is_drained && tern_shard_n_live(w->sh) == 0 && holds_nothing) {
        w->is_drained = true;
        __atomic_fetch_add(&w->engine->n_drained, 1, __ATOMIC_ACQ_REL);
    }
    return __atomic_load_n(&w->engine->n_drained, __ATOMIC_ACQUIRE) == w->engine->n_workers;
}

void tern_worker_leave_recess(struct tern_worker *w)
{
    if (w->has_recess)
        tern_recess_leave();
    w->has_recess = false;
}

void tern_worker_drain(struct tern_worker *w)
{
    const struct tern_worker_app *app = &w->ep->cfg.app;
    const uint64_t hz = rte_get_tsc_hz();
    const uint64_t end = rte_rdtsc() + w->engine->cfg.drain_ms * hz / 1000;

    if (app->drain != NULL)
        app->drain(w->sh, app->ctx);
    tern_shard_drain(w->sh);
    do {
        const uint64_t n_before = w->rx_packets;
        poll_once(w);
        be_fair(w);
        mind_recess(w, w->rx_packets - n_before);
    } while (!all_are_drained(w) && rte_rdtsc() < end);
    tern_worker_leave_recess(w);
}
