/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values to bytes, one store a field at its offset, at any alignment. Lengths are fixed and stated,
 * so callers lay out a packet before they write it; nothing here can fail.
 */
#include "build.h"

#include "bytes.h"
#include "csum.h"

#include <string.h>

void tern_build_tcp(uint8_t *at, const struct tern_tcp_fields *f)
{
    tern_store16(at + TERN_TCP_OFF_SPORT, f->sport);
    tern_store16(at + TERN_TCP_OFF_DPORT, f->dport);
    tern_store32(at + TERN_TCP_OFF_SEQ, f->seq.v);
    tern_store32(at + TERN_TCP_OFF_ACK, f->ack.v);
    at[TERN_TCP_OFF_DOFF] = (uint8_t)(f->doff_bytes << 2); /* bytes / 4 in the upper nibble */
    at[TERN_TCP_OFF_FLAGS] = f->flags;
    tern_store16(at + TERN_TCP_OFF_WND, f->wnd);
    tern_store16(at + TERN_TCP_OFF_CSUM, 0);
    tern_store16(at + TERN_TCP_OFF_URG, f->urg);
}

void tern_build_ip4(uint8_t *at, const struct tern_ip_fields *f)
{
    at[0] = 0x45;
    at[1] = f->tos;
    tern_store16(at + 2, (uint16_t)(TERN_IP4_BYTES + f->l4_bytes));
    tern_store16(at + 4, f->id);
    tern_store16(at + 6, f->df ? 0x4000 : 0);
    at[8] = f->ttl;
    at[9] = f->proto;
    memcpy(at + 12, f->src->b + 12, 4);
    memcpy(at + 16, f->dst->b + 12, 4);
    tern_csum_ip4_set(at, TERN_IP4_BYTES);
}

void tern_build_ip6(uint8_t *at, const struct tern_ip_fields *f)
{
    tern_store32(at, 6u << 28 | (uint32_t)f->tos << 20);
    tern_store16(at + 4, (uint16_t)f->l4_bytes);
    at[6] = f->proto;
    at[7] = f->ttl;
    memcpy(at + 8, f->src->b, 16);
    memcpy(at + 24, f->dst->b, 16);
}

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
