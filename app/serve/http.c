/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.x server for measurements: GET and HEAD of anything have the chosen status and body, other
 * methods 405, what http-parser refuses 400. Parsing is the library's; here are only the order of
 * things and the back-pressure.
 *
 * One request at a time is parsed and its reply queued wholly before the next byte is looked at, so
 * pipelined requests wait unparsed, with their window unreturned, while the peer does not read. The
 * usual connection (a request in one piece, a reply that fits) lives on the stack of on_data();
 * state is kept only for the others, and moves from the stack into the pool as it is.
 *
 * A request that is byte for byte one seen before, alone in its segment on a connection that waits
 * for nothing else, is not parsed again (../memo.h): it has its verdict, and a reply that fits is
 * sent and forgotten at once. That is the everyday, and it asks one question for all of slow.h.
 *
 * A server that is told to be slow, to stall or to refuse what is too much has its conditions: then
 * a reply that has begun may wait for its time in a queue of the worker (later.h). A connection's
 * next request is not looked at before, as behind any reply.
 *
 * After the last reply: FIN. If the peer may still be sending (pipelined behind a close, or
 * garbage), its bytes are thrown away until its FIN or LINGER_NS, because an RST would take the
 * reply with it (RFC 9112 §9.6).
 *
 * A peer that lets a reply or a request wait is waited for (patience.h): for the rest of a header a
 * certain time in all, and for a body or for room to send in as long as it goes on at a rate.
 */
#include "http_inside.h"

#include <errno.h>
#include <stdlib.h>

#define LINGER_NS UINT64_C(2000000000)

enum { STEADY_S = 60 /* a peer is watched so long: an outage that TCP survives is no slow peer */ };
enum { LATER_BURST = 64 /* replies that are sent between two polls, once their time has come */ };

/* HEAD wants less than all. */
static size_t reply_bytes(const struct http_worker *w, int32_t answer)
{
    const struct app_reply *reply = &w->replies.of[answer & ANSWER_REPLY];
    return answer & ANSWER_HEADERS_ONLY ? reply->header_bytes : reply->total_bytes;
}

/* ---- conditions ---- */

/* Beyond the limit a request gets another reply. */
static int32_t admit(const struct http_worker *w, int32_t answer, uint64_t now_ns)
{
    const struct app_bucket_plan *limit = &w->instance.cfg->http.limit;
    const bool is_limited = limit->each_q8 != 0 && (answer & ANSWER_REPLY) <= APP_REPLY_OK_CLOSE;
    if (!is_limited || app_bucket_take(w->instance.bucket, limit, now_ns))
        return answer;
    return answer + (APP_REPLY_LIMITED - APP_REPLY_OK);
}

/* When a reply that begins now may be sent; 0: now. */
static uint64_t draw_due_ns(struct http_worker *w, uint64_t now_ns)
{
    const struct app_http_config *cfg = &w->instance.cfg->http;
    const uint64_t delayed_ns = now_ns + app_delay_draw(&cfg->delay, &w->dice);
    const uint64_t due_ns = app_stall_passed(&cfg->stall, delayed_ns);
    return due_ns > now_ns ? due_ns : 0;
}

static void begin_reply(const struct tern_shard *sh, struct http_conn *h, int32_t answer)
{
    struct http_worker *w = http_worker_of(h);
    if (w->has_conditions) {
        h->asked_ns = tern_shard_now_ns(sh);
        answer = admit(w, answer, h->asked_ns);
        h->due_ns = draw_due_ns(w, h->asked_ns);
    }
    h->replying = true;
    h->reply = (enum app_reply_id)(answer & ANSWER_REPLY);
    h->sent = 0;
    h->to_send = reply_bytes(w, answer);
    h->last = answer & ANSWER_LAST;
}

static void refuse(const struct tern_shard *sh, struct http_conn *h, enum app_reply_id id)
{
    h->in_message = h->in_body = false;
    begin_reply(sh, h, (int32_t)id | ANSWER_LAST);
}

/* Read the next request and begin its reply. @return false when it is not all there */
static bool next_request(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const enum http_errno e = app_http_parse_one(sh, c, h);
    if (e == HPE_OK)
        return false;
    if (e == HPE_PAUSED) {
        http_parser_pause(&h->parser, 0);
        begin_reply(sh, h, app_http_judge(http_worker_of(h), h));
    } else {
        refuse(sh, h, app_http_refusal(e));
    }
    return true;
}

/* ---- a connection ---- */

static void discard_input(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    while (h->in.head != NULL)
        app_http_eat(sh, c, h, h->in.head->data_len - h->in_off);
}

/* The last reply is queued. */
static void finish(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const bool more = h->in.head != NULL || HTTP_PARSER_ERRNO(&h->parser) != HPE_OK;
    app_patience_leave(sh, &h->debtor, false); /* the timer becomes that of lingering */
    discard_input(sh, c, h);
    h->lingering = more && !h->peer_closed && tern_timer_arm(sh, c, LINGER_NS) == 0;
    if (h->lingering)
        tern_shutdown(sh, c);
    else
        tern_close(sh, c);
}

/* All of the reply is queued. */
static void book_reply(struct http_conn *h)
{
    h->replying = false;
    app_service_bump(&http_worker_of(h)->instance.books->replies[h->reply]);
}

/* V210:
 * Answer as long as there are requests and room, and no reply has to wait for its time; on_data(),
 * on_sendable() or tick() goes on from there. */
static void advance(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    const struct app_replies *replies = &http_worker_of(h)->replies;
    while (h->replying || next_request(sh, c, h)) {
        if (h->due_ns != 0 || !app_reply_send(sh, c, replies, h->reply, &h->sent, h->to_send))
            return;
        book_reply(h);
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

static void forget(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h, bool ended)
{
    struct http_worker *w = http_worker_of(h);
    tern_conn_set_user(c, app_instance_user(&w->instance));
    app_later_remove(&w->later, &h->later);
    app_patience_leave(sh, &h->debtor, ended);
    app_segq_clear(&h->in);
    app_pool_put(&w->conns, h);
}

/* ---- what a peer owes ---- */

/* Grows with each byte that the peer sends of a body, or takes of a reply. */
static uint64_t progress_of(
    const struct tern_shard *sh, const struct tern_conn *c, const struct http_conn *h)
{
    return h->replying ? h->sent + tern_sendable_bytes(sh, c) : h->body_bytes;
}

/* V116, V204, V205: the rest of a header within a time, else steady progress. NULL: nothing. */
static struct app_patience *patience_for(const struct http_conn *h)
{
    struct http_worker *w = http_worker_of(h);
    const struct app_http_config *cfg = &w->instance.cfg->http;
    const bool owes_room = h->replying && h->due_ns == 0;
    if (h->lingering || (h->replying && !owes_room))
        return NULL;
    if (owes_room || h->in_body)
        return cfg->min_rate > 0 ? &w->steady : NULL;
    return h->in_message && cfg->header_ns > 0 ? &w->headers : NULL;
}

/* A request that goes on has the time it had; one that begins has its own. */
static void watch(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    struct app_patience *p = patience_for(h);
    if (p == h->debtor.queue && !h->begun)
        return;
    h->begun = false;
    app_patience_leave(sh, &h->debtor, false);
    if (p == NULL)
        return;
    h->progress = progress_of(sh, c, h);
    app_patience_enter(sh, p, &h->debtor, c);
}

/* Since it was last looked at the peer did at the least what is asked of it. */
static bool is_steady(
    const struct tern_shard *sh, const struct tern_conn *c, const struct http_conn *h)
{
    const struct app_http_config *cfg = &http_worker_of(h)->instance.cfg->http;
    const uint64_t asked = (uint64_t)cfg->min_rate * STEADY_S;
    return progress_of(sh, c, h) - h->progress >= asked;
}

/* The connection has got as far as it can now. */
static void rest(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    if (is_idle(h)) {
        forget(sh, c, h, false);
        return;
    }
    watch(sh, c, h);
    h->conn = c;
    const bool waits = h->due_ns != 0 && h->later.place == 0;
    if (waits && !app_later_put(&http_worker_of(h)->later, &h->later, h->due_ns))
        tern_abort(sh, c);
}

/* The connection leaves the stack: it waits for input, for room or for its time. */
static void keep(struct tern_shard *sh, struct tern_conn *c, struct http_conn *on_stack)
{
    struct http_worker *w = http_worker_of(on_stack);
    struct http_conn *h = app_pool_get(&w->conns);
    if (h == NULL) {
        app_segq_clear(&on_stack->in);
        if (on_stack->replying)
            app_service_bump(&w->instance.books->unanswered);
        tern_abort(sh, c);
        return;
    }
    *h = *on_stack;
    tern_conn_set_user(c, h);
    rest(sh, c, h);
}

static void init_on_stack(struct http_conn *h, struct http_worker *w)
{
    *h = (struct http_conn){.instance = app_instance_word(&w->instance), .is_fresh = true};
    http_parser_init(&h->parser, HTTP_REQUEST);
}

/* ---- what comes ---- */

/* The verdict on a request that was seen before, or APP_MEMO_UNKNOWN. */
static int32_t recall(const struct http_worker *w, const struct rte_mbuf *m)
{
    if (m->nb_segs > 1)
        return APP_MEMO_UNKNOWN;
    return app_memo_find(&w->requests, rte_pktmbuf_mtod(m, const void *), m->data_len);
}

/* The everyday: a reply in one piece, for which there is room. @return bytes queued */
static size_t answer_at_once(
    struct tern_shard *sh, struct tern_conn *c, struct http_worker *w, int32_t answer)
{
    const enum app_reply_id id = (enum app_reply_id)(answer & ANSWER_REPLY);
    const struct app_reply *reply = &w->replies.of[id];
    const size_t n = reply_bytes(w, answer);
    if (w->has_conditions || n > reply->head_bytes)
        return 0;
    const size_t sent = tern_send_static(sh, c, reply->head, 0, n);
    if (sent < n)
        return sent;
    app_service_bump(&w->instance.books->replies[id]);
    if (answer & ANSWER_LAST)
        tern_close(sh, c);
    return sent;
}

/* The request is one seen before. */
static void on_known_request(struct tern_shard *sh, struct tern_conn *c, struct http_worker *w,
    struct rte_mbuf *m, int32_t answer)
{
    const uint32_t len = m->data_len;
    rte_pktmbuf_free_seg(m); /* recall() knows no longer chains */
    tern_consume(sh, c, len);
    const size_t sent = answer_at_once(sh, c, w, answer);
    if (sent == reply_bytes(w, answer))
        return;
    struct http_conn h;
    init_on_stack(&h, w);
    begin_reply(sh, &h, answer);
    h.sent = sent;
    advance(sh, c, &h);
    if (!is_idle(&h))
        keep(sh, c, &h);
}

static void on_data_idle(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct http_worker *w = app_conn_instance(c);
    const int32_t answer = recall(w, m);
    if (answer != APP_MEMO_UNKNOWN) {
        on_known_request(sh, c, w, m, answer);
        return;
    }
    struct http_conn h;
    init_on_stack(&h, w);
    app_segq_push(&h.in, m);
    advance(sh, c, &h);
    if (!is_idle(&h))
        keep(sh, c, &h);
}

static void go_on(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    if (h->lingering)
        discard_input(sh, c, h);
    else
        advance(sh, c, h);
    rest(sh, c, h);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_conn *h = app_conn_state(c);
    if (h != NULL)
        go_on(sh, c, h);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct http_conn *h = app_conn_state(c);
    if (h == NULL) {
        on_data_idle(sh, c, m);
        return;
    }
    app_segq_push(&h->in, m);
    if (!h->replying) /* else it waits behind a reply that the peer does not read, or not yet */
        go_on(sh, c, h);
}

/* A request that is cut off gets no reply; those that wait whole still do. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_conn *h = app_conn_state(c);
    if (h != NULL)
        h->peer_closed = true;
    if (h == NULL || !h->replying)
        tern_close(sh, c);
}

/* Whoever takes nothing gets no reply; whoever asks too slowly is told. */
static void lose_patience(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h)
{
    if (h->replying) {
        tern_abort(sh, c);
        return;
    }
    refuse(sh, h, APP_REPLY_TIMEOUT);
    go_on(sh, c, h);
}

static void on_timer(struct tern_shard *sh, struct tern_conn *c)
{
    struct http_conn *h = app_conn_state(c);
    if (h == NULL)
        return;
    if (h->lingering) {
        tern_close(sh, c);
        return;
    }
    const bool was_steady = h->debtor.queue == &http_worker_of(h)->steady;
    if (!app_patience_is_over(sh, &h->debtor))
        return;
    if (was_steady && is_steady(sh, c, h))
        watch(sh, c, h);
    else
        lose_patience(sh, c, h);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)why;
    struct http_conn *h = app_conn_state(c);
    if (h == NULL)
        return;
    if (h->replying)
        app_service_bump(&http_worker_of(h)->instance.books->unanswered);
    forget(sh, c, h, true);
}

static const struct tern_app http_app = {
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
    .on_timer = on_timer,
};

/* ---- a worker ---- */

static void book_waiting(struct app_service_books *b, const struct http_conn *h, uint64_t now_ns)
{
    const uint64_t late_ns = now_ns - h->due_ns, held_ns = now_ns - h->asked_ns;
    app_service_bump(&b->n_held);
    __atomic_store_n(&b->held_ns, b->held_ns + held_ns, __ATOMIC_RELAXED);
    if (late_ns > b->held_late_max_ns)
        __atomic_store_n(&b->held_late_max_ns, late_ns, __ATOMIC_RELAXED);
}

/* Replies whose time has come. */
static bool tick(struct tern_shard *sh, struct app_instance *i, uint64_t now_ns)
{
    struct http_worker *w = (struct http_worker *)(void *)i;
    struct app_later_node *node;
    int n = 0;
    for (; n < LATER_BURST && (node = app_later_take(&w->later, now_ns)) != NULL; n++) {
        struct http_conn *h = container_of(node, struct http_conn, later);
        book_waiting(i->books, h, now_ns);
        h->due_ns = 0;
        go_on(sh, h->conn, h);
    }
    return n > 0;
}

static bool may_wait(const struct app_http_config *cfg)
{
    return cfg->delay.kind != APP_DELAY_NONE || cfg->stall.period_ns != 0;
}

static bool has_tick(const struct app_service_config *cfg)
{
    return may_wait(&cfg->http);
}

static void stop(struct app_instance *i)
{
    struct http_worker *w = (struct http_worker *)(void *)i;
    app_replies_free(&w->replies);
    app_pool_fini(&w->conns);
    app_later_fini(&w->later);
}

static int start(struct tern_shard *sh, struct app_instance *i)
{
    struct http_worker *w = (struct http_worker *)(void *)i;
    const struct app_http_config *cfg = &i->cfg->http;
    app_pool_init(&w->conns, sizeof(struct http_conn));
    w->has_conditions = may_wait(cfg) || cfg->limit.each_q8 != 0;
    w->headers.time_ns = cfg->header_ns;
    w->steady.time_ns = (uint64_t)STEADY_S * NS_PER_S;
    w->dice = (uint64_t)i->cfg->port << 16 | tern_shard_worker(sh);
    return app_replies_make(sh, &w->replies, cfg, i->cfg->body_bytes);
}

const struct app_service app_service_http = {.name = "http",
    .port = 80,
    .app = &http_app,
    .instance_bytes = sizeof(struct http_worker),
    .start = start,
    .tick = tick,
    .has_tick = has_tick,
    .stop = stop};
