/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Send the pattern (pattern.h), expect the same bytes back, close. A connection keeps two counts of
 * bytes.
 */
#include "../pattern.h"
#include "load.h"

#include <rte_mbuf.h>

#include <errno.h>

struct echo_conn {
    uint64_t sent, received;
};

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_worker *w = tern_shard_user(sh);
    struct echo_conn *e = tern_conn_user(c);
    const uint64_t left = w->load->cfg.echo_bytes - e->sent;
    e->sent += app_pattern_send(sh, c, w->scenario, e->sent, left);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct app_load_worker *w = tern_shard_user(sh);
    struct echo_conn *e = app_pool_get(&w->pool);
    if (e == NULL) {
        app_load_fail(sh, c, APP_FAIL_NO_STATE);
        return;
    }
    tern_conn_set_user(c, e);
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
    const struct app_load_worker *w = tern_shard_user(sh);
    struct echo_conn *e = tern_conn_user(c);
    const uint32_t len = m->pkt_len;
    const bool good = e != NULL && matches(w->scenario, e, m);
    rte_pktmbuf_free(m);
    if (!good) {
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
        return;
    }
    tern_consume(sh, c, len);
    e->received += len;
    if (e->received == w->load->cfg.echo_bytes)
        tern_close(sh, c);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_worker *w = tern_shard_user(sh);
    const struct echo_conn *e = tern_conn_user(c);
    if (e != NULL && e->received < w->load->cfg.echo_bytes)
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)why;
    struct app_load_worker *w = tern_shard_user(sh);
    struct echo_conn *e = tern_conn_user(c);
    if (e != NULL)
        app_pool_put(&w->pool, e);
    app_load_closed(sh);
}

static const struct tern_app echo_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static int start(struct tern_shard *sh, struct app_load_worker *w)
{
    w->scenario = app_pattern_new(sh);
    return w->scenario == NULL ? -ENOMEM : 0;
}

static void stop(struct app_load_worker *w)
{
    app_pattern_free(w->scenario);
}

const struct app_scenario app_scenario_echo = {
    .name = "echo",
    .serves = "echo",
    .app = &echo_app,
    .conn_bytes = sizeof(struct echo_conn),
    .start = start,
    .stop = stop,
};
