/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several scenarios in one load: whose turn it is, exact over every sum of weights; each with books
 * and times of its own, which add up to the whole's.
 */
#include "load/churn.h"
#include "load_world.h"

#include <errno.h>

enum { RATE = 400 };

/* ---- turns ---- */

static void assert_turns(const uint32_t *weights, uint32_t n, const char *want)
{
    static struct app_round_robin t;
    app_round_robin_make(&t, weights, n);
    assert_int_equal(t.n, strlen(want));
    for (uint32_t i = 0; i < t.n; i++)
        assert_int_equal('a' + t.of[i], want[i]);
}

static void turns_are_spread_and_as_many_as_the_weights(void **state)
{
    (void)state;
    assert_turns((const uint32_t[]){1}, 1, "a");
    assert_turns((const uint32_t[]){1000}, 1, "a");
    assert_turns((const uint32_t[]){5, 1, 1}, 3, "aabacaa");
    assert_turns((const uint32_t[]){3, 3}, 2, "ab");
}

/* Wherever a worker begins: a stretch of the ring's length has each as often as its weight says. */
static void every_stretch_of_the_ring_is_exact(void **state)
{
    static struct app_round_robin t;
    uint64_t random = 7;
    (void)state;
    for (int run = 0; run < 200; run++) {
        uint32_t weights[APP_TURN_TAKERS_MAX], sum = 0;
        const uint32_t n = 1 + (uint32_t)(next_random(&random) % APP_TURN_TAKERS_MAX);
        for (uint32_t i = 0; i < n; i++)
            sum += weights[i] = 1 + (uint32_t)(next_random(&random) % APP_WEIGHT_MAX);
        app_round_robin_make(&t, weights, n);
        uint32_t times[APP_TURN_TAKERS_MAX] = {0};
        for (uint32_t i = 0; i < t.n; i++)
            times[t.of[i]]++;
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal((uint64_t)times[i] * sum, (uint64_t)weights[i] * t.n);
    }
}

/* ---- as it is typed ---- */

static void a_mix_is_read(void **state)
{
    struct app_mix mix;
    struct tern_error err;
    (void)state;
    assert_int_equal(app_mix_parse(&mix, "http@8080:80,stream:15,hold:1k", &err), 0);
    assert_int_equal(mix.n, 3);
    assert_ptr_equal(mix.of[0].scenario, &app_scenario_http);
    assert_ptr_equal(mix.of[2].scenario, &app_scenario_hold);
    assert_int_equal(mix.of[0].port, 8080);
    assert_int_equal(mix.of[1].port, 0);
    assert_int_equal(mix.of[1].weight, 15);
    assert_int_equal(mix.of[2].weight, 1000);
}

static void a_bad_mix_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "has no weight"},
        {"http", "'http' has no weight"},
        {"http:", "is not a number"},
        {"http:0", "outside 1..1000"},
        {"http:1001", "outside 1..1000"},
        {"http:1,", "has no weight"},
        {"http:1,http:2", "http is there twice"},
        {"htpp:1", "'htpp' is unknown; type one of handshake"},
        {"churn:1", "churn is the mix itself"},
        {"http@0:1", "outside 1..65535"},
        {"http@:1", "is not a number"},
    };
    struct app_mix mix = {.n = 77};
    struct tern_error err;
    char huge[400];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(app_mix_parse(&mix, bad[i].text, &err), -EINVAL);
        if (strstr(err.text, bad[i].says) == NULL)
            fail_msg("'%s': %s", bad[i].text, err.text);
        assert_int_equal(mix.n, 77);
    }
    memset(huge, 'h', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(app_mix_parse(&mix, huge, &err), -EINVAL);
}

/* ---- a load of several ---- */

enum { HANDSHAKE, ECHO, HOLD, N_PARTS };
enum { SUM = 10, HOLD_MS = 300 };

/* Handshakes, requests that come back, and connections that stay for a while, 7 : 2 : 1. */
static void begin_mix(struct world *w)
{
    static const char *const services[] = {"discard", "echo"};
    static const struct app_mix mix = {.n = N_PARTS,
        .of = {[HANDSHAKE] = {&app_scenario_handshake, 7, PAIR_PORT},
            [ECHO] = {&app_scenario_echo, 2, PAIR_PORT + 1},
            [HOLD] = {&app_scenario_hold_ticking, 1, PAIR_PORT + 1}}};
    world_init(w, &app_scenario_churn, 100000, false);
    start_servers(w, services, 2);
    w->load.cfg.echo_bytes = 100;
    w->load.cfg.requests = 2;
    w->load.cfg.hold_ns = ms_to_ns(HOLD_MS);
    app_mix_make(&mix, &w->load.cfg, &w->load.mix);
    w->load.cfg.mix = &w->load.mix;
}

static uint64_t part_opened(const struct world *w, uint32_t part)
{
    struct app_load_counts c = {.opened = 0};
    app_load_add_counts(&w->load, part, &c);
    return c.opened;
}

static struct app_ledger part_ledger(const struct world *w, uint32_t part)
{
    struct app_ledger l = {.late = 0};
    app_load_add_ledger(&w->load, part, &l);
    return l;
}

static uint64_t part_timed(const struct world *w, uint32_t part, enum app_metric m)
{
    struct app_hist *h = calloc(1, sizeof *h);
    app_load_add_times(&w->load, part, m, h);
    const uint64_t n = app_hist_n(h);
    free(h);
    return n;
}

static void a_rate_is_shared_by_the_weights(void **state)
{
    static const uint64_t weights[N_PARTS] = {7, 2, 1};
    struct world w;
    (void)state;
    begin_mix(&w);
    w.load.cfg.rate = RATE;
    start_load(&w);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    const struct app_ledger all = end_load(&w);
    assert_int_equal(all.begun[true], RATE * STEADY_S);
    assert_int_equal(all.ended[true][TERN_CLOSE_NORMAL], RATE * STEADY_S);
    uint64_t n_connected = 0;
    for (uint32_t i = 0; i < N_PARTS; i++) {
        const struct app_ledger l = part_ledger(&w, i);
        assert_int_equal(l.begun[true], RATE * STEADY_S * weights[i] / SUM);
        assert_int_equal(l.begun[true] + l.begun[false], part_opened(&w, i));
        assert_int_equal(l.ended[true][TERN_CLOSE_NORMAL], l.begun[true]);
        assert_int_equal(part_timed(&w, i, APP_METRIC_CONNECT), l.begun[true]);
        n_connected += part_timed(&w, i, APP_METRIC_CONNECT);
    }
    assert_int_equal(n_connected, n_timed(&w, APP_METRIC_CONNECT));
    assert_int_equal(part_timed(&w, HANDSHAKE, APP_METRIC_COMPLETE), 0);
    const double echoes = 2.0 * RATE * STEADY_S * 2 / SUM; /* the last second ones are late */
    assert_about((double)part_timed(&w, ECHO, APP_METRIC_COMPLETE), echoes - 5, echoes);
    free_world(&w);
}

/* With a number of connections: of so many starts so many are of each, whenever one looks. */
static void turns_are_taken_in_closed_loop_too(void **state)
{
    struct world w;
    (void)state;
    for (uint64_t count = 1; count <= 3 * SUM; count++) {
        begin_mix(&w);
        w.load.cfg.conns = 4;
        w.load.cfg.count = count;
        start_load(&w);
        run_world(&w, 20 * ONE_SECOND);
        assert_true(app_load_is_idle(&w.load));
        assert_int_equal(counts_of(&w).opened, count);
        uint64_t want[N_PARTS] = {0};
        for (uint64_t i = 0; i < count; i++)
            want[w.load.mix.turns.of[i % SUM]]++;
        for (uint32_t i = 0; i < N_PARTS; i++)
            assert_int_equal(part_opened(&w, i), want[i]);
        end_load(&w);
        free_world(&w);
    }
}

/* One that fails has its failures under its own name, and the others go on. */
static void a_part_fails_alone(void **state)
{
    struct world w;
    (void)state;
    begin_mix(&w);
    w.load.cfg.rate = RATE;
    w.load.mix.of[ECHO].port = PAIR_PORT + 2; /* refuses */
    start_load(&w);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    end_load(&w);
    for (uint32_t i = 0; i < N_PARTS; i++) {
        const struct app_ledger l = part_ledger(&w, i);
        const uint64_t refused = l.ended[true][TERN_CLOSE_REFUSED];
        assert_int_equal(refused, i == ECHO ? l.begun[true] : 0);
        assert_int_equal(part_timed(&w, i, APP_METRIC_FAILED), refused);
    }
    assert_int_equal(part_ledger(&w, ECHO).begun[true], RATE * STEADY_S * 2 / SUM);
    free_world(&w);
}

static void what_is_held_goes_after_its_time(void **state)
{
    struct world w;
    struct app_hist *h = calloc(1, sizeof *h);
    (void)state;
    begin_mix(&w);
    w.load.cfg.rate = RATE;
    start_load(&w);
    run_world(&w, STEADY_S * ONE_SECOND);
    const double open = (double)w.load.workers[0]->live;
    assert_about(open, RATE / SUM * (HOLD_MS + RTT_MS) / 1000, RATE); /* the held ones, mostly */
    end_load(&w);
    app_load_add_times(&w.load, HOLD, APP_METRIC_CLOSE, h);
    uint64_t ns[2];
    app_hist_percentiles(h, (const double[]){0, 90}, 2, ns);
    assert_about((double)ns[1] / 1e6, HOLD_MS + 2 * RTT_MS, HOLD_MS + 2 * RTT_MS + 2 * POLL_MS);
    free(h);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_spread_and_as_many_as_the_weights),
        cmocka_unit_test(every_stretch_of_the_ring_is_exact),
        cmocka_unit_test(a_mix_is_read),
        cmocka_unit_test(a_bad_mix_is_refused_with_the_reason),
        cmocka_unit_test(a_rate_is_shared_by_the_weights),
        cmocka_unit_test(turns_are_taken_in_closed_loop_too),
        cmocka_unit_test(a_part_fails_alone),
        cmocka_unit_test(what_is_held_goes_after_its_time),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
