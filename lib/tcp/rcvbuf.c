/* SPDX-License-Identifier: BSD-3-Clause */
#include "rcvbuf.h"

/*
 * A window of W bytes carries W a round trip at most, so the buffer must hold what arrives in one:
 * on a path of 10 Gb/s and 10 ms that is 12.5 MB, and for most connections next to nothing. Each
 * starts with rcv_buf_bytes. While it receives, round trips are measured one after the other; when
 * the application consumed more than half a buffer in one, the buffer doubles, so that it stays
 * ahead of a sender in slow start. An application that reads slowly consumes little, and its buffer
 * stays. It never becomes smaller, so the right edge has no cause to move left (SHLD-14).
 *
 * A round trip ends when a segment echoes a timestamp that we sent after it began (on a clock of
 * 1 ms: a shorter one is taken for up to 2 ms). Without timestamps it ends when data beyond the
 * edge offered at its beginning comes: no earlier than a round trip after, but perhaps many, so it
 * is cut to the handshake's round trip where that is known.
 *
 * What that costs: a nibble of the connection (the doublings), and a small table of the round trips
 * being measured, in which connections displace each other by index. So idle connections cost
 * nothing, and those that receive much are measured most.
 *
 * What is grown is taken from an allowance of the shard (rcv_grow_bytes) and returned at the end.
 * rcv_buf_bytes for each connection is a bet that few fill it at a time; buffers that did fill are
 * no bet, and together must not be more than the mbufs hold.
 */
enum {
    ROUND_STALE_MS = 1000, /* a round trip that did not end by then makes room for another */
    DOUBLINGS_MAX = 15,    /* what the nibble holds */
};

static struct tern_rcv_round *round_of(struct tern_tcp *t, const struct tern_conn *c)
{
    return &t->rcv_rounds[tern_conn_idx(t, c) % TERN_RCV_ROUNDS];
}

/** Up to here the application has consumed. */
static struct tern_seq consumed_to(const struct tern_conn *c)
{
    return (struct tern_seq){c->rcv.nxt.v - c->unread_bytes};
}

static void begin(const struct tern_tcp *t, const struct tern_conn *c, struct tern_rcv_round *r)
{
    *r = (struct tern_rcv_round){
        .conn = tern_conn_idx(t, c),
        .start_ms = t->now_ms,
        .consumed = consumed_to(c),
        .edge = c->rcv.adv,
    };
}

static bool is_over(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_rcv_round *r, const struct tern_seg *seg)
{
    if (seg->opts.has & TERN_HAS_TS) {
        /* Of the millisecond in which it began it cannot be told whether before or after; a round
         * trip of several is not much shorter for it. */
        const uint32_t sure_ms = t->now_ms - r->start_ms > 1 ? 0 : 1;
        return (int32_t)(seg->opts.ts_ecr - c->ts_offset - r->start_ms) >= (int32_t)sure_ms;
    }
    return tern_seq_before(r->edge, tern_seq_add(seg->p.seq, seg->p.len_bytes));
}

/** What the application consumed in one round trip. */
static uint64_t consumed_bytes(
    const struct tern_tcp *t, const struct tern_conn *c, const struct tern_rcv_round *r)
{
    const uint64_t n_bytes = tern_seq_span(r->consumed, consumed_to(c));
    const uint32_t took_ms = t->now_ms - r->start_ms;
    const uint32_t rtt_ms = RTE_MAX(c->srtt_us8 / 8 / 1000, 1u);
    if ((c->flags & TERN_CF_TS) || c->rttvar_us4 == 0 || took_ms <= rtt_ms)
        return n_bytes;
    return n_bytes * rtt_ms / took_ms;
}

/** @return false: as large as it can be, or the allowance is used up */
static bool grow(struct tern_tcp *t, struct tern_conn *c)
{
    const uint32_t before = tern_conn_rcv_buf(t, c);
    if (before >= 0xffffu << tern_conn_rcv_wscale(t, c))
        return false; /* the window field cannot say more */
    if (before == t->cfg.rcv_buf_max_bytes || tern_conn_rcv_doublings(c) == DOUBLINGS_MAX)
        return false;
    const uint32_t more = RTE_MIN(before, t->cfg.rcv_buf_max_bytes - before);
    if (more > t->rcv_grow_left_bytes) {
        t->stats.rcv_grow_refused++;
        return false;
    }
    t->rcv_grow_left_bytes -= more;
    t->stats.rcv_grown++;
    c->wscale = (uint8_t)(c->wscale + (1u << 4));
    return true;
}

void tern_rcvbuf_measure(struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg)
{
    struct tern_rcv_round *r = round_of(t, c);
    if (r->conn != tern_conn_idx(t, c)) {
        if (r->conn == 0 || t->now_ms - r->start_ms > ROUND_STALE_MS)
            begin(t, c, r);
        return;
    }
    if (!is_over(t, c, r, seg))
        return;
    r->conn = 0; /* whoever receives next, measures next */
    const uint64_t need = 2 * consumed_bytes(t, c, r);
    while (tern_conn_rcv_buf(t, c) < need && grow(t, c)) {
    }
}

void tern_rcvbuf_release(struct tern_tcp *t, const struct tern_conn *c)
{
    struct tern_rcv_round *r = round_of(t, c);
    if (r->conn == tern_conn_idx(t, c))
        r->conn = 0;
    t->rcv_grow_left_bytes += tern_conn_rcv_buf(t, c) - t->cfg.rcv_buf_bytes;
}
