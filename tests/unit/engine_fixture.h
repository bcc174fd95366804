/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An engine over a pair: endpoint SERVER and endpoint CLIENT, small tables, no waiting for
 * addresses. All cases of a test run one after the other in one process, each with an engine of its
 * own.
 */
#include <tern/engine.h>

#include "unit.h"

#include <stdlib.h>
#include <time.h>

enum {
    PORT = 8080,
    SERVER = 0,
    CLIENT = 1,
    DEADLINE_S = 20,
};

/** Without applications. free() it after the engine. */
static inline struct tern_config *pair_config(uint32_t n_server, uint32_t n_client, bool v6)
{
    struct tern_config *cfg = (struct tern_config *)malloc(sizeof *cfg);
    assert_non_null(cfg);
    tern_config_init(cfg);
    cfg->n_endpoints = 2;
    cfg->mem_mib = 384; /* the first engine's memory is all that the later ones can have */
    for (int i = 0; i < 2; i++) {
        struct tern_endpoint_config *ep = &cfg->endpoints[i];
        const char *const addrs[2][2] = {
            {"198.18.0.1/24", "198.18.0.2/24"}, {"2001:2::1/64", "2001:2::2/64"}};
        ep->device = "pair";
        assert_int_equal(tern_prefix_parse(addrs[v6][i], &ep->stack.addrs[0]), 0);
        ep->stack.n_addrs = 1;
        ep->stack.dad = false;
        ep->stack.time_wait_ms = 10;
        ep->stack.conns_max = 2048;
        ep->stack.half_open_max = 1024;
        ep->stack.time_wait_max = 2048;
    }
    cfg->endpoints[SERVER].n_workers = n_server;
    cfg->endpoints[CLIENT].n_workers = n_client;
    return cfg;
}

static inline struct tern_engine *engine_up(const struct tern_config *cfg)
{
    struct tern_engine *e;
    struct tern_error err = {.text = ""};
    if (tern_engine_open(cfg, &e, &err) != 0 || tern_engine_start(e, &err) != 0)
        fail_msg("%s", err.text);
    return e;
}

static inline void stop_and_wait(struct tern_engine *e)
{
    tern_engine_stop(e);
    assert_true(tern_engine_wait(e, 10000));
}

/** Stop it, and see that nothing has leaked. */
static inline void engine_down(struct tern_engine *e)
{
    static const struct tern_leaks none;
    struct tern_leaks leaks;
    stop_and_wait(e);
    tern_engine_close(e, &leaks);
    assert_memory_equal(&leaks, &none, sizeof none);
}

/** Until it is so; gives up after DEADLINE_S. @return whether it is */
static inline bool await(bool (*is_so)(void *ctx), void *ctx)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const time_t end = time(NULL) + DEADLINE_S;
    while (!is_so(ctx)) {
        if (time(NULL) >= end)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}
