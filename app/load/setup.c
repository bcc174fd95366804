/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes. A worker's table holds what the user lets it have open. TIME-WAIT lasts longer than the
 * connection, so its records are counted by rate times length where a rate is given, and otherwise
 * generously: a record is 64 bytes, and one too few cuts a TIME-WAIT short. There are never more
 * than ports on our addresses for each port of a target.
 */
#include "setup.h"

#include "../addresses.h"
#include "../error.h"
#include "echo_request.h"

#include <string.h>
#include <unistd.h>

enum {
    CONNS_PER_WORKER = 64,
    CONNS_MAX_MIN = 1024,        /**< room a worker has at least */
    CONNS_MAX_OPEN_LOOP = 65536, /**< what a rate may have open without --conns, a worker */
    TIME_WAITS_CLOSED_LOOP = 1 << 21,
    TIME_WAITS_MAX = 1 << 24,
    SOURCES_COUNTED = 1 << 20,   /**< more make no table larger */
    PORTS = 64512,               /**< ephemeral ports of one address: 1024..65535 */
    STREAMS_IN_TIME_WAIT = 1024, /**< for each that is open: --bytes may make them short */
    ECHO_BYTES = 1024,
    TICK_BYTES = 64,
    HOLD_IN_CHURN_NS = 1000000000,
    STREAM_BYTES_IN_CHURN = 1 << 20,
    REQUESTS_IN_CHURN = 10,
    STATIC_BYTES = 1 << 20, /**< of a further scenario's bodies on a worker, beside requests */
    HELD_TIME_WAITS_MAX = 1 << 19,
    HELD_SENDING_MAX = 1024,
    TICKING_SENDING_MAX = 1 << 16, /**< ticks may be under way on many at a time */
    STREAM_BUF_BYTES = 4 << 20,    /**< what one stream may have in flight */
    STREAM_BUFS_BYTES = 16 << 20,  /**< what all of them may */
    STREAM_BUF_BYTES_MIN = 64 << 10,
};

/* ---- which scenarios ---- */

static bool is_churn(const struct app_settings *o)
{
    return o->scenario == &app_scenario_churn;
}

uint32_t app_load_n_scenarios(const struct app_settings *o)
{
    return is_churn(o) ? o->mix.n : 1;
}

const struct app_scenario *app_load_scenario(const struct app_settings *o, uint32_t i)
{
    const struct app_scenario *s = is_churn(o) ? o->mix.of[i].scenario : o->scenario;
    const bool is_idle = o->tick_ns == 0 && !is_churn(o);
    return s == &app_scenario_hold && !is_idle ? &app_scenario_hold_ticking : s;
}

/* It is the scenario, or one of the mix. */
static bool runs(const struct app_settings *o, const struct app_scenario *s)
{
    for (uint32_t i = 0; i < app_load_n_scenarios(o); i++)
        if (app_load_scenario(o, i) == s)
            return true;
    return false;
}

static bool asks(const struct app_settings *o)
{
    return runs(o, &app_scenario_http) || runs(o, &app_scenario_http_keepalive);
}

static bool is_stream(const struct app_settings *o)
{
    return o->scenario == &app_scenario_stream;
}

/* ---- what fits together ---- */

/* A number of bytes without a duration is a number of transfers, not a load that goes on. */
static int check_stream(struct app_settings *o, struct tern_error *err)
{
    if (o->count != 0 && o->bytes == 0 && o->duration_ns == 0)
        return app_refuse(err,
            "--count: a stream without --bytes never ends by itself; add --bytes or --duration");
    o->stream.bytes = o->bytes;
    if (o->conns == 0 && o->rate == 0)
        o->conns = o->n_workers;
    if (o->bytes != 0 && o->count == 0 && o->rate == 0 && o->duration_ns == 0)
        o->count = o->conns;
    return 0;
}

/* What only another scenario knows is a mistake, not a thing to ignore. */
static int check_scenario(const struct app_settings *o, struct tern_error *err)
{
    const char *name = o->scenario->name;
    if (runs(o, &app_scenario_stream))
        return 0;
    if (app_settings_has(o, "direction"))
        return app_refuse(
            err, "--direction: %s has none; leave it out, or type --scenario stream", name);
    if (o->stream.verify)
        return app_refuse(
            err, "--verify: %s has no such check; leave it out, or type --scenario stream", name);
    return 0;
}

/* The options of HTTP, for others. */
static int check_http(const struct app_settings *o, struct tern_error *err)
{
    static const char *const options[] = {
        "method", "header", "body", "host", "request-file", "expect", "expect-body", "pipeline"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (!asks(o) && app_settings_has(o, options[i]))
            return app_refuse(err,
                "--%s: %s asks nothing over HTTP; leave it out, or type --scenario http",
                options[i], o->scenario->name);
    return 0;
}

/* Of a connection. Where nothing is said, an echo is one, and a connection that is kept goes on. */
static uint64_t requests_of(const struct app_settings *o, const struct app_scenario *s)
{
    if (s != &app_scenario_http_keepalive || app_settings_has(o, "requests"))
        return o->requests;
    return is_churn(o) ? REQUESTS_IN_CHURN : 0;
}

/* Requests without a number go on until the time is over, so there must be one. */
static int check_requests(const struct app_settings *o, struct tern_error *err)
{
    const bool has_requests = runs(o, &app_scenario_echo) || runs(o, &app_scenario_http_keepalive);
    if (app_settings_has(o, "requests") && !has_requests)
        return app_refuse(err,
            "--requests: %s has no such number; leave it out, or type --scenario http-keepalive or "
            "echo",
            o->scenario->name);
    if (app_settings_has(o, "pipeline") && !runs(o, &app_scenario_http_keepalive))
        return app_refuse(err,
            "--pipeline: %s has one request under way; leave it out, or type --scenario "
            "http-keepalive",
            o->scenario->name);
    if (!is_stream(o) && o->bytes > APP_ECHO_BYTES_MAX)
        return app_refuse(err, "--bytes: more than 1Gi to echo; type 1..1Gi");
    if (requests_of(o, o->scenario) == 0 && o->count != 0 && o->duration_ns == 0)
        return app_refuse(err,
            "--requests: without a number connections never end by themselves; add --duration, or "
            "leave --count out");
    return 0;
}

static int check_hold(const struct app_settings *o, struct tern_error *err)
{
    const char *name = o->scenario->name;
    if (o->ramp_ns != 0 && o->scenario->holds)
        return app_refuse(err, "--ramp: hold opens as fast as it goes; leave it out");
    if (o->scenario->holds && o->count != 0)
        return app_refuse(err, "--count: hold opens as many as it holds; type --conns");
    if (o->tick_ns != 0 && !runs(o, &app_scenario_hold_ticking))
        return app_refuse(
            err, "--tick: %s holds nothing; leave it out, or type --scenario hold", name);
    if (o->hold_ns != 0 && !(is_churn(o) && runs(o, &app_scenario_hold_ticking)))
        return app_refuse(err,
            "--hold-for: %s does not let go before the end; leave it out, or type --scenario churn "
            "with a hold in --mix",
            name);
    return 0;
}

static int check_mix(const struct app_settings *o, struct tern_error *err)
{
    if (is_churn(o) && o->mix.n == 0)
        return app_refuse(
            err, "--scenario: churn of what? add --mix, such as --mix http:80,stream:15,hold:5");
    if (!is_churn(o) && o->mix.n != 0)
        return app_refuse(err, "--mix: %s is one scenario; leave it out, or type --scenario churn",
            o->scenario->name);
    return 0;
}

int app_load_check(struct app_settings *o, struct tern_error *err)
{
    const uint32_t n_workers = o->n_workers;
    int rc = check_mix(o, err);
    if (rc == 0)
        rc = check_hold(o, err);
    if (rc == 0)
        rc = is_stream(o) ? check_stream(o, err) : check_scenario(o, err);
    if (rc == 0)
        rc = check_requests(o, err);
    if (rc == 0)
        rc = check_http(o, err);
    if (rc == 0)
        rc = app_goal_check(o, err);
    if (rc != 0)
        return rc;
    if (o->conns != 0 && o->conns < n_workers)
        return app_refuse(err,
            "--conns: %u is less than one for each of %u workers; type %u, or fewer --workers",
            (unsigned)o->conns, n_workers, n_workers);
    return 0;
}

struct app_load_target app_load_target_of(const struct app_target *t)
{
    return (struct app_load_target){.addr = t->addr, .port = t->port, .n_ports = t->n_ports};
}

/* Every target is asked the same. */
static int check_alike(const struct app_settings *s, const struct app_target *first,
    const struct app_target *t, struct tern_error *err)
{
    if (!app_addresses_same_family(&first->addr, &t->addr))
        return app_refuse(err,
            "load: '%.60s' and '%.60s' are not of one family; type IPv4 or IPv6 alone", first->text,
            t->text);
    if (strcmp(first->path, t->path) != 0 || first->is_http != t->is_http)
        return app_refuse(err,
            "load: '%.60s' and '%.60s' do not ask the same; type one path, or two loads",
            first->text, t->text);
    if (t->is_http && s->http.request.host == NULL && s->http.request.file == NULL)
        return app_refuse(err,
            "load: '%.60s' is a second target, and the request names one host; add --host NAME",
            t->text);
    return 0;
}

int app_load_read_targets(const struct app_settings *s, struct app_target *first,
    struct app_load_targets *all, struct tern_error *err)
{
    struct app_target t;
    int rc = app_target_parse(first, s->targets[0], err);
    all->n = 0;
    if (rc == 0)
        all->of[all->n++] = app_load_target_of(first);
    while (rc == 0 && all->n < s->n_targets) {
        rc = app_target_parse(&t, s->targets[all->n], err);
        if (rc == 0)
            rc = check_alike(s, first, &t, err);
        all->of[all->n++] = app_load_target_of(&t);
    }
    return rc;
}

int app_load_make_http(const struct app_settings *s, const struct app_target *target,
    struct app_http *http, struct tern_error *err)
{
    const bool ones = runs(s, &app_scenario_http), kept = runs(s, &app_scenario_http_keepalive);
    *http = (struct app_http){.body = NULL};
    return ones || kept ? app_http_make(http, &s->http, target, ones, kept, err) : 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t within(uint64_t value, uint64_t min, uint64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* --rate is of connections. */
static bool paces_starts(const struct app_settings *o)
{
    return (o->rate != 0 || o->goal.searches) && !o->scenario->paces_requests;
}

/* Connections that may be open at a time, over all workers. */
static uint64_t conns_of(const struct app_settings *o, uint32_t n_workers)
{
    if (o->conns != 0)
        return o->conns;
    if (!paces_starts(o))
        return (uint64_t)CONNS_PER_WORKER * n_workers;
    return (uint64_t)(o->conns_max != 0 ? o->conns_max : CONNS_MAX_OPEN_LOOP) * n_workers;
}

/* A quarter of room beyond the even share: a worker that is behind may hold more. */
static uint64_t with_slack(uint64_t all, uint32_t n_workers)
{
    return all / n_workers + all / n_workers / 4 + 1;
}

/* What is held decides the memory: as little as may be beside it. A worker's share of what it opens
 * is exact; idle connections send nothing, and few of those that tick send at a time; and as many
 * may be in TIME-WAIT as close in a second or two.
 */
static void size_for_holding(
    const struct app_settings *o, uint64_t conns, struct tern_endpoint_config *ep)
{
    struct tern_stack_config *s = &ep->stack;
    const uint64_t each = (conns + ep->n_workers - 1) / ep->n_workers;
    s->conns_max = (uint32_t)within(each, CONNS_MAX_MIN, 1u << 28);
    s->time_wait_max = (uint32_t)within(each, CONNS_MAX_MIN, HELD_TIME_WAITS_MAX);
    s->sending_max = o->tick_ns == 0
                         ? HELD_SENDING_MAX
                         : (uint32_t)within(each, HELD_SENDING_MAX, TICKING_SENDING_MAX);
    s->sent_max = s->sending_max;
}

/* Ports of all targets together. */
static uint64_t n_target_ports(const struct app_load_targets *targets)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < targets->n; i++)
        n += targets->of[i].n_ports;
    return n;
}

/* @param n_pairs  of an own address and a port of a target */
static void size_tables(
    const struct app_settings *o, uint64_t conns, uint64_t n_pairs, struct tern_endpoint_config *ep)
{
    struct tern_stack_config *s = &ep->stack;
    if (o->conns_max != 0)
        return;
    s->conns_max = (uint32_t)within(with_slack(conns, ep->n_workers), CONNS_MAX_MIN, 1u << 28);
    uint64_t waits = lesser(TIME_WAITS_CLOSED_LOOP, n_pairs * PORTS);
    if (paces_starts(o) && o->rate != 0)
        waits = lesser(o->rate * s->time_wait_ms / 1000, n_pairs * PORTS);
    if (o->count != 0 || is_stream(o))
        waits = lesser(waits, o->count != 0 ? o->count : conns * STREAMS_IN_TIME_WAIT);
    s->time_wait_max =
        (uint32_t)within(with_slack(waits, ep->n_workers), CONNS_MAX_MIN, TIME_WAITS_MAX);
    if (o->scenario->holds)
        size_for_holding(o, conns, ep);
}

/* A stream's buffers, where the user says nothing: one connection fills what a fast link holds, and
 * many together no more than the rings of a pair can. */
static void size_buffers(const struct app_settings *o, uint64_t conns, struct tern_stack_config *s)
{
    if (!is_stream(o))
        return;
    const uint32_t bytes =
        (uint32_t)within(STREAM_BUFS_BYTES / conns, STREAM_BUF_BYTES_MIN, STREAM_BUF_BYTES);
    if (o->rcv_buf_bytes == 0)
        s->rcv_buf_bytes = bytes;
    if (o->snd_buf_bytes == 0)
        s->snd_buf_bytes = bytes;
}

static void set_sources(const struct app_settings *o, const struct app_load_targets *targets,
    const struct tern_stack_config *s, struct app_load *load)
{
    load->sources = o->sources;
    if (load->sources.n == 0)
        app_sources_of_stack(&load->sources, s, tern_addr_is_v4(&targets->of[0].addr));
}

uint64_t app_load_n_sources(const struct app_load *load)
{
    const app_u128 n = app_sources_total(&load->sources);
    return n > SOURCES_COUNTED ? SOURCES_COUNTED : (uint64_t)n;
}

/* Which order it is, --seed decides, if it was said; else none is like another. */
static uint64_t draw_source_key(const struct app_settings *o)
{
    uint64_t key = o->stack.seed[0];
    if (!app_settings_has(o, "seed") && getentropy(&key, sizeof key) != 0)
        key = 0;
    return key;
}

/* One request that fits may go with the SYN (RFC 7413). */
static bool goes_early(const struct app_requests *asks, const struct tern_stack_config *s)
{
    return s->tfo_connect && asks->n == 1 && asks->of[0].n_bytes <= s->snd_buf_bytes;
}

/* What one scenario makes of the options. */
static void set_scenario(const struct app_settings *o, const struct app_scenario *s,
    const struct app_http *http, const struct tern_stack_config *stack, struct app_load_config *cfg)
{
    cfg->scenario = s;
    cfg->requests = requests_of(o, s);
    cfg->pipeline = o->http.pipeline;
    cfg->asks = &http->asks[s == &app_scenario_http_keepalive];
    cfg->early = s == &app_scenario_http && goes_early(cfg->asks, stack);
    cfg->expect = http->expect;
    cfg->echo_bytes = s->holds ? TICK_BYTES : ECHO_BYTES;
    if (o->bytes != 0)
        cfg->echo_bytes = o->bytes;
    cfg->tick_ns = o->tick_ns;
    cfg->hold_ns = o->hold_ns;
    cfg->stream = o->stream;
    cfg->stream.bytes = o->bytes;
    if (!is_churn(o)) /* else none may stay for ever */
        return;
    if (o->bytes == 0)
        cfg->stream.bytes = STREAM_BYTES_IN_CHURN;
    if (o->hold_ns == 0)
        cfg->hold_ns = HOLD_IN_CHURN_NS;
}

static void set_mix(const struct app_settings *o, const struct app_http *http,
    const struct tern_stack_config *stack, struct app_load *load)
{
    app_mix_make(&o->mix, &load->cfg, &load->mix);
    for (uint32_t i = 0; i < load->mix.n; i++)
        set_scenario(o, app_load_scenario(o, i), http, stack, &load->mix.of[i]);
    load->cfg.mix = &load->mix;
}

void app_load_set_up(const struct app_settings *o, const struct app_load_targets *targets,
    const struct app_http *http, struct tern_endpoint_config *ep, struct app_load *load)
{
    const uint64_t conns = conns_of(o, ep->n_workers);
    memset(load, 0, sizeof *load);
    set_sources(o, targets, &ep->stack, load);
    size_tables(o, conns, app_load_n_sources(load) * n_target_ports(targets), ep);
    size_buffers(o, conns, &ep->stack);
    ep->stack.nodelay |= o->http.pipeline > 1; /* a request does not wait for another's ACK */
    ep->static_bytes +=
        app_http_static_bytes(http) + (app_load_n_scenarios(o) - 1) * (uint64_t)STATIC_BYTES;
    load->cfg = (struct app_load_config){
        .targets = targets->of,
        .n_targets = targets->n,
        .random_targets = o->random_targets,
        .sources = &load->sources,
        .random_sources = o->random_sources,
        .source_key = draw_source_key(o),
        .n_workers = ep->n_workers,
        .rate = o->goal.searches && o->rate == 0 ? 1 : o->rate, /* the search sets it */
        .conns = conns,
        .count = o->count,
        .ramp_ns = o->ramp_ns,
        .no_times = o->no_latency,
    };
    set_scenario(
        o, is_churn(o) ? o->scenario : app_load_scenario(o, 0), http, &ep->stack, &load->cfg);
    if (is_churn(o))
        set_mix(o, http, &ep->stack, load);
}

uint64_t app_load_duration(const struct app_settings *o, uint32_t default_s)
{
    if (o->duration_ns != 0 || o->count != 0 || o->goal.searches)
        return o->duration_ns;
    return default_s * UINT64_C(1000000000);
}
