/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of a bulk transfer: a sink (up), a source (down), or both at once. Unlike discard
 * and chargen it keeps books, can compare what comes with the pattern, and sends a pattern that can
 * be compared.
 */
#include "../stream.h"

#include "service.h"

/* The word in a connection's user pointer has the place of the stamp that it has at a client. */
struct stream_worker {
    struct app_instance instance;
    struct app_stream stream;
};

static struct app_stream *stream_of(const struct tern_conn *c)
{
    struct stream_worker *w = app_conn_instance(c);
    return &w->stream;
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    if (!app_stream_open(stream_of(c), sh, c))
        tern_abort(sh, c);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    app_stream_send(stream_of(c), sh, c);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    if (!app_stream_take(stream_of(c), sh, c, m))
        tern_abort(sh, c);
}

/* The client has sent all: then ours goes on to its own end. Or it ends the run: then so do we. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_stream *s = stream_of(c);
    const bool goes_on =
        s->cfg->direction == APP_STREAM_BOTH && s->cfg->bytes != 0 && app_stream_has_all(s, c);
    if (!goes_on)
        app_stream_end(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    app_stream_closed(stream_of(c), c, why);
}

static const struct tern_app stream_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static int start(struct tern_shard *sh, struct app_instance *i)
{
    struct stream_worker *w = (struct stream_worker *)(void *)i;
    return app_stream_init(&w->stream, sh, &i->cfg->stream, APP_STREAM_SERVER, &i->books->stream);
}

static void stop(struct app_instance *i)
{
    struct stream_worker *w = (struct stream_worker *)(void *)i;
    if (w->stream.pattern != NULL) /* else it has not begun */
        app_stream_fini(&w->stream);
}

const struct app_service app_service_stream = {.name = "stream",
    .port = 5001,
    .app = &stream_app,
    .instance_bytes = sizeof(struct stream_worker),
    .start = start,
    .stop = stop};
