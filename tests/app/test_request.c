/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an HTTP load asks: what options and files become on the wire, byte for byte, and what is
 * refused with one line that names the option.
 */
#include "load/expect.h"
#include "load/request.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGENT "User-Agent: tern/" TERN_VERSION "\r\nAccept: */*\r\n"

static const struct app_target target = {.host = "198.18.0.1:8080", .path = "/a?b"};

struct made {
    struct app_requests r;
    struct tern_error err;
    int rc;
};

static void make(struct made *m, const struct app_request_settings *s, bool keeps)
{
    memset(m, 0, sizeof *m);
    m->rc = app_requests_make(&m->r, s, &target, keeps, &m->err);
    if (m->rc != 0)
        assert_int_equal(m->r.n, 0);
}

static void expect_request(const struct made *m, uint32_t i, const char *text)
{
    if (m->rc != 0)
        fail_msg("%s", m->err.text);
    assert_true(i < m->r.n);
    assert_int_equal(m->r.of[i].n_bytes, strlen(text));
    assert_memory_equal(m->r.of[i].bytes, text, strlen(text));
}

static void expect_one(const struct app_request_settings *s, bool keeps, const char *text)
{
    struct made m;
    make(&m, s, keeps);
    expect_request(&m, 0, text);
    assert_int_equal(m.r.n, 1);
    app_requests_free(&m.r);
}

static void expect_refused(const struct app_request_settings *s, const char *needle)
{
    struct made m;
    make(&m, s, false);
    assert_int_not_equal(m.rc, 0);
    if (strstr(m.err.text, needle) == NULL)
        fail_msg("'%s' is not in '%s'", needle, m.err.text);
}

static void nothing_said_is_a_get(void **state)
{
    (void)state;
    const struct app_request_settings s = {.method = NULL};
    expect_one(&s, false,
        "GET /a?b HTTP/1.1\r\nHost: 198.18.0.1:8080\r\n" AGENT "Connection: close\r\n\r\n");
    expect_one(&s, true, "GET /a?b HTTP/1.1\r\nHost: 198.18.0.1:8080\r\n" AGENT "\r\n");
}

static void a_body_makes_it_a_post_with_its_length(void **state)
{
    (void)state;
    const struct app_request_settings s = {.body = "x=1", .host = "www.example.org"};
    expect_one(&s, true,
        "POST /a?b HTTP/1.1\r\nHost: www.example.org\r\n" AGENT "Content-Length: 3\r\n\r\nx=1");
    const struct app_request_settings empty = {.method = "PUT"};
    expect_one(&empty, true,
        "PUT /a?b HTTP/1.1\r\nHost: 198.18.0.1:8080\r\n" AGENT "Content-Length: 0\r\n\r\n");
}

static void a_header_takes_the_place_of_ours(void **state)
{
    struct app_request_settings s = {.method = "HEAD"};
    struct tern_error err;
    struct made m;
    (void)state;
    static const char *const headers[] = {
        "host: h", "USER-AGENT: u", "Accept: a", "Connection: keep-alive", "X-Empty:"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_int_equal(app_request_add_header(&s, headers[i], &err), 0);
    make(&m, &s, false);
    expect_request(&m, 0,
        "HEAD /a?b HTTP/1.1\r\nhost: h\r\nUSER-AGENT: u\r\nAccept: a\r\nConnection: "
        "keep-alive\r\nX-Empty:\r\n\r\n");
    assert_true(m.r.of[0].is_head);
    app_requests_free(&m.r);
}

static void a_header_is_one_line_with_a_name(void **state)
{
    static const char *const bad[] = {"", "no colon", ": no name", "two words: x", "a: b\r\nc: d",
        "a: b\nc: d", "a\x01: b", "Content-Length: 3", "transfer-encoding: chunked", " a: b"};
    struct app_request_settings s = {.method = NULL};
    struct tern_error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(app_request_add_header(&s, bad[i], &err), 0);
        assert_non_null(strstr(err.text, "--header"));
    }
    for (int i = 0; i < APP_REQUEST_HEADERS_MAX; i++)
        assert_int_equal(app_request_add_header(&s, "a: b", &err), 0);
    assert_int_not_equal(app_request_add_header(&s, "a: b", &err), 0);
    assert_int_equal(s.n_headers, APP_REQUEST_HEADERS_MAX);
}

static void what_no_server_would_take_is_refused(void **state)
{
    (void)state;
    expect_refused(&(struct app_request_settings){.method = "FETCH"}, "invalid HTTP method");
    expect_refused(&(struct app_request_settings){.method = "GET /x HTTP/1.1\r\nX:"}, "--method");
    expect_refused(&(struct app_request_settings){.method = ""}, "--method");
    expect_refused(&(struct app_request_settings){.method = "CONNECT"}, "another protocol");
    expect_refused(&(struct app_request_settings){.host = "a\r\nb"}, "--host");
    expect_refused(&(struct app_request_settings){.host = ""}, "--host");
    expect_refused(&(struct app_request_settings){.body = "@/nowhere/at/all"}, "--body");
    expect_refused(&(struct app_request_settings){.body = "@/dev/zero"}, "no regular file");
}

/* ---- files ---- */

/* A file of these bytes, gone with the next one. */
static const char *file_of(const char *bytes, size_t n)
{
    static char path[64];
    if (path[0] != '\0')
        unlink(path);
    strcpy(path, "/tmp/tern-test-request-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    return path;
}

static void a_file_that_is_too_long_is_refused(void **state)
{
    (void)state;
    const char *path = file_of("", 0);
    char body[80];
    snprintf(body, sizeof body, "@%s", path);
    assert_int_equal(truncate(path, APP_REQUEST_BYTES_MAX + 1), 0);
    expect_refused(&(struct app_request_settings){.body = body}, "more than");
}

static struct app_request_settings in_file(const char *text)
{
    return (struct app_request_settings){.file = file_of(text, strlen(text))};
}

static void a_file_holds_requests_in_turn(void **state)
{
    struct made m;
    (void)state;
    const struct app_request_settings s =
        in_file("### the first\nGET /1 HTTP/1.1\nHost: h\n\n###\n\nPOST /2 HTTP/1.1\r\n\r\na\nb\n"
                "### the last\nHEAD /3 HTTP/1.1\nHost: h");
    make(&m, &s, true);
    expect_request(&m, 0, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_request(
        &m, 1, "POST /2 HTTP/1.1\r\nHost: 198.18.0.1:8080\r\nContent-Length: 3\r\n\r\na\nb");
    expect_request(&m, 2, "HEAD /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(m.r.n, 3);
    assert_false(m.r.of[1].is_head);
    assert_true(m.r.of[2].is_head);
    app_requests_free(&m.r);
}

static void a_length_that_the_file_gives_counts(void **state)
{
    (void)state;
    struct app_request_settings s =
        in_file("POST / HTTP/1.1\nHost: h\nContent-Length: 4\n\nabc\n\n\n");
    expect_one(&s, true, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc\n");
    s = in_file("POST / HTTP/1.1\nHost: h\nContent-Length: 9\n\nabc\n");
    expect_refused(&s, "ends before the body");
    s = in_file("POST / HTTP/1.1\nHost: h\nContent-Length: 1\n\nabc\n");
    expect_refused(&s, "follows the end of the request");
    s = in_file("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n");
    expect_one(&s, true,
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
}

static void a_body_may_hold_any_byte(void **state)
{
    struct made m;
    (void)state;
    static const char text[] = "POST / HTTP/1.1\nHost: h\n\n\0\xff\n";
    const struct app_request_settings s = {.file = file_of(text, sizeof text - 1)};
    make(&m, &s, true);
    assert_int_equal(m.rc, 0);
    assert_memory_equal(m.r.of[0].bytes + m.r.of[0].n_bytes - 2, "\0\xff", 2);
    app_requests_free(&m.r);
}

static void a_file_that_is_no_requests_is_refused(void **state)
{
    (void)state;
    struct app_request_settings s = in_file("\n###\n\n");
    expect_refused(&s, "holds no request");
    s = in_file("GET / HTTP/1.1\nHost: h\n\n###\nnonsense\n");
    expect_refused(&s, "request 2");
    s = in_file("GET / HTTP/1.1\nUpgrade: x\nConnection: Upgrade\n\n");
    expect_refused(&s, "another protocol");
    s = in_file("GET / HTTP/1.1\n\n");
    s.body = "x";
    expect_refused(&s, "--request-file");
    expect_refused(&(struct app_request_settings){.file = "/"}, "--request-file");
}

static void a_file_holds_so_many_requests(void **state)
{
    char text[(APP_REQUESTS_MAX + 1) * 32] = "";
    struct made m;
    (void)state;
    for (int i = 0; i < APP_REQUESTS_MAX; i++)
        strcat(text, "GET / HTTP/1.1\n\n###\n");
    struct app_request_settings s = in_file(text);
    make(&m, &s, true);
    assert_int_equal(m.r.n, APP_REQUESTS_MAX);
    app_requests_free(&m.r);
    strcat(text, "GET / HTTP/1.1\n\n");
    s = in_file(text);
    expect_refused(&s, "leave some out");
}

/* ---- what is expected ---- */

static void statuses_are_numbers_and_classes(void **state)
{
    struct app_expect e;
    struct tern_error err;
    (void)state;
    app_expect_init(&e);
    assert_true(app_expect_has(&e, 200) && app_expect_has(&e, 299));
    assert_false(app_expect_has(&e, 199) || app_expect_has(&e, 300) || app_expect_has(&e, 70000));
    assert_int_equal(app_expect_statuses(&e, "404,5xx", &err), 0);
    assert_true(app_expect_has(&e, 404) && app_expect_has(&e, 500) && app_expect_has(&e, 599));
    assert_false(app_expect_has(&e, 200) || app_expect_has(&e, 403));
    static const char *const bad[] = {"", ",", "2xx,", "20", "2000", "6xx", "0xx", "2x0", "x00",
        "20x", "ok", " 200", "200 ", "-20"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(app_expect_statuses(&e, bad[i], &err), 0);
        assert_true(app_expect_has(&e, 404));
    }
}

/* ---- where it goes ---- */

static void ports_of_a_target_may_be_a_range(void **state)
{
    struct app_target t;
    struct tern_error err;
    (void)state;
    static const struct {
        const char *text;
        uint16_t port, n_ports;
        const char *host, *path;
    } good[] = {
        {"198.18.0.1:80", 80, 1, "198.18.0.1", "/"},
        {"198.18.0.1:80-89", 80, 10, "198.18.0.1", "/"},
        {"http://198.18.0.1:8080-8080/a-b?c-d", 8080, 1, "198.18.0.1:8080", "/a-b?c-d"},
        {"http://[2001:2::1]:1-65535", 1, 65535, "[2001:2::1]:1", "/"},
        {"http://198.18.0.1/a-1", 80, 1, "198.18.0.1", "/a-1"},
    };
    static const char *const bad[] = {"198.18.0.1:89-80", "198.18.0.1:80-", "198.18.0.1:-80",
        "198.18.0.1:80-65536", "198.18.0.1:80-999999", "198.18.0.1:80-81-82", "198.18.0.1-2:80",
        "http://198.18.0.1-80/", "198.18.0.1:0-5", "198.18.0.1:80-x", "198.18.0.1:80-0"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (app_target_parse(&t, good[i].text, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(t.port, good[i].port);
        assert_int_equal(t.n_ports, good[i].n_ports);
        assert_string_equal(t.host, good[i].host);
        assert_string_equal(t.path, good[i].path);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (app_target_parse(&t, bad[i], &err) == 0)
            fail_msg("'%s' is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_a_get),
        cmocka_unit_test(a_body_makes_it_a_post_with_its_length),
        cmocka_unit_test(a_header_takes_the_place_of_ours),
        cmocka_unit_test(a_header_is_one_line_with_a_name),
        cmocka_unit_test(what_no_server_would_take_is_refused),
        cmocka_unit_test(a_file_that_is_too_long_is_refused),
        cmocka_unit_test(a_file_holds_requests_in_turn),
        cmocka_unit_test(a_length_that_the_file_gives_counts),
        cmocka_unit_test(a_body_may_hold_any_byte),
        cmocka_unit_test(a_file_that_is_no_requests_is_refused),
        cmocka_unit_test(a_file_holds_so_many_requests),
        cmocka_unit_test(ports_of_a_target_may_be_a_range),
        cmocka_unit_test(statuses_are_numbers_and_classes),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_of("", 0);
    return failed;
}
