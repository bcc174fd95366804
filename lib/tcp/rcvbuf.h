/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The receive buffer of a connection: how large it is, and how it grows to what the path and the
 * application make of it (dynamic right-sizing).
 */
#include "tcp.h"

#include <rte_common.h>

/** What the connection may hold and offer, bytes: rcv_buf_bytes doubled as often as it was earned.
 */
static inline uint32_t tern_conn_rcv_buf(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint64_t grown = (uint64_t)t->cfg.rcv_buf_bytes << tern_conn_rcv_doublings(c);
    return (uint32_t)RTE_MIN(grown, (uint64_t)t->cfg.rcv_buf_max_bytes);
}

/** The rest of tern_rcvbuf_arrived(). */
void tern_rcvbuf_measure(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg);

/** Payload at RCV.NXT has come and is about to be delivered. */
static inline void tern_rcvbuf_arrived(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    if (!(c->slow & TERN_QUICK_START) && tern_conn_rcv_buf(t, c) < t->cfg.rcv_buf_max_bytes)
        tern_rcvbuf_measure(t, c, seg);
}

/** The connection is over: what it had been granted goes to others. */
void tern_rcvbuf_release(struct tern_tcp *t, const struct tern_conn *c);
