/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * ICMP (RFC 792) and ICMPv6 (RFC 4443) as far as a TCP endpoint speaks them: echo, and errors that
 * quote a segment of ours.
 */
#include <tern/addr.h>
#include <tern/drop.h>

#include "pkt.h"

#include <stdbool.h>
#include <stdint.h>

enum tern_icmp_kind {
    TERN_ICMP_ECHO_REQUEST,
    TERN_ICMP_NDP,         /**< ICMPv6 133..137: hand to tern_ndp_parse() */
    TERN_ICMP_UNREACHABLE, /**< soft: net, host, admin, time exceeded, parameter problem … */
    TERN_ICMP_REFUSED,     /**< hard: protocol or port unreachable (RFC 1122 §4.2.3.9) */
    TERN_ICMP_TOO_BIG,     /**< fragmentation needed / packet too big */
};

/** An ICMP error's quotation of a TCP segment that we are said to have sent. */
struct tern_icmp_quote {
    union tern_addr src, dst; /**< of the quoted packet: src is ours */
    uint16_t sport, dport;
    struct tern_seq seq;
    uint32_t mtu_bytes; /**< TOO_BIG only: next-hop MTU; 0 from an old router (RFC 1191 §5) */
    uint32_t quoted_ip_bytes; /**< total length the quoted IP header states */
};

/**
 * Sort an ICMP or ICMPv6 packet whose length and checksum hold; for errors, read the quotation.
 * @return TERN_DROP_NONE with *kind (and *quote for errors) filled; or ICMP_TYPE (source quench,
 *         redirects, timestamp, replies … ignored by rule: RFC 6633, RFC 1122 §3.2.2), ICMP_QUOTE
 *         (quotation too short, not TCP, a fragment other than the first), ICMP_SHORT
 */
enum tern_drop tern_icmp_parse(const uint8_t *frame, const struct tern_pkt *p,
    enum tern_icmp_kind *kind, struct tern_icmp_quote *quote);

/**
 * Turn an echo request into its reply where it lies: addresses and MACs swapped, type changed, TTL
 * or hop limit set, both checksums right. Packets with IPv4 options or IPv6 extension headers are
 * not answered. The frame is contiguous up to p->end_off (tern_pkt_parse() sees to that), and the
 * reply ends there: trim what follows. A tag in the frame stays; one that the device took off is
 * the caller's.
 *
 * @param frame  writable [p->end_off]
 * @param l2_src our MAC, or NULL for frames without Ethernet
 * @return       false when the request is not to be answered (also: group destination, no source)
 */
bool tern_icmp_echo_reply(
    uint8_t *frame, const struct tern_pkt *p, const uint8_t *l2_src, uint8_t ttl);
