/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.x server for measurements: GET and HEAD of anything are a 200 with a body of the chosen
 * size, other methods 405, what http-parser refuses 400. Parsing is the library's; here are only
 * the order of things and the back-pressure.
 *
 * One request at a time is parsed and its reply queued wholly before the next byte is looked at, so
 * pipelined requests wait unparsed, with their window unreturned, while the peer does not read. The
 * usual connection (a request in one piece, a reply that fits) lives on the stack of on_data();
 * state is kept only for the others, and moves from the stack into the pool as it is.
 *
 * A request that is byte for byte one seen before, alone in its segment on a connection that waits
 * for nothing else, is not parsed again (../memo.h): it has its verdict, and its reply leaves at
 * once. Only what that has no room for becomes state.
 *
 * After the last reply: FIN. If the peer may still be sending (pipelined behind a close, or
 * garbage), its bytes are thrown away until its FIN or LINGER_NS, because an RST would take the
 * reply with it (RFC 9112 §9.6).
 */
#include "../memo.h"
#include "../pool.h"
#include "../segq.h"
#include "http_reply.h"
#include "service.h"

#include <errno.h>
#include <http_parser.h>
#include <stdlib.h>

#define LINGER_NS UINT64_C(2000000000)

struct http_worker {
    struct app_pool conns;
    struct app_replies replies;
    struct app_memo requests; /**< verdict: an answer, see below */
};

/* What a request gets: a reply's number, and these. */
enum {
    ANSWER_REPLY = 0xff,       /**< mask of enum app_reply_id */
    ANSWER_HEADERS_ONLY = 256, /**< to HEAD */
    ANSWER_LAST = 512,         /**< the connection ends with it */
};

struct http_conn {
    http_parser parser;
    struct app_segq in;      /**< received, not parsed */
    uint32_t in_off;         /**< bytes of in.head that are parsed */
    enum app_reply_id reply; /**< with `replying` */
    size_t sent, to_send;    /**< bytes of the reply; HEAD wants less than all */
    bool is_fresh;           /**< the parser has seen no byte yet */
    bool in_message;         /**< a request has begun and not ended */
    bool replying;           /**< the reply is not all queued */
    bool last;               /**< the connection ends with this reply */
    bool peer_closed;        /**< the peer sent FIN */
    bool lingering;          /**< our FIN is queued; what still comes is thrown away */
};

/* ---- requests ---- */

static int on_message_begin(http_parser *p)
{
    ((struct http_conn *)p->data)->in_message = true;
    return 0;
}

/* An Upgrade or CONNECT is a request like any other to us (RFC 9110 §7.8: a server may ignore it).
 */
static int on_headers_complete(http_parser *p)
{
    p->upgrade = 0;
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct http_conn *h = p->data;
    h->in_message = false;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_headers_complete = on_headers_complete,
    .on_message_complete = on_message_complete,
};

/* Forget the first `n` bytes that wait, and return their window. */
static void eat(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h, uint32_t n)
{
    h->in_off += n;
    if (n > 0)
        tern_consume(sh, c, n);
    if (h->in_off < h->in.head->data_len)
        return;
    rte_pktmbuf_free_seg(app_segq_pop(&h->in));
    h->in_off = 0;
}

/* What the request that was just parsed gets. */
static int32_t judge(const struct http_conn *h)
{
    const bool is_head = h->parser.method == HTTP_HEAD;
    const bool is_known = is_head || h->parser.method == HTTP_GET;
    const bool is_last = http_should_keep_alive(&h->parser) == 0;
    int32_t answer = is_known ? APP_REPLY_OK : APP_REPLY_METHOD;
    if (is_last) /* the replies that say so follow those that do not */
        answer = (answer + 1) | ANSWER_LAST;
    return is_head ? answer | ANSWER_HEADERS_ONLY : answer;
}

/* Parse what waits, at most to the end of one request. @return HPE_OK: more input is needed */
static enum http_errno parse_one(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    struct http_worker *w = tern_shard_user(sh);
    enum http_errno e = HPE_OK;
    h->parser.data = h;
    while (h->in.head != NULL && e == HPE_OK) {
        const char *at = rte_pktmbuf_mtod_offset(h->in.head, const char *, h->in_off);
        const uint32_t left = h->in.head->data_len - h->in_off;
        /* Length 0 would tell the parser that the connection has ended. */
        const size_t used = left == 0 ? 0 : http_parser_execute(&h->parser, &settings, at, left);
        e = HTTP_PARSER_ERRNO(&h->parser);
        if (e == HPE_PAUSED && h->is_fresh)
            app_memo_learn(&w->requests, at, used, judge(h));
        h->is_fresh = false;
        eat(sh, c, h, (uint32_t)used);
    }
    return e;
}

static size_t bytes_of(const struct http_worker *w, int32_t answer)
{
    const struct app_reply *reply = &w->replies.of[answer & ANSWER_REPLY];
    return answer & ANSWER_HEADERS_ONLY ? reply->header_bytes : reply->total_bytes;
}

static void begin_reply(const struct http_worker *w, struct http_conn *h, int32_t answer)
{
    h->replying = true;
    h->reply = (enum app_reply_id)(answer & ANSWER_REPLY);
    h->sent = 0;
    h->to_send = bytes_of(w, answer);
    h->last = answer & ANSWER_LAST;
}

static void refuse(const struct http_worker *w, struct http_conn *h)
{
    h->in_message = false;
    begin_reply(w, h, APP_REPLY_BAD | ANSWER_LAST);
}

/* Read the next request and begin its reply. @return false when it is not all there */
static bool next_request(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const enum http_errno e = parse_one(sh, c, h);
    if (e == HPE_OK)
        return false;
    if (e == HPE_PAUSED) {
        http_parser_pause(&h->parser, 0);
        begin_reply(tern_shard_user(sh), h, judge(h));
    } else {
        refuse(tern_shard_user(sh), h);
    }
    return true;
}

/* ---- a connection ---- */

static void discard_input(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    while (h->in.head != NULL)
        eat(sh, c, h, h->in.head->data_len - h->in_off);
}

/* The last reply is queued. */
static void finish(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const bool more = h->in.head != NULL || HTTP_PARSER_ERRNO(&h->parser) != HPE_OK;
    discard_input(sh, c, h);
    h->lingering = more && !h->peer_closed && tern_timer_arm(sh, c, LINGER_NS) == 0;
    if (h->lingering)
        tern_shutdown(sh, c);
    else
        tern_close(sh, c);
}

/* Answer as long as there are requests and room; on_data() or on_sendable() goes on from there. */
static void advance(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const struct http_worker *w = tern_shard_user(sh);
    while (h->replying || next_request(sh, c, h)) {
        if (!app_reply_send(sh, c, &w->replies, h->reply, &h->sent, h->to_send))
            return;
        h->replying = false;
        if (h->last) {
            finish(sh, c, h);
            return;
        }
    }
    if (h->peer_closed)
        tern_close(sh, c);
}

/* Nothing of the connection has to be remembered. */
static bool is_idle(const struct http_conn *h)
{
    return !h->in_message && h->in.head == NULL && !h->replying && !h->lingering;
}

static void forget(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    struct http_worker *w = tern_shard_user(sh);
    tern_conn_set_user(c, NULL);
    app_segq_clear(&h->in);
    app_pool_put(&w->conns, h);
}

/* The connection leaves the stack: it waits for input or for room. */
static void keep(struct tern_shard *sh, struct tern_conn *c, struct http_conn *on_stack)
{
    struct http_worker *w = tern_shard_user(sh);
    struct http_conn *h = app_pool_get(&w->conns);
    if (h == NULL) {
        app_segq_clear(&on_stack->in);
        tern_abort(sh, c);
        return;
    }
    *h = *on_stack;
    tern_conn_set_user(c, h);
}

/* The verdict on a request that was seen before, or APP_MEMO_UNKNOWN. */
static int32_t recall(const struct http_worker *w, const struct rte_mbuf *m)
{
    if (m->nb_segs > 1)
        return APP_MEMO_UNKNOWN;
    return app_memo_find(&w->requests, rte_pktmbuf_mtod(m, const void *), m->data_len);
}

/* The reply did not go out whole: from here on the connection is one like any other. */
static void keep_replying(struct tern_shard *sh, struct tern_conn *c, int32_t answer, size_t sent)
{
    struct http_conn h = {.is_fresh = true};
    http_parser_init(&h.parser, HTTP_REQUEST);
    begin_reply(tern_shard_user(sh), &h, answer);
    h.sent = sent;
    keep(sh, c, &h);
}

/* A request with a verdict, alone: what advance() would do, without a parser. */
static void answer_known(
    struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m, int32_t answer)
{
    const struct http_worker *w = tern_shard_user(sh);
    const enum app_reply_id id = (enum app_reply_id)(answer & ANSWER_REPLY);
    const uint32_t n_bytes = m->data_len;
    size_t sent = 0;
    rte_pktmbuf_free_seg(m);
    tern_consume(sh, c, n_bytes);
    if (!app_reply_send(sh, c, &w->replies, id, &sent, bytes_of(w, answer)))
        keep_replying(sh, c, answer, sent);
    else if (answer & ANSWER_LAST)
        tern_close(sh, c);
}

static void on_data_idle(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const int32_t answer = recall(tern_shard_user(sh), m);
    if (answer != APP_MEMO_UNKNOWN) {
        answer_known(sh, c, m, answer);
        return;
    }
    struct http_conn h = {.is_fresh = true};
    http_parser_init(&h.parser, HTTP_REQUEST);
    app_segq_push(&h.in, m);
    advance(sh, c, &h);
    if (!is_idle(&h))
        keep(sh, c, &h);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_conn *h = tern_conn_user(c);
    if (h == NULL)
        return;
    if (h->lingering)
        discard_input(sh, c, h);
    else
        advance(sh, c, h);
    if (is_idle(h))
        forget(sh, c, h);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct http_conn *h = tern_conn_user(c);
    if (h == NULL) {
        on_data_idle(sh, c, m);
        return;
    }
    app_segq_push(&h->in, m);
    if (!h->replying) /* else it waits behind a reply that the peer does not read */
        on_sendable(sh, c);
}

/* A request that is cut off gets no reply; those that wait whole still do. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_conn *h = tern_conn_user(c);
    if (h != NULL)
        h->peer_closed = true;
    if (h == NULL || !h->replying)
        tern_close(sh, c);
}

static void on_timer(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)why;
    struct http_conn *h = tern_conn_user(c);
    if (h != NULL)
        forget(sh, c, h);
}

static const struct tern_app http_app = {
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
    .on_timer = on_timer,
};

/* ---- a worker ---- */

static void stop(struct tern_shard *sh)
{
    struct http_worker *w = tern_shard_user(sh);
    app_replies_free(&w->replies);
    app_pool_fini(&w->conns);
    free(w);
}

static int start(struct tern_shard *sh, const struct app_service_config *cfg)
{
    struct http_worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    app_pool_init(&w->conns, sizeof(struct http_conn));
    tern_shard_set_user(sh, w);
    const int rc = app_replies_make(sh, &w->replies, cfg->body_bytes);
    if (rc != 0)
        stop(sh);
    return rc;
}

const struct app_service app_service_http = {
    .name = "http", .port = 80, .app = &http_app, .start = start, .stop = stop};
