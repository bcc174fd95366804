/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines that work: help, results as JSON, and signals at every part of a run. */
#include "child.h"

#include <jansson.h>

static void help_is_on_stdout(void **state)
{
    (void)state;
    static const char *const lines[][4] = {{"--help"}, {"--version"}, {"help", "pair"},
        {"help", "serve"}, {"load", "--help"}, {"doctor", "-h"}, {"help"}, {"help", "--man"},
        {"help", "--completion", "bash"}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *const words[] = {program, lines[i][0], lines[i][1], lines[i][2], NULL};
        struct outcome o;
        run(&o, words);
        assert_int_equal(o.status, 0);
        assert_string_equal(o.err, "");
        assert_non_null(strstr(o.out, "tern"));
    }
}

static const json_t *field(const json_t *o, const char *path)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok(copy, "."); key != NULL; key = strtok(NULL, ".")) {
        o = json_object_get(o, key);
        assert_non_null(o);
    }
    return o;
}

static json_t *result_of(const struct outcome *o)
{
    json_error_t e;
    json_t *json = json_loads(o->out, 0, &e);
    if (json == NULL || o->status != 0)
        print_error("status %d: %s\n%s\n", o->status, e.text, o->err);
    assert_int_equal(o->status, 0);
    assert_non_null(json);
    return json;
}

static json_int_t sum_of_histogram(const json_t *latency)
{
    const char *at = json_string_value(json_object_get(latency, "histogram"));
    json_int_t n = 0;
    for (; at != NULL; at = strchr(at, ',')) {
        at = strchr(at, ':') + 1;
        n += strtoll(at, NULL, 10);
    }
    return n;
}

/* All but the connection that found the way are timed, and ended in order. */
static void expect_times(const json_t *json, json_int_t n)
{
    static const char *const metrics[] = {"latency.connect", "latency.close"};
    assert_int_equal(json_integer_value(field(json, "ledger.counted.begun")), n - 1);
    assert_int_equal(json_integer_value(field(json, "ledger.counted.ended.ok")), n - 1);
    assert_int_equal(json_integer_value(field(json, "ledger.not_counted.begun")), 1);
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const json_t *latency = field(json, metrics[i]);
        const json_t *percentiles = field(latency, "percentiles_ns");
        assert_int_equal(json_integer_value(field(latency, "n")), n - 1);
        assert_int_equal(sum_of_histogram(latency), n - 1);
        assert_true(json_integer_value(field(percentiles, "p50")) > 0);
        assert_true(json_integer_value(field(percentiles, "p50"))
                    <= json_integer_value(field(percentiles, "p99")));
    }
}

static void pair_of_exactly_n_balances_in_json(void **state)
{
    (void)state;
    static const char *const scenarios[] = {"handshake", "http", "echo"};
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const char *const words[] = {program, "pair", "--count", "1k", "--no-huge", "--scenario",
            scenarios[i], "--json", "-", NULL};
        struct outcome o;
        run(&o, words);
        json_t *json = result_of(&o);
        assert_int_equal(json_integer_value(field(json, "connections.opened")), 1000);
        assert_int_equal(json_integer_value(field(json, "connections.closed")), 1000);
        assert_int_equal(json_object_size(field(json, "connections.failed")), 0);
        assert_true(json_is_true(field(json, "books_balance")));
        assert_int_equal(json_integer_value(field(json, "leaks.mbufs")), 0);
        expect_times(json, 1000);
        assert_int_equal(json_array_size(field(json, "workers")), 2);
        assert_string_equal(json_string_value(field(json, "scenario")), scenarios[i]);
        json_decref(json);
    }
}

/* A stream's figures: what was carried, second by second, and the same number of bytes in the books
 * of both ends. */
static void stream_reports_its_seconds(void **state)
{
    (void)state;
    const char *const words[] = {program, "pair", "--scenario", "stream", "--duration", "2s",
        "--no-huge", "--verify", "--json", "-", NULL};
    struct outcome o;
    run(&o, words);
    json_t *json = result_of(&o);
    const json_t *stream = field(json, "stream");
    assert_string_equal(json_string_value(field(stream, "direction")), "up");
    assert_true(json_is_true(field(stream, "verified")));
    assert_in_range(json_array_size(field(stream, "series")), 1, 2);
    const double least = json_real_value(field(stream, "bytes_per_s_min"));
    const double median = json_real_value(field(stream, "bytes_per_s"));
    const double most = json_real_value(field(stream, "bytes_per_s_max"));
    assert_true(0 <= least && least <= median && median <= most && 0 < most);
    const json_int_t sent = json_integer_value(field(stream, "client.sent"));
    assert_true(sent >= json_integer_value(field(stream, "bytes")));
    assert_int_equal(json_integer_value(field(stream, "server.received")), sent);
    assert_int_equal(json_integer_value(field(json, "connections.closed")), 1);
    assert_true(json_is_true(field(json, "books_balance")));
    json_decref(json);
}

static void interrupt_drains_and_reports(void **state)
{
    (void)state;
    const char *const words[] = {
        program, "pair", "--duration", "1h", "--no-huge", "--json", "-", NULL};
    struct child child;
    struct outcome o;
    spawn(&child, words);
    sleep(4); /* past address detection, into the run */
    kill(child.pid, SIGINT);
    finish(&child, &o);
    json_t *json = result_of(&o);
    assert_true(json_is_true(field(json, "interrupted")));
    assert_true(json_is_true(field(json, "books_balance")));
    json_decref(json);
}

/* Into the time in which a run that is over waits for what is under way: a SYN nobody answers. */
static void run_into_quiesce(struct child *child)
{
    const char *const words[] = {program, "load", "198.18.0.1:80", "--dev",
        "vdev:net_null0,no-rx=1", "--ip", "198.18.1.1/15", "--neighbour",
        "198.18.0.1=02:00:5e:00:00:01", "--conns", "1", "--duration", "1s", "--no-huge", "--json",
        "-", NULL};
    struct outcome so_far = {.status = 0};
    spawn(child, words);
    while (strstr(so_far.err, "\n    1.0 ") == NULL)
        assert_true(read_some(child->err, so_far.err));
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void first_interrupt_after_the_run_keeps_the_result(void **state)
{
    (void)state;
    struct child child;
    struct outcome o;
    run_into_quiesce(&child);
    pause_ms(300);
    kill(child.pid, SIGINT);
    finish(&child, &o);
    json_t *json = result_of(&o);
    assert_true(json_is_false(field(json, "interrupted")));
    assert_int_equal(json_integer_value(field(json, "connections.opened")), 1);
    json_decref(json);
}

static void second_interrupt_ends_at_once(void **state)
{
    (void)state;
    struct child child;
    struct outcome o;
    run_into_quiesce(&child);
    pause_ms(300);
    kill(child.pid, SIGINT);
    pause_ms(600);
    kill(child.pid, SIGINT);
    finish(&child, &o);
    assert_int_equal(o.status, STATUS_INTERRUPTED);
    assert_string_equal(o.out, "");
    assert_non_null(strstr(o.err, "tern: ended without a result: interrupted again while"));
}

static void json_file_appears_whole_and_alone(void **state)
{
    (void)state;
    char dir[] = "/tmp/tern-cli-XXXXXX", path[64], list[128];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/result.json", dir);
    const char *const words[] = {
        program, "pair", "--count", "10", "--no-huge", "--json", path, NULL};
    struct outcome o;
    run(&o, words);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    json_decref(json);
    assert_int_equal(unlink(path), 0);
    snprintf(list, sizeof list, "%s holds nothing else", dir);
    if (rmdir(dir) != 0)
        fail_msg("not true that %s", list);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_on_stdout),
        cmocka_unit_test(pair_of_exactly_n_balances_in_json),
        cmocka_unit_test(stream_reports_its_seconds),
        cmocka_unit_test(interrupt_drains_and_reports),
        cmocka_unit_test(first_interrupt_after_the_run_keeps_the_result),
        cmocka_unit_test(second_interrupt_ends_at_once),
        cmocka_unit_test(json_file_appears_whole_and_alone),
    };
    return take_program(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
