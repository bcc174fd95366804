/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame is looked at in three steps, link, network and transport; each returns the first reason
 * to refuse it. The everyday packet (untagged, IPv4 without options or IPv6 without extension
 * headers, TCP, one buffer, checksums verified by the device) runs straight through them, every
 * refusal a branch not taken; tags, options, extension headers, split frames and software checksums
 * are in functions of their own. TCP is parsed by one function for both families.
 *
 * Lengths: an end is computed and compared before anything between it and here is read, in 32 bits,
 * from fields of at most 16, so no sum wraps; nothing is subtracted that was not compared first.
 * From the network step on p->end_off, taken from the IP length, replaces the frame's length.
 *
 * Frames in several buffers: accepted only for TCP, with all headers in the first buffer and the
 * packet ending where the frame does (else tail_sum would sum a trailer, and the trailer would have
 * to be cut out of a chain). For all others the caller is told to join the buffers and come again.
 */
#include "pkt.h"

#include "addr_class.h"
#include "bytes.h"
#include "csum.h"
#include "hint.h"
#include "pkt_plain.h"

#include <string.h>

enum {
    IP4_FRAGMENT_BITS = 0x3fff, /* more fragments, and the offset */
    IP4_OPT_EOL = 0,
    IP4_OPT_NOP = 1,
    IP4_OPT_LSRR = 131,
    IP4_OPT_SSRR = 137,
    IP6_HOP_BY_HOP = 0,
    IP6_ROUTING = 43,
    IP6_FRAGMENT = 44,
    IP6_DST_OPTS = 60,
    IP6_EXT_UNIT_BYTES = 8,
    IP6_OPT_PAD1 = 0,
    ARP_BYTES = 28,
    ICMP_BYTES = 8, /* the shortest message of either ICMP that anything here reads */
    VLAN_ID_BITS = 0x0fff,
};

/* The first buffer must hold the frame up to `end`; `missing` when not even the whole frame does.
 * Nothing of a frame is read that this has not let pass (V026, V034, V038, V042, V171). */
static inline enum tern_drop need(
    const struct tern_pkt_input *in, uint32_t end, enum tern_drop missing)
{
    if (likely(end <= in->n_contiguous))
        return TERN_DROP_NONE;
    return end <= in->n_total ? TERN_DROP_LINEARISE : missing;
}

static inline bool is_split(const struct tern_pkt_input *in)
{
    return in->n_total != in->n_contiguous;
}

/* ---- link ---- */

static inline bool is_tag(uint16_t ethertype)
{
    return ethertype == TERN_ETHERTYPE_VLAN || ethertype == TERN_ETHERTYPE_QINQ;
}

/*
 * At most one tag (V159), of the VLAN that was asked for (V202), in the frame or taken off by the
 * device; VLAN 0 is a priority tag and belongs to no VLAN (IEEE 802.1Q §9.6).
 */
static TERN_ASIDE enum tern_drop parse_tag(
    const struct tern_pkt_input *in, struct tern_pkt *p, uint16_t *ethertype)
{
    uint16_t tci = in->vlan_stripped ? in->vlan_tci : 0;
    if (!in->vlan_stripped && *ethertype == TERN_ETHERTYPE_VLAN) {
        const uint32_t end = TERN_ETH_BYTES + TERN_VLAN_BYTES;
        const enum tern_drop drop = need(in, end, TERN_DROP_ETH_RUNT);
        if (drop != TERN_DROP_NONE)
            return drop;
        tci = tern_load16(in->frame + TERN_ETH_BYTES);
        *ethertype = tern_load16(in->frame + end - 2);
        p->l3_off = (uint16_t)end;
    }
    if ((tci & VLAN_ID_BITS) != in->vlan || is_tag(*ethertype))
        return TERN_DROP_VLAN_MISMATCH;
    return TERN_DROP_NONE;
}

static inline enum tern_drop parse_ethernet(
    const struct tern_pkt_input *in, struct tern_pkt *p, uint16_t *ethertype)
{
    const enum tern_drop drop = need(in, TERN_ETH_BYTES, TERN_DROP_ETH_RUNT);
    if (unlikely(drop != TERN_DROP_NONE))
        return drop;
    const uint8_t *dst = in->frame, *src = in->frame + 6;
    p->group_mac = dst[0] & 1;
    if (unlikely(!p->group_mac && memcmp(dst, in->mac, 6) != 0)) /* V201 */
        return TERN_DROP_ETH_NOT_MINE;
    if (unlikely(src[0] & 1))
        return TERN_DROP_ETH_SRC_GROUP;

    p->l3_off = TERN_ETH_BYTES;
    *ethertype = tern_load16(in->frame + 12);
    if (unlikely(in->vlan != 0 || in->vlan_stripped || is_tag(*ethertype)))
        return parse_tag(in, p, ethertype);
    return TERN_DROP_NONE;
}

/* No Ethernet: the version nibble stands in for the EtherType. */
static enum tern_drop parse_no_link(
    const struct tern_pkt_input *in, struct tern_pkt *p, uint16_t *ethertype)
{
    const enum tern_drop drop = need(in, 1, TERN_DROP_IP_SHORT);
    if (drop != TERN_DROP_NONE)
        return drop;
    p->group_mac = false;
    p->l3_off = 0;
    switch (in->frame[0] >> 4) {
    case 4: *ethertype = TERN_ETHERTYPE_IP4; return TERN_DROP_NONE;
    case 6: *ethertype = TERN_ETHERTYPE_IP6; return TERN_DROP_NONE;
    default: return TERN_DROP_IP_VERSION;
    }
}

/* ---- network ---- */

/* MUST-50: options we do not know are skipped. RFC 7126 §4.3, §4.4: source routes are refused
 * (V148). Each round moves by one octet at least (V151). */
static TERN_RARE enum tern_drop check_ip4_options(const uint8_t *opt, uint32_t len_bytes)
{
    uint32_t at = 0;
    while (at < len_bytes && opt[at] != IP4_OPT_EOL) {
        if (opt[at] == IP4_OPT_NOP) {
            at++;
            continue;
        }
        const uint32_t room = len_bytes - at;
        const uint32_t opt_bytes = room >= 2 ? opt[at + 1] : 0;
        if (opt_bytes < 2 || opt_bytes > room)
            return TERN_DROP_IP_OPTION;
        if (opt[at] == IP4_OPT_LSRR || opt[at] == IP4_OPT_SSRR)
            return TERN_DROP_IP_OPTION;
        at += opt_bytes;
    }
    return TERN_DROP_NONE;
}

/* The header length of an IPv4 header that does not begin with the plain 0x45. */
static TERN_RARE enum tern_drop parse_ihl(
    const struct tern_pkt_input *in, const struct tern_pkt *p, uint32_t *ihl_bytes)
{
    const uint8_t version_ihl = in->frame[p->l3_off];
    if (version_ihl >> 4 != 4) /* RFC 1122 §3.2.1.1 */
        return TERN_DROP_IP_VERSION;
    *ihl_bytes = (version_ihl & 15u) * 4;
    if (*ihl_bytes < TERN_IP4_BYTES) /* V027 */
        return TERN_DROP_IP_HDR_LEN;
    return need(in, p->l3_off + *ihl_bytes, TERN_DROP_IP_HDR_LEN);
}

/* RFC 1122 §3.2.1.2. A device that says both good and bad is not believed the good. */
static inline bool ip4_csum_is_good(uint8_t rx_flags, const uint8_t *ip, uint32_t ihl_bytes)
{
    if (unlikely(rx_flags & TERN_RX_IP_CSUM_BAD))
        return false;
    if (likely(rx_flags & TERN_RX_IP_CSUM_GOOD))
        return true;
    const bool plain = likely(ihl_bytes == TERN_IP4_BYTES);
    return tern_csum_fold(plain ? tern_csum_ip4(ip) : tern_csum_add(0, ip, ihl_bytes)) == 0xffff;
}

static inline enum tern_drop parse_ip4(
    const struct tern_pkt_input *in, struct tern_pkt *p, uint8_t *proto)
{
    enum tern_drop drop = need(in, p->l3_off + TERN_IP4_BYTES, TERN_DROP_IP_SHORT);
    if (unlikely(drop != TERN_DROP_NONE))
        return drop;
    const uint8_t *ip = in->frame + p->l3_off;
    uint32_t ihl_bytes = TERN_IP4_BYTES;
    if (unlikely(ip[0] != 0x45)) {
        drop = parse_ihl(in, p, &ihl_bytes);
        if (drop != TERN_DROP_NONE)
            return drop;
    }
    const uint32_t total_bytes = tern_load16(ip + 2);
    p->end_off = p->l3_off + total_bytes;
    /* The one length that all behind it go by (V024, V027..V031, V036, V037, V039). */
    if (unlikely(total_bytes < ihl_bytes || p->end_off > in->n_total))
        return TERN_DROP_IP_LEN;
    if (unlikely(!ip4_csum_is_good(in->rx_flags, ip, ihl_bytes)))
        return TERN_DROP_IP_CSUM;
    /* V134, V135, V139, V142..V144: not put together, so nothing is kept and no offset is believed.
     */
    if (unlikely(tern_load16(ip + 6) & IP4_FRAGMENT_BITS))
        return TERN_DROP_IP_FRAGMENT;
    if (unlikely(ihl_bytes > TERN_IP4_BYTES)) {
        drop = check_ip4_options(ip + TERN_IP4_BYTES, ihl_bytes - TERN_IP4_BYTES);
        if (drop != TERN_DROP_NONE)
            return drop;
    }
    if (unlikely(tern_addr4_class(ip + 12) != TERN_ADDR_UNICAST)) /* MUST-63, 1122-6 */
        return TERN_DROP_IP_SRC;

    p->src = ip + 12;
    p->dst = ip + 16;
    p->v6 = false;
    p->tos = ip[1];
    p->hop_limit = ip[8]; /* any: RFC 1122 §3.2.1.7 */
    p->l4_off = (uint16_t)(p->l3_off + ihl_bytes);
    p->l4_bytes = total_bytes - ihl_bytes;
    *proto = ip[9];
    return TERN_DROP_NONE;
}

/* The two upper bits of an unknown option's type say what to do: only 00 is "skip" (RFC 8200 §4.2,
 * V158); the packet of any other is dropped, that of a jumbogram too (V155). */
static inline bool ip6_option_is_skippable(uint8_t type)
{
    return type >> 6 == 0;
}

/* RFC 8200 §4.2; RFC 8504 §5.3 allows a limit on their number (V152). */
static bool ip6_options_are_fine(const uint8_t *opt, uint32_t len_bytes)
{
    uint32_t at = 0;
    for (uint32_t n = 0; at < len_bytes; n++) {
        if (n == TERN_IP6_OPT_MAX)
            return false;
        if (opt[at] == IP6_OPT_PAD1) {
            at++;
            continue;
        }
        const uint32_t room = len_bytes - at;
        const uint32_t opt_bytes = room >= 2 ? 2u + opt[at + 1] : UINT32_MAX;
        if (opt_bytes > room || !ip6_option_is_skippable(opt[at]))
            return false;
        at += opt_bytes;
    }
    return true;
}

/* Extension headers that an endpoint looks through; a fragment header is looked at, never through.
 */
static inline bool is_ip6_ext(uint8_t next)
{
    return next == IP6_HOP_BY_HOP || next == IP6_ROUTING || next == IP6_DST_OPTS
           || next == IP6_FRAGMENT;
}

/* One whole header, the n-th of its packet. */
static bool ip6_ext_is_fine(uint8_t kind, uint32_t nth, const uint8_t *ext, uint32_t ext_bytes)
{
    if (kind == IP6_ROUTING)
        return ext[3] == 0; /* segments left: we route for nobody (RFC 8200 §4.4, V157) */
    if (kind == IP6_HOP_BY_HOP && nth != 0)
        return false; /* RFC 8200 §4.1 */
    return ip6_options_are_fine(ext + 2, ext_bytes - 2);
}

/* Walk from p->l4_off to the first header that is none; RFC 8504 §5.3 allows the bounds (V153,
 * V154). */
static TERN_RARE enum tern_drop skip_ip6_ext(
    const struct tern_pkt_input *in, struct tern_pkt *p, uint8_t *next)
{
    const uint32_t first = p->l4_off;
    uint32_t at = first;
    for (uint32_t nth = 0; is_ip6_ext(*next); nth++) {
        if (*next == IP6_FRAGMENT) /* atomic ones too (RFC 8021; V134..V136, V140, V141, V146), and
                                      NDP's (V188) */
            return TERN_DROP_IP_FRAGMENT;
        if (nth == TERN_IP6_EXT_MAX || at + IP6_EXT_UNIT_BYTES > p->end_off)
            return TERN_DROP_IP6_EXT;
        enum tern_drop drop = need(in, at + IP6_EXT_UNIT_BYTES, TERN_DROP_IP6_EXT);
        if (drop != TERN_DROP_NONE)
            return drop;
        const uint8_t *ext = in->frame + at;
        const uint32_t ext_bytes = (ext[1] + 1u) * IP6_EXT_UNIT_BYTES;
        const uint32_t end = at + ext_bytes;
        if (end > p->end_off || end - first > TERN_IP6_EXT_BYTES_MAX)
            return TERN_DROP_IP6_EXT;
        drop = need(in, end, TERN_DROP_IP6_EXT);
        if (drop != TERN_DROP_NONE)
            return drop;
        if (!ip6_ext_is_fine(*next, nth, ext, ext_bytes))
            return TERN_DROP_IP6_EXT;
        *next = ext[0];
        at = end;
    }
    p->l4_off = (uint16_t)at;
    return TERN_DROP_NONE;
}

/* The unspecified address speaks ICMPv6 only: duplicate address detection (RFC 4862 §5.4.2). */
static inline bool ip6_source_is_fine(const uint8_t *src, uint8_t proto)
{
    const enum tern_addr_class c = tern_addr6_class(src);
    return likely(c == TERN_ADDR_UNICAST)
           || (c == TERN_ADDR_UNSPECIFIED && proto == TERN_IPPROTO_ICMP6);
}

static inline enum tern_drop parse_ip6(
    const struct tern_pkt_input *in, struct tern_pkt *p, uint8_t *proto)
{
    enum tern_drop drop = need(in, p->l3_off + TERN_IP6_BYTES, TERN_DROP_IP_SHORT);
    if (unlikely(drop != TERN_DROP_NONE))
        return drop;
    const uint8_t *ip = in->frame + p->l3_off;
    if (unlikely(ip[0] >> 4 != 6))
        return TERN_DROP_IP_VERSION;
    p->l4_off = (uint16_t)(p->l3_off + TERN_IP6_BYTES);
    p->end_off = p->l4_off + tern_load16(ip + 4); /* 0 of a jumbogram too: RFC 2675 is not spoken */
    if (unlikely(p->end_off > in->n_total))       /* V035..V037 */
        return TERN_DROP_IP_LEN;
    *proto = ip[6];
    if (unlikely(is_ip6_ext(*proto))) {
        drop = skip_ip6_ext(in, p, proto);
        if (drop != TERN_DROP_NONE)
            return drop;
    }
    if (unlikely(!ip6_source_is_fine(ip + 8, *proto)))
        return TERN_DROP_IP_SRC;

    p->src = ip + 8;
    p->dst = ip + 24;
    p->v6 = true;
    p->tos = (uint8_t)(tern_load16(ip) >> 4);
    p->hop_limit = ip[7];
    p->l4_bytes = p->end_off - p->l4_off;
    return TERN_DROP_NONE;
}

/* ---- transport ---- */

static inline enum tern_addr_class class_on_wire(const struct tern_pkt *p, const uint8_t *at)
{
    return p->v6 ? tern_addr6_class(at) : tern_addr4_class(at);
}

/* Sent to one station, by MAC and by address (RFC 1122 §3.3.6). */
static inline bool is_to_one(const struct tern_pkt *p)
{
    return !p->group_mac && class_on_wire(p, p->dst) == TERN_ADDR_UNICAST;
}

static uint64_t pseudo_sum(const struct tern_pkt *p)
{
    if (p->v6)
        return tern_csum_pseudo6(p->src, p->dst,
            p->kind == TERN_PKT_TCP ? TERN_IPPROTO_TCP : TERN_IPPROTO_ICMP6, p->l4_bytes);
    if (p->kind == TERN_PKT_ICMP4)
        return 0; /* RFC 792: without a pseudo-header */
    return tern_csum_pseudo4(p->src, p->dst, TERN_IPPROTO_TCP, p->l4_bytes);
}

/* The packet's part in the first buffer ends at `front_end`; all it has behind that is `tail_sum`.
 */
static TERN_ASIDE bool l4_sum_is_good(
    const uint8_t *frame, const struct tern_pkt *p, uint32_t front_end, uint64_t tail_sum)
{
    const uint32_t front_bytes = front_end - p->l4_off;
    const uint64_t front = tern_csum_add(pseudo_sum(p), frame + p->l4_off, front_bytes);
    return tern_csum_fold(front + (front_bytes & 1 ? tern_csum_odd(tail_sum) : tail_sum)) == 0xffff;
}

/* The packet ends in the first buffer, or in the last where the frame does. A device is believed
 * what it says of sums and nothing else (V194). */
static inline bool l4_csum_is_good(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    if (unlikely(in->rx_flags & TERN_RX_L4_CSUM_BAD))
        return false;
    if (likely(in->rx_flags & TERN_RX_L4_CSUM_GOOD))
        return true;
    return is_split(in) ? l4_sum_is_good(in->frame, p, in->n_contiguous, in->tail_sum)
                        : l4_sum_is_good(in->frame, p, p->end_off, 0);
}

static inline uint32_t data_offset_bytes(const uint8_t *tcp)
{
    return (uint32_t)(tcp[TERN_TCP_OFF_DOFF] >> 4) * 4;
}

/* A TCP packet in several buffers that can be taken as it lies; l4_bytes holds a TCP header. */
static TERN_ASIDE bool split_tcp_is_usable(
    const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    const uint8_t *tcp = in->frame + p->l4_off;
    return p->end_off == in->n_total && (uint32_t)p->l4_off + TERN_TCP_BYTES <= in->n_contiguous
           && p->l4_off + data_offset_bytes(tcp) <= in->n_contiguous;
}

static inline enum tern_drop parse_tcp(const struct tern_pkt_input *in, struct tern_pkt *p)
{
    p->kind = TERN_PKT_TCP;
    if (unlikely(!is_to_one(p))) /* MUST-57, V053, V201 */
        return TERN_DROP_IP_DST;
    if (unlikely(p->l4_bytes < TERN_TCP_BYTES)) /* V025, V026 */
        return TERN_DROP_TCP_SHORT;
    if (unlikely(is_split(in)) && !split_tcp_is_usable(in, p)) /* of any size: V203 */
        return TERN_DROP_LINEARISE;
    const uint8_t *tcp = in->frame + p->l4_off;
    const uint32_t doff_bytes = data_offset_bytes(tcp);
    if (unlikely(doff_bytes < TERN_TCP_BYTES || doff_bytes > p->l4_bytes)) /* V023, V031 */
        return TERN_DROP_TCP_HDR_LEN;
    if (unlikely(!l4_csum_is_good(in, p))) /* MUST-3, V195: a sum of 0 is one like any other */
        return TERN_DROP_TCP_CSUM;

    p->sport = tern_load16(tcp + TERN_TCP_OFF_SPORT);
    p->dport = tern_load16(tcp + TERN_TCP_OFF_DPORT);
    p->seq.v = tern_load32(tcp + TERN_TCP_OFF_SEQ);
    p->ack.v = tern_load32(tcp + TERN_TCP_OFF_ACK);
    p->doff_bytes = (uint8_t)doff_bytes;
    p->flags = tcp[TERN_TCP_OFF_FLAGS];
    p->wnd = tern_load16(tcp + TERN_TCP_OFF_WND); /* unsigned: MUST-1 */
    p->urg = tern_load16(tcp + TERN_TCP_OFF_URG);
    p->payload_off = p->l4_off + doff_bytes;
    p->len_bytes = p->l4_bytes - doff_bytes;
    if (unlikely(p->sport == 0 || p->dport == 0))
        return TERN_DROP_TCP_PORT_ZERO;
    if (unlikely(tern_pkt_flags_are_nonsense(p->flags)))
        return TERN_DROP_TCP_FLAGS;
    return TERN_DROP_NONE;
}

/* IPv6 has no broadcast: neighbours are sought by multicast, which is let in for ICMPv6 alone. */
static bool icmp_destination_is_fine(const struct tern_pkt *p)
{
    return is_to_one(p) || (p->v6 && class_on_wire(p, p->dst) == TERN_ADDR_MULTICAST);
}

static TERN_RARE enum tern_drop parse_icmp(const struct tern_pkt_input *in, struct tern_pkt *p)
{
    p->kind = p->v6 ? TERN_PKT_ICMP6 : TERN_PKT_ICMP4;
    if (!icmp_destination_is_fine(p))
        return TERN_DROP_IP_DST;
    if (p->l4_bytes < ICMP_BYTES) /* V029, V041, V173 */
        return TERN_DROP_ICMP_SHORT;
    if (is_split(in))
        return TERN_DROP_LINEARISE;
    return l4_csum_is_good(in, p) ? TERN_DROP_NONE : TERN_DROP_ICMP_CSUM;
}

static TERN_RARE enum tern_drop parse_arp(const struct tern_pkt_input *in, struct tern_pkt *p)
{
    p->kind = TERN_PKT_ARP;
    p->src = p->dst = NULL;
    p->v6 = false;
    p->hop_limit = p->tos = 0;
    p->l4_off = p->l3_off;
    p->l4_bytes = ARP_BYTES;
    p->end_off = p->l3_off + ARP_BYTES;
    if (p->end_off > in->n_total)
        return TERN_DROP_ARP_BAD;
    return is_split(in) ? TERN_DROP_LINEARISE : TERN_DROP_NONE;
}

enum tern_drop tern_pkt_check_sums(const uint8_t *frame, const struct tern_pkt *p, uint8_t rx_flags)
{
    if (!p->v6 && !ip4_csum_is_good(rx_flags, frame + p->l3_off, p->l4_off - p->l3_off))
        return TERN_DROP_IP_CSUM;
    if (unlikely(rx_flags & TERN_RX_L4_CSUM_BAD))
        return TERN_DROP_TCP_CSUM;
    if (rx_flags & TERN_RX_L4_CSUM_GOOD)
        return TERN_DROP_NONE;
    const uint64_t sum = tern_csum_add(pseudo_sum(p), frame + p->l4_off, p->l4_bytes);
    return likely(tern_csum_fold(sum) == 0xffff) ? TERN_DROP_NONE : TERN_DROP_TCP_CSUM; /* MUST-3 */
}

/* The bytes of a shape, one after the other, before they are words. */
struct shape_bytes {
    uint8_t mask[8 * TERN_PLAIN_WORDS], want[8 * TERN_PLAIN_WORDS];
};

static void shape_byte(struct shape_bytes *s, uint32_t at, uint8_t mask, uint8_t want)
{
    s->mask[at] = mask;
    s->want[at] = want;
}

static void shape_link(struct shape_bytes *s, const uint8_t mac[6], uint16_t ethertype)
{
    for (uint32_t i = 0; i < 6; i++)
        shape_byte(s, i, 0xff, mac[i]);
    shape_byte(s, 6, 1, 0); /* from one station */
    shape_byte(s, 12, 0xff, (uint8_t)(ethertype >> 8));
    shape_byte(s, 13, 0xff, (uint8_t)ethertype);
}

static void shape_set(struct tern_plain_shape *out, const struct shape_bytes *s, uint32_t min_bytes)
{
    memcpy(out->mask, s->mask, sizeof out->mask);
    memcpy(out->want, s->want, sizeof out->want);
    out->min_bytes = min_bytes;
}

void tern_plain_init(struct tern_plain *w, bool l3, uint16_t vlan, const uint8_t mac[6])
{
    const uint32_t l2 = l3 ? 0 : TERN_ETH_BYTES;
    struct shape_bytes v4 = {0}, v6 = {0};
    if (!l3) {
        shape_link(&v4, mac, TERN_ETHERTYPE_IP4);
        shape_link(&v6, mac, TERN_ETHERTYPE_IP6);
    }
    shape_byte(&v4, l2, 0xff, 0x45);
    shape_byte(&v4, l2 + 6, IP4_FRAGMENT_BITS >> 8, 0);
    shape_byte(&v4, l2 + 7, IP4_FRAGMENT_BITS & 0xff, 0);
    shape_byte(&v4, l2 + 9, 0xff, TERN_IPPROTO_TCP);
    shape_byte(&v6, l2, 0xf0, 0x60);
    shape_byte(&v6, l2 + 6, 0xff, TERN_IPPROTO_TCP);
    w->l2_bytes = l2;
    shape_set(&w->v4, &v4, vlan == 0 ? l2 + TERN_IP4_BYTES + TERN_TCP_BYTES : UINT32_MAX);
    shape_set(&w->v6, &v6, vlan == 0 ? l2 + TERN_IP6_BYTES + TERN_TCP_BYTES : UINT32_MAX);
}

enum tern_drop tern_pkt_parse(const struct tern_pkt_input *in, struct tern_pkt *out)
{
    uint16_t ethertype;
    enum tern_drop drop =
        unlikely(in->l3) ? parse_no_link(in, out, &ethertype) : parse_ethernet(in, out, &ethertype);
    if (unlikely(drop != TERN_DROP_NONE))
        return drop;

    uint8_t proto;
    switch (ethertype) {
    case TERN_ETHERTYPE_IP4: drop = parse_ip4(in, out, &proto); break;
    case TERN_ETHERTYPE_IP6: drop = parse_ip6(in, out, &proto); break;
    case TERN_ETHERTYPE_ARP: return parse_arp(in, out);
    default: return TERN_DROP_ETH_TYPE; /* RARP (V177) and 802.3 lengths (V034) too */
    }
    if (unlikely(drop != TERN_DROP_NONE))
        return drop;

    if (likely(proto == TERN_IPPROTO_TCP))
        return parse_tcp(in, out);
    if (proto == (out->v6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP))
        return parse_icmp(in, out);
    return TERN_DROP_IP_PROTO; /* IGMP (V172), UDP (V216) and tunnels (V159) too */
}
