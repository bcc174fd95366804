/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire.h"

/* Plain and slow: bytes one by one, checksums of RFC 1071 over 16-bit words. */
#include <string.h>

enum {
    IP4_BYTES = 20,
    IP6_BYTES = 40,
    TCP_BYTES = 20,
    ICMP_BYTES = 8,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_ICMP6 = 58,
    TTL_DEFAULT = 64,
    DF_BIT = 0x4000,
    ICMP4_QUOTE_MAX = 548, /* RFC 1812 §4.3.2.3: an ICMP error is at most 576 bytes */
    ICMP6_QUOTE_MAX = 1232 /* RFC 4443 §2.4: 1280 */
};

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

uint8_t wire_pattern(int64_t at)
{
    return (uint8_t)(((uint32_t)at * 2654435761u) >> 21);
}

/* ---- checksums ---- */

static uint32_t sum(uint32_t start, const uint8_t *at, size_t n)
{
    uint64_t s = start;
    for (size_t i = 0; i + 1 < n; i += 2)
        s += get16(at + i);
    if (n % 2 != 0)
        s += (uint64_t)at[n - 1] << 8;
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return (uint32_t)s;
}

/** Sum of the pseudo-header (RFC 9293 §3.1) and of what follows the IP header. */
static uint32_t l4_sum(const union tern_addr *src, const union tern_addr *dst, bool v6,
    uint8_t proto, const uint8_t *l4, size_t n)
{
    const size_t off = v6 ? 0 : 12, addr_bytes = v6 ? 16 : 4;
    uint32_t s = sum(0, src->b + off, addr_bytes);
    s = sum(s, dst->b + off, addr_bytes);
    s = sum(s + proto + (uint32_t)n, l4, 0);
    return sum(s, l4, n);
}

/* ---- building ---- */

static size_t build_ip(uint8_t *to, bool v6, const union tern_addr *src, const union tern_addr *dst,
    uint8_t proto, uint8_t ttl, uint8_t tos, uint16_t id, const struct damage *d, size_t l4_bytes)
{
    if (v6) {
        put32(to, 6u << 28 | (uint32_t)tos << 20);
        put16(to + 4, (uint32_t)((int)l4_bytes + d->ip_len_off));
        to[6] = proto;
        to[7] = ttl;
        memcpy(to + 8, src->b, 16);
        memcpy(to + 24, dst->b, 16);
        return IP6_BYTES;
    }
    const size_t ihl = IP4_BYTES + d->n_ip_opts;
    memset(to, 0, ihl);
    to[0] = (uint8_t)(0x40 | ihl / 4);
    to[1] = tos;
    put16(to + 2, (uint32_t)((int)(ihl + l4_bytes) + d->ip_len_off));
    put16(to + 4, id);
    put16(to + 6, DF_BIT);
    to[8] = ttl;
    to[9] = proto;
    memcpy(to + 12, src->b + 12, 4);
    memcpy(to + 16, dst->b + 12, 4);
    memcpy(to + IP4_BYTES, d->ip_opts, d->n_ip_opts);
    put16(to + 10, ~sum(0, to, ihl) & 0xffff);
    if (d->ip_sum)
        to[10] ^= 0x55;
    return ihl;
}

static size_t build_tcp(const struct wire_out *p, uint8_t *tcp)
{
    const size_t n_opts = (p->n_opts + 3) / 4 * 4;
    const struct damage *d = p->damage;
    memset(tcp, 0, TCP_BYTES + n_opts);
    put16(tcp, d->has_sport ? d->sport : p->sport);
    put16(tcp + 2, d->has_dport ? d->dport : p->dport);
    put32(tcp + 4, p->seq);
    put32(tcp + 8, p->ack);
    tcp[12] = (uint8_t)((d->has_doff ? d->doff_words : (TCP_BYTES + n_opts) / 4) << 4);
    tcp[13] = p->flags;
    put16(tcp + 14, p->win);
    put16(tcp + 18, p->urg);
    if (p->n_opts > 0)
        memcpy(tcp + TCP_BYTES, p->opts, p->n_opts);
    uint8_t *data = tcp + TCP_BYTES + n_opts;
    for (uint32_t i = 0; i < p->len; i++)
        data[i] = p->has_fill ? p->fill : wire_pattern(p->pattern_at + i);
    return TCP_BYTES + n_opts + p->len;
}

size_t wire_build(const struct wire_out *p, uint8_t *to)
{
    static uint8_t tcp[PACKET_BYTES_MAX];
    const struct damage *d = p->damage;
    const union tern_addr *src = d->has_src ? &d->src : &p->src;
    const union tern_addr *dst = d->has_dst ? &d->dst : &p->dst;
    const size_t n = build_tcp(p, tcp);
    put16(tcp + 16, ~l4_sum(src, dst, p->v6, PROTO_TCP, tcp, n) & 0xffff);
    if (d->tcp_sum)
        tcp[16] ^= 0x55;
    const size_t at = build_ip(
        to, p->v6, src, dst, PROTO_TCP, p->ttl != 0 ? p->ttl : TTL_DEFAULT, p->tos, p->id, d, n);
    memcpy(to + at, tcp, n);
    return at + n - (d->cut_bytes < at + n ? d->cut_bytes : 0);
}

/** RFC 792 and RFC 4443: the same meanings under other numbers. */
static void put_kind(uint8_t *at, const struct icmp *icmp, bool v6)
{
    static const uint8_t type_code[ICMP_KINDS][2][2] = {
        [ICMP_NET_UNREACHABLE] = {{3, 0}, {1, 0}},
        [ICMP_HOST_UNREACHABLE] = {{3, 1}, {1, 3}},
        [ICMP_PROTO_UNREACHABLE] = {{3, 2}, {4, 1}},
        [ICMP_PORT_UNREACHABLE] = {{3, 3}, {1, 4}},
        [ICMP_PROHIBITED] = {{3, 13}, {1, 1}},
        [ICMP_TOO_BIG] = {{3, 4}, {2, 0}},
        [ICMP_TIME_EXCEEDED] = {{11, 0}, {3, 0}},
        [ICMP_PARAMETER] = {{12, 0}, {4, 0}},
        [ICMP_QUENCH] = {{4, 0}, {4, 2}},
    };
    memcpy(at, type_code[icmp->kind][v6], 2);
    put32(at + 4, icmp->mtu);
}

size_t wire_build_icmp(const struct icmp *icmp, bool v6, const union tern_addr *src,
    const union tern_addr *dst, const uint8_t *quoted, size_t n_quoted, uint8_t *to)
{
    static const struct damage none;
    uint8_t body[PACKET_BYTES_MAX] = {0};
    const size_t most = v6 ? ICMP6_QUOTE_MAX : ICMP4_QUOTE_MAX;
    const size_t n = ICMP_BYTES + (n_quoted < most ? n_quoted : most);
    const uint8_t proto = v6 ? PROTO_ICMP6 : PROTO_ICMP;
    put_kind(body, icmp, v6);
    memcpy(body + ICMP_BYTES, quoted, n - ICMP_BYTES);
    put16(body + 2, ~(v6 ? l4_sum(src, dst, v6, proto, body, n) : sum(0, body, n)) & 0xffff);
    if (icmp->bad_sum)
        body[2] ^= 0x55;
    const size_t at = build_ip(to, v6, src, dst, proto, TTL_DEFAULT, 0, 0, &none, n);
    memcpy(to + at, body, n);
    return at + n;
}

/* ---- taking apart ---- */

static const char *parse_ip4(const uint8_t *ip, size_t n, struct wire_in *out)
{
    uint32_t src, dst;
    if (n < IP4_BYTES + TCP_BYTES || ip[0] != 0x45)
        return "it is no IPv4 packet without options";
    if (get16(ip + 2) != n)
        return "the IP length is not the packet's";
    if (sum(0, ip, IP4_BYTES) != 0xffff)
        return "the IP checksum is wrong (MUST-2)";
    if ((get16(ip + 6) & ~(uint32_t)DF_BIT) != 0)
        return "it is a fragment";
    memcpy(&src, ip + 12, sizeof src);
    memcpy(&dst, ip + 16, sizeof dst);
    out->src = tern_addr_from_v4(src);
    out->dst = tern_addr_from_v4(dst);
    out->tos = ip[1];
    out->id = (uint16_t)get16(ip + 4);
    out->df = get16(ip + 6) & DF_BIT;
    out->ttl = ip[8];
    return ip[9] == PROTO_TCP ? NULL : "it is not TCP";
}

static const char *parse_ip6(const uint8_t *ip, size_t n, struct wire_in *out)
{
    if (n < IP6_BYTES + TCP_BYTES || ip[0] >> 4 != 6)
        return "it is no IPv6 packet";
    if (get16(ip + 4) != n - IP6_BYTES)
        return "the IP length is not the packet's";
    memcpy(out->src.b, ip + 8, 16);
    memcpy(out->dst.b, ip + 24, 16);
    out->tos = (uint8_t)(get16(ip) >> 4);
    out->ttl = ip[7];
    out->df = true; /* no router fragments IPv6 */
    return ip[6] == PROTO_TCP ? NULL : "it is not TCP";
}

static const char *parse_tcp(const uint8_t *tcp, size_t n, bool v6, struct wire_in *out)
{
    const size_t doff = (size_t)(tcp[12] >> 4) * 4;
    if (doff < TCP_BYTES || doff > n)
        return "the data offset is wrong";
    if ((tcp[12] & 0xf) != 0)
        return "reserved bits are not zero (RFC 9293 §3.1)";
    if (l4_sum(&out->src, &out->dst, v6, PROTO_TCP, tcp, n) != 0xffff)
        return "the TCP checksum is wrong (MUST-2)";
    out->sport = (uint16_t)get16(tcp);
    out->dport = (uint16_t)get16(tcp + 2);
    out->seq = get32(tcp + 4);
    out->ack = get32(tcp + 8);
    out->flags = tcp[13];
    out->win = (uint16_t)get16(tcp + 14);
    out->urg = (uint16_t)get16(tcp + 18);
    out->opts = tcp + TCP_BYTES;
    out->n_opts = (uint32_t)(doff - TCP_BYTES);
    out->data = tcp + doff;
    out->len = (uint32_t)(n - doff);
    return NULL;
}

const char *wire_parse(const uint8_t *packet, size_t n, bool v6, struct wire_in *out)
{
    *out = (struct wire_in){0};
    const char *wrong = v6 ? parse_ip6(packet, n, out) : parse_ip4(packet, n, out);
    const size_t at = v6 ? IP6_BYTES : IP4_BYTES;
    return wrong != NULL ? wrong : parse_tcp(packet + at, n - at, v6, out);
}
