/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values to bytes, at any alignment. Lengths are fixed and stated, so callers lay out a packet
 * before they write it; nothing here can fail. What every packet needs is inline in build.h.
 */
#include "build.h"

uint32_t tern_build_eth(
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
