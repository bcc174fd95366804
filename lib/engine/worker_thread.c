/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's thread from birth to death: it takes its CPU, opens its shard there (so that the
 * memory it touches first is on its node), starts the application, and waits until all workers
 * have; then it runs (worker.c) and closes what it opened. Every call into a shard is made here.
 *
 * Workers are threads of ours, not EAL's: EAL fixes its set at its one start, and a second engine
 * could not have more. Registering gives them what matters of an lcore, a cache in every mempool.
 * Only a process that is shared has lcores instead (shared.h).
 */
#include "error.h"
#include "internal.h"

#include <rte_errno.h>
#include <rte_lcore.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

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
    stack->seed[3] +=
        w->idx; /* workers differ, and worker 0 is what an embedded instance would be */
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
        .rss = w->ep->steering.rss,
        .now_ns = tern_clock_ns(&w->engine->clock, rte_rdtsc()),
    };
    int rc = w->engine->cfg.shared != NULL ? 0 : rte_thread_register(); /* an lcore: shared.h */
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
    if (rc == -ENOMEM)
        return tern_fail(err, rc,
            "%s: worker %u has no memory for its application; without hugepages DPDK's is fixed at "
            "the start, with %.1f MiB a worker for static bodies: make them smaller, or plan for "
            "more (static_bytes)",
            w->ep->cfg.device, w->idx, (double)w->ep->cfg.static_bytes / (1 << 20));
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
    for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++)
        if (w->impair[dir] != NULL)
            tern_shard_stats_rw(sh)->drops[TERN_DROP_STOPPING] += tern_impair_empty(w->impair[dir]);
    pthread_mutex_lock(&w->engine->lock);
    w->final_stats = *tern_shard_stats_rw(sh);
    w->sh = NULL;
    pthread_mutex_unlock(&w->engine->lock);
    tern_shard_close(sh, &w->leaks);
}

static void end(struct tern_worker *w)
{
    struct tern_engine *e = w->engine;
    if (e->cfg.shared == NULL)
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
        tern_worker_run(w);
        tern_worker_drain(w);
    }
    tern_worker_refuse_calls(w);
    if (w->sh != NULL)
        tern_shard_stop(w->sh); /* what would not drain ends here, before the application does */
    if (rc == 0 && app->stop != NULL)
        app->stop(w->sh, app->ctx);
    if (w->sh != NULL)
        close_shard(w);
    end(w);
    return NULL;
}
