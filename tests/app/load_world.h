/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A load in virtual time, over a line of 5 ms that can stall, against services of ours or a test
 * that answers itself. The load is asked every millisecond, as a worker would after its polls.
 */
#include "load/load.h"
#include "serve/service.h"
#include "tcp_pair.h"

#include <stdlib.h>

enum { CLIENT, SERVER };
enum { RTT_MS = 10, POLL_MS = 1, SOON_MS = 100, STEADY_S = 5 };

struct world {
    struct pair pair;
    struct app_load load;
    struct app_load_target targets[2];
    struct tern_prefix source;
    struct tern_worker_app app, server_app;
    struct app_server *server;       /* NULL: the test answers */
    uint64_t stall_ns, stall_end_ns; /* 0: none */
};

/** One target, PAIR_PORT; what the load is to do is added to load.cfg. */
static inline void world_open(struct world *w, const struct app_scenario *scenario, bool nodelay)
{
    *w = (struct world){.stall_ns = 0};
    pair_init(&w->pair, false);
    for (int i = CLIENT; i <= SERVER; i++)
        w->pair.cfg[i].stack.nodelay = nodelay;
    pair_open(&w->pair);
    w->source = w->pair.cfg[CLIENT].stack.addrs[0];
    w->targets[0] = (struct app_load_target){w->pair.addr[SERVER], PAIR_PORT, 1};
    w->load.cfg = (struct app_load_config){
        .scenario = scenario,
        .targets = w->targets,
        .n_targets = 1,
        .sources = &w->source,
        .n_sources = 1,
        .n_workers = 1,
        .conns = 100000,
        .steady_ns = STEADY_S * UINT64_C(1000000000),
    };
}

static inline struct tern_shard *client(const struct world *w)
{
    return tern_embed_shard(w->pair.end[CLIENT]);
}

static inline void start_load(struct world *w)
{
    w->app = app_load_worker_app(&w->load);
    assert_int_equal(w->app.start(client(w), w->app.ctx), 0);
    app_load_set_phase(&w->load, APP_LOAD_RUNS);
}

/** The services of these names on PAIR_PORT and the ports behind it. @param names [n] */
static inline void start_servers(struct world *w, const char *const *names, uint32_t n)
{
    struct tern_error err;
    w->server = aligned_alloc(_Alignof(struct app_server), sizeof *w->server);
    assert_non_null(w->server);
    *w->server = (struct app_server){.n_listeners = 0};
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(app_server_add(w->server, names[i], &err), 0);
        w->server->listeners[i].cfg.port = (uint16_t)(PAIR_PORT + i);
    }
    w->server_app = app_server_worker(w->server);
    assert_int_equal(
        w->server_app.start(tern_embed_shard(w->pair.end[SERVER]), w->server_app.ctx), 0);
}

static inline void start_server(struct world *w, const char *name)
{
    start_servers(w, &name, 1);
}

/* What is sent while the line stalls arrives when it is over. */
static inline void set_delay(struct world *w)
{
    const uint64_t now_ns = w->pair.now_ns, line_ns = ms_to_ns(RTT_MS / 2);
    const bool stalls = now_ns >= w->stall_ns && now_ns < w->stall_end_ns;
    w->pair.delay_ns = stalls ? w->stall_end_ns - now_ns + line_ns : line_ns;
}

static inline void run_world(struct world *w, uint32_t ms)
{
    for (uint32_t i = 0; i < ms / POLL_MS; i++) {
        set_delay(w);
        w->app.tick(client(w), w->app.ctx, w->pair.now_ns);
        tern_shard_settle(client(w));
        pair_run_ms(&w->pair, POLL_MS);
    }
}

/** Start the load; the test is the server of its one connection, pair.server. */
static inline void start_against_test(struct world *w)
{
    w->load.cfg.conns = 1;
    assert_int_equal(
        tern_sock_listen(w->pair.end[SERVER], NULL, PAIR_PORT, 16, &w->pair.listener), 0);
    start_load(w);
    run_world(w, SOON_MS);
    w->pair.server = tern_sock_accept(w->pair.listener);
    assert_non_null(w->pair.server);
}

/** The line stalls, so long from now. */
static inline void stall(struct world *w, uint64_t in_ms, uint64_t ms)
{
    w->stall_ns = w->pair.now_ns + ms_to_ns(in_ms);
    w->stall_end_ns = w->stall_ns + ms_to_ns(ms);
}

static inline struct app_load_counts counts_of(const struct world *w)
{
    struct app_load_counts c;
    app_load_sum(&w->load, &c);
    return c;
}

static inline struct app_ledger ledger_of(const struct world *w)
{
    struct app_ledger l;
    app_load_ledger(&w->load, &l);
    return l;
}

static inline uint64_t n_wrong(const struct app_load_counts *c)
{
    uint64_t n = 0;
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        n += c->wrong[why];
    return n;
}

/** Let all end. Both books balance: of connections, and of requests. @return the former's */
static inline struct app_ledger end_load(struct world *w)
{
    app_load_set_phase(&w->load, APP_LOAD_ENDS);
    run_world(w, 200 * ONE_SECOND);
    assert_true(app_load_is_idle(&w->load));
    const struct app_ledger l = ledger_of(w);
    const struct app_load_counts c = counts_of(w);
    assert_int_equal(l.begun[true] + l.begun[false], c.opened);
    for (int counts = 0; counts < 2; counts++)
        assert_int_equal(l.begun[counts], app_ledger_n_ended(&l, counts));
    assert_int_equal(c.asked[true] + c.asked[false], c.answered + n_wrong(&c) + c.unanswered);
    w->app.stop(client(w), w->app.ctx);
    return l;
}

static inline void world_close(struct world *w)
{
    app_load_free(&w->load);
    pair_run_ms(&w->pair, 200 * ONE_SECOND);
    if (w->server != NULL)
        w->server_app.stop(tern_embed_shard(w->pair.end[SERVER]), w->server_app.ctx);
    free(w->server);
    pair_close(&w->pair);
}

/* ---- what counts ---- */

/** In ms. */
static inline double at_percent(const struct world *w, enum app_metric m, double percent)
{
    struct app_hist *h = calloc(1, sizeof *h);
    uint64_t ns;
    app_load_times(&w->load, m, h);
    app_hist_percentiles(h, &percent, 1, &ns);
    free(h);
    return (double)ns / 1e6;
}

static inline uint64_t n_timed(const struct world *w, enum app_metric m)
{
    struct app_hist *h = calloc(1, sizeof *h);
    app_load_times(&w->load, m, h);
    const uint64_t n = app_hist_n(h);
    free(h);
    return n;
}

static inline void assert_about(double value, double low, double high)
{
    if (value < low || value > high)
        fail_msg("%g is not in %g..%g", value, low, high);
}
