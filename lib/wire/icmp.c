/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP and ICMPv6: what a message is, what an error quotes, and the echo reply.
 *
 * Types and codes are an allow-list: what is not known to be of use to a TCP is refused by type.
 * Of the quotation only what RFC 792 promises is relied upon, the IP header and 8 bytes: enough for
 * the ports and the sequence number, by which the connection judges the error (RFC 5927 §4). The
 * reply is the request turned round in place, its length the one that was validated on the way in.
 */
#include "icmp.h"

#include "addr_class.h"
#include "bytes.h"
#include "csum.h"

#include <string.h>

enum {
    ICMP_BYTES = 8,
    QUOTED_L4_BYTES = 8, /* ports and sequence number */
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_ECHO_REQUEST = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER = 12,
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER = 4,
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_NDP_FIRST = 133,
    ICMP6_NDP_LAST = 137,
};

static bool accept(enum tern_icmp_kind *kind, enum tern_icmp_kind value)
{
    *kind = value;
    return true;
}

/* RFC 1122 §3.2.2.1, §4.2.3.9: of codes 0..15, 2 and 3 are final and 4 asks for smaller packets. */
static bool sort_unreachable4(uint8_t code, enum tern_icmp_kind *kind)
{
    switch (code) {
    case 2:
    case 3: return accept(kind, TERN_ICMP_REFUSED);
    case 4: return accept(kind, TERN_ICMP_TOO_BIG);
    default: return code <= 15 && accept(kind, TERN_ICMP_UNREACHABLE);
    }
}

/* Source quench (RFC 6633, MUST-55, V161), redirects (V164), replies (V041) and RFC 6918's relics
 * (V168) fall through: not ours. */
static bool sort4(uint8_t type, uint8_t code, enum tern_icmp_kind *kind)
{
    switch (type) {
    case ICMP4_UNREACHABLE: return sort_unreachable4(code, kind);
    case ICMP4_ECHO_REQUEST: return code == 0 && accept(kind, TERN_ICMP_ECHO_REQUEST);
    case ICMP4_TIME_EXCEEDED: return code <= 1 && accept(kind, TERN_ICMP_UNREACHABLE);
    case ICMP4_PARAMETER: return code <= 2 && accept(kind, TERN_ICMP_UNREACHABLE);
    default: return false;
    }
}

/* RFC 4443 §3. Port unreachable, and "unrecognized next header", which is protocol unreachable. MLD
 * is not ours (V170). */
static bool sort6(uint8_t type, uint8_t code, enum tern_icmp_kind *kind)
{
    switch (type) {
    case ICMP6_UNREACHABLE:
        return code <= 8 && accept(kind, code == 4 ? TERN_ICMP_REFUSED : TERN_ICMP_UNREACHABLE);
    case ICMP6_TOO_BIG: return accept(kind, TERN_ICMP_TOO_BIG); /* any code: RFC 4443 §3.2 */
    case ICMP6_TIME_EXCEEDED: return code <= 1 && accept(kind, TERN_ICMP_UNREACHABLE);
    case ICMP6_PARAMETER:
        return code <= 10 && accept(kind, code == 1 ? TERN_ICMP_REFUSED : TERN_ICMP_UNREACHABLE);
    case ICMP6_ECHO_REQUEST: return code == 0 && accept(kind, TERN_ICMP_ECHO_REQUEST);
    default:
        return type >= ICMP6_NDP_FIRST && type <= ICMP6_NDP_LAST && accept(kind, TERN_ICMP_NDP);
    }
}

/* Ports and sequence number; `tcp` holds QUOTED_L4_BYTES. */
static void read_quoted_tcp(const uint8_t *tcp, struct tern_icmp_quote *q)
{
    q->sport = tern_load16(tcp + TERN_TCP_OFF_SPORT);
    q->dport = tern_load16(tcp + TERN_TCP_OFF_DPORT);
    q->seq.v = tern_load32(tcp + TERN_TCP_OFF_SEQ);
}

/* A first or only fragment of TCP, as RFC 792 quotes it; its length that of a TCP segment at least.
 */
static bool read_quote4(const uint8_t *ip, uint32_t n_bytes, struct tern_icmp_quote *q)
{
    if (n_bytes < TERN_IP4_BYTES || ip[0] >> 4 != 4)
        return false;
    const uint32_t ihl_bytes = (ip[0] & 15u) * 4;
    if (ihl_bytes < TERN_IP4_BYTES || n_bytes < ihl_bytes + QUOTED_L4_BYTES)
        return false;
    const bool is_first = (tern_load16(ip + 6) & 0x1fff) == 0;
    q->quoted_ip_bytes = tern_load16(ip + 2);
    if (!is_first || ip[9] != TERN_IPPROTO_TCP || q->quoted_ip_bytes < ihl_bytes + TERN_TCP_BYTES)
        return false;
    uint32_t src, dst;
    memcpy(&src, ip + 12, sizeof src);
    memcpy(&dst, ip + 16, sizeof dst);
    q->src = tern_addr_from_v4(src);
    q->dst = tern_addr_from_v4(dst);
    read_quoted_tcp(ip + ihl_bytes, q);
    return true;
}

/* We send no extension headers, so none is looked through; a mapped address would name IPv4. */
static bool read_quote6(const uint8_t *ip, uint32_t n_bytes, struct tern_icmp_quote *q)
{
    if (n_bytes < TERN_IP6_BYTES + QUOTED_L4_BYTES || ip[0] >> 4 != 6)
        return false;
    const uint32_t l4_bytes = tern_load16(ip + 4);
    if (ip[6] != TERN_IPPROTO_TCP || l4_bytes < TERN_TCP_BYTES)
        return false;
    memcpy(q->src.b, ip + 8, 16);
    memcpy(q->dst.b, ip + 24, 16);
    if (tern_addr_is_v4(&q->src) || tern_addr_is_v4(&q->dst))
        return false;
    q->quoted_ip_bytes = TERN_IP6_BYTES + l4_bytes;
    read_quoted_tcp(ip + TERN_IP6_BYTES, q);
    return true;
}

/* RFC 1191 §4: the lower 16 bits of the second word; RFC 4443 §3.2: all 32. */
static uint32_t next_hop_mtu(const uint8_t *icmp, bool v6)
{
    return v6 ? tern_load32(icmp + 4) : tern_load16(icmp + 6);
}

static bool quotes_something(enum tern_icmp_kind kind)
{
    return kind == TERN_ICMP_UNREACHABLE || kind == TERN_ICMP_REFUSED || kind == TERN_ICMP_TOO_BIG;
}

/* An error answers a packet of ours, so it comes to an address of ours, never to a group; and
 * nothing answers it (1122-6, V166). */
static bool is_to_group(const struct tern_pkt *p)
{
    return p->group_mac || (p->v6 && p->dst[0] == 0xff);
}

enum tern_drop tern_icmp_parse(const uint8_t *frame, const struct tern_pkt *p,
    enum tern_icmp_kind *kind, struct tern_icmp_quote *quote)
{
    if (p->l4_bytes < ICMP_BYTES)
        return TERN_DROP_ICMP_SHORT;
    const uint8_t *icmp = frame + p->l4_off, *quoted = icmp + ICMP_BYTES;
    const uint32_t quoted_bytes = p->l4_bytes - ICMP_BYTES;
    if (!(p->v6 ? sort6(icmp[0], icmp[1], kind) : sort4(icmp[0], icmp[1], kind)))
        return TERN_DROP_ICMP_TYPE;
    if (!quotes_something(*kind))
        return TERN_DROP_NONE;
    if (is_to_group(p))
        return TERN_DROP_ICMP_TYPE;
    if (!(p->v6 ? read_quote6(quoted, quoted_bytes, quote)
                : read_quote4(quoted, quoted_bytes, quote)))
        return TERN_DROP_ICMP_QUOTE;
    quote->mtu_bytes = *kind == TERN_ICMP_TOO_BIG ? next_hop_mtu(icmp, p->v6) : 0;
    return TERN_DROP_NONE;
}

/* ---- echo ---- */

static void swap(uint8_t *a, uint8_t *b, size_t n_bytes)
{
    uint8_t held[16];
    memcpy(held, a, n_bytes);
    memcpy(a, b, n_bytes);
    memcpy(b, held, n_bytes);
}

/* The reply goes to who asked, and to nowhere else (RFC 1122 §3.2.2.6, RFC 4443 §4.2; V149, V167).
 */
static bool echo_is_answerable(const struct tern_pkt *p)
{
    const uint32_t ip_bytes = p->v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
    if ((uint32_t)p->l4_off - p->l3_off != ip_bytes)
        return false; /* IPv4 options (RFC 7126), IPv6 extension headers */
    if (is_to_group(p))
        return false;
    return !(p->v6 && tern_addr6_class(p->src) != TERN_ADDR_UNICAST);
}

/* Don't fragment, identification 0: nothing to be learnt from it (RFC 6864 §4.1; V090, V091). */
static void turn_ip4(uint8_t *ip, uint8_t tos, uint8_t ttl)
{
    ip[1] = tos;
    tern_store32(ip + 4, 0x00004000);
    ip[8] = ttl;
    swap(ip + 12, ip + 16, 4);
    tern_csum_ip4_set(ip, TERN_IP4_BYTES);
}

static void turn_ip6(uint8_t *ip, uint8_t tos, uint8_t hop_limit)
{
    tern_store32(ip, 6u << 28 | (uint32_t)tos << 20);
    ip[7] = hop_limit;
    swap(ip + 8, ip + 24, 16);
}

/* The checksum is computed anew: where the device vouched for it, the field may hold anything. */
static void turn_icmp(uint8_t *icmp, uint8_t reply_type, uint32_t icmp_bytes, uint64_t pseudo)
{
    icmp[0] = reply_type;
    memset(icmp + 2, 0, 2);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(pseudo, icmp, icmp_bytes));
    memcpy(icmp + 2, &csum, sizeof csum);
}

/* As long as the request was found to be (V030, V033). */
bool tern_icmp_echo_reply(
    uint8_t *frame, const struct tern_pkt *p, const uint8_t *l2_src, uint8_t ttl)
{
    if (!echo_is_answerable(p))
        return false;
    uint8_t *ip = frame + p->l3_off, *icmp = frame + p->l4_off;
    const uint8_t tos = p->tos & 0xfc; /* the same class of service, its ECN mark is not ours */
    if (l2_src != NULL) {
        memcpy(frame, frame + 6, 6);
        memcpy(frame + 6, l2_src, 6);
    }
    if (p->v6) {
        turn_ip6(ip, tos, ttl);
        const uint64_t pseudo = tern_csum_pseudo6(ip + 8, ip + 24, TERN_IPPROTO_ICMP6, p->l4_bytes);
        turn_icmp(icmp, ICMP6_ECHO_REPLY, p->l4_bytes, pseudo);
    } else {
        turn_ip4(ip, tos, ttl);
        turn_icmp(icmp, ICMP4_ECHO_REPLY, p->l4_bytes, 0);
    }
    return true;
}
