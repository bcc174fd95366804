/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern load: one device, one target, one scenario. Open loop with --rate, closed loop with --conns,
 * both when both are given: then --conns caps what the rate may have open.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "load/load.h"
#include "load/setup.h"
#include "load/target.h"
#include "opt/parse.h"
#include "run.h"

#include <stdio.h>

enum { DURATION_S = 10 };

static int check(struct app_settings *s, struct app_target *target, struct tern_error *err)
{
    if (s->target == NULL)
        return app_refuse(err,
            "load: the target is missing; type 'tern load ADDR:PORT --dev DEVICE "
            "--ip A/len'");
    int rc = app_target_parse(target, s->target, err);
    if (rc != 0)
        return rc;
    if (s->device == NULL)
        return app_refuse(err, "load: the device is missing; add --dev, such as --dev tap:tern1");
    if (s->scenario == NULL)
        s->scenario = target->is_http ? &app_scenario_http : &app_scenario_handshake;
    rc = app_load_check(s, err);
    if (rc == 0)
        rc = app_addresses_check(&s->stack, err);
    return rc == 0 ? app_addresses_check_target(&s->stack, &target->addr, err) : rc;
}

static int run(const struct app_settings *s, const struct app_target *target)
{
    static const char *const end_names[] = {"client"};
    struct tern_config cfg;
    struct app_load load;
    char request[APP_REQUEST_BYTES], title[APP_REQUEST_BYTES];
    tern_config_init(&cfg);
    cfg.n_endpoints = 1;
    struct tern_endpoint_config *ep = &cfg.endpoints[0];
    app_settings_apply(s, &cfg, ep);
    app_load_set_up(s, target, ep, &load);
    app_target_request(target, request);
    load.cfg.request = request;
    load.cfg.early = ep->stack.tfo_connect && load.cfg.scenario == &app_scenario_http;
    ep->device = s->device;
    ep->app = app_load_worker_app(&load);
    snprintf(title, sizeof title, "load: %s to %s", s->scenario->name, target->text);
    return app_run(&(struct app_run){
        .command = "load",
        .title = title,
        .scenario = s->scenario->name,
        .cfg = &cfg,
        .end_names = end_names,
        .load = &load,
        .stream = s->scenario == &app_scenario_stream ? &load.cfg.stream : NULL,
        .duration_ns = app_load_duration(s, DURATION_S),
        .json = s->json,
    });
}

int app_cmd_load(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    struct app_target target;
    app_settings_init(&s, CMD_LOAD);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = check(&s, &target, &err);
    return rc == 0 ? run(&s, &target) : app_report_error(APP_EXIT_USAGE, &err);
}
