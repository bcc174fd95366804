/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Connections, as an application sees them.
 *
 * A shard is one worker's whole endpoint. Every call here runs on the shard's own thread: inside a
 * callback, or (embedded) wherever the instance is driven from. Nothing blocks and nothing is
 * called back from inside these calls: callbacks come while a burst is processed, a timer fires or
 * the worker ticks. What a call decides to send leaves at the end of that burst or tick.
 *
 * A `struct tern_conn *` is valid from the successful tern_connect() or the first on_open() until
 * on_closed() returns. on_closed() comes exactly once for each.
 */
#include <tern/addr.h>
#include <tern/stats.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

TERN_BEGIN_DECLS

struct rte_mbuf;
struct tern_shard;
struct tern_conn;
struct tern_static;

/** What an application does. NULL members are skipped (on_data: the data is consumed and freed). */
struct tern_app {
    /** The connection is established: accepted by a listener, or our connect was answered. With
     * tfo_accept it may still be in SYN-RECEIVED, and may be sent on all the same. */
    void (*on_open)(struct tern_shard *sh, struct tern_conn *c);
    /**
     * Payload, in order. Takes over one reference to the chain `m` (payload only, 1.. bytes).
     * The receive window shrinks by its length until tern_consume() returns it.
     */
    void (*on_data)(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m);
    /** The send queue has drained below half of its limit after a send was cut short. */
    void (*on_sendable)(struct tern_shard *sh, struct tern_conn *c);
    /** The peer sent FIN and everything before it was delivered. We may still send. */
    void (*on_peer_closed)(struct tern_shard *sh, struct tern_conn *c);
    /** The connection is over (TIME-WAIT is the shard's own business). Last call for `c`. */
    void (*on_closed)(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why);
    /** The timer set with tern_timer_arm() has passed. */
    void (*on_timer)(struct tern_shard *sh, struct tern_conn *c);
    /**
     * The peer's urgent pointer is new or has advanced: the next `n_bytes` to be delivered are
     * urgent. They come through on_data() like all others (RFC 6093, RFC 9293 §3.8.5 MUST-32).
     */
    void (*on_urgent)(struct tern_shard *sh, struct tern_conn *c, uint32_t n_bytes);
    /** R1: the peer has left three retransmissions unanswered (RFC 9293 §3.8.3 SHLD-9). */
    void (*on_unanswered)(struct tern_shard *sh, struct tern_conn *c);
};

/** States of RFC 9293 §3.3.2. */
enum tern_state {
    TERN_CLOSED,
    TERN_LISTEN,
    TERN_SYN_SENT,
    TERN_SYN_RCVD,
    TERN_ESTABLISHED,
    TERN_FIN_WAIT_1,
    TERN_FIN_WAIT_2,
    TERN_CLOSE_WAIT,
    TERN_CLOSING,
    TERN_LAST_ACK,
    TERN_TIME_WAIT,
    TERN_STATE_COUNT,
};

/** "SYN-SENT", … */
TERN_API const char *tern_state_name(enum tern_state s);

/* ---- opening ---- */

/**
 * Accept connections (passive OPEN, RFC 9293 §3.9.1.1). What those of this listener are to be like
 * (TERN_CONN_CC, TERN_CONN_DSCP …) its on_open() says with tern_conn_set(), before anything is
 * sent.
 *
 * @param addr  one of our addresses, or NULL / unspecified: all of them, both families
 * @param port  1..65535
 * @param app   copied; each accepted connection starts with user data `user`
 * @return      listener id >= 0, -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL, or -ENOSPC
 */
TERN_API TERN_MUST_CHECK int tern_listen(struct tern_shard *sh, const union tern_addr *addr,
    uint16_t port, const struct tern_app *app, void *user);

/** Stop accepting; half-open entries die, unless somebody listens there again before they do;
 * established connections stay. */
TERN_API void tern_unlisten(struct tern_shard *sh, int listener);

/** What to connect to. Zero-initialise; `remote`, `rport` and `app` are needed. */
struct tern_connect_opts {
    union tern_addr remote;
    uint16_t rport;
    union tern_addr local; /**< unspecified: the first of our addresses that suits */
    uint16_t lport;        /**< 0: chosen per RFC 6056, else one whose replies reach this worker */
    const struct tern_app *app; /**< copied on first use; keep it unchanged (compared by address) */
    void *user;
    /**
     * The first bytes to send; copied. With tfo_connect they travel in the SYN where a Fast Open
     * cookie of the server is known, and may then reach its application twice (RFC 7413 §6.1);
     * otherwise they are sent when the handshake is over, and a cookie is asked for.
     */
    const void *early;
    uint32_t n_early; /**< 0..snd_buf_bytes; default 0 */
};

/**
 * Active OPEN: send a SYN. on_open() or on_closed() tells how it went.
 *
 * @param out   the connection; may be NULL
 * @return      0; -EINVAL (broadcast, multicast or own address; n_early), -EADDRNOTAVAIL (no such
 *              local address, no free port, or another worker's), -EADDRINUSE (the four-tuple is in
 *              use), -ENETUNREACH, -ENOBUFS (conns_max reached; with early data also sending_max,
 *              or too few packet buffers), -ENETDOWN (the shard is being closed)
 */
TERN_API TERN_MUST_CHECK int tern_connect(
    struct tern_shard *sh, const struct tern_connect_opts *opts, struct tern_conn **out);

/* ---- receiving ---- */

/** Return `n_bytes` of receive window: that much of what on_data() delivered has been dealt with.
 */
TERN_API void tern_consume(struct tern_shard *sh, struct tern_conn *c, uint32_t n_bytes);

/* ---- sending: SYN-SENT (queued), ESTABLISHED or CLOSE-WAIT, before tern_shutdown() ---- */

/** Payload bytes the send queue has room for now; 0 when nothing may be sent any more. */
TERN_API uint32_t tern_sendable_bytes(const struct tern_shard *sh, const struct tern_conn *c);

/**
 * Queue payload for sending. Copies nothing: takes over one reference per chain it accepts.
 *
 * @param pkts  [n] mbuf chains, payload only, 1.. bytes each
 * @return      chains accepted, 0..n; the caller still owns pkts[ret..n). A chain is accepted
 *              while the queue has any room, so a queue may overshoot by one chain.
 * Cost: O(segments accepted). Source: RFC 9293 §3.10.2.
 */
TERN_API uint32_t tern_send_mbufs(
    struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf **pkts, uint32_t n);

/** Queue a copy of `n_bytes` bytes. @return bytes accepted, 0..n_bytes */
TERN_API size_t tern_send_bytes(
    struct tern_shard *sh, struct tern_conn *c, const void *bytes, size_t n_bytes);

/**
 * Queue a copy of `n_bytes` bytes and mark all up to their end as urgent (RFC 9293 §3.8.5). For old
 * protocols only: RFC 6093 advises against it. @return bytes accepted, 0..n_bytes
 */
TERN_API size_t tern_send_urgent(
    struct tern_shard *sh, struct tern_conn *c, const void *bytes, size_t n_bytes);

/**
 * A body that many connections send and nobody copies. Made once, on the shard that sends it.
 * @return NULL when memory is not to be had
 */
TERN_API struct tern_static *tern_static_new(
    struct tern_shard *sh, const void *bytes, size_t n_bytes);
/** The shard must have no connection left that still sends it. */
TERN_API void tern_static_free(struct tern_static *s);
/** Queue [off, off + n_bytes) of the body by reference. @return bytes accepted, 0..n_bytes */
TERN_API size_t tern_send_static(
    struct tern_shard *sh, struct tern_conn *c, struct tern_static *s, size_t off, size_t n_bytes);

/* ---- closing ---- */

/** Send FIN behind what is queued; receiving goes on (half-close). No-op when done before. */
TERN_API void tern_shutdown(struct tern_shard *sh, struct tern_conn *c);

/**
 * Close both directions: FIN behind what is queued, and no more data is wanted. Unconsumed or later
 * data makes it an RST (RFC 9293 §3.6.1 SHLD-3). on_closed() follows, once.
 */
TERN_API void tern_close(struct tern_shard *sh, struct tern_conn *c);

/** RST now; queued data is discarded. on_closed(TERN_CLOSE_ABORTED) follows. */
TERN_API void tern_abort(struct tern_shard *sh, struct tern_conn *c);

/* ---- knobs ---- */

enum tern_conn_opt {
    TERN_CONN_NODELAY,         /**< 1: Nagle off (MUST-17) */
    TERN_CONN_ACK_POLICY,      /**< enum tern_ack_policy */
    TERN_CONN_KEEPALIVE_MS,    /**< 0: off; else idle time before the first probe */
    TERN_CONN_USER_TIMEOUT_MS, /**< R2 of this connection (MUST-21) */
    TERN_CONN_MSS_MAX,         /**< upper bound of segments sent */
    TERN_CONN_DSCP,            /**< 0..63 (MUST-48, SHLD-21) */
    TERN_CONN_TTL,             /**< 1..255 (MUST-49) */
    TERN_CONN_CC,        /**< enum tern_cc_kind; starts over from the initial window's terms */
    TERN_CONN_PACING,    /**< 1: spread cwnd over the round trip (BBR does so always) */
    TERN_CONN_LINGER_MS, /**< 0: tern_close() aborts; UINT32_MAX (default): waits for ever */
};

/** Set an option. @return 0, -EINVAL (value out of range), -ENOBUFS (no option record left) */
TERN_API TERN_MUST_CHECK int tern_conn_set(
    struct tern_shard *sh, struct tern_conn *c, enum tern_conn_opt opt, uint32_t value);
/** Read an option as it acts now. */
TERN_API uint32_t tern_conn_get(
    const struct tern_shard *sh, const struct tern_conn *c, enum tern_conn_opt opt);

/** The application's own pointer. */
TERN_API void *tern_conn_user(const struct tern_conn *c);
TERN_API void tern_conn_set_user(struct tern_conn *c, void *user);

/** Call on_timer() once, `delay_ns` from now (at most 39 h); replaces an earlier one. @return 0 or
 * -ENOBUFS */
TERN_API TERN_MUST_CHECK int tern_timer_arm(
    struct tern_shard *sh, struct tern_conn *c, uint64_t delay_ns);
TERN_API void tern_timer_cancel(struct tern_shard *sh, struct tern_conn *c);

/** What a connection waits for, when it waits for something. */
enum tern_conn_timer {
    TERN_TIMER_NONE,
    TERN_TIMER_RETRANSMIT, /**< (RFC 6298) */
    TERN_TIMER_PROBE,      /**< of the tail, or the end of a reordering window (RFC 8985) */
    TERN_TIMER_PERSIST,    /**< a probe of the peer's shut window */
    TERN_TIMER_FIN_WAIT_2, /**< the bound on it */
    TERN_TIMER_TIME_WAIT,  /**< its end */
    TERN_TIMER_ACK,        /**< a delayed acknowledgement */
    TERN_TIMER_PACE,
    TERN_TIMER_KEEPALIVE,
    TERN_TIMER_LINGER,
    TERN_TIMER_APP, /**< tern_timer_arm() */
    TERN_TIMER_COUNT,
};

/** "retransmit", … */
TERN_API const char *tern_timer_name(enum tern_conn_timer timer);

/** A connection, described. */
struct tern_conn_info {
    union tern_addr local, remote;
    uint16_t lport, rport;
    enum tern_state state;
    bool timestamps, sack, window_scale;
    uint8_t snd_wscale, rcv_wscale;
    uint16_t mss_bytes; /**< largest payload we send a segment */
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t min_rtt_us;                 /**< smallest of the last minutes, 0: none known */
    uint8_t cc;                          /**< enum tern_cc_kind */
    bool ecn;                            /**< negotiated */
    bool recovering;                     /**< from a loss */
    uint32_t cwnd_bytes, ssthresh_bytes; /**< ssthresh UINT32_MAX: never reduced */
    uint32_t pipe_bytes;                 /**< taken to be in the network (RFC 6675 §4) */
    uint64_t pacing_bytes_per_s;         /**< 0: not paced */
    uint32_t snd_wnd_bytes, rcv_wnd_bytes;
    uint32_t rcv_buf_bytes;               /**< what we may hold for it now */
    uint32_t unacked_bytes, queued_bytes; /**< sent and not acknowledged; not sent yet */
    uint32_t unread_bytes;                /**< delivered and not consumed */
    uint32_t urgent_bytes;                /**< of those to be delivered next (MUST-33) */
    int soft_error;                       /**< 0, or EHOSTUNREACH … from ICMP (MUST-47) */
    uint8_t unanswered;                   /**< retransmissions and probes in a row, up to 15 */
    enum tern_conn_timer timer;           /**< the next to act, or NONE */
    uint32_t timer_us;                    /**< … in so long */
};
TERN_API void tern_conn_describe(
    const struct tern_shard *sh, const struct tern_conn *c, struct tern_conn_info *out);

/* ---- the shard ---- */

/** The application's pointer of this shard. */
TERN_API void *tern_shard_user(const struct tern_shard *sh);
TERN_API void tern_shard_set_user(struct tern_shard *sh, void *user);
/** Index of the worker among those of its endpoint, 0..; 0 when embedded. */
TERN_API uint32_t tern_shard_worker(const struct tern_shard *sh);
/** The time of the burst or tick being processed. */
TERN_API uint64_t tern_shard_now_ns(const struct tern_shard *sh);
TERN_API const struct tern_stats *tern_shard_stats(const struct tern_shard *sh);
/**
 * Walk over the shard's connections, some at a time. Those that are there from the beginning to the
 * end of the walk are met once each, unless others are opened meanwhile: then one may be met twice,
 * or not at all.
 *
 * @param cursor  0 at first; moved on
 * @param out     [n] connections
 * @return        how many; 0: that was all
 * Cost: one cache line for every ten places in the table.
 */
TERN_API uint32_t tern_shard_conns(
    struct tern_shard *sh, uint64_t *cursor, struct tern_conn **out, uint32_t n);
/** An empty mbuf from the shard's data pool (for tern_send_mbufs()), or NULL. */
TERN_API struct rte_mbuf *tern_shard_mbuf(struct tern_shard *sh);

TERN_END_DECLS
