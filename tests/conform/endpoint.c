/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A state is reached by segments and socket calls alone, and the numbers that positions refer to
 * (snd.una, snd.nxt, rcv.nxt, the right edge) are those that the wire has shown. Of tern's inside
 * only the number of records in use is looked at: it tells a half-open connection and TIME-WAIT,
 * which have no socket, from nothing.
 *
 * The peer offers an MSS of 1000 and no window scale; tern has a receive buffer of two kilobytes,
 * so that a closed window is three segments away. Time stands still while a connection is looked
 * at.
 */
#include "endpoint.h"

#include "shard/shard_struct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RCV_BUF_BYTES = 2048,
    PEER_MSS = 1000,
    PEER_WND = 20000, /* MAX.SND.WND */
    ACKED_BYTES = 1000,
    UNACKED_BYTES = 2000,
    LISTEN_PORT = 80,
    CLOSED_PORT = 81,
    ACTIVE_PORT = 5000,
    FIRST_PEER_PORT = 10000,
    TS_RECENT = 5000, /* TSval of all segments that build a state */
    TS_STEP = 10,
    HEARD_MAX = 4,
    PACKET_MAX = 2048,
    BACKLOG = 4,
    HALF_OPEN_MAX = 4096,
    IP_PROTO_TCP = 6
};

static const uint64_t step_ns = 3000000; /* between connections; TIME-WAIT lasts 1 ms */
static const uint32_t pinned_isn = 0xfffffe00;

/** A segment that tern sent to this connection's peer. */
struct heard {
    uint8_t flags;
    uint32_t seq, ack, len, wnd, ts_val;
    bool has_ts;
};

struct used {
    uint32_t conns, halves, tws;
};

struct endpoint {
    struct tern_embed *e;
    struct tern_shard *sh;
    bool v6;
    union tern_addr us, them;
    uint64_t now_ns;
    struct tern_sock *listener;

    /* the connection */
    struct tern_sock *s; /* NULL: none yet */
    struct used before;
    uint16_t port, tern_port;
    bool ts;
    uint32_t ts_echo;
    uint32_t una, nxt;      /* tern's stream: acknowledged, sent */
    uint32_t rcv_nxt, edge; /* the peer's: acknowledged by tern, allowed by tern */
    uint32_t unread;        /* bytes tern holds that filled its window */

    /* the segment tried, and what came back */
    uint32_t seg_seq, seg_ack, seg_len;
    struct heard heard[HEARD_MAX];
    unsigned n_heard;
    struct outcome seen;
};

/* ---- bytes ---- */

static uint8_t pattern(uint32_t seq)
{
    return (uint8_t)((seq * 2654435761u) >> 21);
}

static void put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, v >> 16);
    put16(to + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static uint32_t sum_of(uint32_t sum, const uint8_t *at, uint32_t n)
{
    for (uint32_t i = 0; i + 1 < n; i += 2)
        sum += get16(at + i);
    return n % 2 != 0 ? sum + ((uint32_t)at[n - 1] << 8) : sum;
}

static uint32_t folded(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return ~(sum + (sum >> 16)) & 0xffff;
}

/* ---- what the peer says ---- */

/** The IP header, its checksum, and the sum of the pseudo-header. @return header length */
static uint32_t write_ip(
    const struct endpoint *e, uint8_t *ip, uint32_t tcp_bytes, uint32_t *pseudo_sum)
{
    const uint32_t sum = IP_PROTO_TCP + tcp_bytes;
    if (e->v6) {
        memcpy(ip, (uint8_t[]){0x60, 0, 0, 0, 0, 0, IP_PROTO_TCP, 64}, 8);
        put16(ip + 4, tcp_bytes);
        memcpy(ip + 8, e->them.b, 16);
        memcpy(ip + 24, e->us.b, 16);
        *pseudo_sum = sum_of(sum, ip + 8, 32);
        return 40;
    }
    memcpy(ip, (uint8_t[]){0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, IP_PROTO_TCP, 0, 0}, 12);
    put16(ip + 2, 20 + tcp_bytes);
    memcpy(ip + 12, &e->them.w[3], 4);
    memcpy(ip + 16, &e->us.w[3], 4);
    put16(ip + 10, folded(sum_of(0, ip, 20)));
    *pseudo_sum = sum_of(sum, ip + 12, 8);
    return 20;
}

static uint32_t write_options(uint8_t *at, bool syn, bool ts, uint32_t ts_val, uint32_t ts_echo)
{
    uint32_t n = 0;
    if (syn) {
        memcpy(at, (uint8_t[]){2, 4, PEER_MSS >> 8, PEER_MSS & 0xff}, 4);
        n = 4;
    }
    if (ts) {
        memcpy(at + n, (uint8_t[]){1, 1, 8, 10}, 4);
        put32(at + n + 4, ts_val);
        put32(at + n + 8, ts_echo);
        n += 12;
    }
    return n;
}

static uint32_t ts_value(enum ts_at ts)
{
    return ts == TS_NEW ? TS_RECENT + TS_STEP : ts == TS_OLD ? TS_RECENT - TS_STEP : TS_RECENT;
}

static void say_at(
    struct endpoint *e, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, enum ts_at ts)
{
    uint8_t packet[PACKET_MAX] = {0}, tcp[20 + 40 + PEER_MSS] = {0};
    const bool has_ts = e->ts && ts != TS_GONE;
    const uint32_t n_opt = write_options(tcp + 20, flags & SYN, has_ts, ts_value(ts), e->ts_echo);
    const uint32_t n_tcp = 20 + n_opt + len;
    const uint32_t first = seq + ((flags & SYN) != 0);
    uint32_t sum;
    put16(tcp, e->port);
    put16(tcp + 2, e->tern_port);
    put32(tcp + 4, seq);
    put32(tcp + 8, flags & ACK ? ack : 0);
    tcp[12] = (uint8_t)((20 + n_opt) / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, PEER_WND);
    put16(tcp + 18, flags & URG ? 1 : 0);
    for (uint32_t i = 0; i < len; i++)
        tcp[20 + n_opt + i] = pattern(first + i);
    const uint32_t n_ip = write_ip(e, packet, n_tcp, &sum);
    put16(tcp + 16, folded(sum_of(sum, tcp, n_tcp)));
    memcpy(packet + n_ip, tcp, n_tcp);
    tern_embed_input(e->e, packet, n_ip + n_tcp, e->now_ns);
}

static void say(struct endpoint *e, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    say_at(e, flags, seq, ack, len, TS_SAME);
}

/* ---- what tern says ---- */

static void read_timestamp(const uint8_t *at, uint32_t n, struct heard *h)
{
    for (uint32_t i = 0; i + 1 < n; i += at[i] == 1 ? 1u : at[i + 1] < 2 ? n : at[i + 1])
        if (at[i] == 8 && i + 10 <= n) {
            h->has_ts = true;
            h->ts_val = get32(at + i + 2);
        }
}

/** Note a segment; others than those to this connection's peer are of the past. */
static void note(struct endpoint *e, const uint8_t *packet, uint32_t n)
{
    const uint8_t *tcp = packet + (e->v6 ? 40 : 20);
    const uint32_t n_header = (uint32_t)(tcp[12] >> 4) * 4;
    if (get16(tcp + 2) != e->port || e->n_heard == HEARD_MAX)
        return;
    struct heard *h = &e->heard[e->n_heard++];
    *h = (struct heard){.flags = tcp[13],
        .seq = get32(tcp + 4),
        .ack = get32(tcp + 8),
        .wnd = get16(tcp + 14),
        .len = n - (uint32_t)(tcp - packet) - n_header};
    read_timestamp(tcp + 20, n_header - 20, h);
}

/** Take what tern sends. */
static void hear(struct endpoint *e)
{
    uint8_t packet[PACKET_MAX];
    uint32_t n;
    e->n_heard = 0;
    while ((n = (uint32_t)tern_embed_output(e->e, packet, sizeof packet)) > 0)
        note(e, packet, n);
}

static uint32_t end_of(const struct heard *h)
{
    return h->seq + h->len + ((h->flags & SYN) != 0) + ((h->flags & FIN) != 0);
}

/** Take what tern sends while a state is built, and learn the numbers from it. */
static void follow(struct endpoint *e)
{
    tern_embed_advance(e->e, e->now_ns);
    hear(e);
    for (unsigned i = 0; i < e->n_heard; i++) {
        const struct heard *h = &e->heard[i];
        if (h->flags & SYN)
            e->una = h->seq;
        e->nxt = end_of(h);
        if (h->flags & ACK) {
            e->rcv_nxt = h->ack;
            e->edge = h->ack + h->wnd;
        }
        e->ts_echo = h->ts_val;
    }
}

/* ---- reaching a state ---- */

static struct used in_use(const struct endpoint *e)
{
    const struct tern_shard *sh = e->sh;
    return (struct used){sh->conns.n_used, sh->halves.n_used, sh->tws.n_used};
}

static enum state state_of_sock(const struct tern_sock *s)
{
    static const uint8_t of[TERN_STATE_COUNT] = {
        [TERN_CLOSED] = ST_CLOSED,
        [TERN_SYN_SENT] = ST_SYN_SENT,
        [TERN_SYN_RCVD] = ST_SYN_RCVD_A,
        [TERN_ESTABLISHED] = ST_ESTABLISHED,
        [TERN_FIN_WAIT_1] = ST_FIN_WAIT_1,
        [TERN_FIN_WAIT_2] = ST_FIN_WAIT_2,
        [TERN_CLOSE_WAIT] = ST_CLOSE_WAIT,
        [TERN_CLOSING] = ST_CLOSING,
        [TERN_LAST_ACK] = ST_LAST_ACK,
        [TERN_TIME_WAIT] = ST_TIME_WAIT,
    };
    struct tern_conn_info info;
    return s != NULL && tern_sock_describe(s, &info) ? (enum state)of[info.state] : ST_CLOSED;
}

/** The state tern is in; CLOSED also stands for LISTEN: no record. */
static enum state state_now(struct endpoint *e)
{
    if (e->s == NULL)
        e->s = tern_sock_accept(e->listener);
    const enum state s = state_of_sock(e->s);
    const struct used now = in_use(e);
    if (s != ST_CLOSED)
        return s;
    if (now.halves != e->before.halves)
        return ST_SYN_RCVD_P;
    return now.tws != e->before.tws ? ST_TIME_WAIT : ST_CLOSED;
}

static bool is_active(enum state s)
{
    return s == ST_SYN_SENT || s == ST_SYN_RCVD_A;
}

static void open_actively(struct endpoint *e, enum state s)
{
    if (tern_sock_connect(e->e, &e->them, e->port, &e->us, e->tern_port, &e->s) != 0)
        return;
    follow(e);
    if (s != ST_SYN_RCVD_A)
        return;
    say(e, SYN, e->rcv_nxt - 1, 0, 0);
    follow(e);
}

static void open_passively(struct endpoint *e, enum state s)
{
    say(e, SYN, e->rcv_nxt - 1, 0, 0);
    follow(e);
    if (s == ST_SYN_RCVD_P)
        return;
    e->una = e->nxt;
    say(e, ACK, e->rcv_nxt, e->nxt, 0);
    e->s = tern_sock_accept(e->listener);
    follow(e);
}

static void send_bytes(struct endpoint *e, uint32_t n)
{
    uint8_t bytes[UNACKED_BYTES] = {0};
    if (tern_sock_send(e->s, bytes, n) == (ssize_t)n)
        follow(e);
}

/** The peer acknowledges all that tern has sent. */
static void acknowledge(struct endpoint *e)
{
    e->una = e->nxt;
    say(e, ACK, e->rcv_nxt, e->una, 0);
    follow(e);
}

static void fill_window(struct endpoint *e, uint32_t spared)
{
    while (e->edge - e->rcv_nxt > spared) {
        const uint32_t room = e->edge - e->rcv_nxt - spared, from = e->rcv_nxt;
        const uint32_t n = room < PEER_MSS ? room : PEER_MSS;
        say(e, ACK, e->rcv_nxt, e->una, n);
        e->unread += n;
        follow(e);
        if (e->rcv_nxt == from)
            return;
    }
}

static void peer_finishes(struct endpoint *e)
{
    say(e, FIN | ACK, e->rcv_nxt, e->una, 0);
    follow(e);
}

static void tern_finishes(struct endpoint *e)
{
    tern_sock_shutdown(e->s);
    follow(e);
}

/** From ESTABLISHED; payload is in flight wherever something can be. */
static void go_on(struct endpoint *e, const struct situation *at)
{
    const enum state s = at->state;
    const bool peer_is_done = s == ST_CLOSE_WAIT || s == ST_CLOSING || s == ST_LAST_ACK;
    if (at->wnd == WND_ZERO)
        fill_window(e, peer_is_done); /* a FIN takes the last octet */
    send_bytes(e, ACKED_BYTES);
    acknowledge(e);
    if (s != ST_FIN_WAIT_2 && s != ST_TIME_WAIT)
        send_bytes(e, UNACKED_BYTES);
    if (s == ST_FIN_WAIT_1 || s == ST_FIN_WAIT_2 || s == ST_CLOSING || s == ST_TIME_WAIT)
        tern_finishes(e);
    if (s == ST_FIN_WAIT_2 || s == ST_TIME_WAIT)
        acknowledge(e);
    if (peer_is_done || s == ST_TIME_WAIT)
        peer_finishes(e);
    if (s == ST_LAST_ACK)
        tern_finishes(e);
}

/** Another peer port and other numbers: one connection in four wraps, near or far. */
static void begin(struct endpoint *e, const struct situation *at)
{
    e->now_ns += step_ns;
    e->port++;
    e->s = NULL;
    e->unread = 0;
    e->ts = at->ts != TS_OFF;
    e->ts_echo = 0;
    e->rcv_nxt = e->port % 4 == 0 ? 0u - e->port % 3000 : e->port * 2654435761u;
    e->edge = e->rcv_nxt + RCV_BUF_BYTES;
    e->una = e->rcv_nxt ^ 0x5a5a5a5a; /* where nothing is known: anything */
    e->nxt = e->una + 1;
    e->tern_port = at->state == ST_CLOSED ? CLOSED_PORT
                   : is_active(at->state) ? ACTIVE_PORT
                                          : LISTEN_PORT;
    tern_embed_advance(e->e, e->now_ns);
    hear(e);
    e->before = in_use(e);
}

bool endpoint_reach(struct endpoint *e, const struct situation *at)
{
    const enum state want = at->state == ST_LISTEN ? ST_CLOSED : at->state;
    begin(e, at);
    if (is_active(at->state))
        open_actively(e, at->state);
    else if (at->state > ST_LISTEN)
        open_passively(e, at->state);
    if (at->state >= ST_ESTABLISHED)
        go_on(e, at);
    return state_now(e) == want && (at->wnd == WND_ZERO) == (e->edge == e->rcv_nxt);
}

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

/* ---- the instance ---- */

void endpoint_leave(struct endpoint *e)
{
    if (e->s != NULL)
        tern_sock_abort(e->s);
    e->s = NULL;
}

static void configure(struct tern_embed_config *cfg, bool v6, bool pin_isn)
{
    struct tern_stack_config *c = &cfg->stack;
    tern_embed_config_init(cfg);
    cfg->mbufs = 512;
    c->n_addrs = 1;
    c->seed[0] = 1;
    c->rcv_buf_bytes = RCV_BUF_BYTES;
    c->ack_policy = TERN_ACK_EVERY_BURST; /* an acknowledgment that is due is seen at once */
    c->nodelay = true;
    c->syn_cookies = TERN_SYN_COOKIES_NEVER;
    c->time_wait_ms = 1;
    c->half_open_max = HALF_OPEN_MAX;
    c->pins.has_isn = pin_isn;
    c->pins.isn = pinned_isn;
    if (tern_prefix_parse(v6 ? "2001:db8::1/64" : "192.0.2.1/24", &c->addrs[0]) != 0)
        abort();
}

struct endpoint *endpoint_open(bool v6, bool pin_isn)
{
    struct tern_embed_config cfg;
    struct tern_error err = {0};
    struct endpoint *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    configure(&cfg, v6, pin_isn);
    e->v6 = v6;
    e->us = cfg.stack.addrs[0].addr;
    e->now_ns = 1000000000000; /* any */
    e->port = FIRST_PEER_PORT;
    if (tern_addr_parse(v6 ? "2001:db8::2" : "192.0.2.2", &e->them) != 0
        || tern_embed_open(&cfg, e->now_ns, &e->e, &err) != 0
        || tern_sock_listen(e->e, NULL, LISTEN_PORT, BACKLOG, &e->listener) != 0) {
        fprintf(stderr, "no endpoint: %s\n", err.text);
        free(e);
        return NULL;
    }
    e->sh = tern_embed_shard(e->e);
    return e;
}

bool endpoint_close(struct endpoint *e)
{
    struct tern_embed_leaks leaks;
    tern_embed_close(e->e, &leaks);
    free(e);
    return leaks.mbufs == 0 && leaks.records == 0 && leaks.timers == 0;
}
