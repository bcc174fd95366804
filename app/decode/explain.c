/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The observer's rules. A segment first moves its sender (who did something to send it), then its
 * receiver, in the order of RFC 9293 §3.10.7.4: RST, SYN, ACK, FIN; states.c says where to. That it
 * arrives is an assumption, as in the RFC's own figures; what comes later corrects it:
 *   - who acknowledges a FIN must have had it, whatever was missing in front of it;
 *   - who sends FIN without acknowledging a FIN that was under way did not have it: the two cross;
 *   - who answers a SYN with its own SYN was no listener: simultaneous open;
 *   - who answers a SYN with RST was none either.
 * Numbers are compared with the highest sent so far and with the holes in it, so what was sent
 * before is told from what only comes late. A frame that its receiver would drop (a wrong checksum)
 * moves nobody: which of its bits are wrong is not known.
 */
#include "explain.h"

#include <tern/stats.h>

#include "bits.h"
#include "states.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    IP_CE = 3, /* RFC 3168 §5 */
    OPT_WSCALE = 3,
    WSCALE_MAX = 14,            /* RFC 7323 §2.3 … */
    WINDOW_BYTES_MAX = 1 << 30, /* … so no window is larger */
};

/* A segment and its two ends. */
struct arrival {
    struct app_explained *out;
    const struct tern_decoded_tcp *t;
    struct app_end *sender, *receiver;
    uint32_t seq, end; /* its sequence numbers, [seq, end): SYN and FIN count */
    uint32_t bytes;    /* of payload */
    bool again;        /* every one of them was seen before */
};

/* a is behind b on the circle of sequence numbers (RFC 9293 §3.4). */
static bool is_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

__attribute__((format(printf, 2, 3))) static void note(
    struct app_explained *out, const char *format, ...)
{
    if (out->n_notes == APP_NOTES_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(out->notes[out->n_notes++].text, APP_NOTE_BYTES, format, args);
    va_end(args);
}

/* ---- states ---- */

static struct app_ending *ending_of(const struct arrival *a, const struct app_end *e)
{
    return &a->out->ends[e - a->out->flow->ends];
}

static void move(const struct arrival *a, struct app_end *e, enum app_step step)
{
    const struct app_move m = app_state_move(e->state, step);
    struct app_ending *ending = ending_of(a, e);
    const bool says_more = m.next != e->state || ending->after == ending->before;
    e->state = ending->after = m.next;
    if (m.section != NULL && says_more) {
        ending->why = m.why;
        ending->section = m.section;
    }
}

static bool is_over(const struct app_end *e)
{
    return e->state == TERN_CLOSED || e->state == TERN_TIME_WAIT || e->state == TERN_LISTEN;
}

/* ---- what an end has sent: the highest number, and holes below it ---- */

static void remove_gap(struct app_end *e, uint32_t i)
{
    e->n_gaps--;
    memmove(&e->gaps[i], &e->gaps[i + 1], (e->n_gaps - i) * sizeof e->gaps[0]);
}

static void add_gap(struct app_end *e, uint32_t from, uint32_t to)
{
    if (e->n_gaps == APP_GAPS_MAX)
        remove_gap(e, 0);
    e->gaps[e->n_gaps++] = (struct app_gap){from, to};
}

/* Take [from, to) out of the holes. @return bytes that were missing there */
static uint32_t fill_gaps(struct app_end *e, uint32_t from, uint32_t to)
{
    uint32_t filled = 0;
    for (uint32_t i = e->n_gaps; i-- > 0;) {
        const struct app_gap g = e->gaps[i];
        const uint32_t left = is_after(from, g.from) ? from : g.from;
        const uint32_t right = is_after(g.to, to) ? to : g.to;
        if (!is_after(right, left))
            continue;
        filled += right - left;
        remove_gap(e, i);
        if (is_after(left, g.from))
            add_gap(e, g.from, left);
        if (is_after(g.to, right))
            add_gap(e, right, g.to);
    }
    return filled;
}

/* The receiver says that it has everything before `ack`. */
static void fill_gaps_before(struct app_end *e, uint32_t ack)
{
    for (uint32_t i = e->n_gaps; i-- > 0;) {
        if (!is_after(e->gaps[i].to, ack))
            remove_gap(e, i);
        else if (is_after(ack, e->gaps[i].from))
            e->gaps[i].from = ack;
    }
}

/* ---- notes on numbers ---- */

static bool acks_syn_of(const struct arrival *a, const struct app_end *e)
{
    return a->t->flags & APP_ACK && (!e->has_syn || is_after(a->t->ack, e->iss));
}

static bool is_keepalive(const struct arrival *a)
{
    return !(a->t->flags & (APP_SYN | APP_FIN | APP_RST)) && a->bytes <= 1 && a->sender->has_sent
           && a->seq == a->sender->seq_next - 1 && a->receiver->has_acked
           && a->receiver->acked == a->sender->seq_next;
}

/* The next byte, or as Linux does it the last one again, into a window that is shut. */
static bool is_window_probe(const struct arrival *a)
{
    const struct app_end *r = a->receiver;
    if (a->t->flags & (APP_SYN | APP_FIN | APP_RST) || !r->has_wnd || r->wnd != 0)
        return false;
    return (a->bytes == 1 && a->seq == r->acked) || (a->bytes <= 1 && a->seq == r->acked - 1);
}

static bool note_probe(const struct arrival *a)
{
    if (is_window_probe(a))
        note(a->out, "zero-window probe (RFC 9293 §3.8.6.1)");
    else if (is_keepalive(a))
        note(a->out, "keep-alive: a number that is acknowledged already (RFC 9293 §3.8.4)");
    else
        return false;
    return true;
}

static const char *what_it_is(const struct arrival *a)
{
    switch (a->t->flags & (APP_SYN | APP_ACK | APP_FIN)) {
    case APP_SYN: return "SYN";
    case APP_SYN | APP_ACK: return "SYN,ACK";
    case APP_FIN:
    case APP_FIN | APP_ACK: return a->bytes > 0 ? "data and FIN" : "FIN";
    default: return "data";
    }
}

/* Something with sequence numbers that all lie below the highest sent. */
static void note_old(const struct arrival *a, uint32_t filled)
{
    const uint32_t n = a->end - a->seq;
    if (filled == n)
        note(a->out,
            "fills a gap: %u sequence numbers that come late or are sent again (RFC 9293 "
            "§3.10.7.4)",
            n);
    else if (!note_probe(a))
        note(a->out, "retransmission: %s sent before (RFC 9293 §3.8.1)", what_it_is(a));
}

static void note_new(const struct arrival *a)
{
    const uint32_t next = a->sender->seq_next;
    if (is_after(a->seq, next))
        note(a->out, "gap: %u sequence numbers before it are missing: lost, late or not captured",
            a->seq - next);
    else if (a->seq != next)
        note(a->out,
            "retransmission in part: %u of %u sequence numbers sent before (RFC 9293 §3.8.1)",
            next - a->seq, a->end - a->seq);
    if (is_window_probe(a))
        note(a->out, "zero-window probe (RFC 9293 §3.8.6.1)");
    else if (a->receiver->has_edge && is_after(a->seq + a->bytes, a->receiver->edge))
        note(a->out, "%u bytes beyond the window that was offered (RFC 9293 §3.8.6)",
            a->seq + a->bytes - a->receiver->edge);
}

/* Simultaneous open: its SYN was there before, but without an ACK (RFC 9293 §3.5, figure 7). */
static bool is_answer_to_crossing_syn(const struct arrival *a)
{
    return (a->t->flags & (APP_SYN | APP_ACK)) == (APP_SYN | APP_ACK) && !a->sender->has_syn_ack;
}

/* What the sender's numbers say, and remember them. */
static void take_seq(struct arrival *a)
{
    struct app_end *s = a->sender;
    if (!s->has_sent) {
        s->seq_next = a->end;
        s->has_sent = true;
        return;
    }
    if (a->seq == a->end) {
        note_probe(a);
        return;
    }
    const uint32_t filled = fill_gaps(s, a->seq, a->end);
    if (!is_after(a->end, s->seq_next)) {
        a->again = filled == 0;
        if (!is_answer_to_crossing_syn(a))
            note_old(a, filled);
        return;
    }
    note_new(a);
    if (is_after(a->seq, s->seq_next))
        add_gap(s, s->seq_next, a->seq);
    s->seq_next = a->end;
}

static bool is_pure_ack(const struct arrival *a)
{
    return (a->t->flags & (APP_SYN | APP_FIN | APP_RST | APP_ACK)) == APP_ACK && a->bytes == 0;
}

/* A pure ACK with the number of the one before (RFC 5681 §2: and with the same window). */
static void note_same_ack(const struct arrival *a)
{
    struct app_end *s = a->sender;
    if (s->has_wnd && a->t->wnd != s->wnd) {
        note(a->out, "window update: %u to %u, unscaled (RFC 9293 §3.10.7.4)", s->wnd, a->t->wnd);
    } else if (a->receiver->has_sent && is_after(a->receiver->seq_next, s->acked)) {
        s->n_dup_acks++;
        note(a->out, "duplicate ACK, number %u: something behind %u is missing (RFC 5681 §2)",
            s->n_dup_acks, s->acked);
    }
}

static void note_ack(const struct arrival *a)
{
    const struct app_end *s = a->sender, *r = a->receiver;
    if (r->state == TERN_SYN_SENT && !acks_syn_of(a, r)) {
        note(a->out, "half-open: does not acknowledge the peer's SYN, to be answered with RST (RFC "
                     "9293 §3.5.1)");
        return;
    }
    if (r->has_sent && is_after(a->t->ack, r->seq_next))
        note(a->out, "acknowledges %u sequence numbers that were not captured",
            a->t->ack - r->seq_next);
    if (s->has_acked && is_after(s->acked, a->t->ack))
        note(a->out, "old acknowledgement: it said %u before (RFC 9293 §3.10.7.4)", s->acked);
    if (s->has_acked && is_pure_ack(a) && a->t->ack == s->acked)
        note_same_ack(a);
    if (a->t->wnd == 0 && !(a->t->flags & (APP_SYN | APP_RST)) && (!s->has_wnd || s->wnd != 0))
        note(a->out, "shuts its window (RFC 9293 §3.8.6)");
    else if (a->t->wnd != 0 && s->has_wnd && s->wnd == 0)
        note(a->out, "opens its window again (RFC 9293 §3.8.6)");
}

/* How far its windows are shifted: both SYNs must have offered it (RFC 7323 §2.2). */
static uint32_t wscale_of(const struct app_end *e, const struct app_end *other)
{
    return e->has_wscale && other->has_wscale ? e->wscale : 0;
}

/* How far the other end may send now; known only of a connection whose opening was captured. */
static void take_window(const struct arrival *a)
{
    struct app_end *s = a->sender;
    const bool is_syn = a->t->flags & APP_SYN; /* never scaled */
    s->wnd = a->t->wnd;
    s->has_wnd = !is_syn;
    if (!is_syn && (!s->has_syn || !a->receiver->has_syn))
        return;
    const uint32_t bytes = (uint32_t)a->t->wnd << (is_syn ? 0 : wscale_of(s, a->receiver));
    if (!s->has_edge || is_after(a->t->ack + bytes, s->edge))
        s->edge = a->t->ack + bytes;
    s->has_edge = true;
}

/* What its acknowledgement says, and remember it. */
static void take_ack(const struct arrival *a)
{
    struct app_end *s = a->sender, *r = a->receiver;
    if (!(a->t->flags & APP_ACK) || a->t->flags & APP_RST)
        return;
    note_ack(a);
    if (!r->has_sent || is_after(a->t->ack, r->seq_next)) {
        r->seq_next = a->t->ack;
        r->has_sent = true;
    }
    fill_gaps_before(r, a->t->ack);
    if (!s->has_acked || is_after(a->t->ack, s->acked)) {
        s->acked = a->t->ack;
        s->n_dup_acks = 0;
    }
    s->has_acked = true;
    take_window(a);
}

/* ---- steps ---- */

static bool acks_fin_of(const struct arrival *a, const struct app_end *e)
{
    return a->t->flags & APP_ACK && e->has_fin && is_after(a->t->ack, e->fin_seq);
}

/* Nothing that the end sent in front of its FIN is known to be missing. */
static void let_fin_arrive(const struct arrival *a, struct app_end *e, struct app_end *at)
{
    if (!e->has_fin || e->fin_reached || e->n_gaps != 0)
        return;
    e->fin_reached = true;
    move(a, at, APP_GOT_FIN);
}

static void note_opening(const struct arrival *a)
{
    const uint8_t flags = a->t->flags;
    if (a->bytes > 0)
        note(a->out, "data in a SYN: TCP Fast Open (RFC 7413 §2)");
    if ((flags & (APP_SYN | APP_ACK | APP_ECE | APP_CWR)) == (APP_SYN | APP_ECE | APP_CWR))
        note(a->out, "asks for ECN (RFC 3168 §6.1.1)");
    else if ((flags & (APP_SYN | APP_ACK | APP_ECE | APP_CWR)) == (APP_SYN | APP_ACK | APP_ECE))
        note(a->out, "agrees to ECN (RFC 3168 §6.1.1)");
}

static void note_congestion(const struct arrival *a, const struct tern_decoded *d)
{
    if ((d->ip.tos & 3) == IP_CE)
        note(a->out, "a router marked it: congestion experienced (RFC 3168 §5)");
    if (a->t->flags & APP_SYN)
        return;
    if (a->t->flags & APP_ECE)
        note(a->out, "reports congestion (RFC 3168 §6.1.3)");
    if (a->t->flags & APP_CWR)
        note(a->out, "has reduced its congestion window (RFC 3168 §6.1.2)");
}

static void take_wscale(const struct arrival *a)
{
    struct app_end *s = a->sender;
    s->has_wscale = false;
    for (uint32_t i = 0; i < a->t->n_opts && !s->has_wscale; i++) {
        const struct tern_decoded_opt *o = &a->t->opts[i];
        s->has_wscale = o->kind == OPT_WSCALE && o->is_sound;
        s->wscale = o->values[0] < WSCALE_MAX ? (uint8_t)o->values[0] : WSCALE_MAX;
    }
}

static void take_syn(const struct arrival *a)
{
    const bool has_ack = a->t->flags & APP_ACK;
    struct app_end *s = a->sender;
    note_opening(a);
    if (!has_ack && s->state == TERN_SYN_RCVD && !s->has_syn)
        note(a->out, "simultaneous open: it was no listener, the SYNs crossed (RFC 9293 §3.5)");
    take_wscale(a);
    s->has_syn = true;
    s->has_syn_ack = has_ack;
    s->iss = a->seq;
    move(a, s, has_ack ? APP_SENT_SYN_ACK : APP_SENT_SYN);
    if (has_ack && acks_syn_of(a, a->receiver))
        move(a, a->receiver, APP_GOT_SYN_ACK);
    else if (!has_ack)
        move(a, a->receiver, APP_GOT_SYN);
}

/* RFC 9293 §3.10.7.3, first and second; §3.10.7.4, second, and RFC 5961 §3.2: the very next number.
 */
static bool rst_is_in_order(const struct arrival *a, uint32_t sent_before, bool has_before)
{
    const struct app_end *r = a->receiver;
    if (r->state == TERN_SYN_SENT)
        return acks_syn_of(a, r);
    return (!has_before && !r->has_acked) || (has_before && a->seq == sent_before)
           || (r->has_acked && a->seq == r->acked);
}

static void take_rst(const struct arrival *a, uint32_t sent_before, bool has_before)
{
    const bool in_order = rst_is_in_order(a, sent_before, has_before);
    move(a, a->sender, has_before ? APP_SENT_RST : APP_SENT_REFUSAL);
    if (in_order)
        move(a, a->receiver, APP_GOT_RST);
    else if (a->receiver->state == TERN_SYN_SENT)
        note(a->out, "RST does not acknowledge the SYN: ignored (RFC 9293 §3.10.7.3)");
    else
        note(a->out, "RST is not the next in order: ignored, or answered with ACK (RFC 5961 §3.2)");
}

/* Said once a connection: it may go on for long. */
static void note_half_close(const struct arrival *a, uint32_t state_before)
{
    if (a->bytes == 0 || a->again)
        return;
    if (state_before == TERN_CLOSE_WAIT && a->receiver->fin_acked && !a->sender->told_half_close) {
        note(a->out, "half-closed: data flows in this direction only (RFC 9293 §3.6.1)");
        a->sender->told_half_close = true;
    }
    if (a->receiver->state == TERN_CLOSED)
        note(a->out,
            "data for a connection that is closed: to be answered with RST (RFC 9293 §3.10.7.1)");
}

/* What the sender did: saw its FIN acknowledged, had the peer's, sent its own. */
static void move_sender(const struct arrival *a)
{
    struct app_end *s = a->sender, *r = a->receiver;
    move(a, s, s->state == TERN_SYN_SENT ? APP_GOT_SYN_ACK : APP_SEEN_ACK);
    if (acks_fin_of(a, r) && !r->fin_reached) {
        r->fin_reached = true;
        move(a, s, APP_GOT_FIN);
    }
    if (!(a->t->flags & APP_FIN))
        return;
    if (s->state == TERN_CLOSED && !(a->again && s->fin_acked))
        return;
    const bool crossing = !s->has_fin && r->fin_reached && !acks_fin_of(a, r);
    if (crossing)
        note(a->out, "simultaneous close: sent before the peer's FIN arrived (RFC 9293 §3.6)");
    move(a, s, crossing ? APP_SENT_FIN_CROSSING : APP_SENT_FIN);
    s->has_fin = true;
    s->fin_seq = a->end - 1;
}

static void move_receiver(const struct arrival *a)
{
    struct app_end *s = a->sender, *r = a->receiver;
    move(a, r, APP_SEEN_ACK);
    if (acks_syn_of(a, r))
        move(a, r, APP_GOT_ACK_OF_SYN);
    if (acks_fin_of(a, r)) {
        r->fin_acked = true;
        move(a, r, APP_GOT_ACK_OF_FIN);
    }
    if (a->t->flags & APP_FIN && a->again && s->fin_reached)
        move(a, r, APP_GOT_FIN);
    let_fin_arrive(a, s, r);
}

static void take_rest(const struct arrival *a)
{
    const uint32_t state_before = a->sender->state;
    move_sender(a);
    move_receiver(a);
    note_half_close(a, state_before);
}

/* ---- a segment ---- */

/* The receiver acts upon it. A checksum that the sender's NIC still had to finish is no fault. */
static bool is_taken(const struct tern_decoded *d)
{
    if (!d->drop_is_known || d->drop == TERN_DROP_NONE)
        return true;
    return d->drop == TERN_DROP_TCP_CSUM && d->tcp.csum.verdict == TERN_CSUM_UNFINISHED;
}

/* A first SYN is taken to go to a listener; a new one between ends that are done begins anew. */
static void begin(struct app_flows *flows, struct app_flow *f, uint32_t from, uint32_t seq)
{
    struct app_end *s = &f->ends[from], *r = &f->ends[1 - from];
    const bool is_first = s->state == APP_STATE_UNKNOWN && r->state == APP_STATE_UNKNOWN;
    const bool same_syn = s->has_syn && s->iss == seq;
    if (!is_first && !same_syn && is_over(s) && is_over(r) && (s->has_sent || r->has_sent))
        app_flow_renew(flows, f);
    if (is_first) {
        s->state = TERN_CLOSED;
        r->state = TERN_LISTEN;
    }
    if (!same_syn && s->has_syn) /* half-open: this end begins anew, the other does not know yet */
        app_end_renew(s);
}

/* Neither end was seen to open it. */
static void note_middle(const struct arrival *a)
{
    if (a->sender->state == APP_STATE_UNKNOWN && !(a->t->flags & (APP_SYN | APP_RST)))
        note(a->out, "the capture begins in the middle of this connection: both ends are taken to "
                     "have been ESTABLISHED");
}

/* So far from what its receiver expects that no window reaches there: an old one, or a forged one.
 */
static bool is_outside(const struct arrival *a)
{
    const struct app_end *r = a->receiver;
    return r->has_acked
           && (is_after(a->seq, r->acked + WINDOW_BYTES_MAX)
               || is_after(r->acked - WINDOW_BYTES_MAX, a->end));
}

static void follow(struct arrival *a, const struct tern_decoded *d)
{
    const uint32_t sent_before = a->sender->seq_next;
    const bool has_before = a->sender->has_sent;
    note_middle(a);
    if (a->t->flags & APP_RST) {
        take_rst(a, sent_before, has_before);
        return;
    }
    if (is_outside(a) && !(a->t->flags & APP_SYN)) {
        note(a->out, "outside any window: answered with ACK, else ignored (RFC 9293 §3.10.7.4)");
        return;
    }
    take_seq(a);
    take_ack(a);
    if (a->t->flags & APP_SYN)
        take_syn(a);
    else
        take_rest(a);
    note_congestion(a, d);
}

void app_explain(struct app_flows *flows, const struct tern_decoded *d, struct app_explained *out)
{
    const struct tern_decoded_tcp *t = &d->tcp;
    const struct app_flow_key key = {d->ip.src, d->ip.dst, t->sport, t->dport};
    memset(out, 0, sizeof *out);
    struct app_flow *f = app_flows_find(flows, &key, &out->from);
    out->flow = f;
    if (is_taken(d) && (t->flags & (APP_SYN | APP_ACK | APP_RST)) == APP_SYN)
        begin(flows, f, out->from, t->seq);
    for (int i = 0; i < 2; i++)
        out->ends[i].before = out->ends[i].after = f->ends[i].state;
    if (!is_taken(d)) {
        note(out, "not taken by its receiver (%s): moves nobody", tern_drop_name(d->drop));
        return;
    }
    struct arrival a = {
        .out = out,
        .t = t,
        .sender = &f->ends[out->from],
        .receiver = &f->ends[1 - out->from],
        .seq = t->seq,
        .bytes = t->payload_bytes,
        .end =
            t->seq + t->payload_bytes + (t->flags & APP_SYN ? 1 : 0) + (t->flags & APP_FIN ? 1 : 0),
    };
    follow(&a, d);
}
