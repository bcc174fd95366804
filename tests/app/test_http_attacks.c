/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HTTP server against those who mean it harm: requests that trickle, replies that nobody takes,
 * lengths that are none. Each ends by itself within its time, says why where there is a reply for
 * it, and leaves nothing behind (end_world()).
 */
#include "serve_world.h"

enum { HEADER_S = 10, STEADY_S = 60, MIN_RATE = 500, SECOND_MS = 1000 /* the defaults */ };

static uint32_t n_live(const struct world *w)
{
    return tern_shard_n_live(tern_embed_shard(w->pair.end[SERVER]));
}

/* A byte of `text` a second, for so long. */
static void trickle(struct world *w, const char *text, uint32_t n_seconds)
{
    for (uint32_t i = 0; i < n_seconds && !w->ended; i++) {
        const char byte[2] = {text[i % strlen(text)], '\0'};
        ask(w, byte);
        run_world(w, SECOND_MS);
    }
}

/* ---- requests that do not come ---- */

/** V204: ten seconds in all, whatever comes meanwhile; the reply says so and the slot is free. */
static void header_that_trickles_is_given_up(void **state)
{
    (void)state;
    static const struct {
        const char *listener;
        uint32_t s;
    } cases[] = {{"80=http", HEADER_S}, {"80=http,header-timeout=3s", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin_one(&w, cases[i].listener);
        w.tick_ms = RTT_MS;
        dial(&w, 80);
        trickle(&w, GET, cases[i].s);
        assert_int_equal(w.n_heard, 0);
        run_world(&w, 2 * RTT_MS);
        assert_int_equal(n_times(w.heard, "408 Request Timeout"), 1);
        assert_true(w.ended);
        struct app_service_books b;
        end_world(&w, &b);
        assert_int_equal(b.replies[APP_REPLY_TIMEOUT], 1);
        assert_int_equal(b.unanswered, 0);
    }
}

/** V204: the time is a request's, not a connection's. */
static void requests_in_time_are_answered_however_many(void **state)
{
    (void)state;
    enum { EACH_MS = (HEADER_S - 1) * SECOND_MS / 2 };
    struct world w;
    begin_one(&w, "80=http");
    w.tick_ms = RTT_MS;
    dial(&w, 80);
    ask(&w, "GET / HTT");
    for (int i = 0; i < 5; i++) { /* the end of one and the beginning of the next in one segment */
        run_world(&w, EACH_MS);
        ask(&w, "P/1.1\r\n");
        run_world(&w, EACH_MS);
        ask(&w, "Host: x\r\n\r\nGET / HTT");
    }
    run_world(&w, RTT_MS);
    assert_int_equal(n_times(w.heard, "200 OK"), 5);
    assert_false(w.ended);
    end_world(&w, NULL);
}

/** V204: header-timeout=0 waits for ever, as a server did that somebody asked to. */
static void patience_without_end_can_be_chosen(void **state)
{
    (void)state;
    struct world w;
    begin_one(&w, "80=http,header-timeout=0,min-rate=0");
    w.tick_ms = RTT_MS;
    dial(&w, 80);
    ask(&w, "GET / HTT");
    run_world(&w, 3 * HEADER_S * SECOND_MS);
    ask_and_hear(&w, "P/1.1\r\nHost: x\r\n\r\n", 2 * RTT_MS);
    assert_int_equal(n_times(w.heard, "200 OK"), 1);
    end_world(&w, NULL);
}

/** V204: nine of ten connections trickle; the tenth is served, and the slots come back. */
static void slow_loris_holds_its_slots_for_a_time(void **state)
{
    (void)state;
    enum { LORISES = 90 };
    struct world w;
    struct tern_sock *lorises[LORISES];
    begin_one(&w, "80=http");
    w.pair.cfg[SERVER].stack.fin_wait2_ms = SECOND_MS;
    for (int i = 0; i < LORISES; i++) {
        dial(&w, 80);
        lorises[i] = w.client;
        ask(&w, "GET / HTTP/1.1\r\n");
        w.client = NULL;
    }
    dial(&w, 80);
    ask_and_hear(&w, GET, 2 * RTT_MS);
    assert_int_equal(n_times(w.heard, "200 OK"), 1);
    assert_int_equal(n_live(&w), LORISES + 1);
    w.tick_ms = RTT_MS;
    run_world(&w, HEADER_S * SECOND_MS);
    for (int i = 0; i < LORISES; i++) {
        char reply[64];
        assert_true(tern_sock_recv(lorises[i], reply, sizeof reply) > 0);
        assert_memory_equal(reply, "HTTP/1.1 408", 12);
        tern_sock_close(lorises[i]);
    }
    run_world(&w, SECOND_MS);
    assert_int_equal(n_live(&w), 1);
    end_world(&w, NULL);
}

/* ---- bodies and replies without progress ---- */

/** V205: a body below the rate is given up after a minute, one at the rate is not. */
static void body_comes_at_a_rate(void **state)
{
    (void)state;
    static const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n";
    static char second[MIN_RATE + 1];
    memset(second, 'b', MIN_RATE);
    for (int slower = 0; slower < 2; slower++) {
        struct world w;
        begin_one(&w, "80=http");
        w.tick_ms = RTT_MS;
        dial(&w, 80);
        ask(&w, head);
        second[MIN_RATE - slower] = '\0';
        for (int s = 0; s < 3 * STEADY_S && !w.ended; s++) {
            ask(&w, second);
            run_world(&w, SECOND_MS);
        }
        assert_int_equal(w.ended, slower);
        assert_int_equal(n_times(w.heard, "408 Request Timeout"), slower);
        end_world(&w, NULL);
    }
}

/* Read so much a second of a reply that is larger than the queue. @return whether it is gone */
static bool server_lost_patience(uint32_t bytes_per_s)
{
    static char taken[MIN_RATE];
    struct world w;
    begin_one(&w, "80=http,body=1000000");
    w.tick_ms = RTT_MS;
    dial(&w, 80);
    ask(&w, GET);
    struct tern_sock *reader = w.client;
    w.client = NULL; /* nobody else hears */
    for (int s = 0; s < 4 * STEADY_S; s++) {
        run_world(&w, SECOND_MS);
        (void)!tern_sock_recv(reader, taken, bytes_per_s);
    }
    const bool is_gone = n_live(&w) == 0;
    tern_sock_abort(reader);
    struct app_service_books b;
    end_world(&w, &b);
    assert_int_equal(b.unanswered, 1);
    return is_gone;
}

/** V116, V205: a reader that takes nothing, or next to nothing, is reset; a slow one is served. */
static void reply_is_taken_at_a_rate(void **state)
{
    (void)state;
    assert_true(server_lost_patience(0));
    assert_true(server_lost_patience(1));
    assert_false(server_lost_patience(MIN_RATE));
}

/** V210: pipelined requests wait in the window while nobody reads; then each has its reply. */
static void pipelining_without_reading_fills_the_window_and_no_more(void **state)
{
    (void)state;
    enum { REQUESTS = 100000, AT_ONCE = 500, STEP_MS = 5 };
    static char burst[AT_ONCE * sizeof GET];
    struct world w;
    size_t n_asked = 0, n_bytes = 0;
    begin_one(&w, "80=http,body=0");
    for (size_t i = 0; i < AT_ONCE; i++)
        memcpy(burst + i * (sizeof GET - 1), GET, sizeof GET);
    const size_t n_burst = AT_ONCE * (sizeof GET - 1), n_all = REQUESTS * (sizeof GET - 1);
    dial(&w, 80);
    ask_and_hear(&w, GET, 2 * RTT_MS);
    const size_t n_reply = w.n_heard;
    struct tern_sock *client = w.client;
    for (int reads = 0; reads < 2; reads++) {
        w.client = reads ? client : NULL;
        for (int idle = 0; idle < 400; idle++) {
            const size_t at = n_asked % n_burst;
            const size_t left = n_all - n_asked < n_burst - at ? n_all - n_asked : n_burst - at;
            const ssize_t n = left > 0 ? tern_sock_send(client, burst + at, left) : 0;
            n_asked += n > 0 ? (size_t)n : 0;
            w.n_heard = 0;
            run_world(&w, STEP_MS);
            n_bytes += w.n_heard;
            idle = n > 0 || w.n_heard > 0 ? 0 : idle;
        }
        assert_int_equal(n_asked == n_all, reads);
    }
    assert_int_equal(n_bytes, REQUESTS * n_reply);
    end_world(&w, NULL);
}

/* ---- requests that are none ---- */

/* `head`, `n` times `part`, `tail`: what comes back begins with `status`, and whether that was all.
 */
static void expect_status(
    const char *head, const char *part, size_t n, const char *tail, const char *status, bool ends)
{
    const size_t n_part = strlen(part), n_head = strlen(head);
    char *text = malloc(n_head + n * n_part + strlen(tail) + 1);
    assert_non_null(text);
    memcpy(text, head, n_head);
    for (size_t i = 0; i < n; i++)
        memcpy(text + n_head + i * n_part, part, n_part);
    strcpy(text + n_head + n * n_part, tail);
    struct world w;
    begin_one(&w, "80=http");
    dial(&w, 80);
    ask_and_hear(&w, text, 40 * RTT_MS);
    if (strncmp(w.heard + strlen("HTTP/1.1 "), status, strlen(status)) != 0)
        fail_msg("%.40s… %zu times '%s': expected %s, heard %.20s", head, n, part, status, w.heard);
    assert_int_equal(w.ended, ends);
    end_world(&w, NULL);
    free(text);
}

/** V206: as long as the parser's bound it is taken, beyond it 431; no line is kept anywhere. */
static void long_headers_are_taken_or_refused(void **state)
{
    (void)state;
    static const size_t taken[] = {51, 4096, 65536}, refused[] = {90000, 200000};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        expect_status("GET /", "a", taken[i], " HTTP/1.1\r\nHost: x\r\n\r\n", "200", false);
        expect_status("GET / HTTP/1.1\r\nHost: x\r\na: ", "b", taken[i], "\r\n\r\n", "200", false);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        expect_status("GET /", "a", refused[i], " HTTP/1.1\r\nHost: x\r\n\r\n", "431", true);
        expect_status("GET / HTTP/1.1\r\nHost: x\r\na: ", "b", refused[i], "", "431", true);
        expect_status("GET / HTTP/1.1\r\n", "a: b\r\n", refused[i] / 5, "\r\n", "431", true);
    }
}

/** V207: a length is digits, one number, and fits; else the message's end is anybody's guess. */
static void content_lengths_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const lengths[] = {"Content-Length: -1\r\n",
        "Content-Length: 18446744073709551616\r\n", "Content-Length: 18446744073709551615\r\n",
        "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 0x5\r\n",
        "Content-Length: \r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        expect_status("POST / HTTP/1.1\r\nHost: x\r\n", lengths[i], 1, "\r\nabcde", "400", true);
}

/** V208: methods are answered 405 or refused, versions of another HTTP 505. */
static void other_methods_and_versions_are_answered_once(void **state)
{
    (void)state;
    static const char rest[] = " / HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char *const known[] = {"OPTIONS", "TRACE", "DELETE", "PATCH"};
    static const char *const unknown[] = {
        "get", "Get", "GETT", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", "G", "\x01"};
    static const char *const versions[] = {"GET / HTTP/9.9\r\n\r\n", "GET / HTTP/0.9\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n", "GET /\r\n\r\n"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        expect_status(known[i], "", 0, rest, "405", false);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        expect_status(unknown[i], "", 0, rest, "400", true);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        expect_status(versions[i], "", 0, "", "505", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_that_trickles_is_given_up),
        cmocka_unit_test(requests_in_time_are_answered_however_many),
        cmocka_unit_test(patience_without_end_can_be_chosen),
        cmocka_unit_test(slow_loris_holds_its_slots_for_a_time),
        cmocka_unit_test(body_comes_at_a_rate),
        cmocka_unit_test(reply_is_taken_at_a_rate),
        cmocka_unit_test(pipelining_without_reading_fills_the_window_and_no_more),
        cmocka_unit_test(long_headers_are_taken_or_refused),
        cmocka_unit_test(content_lengths_that_are_none_are_refused),
        cmocka_unit_test(other_methods_and_versions_are_answered_once),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
