/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The records a connection lives in, by stage of life:
 *
 *   half-open     struct tern_half   64 bytes   from SYN to the ACK that completes it
 *   connection    struct tern_conn  128 bytes   everything an idle established one needs
 *     + IPv6      struct tern_addr6  64 bytes   its two addresses
 *     + sending   struct tern_txq    64 bytes   while payload is queued or unacknowledged
 *     + gap       struct tern_rxq    64 bytes   while out-of-order data is held
 *     + options   struct tern_rare   64 bytes   once keep-alive, timers, DSCP … are asked for
 *   TIME-WAIT     struct tern_tw     64 bytes   2·MSL after an active close
 *
 * All come from pools and are named by 32-bit indices, 0 for none. The sizes are the budget of
 * design.md §4 and are pinned below.
 */
#include <tern/addr.h>
#include <tern/conn.h>

#include "proto.h"
#include "wire/seq.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/** Which connection: the four-tuple as this end sees it. Ports in host order. */
struct tern_flow_key {
    union tern_addr remote, local;
    uint16_t rport, lport;
};

/** tern_conn.flags */
enum {
    TERN_CF_V6 = 1u << 0,             /* addresses are in a tern_addr6 record */
    TERN_CF_ACTIVE = 1u << 1,         /* we opened it (MUST-11) */
    TERN_CF_TS = 1u << 2,             /* timestamps negotiated */
    TERN_CF_SACK = 1u << 3,           /* SACK negotiated */
    TERN_CF_WSCALE = 1u << 4,         /* window scaling negotiated */
    TERN_CF_NODELAY = 1u << 5,        /* Nagle off */
    TERN_CF_ACK_NOW = 1u << 6,        /* an ACK is owed at the end of this burst */
    TERN_CF_ACK_LATER = 1u << 7,      /* ack_at is armed */
    TERN_CF_RTX = 1u << 8,            /* rtx_at is armed */
    TERN_CF_TOUCHED = 1u << 9,        /* on the shard's list of connections to settle */
    TERN_CF_FIN_QUEUED = 1u << 10,    /* the application has closed its sending side */
    TERN_CF_FIN_SENT = 1u << 11,      /* our FIN is at SND.NXT - 1 */
    TERN_CF_WANT_SENDABLE = 1u << 12, /* a send was cut short */
    TERN_CF_OPENED = 1u << 13,        /* counted as established */
    TERN_CF_QUICK_ACK = 1u << 14,     /* policy: every burst */
    TERN_CF_DELAY_ACK = 1u << 15,     /* policy: delayed from the first segment */
};

/** tern_conn.slow: why the fast path must not be taken. All zero only in plain ESTABLISHED. */
enum {
    TERN_SLOW_STATE = 1u << 0,    /* not ESTABLISHED */
    TERN_SLOW_REASM = 1u << 1,    /* out-of-order data held */
    TERN_SLOW_RECOVERY = 1u << 2, /* retransmitting */
    TERN_SLOW_WINDOW = 1u << 3,   /* the peer's window is closed */
    TERN_SLOW_DEAF = 1u << 4,     /* the application has closed: data is answered with RST */
    TERN_QUICK_START = 1u << 7,   /* not a reason: quick-start acknowledgements are still to give */
};

struct tern_snd {
    struct tern_seq una; /* oldest octet not acknowledged */
    struct tern_seq nxt; /* next octet to send for the first time; una <= nxt */
    uint32_t wnd_bytes;  /* the peer's window, scaled; right edge = una + wnd */
};

struct tern_rcv {
    struct tern_seq nxt; /* next octet expected */
    struct tern_seq adv; /* right edge last advertised; nxt <= adv, never moves left (SHLD-14) */
};

/** A connection. Line 0 is what an in-order segment reads and writes; line 1 is the rest. */
struct tern_conn {
    /* --- line 0 --- */
    uint32_t remote4;              /*  0: network order; with CF_V6 the index of its tern_addr6 */
    uint32_t local4;               /*  4 */
    uint16_t rport, lport;         /*  8 */
    uint8_t state;                 /* 12: enum tern_state, moved by tern_conn_set_state() alone */
    uint8_t slow;                  /* 13: TERN_SLOW_* */
    uint16_t flags;                /* 14: TERN_CF_* */
    struct tern_snd snd;           /* 16 */
    struct tern_rcv rcv;           /* 28 */
    uint32_t ts_recent;            /* 36: RFC 7323 §4.3 */
    struct tern_seq last_ack_sent; /* 40: <= rcv.nxt; RFC 7323 Last.ACK.sent */
    uint32_t txq;                  /* 44 */
    uint32_t touch_next;           /* 48: next on the shard's list to settle */
    uint32_t rtx_at; /* 52: tick; retransmission, probe or FIN-WAIT-2 limit, by state */
    void *user;      /* 56 */
    /* --- line 1 --- */
    uint32_t wheel_next, wheel_prev, wheel_due; /* 64: struct tern_wheel_node */
    union {                                     /* 76 */
        uint32_t ack_at;          /* with CF_ACK_LATER: tick of the delayed acknowledgement */
        uint32_t quick_acks_left; /* with QUICK_START: segments still acknowledged at once */
    };
    uint32_t srtt_us8;       /* 80: smoothed RTT × 8; 0 = no sample yet */
    uint32_t rttvar_us4;     /* 84: its variation × 4 */
    uint32_t cwnd_bytes;     /* 88 */
    uint32_t ssthresh_bytes; /* 92 */
    struct tern_seq wl1;   /* 96: SND.WL1. SND.WL2 is not kept: it never passes SND.UNA, and an ACK
                                  below SND.UNA updates nothing, so its test always holds */
    uint32_t unread_bytes; /* 100: delivered to the application and not consumed */
    uint32_t last_rx_ms;   /* 104: when anything acceptable last came */
    uint32_t ts_offset;    /* 108: added to our timestamp clock (RFC 7323 §7.1) */
    uint32_t rare;         /* 112: index of a tern_rare */
    uint32_t rxq;          /* 116: index of a tern_rxq */
    uint16_t mss_bytes;    /* 120: largest segment to send, TCP options included */
    uint16_t neighbour;    /* 122: next hop */
    uint8_t app;           /* 124: index into the shard's applications */
    uint8_t wscale;        /* 125: low nibble the peer's shift, high nibble ours */
    uint8_t backoff; /* 126: low nibble doublings of the RTO, high nibble expiries unanswered */
    uint8_t misc;    /* 127: end reason while closing; else the last challenge ACK's period */
};

static_assert(sizeof(struct tern_conn) == 128, "two cache lines a connection (design.md §4)");
static_assert(__builtin_offsetof(struct tern_conn, wheel_next) == 64, "line 1 starts at the wheel");

/** The addresses of an IPv6 connection. */
struct tern_addr6 {
    union tern_addr remote, local;
    uint8_t spare[32];
};
static_assert(sizeof(struct tern_addr6) == 64, "one more line for IPv6");

/** tern_txq.flags */
enum {
    TERN_TXQ_FAST = 1u << 0,      /* fast recovery (RFC 6582) until una reaches recover */
    TERN_TXQ_RTO = 1u << 1,       /* sending again after a timeout until una reaches recover */
    TERN_TXQ_TIMED = 1u << 2,     /* an RTT sample runs: timed_seq was sent at timed_us */
    TERN_TXQ_TAIL_OURS = 1u << 3, /* the room behind the tail is ours to fill */
};

/** What is queued for sending or unacknowledged. */
struct tern_txq {
    struct rte_mbuf *head, *tail; /*  0: buffers linked by next; head holds snd.una at head_off */
    struct rte_mbuf *cur;         /* 16: holds the first byte never sent, at cur_off; NULL: none */
    uint32_t head_off, cur_off;   /* 24 */
    uint32_t n_bytes;             /* 32: bytes from snd.una to the end of the queue */
    uint32_t unsent_bytes;        /* 36: of these, never sent; n_bytes - unsent = data in flight */
    struct tern_seq recover;      /* 40: RFC 6582 */
    struct tern_seq rtx_nxt;      /* 44: next octet to send again, una..recover */
    struct tern_seq timed_seq;    /* 48: sample ends when this is acknowledged */
    uint32_t timed_us;            /* 52 */
    uint8_t dupacks;              /* 56 */
    uint8_t flags;                /* 57 */
    uint16_t spare;               /* 58 */
    uint32_t max_wnd_bytes;       /* 60: MAX.SND.WND since the queue was made; without a queue the
                                         current window stands in for it */
};
static_assert(sizeof(struct tern_txq) == 64, "one line while sending");

/** Out-of-order data, as mbuf chains sorted by sequence, disjoint. */
struct tern_rxq {
    struct rte_mbuf *first; /* next piece is in the mbuf's private area */
    uint32_t n_bytes;       /* held */
    uint16_t n_ranges;      /* pieces, <= TERN_REASM_RANGES_MAX */
    bool has_fin;           /* the peer's FIN is at fin */
    uint8_t n_recent;
    struct tern_seq fin;
    struct tern_seq
        recent[4]; /* [n_recent] where the last segments lay, latest first: SACK blocks */
    uint8_t spare[28];
};
static_assert(sizeof(struct tern_rxq) == 64, "one line while a gap is open");

/** What few connections ask for. Option values of 0xffffffff / 0xff mean: as configured. */
struct tern_rare {
    uint32_t keepalive_ms; /* 0 = off */
    uint32_t keepalive_at; /* tick */
    uint32_t user_timeout_ms;
    uint32_t linger_ms;     /* 0xffffffff = wait for ever */
    uint32_t linger_at;     /* tick, while closing */
    uint32_t timer_at;      /* tick; the application's timer */
    int32_t soft_error;     /* errno from ICMP, 0 = none */
    uint16_t mss_max;       /* 0 = none */
    uint8_t keepalive_sent; /* unanswered probes */
    uint8_t dscp, ttl;
    bool keepalive_armed, linger_armed, timer_armed;
    uint8_t spare[24];
    uint32_t silent_more_ms; /* retransmission intervals run out beyond those `backoff` counts */
};
static_assert(sizeof(struct tern_rare) == 64, "one line of options");

/** A half-open connection: SYN answered, ACK awaited. SYN-RECEIVED of a passive open. */
struct tern_half {
    struct tern_flow_key key;                   /*  0 */
    struct tern_seq irs, iss;                   /* 36 */
    uint32_t ts_recent;                         /* 44 */
    uint32_t wheel_next, wheel_prev, wheel_due; /* 48 */
    uint16_t mss;                               /* 60: the peer's, clamped */
    uint8_t wscale_sack_ts;                     /* 62: low nibble shift, then HALF_* */
    uint8_t tries;                              /* 63: SYN-ACKs sent */
};
static_assert(sizeof(struct tern_half) == 64, "64 bytes a half-open connection (design.md §4)");

enum {
    TERN_HALF_WSCALE = 1u << 4,
    TERN_HALF_SACK = 1u << 5,
    TERN_HALF_TS = 1u << 6,
};

/** TIME-WAIT: enough to answer, to refuse old duplicates and to be reused (RFC 6191). */
struct tern_tw {
    struct tern_flow_key key;                   /*  0 */
    struct tern_seq snd_nxt, rcv_nxt;           /* 36 */
    uint32_t ts_recent, ts_offset;              /* 44 */
    uint32_t wheel_next, wheel_prev, wheel_due; /* 52 */
};
static_assert(sizeof(struct tern_tw) == 64, "64 bytes in TIME-WAIT (design.md §4)");

static inline uint8_t tern_conn_snd_wscale(const struct tern_conn *c)
{
    return c->wscale & 0xf;
}

static inline uint8_t tern_conn_rcv_wscale(const struct tern_conn *c)
{
    return c->wscale >> 4;
}

/** Move to another state of the diagram; a move that RFC 9293 figure 5 does not have asserts. */
void tern_conn_set_state(struct tern_conn *c, enum tern_state next);
