/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP and ICMPv6 behind a sound IP header, so that the fuzzer need not guess a checksum. The
 * input:
 *
 *   byte 0      bit 0 IPv6, 1 to a group, 2 leave the checksum as it comes, 3 behind Ethernet,
 *               4 from the unspecified address (IPv6)
 *   byte 1      TTL or hop limit
 *   byte 2..    the ICMP message; its checksum is set right
 *
 * An error's quotation is compared with one read by offsets from RFC 792 and RFC 8200; a reply to
 * an echo must be the request with type, addresses and checksum changed, and be sound at its
 * asker's.
 */
#include "fuzz.h"
#include "wire/build.h"
#include "wire/bytes.h"
#include "wire/csum.h"
#include "wire/icmp.h"

enum {
    IS_V6 = 1,
    TO_GROUP = 2,
    BAD_CSUM = 4,
    WITH_ETH = 8,
    FROM_NOBODY = 16,
    ICMP_MAX = 2000,
    TTL_OF_REPLY = 61,
};

static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 1}, peer_mac[6] = {0x02, 0, 0, 0, 0, 2};
static const uint8_t group_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

struct message {
    uint8_t *frame; /* [n] exactly */
    uint32_t n, l3, l4;
    bool v6, eth;
};

static union tern_addr address(bool v6, uint8_t last)
{
    if (!v6)
        return tern_addr_from_v4(__builtin_bswap32(0xc0000200u | last)); /* 192.0.2.x */
    return (union tern_addr){.b = {0x20, 0x01, 0x0d, 0xb8, [15] = last}};
}

static void seal_icmp(const struct message *m)
{
    uint8_t *ip = m->frame + m->l3, *icmp = m->frame + m->l4;
    const uint32_t n = m->n - m->l4;
    uint64_t sum = m->v6 ? tern_csum_pseudo6(ip + 8, ip + 24, TERN_IPPROTO_ICMP6, n) : 0;
    if (n < 4)
        return;
    memset(icmp + 2, 0, 2);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(sum, icmp, n));
    memcpy(icmp + 2, &csum, 2);
}

static struct message write_message(struct tape *t)
{
    const uint8_t how = take8(t), ttl = take8(t);
    struct message m = {.v6 = how & IS_V6, .eth = how & WITH_ETH};
    const size_t left = (size_t)(t->end - t->at);
    const uint32_t n_icmp = left < ICMP_MAX ? (uint32_t)left : ICMP_MAX;
    union tern_addr src = address(m.v6, 2), dst = address(m.v6, 1);
    if (m.v6 && (how & TO_GROUP))
        dst = (union tern_addr){.b = {0xff, 0x02, [15] = 1}};
    if (m.v6 && (how & FROM_NOBODY))
        src = (union tern_addr){0};
    m.l3 = m.eth ? TERN_ETH_BYTES : 0;
    m.l4 = m.l3 + (m.v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES);
    m.n = m.l4 + n_icmp;
    m.frame = malloc(m.n);
    assert(m.frame != NULL);
    if (m.eth)
        tern_build_eth(m.frame, how & TO_GROUP ? group_mac : our_mac, peer_mac, 0,
            m.v6 ? TERN_ETHERTYPE_IP6 : TERN_ETHERTYPE_IP4);
    const struct tern_ip_fields ip = {
        .src = &src,
        .dst = &dst,
        .l4_bytes = n_icmp,
        .ttl = ttl,
        .proto = m.v6 ? TERN_IPPROTO_ICMP6 : TERN_IPPROTO_ICMP,
    };
    if (m.v6)
        tern_build_ip6(m.frame + m.l3, &ip);
    else
        tern_build_ip4(m.frame + m.l3, &ip, true);
    take_bytes(t, m.frame + m.l4, n_icmp);
    if (!(how & BAD_CSUM))
        seal_icmp(&m);
    return m;
}

static struct tern_pkt_input input_of(const struct message *m, const uint8_t *frame)
{
    return (struct tern_pkt_input){
        .frame = frame, .n_contiguous = m->n, .n_total = m->n, .l3 = !m->eth, .mac = our_mac};
}

static void check_quote(
    const struct message *m, enum tern_icmp_kind kind, const struct tern_icmp_quote *q)
{
    const uint8_t *icmp = m->frame + m->l4, *ip = icmp + 8;
    const uint32_t n = m->n - m->l4 - 8; /* of the quotation */
    const uint32_t ip_bytes = m->v6 ? TERN_IP6_BYTES : (ip[0] & 15u) * 4;
    assert(ip[0] >> 4 == (m->v6 ? 6 : 4) && n >= ip_bytes + 8);
    assert(ip[m->v6 ? 6 : 9] == TERN_IPPROTO_TCP);
    assert(q->sport == tern_load16(ip + ip_bytes) && q->dport == tern_load16(ip + ip_bytes + 2));
    assert(q->seq.v == tern_load32(ip + ip_bytes + 4));
    assert(tern_addr_is_v4(&q->src) == !m->v6 && tern_addr_is_v4(&q->dst) == !m->v6);
    assert(memcmp(q->src.b + (m->v6 ? 0 : 12), ip + (m->v6 ? 8 : 12), m->v6 ? 16 : 4) == 0);
    assert(memcmp(q->dst.b + (m->v6 ? 0 : 12), ip + (m->v6 ? 24 : 16), m->v6 ? 16 : 4) == 0);
    assert(q->quoted_ip_bytes >= ip_bytes + TERN_TCP_BYTES);
    if (kind != TERN_ICMP_TOO_BIG)
        assert(q->mtu_bytes == 0);
    else
        assert(q->mtu_bytes == (m->v6 ? tern_load32(icmp + 4) : tern_load16(icmp + 6)));
    /* A reader of the type alone (RFC 792, RFC 4443) takes it for an error, too. */
    assert(m->v6 ? icmp[0] >= 1 && icmp[0] <= 4 : icmp[0] == 3 || icmp[0] == 11 || icmp[0] == 12);
}

static void check_echo(const struct message *m, const struct tern_pkt *p)
{
    struct message r = *m;
    r.frame = exact_copy(m->frame, m->n);
    if (tern_icmp_echo_reply(r.frame, p, m->eth ? our_mac : NULL, TTL_OF_REPLY)) {
        struct tern_pkt_input in = input_of(&r, r.frame);
        struct tern_pkt reply;
        in.mac = peer_mac;
        assert(tern_pkt_parse(&in, &reply) == TERN_DROP_NONE);
        assert(reply.kind == p->kind && reply.end_off == p->end_off);
        assert(reply.hop_limit == TTL_OF_REPLY && !reply.group_mac);
        const uint32_t n_addr = m->v6 ? 16 : 4;
        assert(memcmp(reply.src, p->dst, n_addr) == 0 && memcmp(reply.dst, p->src, n_addr) == 0);
        const uint8_t *asked = m->frame + m->l4, *told = r.frame + r.l4;
        assert(told[0] == (m->v6 ? 129 : 0) && told[1] == 0);
        assert(memcmp(told + 4, asked + 4, m->n - m->l4 - 4) == 0); /* RFC 1122 §3.2.2.6 */
    } else {
        assert(memcmp(r.frame, m->frame, m->n) == 0);
    }
    free(r.frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape t = {data, data + size};
    struct message m = write_message(&t);
    const struct tern_pkt_input in = input_of(&m, m.frame);
    struct tern_pkt p;
    enum tern_icmp_kind kind;
    struct tern_icmp_quote quote;
    if (tern_pkt_parse(&in, &p) == TERN_DROP_NONE) {
        assert(p.l4_off == m.l4 && p.end_off == m.n);
        const enum tern_drop why = tern_icmp_parse(m.frame, &p, &kind, &quote);
        assert(why == TERN_DROP_NONE || why == TERN_DROP_ICMP_TYPE || why == TERN_DROP_ICMP_QUOTE
               || why == TERN_DROP_ICMP_SHORT);
        if (why == TERN_DROP_NONE && kind == TERN_ICMP_ECHO_REQUEST)
            check_echo(&m, &p);
        else if (why == TERN_DROP_NONE && kind != TERN_ICMP_NDP)
            check_quote(&m, kind, &quote);
    }
    free(m.frame);
    return 0;
}
