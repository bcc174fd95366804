/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Counters of a shard. Written by its worker alone; other threads may read them at any time and see
 * each 64-bit value whole. All grow monotonically but the two gauges at the end.
 *
 * The books: active_opens = active_established + sum(active_failed) + still opening, and
 * passive_established + active_established = sum(closed) + open. tern_stats_balance() checks both.
 */
#include <tern/api.h>
#include <tern/drop.h>

#include <stdbool.h>
#include <stdint.h>

TERN_BEGIN_DECLS

/** How a connection ended. */
// clang-format off
#define TERN_CLOSE_LIST(X) \
    X(NORMAL,      "normal",      "both directions closed by FIN") \
    X(RESET,       "reset",       "the peer sent RST") \
    X(REFUSED,     "refused",     "RST or port unreachable in answer to our SYN") \
    X(TIMEOUT,     "timeout",     "the peer did not answer within R2 (RFC 9293 §3.8.3)") \
    X(UNREACHABLE, "unreachable", "no route, or the neighbour did not answer") \
    X(ABORTED,     "aborted",     "tern_abort(), or closed with unread data (RFC 9293 §3.6.1)") \
    X(STOPPED,     "stopped",     "the shard stopped")
// clang-format on
#define TERN_CLOSE_ENUM(name, json, text) TERN_CLOSE_##name,
enum tern_close_reason { TERN_CLOSE_LIST(TERN_CLOSE_ENUM) TERN_CLOSE_COUNT };
#undef TERN_CLOSE_ENUM

// clang-format off
#define TERN_STAT_LIST(X) \
    X(rx_packets)            /* frames taken from the device */ \
    X(rx_bytes) \
    X(tx_packets)            /* frames handed to the device and accepted by it */ \
    X(tx_bytes) \
    X(rx_segments)           /* valid TCP segments for our addresses */ \
    X(rx_fast)               /* … of which the fast path took */ \
    X(rx_payload_bytes)      /* payload delivered to applications */ \
    X(tx_segments)           /* TCP segments built */ \
    X(tx_payload_bytes)      /* payload sent the first time */ \
    X(retransmits)           /* segments sent again: data, FIN, SYN, SYN-ACK */ \
    X(rto_expired) \
    X(recoveries)            /* fast recoveries begun (RFC 6675 §5) */ \
    X(tlp_probes)            /* tail loss probes (RFC 8985 §7) */ \
    X(tlp_recovered)         /* … that repaired a loss */ \
    X(undone)                /* reductions taken back: the retransmission was spurious */ \
    X(dsack_rcvd)            /* duplicates reported to us (RFC 2883) */ \
    X(dsack_sent) \
    X(sack_refused)          /* SACK blocks that were not of data in flight */ \
    X(cong_full)             /* connections that went on one segment at a time: sending_max */ \
    X(ecn_ce_rcvd)           /* segments that came with CE (RFC 3168) */ \
    X(ecn_reduced)           /* windows reduced because of ECE */ \
    X(paced)                 /* outputs that waited for their turn */ \
    X(syn_rcvd)              /* SYNs that a listener took */ \
    X(syn_cookies_sent) \
    X(syn_cookies_accepted) \
    X(half_opened)           /* SYN cache entries made */ \
    X(half_expired)          /* … given up unanswered */ \
    X(half_reset)            /* … reset by the peer */ \
    X(half_refused)          /* … completed but refused: table full */ \
    X(tfo_cookies_sent)      /* SYN-ACKs that carried a Fast Open cookie (RFC 7413) */ \
    X(tfo_cookies_bad)       /* SYNs whose cookie was not ours */ \
    X(tfo_accepted)          /* … whose cookie was: established for the application at once */ \
    X(tfo_overflow)          /* … but too many waited for their confirmation already */ \
    X(tfo_data_acked)        /* connects whose early data the SYN-ACK acknowledged */ \
    X(tfo_data_again)        /* … did not: sent again behind the handshake */ \
    X(passive_established)   /* handed to an application by a listener */ \
    X(active_opens)          /* connects that sent a SYN */ \
    X(active_established) \
    X(time_wait_opened) \
    X(time_wait_reused)      /* RFC 6191 */ \
    X(time_wait_overflow)    /* closed without TIME-WAIT: records exhausted */ \
    X(rst_sent) \
    X(challenge_acks) \
    X(zero_window_probes) \
    X(pmtu_lowered)          /* segments made smaller because a router said so */ \
    X(pmtu_black_holes)      /* … because large ones vanished (RFC 8899 §4.3) */ \
    X(pmtu_probes) \
    X(pmtu_raised)           /* … that arrived: segments made larger */ \
    X(persist_expired)       /* connections aborted: the peer's window stayed shut */ \
    X(rcv_grown)             /* receive buffers doubled */ \
    X(rcv_grow_refused)      /* … not doubled: rcv_grow_bytes */ \
    X(keepalive_probes) \
    X(arp_sent) X(ndp_sent) \
    X(icmp_echo_replies) \
    X(addr_conflicts)        /* another station claims an address of ours (RFC 5227 §2.4) */ \
    X(steered_out)           /* segments handed to the worker that owns them */ \
    X(steered_in)
// clang-format on

struct tern_stats {
#define TERN_STAT_FIELD(name) uint64_t name;
    TERN_STAT_LIST(TERN_STAT_FIELD)
#undef TERN_STAT_FIELD
    uint64_t active_failed[TERN_CLOSE_COUNT]; /**< connects that never became established */
    uint64_t closed[TERN_CLOSE_COUNT];        /**< established connections, by how they ended */
    uint64_t drops[TERN_DROP_COUNT];
    /* gauges */
    uint64_t open_now;    /**< established and not yet closed */
    uint64_t opening_now; /**< active opens under way */
};

/** sum += add, field by field. */
TERN_API void tern_stats_add(struct tern_stats *sum, const struct tern_stats *add);

/** True when both equations at the top hold. */
TERN_API bool tern_stats_balance(const struct tern_stats *s);

/** "tcp_csum", … as used in JSON; and what it means in words. */
TERN_API const char *tern_drop_name(enum tern_drop reason);
TERN_API const char *tern_drop_text(enum tern_drop reason);
TERN_API const char *tern_close_name(enum tern_close_reason reason);

TERN_END_DECLS
