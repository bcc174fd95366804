/* SPDX-License-Identifier: BSD-3-Clause */
/* Ephemeral ports: every one of the range in its turn, in an order that only the seed knows. */
#include "tcp/ports.h"
#include "unit.h"

#include <stdlib.h>

enum { DEFAULT_PORTS = 65535 - 1024 + 1 };

static struct tern_tcp tcp;
static union tern_addr us, them;

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
    us = tern_addr_from_v4(0x010012c6); /* 198.18.0.1 */
    them = tern_addr_from_v4(0x020012c6);
    seed_with(1);
    return 0;
}

static uint16_t nth(uint32_t turn)
{
    return tern_ports_nth(&tcp, &us, &them, 80, turn);
}

static void set_range(uint16_t first, uint16_t last, uint16_t stride, uint16_t phase)
{
    tcp.cfg.port_min = first;
    tcp.cfg.port_max = last;
    tcp.cfg.port_stride = stride;
    tcp.cfg.port_phase = phase;
}

/** Every port of the range that belongs to the phase comes once before any comes again. */
static void expect_each_once(uint32_t first_turn)
{
    static uint8_t n_taken[65536];
    const struct tern_stack_config *cfg = &tcp.cfg;
    memset(n_taken, 0, sizeof n_taken);
    for (uint32_t i = 0; i < tern_ports_count(cfg); i++)
        n_taken[nth(first_turn + i)]++;
    for (uint32_t port = 0; port < 65536; port++) {
        const bool mine = port >= cfg->port_min && port <= cfg->port_max
                          && port % cfg->port_stride == cfg->port_phase;
        assert_int_equal(n_taken[port], mine);
    }
}

static void whole_range_is_1024_to_65535(void **state) /* 6056-1 */
{
    (void)state;
    assert_int_equal(tern_ports_count(&tcp.cfg), DEFAULT_PORTS);
    expect_each_once(0);
    expect_each_once(DEFAULT_PORTS);
}

static void any_range_is_a_permutation(void **state)
{
    (void)state;
    static const uint16_t ranges[][4] = {{5000, 5000, 1, 0}, {5000, 5002, 1, 0}, {1, 65535, 1, 0},
        {1024, 65535, 4, 3}, {5000, 5009, 2, 1}, {49152, 65535, 7, 0}, {10, 26, 16, 11}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        set_range(ranges[i][0], ranges[i][1], ranges[i][2], ranges[i][3]);
        expect_each_once(0);
    }
}

/** Turns at which two orders have the same port: one on average. */
static uint32_t count_common(const uint16_t *a, const uint16_t *b, uint32_t n)
{
    uint32_t n_common = 0;
    for (uint32_t i = 0; i < n; i++)
        n_common += a[i] == b[i];
    return n_common;
}

static void take_turns(uint16_t *to)
{
    for (uint32_t i = 0; i < DEFAULT_PORTS; i++)
        to[i] = nth(i);
}

static void order_depends_on_seed_and_destination(void **state) /* 6056-1 */
{
    (void)state;
    static uint16_t here[DEFAULT_PORTS], there[DEFAULT_PORTS];
    take_turns(here);
    them.b[15] ^= 1;
    take_turns(there);
    assert_in_range(count_common(here, there, DEFAULT_PORTS), 0, 16);
    them.b[15] ^= 1;
    us.b[15] ^= 1;
    take_turns(there);
    assert_in_range(count_common(here, there, DEFAULT_PORTS), 0, 16);
    us.b[15] ^= 1;
    seed_with(2);
    take_turns(there);
    assert_in_range(count_common(here, there, DEFAULT_PORTS), 0, 16);
}

static int compare_i32(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/** The step from one port to the next tells nothing: no step is frequent, small ones are rare. */
static void steps_are_spread(void **state) /* 6056-1 */
{
    (void)state;
    static int32_t step[DEFAULT_PORTS - 1];
    uint32_t n_near = 0, n_same = 0, n_same_max = 0;
    for (uint32_t i = 0; i + 1 < DEFAULT_PORTS; i++) {
        step[i] = nth(i + 1) - nth(i);
        n_near += abs(step[i]) <= 32; /* 64 in 64512 by chance */
    }
    assert_in_range(n_near, 24, 128);
    qsort(step, DEFAULT_PORTS - 1, sizeof step[0], compare_i32);
    for (uint32_t i = 1; i + 1 < DEFAULT_PORTS; i++) {
        n_same = step[i] == step[i - 1] ? n_same + 1 : 0;
        n_same_max = n_same > n_same_max ? n_same : n_same_max;
    }
    assert_in_range(n_same_max, 1, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whole_range_is_1024_to_65535, set_up),
        cmocka_unit_test_setup(any_range_is_a_permutation, set_up),
        cmocka_unit_test_setup(order_depends_on_seed_and_destination, set_up),
        cmocka_unit_test_setup(steps_are_spread, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
