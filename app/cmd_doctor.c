/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern doctor: what this machine can do, a line a finding, with the command that mends it. Nothing
 * found is an error by itself, since tern runs without all of it; the one thing that must work is a
 * pair, and that is not guessed but tried: the engine is opened, started and stopped.
 */
#include "cmd.h"
#include "doctor/finding.h"
#include "error.h"
#include "opt/parse.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

static const char *const health_names[] = {
    [APP_OK] = "ok", [APP_WARN] = "warn", [APP_FAIL] = "fail"};

/* ---- a pair, tried ---- */

static int try_pair(struct tern_error *err)
{
    struct tern_config cfg;
    tern_config_init(&cfg);
    cfg.n_endpoints = 2;
    cfg.drain_ms = 100;
    static const char *const addrs[] = {"198.18.0.1/15", "198.18.1.1/15"};
    for (uint32_t i = 0; i < cfg.n_endpoints; i++) {
        struct tern_endpoint_config *ep = &cfg.endpoints[i];
        ep->device = "pair";
        ep->stack.conns_max = ep->stack.time_wait_max = ep->stack.half_open_max = 1024;
        ep->stack.dad = false;
        ep->stack.n_addrs = 1;
        if (tern_prefix_parse(addrs[i], &ep->stack.addrs[0]) != 0)
            return app_refuse(err, "address %s is not read", addrs[i]);
    }
    struct tern_engine *engine;
    int rc = tern_engine_open(&cfg, &engine, err);
    if (rc != 0)
        return rc;
    rc = tern_engine_start(engine, err);
    tern_engine_stop(engine);
    if (rc == 0 && !tern_engine_wait(engine, 5000))
        return app_refuse(err, "the workers of a pair did not stop");
    tern_engine_close(engine, NULL);
    return rc;
}

static void check_pair(struct app_findings *f)
{
    struct tern_error err;
    app_found(f, APP_OK, "dpdk", "DPDK %s, tern %s", TERN_DPDK_VERSION, TERN_VERSION);
    if (try_pair(&err) == 0)
        app_found(f, APP_OK, "pair", "'tern pair' runs here");
    else
        app_found(f, APP_FAIL, "pair", "'tern pair' cannot run: %.170s", err.text);
}

/* ---- the report ---- */

static void print_findings(FILE *out, const struct app_findings *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        const struct app_finding *x = &f->of[i];
        fprintf(out, "%-5s %-10s %s\n", health_names[x->health], x->check, x->seen);
        if (x->mend[0] != '\0')
            fprintf(out, "%-5s %-10s   > %s\n", "", "", x->mend);
    }
}

static json_t *findings_json(const struct app_findings *f)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < f->n; i++) {
        const struct app_finding *x = &f->of[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "check", x->check, "health",
                                        health_names[x->health], "seen", x->seen, "mend", x->mend));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "tern", TERN_VERSION, "dpdk", TERN_DPDK_VERSION,
        "command", "doctor", "findings", list);
}

static bool is_fit(const struct app_findings *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->of[i].health == APP_FAIL)
            return false;
    return true;
}

static void examine(struct app_findings *f)
{
    static void (*const checks[])(struct app_findings *) = {
        app_check_cpus,
        app_check_numa,
        app_check_hugepages,
        app_check_memory,
        app_check_iommu,
        app_check_pci,
        app_check_tap,
        app_check_af_xdp,
        app_check_interfaces,
        check_pair,
    };
    f->n = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](f);
}

static int report(struct app_output *out, const struct app_findings *f)
{
    struct tern_error err;
    print_findings(out->human, f);
    json_t *json = findings_json(f);
    int rc = app_output_write(out, json, &err);
    json_decref(json);
    if (rc == 0 && !is_fit(f))
        rc = app_refuse(
            &err, "doctor: 'tern pair' cannot run here; the lines marked 'fail' say why");
    return rc == 0 ? APP_EXIT_OK : app_report_error(APP_EXIT_RUN, &err);
}

int app_cmd_doctor(int argc, char **argv)
{
    struct tern_error err;
    struct app_settings s;
    struct app_output out;
    struct app_findings f;
    app_settings_init(&s, CMD_DOCTOR);
    int rc = app_opt_parse(argc, argv, &s, &err);
    if (rc == APP_HELP_GIVEN)
        return APP_EXIT_OK;
    if (rc == 0)
        rc = app_output_open(&out, s.json, &err);
    if (rc != 0)
        return app_report_error(APP_EXIT_USAGE, &err);
    examine(&f);
    return report(&out, &f);
}
