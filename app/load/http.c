/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connect, send a request, read the answer, see that it is what was expected, close. The request
 * asks for "Connection: close", so that a full exchange is six packets: the server's FIN rides on
 * its answer and ours on the ACK.
 *
 * As in the server, an answer that arrives in one piece is parsed on the stack; a connection gets
 * state from the pool only when there is more to come, or more to send than the queue takes. One
 * that is byte for byte a good one seen before is not parsed again (../memo.h). The user pointer is
 * a stamp before the answer and once the verdict is in, which the stamp's own bit tells, and that
 * state in between.
 */
#include "exchange.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>

struct http_worker {
    struct app_exchange x;
    uint32_t next_ask;
};

struct http_conn {
    struct app_stamp stamp;
    const struct app_ask *ask;
    uint32_t n_sent; /**< of its bytes */
    bool has_begun;  /**< the answer has */
    struct app_answer answer;
};

/* ---- the state of a connection ---- */

/* NULL: it has none. */
static struct http_conn *kept(const struct tern_conn *c)
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
    struct app_load_part *p = app_load_part_of(sh, c);
    struct app_stamp stamp = app_stamp_of(tern_conn_user(c));
    if (kept(c) != NULL)
        app_pool_put(&p->pool, kept(c));
    stamp.bits |= APP_STAMP_OWN;
    tern_conn_set_user(c, app_stamp_pointer(stamp));
}

static void fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why)
{
    forget(sh, c);
    app_load_fail(sh, c, why);
}

/* What is on the stack moves into the pool. */
static void keep(struct tern_shard *sh, struct tern_conn *c, const struct http_conn *on_stack)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct http_conn *h = app_pool_get(&p->pool);
    if (h == NULL) {
        fail(sh, c, APP_FAIL_NO_STATE);
        return;
    }
    *h = *on_stack;
    h->stamp = app_stamp_of(tern_conn_user(c));
    tern_conn_set_user(c, h);
}

/* ---- asking ---- */

/* Queue more of the request. @return false when there is still more */
static bool send_some(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const struct app_ask *ask = h->ask;
    h->n_sent += (uint32_t)tern_send_static(sh, c, ask->body, h->n_sent, ask->n_bytes - h->n_sent);
    return h->n_sent == ask->n_bytes;
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    if (kept(c) != NULL)
        send_some(sh, c, kept(c));
}

static const struct app_ask *next_ask(struct http_worker *http)
{
    const struct app_ask *ask = &http->x.asks[http->next_ask];
    if (++http->next_ask == http->x.n_asks)
        http->next_ask = 0;
    return ask;
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct http_worker *http = p->state;
    app_load_time(sh, c, APP_METRIC_CONNECT);
    app_load_bump(&p->counts.asked[app_stamp_counts(app_stamp_of(tern_conn_user(c)))]);
    if (p->cfg->early)
        return; /* went with the SYN, or is queued behind it */
    struct http_conn h = {.ask = next_ask(http)};
    const bool is_sent = send_some(sh, c, &h);
    if (!is_sent || http->x.mixed)
        keep(sh, c, &h);
}

/* ---- the answer ---- */

/* It is right. A server that closes behind it goes first; else we do. */
static void pass(struct tern_shard *sh, struct tern_conn *c, bool server_closes)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    app_load_time(sh, c, APP_METRIC_COMPLETE);
    app_load_bump(&p->counts.answered);
    forget(sh, c);
    if (!server_closes)
        tern_close(sh, c);
}

static void on_complete(
    struct tern_shard *sh, struct tern_conn *c, const struct app_answer *a, bool server_closes)
{
    const enum app_fail why = app_answer_judge(a);
    app_answer_count(app_load_part_of(sh, c), a);
    if (why == APP_FAIL_COUNT)
        pass(sh, c, server_closes);
    else
        fail(sh, c, why);
}

static bool server_closes(const struct app_answer *a)
{
    return (app_answer_verdict(a) & APP_VERDICT_CLOSES) != 0;
}

/* @return false when it is no HTTP, or goes on behind its end */
static bool take(struct app_answer *a, const struct rte_mbuf *m)
{
    for (; m != NULL; m = m->next)
        if (app_answer_take(a, rte_pktmbuf_mtod(m, const void *), m->data_len) != m->data_len)
            return false;
    return true;
}

static bool is_head(const struct http_worker *http, const struct tern_conn *c)
{
    const struct http_conn *h = kept(c);
    return (h != NULL ? h->ask : &http->x.asks[0])->is_head;
}

/* The chain is the first of its answer; it was parsed. */
static void learn(struct app_exchange *x, const struct app_answer *a, const struct rte_mbuf *m)
{
    if (a->complete && a->n_interim == 0 && m->nb_segs == 1
        && app_answer_judge(a) == APP_FAIL_COUNT)
        app_memo_learn(&x->good[a->is_head], rte_pktmbuf_mtod(m, const void *), m->data_len,
            app_answer_verdict(a));
}

/* @return the verdict on an answer that was seen before, or APP_MEMO_UNKNOWN */
static int32_t recall(
    const struct http_worker *http, const struct tern_conn *c, const struct rte_mbuf *m)
{
    if (m->nb_segs > 1)
        return APP_MEMO_UNKNOWN;
    return app_memo_find(
        &http->x.good[is_head(http, c)], rte_pktmbuf_mtod(m, const void *), m->data_len);
}

/* The payload has been looked at. */
static void give_back(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const uint32_t len = m->pkt_len;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, len);
}

/* The answer begins: in the state that the connection has, or on the stack. */
static struct http_conn *begin_answer(
    struct http_worker *http, const struct tern_conn *c, struct http_conn *on_stack)
{
    struct http_conn *h = kept(c);
    if (h == NULL)
        h = on_stack;
    if (!h->has_begun)
        app_answer_init(&h->answer, http->x.expect, is_head(http, c));
    return h;
}

static void parse_data(
    struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m, bool is_first)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct http_worker *http = p->state;
    struct http_conn on_stack = {.ask = http->x.asks, .n_sent = http->x.asks->n_bytes};
    struct http_conn *h = begin_answer(http, c, &on_stack);
    h->has_begun = true;
    const bool good = take(&h->answer, m);
    if (good && is_first)
        learn(&http->x, &h->answer, m);
    give_back(sh, c, m);
    if (!good)
        fail(sh, c, h->answer.complete ? APP_FAIL_HTTP_BODY : APP_FAIL_HTTP_MALFORMED);
    else if (h->answer.complete)
        on_complete(sh, c, &h->answer, server_closes(&h->answer));
    else if (h == &on_stack)
        keep(sh, c, h);
}

static void too_much(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    give_back(sh, c, m);
    fail(sh, c, APP_FAIL_HTTP_BODY);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    if (is_judged(c)) {
        too_much(sh, c, m);
        return;
    }
    const bool is_first = kept(c) == NULL || !kept(c)->has_begun;
    if (is_first)
        app_load_time(sh, c, APP_METRIC_FIRST_BYTE);
    const int32_t known = is_first ? recall(p->state, c, m) : APP_MEMO_UNKNOWN;
    if (known == APP_MEMO_UNKNOWN) {
        parse_data(sh, c, m, is_first);
        return;
    }
    give_back(sh, c, m);
    app_load_bump(&p->counts.status[known & APP_VERDICT_CLASS]);
    pass(sh, c, (known & APP_VERDICT_CLOSES) != 0);
}

/* An answer without a length ends with the connection (RFC 9112 §6.3); any other is cut off. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_conn *h = kept(c);
    if (h != NULL && h->has_begun)
        app_answer_end(&h->answer);
    if (is_judged(c))
        tern_close(sh, c);
    else if (h == NULL || !h->has_begun || !h->answer.complete)
        fail(sh, c, APP_FAIL_HTTP_BODY);
    else
        on_complete(sh, c, &h->answer, false); /* but for us: it has closed */
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    app_load_closed(sh, c, why);
    forget(sh, c);
}

static const struct tern_app http_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

/* ---- a worker ---- */

static int start(struct tern_shard *sh, struct app_load_part *p)
{
    const struct app_load_config *cfg = p->cfg;
    struct http_worker *http = calloc(1, sizeof *http);
    if (http == NULL)
        return -ENOMEM;
    p->state = http;
    const int rc = app_exchange_init(&http->x, sh, cfg->asks, &cfg->expect);
    if (rc != 0)
        free(http);
    return rc;
}

static void stop(struct app_load_part *p)
{
    struct http_worker *http = p->state;
    app_exchange_fini(&http->x);
    free(http);
}

const struct app_scenario app_scenario_http = {
    .name = "http",
    .serves = "http",
    .app = &http_app,
    .conn_bytes = sizeof(struct http_conn),
    .start = start,
    .stop = stop,
};
