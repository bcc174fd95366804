/* SPDX-License-Identifier: BSD-3-Clause */
/* What `tern serve --listen` is made of, each by itself: the queue of what comes later, delays,
 * stalls and limits, the text. */
#include "serve/later.h"
#include "serve/listen.h"
#include "server_new.h"
#include "wire_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what comes later ---- */

enum { NODES = 200, STEPS = 20000, TIMES = 50 };

struct twin {
    struct app_later_node node;
    uint64_t due_ns, turn;
    bool is_in;
};

/* The first of the twins that is due, by looking at all of them. */
static struct twin *first_due(struct twin *all, uint64_t now_ns)
{
    struct twin *first = NULL;
    for (int i = 0; i < NODES; i++) {
        struct twin *t = &all[i];
        if (!t->is_in || t->due_ns > now_ns)
            continue;
        if (first == NULL || t->due_ns < first->due_ns
            || (t->due_ns == first->due_ns && t->turn < first->turn))
            first = t;
    }
    return first;
}

static void later_is_in_the_order_of_due_times_and_turns(void **state)
{
    (void)state;
    static struct twin all[NODES];
    struct app_later l = {.n = 0};
    uint64_t dice = 1, turn = 0;
    for (int step = 0; step < STEPS; step++) {
        struct twin *t = &all[next_random(&dice) % NODES];
        const uint64_t now_ns = next_random(&dice) % TIMES;
        struct twin *first = first_due(all, now_ns);
        switch (next_random(&dice) % 4) {
        case 0:
            assert_ptr_equal(app_later_take(&l, now_ns), first != NULL ? &first->node : NULL);
            if (first != NULL)
                first->is_in = false;
            break;
        case 1:
            app_later_remove(&l, &t->node);
            t->is_in = false;
            break;
        default:
            if (t->is_in)
                break;
            *t = (struct twin){.due_ns = next_random(&dice) % TIMES, .turn = turn++, .is_in = true};
            assert_true(app_later_put(&l, &t->node, t->due_ns));
        }
    }
    for (struct twin *first; (first = first_due(all, UINT64_MAX)) != NULL; first->is_in = false)
        assert_ptr_equal(app_later_take(&l, UINT64_MAX), &first->node);
    assert_int_equal(l.n, 0);
    app_later_fini(&l);
}

/* ---- slow ---- */

static void draws_have_the_distribution_that_was_asked_for(void **state)
{
    (void)state;
    enum { DRAWS = 200000, MS = 1000000 };
    const struct app_delay exp = {.kind = APP_DELAY_EXP, .ns = 20 * MS};
    const struct app_delay uniform = {.kind = APP_DELAY_UNIFORM, .ns = 5 * MS, .most_ns = 20 * MS};
    uint64_t dice = 7, n_above = 0;
    double sum_exp = 0, sum_uniform = 0;
    for (int i = 0; i < DRAWS; i++) {
        const uint64_t a = app_delay_draw(&exp, &dice), b = app_delay_draw(&uniform, &dice);
        assert_in_range(b, 5 * MS, 20 * MS);
        n_above += a > 40 * MS; /* e^-2 of them */
        sum_exp += (double)a;
        sum_uniform += (double)b;
    }
    assert_in_range((uint64_t)(sum_exp / DRAWS), 198 * MS / 10, 202 * MS / 10);
    assert_in_range((uint64_t)(sum_uniform / DRAWS), 124 * MS / 10, 126 * MS / 10);
    assert_in_range(n_above, DRAWS * 0.1303, DRAWS * 0.1403);
}

static void a_stall_holds_what_falls_into_it_to_its_end(void **state)
{
    (void)state;
    const struct app_stall none = {.period_ns = 0}, s = {.length_ns = 10, .period_ns = 100};
    assert_int_equal(app_stall_passed(&none, 105), 105);
    assert_int_equal(app_stall_passed(&s, 5), 5); /* the first is a period away */
    assert_int_equal(app_stall_passed(&s, 99), 99);
    assert_int_equal(app_stall_passed(&s, 100), 110);
    assert_int_equal(app_stall_passed(&s, 109), 110);
    assert_int_equal(app_stall_passed(&s, 110), 110);
    assert_int_equal(app_stall_passed(&s, 1203), 1210);
}

/* At twice the rate half may pass, and what the bucket held. */
static void a_bucket_gives_its_rate_and_not_a_token_more(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1, 7, 20000, 3000000, 1000000000};
    enum { OFFERED = 200000, DEPTH = 5 };
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        const struct app_bucket_plan plan = app_bucket_plan_make(rates[i], DEPTH);
        struct app_bucket b = {.full_q8 = 0};
        uint64_t n = 0;
        for (uint64_t k = 0; k < OFFERED; k++) {
            const double at_s = (double)k / (2.0 * (double)rates[i]);
            n += app_bucket_take(&b, &plan, UINT64_C(1000000000) + (uint64_t)(at_s * 1e9));
        }
        assert_in_range(n, OFFERED / 2 + DEPTH - 2, OFFERED / 2 + DEPTH);
    }
}

static void a_full_bucket_gives_its_depth_at_once(void **state)
{
    (void)state;
    const struct app_bucket_plan plan = app_bucket_plan_make(1000, 3);
    struct app_bucket b = {.full_q8 = 0};
    for (int i = 0; i < 3; i++)
        assert_true(app_bucket_take(&b, &plan, 5000000));
    assert_false(app_bucket_take(&b, &plan, 5000000));
    assert_false(app_bucket_take(&b, &plan, 5999999));
    assert_true(app_bucket_take(&b, &plan, 6000000));
    assert_false(app_bucket_take(&b, &plan, 6000000));
    for (int i = 0; i < 4; i++) /* no fuller than full */
        assert_int_equal(app_bucket_take(&b, &plan, 999000000), i < 3);
}

/* ---- the text ---- */

static void a_listener_is_what_its_text_says(void **state)
{
    (void)state;
    struct app_server *s = server_new();
    struct tern_error err;
    assert_int_equal(app_server_listen(s, "7=echo", &err), 0);
    assert_int_equal(app_server_listen(s,
                         "8080-8089=http,status=503,body=4k,close,delay=uniform:5ms-20ms,"
                         "stall=1s@10s,max-rate=20k,type=text/html; charset=x",
                         &err),
        0);
    assert_int_equal(app_server_listen(s, "9000=stream,direction=both,bytes=1M,verify", &err), 0);
    assert_int_equal(s->n_listeners, 3);
    assert_int_equal(app_server_n_ports(s), 12);
    const struct app_service_config *http = &s->listeners[1].cfg;
    assert_int_equal(http->port, 8080);
    assert_int_equal(http->n_ports, 10);
    assert_int_equal(http->body_bytes, 4000);
    assert_int_equal(http->http.status, 503);
    assert_true(http->http.closes);
    assert_int_equal(http->http.delay.kind, APP_DELAY_UNIFORM);
    assert_int_equal(http->http.delay.ns, 5000000);
    assert_int_equal(http->http.delay.most_ns, 20000000);
    assert_int_equal(http->http.stall.length_ns, UINT64_C(1000000000));
    assert_int_equal(http->http.stall.period_ns, UINT64_C(10000000000));
    assert_int_equal(http->http.limit.each_q8 >> APP_BUCKET_FRACTION_BITS, 50000);
    assert_int_equal(http->http.limit.depth_q8 / http->http.limit.each_q8, 400);
    assert_string_equal(http->http.type, "text/html; charset=x");
    assert_int_equal(s->listeners[2].cfg.stream.direction, APP_STREAM_BOTH);
    assert_int_equal(s->listeners[2].cfg.stream.bytes, 1000000);
    assert_true(s->listeners[2].cfg.stream.verify);
    char text[APP_SERVER_TEXT_BYTES];
    assert_string_equal(
        app_server_text(s, text), "echo on port 7, http on ports 8080-8089, stream on port 9000");
    app_server_fini(s);
    free(s);
}

/* Each behind "80=http" and "7=echo"; the server is as before. */
static void a_listener_that_cannot_be_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "does not say what is there; type PORT=APP"},
        {"http", "'http' does not say what is there"},
        {"=http", "--listen: port: '' is not a number"},
        {"0=http", "0 is outside 1..65535"},
        {"65536=http", "outside"},
        {"90-80=http", "run backwards; type 80-90"},
        {"90-=http", "'' is not a number"},
        {"1024-2048=http", "more than 1024 ports"},
        {"1024-2046=http", "more than 1024 ports in all"},
        {"80=http", "port 80 is there twice, for http and for http"},
        {"1-10=discard", "port 7 is there twice, for echo and for discard"},
        {"81=", "--listen 81: '' is unknown; type one of http, echo"},
        {"81=dance", "'dance' is unknown"},
        {"81=echo,delay=1s", "echo has no settings; leave out 'delay'"},
        {"81=http,sttus=1", "--listen 81=http: 'sttus' is unknown; type one of status, body"},
        {"81=http,status", "status has no value; type status=VALUE"},
        {"81=http,close=1", "close takes no value"},
        {"81=http,close,close", "close is there twice"},
        {"81=http,close,keep-alive", "exclude each other"},
        {"81=http,status=199", "--listen 81=http,status: 199 is outside 200..599"},
        {"81=http,status=ok", "'ok' is not a number"},
        {"81=http,status=204,body=1", "a 204 has no body; leave out body"},
        {"81=http,body=2Gi", "outside"},
        {"81=http,type=html", "'html' is not a media type"},
        {"81=http,type=a/b\r\nX: y", "is not a media type"},
        {"81=http,file=/nonexistent/a", "cannot read /nonexistent/a: No such file"},
        {"81=http,file=/tmp", "/tmp is no regular file"},
        {"81=http,file=/dev/zero", "no regular file"},
        {"81=http,file=/proc/self/exe,body=1", "two bodies"},
        {"81=http,delay=fast", "'fast' is not a number"},
        {"81=http,delay=2h", "outside"},
        {"81=http,delay=poisson:1s", "'poisson' is unknown; type one of exp, uniform"},
        {"81=http,delay=uniform:1s", "has no range; type uniform:5ms-20ms"},
        {"81=http,delay=uniform:2s-1s", "runs backwards; type uniform:1s-2s"},
        {"81=http,stall=1s", "does not say how often; type 1s@10s"},
        {"81=http,stall=10s@10s", "leaves no time to answer in"},
        {"81=http,stall=0@0", "outside"},
        {"81=http,max-rate=0", "outside 1..1000000000"},
        {"81=http,burst=5", "add max-rate=N"},
        {"81=stream,direction=left", "'left' is unknown"},
        {"81=stream,bytes=0", "outside"},
    };
    struct app_server *s = server_new();
    struct tern_error err;
    assert_int_equal(app_server_listen(s, "80=http", &err), 0);
    assert_int_equal(app_server_listen(s, "7=echo", &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err.text[0] = '\0';
        assert_int_equal(app_server_listen(s, bad[i].text, &err), -EINVAL);
        if (strstr(err.text, bad[i].why) == NULL)
            fail_msg("%s: '%s' is not in '%s'", bad[i].text, bad[i].why, err.text);
        assert_int_equal(s->n_listeners, 2);
    }
    char text[1200] = "81=http,";
    memset(text + strlen(text), 'x', sizeof text - 1 - strlen(text));
    assert_int_equal(app_server_listen(s, text, &err), -EINVAL);
    for (int port = 100; port < 114; port++) {
        snprintf(text, sizeof text, "%d=discard", port);
        assert_int_equal(app_server_listen(s, text, &err), 0);
    }
    assert_int_equal(app_server_listen(s, "200=discard", &err), -EINVAL);
    assert_non_null(strstr(err.text, "more than 16 listeners"));
    app_server_fini(s);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_is_in_the_order_of_due_times_and_turns),
        cmocka_unit_test(draws_have_the_distribution_that_was_asked_for),
        cmocka_unit_test(a_stall_holds_what_falls_into_it_to_its_end),
        cmocka_unit_test(a_bucket_gives_its_rate_and_not_a_token_more),
        cmocka_unit_test(a_full_bucket_gives_its_depth_at_once),
        cmocka_unit_test(a_listener_is_what_its_text_says),
        cmocka_unit_test(a_listener_that_cannot_be_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
