/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections that are held, but not idle: each asks a small request (echo_request.h) every --tick,
 * or is let go after its time, or both. Those held are a list in the order of their opening, so
 * what is over is at its front, and none of this looks at all of them.
 *
 * Ticks go round the list. Each connection gains one in --tick, so with n of them held all together
 * gain n, and the moment at which the sum reaches the next whole one is when that tick is meant to
 * be: evenly spread, however many there are and come and go. A tick that finds the one before
 * unanswered waits for it, and its time runs.
 *
 * Rejected: the library's timer of a connection, which takes a record for each; a wheel of ours,
 * which would keep the bursts in which connections were opened.
 */
#include "echo_request.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { TICK_BURST = 64, CLOSE_BURST = 64, CLOSING_MAX = 256 };

__extension__ typedef unsigned __int128 wide;

/* One cache line. */
struct ticking_conn {
    struct app_stamp stamp; /* its own bit: let go, and off the list */
    uint64_t opened_ns;
    struct tern_conn *conn;
    TAILQ_ENTRY(ticking_conn) link;
    struct app_echo echo;
};
static_assert(sizeof(struct ticking_conn) == 64, "a million of them are 64 MB");
TAILQ_HEAD(ticking_list, ticking_conn);

struct ticking {
    struct app_pattern *pattern;
    struct ticking_list held;  /* the oldest first */
    struct ticking_conn *next; /* to tick; NULL: the oldest */
    uint64_t n_held;
    wide gained_ns;              /* of ticks that are not made, times --tick */
    uint64_t at_ns;              /* when that was so */
    uint64_t n_let_go, n_closed; /* since the load was told to end */
};

/* ---- the list ---- */

static bool is_held(const struct ticking_conn *h)
{
    return (h->stamp.bits & APP_STAMP_OWN) == 0;
}

/* Ticks gained by now; before n_held changes. The shard's time may be a poll behind that of tick().
 */
static void gain(struct ticking *t, uint64_t now_ns)
{
    if (now_ns < t->at_ns)
        return;
    t->gained_ns += (wide)(now_ns - t->at_ns) * t->n_held;
    t->at_ns = now_ns;
}

static void add(struct ticking *t, struct ticking_conn *h, uint64_t now_ns)
{
    gain(t, now_ns);
    TAILQ_INSERT_TAIL(&t->held, h, link);
    t->n_held++;
}

static void take_off(struct ticking *t, struct ticking_conn *h, uint64_t now_ns)
{
    gain(t, now_ns);
    if (t->next == h)
        t->next = TAILQ_NEXT(h, link);
    TAILQ_REMOVE(&t->held, h, link);
    h->stamp.bits |= APP_STAMP_OWN;
    if (--t->n_held == 0)
        t->gained_ns = 0; /* less than one, of nobody */
}

/* ---- ticks ---- */

static bool is_busy(const struct ticking_conn *h)
{
    return h->echo.to_come > 0;
}

static void ask(struct tern_shard *sh, struct ticking_conn *h, struct app_stamp start)
{
    const struct app_load_part *p = app_load_part_at(sh, h->stamp);
    const struct ticking *t = p->state;
    app_echo_ask(&h->echo, start, (uint32_t)p->cfg->echo_bytes);
    app_echo_send(sh, h->conn, t->pattern, &h->echo);
}

/* It is its turn, and was so `late_ns` ago. */
static void tick_one(
    struct tern_shard *sh, struct ticking_conn *h, uint64_t now_ns, uint64_t late_ns)
{
    struct app_load_part *p = app_load_part_at(sh, h->stamp);
    const struct ticking *t = p->state;
    const struct app_stamp start = app_load_stamp_at(p->worker, now_ns - late_ns);
    app_load_bump(&p->counts.asked[app_stamp_counts(start)]);
    app_measure_behind(&p->measure, late_ns, false);
    if (!is_busy(h)) {
        ask(sh, h, start);
        return;
    }
    h->echo.n_waiting++;
    app_echo_send(sh, h->conn, t->pattern, &h->echo); /* what found no room, once more */
}

static bool make_ticks(struct tern_shard *sh, const struct app_load_part *p, uint64_t now_ns)
{
    struct ticking *t = p->state;
    uint32_t n = 0;
    gain(t, now_ns);
    for (; n < TICK_BURST && t->gained_ns >= p->cfg->tick_ns; n++) {
        struct ticking_conn *h = t->next != NULL ? t->next : TAILQ_FIRST(&t->held);
        t->gained_ns -= p->cfg->tick_ns;
        t->next = TAILQ_NEXT(h, link);
        tick_one(sh, h, now_ns, (uint64_t)(t->gained_ns / t->n_held));
    }
    return n > 0;
}

/* The start of the tick behind this one, which is not to come: more connections bring turns
 * forward. */
static struct app_stamp next_start(
    const struct app_load_part *p, struct app_stamp start, uint64_t now_ns)
{
    const uint64_t age_ns = app_stamp_age_ns(start, now_ns), each_ns = p->cfg->tick_ns;
    return app_load_stamp_at(p->worker, age_ns > each_ns ? now_ns - age_ns + each_ns : now_ns);
}

/* ---- letting go ---- */

/* It is closed now, or when it is answered: bytes that come behind a close would make it a reset.
 */
static void let_go(struct tern_shard *sh, struct ticking *t, struct ticking_conn *h)
{
    take_off(t, h, tern_shard_now_ns(sh));
    if (!is_busy(h))
        tern_close(sh, h->conn);
}

/* Those whose time is over. @return true when there was one */
static bool expire(struct tern_shard *sh, const struct app_load_part *p, uint64_t now_ns)
{
    struct ticking *t = p->state;
    uint32_t n = 0;
    for (struct ticking_conn *h; n < CLOSE_BURST && (h = TAILQ_FIRST(&t->held)) != NULL; n++) {
        if (now_ns < h->opened_ns + p->cfg->hold_ns)
            break;
        let_go(sh, t, h);
    }
    return n > 0;
}

static bool tick(struct tern_shard *sh, struct app_load_part *p, uint64_t now_ns)
{
    bool worked = false;
    if (p->cfg->tick_ns != 0)
        worked |= make_ticks(sh, p, now_ns);
    if (p->cfg->hold_ns != 0)
        worked |= expire(sh, p, now_ns);
    return worked;
}

/* Let some more go, as long as not too many are on their way. */
static bool end(struct tern_shard *sh, struct app_load_part *p)
{
    struct ticking *t = p->state;
    uint32_t n = 0;
    if (t->n_let_go > t->n_closed + CLOSING_MAX)
        return false;
    for (struct ticking_conn *h; n < CLOSE_BURST && (h = TAILQ_FIRST(&t->held)) != NULL; n++)
        let_go(sh, t, h);
    t->n_let_go += n;
    return n > 0;
}

/* ---- a connection ---- */

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    app_load_time(sh, c, APP_METRIC_CONNECT);
    struct ticking_conn *h = app_load_attach(sh, c);
    if (h == NULL)
        return;
    h->opened_ns = tern_shard_now_ns(sh);
    h->conn = c;
    add(p->state, h, h->opened_ns);
    if (app_load_is_ending(p))
        let_go(sh, p->state, h);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct ticking_conn *h = tern_conn_user(c);
    const struct ticking *t = app_load_part_at(sh, h->stamp)->state;
    app_echo_send(sh, c, t->pattern, &h->echo);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    const struct ticking *t = p->state;
    struct ticking_conn *h = tern_conn_user(c);
    struct app_echo *echo = app_stamp_is(h) ? NULL : &h->echo;
    if (app_echo_take(sh, c, t->pattern, echo, m) != APP_ECHO_ANSWERED)
        return;
    if (h->echo.n_waiting > 0) {
        h->echo.n_waiting--;
        ask(sh, h, next_start(p, h->echo.request, tern_shard_now_ns(sh)));
    } else if (!is_held(h)) {
        tern_close(sh, c);
    }
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct ticking_conn *h = tern_conn_user(c);
    if (!app_stamp_is(h) && is_busy(h))
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
    else
        tern_close(sh, c);
}

/* What it still owes an answer to. */
static void lose(struct app_load_part *p, struct ticking_conn *h, uint64_t now_ns)
{
    struct app_stamp start = h->echo.request;
    for (uint64_t i = 0; is_busy(h) && i <= h->echo.n_waiting; i++) {
        app_measure_time(&p->measure, start, APP_METRIC_FAILED, now_ns);
        app_load_bump(&p->counts.unanswered);
        start = next_start(p, start, now_ns);
    }
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct ticking *t = p->state;
    struct ticking_conn *h = tern_conn_user(c);
    const uint64_t now_ns = tern_shard_now_ns(sh);
    app_load_closed(sh, c, why);
    t->n_closed += app_load_is_ending(p);
    if (app_stamp_is(h))
        return;
    if (is_held(h))
        take_off(t, h, now_ns);
    lose(p, h, now_ns);
    app_pool_put(&p->pool, h);
}

static const struct tern_app ticking_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

/* ---- a worker ---- */

static int start(struct tern_shard *sh, struct app_load_part *p)
{
    struct ticking *t = calloc(1, sizeof *t);
    if (t == NULL)
        return -ENOMEM;
    p->state = t;
    TAILQ_INIT(&t->held);
    t->pattern = app_pattern_new(sh);
    if (t->pattern != NULL)
        return 0;
    free(t);
    return -ENOMEM;
}

static void stop(struct app_load_part *p)
{
    struct ticking *t = p->state;
    app_pattern_free(t->pattern);
    free(t);
}

const struct app_scenario app_scenario_hold_ticking = {
    .name = "hold",
    .serves = "echo",
    .app = &ticking_app,
    .conn_bytes = sizeof(struct ticking_conn),
    .holds = true,
    .opening_max = 512,
    .start = start,
    .stop = stop,
    .tick = tick,
    .end = end,
};
