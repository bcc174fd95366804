/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of the HTTP server: bytes that came to a verdict. Parsing is http-parser's, in pieces as
 * they come, so nothing of a request is kept but the parser's state; it bounds a header, URI
 * included, to 80 KiB, and takes a Content-Length that is one number alone.
 */
#include "http_inside.h"

static int on_message_begin(http_parser *p)
{
    struct http_conn *h = p->data;
    h->in_message = h->begun = true;
    return 0;
}

/* An Upgrade or CONNECT is a request like any other to us (RFC 9110 §7.8: a server may ignore it).
 */
static int on_headers_complete(http_parser *p)
{
    p->upgrade = 0;
    ((struct http_conn *)p->data)->in_body = true;
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    (void)at;
    ((struct http_conn *)p->data)->body_bytes += n;
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct http_conn *h = p->data;
    h->in_message = h->in_body = false;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void app_http_eat(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h, uint32_t n)
{
    h->in_off += n;
    if (n > 0)
        tern_consume(sh, c, n);
    if (h->in_off < h->in.head->data_len)
        return;
    rte_pktmbuf_free_seg(app_segq_pop(&h->in));
    h->in_off = 0;
}

/* V208 */
int32_t app_http_judge(const struct http_worker *w, const struct http_conn *h)
{
    const struct app_http_config *cfg = &w->instance.cfg->http;
    const bool is_head = h->parser.method == HTTP_HEAD;
    const bool is_known = is_head || h->parser.method == HTTP_GET || cfg->any_method;
    const bool is_last = cfg->closes || http_should_keep_alive(&h->parser) == 0;
    int32_t answer = is_known ? APP_REPLY_OK : APP_REPLY_METHOD;
    if (h->parser.http_major != 1)
        return APP_REPLY_VERSION | ANSWER_LAST;
    if (is_last) /* the replies that say so follow those that do not */
        answer = (answer + 1) | ANSWER_LAST;
    return is_head ? answer | ANSWER_HEADERS_ONLY : answer;
}

enum http_errno app_http_parse_one(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    struct http_worker *w = http_worker_of(h);
    enum http_errno e = HPE_OK;
    h->parser.data = h;
    while (h->in.head != NULL && e == HPE_OK) {
        const char *at = rte_pktmbuf_mtod_offset(h->in.head, const char *, h->in_off);
        const uint32_t left = h->in.head->data_len - h->in_off;
        /* Length 0 would tell the parser that the connection has ended. */
        const size_t used = left == 0 ? 0 : http_parser_execute(&h->parser, &settings, at, left);
        e = HTTP_PARSER_ERRNO(&h->parser);
        if (e == HPE_PAUSED && h->is_fresh)
            app_memo_learn(&w->requests, at, used, app_http_judge(w, h));
        h->is_fresh = false;
        app_http_eat(sh, c, h, (uint32_t)used);
    }
    return e;
}

/* V206, V207: too long a header has a status of its own (RFC 6585 §5). */
enum app_reply_id app_http_refusal(enum http_errno e)
{
    if (e == HPE_HEADER_OVERFLOW)
        return APP_REPLY_HEADER;
    return e == HPE_INVALID_VERSION ? APP_REPLY_VERSION : APP_REPLY_BAD;
}
