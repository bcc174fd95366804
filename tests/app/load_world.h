/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A load and a service of ours in virtual time, over a line of 5 ms that can stall: what is sent
 * meanwhile arrives when the stall is over.
 */
#include "load/load.h"
#include "server_new.h"
#include "tcp_pair.h"

enum { CLIENT, SERVER };
enum { STEADY_S = 5, RTT_MS = 10, POLL_MS = 1, SOON_MS = 100 };

struct world {
    struct pair pair;
    struct app_load load;
    struct tern_worker_app app, server_app;
    struct app_bucket_plan limit;              /* of requests; all zero: none */
    struct app_server *server;                 /* NULL: the test itself is the server … */
    struct tern_sock *s;                       /* … on the connection now open */
    struct app_load_target target[2];          /* the service, and room for another */
    struct app_sources sources;                /* every address of the client */
    uint64_t begin_ns, stall_ns, stall_end_ns; /* time 0; the stall, 0 and 0: none */
};

/** Both ends, configured in w->pair, and what every load here has. */
static inline void world_open(struct world *w, const struct app_scenario *scenario, uint64_t conns)
{
    pair_open(&w->pair);
    app_sources_of_stack(&w->sources, &w->pair.cfg[CLIENT].stack, !w->pair.v6);
    w->target[0] = (struct app_load_target){w->pair.addr[SERVER], PAIR_PORT, 1};
    w->load.cfg = (struct app_load_config){
        .scenario = scenario,
        .targets = w->target,
        .n_targets = 1,
        .sources = &w->sources,
        .n_workers = 1,
        .conns = conns,
        .steady_ns = STEADY_S * UINT64_C(1000000000),
    };
}

/** Over IPv4; the test adds what it is about, then starts. */
static inline void world_init(
    struct world *w, const struct app_scenario *scenario, uint64_t conns, bool nodelay)
{
    *w = (struct world){.stall_ns = 0};
    pair_init(&w->pair, false);
    for (int i = CLIENT; i <= SERVER; i++)
        w->pair.cfg[i].stack.nodelay = nodelay;
    world_open(w, scenario, conns);
}

static inline struct tern_shard *client(const struct world *w)
{
    return tern_embed_shard(w->pair.end[CLIENT]);
}

static inline struct tern_shard *server(const struct world *w)
{
    return tern_embed_shard(w->pair.end[SERVER]);
}

static inline void start_load(struct world *w)
{
    w->app = app_load_worker_app(&w->load);
    assert_int_equal(w->app.start(client(w), w->app.ctx), 0);
    w->begin_ns = w->pair.now_ns;
    app_load_set_phase(&w->load, APP_LOAD_RUNS);
}

/** The services of these names on PAIR_PORT and the ports behind it. @param names  [n] */
static inline void start_servers(struct world *w, const char *const *names, uint32_t n)
{
    struct tern_error err;
    w->server = server_new();
    w->server->n_listeners = 0;
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(app_server_add(w->server, names[i], &err), 0);
        w->server->listeners[i].cfg.port = (uint16_t)(PAIR_PORT + i);
        w->server->listeners[i].cfg.http.limit = w->limit;
    }
    w->server_app = app_server_worker(w->server);
    assert_int_equal(w->server_app.start(server(w), w->server_app.ctx), 0);
}

static inline void start_server(struct world *w, const char *service)
{
    start_servers(w, &service, 1);
}

static inline void stall(struct world *w, uint64_t at_ms, uint64_t ms)
{
    w->stall_ns = w->begin_ns + ms_to_ns(at_ms);
    w->stall_end_ns = w->stall_ns + ms_to_ns(ms);
}

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

/** Start the load; the test is the server of its one connection, w->s. */
static inline void start_against_test(struct world *w)
{
    w->load.cfg.conns = 1;
    assert_int_equal(
        tern_sock_listen(w->pair.end[SERVER], NULL, PAIR_PORT, 16, &w->pair.listener), 0);
    start_load(w);
    run_world(w, SOON_MS);
    w->s = tern_sock_accept(w->pair.listener);
    assert_non_null(w->s);
}

static inline struct app_load_counts counts_of(const struct world *w)
{
    struct app_load_counts c;
    app_load_sum(&w->load, &c);
    return c;
}

static inline uint64_t n_wrong(const struct app_load_counts *c)
{
    uint64_t n = 0;
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        n += c->wrong[why];
    return n;
}

/** Every request has one end; one that fails over http does so as its connection. */
static inline void assert_requests_balance(const struct world *w, const struct app_ledger *l)
{
    const struct app_load_counts c = counts_of(w);
    const uint64_t n_ok = l->ended[false][TERN_CLOSE_NORMAL] + l->ended[true][TERN_CLOSE_NORMAL];
    if (w->load.cfg.scenario == &app_scenario_http)
        assert_int_equal(c.answered, n_ok);
    else
        assert_int_equal(c.asked[true] + c.asked[false], c.answered + n_wrong(&c) + c.unanswered);
}

/** Open no more, and see that every start and every request has ended, under one name. @return the
 * books of the starts */
static inline struct app_ledger end_load(struct world *w)
{
    struct app_ledger l;
    app_load_set_phase(&w->load, APP_LOAD_ENDS);
    run_world(w, 200 * ONE_SECOND);
    assert_true(app_load_is_idle(&w->load));
    app_load_ledger(&w->load, &l);
    assert_int_equal(l.begun[true] + l.begun[false], counts_of(w).opened);
    for (int counts = 0; counts < 2; counts++)
        assert_int_equal(l.begun[counts], app_ledger_n_ended(&l, counts));
    assert_requests_balance(w, &l);
    w->app.stop(client(w), w->app.ctx);
    return l;
}

static inline void free_world(struct world *w)
{
    app_load_free(&w->load);
    pair_run_ms(&w->pair, 200 * ONE_SECOND);
    if (w->server != NULL)
        w->server_app.stop(server(w), w->server_app.ctx);
    free(w->server);
    pair_close(&w->pair);
}

/* ---- its times, of what counts ---- */

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
