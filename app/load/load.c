/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening connections. A worker asks after every poll how many it may open now: its share of
 * --conns less what is open, at most its share of --count, and in open loop as many as are due.
 *
 * In open loop a start that is late stays due (measure/pace.h), and its latency counts from when it
 * was meant to be. What makes it late is told apart: that --conns were open, which is the target's
 * doing, or that the worker was behind, which is ours and makes the result worth less.
 *
 * The main thread writes the phase, and the step where the rate changes while the load runs: a
 * worker takes it when the number of steps is another than it has seen. It reads `idle`,
 * `steps_over` and the counters.
 */
#include "load.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { OPEN_BURST = 64, LINE_BYTES = 64 };
#define WARM_UP_NS UINT64_C(100000000)
#define GRACE_NS   UINT64_C(10000000) /* for what was due at a step's end, and waits for a poll */

/* ---- how many now ---- */

/* Time 0: the ramp begins, or the steady part. */
static void begin(struct app_load_worker *w, uint64_t now_ns)
{
    const struct app_load_config *cfg = &w->load->cfg;
    w->begin_ns = now_ns;
    w->stop_ns = UINT64_MAX;
    w->steady_ns = now_ns + cfg->ramp_ns;
    w->end_ns = cfg->steady_ns == 0 ? UINT64_MAX : w->steady_ns + cfg->steady_ns;
    if (cfg->rate == 0)
        return;
    const struct app_pace_plan plan = {.rate = cfg->rate, .ramp_ns = cfg->ramp_ns};
    app_pace_init(&w->pace, &plan, w->index, cfg->n_workers, now_ns);
}

static void take_step(struct app_load_worker *w, uint32_t n_steps, uint64_t now_ns)
{
    const struct app_load_step *step = &w->load->step;
    const struct app_pace_plan plan = {.rate = step->rate};
    w->begin_ns = now_ns;
    w->steady_ns = now_ns + step->settle_ns;
    w->end_ns = w->steady_ns + step->steady_ns;
    w->stop_ns = w->end_ns + GRACE_NS;
    w->was_full = false;
    w->step = n_steps;
    app_pace_init(&w->pace, &plan, w->index, w->load->cfg.n_workers, now_ns);
}

/* Into the next step, or out of this one: what is still due by then is not started. */
static void follow_steps(struct app_load_worker *w, uint64_t now_ns)
{
    const uint32_t n_steps = __atomic_load_n(&w->load->n_steps, __ATOMIC_ACQUIRE);
    if (n_steps != w->step)
        take_step(w, n_steps, now_ns);
    if (now_ns < w->stop_ns)
        return;
    w->stop_ns = UINT64_MAX;
    w->pace.due_ns = UINT64_MAX;
    __atomic_store_n(&w->steps_over, w->step, __ATOMIC_RELEASE);
}

/* The first connection finds the way: while ARP or NDP has no answer yet, more would only be
 * dropped. That it is established, or over, is waited for at most WARM_UP_NS; then time 0 begins.
 */
static bool is_warm(const struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    if (w->warm)
        return true;
    if (w->begin_ns == 0)
        w->begin_ns = now_ns;
    const bool answers = w->live == 0 || tern_shard_stats(sh)->active_established > 0;
    w->warm = w->n_opened > 0 && (answers || now_ns - w->begin_ns > WARM_UP_NS);
    if (w->warm)
        begin(w, now_ns);
    return w->warm;
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

static uint64_t room(const struct tern_shard *sh, const struct app_load_worker *w)
{
    const uint64_t open = lesser(room_below(w->live, w->conns_max), room_to_open(sh, w));
    return lesser(open, lesser(OPEN_BURST, w->count_max - w->n_opened));
}

/* Is there one to open? */
static bool is_due(const struct app_load_worker *w, uint64_t now_ns)
{
    return !app_load_is_paced(w) || now_ns >= w->pace.due_ns;
}

/* ---- opening ---- */

/* Xorshift (Marsaglia 2003): good enough to spread connections. */
static uint32_t draw_target(struct app_load_part *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (uint32_t)((p->random >> 32) * p->cfg->n_targets >> 32);
}

/* @return true when all targets have had their turn */
static bool next_target(struct app_load_part *p)
{
    const struct app_load_config *cfg = p->cfg;
    if (cfg->random_targets) {
        p->next_target = draw_target(p);
        return true;
    }
    if (++p->next_target < cfg->n_targets)
        return false;
    p->next_target = 0;
    return true;
}

/* The ports take turns from source to source, one on each round: so each meets all. */
static void next_source(struct app_load_part *p)
{
    p->source = app_turns_next(&p->sources);
    p->port_turn = (uint32_t)(p->sources.done - 1 + p->sources.n_rounds);
}

/* One source to every target, then the next. */
static void next_pair(struct app_load_part *p, struct tern_connect_opts *opts)
{
    const struct app_load_config *cfg = p->cfg;
    const struct app_load_target *t = &cfg->targets[p->next_target];
    opts->remote = t->addr;
    opts->local = p->source;
    opts->rport = (uint16_t)(t->port + (t->n_ports == 1 ? 0 : p->port_turn % t->n_ports));
    if (cfg->port != 0)
        opts->rport = cfg->port;
    if (next_target(p))
        next_source(p);
}

/* Whose the next start is. */
static struct app_load_part *part_in_turn(struct app_load_worker *w)
{
    const struct app_load_mix *mix = w->load->cfg.mix;
    return &w->parts[mix == NULL ? 0 : mix->turns.of[w->next_turn]];
}

static void next_turn(struct app_load_worker *w)
{
    const struct app_load_mix *mix = w->load->cfg.mix;
    if (mix != NULL && ++w->next_turn == mix->turns.n)
        w->next_turn = 0;
}

/* @return false when no more can be opened before something has closed */
static bool open_one(struct tern_shard *sh, struct app_load_part *p, struct app_stamp stamp)
{
    const struct app_load_config *cfg = p->cfg;
    struct tern_connect_opts opts = {
        .app = cfg->scenario->app,
        .user = app_stamp_pointer(app_stamp_with_part(stamp, p->index)),
        .early = cfg->early ? cfg->asks->of[0].bytes : NULL,
        .n_early = cfg->early ? cfg->asks->of[0].n_bytes : 0,
    };
    next_pair(p, &opts);
    const int rc = tern_connect(sh, &opts, NULL);
    if (rc == -EADDRNOTAVAIL || rc == -EADDRINUSE)
        app_load_bump(&p->counts.no_port);
    if (rc != 0)
        return false;
    app_load_bump(&p->counts.opened);
    p->worker->n_opened++;
    p->worker->live++;
    next_turn(p->worker);
    return true;
}

bool app_load_take_due(
    struct app_load_part *p, uint64_t now_ns, bool was_full, struct app_stamp *out)
{
    struct app_load_worker *w = p->worker;
    if (!app_load_is_due(p, now_ns))
        return false;
    const uint64_t due_ns = w->pace.due_ns;
    *out = app_load_stamp_at(w, due_ns);
    app_measure_behind(&p->measure, now_ns - due_ns, was_full);
    app_pace_next(&w->pace);
    return true;
}

/* One of the schedule, or of those that --conns has room for, which are meant to be now. */
static bool open_next(struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    const bool paced = app_load_is_paced(w);
    const uint64_t due_ns = paced ? w->pace.due_ns : now_ns;
    const struct app_stamp stamp = app_load_stamp_at(w, due_ns);
    struct app_load_part *p = part_in_turn(w);
    if (!open_one(sh, p, stamp))
        return false;
    app_measure_begin(&p->measure, stamp, now_ns - due_ns, w->was_full);
    if (paced)
        app_pace_next(&w->pace);
    return true;
}

/* @return how many */
static uint64_t open_due(struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    const uint64_t n_max = room(sh, w);
    uint64_t n = 0;
    while (n < n_max && is_due(w, now_ns) && open_next(sh, w, now_ns))
        n++;
    if (!is_due(w, now_ns))
        w->was_full = false;
    else if (n == n_max && n_max < OPEN_BURST)
        w->was_full = true;
    return n;
}

/* The connection that finds the way counts for nothing. */
static uint64_t warm_up(struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    const struct app_stamp stamp = app_stamp_make(now_ns, false);
    struct app_load_part *p = part_in_turn(w);
    if (w->n_opened > 0 || w->count_max == 0 || !open_one(sh, p, stamp))
        return 0;
    app_measure_begin(&p->measure, stamp, 0, false);
    return 1;
}

static uint64_t open_some(struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    if (!is_warm(sh, w, now_ns))
        return warm_up(sh, w, now_ns);
    follow_steps(w, now_ns);
    return open_due(sh, w, now_ns);
}

static void set_idle(struct app_load_worker *w, int phase)
{
    const bool no_more = phase == APP_LOAD_ENDS || w->n_opened == w->count_max;
    if (no_more && w->live == 0 && !w->idle)
        __atomic_store_n(&w->idle, 1, __ATOMIC_RELEASE);
}

/* Scenarios that do something between polls. @return true when work was done */
static bool tick_part(
    struct tern_shard *sh, struct app_load_part *p, enum app_load_phase phase, uint64_t now_ns)
{
    const struct app_scenario *s = p->cfg->scenario;
    if (phase == APP_LOAD_ENDS)
        return s->end != NULL && s->end(sh, p);
    return phase == APP_LOAD_RUNS && p->worker->warm && s->tick != NULL && s->tick(sh, p, now_ns);
}

static bool tick(struct tern_shard *sh, void *ctx, uint64_t now_ns)
{
    (void)ctx;
    struct app_load_worker *w = tern_shard_user(sh);
    const int phase = __atomic_load_n(&w->load->phase, __ATOMIC_RELAXED);
    uint64_t opened = 0;
    bool worked = false;
    if (phase == APP_LOAD_ENDS && w->opens_until_ns == 0)
        w->opens_until_ns = now_ns;
    if (phase == APP_LOAD_RUNS)
        opened = open_some(sh, w, now_ns);
    for (uint32_t i = 0; i < w->n_parts; i++)
        worked |= tick_part(sh, &w->parts[i], (enum app_load_phase)phase, now_ns);
    set_idle(w, phase);
    return opened > 0 || worked;
}

/* The reason goes where the stamp is, for on_closed() to find. */
void app_load_fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why)
{
    static_assert((int)APP_FAIL_COUNT <= (int)APP_STAMP_FAIL_MAX, "a reason fits a stamp");
    struct app_load_part *p = app_load_part_of(sh, c);
    const uintptr_t bits = ((uintptr_t)why + 1) << APP_STAMP_FAIL_SHIFT;
    void *user = tern_conn_user(c);
    if (app_stamp_is(user))
        tern_conn_set_user(c, app_stamp_pointer((struct app_stamp){(uintptr_t)user | bits}));
    else
        ((struct app_stamp *)user)->bits |= bits;
    app_load_bump(&p->counts.failed[why]);
    tern_abort(sh, c);
}

void *app_load_attach(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_stamp *state = app_pool_get(&app_load_part_of(sh, c)->pool);
    if (state == NULL) {
        app_load_fail(sh, c, APP_FAIL_NO_STATE);
        return NULL;
    }
    *state = app_stamp_of(tern_conn_user(c));
    tern_conn_set_user(c, state);
    return state;
}

/* ---- a worker ---- */

/* Worker `index`'s part of `total`; the parts add up. */
static uint64_t share(uint64_t total, uint32_t index, uint32_t n)
{
    return total / n + (index < total % n ? 1 : 0);
}

static void parts_stop(struct app_load_worker *w)
{
    for (uint32_t i = 0; i < w->n_parts; i++) {
        struct app_load_part *p = &w->parts[i];
        if (p->cfg->scenario->stop != NULL)
            p->cfg->scenario->stop(p);
        app_pool_fini(&p->pool);
    }
}

static void worker_free(struct app_load_worker *w)
{
    if (w == NULL)
        return;
    for (uint32_t i = 0; i < w->n_parts; i++)
        app_measure_fini(&w->parts[i].measure);
    free(w);
}

/* The next part of the worker, which has it then. */
static int part_start(struct tern_shard *sh, struct app_load_worker *w)
{
    const struct app_load_config *cfg = &w->load->cfg;
    struct app_load_part *p = &w->parts[w->n_parts];
    *p = (struct app_load_part){
        .worker = w,
        .load = w->load,
        .cfg = cfg->mix == NULL ? cfg : &cfg->mix->of[w->n_parts],
        .index = w->n_parts,
        .random = w->index + UINT64_C(0x9e3779b97f4a7c15),
    };
    p->next_target = w->index % p->cfg->n_targets;
    app_turns_init(&p->sources, cfg->sources, w->index, cfg->n_workers);
    if (cfg->random_sources)
        app_turns_shuffle(&p->sources, cfg->source_key);
    next_source(p);
    app_pool_init(&p->pool, p->cfg->scenario->conn_bytes);
    int rc = app_measure_init(&p->measure, !cfg->no_times);
    if (rc == 0 && p->cfg->scenario->start != NULL)
        rc = p->cfg->scenario->start(sh, p);
    if (rc == 0)
        w->n_parts++;
    else
        app_measure_fini(&p->measure);
    return rc;
}

static struct app_load_worker *worker_new(const struct app_load *load, uint32_t index)
{
    const size_t n_bytes =
        sizeof(struct app_load_worker) + app_load_n_parts(load) * sizeof(struct app_load_part);
    const size_t rounded = (n_bytes + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);
    struct app_load_worker *w = aligned_alloc(LINE_BYTES, rounded);
    if (w == NULL)
        return NULL;
    const struct app_load_config *cfg = &load->cfg;
    *w = (struct app_load_worker){
        .load = load,
        .conns_max = share(cfg->conns, index, cfg->n_workers),
        .count_max = cfg->count == 0 ? UINT64_MAX : share(cfg->count, index, cfg->n_workers),
        .index = index,
        .next_turn = cfg->mix == NULL ? 0 : cfg->mix->turns.n * index / cfg->n_workers,
    };
    return w;
}

/* Its memory is taken on the worker's own thread, so it lies on the worker's NUMA node. */
static int start(struct tern_shard *sh, void *ctx)
{
    struct app_load *load = ctx;
    const uint32_t index = tern_shard_worker(sh);
    struct app_load_worker *w = worker_new(load, index);
    if (w == NULL)
        return -ENOMEM;
    tern_shard_set_user(sh, w);
    int rc = 0;
    while (rc == 0 && w->n_parts < app_load_n_parts(load))
        rc = part_start(sh, w);
    if (rc != 0) {
        parts_stop(w);
        worker_free(w);
    } else {
        __atomic_store_n(&load->workers[index], w, __ATOMIC_RELEASE);
    }
    return rc;
}

/* The worker's counters stay readable: app_load_free() takes them. */
static void stop(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    parts_stop(tern_shard_user(sh));
}

struct tern_worker_app app_load_worker_app(struct app_load *load)
{
    return (struct tern_worker_app){.start = start, .tick = tick, .stop = stop, .ctx = load};
}

/* ---- the main thread ---- */

void app_load_set_phase(struct app_load *load, enum app_load_phase phase)
{
    __atomic_store_n(&load->phase, (int)phase, __ATOMIC_RELAXED);
}

void app_load_set_step(struct app_load *load, const struct app_load_step *step)
{
    assert(app_load_step_is_over(load));
    load->step = *step;
    __atomic_store_n(&load->n_steps, load->n_steps + 1, __ATOMIC_RELEASE);
}

bool app_load_step_is_over(const struct app_load *load)
{
    for (uint32_t i = 0; i < load->cfg.n_workers && load->n_steps != 0; i++) {
        const struct app_load_worker *w = app_load_worker_at(load, i);
        if (w == NULL || __atomic_load_n(&w->steps_over, __ATOMIC_ACQUIRE) != load->n_steps)
            return false;
    }
    return true;
}

bool app_load_is_idle(const struct app_load *load)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_worker *w = app_load_worker_at(load, i);
        if (w != NULL && !__atomic_load_n(&w->idle, __ATOMIC_ACQUIRE))
            return false;
    }
    return true;
}

void app_load_free(struct app_load *load)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++)
        worker_free(load->workers[i]);
}
