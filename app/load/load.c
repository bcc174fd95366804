/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening connections. A worker asks after every poll how many it may open now: its share of
 * --conns less what is open, at most its share of --count, and in open loop as many as are due.
 *
 * In open loop a start that is late stays due (measure/pace.h), and its latency counts from when it
 * was meant to be. What makes it late is told apart: that --conns were open, which is the target's
 * doing, or that the worker was behind, which is ours and makes the result worth less.
 *
 * The phase is the only word the main thread writes; `idle` and the counters the only ones it
 * reads.
 */
#include "load.h"

#include "../error.h"
#include "../value.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { OPEN_BURST = 64, LINE_BYTES = 64 };
#define WARM_UP_NS UINT64_C(100000000)

/* ---- how many now ---- */

/* Time 0: the ramp begins, or the steady part. */
static void begin(struct app_load_worker *w, uint64_t now_ns)
{
    const struct app_load_config *cfg = &w->load->cfg;
    w->begin_ns = now_ns;
    w->steady_ns = now_ns + cfg->ramp_ns;
    w->end_ns = cfg->steady_ns == 0 ? UINT64_MAX : w->steady_ns + cfg->steady_ns;
    if (cfg->rate == 0)
        return;
    const struct app_pace_plan plan = {.rate = cfg->rate, .ramp_ns = cfg->ramp_ns};
    app_pace_init(&w->pace, &plan, w->index, cfg->n_workers, now_ns);
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
    w->warm = w->counts.opened > 0 && (answers || now_ns - w->begin_ns > WARM_UP_NS);
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
    return lesser(open, lesser(OPEN_BURST, w->count_max - w->counts.opened));
}

/* --rate is of connections. */
static bool is_paced(const struct app_load_worker *w)
{
    return w->load->cfg.rate != 0 && !w->load->cfg.scenario->paces_requests;
}

/* Is there one to open? */
static bool is_due(const struct app_load_worker *w, uint64_t now_ns)
{
    return !is_paced(w) || now_ns >= w->pace.due_ns;
}

/* ---- opening ---- */

/* Xorshift (Marsaglia 2003): good enough to spread connections. */
static uint32_t draw_target(struct app_load_worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)((w->random >> 32) * w->load->cfg.n_targets >> 32);
}

/* @return true when all targets have had their turn */
static bool next_target(struct app_load_worker *w)
{
    const struct app_load_config *cfg = &w->load->cfg;
    if (cfg->random_targets) {
        w->next_target = draw_target(w);
        return true;
    }
    if (++w->next_target < cfg->n_targets)
        return false;
    w->next_target = 0;
    return true;
}

/* The ports take turns from source to source, one on each round: so each meets all. */
static void next_source(struct app_load_worker *w)
{
    w->source = app_turns_next(&w->sources);
    w->port_turn = (uint32_t)(w->sources.done - 1 + w->sources.n_rounds);
}

/* One source to every target, then the next. */
static void next_pair(struct app_load_worker *w, struct tern_connect_opts *opts)
{
    const struct app_load_target *t = &w->load->cfg.targets[w->next_target];
    opts->remote = t->addr;
    opts->local = w->source;
    opts->rport = (uint16_t)(t->port + (t->n_ports == 1 ? 0 : w->port_turn % t->n_ports));
    if (next_target(w))
        next_source(w);
}

/* @return false when no more can be opened before something has closed */
static bool open_one(struct tern_shard *sh, struct app_load_worker *w, struct app_stamp stamp)
{
    const struct app_load_config *cfg = &w->load->cfg;
    struct tern_connect_opts opts = {
        .app = cfg->scenario->app,
        .user = app_stamp_pointer(stamp),
        .early = cfg->early ? cfg->asks->of[0].bytes : NULL,
        .n_early = cfg->early ? cfg->asks->of[0].n_bytes : 0,
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

static struct app_stamp stamp_at(const struct app_load_worker *w, uint64_t due_ns)
{
    return app_stamp_make(due_ns, due_ns >= w->steady_ns && due_ns < w->end_ns);
}

bool app_load_take_due(
    struct app_load_worker *w, uint64_t now_ns, bool was_full, struct app_stamp *out)
{
    if (!app_load_is_due(w, now_ns))
        return false;
    const uint64_t due_ns = w->pace.due_ns;
    *out = stamp_at(w, due_ns);
    app_measure_behind(&w->measure, now_ns - due_ns, was_full);
    app_pace_next(&w->pace);
    return true;
}

/* One of the schedule, or of those that --conns has room for, which are meant to be now. */
static bool open_next(struct tern_shard *sh, struct app_load_worker *w, uint64_t now_ns)
{
    const bool paced = is_paced(w);
    const uint64_t due_ns = paced ? w->pace.due_ns : now_ns;
    const struct app_stamp stamp = stamp_at(w, due_ns);
    if (!open_one(sh, w, stamp))
        return false;
    app_measure_begin(&w->measure, stamp, now_ns - due_ns, w->was_full);
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
    if (w->counts.opened > 0 || w->count_max == 0 || !open_one(sh, w, stamp))
        return 0;
    app_measure_begin(&w->measure, stamp, 0, false);
    return 1;
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
    uint64_t opened = 0;
    if (phase == APP_LOAD_ENDS && w->opens_until_ns == 0)
        w->opens_until_ns = now_ns;
    if (phase == APP_LOAD_RUNS)
        opened = is_warm(sh, w, now_ns) ? open_due(sh, w, now_ns) : warm_up(sh, w, now_ns);
    const bool ticked =
        phase == APP_LOAD_RUNS && w->warm && s->tick != NULL && s->tick(sh, w, now_ns);
    set_idle(w, phase);
    return opened > 0 || ended || ticked;
}

/* The reason goes where the stamp is, for on_closed() to find. */
void app_load_fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why)
{
    static_assert((int)APP_FAIL_COUNT <= (int)APP_STAMP_FAIL_MAX, "a reason fits a stamp");
    struct app_load_worker *w = tern_shard_user(sh);
    const uintptr_t bits = ((uintptr_t)why + 1) << APP_STAMP_FAIL_SHIFT;
    void *user = tern_conn_user(c);
    if (app_stamp_is(user))
        tern_conn_set_user(c, app_stamp_pointer((struct app_stamp){(uintptr_t)user | bits}));
    else
        ((struct app_stamp *)user)->bits |= bits;
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
        .next_target = index % cfg->n_targets,
        .random = index + UINT64_C(0x9e3779b97f4a7c15),
    };
    app_turns_init(&w->sources, cfg->sources, index, cfg->n_workers);
    if (cfg->random_sources)
        app_turns_shuffle(&w->sources, cfg->source_key);
    next_source(w);
    app_pool_init(&w->pool, cfg->scenario->conn_bytes);
    if (app_measure_init(&w->measure, !cfg->no_times) == 0)
        return w;
    free(w);
    return NULL;
}

static void worker_free(struct app_load_worker *w)
{
    if (w == NULL)
        return;
    app_measure_fini(&w->measure);
    free(w);
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
        worker_free(w);
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

static void add_requests(struct app_load_counts *sum, const struct app_load_counts *c)
{
    for (int counts = 0; counts < 2; counts++)
        sum->asked[counts] += read_counter(&c->asked[counts]);
    sum->answered += read_counter(&c->answered);
    sum->unanswered += read_counter(&c->unanswered);
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        sum->wrong[why] += read_counter(&c->wrong[why]);
    for (int i = 0; i < APP_STATUS_CLASSES; i++)
        sum->status[i] += read_counter(&c->status[i]);
}

void app_load_sum(const struct app_load *load, struct app_load_counts *out)
{
    *out = (struct app_load_counts){.opened = 0};
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_worker *w = worker_of(load, i);
        if (w == NULL)
            continue;
        out->opened += read_counter(&w->counts.opened);
        out->no_port += read_counter(&w->counts.no_port);
        add_requests(out, &w->counts);
        for (int why = 0; why < APP_FAIL_COUNT; why++)
            out->failed[why] += read_counter(&w->counts.failed[why]);
        app_stream_books_add(&out->stream, &w->counts.stream);
    }
}

void app_load_ledger(const struct app_load *load, struct app_ledger *out)
{
    *out = (struct app_ledger){.late = 0};
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_worker *w = worker_of(load, i);
        if (w != NULL)
            app_ledger_add(out, &w->measure.ledger);
    }
}

static uint64_t not_started(const struct app_load_worker *w)
{
    const uint64_t until_ns = lesser(w->end_ns, w->opens_until_ns) - APP_LATE_NS;
    const bool is_over = w->counts.opened == w->count_max; /* as it was told */
    if (!w->warm || w->load->cfg.rate == 0 || is_over || until_ns < w->steady_ns)
        return 0;
    const uint64_t due =
        app_pace_due_before(&w->pace, until_ns) - app_pace_due_before(&w->pace, w->steady_ns);
    return room_below(is_paced(w) ? w->measure.ledger.begun[true] : w->counts.asked[true], due);
}

uint64_t app_load_not_started(const struct app_load *load)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < load->cfg.n_workers; i++)
        if (load->workers[i] != NULL)
            n += not_started(load->workers[i]);
    return n;
}

void app_load_times(const struct app_load *load, enum app_metric m, struct app_hist *out)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_worker *w = worker_of(load, i);
        if (w != NULL && w->measure.hist != NULL)
            app_hist_merge(out, &w->measure.hist[m]);
    }
}

void app_load_free(struct app_load *load)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++)
        worker_free(load->workers[i]);
}

/* ---- scenarios ---- */

int app_scenario_find(const char *name, const struct app_scenario **out, struct tern_error *err)
{
    static const struct app_scenario *const all[] = {&app_scenario_handshake, &app_scenario_http,
        &app_scenario_http_keepalive, &app_scenario_echo, &app_scenario_stream, &app_scenario_hold};
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
