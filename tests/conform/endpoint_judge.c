/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint_inside.h"

/*
 * What came of a segment, by what the wire and the socket show: the answer number by number, the
 * state, what was delivered and what the user was told. Where the connection lives on, what follows
 * shows whether tern holds the segment for later, and whether it still takes the next octet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the segment ---- */

static uint32_t seq_of(const struct endpoint *e, enum seq_at at)
{
    switch (at) {
    case SEQ_FAR_LEFT: return e->rcv_nxt - FAR_BYTES;
    case SEQ_LEFT: return e->rcv_nxt - LEFT_BYTES;
    case SEQ_BEFORE: return e->rcv_nxt - 1;
    case SEQ_AT: return e->rcv_nxt;
    case SEQ_AFTER: return e->rcv_nxt + 1;
    case SEQ_INSIDE: return e->rcv_nxt + INSIDE_BYTES;
    case SEQ_LAST: return e->edge - 1;
    case SEQ_EDGE: return e->edge;
    case SEQ_BEYOND: return e->edge + BEYOND_BYTES;
    case SEQ_FAR_RIGHT: return e->rcv_nxt + FAR_BYTES;
    case N_SEQ: break;
    }
    abort();
}

static uint32_t ack_of(const struct endpoint *e, enum ack_at at)
{
    switch (at) {
    case ACK_OFF: return 0;
    case ACK_OLD: return e->una - PEER_WND - 1;
    case ACK_OLDEST: return e->una - PEER_WND;
    case ACK_BELOW: return e->una - BELOW_BYTES;
    case ACK_UNA: return e->una;
    case ACK_MID: return e->una + UNACKED_BYTES / 2;
    case ACK_NXT: return e->nxt;
    case ACK_BEYOND: return e->nxt + 1;
    case ACK_FAR: return e->nxt + FAR_BYTES;
    case N_ACK: break;
    }
    abort();
}

/* ---- what came of it ---- */

/** Payload the user got by this segment, its bytes compared. */
static enum deliver read_delivered(struct endpoint *e, const struct situation *at)
{
    uint8_t bytes[RCV_BUF_BYTES + 2 * PEER_MSS];
    uint32_t n = 0;
    ssize_t got = 1;
    while (e->s != NULL && n < sizeof bytes && got > 0)
        if ((got = tern_sock_recv(e->s, bytes + n, sizeof bytes - n)) > 0)
            n += (uint32_t)got;
    e->seen.eof = e->s != NULL && got == 0;
    if (n < e->unread) /* a reset may have taken it */
        return n == 0 ? DEL_0 : DEL_OTHER;
    n -= e->unread;
    const uint32_t first = at->state == ST_SYN_SENT ? e->seg_seq + 1 : e->rcv_nxt;
    for (uint32_t i = 0; i < n; i++)
        if (bytes[e->unread + i] != pattern(first + i))
            return DEL_OTHER;
    if (n == 0)
        return DEL_0;
    return n == e->seg_len ? DEL_ALL : n + 1 == e->seg_len ? DEL_REST : DEL_OTHER;
}

static bool has_finished(enum state s)
{
    return s == ST_CLOSE_WAIT || s == ST_CLOSING || s == ST_LAST_ACK || s == ST_TIME_WAIT;
}

/** RCV.NXT after the segment, by what was delivered. */
static uint32_t rcv_nxt_after(const struct endpoint *e, const struct situation *at)
{
    const uint32_t syn = (at->flags & SYN) != 0;
    if (e->seen.deliver == DEL_ALL || e->seen.deliver == DEL_REST || e->seen.eof)
        return e->seg_seq + syn + e->seg_len + e->seen.eof;
    return at->state == ST_SYN_SENT && e->seen.next != ST_SYN_SENT ? e->seg_seq + 1 : e->rcv_nxt;
}

static enum answer judge_syn_ack(
    const struct endpoint *e, const struct heard *h, const struct situation *at)
{
    /* a new connection: ISS is free, but behind what TIME-WAIT remembers (MAY-2) */
    if (h->ack == e->seg_seq + 1 && at->state == ST_LISTEN)
        return ANS_SYN_ACK;
    if (h->ack == e->seg_seq + 1 && at->state == ST_TIME_WAIT)
        return (int32_t)(h->seq - e->nxt) >= 0 ? ANS_SYN_ACK : ANS_OTHER;
    return h->seq == e->una && h->ack == rcv_nxt_after(e, at) ? ANS_SYN_ACK : ANS_OTHER;
}

/** Which of the answers of arrival.rules this is, number by number. */
static enum answer judge_answer(const struct endpoint *e, const struct situation *at)
{
    const uint32_t seg_bytes = e->seg_len + ((at->flags & SYN) != 0) + ((at->flags & FIN) != 0);
    const struct heard *h = e->heard;
    if (e->n_heard != 1)
        return e->n_heard == 0 ? ANS_NONE : ANS_OTHER;
    if (h->len != 0)
        return ANS_OTHER;
    switch (h->flags) {
    case ACK: return h->seq == e->nxt && h->ack == rcv_nxt_after(e, at) ? ANS_ACK : ANS_OTHER;
    case RST: return h->seq == e->seg_ack ? ANS_RST : ANS_OTHER;
    case RST | ACK:
        return h->seq == 0 && h->ack == e->seg_seq + seg_bytes ? ANS_RST_ACK : ANS_OTHER;
    case SYN | ACK: return judge_syn_ack(e, h, at);
    case SYN | ACK | ECE: /* an ECN-setup SYN may be answered so (RFC 3168 §6.1.1) */
        return (at->flags & (ECE | CWR)) == (ECE | CWR) ? judge_syn_ack(e, h, at) : ANS_OTHER;
    default: return ANS_OTHER;
    }
}

/** Payload in flight, as tern counts it; -1: there is no connection to ask. */
static int32_t in_flight(const struct endpoint *e)
{
    struct tern_conn_info info;
    return e->s != NULL && tern_sock_describe(e->s, &info) ? (int32_t)info.unacked_bytes : -1;
}

/** Was SEG.ACK taken? @param before  payload in flight when the segment came */
static enum acked judge_acked(const struct endpoint *e, const struct situation *at, int32_t before)
{
    const int32_t after = in_flight(e);
    const int32_t news = at->ack == ACK_NXT   ? UNACKED_BYTES
                         : at->ack == ACK_MID ? UNACKED_BYTES / 2
                                              : 0;
    if (before < UNACKED_BYTES || after < 0)
        return ACKED_UNSEEN;
    if (before == after)
        return news == 0 ? ACKED_UNSEEN : ACKED_NOT;
    return before - after == news ? ACKED_TAKEN : ACKED_OTHER;
}

static enum user judge_user(const struct endpoint *e)
{
    if (e->s == NULL)
        return USER_TOLD_NOTHING;
    const bool closed = tern_sock_ready(e->s) & TERN_READY_CLOSED;
    switch (tern_sock_error(e->s)) {
    case 0: return closed && e->seen.next == ST_CLOSED ? USER_DONE : USER_TOLD_NOTHING;
    case ECONNRESET: return USER_RESET;
    case ECONNREFUSED: return USER_REFUSED;
    default: return USER_OVER;
    }
}

/* ---- and afterwards ---- */

static bool still_receives(const struct endpoint *e, const struct situation *at)
{
    const enum state s = e->seen.next;
    return (s == ST_ESTABLISHED || s == ST_FIN_WAIT_1 || s == ST_FIN_WAIT_2) && at->wnd == WND_OPEN;
}

/** Could tern hold the segment for later? */
static bool may_be_held(const struct endpoint *e, const struct situation *at)
{
    return (at->seq == SEQ_AFTER || at->seq == SEQ_INSIDE || at->seq == SEQ_LAST)
           && (e->seg_len > 0 || at->flags & FIN) && at->state > ST_SYN_SENT
           && e->seen.deliver == DEL_0;
}

/** Send [from, to) of the peer's stream and acknowledge all of tern's. @return RCV.NXT then */
static uint32_t feed(struct endpoint *e, uint32_t from, uint32_t to)
{
    while (from != to) {
        const uint32_t gap = to - from, n = gap < PEER_MSS ? gap : PEER_MSS;
        say_at(e, ACK, from, e->nxt, n, TS_NEW);
        from += n;
    }
    hear(e);
    return e->n_heard > 0 && e->heard[e->n_heard - 1].seq == e->nxt ? e->heard[e->n_heard - 1].ack
                                                                    : from - 1;
}

/** Fill the gap before the segment. @return DEL_LATER when tern then has all of it, DEL_0 none */
static enum deliver fill_gap(struct endpoint *e, const struct situation *at)
{
    uint32_t end = e->seg_seq + e->seg_len + ((at->flags & FIN) != 0);
    if ((int32_t)(end - e->edge) > 0)
        end = e->edge;
    const uint32_t got = feed(e, e->rcv_nxt, e->seg_seq);
    return got == end ? DEL_LATER : got == e->seg_seq ? DEL_0 : DEL_OTHER;
}

/** The connection lives: is what tern holds for later right, or else is the next octet taken? */
static void look_further(struct endpoint *e, const struct situation *at)
{
    struct heard answer[HEARD_MAX];
    const unsigned n = e->n_heard;
    memcpy(answer, e->heard, sizeof answer);
    if (may_be_held(e, at)) {
        e->seen.deliver = fill_gap(e, at);
    } else {
        const uint32_t next = rcv_nxt_after(e, at);
        e->seen.stuck = feed(e, next, next + 1) != next + 1;
    }
    memcpy(e->heard, answer, sizeof answer);
    e->n_heard = n;
}

struct outcome endpoint_try(struct endpoint *e, const struct situation *at)
{
    e->seg_seq = seq_of(e, at->seq);
    e->seg_ack = ack_of(e, at->ack);
    e->seg_len = at->len == LEN_SOME ? TEXT_BYTES : 0;
    const int32_t before = in_flight(e);
    say_at(e, at->flags, e->seg_seq, e->seg_ack, e->seg_len, at->ts);
    hear(e);
    e->seen = (struct outcome){.next = state_now(e)};
    e->seen.acked = judge_acked(e, at, before);
    e->seen.user = judge_user(e);
    e->seen.deliver = read_delivered(e, at);
    if (has_finished(at->state) || e->seen.next == ST_CLOSED)
        e->seen.eof = false; /* known before, or the end of another kind */
    e->seen.answer = judge_answer(e, at);
    if (still_receives(e, at))
        look_further(e, at);
    return e->seen;
}

void endpoint_print_answer(const struct endpoint *e, FILE *to)
{
    static const char letters[] = "FSRPAUEC";
    for (unsigned i = 0; i < e->n_heard; i++) {
        const struct heard *h = &e->heard[i];
        fprintf(to, "%s<", i > 0 ? " " : "");
        for (int bit = 0; bit < 8; bit++)
            if (h->flags >> bit & 1)
                fputc(letters[bit], to);
        fprintf(to, " seq nxt%+d", (int)(h->seq - e->nxt));
        if (h->flags & ACK)
            fprintf(to, " ack rcv.nxt%+d", (int)(h->ack - e->rcv_nxt));
        fprintf(to, " len %u>", h->len);
    }
}
