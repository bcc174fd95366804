/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests on connections that stay open, in virtual time: what is due waits for a connection and
 * is timed from when it was due; answers go to the requests in their order, however they are cut;
 * and every request that was asked is answered, wrong or unanswered.
 */
#include "load_world.h"

enum { RATE = 200, STALL_AT_MS = 2000, STALL_MS = 900, CONNS = 20, SOON_MS = 100 };

#define GET       "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
#define OK_LAST   "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"
#define OK_CHUNKS "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define WRONG     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"
#define CONTINUE  "HTTP/1.1 100 Continue\r\n\r\n"

static char get_text[] = GET;
static const struct app_requests get = {
    .n = 1, .of = {{.bytes = get_text, .n_bytes = sizeof get_text - 1}}};

static void begin_world(struct world *w)
{
    world_init(w, &app_scenario_http_keepalive, CONNS, true);
    w->load.cfg.asks = &get;
    w->load.cfg.pipeline = 1;
    app_expect_init(&w->load.cfg.expect);
}

static void start_world(struct world *w)
{
    start_server(w, "http");
    start_load(w);
}

/* ---- against our own server ---- */

static void a_rate_is_of_requests(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w);
    w.load.cfg.rate = RATE;
    start_world(&w);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    app_load_ledger(&w.load, &l);
    end_load(&w);
    const struct app_load_counts c = counts_of(&w);
    assert_int_equal(c.opened, CONNS);
    assert_int_equal(c.asked[true], RATE * STEADY_S);
    assert_int_equal(c.answered, c.asked[true] + c.asked[false]);
    assert_int_equal(c.status[2], c.answered);
    assert_int_equal(app_load_not_started(&w.load), 0);
    assert_int_equal(l.late, 0);
    assert_true(l.held_back <= 2); /* until the second connection is open */
    assert_int_equal(n_timed(&w, APP_METRIC_COMPLETE), RATE * STEADY_S);
    assert_about(at_percent(&w, APP_METRIC_FIRST_BYTE, 0), RTT_MS, RTT_MS + POLL_MS + 0.1);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 99), RTT_MS, RTT_MS + POLL_MS + 0.1);
    free_world(&w);
}

/* Two thirds of the requests in the stall wait for a connection; nothing is left out. */
static void a_stall_is_seen_by_all_requests_that_were_due_in_it(void **state)
{
    struct world w;
    struct app_ledger l;
    (void)state;
    begin_world(&w);
    w.load.cfg.rate = RATE;
    start_world(&w);
    stall(&w, STALL_AT_MS, STALL_MS);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    app_load_ledger(&w.load, &l);
    end_load(&w);
    assert_int_equal(counts_of(&w).asked[true], RATE * STEADY_S);
    assert_int_equal(n_timed(&w, APP_METRIC_COMPLETE), RATE * STEADY_S);
    assert_int_equal(l.late, 0);
    assert_true(l.held_back > RATE * STALL_MS / 1000 / 2);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 50), RTT_MS, RTT_MS + 2 * POLL_MS);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 90), 380, 600);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 99), 840, 950);
    assert_about(at_percent(&w, APP_METRIC_COMPLETE, 100), STALL_MS, STALL_MS + 3 * RTT_MS);
    free_world(&w);
}

static void requests_that_were_never_asked_are_not_forgotten(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    w.load.cfg.rate = RATE;
    start_world(&w);
    stall(&w, STALL_AT_MS, 100 * ONE_SECOND);
    run_world(&w, STEADY_S * ONE_SECOND + 100);
    end_load(&w);
    const uint64_t asked = counts_of(&w).asked[true];
    assert_true(asked <= STALL_AT_MS * RATE / 1000 + CONNS);
    assert_int_equal(asked + app_load_not_started(&w.load), RATE * STEADY_S);
    free_world(&w);
}

static void a_connection_is_asked_so_often_and_closed(void **state)
{
    enum { COUNT = 50, REQUESTS = 7 };
    struct world w;
    struct app_ledger l;
    (void)state;
    for (uint32_t pipeline = 1; pipeline <= 9; pipeline += 4) {
        begin_world(&w);
        w.load.cfg.count = COUNT;
        w.load.cfg.requests = REQUESTS;
        w.load.cfg.pipeline = pipeline;
        start_world(&w);
        run_world(&w, STEADY_S * ONE_SECOND);
        const struct app_load_counts c = counts_of(&w);
        assert_true(app_load_is_idle(&w.load));
        assert_int_equal(c.answered, COUNT * REQUESTS);
        assert_int_equal(c.unanswered + n_wrong(&c), 0);
        end_load(&w);
        app_load_ledger(&w.load, &l);
        assert_int_equal(
            l.ended[true][TERN_CLOSE_NORMAL] + l.ended[false][TERN_CLOSE_NORMAL], COUNT);
        free_world(&w);
    }
}

/* ---- against the test ---- */

static void start_test(struct world *w, uint32_t pipeline)
{
    w->load.cfg.conns = 1;
    w->load.cfg.pipeline = pipeline;
    assert_int_equal(
        tern_sock_listen(w->pair.end[SERVER], NULL, PAIR_PORT, 16, &w->pair.listener), 0);
    start_load(w);
    run_world(w, SOON_MS);
    w->s = tern_sock_accept(w->pair.listener);
    assert_non_null(w->s);
}

/* Whole requests that have arrived since it was asked last. */
static size_t n_heard(struct world *w)
{
    char text[64 * sizeof GET];
    const ssize_t n = tern_sock_recv(w->s, text, sizeof text);
    assert_true(n <= 0 || n % (ssize_t)strlen(GET) == 0);
    return n <= 0 ? 0 : (size_t)n / strlen(GET);
}

static void say(struct world *w, const char *text, size_t n)
{
    assert_int_equal(tern_sock_send(w->s, text, n), n);
    run_world(w, SOON_MS);
}

static void expect_counts(
    const struct world *w, uint64_t answered, uint64_t wrong, uint64_t unanswered)
{
    const struct app_load_counts c = counts_of(w);
    assert_int_equal(c.answered, answered);
    assert_int_equal(n_wrong(&c), wrong);
    assert_int_equal(c.unanswered, unanswered);
}

static void end_test(struct world *w)
{
    if (w->s != NULL)
        tern_sock_close(w->s);
    end_load(w);
    free_world(w);
}

static void so_many_are_under_way(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    start_test(&w, 3);
    assert_int_equal(n_heard(&w), 3);
    say(&w, OK, strlen(OK));
    assert_int_equal(n_heard(&w), 1);
    say(&w, OK OK OK, strlen(OK OK OK));
    assert_int_equal(n_heard(&w), 3);
    expect_counts(&w, 4, 0, 0);
    end_test(&w);
}

static void answers_may_be_cut_anywhere(void **state)
{
    static const char text[] = OK CONTINUE OK_CHUNKS NOT_FOUND OK;
    struct world w;
    (void)state;
    for (size_t cut = 1; cut < strlen(text); cut++) {
        begin_world(&w);
        start_test(&w, 4);
        say(&w, text, cut);
        say(&w, text + cut, strlen(text) - cut);
        expect_counts(&w, 3, 1, 0);
        assert_int_equal(counts_of(&w).wrong[APP_FAIL_HTTP_STATUS], 1);
        assert_int_equal(counts_of(&w).status[1], 1);
        assert_int_equal(counts_of(&w).status[2], 3);
        assert_int_equal(counts_of(&w).status[4], 1);
        assert_int_equal(n_heard(&w), 8);
        end_test(&w);
    }
}

static void a_wrong_body_fails_the_request_alone(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    w.load.cfg.expect.body = "a";
    w.load.cfg.expect.length = 1;
    start_test(&w, 1);
    say(&w, OK, strlen(OK));
    say(&w, WRONG, strlen(WRONG));
    say(&w, NOT_FOUND, strlen(NOT_FOUND));
    say(&w, OK, strlen(OK));
    expect_counts(&w, 2, 2, 0);
    assert_int_equal(counts_of(&w).wrong[APP_FAIL_HTTP_CONTENT], 1);
    assert_int_equal(counts_of(&w).opened, 1);
    end_test(&w);
}

static void a_server_that_closes_answers_no_more(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    w.load.cfg.count = 1;
    start_test(&w, 3);
    assert_int_equal(n_heard(&w), 3);
    say(&w, OK_LAST, strlen(OK_LAST));
    assert_int_equal(n_heard(&w), 0);
    tern_sock_shutdown(w.s);
    run_world(&w, SOON_MS);
    expect_counts(&w, 1, 0, 2);
    assert_int_equal(counts_of(&w).failed[APP_FAIL_HTTP_BODY], 0);
    end_test(&w);
}

static void what_ends_a_connection_is_booked(void **state)
{
    static const struct {
        const char *text;
        enum app_fail why;
        uint64_t answered;
    } bad[] = {
        {"nonsense\r\n\r\n", APP_FAIL_HTTP_MALFORMED, 0},
        {OK "nonsense", APP_FAIL_HTTP_MALFORMED, 1},
        {OK OK OK, APP_FAIL_HTTP_BODY, 2},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", APP_FAIL_HTTP_BODY, 0},
    };
    struct world w;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin_world(&w);
        w.load.cfg.requests = w.load.cfg.pipeline = 2;
        w.load.cfg.count = 1;
        start_test(&w, 2);
        assert_int_equal(n_heard(&w), 2);
        say(&w, bad[i].text, strlen(bad[i].text));
        tern_sock_shutdown(w.s);
        run_world(&w, SOON_MS);
        expect_counts(&w, bad[i].answered, 0, 2 - bad[i].answered);
        assert_int_equal(counts_of(&w).failed[bad[i].why], 1);
        end_test(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_of_requests),
        cmocka_unit_test(a_stall_is_seen_by_all_requests_that_were_due_in_it),
        cmocka_unit_test(requests_that_were_never_asked_are_not_forgotten),
        cmocka_unit_test(a_connection_is_asked_so_often_and_closed),
        cmocka_unit_test(so_many_are_under_way),
        cmocka_unit_test(answers_may_be_cut_anywhere),
        cmocka_unit_test(a_wrong_body_fails_the_request_alone),
        cmocka_unit_test(a_server_that_closes_answers_no_more),
        cmocka_unit_test(what_ends_a_connection_is_booked),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
