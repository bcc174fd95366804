/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests that come back: send --bytes of the pattern (pattern.h), expect the same bytes back, and
 * so on until --requests are answered; then close. The next request leaves when the one before is
 * answered, so a connection has one under way. Where their number is left open, a connection goes
 * on until the load is told to open no more, which it sees at its next answer. The pattern runs
 * through all requests of a connection: an answer that is late or doubled does not pass for the
 * next one.
 */
#include "../pattern.h"
#include "load.h"

#include <rte_mbuf.h>

#include <errno.h>

struct echo_conn {
    struct app_stamp stamp;
    struct app_stamp request; /**< the one under way */
    uint64_t sent, received;  /**< bytes of all requests */
    uint64_t asked;           /**< where the request under way ends */
};

static void ask(const struct app_load_part *p, struct echo_conn *e)
{
    e->asked += p->cfg->echo_bytes;
}

static bool is_last(const struct app_load_part *p, const struct echo_conn *e)
{
    const struct app_load_config *cfg = p->cfg;
    return app_load_is_ending(p)
           || (cfg->requests != 0 && e->asked >= cfg->requests * cfg->echo_bytes);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    struct echo_conn *e = tern_conn_user(c);
    e->sent += app_pattern_send(sh, c, p->state, e->sent, e->asked - e->sent);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    app_load_time(sh, c, APP_METRIC_CONNECT);
    struct echo_conn *e = app_pool_get(&p->pool);
    if (e == NULL) {
        app_load_fail(sh, c, APP_FAIL_NO_STATE);
        return;
    }
    e->stamp = e->request = app_stamp_of(tern_conn_user(c));
    tern_conn_set_user(c, e);
    ask(p, e);
    on_sendable(sh, c);
}

static void answered(struct tern_shard *sh, struct tern_conn *c, struct echo_conn *e)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    app_load_bump(&p->counts.answered);
    app_measure_time(&p->measure, e->request, APP_METRIC_COMPLETE, tern_shard_now_ns(sh));
    if (is_last(p, e)) {
        tern_close(sh, c);
        return;
    }
    e->request = app_load_stamp(sh);
    ask(p, e);
    on_sendable(sh, c);
}

/* The chain is what was sent, from e->received on, and not more than was sent. */
static bool matches(
    const struct app_pattern *p, const struct echo_conn *e, const struct rte_mbuf *m)
{
    return m->pkt_len <= e->sent - e->received && app_pattern_matches(p, e->received, m);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct echo_conn *e = tern_conn_user(c);
    const uint32_t len = m->pkt_len;
    const bool good = !app_stamp_is(e) && matches(p->state, e, m);
    rte_pktmbuf_free(m);
    if (!good) {
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
        return;
    }
    tern_consume(sh, c, len);
    if (e->received + p->cfg->echo_bytes == e->asked)
        app_measure_time(&p->measure, e->request, APP_METRIC_FIRST_BYTE, tern_shard_now_ns(sh));
    e->received += len;
    if (e->received == e->asked)
        answered(sh, c, e);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct echo_conn *e = tern_conn_user(c);
    if (!app_stamp_is(e) && e->received < e->asked)
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct echo_conn *e = tern_conn_user(c);
    app_load_closed(sh, c, why);
    if (!app_stamp_is(e))
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
