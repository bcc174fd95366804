/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `tern serve --listen` can be told, on a shard in virtual time. Every time that is asked for
 * here is met to the nanosecond: the clock stands still but for the test.
 */
#include "serve_world.h"

#include <unistd.h>

/* ---- replies ---- */

static void a_reply_has_the_status_that_was_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *listener, *request, *begins, *ends;
        bool closes;
    } cases[] = {
        {"80=http,status=404", GET, "HTTP/1.1 404 Not Found\r\n", "Content-Length: 1\r\n\r\na", 0},
        {"80=http,status=503,body=0,close", GET, "HTTP/1.1 503 Service Unavailable\r\n",
            "Connection: close\r\nContent-Length: 0\r\n\r\n", 1},
        {"80=http,status=299", GET, "HTTP/1.1 299 \r\n", "\r\n\r\na", 0},
        {"80=http,status=204", GET, "HTTP/1.1 204 No Content\r\nServer: tern\r\n",
            "Connection: keep-alive\r\n\r\n", 0},
        {"80=http,status=304", GET, "HTTP/1.1 304 Not Modified\r\nServer: tern\r\n",
            "Connection: keep-alive\r\n\r\n", 0},
        {"80=http,status=205", GET, "HTTP/1.1 205 Reset Content\r\n", "Content-Length: 0\r\n\r\n",
            0},
        {"80=http,body=5", HEAD, "HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n\r\n", 0},
        {"80=http,body=5,type=text/html", GET,
            "HTTP/1.1 200 OK\r\nServer: tern\r\nContent-Type: "
            "text/html\r\n",
            "\r\n\r\nabcde", 0},
        {"80=http,status=404", POST, "HTTP/1.1 405 Method Not Allowed\r\n", "\r\n\r\n", 0},
        {"80=http,any-method", POST, "HTTP/1.1 200 OK\r\n", "\r\n\r\na", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin_one(&w, cases[i].listener);
        assert_null(w.app.tick); /* nothing waits */
        for (int times = 0; times < 2; times++) {
            dial(&w, 80);
            ask_and_hear(&w, cases[i].request, 2 * RTT_MS);
            if (strncmp(w.heard, cases[i].begins, strlen(cases[i].begins)) != 0)
                fail_msg("%s: %s", cases[i].listener, w.heard);
            const size_t n = strlen(cases[i].ends);
            assert_true(w.n_heard > n);
            assert_string_equal(w.heard + w.n_heard - n, cases[i].ends);
            assert_int_equal(w.ended, cases[i].closes);
        }
        struct app_service_books b;
        end_world(&w, &b);
        const bool is_refused = strstr(cases[i].begins, "405") != NULL;
        const enum app_reply_id id = is_refused ? APP_REPLY_METHOD : APP_REPLY_OK;
        assert_int_equal(b.replies[cases[i].closes ? id + 1 : id], 2);
        assert_int_equal(b.unanswered, 0);
    }
}

static void a_file_is_served_as_it_was(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 1024, 1025, 262144, 700001};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char path[] = "/tmp/tern-serve-XXXXXX.html", listener[64], *bytes = malloc(sizes[i] + 1);
        const int fd = mkstemps(path, 5);
        for (size_t k = 0; k < sizes[i]; k++)
            bytes[k] = (char)(1 + k * 7 % 251);
        assert_int_equal(write(fd, bytes, sizes[i]), sizes[i]);
        snprintf(listener, sizeof listener, "80=http,file=%s", path);
        struct world w;
        begin_one(&w, listener);
        assert_int_equal(unlink(path), 0); /* it is not looked at again */
        dial(&w, 80);
        for (int times = 0; times < 2; times++) {
            ask_and_hear(&w, GET, 200 * RTT_MS);
            const char *body = strstr(w.heard, "\r\n\r\n") + 4;
            assert_non_null(strstr(w.heard, "Content-Type: text/html; charset=utf-8\r\n"));
            assert_int_equal(w.n_heard - (size_t)(body - w.heard), sizes[i]);
            assert_memory_equal(body, bytes, sizes[i]);
        }
        end_world(&w, NULL);
        close(fd);
        free(bytes);
    }
}

/* Requests come one by one, each known, and nobody reads the replies: some reply is cut short where
 * the send queue is full, and goes on there. */
static void a_reply_that_does_not_fit_goes_on_where_it_was_cut(void **state)
{
    (void)state;
    enum { N = 200 };
    struct world w;
    struct app_service_books b;
    begin_one(&w, "80=http,body=1000");
    dial(&w, 80);
    ask_and_hear(&w, GET, 2 * RTT_MS);
    const size_t each = w.n_heard;
    char *reply = strdup(w.heard);
    assert_true(N * each > SND_BUF_BYTES + 2 * RCV_BUF_BYTES);
    w.n_heard = 0;
    for (int i = 0; i < N; i++) {
        ask(&w, GET);
        pair_run_ms(&w.pair, 1);
    }
    run_world(&w, 100 * RTT_MS);
    assert_int_equal(w.n_heard, N * each);
    for (size_t i = 0; i < N; i++)
        assert_memory_equal(w.heard + i * each, reply, each);
    free(reply);
    end_world(&w, &b);
    assert_int_equal(b.replies[APP_REPLY_OK], N + 1);
}

static void each_listener_is_itself(void **state)
{
    (void)state;
    struct world w;
    begin_world(&w, (const char *const[]){"80=http", "81-82=http,status=503,body=3", "7=echo",
                        "9=discard", "19=chargen", NULL});
    for (int times = 0; times < 3; times++) {
        dial(&w, 80);
        ask_and_hear(&w, GET, 2 * RTT_MS);
        assert_int_equal(n_times(w.heard, "200 OK"), 1);
        dial(&w, times == 0 ? 81 : 82);
        ask_and_hear(&w, GET, 2 * RTT_MS);
        assert_int_equal(n_times(w.heard, "503 Service"), 1);
        dial(&w, 7);
        ask_and_hear(&w, "hello", 2 * RTT_MS);
        assert_string_equal(w.heard, "hello");
        dial(&w, 9);
        ask_and_hear(&w, "hello", 2 * RTT_MS);
        assert_string_equal(w.heard, "");
    }
    dial(&w, 19);
    run_world(&w, 20 * RTT_MS);
    assert_true(w.n_heard > 74 * 95); /* comes round */
    assert_memory_equal(
        w.heard, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ", 59);
    for (size_t i = 74 * 95; i < w.n_heard; i++)
        assert_int_equal(w.heard[i], w.heard[i - 74 * 95]);
    dial(&w, 80);
    static const uint32_t opened[] = {4, 3, 3, 3, 1};
    for (uint32_t i = 0; i < 5; i++) {
        struct app_service_books b;
        app_server_books(w.server, i, &b);
        assert_int_equal(b.opened, opened[i]);
        assert_int_equal(b.replies[APP_REPLY_OK], i < 2 ? 3 : 0);
    }
    end_world(&w, NULL);
}

/* ---- slow replies ---- */

static void a_reply_takes_exactly_its_delay(void **state)
{
    (void)state;
    struct world w;
    struct app_service_books b;
    begin_one(&w, "80=http,delay=20ms");
    dial(&w, 80);
    for (int times = 0; times < 3; times++) { /* parsed, and known */
        ask_and_hear(&w, GET, RTT_MS + 20 + 5);
        assert_int_equal(n_times(w.heard, "200 OK"), 1);
        assert_int_equal(took_ms(&w), RTT_MS + 20);
    }
    ask_and_hear(&w, "nonsense\r\n\r\n", RTT_MS + 20 + 5);
    assert_int_equal(n_times(w.heard, "400 Bad"), 1);
    assert_int_equal(took_ms(&w), RTT_MS + 20);
    end_world(&w, &b);
    assert_int_equal(b.n_held, 4);
    assert_int_equal(b.held_ns, 4 * UINT64_C(20000000));
    assert_int_equal(b.held_late_max_ns, 0);
}

static void requests_in_one_piece_are_answered_one_after_the_other(void **state)
{
    (void)state;
    struct world w;
    begin_one(&w, "80=http,delay=20ms");
    dial(&w, 80);
    for (int times = 0; times < 2; times++) {
        ask_and_hear(&w, GET GET GET, RTT_MS + 20);
        assert_int_equal(n_times(w.heard, "200 OK"), 1);
        assert_int_equal(took_ms(&w), RTT_MS + 20);
        run_world(&w, 20);
        assert_int_equal(n_times(w.heard, "200 OK"), 2);
        assert_int_equal(took_ms(&w), RTT_MS + 40);
        run_world(&w, 40);
        assert_int_equal(n_times(w.heard, "200 OK"), 3);
        assert_int_equal(took_ms(&w), RTT_MS + 60);
    }
    end_world(&w, NULL);
}

static void a_client_that_has_closed_is_still_answered(void **state)
{
    (void)state;
    struct world w;
    begin_one(&w, "80=http,delay=20ms");
    dial(&w, 80);
    w.n_heard = 0;
    ask(&w, GET);
    tern_sock_shutdown(w.client);
    run_world(&w, RTT_MS + 20 + RTT_MS);
    assert_int_equal(n_times(w.heard, "200 OK"), 1);
    assert_int_equal(took_ms(&w), RTT_MS + 20);
    assert_true(w.ended);
    struct app_service_books b;
    end_world(&w, &b);
    assert_int_equal(b.unanswered, 0);
}

static void a_client_that_has_gone_is_not_waited_for(void **state)
{
    (void)state;
    struct world w;
    struct app_service_books b;
    begin_one(&w, "80=http,delay=1m");
    for (int times = 0; times < 3; times++) {
        dial(&w, 80);
        ask_and_hear(&w, GET, RTT_MS);
        tern_sock_abort(w.client);
        w.client = NULL;
        run_world(&w, RTT_MS);
        assert_int_equal(tern_shard_n_live(tern_embed_shard(w.pair.end[SERVER])), 0);
    }
    end_world(&w, &b);
    assert_int_equal(b.unanswered, 3);
    assert_int_equal(b.n_held, 0);
}

/* Many at a time, each with a draw of its own: nobody is answered before its time, nor forgotten.
 */
static void many_wait_at_a_time(void **state)
{
    (void)state;
    enum { CLIENTS = 100, LEAST_MS = 10, MOST_MS = 90 };
    struct world w;
    struct tern_sock *clients[CLIENTS];
    uint32_t n_early = 0, n_mid = 0, n_answered = 0;
    begin_one(&w, "80=http,delay=uniform:10ms-90ms,close");
    for (int i = 0; i < CLIENTS; i++) {
        dial(&w, 80);
        clients[i] = w.client;
        w.client = NULL;
    }
    for (int i = 0; i < CLIENTS; i++) {
        w.client = clients[i];
        ask(&w, GET);
    }
    w.client = NULL;
    for (int ms = 0; ms < RTT_MS + MOST_MS + 2; ms++) {
        run_world(&w, 1);
        n_answered = 0;
        for (int i = 0; i < CLIENTS; i++)
            n_answered += (tern_sock_ready(clients[i]) & TERN_READY_READ) != 0;
        n_early = ms < RTT_MS + LEAST_MS - 1 ? n_answered : n_early;
        n_mid = ms < RTT_MS + (LEAST_MS + MOST_MS) / 2 ? n_answered : n_mid;
    }
    assert_int_equal(n_early, 0);
    assert_in_range(n_mid, CLIENTS / 4, CLIENTS * 3 / 4);
    assert_int_equal(n_answered, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        tern_sock_close(clients[i]);
    end_world(&w, NULL);
}

/* ---- stalls ---- */

static uint64_t ms_of(uint64_t ns)
{
    return ns / 1000000;
}

static void nothing_is_answered_in_a_stall(void **state)
{
    (void)state;
    enum { PERIOD_MS = 1000, STALL_MS = 300, N = 60, EVERY_MS = 70 };
    struct world w;
    struct app_service_books b;
    uint32_t n_stalled = 0;
    begin_one(&w, "80=http,stall=300ms@1s");
    dial(&w, 80);
    for (int i = 0; i < N; i++) {
        const uint64_t arrives_ms = ms_of(w.pair.now_ns) + RTT_MS / 2;
        const uint64_t into_ms = arrives_ms % PERIOD_MS;
        const uint64_t waits_ms = into_ms < STALL_MS ? STALL_MS - into_ms : 0;
        ask_and_hear(&w, GET, RTT_MS + waits_ms + EVERY_MS);
        assert_int_equal(n_times(w.heard, "200 OK"), 1);
        assert_int_equal(took_ms(&w), RTT_MS + waits_ms);
        n_stalled += waits_ms > 0;
    }
    assert_true(n_stalled > 3 && n_stalled < N / 2);
    end_world(&w, &b);
    assert_int_equal(b.n_held, n_stalled);
}

/* A reply that would be ready in a stall comes at its end; one that is ready before, does. */
static void a_delay_may_end_in_a_stall(void **state)
{
    (void)state;
    struct world w;
    begin_one(&w, "80=http,stall=300ms@1s,delay=100ms");
    dial(&w, 80);
    const uint64_t second_ms = 1000 - ms_of(w.pair.now_ns) % 1000; /* until the next stall */
    run_world(&w, 1000 + second_ms - 50);
    ask_and_hear(&w, GET, 500); /* arrives 45 ms before, is ready 55 ms in it */
    assert_int_equal(took_ms(&w), 5 + 45 + 300 + 5);
    run_world(&w, 1000 - 450 - 150);
    ask_and_hear(&w, GET, 500); /* ready 45 ms before */
    assert_int_equal(took_ms(&w), RTT_MS + 100);
    end_world(&w, NULL);
}

/* ---- limits ---- */

static void beyond_its_rate_it_refuses_and_counts(void **state)
{
    (void)state;
    enum { RATE = 100, BURST_REQUESTS = 10, STEPS_ = 100, STEP_MS = 50 }; /* twice the rate */
    struct world w;
    struct app_service_books b;
    char burst[BURST_REQUESTS * sizeof GET + sizeof POST] = "";
    for (int i = 0; i < BURST_REQUESTS; i++)
        strcat(burst, GET);
    begin_one(&w, "80=http,max-rate=100,burst=10");
    assert_null(w.app.tick);
    dial(&w, 80);
    w.n_heard = 0;
    for (int i = 0; i < STEPS_; i++) {
        ask(&w, burst);
        run_world(&w, STEP_MS);
    }
    const uint32_t passed = n_times(w.heard, "200 OK"), refused = n_times(w.heard, "503 Service");
    assert_int_equal(passed + refused, STEPS_ * BURST_REQUESTS);
    assert_int_equal(passed, BURST_REQUESTS + RATE * (STEPS_ - 1) * STEP_MS / 1000);
    strcat(burst, POST); /* is refused for what it is, though there is no token left */
    ask_and_hear(&w, burst, STEP_MS);
    assert_int_equal(n_times(w.heard, "405 Method"), 1);
    end_world(&w, &b);
    const uint32_t last = RATE * STEP_MS / 1000;
    assert_int_equal(b.replies[APP_REPLY_OK], passed + last);
    assert_int_equal(b.replies[APP_REPLY_LIMITED], refused + BURST_REQUESTS - last);
    assert_int_equal(b.replies[APP_REPLY_METHOD], 1);
    assert_int_equal(b.unanswered, 0);
}

static void what_was_refused_still_waits(void **state)
{
    (void)state;
    struct world w;
    begin_one(&w, "80=http,max-rate=1,burst=1,delay=20ms,close");
    for (int times = 0; times < 3; times++) {
        dial(&w, 80);
        ask_and_hear(&w, GET, RTT_MS + 20 + 5);
        assert_int_equal(n_times(w.heard, times == 0 ? "200 OK" : "503 Service"), 1);
        assert_int_equal(n_times(w.heard, "Connection: close"), 1);
        assert_int_equal(took_ms(&w), RTT_MS + 20);
        assert_true(w.ended);
    }
    end_world(&w, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_has_the_status_that_was_chosen),
        cmocka_unit_test(a_file_is_served_as_it_was),
        cmocka_unit_test(a_reply_that_does_not_fit_goes_on_where_it_was_cut),
        cmocka_unit_test(each_listener_is_itself),
        cmocka_unit_test(a_reply_takes_exactly_its_delay),
        cmocka_unit_test(requests_in_one_piece_are_answered_one_after_the_other),
        cmocka_unit_test(a_client_that_has_closed_is_still_answered),
        cmocka_unit_test(a_client_that_has_gone_is_not_waited_for),
        cmocka_unit_test(many_wait_at_a_time),
        cmocka_unit_test(nothing_is_answered_in_a_stall),
        cmocka_unit_test(a_delay_may_end_in_a_stall),
        cmocka_unit_test(beyond_its_rate_it_refuses_and_counts),
        cmocka_unit_test(what_was_refused_still_waits),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
