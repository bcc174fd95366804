/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link: tags, stations, sizes, ARP and NDP. Nothing that a neighbour says makes an entry, moves
 * a static one or configures anything; what is malformed does not reach the table.
 */
#include "attack.h"

enum { VLAN = 0x8100, QINQ = 0x88a8, RARP = 0x8035, ARP = 0x0806, ARP_BYTES = 28, NDP_BYTES = 24 };
enum { RS = 133, RA = 134, NS = 135, NA = 136, REDIRECT = 137, HOP_LIMIT_AT = 7 };

/* ---- tags and stations ---- */

/** The next segment behind these tags (EtherType and TCI, in turn). */
static void build_tagged(struct attack *a, struct frame *f, const uint16_t *words, uint32_t n)
{
    struct frame plain;
    attack_segment(a, &plain, false, TERN_TCP_ACK, "", 0, 0);
    *f = (struct frame){0};
    frame_add(f, plain.b, 12);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t word[2];
        put16(word, words[i]);
        frame_add(f, word, sizeof word);
    }
    frame_add(f, plain.b + 12, plain.n - 12);
}

/** V202: a tag where none is configured; VLAN 0 is a priority and passes. */
static void foreign_tags_are_dropped(void **state)
{
    static const uint16_t tags[][4] = {
        {VLAN, 1}, {VLAN, 4095}, {VLAN, 0xe001}, {QINQ, 0}, {VLAN, 0, VLAN, 0}, {QINQ, 0, VLAN, 0}};
    struct frame f;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        build_tagged(*state, &f, tags[i], tags[i][2] != 0 ? 4 : 2);
        refuse(*state, &f, TERN_DROP_VLAN_MISMATCH);
    }
    build_tagged(*state, &f, (const uint16_t[]){VLAN, 0xe000}, 2);
    assert_drop(arrive_exact(*state, &f), TERN_DROP_TCP_DONE);
}

/** V159: nothing but tags, 300 of them; IP in IP and GRE. */
static void stacks_of_headers_are_dropped(void **state)
{
    static const uint8_t tunnels[] = {4, 41, 47};
    static const uint16_t kinds[] = {VLAN, QINQ};
    struct frame f;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        frame_eth(&f, kinds[k]);
        for (int i = 0; i < 300; i++) {
            uint8_t tag[4] = {0};
            put16(tag + 2, kinds[k]);
            frame_add(&f, tag, sizeof tag);
        }
        refuse(*state, &f, TERN_DROP_VLAN_MISMATCH);
    }
    for (int v6 = 0; v6 <= 1; v6++)
        for (size_t i = 0; i < sizeof tunnels; i++) {
            struct frame inner;
            attack_segment(*state, &inner, v6, TERN_TCP_ACK, "", 0, 0);
            attack_ip(&f, v6, tunnels[i]);
            frame_add(&f, inner.b + inner.l3, inner.n - inner.l3);
            frame_seal(&f);
            refuse(*state, &f, TERN_DROP_IP_PROTO);
        }
}

/** V201, V053: our address under another station's MAC, a broadcast's, a group's; from a group. */
static void frames_for_others_are_dropped(void **state)
{
    static const uint8_t other[6] = {0x02, 0, 0, 0, 0, 0x09};
    static const uint8_t groups[][6] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x33, 0x33, 0, 0, 0, 1}, {1, 0, 0x5e, 0, 0, 1}};
    for (int v6 = 0; v6 <= 1; v6++) {
        struct frame f;
        attack_segment(*state, &f, v6, TERN_TCP_SYN, "", 0, 0);
        memcpy(f.b, other, sizeof other);
        refuse(*state, &f, TERN_DROP_ETH_NOT_MINE);
        for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
            memcpy(f.b, groups[i], 6);
            refuse(*state, &f, TERN_DROP_IP_DST);
        }
        memcpy(f.b, my_mac, 6);
        memcpy(f.b + 6, groups[0], 6);
        refuse(*state, &f, TERN_DROP_ETH_SRC_GROUP);
    }
}

/** V034, V177: 802.3 lengths, RARP and all other EtherTypes that are not ours. */
static void foreign_ethertypes_are_dropped(void **state)
{
    struct attack *a = *state;
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        struct frame f;
        if (type == 0x0800 || type == 0x86dd || type == ARP || type == VLAN || type == QINQ)
            continue;
        frame_eth(&f, type);
        frame_fill(&f, 0, 46);
        assert_drop(arrive_exact(a, &f), TERN_DROP_ETH_TYPE);
        assert_int_equal(a->n_replies, 0);
    }
    assert_unmoved(a);
}

/** The next segment with `n` octets of payload in buffers of `step`; the device vouches for its
 * sums. */
static struct rte_mbuf *build_jumbo(
    struct attack *a, bool v6, uint32_t n, uint32_t step, uint64_t l4_verdict)
{
    uint8_t payload[2048];
    struct frame f;
    memset(payload, 'j', sizeof payload);
    attack_segment(a, &f, v6, TERN_TCP_ACK, "", 0, 0);
    put16(f.b + f.l3 + (v6 ? 4 : 2), f.n - f.l3 - (v6 ? 40 : 0) + n);
    struct rte_mbuf *m = mbuf_exact(a, f.b, f.n);
    for (uint32_t at = 0; at < n; at += step)
        assert_int_equal(rte_pktmbuf_chain(m, mbuf_exact(a, payload, RTE_MIN(step, n - at))), 0);
    m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | l4_verdict;
    return m;
}

/** V203: segments from the MTU to 16 kB in many buffers: taken whole, or dropped whole. */
static void oversize_frames_are_taken_or_dropped_whole(void **state)
{
    enum { BYTES_MAX = 16384, BYTES_STEP = 997 };
    struct attack *a = *state;
    static uint8_t read[BYTES_MAX + 1];
    struct rte_mbuf *m;
    for (int v6 = 0; v6 <= 1; v6++)
        for (uint32_t n = 1461; n <= BYTES_MAX; n += BYTES_STEP)
            for (uint32_t step = 128; step <= 2048; step *= 4) {
                m = build_jumbo(a, v6, n, step, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
                assert_drop(arrive(a, m), TERN_DROP_NONE);
                assert_int_equal(tern_sock_recv(a->live[v6].s, read, sizeof read), n);
                a->live[v6].seq += n;
                m = build_jumbo(a, v6, n, step, RTE_MBUF_F_RX_L4_CKSUM_BAD);
                refuse_one(a, m, TERN_DROP_TCP_CSUM);
            }
}

/* ---- ARP ---- */

struct arp {
    uint16_t htype, ptype, op;
    uint8_t hlen, plen;
    uint8_t sha[6], spa[4], tpa[4];
};

static const struct arp good_arp = {.htype = 1,
    .ptype = 0x0800,
    .op = 1,
    .hlen = 6,
    .plen = 4,
    .sha = {0x02, 0, 0, 0, 0, 0x02},
    .spa = {192, 0, 2, 7},
    .tpa = {192, 0, 2, 1}};

static void build_arp(struct frame *f, const struct arp *arp)
{
    uint8_t b[ARP_BYTES] = {[4] = arp->hlen, [5] = arp->plen};
    put16(b, arp->htype);
    put16(b + 2, arp->ptype);
    put16(b + 6, arp->op);
    memcpy(b + 8, arp->sha, 6);
    memcpy(b + 14, arp->spa, 4);
    memcpy(b + 24, arp->tpa, 4);
    frame_eth(f, ARP);
    frame_add(f, b, sizeof b);
}

/** V176: ARP cut anywhere, of other sizes, kinds and operations. */
static void malformed_arp_is_dropped(void **state)
{
    static const uint16_t ops[] = {0, 3, 4, 8, 9, 25, UINT16_MAX};
    struct arp bad[16];
    uint32_t n_bad = 0;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        bad[n_bad] = good_arp;
        bad[n_bad++].op = ops[i];
    }
    for (uint32_t i = 0; i < 5; i++)
        bad[n_bad + i] = good_arp;
    bad[n_bad++].htype = 6;
    bad[n_bad++].ptype = 0x86dd;
    bad[n_bad++].hlen = 0;
    bad[n_bad++].hlen = 255;
    bad[n_bad++].plen = 16;
    struct frame f;
    for (uint32_t i = 0; i < n_bad; i++) {
        build_arp(&f, &bad[i]);
        refuse(*state, &f, TERN_DROP_ARP_BAD);
    }
    build_arp(&f, &good_arp);
    for (f.n = 14; f.n < 14 + ARP_BYTES; f.n++)
        refuse(*state, &f, TERN_DROP_ARP_BAD);
}

/** V178: senders that no station has, and a link address that is not the frame's. */
static void impossible_arp_senders_are_dropped(void **state)
{
    static const uint8_t addresses[][4] = {
        {127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}, {240, 0, 0, 1}, {0, 1, 2, 3}};
    static const uint8_t macs[][6] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {1, 0, 0x5e, 0, 0, 1}, {2, 0, 0, 0, 0, 0x77}};
    struct frame f;
    for (uint16_t op = 1; op <= 2; op++) {
        struct arp arp = good_arp;
        arp.op = op;
        for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
            memcpy(arp.spa, addresses[i], 4);
            build_arp(&f, &arp);
            refuse(*state, &f, TERN_DROP_ARP_BAD);
        }
        memcpy(arp.spa, good_arp.spa, 4);
        for (size_t i = 0; i < sizeof macs / sizeof macs[0]; i++) {
            memcpy(arp.sha, macs[i], 6);
            build_arp(&f, &arp);
            refuse(*state, &f, TERN_DROP_ARP_BAD);
        }
    }
}

/** V174, V175: replies and questions of strangers, and about the gateway: no entry, none moved. */
static void arp_of_strangers_makes_no_entry(void **state)
{
    struct attack *a = *state;
    for (uint32_t i = 0; i <= UINT16_MAX; i++) {
        struct frame f;
        struct arp arp = good_arp;
        arp.op = 1 + (i & 1);
        arp.spa[1] = (uint8_t)(i >> 8); /* on link and off it */
        arp.spa[3] = i & 2 ? 2 : (uint8_t)(i | 4);
        arp.tpa[3] = i & 4 ? 1 : 9;
        build_arp(&f, &arp);
        arrive_exact(a, &f);
        assert_true(a->n_replies == 0 || (arp.op == 1 && arp.tpa[3] == 1));
    }
    assert_unmoved(a);
    const uint16_t gateway = tern_neigh_find(&a->sh->neighbours, &a->cfg.stack.gateway4);
    assert_int_equal(tern_neigh_state(&a->sh->neighbours, gateway), TERN_NEIGH_STATIC);
    assert_memory_equal(a->sh->neighbours.entries[gateway].l2, peer_mac, 6);
}

/* ---- NDP ---- */

/** A message of `type` about our address, with options in hex. */
static void build_ndp(struct frame *f, uint8_t type, const char *options)
{
    uint8_t opt[256];
    attack_ip(f, true, 58);
    f->b[f->l3 + HOP_LIMIT_AT] = 255;
    frame_icmp(f, type, 0, 0);
    frame_add(f, my_ip6, 16);
    frame_add(f, opt, unhex(options, opt));
    frame_seal(f);
}

static void refuse_ndp(struct attack *a, const char *options, enum tern_drop question)
{
    for (uint8_t type = RS; type <= REDIRECT; type++) {
        struct frame f;
        build_ndp(&f, type, options);
        refuse(a, &f, type == NS || type == NA ? question : TERN_DROP_NDP_NOT_MINE);
    }
}

/** V181: from beyond the link, of a code, cut short, or with options of length 0. */
static void malformed_ndp_is_dropped(void **state)
{
    struct frame f;
    for (uint8_t type = NS; type <= NA; type++) {
        build_ndp(&f, type, "");
        f.b[f.l3 + HOP_LIMIT_AT] = 254;
        refuse(*state, &f, TERN_DROP_NDP_BAD);
        build_ndp(&f, type, "");
        f.b[f.l4 + 1] = 1;
        frame_seal(&f);
        refuse(*state, &f, TERN_DROP_NDP_BAD);
        f.b[f.l4 + 2] ^= 1;
        refuse(*state, &f, TERN_DROP_ICMP_CSUM);
        for (uint32_t n = 8; n < NDP_BYTES; n++) {
            build_ndp(&f, type, "");
            f.n = f.l4 + n;
            frame_seal(&f);
            refuse(*state, &f, TERN_DROP_NDP_BAD);
        }
    }
    refuse_ndp(*state, "0100020000000077", TERN_DROP_NDP_BAD);
    refuse_ndp(*state, "02ff020000000077", TERN_DROP_NDP_BAD);
    refuse_ndp(*state, "c8", TERN_DROP_NDP_BAD);
}

/** V182..V185, V164: router messages and redirects of whatever content are not read. */
static void router_messages_configure_nothing(void **state)
{
    static const char *const options[] = {
        "",
        "190400000000000120010db800000000000000000000000120010db800000000", /* RDNSS, even length */
        "0304810000000000ffffffffffffffff20010db8000000000000000000000000", /* prefix of 129 bits */
        "0303ff0000000000ffffffffffffffff20010db800000000",                 /* of 255, cut */
        "0501000000000044",                                                 /* MTU 68 */
        "05010000000004ff",
        "050100000000ffff",
        "01020200000000770000000000000000", /* link address of 16 octets */
        "0100000000000000",
        "01ff",
    };
    static const uint8_t types[] = {RS, RA, REDIRECT};
    for (size_t t = 0; t < sizeof types; t++)
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
            for (int lifetime = 0; lifetime <= 1; lifetime++) {
                struct frame f;
                build_ndp(&f, types[t], options[i]);
                f.b[f.l4 + 4] = 1; /* current hop limit */
                put16(f.b + f.l4 + 6, lifetime ? UINT16_MAX : 0);
                frame_seal(&f);
                refuse(*state, &f, TERN_DROP_NDP_NOT_MINE);
            }
}

/** V185: a thousand advertisements, each of another router with another prefix. */
static void flood_of_advertisements_moves_nothing(void **state)
{
    struct attack *a = *state;
    for (uint32_t i = 0; i < 1000; i++) {
        struct frame f;
        build_ndp(&f, RA, "0304404000000000ffffffffffffffff20010db8000000000000000000000000");
        put32(f.b + f.l3 + 8 + 12, i + 1);
        put32(f.b + f.l4 + 24, i);
        frame_seal(&f);
        assert_drop(arrive_exact(a, &f), TERN_DROP_NDP_NOT_MINE);
    }
    assert_unmoved(a);
}

/** V171: questions for us, in whatever buffers they lie, get the same answer. */
static void questions_split_anywhere_are_answered_the_same(void **state)
{
    struct attack *a = *state;
    struct frame questions[2];
    build_arp(&questions[0], &good_arp);
    build_ndp(&questions[1], NS, "0101020000000002");
    for (int v6 = 0; v6 <= 1; v6++) {
        const struct frame *f = &questions[v6];
        uint8_t want[200];
        arrive_exact(a, f);
        assert_int_equal(a->n_replies, 1);
        const uint32_t n = a->n_reply_bytes;
        memcpy(want, a->reply, n);
        for (uint32_t front = 1; front < f->n; front++) {
            arrive(a, mbuf_chain(a, f->b, f->n, front, 1 + front % 7));
            assert_int_equal(a->n_replies, 1);
            assert_int_equal(a->n_reply_bytes, n);
            assert_memory_equal(a->reply, want, n);
            assert_unmoved(a);
        }
    }
}

/** V188: NDP in a fragment, atomic ones too, and behind destination options. */
static void ndp_in_fragments_is_dropped(void **state)
{
    static const struct {
        uint8_t next;
        const char *hex;
        enum tern_drop why;
    } chains[] = {
        {44, "3a00000012345678", TERN_DROP_IP_FRAGMENT},
        {44, "3a00000112345678", TERN_DROP_IP_FRAGMENT},
        {44, "3a00000812345678", TERN_DROP_IP_FRAGMENT},
        {60, "2c000104000000003a00000012345678", TERN_DROP_IP_FRAGMENT},
    };
    for (uint8_t type = RS; type <= REDIRECT; type++)
        for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
            struct frame f, ndp;
            uint8_t ext[64];
            build_ndp(&ndp, type, "0101020000000002");
            attack_ip(&f, true, chains[i].next);
            f.b[f.l3 + HOP_LIMIT_AT] = 255;
            frame_add(&f, ext, unhex(chains[i].hex, ext));
            frame_add(&f, ndp.b + ndp.l4, ndp.n - ndp.l4);
            frame_seal(&f);
            refuse(*state, &f, chains[i].why);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(foreign_tags_are_dropped),
        ATTACK(stacks_of_headers_are_dropped),
        ATTACK(frames_for_others_are_dropped),
        ATTACK(foreign_ethertypes_are_dropped),
        ATTACK(oversize_frames_are_taken_or_dropped_whole),
        ATTACK(malformed_arp_is_dropped),
        ATTACK(impossible_arp_senders_are_dropped),
        ATTACK(arp_of_strangers_makes_no_entry),
        ATTACK(malformed_ndp_is_dropped),
        ATTACK(router_messages_configure_nothing),
        ATTACK(flood_of_advertisements_moves_nothing),
        ATTACK(questions_split_anywhere_are_answered_the_same),
        ATTACK(ndp_in_fragments_is_dropped),
    };
    return cmocka_run_group_tests(tests, eal_start, NULL);
}
