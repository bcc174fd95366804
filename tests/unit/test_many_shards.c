/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sixty-four workers at either end of a cable, each shard in its turn on one thread. The cards
 * between them spread segments as real ones do (rss_fixture.h), and the steering is the engine's:
 * who receives a segment asks tern_steer_owner() and hands it over if need be, as worker.c does.
 */
#include "eal_fixture.h"
#include "engine/memory.h"
#include "engine/steering.h"
#include "rss_fixture.h"
#include "shard/shard.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WORKERS = 64,
    ENTRIES = 128, /* of the cards' tables: two a worker */
    PORT = 80,
    SOURCES = 16, /* addresses of the client: one, and a range of the others */
    OPENS_A_ROUND = 4,
    INBOX_MAX = 8192,
    MBUFS = 12000,
    MTU_BYTES = 1500,
    SERVER = 0,
    CLIENT = 1,
};

/** What has come in for a worker and waits for its turn. */
struct inbox {
    uint32_t n;
    struct rte_mbuf *pkts[INBOX_MAX];
};

/** A card, and the workers behind it. */
struct end {
    struct tern_stack_config cfg;
    struct tern_rss_facts card; /* as it works, whatever it tells */
    uint32_t n_queues;          /* queue q is polled by worker q */
    struct tern_steering steering;
    struct tern_shard *shards[WORKERS];
    struct inbox inboxes[WORKERS];
    uint64_t n_received, n_handed; /* TCP segments; of these to another worker */
};

struct world {
    struct end ends[2];
    uint64_t now_ns;
    uint32_t n_each;            /* connections a client worker opens */
    uint32_t n_opened[WORKERS]; /* … and has */
};

static struct rte_mempool *pool;
static struct tern_rss known[2];

static const struct tern_app app = {.on_peer_closed = tern_close};

/* ---- building it ---- */

/** The i-th address that follows `first`. */
static union tern_addr next_address(union tern_addr first, uint32_t i)
{
    first.w[3] = __builtin_bswap32(__builtin_bswap32(first.w[3]) + i);
    return first;
}

static void configure(struct end *end, uint32_t which, bool v6, uint32_t conns_max)
{
    struct tern_stack_config *cfg = &end->cfg;
    tern_stack_config_init(cfg);
    cfg->l3 = true;
    cfg->dad = false;
    char text[TERN_ADDR_TEXT_BYTES + 4];
    snprintf(text, sizeof text, v6 ? "2001:2::%x:1/48" : "198.18.%u.1/15", which);
    assert_int_equal(tern_prefix_parse(text, &cfg->addrs[0]), 0);
    cfg->n_addrs = 1;
    cfg->n_ranges = which == CLIENT;
    cfg->ranges[0].first = next_address(cfg->addrs[0].addr, 1);
    cfg->ranges[0].last = next_address(cfg->addrs[0].addr, SOURCES - 1);
    cfg->conns_max = conns_max;
    cfg->time_wait_max = conns_max;
    cfg->half_open_max = 1024;
    cfg->neighbours_max = 8;
    cfg->sent_max = 64;
    cfg->port_stride = WORKERS;
    cfg->tx_ip_csum = cfg->tx_tcp_csum = true; /* computed by nobody, see carry() */
}

static void open_shards(struct world *world, struct end *end)
{
    for (uint32_t w = 0; w < WORKERS; w++) {
        struct tern_error err;
        end->cfg.port_phase = (uint16_t)w;
        end->cfg.seed[0] = w + 1;
        const struct tern_shard_params params = {
            .cfg = &end->cfg,
            .worker = w,
            .pool = pool,
            .reserve = pool,
            .now_ns = world->now_ns,
            .rss = end->steering.rss,
        };
        if (tern_shard_open(&params, &end->shards[w], &err) != 0)
            fail_msg("%s", err.text);
    }
}

/** Cards with as many queues as workers that do as they tell. */
static void make_world(struct world *world, bool v6, uint32_t n_each)
{
    memset(world, 0, sizeof *world);
    world->now_ns = 1000000000;
    world->n_each = n_each;
    for (uint32_t i = 0; i < 2; i++) {
        struct end *end = &world->ends[i];
        configure(end, i, v6, n_each + n_each / 2 + 64);
        end->card = rss_card(i + 11, ENTRIES, WORKERS);
        end->n_queues = WORKERS;
        end->steering = (struct tern_steering){.mode = TERN_STEER_RSS,
            .n_workers = WORKERS,
            .l3 = true,
            .key = {1, 2},
            .rss = &known[i]};
        assert_int_equal(tern_rss_init(&known[i], &end->card, WORKERS), TERN_RSS_GOOD);
    }
}

static void unmake(struct world *world)
{
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t w = 0; w < WORKERS; w++) {
            static const struct tern_shard_leaks none;
            struct tern_shard_leaks leaks;
            tern_shard_close(world->ends[i].shards[w], &leaks);
            assert_memory_equal(&leaks, &none, sizeof none);
        }
    assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

/* ---- the cable ---- */

static uint32_t receiver_of(const struct end *end, const struct tern_steer_flow *f)
{
    const uint32_t hash = rss_hash(&end->card, f->addrs, f->n_addr_bytes, f->sport, f->dport);
    return end->card.queue[hash & (end->card.n_entries - 1)] % end->n_queues;
}

/** A segment reaches an end: its card picks a queue, and whoever polls that finds the owner. */
static void carry(struct end *end, struct rte_mbuf *m)
{
    struct tern_steer_flow flow;
    assert_true(tern_steer_find(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, true, &flow));
    m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    const uint32_t receiver = receiver_of(end, &flow);
    const bool listens = tern_shard_listens_on(end->shards[receiver], flow.dport);
    const uint32_t owner = tern_steer_owner(&end->steering, &flow, listens, receiver);
    end->n_received++;
    end->n_handed += owner != receiver;
    struct inbox *inbox = &end->inboxes[owner];
    assert_in_range(inbox->n, 0, INBOX_MAX - 1);
    inbox->pkts[inbox->n++] = m;
}

static uint32_t send_all(struct world *world, uint32_t i, struct tern_shard *sh)
{
    struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    const uint32_t n = tern_shard_take_tx(sh, out);
    for (uint32_t k = 0; k < n; k++)
        carry(&world->ends[!i], out[k]);
    return n;
}

/** All that waits for one worker. @return packets in and out */
static uint32_t poll_one(struct world *world, uint32_t i, uint32_t w)
{
    struct tern_shard *sh = world->ends[i].shards[w];
    struct inbox *inbox = &world->ends[i].inboxes[w];
    uint32_t n_packets = inbox->n;
    for (uint32_t at = 0; at < inbox->n; at += TERN_BURST_MAX) {
        const uint32_t n = RTE_MIN(inbox->n - at, (uint32_t)TERN_BURST_MAX);
        tern_shard_rx(sh, inbox->pkts + at, n, world->now_ns);
        n_packets += send_all(world, i, sh);
    }
    inbox->n = 0;
    tern_shard_advance(sh, world->now_ns);
    return n_packets + send_all(world, i, sh);
}

static uint32_t poll_all(struct world *world)
{
    uint32_t n_packets = 0;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t w = 0; w < WORKERS; w++)
            n_packets += poll_one(world, i, w);
    world->now_ns += 1000;
    return n_packets;
}

static uint32_t open_some(struct world *world, uint32_t w)
{
    const struct end *client = &world->ends[CLIENT];
    uint32_t n = 0;
    for (; n < OPENS_A_ROUND && world->n_opened[w] < world->n_each; n++) {
        const struct tern_connect_opts to = {
            .remote = world->ends[SERVER].cfg.addrs[0].addr,
            .rport = PORT,
            .local = next_address(client->cfg.addrs[0].addr, world->n_opened[w]++ % SOURCES),
            .app = &app,
        };
        assert_int_equal(tern_connect(client->shards[w], &to, NULL), 0);
    }
    return n;
}

/** Open all connections, and run until everything has been said. */
static void open_all(struct world *world)
{
    uint32_t n_todo;
    for (uint32_t i = 0; i < 2; i++)
        open_shards(world, &world->ends[i]);
    for (uint32_t w = 0; w < WORKERS; w++)
        assert_true(tern_listen(world->ends[SERVER].shards[w], NULL, PORT, &app, NULL) >= 0);
    do {
        n_todo = 0;
        for (uint32_t w = 0; w < WORKERS; w++)
            n_todo += open_some(world, w);
        n_todo += poll_all(world);
    } while (n_todo > 0);
}

static void close_all(struct world *world)
{
    for (uint32_t w = 0; w < WORKERS; w++) {
        tern_shard_drain(world->ends[CLIENT].shards[w]);
        while (poll_all(world) > 0) {
        }
    }
}

/* ---- what is to be seen ---- */

static double share(const struct end *end)
{
    return 100.0 * (double)end->n_handed / (double)end->n_received;
}

static void tell(const struct world *world, const char *what)
{
    print_message("%s: handed over %.2f %% of the server's segments, %.2f %% of the client's\n",
        what, share(&world->ends[SERVER]), share(&world->ends[CLIENT]));
}

/** Every connection of every worker has opened at both ends, and nothing had to be sent twice. */
static void check_opened(const struct world *world)
{
    struct tern_stats sums[2] = {{0}};
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t w = 0; w < WORKERS; w++)
            tern_stats_add(&sums[i], tern_shard_stats(world->ends[i].shards[w]));
    const uint64_t n = (uint64_t)WORKERS * world->n_each;
    assert_int_equal(sums[CLIENT].active_established, n);
    assert_int_equal(sums[SERVER].passive_established, n);
    assert_int_equal(sums[CLIENT].retransmits + sums[SERVER].retransmits, 0);
    assert_int_equal(sums[CLIENT].rst_sent + sums[SERVER].rst_sent, 0);
}

static void check_closed(const struct world *world)
{
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t w = 0; w < WORKERS; w++) {
            const struct tern_stats *s = tern_shard_stats(world->ends[i].shards[w]);
            assert_int_equal(
                s->closed[TERN_CLOSE_NORMAL], s->active_established + s->passive_established);
            assert_true(tern_stats_balance(s));
        }
}

static void run(struct world *world, const char *what)
{
    open_all(world);
    check_opened(world);
    close_all(world);
    check_closed(world);
    tell(world, what);
    unmake(world);
}

/** Connections of the server's worker that is furthest from the mean, in percent of it. */
static double imbalance(const struct world *world)
{
    double worst = 0;
    for (uint32_t w = 0; w < WORKERS; w++) {
        const struct tern_stats *s = tern_shard_stats(world->ends[SERVER].shards[w]);
        const double off = 100.0 * (double)s->open_now / world->n_each - 100;
        worst = off > worst ? off : -off > worst ? -off : worst;
    }
    return worst;
}

static void many_connections_are_balanced(void **state)
{
    (void)state;
    static struct world world;
    make_world(&world, false, 8192);
    open_all(&world);
    check_opened(&world);
    const double worst = imbalance(&world);
    print_message("%u connections on %u workers: the worst is %.2f %% off the mean\n",
        WORKERS * world.n_each, WORKERS, worst);
    assert_true(worst < 5);
    close_all(&world);
    check_closed(&world);
    tell(&world, "key and table known");
    assert_int_equal(world.ends[CLIENT].n_handed + world.ends[SERVER].n_handed, 0);
    unmake(&world);
}

static void known_rss_hands_nothing_over(void **state)
{
    (void)state;
    static struct world world;
    make_world(&world, true, 256);
    run(&world, "the same over IPv6");
    assert_int_equal(world.ends[CLIENT].n_handed + world.ends[SERVER].n_handed, 0);
}

static void a_card_that_tells_nothing_costs_a_hop(void **state)
{
    (void)state;
    static struct world world;
    make_world(&world, false, 64);
    world.ends[CLIENT].steering.rss = NULL;
    run(&world, "key not known");
    assert_in_range(share(&world.ends[CLIENT]), 95, 100);
    assert_int_equal(world.ends[SERVER].n_handed, 0);
}

static void a_card_that_does_otherwise_than_it_tells_costs_a_hop(void **state)
{
    (void)state;
    static struct world world;
    make_world(&world, false, 64);
    world.ends[CLIENT].card = rss_card(99, ENTRIES, WORKERS);
    run(&world, "another key than told");
    assert_in_range(share(&world.ends[CLIENT]), 95, 100);
}

/** The card leaves ports out: all replies of a pair of addresses come in at one worker. */
static void fewer_queues_than_workers(void **state)
{
    (void)state;
    static const uint32_t n_queues[] = {1, 2, 8, 63};
    for (size_t i = 0; i < sizeof n_queues / sizeof n_queues[0]; i++) {
        static struct world world;
        char what[32];
        make_world(&world, i % 2 != 0, 64);
        for (uint32_t k = 0; k < 2; k++) {
            struct end *end = &world.ends[k];
            end->n_queues = n_queues[i];
            end->steering.mode = tern_steer_mode(WORKERS, n_queues[i], true);
            end->steering.rss = NULL;
        }
        snprintf(what, sizeof what, "%u queue%s", n_queues[i], i == 0 ? "" : "s");
        run(&world, what);
    }
}

/** Who asks for a port by number gets it on the one worker that its replies reach. */
static void a_port_that_is_asked_for_has_one_owner(void **state)
{
    (void)state;
    for (int is_known = 0; is_known < 2; is_known++) {
        static struct world world;
        make_world(&world, false, 1);
        struct end *client = &world.ends[CLIENT];
        if (!is_known)
            client->steering.rss = NULL;
        open_shards(&world, client);
        open_shards(&world, &world.ends[SERVER]);
        for (uint32_t w = 0; w < WORKERS; w++) {
            uint32_t n_owners = 0;
            struct tern_connect_opts to = {.remote = world.ends[SERVER].cfg.addrs[0].addr,
                .rport = PORT,
                .lport = (uint16_t)(40000 + w),
                .app = &app};
            for (uint32_t k = 0; k < WORKERS; k++) {
                const int rc = tern_connect(client->shards[k], &to, NULL);
                assert_true(rc == 0 || rc == -EADDRNOTAVAIL);
                n_owners += rc == 0;
            }
            assert_int_equal(n_owners, 1);
        }
        while (poll_all(&world) > 0) { /* refused: nobody listens */
        }
        unmake(&world);
    }
}

/* ---- memory ---- */

enum { TABLES_MAX = 16, PAGE_2M_BYTES = 2 << 20 }; /* tables of a shard, each rounded up */

static uint64_t mapped_bytes(void)
{
    unsigned long n_pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu", &n_pages), 1);
    fclose(f);
    return (uint64_t)n_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/** Each worker maps what the plan says, and the last no more than the first. */
static void memory_grows_by_the_plan_with_each_worker(void **state)
{
    (void)state;
    static struct world world;
    struct tern_memory_plan plan;
    make_world(&world, false, 65536);
    struct end *end = &world.ends[SERVER];
    tern_shard_plan(&end->cfg, &plan);
    uint64_t before = mapped_bytes(), first = 0;
    for (uint32_t w = 0; w < WORKERS; w++) {
        struct tern_error err;
        const struct tern_shard_params params = {
            .cfg = &end->cfg, .worker = w, .pool = pool, .reserve = pool};
        assert_int_equal(tern_shard_open(&params, &end->shards[w], &err), 0);
        const uint64_t taken = mapped_bytes() - before;
        first = w == 0 ? taken : first;
        assert_in_range(taken, plan.total, plan.total + TABLES_MAX * PAGE_2M_BYTES);
        assert_in_range(taken, first - first / 100, first + first / 100);
        before += taken;
    }
    print_message("%u workers: %.1f MiB each by plan, %.1f MiB mapped\n", WORKERS,
        (double)plan.total / PAGE_2M_BYTES * 2, (double)first / PAGE_2M_BYTES * 2);
    for (uint32_t w = 0; w < WORKERS; w++)
        tern_shard_close(end->shards[w], NULL);
}

static int set_up(void **state)
{
    if (eal_up(state) != 0)
        return -1;
    pool = tern_pool_open("many", MBUFS, tern_mbuf_room_bytes(MTU_BYTES, TERN_POOL_DENSE), 1,
        TERN_POOL_DENSE, SOCKET_ID_ANY);
    return pool != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    tern_pool_close(pool);
    return eal_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_connections_are_balanced),
        cmocka_unit_test(known_rss_hands_nothing_over),
        cmocka_unit_test(a_card_that_tells_nothing_costs_a_hop),
        cmocka_unit_test(a_card_that_does_otherwise_than_it_tells_costs_a_hop),
        cmocka_unit_test(fewer_queues_than_workers),
        cmocka_unit_test(a_port_that_is_asked_for_has_one_owner),
        cmocka_unit_test(memory_grows_by_the_plan_with_each_worker),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
