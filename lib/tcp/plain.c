/* SPDX-License-Identifier: BSD-3-Clause */
#include "output.h"

/*
 * Plain segments: payload that was never sent, on a connection without a path record and options of
 * its own, no SACK blocks to report, nothing that the device cuts. Those of one burst differ in
 * sequence number, PSH and FIN, so headers are written once (template.h), and what all of them mean
 * to scoreboard and timers is noted once. One alone, all there is, is a flight (flight.h).
 */
#include "headers.h"
#include "host.h"
#include "mbuf.h"
#include "rcvbuf.h"
#include "sendq.h"

/** What segments that leave now say; it counts as said. */
static inline struct tern_template_fields fields_now(const struct tern_tcp *t, struct tern_conn *c)
{
    const uint32_t wnd = tern_conn_window(t, c);
    const struct tern_template_fields f = {
        .ack = c->rcv.nxt,
        .wnd = (uint16_t)(wnd >> tern_conn_rcv_wscale(t, c)),
        .ttl = t->cfg.ttl,
        .tos = (uint8_t)(t->cfg.dscp << 2),
    };
    tern_output_acknowledges(c, wnd);
    return f;
}

/** [SND.NXT, SND.NXT + span) is a stretch of the run that has left. */
static void note_run(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t span,
    uint32_t payload_max)
{
    if (span == 0)
        return;
    tern_sent_new(t, c, q, span, payload_max);
    c->snd.nxt = tern_seq_add(c->snd.nxt, span);
}

/** One segment of `len` bytes at `seq`. @return numbers sent, 0: no mbuf was to be had */
static uint32_t send_stamped(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    struct tern_template *h, struct tern_seq seq, uint32_t len)
{
    tern_mbuf_prefetch(t->pool, 2);
    struct rte_mbuf *m = tern_sendq_next(t, q, &len);
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return 0;
    }
    const bool ends_queue = q->unsent_bytes == 0;
    const bool fin = ends_queue && (c->flags & TERN_CF_FIN_QUEUED);
    if (h->n_bytes == 0) {
        const struct tern_template_fields f = fields_now(t, c);
        tern_template_write(t, c, &f, h);
    }
    tern_template_put(h, m, len, seq, /* PSH: MUST-61, SHLD-27 */
        (uint8_t)((ends_queue ? TERN_TCP_PSH : 0) | (fin ? TERN_TCP_FIN : 0)));
    if (fin)
        c->flags |= TERN_CF_FIN_SENT;
    t->stats.tx_segments++;
    t->stats.tx_payload_bytes += len;
    tern_host_output(t, c->neighbour, m, c->flags & TERN_CF_V6);
    return len + fin;
}

void tern_output_run(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t payload_max)
{
    struct tern_template h;
    uint32_t cwnd_left = tern_output_cwnd_room(c, q),
             wnd_left = tern_output_window_room(c, c->snd.nxt), span = 0;
    const struct tern_seq began = c->snd.nxt;
    h.n_bytes = 0;
    while (q->unsent_bytes > 0) {
        const uint32_t usable = RTE_MIN(cwnd_left, wnd_left);
        const uint32_t len = RTE_MIN(RTE_MIN(q->unsent_bytes, usable), payload_max);
        if (cwnd_left < RTE_MIN(payload_max, wnd_left))
            q->flags |= TERN_TXQ_FILLED;
        const bool idle = span == 0 && c->snd.una.v == c->snd.nxt.v;
        if (len == 0 || !tern_output_is_worth(c, q, len, payload_max, idle))
            break;
        if (span == 0 && !tern_sent_has_room(t, q))
            break;
        if (!tern_output_has_room(t)) {
            tern_conn_touch(t, c);
            break;
        }
        const uint32_t sent = send_stamped(t, c, q, &h, tern_seq_add(c->snd.nxt, span), len);
        if (sent == 0)
            break;
        span += sent;
        cwnd_left -= RTE_MIN(sent, cwnd_left);
        wnd_left -= RTE_MIN(sent, wnd_left);
        if (sent != payload_max) { /* buffers were many and small: a stretch ends with it */
            note_run(t, c, q, span, payload_max);
            span = 0;
        }
    }
    note_run(t, c, q, span, payload_max);
    if (c->snd.nxt.v != began.v)
        tern_output_arm(t, c, q);
}

/* ---- flights ---- */

/** The headers of the only segment. */
static inline __attribute__((always_inline)) void put_headers(
    struct tern_tcp *t, struct tern_conn *c, struct rte_mbuf *m, uint8_t flags)
{
    const struct tern_template_fields f = fields_now(t, c);
    tern_headers_put(t, c, &f, m, c->snd.nxt, flags);
    t->stats.tx_segments++;
}

/** All of it has left. */
static void note_flight(
    struct tern_tcp *t, struct tern_conn *c, struct tern_flight *f, uint32_t span)
{
    f->sent_us = t->now_us;
    f->flags |= TERN_FLIGHT_SENT;
    c->snd.nxt = tern_seq_add(c->snd.nxt, span);
    t->stats.tx_payload_bytes += f->len_bytes;
    if (likely(!(c->flags & TERN_CF_RTX)))
        tern_conn_arm_flight(t, c); /* RFC 6298 §5.1 */
    else
        tern_conn_arm_flight_probe(t, c);
}

void tern_output_flight(struct tern_tcp *t, struct tern_conn *c, uint32_t payload_max)
{
    struct tern_flight *f = tern_conn_flight(t, c);
    if (unlikely(!tern_output_has_room(t))) {
        tern_conn_touch(t, c);
        return;
    }
    tern_mbuf_prefetch(t->pool, 1);
    struct rte_mbuf *m = tern_flight_payload(t, f);
    if (unlikely(m == NULL)) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        if (!(c->flags & TERN_CF_RTX))
            tern_conn_arm_rtx(t, c);
        return;
    }
    const bool fin = c->flags & TERN_CF_FIN_QUEUED;
    put_headers(t, c, m, TERN_TCP_PSH | (fin ? TERN_TCP_FIN : 0)); /* MUST-61 */
    if (fin)
        c->flags |= TERN_CF_FIN_SENT;
    f->seg_bytes = (uint16_t)payload_max;
    note_flight(t, c, f, f->len_bytes + fin);
    tern_host_output(t, c->neighbour, m, c->flags & TERN_CF_V6);
}

/* ---- acknowledgements ---- */

bool tern_output_ack(struct tern_tcp *t, struct tern_conn *c)
{
    struct rte_mbuf *m = tern_mbuf_control(t);
    if (unlikely(m == NULL)) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return false;
    }
    put_headers(t, c, m, 0);
    tern_host_output(t, c->neighbour, m, c->flags & TERN_CF_V6);
    return true;
}

bool tern_output_ack_in(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    struct rte_mbuf *m = tern_mbuf_of_seg(t, seg);
    if (unlikely(m == NULL))
        return false;
    put_headers(t, c, m, 0);
    tern_host_output(t, c->neighbour, m, c->flags & TERN_CF_V6);
    return true;
}
