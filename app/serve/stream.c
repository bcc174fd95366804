/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of a bulk transfer: a sink (up), a source (down), or both at once. Unlike discard
 * and chargen it keeps books, can compare what comes with the pattern, and sends a pattern that can
 * be compared.
 */
#include "../stream.h"

#include "service.h"

#include <errno.h>
#include <stdlib.h>

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    if (!app_stream_open(tern_shard_user(sh), sh, c))
        tern_abort(sh, c);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    app_stream_send(tern_shard_user(sh), sh, c);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    if (!app_stream_take(tern_shard_user(sh), sh, c, m))
        tern_abort(sh, c);
}

/* The client has sent all: then ours goes on to its own end. Or it ends the run: then so do we. */
static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_stream *s = tern_shard_user(sh);
    const bool goes_on =
        s->cfg->direction == APP_STREAM_BOTH && s->cfg->bytes != 0 && app_stream_has_all(s, c);
    if (!goes_on)
        app_stream_end(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    app_stream_closed(tern_shard_user(sh), c, why);
}

static const struct tern_app stream_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static int start(struct tern_shard *sh, const struct app_service_config *cfg)
{
    struct app_stream *s = malloc(sizeof *s);
    if (s == NULL)
        return -ENOMEM;
    struct app_stream_books *books = &cfg->books[tern_shard_worker(sh)].stream;
    const int rc = app_stream_init(s, sh, &cfg->stream, APP_STREAM_SERVER, books);
    if (rc != 0)
        free(s);
    else
        tern_shard_set_user(sh, s);
    return rc;
}

static void stop(struct tern_shard *sh)
{
    struct app_stream *s = tern_shard_user(sh);
    app_stream_fini(s);
    free(s);
}

const struct app_service app_service_stream = {
    .name = "stream", .port = 5001, .app = &stream_app, .start = start, .stop = stop};
