/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Character generator (RFC 864): lines of 72 printable characters, each line starting one character
 * later, for as long as the peer takes them. The pattern repeats after 95 lines; a worker keeps
 * some periods of it in one static body that all its connections send from, so nothing is ever
 * copied. All a connection has to remember is how far into the body it is.
 */
#include "../pool.h"
#include "service.h"

#include <errno.h>
#include <stdlib.h>

enum {
    PRINTABLE = 95, /**< ' '..'~' */
    LINE_CHARS = 72,
    LINE_BYTES = LINE_CHARS + 2,
    PERIOD_BYTES = PRINTABLE * LINE_BYTES,
    BODY_BYTES = 8 * PERIOD_BYTES,
};

struct chargen_worker {
    struct app_instance instance;
    struct tern_static *body;
    struct app_pool conns;
};

struct chargen_conn {
    uintptr_t instance; /**< see service.h */
    size_t at;          /**< in the body */
};

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    const struct chargen_worker *w = app_conn_instance(c);
    struct chargen_conn *g = app_conn_state(c);
    size_t sent;
    do {
        sent = tern_send_static(sh, c, w->body, g->at, BODY_BYTES - g->at);
        g->at = (g->at + sent) % BODY_BYTES;
    } while (sent > 0);
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    struct chargen_worker *w = app_conn_instance(c);
    struct chargen_conn *g = app_pool_get(&w->conns);
    if (g == NULL) {
        tern_abort(sh, c);
        return;
    }
    g->instance = app_instance_word(&w->instance);
    tern_conn_set_user(c, g);
    on_sendable(sh, c);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh, (void)why;
    struct chargen_worker *w = app_conn_instance(c);
    struct chargen_conn *g = app_conn_state(c);
    if (g != NULL)
        app_pool_put(&w->conns, g);
}

static const struct tern_app chargen_app = {
    .on_open = on_open,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static void fill(char *out)
{
    for (int line = 0; line < BODY_BYTES / LINE_BYTES; line++) {
        for (int i = 0; i < LINE_CHARS; i++)
            *out++ = (char)(' ' + (line + i) % PRINTABLE);
        *out++ = '\r';
        *out++ = '\n';
    }
}

static int start(struct tern_shard *sh, struct app_instance *i)
{
    struct chargen_worker *w = (struct chargen_worker *)(void *)i;
    app_pool_init(&w->conns, sizeof(struct chargen_conn));
    char *text = malloc(BODY_BYTES);
    if (text == NULL)
        return -ENOMEM;
    fill(text);
    w->body = tern_static_new(sh, text, BODY_BYTES);
    free(text);
    return w->body == NULL ? -ENOMEM : 0;
}

static void stop(struct app_instance *i)
{
    struct chargen_worker *w = (struct chargen_worker *)(void *)i;
    tern_static_free(w->body);
    app_pool_fini(&w->conns);
}

const struct app_service app_service_chargen = {.name = "chargen",
    .port = 19,
    .app = &chargen_app,
    .instance_bytes = sizeof(struct chargen_worker),
    .start = start,
    .stop = stop};
