/* SPDX-License-Identifier: BSD-3-Clause */
/* Times, the schedule, and the books of a load, without a load. */
#include "measure/measure.h"
#include "measure/pace.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1;
    return *state >> 20;
}

/* ---- the histogram ---- */

static void every_time_is_in_a_bucket_of_its_thousandth(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (uint32_t i = 0; i < 1000000; i++) {
        const uint64_t ns = i < 5000 ? i : draw(&random) % (APP_HIST_MAX_NS + 1) >> i % 40;
        const uint32_t bucket = app_hist_bucket(ns);
        assert_true(bucket < APP_HIST_BUCKETS);
        const uint64_t highest = app_hist_highest_ns(bucket);
        assert_true(highest >= ns && highest - ns <= ns / 1000);
        assert_int_equal(app_hist_bucket(highest), bucket);
        assert_int_equal(app_hist_bucket(highest + 1), bucket + (highest < APP_HIST_MAX_NS));
    }
    assert_int_equal(app_hist_bucket(UINT64_MAX), app_hist_bucket(APP_HIST_MAX_NS));
}

/* Where HdrHistogram 2.1 (lowest 1, highest 3.6e12, 3 digits) keeps these. */
static void buckets_are_in_the_order_of_hdr_histogram(void **state)
{
    (void)state;
    assert_int_equal(app_hist_bucket(0), 0);
    assert_int_equal(app_hist_bucket(2047), 2047);
    assert_int_equal(app_hist_bucket(2048), 2048);
    assert_int_equal(app_hist_bucket(2049), 2048);
    assert_int_equal(app_hist_bucket(4095), 3071);
    assert_int_equal(app_hist_bucket(4096), 3072);
    assert_int_equal(app_hist_bucket(UINT64_C(1) << 41), 32 * 1024);
    assert_int_equal(app_hist_highest_ns(2048), 2049);
    assert_int_equal(app_hist_highest_ns(3072), 4099);
}

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void percentiles_are_those_of_the_sorted_times(void **state)
{
    enum { N = 12345 };
    static const double percents[] = {0, 1, 50, 90, 99, 99.9, 99.99, 100};
    static uint64_t times[N];
    uint64_t random = 3, got[8], sum = 0;
    struct app_hist *h = calloc(1, sizeof *h);
    (void)state;
    app_hist_percentiles(h, percents, 8, got);
    assert_int_equal(got[0] | got[7], 0);
    for (uint32_t i = 0; i < N; i++) {
        times[i] = (uint64_t)exp((double)(draw(&random) % 2500) / 100);
        app_hist_add(h, times[i]);
        sum += times[i];
    }
    qsort(times, N, sizeof times[0], by_size);
    app_hist_percentiles(h, percents, 8, got);
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t rank = (uint32_t)ceil(percents[i] / 100 * N);
        const uint64_t want = times[rank == 0 ? 0 : rank - 1];
        assert_true(got[i] >= want && got[i] - want <= want / 1000);
    }
    assert_int_equal(got[7], times[N - 1]);
    assert_int_equal(app_hist_n(h), N);
    assert_true(fabs(app_hist_mean_ns(h) - (double)sum / N) < 1);
    free(h);
}

static void a_second_is_the_difference_of_two_readings(void **state)
{
    struct app_hist *worker = calloc(3, sizeof *worker), *before = worker + 1, *now = worker + 2;
    const double half = 50;
    uint64_t got;
    (void)state;
    app_hist_add(worker, 9000000);
    app_hist_merge(before, worker);
    for (int i = 0; i < 10; i++)
        app_hist_add(worker, 500);
    app_hist_merge(now, worker);
    app_hist_subtract(now, before);
    assert_int_equal(app_hist_n(now), 10);
    assert_int_equal(now->max_ns, 500);
    app_hist_percentiles(now, &half, 1, &got);
    assert_int_equal(got, 500);
    assert_int_equal(now->sum_ns, 5000);
    free(worker);
}

/* ---- the stamp ---- */

static void stamp_is_told_from_state_and_keeps_its_start(void **state)
{
    const struct app_stamp s = app_stamp_make(UINT64_C(123456789012345), true);
    const struct {
        struct app_stamp stamp;
        int more;
    } own = {.stamp = app_stamp_make(77, false)};
    (void)state;
    assert_true(app_stamp_is(app_stamp_pointer(s)));
    assert_false(app_stamp_is(&own));
    assert_true(app_stamp_counts(app_stamp_of(app_stamp_pointer(s))));
    assert_false(app_stamp_counts(app_stamp_of(&own)));
    assert_int_equal(app_stamp_age_ns(s, UINT64_C(123456789012345)), 0);
    assert_int_equal(app_stamp_age_ns(s, UINT64_C(123456789012345) + 999), 999);
    assert_int_equal(app_stamp_age_ns(app_stamp_of(&own), 80), 3);
    const struct app_stamp late = app_stamp_make((UINT64_C(1) << 56) - 5, true);
    assert_int_equal(app_stamp_age_ns(late, (UINT64_C(1) << 56) + 5), 10);
}

/* ---- the schedule ---- */

__extension__ typedef unsigned __int128 wide;

/* When start k is due without a ramp, from the definition. */
static uint64_t naive_due(uint64_t k, uint64_t rate)
{
    return (uint64_t)((wide)k * 1000000000u / rate);
}

static void starts_are_even_over_any_number_of_workers(void **state)
{
    static const uint64_t rates[] = {1, 3, 7, 999, 1000, 333333, 1000000, 7777777, 1000000000};
    (void)state;
    for (uint32_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (uint32_t n = 1; n <= 5; n++)
            for (uint32_t index = 0; index < n; index++) {
                struct app_pace p;
                const struct app_pace_plan plan = {.rate = rates[r]};
                app_pace_init(&p, &plan, index, n, 5000);
                for (uint64_t j = 0; j < 20000; j++, app_pace_next(&p)) {
                    const uint64_t want = 5000 + naive_due(index + j * n, rates[r]);
                    assert_true(p.due_ns <= want && want - p.due_ns <= 1);
                    if (j % 1000 == 0)
                        assert_in_range(
                            app_pace_due_before(&p, want + 1), j + (want == p.due_ns), j + 1);
                }
            }
}

static void ramp_grows_evenly_and_ends_in_the_even_schedule(void **state)
{
    enum { RATE = 100000, N = 3 };
    const struct app_pace_plan plan = {.rate = RATE, .ramp_ns = UINT64_C(2000000000)};
    uint64_t n_before[5] = {0}; /* within 0.5, 1, 1.5, 2, 3 s, by all workers */
    (void)state;
    for (uint32_t index = 0; index < N; index++) {
        struct app_pace p;
        uint64_t last = 0, n = 0;
        for (app_pace_init(&p, &plan, index, N, 0); p.due_ns < UINT64_C(3000000000);
             app_pace_next(&p), n++) {
            assert_true(p.due_ns >= last);
            last = p.due_ns;
            for (uint32_t i = 0; i < 5; i++)
                n_before[i] += last < (i == 4 ? 3000000000u : (i + 1) * 500000000u);
        }
        assert_int_equal(app_pace_due_before(&p, UINT64_C(3000000000)), n);
    }
    static const uint64_t want[5] = {RATE / 16, RATE / 4, RATE * 9 / 16, RATE, 2 * RATE};
    for (uint32_t i = 0; i < 5; i++)
        assert_in_range(n_before[i], want[i] - 2, want[i] + 2);
}

/* ---- the books ---- */

static void every_end_has_one_name_and_only_what_counts_is_timed(void **state)
{
    struct app_measure m;
    struct app_ledger sum = {.late = 0};
    (void)state;
    assert_int_equal(app_measure_init(&m, true), 0);
    const struct app_stamp counted = app_stamp_make(1000, true), ramp = app_stamp_make(10, false);
    struct app_stamp failed = app_stamp_make(1000, true);
    failed.bits |= (uintptr_t)(APP_FAIL_HTTP_BODY + 1) << APP_STAMP_FAIL_SHIFT;
    app_measure_begin(&m, counted, 0, false);
    app_measure_begin(&m, failed, 2 * APP_LATE_NS, false);
    app_measure_begin(&m, ramp, 3 * APP_LATE_NS, true);
    app_measure_time(&m, counted, APP_METRIC_CONNECT, 1500);
    app_measure_time(&m, ramp, APP_METRIC_CONNECT, 1500);
    app_measure_end(&m, counted, TERN_CLOSE_NORMAL, 2000);
    app_measure_end(&m, failed, TERN_CLOSE_ABORTED, 2000);
    app_measure_end(&m, ramp, TERN_CLOSE_TIMEOUT, 2000);
    app_ledger_add(&sum, &m.ledger);
    assert_int_equal(sum.begun[true], 2);
    assert_int_equal(sum.begun[false], 1);
    assert_int_equal(app_ledger_n_ended(&sum, true), 2);
    assert_int_equal(sum.ended[true][TERN_CLOSE_NORMAL], 1);
    assert_int_equal(sum.ended[true][TERN_CLOSE_COUNT + APP_FAIL_HTTP_BODY], 1);
    assert_int_equal(sum.ended[false][TERN_CLOSE_TIMEOUT], 1);
    assert_int_equal(sum.late, 1);
    assert_int_equal(sum.held_back, 1);
    assert_int_equal(sum.late_max_ns, 3 * APP_LATE_NS);
    assert_int_equal(app_hist_n(&m.hist[APP_METRIC_CONNECT]), 1);
    assert_int_equal(m.hist[APP_METRIC_CLOSE].max_ns, 1000);
    assert_int_equal(app_hist_n(&m.hist[APP_METRIC_FAILED]), 1);
    assert_string_equal(app_end_name(TERN_CLOSE_NORMAL), "ok");
    assert_string_equal(app_end_name(TERN_CLOSE_COUNT + APP_FAIL_HTTP_BODY), "http_body");
    app_measure_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_time_is_in_a_bucket_of_its_thousandth),
        cmocka_unit_test(buckets_are_in_the_order_of_hdr_histogram),
        cmocka_unit_test(percentiles_are_those_of_the_sorted_times),
        cmocka_unit_test(a_second_is_the_difference_of_two_readings),
        cmocka_unit_test(stamp_is_told_from_state_and_keeps_its_start),
        cmocka_unit_test(starts_are_even_over_any_number_of_workers),
        cmocka_unit_test(ramp_grows_evenly_and_ends_in_the_even_schedule),
        cmocka_unit_test(every_end_has_one_name_and_only_what_counts_is_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
