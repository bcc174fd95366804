/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <stddef.h>
#include <string.h>

enum {
    IP4_BYTES = 20,
    IP6_BYTES = 40,
    TCP_BYTES = 20,
    ICMP_BYTES = 8,
    QUOTED_L4_BYTES = 20, /* RFC 1812 §4.3.2.3 asks for as much as fits; routers give little */
    ROUTER_TTL = 60,
};

/** Ones' complement sum (RFC 1071), 16-bit words in network order, odd tail padded with 0. */
static uint32_t sum_of(uint32_t sum, const uint8_t *at, uint32_t n)
{
    uint64_t wide = sum;
    for (; n >= 4; n -= 4, at += 4) {
        uint32_t word;
        memcpy(&word, at, sizeof word);
        wide += __builtin_bswap32(word);
    }
    if (n >= 2) {
        wide += tern_packet_get16(at);
        at += 2;
        n -= 2;
    }
    if (n == 1)
        wide += (uint32_t)at[0] << 8;
    while (wide >> 16 != 0)
        wide = (wide & 0xffff) + (wide >> 16);
    return (uint32_t)wide;
}

static uint32_t pseudo_sum(const uint8_t *at, const struct tern_packet_view *v)
{
    const uint32_t l4_bytes = v->ip_bytes - v->l3_bytes;
    const uint32_t sum = v->proto == TERN_PACKET_PROTO_ICMP ? 0 : (uint32_t)v->proto + l4_bytes;
    if (v->proto == TERN_PACKET_PROTO_ICMP)
        return 0;
    return v->v6 ? sum_of(sum, at + 8, 32) : sum_of(sum, at + 12, 8);
}

static bool read_ip(const uint8_t *at, uint32_t n, struct tern_packet_view *v)
{
    *v = (struct tern_packet_view){0};
    if (n >= IP4_BYTES && at[0] == 0x45) {
        v->l3_bytes = IP4_BYTES;
        v->ip_bytes = tern_packet_get16(at + 2);
        v->tos = at[1];
        v->ttl = at[8];
        v->proto = at[9];
    } else if (n >= IP6_BYTES && at[0] >> 4 == 6) {
        v->v6 = true;
        v->l3_bytes = IP6_BYTES;
        v->ip_bytes = IP6_BYTES + tern_packet_get16(at + 4);
        v->tos = (uint8_t)(tern_packet_get16(at) >> 4);
        v->ttl = at[7];
        v->proto = at[6];
    } else {
        return false;
    }
    return v->ip_bytes <= n && v->ip_bytes >= v->l3_bytes;
}

bool tern_packet_read(const uint8_t *at, uint32_t n, struct tern_packet_view *v)
{
    if (!read_ip(at, n, v))
        return false;
    v->is_tcp = v->proto == TERN_PACKET_PROTO_TCP;
    if (!v->is_tcp)
        return v->ip_bytes >= v->l3_bytes + ICMP_BYTES;
    const uint8_t *tcp = at + v->l3_bytes;
    if (v->ip_bytes < v->l3_bytes + TCP_BYTES)
        return false;
    v->tcp_bytes = (uint32_t)(tcp[12] >> 4) * 4;
    v->payload_off = v->l3_bytes + v->tcp_bytes;
    if (v->tcp_bytes < TCP_BYTES || v->payload_off > v->ip_bytes)
        return false;
    v->sport = tern_packet_get16(tcp);
    v->dport = tern_packet_get16(tcp + 2);
    v->seq = tern_packet_get32(tcp + 4);
    v->ack = tern_packet_get32(tcp + 8);
    v->flags = tcp[13];
    v->wnd = tern_packet_get16(tcp + 14);
    v->len = v->ip_bytes - v->payload_off;
    return true;
}

bool tern_packet_checksums_hold(const uint8_t *at, const struct tern_packet_view *v)
{
    if (!v->v6 && sum_of(0, at, IP4_BYTES) != 0xffff)
        return false;
    return sum_of(pseudo_sum(at, v), at + v->l3_bytes, v->ip_bytes - v->l3_bytes) == 0xffff;
}

void tern_packet_repair(uint8_t *at)
{
    struct tern_packet_view v;
    if (!read_ip(at, TERN_PACKET_BYTES_MAX, &v))
        return;
    if (!v.v6) {
        tern_packet_put16(at + 10, 0);
        tern_packet_put16(at + 10, ~sum_of(0, at, IP4_BYTES) & 0xffff);
    }
    const uint32_t l4_bytes = v.ip_bytes - v.l3_bytes;
    const uint32_t csum_off = v.proto == TERN_PACKET_PROTO_TCP ? 16 : 2;
    if (l4_bytes < csum_off + 2)
        return;
    uint8_t *l4 = at + v.l3_bytes;
    tern_packet_put16(l4 + csum_off, 0);
    tern_packet_put16(l4 + csum_off, ~sum_of(pseudo_sum(at, &v), l4, l4_bytes) & 0xffff);
}

void tern_packet_set_length(uint8_t *at, uint32_t n)
{
    if (at[0] >> 4 == 6)
        tern_packet_put16(at + 4, n - IP6_BYTES);
    else
        tern_packet_put16(at + 2, n);
}

void tern_packet_turn(uint8_t *at)
{
    uint8_t src[16];
    const bool v6 = at[0] >> 4 == 6;
    const uint32_t off = v6 ? 8 : 12, n = v6 ? 16 : 4;
    memcpy(src, at + off, n);
    memmove(at + off, at + off + n, n);
    memcpy(at + off + n, src, n);
}

const uint8_t *tern_packet_option(const uint8_t *at, const struct tern_packet_view *v, uint8_t kind)
{
    const uint8_t *o = at + v->l3_bytes + TCP_BYTES, *end = at + v->payload_off;
    while (o < end && *o != 0) {
        if (*o == 1) {
            o++;
            continue;
        }
        if (end - o < 2 || o[1] < 2 || o[1] > end - o)
            return NULL;
        if (*o == kind)
            return o;
        o += o[1];
    }
    return NULL;
}

static uint32_t error_header(const uint8_t *about, const struct tern_packet_view *v, uint8_t *out)
{
    memset(out, 0, v->l3_bytes);
    memcpy(out, about, v->l3_bytes);
    tern_packet_turn(out);
    if (v->v6) {
        out[0] = 0x60;
        out[1] = 0;
        out[6] = TERN_PACKET_PROTO_ICMP6;
        out[7] = ROUTER_TTL;
    } else {
        out[1] = 0;
        out[8] = ROUTER_TTL;
        out[9] = TERN_PACKET_PROTO_ICMP;
    }
    return v->l3_bytes;
}

uint32_t tern_packet_icmp_error(const uint8_t *about, const struct tern_packet_view *v,
    uint8_t type, uint8_t code, uint32_t mtu_bytes, uint8_t *out)
{
    uint32_t n = error_header(about, v, out);
    uint8_t *icmp = out + n;
    memset(icmp, 0, ICMP_BYTES);
    icmp[0] = type;
    icmp[1] = code;
    tern_packet_put32(
        icmp + 4, mtu_bytes); /* RFC 1191 §4: the low half; RFC 4443 §3.2: all of it */
    uint32_t quoted = v->l3_bytes + QUOTED_L4_BYTES;
    if (quoted > v->ip_bytes)
        quoted = v->ip_bytes;
    memcpy(icmp + ICMP_BYTES, about, quoted);
    n += ICMP_BYTES + quoted;
    tern_packet_set_length(out, n);
    tern_packet_repair(out);
    return n;
}
