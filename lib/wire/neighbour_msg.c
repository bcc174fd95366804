/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP and NDP, both read into and written from `struct tern_neigh_msg`.
 *
 * Whatever could put a wrong link address into the neighbour table is refused here: group MACs,
 * addresses that no station can have, IPv4-mapped addresses (which would name an IPv4 neighbour),
 * an ARP sender that is not the frame's, NDP from beyond the link. Who is asked for, and whether a
 * sender claims an address of ours, is the table's business.
 *
 * An NA may come without a link address when it answers a unicast question (RFC 4861 §4.4), and
 * Linux leaves it out. Such an answer is read as speaking of the MAC that sent it, and as one that
 * overrides nothing, so that it confirms a neighbour but cannot move one.
 */
#include "neighbour_msg.h"

#include "addr_class.h"
#include "build.h"
#include "bytes.h"
#include "csum.h"

#include <string.h>

enum { MAC_BYTES = 6 };

static bool is_group_mac(const uint8_t *mac)
{
    return mac[0] & 1;
}

/* ---- ARP (RFC 826) ---- */

enum {
    ARP_OFF_OP = 6,
    ARP_OFF_SHA = 8,
    ARP_OFF_SPA = 14,
    ARP_OFF_THA = 18,
    ARP_OFF_TPA = 24,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

/* Hardware type Ethernet, protocol type IPv4, address lengths 6 and 4: no other ARP is read (V176).
 */
static const uint8_t arp_ethernet_ip4[ARP_OFF_OP] = {0, 1, 0x08, 0x00, MAC_BYTES, 4};

/* RFC 5227 §1.1: a probe is a request from 0.0.0.0; nothing else speaks for no address, nor for one
 * that no station has (V178). */
static bool arp_sender_is_fine(const uint8_t *spa, uint16_t op)
{
    if (tern_load32(spa) == 0)
        return op == ARP_REQUEST;
    return tern_addr4_class(spa) == TERN_ADDR_UNICAST;
}

static union tern_addr load_v4(const uint8_t *at)
{
    uint32_t be;
    memcpy(&be, at, sizeof be);
    return tern_addr_from_v4(be);
}

enum tern_drop tern_arp_parse(
    const uint8_t *frame, const struct tern_pkt *p, struct tern_neigh_msg *out)
{
    const uint8_t *arp = frame + p->l3_off, *sha = arp + ARP_OFF_SHA, *spa = arp + ARP_OFF_SPA;
    const uint16_t op = tern_load16(arp + ARP_OFF_OP);
    if (memcmp(arp, arp_ethernet_ip4, sizeof arp_ethernet_ip4) != 0)
        return TERN_DROP_ARP_BAD;
    if (op != ARP_REQUEST && op != ARP_REPLY)
        return TERN_DROP_ARP_BAD;
    if (is_group_mac(sha) || memcmp(sha, frame + MAC_BYTES, MAC_BYTES) != 0)
        return TERN_DROP_ARP_BAD;
    if (!arp_sender_is_fine(spa, op))
        return TERN_DROP_ARP_BAD;

    const bool is_answer = op == ARP_REPLY;
    *out = (struct tern_neigh_msg){
        .sender = load_v4(spa),
        .target = load_v4(is_answer ? spa : arp + ARP_OFF_TPA),
        .has_mac = true,
        .is_answer = is_answer,
        .solicited = is_answer,
        .override = is_answer,
    };
    memcpy(out->mac, sha, MAC_BYTES);
    return TERN_DROP_NONE;
}

/* ---- NDP (RFC 4861) ---- */

enum {
    ICMP6_BYTES = 8,
    NDP_RS = 133,
    NDP_NS = 135,
    NDP_NA = 136,
    NDP_OFF_FLAGS = 4,
    NDP_OFF_TARGET = 8,
    NDP_BYTES = 24, /* without options */
    NDP_SOLICITED = 0x40,
    NDP_OVERRIDE = 0x20,
    NDP_OPT_SOURCE_MAC = 1,
    NDP_OPT_TARGET_MAC = 2,
    NDP_OPT_UNIT_BYTES = 8,
    NDP_HOP_LIMIT = 255,
};

/* ff02::1:ff00:0/104, ff02::1 (RFC 4291 §2.7.1) */
static const uint8_t solicited_node[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
static const union tern_addr all_nodes = {.b = {0xff, 2, [15] = 1}};

static bool is_multicast(const uint8_t *addr16)
{
    return addr16[0] == 0xff;
}

static bool is_unspecified(const uint8_t *addr16)
{
    return tern_addr6_class(addr16) == TERN_ADDR_UNSPECIFIED;
}

/*
 * Walk the options. `*mac` becomes the first link address of kind `want` that has Ethernet's
 * length.
 * @return false when one has length 0 or does not fit (RFC 4861 §4.6; V038, V181)
 */
static bool read_ndp_options(
    const uint8_t *opt, uint32_t len_bytes, uint8_t want, const uint8_t **mac)
{
    uint32_t at = 0;
    while (at < len_bytes) {
        const uint32_t room = len_bytes - at;
        const uint32_t opt_bytes = room >= 2 ? opt[at + 1] * (uint32_t)NDP_OPT_UNIT_BYTES : 0;
        if (opt_bytes == 0 || opt_bytes > room)
            return false;
        if (opt[at] == want && opt_bytes == NDP_OPT_UNIT_BYTES && *mac == NULL)
            *mac = opt + at + 2;
        at += opt_bytes;
    }
    return true;
}

/* What RFC 4861 §7.1.1 and §7.1.2 ask of both messages, options aside (V181). */
static bool ndp_is_valid(const uint8_t *icmp, const struct tern_pkt *p)
{
    if (p->hop_limit != NDP_HOP_LIMIT || icmp[1] != 0 || p->l4_bytes < NDP_BYTES)
        return false;
    return tern_addr6_class(icmp + NDP_OFF_TARGET) == TERN_ADDR_UNICAST;
}

/* RFC 4861 §7.1.1: without a source address, only to the solicited-node group and without a MAC. */
static bool ns_is_valid(const struct tern_pkt *p, const uint8_t *mac)
{
    if (!is_unspecified(p->src))
        return true;
    return mac == NULL && memcmp(p->dst, solicited_node, sizeof solicited_node) == 0;
}

/* RFC 4861 §7.1.2: what goes to a group answers nobody's question. */
static bool na_is_valid(const uint8_t *icmp, const struct tern_pkt *p)
{
    if (is_unspecified(p->src))
        return false;
    return !(is_multicast(p->dst) && (icmp[NDP_OFF_FLAGS] & NDP_SOLICITED));
}

enum tern_drop tern_ndp_parse(
    const uint8_t *frame, const struct tern_pkt *p, struct tern_neigh_msg *out)
{
    const uint8_t *icmp = frame + p->l4_off;
    const bool is_answer = icmp[0] == NDP_NA;
    if (icmp[0] != NDP_NS && icmp[0] != NDP_NA) /* routers configure nothing: V164, V182..V185 */
        return TERN_DROP_NDP_NOT_MINE;
    if (!ndp_is_valid(icmp, p))
        return TERN_DROP_NDP_BAD;
    const uint8_t *mac = NULL;
    const uint8_t want = is_answer ? NDP_OPT_TARGET_MAC : NDP_OPT_SOURCE_MAC;
    if (!read_ndp_options(icmp + NDP_BYTES, p->l4_bytes - NDP_BYTES, want, &mac))
        return TERN_DROP_NDP_BAD;
    if (!(is_answer ? na_is_valid(icmp, p) : ns_is_valid(p, mac)))
        return TERN_DROP_NDP_BAD;

    const bool states_mac = mac != NULL;
    if (is_answer && !states_mac) {
        if (p->l3_off < TERN_ETH_BYTES)
            return TERN_DROP_NDP_BAD;
        mac = frame + MAC_BYTES;
    }
    if (mac != NULL && is_group_mac(mac))
        return TERN_DROP_NDP_BAD;

    const uint8_t flags = is_answer ? icmp[NDP_OFF_FLAGS] : 0;
    *out = (struct tern_neigh_msg){
        .sender = tern_pkt_addr(p, p->src),
        .target = tern_pkt_addr(p, icmp + NDP_OFF_TARGET),
        .has_mac = mac != NULL,
        .is_answer = is_answer,
        .solicited = flags & NDP_SOLICITED,
        .override = (flags & NDP_OVERRIDE) && states_mac,
    };
    if (mac != NULL)
        memcpy(out->mac, mac, MAC_BYTES);
    return TERN_DROP_NONE;
}

/* ---- writing ---- */

static const uint8_t broadcast_mac[MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* An answer names whom it tells: `dst` where known, else itself, as an announcement does. */
static uint32_t build_arp(uint8_t *at, const struct tern_neigh_msg *msg, const uint8_t *dst_mac,
    const union tern_addr *dst, uint16_t vlan)
{
    static const uint8_t no_mac[MAC_BYTES];
    const union tern_addr *spa = msg->is_answer ? &msg->target : &msg->sender;
    const union tern_addr *tpa = msg->is_answer && dst != NULL ? dst : &msg->target;
    const uint8_t *to = dst_mac != NULL ? dst_mac : broadcast_mac;
    const uint8_t *tha = msg->is_answer && dst_mac != NULL ? dst_mac : no_mac;

    const uint32_t eth_bytes = tern_build_eth(at, to, msg->mac, vlan, TERN_ETHERTYPE_ARP);
    uint8_t *arp = at + eth_bytes;
    memcpy(arp, arp_ethernet_ip4, sizeof arp_ethernet_ip4);
    tern_store16(arp + ARP_OFF_OP, msg->is_answer ? ARP_REPLY : ARP_REQUEST);
    memcpy(arp + ARP_OFF_SHA, msg->mac, MAC_BYTES);
    memcpy(arp + ARP_OFF_SPA, spa->b + 12, 4);
    memcpy(arp + ARP_OFF_THA, tha, MAC_BYTES);
    memcpy(arp + ARP_OFF_TPA, tpa->b + 12, 4);
    return eth_bytes + TERN_ARP_BYTES;
}

static union tern_addr ndp_group(const struct tern_neigh_msg *msg)
{
    if (msg->is_answer)
        return all_nodes;
    union tern_addr group = msg->target;
    memcpy(group.b, solicited_node, sizeof solicited_node);
    return group;
}

/* RFC 2464 §7: 33:33 and the last four bytes of the group. */
static void group_to_mac(const union tern_addr *group, uint8_t mac[MAC_BYTES])
{
    mac[0] = mac[1] = 0x33;
    memcpy(mac + 2, group->b + 12, 4);
}

/* @return bytes of the ICMPv6 message */
static uint32_t build_ndp_body(uint8_t *icmp, const struct tern_neigh_msg *msg, bool to_group)
{
    memset(icmp, 0, TERN_NDP_BYTES);
    icmp[0] = msg->is_answer ? NDP_NA : NDP_NS;
    if (msg->is_answer)
        icmp[NDP_OFF_FLAGS] = (uint8_t)((msg->solicited && !to_group ? NDP_SOLICITED : 0)
                                        | (msg->override ? NDP_OVERRIDE : 0));
    memcpy(icmp + NDP_OFF_TARGET, msg->target.b, 16);
    if (!msg->is_answer && (!msg->has_mac || is_unspecified(msg->sender.b)))
        return NDP_BYTES; /* RFC 4861 §4.3: no MAC from the unspecified address */
    uint8_t *opt = icmp + NDP_BYTES;
    opt[0] = msg->is_answer ? NDP_OPT_TARGET_MAC : NDP_OPT_SOURCE_MAC;
    opt[1] = 1;
    memcpy(opt + 2, msg->mac, MAC_BYTES);
    return TERN_NDP_BYTES;
}

static uint32_t build_ndp(uint8_t *at, const struct tern_neigh_msg *msg, const uint8_t *dst_mac,
    const union tern_addr *dst, uint16_t vlan)
{
    const union tern_addr group = ndp_group(msg);
    const union tern_addr *to = dst != NULL ? dst : &group;
    uint8_t to_mac[MAC_BYTES];
    group_to_mac(is_multicast(to->b) ? to : &group, to_mac);

    const uint32_t eth_bytes =
        tern_build_eth(at, dst_mac != NULL ? dst_mac : to_mac, msg->mac, vlan, TERN_ETHERTYPE_IP6);
    uint8_t *ip = at + eth_bytes, *icmp = ip + TERN_IP6_BYTES;
    const uint32_t icmp_bytes = build_ndp_body(icmp, msg, is_multicast(to->b));
    const struct tern_ip_fields fields = {
        .src = &msg->sender,
        .dst = to,
        .l4_bytes = icmp_bytes,
        .ttl = NDP_HOP_LIMIT,
        .proto = TERN_IPPROTO_ICMP6,
    };
    tern_build_ip6(ip, &fields);
    const uint64_t pseudo = tern_csum_pseudo6(msg->sender.b, to->b, TERN_IPPROTO_ICMP6, icmp_bytes);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(pseudo, icmp, icmp_bytes));
    memcpy(icmp + 2, &csum, sizeof csum);
    return eth_bytes + TERN_IP6_BYTES + icmp_bytes;
}

uint32_t tern_neigh_msg_build(uint8_t *at, const struct tern_neigh_msg *msg, const uint8_t *dst_mac,
    const union tern_addr *dst, uint16_t vlan)
{
    return tern_addr_is_v4(&msg->target) ? build_arp(at, msg, dst_mac, dst, vlan)
                                         : build_ndp(at, msg, dst_mac, dst, vlan);
}
