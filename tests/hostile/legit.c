/* SPDX-License-Identifier: BSD-3-Clause */
#include "legit.h"

#include <rte_mbuf.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_BYTES = 65536, OPENING_MS = 50, FINISHING_MS = 3000, NS_PER_MS = 1000000 };

static const uint8_t request[LEGIT_REQUEST_BYTES], response[LEGIT_RESPONSE_BYTES],
    body_bytes[BODY_BYTES];

static uint32_t take(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const uint32_t n = m->pkt_len;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, n);
    return n;
}

/* ---- the server ---- */

static void server_on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    if (take(sh, c, m) == LEGIT_REQUEST_BYTES) /* the path neither splits nor joins a request */
        (void)tern_send_bytes(sh, c, response, sizeof response);
}

static void server_on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static void server_stream(struct tern_shard *sh, struct tern_conn *c)
{
    const struct legit *l = tern_conn_user(c);
    while (tern_send_static(sh, c, l->body, 0, BODY_BYTES) > 0)
        ;
}

static const struct tern_app server_app = {
    .on_data = server_on_data, .on_peer_closed = server_on_peer_closed};
static const struct tern_app server_stream_app = {.on_open = server_stream,
    .on_sendable = server_stream,
    .on_peer_closed = server_on_peer_closed};

/* ---- the clients: the user data of a connection is its visit ---- */

static void visit_on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct visit *v = tern_conn_user(c);
    v->open_ns = v->of->w->now_ns;
    (void)tern_send_bytes(sh, c, request, sizeof request);
}

static void visit_on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct visit *v = tern_conn_user(c);
    v->got_bytes += take(sh, c, m);
    v->done = v->got_bytes == LEGIT_RESPONSE_BYTES;
    if (v->done) {
        v->done_ns = v->of->w->now_ns;
        tern_close(sh, c);
    }
}

static void visit_on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static const struct tern_app visit_app = {
    .on_open = visit_on_open, .on_data = visit_on_data, .on_peer_closed = visit_on_peer_closed};

static void stream_on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct legit *l = tern_conn_user(c);
    const uint32_t n = take(sh, c, m);
    l->streamed_bytes += n;
    for (int i = 0; i < LEGIT_STREAMS; i++)
        l->stream_bytes[i] += l->streams[i] == c ? n : 0;
}

static void stream_on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    (void)why;
    struct legit *l = tern_conn_user(c);
    for (int i = 0; i < LEGIT_STREAMS; i++) {
        if (l->streams[i] == c) {
            l->streams[i] = NULL;
            l->streams_lost++;
        }
    }
}

static const struct tern_app stream_app = {
    .on_data = stream_on_data, .on_closed = stream_on_closed};

/* ---- the whole ---- */

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "hostile: the legitimate load could not %s\n", what);
    exit(EXIT_FAILURE);
}

struct tern_conn *legit_connect(
    struct legit *l, uint16_t port, const struct tern_app *app, void *user)
{
    struct tern_conn *c = NULL;
    const struct tern_connect_opts opts = {
        .remote = world_addr(l->w, SERVER), .rport = port, .app = app, .user = user};
    return tern_connect(world_shard(l->w, CLIENTS), &opts, &c) == 0 ? c : NULL;
}

/** One after the other: the first has to ask for the server's link address. */
static void open_stream(struct legit *l, int i)
{
    struct tern_conn_info *info = &l->stream[i];
    l->streams[i] = legit_connect(l, LEGIT_STREAM_PORT, &stream_app, l);
    world_pass(l->w, (uint64_t)OPENING_MS * NS_PER_MS);
    must(l->streams[i] != NULL, "open its streams");
    tern_conn_describe(world_shard(l->w, CLIENTS), l->streams[i], info);
    must(info->state == TERN_ESTABLISHED, "open its streams");
}

void legit_open(struct legit *l, struct world *w, uint32_t rate_per_s, uint32_t n_max)
{
    struct tern_shard *server = world_shard(w, SERVER);
    *l = (struct legit){.w = w, .rate_per_s = rate_per_s, .n_max = n_max};
    l->visits = calloc(n_max, sizeof *l->visits);
    l->body = tern_static_new(server, body_bytes, BODY_BYTES);
    must(l->visits != NULL && l->body != NULL, "be made: no memory");
    must(tern_listen(server, NULL, LEGIT_PORT, &server_app, l) >= 0, "listen");
    must(tern_listen(server, NULL, LEGIT_STREAM_PORT, &server_stream_app, l) >= 0, "listen");
    for (int i = 0; i < LEGIT_STREAMS; i++)
        open_stream(l, i);
    l->streamed_bytes = 0;
    l->started_ns = w->now_ns;
}

void legit_close(struct legit *l)
{
    tern_static_free(l->body);
    free(l->visits);
}

void legit_begin_visits(struct legit *l)
{
    const uint64_t passed_ns = l->w->now_ns - l->started_ns;
    const uint64_t due = RTE_MIN(passed_ns * l->rate_per_s / WORLD_SECOND_NS, l->n_max);
    while (l->n < due) {
        struct visit *v = &l->visits[l->n++];
        *v = (struct visit){.of = l, .begun_ns = l->w->now_ns};
        (void)legit_connect(l, LEGIT_PORT, &visit_app, v); /* refused: a visit that is never done */
    }
}

void legit_finish(struct legit *l)
{
    for (int i = 0; i < LEGIT_STREAMS; i++) {
        struct tern_conn *c = l->streams[i];
        l->streams[i] = NULL; /* an end that is wanted is no loss */
        if (c != NULL)
            tern_abort(world_shard(l->w, CLIENTS), c);
    }
    world_pass(l->w, (uint64_t)FINISHING_MS * NS_PER_MS);
}

double legit_success_percent(const struct legit *l)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < l->n; i++)
        done += l->visits[i].done;
    return l->n > 0 ? 100.0 * done / l->n : 0;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

double legit_connect_p99_ms(const struct legit *l)
{
    uint64_t *took_ns = calloc(l->n + 1, sizeof *took_ns);
    must(took_ns != NULL, "be measured: no memory");
    for (uint32_t i = 0; i < l->n; i++) {
        const struct visit *v = &l->visits[i];
        took_ns[i] = v->open_ns != 0 ? v->open_ns - v->begun_ns : UINT64_MAX;
    }
    qsort(took_ns, l->n, sizeof *took_ns, by_size);
    const uint64_t p99_ns = took_ns[(uint64_t)l->n * 99 / 100];
    free(took_ns);
    return p99_ns == UINT64_MAX ? INFINITY : (double)p99_ns / NS_PER_MS;
}
