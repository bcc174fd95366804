/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern pair: a load and a server in one process, joined by rings in memory. It needs no device, no
 * root and no hugepages, and shows what the endpoint itself can do.
 *
 * Addresses are those of the benchmarking networks (RFC 2544, RFC 5180), many on the client's side:
 * one address has 64,512 ports, and a port rests in TIME-WAIT after each connection.
 *
 * Nothing slows a sender down but the other end's window, so the rings between the ends are made to
 * hold all windows, and windows that the user did not choose are made to fit the largest rings.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "live/live.h"
#include "load/load.h"
#include "load/setup.h"
#include "load/target.h"
#include "opt/parse.h"
#include "output/writers.h"
#include "run.h"
#include "serve/service.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    DURATION_S = 5,
    SOURCES = 64,
    NEIGHBOURS_MAX = 250, /* 198.18.1.1..250 */
    TIME_WAIT_MS = 1000,
    HALF_OPEN_MAX = 65536,
    FLIGHT_BYTES_MAX = 16 << 20, /* what the rings are made for, one way */
    BUF_MIN = 4 << 10,
    HEADERS_BYTES = 40, /* of a segment without options, IPv4 */
    DESC_MIN = 1024,
    DESC_MAX = 32768,
    PORTS_IN_USE = 50000, /* of 64,512 that an address has: a free one is found at once */
    LISTENERS_MAX = 1024,
    CLOSED_FIRST = 1024, /* TIME-WAITs of an end that closes second */
    UNEVEN_SHARE = 1024,
};

/* Both ends as the engine wants them; on the heap of neither: they outlive it on main()'s stack. */
struct ends {
    struct tern_config cfg;
    struct app_load load;
    struct app_server server;
    struct app_target target;
    struct app_load_targets targets;
    struct app_http http;
};

enum { CLIENT, SERVER };

static uint32_t n_sources(const struct app_settings *s)
{
    return s->n_sources != 0 ? s->n_sources : SOURCES;
}

/* "A-B", n addresses. @return buf */
static char *range_from(const char *first, uint32_t n, char buf[2 * TERN_ADDR_TEXT_BYTES])
{
    union tern_addr a;
    const int rc = tern_addr_parse(first, &a);
    assert(rc == 0);
    (void)rc;
    a.w[3] = __builtin_bswap32(__builtin_bswap32(a.w[3]) + n - 1);
    char last[TERN_ADDR_TEXT_BYTES];
    snprintf(buf, 2 * TERN_ADDR_TEXT_BYTES, "%s-%s", first, tern_addr_format(&a, last));
    return buf;
}

/* Few sources are neighbours of the server. */
static int add_neighbours(const struct app_settings *s, struct ends *e, struct tern_error *err)
{
    char range[2 * TERN_ADDR_TEXT_BYTES], text[sizeof range + sizeof "/15"];
    range_from(s->v6 ? "2001:2::1:1" : "198.18.1.1", n_sources(s), range);
    snprintf(text, sizeof text, "%s/%s", range, s->v6 ? "48" : "15");
    const int rc = app_addresses_add(&e->cfg.endpoints[CLIENT].stack, text, err);
    if (rc != 0)
        return rc;
    return app_addresses_add(
        &e->cfg.endpoints[SERVER].stack, s->v6 ? "2001:2::1/48" : "198.18.0.1/15", err);
}

/* Many stand behind the client as a network does behind a router: the server has one neighbour. */
static int add_network(struct app_settings *s, struct ends *e, struct tern_error *err)
{
    struct tern_stack_config *client = &e->cfg.endpoints[CLIENT].stack;
    struct tern_stack_config *server = &e->cfg.endpoints[SERVER].stack;
    char range[2 * TERN_ADDR_TEXT_BYTES];
    int rc = app_addresses_add(client, s->v6 ? "2001:2::2/64" : "198.18.0.2/24", err);
    if (rc == 0)
        rc = app_addresses_add(server, s->v6 ? "2001:2::1/64" : "198.18.0.1/24", err);
    if (rc == 0)
        rc = app_addresses_set_gateway(server, s->v6 ? "2001:2::2" : "198.18.0.2", err);
    if (rc == 0 && s->sources.n == 0)
        rc = app_sources_add(&s->sources,
            range_from(s->v6 ? "2001:2::1:1" : "198.18.1.1", s->n_sources, range), err);
    if (rc == 0)
        rc = app_sources_check(&s->sources, client, &server->addrs[0].addr, err);
    return rc == 0 ? app_sources_install(&s->sources, client, err) : rc;
}

static int add_addresses(struct app_settings *s, struct ends *e, struct tern_error *err)
{
    const bool few = s->sources.n == 0 && n_sources(s) <= NEIGHBOURS_MAX;
    int rc = few ? add_neighbours(s, e, err) : add_network(s, e, err);
    if (rc == 0)
        rc = app_addresses_check(&e->cfg.endpoints[CLIENT].stack, err);
    return rc == 0 ? app_addresses_check(&e->cfg.endpoints[SERVER].stack, err) : rc;
}

static int make_target(const struct app_settings *s, struct ends *e, struct tern_error *err)
{
    char url[64];
    const uint16_t port = e->server.listeners[0].cfg.port;
    snprintf(url, sizeof url, s->v6 ? "http://[2001:2::1]:%u/" : "http://198.18.0.1:%u/", port);
    return app_target_parse(&e->target, url, err);
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What one connection may want to have on its way at a time, whichever direction has more. */
static uint64_t conn_bytes(const struct app_settings *s, const struct app_load_config *cfg)
{
    uint64_t most = 0;
    for (uint32_t i = 0; cfg->mix != NULL && i < cfg->mix->n; i++) {
        const uint64_t each = conn_bytes(s, &cfg->mix->of[i]);
        most = each > most ? each : most;
    }
    if (cfg->mix != NULL)
        return most;
    if (cfg->scenario == &app_scenario_stream)
        return cfg->stream.bytes != 0 ? cfg->stream.bytes : UINT64_MAX;
    if (cfg->scenario->paces_requests || cfg->scenario == &app_scenario_http)
        return s->body_bytes;
    const bool ticks = cfg->scenario->holds && cfg->tick_ns != 0;
    return ticks || cfg->scenario == &app_scenario_echo ? cfg->echo_bytes : 0;
}

/* Buffers and rings that go together; see the top. */
static void size_link(const struct app_settings *s, struct ends *e)
{
    struct tern_stack_config *stack = &e->cfg.endpoints[CLIENT].stack;
    const uint64_t conns = e->load.cfg.conns, each = conn_bytes(s, &e->load.cfg);
    if (s->rcv_buf_bytes == 0 && lesser(each, stack->rcv_buf_bytes) * conns > FLIGHT_BYTES_MAX) {
        const uint64_t fair = FLIGHT_BYTES_MAX / conns;
        stack->rcv_buf_bytes = (uint32_t)(fair > BUF_MIN ? fair : BUF_MIN);
        if (s->snd_buf_bytes == 0) /* more would only wait, and hold mbufs */
            stack->snd_buf_bytes = stack->rcv_buf_bytes;
    }
    const uint32_t mss = stack->mss_max != 0 ? stack->mss_max : stack->mtu_bytes - HEADERS_BYTES;
    const uint64_t flight_segs = lesser(each, stack->rcv_buf_bytes) * conns / mss;
    const uint64_t descs = lesser(2 * flight_segs, DESC_MAX); /* and as many acknowledgements */
    for (int i = CLIENT; i <= SERVER; i++) {
        struct tern_endpoint_config *ep = &e->cfg.endpoints[i];
        ep->n_rx_desc = ep->n_tx_desc = (uint16_t)(descs > DESC_MIN ? descs : DESC_MIN);
        ep->stack.rcv_buf_bytes = ep->stack.rcv_buf_max_bytes =
            stack->rcv_buf_bytes; /* of the rings */
        ep->stack.snd_buf_bytes = stack->snd_buf_bytes;
    }
}

/* More connections than one port of the server can tell apart go to several. Its workers' shares
 * differ by chance, and the client closes first. */
static void hold_many(struct ends *e)
{
    const struct tern_stack_config *client = &e->cfg.endpoints[CLIENT].stack;
    struct tern_stack_config *server = &e->cfg.endpoints[SERVER].stack;
    const uint32_t n_workers = e->cfg.endpoints[SERVER].n_workers;
    const uint64_t each = app_load_n_sources(&e->load) * PORTS_IN_USE;
    const uint64_t n_ports = (e->load.cfg.conns + each - 1) / each;
    const uint16_t n = (uint16_t)lesser(n_ports, LISTENERS_MAX);
    e->targets.of[0].n_ports = e->server.listeners[0].cfg.n_ports = n;
    server->listeners_max = LISTENERS_MAX;
    server->time_wait_max = CLOSED_FIRST;
    server->sending_max = client->sending_max;
    server->sent_max = client->sent_max;
    if (n_workers > 1)
        server->conns_max += server->conns_max / 64 + UNEVEN_SHARE;
}

/* Every listener has its port, and streams as it is asked to. */
static void aim(struct ends *e)
{
    struct app_load_mix *mix = &e->load.mix;
    for (uint32_t i = 0; i < e->server.n_listeners; i++) {
        struct app_listener *l = &e->server.listeners[i];
        l->cfg.stream = e->load.cfg.stream;
        for (uint32_t k = 0; k < mix->n; k++)
            if (strcmp(mix->of[k].scenario->serves, l->service->name) == 0)
                mix->of[k].port = l->cfg.port;
    }
}

/* The client's stack for the load; the server's holds what the client has open, and no TIME-WAIT
 * but for connections that it closed first. */
static void make_ends(const struct app_settings *s, struct ends *e)
{
    struct tern_endpoint_config *client = &e->cfg.endpoints[CLIENT];
    struct tern_endpoint_config *server = &e->cfg.endpoints[SERVER];
    e->targets.n = 1;
    e->targets.of[0] = app_load_target_of(&e->target);
    if (s->http.expect_body == NULL && !app_settings_has(s, "expect"))
        e->http.expect.length = s->body_bytes;
    app_load_set_up(s, &e->targets, &e->http, client, &e->load);
    aim(e);
    server->static_bytes += app_server_static_bytes(&e->server);
    size_link(s, e);
    server->stack.conns_max = client->stack.conns_max;
    server->stack.time_wait_max = client->stack.time_wait_max;
    if (s->scenario->holds)
        hold_many(e);
    server->stack.nodelay = client->stack.nodelay;
    server->stack.half_open_max = HALF_OPEN_MAX;
    client->app = app_load_worker_app(&e->load);
    server->app = app_server_worker(&e->server);
}

/* A listener for every service that the load needs. */
static int make_server(const struct app_settings *s, struct ends *e, struct tern_error *err)
{
    int rc = 0;
    e->server.n_listeners = 0;
    for (uint32_t i = 0; i < app_load_n_scenarios(s) && rc == 0; i++) {
        rc = app_server_add(&e->server, app_load_scenario(s, i)->serves, err);
        if (rc == 0 && s->mix.of[i].port != 0)
            rc = app_refuse(err, "--mix: @%u: pair gives each scenario its port; leave it out",
                s->mix.of[i].port);
    }
    for (uint32_t i = 0; i < e->server.n_listeners; i++)
        e->server.listeners[i].cfg.body_bytes = s->body_bytes;
    return rc;
}

static int set_up(struct app_settings *s, struct ends *e, struct tern_error *err)
{
    if (s->scenario == NULL)
        s->scenario = &app_scenario_handshake;
    if (s->time_wait_ms == 0)
        s->time_wait_ms = TIME_WAIT_MS;
    int rc = app_load_check(s, err);
    if (rc == 0)
        rc = make_server(s, e, err);
    if (rc != 0)
        return rc;
    tern_config_init(&e->cfg);
    e->cfg.n_endpoints = 2;
    for (int i = CLIENT; i <= SERVER; i++) {
        app_settings_apply(s, &e->cfg, &e->cfg.endpoints[i]);
        e->cfg.endpoints[i].device = "pair";
        if (i == SERVER) /* one path, impaired once */
            memset(e->cfg.endpoints[i].impair, 0, sizeof e->cfg.endpoints[i].impair);
        e->cfg.endpoints[i].stack.seed[0] += s->stack.seed[0] != 0 ? (uint64_t)i : 0;
    }
    rc = add_addresses(s, e, err);
    if (rc == 0)
        rc = make_target(s, e, err);
    if (rc == 0)
        rc = app_load_make_http(s, &e->target, &e->http, err);
    if (rc == 0)
        make_ends(s, e);
    return rc;
}

static int run(const struct app_settings *s, struct ends *e)
{
    static const char *const end_names[] = {[CLIENT] = "client", [SERVER] = "server"};
    char title[128];
    snprintf(title, sizeof title, "pair: %s over %s, both ends in memory", s->scenario->name,
        s->v6 ? "IPv6" : "IPv4");
    struct app_writers writers;
    struct app_live live;
    struct app_run run = {
        .command = "pair",
        .title = title,
        .scenario = s->scenario->name,
        .cfg = &e->cfg,
        .end_names = end_names,
        .load = &e->load,
        .server = &e->server,
        .stream = s->scenario == &app_scenario_stream ? &e->load.cfg.stream : NULL,
        .duration_ns = app_load_duration(s, DURATION_S),
        .json = s->json,
        .goal = &s->goal,
    };
    app_writers_attach(&writers, s, &run);
    app_live_attach(&live, s, &run);
    return app_run(&run);
}

int app_cmd_pair(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    struct ends e;
    app_settings_init(&s, CMD_PAIR);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = set_up(&s, &e, &err);
    if (rc != 0)
        return app_report_error(APP_EXIT_USAGE, &err);
    const int status = run(&s, &e);
    app_http_free(&e.http);
    return status;
}
