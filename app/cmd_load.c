/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern load: one device, one target, one scenario. Open loop with --rate, closed loop with --conns,
 * both when both are given: then --conns caps what the rate may have open.
 */
#include "addresses.h"
#include "cmd.h"
#include "error.h"
#include "load/load.h"
#include "load/options.h"
#include "load/target.h"
#include "options.h"
#include "run.h"

#include <stdio.h>
#include <string.h>

struct load_cmd {
    struct app_options common;
    struct app_load_options load;
    struct app_target target;
    const char *device;
    bool has_target;
};

enum { OPT_DEV = APP_OPT_OWN };

// clang-format off
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Device:", 1},
    {"dev", OPT_DEV, "DEVICE", 0, "device to send from", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static error_t take_target(struct load_cmd *l, char *arg)
{
    if (l->has_target)
        return app_refuse(l->common.err, "load: '%.60s' is a second target; type one", arg);
    l->has_target = true;
    return app_target_parse(&l->target, arg, l->common.err);
}

static void hand_down(struct argp_state *state, struct load_cmd *l)
{
    state->child_inputs[0] = &l->load;
    for (unsigned i = 1; i < 6; i++)
        state->child_inputs[i] = &l->common;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct load_cmd *l = state->input;
    switch (key) {
    case ARGP_KEY_INIT: hand_down(state, l); return 0;
    case OPT_DEV: l->device = arg; return 0;
    case ARGP_KEY_ARG: return take_target(l, arg);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp load_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TARGET",
    .doc =
        "Open connections to a server and count what becomes of each.\v"
        "TARGET is ADDR:PORT, [V6]:PORT or http://ADDR[:PORT]/PATH. Addresses only, no names.\n\n"
        "  tern load 198.18.0.1:80 --dev tap:tern1 --ip 198.18.1.1/15\n"
        "  tern load http://[2001:2::1]/ --dev eth1 --ip 2001:2::10/48 --rate 10k --duration 30s\n"
        "  tern load 198.18.0.1:5001 --dev tap:tern1 --ip 198.18.1.1/15 --scenario stream",
    .children =
        (const struct argp_child[]){{&app_load_argp, 0, NULL, 0}, {&app_address_argp, 0, NULL, 0},
            {&app_engine_argp, 0, NULL, 0}, {&app_tcp_argp, 0, NULL, 0},
            {&app_run_argp, 0, NULL, 0}, {&app_report_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}},
};

static int check(struct load_cmd *l, struct tern_error *err)
{
    if (!l->has_target)
        return app_refuse(err,
            "load: the target is missing; type 'tern load ADDR:PORT --dev DEVICE "
            "--ip A/len'");
    if (l->device == NULL)
        return app_refuse(err, "load: the device is missing; add --dev, such as --dev tap:tern1");
    if (l->load.scenario == NULL)
        l->load.scenario = l->target.is_http ? &app_scenario_http : &app_scenario_handshake;
    int rc = app_load_options_check(&l->load, &l->common, err);
    if (rc == 0)
        rc = app_addresses_check(&l->common.stack, err);
    return rc == 0 ? app_addresses_check_target(&l->common.stack, &l->target.addr, err) : rc;
}

static int run(struct load_cmd *l)
{
    static const char *const end_names[] = {"client"};
    struct tern_config cfg;
    struct app_load load;
    char request[APP_REQUEST_BYTES], title[APP_REQUEST_BYTES];
    tern_config_init(&cfg);
    cfg.n_endpoints = 1;
    struct tern_endpoint_config *ep = &cfg.endpoints[0];
    app_options_apply(&l->common, &cfg, ep);
    app_load_options_apply(&l->load, &l->common, &l->target, ep, &load);
    app_target_request(&l->target, request);
    load.cfg.request = request;
    load.cfg.early = ep->stack.tfo_connect && load.cfg.scenario == &app_scenario_http;
    ep->device = l->device;
    ep->app = app_load_worker_app(&load);
    snprintf(title, sizeof title, "load: %s to %s", l->load.scenario->name, l->target.text);
    return app_run(&(struct app_run){
        .command = "load",
        .title = title,
        .scenario = l->load.scenario->name,
        .cfg = &cfg,
        .end_names = end_names,
        .load = &load,
        .stream = l->load.scenario == &app_scenario_stream ? &load.cfg.stream : NULL,
        .duration_ns = app_load_duration(&l->load, &l->common, 10),
        .json = l->common.json,
    });
}

int app_cmd_load(int argc, char **argv)
{
    struct tern_error err;
    struct load_cmd l = {.device = NULL};
    app_options_init(&l.common, &err);
    app_load_options_init(&l.load, &err);
    int rc = app_options_parse(&load_argp, argc, argv, &l, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = check(&l, &err);
    return rc == 0 ? run(&l) : app_report_error(APP_EXIT_USAGE, &err);
}
