/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands. DPDK runs each in the thread of the client that asks, so an answer is made under a
 * lock that engines take to appear and to vanish, and while it is held the shown engine lives.
 *
 * Counters are read as anyone reads them, and no worker notices. Connections are looked at by their
 * workers (tern_engine_call): a little in each poll, copied out, and put into words here. An answer
 * holds CONNS_A_PAGE of them, as DPDK's have 16 KiB at most and would lose what is beyond in
 * silence, and the number of the place to go on from. It may hold fewer, or none, where time was
 * up.
 *
 * DPDK answers a failed command with null; so that a refusal can say why, it is an answer:
 * {"error": "…"}.
 */
#include "telemetry.h"

#include "conn_query.h"
#include "error.h"
#include "internal.h"

#include <rte_cycles.h>
#include <rte_telemetry.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNS_A_PAGE = 16, /* of at most some 900 bytes */
    CONNS_A_POLL = 8,
    PLACES_A_POLL = 640, /* of the table: 64 lines */
    CALL_MS = 100,       /* a worker polls ten thousand times in it */
    PAGE_MS = 500,
    PLACE_BITS = 40, /* of a cursor; above them the worker in the row of all, counted from 1 */
    PERMILLE = 1000,
    NUMBER_BYTES = 4, /* an endpoint's, or a connection's in its page, as text */
};

static struct {
    pthread_mutex_t lock;
    struct tern_engine *engine; /* NULL: none runs */
} shown = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- building an answer ---- */

/** It may quote what was typed: only what any terminal shows gets through. */
static int say_error(struct rte_tel_data *out, const char *text)
{
    char plain[RTE_TEL_MAX_STRING_LEN];
    snprintf(plain, sizeof plain, "%.*s", (int)sizeof plain - 1, text);
    for (char *p = plain; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    rte_tel_data_start_dict(out);
    return rte_tel_data_add_dict_string(out, "error", plain);
}

/** The process starts, or ends: who watches it need not take this for a failure. */
static int say_gone(struct rte_tel_data *out)
{
    say_error(out, "no engine runs in this process now");
    return rte_tel_data_add_dict_u64(out, "gone", 1);
}

/** A dictionary inside another; filled after it was added. @return NULL: no memory */
static struct rte_tel_data *add_dict(struct rte_tel_data *out, const char *name)
{
    struct rte_tel_data *inner = rte_tel_data_alloc();
    if (inner == NULL)
        return NULL;
    rte_tel_data_start_dict(inner);
    if (rte_tel_data_add_dict_container(out, name, inner, 0) == 0)
        return inner;
    rte_tel_data_free(inner);
    return NULL;
}

static const char *nth_name(char name[NUMBER_BYTES], uint32_t i)
{
    snprintf(name, NUMBER_BYTES, "%u", i % PERMILLE);
    return name;
}

/* ---- /tern/info ---- */

struct column {
    const char *name;
    uint64_t (*of)(const struct tern_worker_info *w);
};

static uint64_t cpu_of(const struct tern_worker_info *w)
{
    return w->cpu;
}

static uint64_t busy_of(const struct tern_worker_info *w)
{
    return (uint64_t)(w->busy * PERMILLE);
}

static uint64_t busy_cycles_of(const struct tern_worker_info *w)
{
    return w->busy_cycles;
}

static uint64_t total_cycles_of(const struct tern_worker_info *w)
{
    return w->total_cycles;
}

static uint64_t rx_of(const struct tern_worker_info *w)
{
    return w->rx_packets;
}

static uint64_t tx_of(const struct tern_worker_info *w)
{
    return w->tx_packets;
}

/** Of each worker, in their order. */
static const struct column columns[] = {
    {"cpu", cpu_of},
    {"busy_permille", busy_of},
    {"busy_cycles", busy_cycles_of},
    {"total_cycles", total_cycles_of},
    {"rx_packets", rx_of},
    {"tx_packets", tx_of},
};

static void add_column(
    struct rte_tel_data *out, const struct tern_engine *e, uint32_t ep, const struct column *c)
{
    struct rte_tel_data *array = rte_tel_data_alloc();
    if (array == NULL)
        return;
    rte_tel_data_start_array(array, RTE_TEL_U64_VAL);
    for (uint32_t w = 0; w < tern_engine_n_workers(e, ep); w++) {
        struct tern_worker_info info;
        tern_engine_worker(e, ep, w, &info);
        rte_tel_data_add_array_u64(array, c->of(&info));
    }
    if (rte_tel_data_add_dict_container(out, c->name, array, 0) != 0)
        rte_tel_data_free(array);
}

static void add_endpoint(struct rte_tel_data *out, const struct tern_engine *e, uint32_t i)
{
    const struct tern_endpoint *ep = &e->endpoints[i];
    char name[NUMBER_BYTES];
    struct rte_tel_data *d = add_dict(out, nth_name(name, i));
    if (d == NULL)
        return;
    rte_tel_data_add_dict_string(d, "device", ep->cfg.device);
    rte_tel_data_add_dict_string(d, "driver", ep->port.driver);
    rte_tel_data_add_dict_u64(d, "mtu_bytes", ep->port.mtu_bytes);
    rte_tel_data_add_dict_u64(d, "rx_queues", ep->port.n_rxq);
    rte_tel_data_add_dict_u64(d, "tx_queues", ep->port.n_txq);
    rte_tel_data_add_dict_u64(d, "workers", ep->cfg.n_workers);
    for (size_t c = 0; c < RTE_DIM(columns); c++)
        add_column(d, e, i, &columns[c]);
}

static int answer_info(struct tern_engine *e, const char *params, struct rte_tel_data *out)
{
    if (params != NULL)
        return say_error(out, "no parameters are taken; type /tern/info");
    const uint64_t now_ns = tern_clock_ns(&e->clock, rte_rdtsc());
    rte_tel_data_start_dict(out);
    rte_tel_data_add_dict_u64(out, "pid", (uint64_t)getpid());
    rte_tel_data_add_dict_u64(out, "uptime_ms", (now_ns - TERN_CLOCK_START_NS) / 1000000);
    rte_tel_data_add_dict_u64(out, "endpoints", e->n_endpoints);
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        add_endpoint(out, e, i);
    return 0;
}

/* ---- /tern/stats, /tern/drops ---- */

/** The endpoint whose counters are asked for: "1", or nothing, which is 0. @return false: refused
 */
static bool read_endpoint(
    const struct tern_engine *e, const char *params, struct rte_tel_data *out, struct tern_stats *s)
{
    uint64_t ep = 0;
    char why[96];
    if (params == NULL || tern_query_number(params, e->n_endpoints - 1, &ep)) {
        tern_engine_stats(e, (uint32_t)ep, s);
        return true;
    }
    snprintf(
        why, sizeof why, "%.20s is no endpoint; there are 0 to %u", params, e->n_endpoints - 1);
    say_error(out, why);
    return false;
}

static void add_closes(
    struct rte_tel_data *out, const char *name, const uint64_t n[TERN_CLOSE_COUNT])
{
    struct rte_tel_data *d = add_dict(out, name);
    for (int i = 0; d != NULL && i < TERN_CLOSE_COUNT; i++)
        rte_tel_data_add_dict_u64(d, tern_close_name((enum tern_close_reason)i), n[i]);
}

static int answer_stats(struct tern_engine *e, const char *params, struct rte_tel_data *out)
{
    struct tern_stats s;
    if (!read_endpoint(e, params, out, &s))
        return 0;
    rte_tel_data_start_dict(out);
#define ADD_STAT(name) rte_tel_data_add_dict_u64(out, #name, s.name);
    TERN_STAT_LIST(ADD_STAT)
#undef ADD_STAT
    rte_tel_data_add_dict_u64(out, "open_now", s.open_now);
    rte_tel_data_add_dict_u64(out, "opening_now", s.opening_now);
    add_closes(out, "active_failed", s.active_failed);
    add_closes(out, "closed", s.closed);
    return 0;
}

static int answer_drops(struct tern_engine *e, const char *params, struct rte_tel_data *out)
{
    struct tern_stats s;
    if (!read_endpoint(e, params, out, &s))
        return 0;
    rte_tel_data_start_dict(out);
    for (int i = TERN_DROP_NONE + 1; i < TERN_DROP_COUNT; i++)
        rte_tel_data_add_dict_u64(out, tern_drop_name((enum tern_drop)i), s.drops[i]);
    return 0;
}

/* ---- /tern/conns ---- */

/** A page in the making: the worker that looks writes it, while the asker waits. */
struct page {
    struct tern_conn_query query;
    struct tern_walk walk; /* over the worker's table */
    bool is_over;          /* that has been seen to its end */
    uint32_t n;
    struct {
        struct tern_conn_info info;
        uint32_t ep, worker;
    } conns[CONNS_A_PAGE];
};

/** A poll's share, on the worker's thread. */
static bool look_around(struct tern_shard *sh, void *ctx)
{
    struct page *p = (struct page *)ctx;
    struct tern_conn_info infos[CONNS_A_POLL];
    uint32_t n_found;
    const uint32_t n_max = RTE_MIN((uint32_t)CONNS_A_POLL, CONNS_A_PAGE - p->n);
    p->is_over = !tern_shard_walk(sh, &p->walk, PLACES_A_POLL, infos, n_max, &n_found);
    for (uint32_t i = 0; i < n_found; i++)
        if (tern_conn_query_takes(&p->query, &infos[i]))
            p->conns[p->n++].info = infos[i];
    return p->is_over || p->n == CONNS_A_PAGE;
}

/** The k-th worker of all. @return false: there is none */
static bool nth_worker(const struct tern_engine *e, uint64_t k, uint32_t *ep, uint32_t *worker)
{
    for (*ep = 0; *ep < e->n_endpoints; ++*ep) {
        const uint32_t n = tern_engine_n_workers(e, *ep);
        if (k < n) {
            *worker = (uint32_t)k;
            return true;
        }
        k -= n;
    }
    return false;
}

/** Have one worker look. @return whether to go on with the next */
static bool ask_worker(struct tern_engine *e, uint32_t ep, uint32_t worker, struct page *p)
{
    const uint32_t n_before = p->n;
    const int rc = tern_engine_call(e, ep, worker, look_around, p, CALL_MS);
    for (uint32_t i = n_before; i < p->n; i++) {
        p->conns[i].ep = ep;
        p->conns[i].worker = worker;
    }
    return rc == -ESHUTDOWN || (rc == 0 && p->is_over);
}

/** Fill the page. @return where to go on; 0: that was all */
static uint64_t fill(struct tern_engine *e, struct page *p)
{
    const uint64_t end = rte_rdtsc() + rte_get_tsc_hz() * PAGE_MS / 1000;
    const uint64_t from = RTE_MAX(p->query.from, UINT64_C(1) << PLACE_BITS);
    uint64_t k = (from >> PLACE_BITS) - 1;
    uint32_t ep, worker;
    p->walk = (struct tern_walk){from & ((UINT64_C(1) << PLACE_BITS) - 1), p->query.states};
    for (; nth_worker(e, k, &ep, &worker); k++, p->walk.at = 0)
        if (!ask_worker(e, ep, worker, p) || rte_rdtsc() >= end)
            return (k + 1) << PLACE_BITS | p->walk.at;
    return 0;
}

static const char *cc_name(uint8_t cc)
{
    static const char *const names[TERN_CC_COUNT] = {
        [TERN_CC_CUBIC] = "cubic",
        [TERN_CC_NEWRENO] = "newreno",
        [TERN_CC_BBR] = "bbr",
        [TERN_CC_DCTCP] = "dctcp",
    };
    return cc < TERN_CC_COUNT ? names[cc] : "unknown";
}

static void add_addr(struct rte_tel_data *d, const char *name, const union tern_addr *a)
{
    char text[TERN_ADDR_TEXT_BYTES];
    rte_tel_data_add_dict_string(d, name, tern_addr_format(a, text));
}

/* The numbers of a connection as struct tern_conn_info has them. */
// clang-format off
#define CONN_NUMBERS(X) \
    X(lport) X(rport) X(timestamps) X(sack) X(window_scale) X(ecn) X(snd_wscale) X(rcv_wscale) X(mss_bytes) \
    X(srtt_us) X(rttvar_us) X(min_rtt_us) X(rto_us) X(recovering) X(cwnd_bytes) X(ssthresh_bytes) \
    X(pipe_bytes) X(pacing_bytes_per_s) X(snd_wnd_bytes) X(rcv_wnd_bytes) X(rcv_buf_bytes) \
    X(unacked_bytes) X(queued_bytes) X(unread_bytes) X(unanswered) X(timer_us)
// clang-format on

static void add_conn(struct rte_tel_data *out, const struct page *p, uint32_t i)
{
    char name[NUMBER_BYTES];
    const struct tern_conn_info *c = &p->conns[i].info;
    struct rte_tel_data *d = add_dict(out, nth_name(name, i));
    if (d == NULL)
        return;
    rte_tel_data_add_dict_u64(d, "endpoint", p->conns[i].ep);
    rte_tel_data_add_dict_u64(d, "worker", p->conns[i].worker);
    rte_tel_data_add_dict_string(d, "state", tern_state_name(c->state));
    rte_tel_data_add_dict_string(d, "cc", cc_name(c->cc));
    rte_tel_data_add_dict_string(d, "timer", tern_timer_name(c->timer));
    add_addr(d, "local", &c->local);
    add_addr(d, "remote", &c->remote);
#define ADD_NUMBER(field) rte_tel_data_add_dict_u64(d, #field, c->field);
    CONN_NUMBERS(ADD_NUMBER)
#undef ADD_NUMBER
}

static int answer_conns(struct tern_engine *e, const char *params, struct rte_tel_data *out)
{
    struct page p = {.n = 0};
    struct tern_error err;
    if (tern_conn_query_parse(params, &p.query, &err) != 0)
        return say_error(out, err.text);
    const uint64_t next = fill(e, &p);
    rte_tel_data_start_dict(out);
    if (next != 0)
        rte_tel_data_add_dict_u64(out, "next", next);
    struct rte_tel_data *conns = add_dict(out, "conns");
    for (uint32_t i = 0; conns != NULL && i < p.n; i++)
        add_conn(conns, &p, i);
    return 0;
}

/* ---- what DPDK calls ---- */

static const struct command {
    const char *name;
    int (*answer)(struct tern_engine *e, const char *params, struct rte_tel_data *out);
    const char *help;
} commands[] = {
    {"/tern/info", answer_info, "The engine, its endpoints and workers. No parameters."},
    {"/tern/stats", answer_stats, "Counters of an endpoint. Parameter: its number, 0 by default."},
    {"/tern/drops", answer_drops,
        "Packets dropped at an endpoint, by reason. Parameter: its number, 0 by default."},
    {"/tern/conns", answer_conns,
        "A page of connections. Parameters: state=NAME, addr=ADDR[/LEN], port=N, from=NEXT."},
};

/** One for all: the name is the first parameter. */
static int on_command(const char *name, const char *params, struct rte_tel_data *out)
{
    int rc = -ENOENT;
    pthread_mutex_lock(&shown.lock);
    if (shown.engine == NULL)
        rc = say_gone(out);
    for (size_t i = 0; shown.engine != NULL && i < RTE_DIM(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            rc = commands[i].answer(shown.engine, params, out);
    pthread_mutex_unlock(&shown.lock);
    return rc;
}

void tern_telemetry_register(void)
{
    static bool is_done;
    for (size_t i = 0; !is_done && i < RTE_DIM(commands); i++)
        rte_telemetry_register_cmd(commands[i].name, on_command, commands[i].help);
    is_done = true;
}

/* ---- which engine ---- */

void tern_telemetry_show(struct tern_engine *e)
{
    pthread_mutex_lock(&shown.lock);
    shown.engine = e;
    pthread_mutex_unlock(&shown.lock);
}

void tern_telemetry_hide(const struct tern_engine *e)
{
    pthread_mutex_lock(&shown.lock);
    if (shown.engine == e)
        shown.engine = NULL;
    pthread_mutex_unlock(&shown.lock);
}
