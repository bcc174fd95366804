/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The Internet checksum (RFC 1071) by parts: partial sums are plain 64-bit numbers in the machine's
 * byte order that are added freely and folded once. Fold of a correct packet, its checksum field
 * included, is 0xffff.
 */
#include <tern/addr.h>

#include <stdint.h>

/** Sum of `len_bytes` bytes at any alignment, starting at an even offset of the packet; an odd tail
 * counts as padded with 0. */
uint64_t tern_csum_add(uint64_t sum, const void *bytes, uint32_t len_bytes);

/** Fold to 16 bits in the machine's byte order (store with memcpy, after inverting). */
static inline uint16_t tern_csum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)sum;
}

/** Sum of the TCP/ICMPv6 pseudo-header over addresses as they lie in the IP header, next header
 * `proto` and `l4_bytes` (RFC 9293 §3.1, RFC 8200 §8.1). */
uint64_t tern_csum_pseudo4(const void *src4, const void *dst4, uint8_t proto, uint32_t l4_bytes);
uint64_t tern_csum_pseudo6(const void *src16, const void *dst16, uint8_t proto, uint32_t l4_bytes);

/** The sum of a buffer that starts at an odd offset of the packet, turned so that it can be added.
 */
static inline uint64_t tern_csum_odd(uint64_t sum)
{
    const uint16_t folded = tern_csum_fold(sum);
    return (uint16_t)(folded << 8 | folded >> 8);
}

/** Write the IPv4 header checksum into `ip4` ([ihl] bytes). */
void tern_csum_ip4_set(uint8_t *ip4, uint32_t ihl_bytes);
