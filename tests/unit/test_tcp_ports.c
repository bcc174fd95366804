/* SPDX-License-Identifier: BSD-3-Clause */
/* Ephemeral ports: every one of the range in its turn, in an order that only the seed knows. */
#include "rss_fixture.h"
#include "tcp/ports.h"
#include "unit.h"

#include <stdlib.h>

enum { DEFAULT_PORTS = 65535 - 1024 + 1 };

static struct tern_tcp tcp;
static struct tern_flow_key to;
static struct tern_rss rss;

static void seed_with(uint64_t word)
{
    const uint64_t seed[4] = {word, 2, 3, 4};
    tern_keys_init(&tcp.keys, seed);
}

static int set_up(void **state)
{
    (void)state;
    memset(&tcp, 0, sizeof tcp);
    tern_stack_config_init(&tcp.cfg);
    to = (struct tern_flow_key){
        .local = tern_addr_from_v4(0x010012c6), /* 198.18.0.1 */
        .remote = tern_addr_from_v4(0x020012c6),
        .rport = 80,
    };
    seed_with(1);
    return 0;
}

static struct tern_port_order order_there(void)
{
    struct tern_port_order o;
    tern_port_order_init(&o, &tcp, &to);
    return o;
}

static uint16_t nth(uint32_t turn)
{
    const struct tern_port_order o = order_there();
    return tern_ports_next(&tcp, &o, &turn);
}

static void set_range(uint16_t first, uint16_t last, uint16_t stride, uint16_t phase)
{
    tcp.cfg.port_min = first;
    tcp.cfg.port_max = last;
    tcp.cfg.port_stride = stride;
    tcp.cfg.port_phase = phase;
}

static bool is_in_range(uint32_t port)
{
    return port >= tcp.cfg.port_min && port <= tcp.cfg.port_max;
}

/** Every port of the range whose replies reach this worker comes once before any comes again. */
static void expect_each_once(uint32_t first_turn, uint32_t n_turns)
{
    static uint8_t n_taken[UINT16_MAX + 1];
    const struct tern_port_order o = order_there();
    uint32_t turn = first_turn;
    memset(n_taken, 0, sizeof n_taken);
    while (turn < first_turn + n_turns) {
        const uint16_t foretold = tern_ports_at(&tcp, &o, turn);
        const uint16_t port = tern_ports_next(&tcp, &o, &turn);
        assert_true(foretold == port || foretold == 0);
        if (turn <= first_turn + n_turns) /* else it is the next round's */
            n_taken[port]++;
    }
    for (uint32_t port = 1; port <= UINT16_MAX; port++) {
        to.lport = (uint16_t)port;
        assert_int_equal(n_taken[port], is_in_range(port) && tern_ports_is_own(&tcp, &to));
    }
}

static void whole_range_is_1024_to_65535(void **state) /* 6056-1 */
{
    (void)state;
    expect_each_once(0, DEFAULT_PORTS);
    expect_each_once(DEFAULT_PORTS, DEFAULT_PORTS);
}

static void any_range_is_a_permutation(void **state)
{
    (void)state;
    static const uint16_t ranges[][4] = {{5000, 5000, 1, 0}, {5000, 5002, 1, 0}, {1, 65535, 1, 0},
        {1024, 65535, 4, 3}, {5000, 5009, 2, 1}, {49152, 65535, 7, 0}, {10, 26, 16, 11}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        set_range(ranges[i][0], ranges[i][1], ranges[i][2], ranges[i][3]);
        uint32_t n = 0;
        for (uint32_t port = ranges[i][0]; port <= ranges[i][1]; port++)
            n += port % ranges[i][2] == ranges[i][3];
        expect_each_once(0, n);
        expect_each_once(n, n);
    }
}

static void a_range_without_a_port_of_ours_gives_none(void **state)
{
    (void)state;
    set_range(5000, 5002, 4, 3);
    assert_int_equal(nth(0), 0);
}

/* ---- where the device tells how it spreads flows ---- */

enum { ENTRIES = 128, WORKERS = 4 };

static void know_rss(uint32_t worker)
{
    const struct tern_rss_facts card = rss_card(5, ENTRIES, WORKERS);
    assert_int_equal(tern_rss_init(&rss, &card, WORKERS), TERN_RSS_GOOD);
    set_range(1024, 65535, WORKERS, (uint16_t)worker);
    tcp.rss = &rss;
    tcp.worker = worker;
}

static void aim_at_ip6(void)
{
    assert_int_equal(tern_addr_parse("2001:2::1", &to.local), 0);
    assert_int_equal(tern_addr_parse("2001:2::2", &to.remote), 0);
}

/** Each worker draws all ports of its own, whatever the family and destination. */
static void own_queue_gets_the_replies(void **state)
{
    (void)state;
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        know_rss(worker);
        for (uint16_t rport = 80; rport < 84; rport++) {
            to.rport = rport;
            expect_each_once(0, 65536 / WORKERS);
            expect_each_once(65536 / WORKERS, 65536 / WORKERS);
        }
    }
    aim_at_ip6();
    expect_each_once(0, 65536 / WORKERS);
}

/** No port is anybody else's, and none is nobody's. */
static void workers_share_out_the_ports(void **state)
{
    (void)state;
    know_rss(0);
    for (uint32_t port = 1024; port <= 65535; port++) {
        uint32_t n_owners = 0;
        to.lport = (uint16_t)port;
        for (tcp.worker = 0; tcp.worker < WORKERS; tcp.worker++)
            n_owners += tern_ports_is_own(&tcp, &to);
        assert_int_equal(n_owners, 1);
    }
}

static void narrow_range_is_kept_to(void **state)
{
    (void)state;
    know_rss(1);
    tcp.cfg.port_min = 49152;
    tcp.cfg.port_max = 49152 + 8191;
    expect_each_once(0, 65536 / WORKERS);
    tcp.cfg.port_max = tcp.cfg.port_min; /* one port: this worker's, or there is none */
    to.lport = tcp.cfg.port_min;
    assert_int_equal(nth(0), tern_ports_is_own(&tcp, &to) ? to.lport : 0);
}

static void a_family_that_is_not_known_goes_by_remainder(void **state)
{
    (void)state;
    know_rss(2);
    rss.ip6.is_known = false;
    aim_at_ip6();
    for (uint32_t turn = 0; turn < 1000; turn++)
        assert_int_equal(nth(turn) % WORKERS, 2);
}

/** Turns at which two orders have the same port: one on average. */
static uint32_t count_common(const uint16_t *a, const uint16_t *b, uint32_t n)
{
    uint32_t n_common = 0;
    for (uint32_t i = 0; i < n; i++)
        n_common += a[i] == b[i];
    return n_common;
}

static void take_turns(uint16_t *out)
{
    for (uint32_t i = 0; i < DEFAULT_PORTS; i++)
        out[i] = nth(i);
}

/* V086 */
static void order_depends_on_seed_and_destination(void **state) /* 6056-1 */
{
    (void)state;
    static uint16_t here[DEFAULT_PORTS], there[DEFAULT_PORTS];
    take_turns(here);
    to.remote.b[15] ^= 1;
    take_turns(there);
    assert_in_range(count_common(here, there, DEFAULT_PORTS), 0, 16);
    to.remote.b[15] ^= 1;
    to.local.b[15] ^= 1;
    take_turns(there);
    assert_in_range(count_common(here, there, DEFAULT_PORTS), 0, 16);
    to.local.b[15] ^= 1;
    seed_with(2);
    take_turns(there);
    assert_in_range(count_common(here, there, DEFAULT_PORTS), 0, 16);
}

static int compare_i32(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/** The step from one port to the next tells nothing: no step is frequent, small ones are rare. */
static void expect_spread_steps(uint32_t n_steps)
{
    static int32_t step[DEFAULT_PORTS];
    const struct tern_port_order o = order_there();
    uint32_t n_near = 0, n_same = 0, n_same_max = 0, turn = 0;
    int32_t before = tern_ports_next(&tcp, &o, &turn);
    for (uint32_t i = 0; i < n_steps; i++) {
        const int32_t port = tern_ports_next(&tcp, &o, &turn);
        step[i] = port - before;
        n_near += abs(step[i]) <= 32; /* 64 in 64512 by chance */
        before = port;
    }
    assert_in_range(n_near, n_steps / 2688, n_steps / 504);
    qsort(step, n_steps, sizeof step[0], compare_i32);
    for (uint32_t i = 1; i < n_steps; i++) {
        n_same = step[i] == step[i - 1] ? n_same + 1 : 0;
        n_same_max = n_same > n_same_max ? n_same : n_same_max;
    }
    assert_in_range(n_same_max, 1, 16);
}

/* V085, V086 */
static void steps_are_spread(void **state) /* 6056-1 */
{
    (void)state;
    expect_spread_steps(DEFAULT_PORTS - 1);
    know_rss(3);
    expect_spread_steps(DEFAULT_PORTS / WORKERS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whole_range_is_1024_to_65535, set_up),
        cmocka_unit_test_setup(any_range_is_a_permutation, set_up),
        cmocka_unit_test_setup(a_range_without_a_port_of_ours_gives_none, set_up),
        cmocka_unit_test_setup(own_queue_gets_the_replies, set_up),
        cmocka_unit_test_setup(workers_share_out_the_ports, set_up),
        cmocka_unit_test_setup(narrow_range_is_kept_to, set_up),
        cmocka_unit_test_setup(a_family_that_is_not_known_goes_by_remainder, set_up),
        cmocka_unit_test_setup(order_depends_on_seed_and_destination, set_up),
        cmocka_unit_test_setup(steps_are_spread, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
