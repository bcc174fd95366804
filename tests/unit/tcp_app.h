/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An application of tern/conn.h that notes what it is told, a letter a callback, and does in one of
 * them what the test wants, on an instance against a scripted peer.
 */
#include "tcp_peer.h"

#include <rte_mbuf.h>

/** What happened, a letter each: open, data, peer closed, sendable, timer, closed. */
struct seen {
    char log[64];
    enum tern_close_reason why;
    struct tern_conn *c;
    char act_on;                                             /* in this callback … */
    void (*act)(struct tern_shard *sh, struct tern_conn *c); /* … do this, once */
    uint32_t n_bytes;
};

static struct seen seen;

static inline void note(struct tern_shard *sh, struct tern_conn *c, char what)
{
    const size_t n = strlen(seen.log);
    assert_true(n < sizeof seen.log - 1);
    seen.log[n] = what;
    seen.c = what == 'C' ? NULL : c;
    if (seen.act_on == what && seen.act != NULL) {
        seen.act_on = 0;
        seen.act(sh, c);
    }
}

static inline void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    note(sh, c, 'o');
}

static inline void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    const uint32_t n = m->pkt_len;
    seen.n_bytes += n;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, n);
    note(sh, c, 'd');
}

static inline void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    note(sh, c, 'p');
}

static inline void on_sendable(struct tern_shard *sh, struct tern_conn *c)
{
    note(sh, c, 's');
}

static inline void on_timer(struct tern_shard *sh, struct tern_conn *c)
{
    note(sh, c, 't');
}

static inline void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    seen.why = why;
    note(sh, c, 'C');
}

static const struct tern_app app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_peer_closed = on_peer_closed,
    .on_sendable = on_sendable,
    .on_timer = on_timer,
    .on_closed = on_closed,
};

static inline void listen_with_app(struct peer *p)
{
    seen = (struct seen){0};
    peer_open(p);
    assert_true(tern_listen(p->sh, NULL, TERN_PORT, &app, p) >= 0);
}

static inline void shake_hands(struct peer *p)
{
    inject_syn(p, SYN, 0);
    expect_segment(p, SYN | ACK, 0, 1, 0);
    inject(p, ACK, 1, 1, 0);
}

static inline void establish_app(struct peer *p)
{
    listen_with_app(p);
    shake_hands(p);
    expect_nothing(p);
    assert_string_equal(seen.log, "o");
}

static inline struct tern_conn *connect_app(struct peer *p)
{
    struct tern_conn *c;
    const struct tern_connect_opts opts = {
        .remote = p->them, .rport = p->port, .lport = TERN_PORT, .app = &app};
    peer_open(p);
    assert_int_equal(tern_connect(p->sh, &opts, &c), 0);
    return c;
}
