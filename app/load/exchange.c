/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser is http-parser. A body is compared as it comes, so that none is kept. What an answer
 * to HEAD says of a body is not there to be read or checked (RFC 9110 §9.3.2).
 */
#include "exchange.h"

#include <errno.h>
#include <string.h>

/* ---- requests ---- */

int app_exchange_init(struct app_exchange *x, struct tern_shard *sh,
    const struct app_requests *requests, const struct app_expect *expect)
{
    memset(x, 0, sizeof *x);
    x->expect = expect;
    for (uint32_t i = 0; i < requests->n; i++) {
        const struct app_request *r = &requests->of[i];
        struct app_ask *ask = &x->asks[i];
        *ask = (struct app_ask){.body = tern_static_new(sh, r->bytes, r->n_bytes),
            .n_bytes = r->n_bytes,
            .is_head = r->is_head};
        if (ask->body == NULL) {
            app_exchange_fini(x);
            return -ENOMEM;
        }
        x->n_asks++;
        x->mixed |= r->is_head != requests->of[0].is_head;
    }
    return 0;
}

void app_exchange_fini(struct app_exchange *x)
{
    for (uint32_t i = 0; i < x->n_asks; i++)
        tern_static_free(x->asks[i].body);
    x->n_asks = 0;
}

/* ---- answers ---- */

static int on_headers_complete(http_parser *p)
{
    return ((const struct app_answer *)p->data)->is_head; /* 1: no body follows */
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct app_answer *a = p->data;
    const struct app_expect *e = a->expect;
    if (e->body != NULL && !a->differs)
        a->differs =
            n > (uint64_t)e->length - a->body_bytes || memcmp(e->body + a->body_bytes, at, n) != 0;
    a->body_bytes += n;
    return 0;
}

/* A 1xx is not the answer yet (RFC 9110 §15.2), but for 101: no HTTP follows (§15.2.2). */
static int on_message_complete(http_parser *p)
{
    struct app_answer *a = p->data;
    if (p->status_code / 100 == 1 && p->status_code != HTTP_STATUS_SWITCHING_PROTOCOLS) {
        a->n_interim++;
        return 0;
    }
    a->complete = true;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {.on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete};

void app_answer_init(struct app_answer *a, const struct app_expect *expect, bool is_head)
{
    *a = (struct app_answer){.expect = expect, .is_head = is_head};
    http_parser_init(&a->parser, HTTP_RESPONSE);
}

size_t app_answer_take(struct app_answer *a, const void *bytes, size_t n_bytes)
{
    if (n_bytes == 0 || a->complete) /* none would tell the parser that the peer has closed */
        return 0;
    a->parser.data = a;
    return http_parser_execute(&a->parser, &settings, bytes, n_bytes);
}

void app_answer_end(struct app_answer *a)
{
    a->parser.data = a;
    if (!a->complete)
        http_parser_execute(&a->parser, &settings, NULL, 0);
}

enum app_fail app_answer_judge(const struct app_answer *a)
{
    const struct app_expect *e = a->expect;
    if (!app_expect_has(e, a->parser.status_code))
        return APP_FAIL_HTTP_STATUS;
    if (!a->is_head && e->length >= 0 && a->body_bytes != (uint64_t)e->length)
        return APP_FAIL_HTTP_BODY;
    return a->differs ? APP_FAIL_HTTP_CONTENT : APP_FAIL_COUNT;
}

static uint32_t class_of(const struct app_answer *a)
{
    const uint32_t class = a->parser.status_code / 100;
    return class < APP_STATUS_CLASSES ? class : 0;
}

int32_t app_answer_verdict(const struct app_answer *a)
{
    const bool closes = http_should_keep_alive(&a->parser) == 0;
    return (int32_t)(class_of(a) | (closes ? APP_VERDICT_CLOSES : 0));
}

void app_answer_count(struct app_load_part *p, const struct app_answer *a)
{
    app_load_bump(&p->counts.status[class_of(a)]);
    for (uint32_t i = 0; i < a->n_interim; i++)
        app_load_bump(&p->counts.status[1]);
}
