/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connect, GET, read the response, verify status and body length, close. The request asks for
 * "Connection: close", so that a full exchange is six packets: the server's FIN rides on its
 * response and ours on the ACK.
 *
 * As in the server, a response that arrives in one piece is parsed on the stack; a connection gets
 * state from the pool only when there is more to come. One that is byte for byte a good one seen
 * before is not parsed again (../memo.h). The user pointer is a stamp before the response and once
 * the verdict is in, which the stamp's own bit tells, and that state in between.
 */
#include "../memo.h"
#include "load.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <http_parser.h>
#include <stdlib.h>
#include <string.h>

/* What the server does behind its response. */
enum server_does { SERVER_CLOSES, SERVER_STAYS };

struct http_worker {
    struct tern_static *request;
    size_t request_bytes;
    struct app_memo good; /**< responses that were wanted; verdict: enum server_does */
};

struct http_reply {
    struct app_stamp stamp;
    http_parser parser;
    uint64_t body_bytes;
    bool complete;
};

/* ---- parsing ---- */

static int on_body(http_parser *p, const char *at, size_t n)
{
    (void)at;
    ((struct http_reply *)p->data)->body_bytes += n;
    return 0;
}

/* A 1xx is not the response yet (RFC 9110 §15.2). */
static int on_message_complete(http_parser *p)
{
    struct http_reply *r = p->data;
    if (p->status_code / 100 == 1)
        return 0;
    r->complete = true;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_body = on_body, .on_message_complete = on_message_complete};

static void reply_init(struct http_reply *r)
{
    *r = (struct http_reply){.complete = false};
    http_parser_init(&r->parser, HTTP_RESPONSE);
}

/* @return false when it is no HTTP, or goes on behind its end */
static bool parse(struct http_reply *r, const struct rte_mbuf *m)
{
    r->parser.data = r;
    for (; m != NULL; m = m->next) {
        if (m->data_len == 0)
            continue;
        if (r->complete)
            return false;
        const char *at = rte_pktmbuf_mtod(m, const char *);
        const size_t used = http_parser_execute(&r->parser, &settings, at, m->data_len);
        if (used != m->data_len)
            return false;
    }
    return true;
}

/* ---- a connection ---- */

/* A response of which there is more to come, or NULL. */
static struct http_reply *kept(const struct tern_conn *c)
{
    void *user = tern_conn_user(c);
    return app_stamp_is(user) ? NULL : user;
}

/* It passed or failed already. */
static bool is_judged(const struct tern_conn *c)
{
    return (app_stamp_of(tern_conn_user(c)).bits & APP_STAMP_OWN) != 0;
}

static void forget(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_load_worker *w = tern_shard_user(sh);
    struct app_stamp stamp = app_stamp_of(tern_conn_user(c));
    if (kept(c) != NULL)
        app_pool_put(&w->pool, kept(c));
    stamp.bits |= APP_STAMP_OWN;
    tern_conn_set_user(c, app_stamp_pointer(stamp));
}

static void fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why)
{
    forget(sh, c);
    app_load_fail(sh, c, why);
}

/* The response is all there. @return APP_FAIL_COUNT when it is what was wanted, else why not */
static enum app_fail judge(const struct app_load_worker *w, const struct http_reply *r)
{
    const int64_t expected = w->load->cfg.body_bytes;
    if (r->parser.status_code != HTTP_STATUS_OK)
        return APP_FAIL_HTTP_STATUS;
    if (expected >= 0 && r->body_bytes != (uint64_t)expected)
        return APP_FAIL_HTTP_BODY;
    return APP_FAIL_COUNT;
}

static enum server_does server_does(const struct http_reply *r)
{
    return http_should_keep_alive(&r->parser) != 0 ? SERVER_STAYS : SERVER_CLOSES;
}

/* A server that closes after this response goes first; else we do. */
static void pass(struct tern_shard *sh, struct tern_conn *c, enum server_does next)
{
    forget(sh, c);
    app_load_time(sh, c, APP_METRIC_COMPLETE);
    if (next == SERVER_STAYS)
        tern_close(sh, c);
}

static void on_complete(
    struct tern_shard *sh, struct tern_conn *c, const struct http_reply *r, enum server_does next)
{
    const enum app_fail why = judge(tern_shard_user(sh), r);
    if (why == APP_FAIL_COUNT)
        pass(sh, c, next);
    else
        fail(sh, c, why);
}

/* There is more to come: the response moves from the stack into the pool. */
static void keep(struct tern_shard *sh, struct tern_conn *c, const struct http_reply *on_stack)
{
    struct app_load_worker *w = tern_shard_user(sh);
    struct http_reply *r = app_pool_get(&w->pool);
    if (r == NULL) {
        fail(sh, c, APP_FAIL_NO_STATE);
        return;
    }
    *r = *on_stack;
    r->stamp = app_stamp_of(tern_conn_user(c));
    tern_conn_set_user(c, r);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_worker *w = tern_shard_user(sh);
    app_load_time(sh, c, APP_METRIC_CONNECT);
    if (w->load->cfg.early)
        return; /* went with the SYN, or is queued behind it */
    const struct http_worker *http = w->scenario;
    if (tern_send_static(sh, c, http->request, 0, http->request_bytes) < http->request_bytes)
        fail(sh, c, APP_FAIL_NO_STATE);
}

/* The chain is the first of its connection; it was parsed. */
static void learn(
    const struct app_load_worker *w, const struct http_reply *r, const struct rte_mbuf *m)
{
    struct http_worker *http = w->scenario;
    if (r->complete && m->nb_segs == 1 && judge(w, r) == APP_FAIL_COUNT)
        app_memo_learn(
            &http->good, rte_pktmbuf_mtod(m, const void *), m->data_len, (int32_t)server_does(r));
}

/* @return what the server does behind a response that was seen before, or APP_MEMO_UNKNOWN */
static int32_t recall(const struct app_load_worker *w, const struct rte_mbuf *m)
{
    const struct http_worker *http = w->scenario;
    if (m->nb_segs > 1)
        return APP_MEMO_UNKNOWN;
    return app_memo_find(&http->good, rte_pktmbuf_mtod(m, const void *), m->data_len);
}

/* The payload has been looked at. */
static void give_back(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const uint32_t len = m->pkt_len;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, len);
}

static void parse_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const bool too_much = is_judged(c);
    struct http_reply fresh;
    struct http_reply *r = kept(c) != NULL ? kept(c) : &fresh;
    if (r == &fresh)
        reply_init(r);
    const bool good = !too_much && parse(r, m);
    if (good && r == &fresh)
        learn(tern_shard_user(sh), r, m);
    give_back(sh, c, m);
    if (!good)
        fail(sh, c, too_much || r->complete ? APP_FAIL_HTTP_BODY : APP_FAIL_HTTP_MALFORMED);
    else if (r->complete)
        on_complete(sh, c, r, server_does(r));
    else if (r == &fresh)
        keep(sh, c, r);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const bool is_first = kept(c) == NULL && !is_judged(c);
    if (is_first)
        app_load_time(sh, c, APP_METRIC_FIRST_BYTE);
    const int32_t known = is_first ? recall(tern_shard_user(sh), m) : APP_MEMO_UNKNOWN;
    if (known == APP_MEMO_UNKNOWN) {
        parse_data(sh, c, m);
        return;
    }
    give_back(sh, c, m);
    pass(sh, c, (enum server_does)known);
}

/* A response without a length ends with the connection (RFC 9112 §6.3); any other is cut off. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_reply *r = kept(c);
    if (r != NULL) {
        r->parser.data = r;
        http_parser_execute(&r->parser, &settings, NULL, 0);
    }
    if (is_judged(c))
        tern_close(sh, c);
    else if (r == NULL || !r->complete)
        fail(sh, c, APP_FAIL_HTTP_BODY);
    else
        on_complete(sh, c, r, SERVER_STAYS); /* but for us: it has closed */
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    app_load_closed(sh, c, why);
    forget(sh, c);
}

static const struct tern_app http_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

/* ---- a worker ---- */

static int start(struct tern_shard *sh, struct app_load_worker *w)
{
    struct http_worker *http = calloc(1, sizeof *http);
    if (http == NULL)
        return -ENOMEM;
    http->request_bytes = strlen(w->load->cfg.request);
    http->request = tern_static_new(sh, w->load->cfg.request, http->request_bytes);
    w->scenario = http;
    if (http->request != NULL)
        return 0;
    free(http);
    return -ENOMEM;
}

static void stop(struct app_load_worker *w)
{
    struct http_worker *http = w->scenario;
    tern_static_free(http->request);
    free(http);
}

const struct app_scenario app_scenario_http = {
    .name = "http",
    .serves = "http",
    .app = &http_app,
    .conn_bytes = sizeof(struct http_reply),
    .start = start,
    .stop = stop,
};
