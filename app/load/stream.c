/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bulk transfer over connections that stay open: up to a sink, down from a source, or both at once.
 * With --bytes a connection ends when they are through, else when the load is told to open no more:
 * the callbacks of a busy connection come often enough to see that there. Our FIN tells the other
 * end; what it still has queued is taken.
 */
#include "../stream.h"

#include "load.h"

#include <errno.h>
#include <stdlib.h>

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    app_load_time(sh, c, APP_METRIC_CONNECT);
    if (!app_stream_open(p->state, sh, c))
        app_load_fail(sh, c, APP_FAIL_NO_STATE);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    if (app_load_is_ending(p))
        app_stream_end(sh, c);
    else
        app_stream_send(p->state, sh, c);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    if (!app_stream_take(p->state, sh, c, m))
        app_load_fail(sh, c, APP_FAIL_STREAM_CONTENT);
    else if (app_load_is_ending(p))
        app_stream_end(sh, c);
}

/* A sink that has closed its side still takes what we send; a source that ends early was not asked
 * to, unless we have ended ourselves. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    const struct app_stream *s = p->state;
    const struct app_stream_conn *sc = tern_conn_user(c);
    const bool expects = s->cfg->direction != APP_STREAM_UP;
    if (expects && !sc->has_ended && !app_stream_has_all(s, c))
        app_load_fail(sh, c, APP_FAIL_STREAM_LENGTH);
    else if (!s->sends)
        app_stream_end(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    app_load_closed(sh, c, why);
    app_stream_closed(p->state, c, why);
}

static const struct tern_app stream_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static int start(struct tern_shard *sh, struct app_load_part *p)
{
    struct app_stream *s = malloc(sizeof *s);
    if (s == NULL)
        return -ENOMEM;
    p->state = s;
    const int rc = app_stream_init(s, sh, &p->cfg->stream, APP_STREAM_CLIENT, &p->counts.stream);
    if (rc != 0)
        free(s);
    return rc;
}

static void stop(struct app_load_part *p)
{
    app_stream_fini(p->state);
    free(p->state);
}

const struct app_scenario app_scenario_stream = {
    .name = "stream",
    .serves = "stream",
    .app = &stream_app,
    .start = start,
    .stop = stop,
};
