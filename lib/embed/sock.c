/* SPDX-License-Identifier: BSD-3-Clause */
#include "embed.h"

/*
 * Sockets over the callbacks of conn.h. A socket outlives its connection (until it is closed, so
 * that EOF and error can be read), and a connection may outlive its socket (closing takes round
 * trips): each points at the other, and whichever goes first cuts both pointers.
 */
#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTS_PRESET = TERN_CONN_LINGER_MS + 1 };

struct tern_sock {
    struct tern_embed *e;
    struct tern_sock *prev, *next; /* the instance's list */
    struct tern_conn *conn;        /* NULL: listening, or over */

    /* a listener */
    int listener; /* -1: not one */
    uint32_t backlog, n_waiting;
    struct tern_sock *waiting, **waiting_end; /* linked by accept_next */
    bool has_preset[OPTS_PRESET];
    uint32_t preset[OPTS_PRESET];

    /* a connection */
    struct tern_sock *accept_next;
    struct tern_sock *accept_from; /* while it waits there */
    bool opened, eof;
    int error;                    /* pending */
    struct rte_mbuf *head, **end; /* received, linked by next; head read up to head_off */
    uint32_t head_off;
};

static struct tern_sock *sock_new(struct tern_embed *e)
{
    struct tern_sock *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->e = e;
    s->listener = -1;
    s->end = &s->head;
    s->waiting_end = &s->waiting;
    s->next = e->socks;
    if (s->next != NULL)
        s->next->prev = s;
    e->socks = s;
    return s;
}

static void free_received(struct tern_sock *s)
{
    while (s->head != NULL) {
        struct rte_mbuf *m = s->head;
        s->head = m->next;
        rte_pktmbuf_free_seg(m);
    }
    s->end = &s->head;
}

static void leave_accept_queue(struct tern_sock *s)
{
    struct tern_sock *l = s->accept_from;
    if (l == NULL)
        return;
    struct tern_sock **link = &l->waiting;
    while (*link != s)
        link = &(*link)->accept_next;
    *link = s->accept_next;
    if (l->waiting_end == &s->accept_next)
        l->waiting_end = link;
    l->n_waiting--;
    s->accept_from = NULL;
}

static void sock_free(struct tern_sock *s)
{
    leave_accept_queue(s);
    if (s->conn != NULL)
        tern_conn_set_user(s->conn, NULL);
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        s->e->socks = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    free_received(s);
    free(s);
}

void tern_socks_free(struct tern_embed *e)
{
    while (e->socks != NULL)
        sock_free(e->socks);
}

/* ---- callbacks ---- */

static int errno_of(enum tern_close_reason why)
{
    switch (why) {
    case TERN_CLOSE_NORMAL: return 0;
    case TERN_CLOSE_RESET: return ECONNRESET;
    case TERN_CLOSE_REFUSED: return ECONNREFUSED;
    case TERN_CLOSE_TIMEOUT: return ETIMEDOUT;
    case TERN_CLOSE_UNREACHABLE: return EHOSTUNREACH;
    case TERN_CLOSE_ABORTED: return ECONNABORTED;
    case TERN_CLOSE_STOPPED: return ESHUTDOWN;
    case TERN_CLOSE_COUNT: break;
    }
    return EIO;
}

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    struct tern_sock *s = tern_conn_user(c);
    if (s != NULL)
        s->opened = true;
}

static void on_data(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    struct tern_sock *s = tern_conn_user(c);
    if (s == NULL) {
        tern_consume(sh, c, m->pkt_len);
        rte_pktmbuf_free(m);
        return;
    }
    *s->end = m;
    while (m->next != NULL)
        m = m->next;
    s->end = &m->next;
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    (void)sh;
    struct tern_sock *s = tern_conn_user(c);
    if (s != NULL)
        s->eof = true;
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    struct tern_sock *s = tern_conn_user(c);
    if (s == NULL)
        return;
    s->conn = NULL;
    s->eof = true;
    s->error = errno_of(why);
}

static void on_accept(struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_sock *l = tern_conn_user(c);
    struct tern_sock *s = l->n_waiting < l->backlog ? sock_new(l->e) : NULL;
    tern_conn_set_user(c, s);
    if (s == NULL) {
        tern_abort(sh, c);
        return;
    }
    s->conn = c;
    s->opened = true;
    s->accept_from = l;
    *l->waiting_end = s;
    l->waiting_end = &s->accept_next;
    l->n_waiting++;
    for (int opt = 0; opt < OPTS_PRESET; opt++)
        if (l->has_preset[opt]
            && tern_conn_set(sh, c, (enum tern_conn_opt)opt, l->preset[opt]) != 0)
            s->error = ENOBUFS;
}

static const struct tern_app connected_app = {
    .on_open = on_open,
    .on_data = on_data,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

static const struct tern_app accepted_app = {
    .on_open = on_accept,
    .on_data = on_data,
    .on_peer_closed = on_peer_closed,
    .on_closed = on_closed,
};

/* ---- opening ---- */

int tern_sock_connect(struct tern_embed *e, const union tern_addr *remote, uint16_t rport,
    const union tern_addr *local, uint16_t lport, struct tern_sock **out)
{
    return tern_sock_connect_early(e, remote, rport, local, lport, NULL, 0, out);
}

int tern_sock_connect_early(struct tern_embed *e, const union tern_addr *remote, uint16_t rport,
    const union tern_addr *local, uint16_t lport, const void *bytes, uint32_t n_bytes,
    struct tern_sock **out)
{
    struct tern_sock *s = sock_new(e);
    if (s == NULL)
        return -ENOMEM;
    struct tern_connect_opts opts = {.remote = *remote,
        .rport = rport,
        .lport = lport,
        .app = &connected_app,
        .user = s,
        .early = bytes,
        .n_early = n_bytes};
    if (local != NULL)
        opts.local = *local;
    const int rc = tern_connect(e->shard, &opts, &s->conn);
    if (rc != 0)
        sock_free(s);
    else
        *out = s;
    return rc;
}

int tern_sock_listen(struct tern_embed *e, const union tern_addr *addr, uint16_t port,
    uint32_t backlog, struct tern_sock **out)
{
    struct tern_sock *s = sock_new(e);
    if (s == NULL)
        return -ENOMEM;
    s->backlog = backlog;
    s->listener = tern_listen(e->shard, addr, port, &accepted_app, s);
    const int rc = s->listener < 0 ? s->listener : 0;
    if (rc != 0)
        sock_free(s);
    else
        *out = s;
    return rc;
}

struct tern_sock *tern_sock_accept(struct tern_sock *listener)
{
    struct tern_sock *s = listener->waiting;
    if (s != NULL)
        leave_accept_queue(s);
    return s;
}

/* ---- data ---- */

ssize_t tern_sock_send(struct tern_sock *s, const void *bytes, size_t n)
{
    if (s->conn == NULL)
        return -EPIPE;
    if (!s->opened)
        return -EAGAIN;
    struct tern_conn_info info;
    tern_conn_describe(s->e->shard, s->conn, &info);
    if (info.state != TERN_ESTABLISHED && info.state != TERN_CLOSE_WAIT
        && info.state != TERN_SYN_RCVD) /* … of a fast open */
        return -EPIPE;
    if (n == 0)
        return 0;
    const size_t took = tern_send_bytes(s->e->shard, s->conn, bytes, n);
    return took != 0 ? (ssize_t)took : -EAGAIN;
}

/** What recv says when no byte is there. */
static ssize_t nothing_to_read(struct tern_sock *s)
{
    if (s->error != 0)
        return -tern_sock_error(s);
    return s->eof ? 0 : -EAGAIN;
}

/** Copy up to n received bytes; they stay. */
static size_t copy_out(const struct tern_sock *s, uint8_t *to, size_t n)
{
    size_t done = 0;
    uint32_t off = s->head_off;
    for (const struct rte_mbuf *m = s->head; m != NULL && done < n; m = m->next) {
        const size_t here = RTE_MIN(n - done, (size_t)(m->data_len - off));
        memcpy(to + done, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), here);
        done += here;
        off = 0;
    }
    return done;
}

static void skip(struct tern_sock *s, size_t n)
{
    size_t off = s->head_off + n;
    while (s->head != NULL && off >= s->head->data_len) {
        struct rte_mbuf *m = s->head;
        off -= m->data_len;
        s->head = m->next;
        rte_pktmbuf_free_seg(m);
    }
    s->head_off = (uint32_t)off;
    if (s->head == NULL)
        s->end = &s->head;
}

ssize_t tern_sock_peek(struct tern_sock *s, void *buf, size_t n)
{
    const size_t done = copy_out(s, buf, n);
    return done != 0 ? (ssize_t)done : nothing_to_read(s);
}

ssize_t tern_sock_recv(struct tern_sock *s, void *buf, size_t n)
{
    const size_t done = copy_out(s, buf, n);
    if (done == 0)
        return nothing_to_read(s);
    skip(s, done);
    if (s->conn != NULL)
        tern_consume(s->e->shard, s->conn, (uint32_t)done);
    return (ssize_t)done;
}

/* ---- closing ---- */

void tern_sock_shutdown(struct tern_sock *s)
{
    if (s->conn != NULL)
        tern_shutdown(s->e->shard, s->conn);
}

/** A listener takes those that wait with it: nobody will ever accept them. */
static void close_listener(struct tern_sock *s)
{
    tern_unlisten(s->e->shard, s->listener);
    while (s->waiting != NULL)
        tern_sock_abort(s->waiting);
}

static void let_go(struct tern_sock *s, void (*end)(struct tern_shard *, struct tern_conn *))
{
    if (s->listener >= 0)
        close_listener(s);
    struct tern_conn *c = s->conn;
    struct tern_shard *sh = s->e->shard;
    sock_free(s);
    if (c != NULL)
        end(sh, c);
}

void tern_sock_close(struct tern_sock *s)
{
    let_go(s, tern_close);
}

void tern_sock_abort(struct tern_sock *s)
{
    let_go(s, tern_abort);
}

/* ---- state ---- */

unsigned tern_sock_ready(const struct tern_sock *s)
{
    unsigned ready = 0;
    if (s->head != NULL || s->eof || s->waiting != NULL)
        ready |= TERN_READY_READ;
    if (s->conn != NULL && s->opened && tern_sendable_bytes(s->e->shard, s->conn) > 0)
        ready |= TERN_READY_WRITE;
    if (s->error != 0)
        ready |= TERN_READY_ERROR;
    if (s->conn == NULL && s->listener < 0)
        ready |= TERN_READY_CLOSED;
    return ready;
}

int tern_sock_error(struct tern_sock *s)
{
    const int error = s->error;
    s->error = 0;
    return error;
}

int tern_sock_set(struct tern_sock *s, enum tern_conn_opt opt, uint32_t value)
{
    if (s->listener >= 0) {
        if ((unsigned)opt >= OPTS_PRESET)
            return -EINVAL;
        s->has_preset[opt] = true;
        s->preset[opt] = value;
        return 0;
    }
    return s->conn != NULL ? tern_conn_set(s->e->shard, s->conn, opt, value) : -ENOTCONN;
}

uint32_t tern_sock_get(const struct tern_sock *s, enum tern_conn_opt opt)
{
    if (s->conn != NULL)
        return tern_conn_get(s->e->shard, s->conn, opt);
    return (unsigned)opt < OPTS_PRESET ? s->preset[opt] : 0;
}

bool tern_sock_describe(const struct tern_sock *s, struct tern_conn_info *out)
{
    if (s->conn == NULL)
        return false;
    tern_conn_describe(s->e->shard, s->conn, out);
    return true;
}
