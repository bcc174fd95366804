/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fixed amount of work for one shard that is fed from memory, to have its instructions counted:
 *
 *     perf_work FIGURE N       do N of what FIGURE names
 *     perf_work --built-with   say what the count depends on besides tern
 *
 * Everything that could differ between two runs is fixed: seeds, addresses, the order of clients,
 * the time (1 µs a burst). The clients' side of the work is done between the calls into the shard,
 * so a counter that is on inside of those calls only (`instructions`, next to this file) sees tern
 * alone. Work that was not done, or done otherwise than told, ends in exit code 1 and no figure.
 */
#include "shard/shard.h"
#include "wire/build.h"
#include "wire/tcp_hdr.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_version.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BURST = 32,
    BURST_NS = 1000,
    N_MAX = 1 << 20,
    N_MBUFS = 4096,
    CACHED_MBUFS = 256,
    REQUEST_CONNS = 1024,
    REQUEST_BYTES = 64,
    TIME_WAIT_MS = 1,
    SERVER_PORT = 80,
    CLIENT_PORT_MIN = 1024,
    CLIENT_PORTS = 32768, /* of one client address */
    CLIENT_ISS = 1000,
    CLIENT_WND = 65535,
    CLIENT_TTL = 64,
};

/** One shard, and the other side of its wire. */
struct world {
    struct tern_shard *shard;
    struct rte_mempool *pool;
    struct tern_static *response;
    uint64_t now_ns;
    union tern_addr server, client_net;
};

/** Where a client's connection stands: its SND.NXT and RCV.NXT. */
struct client {
    uint32_t seq, ack;
};

static void die(const char *why)
{
    fprintf(stderr, "perf_work: %s\n", why);
    exit(1);
}

/* ---- the clients ---- */

static uint16_t client_port(uint32_t i)
{
    return (uint16_t)(CLIENT_PORT_MIN + i % CLIENT_PORTS);
}

static union tern_addr client_addr(const struct world *w, uint32_t i)
{
    union tern_addr a = w->client_net;
    a.b[15] = (uint8_t)(1 + i / CLIENT_PORTS);
    return a;
}

/** A segment of client `i` that carries `n_bytes` zeros, as a device hands it over. */
static struct rte_mbuf *segment(
    const struct world *w, uint32_t i, const struct client *c, uint8_t flags, uint16_t n_bytes)
{
    enum { HEADERS_BYTES = TERN_IP4_BYTES + TERN_TCP_BYTES };
    struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
    if (m == NULL)
        die("no packet buffers left: the shard keeps them");
    uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(HEADERS_BYTES + n_bytes));
    const union tern_addr src = client_addr(w, i);
    const struct tern_ip_fields ip = {
        .src = &src,
        .dst = &w->server,
        .l4_bytes = TERN_TCP_BYTES + n_bytes,
        .df = true,
        .ttl = CLIENT_TTL,
        .proto = TERN_IPPROTO_TCP,
    };
    const struct tern_tcp_fields tcp = {
        .sport = client_port(i),
        .dport = SERVER_PORT,
        .seq = {c->seq},
        .ack = {c->ack},
        .doff_bytes = TERN_TCP_BYTES,
        .flags = flags,
        .wnd = CLIENT_WND,
    };
    tern_build_ip4(at, &ip, true);
    tern_build_tcp(at + TERN_IP4_BYTES, &tcp);
    memset(at + HEADERS_BYTES, 0, n_bytes);
    m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    return m;
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t be;
    memcpy(&be, at, sizeof be);
    return rte_be_to_cpu_32(be);
}

/** Does this packet carry `flags`, and answer to client `i`? Then its sequence number is in *seq.
 */
static bool is_answer(const struct rte_mbuf *m, uint32_t i, uint8_t flags, uint32_t *seq)
{
    const uint8_t *tcp = rte_pktmbuf_mtod_offset(m, const uint8_t *, TERN_IP4_BYTES);
    const uint16_t port = (uint16_t)(tcp[TERN_TCP_OFF_DPORT] << 8 | tcp[TERN_TCP_OFF_DPORT + 1]);
    *seq = load32(tcp + TERN_TCP_OFF_SEQ);
    return port == client_port(i) && tcp[TERN_TCP_OFF_FLAGS] == flags;
}

/* ---- the shard, as a worker drives it ---- */

/** A burst in, and what it leads to out; the caller frees it. @return packets in `out` */
static uint32_t feed(
    struct world *w, struct rte_mbuf **in, uint32_t n, struct rte_mbuf *out[TERN_SHARD_TX_MAX])
{
    w->now_ns += BURST_NS;
    tern_shard_rx(w->shard, in, n, w->now_ns);
    tern_shard_advance(w->shard, w->now_ns);
    return tern_shard_take_tx(w->shard, out);
}

/** A burst that is answered one to one, with `flags`. Sequence numbers go to seq[0..n). */
static void feed_answered(
    struct world *w, struct rte_mbuf **in, uint32_t first, uint32_t n, uint8_t flags, uint32_t *seq)
{
    struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    const uint32_t n_out = feed(w, in, n, out);
    if (n_out != n)
        die("not one answer a segment");
    for (uint32_t i = 0; i < n; i++)
        if (!is_answer(out[i], first + i, flags, &seq[i]))
            die("another answer than expected");
    rte_pktmbuf_free_bulk(out, n_out);
}

/** A burst that is taken in silence. */
static void feed_unanswered(struct world *w, struct rte_mbuf **in, uint32_t n)
{
    struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    if (feed(w, in, n, out) != 0)
        die("an answer where none is due");
}

/* ---- the work ---- */

/** SYNs of clients first..first + BURST; the ISS of each answer goes to iss[]. */
static void syns(struct world *w, uint32_t first, uint32_t iss[BURST])
{
    const struct client c = {CLIENT_ISS, 0};
    struct rte_mbuf *in[BURST];
    for (uint32_t i = 0; i < BURST; i++)
        in[i] = segment(w, first + i, &c, TERN_TCP_SYN, 0);
    feed_answered(w, in, first, BURST, TERN_TCP_SYN | TERN_TCP_ACK, iss);
}

static void open_burst(struct world *w, uint32_t first, struct client opened[BURST])
{
    uint32_t iss[BURST];
    struct rte_mbuf *in[BURST];
    syns(w, first, iss);
    for (uint32_t i = 0; i < BURST; i++) {
        opened[i] = (struct client){CLIENT_ISS + 1, iss[i] + 1};
        in[i] = segment(w, first + i, &opened[i], TERN_TCP_ACK, 0);
    }
    feed_unanswered(w, in, BURST);
}

static void do_handshakes(struct world *w, uint32_t n)
{
    struct client opened[BURST];
    for (uint32_t i = 0; i < n; i += BURST)
        open_burst(w, i, opened);
    if (tern_shard_stats(w->shard)->passive_established != n)
        die("not every handshake led to a connection");
}

/** A flood: nobody answers the SYN-ACK. */
static void do_syns(struct world *w, uint32_t n)
{
    uint32_t iss[BURST];
    for (uint32_t i = 0; i < n; i += BURST)
        syns(w, i, iss);
    if (tern_shard_n_live(w->shard) != 0)
        die("a SYN that was answered with a cookie left something behind");
}

/** The next request of clients first..first + BURST; each acknowledges the response before it. */
static void request_burst(struct world *w, uint32_t first, struct client *c)
{
    uint32_t seq[BURST];
    struct rte_mbuf *in[BURST];
    for (uint32_t i = 0; i < BURST; i++)
        in[i] = segment(w, first + i, &c[i], TERN_TCP_PSH | TERN_TCP_ACK, REQUEST_BYTES);
    feed_answered(w, in, first, BURST, TERN_TCP_PSH | TERN_TCP_ACK, seq);
    for (uint32_t i = 0; i < BURST; i++) {
        if (seq[i] != c[i].ack)
            die("a response out of sequence");
        c[i].seq += REQUEST_BYTES;
        c[i].ack += REQUEST_BYTES;
    }
}

static void do_requests(struct world *w, uint32_t n)
{
    static struct client clients[REQUEST_CONNS];
    for (uint32_t i = 0; i < REQUEST_CONNS; i += BURST)
        open_burst(w, i, &clients[i]);
    for (uint32_t i = 0; i < n; i += BURST) {
        const uint32_t first = i % REQUEST_CONNS;
        request_burst(w, first, &clients[first]);
    }
}

/** SYN; ACK with the request, to a response with FIN; FIN with the ACK of both, to the last ACK. */
static void exchange_burst(struct world *w, uint32_t first)
{
    uint32_t iss[BURST], seq[BURST];
    struct client c[BURST];
    struct rte_mbuf *in[BURST];
    syns(w, first, iss);
    for (uint32_t i = 0; i < BURST; i++) {
        c[i] = (struct client){CLIENT_ISS + 1, iss[i] + 1};
        in[i] = segment(w, first + i, &c[i], TERN_TCP_PSH | TERN_TCP_ACK, REQUEST_BYTES);
    }
    feed_answered(w, in, first, BURST, TERN_TCP_PSH | TERN_TCP_FIN | TERN_TCP_ACK, seq);
    for (uint32_t i = 0; i < BURST; i++) {
        c[i].seq += REQUEST_BYTES;
        c[i].ack = seq[i] + REQUEST_BYTES + 1;
        in[i] = segment(w, first + i, &c[i], TERN_TCP_FIN | TERN_TCP_ACK, 0);
    }
    feed_answered(w, in, first, BURST, TERN_TCP_ACK, seq);
}

/** Time passes until all of TIME-WAIT is over. */
static void sit_out_time_wait(struct world *w)
{
    uint64_t at_ns;
    w->now_ns += TIME_WAIT_MS * UINT64_C(1000000);
    while (tern_shard_next_deadline(w->shard, &at_ns)) {
        w->now_ns = RTE_MAX(w->now_ns, at_ns);
        feed_unanswered(w, NULL, 0);
    }
}

static void do_exchanges(struct world *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += BURST)
        exchange_burst(w, i);
    sit_out_time_wait(w);
    const struct tern_stats *s = tern_shard_stats(w->shard);
    if (s->closed[TERN_CLOSE_NORMAL] != n || s->time_wait_opened != n)
        die("not every connection closed in order");
}

/* ---- the server ---- */

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    tern_consume(sh, c, m->pkt_len);
    rte_pktmbuf_free(m);
    if (tern_send_static(sh, c, tern_shard_user(sh), 0, REQUEST_BYTES) != REQUEST_BYTES)
        die("a response was not taken");
}

static void on_only_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    on_data(sh, c, m);
    tern_close(sh, c);
}

static const struct tern_app keeps_open = {.on_data = on_data};
static const struct tern_app closes = {.on_data = on_only_data};

static void start_dpdk(void)
{
    char lcores[32];
    char *argv[] = {"perf_work", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m",
        "64", "--log-level=error", lcores, NULL};
    snprintf(lcores, sizeof lcores, "--lcores=0@%d", sched_getcpu());
    if (rte_eal_init((int)(sizeof argv / sizeof argv[0]) - 1, argv) < 0)
        die("DPDK did not start");
}

static void open_world(
    struct world *w, enum tern_syn_cookies cookies, const struct tern_app *server)
{
    struct tern_error err;
    struct tern_stack_config cfg;
    tern_stack_config_init(&cfg);
    if (tern_prefix_parse("198.18.0.1/15", &cfg.addrs[0]) != 0
        || tern_addr_parse("198.19.0.0", &w->client_net) != 0)
        die("an address");
    cfg.n_addrs = 1;
    cfg.l3 = true;
    cfg.dad = false;
    cfg.conns_max = N_MAX;
    cfg.half_open_max = 4 * BURST;
    cfg.time_wait_max = N_MAX;
    cfg.time_wait_ms = TIME_WAIT_MS;
    cfg.sending_max = REQUEST_CONNS;
    cfg.tx_ip_csum = cfg.tx_tcp_csum = cfg.tx_multi_seg = true;
    cfg.syn_cookies = cookies;
    w->server = cfg.addrs[0].addr;
    w->now_ns = UINT64_C(1000000000);
    w->pool = rte_pktmbuf_pool_create("perf", N_MBUFS - 1, CACHED_MBUFS, TERN_MBUF_PRIV_BYTES,
        RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    const struct tern_shard_params params = {
        .cfg = &cfg, .pool = w->pool, .reserve = w->pool, .now_ns = w->now_ns};
    if (w->pool == NULL || tern_shard_open(&params, &w->shard, &err) != 0
        || tern_listen(w->shard, NULL, SERVER_PORT, server, NULL) < 0)
        die("the shard did not open");
    static const char body[REQUEST_BYTES];
    w->response = tern_static_new(w->shard, body, sizeof body);
    tern_shard_set_user(w->shard, w->response);
}

static void close_world(struct world *w)
{
    if (!tern_stats_balance(tern_shard_stats(w->shard)))
        die("the books do not balance");
    tern_shard_close(w->shard, NULL);
    tern_static_free(w->response);
    if (rte_mempool_in_use_count(w->pool) != 0)
        die("packet buffers were not given back");
}

/* ---- */

static const struct figure {
    const char *name;
    enum tern_syn_cookies cookies;
    const struct tern_app *server;
    void (*work)(struct world *w, uint32_t n);
} figures[] = {
    {"handshake", TERN_SYN_COOKIES_NEVER, &keeps_open, do_handshakes},
    {"handshake-cookies", TERN_SYN_COOKIES_ALWAYS, &keeps_open, do_handshakes},
    {"syn-cookies", TERN_SYN_COOKIES_ALWAYS, &keeps_open, do_syns},
    {"request", TERN_SYN_COOKIES_NEVER, &keeps_open, do_requests},
    {"short", TERN_SYN_COOKIES_NEVER, &closes, do_exchanges},
};

static const struct figure *figure_named(const char *name)
{
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (strcmp(name, figures[i].name) == 0)
            return &figures[i];
    die("no such figure");
    return NULL;
}

static void print_built_with(void)
{
    printf("gcc %s, %s\n", __VERSION__, rte_version());
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--built-with") == 0) {
        print_built_with();
        return 0;
    }
    if (argc != 3)
        die("usage: perf_work FIGURE N | --built-with");
    const struct figure *f = figure_named(argv[1]);
    const long n = atol(argv[2]);
    if (n <= 0 || n > N_MAX || n % BURST != 0)
        die("N is a multiple of 32, at most 1048576");
    start_dpdk();
    struct world w = {0};
    open_world(&w, f->cookies, f->server);
    f->work(&w, (uint32_t)n);
    close_world(&w);
    return 0;
}
