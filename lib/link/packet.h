/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An IP packet as the simulated wire sees it, read and repaired with code of its own: what the
 * library builds and parses is judged by something that shares nothing with it.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
    TERN_PACKET_BYTES_MAX = 9728, /* the largest MTU drawn, padding included */

    TERN_PACKET_FIN = 0x01,
    TERN_PACKET_SYN = 0x02,
    TERN_PACKET_RST = 0x04,
    TERN_PACKET_PSH = 0x08,
    TERN_PACKET_ACK = 0x10,
    TERN_PACKET_URG = 0x20,
    TERN_PACKET_ECE = 0x40,
    TERN_PACKET_CWR = 0x80,

    TERN_PACKET_PROTO_ICMP = 1,
    TERN_PACKET_PROTO_TCP = 6,
    TERN_PACKET_PROTO_ICMP6 = 58,

    TERN_PACKET_ECN_MASK = 3,
    TERN_PACKET_ECN_CE = 3,
};

/** Where things lie in a packet, and what its fixed fields say. Options stay bytes. */
struct tern_packet_view {
    bool v6, is_tcp;
    uint8_t proto, tos, ttl, flags;
    uint16_t sport, dport, wnd;
    uint32_t seq, ack;
    uint32_t l3_bytes, ip_bytes; /* IP header; the whole packet as the IP header states it */
    uint32_t tcp_bytes;          /* TCP header with options */
    uint32_t payload_off, len;   /* payload */
};

/** @return false: not a well-formed IPv4 or IPv6 packet of at most n bytes (its TCP header
 * included) */
bool tern_packet_read(const uint8_t *at, uint32_t n, struct tern_packet_view *v);

/** Do the IPv4 header's and the L4 checksum hold? */
bool tern_packet_checksums_hold(const uint8_t *at, const struct tern_packet_view *v);

/** Write both checksums anew. `ip_bytes` and the header lengths in the packet are right. */
void tern_packet_repair(uint8_t *at);

/** Make it `n` bytes long by the IP header's word. Checksums are left to tern_packet_repair(). */
void tern_packet_set_length(uint8_t *at, uint32_t n);

/** Swap source and destination address (IP only). */
void tern_packet_turn(uint8_t *at);

/** The option `kind` of a TCP header. @return its first byte, or NULL */
const uint8_t *tern_packet_option(
    const uint8_t *at, const struct tern_packet_view *v, uint8_t kind);

/**
 * Write an ICMP or ICMPv6 error that quotes `about`, from its destination to its source.
 * @param out   [TERN_PACKET_BYTES_MAX]
 * @return      its length
 */
uint32_t tern_packet_icmp_error(const uint8_t *about, const struct tern_packet_view *v,
    uint8_t type, uint8_t code, uint32_t mtu_bytes, uint8_t *out);

static inline uint16_t tern_packet_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t tern_packet_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void tern_packet_put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void tern_packet_put32(uint8_t *p, uint32_t v)
{
    tern_packet_put16(p, v >> 16);
    tern_packet_put16(p + 2, v & 0xffff);
}
