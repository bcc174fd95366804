/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern serve: one device, one service or many, on every address given, until the duration is over
 * or Ctrl-C.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "options.h"
#include "run.h"
#include "serve/listen.h"
#include "serve/service.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

struct serve {
    struct app_options common;
    const char *device;
    struct app_server server;
    const char *app;           /**< --app; NULL: not given */
    uint16_t port;             /**< 0: the service's */
    bool has_body, has_stream; /**< options that only one service knows were given */
    size_t body_bytes;
    struct app_stream_config stream;
};

enum {
    OPT_PORT = APP_OPT_OWN,
    OPT_APP,
    OPT_BODY,
    OPT_DIRECTION,
    OPT_VERIFY,
    OPT_BYTES,
    OPT_LISTEN
};
#define BYTES_MAX (UINT64_C(1) << 50)

// clang-format off
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Service:", 1},
    {"listen", OPT_LISTEN, "PORT[-PORT]=APP[,KEY=VALUE…]", 0,
        "instead of --app and --port, up to 16 times. http: status=503, body=4k, file=PATH, type=text/html, close, keep-alive, any-method, "
        "delay=20ms|exp:20ms|uniform:5ms-20ms, stall=1s@10s, max-rate=20k (beyond it 503), burst=N; stream: direction, bytes, verify", 0},
    {"app", OPT_APP, "NAME", 0, "http, echo, discard, chargen or stream (default http)", 0},
    {"port", OPT_PORT, "N", 0, "port to listen on (default: the service's, 80, 7, 9, 19 or 5001)", 0},
    {"body-bytes", OPT_BODY, "N", 0, "http: bytes of each body, 0..1Gi (default 1)", 0},
    {"direction", OPT_DIRECTION, "WAY", 0, "stream: up (take), down (send) or both (default up)", 0},
    {"bytes", OPT_BYTES, "N", 0, "stream: bytes to send on a connection (default: until the client ends)", 0},
    {"verify", OPT_VERIFY, NULL, 0, "stream: compare what is received with the pattern that tern sends", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static error_t take_device(struct serve *s, char *arg)
{
    if (s->device != NULL)
        return app_refuse(s->common.err,
            "serve: '%.60s' is one word too many after the device %.60s", arg, s->device);
    s->device = arg;
    return 0;
}

static error_t parse_stream(int key, const char *arg, struct serve *s)
{
    struct tern_error *err = s->common.err;
    s->has_stream = true;
    switch (key) {
    case OPT_DIRECTION: return app_stream_direction_find(arg, &s->stream.direction, err);
    case OPT_BYTES: return app_value_u64("--bytes", arg, 1, BYTES_MAX, &s->stream.bytes, err);
    default: s->stream.verify = true; return 0;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct serve *s = state->input;
    struct tern_error *err = s->common.err;
    uint64_t bytes = 0;
    switch (key) {
    case ARGP_KEY_INIT: app_options_hand_down(state, &s->common, 5); return 0;
    case OPT_LISTEN: return app_server_listen(&s->server, arg, err);
    case OPT_APP: s->app = arg; return 0;
    case OPT_PORT: return app_value_u16("--port", arg, 1, UINT16_MAX, &s->port, err);
    case OPT_BODY:
        if (app_value_u64("--body-bytes", arg, 0, UINT64_C(1) << 30, &bytes, err) != 0)
            return EINVAL;
        s->body_bytes = bytes;
        s->has_body = true;
        return 0;
    case OPT_DIRECTION:
    case OPT_BYTES:
    case OPT_VERIFY: return parse_stream(key, arg, s);
    case ARGP_KEY_ARG: return take_device(s, arg);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp serve_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "DEVICE",
    .doc = "Answer on a device.\v"
           "DEVICE is a kernel interface (eth1), tap:NAME, a PCI address (0000:3b:00.0), "
           "memif:SOCKET[,server][,ring=N], pcap:IN,OUT or vdev:DPDK-DEVICE.\n\n"
           "  tern serve tap:tern0 --ip 198.18.0.1/15 --port 8080\n"
           "  tern serve eth1 --ip 2001:2::1/48 --app echo --workers 2\n"
           "  tern serve tap:tern0 --ip 198.18.0.1/15 --listen 7=echo --listen "
           "8080=http,status=503,delay=20ms",
    .children = (const struct argp_child[]){{&app_address_argp, 0, NULL, 0},
        {&app_engine_argp, 0, NULL, 0}, {&app_tcp_argp, 0, NULL, 0}, {&app_run_argp, 0, NULL, 0},
        {&app_report_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}},
};

/* --app, --port and what belongs to them: the only listener. */
static int listen_as_told(struct serve *s, struct tern_error *err)
{
    struct app_listener *l = &s->server.listeners[0];
    const int rc = app_server_init(&s->server, s->app != NULL ? s->app : "http", err);
    if (rc != 0)
        return rc;
    if (s->has_body && l->service != &app_service_http)
        return app_refuse(err, "--body-bytes: %s has no bodies; leave it out, or type --app http",
            l->service->name);
    if (s->has_stream && l->service != &app_service_stream)
        return app_refuse(err,
            "--direction, --bytes and --verify: %s has none of them; leave them out, or type --app "
            "stream",
            l->service->name);
    if (s->has_body)
        l->cfg.body_bytes = s->body_bytes;
    l->cfg.stream = s->stream;
    if (s->port != 0)
        l->cfg.port = s->port;
    return 0;
}

static int check(struct serve *s, struct tern_error *err)
{
    const bool has_listen = s->server.n_listeners > 0;
    if (s->device == NULL)
        return app_refuse(
            err, "serve: the device is missing; type 'tern serve tap:tern0 --ip A/len'");
    if (has_listen && (s->app != NULL || s->port != 0 || s->has_body || s->has_stream))
        return app_refuse(err,
            "--listen: says what --app, --port, --body-bytes and the stream's options would; leave "
            "those out");
    const int rc = has_listen ? 0 : listen_as_told(s, err);
    return rc == 0 ? app_addresses_check(&s->common.stack, err) : rc;
}

/* What a bulk service carries; NULL: it is none, or not the only one. */
static const struct app_stream_config *carried_by(const struct app_server *s)
{
    static const struct app_stream_config sink = {.direction = APP_STREAM_UP};
    static const struct app_stream_config source = {.direction = APP_STREAM_DOWN};
    const struct app_listener *l = &s->listeners[0];
    if (s->n_listeners > 1)
        return NULL;
    if (l->service == &app_service_discard)
        return &sink;
    if (l->service == &app_service_chargen)
        return &source;
    return l->service == &app_service_stream ? &l->cfg.stream : NULL;
}

/* One device, and room for all that its listeners need. */
static void make_config(struct serve *s, struct tern_config *cfg)
{
    tern_config_init(cfg);
    cfg->n_endpoints = 1;
    struct tern_endpoint_config *ep = &cfg->endpoints[0];
    app_options_apply(&s->common, cfg, ep);
    ep->device = s->device;
    ep->app = app_server_worker(&s->server);
    ep->static_bytes += app_server_static_bytes(&s->server);
    const uint32_t n_ports = app_server_n_ports(&s->server);
    if (n_ports > ep->stack.listeners_max)
        ep->stack.listeners_max = n_ports;
}

static int serve(struct serve *s)
{
    static const char *const end_names[] = {"server"};
    const struct app_server *server = &s->server;
    const bool is_one = server->n_listeners == 1;
    struct tern_config cfg;
    make_config(s, &cfg);
    char title[APP_SERVER_TEXT_BYTES + sizeof "serve: "], text[APP_SERVER_TEXT_BYTES];
    snprintf(title, sizeof title, "serve: %s", app_server_text(server, text));
    return app_run(&(struct app_run){
        .command = "serve",
        .title = title,
        .scenario = is_one ? server->listeners[0].service->name : "listeners",
        .cfg = &cfg,
        .end_names = end_names,
        .server = is_one && server->listeners[0].service == &app_service_stream ? server : NULL,
        .listeners = server,
        .stream = carried_by(server),
        .duration_ns = s->common.duration_ns,
        .json = s->common.json,
    });
}

int app_cmd_serve(int argc, char **argv)
{
    struct tern_error err;
    struct serve s = {.device = NULL};
    app_options_init(&s.common, &err);
    int rc = app_options_parse(&serve_argp, argc, argv, &s, &err);
    if (rc == 0)
        rc = check(&s, &err);
    int status = APP_EXIT_OK;
    if (rc != APP_HELP_GIVEN)
        status = rc == 0 ? serve(&s) : app_report_error(APP_EXIT_USAGE, &err);
    app_server_fini(&s.server);
    return status;
}
