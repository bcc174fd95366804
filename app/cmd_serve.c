/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern serve: one device, one service, on every address given, until the duration is over or
 * Ctrl-C.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "opt/parse.h"
#include "output/writers.h"
#include "run.h"
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

static int set_up(const struct app_settings *s, struct app_server *server, struct tern_error *err)
{
    if (s->device == NULL)
        return app_refuse(
            err, "serve: the device is missing; type 'tern serve tap:tern0 --ip A/len'");
    int rc = app_server_init(server, s->service != NULL ? s->service : "http", err);
    if (rc == 0)
        rc = check_service(s, server->service, err);
    if (rc != 0)
        return rc;
    server->cfg.body_bytes = s->body_bytes;
    server->cfg.stream = s->stream;
    server->cfg.stream.bytes = s->bytes;
    if (s->port != 0)
        server->cfg.port = s->port;
    return app_addresses_check(&s->stack, err);
}

/* What a bulk service carries; NULL: it is none. */
static const struct app_stream_config *carried_by(const struct app_server *s)
{
    static const struct app_stream_config sink = {.direction = APP_STREAM_UP};
    static const struct app_stream_config source = {.direction = APP_STREAM_DOWN};
    if (s->service == &app_service_discard)
        return &sink;
    if (s->service == &app_service_chargen)
        return &source;
    return s->service == &app_service_stream ? &s->cfg.stream : NULL;
}

static int serve(const struct app_settings *s, struct app_server *server)
{
    static const char *const end_names[] = {"server"};
    struct tern_config cfg;
    tern_config_init(&cfg);
    cfg.n_endpoints = 1;
    struct tern_endpoint_config *ep = &cfg.endpoints[0];
    app_settings_apply(s, &cfg, ep);
    ep->device = s->device;
    ep->app = app_server_worker(server);
    char title[128];
    snprintf(title, sizeof title, "serve: %s on port %u", server->service->name, server->cfg.port);
    struct app_writers writers;
    struct app_run run = {
        .command = "serve",
        .title = title,
        .scenario = server->service->name,
        .cfg = &cfg,
        .end_names = end_names,
        .server = server->service == &app_service_stream ? server : NULL,
        .stream = carried_by(server),
        .duration_ns = s->duration_ns,
        .json = s->json,
    };
    app_writers_attach(&writers, s, &run);
    return app_run(&run);
}

int app_cmd_serve(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    struct app_server server;
    app_settings_init(&s, CMD_SERVE);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = set_up(&s, &server, &err);
    return rc == 0 ? serve(&s, &server) : app_report_error(APP_EXIT_USAGE, &err);
}
