/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The endpoint without ports: for simulators, conformance harnesses and other people's event loops.
 *
 * An instance has no clock, no thread and no random source. It is given packets with the time at
 * which they arrive, gives the packets it wants sent, and says when it next has something to do:
 *
 *     tern_embed_input(e, packet, n, now)        a packet arrived
 *     while ((n = tern_embed_output(e, buf, sizeof buf)) > 0) carry(buf, n);
 *     if (tern_embed_deadline(e, &at)) …         sleep, or set the virtual clock to `at`
 *     tern_embed_advance(e, at)                  time has passed
 *
 * Connections are driven through sockets that never block. The same shard, and so the same bytes on
 * the wire, as on a port. Several instances live in one process; each is used by one thread at a
 * time.
 */
#include <tern/config.h>
#include <tern/conn.h>
#include <tern/stats.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

TERN_BEGIN_DECLS

struct tern_embed;
struct tern_sock;

/**
 * Start DPDK for embedding: no hugepages, no PCI, no files. Once a process, before the first
 * instance; a process whose EAL runs already (an engine's, its own) gets 0 and keeps that.
 *
 * @param mem_mib   memory for the packets of all instances, MiB
 * @return          0, or -errno with one line in *err
 */
TERN_API TERN_MUST_CHECK int tern_embed_start(uint32_t mem_mib, struct tern_error *err);

/** What an instance is made from. */
struct tern_embed_config {
    /** Addresses, static neighbours or `l3`, MTU, buffers, seeds, policies: see config.h. */
    struct tern_stack_config stack;
    uint32_t mbufs; /**< packet buffers, 64..2^24; default 4096 */
};

/** Defaults of tern_stack_config_init(), but l3, no duplicate address detection, small tables. */
TERN_API void tern_embed_config_init(struct tern_embed_config *cfg);

/**
 * Make an instance.
 * @param now_ns    where its time starts; every later time must not be before it
 * @return          0; -EINVAL, -ENOMEM with one line in *err
 */
TERN_API TERN_MUST_CHECK int tern_embed_open(const struct tern_embed_config *cfg, uint64_t now_ns,
    struct tern_embed **out, struct tern_error *err);

/** What an instance had not given back when it closed; all zero is the only right answer. */
struct tern_embed_leaks {
    uint32_t mbufs, records, timers;
};

/** End every connection without a packet, free everything, sockets included. @param leaks may be
 * NULL */
TERN_API void tern_embed_close(struct tern_embed *e, struct tern_embed_leaks *leaks);

/** A frame (or, with l3, an IP packet) of `n_bytes` arrives at `now_ns`; it is copied. */
TERN_API void tern_embed_input(
    struct tern_embed *e, const void *packet, size_t n_bytes, uint64_t now_ns);

/** The next packet to send, cut at `cap`. @return its length, 0: nothing to send now */
TERN_API size_t tern_embed_output(struct tern_embed *e, void *buf, size_t cap);

/** When advance() should be called at the latest. @return false: never, unless something arrives */
TERN_API bool tern_embed_deadline(const struct tern_embed *e, uint64_t *at_ns);

/** Time passes: timers fire. Also sends what socket calls since the last call have queued. The
 * clock of an instance stands still between calls that tell the time: after a sleep call this one
 * first, or what is queued carries the timestamps of before. */
TERN_API void tern_embed_advance(struct tern_embed *e, uint64_t now_ns);

/** The shard inside, for conn.h's own calls (listen with callbacks, statistics). */
TERN_API struct tern_shard *tern_embed_shard(struct tern_embed *e);

/* ---- sockets ---- */

/**
 * Begin to connect. Ready for writing when established; tern_sock_error() tells of failure.
 * @param local, lport  NULL / unspecified and 0: chosen
 * @return 0, or what tern_connect() refuses with, or -ENOMEM
 */
TERN_API TERN_MUST_CHECK int tern_sock_connect(struct tern_embed *e, const union tern_addr *remote,
    uint16_t rport, const union tern_addr *local, uint16_t lport, struct tern_sock **out);

/**
 * The same with the first bytes to send, which travel in the SYN where the server's Fast Open
 * cookie is known: see tern_connect_opts.early.
 * @param bytes [n_bytes] copied
 */
TERN_API TERN_MUST_CHECK int tern_sock_connect_early(struct tern_embed *e,
    const union tern_addr *remote, uint16_t rport, const union tern_addr *local, uint16_t lport,
    const void *bytes, uint32_t n_bytes, struct tern_sock **out);

/** Listen. At most `backlog` established connections wait for accept; further ones are reset. */
TERN_API TERN_MUST_CHECK int tern_sock_listen(struct tern_embed *e, const union tern_addr *addr,
    uint16_t port, uint32_t backlog, struct tern_sock **out);

/** The next connection of a listening socket, or NULL: none waits. */
TERN_API struct tern_sock *tern_sock_accept(struct tern_sock *listener);

/** @return bytes queued, 1..n; -EAGAIN (full, or not connected yet), -EPIPE (closed or reset), 0
 * for n = 0 */
TERN_API ssize_t tern_sock_send(struct tern_sock *s, const void *bytes, size_t n);

/** @return bytes read, 1..n; 0 at the peer's FIN; -EAGAIN, or -ECONNRESET, -ETIMEDOUT … once */
TERN_API ssize_t tern_sock_recv(struct tern_sock *s, void *buf, size_t n);
/** As recv, and the bytes stay. */
TERN_API ssize_t tern_sock_peek(struct tern_sock *s, void *buf, size_t n);

/** Send FIN behind what is queued; receiving goes on. */
TERN_API void tern_sock_shutdown(struct tern_sock *s);
/** Close and free the socket: FIN, or RST when received data was left unread (SHLD-3). */
TERN_API void tern_sock_close(struct tern_sock *s);
/** RST and free the socket. */
TERN_API void tern_sock_abort(struct tern_sock *s);

/** What a socket is ready for. */
enum {
    TERN_READY_READ = 1u << 0,   /**< recv or accept would give something, EOF included */
    TERN_READY_WRITE = 1u << 1,  /**< send would take something */
    TERN_READY_ERROR = 1u << 2,  /**< tern_sock_error() is not 0 */
    TERN_READY_CLOSED = 1u << 3, /**< the connection is over */
};
TERN_API unsigned tern_sock_ready(const struct tern_sock *s);

/** Take the pending error: 0, ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, … */
TERN_API int tern_sock_error(struct tern_sock *s);

/** Options as tern_conn_set(); on a listening socket they apply to connections accepted later. */
TERN_API TERN_MUST_CHECK int tern_sock_set(
    struct tern_sock *s, enum tern_conn_opt opt, uint32_t value);
TERN_API uint32_t tern_sock_get(const struct tern_sock *s, enum tern_conn_opt opt);

/** Describe the connection. @return false: there is none (yet, or any more) */
TERN_API bool tern_sock_describe(const struct tern_sock *s, struct tern_conn_info *out);

TERN_END_DECLS
