/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The poll loop. A poll reads the clock once, takes at most a burst from each of its queues and
 * rings, lets time pass in the shard, gives the application its tick and sends what came of it:
 *
 *   device ──► steer ──► own shard ──────────────► outbox ──► device
 *                │   ▲                                │
 *                ▼   │ (mailbox)                      ▼ (no transmit queue)
 *            other workers                      other worker's outbox
 *
 * Nothing here waits. A full mailbox drops and counts, as a full device queue would. What the device
 * does not take stays at the head of the outbox, in order, up to a bound.
 *
 * Workers are threads of ours, not EAL's: EAL fixes its set at its one start, and a second engine
 * could not have more. Registering gives them what matters of an lcore, a cache in every mempool.
 *
 * Where workers share a CPU they yield when idle and after some busy polls: else each would spin
 * through its time slice while the packets it waits for lie in another one's queue. A worker with a
 * CPU to itself yields after many idle polls: free when nobody else wants the CPU, and when somebody
 * does (one of two cores, a busy build machine), the one that has work gets on with it.
 *
 * The end: drain, then poll until no worker of the engine has a live connection (the other end of a
 * pair and the other workers' segments come through our queues) or time is up.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

#include "error.h"
#include "internal.h"
#include "wire/hint.h"

enum {
    REPLICAS_BURST = 16,
    BUSY_POLLS_BEFORE_YIELD = 8, /* with another worker on the CPU */
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

static bool receive_from(struct tern_worker *w, uint16_t queue, uint64_t now_ns)
{
    struct rte_mbuf *pkts[TERN_BURST_MAX];
    uint32_t n = rte_eth_rx_burst(w->ep->port.id, queue, pkts, TERN_BURST_MAX);
    if (n == 0)
        return false;
    w->rx_packets += n;
    if (w->ep->port.in_memory)
        tern_pair_received(pkts, n);
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
        at += rte_eth_tx_prepare(
            w->ep->port.id, (uint16_t)w->tx_queue, &o->pkts[at], n_left);
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

/** @return packets the device took, from the front */
static uint32_t send_to_device(struct tern_worker *w)
{
    struct tern_outbox *o = &w->out;
    uint32_t n_sent = 0, n_chunk, n_taken;
    uint64_t n_bytes = 0;
    do {
        struct rte_mbuf **chunk = &o->pkts[n_sent];
        n_chunk = RTE_MIN(o->n - n_sent, (uint32_t)TERN_BURST_MAX);
        n_bytes += bytes_of(chunk, n_chunk); /* a packet that was taken is not ours to look at */
        n_taken = rte_eth_tx_burst(
            w->ep->port.id, (uint16_t)w->tx_queue, chunk, (uint16_t)n_chunk);
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

/** Remove the first n_sent; keep the rest for the next poll, up to the bound. */
static void keep_backlog(struct tern_worker *w, uint32_t n_sent)
{
    struct tern_outbox *o = &w->out;
    o->n -= n_sent;
    if (likely(o->n == 0))
        return;
    memmove(o->pkts, o->pkts + n_sent, o->n * sizeof o->pkts[0]);
    if (o->n > TERN_BACKLOG_MAX) {
        tern_shard_tx_failed(w->sh, o->pkts + TERN_BACKLOG_MAX, o->n - TERN_BACKLOG_MAX,
            TERN_DROP_TX_FULL);
        o->n = TERN_BACKLOG_MAX;
    }
}

static bool transmit(struct tern_worker *w)
{
    const struct tern_port *port = &w->ep->port;
    struct tern_outbox *o = &w->out;
    const uint32_t n_before = o->n;

    o->n += tern_shard_take_tx(w->sh, o->pkts + o->n);
    if (w->mail.outbound != NULL)
        o->n += rte_ring_dequeue_burst(
            w->mail.outbound, (void **)(o->pkts + o->n), TERN_OUTBOUND_BURST, NULL);
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

/** Close the books of the last poll and begin the next. @return now */
static uint64_t begin_poll(struct tern_worker *w)
{
    const uint64_t cycles = rte_rdtsc();
    const uint64_t n_cycles = cycles - w->last_cycles;
    w->last_cycles = cycles;
    w->total_cycles += n_cycles;
    if (w->worked)
        w->busy_cycles += n_cycles;
    w->polls++;
    return tern_clock_ns(&w->engine->clock, cycles);
}

static void poll_once(struct tern_worker *w)
{
    const struct tern_worker_app *app = &w->ep->cfg.app;
    const uint64_t now_ns = begin_poll(w);

    bool worked = receive(w, now_ns);
    worked |= open_mail(w, now_ns);
    tern_shard_advance(w->sh, now_ns);
    if (app->tick != NULL)
        worked |= app->tick(w->sh, app->ctx, now_ns);
    tern_shard_settle(w->sh);
    worked |= transmit(w);
    w->worked = worked;
}

/** Let others have the CPU when we have no use for it. */
static void be_fair(struct tern_worker *w)
{
    w->n_idle_polls = w->worked ? 0 : w->n_idle_polls + 1;
    const bool is_due = w->shares_cpu
        ? !w->worked || w->polls % BUSY_POLLS_BEFORE_YIELD == 0
        : w->n_idle_polls >= IDLE_POLLS_BEFORE_YIELD;
    if (!is_due)
        return;
    w->n_idle_polls = 0;
    sched_yield();
}

static bool is_stopping(const struct tern_worker *w)
{
    return __atomic_load_n(&w->engine->stop, __ATOMIC_RELAXED);
}

static void run(struct tern_worker *w)
{
    w->last_cycles = rte_rdtsc();
    while (!is_stopping(w)) {
        poll_once(w);
        be_fair(w);
        if (unlikely(!w->addrs_ready) && tern_shard_addrs_ready(w->sh))
            __atomic_store_n(&w->addrs_ready, true, __ATOMIC_RELEASE);
    }
}

/** @return true when no worker of the engine has anything left to close */
static bool all_are_drained(struct tern_worker *w)
{
    if (!w->is_drained && tern_shard_n_live(w->sh) == 0 && w->out.n == 0) {
        w->is_drained = true;
        __atomic_fetch_add(&w->engine->n_drained, 1, __ATOMIC_ACQ_REL);
    }
    return __atomic_load_n(&w->engine->n_drained, __ATOMIC_ACQUIRE) == w->engine->n_workers;
}

static void drain(struct tern_worker *w)
{
    const struct tern_worker_app *app = &w->ep->cfg.app;
    const uint64_t hz = rte_get_tsc_hz();
    const uint64_t end = rte_rdtsc() + w->engine->cfg.drain_ms * hz / 1000;

    if (app->drain != NULL)
        app->drain(w->sh, app->ctx);
    tern_shard_drain(w->sh);
    do {
        poll_once(w);
        be_fair(w);
    } while (!all_are_drained(w) && rte_rdtsc() < end);
}

/* ---- the thread ---- */

static void take_place(struct tern_worker *w)
{
    char name[16];
    snprintf(name, sizeof name, "tern-%u.%u", w->ep->idx, w->idx);
    pthread_setname_np(pthread_self(), name);

    cpu_set_t *one = CPU_ALLOC(TERN_CPUS_MAX);
    if (one == NULL)
        return;
    const size_t n_bytes = CPU_ALLOC_SIZE(TERN_CPUS_MAX);
    CPU_ZERO_S(n_bytes, one);
    CPU_SET_S(w->cpu->id, n_bytes, one);
    pthread_setaffinity_np(pthread_self(), n_bytes, one);
    CPU_FREE(one);
}

/** This worker's share of the endpoint's configuration. */
static void configure(const struct tern_worker *w, struct tern_stack_config *stack)
{
    const uint32_t n_workers = w->ep->cfg.n_workers;
    *stack = w->ep->cfg.stack;
    tern_port_abilities(&w->ep->port, stack);
    stack->numa_node = w->cpu->node;
    stack->seed[3] += w->idx; /* workers differ, and worker 0 is what an embedded instance would be */
    if (n_workers > 1) {
        stack->port_stride = (uint16_t)n_workers;
        stack->port_phase = (uint16_t)w->idx;
    }
}

static int open_shard(struct tern_worker *w, struct tern_error *err)
{
    struct tern_stack_config stack;
    configure(w, &stack);
    const struct tern_shard_params params = {
        .cfg = &stack,
        .worker = w->idx,
        .pool = w->pool,
        .reserve = w->reserve,
        .now_ns = tern_clock_ns(&w->engine->clock, rte_rdtsc()),
    };
    int rc = rte_thread_register();
    if (rc != 0)
        return tern_fail(err, -rte_errno,
            "worker %u: DPDK has no thread number left (%s); use fewer workers", w->idx,
            rte_strerror(rte_errno));
    w->lcore = rte_lcore_id();
    struct tern_shard *sh = NULL;
    rc = tern_shard_open(&params, &sh, err);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&w->engine->lock);
    w->sh = sh;
    pthread_mutex_unlock(&w->engine->lock);
    return 0;
}

static int start(struct tern_worker *w, struct tern_error *err)
{
    const struct tern_worker_app *app = &w->ep->cfg.app;
    int rc = open_shard(w, err);
    if (rc != 0 || app->start == NULL)
        return rc;
    rc = app->start(w->sh, app->ctx);
    if (rc != 0)
        return tern_fail(err, rc,
            "%s: worker %u could not start the application (%s); check its addresses and ports",
            w->ep->cfg.device, w->idx, strerror(-rc));
    return 0;
}

/** Tell how the start went and wait for the word. @return true: run; false: go home */
static bool report_and_wait(struct tern_worker *w, int rc, const struct tern_error *err)
{
    struct tern_engine *e = w->engine;
    pthread_mutex_lock(&e->lock);
    w->phase = TERN_WORKER_STARTED;
    w->start_rc = rc;
    if (rc != 0 && e->start_error.text[0] == '\0')
        e->start_error = *err;
    pthread_cond_broadcast(&e->changed);
    while (e->go == TERN_GO_WAIT)
        pthread_cond_wait(&e->changed, &e->lock);
    const bool run = e->go == TERN_GO_RUN;
    pthread_mutex_unlock(&e->lock);
    return run;
}

/** Keep the counters readable beyond the shard's life, and close it. */
static void close_shard(struct tern_worker *w)
{
    struct tern_shard *sh = w->sh;
    if (w->out.n > 0)
        tern_shard_tx_failed(sh, w->out.pkts, w->out.n, TERN_DROP_STOPPING);
    w->out.n = 0;
    pthread_mutex_lock(&w->engine->lock);
    w->final_stats = *tern_shard_stats_rw(sh);
    w->sh = NULL;
    pthread_mutex_unlock(&w->engine->lock);
    tern_shard_close(sh, &w->leaks);
}

static void end(struct tern_worker *w)
{
    struct tern_engine *e = w->engine;
    rte_thread_unregister();
    pthread_mutex_lock(&e->lock);
    w->phase = TERN_WORKER_ENDED;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

void *tern_worker_main(void *worker)
{
    struct tern_worker *w = (struct tern_worker *)worker;
    struct tern_error err = {.text = ""};
    const struct tern_worker_app *app = &w->ep->cfg.app;

    take_place(w);
    const int rc = start(w, &err);
    if (report_and_wait(w, rc, &err)) {
        run(w);
        drain(w);
    }
    if (rc == 0 && app->stop != NULL)
        app->stop(w->sh, app->ctx);
    if (w->sh != NULL)
        close_shard(w);
    end(w);
    return NULL;
}
