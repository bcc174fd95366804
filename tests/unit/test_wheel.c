/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard/arena.h"
#include "shard/wheel.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

enum {
    N_NODES = 1000,
    NODE_OFFSET = 8,
    STRIDE = 64,
};
#define START UINT32_C(0xfffffff0) /* the wrap is 16 ticks off */

static uint8_t records[(N_NODES + 1) * STRIDE] __attribute__((aligned(64)));
static struct tern_wheel wheel;
static uint32_t expired[N_NODES];

static int setup(void **state)
{
    (void)state;
    memset(records, 0, sizeof records);
    return tern_wheel_init(&wheel, records, STRIDE, NODE_OFFSET, START, -1);
}

static int teardown(void **state)
{
    (void)state;
    tern_wheel_fini(&wheel);
    return 0;
}

/** Advance to START + ticks with room for all. */
static uint32_t advance(uint32_t ticks)
{
    return tern_wheel_advance(&wheel, START + ticks, expired, N_NODES);
}

static void init_bad_shape_is_einval(void **state)
{
    struct tern_wheel w;
    (void)state;
    assert_int_equal(tern_wheel_init(&w, NULL, 64, 0, 0, -1), -EINVAL);
    assert_int_equal(tern_wheel_init(&w, records, 62, 0, 0, -1), -EINVAL);
    assert_int_equal(tern_wheel_init(&w, records, 64, 2, 0, -1), -EINVAL);
    assert_int_equal(tern_wheel_init(&w, records, 64, 56, 0, -1), -EINVAL);
    tern_wheel_fini(&w);
}

static void init_without_memory_is_enomem(void **state)
{
    struct tern_wheel w;
    (void)state;
    tern_arena_set_fail_after(0);
    assert_int_equal(tern_wheel_init(&w, records, STRIDE, 0, 0, -1), -ENOMEM);
    tern_arena_set_fail_after(-1);
    tern_wheel_fini(&w);
}

static void armed_fires_at_its_tick_and_not_before(void **state)
{
    /* Around every boundary: of slots, of turns, of levels, of the 32 bits. */
    static const uint32_t distances[] = {1, 2, 15, 16, 17, 255, 256, 257, 511, 512, 513, 65535,
        65536, 65537, 131071, 131072, 131088, (1 << 24) - 1, 1 << 24, (1 << 24) + 1, (1 << 25) + 3,
        TERN_WHEEL_SPAN - 1, TERN_WHEEL_SPAN};
    (void)state;
    for (uint32_t i = 0; i < sizeof distances / sizeof distances[0]; i++) {
        const uint32_t due = wheel.now + distances[i];
        tern_wheel_arm(&wheel, 1, due);
        assert_int_equal(tern_wheel_advance(&wheel, due - 1, expired, 1), 0);
        assert_true(tern_wheel_is_armed(&wheel, 1));
        assert_int_equal(tern_wheel_advance(&wheel, due, expired, 1), 1);
        assert_int_equal(expired[0], 1);
        assert_false(tern_wheel_is_armed(&wheel, 1));
    }
}

static void armed_for_the_past_fires_in_the_next_advance(void **state)
{
    (void)state;
    tern_wheel_arm(&wheel, 1, START);
    tern_wheel_arm(&wheel, 2, START - 1000);
    tern_wheel_arm(&wheel, 3, START - (1u << 31));
    assert_int_equal(advance(0), 3);
    assert_int_equal(advance(0), 0);
}

static void armed_beyond_the_span_fires_at_the_span(void **state)
{
    (void)state;
    tern_wheel_arm(&wheel, 1, START + TERN_WHEEL_SPAN + 5);
    tern_wheel_arm(&wheel, 2, START + INT32_MAX);
    assert_int_equal(advance(TERN_WHEEL_SPAN - 1), 0);
    assert_int_equal(advance(TERN_WHEEL_SPAN), 2);
}

static void rearm_later_keeps_the_earlier_tick(void **state)
{
    (void)state;
    tern_wheel_arm(&wheel, 1, START + 10);
    tern_wheel_arm(&wheel, 1, START + 5000);
    assert_int_equal(advance(9), 0);
    assert_int_equal(advance(10), 1);
    assert_int_equal(advance(6000), 0);
}

static void rearm_earlier_moves_across_the_wrap(void **state)
{
    (void)state;
    tern_wheel_arm(&wheel, 1, START + 5000);
    tern_wheel_arm(&wheel, 1, START + 20);
    tern_wheel_arm(&wheel, 1, START + 3);
    assert_int_equal(wheel.n_armed, 1);
    assert_int_equal(advance(2), 0);
    assert_int_equal(advance(3), 1);
    assert_int_equal(advance(6000), 0);
}

static void cancelled_does_not_fire_wherever_it_is_in_its_list(void **state)
{
    (void)state;
    for (uint32_t idx = 1; idx <= 100; idx++)
        tern_wheel_arm(&wheel, idx, START + 7);
    for (uint32_t idx = 1; idx <= 100; idx += 3)
        tern_wheel_cancel(&wheel, idx);
    tern_wheel_cancel(&wheel, 1);
    assert_int_equal(wheel.n_armed, 66);
    assert_int_equal(advance(7), 66);
    for (uint32_t i = 0; i < 66; i++)
        assert_int_not_equal(expired[i] % 3, 1);
}

static void advance_returns_earlier_ticks_first(void **state)
{
    (void)state;
    for (uint32_t idx = 1; idx <= N_NODES; idx++)
        tern_wheel_arm(&wheel, idx, START + idx * 1021 % 300000);
    assert_int_equal(advance(300000), N_NODES);
    for (uint32_t i = 1; i < N_NODES; i++)
        assert_true(expired[i - 1] * 1021 % 300000 <= expired[i] * 1021 % 300000);
}

static void advance_in_portions_survives_what_the_owner_does_between(void **state)
{
    uint32_t n_fired = 0, n;
    (void)state;
    for (uint32_t idx = 1; idx <= 300; idx++)
        tern_wheel_arm(&wheel, idx, START + 100 + idx % 2);
    do {
        n = tern_wheel_advance(&wheel, START + 1000, expired, 7);
        n_fired += n;
        tern_wheel_cancel(&wheel, 300 - n_fired / 3);      /* some are cancelled in front of it */
        tern_wheel_arm(&wheel, 301 + n_fired, START + 50); /* some are armed behind it */
    } while (n == 7);
    assert_int_equal(wheel.n_armed, 1);
    assert_int_equal(wheel.now, START + 1000);
    assert_true(n_fired > 300);
    assert_int_equal(advance(1000), 1);
}

static void clock_jump_over_hours_is_not_walked(void **state)
{
    (void)state;
    tern_wheel_arm(&wheel, 1, START + 3);
    tern_wheel_arm(&wheel, 2, START + TERN_WHEEL_SPAN);
    for (uint32_t i = 0; i < 20000; i++) { /* would take hours tick by tick */
        assert_int_equal(tern_wheel_advance(&wheel, wheel.now + TERN_WHEEL_SPAN, expired, 2), 2);
        tern_wheel_arm(&wheel, 1, wheel.now + 3);
        tern_wheel_arm(&wheel, 2, wheel.now + TERN_WHEEL_SPAN);
    }
}

static void clock_that_steps_back_moves_nothing(void **state)
{
    (void)state;
    tern_wheel_arm(&wheel, 1, START + 100);
    assert_int_equal(advance(99), 0);
    assert_int_equal(advance(50), 0);
    assert_int_equal(wheel.now, START + 99);
    assert_int_equal(advance(100), 1);
}

static void next_leads_to_every_deadline_in_few_steps(void **state)
{
    uint32_t due = 0, n_steps = 0;
    (void)state;
    assert_false(tern_wheel_next(&wheel, &due));
    tern_wheel_arm(&wheel, 1, START + TERN_WHEEL_SPAN - 1);
    for (uint32_t n = 0; n == 0; n_steps++) {
        assert_true(tern_wheel_next(&wheel, &due));
        assert_true((int32_t)(due - wheel.now) > 0);
        assert_true((int32_t)(START + TERN_WHEEL_SPAN - 1 - due) >= 0);
        n = tern_wheel_advance(&wheel, due, expired, 1);
    }
    assert_in_range(n_steps, 1, TERN_WHEEL_LEVELS);
    assert_int_equal(wheel.now, START + TERN_WHEEL_SPAN - 1);
    assert_false(tern_wheel_next(&wheel, &due));
    tern_wheel_arm(&wheel, 1, wheel.now - 5);
    assert_true(tern_wheel_next(&wheel, &due));
    assert_int_equal(due, wheel.now + 1);
}

/** Ten thousand nodes due in one far slot: all are on level 0 or 1 before its boundary comes. */
static void far_slot_is_emptied_ahead_of_its_time(void **state)
{
    (void)state;
    for (uint32_t idx = 1; idx <= N_NODES; idx++)
        tern_wheel_arm(&wheel, idx, 2 * 65536 + idx); /* by level 2, past the wrap */
    advance(16 + 65536);
    for (uint32_t ticks = 16 + 65537; ticks < 16 + 65537 + 2 * N_NODES / 32; ticks++)
        assert_int_equal(advance(ticks), 0);
    for (uint32_t i = 0; i < TERN_WHEEL_SLOTS * TERN_WHEEL_LANES; i++)
        assert_int_equal(wheel.heads[2 * TERN_WHEEL_SLOTS * TERN_WHEEL_LANES + i], 0);
    assert_int_equal(advance(16 + 2 * 65536 + N_NODES), N_NODES);
}

static void ticks_round_so_that_nothing_fires_early(void **state)
{
    const uint64_t tick_ns = UINT64_C(1) << TERN_TICK_NS_LOG2;
    (void)state;
    assert_int_equal(tern_tick_at(0), 0);
    assert_int_equal(tern_tick_at(tick_ns - 1), 0);
    assert_int_equal(tern_tick_at(tick_ns), 1);
    assert_int_equal(tern_tick_not_before(0), 0);
    assert_int_equal(tern_tick_not_before(1), 1);
    assert_int_equal(tern_tick_not_before(tick_ns), 1);
    assert_int_equal(tern_tick_not_before(tick_ns + 1), 2);
    assert_int_equal(tern_tick_at(tick_ns << 32), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_bad_shape_is_einval),
        cmocka_unit_test(init_without_memory_is_enomem),
        TEST(armed_fires_at_its_tick_and_not_before),
        TEST(armed_for_the_past_fires_in_the_next_advance),
        TEST(armed_beyond_the_span_fires_at_the_span),
        TEST(rearm_later_keeps_the_earlier_tick),
        TEST(rearm_earlier_moves_across_the_wrap),
        TEST(cancelled_does_not_fire_wherever_it_is_in_its_list),
        TEST(advance_returns_earlier_ticks_first),
        TEST(advance_in_portions_survives_what_the_owner_does_between),
        TEST(clock_jump_over_hours_is_not_walked),
        TEST(clock_that_steps_back_moves_nothing),
        TEST(next_leads_to_every_deadline_in_few_steps),
        TEST(far_slot_is_emptied_ahead_of_its_time),
        cmocka_unit_test(ticks_round_so_that_nothing_fires_early),
    };
    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
