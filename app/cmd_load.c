/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern load: one device, one scenario, one target or several alike. Open loop with --rate, closed
 * loop with --conns, both when both are given: then --conns caps what the rate may have open.
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

#include <stdio.h>

enum { DURATION_S = 10 };

static int check(struct app_settings *s, struct app_target *target,
    struct app_load_targets *targets, struct app_http *http, struct tern_error *err)
{
    if (s->target == NULL)
        return app_refuse(err,
            "load: the target is missing; type 'tern load ADDR:PORT --dev DEVICE "
            "--ip A/len'");
    int rc = app_load_read_targets(s, target, targets, err);
    if (rc != 0)
        return rc;
    if (s->device == NULL)
        return app_refuse(err, "load: the device is missing; add --dev, such as --dev tap:tern1");
    if (s->scenario == NULL)
        s->scenario = target->is_http ? &app_scenario_http : &app_scenario_handshake;
    rc = app_load_check(s, err);
    for (uint32_t i = 0; i < targets->n && rc == 0; i++)
        rc = app_sources_check(&s->sources, &s->stack, &targets->of[i].addr, err);
    if (rc == 0)
        rc = app_sources_install(&s->sources, &s->stack, err);
    if (rc == 0)
        rc = app_addresses_check(&s->stack, err);
    for (uint32_t i = 0; i < targets->n && rc == 0; i++)
        rc = app_addresses_check_target(&s->stack, &targets->of[i].addr, err);
    return rc == 0 ? app_load_make_http(s, target, http, err) : rc;
}

static int run(const struct app_settings *s, const struct app_target *target,
    const struct app_load_targets *targets, const struct app_http *http)
{
    static const char *const end_names[] = {"client"};
    struct tern_config cfg;
    struct app_load load;
    char title[2 * APP_TARGET_BYTES];
    tern_config_init(&cfg);
    cfg.n_endpoints = 1;
    struct tern_endpoint_config *ep = &cfg.endpoints[0];
    app_settings_apply(s, &cfg, ep);
    app_load_set_up(s, targets, http, ep, &load);
    ep->device = s->device;
    ep->app = app_load_worker_app(&load);
    snprintf(title, sizeof title, "load: %s to %s%s", s->scenario->name, target->text,
        targets->n > 1 ? " and others" : "");
    struct app_writers writers;
    struct app_live live;
    struct app_run run = {
        .command = "load",
        .title = title,
        .scenario = s->scenario->name,
        .cfg = &cfg,
        .end_names = end_names,
        .load = &load,
        .stream = s->scenario == &app_scenario_stream ? &load.cfg.stream : NULL,
        .duration_ns = app_load_duration(s, DURATION_S),
        .json = s->json,
        .goal = &s->goal,
    };
    app_writers_attach(&writers, s, &run);
    app_live_attach(&live, s, &run);
    return app_run(&run);
}

int app_cmd_load(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    struct app_target target;
    struct app_load_targets targets;
    struct app_http http;
    app_settings_init(&s, CMD_LOAD);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = check(&s, &target, &targets, &http, &err);
    if (rc != 0)
        return app_report_error(APP_EXIT_USAGE, &err);
    const int status = run(&s, &target, &targets, &http);
    app_http_free(&http);
    return status;
}
