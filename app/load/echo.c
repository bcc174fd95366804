/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Send a pattern, expect the same bytes back, close. The pattern is one static body that all
 * connections of the worker send from, over and over, and compare against; a connection keeps two
 * counts of bytes. Its period is a prime far beyond any packet's length, so an echo that is
 * shifted, repeated or has lost a segment does not match.
 */
#include "load.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD_BYTES = 262139 };

struct echo_conn {
    uint32_t sent, received;
};

struct echo_worker {
    struct tern_static *body;
    uint8_t bytes[PERIOD_BYTES]; /**< the same, to compare with */
};

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_worker *w = tern_shard_user(sh);
    const struct echo_worker *echo = w->scenario;
    struct echo_conn *e = tern_conn_user(c);
    uint32_t taken = 1;
    while (taken > 0 && e->sent < w->load->cfg.echo_bytes) {
        const uint32_t at = e->sent % PERIOD_BYTES;
        const uint32_t wanted = lesser(PERIOD_BYTES - at, w->load->cfg.echo_bytes - e->sent);
        taken = (uint32_t)tern_send_static(sh, c, echo->body, at, wanted);
        e->sent += taken;
    }
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

/* [n] bytes are the pattern from `at` on. */
static bool is_pattern(
    const struct echo_worker *echo, uint32_t at, const uint8_t *bytes, uint32_t n)
{
    while (n > 0) {
        const uint32_t from = at % PERIOD_BYTES;
        const uint32_t run = lesser(n, PERIOD_BYTES - from);
        if (memcmp(bytes, echo->bytes + from, run) != 0)
            return false;
        bytes += run;
        at += run;
        n -= run;
    }
    return true;
}

/* The chain is what was sent, from e->received on, and not more than was sent. */
static bool matches(
    const struct echo_worker *echo, const struct echo_conn *e, const struct rte_mbuf *m)
{
    uint32_t at = e->received;
    if (m->pkt_len > e->sent - at)
        return false;
    for (; m != NULL; at += m->data_len, m = m->next)
        if (!is_pattern(echo, at, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len))
            return false;
    return true;
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

static void fill(uint8_t out[PERIOD_BYTES])
{
    uint32_t x = UINT32_C(2463534242); /* xorshift32, Marsaglia 2003 */
    for (int i = 0; i < PERIOD_BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        out[i] = (uint8_t)x;
    }
}

static int start(struct tern_shard *sh, struct app_load_worker *w)
{
    struct echo_worker *echo = malloc(sizeof *echo);
    if (echo == NULL)
        return -ENOMEM;
    fill(echo->bytes);
    echo->body = tern_static_new(sh, echo->bytes, PERIOD_BYTES);
    w->scenario = echo;
    if (echo->body != NULL)
        return 0;
    free(echo);
    return -ENOMEM;
}

static void stop(struct app_load_worker *w)
{
    struct echo_worker *echo = w->scenario;
    tern_static_free(echo->body);
    free(echo);
}

const struct app_scenario app_scenario_echo = {
    .name = "echo",
    .serves = "echo",
    .app = &echo_app,
    .conn_bytes = sizeof(struct echo_conn),
    .start = start,
    .stop = stop,
};
