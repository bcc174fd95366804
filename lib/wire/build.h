/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Values to bytes: the headers tern sends. Every builder writes a fixed, stated number of bytes. */
#include <tern/addr.h>

#include "bytes.h"
#include "csum.h"
#include "seq.h"
#include "tcp_hdr.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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
static inline void tern_build_tcp(uint8_t *at, const struct tern_tcp_fields *f);

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

/** Write 20 bytes of IPv4 header. @param csum  false: the device makes the checksum, and wants 0 */
static inline void tern_build_ip4(uint8_t *at, const struct tern_ip_fields *f, bool csum);

/** The same between addresses as they lie in the header; f->src and f->dst are not looked at. */
static inline void tern_build_ip4_between(
    uint8_t *at, uint32_t src, uint32_t dst, const struct tern_ip_fields *f, bool csum);
/** Write 40 bytes of IPv6 header, flow label 0. */
static inline void tern_build_ip6(uint8_t *at, const struct tern_ip_fields *f);

/**
 * Write an Ethernet header, tagged when vlan is 1..4094.
 * @return bytes written: 14 or 18
 */
static inline uint32_t tern_build_eth(
    uint8_t *at, const uint8_t dst[6], const uint8_t src[6], uint16_t vlan, uint16_t ethertype);

/* ---- headers as a few wide words, put together in registers ---- */

static inline void tern_build_tcp(uint8_t *at, const struct tern_tcp_fields *f)
{
    const uint64_t ports = (uint32_t)f->sport << 16 | f->dport;
    const uint32_t doff = (uint32_t)f->doff_bytes << 2; /* bytes / 4 in the upper nibble */
    const uint32_t control = doff << 24 | (uint32_t)f->flags << 16 | f->wnd;
    tern_store64(at + TERN_TCP_OFF_SPORT, ports << 32 | f->seq.v);
    tern_store64(at + TERN_TCP_OFF_ACK, (uint64_t)f->ack.v << 32 | control);
    tern_store32(at + TERN_TCP_OFF_CSUM, f->urg);
}

static inline void tern_build_ip4(uint8_t *at, const struct tern_ip_fields *f, bool csum)
{
    tern_build_ip4_between(at, f->src->w[3], f->dst->w[3], f, csum);
}

static inline void tern_build_ip4_between(
    uint8_t *at, uint32_t src, uint32_t dst, const struct tern_ip_fields *f, bool csum)
{
    enum { VERSION_IHL = 0x45, DF = 0x4000 };
    const uint32_t w0 = VERSION_IHL << 24 | (uint32_t)f->tos << 16 | (TERN_IP4_BYTES + f->l4_bytes);
    const uint32_t w1 = (uint32_t)f->id << 16 | (f->df ? DF : 0);
    uint32_t w2 = (uint32_t)f->ttl << 24 | (uint32_t)f->proto << 16;
    if (csum) {
        const uint64_t sum =
            (uint64_t)w0 + w1 + w2 + __builtin_bswap32(src) + __builtin_bswap32(dst);
        w2 |= (uint16_t)~tern_csum_fold(sum);
    }
    tern_store64(at, (uint64_t)w0 << 32 | w1);
    tern_store32(at + 8, w2);
    memcpy(at + 12, &src, sizeof src);
    memcpy(at + 16, &dst, sizeof dst);
}

static inline void tern_build_ip6(uint8_t *at, const struct tern_ip_fields *f)
{
    const uint32_t w0 = 6u << 28 | (uint32_t)f->tos << 20;
    const uint32_t w1 = f->l4_bytes << 16 | (uint32_t)f->proto << 8 | f->ttl;
    tern_store64(at, (uint64_t)w0 << 32 | w1);
    memcpy(at + 8, f->src->b, 16);
    memcpy(at + 24, f->dst->b, 16);
}

static inline uint32_t tern_build_eth(
    uint8_t *at, const uint8_t dst[6], const uint8_t src[6], uint16_t vlan, uint16_t ethertype)
{
    memcpy(at, dst, 6);
    memcpy(at + 6, src, 6);
    if (vlan == 0) {
        tern_store16(at + 12, ethertype);
        return TERN_ETH_BYTES;
    }
    tern_store16(at + 12, TERN_ETHERTYPE_VLAN);
    tern_store16(at + 14, vlan);
    tern_store16(at + 16, ethertype);
    return TERN_ETH_BYTES + TERN_VLAN_BYTES;
}
