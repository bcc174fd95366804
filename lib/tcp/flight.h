/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What nearly every response is: bytes that fit one segment, queued on a plain connection while
 * nothing else is queued or in flight, sent at once, acknowledged as a whole. One line says all of
 * it: where the bytes are, and when they left. It lies where the connection's tern_txq would, named
 * by tern_conn.txq with TERN_FLIGHT_BIT, and holds no buffer for a static body, no tern_sent, no
 * scoreboard.
 *
 *   tern_flight_start_*()   the application queues it
 *   tern_flight_send()      it leaves, with FIN where that is queued, too
 *   tern_flight_acked()     the ACK of all of it: gone
 *   tern_flight_unfold()    anything else: it becomes the tern_txq and the tern_sent it stands for
 *
 * General code knows only tern_txq, so whoever may meet a flight unfolds it first; what leaves is
 * the same either way, byte for byte. While there is a flight the connection has no tern_cong and
 * the peer's window is open.
 */
#include "tcp.h"

#include <assert.h>

enum {
    TERN_FLIGHT_STATIC = 1u << 0,    /* the bytes are a static body's */
    TERN_FLIGHT_SENT = 1u << 1,      /* all of it, once; else not yet */
    TERN_FLIGHT_PTO = 1u << 2,       /* as TERN_TXQ_PTO */
    TERN_FLIGHT_TAIL_OURS = 1u << 3, /* as TERN_TXQ_TAIL_OURS */
};

enum { TERN_FLIGHT_BYTES_MAX = 16384 /* in one mbuf, whatever it refers to */ };

struct __attribute__((may_alias)) tern_flight { /* its memory has been a tern_txq */
    union {
        struct rte_mbuf *m;       /* a single one, all of it */
        struct tern_static *body; /* from off_bytes on */
    };
    size_t off_bytes;
    uint32_t len_bytes;     /* payload: snd.nxt - snd.una once sent, less the FIN */
    uint32_t sent_us;       /* as in tern_sent */
    uint32_t rto_at;        /* as in tern_txq */
    uint32_t max_wnd_bytes; /* as in tern_txq */
    uint16_t seg_bytes;     /* as in tern_sent */
    uint8_t flags;          /* TERN_FLIGHT_* */
};
static_assert(sizeof(struct tern_flight) <= 64, "one line a flight");
static_assert(sizeof(struct tern_flight) <= sizeof(struct tern_txq), "it lies in a tern_txq");

/** The connection's flight; it has one. */
static inline struct tern_flight *tern_conn_flight(
    const struct tern_tcp *t, const struct tern_conn *c)
{
    assert(tern_conn_has_flight(c));
    return (struct tern_flight *)(void *)&t->txqs[c->txq & ~(uint32_t)TERN_FLIGHT_BIT];
}

/** A plain connection on which `n_bytes` would be all there is, and one segment. */
static inline bool tern_flight_may_start(
    const struct tern_tcp *t, const struct tern_conn *c, size_t n_bytes)
{
    const bool plain = t->fast_path && (c->txq | c->cong | c->rare) == 0
                       && (c->slow & ~TERN_SLOW_NOTES) == 0 && !(c->flags & TERN_CF_FIN_QUEUED);
    return plain
           && n_bytes - 1 < RTE_MIN(tern_conn_payload_max(t, c), (uint32_t)TERN_FLIGHT_BYTES_MAX)
           && n_bytes <= t->cfg.snd_buf_bytes;
}

/** Queue [off, off + n) of a static body. @return false: no record to be had */
bool tern_flight_start_static(struct tern_tcp *t, struct tern_conn *c, struct tern_static *body,
    size_t off_bytes, uint32_t n_bytes);

/** Queue a single mbuf, taking it over. @param ours  the room behind its bytes is ours to fill
 * @return false: no record to be had, and the mbuf remains the caller's */
bool tern_flight_start_mbuf(struct tern_tcp *t, struct tern_conn *c, struct rte_mbuf *m, bool ours);

/** Does an acceptable segment say of the flight only that it arrived, or nothing? */
static inline bool tern_flight_takes(const struct tern_conn *c, const struct tern_seg *seg)
{
    const bool all = seg->p.ack.v == c->snd.nxt.v;
    const bool news = seg->p.len_bytes > 0 || (seg->p.flags & TERN_TCP_FIN);
    const bool none = seg->p.ack.v == c->snd.una.v && news;
    return (all || none) && seg->p.wnd != 0 && !(seg->opts.has & TERN_HAS_SACK);
}

/** All of it has arrived. Leaves the connection without; SND.UNA is the caller's to move. */
void tern_flight_acked(struct tern_tcp *t, struct tern_conn *c);

/** Make it a send queue. @return false: no mbuf to be had (counted), and nothing has changed */
bool tern_flight_unfold(struct tern_tcp *t, struct tern_conn *c);

/** The same where there may be none. @return false: there is one, and it stays */
static inline bool tern_conn_unfold(struct tern_tcp *t, struct tern_conn *c)
{
    return likely(!tern_conn_has_flight(c)) || tern_flight_unfold(t, c);
}

/** The connection ends, and what it sends with it. */
void tern_flight_drop(struct tern_tcp *t, struct tern_conn *c);

/** A buffer with its payload, headroom in front. NULL: no mbuf, or not in one piece (no chains). */
struct rte_mbuf *tern_flight_payload(struct tern_tcp *t, const struct tern_flight *f);

/** Assert what can be: for tests. */
void tern_flight_check(const struct tern_tcp *t, const struct tern_conn *c);

/** What is queued or unacknowledged, bytes; and of these never sent. */
struct tern_queued {
    uint32_t n_bytes, unsent_bytes;
};
static inline struct tern_queued tern_conn_queued(
    const struct tern_tcp *t, const struct tern_conn *c)
{
    if (tern_conn_has_flight(c)) {
        const struct tern_flight *f = tern_conn_flight(t, c);
        return (struct tern_queued){f->len_bytes, f->flags & TERN_FLIGHT_SENT ? 0 : f->len_bytes};
    }
    const struct tern_txq *q = tern_conn_txq(t, c);
    return q != NULL ? (struct tern_queued){q->n_bytes, q->unsent_bytes} : (struct tern_queued){0};
}
