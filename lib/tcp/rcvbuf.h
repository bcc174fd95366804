/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The receive buffer of a connection: how large it is, the window it makes, and how it grows to
 * what the path and the application make of it (dynamic right-sizing).
 */
#include "tcp.h"
#include "wire/hint.h"

#include <rte_common.h>

/** What the connection may hold and offer, bytes: rcv_buf_bytes doubled as often as it was earned.
 */
static inline uint32_t tern_conn_rcv_buf(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint64_t grown = (uint64_t)t->cfg.rcv_buf_bytes << tern_conn_rcv_doublings(c);
    return (uint32_t)RTE_MIN(grown, (uint64_t)t->cfg.rcv_buf_max_bytes);
}

/** The widest window there can be: the buffer, or what the field can say. */
static inline uint32_t tern_conn_window_max(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (likely(tern_conn_rcv_doublings(c) == 0))
        return t->rcv_most_bytes[(c->flags & TERN_CF_WSCALE) != 0];
    return RTE_MIN(tern_conn_rcv_buf(t, c), 0xffffu << tern_conn_rcv_wscale(t, c));
}

/** Receiver's silly window avoidance: open by a segment or half a buffer, or not at all
 * (RFC 9293 §3.8.6.2.2 MUST-39). */
static inline uint32_t tern_window_without_silliness(
    const struct tern_conn *c, uint32_t promised, uint32_t free_bytes, uint32_t most)
{
    const uint32_t step = RTE_MIN(most / 2, (uint32_t)c->mss_bytes);
    return free_bytes >= promised + step ? free_bytes : promised; /* SHLD-14 */
}

/** As the field can say it. @param up  less than a unit of it, to round up */
static inline uint32_t tern_window_in_units(uint32_t wnd, uint8_t shift, uint32_t up)
{
    return RTE_MIN((wnd + up) >> shift, 0xffffu) << shift;
}

/** tern_conn_window() whatever the buffer is like. */
uint32_t tern_conn_window_in_use(const struct tern_tcp *t, const struct tern_conn *c);

/** The window the next segment will advertise, bytes; a multiple of the scale. */
static inline uint32_t tern_conn_window(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (unlikely(c->unread_bytes != 0 || tern_conn_rcv_doublings(c) != 0))
        return tern_conn_window_in_use(t, c);
    /* All of a buffer that has not grown: nothing promised is beyond it. */
    const uint32_t promised = tern_seq_span(c->rcv.nxt, c->rcv.adv);
    const uint32_t most = tern_conn_window_max(t, c);
    const uint8_t shift = tern_conn_rcv_wscale(t, c);
    return tern_window_in_units(
        tern_window_without_silliness(c, promised, most, most), shift, (1u << shift) - 1);
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
