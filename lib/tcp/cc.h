/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Congestion control: what an algorithm is told, and what it answers.
 *
 * Loss detection, PRR, undo and ECN's once-a-round-trip belong to all and live elsewhere
 * (recovery.c, rx_ack.c). An algorithm sees events and sets c->cwnd_bytes and g->ssthresh_bytes.
 *
 * A connection starts without a struct tern_cong and needs none while it is in its first slow
 * start, which NewReno, CUBIC and DCTCP share; so these functions run only once it has one: from
 * the first loss, or from the start where the algorithm wants that (BBR) or ECN was negotiated.
 */
#include "tcp.h"

/** What one ACK told. Bytes are octets of payload and FIN. */
struct tern_ack {
    struct tern_seq prior_una;
    uint32_t acked_bytes;      /* SND.UNA moved by this much */
    uint32_t delivered_bytes;  /* newly known to have arrived, by ACK or SACK: each octet once */
    uint32_t lost_bytes;       /* newly taken to be lost */
    uint32_t prior_pipe_bytes; /* in the network before this ACK */
    uint32_t rtt_us;           /* of the newest segment that it acknowledges; 0: not known (Karn) */
    bool ece;                  /* ECE on a connection with ECN */
    bool was_filled;           /* the window, and nothing else, limited what was sent (RFC 7661) */
    bool is_dsack;             /* reports a duplicate (RFC 2883) */
    bool is_duplicate;         /* a duplicate ACK (RFC 5681 §2), and … */
    bool has_sack;             /* … has SACK blocks */
    bool original_delivered;   /* … acknowledges data sent once only, never reported before */
    bool again_delivered;      /* … or data that was sent again */
    /* delivery rate (draft-cheng-iccrg-delivery-rate-estimation); interval_us 0: no sample */
    uint32_t rate_bytes, interval_us;
    uint32_t prior_delivered_bytes; /* tern_cong.delivered_bytes when the newest was sent */
    uint32_t sent_pipe_bytes;       /* in flight right after it was sent */
    uint32_t sent_lost_bytes;       /* lost between its sending and now */
    bool rate_limited;              /* by the application, when it was sent */
};

enum tern_cc_cause { TERN_CAUSE_LOSS, TERN_CAUSE_ECE, TERN_CAUSE_TIMEOUT };

struct tern_cc {
    const char *name;
    bool wants_cong;  /* from the start of the connection */
    bool wants_ecn;   /* asks for ECN whatever the configuration says */
    bool owns_window; /* sets cwnd in recovery, too; else PRR and slow start after a timeout do */
    bool paces;       /* always */
    /** Start; cwnd_bytes holds the initial window, or the present one after a change of mind. */
    void (*start)(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g);
    /** Every ACK, in recovery, too: learn from it, do not grow. NULL: nothing to learn. */
    void (*seen)(
        struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a);
    /** An ACK outside of recovery (each ACK with owns_window): grow. a->delivered_bytes > 0. */
    void (*acked)(
        struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a);
    /** Congestion: @return the new ssthresh, >= 2 MSS. Called once a window (RFC 5681 §3.1). */
    uint32_t (*reduced)(
        struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, enum tern_cc_cause cause);
    /** The last reduction was for nothing; cwnd and ssthresh have been put back. */
    void (*undone)(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g);
    /** Sending begins after a pause of more than an RTO; cwnd is the restart window by now. */
    void (*restarted)(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g);
    /** bytes a second; NULL or 0: what cwnd and RTT make (tern_cc_pacing_rate). */
    uint64_t (*pacing_rate)(
        const struct tern_tcp *t, const struct tern_conn *c, const struct tern_cong *g);
};

extern const struct tern_cc tern_cc_newreno, tern_cc_cubic, tern_cc_bbr, tern_cc_dctcp;

/* cc.c */

/** The algorithm of a connection. */
const struct tern_cc *tern_conn_cc(const struct tern_tcp *t, const struct tern_conn *c);

/** Slow start with appropriate byte counting, L = 2 MSS (RFC 3465 §2.3; 1 MSS after a timeout).
 * @return bytes that went beyond ssthresh */
uint32_t tern_cc_slow_start(
    const struct tern_tcp *t, struct tern_conn *c, uint32_t ssthresh_bytes, uint32_t acked_bytes);

/** Add-one-MSS-a-window of RFC 5681 §3.1 (3), counted in bytes (RFC 3465 §2.1). */
void tern_cc_linear(
    const struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, uint32_t acked_bytes);

/** The initial window of segments with so much payload (RFC 6928 §2) (6928-1): min(10 MSS, max(2
 * MSS, 14600)), 10 as configured; it replaces the bound of RFC 5681 §3.1 (5681-1). */
static inline uint32_t tern_cc_initial(const struct tern_tcp *t, uint32_t mss)
{
    enum { IW_SEG_BYTES = 1460 }; /* the segment it is counted in */
    const uint32_t n = t->cfg.init_cwnd_segs;
    return RTE_MIN(n * mss, RTE_MAX(2 * mss, n * IW_SEG_BYTES));
}

/** The same for a connection, and the restart window at most that (RFC 5681 §4.1). */
uint32_t tern_cc_initial_window(const struct tern_tcp *t, const struct tern_conn *c);

/** The handshake is over: the initial window, 1 MSS if more than one SYN was lost (c->backoff), and
 * the path record where the algorithm or pacing asks for one. */
void tern_cc_open(struct tern_tcp *t, struct tern_conn *c);

/** Does tern_cc_open() do no more than set the initial window? */
bool tern_cc_opens_plainly(const struct tern_tcp *t);

/** What was in flight when congestion struck, at most cwnd (RFC 5681 §3.1 FlightSize). */
uint32_t tern_cc_flight(const struct tern_tcp *t, const struct tern_conn *c);

/** cwnd += n_bytes, up to the widest window there is. */
void tern_cc_grow(struct tern_conn *c, uint64_t n_bytes);

/* cc_pacing.c */

/** Bytes a second at which to send; 0: unpaced. */
uint64_t tern_cc_pacing_rate(const struct tern_tcp *t, const struct tern_conn *c);

/** Whether output may go on now; else pace_ns says when and the timer will. */
bool tern_cc_may_send_now(struct tern_tcp *t, struct tern_conn *c);

/** `n_bytes` (with headers) have left: when may the next? */
void tern_cc_sent(struct tern_tcp *t, struct tern_conn *c, uint32_t n_bytes);

/* cc.c: what recovery and ACK processing call */

/** After scoreboard, losses and SND.UNA have been brought up to date. */
void tern_cc_acked(struct tern_tcp *t, struct tern_conn *c, const struct tern_ack *a);
/** @return the new ssthresh; cwnd is the caller's unless the algorithm owns it. Without a path
 * record cwnd is 1 MSS from here on. */
uint32_t tern_cc_reduce(struct tern_tcp *t, struct tern_conn *c, enum tern_cc_cause cause);
/** The first output after a pause of more than an RTO (RFC 5681 §4.1). */
void tern_cc_restart(struct tern_tcp *t, struct tern_conn *c);

/** The path record, made on first use; NULL: none is left (sending_max). */
struct tern_cong *tern_conn_cong_need(struct tern_tcp *t, struct tern_conn *c);

/** Change the algorithm. @return 0, -ENOBUFS */
int tern_cc_set(struct tern_tcp *t, struct tern_conn *c, enum tern_cc_kind kind);
