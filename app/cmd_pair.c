/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern pair: a load and a server in one process, joined by rings in memory. It needs no device, no
 * root and no hugepages, and shows what the endpoint itself can do.
 *
 * Addresses are those of the benchmarking networks (RFC 2544, RFC 5180), many on the client's side:
 * one address has 64,512 ports, and a port rests in TIME-WAIT after each connection.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "load/load.h"
#include "load/options.h"
#include "load/target.h"
#include "options.h"
#include "run.h"
#include "serve/service.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

enum { DURATION_S = 5, SOURCES = 64, TIME_WAIT_MS = 1000, HALF_OPEN_MAX = 65536 };

struct pair {
    struct app_options common;
    struct app_load_options load;
    uint32_t n_sources, body_bytes;
    bool v6;
};

/* Both ends as the engine wants them; on the heap of neither: they outlive it on main()'s stack. */
struct ends {
    struct tern_config cfg;
    struct app_load load;
    struct app_server server;
    struct app_target target;
    char request[APP_REQUEST_BYTES];
};

enum { OPT_V6 = '6', OPT_SOURCES = APP_OPT_OWN, OPT_BODY };
enum { CLIENT, SERVER };

// clang-format off
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Pair:", 1},
    {NULL, OPT_V6, NULL, 0, "IPv6 instead of IPv4", 0},
    {"sources", OPT_SOURCES, "N", 0, "addresses of the client, 1..250 (default 64)", 0},
    {"body-bytes", OPT_BODY, "N", 0, "http: bytes of each body, 0..1Gi (default 1)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct pair *p = state->input;
    struct tern_error *err = p->common.err;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &p->load;
        for (unsigned i = 1; i < 5; i++)
            state->child_inputs[i] = &p->common;
        return 0;
    case OPT_V6: p->v6 = true; return 0;
    case OPT_SOURCES: return app_value_u32("--sources", arg, 1, 250, &p->n_sources, err);
    case OPT_BODY: return app_value_u32("--body-bytes", arg, 0, 1u << 30, &p->body_bytes, err);
    case ARGP_KEY_ARG:
        return app_refuse(err, "pair: '%.60s' is one word too many; type 'tern help pair'", arg);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp pair_argp = {
    .options = options,
    .parser = parse,
    .doc = "Both ends in one process, joined in memory.\v"
           "  tern pair\n"
           "  tern pair --scenario http -6 --duration 10s --json -\n"
           "  tern pair --count 1M --syn-cookies always",
    .children = (const struct argp_child[]){{&app_load_argp, 0, NULL, 0},
        {&app_engine_argp, 0, NULL, 0}, {&app_tcp_argp, 0, NULL, 0}, {&app_run_argp, 0, NULL, 0},
        {&app_report_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}},
};

static int add_addresses(const struct pair *p, struct ends *e, struct tern_error *err)
{
    struct tern_endpoint_config *client = &e->cfg.endpoints[CLIENT];
    struct tern_endpoint_config *server = &e->cfg.endpoints[SERVER];
    char range[64];
    if (p->v6)
        snprintf(range, sizeof range, "2001:2::1:1-2001:2::1:%x/48", p->n_sources);
    else
        snprintf(range, sizeof range, "198.18.1.1-198.18.1.%u/15", p->n_sources);
    int rc = app_addresses_add(&client->stack, range, err);
    if (rc == 0)
        rc = app_addresses_add(&server->stack, p->v6 ? "2001:2::1/48" : "198.18.0.1/15", err);
    if (rc == 0)
        rc = app_addresses_check(&client->stack, err);
    return rc == 0 ? app_addresses_check(&server->stack, err) : rc;
}

static int make_target(const struct pair *p, struct ends *e, struct tern_error *err)
{
    char url[64];
    const uint16_t port = e->server.cfg.port;
    snprintf(url, sizeof url, p->v6 ? "http://[2001:2::1]:%u/" : "http://198.18.0.1:%u/", port);
    return app_target_parse(&e->target, url, err);
}

/* The client's stack for the load; the server's holds what the client has open, and no TIME-WAIT
 * but for connections that it closed first. */
static void make_ends(const struct pair *p, struct ends *e)
{
    struct tern_endpoint_config *client = &e->cfg.endpoints[CLIENT];
    struct tern_endpoint_config *server = &e->cfg.endpoints[SERVER];
    app_load_options_apply(&p->load, &p->common, &e->target, client, &e->load);
    e->load.cfg.request = e->request;
    e->load.cfg.body_bytes = p->body_bytes;
    app_target_request(&e->target, e->request);
    server->stack.conns_max = client->stack.conns_max;
    server->stack.time_wait_max = client->stack.time_wait_max;
    server->stack.half_open_max = HALF_OPEN_MAX;
    client->app = app_load_worker_app(&e->load);
    server->app = app_server_worker(&e->server);
}

static int set_up(struct pair *p, struct ends *e, struct tern_error *err)
{
    if (p->load.scenario == NULL)
        p->load.scenario = &app_scenario_handshake;
    if (p->common.time_wait_ms == 0)
        p->common.time_wait_ms = TIME_WAIT_MS;
    int rc = app_load_options_check(&p->load, p->common.n_workers, err);
    if (rc == 0)
        rc = app_server_init(&e->server, p->load.scenario->serves, err);
    if (rc != 0)
        return rc;
    e->server.cfg.body_bytes = p->body_bytes;
    tern_config_init(&e->cfg);
    e->cfg.n_endpoints = 2;
    for (int i = CLIENT; i <= SERVER; i++) {
        app_options_apply(&p->common, &e->cfg, &e->cfg.endpoints[i]);
        e->cfg.endpoints[i].device = "pair";
        e->cfg.endpoints[i].stack.seed[0] += p->common.stack.seed[0] != 0 ? (uint64_t)i : 0;
    }
    rc = add_addresses(p, e, err);
    if (rc == 0)
        rc = make_target(p, e, err);
    if (rc == 0)
        make_ends(p, e);
    return rc;
}

static int run(const struct pair *p, struct ends *e)
{
    static const char *const end_names[] = {[CLIENT] = "client", [SERVER] = "server"};
    char title[128];
    snprintf(title, sizeof title, "pair: %s over %s, both ends in memory", p->load.scenario->name,
        p->v6 ? "IPv6" : "IPv4");
    return app_run(&(struct app_run){
        .command = "pair",
        .title = title,
        .scenario = p->load.scenario->name,
        .cfg = &e->cfg,
        .end_names = end_names,
        .load = &e->load,
        .duration_ns = app_load_duration(&p->load, &p->common, DURATION_S),
        .json = p->common.json,
    });
}

int app_cmd_pair(int argc, char **argv)
{
    struct tern_error err;
    struct pair p = {.n_sources = SOURCES, .body_bytes = 1};
    struct ends e;
    app_options_init(&p.common, &err);
    app_load_options_init(&p.load, &err);
    int rc = app_options_parse(&pair_argp, argc, argv, &p, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = set_up(&p, &e, &err);
    return rc == 0 ? run(&p, &e) : app_report_error(APP_EXIT_USAGE, &err);
}
