/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine over a pair, workers, queues and rings included: every connection opens, echoes a byte
 * and closes; the books balance and nothing leaks, whatever the numbers of workers at the ends. All
 * cases run one after the other in one process, each with an engine of its own.
 */
#include "engine/internal.h"
#include "engine_fixture.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <string.h>

enum {
    CONNS_PER_WORKER = 300,
    OPEN_AT_ONCE = 16,
};

/** What a client worker has done; read by the test while it runs. */
struct client {
    uint32_t n_opened, n_open, n_closed, n_echoed;
};

struct scene {
    union tern_addr server;
    uint32_t n_clients;
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
    struct tern_config *cfg = pair_config(n_server, n_client, v6);
    s->server = cfg->endpoints[SERVER].stack.addrs[0].addr;
    s->n_clients = n_client;
    cfg->endpoints[SERVER].app.start = listen_start;
    cfg->endpoints[CLIENT].app =
        (struct tern_worker_app){.start = client_start, .tick = client_tick, .ctx = s};
    return cfg;
}

static bool clients_are_done(void *ctx)
{
    const struct scene *s = (const struct scene *)ctx;
    uint32_t n_done = 0;
    for (uint32_t w = 0; w < s->n_clients; w++)
        n_done += __atomic_load_n(&s->clients[w].n_closed, __ATOMIC_ACQUIRE) == CONNS_PER_WORKER;
    return n_done == s->n_clients;
}

/** What was handed over arrives; the last ACKs may still lie in a ring when the clients are done.
 */
static bool handovers_have_arrived(void *engine)
{
    struct tern_stats server;
    tern_engine_stats((const struct tern_engine *)engine, SERVER, &server);
    return server.steered_in == server.steered_out;
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

static void run(struct tern_config *cfg, struct scene *s)
{
    struct tern_engine *e = engine_up(cfg);
    assert_true(await(clients_are_done, s));
    check_books(e, s, s->n_clients);
    assert_true(await(handovers_have_arrived, e));
    engine_down(e);
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

/** V081, V085: What hides ISNs, ports and cookies is drawn from the kernel, for each endpoint
 * of each start. */
static void secrets_are_new_with_every_start(void **state) /* 6528-2 */
{
    (void)state;
    uint64_t seeds[4][4];
    for (int i = 0; i < 2; i++) {
        struct scene s = {0};
        struct tern_config *cfg = make_config(&s, 1, 1, false);
        struct tern_engine *e = engine_up(cfg);
        memcpy(seeds[2 * i], e->endpoints[SERVER].cfg.stack.seed, sizeof seeds[0]);
        memcpy(seeds[2 * i + 1], e->endpoints[CLIENT].cfg.stack.seed, sizeof seeds[0]);
        engine_down(e);
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
        struct tern_engine *e = engine_up(cfg);
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
