/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* enum tern_addr_class of an address as it lies in a header, where IPv4-mapped is not IPv4. */
#include <tern/addr.h>

#include "bytes.h"
#include "hint.h"

#include <stdint.h>
#include <string.h>

/** Class of the IPv4 address at `at` [4] (RFC 1122 §3.2.1.3, RFC 6890). */
static inline enum tern_addr_class tern_addr4_class(const uint8_t *at)
{
    const uint8_t net = at[0];
    if (likely(net != 0 && net != 127 && net < 224))
        return TERN_ADDR_UNICAST;
    if (net == 0)
        return TERN_ADDR_UNSPECIFIED;
    if (net == 127)
        return TERN_ADDR_LOOPBACK;
    if (net < 240)
        return TERN_ADDR_MULTICAST;
    return tern_load32(at) == 0xffffffffu ? TERN_ADDR_BROADCAST : TERN_ADDR_RESERVED;
}

/** Class of the IPv6 address at `at` [16] (RFC 4291 §2.4); IPv4-mapped is RESERVED. */
static inline enum tern_addr_class tern_addr6_class(const uint8_t *at)
{
    uint64_t upper;
    memcpy(&upper, at, sizeof upper);
    if (likely(upper != 0))
        return unlikely(at[0] == 0xff) ? TERN_ADDR_MULTICAST : TERN_ADDR_UNICAST;

    const uint32_t third = tern_load32(at + 8), fourth = tern_load32(at + 12);
    if (third == 0x0000ffffu)
        return TERN_ADDR_RESERVED;
    if (third == 0 && fourth <= 1)
        return fourth == 0 ? TERN_ADDR_UNSPECIFIED : TERN_ADDR_LOOPBACK;
    return TERN_ADDR_UNICAST;
}
