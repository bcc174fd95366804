/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A second reader of frames, for people. pkt.c is a list of reasons to refuse, and says nothing of
 * what it refused; here every header is read as far as its bytes go, and then pkt.c is asked for
 * its verdict. One reader for both was rejected: tolerance would cost the receive path branches,
 * and what is read here may be wrong in ways that nothing behind the parser should have to think
 * about.
 *
 * `has()` is the only comparison with the capture's end, and comes before every read. Offsets are
 * 32 bits wide, sums of a frame's length (at most n_wire) and 16-bit fields; has() compares without
 * adding. A header's own lengths are believed only for where the next one begins.
 *
 * A capture that was cut is given to the parser as the front buffer of a longer packet, which is a
 * thing it knows; "join the buffers" is then "too little was captured to tell".
 */
#include <tern/decode.h>

#include "bytes.h"
#include "csum.h"
#include "icmp.h"
#include "neighbour_msg.h"
#include "pkt.h"
#include "tcp_opt.h"

#include <string.h>

enum {
    MAC_BYTES = 6,
    SLL_BYTES = 16,
    SLL2_BYTES = 20,
    IP4_MF = 0x2000,
    IP4_OFFSET_BITS = 0x1fff,
    IP6_HOP_BY_HOP = 0,
    IP6_ROUTING = 43,
    IP6_FRAGMENT = 44,
    IP6_AUTHENTICATION = 51,
    IP6_DST_OPTS = 60,
    IP6_FRAGMENT_BYTES = 8,
    FRAGMENT_UNIT_BYTES = 8,
    ARP_BYTES = 28,
    ARP_ETHER_IP4_WORD = 0x00010800, /* hardware and protocol type … */
    ARP_SIZES = 0x0604,              /* … and their lengths */
    ICMP_BYTES = 4,                  /* type, code and checksum, all that is shown of it */
    ICMP_OFF_CSUM = 2,
    VLAN_ID_BITS = 0x0fff,
    VLAN_ID_RESERVED = 0x0fff, /* IEEE 802.1Q §9.6: nobody's */
    ALL_ONES = 0xffff,
};

/** `n` bytes at `off` were captured. */
static bool has(const struct tern_decode_input *in, uint32_t off, uint32_t n)
{
    return off <= in->n_captured && n <= in->n_captured - off;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- link: each returns the offset behind it ---- */

static bool is_tag(uint16_t ethertype)
{
    return ethertype == TERN_ETHERTYPE_VLAN || ethertype == TERN_ETHERTYPE_QINQ;
}

static uint32_t read_tags(
    const struct tern_decode_input *in, uint32_t off, struct tern_decoded_link *link)
{
    while (is_tag(link->ethertype) && has(in, off, TERN_VLAN_BYTES)
           && link->n_tags < TERN_DECODED_TAGS_MAX) {
        link->tags[link->n_tags++] = (struct tern_decoded_tag){
            .tpid = link->ethertype,
            .tci = tern_load16(in->frame + off),
        };
        link->ethertype = tern_load16(in->frame + off + 2);
        off += TERN_VLAN_BYTES;
    }
    return off;
}

static uint32_t read_ethernet(const struct tern_decode_input *in, struct tern_decoded_link *link)
{
    link->is_there = true;
    memcpy(link->dst, in->frame, MAC_BYTES);
    memcpy(link->src, in->frame + MAC_BYTES, MAC_BYTES);
    link->n_src_bytes = MAC_BYTES;
    link->ethertype = tern_load16(in->frame + 12);
    return read_tags(in, TERN_ETH_BYTES, link);
}

static void read_cooked_address(struct tern_decoded_link *link, uint32_t n, const uint8_t *at)
{
    link->n_src_bytes = (uint8_t)least(n, TERN_DECODED_HW_BYTES_MAX);
    memcpy(link->src, at, link->n_src_bytes);
}

/* Packet type, ARPHRD, length of the address, address, protocol (LINKTYPE_LINUX_SLL). */
static uint32_t read_sll(const struct tern_decode_input *in, struct tern_decoded_link *link)
{
    link->is_there = true;
    link->cooked_kind = tern_load16(in->frame);
    link->cooked_hw = tern_load16(in->frame + 2);
    read_cooked_address(link, tern_load16(in->frame + 4), in->frame + 6);
    link->ethertype = tern_load16(in->frame + 14);
    return read_tags(in, SLL_BYTES, link);
}

/* Protocol, reserved, interface, ARPHRD, packet type, length, address (LINKTYPE_LINUX_SLL2). */
static uint32_t read_sll2(const struct tern_decode_input *in, struct tern_decoded_link *link)
{
    link->is_there = true;
    link->ethertype = tern_load16(in->frame);
    link->cooked_ifindex = tern_load32(in->frame + 4);
    link->cooked_hw = tern_load16(in->frame + 8);
    link->cooked_kind = in->frame[10];
    read_cooked_address(link, in->frame[11], in->frame + 12);
    return read_tags(in, SLL2_BYTES, link);
}

/* No link header: the version stands in for the EtherType. */
static uint32_t read_raw(const struct tern_decode_input *in, struct tern_decoded_link *link)
{
    link->ethertype = in->frame[0] >> 4 == 6 ? TERN_ETHERTYPE_IP6 : TERN_ETHERTYPE_IP4;
    return 0;
}

/* A way to begin; `bytes` must be there. */
static const struct link_reader {
    uint32_t bytes;
    uint32_t (*read)(const struct tern_decode_input *in, struct tern_decoded_link *link);
} link_readers[TERN_LINK_COUNT] = {
    [TERN_LINK_ETHERNET] = {TERN_ETH_BYTES, read_ethernet},
    [TERN_LINK_RAW] = {1, read_raw},
    [TERN_LINK_SLL] = {SLL_BYTES, read_sll},
    [TERN_LINK_SLL2] = {SLL2_BYTES, read_sll2},
};

/* ---- checksums ---- */

/* The checksum at `csum_off` of [off, end), whose sum without anything before it is `start`. */
static struct tern_decoded_csum judge(const struct tern_decode_input *in, uint64_t start,
    uint32_t off, uint32_t end, uint32_t csum_off)
{
    struct tern_decoded_csum c = {.seen = tern_load16(in->frame + csum_off)};
    if (!has(in, off, end - off))
        return c;
    const uint64_t all = tern_csum_add(start, in->frame + off, end - off);
    if (tern_csum_fold(all) == ALL_ONES) {
        c.verdict = TERN_CSUM_GOOD;
        return c;
    }
    const uint16_t here = (uint16_t)~__builtin_bswap16(c.seen); /* adding it takes the field out */
    c.right = (uint16_t)~__builtin_bswap16(tern_csum_fold(all + here));
    const bool unfinished = start != 0 && c.seen == __builtin_bswap16(tern_csum_fold(start));
    c.verdict = unfinished ? TERN_CSUM_UNFINISHED : TERN_CSUM_BAD;
    return c;
}

/* Sum of the pseudo-header of what lies at `off`. */
static uint64_t pseudo_sum(
    const struct tern_decode_input *in, const struct tern_decoded *d, uint32_t off)
{
    const uint8_t *ip = in->frame + d->ip.off;
    const uint32_t bytes = d->ip.end_off - off;
    if (d->net == TERN_NET_IP6)
        return tern_csum_pseudo6(ip + 8, ip + 24, d->ip.proto, bytes);
    return tern_csum_pseudo4(ip + 12, ip + 16, d->ip.proto, bytes);
}

/* The checksum of a whole TCP segment or ICMP message; a fragment carries it for all of them. */
static struct tern_decoded_csum judge_l4(const struct tern_decode_input *in,
    const struct tern_decoded *d, uint32_t off, uint32_t csum_off)
{
    if (d->ip.is_fragment)
        return (struct tern_decoded_csum){.seen = tern_load16(in->frame + csum_off)};
    const bool bare = d->ip.proto == TERN_IPPROTO_ICMP; /* RFC 792: no pseudo-header */
    return judge(in, bare ? 0 : pseudo_sum(in, d, off), off, d->ip.end_off, csum_off);
}

/* ---- TCP ---- */

/* How many 32-bit values an option of this kind and length carries; -1: not a length it may have.
 */
static int opt_values(uint8_t kind, uint32_t n_bytes)
{
    switch (kind) {
    case TERN_OPT_EOL:
    case TERN_OPT_NOP: return 0;
    case TERN_OPT_MSS: return n_bytes == 4 ? 1 : -1;
    case TERN_OPT_WSCALE: return n_bytes == 3 ? 1 : -1;
    case TERN_OPT_SACK_OK: return n_bytes == 2 ? 0 : -1;
    case TERN_OPT_TS: return n_bytes == 10 ? 2 : -1;
    case TERN_OPT_SACK: /* RFC 2018 §3: one to four blocks of two edges */
        return n_bytes >= 10 && n_bytes <= 34 && n_bytes % 8 == 2 ? (int)(n_bytes - 2) / 4 : -1;
    default: return 0;
    }
}

static void read_values(const uint8_t *body, struct tern_decoded_opt *o)
{
    for (uint32_t i = 0; i < o->n_values; i++) {
        switch (o->kind) {
        case TERN_OPT_MSS: o->values[i] = tern_load16(body); break;
        case TERN_OPT_WSCALE: o->values[i] = body[0]; break;
        default: o->values[i] = tern_load32(body + 4 * i); break;
        }
    }
}

/* The option at `off`, `room` bytes before the end of the area. @return false: the last one */
static bool read_opt(
    const struct tern_decode_input *in, uint32_t off, uint32_t room, struct tern_decoded_opt *o)
{
    const uint8_t *at = in->frame + off;
    *o = (struct tern_decoded_opt){.kind = at[0], .n_bytes = 1, .off = off, .is_sound = true};
    if (o->kind == TERN_OPT_EOL || o->kind == TERN_OPT_NOP)
        return o->kind == TERN_OPT_NOP;
    o->n_bytes = room >= 2 ? at[1] : 0;
    o->is_sound = o->n_bytes >= 2 && o->n_bytes <= room;
    if (!o->is_sound)
        return false;
    const int n_values = opt_values(o->kind, o->n_bytes);
    o->is_sound = n_values >= 0;
    o->n_values = (uint8_t)(n_values > 0 ? n_values : 0);
    read_values(at + 2, o);
    return true;
}

static void read_opts(
    const struct tern_decode_input *in, uint32_t off, uint32_t end, struct tern_decoded_tcp *t)
{
    bool go_on = true;
    while (go_on && off < end && t->n_opts < TERN_DECODED_OPTS_MAX) {
        struct tern_decoded_opt *o = &t->opts[t->n_opts++];
        go_on = read_opt(in, off, end - off, o);
        off += o->n_bytes;
    }
}

static void read_tcp(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    if (!has(in, off, TERN_TCP_BYTES) || d->ip.end_off - off < TERN_TCP_BYTES)
        return;
    const uint8_t *h = in->frame + off;
    struct tern_decoded_tcp *t = &d->tcp;
    d->transport = TERN_TRANSPORT_TCP;
    t->sport = tern_load16(h + TERN_TCP_OFF_SPORT);
    t->dport = tern_load16(h + TERN_TCP_OFF_DPORT);
    t->seq = tern_load32(h + TERN_TCP_OFF_SEQ);
    t->ack = tern_load32(h + TERN_TCP_OFF_ACK);
    t->doff_bytes = (uint8_t)((h[TERN_TCP_OFF_DOFF] >> 4) * 4);
    t->reserved = h[TERN_TCP_OFF_DOFF] & 15;
    t->flags = h[TERN_TCP_OFF_FLAGS];
    t->wnd = tern_load16(h + TERN_TCP_OFF_WND);
    t->urg = tern_load16(h + TERN_TCP_OFF_URG);
    t->csum = judge_l4(in, d, off, off + TERN_TCP_OFF_CSUM);
    t->payload_off = least(off + t->doff_bytes, d->ip.end_off);
    if (t->doff_bytes < TERN_TCP_BYTES)
        t->payload_off = off + TERN_TCP_BYTES;
    t->payload_bytes = d->ip.end_off - t->payload_off;
    read_opts(in, off + TERN_TCP_BYTES, least(t->payload_off, in->n_captured), t);
}

/* ---- ICMP, ARP ---- */

static void read_icmp(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    if (!has(in, off, ICMP_BYTES) || d->ip.end_off - off < ICMP_BYTES)
        return;
    d->transport = d->net == TERN_NET_IP6 ? TERN_TRANSPORT_ICMP6 : TERN_TRANSPORT_ICMP4;
    d->icmp.type = in->frame[off];
    d->icmp.code = in->frame[off + 1];
    d->icmp.csum = judge_l4(in, d, off, off + ICMP_OFF_CSUM);
    d->icmp.bytes = d->ip.end_off - off;
}

static union tern_addr load_v4(const uint8_t *at)
{
    uint32_t be;
    memcpy(&be, at, sizeof be);
    return tern_addr_from_v4(be);
}

/* Of Ethernet and IPv4 only; others are shown as bytes. @return where it ends */
static uint32_t read_arp(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    const uint8_t *h = in->frame + off;
    d->net = TERN_NET_OTHER;
    if (!has(in, off, ARP_BYTES) || tern_load32(h) != ARP_ETHER_IP4_WORD
        || tern_load16(h + 4) != ARP_SIZES)
        return in->n_wire;
    d->net = TERN_NET_ARP;
    d->arp.op = tern_load16(h + 6);
    memcpy(d->arp.sender_mac, h + 8, MAC_BYTES);
    d->arp.sender = load_v4(h + 14);
    memcpy(d->arp.target_mac, h + 18, MAC_BYTES);
    d->arp.target = load_v4(h + 24);
    return off + ARP_BYTES;
}

/* ---- IP ---- */

static void read_transport(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    const uint8_t icmp = d->net == TERN_NET_IP6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP;
    if (d->ip.fragment_bytes != 0 || off > d->ip.end_off)
        return;
    if (d->ip.proto == TERN_IPPROTO_TCP)
        read_tcp(in, off, d);
    else if (d->ip.proto == icmp)
        read_icmp(in, off, d);
    else
        d->transport = TERN_TRANSPORT_OTHER;
}

static void read_ip4(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    if (!has(in, off, TERN_IP4_BYTES))
        return;
    const uint8_t *h = in->frame + off;
    const uint16_t fragment = tern_load16(h + 6);
    struct tern_decoded_ip *ip = &d->ip;
    d->net = TERN_NET_IP4;
    ip->version = h[0] >> 4;
    ip->tos = h[1];
    ip->id = tern_load16(h + 4);
    ip->flags = (uint8_t)(fragment >> 13);
    ip->more_fragments = fragment & IP4_MF;
    ip->fragment_bytes = (fragment & IP4_OFFSET_BITS) * FRAGMENT_UNIT_BYTES;
    ip->is_fragment = ip->more_fragments || ip->fragment_bytes != 0;
    ip->hop_limit = h[8];
    ip->proto = h[9];
    ip->src = load_v4(h + 12);
    ip->dst = load_v4(h + 16);
    ip->off = off;
    ip->hdr_bytes = (h[0] & 15u) * 4;
    ip->total_bytes = tern_load16(h + 2);
    ip->end_off = least(off + ip->total_bytes, in->n_wire);
    ip->csum.seen = tern_load16(h + TERN_IP4_OFF_CSUM);
    if (ip->version != 4 || ip->hdr_bytes < TERN_IP4_BYTES || ip->total_bytes < ip->hdr_bytes)
        return;
    ip->csum = judge(in, 0, off, off + ip->hdr_bytes, off + TERN_IP4_OFF_CSUM);
    read_transport(in, off + ip->hdr_bytes, d);
}

/* The length of an extension header of this kind; 0: it is none. */
static uint32_t ext_bytes(uint8_t kind, uint8_t length)
{
    switch (kind) {
    case IP6_HOP_BY_HOP:
    case IP6_ROUTING:
    case IP6_DST_OPTS: return (length + 1u) * 8; /* RFC 8200 §4.3 … 4.6 */
    case IP6_FRAGMENT: return IP6_FRAGMENT_BYTES;
    case IP6_AUTHENTICATION: return (length + 2u) * 4; /* RFC 4302 §2.2 */
    default: return 0;
    }
}

static void read_ip6_fragment(const uint8_t *ext, struct tern_decoded_ip *ip)
{
    const uint16_t word = tern_load16(ext + 2);
    ip->is_fragment = true;
    ip->more_fragments = word & 1;
    ip->fragment_bytes = word & 0xfff8u;
    ip->id = tern_load32(ext + 4);
}

/* @return the offset of the first header that is none of these; beyond the packet when cut */
static uint32_t read_ip6_exts(
    const struct tern_decode_input *in, uint32_t off, struct tern_decoded_ip *ip)
{
    while (ip->fragment_bytes == 0 && ext_bytes(ip->proto, 0) != 0) {
        if (ip->n_exts == TERN_DECODED_EXTS_MAX || !has(in, off, IP6_FRAGMENT_BYTES))
            return UINT32_MAX;
        const uint8_t *ext = in->frame + off;
        const uint32_t bytes = ext_bytes(ip->proto, ext[1]);
        if (ip->end_off < off || bytes > ip->end_off - off)
            return UINT32_MAX;
        ip->exts[ip->n_exts++] = (struct tern_decoded_ext){ip->proto, off, bytes};
        if (ip->proto == IP6_FRAGMENT)
            read_ip6_fragment(ext, ip);
        ip->proto = ext[0];
        off += bytes;
    }
    return off;
}

static void read_ip6(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    if (!has(in, off, TERN_IP6_BYTES))
        return;
    const uint8_t *h = in->frame + off;
    struct tern_decoded_ip *ip = &d->ip;
    d->net = TERN_NET_IP6;
    ip->version = h[0] >> 4;
    ip->tos = (uint8_t)(tern_load16(h) >> 4);
    ip->flow_label = tern_load32(h) & 0xfffff;
    ip->proto = h[6];
    ip->hop_limit = h[7];
    memcpy(ip->src.b, h + 8, sizeof ip->src.b);
    memcpy(ip->dst.b, h + 24, sizeof ip->dst.b);
    ip->off = off;
    ip->hdr_bytes = TERN_IP6_BYTES;
    ip->total_bytes = TERN_IP6_BYTES + tern_load16(h + 4);
    ip->end_off = least(off + ip->total_bytes, in->n_wire);
    if (ip->version == 6)
        read_transport(in, read_ip6_exts(in, off + TERN_IP6_BYTES, ip), d);
}

/* ---- the verdict ---- */

/* The VLAN of an endpoint that the frame is for. */
static uint16_t vlan_of(const struct tern_decoded_link *link)
{
    const uint16_t id = link->n_tags > 0 ? link->tags[0].tci & VLAN_ID_BITS : 0;
    return id == VLAN_ID_RESERVED ? 0 : id;
}

static void copy_quote(
    enum tern_icmp_kind kind, const struct tern_icmp_quote *q, struct tern_decoded_icmp *icmp)
{
    icmp->has_quote = true;
    icmp->quote_src = q->src;
    icmp->quote_dst = q->dst;
    icmp->quote_sport = q->sport;
    icmp->quote_dport = q->dport;
    icmp->quote_seq = q->seq.v;
    icmp->mtu_bytes = kind == TERN_ICMP_TOO_BIG ? q->mtu_bytes : 0;
}

static enum tern_drop judge_icmp(
    const struct tern_pkt_input *packet, const struct tern_pkt *p, struct tern_decoded_icmp *icmp)
{
    enum tern_icmp_kind kind;
    struct tern_icmp_quote quote;
    struct tern_neigh_msg msg;
    const enum tern_drop drop = tern_icmp_parse(packet->frame, p, &kind, &quote);
    if (drop != TERN_DROP_NONE)
        return drop;
    switch (kind) {
    case TERN_ICMP_NDP: /* without Ethernet there are no neighbours to speak of */
        return packet->l3 ? TERN_DROP_NDP_BAD : tern_ndp_parse(packet->frame, p, &msg);
    case TERN_ICMP_UNREACHABLE:
    case TERN_ICMP_REFUSED:
    case TERN_ICMP_TOO_BIG: copy_quote(kind, &quote, icmp); break;
    case TERN_ICMP_ECHO_REQUEST: break;
    }
    return TERN_DROP_NONE;
}

/* What comes after the headers of a message, in the receive path, too. */
static enum tern_drop judge_message(
    const struct tern_pkt_input *packet, const struct tern_pkt *p, struct tern_decoded *d)
{
    struct tern_neigh_msg msg;
    switch ((enum tern_pkt_kind)p->kind) {
    case TERN_PKT_ARP: return tern_arp_parse(packet->frame, p, &msg);
    case TERN_PKT_ICMP4:
    case TERN_PKT_ICMP6: return judge_icmp(packet, p, &d->icmp);
    case TERN_PKT_TCP: break;
    }
    return TERN_DROP_NONE;
}

/* The parser's view of what lies at `l3_off`: a packet that may continue behind the capture. */
static void judge_frame(
    const struct tern_decode_input *in, uint32_t l3_off, uint32_t end_off, struct tern_decoded *d)
{
    const bool l3 = in->link != TERN_LINK_ETHERNET;
    const uint32_t from = l3 ? l3_off : 0;
    struct tern_pkt_input packet = {
        .frame = in->frame + from,
        .n_contiguous = in->n_captured - from,
        .n_total = in->n_wire - from,
        .l3 = l3,
        .vlan = vlan_of(&d->link),
        .mac = in->frame, /* the destination: the frame is for whoever judges */
    };
    if (in->n_captured < in->n_wire && end_off < in->n_wire) { /* the packet may be whole yet */
        packet.n_total = end_off - from;
        packet.n_contiguous = least(packet.n_contiguous, packet.n_total);
    }
    if (packet.n_contiguous < packet.n_total)
        packet.rx_flags = TERN_RX_L4_CSUM_GOOD; /* cannot be added up: in doubt for the sender */
    struct tern_pkt parsed;
    d->drop = tern_pkt_parse(&packet, &parsed);
    if (d->drop == TERN_DROP_NONE)
        d->drop = judge_message(&packet, &parsed, d);
    d->drop_is_known = d->drop != TERN_DROP_LINEARISE;
}

/* A cooked header carries no MAC to judge, and only IP behind it begins with its version. */
static bool can_be_judged(const struct tern_decode_input *in, const struct tern_decoded *d)
{
    return in->link == TERN_LINK_ETHERNET || in->link == TERN_LINK_RAW || d->net == TERN_NET_IP4
           || d->net == TERN_NET_IP6;
}

/* What was captured behind the packet's end. */
static void read_padding(
    const struct tern_decode_input *in, uint32_t end_off, struct tern_decoded *d)
{
    d->padding_off = end_off;
    d->padding_bytes = end_off < in->n_captured ? in->n_captured - end_off : 0;
    d->padding_is_zero = true;
    for (uint32_t i = 0; i < d->padding_bytes; i++)
        if (in->frame[end_off + i] != 0)
            d->padding_is_zero = false;
}

/* @return where the packet ends, n_wire where nothing says so */
static uint32_t read_net(const struct tern_decode_input *in, uint32_t off, struct tern_decoded *d)
{
    switch (d->link.ethertype) {
    case TERN_ETHERTYPE_IP4: read_ip4(in, off, d); break;
    case TERN_ETHERTYPE_IP6: read_ip6(in, off, d); break;
    case TERN_ETHERTYPE_ARP: return read_arp(in, off, d);
    default: d->net = TERN_NET_OTHER; return in->n_wire;
    }
    const bool ends = d->net != TERN_NET_NONE && d->ip.total_bytes >= d->ip.hdr_bytes;
    return ends ? d->ip.end_off : in->n_wire;
}

void tern_decode(const struct tern_decode_input *in, struct tern_decoded *out)
{
    const struct link_reader *reader = &link_readers[in->link];
    uint32_t l3_off = 0, end_off = in->n_wire;
    memset(out, 0, sizeof *out);
    out->is_cut = in->n_captured < in->n_wire;
    if (has(in, 0, reader->bytes)) {
        l3_off = reader->read(in, &out->link);
        end_off = read_net(in, l3_off, out);
    }
    read_padding(in, end_off, out);
    if (can_be_judged(in, out))
        judge_frame(in, l3_off, end_off, out);
}
