/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * `tern serve` on a shard in virtual time, and a client on another: dial(), ask(), run_world(), and
 * what came is in `heard`. end_world() lets time pass until nothing is left, and looks for leaks.
 */
#include "serve/listen.h"
#include "server_new.h"
#include "tcp_pair.h"

#include <errno.h>
#include <stdlib.h>

enum { CLIENT, SERVER };
enum { HEARD_MAX = 1 << 20, RTT_MS = 10, SETTLE_MS = 200 * ONE_SECOND };
enum { SND_BUF_BYTES = 50000, RCV_BUF_BYTES = 20000 /* so that little goes out in one piece */ };

#define GET  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

struct world {
    struct pair pair;
    struct app_server *server;
    struct tern_worker_app app;
    struct tern_sock *client;
    char *heard; /* by the client, since the last ask() */
    size_t n_heard;
    uint64_t asked_ns, heard_ns; /* of the last byte */
    bool ended;
    uint32_t tick_ms;
};

static inline void begin_world(struct world *w, const char *const *listeners)
{
    struct tern_error err;
    *w = (struct world){.tick_ms = 1};
    w->server = server_new();
    w->heard = malloc(HEARD_MAX);
    assert_non_null(w->heard);
    for (; *listeners != NULL; listeners++)
        if (app_server_listen(w->server, *listeners, &err) != 0)
            fail_msg("%s", err.text);
    pair_init(&w->pair, false);
    for (int i = CLIENT; i <= SERVER; i++)
        w->pair.cfg[i].stack.nodelay = true;
    w->pair.cfg[SERVER].stack.snd_buf_bytes = SND_BUF_BYTES;
    w->pair.cfg[CLIENT].stack.rcv_buf_bytes = RCV_BUF_BYTES;
    w->pair.cfg[CLIENT].stack.rcv_buf_max_bytes = RCV_BUF_BYTES;
    pair_open(&w->pair);
    w->app = app_server_worker(w->server);
    assert_int_equal(w->app.start(tern_embed_shard(w->pair.end[SERVER]), w->app.ctx), 0);
}

static inline void begin_one(struct world *w, const char *listener)
{
    begin_world(w, (const char *const[]){listener, NULL});
}

static inline void hear(struct world *w)
{
    ssize_t n = 0;
    while (
        w->client != NULL
        && (n = tern_sock_recv(w->client, w->heard + w->n_heard, HEARD_MAX - 1 - w->n_heard)) > 0) {
        w->n_heard += (size_t)n;
        w->heard_ns = w->pair.now_ns;
    }
    w->ended |= w->client != NULL && n == 0;
    w->heard[w->n_heard] = '\0';
}

/* As an engine would: the worker's tick between the packets. */
static inline void run_world(struct world *w, uint64_t ms)
{
    struct tern_shard *sh = tern_embed_shard(w->pair.end[SERVER]);
    for (uint64_t i = 0; i < ms; i += w->tick_ms) {
        pair_run_ms(&w->pair, w->tick_ms);
        hear(w);
        tern_embed_advance(w->pair.end[SERVER], w->pair.now_ns);
        if (w->app.tick != NULL)
            w->app.tick(sh, w->app.ctx, w->pair.now_ns);
        tern_shard_settle(sh);
    }
}

static inline void dial(struct world *w, uint16_t port)
{
    if (w->client != NULL)
        tern_sock_close(w->client);
    w->n_heard = 0;
    w->ended = false;
    const union tern_addr *to = &w->pair.addr[SERVER];
    assert_int_equal(tern_sock_connect(w->pair.end[CLIENT], to, port, NULL, 0, &w->client), 0);
    run_world(w, 2 * RTT_MS);
}

static inline void ask(struct world *w, const char *text)
{
    w->asked_ns = w->pair.now_ns;
    assert_int_equal(tern_sock_send(w->client, text, strlen(text)), strlen(text));
    tern_embed_advance(w->pair.end[CLIENT], w->pair.now_ns);
}

/* Ask, and wait for the answer. */
static inline void ask_and_hear(struct world *w, const char *text, uint64_t ms)
{
    w->n_heard = 0;
    ask(w, text);
    run_world(w, ms);
}

static inline void end_world(struct world *w, struct app_service_books *books)
{
    if (w->client != NULL)
        tern_sock_close(w->client);
    w->client = NULL;
    w->tick_ms = 1000;
    run_world(w, SETTLE_MS);
    if (books != NULL)
        app_server_books(w->server, 0, books);
    w->app.stop(tern_embed_shard(w->pair.end[SERVER]), w->app.ctx);
    pair_close(&w->pair);
    app_server_fini(w->server);
    free(w->server);
    free(w->heard);
}

static inline uint32_t n_times(const char *text, const char *part)
{
    uint32_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

static inline uint64_t took_ms(const struct world *w)
{
    assert_int_equal((w->heard_ns - w->asked_ns) % 1000000, 0);
    return (w->heard_ns - w->asked_ns) / 1000000;
}
