/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The Internet checksum (RFC 1071) by parts: partial sums are plain 64-bit numbers in the machine's
 * byte order that are added freely and folded once. Fold of a correct packet, its checksum field
 * included, is 0xffff.
 */
#include <tern/addr.h>

#include <stdint.h>
#include <string.h>

/** Sum of `len_bytes` bytes at any alignment, starting at an even offset of the packet; an odd tail
 * counts as padded with 0. */
uint64_t tern_csum_add(uint64_t sum, const void *bytes, uint32_t len_bytes);

/** Fold to 16 bits in the machine's byte order (store with memcpy, after inverting). */
static inline uint16_t tern_csum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffffu) + (sum >> 32);
    const uint32_t half = (uint32_t)sum + (uint32_t)(sum >> 32);
    const uint32_t turned = half << 16 | half >> 16;
    return (uint16_t)((half + turned) >> 16); /* the lower half's carry is the end-around one */
}

/** Sum of an IPv4 header without options, as it lies in the packet. */
static inline uint64_t tern_csum_ip4(const uint8_t *ip4);

/** Sum of the TCP/ICMPv6 pseudo-header over addresses as they lie in the IP header, next header
 * `proto` and `l4_bytes` (RFC 9293 §3.1, RFC 8200 §8.1). */
static inline uint64_t tern_csum_pseudo4(
    const void *src4, const void *dst4, uint8_t proto, uint32_t l4_bytes);
static inline uint64_t tern_csum_pseudo6(
    const void *src16, const void *dst16, uint8_t proto, uint32_t l4_bytes);

/** The sum of a buffer that starts at an odd offset of the packet, turned so that it can be added.
 */
static inline uint64_t tern_csum_odd(uint64_t sum)
{
    const uint16_t folded = tern_csum_fold(sum);
    return (uint16_t)(folded << 8 | folded >> 8);
}

/** Write the IPv4 header checksum into `ip4` ([ihl] bytes). */
void tern_csum_ip4_set(uint8_t *ip4, uint32_t ihl_bytes);

/* ---- */

/** The two 32-bit words at `p`. */
static inline uint64_t tern_csum_words2(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return (w & 0xffffffffu) + (w >> 32);
}

static inline uint64_t tern_csum_ip4(const uint8_t *ip4)
{
    uint32_t dst;
    memcpy(&dst, ip4 + 16, sizeof dst);
    return tern_csum_words2(ip4) + tern_csum_words2(ip4 + 8) + dst;
}

/* Zero, protocol and length: as 32-bit words they sum alike for both families. */
static inline uint64_t tern_csum_pseudo_end(uint8_t proto, uint32_t l4_bytes)
{
    return (uint64_t)__builtin_bswap32(proto) + __builtin_bswap32(l4_bytes);
}

static inline uint64_t tern_csum_pseudo4(
    const void *src4, const void *dst4, uint8_t proto, uint32_t l4_bytes)
{
    uint32_t src, dst;
    memcpy(&src, src4, sizeof src);
    memcpy(&dst, dst4, sizeof dst);
    return (uint64_t)src + dst + tern_csum_pseudo_end(proto, l4_bytes);
}

static inline uint64_t tern_csum_pseudo6(
    const void *src16, const void *dst16, uint8_t proto, uint32_t l4_bytes)
{
    const uint8_t *src = (const uint8_t *)src16, *dst = (const uint8_t *)dst16;
    return tern_csum_words2(src) + tern_csum_words2(src + 8) + tern_csum_words2(dst)
           + tern_csum_words2(dst + 8) + tern_csum_pseudo_end(proto, l4_bytes);
}
