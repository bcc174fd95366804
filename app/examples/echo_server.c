/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An echo server on libtern, outside of its tree:
 *
 *     cc echo_server.c $(pkg-config --cflags --libs tern) -o echo_server
 *     ./echo_server tap:tern0 198.18.0.1/15 7
 *
 * It copies nothing: the mbufs that arrive are sent back. What the send queue does not take waits
 * in the connection's user pointer, its window unreturned, so that a peer that does not read is
 * stopped.
 */
#include <tern/tern.h>

#include <rte_mbuf.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct tern_engine *engine;

/* Send back what waits; the user pointer keeps what is not taken. */
static void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    struct rte_mbuf *held = tern_conn_user(c);
    const uint32_t n_bytes = held != NULL ? held->pkt_len : 0;
    if (held == NULL || tern_send_mbufs(sh, c, &held, 1) == 0)
        return;
    tern_conn_set_user(c, NULL);
    tern_consume(sh, c, n_bytes);
    struct tern_conn_info info;
    tern_conn_describe(sh, c, &info);
    if (info.state == TERN_CLOSE_WAIT)
        tern_shutdown(sh, c);
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct rte_mbuf *held = tern_conn_user(c);
    if (held == NULL)
        tern_conn_set_user(c, m);
    else if (rte_pktmbuf_chain(held, m) != 0) {
        rte_pktmbuf_free(m);
        tern_abort(sh, c);
    }
    if (held == NULL)
        on_sendable(sh, c);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    if (tern_conn_user(c) == NULL)
        tern_shutdown(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh, (void)why;
    rte_pktmbuf_free(tern_conn_user(c));
}

static const struct tern_app echo = {.on_data = on_data,
    .on_sendable = on_sendable,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed};

/* On each worker, before its first packet. */
static int start(struct tern_shard *sh, void *port)
{
    const int listener = tern_listen(sh, NULL, *(const uint16_t *)port, &echo, NULL);
    return listener < 0 ? listener : 0;
}

static void on_signal(int number)
{
    (void)number;
    tern_engine_stop(engine);
}

int main(int argc, char **argv)
{
    struct tern_config cfg;
    struct tern_error err;
    tern_config_init(&cfg);
    struct tern_endpoint_config *ep = &cfg.endpoints[0];
    uint16_t port = argc == 4 ? (uint16_t)atoi(argv[3]) : 0;
    if (port == 0 || tern_prefix_parse(argv[2], &ep->stack.addrs[0]) != 0) {
        fprintf(stderr, "usage: echo_server DEVICE ADDRESS/LENGTH PORT\n");
        return EXIT_FAILURE;
    }
    ep->device = argv[1];
    ep->stack.n_addrs = 1;
    ep->app = (struct tern_worker_app){.start = start, .ctx = &port};
    if (tern_engine_open(&cfg, &engine, &err) != 0 || tern_engine_start(engine, &err) != 0) {
        fprintf(stderr, "echo_server: %s\n", err.text);
        return EXIT_FAILURE;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    while (!tern_engine_wait(engine, 1000))
        ;
    tern_engine_close(engine, NULL);
    return EXIT_SUCCESS;
}
