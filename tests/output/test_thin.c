/* SPDX-License-Identifier: BSD-3-Clause */
/* A series longer than a page shows: fewer rows, which add up to the same run. */
#include "output/thin.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

#define SECOND_NS UINT64_C(1000000000)
enum { ROWS_MAX = 3600, RAMP_S = 10, SLOW_EVERY_S = 61, DAY_S = APP_SECONDS_MAX };

/* Second i of a run: counts that tell seconds apart, and a slow one now and then, at any place of a
 * row. */
static struct app_second second_number(uint32_t i)
{
    const bool slow = i % SLOW_EVERY_S == 0;
    struct app_second s = {
        .at_ns = (i + 1) * SECOND_NS,
        .length_ns = SECOND_NS,
        .phase = i < RAMP_S ? APP_PHASE_RAMP : APP_PHASE_STEADY,
        .opened = i,
        .established = 2 * i,
        .requests = i % 7,
        .open_now = 1000 + i,
        .drops = slow,
    };
    s.latency[APP_METRIC_CONNECT] = (struct app_latency){
        .n = 1 + i % 3, .mean_ns = slow ? 9000 : 3000, .max_ns = slow ? 9000000 : i};
    s.latency[APP_METRIC_CONNECT].percentile_ns[APP_P99] = slow ? 8000000 : 4000;
    s.busy[0][0] = i % 2 == 0 ? 1.0F : 0.5F;
    return s;
}

static struct app_series run_of(uint32_t n_seconds)
{
    struct app_series s = {.n = 0};
    for (uint32_t i = 0; i < n_seconds; i++) {
        const struct app_second second = second_number(i);
        app_series_add(&s, &second);
    }
    assert_int_equal(s.n, n_seconds);
    return s;
}

struct sums {
    uint64_t length_ns, opened, established, requests, drops, n_times;
    double times_ns;
};

static struct sums sums_of(const struct app_series *s)
{
    struct sums sum = {.opened = 0};
    for (uint32_t i = 0; i < s->n; i++) {
        const struct app_second *row = &s->seconds[i];
        const struct app_latency *l = &row->latency[APP_METRIC_CONNECT];
        assert_int_equal(
            row->at_ns - row->length_ns, sum.length_ns); /* begins where the last ended */
        sum.length_ns += row->length_ns;
        sum.opened += row->opened;
        sum.established += row->established;
        sum.requests += row->requests;
        sum.drops += row->drops;
        sum.n_times += l->n;
        sum.times_ns += l->mean_ns * (double)l->n;
    }
    return sum;
}

static void assert_same_run(const struct app_series *whole, const struct app_series *few)
{
    const struct sums a = sums_of(whole), b = sums_of(few);
    assert_int_equal(a.length_ns, b.length_ns);
    assert_int_equal(a.opened, b.opened);
    assert_int_equal(a.established, b.established);
    assert_int_equal(a.requests, b.requests);
    assert_int_equal(a.drops, b.drops);
    assert_int_equal(a.n_times, b.n_times);
    assert_true(a.times_ns - b.times_ns < 1 && b.times_ns - a.times_ns < 1);
    assert_int_equal(whole->seconds[whole->n - 1].open_now, few->seconds[few->n - 1].open_now);
}

static void run_of_any_length_adds_up_in_few_rows(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {
        0, 1, ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 2 * ROWS_MAX, 2 * ROWS_MAX + 1, 10007, DAY_S};
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct app_series whole = run_of(lengths[i]), few;
        assert_int_equal(app_series_thin(&whole, ROWS_MAX, &few), 0);
        assert_in_range(few.n, lengths[i] == 0 ? 0 : 1, ROWS_MAX);
        assert_true(lengths[i] > ROWS_MAX || few.n == lengths[i]); /* no fewer than must be */
        if (few.n != 0)
            assert_same_run(&whole, &few);
        app_series_free(&whole);
        app_series_free(&few);
    }
}

/* A slow second must not vanish in the company of others. */
static void longest_time_of_a_row_stands(void **state)
{
    (void)state;
    struct app_series whole = run_of(3 * ROWS_MAX), few;
    assert_int_equal(app_series_thin(&whole, ROWS_MAX, &few), 0);
    for (uint32_t i = 0; i < whole.n; i++) {
        const struct app_latency *l = &whole.seconds[i].latency[APP_METRIC_CONNECT];
        const struct app_latency *row = &few.seconds[i / 3].latency[APP_METRIC_CONNECT];
        assert_true(row->max_ns >= l->max_ns);
        assert_true(row->percentile_ns[APP_P99] >= l->percentile_ns[APP_P99]);
    }
    assert_int_equal(few.seconds[1].latency[APP_METRIC_CONNECT].max_ns, 5); /* of seconds 3, 4, 5 */
    app_series_free(&whole);
    app_series_free(&few);
}

/* Shares are weighed by time, so a short rest counts for little. */
static void busy_share_of_a_row_is_the_mean(void **state)
{
    (void)state;
    struct app_series whole = run_of(2), few;
    whole.seconds[1].length_ns = SECOND_NS / 4;
    assert_int_equal(app_series_thin(&whole, 1, &few), 0);
    assert_int_equal(few.n, 1);
    assert_true(few.seconds[0].busy[0][0] > 0.899F && few.seconds[0].busy[0][0] < 0.901F);
    app_series_free(&whole);
    app_series_free(&few);
}

static void seconds_that_were_lost_stay_lost(void **state)
{
    (void)state;
    struct app_series whole = run_of(DAY_S), few;
    const struct app_second late = second_number(DAY_S);
    app_series_add(&whole, &late);
    assert_int_equal(whole.n_lost, 1);
    assert_int_equal(app_series_thin(&whole, ROWS_MAX, &few), 0);
    assert_int_equal(few.n_lost, 1);
    app_series_free(&whole);
    app_series_free(&few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_of_any_length_adds_up_in_few_rows),
        cmocka_unit_test(longest_time_of_a_row_stands),
        cmocka_unit_test(busy_share_of_a_row_is_the_mean),
        cmocka_unit_test(seconds_that_were_lost_stay_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
