/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint_inside.h"

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
#include <stdlib.h>

enum {
    ACKED_BYTES = 1000,
    LISTEN_PORT = 80,
    CLOSED_PORT = 81,
    ACTIVE_PORT = 5000,
    FIRST_PEER_PORT = 10000,
    BACKLOG = 4,
    HALF_OPEN_MAX = 4096,
};

static const uint64_t step_ns = 3000000; /* between connections; TIME-WAIT lasts 1 ms */
static const uint32_t pinned_isn = 0xfffffe00;

/* ---- reaching a state ---- */

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
enum state state_now(struct endpoint *e)
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
