/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The records a connection lives in, by stage of life:
 *
 *   half-open     struct tern_half   64 bytes   from SYN to the ACK that completes it
 *   connection    struct tern_conn  128 bytes   everything an idle established one needs
 *     + IPv6      struct tern_addr6  64 bytes   its two addresses
 *     + sending   struct tern_txq   128 bytes   while payload is queued or unacknowledged
 *       in flight struct tern_sent   64 bytes   a stretch sent at one time and not acknowledged
 *     + path      struct tern_cong  192 bytes   once it lost something, is paced, or talks ECN
 *     + gap       struct tern_rxq    64 bytes   while out-of-order data is held
 *     + options   struct tern_rare   64 bytes   once keep-alive, timers, DSCP … are asked for
 *   TIME-WAIT     struct tern_tw     64 bytes   2·MSL after an active close
 *
 * All come from pools and are named by 32-bit indices, 0 for none. The sizes are the budget of
 * design.md §4 and are pinned below.
 */
#include <tern/addr.h>
#include <tern/config.h>
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
    TERN_CF_OPENED = 1u << 13,        /* our SYN is acknowledged */
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
    TERN_SLOW_BARE = 1u << 5, /* lost something, and no tern_cong is left: one segment at a time */
    TERN_FULL_ARRIVED = 1u << 6, /* not a reason: a segment of mss_bytes was acknowledged */
    TERN_QUICK_START = 1u << 7,  /* not a reason: quick-start acknowledgements are still to give */
};

/** tern_conn.slow: what only happens to lie there. */
enum { TERN_SLOW_NOTES = TERN_FULL_ARRIVED | TERN_QUICK_START };

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
    uint32_t txq;                  /* 44: index of a tern_txq; with FLIGHT_BIT a tern_flight */
    uint32_t touch_next;           /* 48: next on the shard's list to settle */
    uint32_t rtx_at; /* 52: tick; with CF_RTX the next of: retransmission, probe, FIN-WAIT-2 limit
                        …; else when the last octet in flight was acknowledged */
    void *user;      /* 56 */
    /* --- line 1 --- */
    uint32_t wheel_next, wheel_prev, wheel_due; /* 64: struct tern_wheel_node */
    union {                                     /* 76 */
        uint32_t ack_at;          /* with CF_ACK_LATER: tick of the delayed acknowledgement */
        uint32_t quick_acks_left; /* with QUICK_START: segments still acknowledged at once */
    };
    uint32_t srtt_us8;     /* 80: smoothed RTT × 8; 0 = no sample yet */
    uint32_t rttvar_us4;   /* 84: its variation × 4 */
    uint32_t cwnd_bytes;   /* 88 */
    uint32_t cong;         /* 92: index of a tern_cong; 0: slow start, as configured */
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
    uint8_t wscale;        /* 125: low nibble the peer's shift; high: doublings of our buffer */
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

/** tern_sent.flags: where a stretch stands. Neither SACKED nor LOST: outstanding, in the network.
 */
enum {
    TERN_SENT_SACKED = 1u << 0,   /* the peer holds it (RFC 2018); it may still renege */
    TERN_SENT_LOST = 1u << 1,     /* to be sent again */
    TERN_SENT_AGAIN = 1u << 2,    /* has been sent more than once */
    TERN_SENT_LIMITED = 1u << 3,  /* sent when the application had no more (delivery rate) */
    TERN_SENT_REPORTED = 1u << 4, /* was SACKed before a timeout forgot it */
    TERN_SENT_PROBE = 1u << 5,    /* a path MTU probe, sent once (pmtu.c) */
    TERN_SENT_REST = 1u << 6,     /* only its beginning went again, for want of a record */
};

/**
 * A stretch of sequence space sent at one time, in segments of seg_bytes (the last may be shorter).
 * A FIN behind the payload is its last number. sent.h keeps them sorted by sequence in a tree, and
 * those outstanding by time of transmission in a list.
 */
struct tern_sent {
    struct tern_seq start, end; /*  0: [start, end), never empty */
    uint32_t left, right, up;   /*  8: tree by start */
    uint32_t older, newer;      /* 20: list by sent_us while outstanding; of the lost while lost */
    uint32_t sent_us;           /* 28: last transmission */
    uint16_t seg_bytes;         /* 32 */
    uint8_t flags;              /* 34 */
    uint8_t spare;              /* 35 */
    uint32_t delivered_bytes;   /* 36: tern_cong.delivered_bytes when sent (delivery rate) */
    uint32_t delivered_us;      /* 40: … and .delivered_us */
    uint32_t first_sent_us;     /* 44: … and .first_sent_us */
    uint32_t pipe_bytes;        /* 48: in flight right after it was sent */
    uint32_t lost_total_bytes;  /* 52: tern_cong.lost_total_bytes when sent */
    uint16_t claim;             /* 56: a router says that so much would get through, 0: none says */
    uint8_t spare2[6];          /* 58 */
};
static_assert(sizeof(struct tern_sent) == 64, "one line a stretch in flight");

/** tern_txq.flags */
enum {
    TERN_TXQ_FAST = 1u << 0,      /* fast recovery until una reaches recover (RFC 6675, RFC 8985) */
    TERN_TXQ_RTO = 1u << 1,       /* recovery from a timeout until una reaches recover */
    TERN_TXQ_TAIL_OURS = 1u << 2, /* the room behind the tail is ours to fill */
    TERN_TXQ_PTO = 1u << 3,       /* rtx_at is a tail loss probe's (RFC 8985 §7) */
    TERN_TXQ_REO = 1u << 4,       /* rtx_at is the end of a reordering window (RFC 8985 §6.2) */
    TERN_TXQ_TLP = 1u << 5,       /* a tail loss probe is out: acknowledged at tlp_end */
    TERN_TXQ_TLP_AGAIN = 1u << 6, /* … and it was a retransmission */
    TERN_TXQ_FRTO = 1u << 7,      /* F-RTO awaits the first ACK after a timeout (RFC 5682) */
    TERN_TXQ_FRTO2 = 1u << 8,     /* … or the second */
    TERN_TXQ_FILLED = 1u << 9,    /* cwnd alone stopped the last output (RFC 7661) */
    TERN_TXQ_RACK = 1u << 10,     /* rack_* are set */
    TERN_TXQ_MUTE = 1u << 11,     /* recovery did not begin with the first in flight, or that had
                                     been sent again before: its ACK tells nothing */
    TERN_TXQ_REOPENED = 1u << 12, /* sent again as a shut window opened, nothing acknowledged yet */
    TERN_TXQ_TFO = 1u << 15,      /* our SYN asked for a Fast Open cookie, or carried one */
};

/** What is queued for sending or unacknowledged. */
struct tern_txq {
    /* --- line 0: the queue --- */
    struct rte_mbuf *head, *tail; /*  0: buffers linked by next; head holds snd.una at head_off */
    struct rte_mbuf *cur;         /* 16: holds the first byte never sent, at cur_off; NULL: none */
    uint32_t head_off, cur_off;   /* 24 */
    uint32_t n_bytes;             /* 32: bytes from snd.una to the end of the queue */
    uint32_t unsent_bytes;        /* 36: of these, never sent; n_bytes - unsent = data in flight */
    uint32_t max_wnd_bytes;       /* 40: MAX.SND.WND since the queue was made; without a queue the
                                         current window stands in for it */
    uint32_t root, first, last;   /* 44: tern_sent by sequence: una..nxt */
    uint32_t oldest, newest;      /* 56: … outstanding, by time of transmission */
    /* --- line 1: what is known of its fate --- */
    uint32_t lost_first, lost_last;    /* 64: … lost, in the order to be sent again */
    uint32_t sacked_bytes, lost_bytes; /* 72: pipe = nxt - una - sacked - lost (RFC 6675 §4) */
    uint32_t sacked_segs;              /* 80 */
    struct tern_seq recover;           /* 84: SND.NXT when recovery began (RFC 6582, RFC 6675) */
    struct tern_seq rtt_seq;           /* 88: the next RTT sample is of data from here on */
    struct tern_seq rack_end;          /* 92: RACK.end_seq, … */
    uint32_t rack_us, rack_rtt_us;     /* 96: … RACK.xmit_ts and RACK.rtt (RFC 8985 §5.2) */
    struct tern_seq fack;              /* 104: RACK.fack: highest number delivered */
    uint32_t rto_at;                   /* 108: tick; when the RTO itself ends */
    struct tern_seq tlp_end;           /* 112 */
    uint16_t flags;                    /* 116 */
    uint8_t dupacks;                   /* 118: without SACK (RFC 5681 §3.2) */
    uint8_t spare;                     /* 119 */
    uint32_t n_sent;                   /* 120: tern_sent records held */
    uint32_t shut_ms;                  /* 124: since when the peer's window is shut, while it is */
};
static_assert(sizeof(struct tern_txq) == 128, "two lines while sending");
static_assert(__builtin_offsetof(struct tern_txq, lost_first) == 64, "line 1 starts at the losses");

/** tern_cong.flags */
enum {
    TERN_CG_ECN = 1u << 0,       /* negotiated (RFC 3168) */
    TERN_CG_ECE = 1u << 1,       /* CE came: ECE on every ACK until the peer's CWR */
    TERN_CG_CWR = 1u << 2,       /* cwnd was reduced for ECE: CWR on the next new data */
    TERN_CG_CE = 1u << 3,        /* DCTCP.CE: the last segment that came was marked */
    TERN_CG_UNDO = 1u << 4,      /* undo_* are set: the reduction may have been for nothing */
    TERN_CG_REORDERS = 1u << 5,  /* RACK.reordering_seen */
    TERN_CG_PACE_WAIT = 1u << 6, /* output waits for pace_ns */
    TERN_CG_PACED = 1u << 7,     /* cwnd is spread over the round trip (TERN_CONN_PACING) */
};

/** What CUBIC grows along between two reductions (RFC 9438 §4.1). */
struct tern_cubic_curve {
    uint32_t w_max_bytes; /* 0: as at the start of the epoch (§4.8) */
    uint32_t prior_bytes; /* cwnd_prior: cwnd before the reduction */
    uint32_t est_bytes;   /* W_est: what Reno would have by now (§4.3) … */
    uint32_t est_acked;   /* … and bytes acknowledged that it has not counted yet */
    uint32_t epoch_ms;    /* t_epoch, moved on by every pause */
    uint32_t k_ms;        /* K */
    bool in_epoch;        /* the three above are set */
};

/** RFC 9438 */
struct tern_cubic {
    struct tern_cubic_curve now, before; /* before: for a reduction that was spurious (§4.9) */
    uint32_t seen_ms;                    /* the last ACK */
};

/** RFC 8257 §3.3. alpha is in 1/2^20. */
struct tern_dctcp {
    uint32_t alpha;
    uint32_t acked_bytes, marked_bytes;
    struct tern_seq window_end;
};

/** BBR (draft-ietf-ccwg-bbr). Laid out by cc_bbr.h, which asserts that its state fits. */
struct tern_bbr_room {
    uint64_t words[13];
};

/** What a connection remembers of its path and of its congestion control. */
struct tern_cong {
    uint32_t ssthresh_bytes; /*  0 */
    uint32_t acked_bytes;    /*  4: acknowledged since cwnd last grew (RFC 3465 §2.1) */
    uint8_t flags;           /*  8 */
    uint8_t cc;              /*  9: enum tern_cc */
    uint8_t reo_mult;        /* 10: RACK.reo_wnd_mult, 0 = 1 */
    uint8_t reo_persist;     /* 11: RACK.reo_wnd_persist: recoveries until it is 1 again */
    uint32_t min_rtt_us;     /* 12: smallest RTT of the last minutes, 0: none */
    uint32_t min_rtt_ms;     /* 16: when it was seen */
    struct tern_seq reo_seq; /* 20: RACK.dsack_round: SND.NXT when the window last grew */
    /* recovery */
    uint32_t prr_delivered_bytes, prr_out_bytes, prr_flight_bytes; /* 24: RFC 6937 §3 */
    uint32_t undo_cwnd_bytes, undo_ssthresh_bytes;                 /* 36 */
    struct tern_seq undo_una; /* 44: SND.UNA when cwnd was reduced */
    uint32_t undo_segs;       /* 48: sent again since and not reported as duplicates */
    uint32_t again_ts;        /* 52: our timestamp on the first of them (RFC 3522) */
    struct tern_seq cwr_end;  /* 56: one reduction for ECE until this is acknowledged */
    /* delivery rate and pacing */
    uint32_t delivered_bytes, delivered_us; /* 60: octets known to have arrived, and when last */
    uint32_t first_sent_us;                 /* 68: when the flight being measured began */
    uint32_t lost_total_bytes;              /* 72: octets ever marked lost */
    struct tern_seq limited_end;            /* 76: limited by the application until here */
    uint64_t pace_ns;                       /* 80: the next segment may leave */
    union {                                 /* 88 */
        struct tern_cubic cubic;
        struct tern_dctcp dctcp;
        struct tern_bbr_room bbr;
    };
};
static_assert(sizeof(struct tern_cong) == 192, "three lines of path");

/** Out-of-order data, as mbuf chains sorted by sequence, disjoint. */
struct tern_rxq {
    struct rte_mbuf *first; /* next piece is in the mbuf's private area */
    uint32_t n_bytes;       /* held */
    uint16_t n_ranges;      /* pieces: runs of what touches, <= TERN_REASM_RANGES_MAX */
    bool has_fin;           /* the peer's FIN is at fin */
    uint8_t n_recent;
    struct tern_seq fin;
    struct tern_seq
        recent[4];   /* [n_recent] where the last segments lay, latest first: SACK blocks */
    uint32_t n_segs; /* buffers held */
    uint8_t spare[24];
};
static_assert(sizeof(struct tern_rxq) == 64, "one line while a gap is open");

/** What is known of the path's MTU once it proved smaller (pmtu.c). Sizes as mss_bytes. */
struct tern_pmtu {
    uint16_t full;    /* what the SYNs agreed on; 0: mss_bytes still is that */
    uint16_t bad;     /* the smallest size known not to get through, 0: none */
    uint16_t probe;   /* of this size one is out, 0: none */
    uint8_t tries;    /* probes of the present size lost */
    bool told;        /* a router named bad - 1 */
    uint32_t next_ms; /* no probe before */
};
static_assert(sizeof(struct tern_pmtu) == 12, "room in tern_rare");

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
    bool keepalive_armed : 1, linger_armed : 1, timer_armed : 1;
    bool snd_is_urgent : 1, rcv_is_urgent : 1; /* the pointers below are set */
    uint8_t spare[2];
    struct tern_seq snd_up, rcv_up; /* SND.UP, RCV.UP: just behind the urgent data (MUST-62) */
    uint32_t keepalive_probe_ms;    /* when the last probe left */
    struct tern_pmtu pmtu;
    uint32_t silent_more_ms; /* retransmission intervals run out beyond those `backoff` counts */
};
static_assert(sizeof(struct tern_rare) == 64, "one line of options");

/** A half-open connection: SYN answered, ACK awaited. SYN-RECEIVED of a passive open. */
struct tern_half {
    struct tern_flow_key key;                   /*  0 */
    struct tern_seq irs, iss;                   /* 36 */
    uint32_t ts_recent;                         /* 44 */
    uint32_t queue_next, queue_prev, queue_due; /* 48: struct tern_queue_node */
    uint16_t mss;                               /* 60: the peer's, clamped */
    uint8_t wscale_sack_ts;                     /* 62: low nibble shift, then HALF_* */
    uint8_t tries_queue; /* 63: low nibble SYN-ACKs sent; high: as many when its timer was armed */
};
static_assert(sizeof(struct tern_half) == 64, "64 bytes a half-open connection (design.md §4)");

enum {
    TERN_HALF_WSCALE = 1u << 4,
    TERN_HALF_SACK = 1u << 5,
    TERN_HALF_TS = 1u << 6,
    TERN_HALF_ECN = 1u << 7, /* an ECN-setup SYN that we accept (RFC 3168 §6.1.1) */
};

/** TIME-WAIT: enough to answer, to refuse old duplicates and to be reused (RFC 6191). */
struct tern_tw {
    struct tern_flow_key key;                   /*  0 */
    struct tern_seq snd_nxt, rcv_nxt;           /* 36 */
    uint32_t ts_recent, ts_offset;              /* 44 */
    uint32_t queue_next, queue_prev, queue_due; /* 52 */
};
static_assert(sizeof(struct tern_tw) == 64, "64 bytes in TIME-WAIT (design.md §4)");

static inline uint8_t tern_conn_snd_wscale(const struct tern_conn *c)
{
    return c->wscale & 0xf;
}

/** How often the receive buffer has doubled (rcvbuf.h). */
static inline uint8_t tern_conn_rcv_doublings(const struct tern_conn *c)
{
    return c->wscale >> 4;
}

/** Move to another state of the diagram; a move that RFC 9293 figure 5 does not have asserts. */
void tern_conn_set_state(struct tern_conn *c, enum tern_state next);
