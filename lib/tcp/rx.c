/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * Segment arrival in a synchronized state (and in SYN-RECEIVED of a simultaneous open), in the
 * order of RFC 9293 §3.10.7.4 with RFC 5961 and RFC 7323 where they belong:
 *
 *   timestamp → sequence → RST → SYN → ACK → URG → payload → FIN
 *
 * One short function a step; the first refusal wins and names its reason. A step that returns
 * TERN_DROP_NONE has left the segment for the next one, trimmed to what is new and fits.
 */
#include "flight.h"
#include "host.h"
#include "mbuf.h"
#include "packet.h"
#include "rcvbuf.h"
#include "reasm.h"
#include "sendq.h"
#include "state.h"
#include "wire/hint.h"

static bool has(const struct tern_seg *seg, uint8_t flag)
{
    return seg->p.flags & flag;
}

/** Sequence space the segment occupies. */
static uint32_t seg_span(const struct tern_seg *seg)
{
    return seg->p.len_bytes + has(seg, TERN_TCP_SYN) + has(seg, TERN_TCP_FIN);
}

static void owe_ack(struct tern_tcp *t, struct tern_conn *c)
{
    c->flags |= TERN_CF_ACK_NOW;
    tern_conn_touch(t, c);
}

/**
 * V060: What is not acceptable is answered with an ACK. A segment with payload always (its sender
 * lost our ACK); an empty one at the challenge rate, or two ends out of step would answer each
 * other for ever.
 */
static enum tern_drop refuse_with_ack(
    struct tern_tcp *t, struct tern_conn *c, const struct tern_seg *seg, enum tern_drop why)
{
    if (seg_span(seg) > 0)
        owe_ack(t, c);
    else if (tern_conn_challenge(t, c) == TERN_DROP_TCP_CHALLENGE_RATE)
        return TERN_DROP_TCP_CHALLENGE_RATE;
    return why;
}

void tern_conn_note_duplicate(
    struct tern_tcp *t, const struct tern_conn *c, struct tern_seq left, struct tern_seq right)
{
    if (!(c->flags & TERN_CF_SACK) || t->n_dsacks == TERN_DSACKS_MAX)
        return;
    t->dsacks[t->n_dsacks++] =
        (struct tern_dsack){.conn = tern_conn_idx(t, c), .block = {left, right}};
}

/* ---- timestamp: RFC 7323 §5 ---- */

/* V130, V131, V215 */
static enum tern_drop check_timestamp(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (!(c->flags & TERN_CF_TS) || has(seg, TERN_TCP_RST)) /* R1 exempts RST (7323-9) */
        return TERN_DROP_NONE;
    if (has(seg, TERN_TCP_SYN)) /* challenged whatever it carries (RFC 5961 §4.2) */
        return TERN_DROP_NONE;
    if (!(seg->opts.has & TERN_HAS_TS))
        return TERN_DROP_TCP_TS_MISSING; /* RFC 7323 §3.2 (7323-8) */
    const bool older = (int32_t)(seg->opts.ts_val - c->ts_recent) < 0;
    const bool valid = t->now_ms - c->last_rx_ms < TERN_TS_AGE_MS_MAX; /* (7323-7) */
    if (older && valid)
        return refuse_with_ack(t, c, seg, TERN_DROP_TCP_PAWS); /* (7323-6) */
    return TERN_DROP_NONE;
}

/** V130:
 * RFC 7323 §4.3 (7323-5): the segment that moves Last.ACK.sent sets the echo (once its ACK is
 * believed). So does one that came past an outdated TS.Recent, which would refuse all that follows.
 */
static bool sets_echo(const struct tern_conn *c, const struct tern_seg *seg)
{
    if (!(c->flags & TERN_CF_TS))
        return false;
    const bool outdated = (int32_t)(seg->opts.ts_val - c->ts_recent) < 0; /* (7323-7) */
    return outdated || !tern_seq_before(c->last_ack_sent, seg->p.seq);
}

/* ---- sequence: first of §3.10.7.4 ---- */

/** RFC 9293 §3.10.7.4, table 6. */
static bool is_acceptable(const struct tern_conn *c, const struct tern_seg *seg)
{
    const uint32_t wnd = tern_seq_span(c->rcv.nxt, c->rcv.adv);
    const uint32_t span = seg_span(seg);
    const uint32_t at =
        tern_seq_span(c->rcv.nxt, seg->p.seq); /* distance from RCV.NXT, on the circle */
    if (wnd == 0)
        return span == 0 && at == 0;
    if (at < wnd)
        return true;
    return span > 0 && at + span - 1 < wnd; /* starts left of the window and reaches into it */
}

/** A shut window still takes control information at RCV.NXT (RFC 9293 §3.4 MUST-66). */
static bool probes_shut_window(const struct tern_conn *c, const struct tern_seg *seg)
{
    return c->rcv.nxt.v == c->rcv.adv.v && seg->p.seq.v == c->rcv.nxt.v;
}

/** V122, V190: Keep of the segment only what lies in the window. */
static void trim(struct tern_conn *c, struct tern_seg *seg)
{
    struct tern_pkt *p = &seg->p;
    if (tern_seq_before(p->seq, c->rcv.nxt)) {
        const uint32_t old = RTE_MIN(tern_seq_span(p->seq, c->rcv.nxt), p->len_bytes);
        seg->old_bytes = old;
        p->urg = (uint16_t)(p->urg - RTE_MIN(old, (uint32_t)p->urg)); /* it counts from SEG.SEQ */
        p->payload_off += old;
        p->len_bytes -= old;
        p->seq = c->rcv.nxt;
    }
    const uint32_t room = tern_seq_span(p->seq, c->rcv.adv);
    if (p->len_bytes + has(seg, TERN_TCP_FIN) > room) {
        p->flags &= (uint8_t)~TERN_TCP_FIN;
        p->len_bytes = RTE_MIN(p->len_bytes, room);
    }
}

/* V078, V122, V131 */
static enum tern_drop check_sequence(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (has(seg, TERN_TCP_RST) || has(seg, TERN_TCP_SYN))
        return TERN_DROP_NONE; /* judged by RFC 5961 below */
    if (is_acceptable(c, seg)) {
        seg->sets_echo = sets_echo(c, seg); /* as it came, before it is trimmed */
        trim(c, seg);
        return TERN_DROP_NONE;
    }
    if (probes_shut_window(c, seg)) {
        owe_ack(t, c);
        trim(c, seg);
        return TERN_DROP_NONE;
    }
    const struct tern_seq end = tern_seq_add(seg->p.seq, seg->p.len_bytes);
    if (seg->p.len_bytes > 0 && !tern_seq_before(c->rcv.nxt, end))
        tern_conn_note_duplicate(t, c, seg->p.seq, end);
    return refuse_with_ack(t, c, seg, TERN_DROP_TCP_OUT_OF_WINDOW);
}

/* ---- RST and SYN: RFC 5961 §3, §4 ---- */

/* V071 */
static enum tern_drop check_rst(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (!has(seg, TERN_TCP_RST)) /* with or without data (SHLD-2), with any window (MUST-66) */
        return TERN_DROP_NONE;
    if (seg->p.seq.v == c->rcv.nxt.v) { /* (5961-2) */
        const bool refused = tern_conn_is_opening(c) && !tern_conn_is_early(c);
        tern_conn_end(t, c, refused ? TERN_CLOSE_REFUSED : TERN_CLOSE_RESET);
        return TERN_DROP_TCP_DONE;
    }
    const uint32_t wnd = tern_seq_span(c->rcv.nxt, c->rcv.adv);
    if (tern_seq_span(c->rcv.nxt, seg->p.seq) < wnd)
        return tern_conn_challenge(t, c); /* (5961-3) */
    return TERN_DROP_TCP_RST_WINDOW;      /* (5961-1) */
}

/* V056, V072 */
static enum tern_drop check_syn(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (!has(seg, TERN_TCP_SYN))
        return TERN_DROP_NONE;
    const bool again = seg->p.seq.v == c->wl1.v; /* IRS, until the handshake is over */
    const bool crosses = has(seg, TERN_TCP_ACK);
    if (!tern_conn_is_opening(c) || !again || (crosses && tern_conn_is_early(c)))
        return tern_conn_challenge(t, c); /* (5961-4) */
    /* Simultaneous open (RFC 9293 §3.5, figure 8): the peer's SYN-ACK repeats the SYN that we have;
     * what is left of it is the ACK. Its bare SYN again asks for our SYN-ACK again. */
    if (!crosses) {
        tern_conn_send_syn(t, c);
        return TERN_DROP_TCP_DUPLICATE;
    }
    seg->p.seq = c->rcv.nxt;
    seg->p.len_bytes = 0;
    return TERN_DROP_NONE;
}

/* ---- ACK: fifth ---- */

/* V058 */
static enum tern_drop check_handshake_ack(
    struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (seg->p.ack.v != c->snd.nxt.v) {
        tern_packet_reset(t, seg);
        return TERN_DROP_TCP_HALF_ACK;
    }
    /* The window of a SYN-ACK is not scaled (RFC 7323 §2.2) (7323-3). */
    const uint8_t shift = has(seg, TERN_TCP_SYN) ? 0 : tern_conn_snd_wscale(c);
    c->snd.una = seg->p.ack;
    c->snd.wnd_bytes = (uint32_t)seg->p.wnd << shift;
    c->wl1 = seg->p.seq;
    if (seg->sets_echo)
        c->ts_recent = seg->opts.ts_val;
    tern_conn_cancel_rtx(t, c);
    tern_conn_touch(t, c); /* what was queued meanwhile may leave */
    tern_conn_established(t, c);
    return TERN_DROP_NONE;
}

/** MAX.SND.WND, as far back as it is known. */
static uint32_t max_window(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (tern_conn_has_flight(c))
        return RTE_MAX(tern_conn_flight(t, c)->max_wnd_bytes, c->snd.wnd_bytes);
    const struct tern_txq *q = tern_conn_txq(t, c);
    return RTE_MAX(q != NULL ? q->max_wnd_bytes : 0, c->snd.wnd_bytes);
}

/* V055, V073, V080, V125 */
static enum tern_drop check_ack(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (!has(seg, TERN_TCP_ACK))
        return TERN_DROP_TCP_NO_ACK;
    if (tern_conn_is_early(c))
        return tern_tfo_confirmed(t, c, seg);
    if (tern_conn_is_opening(c))
        return check_handshake_ack(t, c, seg);

    /* RFC 5961 §5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT (5961-5, MAY-12) */
    const struct tern_seq oldest = {c->snd.una.v - max_window(t, c)};
    if (tern_seq_before(c->snd.nxt, seg->p.ack) || tern_seq_before(seg->p.ack, oldest)) {
        if (tern_conn_challenge(t, c) == TERN_DROP_TCP_CHALLENGE_RATE)
            return TERN_DROP_TCP_CHALLENGE_RATE;
        return TERN_DROP_TCP_ACK_RANGE;
    }
    if (tern_conn_has_flight(c) && !tern_flight_takes(c, seg) && !tern_flight_unfold(t, c))
        return TERN_DROP_NO_MBUF; /* as if it had been lost */
    if (seg->sets_echo)
        c->ts_recent = seg->opts.ts_val;
    tern_conn_ack(t, c, seg);
    return TERN_DROP_NONE;
}

/* ---- payload and FIN: seventh and eighth ---- */

static void owe_ack_for_data(struct tern_tcp *t, struct tern_conn *c)
{
    if (c->flags & TERN_CF_QUICK_ACK) {
        owe_ack(t, c);
        return;
    }
    if (c->slow & TERN_QUICK_START) {
        if (--c->quick_acks_left == 0)
            c->slow &= (uint8_t)~TERN_QUICK_START;
        owe_ack(t, c);
        return;
    }
    /* At least every second full-sized segment (SHLD-19). */
    if (tern_seq_span(c->last_ack_sent, c->rcv.nxt) >= 2u * tern_conn_payload_max(t, c)) {
        owe_ack(t, c);
        return;
    }
    if (!(c->flags & (TERN_CF_ACK_LATER | TERN_CF_ACK_NOW))) {
        c->flags |= TERN_CF_ACK_LATER; /* SHLD-18, by less than 0.5 s: MUST-40 */
        c->ack_at = t->now_tick + tern_ticks_from_ms(t->cfg.delayed_ack_ms);
    }
    tern_conn_touch(t, c);
}

void tern_conn_deliver(struct tern_tcp *t, struct tern_conn *c, struct rte_mbuf *m, uint32_t len)
{
    c->rcv.nxt = tern_seq_add(c->rcv.nxt, len);
    c->unread_bytes += len;
    t->stats.rx_payload_bytes += len;
    owe_ack_for_data(t, c);
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_data != NULL) {
        app->on_data(tern_shard_of(t), c, m);
        return;
    }
    c->unread_bytes -= len;
    rte_pktmbuf_free(m);
}

/** V080: @param seg  brought the FIN, or what was missing before it */
static void peer_closed(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    c->rcv.nxt = tern_seq_add(c->rcv.nxt, 1);
    c->rcv.adv = tern_seq_add(c->rcv.adv, 1); /* a FIN takes no buffer: the window stays as wide */
    owe_ack(t, c);
    if (c->rxq != 0)
        tern_reasm_clear(t, c); /* what it claims to have sent behind its FIN */
    if (c->state != TERN_FIN_WAIT_2)
        tern_conn_set_state(c, c->state == TERN_FIN_WAIT_1 ? TERN_CLOSING : TERN_CLOSE_WAIT);
    const struct tern_app *app = tern_conn_app(t, c);
    if (app->on_peer_closed != NULL && !(c->slow & TERN_SLOW_DEAF)) /* MUST-12: not on_closed() */
        app->on_peer_closed(tern_shard_of(t), c);
    if (c->state == TERN_FIN_WAIT_2)
        tern_conn_time_wait(t, c, seg);
}

/** Everything that lies ready at RCV.NXT now, FIN included. */
static void deliver_held(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    uint32_t len;
    struct rte_mbuf *m;
    bool fin = false;
    while (c->rxq != 0 && tern_state_can_receive((enum tern_state)c->state)
           && (m = tern_reasm_next(t, c, &len, &fin)) != NULL) {
        if (c->slow & TERN_SLOW_DEAF) { /* the application closed at the piece before (SHLD-3) */
            rte_pktmbuf_free(m);
            tern_conn_abort(t, c, TERN_CLOSE_ABORTED);
            return;
        }
        tern_conn_deliver(t, c, m, len);
    }
    if (fin)
        peer_closed(t, c, seg);
}

enum tern_drop tern_conn_take(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    const struct tern_pkt *p = &seg->p;
    enum tern_drop why = TERN_DROP_TCP_DONE;
    if (p->len_bytes > 0) {
        struct rte_mbuf *m = tern_mbuf_cut(seg->m, p->payload_off, p->len_bytes);
        seg->m = NULL;
        why = TERN_DROP_NONE;
        tern_rcvbuf_arrived(t, c, seg);
        tern_conn_deliver(t, c, m, p->len_bytes);
    }
    if (unlikely(c->rxq != 0)) {
        owe_ack(t, c); /* for what fills a hole, or a part of it, at once (5681-9) */
        deliver_held(t, c, seg);
    }
    if (has(seg, TERN_TCP_FIN) && tern_state_can_receive((enum tern_state)c->state)
        && c->rcv.nxt.v == tern_seq_add(p->seq, p->len_bytes).v)
        peer_closed(t, c, seg);
    return why;
}

/** V049: Sixth; the data itself is in line. A RST or the like has been dealt with (MUST-66). */
static enum tern_drop check_urgent(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (has(seg, TERN_TCP_URG) && tern_state_can_receive((enum tern_state)c->state)
        && !(c->slow & TERN_SLOW_DEAF))
        tern_urgent_rcvd(t, c, seg);
    return TERN_DROP_NONE;
}

/* V043, V045..V048 */
static enum tern_drop take_payload(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    struct tern_pkt *p = &seg->p;
    const bool fin = has(seg, TERN_TCP_FIN);
    if (seg->old_bytes > 0) {
        const struct tern_seq left = {p->seq.v - seg->old_bytes};
        tern_conn_note_duplicate(t, c, left, p->seq); /* (2883-1) */
        owe_ack(t, c);
    }
    if (p->len_bytes == 0 && !fin)
        return TERN_DROP_TCP_DONE;
    if (!tern_state_can_receive((enum tern_state)c->state)) {
        owe_ack(t, c);
        return TERN_DROP_TCP_AFTER_FIN;
    }
    if (p->len_bytes > 0 && tern_conn_has_ecn(t, c))
        tern_ecn_rcvd(t, c, seg);
    if (p->len_bytes > 0 && (c->slow & TERN_SLOW_DEAF)) {
        tern_conn_abort(t, c, TERN_CLOSE_ABORTED); /* SHLD-3 */
        return TERN_DROP_TCP_AFTER_CLOSE;
    }
    if (p->seq.v != c->rcv.nxt.v) {
        owe_ack(t, c); /* MAY-13: a duplicate ACK tells of the gap (5681-9) */
        return tern_reasm_hold(t, c, seg, fin); /* SHLD-31 */
    }
    return tern_conn_take(t, c, seg);
}

/* ---- the order ---- */

/* V211 */
static enum tern_drop arrive(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    typedef enum tern_drop step_fn(struct tern_tcp *, struct tern_conn *, struct tern_seg *);
    static step_fn *const steps[] = {check_timestamp, check_sequence, check_rst, check_syn,
        check_ack, check_urgent, take_payload};
    seg->sets_echo = false;
    seg->old_bytes = 0;
    enum tern_drop why = TERN_DROP_NONE;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0] && why == TERN_DROP_NONE; i++) {
        if (c->state == TERN_CLOSED)
            return TERN_DROP_TCP_DONE;
        why = steps[i](t, c, seg);
    }
    return why;
}

/** Whatever there is. */
static TERN_ASIDE void rx_any(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    tern_pkt_tcp_opts(seg->frame, &seg->p, &seg->opts); /* of any segment: MUST-5 */
    const enum tern_drop why =
        c->state == TERN_SYN_SENT ? tern_syn_sent_rx(t, c, seg) : arrive(t, c, seg);
    tern_seg_done(t, seg, why);
}

void tern_conn_rx(struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg)
{
    if (likely(t->fast_path) && (tern_conn_rx_fast(t, c, seg) || tern_conn_rx_closing(t, c, seg)))
        return;
    rx_any(t, c, seg);
}
