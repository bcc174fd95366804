/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes. A worker's table holds what the user lets it have open. TIME-WAIT lasts longer than the
 * connection, so its records are counted by rate times length where a rate is given, and otherwise
 * generously: a record is 64 bytes, and one too few cuts a TIME-WAIT short. There are never more
 * than ports on our addresses, as the target is one.
 */
#include "options.h"

#include "../addresses.h"
#include "../error.h"
#include "../value.h"

#include <string.h>

enum {
    CONNS_PER_WORKER = 64,
    CONNS_MAX_MIN = 1024,        /**< room a worker has at least */
    CONNS_MAX_OPEN_LOOP = 65536, /**< what a rate may have open without --conns, a worker */
    TIME_WAITS_CLOSED_LOOP = 1 << 21,
    TIME_WAITS_MAX = 1 << 24,
    PORTS = 64512,               /**< ephemeral ports of one address: 1024..65535 */
    STREAMS_IN_TIME_WAIT = 1024, /**< for each that is open: --bytes may make them short */
    ECHO_BYTES = 1024,
    ECHO_BYTES_MAX = 1 << 30,
    REQUESTS_MAX = 1 << 30,
    HELD_TIME_WAITS_MAX = 1 << 19,
    HELD_SENDING_MAX = 1024,
    STREAM_BUF_BYTES = 4 << 20,   /**< what one stream may have in flight */
    STREAM_BUFS_BYTES = 16 << 20, /**< what all of them may */
    STREAM_BUF_BYTES_MIN = 64 << 10,
};
#define BYTES_MAX (UINT64_C(1) << 50)

enum {
    OPT_SCENARIO = APP_OPT_LOAD,
    OPT_RATE,
    OPT_CONNS,
    OPT_COUNT,
    OPT_BYTES,
    OPT_REQUESTS,
    OPT_DIRECTION,
    OPT_VERIFY,
};

// clang-format off
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Load:", 5},
    {"scenario", OPT_SCENARIO, "NAME", 0, "handshake, http, echo, stream or hold (default handshake; with a URL http)", 0},
    {"conns", OPT_CONNS, "N", 0, "connections open at a time, over all workers (default 64 a worker, of streams one; with --rate no such limit); hold: that are opened and held", 0},
    {"rate", OPT_RATE, "N", 0, "connections a second, over all workers, evenly paced (default: as fast as --conns allows)", 0},
    {"count", OPT_COUNT, "N", 0, "stop after exactly N connections", 0},
    {"bytes", OPT_BYTES, "N", 0, "echo: bytes of a request, which come back (default 1024); stream: bytes of a connection each way (default: until the time is over)", 0},
    {"requests", OPT_REQUESTS, "N", 0, "echo: requests of a connection, each sent when the one before is answered; 0: until the run ends (default 1)", 0},
    {"direction", OPT_DIRECTION, "WAY", 0, "stream: up to a sink, down from a source, or both at once (default up)", 0},
    {"verify", OPT_VERIFY, NULL, 0, "stream: compare what is received with the pattern that tern sends", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static int parse_direction(const char *arg, struct app_load_options *o)
{
    o->has_direction = true;
    return app_stream_direction_find(arg, &o->stream.direction, o->err);
}

static int parse_requests(const char *arg, struct app_load_options *o)
{
    o->has_requests = true;
    return app_value_u64("--requests", arg, 0, REQUESTS_MAX, &o->requests, o->err);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct app_load_options *o = state->input;
    switch (key) {
    case OPT_SCENARIO: return app_scenario_find(arg, &o->scenario, o->err);
    case OPT_RATE: return app_value_u64("--rate", arg, 1, 1000000000, &o->rate, o->err);
    case OPT_CONNS: return app_value_u64("--conns", arg, 1, 1u << 28, &o->conns, o->err);
    case OPT_COUNT: return app_value_u64("--count", arg, 1, UINT64_C(1) << 48, &o->count, o->err);
    case OPT_BYTES: return app_value_u64("--bytes", arg, 1, BYTES_MAX, &o->bytes, o->err);
    case OPT_REQUESTS: return parse_requests(arg, o);
    case OPT_DIRECTION: return parse_direction(arg, o);
    case OPT_VERIFY: o->stream.verify = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp app_load_argp = {.options = options, .parser = parse};

void app_load_options_init(struct app_load_options *o, struct tern_error *err)
{
    *o = (struct app_load_options){.requests = 1, .err = err};
}

static bool is_stream(const struct app_load_options *o)
{
    return o->scenario == &app_scenario_stream;
}

/* A number of bytes without a duration is a number of transfers, not a load that goes on. */
static int check_stream(
    struct app_load_options *o, const struct app_options *common, struct tern_error *err)
{
    if (o->count != 0 && o->bytes == 0 && common->duration_ns == 0)
        return app_refuse(err,
            "--count: a stream without --bytes never ends by itself; add --bytes or --duration");
    o->stream.bytes = o->bytes;
    if (o->conns == 0 && o->rate == 0)
        o->conns = common->n_workers;
    if (o->bytes != 0 && o->count == 0 && o->rate == 0 && common->duration_ns == 0)
        o->count = o->conns;
    return 0;
}

/* What only another scenario knows is a mistake, not a thing to ignore. */
static int check_scenario(const struct app_load_options *o, struct tern_error *err)
{
    const char *name = o->scenario->name;
    if (o->has_direction)
        return app_refuse(
            err, "--direction: %s has none; leave it out, or type --scenario stream", name);
    if (o->stream.verify)
        return app_refuse(
            err, "--verify: %s has no such check; leave it out, or type --scenario stream", name);
    return 0;
}

/* Requests without a number go on until the time is over, so there must be one. */
static int check_requests(
    const struct app_load_options *o, const struct app_options *common, struct tern_error *err)
{
    if (o->has_requests && o->scenario != &app_scenario_echo)
        return app_refuse(err,
            "--requests: %s has no such number; leave it out, or type --scenario echo",
            o->scenario->name);
    if (!is_stream(o) && o->bytes > ECHO_BYTES_MAX)
        return app_refuse(err, "--bytes: more than 1Gi to echo; type 1..1Gi");
    if (o->requests == 0 && o->count != 0 && common->duration_ns == 0)
        return app_refuse(err,
            "--requests: without a number connections never end by themselves; add --duration, or "
            "leave --count out");
    return 0;
}

int app_load_options_check(
    struct app_load_options *o, const struct app_options *common, struct tern_error *err)
{
    const uint32_t n_workers = common->n_workers;
    if (o->scenario->holds && o->count != 0)
        return app_refuse(err, "--count: hold opens as many as it holds; type --conns");
    int rc = is_stream(o) ? check_stream(o, common, err) : check_scenario(o, err);
    if (rc == 0)
        rc = check_requests(o, common, err);
    if (rc != 0)
        return rc;
    if (o->conns != 0 && o->conns < n_workers)
        return app_refuse(err,
            "--conns: %u is less than one for each of %u workers; type %u, or fewer --workers",
            (unsigned)o->conns, n_workers, n_workers);
    return 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t within(uint64_t value, uint64_t min, uint64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* Connections that may be open at a time, over all workers. */
static uint64_t conns_of(
    const struct app_load_options *o, const struct app_options *common, uint32_t n_workers)
{
    if (o->conns != 0)
        return o->conns;
    if (o->rate == 0)
        return (uint64_t)CONNS_PER_WORKER * n_workers;
    return (uint64_t)(common->conns_max != 0 ? common->conns_max : CONNS_MAX_OPEN_LOOP) * n_workers;
}

/* A quarter of room beyond the even share: a worker that is behind may hold more. */
static uint64_t with_slack(uint64_t all, uint32_t n_workers)
{
    return all / n_workers + all / n_workers / 4 + 1;
}

/* What is held decides the memory: as little as may be beside it. A worker's share of what it opens
 * is exact; idle connections send nothing; and as many may be in TIME-WAIT as close in a second or
 * two.
 */
static void size_for_holding(uint64_t conns, struct tern_endpoint_config *ep)
{
    struct tern_stack_config *s = &ep->stack;
    const uint64_t each = (conns + ep->n_workers - 1) / ep->n_workers;
    s->conns_max = (uint32_t)within(each, CONNS_MAX_MIN, 1u << 28);
    s->time_wait_max = (uint32_t)within(each, CONNS_MAX_MIN, HELD_TIME_WAITS_MAX);
    s->sending_max = HELD_SENDING_MAX;
    s->sent_max = HELD_SENDING_MAX;
}

static void size_tables(const struct app_load_options *o, const struct app_options *common,
    uint64_t conns, uint32_t n_sources, struct tern_endpoint_config *ep)
{
    struct tern_stack_config *s = &ep->stack;
    if (common->conns_max != 0)
        return;
    s->conns_max = (uint32_t)within(with_slack(conns, ep->n_workers), CONNS_MAX_MIN, 1u << 28);
    uint64_t waits = lesser(TIME_WAITS_CLOSED_LOOP, (uint64_t)n_sources * PORTS);
    if (o->rate != 0)
        waits = lesser(o->rate * s->time_wait_ms / 1000, (uint64_t)n_sources * PORTS);
    if (o->count != 0 || is_stream(o))
        waits = lesser(waits, o->count != 0 ? o->count : conns * STREAMS_IN_TIME_WAIT);
    s->time_wait_max =
        (uint32_t)within(with_slack(waits, ep->n_workers), CONNS_MAX_MIN, TIME_WAITS_MAX);
    if (o->scenario->holds)
        size_for_holding(conns, ep);
}

/* A stream's buffers, where the user says nothing: one connection fills what a fast link holds, and
 * many together no more than the rings of a pair can. */
static void size_buffers(const struct app_load_options *o, const struct app_options *common,
    uint64_t conns, struct tern_stack_config *s)
{
    if (!is_stream(o))
        return;
    const uint32_t bytes =
        (uint32_t)within(STREAM_BUFS_BYTES / conns, STREAM_BUF_BYTES_MIN, STREAM_BUF_BYTES);
    if (common->rcv_buf_bytes == 0)
        s->rcv_buf_bytes = bytes;
    if (common->snd_buf_bytes == 0)
        s->snd_buf_bytes = bytes;
}

/* The own addresses of the target's family, moved to the front. @return how many */
static uint32_t gather_sources(struct tern_stack_config *s, const union tern_addr *target)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_addrs; i++)
        if (app_addresses_same_family(&s->addrs[i].addr, target)) {
            const struct tern_prefix source = s->addrs[i];
            s->addrs[i] = s->addrs[n];
            s->addrs[n++] = source;
        }
    return n;
}

void app_load_options_apply(const struct app_load_options *o, const struct app_options *common,
    const struct app_target *target, struct tern_endpoint_config *ep, struct app_load *load)
{
    const uint64_t conns = conns_of(o, common, ep->n_workers);
    const uint32_t n_sources = gather_sources(&ep->stack, &target->addr);
    size_tables(o, common, conns, n_sources, ep);
    size_buffers(o, common, conns, &ep->stack);
    memset(load, 0, sizeof *load);
    load->cfg = (struct app_load_config){
        .scenario = o->scenario,
        .target = target->addr,
        .port = target->port,
        .n_ports = 1,
        .sources = ep->stack.addrs,
        .n_sources = n_sources,
        .n_workers = ep->n_workers,
        .rate = o->rate,
        .conns = conns,
        .count = o->count,
        .echo_bytes = o->bytes != 0 ? o->bytes : ECHO_BYTES,
        .requests = o->requests,
        .stream = o->stream,
        .body_bytes = -1,
    };
}

uint64_t app_load_duration(
    const struct app_load_options *o, const struct app_options *common, uint32_t default_s)
{
    if (common->duration_ns != 0 || o->count != 0)
        return common->duration_ns;
    return default_s * UINT64_C(1000000000);
}
