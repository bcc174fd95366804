/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Echo (RFC 862), without copying: the mbufs that arrive are the mbufs that leave. What the send
 * queue does not take waits in a queue of the connection, and its window is not returned before it
 * is taken, so a peer that sends without reading stops itself at its receive window.
 *
 * A connection has state only while something waits; an echo that keeps up costs none. The peer's
 * FIN is answered with ours once everything before it has been sent back.
 */
#include "../pool.h"
#include "../segq.h"
#include "service.h"

#include <stdbool.h>

struct echo_worker {
    struct app_instance instance;
    struct app_pool conns;
};

struct echo_conn {
    uintptr_t instance; /**< see service.h */
    struct app_segq held;
    bool peer_closed;
};

/* @return NULL without memory */
static struct echo_conn *hold(struct tern_conn *c)
{
    struct echo_worker *w = app_conn_instance(c);
    struct echo_conn *e = app_pool_get(&w->conns);
    if (e == NULL)
        return NULL;
    e->instance = app_instance_word(&w->instance);
    tern_conn_set_user(c, e);
    return e;
}

static void release(struct tern_conn *c, struct echo_conn *e)
{
    struct echo_worker *w = app_conn_instance(c);
    tern_conn_set_user(c, app_instance_user(&w->instance));
    app_pool_put(&w->conns, e);
}

/* Hand over one chain, and return its window if it was taken. */
static bool send_back(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const uint32_t len = m->pkt_len;
    if (tern_send_mbufs(sh, c, &m, 1) == 0)
        return false;
    tern_consume(sh, c, len);
    return true;
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct echo_conn *e = app_conn_state(c);
    if (e == NULL && send_back(sh, c, m))
        return;
    if (e == NULL)
        e = hold(c);
    if (e != NULL) {
        app_segq_push(&e->held, m);
        return;
    }
    rte_pktmbuf_free(m);
    tern_abort(sh, c);
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct echo_conn *e = app_conn_state(c);
    if (e == NULL)
        return;
    for (struct rte_mbuf *seg; (seg = app_segq_pop(&e->held)) != NULL;)
        if (seg->data_len == 0) {
            rte_pktmbuf_free_seg(seg);
        } else if (!send_back(sh, c, seg)) {
            app_segq_unpop(&e->held, seg);
            return;
        }
    if (e->peer_closed)
        tern_shutdown(sh, c);
    release(c, e);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    struct echo_conn *e = app_conn_state(c);
    if (e == NULL)
        tern_shutdown(sh, c);
    else
        e->peer_closed = true;
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh, (void)why;
    struct echo_conn *e = app_conn_state(c);
    if (e == NULL)
        return;
    app_segq_clear(&e->held);
    release(c, e);
}

static const struct tern_app echo_app = {
    .on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static int start(struct tern_shard *sh, struct app_instance *i)
{
    (void)sh;
    app_pool_init(&((struct echo_worker *)(void *)i)->conns, sizeof(struct echo_conn));
    return 0;
}

static void stop(struct app_instance *i)
{
    app_pool_fini(&((struct echo_worker *)(void *)i)->conns);
}

const struct app_service app_service_echo = {.name = "echo",
    .port = 7,
    .app = &echo_app,
    .instance_bytes = sizeof(struct echo_worker),
    .start = start,
    .stop = stop};
