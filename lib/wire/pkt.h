/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One received frame, seen once: tern_pkt_parse() is the only place where a length that came from
 * the wire is looked at. It validates Ethernet, 802.1Q, ARP/IPv4/IPv6 (with extension headers) and,
 * for TCP, the header, and hands out offsets that hold. Everything behind it trusts them.
 *
 * The IP length says where the packet ends; Ethernet padding behind it is never looked at.
 *
 * A frame in several buffers is accepted as it lies only when it is TCP, all its headers are in the
 * first buffer, and the IP packet ends exactly at n_total. Every other one is TERN_DROP_LINEARISE:
 * join the buffers (n_contiguous == n_total) and parse again, which never says so a second time.
 */
#include <tern/addr.h>
#include <tern/drop.h>

#include "seq.h"
#include "tcp_opt.h"

#include <stdbool.h>
#include <stdint.h>

enum tern_pkt_kind {
    TERN_PKT_TCP,
    TERN_PKT_ARP,
    TERN_PKT_ICMP4,
    TERN_PKT_ICMP6,
};

/** What the device has already verified (from mbuf ol_flags); what is not set is done in software.
 */
enum {
    TERN_RX_IP_CSUM_GOOD = 1u << 0,
    TERN_RX_IP_CSUM_BAD = 1u << 1,
    TERN_RX_L4_CSUM_GOOD = 1u << 2,
    TERN_RX_L4_CSUM_BAD = 1u << 3,
};

enum {
    TERN_IP6_EXT_MAX = 8,         /* extension headers a packet may carry */
    TERN_IP6_EXT_BYTES_MAX = 256, /* and their bytes in all */
    TERN_IP6_OPT_MAX = 16,        /* options in one of them */
};

/** Where a frame starts and what is expected of its link. */
struct tern_pkt_input {
    const uint8_t *frame; /**< [n_contiguous] */
    uint32_t n_contiguous;
    uint32_t n_total; /**< >= n_contiguous; bytes beyond the first buffer are payload only */
    /**
     * tern_csum_add() over the bytes n_contiguous..n_total, as if they began at an even offset.
     * Read only when n_total > n_contiguous and TERN_RX_L4_CSUM_GOOD is not set.
     */
    uint64_t tail_sum;
    uint8_t rx_flags;   /**< TERN_RX_* */
    bool l3;            /**< the frame starts at the IP header: no Ethernet */
    uint16_t vlan;      /**< expected VLAN id 1..4094, or 0: untagged (or priority-tagged) only */
    bool vlan_stripped; /**< the device took the tag off; it is in vlan_tci */
    uint16_t vlan_tci;
    const uint8_t
        *mac; /**< [6] our MAC; frames to other unicast MACs are dropped. Ignored with l3 */
};

/** One parsed packet. Lives on the stack of a burst; pointers point into the frame. */
struct tern_pkt {
    const uint8_t *src,
        *dst; /**< IP addresses as they lie in the header: [4] or [16]; NULL for ARP */
    /* TCP only; the leading 16 bytes of its header in our order: */
    struct tern_seq seq, ack;
    uint16_t sport, dport;
    uint16_t wnd;       /**< as sent, unscaled */
    uint8_t flags;      /**< TERN_TCP_* */
    uint8_t doff_bytes; /**< (the data offset itself is in units of four) */
    /* All: */
    uint16_t l3_off;   /**< frame offset of the IP (or ARP) header */
    uint16_t l4_off;   /**< frame offset of TCP/ICMP */
    uint32_t l4_bytes; /**< TCP header and payload, or ICMP message; padding excluded */
    uint32_t end_off;  /**< l4_off + l4_bytes: where the packet ends in the frame */
    uint8_t kind;      /**< enum tern_pkt_kind */
    bool v6;
    bool group_mac;    /**< sent to a multicast or broadcast MAC */
    uint8_t hop_limit; /**< TTL or hop limit as received */
    uint8_t tos;       /**< TOS / traffic class as received */
    /* TCP only: */
    uint16_t urg;
    uint32_t payload_off; /**< frame offset of the payload */
    uint32_t len_bytes;   /**< payload bytes */
};

/**
 * Validate a frame and find its parts.
 *
 * Checks, in this order: Ethernet, MAC addresses, VLAN, EtherType; IP version, lengths, header
 * checksum, fragments, options, extension headers; source address nonsense (RFC 1122 §3.2.1.3; the
 * shard adds "ours" and subnet broadcasts); L4 length; for TCP data offset, checksum, ports, and
 * control-bit nonsense; for ICMP and ICMPv6 minimum length and checksum. ARP: only that its 28
 * bytes are there. Multicast destinations pass for ICMPv6 only (NDP); a unicast address in a group
 * frame passes for neither (TERN_DROP_IP_DST, RFC 1122 §3.3.6).
 *
 * @return TERN_DROP_NONE and *out filled, or the reason (then *out is unspecified)
 * Cost: O(1) without IPv6 extension headers and with checksums verified by the device.
 */
enum tern_drop tern_pkt_parse(const struct tern_pkt_input *in, struct tern_pkt *out);

/**
 * The checksums of a TCP segment that lies in one buffer and is otherwise sound: what the device
 * has not verified is added up. @param rx_flags TERN_RX_*
 */
enum tern_drop tern_pkt_check_sums(
    const uint8_t *frame, const struct tern_pkt *p, uint8_t rx_flags);

/** Bits that no TCP sends together, and none at all; the ECN bits do not count as control. */
static inline bool tern_pkt_flags_are_nonsense(uint8_t flags)
{
    const uint8_t control = flags & (uint8_t) ~(TERN_TCP_ECE | TERN_TCP_CWR);
    return control == 0 || ((flags & TERN_TCP_SYN) && (flags & (TERN_TCP_FIN | TERN_TCP_RST)));
}

/** The options of a parsed TCP packet (frame as in tern_pkt_input). */
static inline void tern_pkt_tcp_opts(
    const uint8_t *frame, const struct tern_pkt *p, struct tern_tcp_opts *out)
{
    tern_tcp_opts_parse(
        frame + p->l4_off + TERN_TCP_BYTES, (uint32_t)p->doff_bytes - TERN_TCP_BYTES, out);
}

/** Source or destination as a value of either family. */
static inline union tern_addr tern_pkt_addr(const struct tern_pkt *p, const uint8_t *at)
{
    union tern_addr a;
    if (p->v6) {
        __builtin_memcpy(a.b, at, 16);
        return a;
    }
    uint32_t be;
    __builtin_memcpy(&be, at, 4);
    return tern_addr_from_v4(be);
}

/** The headers of any TCP frame that passes lie within this many leading bytes. */
enum { TERN_PKT_HEADERS_MAX = TERN_HDR_BYTES_MAX + TERN_IP6_EXT_BYTES_MAX };
