/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A load in virtual time against a service of ours, over a line of 5 ms that can be made to stall.
 * The caller changes what begin_world() has put into the configurations, then starts.
 */
#include "load/load.h"
#include "serve/service.h"
#include "tcp_pair.h"

#include <stdlib.h>

#define WORLD_GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
enum { CLIENT, SERVER };
enum { TIME_WAIT_MS = 1000, LIMIT_DEPTH = 5 };
enum { RATE = 200, STEADY_S = 5, STALL_AT_MS = 2000, STALL_MS = 900, RTT_MS = 10, TICK_MS = 1 };

struct world {
    struct pair pair;
    struct app_load_target target[2];
    struct tern_prefix source;
    char get_text[sizeof WORLD_GET];
    struct app_requests asks;
    struct app_load load;
    struct tern_worker_app app, server_app;
    struct app_server *server;
    uint64_t limit_per_s; /* requests that the server answers with 200; 0: all */
    uint64_t begin_ns, stall_ns, stall_end_ns; /* the stall: 0, none */
};

static inline void begin_world(struct world *w, const struct app_scenario *scenario)
{
    *w = (struct world){.stall_ns = 0};
    pair_init(&w->pair, false);
    for (int i = CLIENT; i <= SERVER; i++) {
        w->pair.cfg[i].stack.time_wait_ms = TIME_WAIT_MS; /* a port is soon free again */
        w->pair.cfg[i].stack.nodelay = true;
    }
    pair_open(&w->pair);
    w->source = w->pair.cfg[CLIENT].stack.addrs[0];
    w->target[0] = (struct app_load_target){w->pair.addr[SERVER], PAIR_PORT, 1};
    w->asks = (struct app_requests){
        .n = 1, .of = {{.bytes = w->get_text, .n_bytes = sizeof w->get_text - 1}}};
    memcpy(w->get_text, WORLD_GET, sizeof w->get_text);
    w->load.cfg = (struct app_load_config){
        .scenario = scenario,
        .targets = w->target,
        .n_targets = 1,
        .sources = &w->source,
        .n_sources = 1,
        .n_workers = 1,
        .rate = RATE,
        .conns = 100000,
        .echo_bytes = 100,
        .requests = 1,
        .pipeline = 1,
        .asks = &w->asks,
        .steady_ns = STEADY_S * UINT64_C(1000000000),
    };
    app_expect_init(&w->load.cfg.expect);
}

static inline struct tern_shard *client(const struct world *w)
{
    return tern_embed_shard(w->pair.end[CLIENT]);
}

static inline void start_server(struct world *w)
{
    struct tern_error err;
    w->server = aligned_alloc(_Alignof(struct app_server), sizeof *w->server);
    assert_non_null(w->server);
    assert_int_equal(app_server_init(w->server, w->load.cfg.scenario->serves, &err), 0);
    w->server->listeners[0].cfg.port = PAIR_PORT;
    if (w->limit_per_s != 0)
        w->server->listeners[0].cfg.http.limit = app_bucket_plan_make(w->limit_per_s, LIMIT_DEPTH);
    w->server_app = app_server_worker(w->server);
    struct tern_shard *sh = tern_embed_shard(w->pair.end[SERVER]);
    assert_int_equal(w->server_app.start(sh, w->server_app.ctx), 0);
}

static inline void start_world(struct world *w)
{
    w->app = app_load_worker_app(&w->load);
    assert_int_equal(w->app.start(client(w), w->app.ctx), 0);
    start_server(w);
    w->begin_ns = w->pair.now_ns;
    app_load_set_phase(&w->load, APP_LOAD_RUNS);
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
    for (uint32_t i = 0; i < ms / TICK_MS; i++) {
        set_delay(w);
        w->app.tick(client(w), w->app.ctx, w->pair.now_ns);
        tern_shard_settle(client(w));
        pair_run_ms(&w->pair, TICK_MS);
    }
}

static inline void stall(struct world *w, uint64_t at_ms, uint64_t ms)
{
    w->stall_ns = w->begin_ns + ms_to_ns(at_ms);
    w->stall_end_ns = w->stall_ns + ms_to_ns(ms);
}

/* @param out  what was counted; checked to balance */
static inline void end_world(struct world *w, struct app_ledger *out)
{
    app_load_set_phase(&w->load, APP_LOAD_ENDS);
    run_world(w, 200 * ONE_SECOND);
    assert_true(app_load_is_idle(&w->load));
    app_load_ledger(&w->load, out);
    assert_int_equal(out->begun[true], app_ledger_n_ended(out, true));
    assert_int_equal(out->begun[false], app_ledger_n_ended(out, false));
    assert_int_equal(out->begun[true] + out->begun[false], w->load.workers[0]->counts.opened);
    w->app.stop(client(w), w->app.ctx);
}

static inline void free_world(struct world *w)
{
    app_load_free(&w->load);
    pair_run_ms(&w->pair, 200 * ONE_SECOND);
    w->server_app.stop(tern_embed_shard(w->pair.end[SERVER]), w->server_app.ctx);
    free(w->server);
    pair_close(&w->pair);
}
