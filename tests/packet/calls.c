/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* User calls (RFC 9293 §3.9.1) on the sockets of the endpoint, each with the outcome it must have.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void judge_call(struct world *w, int rc)
{
    if (rc == -w->st->error)
        return;
    world_differ(w, "the call returned %d (%s)", rc, rc < 0 ? strerror(-rc) : "success");
}

static bool has_sock(struct world *w)
{
    if (w->flow->sock == NULL)
        world_differ(w, "there is no socket: listen and accept, or connect");
    return w->flow->sock != NULL;
}

static void do_listen(struct world *w)
{
    const union tern_addr *addr = NULL;
    judge_call(w, tern_sock_listen(w->e, addr, TERN_PORT, w->st->value, &w->listener));
}

static void do_connect(struct world *w)
{
    const struct step *st = w->st;
    struct flow *f = w->flow;
    const bool any_port = st->value == 1;
    const uint16_t own = (uint16_t)(TERN_PORT_ACTIVE + (f - w->flows));
    f->tern_port = any_port ? 0 : st->port != 0 ? st->port : own;
    const int rc = tern_sock_connect(
        w->e, st->has_addr ? &st->addr : &w->ends.peer, f->peer_port, NULL, f->tern_port, &f->sock);
    judge_call(w, rc);
}

static void do_accept(struct world *w)
{
    struct tern_sock *s = w->listener != NULL ? tern_sock_accept(w->listener) : NULL;
    if ((s == NULL) != w->st->has_span)
        world_differ(w, s == NULL ? "no connection waits" : "a connection waits");
    else if (s != NULL)
        w->flow->sock = s;
}

static void do_write(struct world *w)
{
    if (!has_sock(w))
        return;
    struct flow *f = w->flow;
    const size_t n = (size_t)w->st->span.lo;
    uint8_t *bytes = malloc(n);
    if (bytes == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        bytes[i] = wire_pattern(f->n_written + 1 + (int64_t)i);
    const ssize_t took = tern_sock_send(f->sock, bytes, n);
    free(bytes);
    if (took > 0)
        f->n_written += took;
    if (took != (w->st->error != 0 ? -w->st->error : w->st->span.hi))
        world_differ(w, "the call returned %zd", took);
}

/** Read exactly n bytes and look at each. */
static void read_bytes(struct world *w, size_t n)
{
    struct flow *f = w->flow;
    uint8_t *bytes = malloc(n);
    if (bytes == NULL)
        abort();
    const ssize_t got = tern_sock_recv(f->sock, bytes, n);
    if (got != (ssize_t)n)
        world_differ(w, "the call returned %zd", got);
    for (size_t i = 0; i < n && !w->failed; i++) {
        const uint8_t want =
            w->st->seg.has_fill ? w->st->seg.fill : wire_pattern(f->n_read + 1 + (int64_t)i);
        if (bytes[i] != want)
            world_differ(w, "byte %zu is 0x%02x and not 0x%02x", i, bytes[i], want);
    }
    f->n_read += (int64_t)n;
    free(bytes);
}

static void do_read(struct world *w)
{
    uint8_t byte;
    if (!has_sock(w))
        return;
    if (w->st->error == 0) {
        read_bytes(w, (size_t)w->st->span.lo);
        return;
    }
    const ssize_t got = tern_sock_recv(w->flow->sock, &byte, 1);
    if (got != -w->st->error)
        world_differ(w, "the call returned %zd", got);
}

static void do_eof(struct world *w)
{
    uint8_t byte;
    if (!has_sock(w))
        return;
    const ssize_t got = tern_sock_recv(w->flow->sock, &byte, 1);
    if (got != 0)
        world_differ(w, "the call returned %zd", got);
}

static void end_sock(struct world *w, void (*end)(struct tern_sock *))
{
    if (!has_sock(w))
        return;
    end(w->flow->sock);
    if (end != tern_sock_shutdown)
        w->flow->sock = NULL;
}

static void do_unlisten(struct world *w)
{
    if (w->listener == NULL) {
        world_differ(w, "nothing listens");
        return;
    }
    tern_sock_close(w->listener);
    w->listener = NULL;
}

static void do_option(struct world *w)
{
    struct tern_sock *s = w->flow->sock != NULL ? w->flow->sock : w->listener;
    if (s == NULL)
        world_differ(w, "there is no socket to set it on");
    else
        judge_call(w, tern_sock_set(s, (enum tern_conn_opt)w->st->span.lo, w->st->value));
}

static void do_shutdown(struct world *w)
{
    end_sock(w, tern_sock_shutdown);
}

static void do_close(struct world *w)
{
    end_sock(w, tern_sock_close);
}

static void do_abort(struct world *w)
{
    end_sock(w, tern_sock_abort);
}

void world_call(struct world *w)
{
    static void (*const calls[])(struct world * w) = {
        [ACT_LISTEN] = do_listen,
        [ACT_UNLISTEN] = do_unlisten,
        [ACT_CONNECT] = do_connect,
        [ACT_ACCEPT] = do_accept,
        [ACT_WRITE] = do_write,
        [ACT_READ] = do_read,
        [ACT_EOF] = do_eof,
        [ACT_SHUTDOWN] = do_shutdown,
        [ACT_CLOSE] = do_close,
        [ACT_ABORT] = do_abort,
        [ACT_OPTION] = do_option,
    };
    calls[w->st->act](w);
}
