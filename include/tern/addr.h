/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Internet addresses as values. One 16-byte type carries both families: an IPv4 address a.b.c.d is
 * held as the IPv4-mapped ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), which never appears on the wire.
 */
#include <tern/api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

TERN_BEGIN_DECLS

/** An IPv4 or IPv6 address in network byte order. Aligned to 4, so that records pack tightly. */
union __attribute__((packed, aligned(4))) tern_addr {
    uint8_t b[16];
    uint32_t w[4];
    uint64_t q[2];
};

/** An address with its prefix length: 0..32 for IPv4, 0..128 for IPv6. */
struct tern_prefix {
    union tern_addr addr;
    uint8_t len_bits;
};

/** The IPv4 address whose four bytes, in network order, are `be`. */
static inline union tern_addr tern_addr_from_v4(uint32_t be)
{
    union tern_addr a;
    a.q[0] = 0;
    a.w[2] = __builtin_bswap32(0x0000ffffu);
    a.w[3] = be;
    return a;
}

/** True for an IPv4 address (held IPv4-mapped). */
static inline bool tern_addr_is_v4(const union tern_addr *a)
{
    return a->q[0] == 0 && a->w[2] == __builtin_bswap32(0x0000ffffu);
}

/** True when both are the same address of the same family. */
static inline bool tern_addr_equal(const union tern_addr *a, const union tern_addr *b)
{
    return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

/** The order of the bytes: within a family that of the numbers. */
static inline bool tern_addr_is_before(const union tern_addr *a, const union tern_addr *b)
{
    const uint64_t a_upper = __builtin_bswap64(a->q[0]), b_upper = __builtin_bswap64(b->q[0]);
    if (a_upper != b_upper)
        return a_upper < b_upper;
    return __builtin_bswap64(a->q[1]) < __builtin_bswap64(b->q[1]);
}

/** Addresses of one family that follow each other, both ends included. */
struct tern_addr_range {
    union tern_addr first, last;
};

static inline bool tern_addr_range_contains(
    const struct tern_addr_range *r, const union tern_addr *a)
{
    return !tern_addr_is_before(a, &r->first) && !tern_addr_is_before(&r->last, a);
}

/** Longest text that tern_addr_format() writes, with its terminating zero. */
enum { TERN_ADDR_TEXT_BYTES = 46 };

/**
 * Read "192.0.2.1" or "2001:db8::1" (no brackets, no zone, no prefix length; "::ffff:192.0.2.1" is
 * refused: an IPv4 address has one spelling).
 * @return 0, or -EINVAL when the text is not an address (then *out is untouched)
 */
TERN_API TERN_MUST_CHECK int tern_addr_parse(const char *text, union tern_addr *out);

/**
 * Read "192.0.2.1/24" or "2001:db8::1/64"; without "/len" the whole address counts (32 or 128).
 * @return 0, or -EINVAL (then *out is untouched)
 */
TERN_API TERN_MUST_CHECK int tern_prefix_parse(const char *text, struct tern_prefix *out);

/** Write the address as text. @param buf [TERN_ADDR_TEXT_BYTES] @return buf */
TERN_API char *tern_addr_format(const union tern_addr *a, char *buf);

/** True when `a` lies inside the prefix `p` (same family and leading bits). */
TERN_API bool tern_prefix_contains(const struct tern_prefix *p, const union tern_addr *a);

/** Why an address cannot be an endpoint's own or a peer's (RFC 1122 §3.2.1.3, RFC 4291 §2). */
enum tern_addr_class {
    TERN_ADDR_UNICAST,
    TERN_ADDR_UNSPECIFIED, /**< 0.0.0.0/8, :: */
    TERN_ADDR_LOOPBACK,    /**< 127.0.0.0/8, ::1 */
    TERN_ADDR_MULTICAST,   /**< 224.0.0.0/4, ff00::/8 */
    TERN_ADDR_BROADCAST,   /**< 255.255.255.255 */
    TERN_ADDR_RESERVED,    /**< 240.0.0.0/4 (and, to the parser, IPv4-mapped on the wire) */
};

/** The class of an address, without regard to any prefix (subnet broadcasts are UNICAST here). */
TERN_API enum tern_addr_class tern_addr_classify(const union tern_addr *a);

TERN_END_DECLS
