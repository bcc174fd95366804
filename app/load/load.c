/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening connections. A worker asks after every poll how many it may open now: its share of
 * --conns less what is open, at most its share of --count, and in open loop as many as are due.
 *
 * Open loop: starts are even and without drift (schedule.h). A worker that fell behind catches up
 * at most CATCH_UP_NS of starts and gives up the rest, counted: a load that comes late is not the
 * load that was asked for.
 *
 * The phase is the only word the main thread writes; `idle` and the counters the only ones it
 * reads.
 */
#include "load.h"

#include "../error.h"
#include "../value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_BURST = 64, LINE_BYTES = 64 };
#define SECOND_NS   UINT64_C(1000000000)
#define CATCH_UP_NS UINT64_C(10000000)
#define WARM_UP_NS  UINT64_C(100000000)

/* ---- how many now ---- */

/* Starts that are too late to catch up are given up, all but a burst of them. */
static void give_up_late(struct app_load_worker *w, uint64_t now_ns)
{
    if (now_ns < w->start_ns + CATCH_UP_NS)
        return;
    const uint64_t lost = app_schedule_give_up(&w->schedule, now_ns - CATCH_UP_NS, OPEN_BURST);
    if (lost != 0)
        __atomic_store_n(&w->counts.late, w->counts.late + lost, __ATOMIC_RELAXED);
}

/* The first start has been made: it was the connection that found the way. */
static void begin_schedule(struct app_load_worker *w)
{
    const struct app_load_config *cfg = &w->load->cfg;
    w->schedule = app_schedule_begin(w->start_ns, cfg->rate, cfg->n_workers, w->index);
    app_schedule_step(&w->schedule);
}

/* The first connection finds the way: while ARP or NDP has no answer yet, more would only be
 * dropped. That it is established, or over, is waited for at most WARM_UP_NS; then time 0 begins.
 */
static bool is_warm(const struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    if (w->warm)
        return true;
    if (w->start_ns == 0)
        w->start_ns = now_ns;
    const bool answers = w->live == 0 || tern_shard_stats(sh)->active_established > 0;
    w->warm = w->counts.opened > 0 && (answers || now_ns - w->start_ns > WARM_UP_NS);
    if (!w->warm)
        return false;
    w->start_ns = now_ns;
    if (w->load->cfg.rate != 0)
        begin_schedule(w);
    return true;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t room_below(uint64_t n, uint64_t max)
{
    return n < max ? max - n : 0;
}

static uint64_t room_to_open(const struct tern_shard *sh, const struct app_load_worker *w)
{
    const uint32_t max = w->load->cfg.scenario->opening_max;
    return max == 0 ? UINT64_MAX : room_below(tern_shard_stats(sh)->opening_now, max);
}

/* Connections there is room for. */
static uint64_t may_open(const struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    if (!is_warm(sh, w, now_ns))
        return w->counts.opened == 0 && w->count_max > 0 ? 1 : 0;
    const uint64_t room = lesser(room_below(w->live, w->conns_max), room_to_open(sh, w));
    return lesser(room, lesser(OPEN_BURST, w->count_max - w->counts.opened));
}

/* ---- opening ---- */

/* All sources to one port of the target, then all to the next. */
static void next_pair(struct app_load_worker *w, struct tern_connect_opts *opts)
{
    const struct app_load_config *cfg = &w->load->cfg;
    opts->local = cfg->sources[w->next_source].addr;
    opts->rport = (uint16_t)(cfg->port + w->next_port);
    if (++w->next_source < cfg->n_sources)
        return;
    w->next_source = 0;
    if (++w->next_port == cfg->n_ports)
        w->next_port = 0;
}

/* @return false when no more can be opened before something has closed */
static bool open_one(struct tern_shard *sh, struct app_load_worker *w)
{
    const struct app_load_config *cfg = &w->load->cfg;
    struct tern_connect_opts opts = {
        .remote = cfg->target,
        .app = cfg->scenario->app,
        .early = cfg->early ? cfg->request : NULL,
        .n_early = cfg->early ? (uint32_t)strlen(cfg->request) : 0,
    };
    next_pair(w, &opts);
    const int rc = tern_connect(sh, &opts, NULL);
    if (rc == -EADDRNOTAVAIL || rc == -EADDRINUSE)
        app_load_bump(&w->counts.no_port);
    if (rc != 0)
        return false;
    app_load_bump(&w->counts.opened);
    w->live++;
    return true;
}

/* At most `n`, as fast as it goes. @return how many */
static uint64_t open_closed_loop(struct tern_shard *sh, struct app_load_worker *w, uint64_t n)
{
    uint64_t opened = 0;
    while (opened < n && open_one(sh, w))
        opened++;
    return opened;
}

/* At most `n`, each when it is due. */
static uint64_t open_open_loop(
    struct tern_shard *sh, struct app_load_worker *w, uint64_t n, uint64_t now_ns)
{
    uint64_t opened = 0;
    give_up_late(w, now_ns);
    while (opened < n && app_schedule_is_due(&w->schedule, now_ns) && open_one(sh, w)) {
        app_schedule_step(&w->schedule);
        opened++;
    }
    return opened;
}

/* The first connection is ahead of time 0. */
static uint64_t open_some(struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    const uint64_t n = may_open(sh, w, now_ns);
    return w->load->cfg.rate == 0 || !w->warm ? open_closed_loop(sh, w, n)
                                              : open_open_loop(sh, w, n, now_ns);
}

static void set_idle(struct app_load_worker *w, int phase)
{
    const bool no_more = phase == APP_LOAD_ENDS || w->counts.opened == w->count_max;
    if (no_more && w->live == 0 && !w->idle)
        __atomic_store_n(&w->idle, 1, __ATOMIC_RELEASE);
}

static bool tick(struct tern_shard *sh, void *ctx, uint64_t now_ns)
{
    (void)ctx;
    struct app_load_worker *w = tern_shard_user(sh);
    const int phase = __atomic_load_n(&w->load->phase, __ATOMIC_RELAXED);
    const struct app_scenario *s = w->load->cfg.scenario;
    const bool ended = phase == APP_LOAD_ENDS && s->end != NULL && s->end(sh, w);
    const uint64_t opened = phase == APP_LOAD_RUNS ? open_some(sh, w, now_ns) : 0;
    set_idle(w, phase);
    return opened > 0 || ended;
}

void app_load_fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why)
{
    struct app_load_worker *w = tern_shard_user(sh);
    app_load_bump(&w->counts.failed[why]);
    tern_abort(sh, c);
}

/* ---- a worker ---- */

/* Worker `index`'s part of `total`; the parts add up. */
static uint64_t share(uint64_t total, uint32_t index, uint32_t n)
{
    return total / n + (index < total % n ? 1 : 0);
}

static struct app_load_worker *worker_new(const struct app_load *load, uint32_t index)
{
    const size_t bytes =
        (sizeof(struct app_load_worker) + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);
    struct app_load_worker *w = aligned_alloc(LINE_BYTES, bytes);
    if (w == NULL)
        return NULL;
    const struct app_load_config *cfg = &load->cfg;
    *w = (struct app_load_worker){
        .load = load,
        .conns_max = share(cfg->conns, index, cfg->n_workers),
        .count_max = cfg->count == 0 ? UINT64_MAX : share(cfg->count, index, cfg->n_workers),
        .index = index,
        .next_source = index % cfg->n_sources,
    };
    app_pool_init(&w->pool, cfg->scenario->conn_bytes);
    return w;
}

/* Its memory is taken on the worker's own thread, so it lies on the worker's NUMA node. */
static int start(struct tern_shard *sh, void *ctx)
{
    struct app_load *load = ctx;
    const struct app_scenario *s = load->cfg.scenario;
    const uint32_t index = tern_shard_worker(sh);
    struct app_load_worker *w = worker_new(load, index);
    if (w == NULL)
        return -ENOMEM;
    tern_shard_set_user(sh, w);
    const int rc = s->start == NULL ? 0 : s->start(sh, w);
    if (rc != 0)
        free(w);
    else
        __atomic_store_n(&load->workers[index], w, __ATOMIC_RELEASE);
    return rc;
}

/* The worker's counters stay readable: app_load_free() takes them. */
static void stop(struct tern_shard *sh, void *ctx)
{
    struct app_load *load = ctx;
    struct app_load_worker *w = tern_shard_user(sh);
    if (load->cfg.scenario->stop != NULL)
        load->cfg.scenario->stop(w);
    app_pool_fini(&w->pool);
}

struct tern_worker_app app_load_worker_app(struct app_load *load)
{
    return (struct tern_worker_app){.start = start, .tick = tick, .stop = stop, .ctx = load};
}

/* ---- the main thread ---- */

static const struct app_load_worker *worker_of(const struct app_load *load, uint32_t i)
{
    return __atomic_load_n(&load->workers[i], __ATOMIC_ACQUIRE);
}

void app_load_set_phase(struct app_load *load, enum app_load_phase phase)
{
    __atomic_store_n(&load->phase, (int)phase, __ATOMIC_RELAXED);
}

bool app_load_is_idle(const struct app_load *load)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_worker *w = worker_of(load, i);
        if (w != NULL && !__atomic_load_n(&w->idle, __ATOMIC_ACQUIRE))
            return false;
    }
    return true;
}

static uint64_t read_counter(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void app_load_sum(const struct app_load *load, struct app_load_counts *out)
{
    *out = (struct app_load_counts){.opened = 0};
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_worker *w = worker_of(load, i);
        if (w == NULL)
            continue;
        out->opened += read_counter(&w->counts.opened);
        out->late += read_counter(&w->counts.late);
        out->no_port += read_counter(&w->counts.no_port);
        out->answered += read_counter(&w->counts.answered);
        for (int why = 0; why < APP_FAIL_COUNT; why++)
            out->failed[why] += read_counter(&w->counts.failed[why]);
        app_stream_books_add(&out->stream, &w->counts.stream);
    }
}

void app_load_free(struct app_load *load)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++)
        free(load->workers[i]);
}

/* ---- scenarios ---- */

const char *app_fail_name(enum app_fail why)
{
#define NAME(name, json) json,
    static const char *const names[] = {APP_FAIL_LIST(NAME)};
#undef NAME
    return names[why];
}

int app_scenario_find(const char *name, const struct app_scenario **out, struct tern_error *err)
{
    static const struct app_scenario *const all[] = {&app_scenario_handshake, &app_scenario_http,
        &app_scenario_echo, &app_scenario_stream, &app_scenario_hold};
    const char *names[sizeof all / sizeof all[0]];
    const size_t n = sizeof all / sizeof all[0];
    for (size_t i = 0; i < n; i++)
        names[i] = all[i]->name;
    uint32_t at;
    const int rc = app_value_choice("--scenario", name, names, n, &at, err);
    if (rc == 0)
        *out = all[at];
    return rc;
}
