/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `tern serve --app http` and `tern load --scenario http` on shards that are joined in virtual
 * time, each against a socket of the test. What is asked throughout: bytes that were seen before
 * are not parsed again, and nothing else can tell: the same answers in the same order, the same
 * verdicts, whatever the bytes are cut into.
 */
#include "load/load.h"
#include "server_new.h"
#include "tcp_pair.h"

#include <http_parser.h>
#include <stdlib.h>

enum { CLIENT, SERVER };
enum { ANSWERS_MAX = 4 << 20, SOON_MS = 100 };

#define GET_CLOSE "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define GET_KEEP  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK_HEADER "HTTP/1.1 200 OK\r\nServer: tern\r\nContent-Type: text/plain\r\n"
#define OK_CLOSE  OK_HEADER "Connection: close\r\nContent-Length: 1\r\n\r\na"
#define OK_KEEP   OK_HEADER "Connection: keep-alive\r\nContent-Length: 1\r\n\r\na"

static uint32_t n_parses;

size_t __real_http_parser_execute(
    http_parser *p, const http_parser_settings *s, const char *at, size_t n);
size_t __wrap_http_parser_execute(
    http_parser *p, const http_parser_settings *s, const char *at, size_t n);

size_t __wrap_http_parser_execute(
    http_parser *p, const http_parser_settings *s, const char *at, size_t n)
{
    n_parses++;
    return __real_http_parser_execute(p, s, at, n);
}

/* ---- the server ---- */

struct server {
    struct pair pair;
    struct app_server *server;
    struct tern_worker_app app;
    char *heard; /* by the connection now open; cleared when the next one opens */
    size_t n_heard;
    bool ended;
};

static void listen_to(struct server *s, size_t body_bytes)
{
    pair_init(&s->pair, false);
    for (int i = CLIENT; i <= SERVER; i++)
        s->pair.cfg[i].stack.nodelay = true;
    pair_open(&s->pair);
    struct tern_shard *sh = tern_embed_shard(s->pair.end[SERVER]);
    struct tern_error err;
    s->server = server_new();
    assert_int_equal(app_server_init(s->server, "http", &err), 0);
    s->server->listeners[0].cfg.port = PAIR_PORT;
    s->server->listeners[0].cfg.body_bytes = body_bytes;
    s->app = app_server_worker(s->server);
    assert_int_equal(s->app.start(sh, s->app.ctx), 0);
    s->heard = malloc(ANSWERS_MAX);
    assert_non_null(s->heard);
}

static void end_server(struct server *s)
{
    pair_run_ms(&s->pair, 200 * ONE_SECOND);
    s->app.stop(tern_embed_shard(s->pair.end[SERVER]), s->app.ctx);
    free(s->server);
    pair_close(&s->pair);
    free(s->heard);
}

static void dial(struct server *s)
{
    if (s->pair.client != NULL)
        tern_sock_close(s->pair.client);
    s->n_heard = 0;
    s->ended = false;
    assert_int_equal(tern_sock_connect(s->pair.end[CLIENT], &s->pair.addr[SERVER], PAIR_PORT, NULL,
                         0, &s->pair.client),
        0);
    pair_run_ms(&s->pair, SOON_MS);
}

static void hear(struct server *s)
{
    ssize_t n;
    do {
        n = tern_sock_recv(s->pair.client, s->heard + s->n_heard, ANSWERS_MAX - 1 - s->n_heard);
        s->n_heard += n > 0 ? (size_t)n : 0;
        s->ended |= n == 0;
        pair_run_ms(&s->pair, SOON_MS);
    } while (n > 0);
    s->heard[s->n_heard] = '\0';
}

/* One segment, and what comes back. */
static void say(struct server *s, const char *text, size_t n)
{
    assert_int_equal(tern_sock_send(s->pair.client, text, n), n);
    pair_run_ms(&s->pair, SOON_MS);
    hear(s);
}

static void say_all(struct server *s, const char *text)
{
    say(s, text, strlen(text));
}

static void expect_heard(const struct server *s, const char *text, bool ended)
{
    assert_string_equal(s->heard, text);
    assert_int_equal(s->ended, ended);
}

static void a_request_seen_before_is_answered_without_parsing(void **state)
{
    (void)state;
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    for (uint32_t i = 0; i < 3; i++) {
        n_parses = 0;
        dial(&s);
        say_all(&s, GET_CLOSE);
        expect_heard(&s, OK_CLOSE, true);
        assert_int_equal(n_parses, i == 0 ? 1 : 0);
    }
    end_server(&s);
}

static void a_connection_that_stays_open_asks_again_and_again(void **state)
{
    (void)state;
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    dial(&s);
    n_parses = 0;
    say_all(&s, GET_KEEP);
    say_all(&s, GET_KEEP);
    say_all(&s, GET_KEEP);
    expect_heard(&s, OK_KEEP OK_KEEP OK_KEEP, false);
    say_all(&s, GET_CLOSE);
    expect_heard(&s, OK_KEEP OK_KEEP OK_KEEP OK_CLOSE, true);
    assert_int_equal(n_parses, 2);
    end_server(&s);
}

static void every_request_is_answered_alike_seen_or_not(void **state)
{
    (void)state;
    static const char *const requests[] = {GET_CLOSE, GET_KEEP,
        "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "PUT / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "NOT HTTP\r\n\r\n",
        "\r\n" GET_KEEP, GET_KEEP GET_KEEP, GET_CLOSE "garbage behind the end"};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct server s = {.n_heard = 0};
        char first[4096] = "";
        listen_to(&s, 1);
        for (int times = 0; times < 3; times++) {
            dial(&s);
            say_all(&s, requests[i]);
            assert_true(s.n_heard > 0);
            if (times == 0)
                snprintf(first, sizeof first, "%s%d", s.heard, s.ended);
            snprintf(s.heard + s.n_heard, 2, "%d", s.ended);
            assert_string_equal(s.heard, first);
        }
        end_server(&s);
    }
}

static void one_other_byte_is_another_request(void **state)
{
    (void)state;
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    char other[] = GET_CLOSE;
    for (size_t i = 0; i < strlen(GET_CLOSE); i++) {
        struct server t = {.n_heard = 0};
        dial(&s);
        say_all(&s, GET_CLOSE);
        other[i] ^= 1;
        listen_to(&t, 1); /* knows nothing */
        dial(&t);
        say_all(&t, other);
        dial(&s);
        say_all(&s, other);
        expect_heard(&s, t.heard, t.ended);
        other[i] ^= 1;
        end_server(&t);
    }
    end_server(&s);
}

static void a_known_request_in_two_pieces_is_answered_when_it_is_whole(void **state)
{
    (void)state;
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    dial(&s);
    say_all(&s, GET_KEEP);
    for (size_t cut = 1; cut < strlen(GET_KEEP); cut++) {
        dial(&s);
        say(&s, GET_KEEP, cut);
        expect_heard(&s, "", false);
        say_all(&s, &GET_KEEP[cut]);
        expect_heard(&s, OK_KEEP, false);
        say_all(&s, GET_KEEP);
        expect_heard(&s, OK_KEEP OK_KEEP, false);
        dial(&s);
        say_all(&s, &GET_KEEP[cut]); /* what ended a request is none */
        assert_null(strstr(s.heard, "200 OK"));
    }
    end_server(&s);
}

static void a_known_request_may_be_a_piece_of_another(void **state)
{
    (void)state;
    static const char start[] = "POST / HTTP/1.1\r\nContent-Length: 28\r\n\r\n";
    assert_int_equal(strlen(GET_KEEP), 28 - 1); /* one byte of the body is missing */
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    dial(&s);
    say_all(&s, GET_KEEP);
    dial(&s);
    say_all(&s, start);
    say_all(&s, GET_KEEP);
    expect_heard(&s, "", false);
    say_all(&s, "x" GET_KEEP);
    assert_non_null(strstr(s.heard, "405 Method Not Allowed"));
    assert_non_null(strstr(s.heard, "200 OK"));
    end_server(&s);
}

static void known_requests_in_one_segment_are_all_answered(void **state)
{
    (void)state;
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    dial(&s);
    say_all(&s, GET_KEEP);
    say_all(&s, GET_KEEP GET_KEEP "GET / HTTP/1.1\r\n");
    expect_heard(&s, OK_KEEP OK_KEEP OK_KEEP, false);
    say_all(&s, "Host: x\r\n\r\n" GET_CLOSE);
    expect_heard(&s, OK_KEEP OK_KEEP OK_KEEP OK_KEEP OK_CLOSE, true);
    end_server(&s);
}

/* The reply goes out in pieces; the state it needs is made behind a verdict that nobody parsed. */
static void a_known_request_for_more_than_the_queue_holds(void **state)
{
    (void)state;
    enum { BODY_BYTES = 3 << 20 };
    struct server s = {.n_heard = 0};
    listen_to(&s, BODY_BYTES);
    for (int times = 0; times < 3; times++) {
        n_parses = 0;
        dial(&s);
        say_all(&s, GET_KEEP);
        const char *body = strstr(s.heard, "\r\n\r\n");
        assert_non_null(body);
        assert_int_equal(strlen(body + 4), BODY_BYTES);
        assert_int_equal(n_parses, times == 0 ? 1 : 0);
        say_all(&s, GET_CLOSE);
        assert_true(s.ended);
    }
    end_server(&s);
}

static void more_than_it_can_keep_is_still_answered(void **state)
{
    (void)state;
    struct server s = {.n_heard = 0};
    listen_to(&s, 1);
    char request[2048];
    for (int i = 0; i < 40; i++) {
        const int padding = i % 10 == 9 ? 1000 : 1 + i % 10;
        snprintf(request, sizeof request, "GET /%0*d HTTP/1.0\r\nHost: x\r\n\r\n", padding, i % 10);
        dial(&s);
        say_all(&s, request);
        expect_heard(&s, OK_CLOSE, true);
    }
    end_server(&s);
}

/* ---- the load ---- */

struct load {
    struct pair pair;
    struct app_load load;
    struct tern_worker_app app;
    struct tern_sock *accepted;
};

static char get_close_text[] = GET_CLOSE;
static const struct app_requests get_close = {
    .n = 1, .of = {{.bytes = get_close_text, .n_bytes = sizeof get_close_text - 1}}};

static struct app_load_target target[2];

static void begin_load(struct load *l, uint64_t count, int64_t body_bytes)
{
    static struct app_sources source;
    pair_init(&l->pair, false);
    for (int i = CLIENT; i <= SERVER; i++)
        l->pair.cfg[i].stack.nodelay = true;
    pair_open(&l->pair);
    app_sources_of_stack(&source, &l->pair.cfg[CLIENT].stack, true);
    target[0] = (struct app_load_target){l->pair.addr[SERVER], PAIR_PORT, 1};
    l->load.cfg = (struct app_load_config){.scenario = &app_scenario_http,
        .targets = target,
        .n_targets = 1,
        .sources = &source,
        .n_workers = 1,
        .conns = 1,
        .count = count,
        .asks = &get_close};
    app_expect_init(&l->load.cfg.expect);
    l->load.cfg.expect.length = body_bytes;
    l->app = app_load_worker_app(&l->load);
    assert_int_equal(l->app.start(tern_embed_shard(l->pair.end[CLIENT]), l->app.ctx), 0);
    assert_int_equal(
        tern_sock_listen(l->pair.end[SERVER], NULL, PAIR_PORT, 16, &l->pair.listener), 0);
    app_load_set_phase(&l->load, APP_LOAD_RUNS);
}

static void end_load(struct load *l)
{
    pair_run_ms(&l->pair, 200 * ONE_SECOND);
    l->app.stop(tern_embed_shard(l->pair.end[CLIENT]), l->app.ctx);
    app_load_free(&l->load);
    pair_close(&l->pair);
}

/* The load opens its next connection and is answered, in one segment or in two; the test's server
 * closes behind it, or leaves that to the load. */
static void respond(struct load *l, const char *text, size_t cut, bool closes)
{
    struct tern_shard *sh = tern_embed_shard(l->pair.end[CLIENT]);
    l->app.tick(sh, l->app.ctx, l->pair.now_ns);
    tern_shard_settle(sh);
    pair_run_ms(&l->pair, SOON_MS);
    struct tern_sock *s = tern_sock_accept(l->pair.listener);
    assert_non_null(s);
    char request[sizeof GET_CLOSE + 1];
    assert_int_equal(tern_sock_recv(s, request, sizeof request), strlen(GET_CLOSE));
    if (cut > 0)
        assert_int_equal(tern_sock_send(s, text, cut), cut);
    pair_run_ms(&l->pair, SOON_MS);
    tern_sock_send(s, text + cut, strlen(text) - cut);
    if (closes)
        tern_sock_shutdown(s);
    pair_run_ms(&l->pair, SOON_MS);
    tern_sock_close(s);
    pair_run_ms(&l->pair, SOON_MS);
}

static uint64_t failures(const struct load *l, enum app_fail why)
{
    struct app_load_counts counts;
    app_load_sum(&l->load, &counts);
    uint64_t sum = 0;
    for (int i = 0; i < APP_FAIL_COUNT; i++)
        sum += counts.failed[i];
    assert_int_equal(sum, counts.failed[why]);
    return sum;
}

static void a_response_seen_before_is_passed_without_parsing(void **state)
{
    (void)state;
    struct load l = {.accepted = NULL};
    begin_load(&l, 8, 1);
    n_parses = 0;
    for (int i = 0; i < 4; i++) {
        respond(&l, OK_CLOSE, 0, true);
        respond(&l, OK_KEEP, 0, false); /* the load closes */
    }
    assert_int_equal(n_parses, 2);
    assert_int_equal(failures(&l, APP_FAIL_HTTP_BODY), 0);
    assert_int_equal(l.load.workers[0]->live, 0);
    end_load(&l);
}

static void a_response_that_failed_once_fails_always(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum app_fail why;
    } bad[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\na", APP_FAIL_HTTP_STATUS},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", APP_FAIL_HTTP_BODY},
        {"nonsense\r\n\r\n", APP_FAIL_HTTP_MALFORMED},
        {OK_CLOSE "x", APP_FAIL_HTTP_BODY},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct load l = {.accepted = NULL};
        begin_load(&l, 6, 1);
        for (uint64_t n = 1; n <= 3; n++) {
            respond(&l, OK_CLOSE, 0, true);
            respond(&l, bad[i].text, 0, true);
            assert_int_equal(failures(&l, bad[i].why), n);
        }
        end_load(&l);
    }
}

/* The second piece alone, and a known response behind a known response, are no responses. */
static void a_known_response_in_two_pieces(void **state)
{
    (void)state;
    struct load l = {.accepted = NULL};
    const size_t n = strlen(OK_CLOSE);
    begin_load(&l, n + 1, 1);
    respond(&l, OK_CLOSE, 0, true);
    for (size_t cut = 1; cut < n; cut++)
        respond(&l, OK_CLOSE, cut, true);
    assert_int_equal(failures(&l, APP_FAIL_HTTP_BODY), 0);
    respond(&l, OK_CLOSE OK_CLOSE, n, true);
    assert_int_equal(failures(&l, APP_FAIL_HTTP_BODY), 1);
    end_load(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_seen_before_is_answered_without_parsing),
        cmocka_unit_test(a_connection_that_stays_open_asks_again_and_again),
        cmocka_unit_test(every_request_is_answered_alike_seen_or_not),
        cmocka_unit_test(one_other_byte_is_another_request),
        cmocka_unit_test(a_known_request_in_two_pieces_is_answered_when_it_is_whole),
        cmocka_unit_test(a_known_request_may_be_a_piece_of_another),
        cmocka_unit_test(known_requests_in_one_segment_are_all_answered),
        cmocka_unit_test(a_known_request_for_more_than_the_queue_holds),
        cmocka_unit_test(more_than_it_can_keep_is_still_answered),
        cmocka_unit_test(a_response_seen_before_is_passed_without_parsing),
        cmocka_unit_test(a_response_that_failed_once_fails_always),
        cmocka_unit_test(a_known_response_in_two_pieces),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
