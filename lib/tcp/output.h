/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What output.c (segments that may be anything) and plain.c (segments that differ in next to
 * nothing) share: how much may leave, whether it is worth it, and what is noted when it has.
 */
#include "cc.h"
#include "flight.h"
#include "sent.h"

/** The list of frames to send has room for payload. */
static inline bool tern_output_has_room(const struct tern_tcp *t)
{
    return t->n_tx < TERN_TX_BURST - TERN_TX_RESERVED;
}

/** Bytes that may be in the network beside those that are (RFC 6675 §5) (6675-3). */
static inline uint32_t tern_output_cwnd_room(const struct tern_conn *c, const struct tern_txq *q)
{
    const uint32_t pipe = tern_sent_pipe(c, q);
    return c->cwnd_bytes > pipe ? c->cwnd_bytes - pipe : 0;
}

/** Bytes of the peer's window at `seq` and beyond; 0 where it was taken back (MUST-34, SHLD-15). */
static inline uint32_t tern_output_window_room(const struct tern_conn *c, struct tern_seq seq)
{
    const uint32_t used = tern_seq_span(c->snd.una, seq);
    return c->snd.wnd_bytes > used ? c->snd.wnd_bytes - used : 0;
}

/**
 * May a segment of `len` bytes leave, or does waiting make a better one? RFC 9293 §3.8.6.2.1
 * (MUST-38) and Nagle §3.7.4 (SHLD-7).
 * @param idle  nothing is in flight
 */
static inline bool tern_output_is_worth(const struct tern_conn *c, const struct tern_txq *q,
    uint32_t len, uint32_t payload_max, bool idle)
{
    if (len >= payload_max) /* SHLD-28 */
        return true;
    if (len == q->unsent_bytes) /* the last: an ACK lets it go, at the latest (MUST-60) */
        return idle || (c->flags & (TERN_CF_NODELAY | TERN_CF_FIN_QUEUED)); /* MUST-17 */
    /* The window cuts it short: only a good part of the largest window is worth it. */
    return len >= RTE_MAX(q->max_wnd_bytes, c->snd.wnd_bytes) / 2;
}

static inline void tern_output_arm(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (!(c->flags & TERN_CF_RTX))
        tern_conn_arm_rtx(t, c); /* RFC 6298 §5.1 */
    else if (!(q->flags & TERN_TXQ_REO))
        tern_conn_arm_probe(t, c, q); /* RFC 8985 §7.2 */
}

/** What leaves acknowledges RCV.NXT and states this window. */
static inline void tern_output_acknowledges(struct tern_conn *c, uint32_t wnd_bytes)
{
    const struct tern_seq edge = tern_seq_add(c->rcv.nxt, wnd_bytes);
    if (tern_seq_before(c->rcv.adv, edge))
        c->rcv.adv = edge;
    c->last_ack_sent = c->rcv.nxt;
    c->flags &= (uint16_t) ~(TERN_CF_ACK_LATER | TERN_CF_ACK_NOW);
}

/** After a pause the network is not what it was (RFC 5681 §4.1) (5681-8). */
static inline void tern_output_note_pause(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->snd.una.v != c->snd.nxt.v || (c->flags & TERN_CF_RTX))
        return;
    const uint32_t pause = t->now_tick - c->rtx_at;
    if (likely(pause <= t->pause_ticks))
        return;
    if (pause > tern_ticks_from_ms(tern_conn_rto_ms(t, c)))
        tern_cc_restart(t, c);
}

/* ---- plain.c ---- */

/** Send new payload as far as windows and sense allow, in plain segments. */
void tern_output_run(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t payload_max);

/** May all of a flight leave in one segment, and would it be one? */
static inline bool tern_output_flight_fits(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_flight *f, uint32_t payload_max)
{
    return f->len_bytes <= RTE_MIN(payload_max, c->snd.wnd_bytes) && c->cwnd_bytes >= payload_max
           && f->len_bytes <= t->flight_bytes_max;
}

/** Send it, and FIN with it where that is queued. Where no mbuf is to be had, the timer sees to it.
 */
void tern_output_flight(struct tern_tcp *t, struct tern_conn *c, uint32_t payload_max);

/** A plain ACK without payload. @return false: no buffer */
bool tern_output_ack(struct tern_tcp *t, struct tern_conn *c);
/** The same in the buffer of the segment that it answers. @return false: that one will not do */
bool tern_output_ack_in(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg);
