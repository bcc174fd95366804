/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Values to bytes: the headers tern sends. Every builder writes a fixed, stated number of bytes. */
#include <tern/addr.h>

#include "seq.h"
#include "tcp_hdr.h"

#include <stdbool.h>
#include <stdint.h>

/** The fixed fields of a TCP header about to be written; checksum is left 0. */
struct tern_tcp_fields {
    uint16_t sport, dport;
    struct tern_seq seq, ack;
    uint8_t doff_bytes; /**< 20..60, a multiple of 4 */
    uint8_t flags;
    uint16_t wnd;
    uint16_t urg;
};

/** Write 20 bytes. */
void tern_build_tcp(uint8_t *at, const struct tern_tcp_fields *f);

/** What an IP header of ours varies in. */
struct tern_ip_fields {
    const union tern_addr *src, *dst; /**< both of one family */
    uint32_t l4_bytes;                /**< 1..65515 */
    uint16_t id; /**< IPv4 identification; 0 where DF is set (RFC 6864 §4.1) */
    bool df;
    uint8_t ttl;
    uint8_t tos; /**< DSCP << 2 | ECN */
    uint8_t proto;
};

/** Write 20 bytes of IPv4 header, checksum included. */
void tern_build_ip4(uint8_t *at, const struct tern_ip_fields *f);
/** Write 40 bytes of IPv6 header, flow label 0. */
void tern_build_ip6(uint8_t *at, const struct tern_ip_fields *f);

/**
 * Write an Ethernet header, tagged when vlan is 1..4094.
 * @return bytes written: 14 or 18
 */
uint32_t tern_build_eth(
    uint8_t *at, const uint8_t dst[6], const uint8_t src[6], uint16_t vlan, uint16_t ethertype);
