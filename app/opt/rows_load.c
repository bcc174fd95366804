/* SPDX-License-Identifier: BSD-3-Clause */
/* What a load does, which `tern load` and `tern pair` share; its device and target. */
#include "../error.h"
#include "../load/target.h"
#include "rows.h"

enum { REQUESTS_MAX = 1 << 30, CONNS_MAX = 1 << 28, RATE_MAX = 1000000000 };
#define MS_NS     UINT64_C(1000000)
#define HOUR_NS   UINT64_C(3600000000000)
#define COUNT_MAX (UINT64_C(1) << 48)
#define BYTES_MAX (UINT64_C(1) << 50)

static const char *const scenarios[] = {
    "handshake", "http", "http-keepalive", "echo", "stream", "hold", "churn", NULL};
static const char *const directions[] = {
    [APP_STREAM_UP] = "up", [APP_STREAM_DOWN] = "down", [APP_STREAM_BOTH] = "both", NULL};

static int set_scenario(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_scenario_find("--scenario", text, &s->scenario, err);
}

static int set_mix(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_mix_parse(&s->mix, text, err);
}

/* Kept as it was typed; read here only so that a file's mistake is told with its line. */
static int add_target(struct app_settings *s, const char *text, struct tern_error *err)
{
    struct app_target target;
    if (s->n_targets == APP_TARGETS_MAX)
        return app_refuse(
            err, "load: '%.60s' is one target too many; type up to %d", text, APP_TARGETS_MAX);
    const int rc = app_target_parse(&target, text, err);
    if (rc != 0)
        return rc;
    s->targets[s->n_targets++] = text;
    s->target = s->targets[0];
    return 0;
}

#define LOAD .group = APP_GROUP_LOAD, .commands = CMD_LOAD | CMD_PAIR

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "target", .arg = "TARGET", .positional = true, .many = true, .group = APP_GROUP_LOAD, .commands = CMD_LOAD,
        APP_CALL(add_target),
        .help = "ADDR:PORT, [V6]:PORT or http://ADDR[:PORT]/PATH; addresses only, no names; PORT may be a range, 80-89, whose ports take turns; several targets (up to 64) take turns"},
    {.name = "random-targets", LOAD, APP_FLAG(random_targets),
        .help = "each connection's target is drawn, not the next in turn"},
    {.name = "dev", .arg = "DEVICE", .group = APP_GROUP_DEVICE, .commands = CMD_LOAD,
        APP_TEXT(device),
        .help = "device to send from"},
    {.name = "scenario", .arg = "NAME", LOAD, APP_CALL(set_scenario), .choices = scenarios,
        .standard = "handshake, with a URL http",
        .help = "what is done on each connection"},
    {.name = "mix", .arg = "LIST", LOAD, APP_CALL(set_mix),
        .help = "churn: scenarios with their weights, such as http:80,stream:15,hold:5; of so many starts so many are of each; http@8080:80 goes to that port of the target"},
    {.name = "conns", .letter = 'c', .arg = "N", LOAD, APP_U64(conns, 1, CONNS_MAX), .unit = "connections",
        .standard = "64 a worker, of streams one; with --rate no such limit",
        .help = "connections open at a time, over all workers; hold: that are opened and held; wrk's -c, dperf's cc"},
    {.name = "rate", .letter = 'R', .arg = "N", LOAD, APP_U64(rate, 1, RATE_MAX), .unit = "connections a second",
        .standard = "as fast as --conns allows",
        .help = "connections a second, over all workers, evenly paced, http-keepalive: requests; wrk2's -R, dperf's cps"},
    {.name = "ramp", .arg = "T", LOAD, APP_NS(ramp_ns, MS_NS, HOUR_NS),
        .standard = "none",
        .help = "let the rate grow evenly for that long before --duration begins; what begins in it does not count"},
    {.name = "no-latency", LOAD, APP_FLAG(no_latency),
        .help = "keep no latencies: what measuring costs is the difference"},
    {.name = "count", .arg = "N", LOAD, APP_U64(count, 1, COUNT_MAX), .unit = "connections",
        .help = "stop after exactly N connections"},
    {.name = "bytes", .arg = "N", LOAD, APP_U64(bytes, 1, BYTES_MAX), .unit = "bytes",
        .standard = "echo 1024, tick 64, stream until the time is over, in churn 1Mi",
        .help = "echo: bytes of a request, which come back; stream: bytes of a connection each way"},
    {.name = "tick", .arg = "T", LOAD, APP_NS(tick_ns, MS_NS, HOUR_NS),
        .standard = "none",
        .help = "hold: each connection asks a small request that often, which an echo server sends back; spread evenly"},
    {.name = "hold-for", .arg = "T", LOAD, APP_NS(hold_ns, MS_NS, HOUR_NS),
        .standard = "1s",
        .help = "churn: how long hold keeps a connection"},
    {.name = "requests", .arg = "N", LOAD, APP_U64(requests, 0, REQUESTS_MAX), .standard = "echo 1, http-keepalive 0, in churn 10",
        .help = "echo, http-keepalive: requests of a connection; 0: until the run ends"},
    {.name = "direction", .arg = "WAY", LOAD, APP_CHOICE(stream.direction, enum app_stream_direction, directions), .standard = "up",
        .help = "stream: up to a sink, down from a source"},
    {.name = "verify", LOAD, APP_FLAG(stream.verify),
        .help = "stream: compare what is received with the pattern that tern sends"},
};
// clang-format on

const struct app_opt_rows app_rows_load = APP_OPT_ROWS(rows);
