/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests that come back (echo_request.h): send --bytes, expect the same bytes, and so on until
 * --requests are answered; then close. The next request leaves when the one before is answered, so
 * a connection has one under way. Where their number is left open, a connection goes on until the
 * load is told to open no more, which it sees at its next answer.
 */
#include "echo_request.h"

#include <errno.h>

struct echo_conn {
    struct app_stamp stamp;
    struct app_echo echo;
    uint64_t n_asked;
};

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct echo_conn *e = tern_conn_user(c);
    app_echo_send(sh, c, app_load_part_at(sh, e->stamp)->state, &e->echo);
}

static void ask(struct tern_shard *sh, struct tern_conn *c, struct app_stamp start)
{
    struct echo_conn *e = tern_conn_user(c);
    struct app_load_part *p = app_load_part_at(sh, e->stamp);
    app_load_bump(&p->counts.asked[app_stamp_counts(start)]);
    app_echo_ask(&e->echo, start, (uint32_t)p->cfg->echo_bytes);
    e->n_asked++;
    app_echo_send(sh, c, p->state, &e->echo);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    app_load_time(sh, c, APP_METRIC_CONNECT);
    const struct echo_conn *e = app_load_attach(sh, c);
    if (e != NULL)
        ask(sh, c, e->stamp);
}

static bool was_last(const struct app_load_part *p, const struct echo_conn *e)
{
    return app_load_is_ending(p) || (p->cfg->requests != 0 && e->n_asked >= p->cfg->requests);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    struct echo_conn *e = tern_conn_user(c);
    struct app_echo *echo = app_stamp_is(e) ? NULL : &e->echo;
    if (app_echo_take(sh, c, p->state, echo, m) != APP_ECHO_ANSWERED)
        return;
    if (was_last(p, e))
        tern_close(sh, c);
    else
        ask(sh, c, app_load_stamp(sh));
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct echo_conn *e = tern_conn_user(c);
    if (!app_stamp_is(e) && e->echo.to_come > 0)
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct echo_conn *e = tern_conn_user(c);
    app_load_closed(sh, c, why);
    if (app_stamp_is(e))
        return;
    if (e->echo.to_come > 0)
        app_load_bump(&p->counts.unanswered);
    app_pool_put(&p->pool, e);
}

static const struct tern_app echo_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static int start(struct tern_shard *sh, struct app_load_part *p)
{
    p->state = app_pattern_new(sh);
    return p->state == NULL ? -ENOMEM : 0;
}

static void stop(struct app_load_part *p)
{
    app_pattern_free(p->state);
}

const struct app_scenario app_scenario_echo = {
    .name = "echo",
    .serves = "echo",
    .app = &echo_app,
    .conn_bytes = sizeof(struct echo_conn),
    .start = start,
    .stop = stop,
};
