/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP and NDP behind sound headers. The input:
 *
 *   byte 0      bit 0 NDP, 1 to a group, 2 tagged, 3 hop limit not 255, 4 source unspecified,
 *               5 the sender's MAC in the frame is another than byte 1.. say
 *   byte 1..    ARP: its 28 bytes; NDP: the ICMPv6 message, checksum set right
 *
 * What is read and written again reads as the same, whomever it is addressed to.
 */
#include "fuzz.h"
#include "wire/addr_class.h"
#include "wire/build.h"
#include "wire/bytes.h"
#include "wire/csum.h"
#include "wire/neighbour_msg.h"

enum {
    IS_NDP = 1,
    TO_GROUP = 2,
    IS_TAGGED = 4,
    FROM_AFAR = 8,
    FROM_NOBODY = 16,
    OTHER_MAC = 32,
    NDP_MAX = 1500,
    OUR_VLAN = 5,
    ARP_OFF_SHA = 8,
};

static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 1}, peer_mac[6] = {0x02, 0, 0, 0, 0, 2};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const union tern_addr ours = {.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
static const union tern_addr peers = {.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}};
static const union tern_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};

static uint32_t write_arp(struct tape *t, uint8_t how, uint16_t vlan, uint8_t *at)
{
    uint8_t arp[TERN_ARP_BYTES];
    take_bytes(t, arp, sizeof arp);
    const uint32_t eth = tern_build_eth(at, how & TO_GROUP ? broadcast : our_mac,
        how & OTHER_MAC ? peer_mac : arp + ARP_OFF_SHA, vlan, TERN_ETHERTYPE_ARP);
    memcpy(at + eth, arp, sizeof arp);
    return eth + TERN_ARP_BYTES;
}

static uint32_t write_ndp(struct tape *t, uint8_t how, uint16_t vlan, uint8_t *at)
{
    const size_t left = (size_t)(t->end - t->at);
    const uint32_t n = left < NDP_MAX ? (uint32_t)left : NDP_MAX;
    const union tern_addr nobody = {0};
    const struct tern_ip_fields f = {
        .src = how & FROM_NOBODY ? &nobody : &peers,
        .dst = how & TO_GROUP ? &all_nodes : &ours,
        .l4_bytes = n,
        .ttl = how & FROM_AFAR ? 254 : 255,
        .proto = TERN_IPPROTO_ICMP6,
    };
    const uint32_t eth = tern_build_eth(
        at, how & TO_GROUP ? all_nodes_mac : our_mac, peer_mac, vlan, TERN_ETHERTYPE_IP6);
    uint8_t *ip = at + eth, *icmp = ip + TERN_IP6_BYTES;
    tern_build_ip6(ip, &f);
    take_bytes(t, icmp, n);
    if (n >= 4) {
        memset(icmp + 2, 0, 2);
        const uint64_t pseudo = tern_csum_pseudo6(ip + 8, ip + 24, TERN_IPPROTO_ICMP6, n);
        const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(pseudo, icmp, n));
        memcpy(icmp + 2, &csum, 2);
    }
    return eth + TERN_IP6_BYTES + n;
}

static enum tern_drop read_frame(
    const uint8_t *frame, uint32_t n, uint16_t vlan, const uint8_t *mac, struct tern_neigh_msg *out)
{
    const struct tern_pkt_input in = {
        .frame = frame, .n_contiguous = n, .n_total = n, .vlan = vlan, .mac = mac};
    struct tern_pkt p;
    const enum tern_drop why = tern_pkt_parse(&in, &p);
    if (why != TERN_DROP_NONE)
        return why;
    if (p.kind == TERN_PKT_ARP)
        return tern_arp_parse(frame, &p, out);
    if (p.kind != TERN_PKT_ICMP6 || frame[p.l4_off] < 133 || frame[p.l4_off] > 137)
        return TERN_DROP_ICMP_TYPE;
    return tern_ndp_parse(frame, &p, out);
}

static bool is_same(const struct tern_neigh_msg *a, const struct tern_neigh_msg *b)
{
    return tern_addr_equal(&a->sender, &b->sender) && tern_addr_equal(&a->target, &b->target)
           && a->has_mac == b->has_mac && (!a->has_mac || memcmp(a->mac, b->mac, 6) == 0)
           && a->is_answer == b->is_answer && a->solicited == b->solicited
           && a->override == b->override;
}

static void check_message(const struct tern_neigh_msg *m)
{
    assert(!(m->mac[0] & 1) && (m->has_mac || !m->is_answer));
    const enum tern_addr_class class = tern_addr_classify(&m->sender);
    assert(class == TERN_ADDR_UNICAST || (class == TERN_ADDR_UNSPECIFIED && !m->is_answer));
    if (m->is_answer
        || !tern_addr_is_v4(&m->target)) /* whom an ARP request asks for is its affair */
        assert(tern_addr_classify(&m->target) == TERN_ADDR_UNICAST);
}

/** Written to one station or to its group, it reads as what it was. */
static void check_rebuilt(const struct tern_neigh_msg *m, bool to_one, uint16_t vlan)
{
    const bool v4 = tern_addr_is_v4(&m->target);
    uint8_t *at = malloc(TERN_NEIGH_FRAME_MAX);
    assert(at != NULL);
    const uint32_t n =
        tern_neigh_msg_build(at, m, to_one ? peer_mac : NULL, to_one && !v4 ? &peers : NULL, vlan);
    assert(n <= TERN_NEIGH_FRAME_MAX);
    uint8_t *frame = exact_copy(at, n);
    struct tern_neigh_msg back, want = *m;
    if (!to_one && !v4 && m->is_answer)
        want.solicited = false; /* RFC 4861 §4.4: not to a group */
    if (!v4 && !m->is_answer && tern_addr_classify(&m->sender) == TERN_ADDR_UNSPECIFIED && to_one)
        assert(read_frame(frame, n, vlan, peer_mac, &back) == TERN_DROP_NDP_BAD); /* §7.1.1 */
    else
        assert(
            read_frame(frame, n, vlan, peer_mac, &back) == TERN_DROP_NONE && is_same(&want, &back));
    free(frame);
    free(at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape t = {data, data + size};
    const uint8_t how = take8(&t);
    const uint16_t vlan = how & IS_TAGGED ? OUR_VLAN : 0;
    uint8_t buf[TERN_ETH_BYTES + TERN_VLAN_BYTES + TERN_IP6_BYTES + NDP_MAX];
    const uint32_t n = how & IS_NDP ? write_ndp(&t, how, vlan, buf) : write_arp(&t, how, vlan, buf);
    uint8_t *frame = exact_copy(buf, n);
    struct tern_neigh_msg m;
    if (read_frame(frame, n, vlan, our_mac, &m) == TERN_DROP_NONE) {
        assert(how & IS_NDP || !(how & OTHER_MAC) || memcmp(m.mac, peer_mac, 6) == 0);
        assert(!(how & IS_NDP) || !(how & FROM_AFAR));
        check_message(&m);
        check_rebuilt(&m, false, vlan);
        check_rebuilt(&m, true, vlan);
    }
    free(frame);
    return 0;
}
