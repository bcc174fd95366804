/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared half of the command line. One argp child for each thing a user thinks about (workers,
 * addresses, TCP in options_tcp.c, output), each with a table of options and one switch that stores
 * a checked value; a subcommand lists the children it wants and adds a table of its own.
 *
 * argp and getopt_long print two lines on an error, the second one advice of their own. They print
 * to `stderr`, which in glibc is a variable (manual §12.2): for the time of parsing it is a stream
 * in memory, of which the first line is kept. ARGP_NO_ERRS was rejected, it also forgets what was
 * wrong.
 */
#include "options.h"

#include "addresses.h"
#include "error.h"
#include "value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DURATION_MAX_H = 24 * 365,
    CONNS_MAX = 1u << 28,
    MODERATION_MAX_NS = 1000000,
    STATIC_BYTES = 1 << 20, /* more than any service and scenario together makes on a worker */
};
#define HOUR_NS UINT64_C(3600000000000)

enum option_key {
    OPT_HELP = 'h',
    OPT_WORKERS = 0x100,
    OPT_LCORES,
    OPT_QUEUES,
    OPT_NO_HUGE,
    OPT_NO_OFFLOAD,
    OPT_MODERATION,
    OPT_CONNS_MAX,
    OPT_SEED,
    OPT_IP,
    OPT_GW,
    OPT_NEIGHBOUR,
    OPT_VLAN,
    OPT_DURATION,
    OPT_JSON,
};

/* ---- workers and memory ---- */

// clang-format off
static const struct argp_option engine_options[] = {
    {NULL, 0, NULL, 0, "Workers and memory:", 10},
    {"workers", OPT_WORKERS, "N", 0, "worker threads an end, each with a queue and a shard (1..64, default 1)", 0},
    {"lcores", OPT_LCORES, "LIST", 0, "CPUs for the workers, such as 2,3 or 2-5 (default: chosen, the device's node first)", 0},
    {"queues", OPT_QUEUES, "N", 0, "device queues (default: as many as workers and device allow)", 0},
    {"no-huge", OPT_NO_HUGE, NULL, 0, "never use hugepages", 0},
    {"no-offload", OPT_NO_OFFLOAD, NULL, 0, "checksums and segmentation in software, whatever the device can do", 0},
    {"moderation", OPT_MODERATION, "T", 0, "how long a worker that found little waits for more, where that costs no rate (0..1ms, default 10us)", 0},
    {"conns-max", OPT_CONNS_MAX, "N", 0, "connections a worker has room for", 0},
    {"seed", OPT_SEED, "N", 0, "fix what is random: ISNs, ports, timestamps (for tests only)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

/* Spread a small number over the 256 bits of the secrets (splitmix64, Steele et al. 2014). */
static void spread_seed(uint64_t seed, uint64_t out[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        out[i] = z ^ (z >> 31);
    }
}

static error_t parse_engine(int key, char *arg, struct argp_state *state)
{
    struct app_options *o = state->input;
    uint64_t seed = 0;
    switch (key) {
    case OPT_WORKERS:
        return app_value_u32("--workers", arg, 1, TERN_WORKERS_MAX, &o->n_workers, o->err);
    case OPT_LCORES: o->lcores = arg; return 0;
    case OPT_QUEUES:
        return app_value_u32("--queues", arg, 1, TERN_WORKERS_MAX, &o->n_queues, o->err);
    case OPT_NO_HUGE: o->no_huge = true; return 0;
    case OPT_NO_OFFLOAD: o->no_offload = true; return 0;
    case OPT_MODERATION:
        return app_value_ns("--moderation", arg, 0, MODERATION_MAX_NS, &o->moderation_ns, o->err);
    case OPT_CONNS_MAX:
        return app_value_u32("--conns-max", arg, 1, CONNS_MAX, &o->conns_max, o->err);
    case OPT_SEED:
        if (app_value_u64("--seed", arg, 0, UINT64_MAX, &seed, o->err) != 0)
            return EINVAL;
        spread_seed(seed, o->stack.seed);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp app_engine_argp = {.options = engine_options, .parser = parse_engine};

/* ---- addresses ---- */

// clang-format off
static const struct argp_option address_options[] = {
    {NULL, 0, NULL, 0, "Addresses:", 20},
    {"ip", OPT_IP, "A[/LEN]", 0, "own address, IPv4 or IPv6; again for more, or A-B for a range (LEN: default 24 or 64)", 0},
    {"gw", OPT_GW, "A", 0, "gateway, one a family (default: everything is on link)", 0},
    {"neighbour", OPT_NEIGHBOUR, "IP=MAC", 0, "a neighbour that is not asked for by ARP or NDP; again for more", 0},
    {"vlan", OPT_VLAN, "ID", 0, "802.1Q tag on every frame, 1..4094", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static error_t parse_address(int key, char *arg, struct argp_state *state)
{
    struct app_options *o = state->input;
    switch (key) {
    case OPT_IP: return app_addresses_add(&o->stack, arg, o->err);
    case OPT_GW: return app_addresses_set_gateway(&o->stack, arg, o->err);
    case OPT_NEIGHBOUR: return app_addresses_add_neighbour(&o->stack, arg, o->err);
    case OPT_VLAN: return app_value_u16("--vlan", arg, 1, 4094, &o->stack.vlan, o->err);
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp app_address_argp = {.options = address_options, .parser = parse_address};

/* ---- the run and its report ---- */

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
    struct app_options *o = state->input;
    if (key != OPT_DURATION)
        return ARGP_ERR_UNKNOWN;
    return app_value_ns(
        "--duration", arg, 1000000, DURATION_MAX_H * HOUR_NS, &o->duration_ns, o->err);
}

static const struct argp_option run_options[] = {
    {NULL, 0, NULL, 0, "Run:", 40},
    {"duration", OPT_DURATION, "T", 0, "how long to run, 1ms..8760h", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

const struct argp app_run_argp = {.options = run_options, .parser = parse_run};

// clang-format off
static const struct argp_option report_options[] = {
    {NULL, 0, NULL, 0, "Report:", 50},
    {"json", OPT_JSON, "FILE", 0, "write the result as JSON, '-' for stdout (the rest then goes to stderr)", 0},
    {"help", OPT_HELP, NULL, 0, "this text", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static error_t give_help(struct argp_state *state)
{
    argp_state_help(state, stdout,
        ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC);
    return ECANCELED;
}

static error_t parse_report(int key, char *arg, struct argp_state *state)
{
    struct app_options *o = state->input;
    switch (key) {
    case OPT_JSON: o->json = arg; return 0;
    case OPT_HELP: return give_help(state);
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp app_report_argp = {.options = report_options,
    .parser = parse_report,
    .doc = "\vNumbers take k, M, G (1000) and Ki, Mi, Gi (1024); times ns, us, ms, s, m, h."};

/* ---- parsing and checking ---- */

void app_options_init(struct app_options *o, struct tern_error *err)
{
    memset(o, 0, sizeof *o);
    tern_stack_config_init(&o->stack);
    o->n_workers = 1;
    o->moderation_ns = UINT64_MAX;
    o->err = err;
}

void app_options_hand_down(struct argp_state *state, struct app_options *o, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        state->child_inputs[i] = o;
}

/* Run argp with what it and getopt print caught in `text`, [bytes]. */
static error_t parse_captured(
    const struct argp *argp, int argc, char **argv, void *input, char *text, size_t bytes)
{
    FILE *const real = stderr;
    FILE *const captured = fmemopen(text, bytes, "w");
    if (captured == NULL)
        return ENOMEM;
    stderr = captured;
    const error_t rc = argp_parse(argp, argc, argv, ARGP_NO_HELP | ARGP_NO_EXIT, NULL, input);
    stderr = real;
    fclose(captured);
    return rc;
}

int app_options_parse(
    const struct argp *argp, int argc, char **argv, void *input, struct tern_error *err)
{
    char text[TERN_ERROR_TEXT_BYTES] = "";
    err->text[0] = '\0';
    const error_t rc = parse_captured(argp, argc, argv, input, text, sizeof text);
    if (rc == 0)
        return 0;
    if (rc == ECANCELED)
        return APP_HELP_GIVEN;
    if (err->text[0] != '\0')
        return -EINVAL;
    text[strcspn(text, "\n")] = '\0';
    const char *command = argv[0] + strlen("tern ");
    const char *cause =
        strncmp(text, "tern ", strlen("tern ")) == 0 ? text + strlen("tern ") : text;
    return app_refuse(err, "%.300s; type 'tern help %s'",
        cause[0] != '\0' ? cause : "the line cannot be read", command);
}

void app_options_apply(
    const struct app_options *o, struct tern_config *cfg, struct tern_endpoint_config *ep)
{
    cfg->lcores = o->lcores;
    cfg->no_huge = o->no_huge;
    if (o->moderation_ns != UINT64_MAX)
        cfg->moderation_ns = (uint32_t)o->moderation_ns;
    ep->n_workers = o->n_workers;
    ep->n_queues = o->n_queues;
    ep->no_offload = o->no_offload;
    ep->static_bytes = STATIC_BYTES;
    ep->stack = o->stack;
    if (o->time_wait_ms != 0)
        ep->stack.time_wait_ms = o->time_wait_ms;
    if (o->rcv_buf_bytes != 0)
        ep->stack.rcv_buf_bytes = ep->stack.rcv_buf_max_bytes = o->rcv_buf_bytes;
    if (o->snd_buf_bytes != 0)
        ep->stack.snd_buf_bytes = o->snd_buf_bytes;
    if (o->conns_max != 0)
        ep->stack.conns_max = ep->stack.time_wait_max = o->conns_max;
}
