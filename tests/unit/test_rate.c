/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/rate.h"
#include "unit.h"

#define SEC UINT64_C(1000000000)

static uint32_t take_all(struct tern_rate *r, uint64_t now_ns)
{
    uint32_t n = 0;
    while (n < 2000000000 && tern_rate_take(r, now_ns))
        n++;
    return n;
}

static void starts_full_with_a_tenth_of_a_second(void **state)
{
    (void)state;
    const struct {
        uint32_t per_s, depth;
    } rows[] = {{1, 1}, {3, 1}, {10, 1}, {11, 1}, {20, 2}, {1000, 100}, {1000000, 100000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_rate r = tern_rate_make(rows[i].per_s, 5 * SEC);
        assert_int_equal(take_all(&r, 5 * SEC), rows[i].depth);
    }
}

static void zero_never_passes(void **state)
{
    (void)state;
    struct tern_rate r = tern_rate_make(0, 0);
    assert_false(tern_rate_take(&r, 0));
    assert_false(tern_rate_take(&r, 1));
    assert_false(tern_rate_take(&r, UINT64_MAX));
}

static void earns_exactly_its_rate(void **state)
{
    (void)state;
    /* Asked every 7 ns for a second: no fraction is lost on the way. */
    struct tern_rate r = tern_rate_make(30, 0);
    uint32_t n = 0;
    assert_int_equal(take_all(&r, 0), 3);
    for (uint64_t ns = 0; ns < SEC; ns += 7)
        n += tern_rate_take(&r, ns);
    assert_int_equal(n, 29);
    assert_true(tern_rate_take(&r, SEC));
    assert_false(tern_rate_take(&r, SEC + SEC / 30));
    assert_true(tern_rate_take(&r, SEC + SEC / 30 + 1));
}

static void long_run_holds_the_rate(void **state)
{
    (void)state;
    struct tern_rate r = tern_rate_make(1000000, 0);
    uint64_t n = 0;
    for (uint64_t us = 0; us < 2000000; us += 50)
        n += take_all(&r, us * 1000);
    assert_in_range(n, 2000000, 2000000 + 100000);
}

static void silence_fills_no_more_than_the_bucket(void **state)
{
    (void)state;
    struct tern_rate r = tern_rate_make(UINT32_MAX, 0);
    r.credit = 0;
    assert_true(tern_rate_take(&r, UINT64_MAX));
    assert_int_equal(r.credit, tern_rate_depth(UINT32_MAX) - TERN_RATE_TOKEN);
    r = tern_rate_make(1000, 0);
    take_all(&r, 0);
    assert_int_equal(take_all(&r, SEC - 1), 100);
    assert_int_equal(take_all(&r, 1000 * SEC), 100);
}

static void time_running_backwards_earns_nothing(void **state)
{
    (void)state;
    struct tern_rate r = tern_rate_make(10, 10 * SEC);
    assert_true(tern_rate_take(&r, 10 * SEC));
    assert_false(tern_rate_take(&r, 0));
    assert_false(tern_rate_take(&r, 10 * SEC));
    assert_true(tern_rate_take(&r, 10 * SEC + SEC / 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_full_with_a_tenth_of_a_second),
        cmocka_unit_test(zero_never_passes),
        cmocka_unit_test(earns_exactly_its_rate),
        cmocka_unit_test(long_run_holds_the_rate),
        cmocka_unit_test(silence_fills_no_more_than_the_bucket),
        cmocka_unit_test(time_running_backwards_earns_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
