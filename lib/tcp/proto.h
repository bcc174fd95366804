/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Every limit and constant of the protocol in one place, with its source. */
#include <stdint.h>

enum {
    /* Segment sizes, bytes */
    TERN_MSS_DEFAULT4 = 536,  /* RFC 9293 §3.7.1 MUST-15 */
    TERN_MSS_DEFAULT6 = 1220, /* RFC 9293 §3.7.1 MUST-15 */
    TERN_MSS_MIN = 64,        /* floor under what a peer announces (V003, V015, V016, V018, V019) */
    TERN_PMTU_MIN4 = 552,     /* floor under what ICMP announces (RFC 1191 §3, RFC 5927 §7) */
    TERN_PMTU_MIN6 = 1280,    /* RFC 8201 §4 */
    TERN_COPY_BYTES_MAX = 192, /* shorter payload is copied behind its header, longer attached */
    TERN_ACK_QUICK_SEGS = 16,  /* segments acknowledged at once when a connection starts */

    /* Times */
    TERN_TICKS_MAX = 1 << 30,          /* the wheel's span: 39 h; later deadlines are armed again */
    TERN_TICK_SHIFT = 17,              /* a timer tick is 2^17 ns = 131 µs */
    TERN_RTO_BACKOFF_MAX = 15,         /* doublings; the value itself is capped by rto_max_ms */
    TERN_RTO_AFTER_SYN_LOSS_MS = 3000, /* RFC 6298 §5.7 */
    TERN_COOKIE_PERIOD_SHIFT = 36,     /* a cookie's key changes every 2^36 ns = 69 s … */
    TERN_COOKIE_PERIODS = 2,           /* … and the current and the last one are accepted */
    TERN_CHALLENGE_SHIFT = 29,         /* one challenge ACK a connection and 2^29 ns = 0.54 s */
    TERN_KEEPALIVE_PROBES = 9,         /* unanswered probes before giving up (MUST-29: not one) */
    TERN_KEEPALIVE_PROBE_MS = 75000,
    TERN_SENDABLE_RETRY_MS = 10, /* until an application is told again that memory is to be had */
    TERN_QUEUE_RETRY_MS = 1000, /* … or a send queue: others keep theirs for round trips, and many
                                   may be waiting */
    TERN_SYNACK_TRIES_MAX = 6,  /* SYN-ACKs sent for one half-open connection */
    TERN_TS_AGE_MS_MAX =
        24u * 24 * 3600 * 1000, /* RFC 7323 §5.5: ts_recent expires after 24 days */

    /* Bounds */
    TERN_APPS_MAX = 255,             /* application tables a shard knows */
    TERN_RCV_ROUNDS = 256,           /* round trips of receivers measured at one time */
    TERN_REASM_RANGES_MAX = 64,      /* runs of out-of-order data held a connection */
    TERN_REASM_POOL_SHARE = 8,       /* nothing more is held with less than 1/8 of the pool free */
    TERN_REASM_SEG_BYTES = 256,      /* of receive buffer that a held buffer costs at the least */
    TERN_REASM_RUN_SEGS_MAX = 60000, /* buffers in one run: an mbuf counts them in 16 bits */
    TERN_SETTLED_MAX = 4096,         /* connections settled in one call */
    TERN_DSACKS_MAX = 32,            /* duplicates noted a burst for D-SACK (RFC 2883) */
    TERN_DUPACKS = 3,                /* RFC 5681 §3.2 */
};

/* RFC 3168 §5: the ECN field, low bits of TOS / traffic class */
enum { TERN_ECN_MASK = 3, TERN_ECN_ECT0 = 2, TERN_ECN_CE = 3 };

enum { TERN_NS_PER_MS = 1000000, TERN_NS_PER_US = 1000 };

/** Milliseconds to timer ticks, rounded up so that a timer is never early; at most TERN_TICKS_MAX.
 */
static inline uint32_t tern_ticks_from_ms(uint32_t ms)
{
    const uint64_t ticks =
        ((uint64_t)ms * TERN_NS_PER_MS + (1u << TERN_TICK_SHIFT) - 1) >> TERN_TICK_SHIFT;
    return ticks < TERN_TICKS_MAX ? (uint32_t)ticks : TERN_TICKS_MAX;
}

/** How long until tick `at`, in microseconds; 0 when it is over. */
static inline uint32_t tern_us_until(uint32_t now_tick, uint32_t at)
{
    const int32_t ticks = (int32_t)(at - now_tick);
    const uint64_t us = (((uint64_t)(ticks > 0 ? ticks : 0)) << TERN_TICK_SHIFT) / TERN_NS_PER_US;
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}
