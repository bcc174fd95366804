/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of sources: in sequence exactly, shuffled as a permutation; and a load of 65,536 of
 * them, counted by the server that accepts the connections.
 */
#include "load/turns.h"
#include "load_world.h"
#include "sources_fixture.h"

#include <stdlib.h>

enum { SIXTEEN_BITS = 65536 };

static struct app_sources s;

/* ---- the order ---- */

/* Each source once. @param first  of all; they follow each other */
static void assert_a_round(struct app_turns *t, const union tern_addr *first, uint64_t *order)
{
    const uint64_t total = (uint64_t)app_sources_total(&s);
    uint8_t *taken = calloc(total, 1);
    for (uint64_t i = 0; i < total; i++) {
        const union tern_addr a = app_turns_next(t);
        order[i] = steps_from(first, &a);
        assert_true(order[i] < total && !taken[order[i]]++);
    }
    assert_true(t->done == total);
    free(taken);
}

static const union tern_addr *sources_up_to(uint32_t n)
{
    static union tern_addr first;
    struct tern_stack_config cfg = {.n_addrs = 1};
    first = addr("198.18.0.0");
    cfg.addrs[0].addr = first;
    if (n > 1) {
        cfg.n_ranges = 1;
        cfg.ranges[0] = (struct tern_addr_range){addr("198.18.0.1"),
            tern_addr_from_v4(__builtin_bswap32(__builtin_bswap32(first.w[3]) + n - 1))};
    }
    app_sources_of_stack(&s, &cfg, true);
    return &first;
}

static void sequence_is_exact_round_for_round(void **state)
{
    (void)state;
    const union tern_addr *first = sources_up_to(SIXTEEN_BITS);
    struct app_turns t;
    app_turns_init(&t, &s, 0, 1);
    for (uint64_t i = 0; i < 2 * SIXTEEN_BITS; i++) {
        const union tern_addr a = app_turns_next(&t);
        assert_int_equal(steps_from(first, &a), i % SIXTEEN_BITS);
    }
}

/* Over ranges that a round begins in the midst of, and that cross 2^64. */
static void sequence_is_that_of_the_places(void **state)
{
    static const char *const lists[] = {"198.18.1.1", "198.18.1.1,198.18.1.9",
        "198.18.1.250-198.18.3.5,198.18.20.0/24,198.18.19.255",
        "2001:2::fff0-2001:2::1:20,2001:2::ffff:ffff:ffff:fffe-2001:2:0:1::3,2001:2::/126"};
    enum { WORKERS = 5, ROUNDS = 3 };
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        sources_from(&s, lists[i]);
        const app_u128 total = app_sources_total(&s);
        for (uint32_t w = 0; w < WORKERS; w++) {
            struct app_turns t;
            app_turns_init(&t, &s, w, WORKERS);
            for (app_u128 k = 0; k < ROUNDS * total; k++) {
                const union tern_addr a = app_turns_next(&t);
                const union tern_addr b = app_sources_at(&s, (t.begin + k) % total);
                assert_true(tern_addr_equal(&a, &b));
                assert_true(t.done == k % total + 1 && t.n_rounds == k / total);
            }
        }
    }
}

/* One after the other they have begun, and their first shares are all of it, once. */
static void workers_share_the_first_round(void **state)
{
    enum { SOURCES = 1000, WORKERS_MAX = 7 };
    (void)state;
    const union tern_addr *first = sources_up_to(SOURCES);
    for (uint32_t n = 1; n <= WORKERS_MAX; n++) {
        uint64_t next = 0;
        for (uint32_t w = 0; w < n; w++) {
            struct app_turns t;
            app_turns_init(&t, &s, w, n);
            const uint32_t share = SOURCES / n + (w < SOURCES % n ? 1 : 0);
            for (uint32_t i = 0; i < share; i++) {
                const union tern_addr a = app_turns_next(&t);
                assert_int_equal(steps_from(first, &a), next++);
            }
        }
        assert_int_equal(next, SOURCES);
    }
}

static void more_workers_than_sources_begin_inside(void **state)
{
    (void)state;
    const union tern_addr *first = sources_up_to(3);
    uint64_t order[3];
    for (uint32_t w = 0; w < 64; w++) {
        struct app_turns t;
        app_turns_init(&t, &s, w, 64);
        assert_a_round(&t, first, order);
        assert_a_round(&t, first, order);
    }
}

static void shuffled_order_is_a_permutation(void **state)
{
    (void)state;
    uint64_t *one = calloc(SIXTEEN_BITS, sizeof *one), *two = calloc(SIXTEEN_BITS, sizeof *two);
    for (uint32_t total = 1; total <= SIXTEEN_BITS; total += total < 300 ? 1 : total - 77) {
        const union tern_addr *first = sources_up_to(total);
        struct app_turns t;
        app_turns_init(&t, &s, 0, 1);
        app_turns_shuffle(&t, total);
        assert_a_round(&t, first, one);
        assert_a_round(&t, first, two);
        assert_memory_equal(one, two, total * sizeof *one); /* a source rests as long as it can */
    }
    free(one);
    free(two);
}

/* Of 65,536, in the order of one key, how many stand where another has them, or follow as in
 * sequence: one on average. */
static void shuffled_order_is_the_keys(void **state)
{
    (void)state;
    static uint64_t order[2][SIXTEEN_BITS];
    const union tern_addr *first = sources_up_to(SIXTEEN_BITS);
    uint32_t n_same = 0, n_follow = 0;
    for (uint64_t key = 0; key < 2; key++) {
        struct app_turns t;
        app_turns_init(&t, &s, 0, 1);
        app_turns_shuffle(&t, key);
        assert_a_round(&t, first, order[key]);
    }
    for (uint32_t i = 0; i + 1 < SIXTEEN_BITS; i++) {
        n_same += order[0][i] == order[1][i];
        n_follow += order[0][i] + 1 == order[0][i + 1];
    }
    assert_in_range(n_same, 0, 12);
    assert_in_range(n_follow, 0, 12);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(union tern_addr));
}

/* No table: 2^125 sources cost what ten do. */
static void shuffled_order_of_2000_3_repeats_nothing(void **state)
{
    (void)state;
    static union tern_addr all[SIXTEEN_BITS];
    static const char *const lists[] = {"2000::/3", "2001:2::/48", "2001:2::/64,2001:2:0:2::/64"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct app_turns t;
        sources_from(&s, lists[i]);
        app_turns_init(&t, &s, 1, 3);
        app_turns_shuffle(&t, 1);
        for (uint32_t k = 0; k < SIXTEEN_BITS; k++) {
            all[k] = app_turns_next(&t);
            assert_true(tern_addr_range_contains(&s.of[0], &all[k])
                        || (s.n > 1 && tern_addr_range_contains(&s.of[1], &all[k])));
        }
        qsort(all, SIXTEEN_BITS, sizeof all[0], by_bytes);
        for (uint32_t k = 0; k + 1 < SIXTEEN_BITS; k++)
            assert_false(tern_addr_equal(&all[k], &all[k + 1]));
    }
}

/* ---- a load ---- */

static struct {
    union tern_addr first;
    uint32_t n_accepted[SIXTEEN_BITS], n_by_port[4];
    uint64_t n_syns, order[2 * SIXTEEN_BITS];
} seen;

static void accepted(struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_conn_info info;
    tern_conn_describe(sh, c, &info);
    const uint64_t at = steps_from(&seen.first, &info.remote);
    assert_true(at < SIXTEEN_BITS);
    seen.n_accepted[at]++;
    seen.n_by_port[info.lport - PAIR_PORT]++;
}

static void close_too(struct tern_shard *sh, struct tern_conn *c)
{
    tern_shutdown(sh, c);
}

static const struct tern_app counting = {.on_open = accepted, .on_peer_closed = close_too};

/* Every SYN, as it leaves the client. */
static enum fate note_syn(struct pair *pair, int from, const uint8_t *packet, uint32_t n)
{
    enum { SYN_ALONE = 0x02, FLAGS_OFF = 13, IP4_BYTES = 20, IP6_BYTES = 40 };
    union tern_addr source;
    (void)n;
    if (from != CLIENT || packet[(pair->v6 ? IP6_BYTES : IP4_BYTES) + FLAGS_OFF] != SYN_ALONE)
        return ARRIVES;
    uint32_t v4;
    memcpy(&v4, packet + 12, sizeof v4);
    source = tern_addr_from_v4(v4);
    if (pair->v6)
        memcpy(source.b, packet + 8, sizeof source.b);
    assert_true(seen.n_syns < 2 * SIXTEEN_BITS);
    seen.order[seen.n_syns++] = steps_from(&seen.first, &source);
    return ARRIVES;
}

static void listen_and_count(struct pair *pair, uint32_t n_ports)
{
    struct tern_shard *sh = tern_embed_shard(pair->end[SERVER]);
    for (uint32_t i = 0; i < n_ports; i++)
        assert_true(tern_listen(sh, NULL, (uint16_t)(PAIR_PORT + i), &counting, NULL) >= 0);
}

static void open_world(struct world *w, bool v6)
{
    enum { OPEN_AT_ONCE = 512, RESTING = 2 * SIXTEEN_BITS };
    struct tern_error err;
    *w = (struct world){.server = NULL};
    pair_init(&w->pair, v6);
    sources_from(&s, v6 ? "2001:db8::1:0/112" : "198.18.0.0/16");
    for (int i = CLIENT; i <= SERVER; i++) {
        w->pair.cfg[i].stack.neighbours_max = 2 * OPEN_AT_ONCE;
        w->pair.cfg[i].stack.time_wait_max = RESTING;
    }
    if (app_sources_install(&s, &w->pair.cfg[CLIENT].stack, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(app_sources_total(&s) == SIXTEEN_BITS);
    memset(&seen, 0, sizeof seen);
    seen.first = app_sources_at(&s, 0);
    w->pair.hook = note_syn;
    world_open(w, &app_scenario_handshake, OPEN_AT_ONCE);
    w->load.cfg.sources = &s;
}

static void load_from_65536(bool v6, bool random, uint64_t n_rounds, uint16_t n_ports)
{
    static struct world w;
    struct app_ledger ledger;
    open_world(&w, v6);
    w.target[0].n_ports = n_ports;
    w.load.cfg.random_sources = random;
    w.load.cfg.source_key = 5;
    w.load.cfg.count = n_rounds * SIXTEEN_BITS;
    listen_and_count(&w.pair, n_ports);
    start_load(&w);
    while (!app_load_is_idle(&w.load))
        run_world(&w, RTT_MS);
    end_load(&w, &ledger);
    free_world(&w);
    assert_int_equal(seen.n_syns, n_rounds * SIXTEEN_BITS);
    for (uint32_t i = 0; i < SIXTEEN_BITS; i++)
        assert_int_equal(seen.n_accepted[i], n_rounds);
}

static void each_of_65536_sources_is_accepted_in_sequence(void **state)
{
    (void)state;
    load_from_65536(false, false, 2, 1);
    for (uint64_t i = 0; i < seen.n_syns; i++)
        assert_int_equal(seen.order[i], i % SIXTEEN_BITS);
}

static void each_of_an_ip6_112_is_accepted_in_sequence(void **state)
{
    (void)state;
    load_from_65536(true, false, 1, 1);
    for (uint64_t i = 0; i < seen.n_syns; i++)
        assert_int_equal(seen.order[i], i);
}

/* The server has seen each once a round; and the second round is like the first. */
static void each_is_accepted_in_a_shuffled_order(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        uint32_t n_follow = 0;
        load_from_65536(v6, true, v6 ? 1 : 2, 1);
        for (uint64_t i = 0; i + 1 < SIXTEEN_BITS; i++)
            n_follow += seen.order[i] + 1 == seen.order[i + 1];
        assert_in_range(n_follow, 0, 12);
    }
}

static void ports_of_the_target_take_turns(void **state)
{
    enum { PORTS = 4 };
    (void)state;
    load_from_65536(false, false, 1, PORTS);
    for (int i = 0; i < PORTS; i++)
        assert_int_equal(seen.n_by_port[i], SIXTEEN_BITS / PORTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_is_exact_round_for_round),
        cmocka_unit_test(sequence_is_that_of_the_places),
        cmocka_unit_test(workers_share_the_first_round),
        cmocka_unit_test(more_workers_than_sources_begin_inside),
        cmocka_unit_test(shuffled_order_is_a_permutation),
        cmocka_unit_test(shuffled_order_is_the_keys),
        cmocka_unit_test(shuffled_order_of_2000_3_repeats_nothing),
        cmocka_unit_test(each_of_65536_sources_is_accepted_in_sequence),
        cmocka_unit_test(each_of_an_ip6_112_is_accepted_in_sequence),
        cmocka_unit_test(each_is_accepted_in_a_shuffled_order),
        cmocka_unit_test(ports_of_the_target_take_turns),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
