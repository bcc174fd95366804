/* SPDX-License-Identifier: BSD-3-Clause */
#include "shot.h"

#include "link/packet.h"
#include "wire/build.h"
#include "wire/neighbour_msg.h"

#include <string.h>

enum {
    TS_HEAD = 0x0101080a, /* NOP, NOP, kind, length */
    TS_BYTES = 12,
    TTL = 64,
    WINDOW = 65535,
    ICMP_BYTES = 8,
    ICMP_ECHO = 8,
    ICMP6_ECHO = 128,
    MORE_FRAGMENTS4 = 0x2000,
    IP6_FRAGMENT = 44,
    IP6_FRAGMENT_BYTES = 8,
};

/** Ethernet and IP headers. @return where the rest goes */
static uint8_t *begin(struct shot *s, const struct shot_route *r, uint8_t proto, uint32_t l4_bytes)
{
    const bool v6 = !tern_addr_is_v4(&r->src);
    const struct tern_ip_fields ip = {
        .src = &r->src, .dst = &r->dst, .l4_bytes = l4_bytes, .ttl = TTL, .proto = proto};
    memset(s->bytes, 0, sizeof s->bytes);
    uint8_t *l3 = s->bytes
                  + tern_build_eth(s->bytes, r->dst_mac, r->src_mac, 0,
                      v6 ? TERN_ETHERTYPE_IP6 : TERN_ETHERTYPE_IP4);
    if (v6)
        tern_build_ip6(l3, &ip);
    else
        tern_build_ip4(l3, &ip, true);
    uint8_t *l4 = l3 + (v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES);
    s->n_bytes = (uint32_t)(l4 - s->bytes) + l4_bytes;
    return l4;
}

void shot_tcp(struct shot *s, const struct shot_route *r, uint8_t flags, uint32_t seq, uint32_t ack,
    uint32_t n_payload)
{
    const uint8_t hdr_bytes = TERN_TCP_BYTES + (r->has_ts ? TS_BYTES : 0);
    uint8_t *l4 = begin(s, r, TERN_IPPROTO_TCP, hdr_bytes + n_payload);
    const struct tern_tcp_fields f = {
        .sport = r->sport,
        .dport = r->dport,
        .seq = {seq},
        .ack = {ack},
        .doff_bytes = hdr_bytes,
        .flags = flags,
        .wnd = WINDOW,
    };
    tern_build_tcp(l4, &f);
    if (r->has_ts) {
        tern_store32(l4 + TERN_TCP_BYTES, TS_HEAD);
        tern_store32(l4 + TERN_TCP_BYTES + 4, r->ts_val);
    }
    tern_packet_repair(s->bytes + TERN_ETH_BYTES);
}

void shot_echo(struct shot *s, const struct shot_route *r, uint32_t n_payload)
{
    const bool v6 = !tern_addr_is_v4(&r->src);
    uint8_t *l4 = begin(s, r, v6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP, ICMP_BYTES + n_payload);
    l4[0] = v6 ? ICMP6_ECHO : ICMP_ECHO;
    tern_store16(l4 + 4, r->sport);
    tern_packet_repair(s->bytes + TERN_ETH_BYTES);
}

void shot_fragment(struct shot *s, const struct shot_route *r, uint32_t id)
{
    shot_tcp(s, r, TERN_TCP_SYN, id, 0, 0);
    uint8_t *l3 = s->bytes + TERN_ETH_BYTES;
    if (tern_addr_is_v4(&r->src)) {
        tern_store16(l3 + 4, (uint16_t)id);
        tern_store16(l3 + 6, MORE_FRAGMENTS4);
        tern_packet_repair(l3);
        return;
    }
    uint8_t *l4 = l3 + TERN_IP6_BYTES;
    memmove(l4 + IP6_FRAGMENT_BYTES, l4, TERN_TCP_BYTES);
    l3[6] = IP6_FRAGMENT;
    tern_store16(l3 + 4, IP6_FRAGMENT_BYTES + TERN_TCP_BYTES);
    tern_store32(l4, (uint32_t)TERN_IPPROTO_TCP << 24 | 1 /* more follow */);
    tern_store32(l4 + 4, id);
    s->n_bytes += IP6_FRAGMENT_BYTES;
}

void shot_who_has(struct shot *s, const struct shot_route *r)
{
    struct tern_neigh_msg msg = {.sender = r->src, .target = r->dst, .has_mac = true};
    memcpy(msg.mac, r->src_mac, sizeof msg.mac);
    s->n_bytes = tern_neigh_msg_build(s->bytes, &msg, NULL, NULL, 0);
}

void shot_is_at(struct shot *s, const struct shot_route *r)
{
    struct tern_neigh_msg msg = {.sender = r->src,
        .target = r->src,
        .has_mac = true,
        .is_answer = true,
        .solicited = true,
        .override = true};
    memcpy(msg.mac, r->src_mac, sizeof msg.mac);
    s->n_bytes = tern_neigh_msg_build(s->bytes, &msg, r->dst_mac, &r->dst, 0);
}
