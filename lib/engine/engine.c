/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of an engine: open (setup.c), start, stop, wait, close; and what others may read of it
 * while it runs.
 *
 * Start and end go through one lock and one condition: workers report their phase, the caller says
 * go, or home when one of them failed. The data path knows neither: it reads one flag a poll.
 */
#include "error.h"
#include "internal.h"
#include "shared.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ADDRS_WAIT_MS = 3000, /* duplicate address detection may take this long */
    ADDRS_POLL_NS = 1000000,
    ENDING_MS = 2000, /* beyond drain_ms: for the loop to notice, and shards to close */
    SPREAD_SAMPLE_SEGMENTS = 1000,
    SPREAD_SHARE_MAX = 100, /* one in that many: IP options and the like are hashed otherwise */
};

/* ---- open ---- */

void tern_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static uint64_t destroy(struct tern_engine *e)
{
    const uint64_t n_missing = tern_engine_take_down(e);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    free(e);
    return n_missing;
}

int tern_engine_open(
    const struct tern_config *cfg, struct tern_engine **out, struct tern_error *err)
{
    *out = NULL;
    int rc = tern_engine_check(cfg, err);
    if (rc != 0)
        return rc;
    struct tern_engine *e =
        (struct tern_engine *)aligned_alloc(_Alignof(struct tern_engine), sizeof *e);
    if (e == NULL)
        return tern_fail(err, -ENOMEM, "out of memory at the very start; free some memory");
    memset(e, 0, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
    tern_cond_init(&e->changed);
    e->cfg = *cfg;
    e->n_endpoints = cfg->n_endpoints;
    for (uint32_t i = 0; i < e->n_endpoints; i++) {
        e->endpoints[i].cfg = cfg->endpoints[i];
        e->endpoints[i].idx = i;
    }
    e->log = tern_eal_log_open();
    rc = e->log != NULL ? tern_engine_set_up(e, err)
                        : tern_fail(err, -ENOMEM, "out of memory; free some memory");
    if (rc != 0) {
        destroy(e);
        return rc;
    }
    *out = e;
    return 0;
}

/* ---- start ---- */

typedef void worker_fn(struct tern_worker *w, void *arg);

static void for_each_worker(struct tern_engine *e, worker_fn *fn, void *arg)
{
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        for (uint32_t w = 0; w < e->endpoints[i].cfg.n_workers; w++)
            fn(&e->endpoints[i].workers[w], arg);
}

/** Signals are the caller's business: a worker that handled one would be late for its packets. */
static void launch(struct tern_worker *w, void *arg)
{
    int *rc = (int *)arg;
    sigset_t all, before;
    if (*rc != 0)
        return;
    if (w->engine->cfg.shared != NULL) {
        *rc = tern_shared_launch(w);
        w->has_thread = *rc == 0;
        return;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *rc = -pthread_create(&w->thread, NULL, tern_worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->has_thread = *rc == 0;
}

struct count {
    enum tern_worker_phase phase;
    uint32_t n_there; /* workers with a thread that have reached the phase */
    uint32_t n_threads;
    int rc; /* the first failed start */
};

static void count_worker(struct tern_worker *w, void *arg)
{
    struct count *c = (struct count *)arg;
    c->n_threads += w->has_thread;
    c->n_there += w->has_thread && w->phase >= c->phase;
    if (c->rc == 0)
        c->rc = w->start_rc;
}

/** Under the lock. @return true when every thread there is has reached `phase` */
static bool have_reached(struct tern_engine *e, enum tern_worker_phase phase, int *rc)
{
    struct count c = {.phase = phase};
    for_each_worker(e, count_worker, &c);
    *rc = c.rc;
    return c.n_there == c.n_threads;
}

struct timespec tern_deadline_in_ms(uint32_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void add_ready(struct tern_worker *w, void *arg)
{
    *(uint32_t *)arg += __atomic_load_n(&w->addrs_ready, __ATOMIC_ACQUIRE);
}

static bool is_over(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec != deadline->tv_sec ? now.tv_sec > deadline->tv_sec
                                          : now.tv_nsec >= deadline->tv_nsec;
}

static void find_conflict(struct tern_worker *w, void *arg)
{
    if (__atomic_load_n(&w->has_conflict, __ATOMIC_ACQUIRE))
        *(const struct tern_worker **)arg = w;
}

static int refuse_conflict(const struct tern_worker *w, struct tern_error *err)
{
    char text[TERN_ADDR_TEXT_BYTES];
    const uint8_t *mac = w->conflict_mac;
    return tern_fail(err, -EADDRINUSE,
        "%s: the address %s is in use by %02x:%02x:%02x:%02x:%02x:%02x; choose another address, or "
        "take it from that station",
        w->ep->cfg.device, tern_addr_format(&w->conflict_addr, text), mac[0], mac[1], mac[2],
        mac[3], mac[4], mac[5]);
}

/** Probes take half a second; where nothing answers for long (a link that is down) go on without.
 */
static int wait_for_addrs(struct tern_engine *e, struct tern_error *err)
{
    const struct timespec deadline = tern_deadline_in_ms(ADDRS_WAIT_MS);
    const struct timespec pause = {.tv_nsec = ADDRS_POLL_NS};
    while (!is_over(&deadline)) {
        uint32_t n_ready = 0;
        const struct tern_worker *in_conflict = NULL;
        for_each_worker(e, add_ready, &n_ready);
        for_each_worker(e, find_conflict, &in_conflict);
        if (in_conflict != NULL)
            return refuse_conflict(in_conflict, err);
        if (n_ready == e->n_workers || __atomic_load_n(&e->stop, __ATOMIC_RELAXED))
            return 0;
        nanosleep(&pause, NULL); /* shorter where a driver (TAP) raises signals: no matter */
    }
    return 0;
}

static void join(struct tern_worker *w, void *arg)
{
    (void)arg;
    if (w->has_thread && w->engine->cfg.shared != NULL)
        tern_shared_join(w);
    else if (w->has_thread)
        pthread_join(w->thread, NULL);
    w->has_thread = false;
}

int tern_engine_start(struct tern_engine *e, struct tern_error *err)
{
    if (e->go != TERN_GO_WAIT)
        return tern_fail(err, -EALREADY, "an engine can be started once; open a new one");
    int launch_rc = 0, start_rc;
    e->clock = tern_clock_start();
    for_each_worker(e, launch, &launch_rc);

    pthread_mutex_lock(&e->lock);
    while (!have_reached(e, TERN_WORKER_STARTED, &start_rc))
        pthread_cond_wait(&e->changed, &e->lock);
    e->go = launch_rc == 0 && start_rc == 0 ? TERN_GO_RUN : TERN_GO_HOME;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);

    if (e->go == TERN_GO_RUN) {
        if (e->cfg.telemetry)
            tern_telemetry_show(e);
        return wait_for_addrs(e, err);
    }
    for_each_worker(e, join, NULL);
    if (start_rc != 0)
        return tern_fail(err, start_rc, "%s", e->start_error.text);
    return tern_fail(err, launch_rc, "no thread for a worker (%s); see ulimit -u, or use fewer",
        strerror(-launch_rc));
}

/* ---- end ---- */

void tern_engine_stop(struct tern_engine *e)
{
    __atomic_store_n(&e->stop, true, __ATOMIC_RELAXED);
}

bool tern_engine_wait(struct tern_engine *e, uint32_t timeout_ms)
{
    const struct timespec until = tern_deadline_in_ms(timeout_ms);
    int rc, wait_rc = 0;
    pthread_mutex_lock(&e->lock);
    while (!have_reached(e, TERN_WORKER_ENDED, &rc) && wait_rc != ETIMEDOUT)
        wait_rc = pthread_cond_timedwait(&e->changed, &e->lock, &until);
    const bool ended = have_reached(e, TERN_WORKER_ENDED, &rc);
    pthread_mutex_unlock(&e->lock);
    return ended;
}

static void add_leaks(struct tern_worker *w, void *arg)
{
    struct tern_leaks *sum = (struct tern_leaks *)arg;
    sum->conns += w->leaks.conns + w->leaks.flow_entries;
    sum->halves += w->leaks.halves;
    sum->time_waits += w->leaks.time_waits;
    sum->records += w->leaks.txqs + w->leaks.opts;
    sum->timers += w->leaks.timers;
}

void tern_engine_close(struct tern_engine *e, struct tern_leaks *leaks)
{
    if (e == NULL)
        return;
    tern_telemetry_hide(e);
    tern_engine_stop(e);
    tern_engine_wait(e, e->cfg.drain_ms + ENDING_MS);
    for_each_worker(e, join, NULL);

    struct tern_leaks sum = {0};
    for_each_worker(e, add_leaks, &sum);
    sum.mbufs = destroy(e);
    if (leaks != NULL)
        *leaks = sum;
}

/* ---- looking in ---- */

/** Copy counters that their worker keeps writing: each 64-bit value whole. */
static void copy_stats(struct tern_stats *out, const struct tern_stats *in)
{
    uint64_t *to = (uint64_t *)out;
    const uint64_t *from = (const uint64_t *)in;
    for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void tern_engine_stats(const struct tern_engine *e, uint32_t ep, struct tern_stats *out)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&e->lock; /* const to the caller's eye */
    memset(out, 0, sizeof *out);
    if (ep >= e->n_endpoints)
        return;
    pthread_mutex_lock(lock); /* no shard closes meanwhile */
    for (uint32_t i = 0; i < e->endpoints[ep].cfg.n_workers; i++) {
        const struct tern_worker *w = &e->endpoints[ep].workers[i];
        struct tern_stats one;
        copy_stats(&one, w->sh != NULL ? tern_shard_stats(w->sh) : &w->final_stats);
        tern_stats_add(out, &one);
    }
    pthread_mutex_unlock(lock);
}

uint32_t tern_engine_n_workers(const struct tern_engine *e, uint32_t ep)
{
    return ep < e->n_endpoints ? e->endpoints[ep].cfg.n_workers : 0;
}

void tern_engine_worker(
    const struct tern_engine *e, uint32_t ep, uint32_t worker, struct tern_worker_info *out)
{
    *out = (struct tern_worker_info){0};
    if (worker >= tern_engine_n_workers(e, ep))
        return;
    const struct tern_worker *w = &e->endpoints[ep].workers[worker];
    out->lcore = w->lcore;
    out->cpu = w->cpu->id;
    out->numa_node = w->cpu->node;
    out->polls = __atomic_load_n(&w->polls, __ATOMIC_RELAXED);
    out->rx_packets = __atomic_load_n(&w->rx_packets, __ATOMIC_RELAXED);
    out->tx_packets = __atomic_load_n(&w->tx_packets, __ATOMIC_RELAXED);
    out->busy_cycles = __atomic_load_n(&w->busy_cycles, __ATOMIC_RELAXED);
    out->total_cycles = __atomic_load_n(&w->total_cycles, __ATOMIC_RELAXED);
    if (out->total_cycles > 0)
        out->busy = (double)out->busy_cycles / (double)out->total_cycles;
}

static void describe_memory(
    const struct tern_engine *e, const struct tern_endpoint *ep, struct tern_device_info *out)
{
    const double mib = 1 << 20;
    const struct tern_stack_config *cfg = &ep->cfg.stack;
    const struct tern_memory_plan *plan = &ep->tables;
    const double rest = (double)(plan->total - plan->conns - plan->records - plan->time_waits);
    const uint32_t n_mbufs = ep->n_mbufs + TERN_RESERVE_MBUFS;
    out->memory_bytes = ep->cfg.n_workers * (plan->total + n_mbufs * ep->mbuf_bytes);
    snprintf(out->memory, sizeof out->memory,
        "%u x (%u connections x %.0f B + records while sending %.1f MiB + %u TIME-WAIT x %.0f B"
        " + tables %.1f MiB + %u mbufs x %" PRIu64 " B) = %.1f MiB",
        ep->cfg.n_workers, cfg->conns_max, (double)plan->conns / cfg->conns_max,
        (double)plan->records / mib, cfg->time_wait_max,
        (double)plan->time_waits / cfg->time_wait_max, rest / mib, n_mbufs, ep->mbuf_bytes,
        (double)out->memory_bytes / mib);
    if (!e->use_huge)
        snprintf(out->pages, sizeof out->pages, "4 KiB pages (--no-huge)");
    else
        snprintf(
            out->pages, sizeof out->pages, "%" PRIu64 " MiB hugepages", e->huge_page_bytes >> 20);
}

/** More segments handed over than a device that spreads by its own key would ever need. */
static bool is_spread_otherwise(const struct tern_engine *e, const struct tern_endpoint *ep)
{
    struct tern_stats s;
    if (ep->steering.rss == NULL)
        return false;
    tern_engine_stats(e, ep->idx, &s);
    return s.steered_in >= SPREAD_SAMPLE_SEGMENTS
           && s.steered_in * SPREAD_SHARE_MAX > s.rx_segments;
}

/** What the user should know: the second way taken, no link, workers away from their device. */
static void describe_oddities(
    const struct tern_engine *e, const struct tern_endpoint *ep, struct tern_device_info *out)
{
    size_t len = (size_t)snprintf(out->note, sizeof out->note, "%s", ep->port.note);
    if (!tern_port_link_is_up(&ep->port) && len < sizeof out->note)
        len += (size_t)snprintf(
            out->note + len, sizeof out->note - len, "%sthe link is down", len > 0 ? "; " : "");
    if (e->n_remote > 0 && len < sizeof out->note)
        len += (size_t)snprintf(out->note + len, sizeof out->note - len,
            "%s%u of %u workers run on another NUMA node than the device (%d): expect less",
            len > 0 ? "; " : "", e->n_remote, e->n_workers, ep->port.node);
    if (e->n_far_pools > 0 && len < sizeof out->note)
        len += (size_t)snprintf(out->note + len, sizeof out->note - len,
            "%spackets of %u of %u workers are on another NUMA node: too few hugepages on theirs",
            len > 0 ? "; " : "", e->n_far_pools, e->n_workers);
    if (tern_impair_is_on(&ep->cfg.impair[TERN_IMPAIR_TX]) && len < sizeof out->note)
        len += (size_t)snprintf(out->note + len, sizeof out->note - len,
            "%simpaired before it is sent: checksums and segments are made in software",
            len > 0 ? "; " : "");
    if (e->telemetry_note[0] != '\0' && len < sizeof out->note)
        len += (size_t)snprintf(out->note + len, sizeof out->note - len, "%s%s",
            len > 0 ? "; " : "", e->telemetry_note);
    if (is_spread_otherwise(e, ep) && len < sizeof out->note)
        snprintf(out->note + len, sizeof out->note - len,
            "%sthe device spreads otherwise than its key and table say: replies are handed over",
            len > 0 ? "; " : "");
}

void tern_engine_device(const struct tern_engine *e, uint32_t ep_idx, struct tern_device_info *out)
{
    *out = (struct tern_device_info){0};
    if (ep_idx >= e->n_endpoints)
        return;
    const struct tern_endpoint *ep = &e->endpoints[ep_idx];
    const struct tern_port *port = &ep->port;
    struct rte_eth_stats stats;

    snprintf(out->name, sizeof out->name, "%s", ep->cfg.device);
    snprintf(out->driver, sizeof out->driver, "%s", port->driver);
    tern_steer_describe(&ep->steering, port->n_rxq, out->steering, sizeof out->steering);
    tern_port_offloads_text(port, out->offloads, sizeof out->offloads);
    describe_memory(e, ep, out);
    describe_oddities(e, ep, out);
    memcpy(out->mac, port->mac, sizeof out->mac);
    out->n_rx_queues = port->n_rxq;
    out->n_tx_queues = port->n_txq;
    out->mtu_bytes = port->mtu_bytes;
    out->numa_node = port->node;
    out->is_link_up = tern_port_link_is_up(port);
    if (port->is_started && rte_eth_stats_get(port->id, &stats) == 0) {
        out->rx_missed = stats.imissed + stats.rx_nombuf;
        out->rx_errors = stats.ierrors;
        out->tx_errors = stats.oerrors;
    }
}
