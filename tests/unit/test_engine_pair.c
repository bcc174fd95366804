/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine over a pair, workers, queues and rings included: every connection opens, echoes a byte
 * and closes; the books balance and nothing leaks, whatever the numbers of workers at the ends. All
 * cases run one after the other in one process, each with an engine of its own.
 */
#include <tern/engine.h>

#include "engine/internal.h"
#include "unit.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PORT = 8080,
    CONNS_PER_WORKER = 300,
    OPEN_AT_ONCE = 16,
    SERVER = 0,
    CLIENT = 1,
    DEADLINE_S = 20,
};

/** What a client worker has done; read by the test while it runs. */
struct client {
    uint32_t n_opened, n_open, n_closed, n_echoed;
};

struct scene {
    union tern_addr server;
    struct client clients[4];
};

/* ---- the server echoes ---- */

static void echo(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const uint32_t n_bytes = m->pkt_len;
    if (tern_send_mbufs(sh, c, &m, 1) != 1)
        rte_pktmbuf_free(m);
    tern_consume(sh, c, n_bytes);
}

static const struct tern_app echo_app = {.on_data = echo, .on_peer_closed = tern_close};

static int listen_start(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    const int id = tern_listen(sh, NULL, PORT, &echo_app, NULL);
    return id < 0 ? id : 0;
}

/* ---- the client sends a byte and awaits it ---- */

static struct client *client_of(struct tern_shard *sh)
{
    return (struct client *)tern_shard_user(sh);
}

static void say(struct tern_shard *sh, struct tern_conn *c)
{
    assert_int_equal(tern_send_bytes(sh, c, "x", 1), 1);
}

static void hear(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    client_of(sh)->n_echoed += m->pkt_len;
    tern_consume(sh, c, m->pkt_len);
    rte_pktmbuf_free(m);
    tern_close(sh, c);
}

static void closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)c;
    (void)why;
    struct client *cl = client_of(sh);
    cl->n_open--;
    __atomic_fetch_add(&cl->n_closed, 1, __ATOMIC_RELEASE);
}

static const struct tern_app client_app = {.on_open = say, .on_data = hear, .on_closed = closed};

static int client_start(struct tern_shard *sh, void *ctx)
{
    tern_shard_set_user(sh, &((struct scene *)ctx)->clients[tern_shard_worker(sh)]);
    return 0;
}

static bool client_tick(struct tern_shard *sh, void *ctx, uint64_t now_ns)
{
    (void)now_ns;
    const struct scene *s = (const struct scene *)ctx;
    struct client *cl = client_of(sh);
    const struct tern_connect_opts to = {.remote = s->server, .rport = PORT, .app = &client_app};
    if (cl->n_open >= OPEN_AT_ONCE || cl->n_opened == CONNS_PER_WORKER)
        return false;
    assert_int_equal(tern_connect(sh, &to, NULL), 0);
    cl->n_open++;
    cl->n_opened++;
    return true;
}

/* ---- the run ---- */

static struct tern_config *make_config(
    struct scene *s, uint32_t n_server, uint32_t n_client, bool v6)
{
    struct tern_config *cfg = (struct tern_config *)malloc(sizeof *cfg);
    assert_non_null(cfg);
    tern_config_init(cfg);
    cfg->n_endpoints = 2;
    cfg->mem_mib = 384; /* the first engine's memory is all that the later ones can have */
    for (int i = 0; i < 2; i++) {
        struct tern_endpoint_config *ep = &cfg->endpoints[i];
        const char *const addrs[2][2] = {
            {"198.18.0.1/24", "198.18.0.2/24"}, {"2001:2::1/64", "2001:2::2/64"}};
        ep->device = "pair";
        assert_int_equal(tern_prefix_parse(addrs[v6][i], &ep->stack.addrs[0]), 0);
        ep->stack.n_addrs = 1;
        ep->stack.dad = false;
        ep->stack.time_wait_ms = 10;
        ep->stack.conns_max = 2048;
        ep->stack.half_open_max = 1024;
        ep->stack.time_wait_max = 2048;
    }
    s->server = cfg->endpoints[SERVER].stack.addrs[0].addr;
    cfg->endpoints[SERVER].n_workers = n_server;
    cfg->endpoints[SERVER].app.start = listen_start;
    cfg->endpoints[CLIENT].n_workers = n_client;
    cfg->endpoints[CLIENT].app =
        (struct tern_worker_app){.start = client_start, .tick = client_tick, .ctx = s};
    return cfg;
}

static struct tern_engine *open_engine(const struct tern_config *cfg)
{
    struct tern_engine *e;
    struct tern_error err = {.text = ""};
    if (tern_engine_open(cfg, &e, &err) != 0 || tern_engine_start(e, &err) != 0)
        fail_msg("%s", err.text);
    return e;
}

static void await_clients(const struct scene *s, uint32_t n_client)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const time_t end = time(NULL) + DEADLINE_S;
    for (uint32_t n_done = 0; n_done < n_client && time(NULL) < end; nanosleep(&pause, NULL)) {
        n_done = 0;
        for (uint32_t w = 0; w < n_client; w++)
            n_done +=
                __atomic_load_n(&s->clients[w].n_closed, __ATOMIC_ACQUIRE) == CONNS_PER_WORKER;
    }
}

/** What was handed over arrives; the last ACKs may still lie in a ring when the clients are done.
 */
static void await_handovers(const struct tern_engine *e)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const time_t end = time(NULL) + DEADLINE_S;
    struct tern_stats server;
    do {
        tern_engine_stats(e, SERVER, &server);
        if (server.steered_in == server.steered_out)
            return;
        nanosleep(&pause, NULL);
    } while (time(NULL) < end);
    assert_int_equal(server.steered_in, server.steered_out);
}

static void check_books(const struct tern_engine *e, const struct scene *s, uint32_t n_client)
{
    struct tern_stats server, client;
    tern_engine_stats(e, SERVER, &server);
    tern_engine_stats(e, CLIENT, &client);
    assert_int_equal(client.active_established, n_client * CONNS_PER_WORKER);
    assert_int_equal(client.closed[TERN_CLOSE_NORMAL], n_client * CONNS_PER_WORKER);
    assert_int_equal(server.passive_established, n_client * CONNS_PER_WORKER);
    assert_true(tern_stats_balance(&server));
    assert_true(tern_stats_balance(&client));
    for (uint32_t w = 0; w < n_client; w++)
        assert_int_equal(s->clients[w].n_echoed, CONNS_PER_WORKER);
}

static void stop_and_wait(struct tern_engine *e)
{
    tern_engine_stop(e);
    assert_true(tern_engine_wait(e, 10000));
}

static void stop_engine(struct tern_engine *e)
{
    static const struct tern_leaks none;
    struct tern_leaks leaks;
    stop_and_wait(e);
    tern_engine_close(e, &leaks);
    assert_memory_equal(&leaks, &none, sizeof none);
}

static void run(struct tern_config *cfg, struct scene *s)
{
    const uint32_t n_client = cfg->endpoints[CLIENT].n_workers;
    struct tern_engine *e = open_engine(cfg);
    await_clients(s, n_client);
    check_books(e, s, n_client);
    await_handovers(e);
    stop_engine(e);
    free(cfg);
}

static void connections_complete_for_any_numbers_of_workers(void **state)
{
    (void)state;
    static const uint32_t n_workers[][2] = {{1, 1}, {2, 2}, {3, 1}, {1, 2}, {2, 4}};
    for (size_t i = 0; i < sizeof n_workers / sizeof n_workers[0]; i++) {
        struct scene s = {0};
        run(make_config(&s, n_workers[i][SERVER], n_workers[i][CLIENT], false), &s);
    }
}

static void ip6_on_one_queue_without_offloads(void **state)
{
    (void)state;
    struct scene s = {0};
    struct tern_config *cfg = make_config(&s, 2, 2, true);
    for (int i = 0; i < 2; i++) {
        cfg->endpoints[i].n_queues = 1;
        cfg->endpoints[i].no_offload = true;
    }
    run(cfg, &s);
}

/** What hides ISNs, ports and cookies is drawn from the kernel, for each endpoint of each start. */
static void secrets_are_new_with_every_start(void **state) /* 6528-2 */
{
    (void)state;
    uint64_t seeds[4][4];
    for (int i = 0; i < 2; i++) {
        struct scene s = {0};
        struct tern_config *cfg = make_config(&s, 1, 1, false);
        struct tern_engine *e = open_engine(cfg);
        memcpy(seeds[2 * i], e->endpoints[SERVER].cfg.stack.seed, sizeof seeds[0]);
        memcpy(seeds[2 * i + 1], e->endpoints[CLIENT].cfg.stack.seed, sizeof seeds[0]);
        stop_engine(e);
        free(cfg);
    }
    const uint64_t *const words = &seeds[0][0];
    for (int i = 0; i < 16; i++) {
        assert_int_not_equal(words[i], 0);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(words[i], words[j]);
    }
}

/** More of what comes in is handed over than the key and table that the device tells allow. */
static void a_device_that_spreads_otherwise_is_named(void **state)
{
    (void)state;
    static const struct tern_rss told;
    static const struct {
        uint64_t n_handed, n_segments;
        bool is_named;
    } cases[] = {{0, 100000, false}, {999, 2000, false}, {1000, 100000, false},
        {1001, 100000, true}, {50000, 100000, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s = {0};
        struct tern_device_info info;
        struct tern_config *cfg = make_config(&s, 2, 2, false);
        cfg->endpoints[CLIENT].app.tick = NULL;
        struct tern_engine *e = open_engine(cfg);
        stop_and_wait(e);
        e->endpoints[CLIENT].steering.rss = &told;
        e->endpoints[CLIENT].workers[0].final_stats.rx_segments += cases[i].n_segments;
        e->endpoints[CLIENT].workers[1].final_stats.steered_in += cases[i].n_handed;
        tern_engine_device(e, CLIENT, &info);
        assert_int_equal(strstr(info.note, "spreads otherwise") != NULL, cases[i].is_named);
        tern_engine_close(e, NULL);
        free(cfg);
    }
}

static int refuse_to_start(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    return tern_shard_worker(sh) == 1 ? -EADDRINUSE : 0;
}

static void failed_start_is_reported_and_leaves_nothing(void **state)
{
    (void)state;
    struct scene s = {0};
    struct tern_error err = {.text = ""};
    struct tern_leaks leaks;
    static const struct tern_leaks none;
    struct tern_engine *e;
    struct tern_config *cfg = make_config(&s, 2, 1, false);
    cfg->endpoints[SERVER].app.start = refuse_to_start;
    assert_int_equal(tern_engine_open(cfg, &e, &err), 0);
    assert_int_equal(tern_engine_start(e, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, "worker 1"));
    tern_engine_close(e, &leaks);
    assert_memory_equal(&leaks, &none, sizeof none);
    free(cfg);
}

static void bad_configurations_are_refused_before_anything_starts(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct scene s = {0};
        struct tern_error err = {.text = ""};
        struct tern_engine *e;
        struct tern_config *cfg = make_config(&s, 1, 1, false);
        switch (i) {
        case 0: cfg->n_endpoints = 1; break;
        case 1: cfg->endpoints[1].device = "tap:tern0"; break;
        case 2: cfg->endpoints[0].n_workers = TERN_WORKERS_MAX + 1; break;
        case 3: cfg->endpoints[0].n_rx_desc = 3; break;
        case 4: cfg->mbufs = 10; break;
        case 5: cfg->lcores = "0,0"; break;
        default: break;
        }
        assert_true(tern_engine_open(cfg, &e, &err) < 0);
        assert_null(e);
        assert_true(strlen(err.text) > 20);
        free(cfg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_complete_for_any_numbers_of_workers),
        cmocka_unit_test(ip6_on_one_queue_without_offloads),
        cmocka_unit_test(secrets_are_new_with_every_start),
        cmocka_unit_test(a_device_that_spreads_otherwise_is_named),
        cmocka_unit_test(failed_start_is_reported_and_leaves_nothing),
        cmocka_unit_test(bad_configurations_are_refused_before_anything_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
