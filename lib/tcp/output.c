/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

/*
 * What a connection sends: payload within the window, FIN behind it, acknowledgements, probes, RST.
 *
 * Nothing leaves while a segment is being processed. Arrival, the application and timers only mark
 * what is owed; once a connection and burst tern_conn_output() sends what may be sent, and an ACK
 * that is still owed then goes alone (RFC 9293 §3.10.7.4 MUST-58, MUST-59). Every segment states
 * the window and so pays the acknowledgement; draft() is the one place where that is noted.
 *
 * The right edge of the window does not move left (SHLD-14): the field is rounded up to the scale,
 * and the furthest edge the peer was shown is remembered.
 */
#include "flight.h"
#include "host.h"
#include "mbuf.h"
#include "output.h"
#include "pmtu.h"
#include "rcvbuf.h"
#include "recovery.h"
#include "sack_report.h"
#include "sendq.h"
#include "state.h"
#include "template.h"

/** A segment being written: the packet and what it points at. */
struct draft {
    struct tern_packet p;
    struct tern_flow_key key;
    uint8_t opt[TERN_TCP_OPT_BYTES_MAX];
};

uint32_t tern_conn_window_in_use(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint32_t promised = tern_seq_span(c->rcv.nxt, c->rcv.adv);
    const uint32_t buf = tern_conn_rcv_buf(t, c), most = tern_conn_window_max(t, c);
    const uint32_t unused = buf > c->unread_bytes ? buf - c->unread_bytes : 0;
    const uint32_t free_bytes = RTE_MIN(unused, most);
    const uint8_t shift = tern_conn_rcv_wscale(t, c);
    const uint32_t wnd = tern_window_without_silliness(c, promised, free_bytes, most);

    /* Rounding up keeps the right edge, or moves it on by less than a unit. Small segments would so
     * push it on for ever before an application that does not read: a unit beyond the buffer it is
     * rounded down, and the edge as the peer sees it may move left by less than a unit (RFC 7323
     * §2.4). What was promised is taken all the same. */
    const uint32_t unit = 1u << shift;
    const bool is_over = (uint64_t)promised + c->unread_bytes > (uint64_t)buf + unit;
    return tern_window_in_units(wnd, shift, is_over ? 0 : unit - 1);
}

uint32_t tern_conn_payload_max(const struct tern_tcp *t, const struct tern_conn *c)
{
    (void)t;
    const uint32_t ts = c->flags & TERN_CF_TS ? TERN_TS_OPT_BYTES : 0;
    return c->mss_bytes - ts;
}

/** SACK goes along with payload where it leaves most of the segment to it. */
static bool sack_fits_payload(const struct tern_tcp *t, const struct tern_conn *c)
{
    return tern_conn_payload_max(t, c) >= 4 * TERN_TCP_OPT_BYTES_MAX;
}

/** Payload of the next segment: what fits beside all of its options (6691-1, MUST-16). */
static inline uint32_t segment_max(const struct tern_tcp *t, const struct tern_conn *c)
{
    const uint32_t most = tern_conn_payload_max(t, c), n = tern_sack_n_blocks(t, c);
    if (likely(n == 0) || !sack_fits_payload(t, c))
        return most;
    return most - (4 + 8 * n);
}

static uint32_t write_options(
    struct tern_tcp *t, const struct tern_conn *c, uint8_t *opt, bool with_sack)
{
    if (likely(!with_sack || tern_sack_n_blocks(t, c) == 0)) {
        if (!(c->flags & TERN_CF_TS)) /* (7323-4) */
            return 0;
        return tern_packet_ts_opt(opt, tern_ts_now(t, c->ts_offset), c->ts_recent);
    }
    struct tern_tcp_opts o = {.has = TERN_HAS_SACK};
    if (c->flags & TERN_CF_TS) {
        o.has |= TERN_HAS_TS;
        o.ts_val = tern_ts_now(t, c->ts_offset);
        o.ts_ecr = c->ts_recent;
    }
    tern_sack_report(t, c, &o);
    return tern_tcp_opts_build(&o, opt);
}

static void draft_fields(const struct tern_tcp *t, const struct tern_conn *c, struct draft *d)
{
    const struct tern_rare *rare = tern_conn_rare(t, c);
    const uint8_t dscp = rare != NULL && rare->dscp != 0xff ? rare->dscp : t->cfg.dscp;
    d->key = tern_conn_key(t, c); /* the addresses it was opened with: MUST-45 */
    d->p = (struct tern_packet){
        .key = &d->key,
        .ttl = rare != NULL && rare->ttl != 0 ? rare->ttl : t->cfg.ttl, /* MUST-49 */
        .tos = (uint8_t)(dscp << 2), /* MUST-48, SHLD-21, SHLD-22; not ECT (3168-2, 3168-6) */
        .opt = d->opt,
    };
}

/** A segment of a synchronized connection: it acknowledges and states the window. */
static void draft(struct tern_tcp *t, struct tern_conn *c, struct draft *d, struct tern_seq seq,
    uint8_t flags, bool with_sack)
{
    draft_fields(t, c, d);
    const uint32_t wnd = tern_conn_window(t, c);
    d->p.seq = seq;
    d->p.ack = c->rcv.nxt;
    d->p.flags = flags | TERN_TCP_ACK;
    const struct tern_cong *g = tern_conn_cong(t, c);
    if (unlikely(g != NULL) && (g->flags & TERN_CG_ECE))
        d->p.flags |= TERN_TCP_ECE; /* (3168-3) */
    d->p.wnd = (uint16_t)(wnd >> tern_conn_rcv_wscale(t, c));
    d->p.urg = tern_urgent_pointer(t, c, seq);
    if (unlikely(d->p.urg != 0))
        d->p.flags |= TERN_TCP_URG;
    d->p.opt_bytes = write_options(t, c, d->opt, with_sack);

    tern_output_acknowledges(c, wnd);
}

static void transmit(
    struct tern_tcp *t, const struct tern_conn *c, struct draft *d, struct rte_mbuf *m)
{
    tern_packet_build(t, m, &d->p);
    tern_host_output(t, c->neighbour, m, c->flags & TERN_CF_V6);
}

/** A segment without payload. @return false: no buffer */
static bool send_empty(struct tern_tcp *t, struct tern_conn *c, struct tern_seq seq, uint8_t flags)
{
    struct rte_mbuf *m = tern_mbuf_control(t);
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return false;
    }
    struct draft d;
    draft(t, c, &d, seq, flags, true);
    transmit(t, c, &d, m);
    return true;
}

/** Headers say nothing but what those of all connections do: no path record, no options of the
 * connection's own, no SACK blocks. Only reads. */
static inline bool has_plain_headers(const struct tern_tcp *t, const struct tern_conn *c)
{
    const bool plain = t->plain_headers && (c->cong | c->rare) == 0;
    return plain && (likely((c->rxq | t->n_dsacks) == 0) || tern_sack_n_blocks(t, c) == 0);
}

/** The next segment, without payload. @param flags  FIN, or 0. @return false: no buffer */
static inline bool send_next_empty(struct tern_tcp *t, struct tern_conn *c, uint8_t flags)
{
    if (likely(has_plain_headers(t, c)))
        return tern_output_empty(t, c, flags);
    return send_empty(t, c, c->snd.nxt, flags);
}

bool tern_conn_send_ack(struct tern_tcp *t, struct tern_conn *c)
{
    return send_next_empty(t, c, 0);
}

void tern_conn_answer(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (unlikely(!has_plain_headers(t, c) || !tern_output_ack_in(t, c, seg)))
        tern_conn_send_ack(t, c);
}

void tern_conn_send_keepalive(struct tern_tcp *t, struct tern_conn *c)
{
    /* One before SND.NXT and no data: the peer must answer with an ACK (SHLD-12), and reads no more
     * of it (RFC 9293 §3.10.7.4, first). So an acknowledgement that is owed goes before it, where
     * it is read (MUST-40). */
    if (c->flags & (TERN_CF_ACK_LATER | TERN_CF_ACK_NOW))
        tern_conn_send_ack(t, c);
    t->stats.keepalive_probes++;
    send_empty(t, c, tern_seq_add(c->snd.nxt, UINT32_MAX), 0);
}

enum tern_drop tern_conn_challenge(struct tern_tcp *t, struct tern_conn *c)
{
    /* RFC 5961 §7 asks for a limit (5961-6); one of the connection's own cannot be probed through
     * another (CVE-2016-5696) (5961-7). */
    const uint8_t period = (uint8_t)((t->now_ns >> TERN_CHALLENGE_SHIFT) % 255 + 1);
    if (c->misc == period)
        return TERN_DROP_TCP_CHALLENGE_RATE;
    c->misc = period;
    t->stats.challenge_acks++;
    c->flags |= TERN_CF_ACK_NOW; /* an ACK like any other (5961-8) */
    tern_conn_touch(t, c);
    return TERN_DROP_TCP_CHALLENGE;
}

/** SYN; SYN-ACK of a simultaneous or a fast open. */
void tern_conn_send_syn(struct tern_tcp *t, struct tern_conn *c)
{
    struct rte_mbuf *m = tern_mbuf_control(t);
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return; /* the timer tries again */
    }
    const bool reply = c->state != TERN_SYN_SENT, early = tern_conn_is_early(c);
    struct tern_tcp_opts o = {
        .has = TERN_HAS_MSS, /* always: MUST-14, SHLD-5, MAY-3 */
        .mss = tern_tcp_own_mss(t, c->flags & TERN_CF_V6),
        .wscale = t->rcv_wscale,
        .ts_val = tern_ts_now(t, c->ts_offset),
        .ts_ecr = reply ? c->ts_recent : 0,
    };
    /* A SYN offers what is configured, a SYN-ACK what was offered, too. */
    if (reply ? c->flags & TERN_CF_TS : t->cfg.timestamps)
        o.has |= TERN_HAS_TS;
    if (reply ? c->flags & TERN_CF_SACK : t->cfg.sack)
        o.has |= TERN_HAS_SACK_OK;
    if (reply ? c->flags & TERN_CF_WSCALE : t->cfg.window_scale)
        o.has |= TERN_HAS_WSCALE;

    struct draft d;
    draft_fields(t, c, &d);
    d.p.seq = early ? tern_seq_add(c->snd.una, UINT32_MAX) : c->snd.una;
    d.p.flags = TERN_TCP_SYN;
    if (!reply)
        d.p.flags |= tern_ecn_request(t, c);
    if (reply) {
        d.p.flags |= TERN_TCP_ACK;
        d.p.ack = c->rcv.nxt;
    }
    /* The window of a SYN is never scaled (RFC 7323 §2.2) (7323-3). */
    d.p.wnd = (uint16_t)RTE_MIN(early ? tern_conn_window(t, c) : t->cfg.rcv_buf_bytes, 0xffffu);
    if (early) {
        tern_output_acknowledges(c, d.p.wnd);
        if (tern_conn_has_ecn(t, c))
            d.p.flags |= TERN_TCP_ECE; /* (3168-1) */
    }
    if (t->cfg.pins.has_syn_wnd)
        d.p.wnd = t->cfg.pins.syn_wnd;
    d.p.opt_bytes = tern_tcp_opts_build_syn(&o, d.opt);
    if (!reply)
        d.p.opt_bytes = tern_tfo_ask(t, c, d.opt, d.p.opt_bytes, &m);
    transmit(t, c, &d, m);
}

void tern_conn_send_rst(struct tern_tcp *t, struct tern_conn *c)
{
    struct rte_mbuf *m = tern_mbuf_control(t);
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return;
    }
    struct draft d;
    draft_fields(t, c, &d);
    d.p.seq = c->snd.nxt;
    d.p.ack = c->rcv.nxt;
    d.p.flags = TERN_TCP_RST | TERN_TCP_ACK;
    transmit(t, c, &d, m);
}

/* ---- payload ---- */

/** New data may be marked, nothing else (3168-5, 3168-6); the first after a reduction says so
 * (3168-4). */
static void mark_capable(const struct tern_tcp *t, const struct tern_conn *c, struct draft *d)
{
    struct tern_cong *g = tern_conn_cong(t, c);
    if (likely(g == NULL) || !(g->flags & TERN_CG_ECN))
        return;
    d->p.tos |= TERN_ECN_ECT0;
    if (g->flags & TERN_CG_CWR)
        d->p.flags |= TERN_TCP_CWR;
    g->flags &= (uint8_t)~TERN_CG_CWR;
}

/**
 * Send `len` bytes from sequence `seq`, first time or again; with `fin` and the last byte, FIN.
 * @return bytes sent: less where buffers are many and small, 0 where no mbuf was to be had
 */
static uint32_t send_payload(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q,
    struct tern_seq seq, uint32_t len, uint32_t payload_max, bool fin)
{
    struct rte_mbuf *m = tern_sendq_payload(t, q, tern_seq_span(c->snd.una, seq), &len);
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return 0;
    }
    const bool ends_queue = tern_seq_span(c->snd.una, seq) + len == q->n_bytes;
    const bool again = seq.v != c->snd.nxt.v;
    struct draft d;
    /* PSH on the last segment that is buffered (MUST-61), whatever number of writes that was
     * (SHLD-27). */
    const uint8_t flags =
        (uint8_t)((ends_queue ? TERN_TCP_PSH : 0) | (ends_queue && fin ? TERN_TCP_FIN : 0));
    draft(t, c, &d, seq, flags, sack_fits_payload(t, c));
    if (!again && c->snd.wnd_bytes != 0)
        mark_capable(t, c, &d);
    if (len > payload_max)
        d.p.tso_mss = (uint16_t)payload_max;
    transmit(t, c, &d, m);
    tern_cc_sent(t, c, len);
    return len;
}

/* V115 */
static uint32_t usable_window(const struct tern_conn *c, const struct tern_txq *q)
{
    return RTE_MIN(tern_output_window_room(c, c->snd.nxt), tern_output_cwnd_room(c, q));
}

static void note_sent(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t len, uint32_t payload_max)
{
    tern_sendq_advance(q, len);
    t->stats.tx_payload_bytes += len;
    const bool fin = q->unsent_bytes == 0 && (c->flags & TERN_CF_FIN_QUEUED);
    const uint32_t span = len + fin;
    tern_sent_new(t, c, q, span, payload_max);
    c->snd.nxt = tern_seq_add(c->snd.nxt, span);
    if (fin)
        c->flags |= TERN_CF_FIN_SENT;
    tern_recovery_sent(t, c, q, span, false);
    tern_output_arm(t, c, q);
}

/**
 * Send the next `len` bytes that were never sent, in segments of payload_max, FIN behind the last.
 * @return bytes sent, as send_payload()
 */
static uint32_t send_next(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t len, uint32_t payload_max)
{
    const bool fin = c->flags & TERN_CF_FIN_QUEUED;
    len = send_payload(t, c, q, c->snd.nxt, len, payload_max, fin);
    if (len > 0)
        note_sent(t, c, q, len, payload_max);
    return len;
}

/** A segment larger than the others, of new data, to see whether the path takes it (RFC 4821 §7).
 */
static void send_path_probe(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t payload_max)
{
    if (likely(c->rare == 0))
        return;
    const uint32_t room = RTE_MIN(q->unsent_bytes, usable_window(c, q));
    const uint32_t size = tern_pmtu_probe_size(t, c, q, room);
    if (likely(size == 0) || !tern_sent_has_room(t, q) || !tern_output_has_room(t)
        || !tern_cc_may_send_now(t, c))
        return;
    const uint32_t want = size - (c->mss_bytes - payload_max);
    if (send_next(t, c, q, want, want) > 0)
        tern_pmtu_probe_sent(t, c, q, size, want);
}

/** What a device cuts into segments of payload_max is sent as one. */
static uint32_t burst_max(const struct tern_tcp *t, uint32_t payload_max)
{
    const uint32_t tso = t->cfg.tso_bytes_max;
    return likely(tso < 2 * payload_max) ? payload_max : tso / payload_max * payload_max;
}

/** Send new payload as far as windows and sense allow, in segments that may be anything. */
static void send_any(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, uint32_t payload_max)
{
    const uint32_t most = burst_max(t, payload_max);
    while (q->unsent_bytes > 0) {
        uint32_t len = RTE_MIN(RTE_MIN(q->unsent_bytes, usable_window(c, q)), most);
        if (len > payload_max && len < q->unsent_bytes)
            len -= len % payload_max;
        if (tern_output_cwnd_room(c, q)
            < RTE_MIN(payload_max, tern_output_window_room(c, c->snd.nxt)))
            q->flags |= TERN_TXQ_FILLED;
        const bool idle = c->snd.una.v == c->snd.nxt.v;
        if (len == 0 || !tern_output_is_worth(c, q, len, payload_max, idle)
            || !tern_sent_has_room(t, q))
            return;
        if (!tern_output_has_room(t)) {
            tern_conn_touch(t, c);
            return;
        }
        if (!tern_cc_may_send_now(t, c))
            return;
        if (send_next(t, c, q, len, payload_max) == 0)
            return;
    }
}

/** Nothing sets the segments of this output apart from each other, and the device cuts none. */
static bool is_plain(const struct tern_tcp *t, const struct tern_conn *c, uint32_t payload_max)
{
    return has_plain_headers(t, c) && t->cfg.tso_bytes_max < 2 * payload_max;
}

/** Send new payload as far as windows and sense allow. */
static void send_new(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    const uint32_t payload_max = segment_max(t, c);
    q->flags &= (uint16_t)~TERN_TXQ_FILLED;
    if (q->unsent_bytes > 0) {
        tern_output_note_pause(t, c);
        send_path_probe(t, c, q, payload_max);
    }
    if (likely(is_plain(t, c, payload_max))) {
        tern_output_run(t, c, q, payload_max);
        return;
    }
    send_any(t, c, q, payload_max);
    struct tern_cong *g = tern_conn_cong(t, c);
    /* all of it has left: the application, not the network, is the limit */
    if (g != NULL && q->unsent_bytes == 0 && tern_output_cwnd_room(c, q) > 0)
        g->limited_end = tern_seq_add(c->snd.nxt, 1);
}

/**
 * Send [seq, …) again, at most `len` numbers of it: one segment, FIN included where it is reached.
 * @return sequence numbers sent, 0: could not be
 */
static uint32_t send_once_more(
    struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, struct tern_seq seq, uint32_t len)
{
    const uint32_t in_flight = q->n_bytes - q->unsent_bytes;
    const uint32_t off = tern_seq_span(c->snd.una, seq);
    t->stats.retransmits++;
    if (off >= in_flight)
        return send_empty(t, c, seq, TERN_TCP_FIN) ? 1 : 0;
    const uint32_t payload_max = segment_max(t, c);
    const uint32_t payload = RTE_MIN(RTE_MIN(len, in_flight - off), payload_max);
    const bool fin = payload < len && off + payload == in_flight && (c->flags & TERN_CF_FIN_SENT);
    const uint32_t n = send_payload(t, c, q, seq, payload, payload_max, fin);
    return n + (fin && n == payload);
}

static bool ends_with_fin(const struct tern_conn *c, const struct tern_sent *s)
{
    return (c->flags & TERN_CF_FIN_SENT) && s->end.v == c->snd.nxt.v;
}

/** What is lost goes first (RFC 6675 §5 NextSeg (1)) (6675-2). @return false: it waits for room */
static bool send_lost(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    while (q->lost_first != 0) {
        const struct tern_sent *s = &t->sents[q->lost_first];
        const bool head = s->start.v == c->snd.una.v;
        const uint32_t room = tern_output_window_room(c, s->start);
        const uint32_t span = tern_seq_span(s->start, s->end), most = segment_max(t, c);
        uint32_t len = RTE_MIN(span, most);
        if (c->snd.wnd_bytes == 0 || (room == 0 && !head))
            return false; /* the window was shut or shrunk meanwhile (SHLD-17) */
        len = RTE_MIN(len, RTE_MAX(room, 1u)); /* (SHLD-16) */
        if (tern_output_cwnd_room(c, q) < len && tern_sent_pipe(c, q) != 0)
            return false;
        if (!tern_output_has_room(t)) {
            tern_conn_touch(t, c);
            return false;
        }
        if (!tern_cc_may_send_now(t, c))
            return false;
        const bool fin = span == most + 1 && len == most && ends_with_fin(c, s);
        const uint32_t n = send_once_more(t, c, q, s->start, len + fin);
        if (n == 0)
            return false;
        tern_sent_again(t, c, q, q->lost_first, n);
        tern_recovery_sent(t, c, q, n, true);
        if (head || !(c->flags & TERN_CF_RTX))
            tern_conn_arm_rtx(t, c);
    }
    return true;
}

static void send_fin(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    const bool noted = q != NULL && q->n_sent > 0;
    if (noted && !tern_sent_has_room(t, q))
        return; /* an ACK will make room */
    if (send_next_empty(t, c, TERN_TCP_FIN)) {
        if (noted)
            tern_sent_new(t, c, q, 1, segment_max(t, c));
        c->snd.nxt = tern_seq_add(c->snd.nxt, 1);
        c->flags |= TERN_CF_FIN_SENT;
    } else if (c->flags & TERN_CF_RTX) {
        return;
    }
    tern_conn_arm_rtx(t, c); /* to send it again; or, for want of a buffer, at all */
}

/**
 * F-RTO has only new data sent until the next ACK tells whether the timeout was for nothing. Where
 * none may leave, no such ACK would come: what is lost goes on (RFC 5682 §2.1 step 2).
 */
static bool probes_timeout(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    if (likely(!(q->flags & TERN_TXQ_FRTO2)))
        return false;
    send_new(t, c, q);
    const struct tern_cong *g = tern_conn_cong(t, c);
    const bool paced = g != NULL && (g->flags & TERN_CG_PACE_WAIT) && t->now_ns < g->pace_ns;
    if (paced || tern_sent_pipe(c, q) != 0)
        return true;
    q->flags &= (uint16_t)~TERN_TXQ_FRTO2;
    return false;
}

/** @return false: the flight is a send queue now, from which what is owed is sent */
static bool output_flight(struct tern_tcp *t, struct tern_conn *c)
{
    const struct tern_flight *f = tern_conn_flight(t, c);
    if (f->flags & TERN_FLIGHT_SENT) { /* a FIN that comes later is a stretch of its own */
        const bool owes_fin =
            (c->flags & (TERN_CF_FIN_QUEUED | TERN_CF_FIN_SENT)) == TERN_CF_FIN_QUEUED;
        return !owes_fin || !tern_flight_unfold(t, c);
    }
    const uint32_t payload_max = segment_max(t, c);
    tern_output_note_pause(t, c);
    if (likely(is_plain(t, c, payload_max) && tern_output_flight_fits(t, c, f, payload_max))) {
        tern_output_flight(t, c, payload_max);
        return true;
    }
    if (tern_flight_unfold(t, c))
        return false;
    if (!(c->flags & TERN_CF_RTX))
        tern_conn_arm_rtx(t, c);
    return true;
}

void tern_conn_output(struct tern_tcp *t, struct tern_conn *c)
{
    if (tern_conn_has_flight(c) && likely(output_flight(t, c)))
        return;
    struct tern_txq *q = tern_conn_txq(t, c);
    if (tern_conn_is_opening(c) && !tern_conn_is_early(c))
        return; /* closed in SYN-RECEIVED: FIN waits for the ACK of our SYN */
    if (q != NULL) {
        if (!probes_timeout(t, c, q) && send_lost(t, c, q))
            send_new(t, c, q);
        if (q->unsent_bytes > 0) {
            /* Nothing in flight that would bring an ACK: the window is shut, or too small to be
             * worth it. After an RTO the timer overrides (MUST-36, SHLD-29). */
            if (c->snd.una.v == c->snd.nxt.v && !(c->flags & TERN_CF_RTX))
                tern_conn_arm_rtx(t, c);
            return;
        }
    }
    if ((c->flags & (TERN_CF_FIN_QUEUED | TERN_CF_FIN_SENT)) == TERN_CF_FIN_QUEUED)
        send_fin(t, c);
}

void tern_conn_retransmit(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL || q->n_sent == 0) {
        t->stats.retransmits++;
        send_empty(t, c, c->snd.una, TERN_TCP_FIN);
        return;
    }
    /* A window that was shut with data in flight is probed with its first octet (MUST-35). */
    t->sents[q->first].flags |= TERN_SENT_AGAIN; /* Karn (RFC 6298 §3) */
    send_once_more(t, c, q, c->snd.una, 1);
}

void tern_conn_resend(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    if (q == NULL || q->n_sent == 0) {
        tern_conn_retransmit(t, c); /* nothing but our FIN */
        return;
    }
    q->flags &= (uint16_t) ~(TERN_TXQ_RACK | TERN_TXQ_TLP | TERN_TXQ_TLP_AGAIN);
    q->dupacks = 0;
    tern_sent_lose_all(t, q);
    tern_conn_touch(t, c);
}

void tern_conn_probe(struct tern_tcp *t, struct tern_conn *c)
{
    struct tern_txq *q = tern_conn_txq(t, c);
    const uint32_t payload_max = segment_max(t, c);
    const uint32_t wnd = RTE_MAX(tern_output_window_room(c, c->snd.nxt), 1u);
    const uint32_t want = RTE_MIN(RTE_MIN(q->unsent_bytes, wnd), payload_max);
    if (send_next(t, c, q, want, payload_max) > 0)
        t->stats.zero_window_probes++;
}

/** The last segment of what is in flight. */
static bool send_last_again(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q)
{
    const struct tern_sent *s = &t->sents[q->last];
    const uint32_t len = tern_seq_span(s->start, s->end);
    const bool fin = len > 1 && ends_with_fin(c, s); /* beside the payload of the segment */
    const uint32_t payload = (len - fin - 1) % s->seg_bytes + 1;
    const uint32_t last = RTE_MIN(payload, segment_max(t, c)) + fin;
    if (s->flags & (TERN_SENT_SACKED | TERN_SENT_LOST))
        return false;
    const uint32_t n = send_once_more(t, c, q, tern_seq_add(s->end, 0u - last), last);
    if (n == 0)
        return false;
    tern_sent_again_tail(t, c, q, n);
    return true;
}

bool tern_conn_send_tail(struct tern_tcp *t, struct tern_conn *c, struct tern_txq *q, bool *again)
{
    const uint32_t payload_max = segment_max(t, c);
    const uint32_t want = RTE_MIN(q->unsent_bytes, payload_max);
    *again =
        want == 0 || tern_output_window_room(c, c->snd.nxt) < want || !tern_sent_has_room(t, q);
    if (*again)
        return send_last_again(t, c, q);
    return send_next(t, c, q, want, payload_max) > 0;
}
