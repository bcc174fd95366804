/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern serve: one device, one service or many, on every address given, until the duration is over
 * or Ctrl-C.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "live/live.h"
#include "opt/parse.h"
#include "output/writers.h"
#include "run.h"
#include "serve/listen.h"
#include "serve/service.h"

#include <stdio.h>

static bool has_stream_options(const struct app_settings *s)
{
    return app_settings_has(s, "direction") || app_settings_has(s, "bytes")
           || app_settings_has(s, "verify");
}

/* What only another service knows is a mistake, not a thing to ignore. */
static int check_service(
    const struct app_settings *s, const struct app_service *service, struct tern_error *err)
{
    if (app_settings_has(s, "body-bytes") && service != &app_service_http)
        return app_refuse(
            err, "--body-bytes: %s has no bodies; leave it out, or type --app http", service->name);
    if (has_stream_options(s) && service != &app_service_stream)
        return app_refuse(err,
            "--direction, --bytes and --verify: %s has none of them; leave them out, or type --app "
            "stream",
            service->name);
    return 0;
}

/* --app, --port and what belongs to them: the only listener. */
static int listen_alone(
    const struct app_settings *s, struct app_server *server, struct tern_error *err)
{
    struct app_listener *l = &server->listeners[0];
    int rc = app_server_init(server, s->service != NULL ? s->service : "http", err);
    if (rc == 0)
        rc = check_service(s, l->service, err);
    if (rc != 0)
        return rc;
    l->cfg.body_bytes = s->body_bytes;
    l->cfg.stream = s->stream;
    l->cfg.stream.bytes = s->bytes;
    if (s->port != 0)
        l->cfg.port = s->port;
    return 0;
}

static int listen_as_told(
    const struct app_settings *s, struct app_server *server, struct tern_error *err)
{
    if (s->n_listen == 0)
        return listen_alone(s, server, err);
    if (app_settings_has(s, "app") || app_settings_has(s, "port")
        || app_settings_has(s, "body-bytes") || has_stream_options(s))
        return app_refuse(err,
            "--listen: says what --app, --port, --body-bytes and the stream's options would; leave "
            "those out");
    int rc = 0;
    for (uint32_t i = 0; i < s->n_listen && rc == 0; i++)
        rc = app_server_listen(server, s->listen[i], err);
    return rc;
}

static int set_up(const struct app_settings *s, struct app_server *server, struct tern_error *err)
{
    if (s->device == NULL)
        return app_refuse(
            err, "serve: the device is missing; type 'tern serve tap:tern0 --ip A/len'");
    const int rc = listen_as_told(s, server, err);
    return rc == 0 ? app_addresses_check(&s->stack, err) : rc;
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
static void make_config(
    const struct app_settings *s, struct app_server *server, struct tern_config *cfg)
{
    tern_config_init(cfg);
    cfg->n_endpoints = 1;
    struct tern_endpoint_config *ep = &cfg->endpoints[0];
    app_settings_apply(s, cfg, ep);
    ep->device = s->device;
    ep->app = app_server_worker(server);
    ep->static_bytes += app_server_static_bytes(server);
    const uint32_t n_ports = app_server_n_ports(server);
    if (n_ports > ep->stack.listeners_max)
        ep->stack.listeners_max = n_ports;
}

static int serve(const struct app_settings *s, struct app_server *server)
{
    static const char *const end_names[] = {"server"};
    const bool is_one = server->n_listeners == 1;
    struct tern_config cfg;
    make_config(s, server, &cfg);
    char title[APP_SERVER_TEXT_BYTES + sizeof "serve: "], text[APP_SERVER_TEXT_BYTES];
    snprintf(title, sizeof title, "serve: %s", app_server_text(server, text));
    struct app_writers writers;
    struct app_live live;
    struct app_run run = {
        .command = "serve",
        .title = title,
        .scenario = is_one ? server->listeners[0].service->name : "listeners",
        .cfg = &cfg,
        .end_names = end_names,
        .server = is_one && server->listeners[0].service == &app_service_stream ? server : NULL,
        .listeners = server,
        .stream = carried_by(server),
        .duration_ns = s->duration_ns,
        .json = s->json,
    };
    app_writers_attach(&writers, s, &run);
    app_live_attach(&live, s, &run);
    return app_run(&run);
}

int app_cmd_serve(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    struct app_server server = {.n_listeners = 0};
    app_settings_init(&s, CMD_SERVE);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = set_up(&s, &server, &err);
    const int status = rc == 0 ? serve(&s, &server) : app_report_error(APP_EXIT_USAGE, &err);
    app_server_fini(&server);
    return status;
}
