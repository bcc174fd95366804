/* SPDX-License-Identifier: BSD-3-Clause */
/* Even starts, added up, against the same divided out one by one. */
#include "load/schedule.h"
#include "unit.h"

enum { STARTS = 3000, START_NS = 12345 };

static const uint64_t rates[] = {1, 3, 7, 60, 1000, 333333, 500000, 1000000, 1234567, 48000001,
    999999999, 1000000000, 1000000001, 3000000000, UINT64_C(64000000000), UINT64_C(70000000001)};
static const uint32_t workers[] = {1, 2, 3, 7, 64};

#define EACH(i, array) (size_t i = 0; i < sizeof(array) / sizeof(array)[0]; i++)

/* When start k of worker `index` is due. */
static uint64_t due(uint64_t rate, uint32_t n_workers, uint32_t index, uint64_t k)
{
    const app_schedule_wide all =
        (app_schedule_wide)(k * n_workers + index) * APP_SCHEDULE_SECOND_NS;
    return START_NS + (uint64_t)((all + rate - 1) / rate);
}

static void expect_starts(uint64_t rate, uint32_t n_workers, uint32_t index)
{
    struct app_schedule s = app_schedule_begin(START_NS, rate, n_workers, index);
    for (uint64_t k = 0; k < STARTS; k++) {
        assert_int_equal(s.next_ns, due(rate, n_workers, index, k));
        assert_true(app_schedule_is_due(&s, s.next_ns));
        assert_false(app_schedule_is_due(&s, s.next_ns - 1));
        app_schedule_step(&s);
    }
}

static void starts_are_where_division_puts_them(void **state)
{
    (void)state;
    for
        EACH(r, rates)
        for
            EACH(w, workers)
        for (uint32_t index = 0; index < workers[w]; index += workers[w] / 3 + 1)
            expect_starts(rates[r], workers[w], index);
}

/* From start k on: give up, and be where a count from the first start says. */
static void expect_given_up(
    struct app_schedule s, uint64_t k, uint32_t n_workers, uint64_t until_ns, uint64_t n_kept)
{
    uint64_t n_due = 0;
    while (due(s.rate, n_workers, 0, k + n_due) <= until_ns)
        n_due++;
    const uint64_t n = n_due > n_kept ? n_due - n_kept : 0;
    assert_int_equal(app_schedule_give_up(&s, until_ns, n_kept), n);
    for (uint64_t i = k + n; i < k + n + 5; i++) {
        assert_int_equal(s.next_ns, due(s.rate, n_workers, 0, i));
        app_schedule_step(&s);
    }
}

static void late_starts_are_given_up_but_for_the_last(void **state)
{
    (void)state;
    for
        EACH(r, rates)
        for
            EACH(w, workers)
            {
                struct app_schedule s = app_schedule_begin(START_NS, rates[r], workers[w], 0);
                for (uint64_t k = 0; k < 7; k++) {
                    static const uint64_t n_due[] = {0, 1, 2, 63, 64, 65, 200};
                for
                    EACH(i, n_due)
                    {
                        const uint64_t at_ns = due(rates[r], workers[w], 0, k + n_due[i]);
                        expect_given_up(s, k, workers[w], at_ns, 64);
                        expect_given_up(s, k, workers[w], at_ns - 1, 64);
                        expect_given_up(s, k, workers[w], at_ns, 0);
                    }
                app_schedule_step(&s);
                }
            }
}

/* A day behind at the highest rate there is: no sum overflows. */
static void a_long_way_behind(void **state)
{
    (void)state;
    const uint64_t day_ns = 86400 * APP_SCHEDULE_SECOND_NS, rate = UINT64_C(64000000000);
    struct app_schedule s = app_schedule_begin(START_NS, rate, 1, 0);
    assert_int_equal(app_schedule_give_up(&s, START_NS + day_ns, 64), 86400 * rate + 1 - 64);
    assert_int_equal(s.next_ns, due(rate, 1, 0, 86400 * rate + 1 - 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_where_division_puts_them),
        cmocka_unit_test(late_starts_are_given_up_but_for_the_last),
        cmocka_unit_test(a_long_way_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
