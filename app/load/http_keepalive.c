/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests one after the other on connections that stay open: up to --pipeline of them under way on
 * each, --requests of them in all, the requests of a file in turn from the first. The server
 * answers in the order in which it was asked (RFC 9112 §9.3.2), so the intended starts of those
 * under way are a ring.
 *
 * In closed loop the next request is meant to start when there is room for it. In open loop --rate
 * counts requests: one that is due goes to the connection that has had room for it longest; where
 * none has, it waits, and its times count from when it was due all the same. So a server that
 * stalls is seen in the times of all that it kept waiting.
 *
 * An answer that is not the expected one fails the request, not the connection: only bytes that are
 * no HTTP, and answers to nothing, do that. asked = answered + wrong + unanswered, once all
 * connections are closed.
 */
#include "exchange.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { ASK_BURST = 64, CLOSE_BURST = 64 };

struct keepalive_conn {
    struct app_stamp stamp;
    TAILQ_ENTRY(keepalive_conn) link; /**< among those with room */
    struct tern_conn *conn;
    uint64_t n_asked, n_answered;
    const struct app_ask *ask; /**< the last one asked */
    uint32_t n_sent;           /**< of its bytes */
    bool has_room;             /**< on the list */
    bool stops;                /**< is asked no more */
    bool server_closes;        /**< said so: it goes first */
    bool has_begun;            /**< the oldest one's answer has */
    struct app_answer answer;
    struct app_stamp under_way[]; /**< [pipeline] intended start by number; its own bit: HEAD */
};
TAILQ_HEAD(keepalive_list, keepalive_conn);

struct keepalive_worker {
    struct app_exchange x;
    struct keepalive_list with_room; /**< the longest first */
    uint32_t depth;                  /**< --pipeline */
    bool all_busy;                   /**< what is due now has waited for room */
};

/* ---- how many more ---- */

static uint64_t n_under_way(const struct keepalive_conn *k)
{
    return k->n_asked - k->n_answered;
}

static struct app_stamp *start_of(
    const struct keepalive_worker *kw, struct keepalive_conn *k, uint64_t number)
{
    return &k->under_way[number % kw->depth];
}

static bool has_sent_all(const struct keepalive_conn *k)
{
    return k->ask == NULL || k->n_sent == k->ask->n_bytes;
}

/* It has been asked all that it is to be. */
static bool is_used_up(const struct app_load_part *p, const struct keepalive_conn *k)
{
    const uint64_t max = p->cfg->requests;
    return k->stops || app_load_is_ending(p) || (max != 0 && k->n_asked >= max);
}

static bool may_ask(const struct app_load_part *p, const struct keepalive_conn *k)
{
    const struct keepalive_worker *kw = p->state;
    return !is_used_up(p, k) && has_sent_all(k) && n_under_way(k) < kw->depth;
}

/* To the end of the list, or off it. */
static void set_room(struct keepalive_worker *kw, struct keepalive_conn *k, bool has_room)
{
    if (k->has_room)
        TAILQ_REMOVE(&kw->with_room, k, link);
    if (has_room)
        TAILQ_INSERT_TAIL(&kw->with_room, k, link);
    k->has_room = has_room;
}

/* ---- asking ---- */

static void send_some(struct tern_shard *sh, struct keepalive_conn *k)
{
    const struct app_ask *ask = k->ask;
    if (!has_sent_all(k))
        k->n_sent +=
            (uint32_t)tern_send_static(sh, k->conn, ask->body, k->n_sent, ask->n_bytes - k->n_sent);
}

static void ask(struct tern_shard *sh, struct keepalive_conn *k, struct app_stamp start)
{
    struct app_load_part *p = app_load_part_at(sh, k->stamp);
    struct keepalive_worker *kw = p->state;
    k->ask = &kw->x.asks[k->n_asked % kw->x.n_asks];
    k->n_sent = 0;
    start.bits |= k->ask->is_head ? APP_STAMP_OWN : 0u;
    *start_of(kw, k, k->n_asked++) = start;
    app_load_bump(&p->counts.asked[app_stamp_counts(start)]);
    send_some(sh, k);
}

/* @return false when none is due */
static bool ask_next(struct tern_shard *sh, struct keepalive_conn *k, uint64_t now_ns)
{
    struct app_load_part *p = app_load_part_at(sh, k->stamp);
    const struct keepalive_worker *kw = p->state;
    struct app_stamp start;
    if (p->cfg->rate == 0)
        start = app_load_stamp(sh);
    else if (!app_load_take_due(p, now_ns, kw->all_busy, &start))
        return false;
    ask(sh, k, start);
    return true;
}

/* Something has ended on this connection: ask more, or close it. */
static void go_on(struct tern_shard *sh, struct keepalive_conn *k)
{
    struct app_load_part *p = app_load_part_at(sh, k->stamp);
    while (may_ask(p, k) && ask_next(sh, k, tern_shard_now_ns(sh)))
        ;
    set_room(p->state, k, may_ask(p, k));
    if (n_under_way(k) > 0 || k->server_closes || !is_used_up(p, k))
        return;
    k->stops = true;
    tern_close(sh, k->conn);
}

/* After every poll, in open loop: what is due goes to connections with room. */
static bool tick(struct tern_shard *sh, struct app_load_part *p, uint64_t now_ns)
{
    struct keepalive_worker *kw = p->state;
    struct keepalive_conn *k = TAILQ_FIRST(&kw->with_room);
    uint32_t n = 0;
    if (p->cfg->rate == 0)
        return false;
    for (; k != NULL && n < ASK_BURST && ask_next(sh, k, now_ns); n++) {
        set_room(kw, k, may_ask(p, k));
        k = TAILQ_FIRST(&kw->with_room);
    }
    kw->all_busy = k == NULL && app_load_is_due(p, now_ns);
    return n > 0;
}

/* No more is to be asked: close those that wait for nothing. The others close when they are
 * answered. */
static bool end(struct tern_shard *sh, struct app_load_part *p)
{
    struct keepalive_worker *kw = p->state;
    uint32_t n = 0;
    for (struct keepalive_conn *k; n < CLOSE_BURST && (k = TAILQ_FIRST(&kw->with_room)); n++)
        go_on(sh, k);
    return n > 0;
}

/* ---- answers ---- */

/* The oldest one's answer is complete. @param why  APP_FAIL_COUNT: it is right */
static void conclude(
    struct tern_shard *sh, struct keepalive_conn *k, enum app_fail why, bool server_closes)
{
    struct app_load_part *p = app_load_part_at(sh, k->stamp);
    const struct app_stamp start = *start_of(p->state, k, k->n_answered++);
    const bool is_right = why == APP_FAIL_COUNT;
    app_measure_time(&p->measure, start, is_right ? APP_METRIC_COMPLETE : APP_METRIC_FAILED,
        tern_shard_now_ns(sh));
    app_load_bump(is_right ? &p->counts.answered : &p->counts.wrong[why]);
    k->has_begun = false;
    k->server_closes |= server_closes;
    k->stops |= server_closes || (n_under_way(k) == 0 && !has_sent_all(k)); /* answered too early */
    go_on(sh, k);
}

static void conclude_parsed(struct tern_shard *sh, struct keepalive_conn *k)
{
    const struct app_answer *a = &k->answer;
    app_answer_count(app_load_part_at(sh, k->stamp), a);
    conclude(sh, k, app_answer_judge(a), (app_answer_verdict(a) & APP_VERDICT_CLOSES) != 0);
}

/* The bytes are a whole answer, from its first byte to its last. */
static void learn(struct app_exchange *x, const struct app_answer *a, const char *at, size_t n)
{
    if (a->n_interim == 0 && app_answer_judge(a) == APP_FAIL_COUNT)
        app_memo_learn(&x->good[a->is_head], at, n, app_answer_verdict(a));
}

/* Parse some of the oldest one's answer. @return bytes used; 0: it is no HTTP */
static size_t parse(struct tern_shard *sh, struct keepalive_conn *k, const char *at, size_t n)
{
    struct app_load_part *p = app_load_part_at(sh, k->stamp);
    struct keepalive_worker *kw = p->state;
    const bool is_first = !k->has_begun;
    const struct app_stamp start = *start_of(kw, k, k->n_answered);
    if (is_first)
        app_answer_init(&k->answer, kw->x.expect, (start.bits & APP_STAMP_OWN) != 0);
    k->has_begun = true;
    const size_t used = app_answer_take(&k->answer, at, n);
    if (!k->answer.complete)
        return used == n ? n : 0;
    if (is_first)
        learn(&kw->x, &k->answer, at, used);
    conclude_parsed(sh, k);
    return used;
}

/* An answer begins. @return bytes of it, all that it has, when it was seen before; 0: it was not */
static size_t recall(struct tern_shard *sh, struct keepalive_conn *k, const char *at, size_t n)
{
    struct app_load_part *p = app_load_part_at(sh, k->stamp);
    struct keepalive_worker *kw = p->state;
    const struct app_stamp start = *start_of(kw, k, k->n_answered);
    const bool is_head = (start.bits & APP_STAMP_OWN) != 0;
    size_t used;
    const int32_t known = app_memo_find_front(&kw->x.good[is_head], at, n, &used);
    app_measure_time(&p->measure, start, APP_METRIC_FIRST_BYTE, tern_shard_now_ns(sh));
    if (known == APP_MEMO_UNKNOWN)
        return 0;
    app_load_bump(&p->counts.status[known & APP_VERDICT_CLASS]);
    conclude(sh, k, APP_FAIL_COUNT, (known & APP_VERDICT_CLOSES) != 0);
    return used;
}

/* @return APP_FAIL_COUNT, or what is wrong with these bytes */
static enum app_fail take(struct tern_shard *sh, struct keepalive_conn *k, const char *at, size_t n)
{
    while (n > 0) {
        if (n_under_way(k) == 0)
            return APP_FAIL_HTTP_BODY;
        size_t used = k->has_begun ? 0 : recall(sh, k, at, n);
        if (used == 0)
            used = parse(sh, k, at, n);
        if (used == 0)
            return APP_FAIL_HTTP_MALFORMED;
        at += used;
        n -= used;
    }
    return APP_FAIL_COUNT;
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct keepalive_conn *k = tern_conn_user(c);
    enum app_fail why = APP_FAIL_COUNT;
    tern_consume(sh, c, m->pkt_len); /* first: a close with unread data would be a reset */
    for (const struct rte_mbuf *s = m; s != NULL && why == APP_FAIL_COUNT; s = s->next)
        why = take(sh, k, rte_pktmbuf_mtod(s, const char *), s->data_len);
    rte_pktmbuf_free(m);
    if (why != APP_FAIL_COUNT)
        app_load_fail(sh, c, why);
}

/* ---- a connection ---- */

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    app_load_time(sh, c, APP_METRIC_CONNECT);
    struct keepalive_conn *k = app_load_attach(sh, c);
    if (k == NULL)
        return;
    k->conn = c;
    go_on(sh, k);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct keepalive_conn *k = tern_conn_user(c);
    send_some(sh, k);
    if (has_sent_all(k))
        go_on(sh, k);
}

/* In order: with nothing under way, or said before. An answer without a length ends here (RFC 9112
 * §6.3). */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct keepalive_conn *k = tern_conn_user(c);
    const bool was_said = k->server_closes && !k->has_begun;
    k->server_closes = k->stops = true;
    if (k->has_begun)
        app_answer_end(&k->answer);
    if (k->has_begun && k->answer.complete)
        conclude_parsed(sh, k);
    set_room(app_load_part_of(sh, c)->state, k, false);
    if (n_under_way(k) == 0 || was_said)
        tern_close(sh, c);
    else
        app_load_fail(sh, c, APP_FAIL_HTTP_BODY);
}

/* What it still owes an answer to. */
static void lose(struct app_load_part *p, struct keepalive_conn *k, uint64_t now_ns)
{
    for (; n_under_way(k) > 0; k->n_answered++) {
        const struct app_stamp start = *start_of(p->state, k, k->n_answered);
        app_measure_time(&p->measure, start, APP_METRIC_FAILED, now_ns);
        app_load_bump(&p->counts.unanswered);
    }
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct keepalive_conn *k = tern_conn_user(c);
    app_load_closed(sh, c, why);
    if (app_stamp_is(k))
        return;
    set_room(p->state, k, false);
    lose(p, k, tern_shard_now_ns(sh));
    app_pool_put(&p->pool, k);
}

static const struct tern_app keepalive_app = {
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
    struct keepalive_worker *kw = calloc(1, sizeof *kw);
    if (kw == NULL)
        return -ENOMEM;
    p->state = kw;
    TAILQ_INIT(&kw->with_room);
    kw->depth = cfg->pipeline;
    app_pool_init(
        &p->pool, sizeof(struct keepalive_conn) + cfg->pipeline * sizeof(struct app_stamp));
    const int rc = app_exchange_init(&kw->x, sh, cfg->asks, &cfg->expect);
    if (rc != 0)
        free(kw);
    return rc;
}

static void stop(struct app_load_part *p)
{
    struct keepalive_worker *kw = p->state;
    app_exchange_fini(&kw->x);
    free(kw);
}

const struct app_scenario app_scenario_http_keepalive = {
    .name = "http-keepalive",
    .serves = "http",
    .app = &keepalive_app,
    .conn_bytes = sizeof(struct keepalive_conn), /* and its ring, see start() */
    .paces_requests = true,
    .start = start,
    .stop = stop,
    .tick = tick,
    .end = end,
};
