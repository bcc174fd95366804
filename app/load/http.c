/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connect, GET, read the response, verify status and body length, close. The request asks for
 * "Connection: close", so that a full exchange is six packets: the server's FIN rides on its
 * response and ours on the ACK.
 *
 * As in the server, a response that arrives in one piece is parsed on the stack; a connection gets
 * state from the pool only when there is more to come. The user pointer is NULL before the
 * response, &judged once the verdict is in, and that state in between.
 */
#include "load.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <http_parser.h>
#include <string.h>

struct http_reply {
    http_parser parser;
    uint64_t body_bytes;
    bool complete;
};

/* User pointer of a connection that passed or failed already. */
static struct http_reply judged;

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

static void forget(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_load_worker *w = tern_shard_user(sh);
    struct http_reply *r = tern_conn_user(c);
    if (r != NULL && r != &judged)
        app_pool_put(&w->pool, r);
    tern_conn_set_user(c, &judged);
}

static void fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why)
{
    forget(sh, c);
    app_load_fail(sh, c, why);
}

/* The response is all there. @return true when it is what was wanted */
static bool judge(struct tern_shard *sh, struct tern_conn *c, const struct http_reply *r)
{
    const struct app_load_worker *w = tern_shard_user(sh);
    const int64_t expected = w->load->cfg.body_bytes;
    if (r->parser.status_code != HTTP_STATUS_OK)
        fail(sh, c, APP_FAIL_HTTP_STATUS);
    else if (expected >= 0 && r->body_bytes != (uint64_t)expected)
        fail(sh, c, APP_FAIL_HTTP_BODY);
    else
        return true;
    return false;
}

/* A server that closes after this response goes first; else we do. */
static void on_complete(struct tern_shard *sh, struct tern_conn *c, const struct http_reply *r)
{
    const bool stays_open = http_should_keep_alive(&r->parser) != 0;
    if (!judge(sh, c, r))
        return;
    forget(sh, c);
    if (stays_open)
        tern_close(sh, c);
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
    tern_conn_set_user(c, r);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_worker *w = tern_shard_user(sh);
    if (w->load->cfg.early)
        return; /* went with the SYN, or is queued behind it */
    const size_t n = strlen(w->load->cfg.request);
    if (tern_send_static(sh, c, w->scenario, 0, n) < n)
        fail(sh, c, APP_FAIL_NO_STATE);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct http_reply *kept = tern_conn_user(c);
    struct http_reply fresh;
    struct http_reply *r = kept != NULL ? kept : &fresh;
    const uint32_t len = m->pkt_len;
    if (r == &fresh)
        reply_init(r);
    const bool good = r != &judged && parse(r, m);
    rte_pktmbuf_free(m);
    tern_consume(sh, c, len);
    if (!good)
        fail(sh, c, r == &judged || r->complete ? APP_FAIL_HTTP_BODY : APP_FAIL_HTTP_MALFORMED);
    else if (r->complete)
        on_complete(sh, c, r);
    else if (r == &fresh)
        keep(sh, c, r);
}

/* A response without a length ends with the connection (RFC 9112 §6.3); any other is cut off. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_reply *r = tern_conn_user(c);
    if (r != NULL && r != &judged) {
        r->parser.data = r;
        http_parser_execute(&r->parser, &settings, NULL, 0);
    }
    if (r == NULL || (r != &judged && !r->complete))
        fail(sh, c, APP_FAIL_HTTP_BODY);
    else if (r == &judged || judge(sh, c, r))
        tern_close(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)why;
    forget(sh, c);
    app_load_closed(sh);
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
    w->scenario = tern_static_new(sh, w->load->cfg.request, strlen(w->load->cfg.request));
    return w->scenario == NULL ? -ENOMEM : 0;
}

static void stop(struct app_load_worker *w)
{
    tern_static_free(w->scenario);
}

const struct app_scenario app_scenario_http = {
    .name = "http",
    .serves = "http",
    .app = &http_app,
    .conn_bytes = sizeof(struct http_reply),
    .start = start,
    .stop = stop,
};
