/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/neighbour_msg.h"
#include "wire_frames.h"

enum { ETH = 14, ICMP = 54, OPTIONS = ICMP + 24 };

static const char *const solicited_hex = "ff0200000000000000000001ff000001"; /* of my_ip6 */
static const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0, 0x77};

static union tern_addr v4(const uint8_t *b)
{
    uint32_t be;
    memcpy(&be, b, 4);
    return tern_addr_from_v4(be);
}

static union tern_addr v6(const uint8_t *b)
{
    union tern_addr a;
    memcpy(a.b, b, 16);
    return a;
}

static void assert_addr(const union tern_addr *got, union tern_addr want)
{
    assert_memory_equal(got->b, want.b, 16);
}

/* Through tern_pkt_parse() and on, in a block of exact size. */
static enum tern_drop read_frame(const struct frame *f, struct tern_neigh_msg *m)
{
    struct tern_pkt p;
    const struct tern_pkt_input in = {
        .frame = exact(f->b, f->n), .n_contiguous = f->n, .n_total = f->n, .mac = my_mac};
    const enum tern_drop drop = tern_pkt_parse(&in, &p);
    if (drop != TERN_DROP_NONE)
        return drop;
    return p.kind == TERN_PKT_ARP ? tern_arp_parse(in.frame, &p, m)
                                  : tern_ndp_parse(in.frame, &p, m);
}

static enum tern_drop verdict(const struct frame *f)
{
    struct tern_neigh_msg m;
    return read_frame(f, &m);
}

/* ---- ARP ---- */

/* The peer asks for us, or answers; padded to 60 bytes with what is not zero. */
static void frame_arp(struct frame *f, uint32_t op)
{
    frame_eth(f, 0x0806);
    uint8_t arp[28] = {0, 1, 8, 0, 6, 4};
    put16(arp + 6, op);
    memcpy(arp + 8, peer_mac, 6);
    memcpy(arp + 14, peer_ip4, 4);
    if (op == 2)
        memcpy(arp + 18, my_mac, 6);
    memcpy(arp + 24, my_ip4, 4);
    frame_add(f, arp, 28);
    frame_fill(f, 0x5a, 18);
}

static void arp_request_is_a_question_by_its_sender(void **state)
{
    (void)state;
    struct frame f;
    struct tern_neigh_msg m;
    frame_arp(&f, 1);
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_addr(&m.sender, v4(peer_ip4));
    assert_addr(&m.target, v4(my_ip4));
    assert_memory_equal(m.mac, peer_mac, 6);
    assert_true(m.has_mac && !m.is_answer && !m.solicited && !m.override);
}

static void arp_reply_is_an_answer_about_its_sender(void **state)
{
    (void)state;
    struct frame f;
    struct tern_neigh_msg m;
    frame_arp(&f, 2);
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_addr(&m.sender, v4(peer_ip4));
    assert_addr(&m.target, v4(peer_ip4));
    assert_memory_equal(m.mac, peer_mac, 6);
    assert_true(m.has_mac && m.is_answer && m.solicited && m.override);
}

static void arp_probe_has_no_sender_and_a_reply_must_have_one(void **state)
{
    (void)state;
    struct frame f;
    struct tern_neigh_msg m;
    frame_arp(&f, 1);
    memset(f.b + ETH + 14, 0, 4);
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_int_equal(tern_addr_classify(&m.sender), TERN_ADDR_UNSPECIFIED);
    frame_arp(&f, 2);
    memset(f.b + ETH + 14, 0, 4);
    assert_drop(verdict(&f), TERN_DROP_ARP_BAD);
}

static void arp_malformed_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t off;
        const char *hex;
    } rows[] = {
        {"hardware type 0", 0, "0000"},
        {"hardware type IEEE 802", 0, "0006"},
        {"protocol type IPv6", 2, "86dd"},
        {"protocol type 0x0801", 2, "0801"},
        {"hardware length 5", 4, "05"},
        {"hardware length 255", 4, "ff"},
        {"protocol length 16", 5, "10"},
        {"protocol length 0", 5, "00"},
        {"operation 0", 6, "0000"},
        {"operation 3, RARP", 6, "0003"},
        {"operation 8", 6, "0008"},
        {"operation 65535", 6, "ffff"},
        {"operation 0x0101", 6, "0101"},
        {"sender MAC multicast", 8, "010000000002"},
        {"sender MAC broadcast", 8, "ffffffffffff"},
        {"sender MAC is not the frame's", 8, "020000000003"},
        {"sender 0.0.0.1", 14, "00000001"},
        {"sender loopback", 14, "7f000001"},
        {"sender multicast", 14, "e0000001"},
        {"sender broadcast", 14, "ffffffff"},
        {"sender reserved", 14, "f0000001"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t op = 1; op <= 2; op++) {
            struct frame f;
            frame_arp(&f, op);
            unhex(rows[i].hex, f.b + ETH + rows[i].off);
            if (verdict(&f) != TERN_DROP_ARP_BAD)
                fail_msg("%s: %s", rows[i].what, drop_name(verdict(&f)));
        }
    }
}

/* tern_pkt_parse() refuses such a frame; the ARP parser does not count on it. */
static void arp_from_a_group_mac_is_refused_even_when_the_frame_agrees(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    struct tern_neigh_msg m;
    frame_arp(&f, 1);
    const struct tern_pkt_input in = {
        .frame = f.b, .n_contiguous = f.n, .n_total = f.n, .mac = my_mac};
    assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
    f.b[6] |= 1;
    f.b[ETH + 8] |= 1;
    assert_drop(tern_arp_parse(f.b, &p, &m), TERN_DROP_ARP_BAD);
}

static void arp_shorter_than_28_bytes_is_refused(void **state)
{
    (void)state;
    struct frame f;
    frame_arp(&f, 1);
    for (f.n = ETH; f.n < ETH + 28; f.n++)
        assert_drop(verdict(&f), TERN_DROP_ARP_BAD);
}

static void arp_in_a_tagged_frame_is_read(void **state)
{
    (void)state;
    struct frame plain, f;
    struct tern_pkt p;
    struct tern_neigh_msg m;
    frame_arp(&plain, 1);
    frame_eth(&f, 0x8100);
    frame_add(&f, "\0\x05", 2);
    frame_add(&f, plain.b + 12, plain.n - 12);
    const struct tern_pkt_input in = {
        .frame = exact(f.b, f.n), .n_contiguous = f.n, .n_total = f.n, .mac = my_mac, .vlan = 5};
    assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
    assert_drop(tern_arp_parse(in.frame, &p, &m), TERN_DROP_NONE);
    assert_addr(&m.target, v4(my_ip4));
}

/* ---- NDP ---- */

/* An NS (135) for us or an NA (136) from the peer, options behind it; unicast, sealed. */
static void frame_ndp(struct frame *f, uint8_t type, uint32_t flags, const char *options_hex)
{
    uint8_t opt[256];
    frame_eth(f, 0x86dd);
    frame_ip6(f, 58);
    f->b[ETH + 7] = 255;
    frame_icmp(f, type, 0, flags << 24);
    frame_add(f, type == 136 ? peer_ip6 : my_ip6, 16);
    frame_add(f, opt, unhex(options_hex, opt));
    frame_seal(f);
}

static void ndp_set_dst(struct frame *f, const char *hex)
{
    unhex(hex, f->b + ETH + 24);
    frame_seal(f);
}

static void ndp_set_src(struct frame *f, const char *hex)
{
    unhex(hex, f->b + ETH + 8);
    frame_seal(f);
}

static void ns_is_a_question_with_or_without_a_mac(void **state)
{
    (void)state;
    struct frame f;
    struct tern_neigh_msg m;
    frame_ndp(&f, 135, 0xe0, "0101020000000002"); /* flags mean nothing in an NS */
    ndp_set_dst(&f, solicited_hex);
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_addr(&m.sender, v6(peer_ip6));
    assert_addr(&m.target, v6(my_ip6));
    assert_memory_equal(m.mac, peer_mac, 6);
    assert_true(m.has_mac && !m.is_answer && !m.solicited && !m.override);
    frame_ndp(&f, 135, 0, "");
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_false(m.has_mac);
}

static void na_flags_are_read(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 256; flags++) {
        struct frame f;
        struct tern_neigh_msg m;
        frame_ndp(&f, 136, flags, "0201020000000077");
        assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
        assert_addr(&m.sender, v6(peer_ip6));
        assert_addr(&m.target, v6(peer_ip6));
        assert_memory_equal(m.mac, other_mac, 6); /* the option's, not the frame's */
        assert_true(m.is_answer && m.has_mac);
        assert_int_equal(m.solicited, (flags & 0x40) != 0);
        assert_int_equal(m.override, (flags & 0x20) != 0);
    }
}

static void na_without_mac_speaks_for_its_frame_and_overrides_nothing(void **state)
{
    (void)state;
    struct frame f;
    struct tern_neigh_msg m;
    frame_ndp(&f, 136, 0x60, "");
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_true(m.has_mac && m.solicited && !m.override);
    assert_memory_equal(m.mac, peer_mac, 6);
    /* without Ethernet there is no such MAC */
    struct tern_pkt p;
    const struct tern_pkt_input in = {.frame = exact(f.b + ETH, f.n - ETH),
        .n_contiguous = f.n - ETH,
        .n_total = f.n - ETH,
        .l3 = true};
    assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
    assert_drop(tern_ndp_parse(in.frame, &p, &m), TERN_DROP_NDP_BAD);
}

static void ndp_hop_limit_and_code_are_checked(void **state)
{
    (void)state;
    for (uint8_t type = 135; type <= 136; type++) {
        struct frame f;
        for (uint32_t hops = 0; hops < 255; hops++) {
            frame_ndp(&f, type, 0, "");
            f.b[ETH + 7] = (uint8_t)hops;
            assert_drop(verdict(&f), TERN_DROP_NDP_BAD);
        }
        for (uint32_t code = 1; code < 256; code++) {
            frame_ndp(&f, type, 0, "");
            f.b[ICMP + 1] = (uint8_t)code;
            frame_seal(&f);
            assert_drop(verdict(&f), TERN_DROP_NDP_BAD);
        }
    }
}

static void ndp_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (uint8_t type = 135; type <= 136; type++) {
        struct frame whole;
        frame_ndp(&whole, type, 0, type == 135 ? "0101020000000002" : "0201020000000002");
        assert_drop(verdict(&whole), TERN_DROP_NONE);
        for (uint32_t n = ICMP + 8; n < whole.n; n++) {
            struct frame f = whole;
            f.n = n;
            frame_seal(&f);
            assert_drop(verdict(&f), n == OPTIONS ? TERN_DROP_NONE : TERN_DROP_NDP_BAD);
        }
    }
}

static void ndp_options_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
        enum tern_drop want;
        bool has_mac;
    } rows[] = {
        {"none", "", TERN_DROP_NONE, false},
        {"a nonce, skipped", "0e01112233445566", TERN_DROP_NONE, false},
        {"MAC behind a nonce",
            "0e01112233445566"
            "0101020000000077",
            TERN_DROP_NONE, true},
        {"the first MAC wins",
            "0101020000000077"
            "0101020000000078",
            TERN_DROP_NONE, true},
        {"the other kind of MAC", "0201020000000077", TERN_DROP_NONE, false},
        {"MAC option of 16 bytes, ignored", "01020200000000770000000000000000", TERN_DROP_NONE,
            false},
        {"length 0", "0100020000000077", TERN_DROP_NDP_BAD, false},
        {"length 0 of an unknown kind", "c800000000000000", TERN_DROP_NDP_BAD, false},
        {"length 0 behind a good one", "01010200000000770e00000000000000", TERN_DROP_NDP_BAD,
            false},
        {"length past the end", "0102020000000077", TERN_DROP_NDP_BAD, false},
        {"length 255", "01ff020000000077", TERN_DROP_NDP_BAD, false},
        {"half an option", "01010200", TERN_DROP_NDP_BAD, false},
        {"one byte", "01", TERN_DROP_NDP_BAD, false},
        {"group MAC", "0101010000000077", TERN_DROP_NDP_BAD, false},
        {"broadcast MAC", "0101ffffffffffff", TERN_DROP_NDP_BAD, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        struct tern_neigh_msg m;
        frame_ndp(&f, 135, 0, rows[i].hex);
        const enum tern_drop drop = read_frame(&f, &m);
        if (drop != rows[i].want)
            fail_msg("%s: %s", rows[i].what, drop_name(drop));
        if (drop != TERN_DROP_NONE)
            continue;
        assert_int_equal(m.has_mac, rows[i].has_mac);
        if (m.has_mac)
            assert_memory_equal(m.mac, other_mac, 6);
    }
}

static void ndp_target_must_be_unicast(void **state)
{
    (void)state;
    static const char *const bad[] = {"ff020000000000000000000000000001",
        "ff0200000000000000000001ff000001", "00000000000000000000000000000000",
        "00000000000000000000000000000001", "00000000000000000000ffffc0000201"};
    for (uint8_t type = 135; type <= 136; type++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct frame f;
            frame_ndp(&f, type, 0, "");
            unhex(bad[i], f.b + ICMP + 8);
            frame_seal(&f);
            assert_drop(verdict(&f), TERN_DROP_NDP_BAD);
        }
    }
}

static void ns_from_nobody_goes_to_the_solicited_node_group_without_a_mac(void **state)
{
    (void)state;
    static const char *const nobody = "00000000000000000000000000000000";
    struct frame f;
    struct tern_neigh_msg m;
    frame_ndp(&f, 135, 0, "");
    ndp_set_src(&f, nobody);
    assert_drop(verdict(&f), TERN_DROP_NDP_BAD); /* to us directly */
    ndp_set_dst(&f, "ff020000000000000000000000000001");
    assert_drop(verdict(&f), TERN_DROP_NDP_BAD); /* to all nodes */
    ndp_set_dst(&f, solicited_hex);
    assert_drop(read_frame(&f, &m), TERN_DROP_NONE);
    assert_int_equal(tern_addr_classify(&m.sender), TERN_ADDR_UNSPECIFIED);
    assert_false(m.has_mac);
    frame_ndp(&f, 135, 0, "0101020000000002");
    ndp_set_src(&f, nobody);
    ndp_set_dst(&f, solicited_hex);
    assert_drop(verdict(&f), TERN_DROP_NDP_BAD);
    frame_ndp(&f, 136, 0, "0201020000000002");
    ndp_set_src(&f, nobody);
    assert_drop(verdict(&f), TERN_DROP_NDP_BAD);
}

static void na_to_a_group_must_not_be_solicited(void **state)
{
    (void)state;
    struct frame f;
    for (uint32_t flags = 0; flags < 256; flags += 0x20) {
        frame_ndp(&f, 136, flags, "0201020000000002");
        ndp_set_dst(&f, "ff020000000000000000000000000001");
        assert_drop(verdict(&f), flags & 0x40 ? TERN_DROP_NDP_BAD : TERN_DROP_NONE);
    }
}

static void other_ndp_types_are_not_ours(void **state)
{
    (void)state;
    static const uint8_t types[] = {133, 134, 137};
    for (size_t i = 0; i < sizeof types; i++) {
        struct frame f;
        frame_ndp(&f, types[i], 0,
            "190400000000000000000000000000000000000000000000"
            "0000000000000000"); /* RDNSS of an even length */
        assert_drop(verdict(&f), TERN_DROP_NDP_NOT_MINE);
    }
}

static void ndp_checksum_is_verified_before(void **state)
{
    (void)state;
    struct frame f;
    frame_ndp(&f, 135, 0, "");
    f.b[ICMP + 3] ^= 1;
    assert_drop(verdict(&f), TERN_DROP_ICMP_CSUM);
}

/* ---- writing ---- */

static void build_arp_request_is_byte_exact(void **state)
{
    (void)state;
    const struct tern_neigh_msg m = {.sender = v4(my_ip4),
        .target = v4(peer_ip4),
        .mac = {0x02, 0, 0, 0, 0, 0x01},
        .has_mac = true};
    uint8_t want[64], got[TERN_NEIGH_FRAME_MAX];
    uint32_t n = unhex("ffffffffffff"
                       "020000000001"
                       "0806"
                       "0001080006040001"
                       "020000000001"
                       "c0000201"
                       "000000000000"
                       "c6336407",
        want);
    assert_int_equal(tern_neigh_msg_build(got, &m, NULL, NULL, 0), n);
    assert_memory_equal(got, want, n);
    n = unhex("020000000002"
              "020000000001"
              "8100"
              "0064"
              "0806"
              "0001080006040001"
              "020000000001"
              "c0000201"
              "000000000000"
              "c6336407",
        want);
    assert_int_equal(tern_neigh_msg_build(got, &m, peer_mac, NULL, 100), n);
    assert_memory_equal(got, want, n);
}

static void build_arp_reply_is_byte_exact(void **state)
{
    (void)state;
    const struct tern_neigh_msg m = {.sender = v4(my_ip4),
        .target = v4(my_ip4),
        .mac = {0x02, 0, 0, 0, 0, 0x01},
        .has_mac = true,
        .is_answer = true};
    const union tern_addr asker = v4(peer_ip4);
    uint8_t want[64], got[TERN_NEIGH_FRAME_MAX];
    uint32_t n = unhex("020000000002"
                       "020000000001"
                       "0806"
                       "0001080006040002"
                       "020000000001"
                       "c0000201"
                       "020000000002"
                       "c6336407",
        want);
    assert_int_equal(tern_neigh_msg_build(got, &m, peer_mac, &asker, 0), n);
    assert_memory_equal(got, want, n);
    n = unhex("ffffffffffff"
              "020000000001"
              "0806"
              "0001080006040002"
              "020000000001"
              "c0000201"
              "000000000000"
              "c0000201",
        want); /* an announcement */
    assert_int_equal(tern_neigh_msg_build(got, &m, NULL, NULL, 0), n);
    assert_memory_equal(got, want, n);
}

static void build_ns_goes_to_the_solicited_node_group(void **state)
{
    (void)state;
    const struct tern_neigh_msg m = {.sender = v6(my_ip6),
        .target = v6(peer_ip6),
        .mac = {0x02, 0, 0, 0, 0, 0x01},
        .has_mac = true};
    uint8_t want[128], got[TERN_NEIGH_FRAME_MAX];
    const uint32_t n = unhex("3333ff00ff02"
                             "020000000001"
                             "86dd"
                             "60000000"
                             "0020"
                             "3aff"
                             "20010db8000000000000000000000001"
                             "ff0200000000000000000001ff00ff02"
                             "8700"
                             "0000"
                             "00000000"
                             "20010db800000000000000000000ff02"
                             "0101"
                             "020000000001",
        want);
    assert_int_equal(tern_neigh_msg_build(got, &m, NULL, NULL, 0), n);
    struct frame f = {.n = n, .l3 = ETH, .l4 = ICMP, .proto = 58, .v6 = true};
    memcpy(f.b, got, n);
    assert_int_equal(slow_l4_sum(&f, 32), 0xffff);
    memset(got + ICMP + 2, 0, 2);
    assert_memory_equal(got, want, n);
}

static void build_ns_from_nobody_has_no_mac_option(void **state)
{
    (void)state;
    struct tern_neigh_msg m = {.target = v6(peer_ip6), .has_mac = true};
    uint8_t got[TERN_NEIGH_FRAME_MAX];
    assert_int_equal(tern_neigh_msg_build(got, &m, NULL, NULL, 0), OPTIONS);
    m.sender = v6(my_ip6);
    assert_int_equal(tern_neigh_msg_build(got, &m, NULL, NULL, 0), OPTIONS + 8);
    m.has_mac = false;
    assert_int_equal(tern_neigh_msg_build(got, &m, NULL, NULL, 0), OPTIONS);
}

static void build_na_to_all_nodes_is_never_solicited(void **state)
{
    (void)state;
    const struct tern_neigh_msg m = {.sender = v6(my_ip6),
        .target = v6(my_ip6),
        .has_mac = true,
        .is_answer = true,
        .solicited = true,
        .override = true};
    const union tern_addr asker = v6(peer_ip6);
    uint8_t got[TERN_NEIGH_FRAME_MAX];
    tern_neigh_msg_build(got, &m, NULL, NULL, 0);
    assert_memory_equal(got, "\x33\x33\x00\x00\x00\x01", 6);
    assert_int_equal(get32(got + ETH + 24), 0xff020000);
    assert_int_equal(got[ICMP + 4], 0x20);
    tern_neigh_msg_build(got, &m, peer_mac, &asker, 0);
    assert_memory_equal(got, peer_mac, 6);
    assert_memory_equal(got + ETH + 24, peer_ip6, 16);
    assert_int_equal(got[ICMP + 4], 0x60);
}

/* Whatever is written is read back the same: both families, both kinds, tagged or not. */
static void build_then_parse_returns_the_message(void **state)
{
    (void)state;
    for (unsigned shape = 0; shape < 16; shape++) {
        const bool six = shape & 1, answer = shape & 2, flags = shape & 8;
        const uint16_t vlan = shape & 4 ? 4094 : 0;
        const union tern_addr me = six ? v6(my_ip6) : v4(my_ip4);
        const union tern_addr peer = six ? v6(peer_ip6) : v4(peer_ip4);
        const struct tern_neigh_msg m = {.sender = peer,
            .target = answer ? peer : me,
            .mac = {0x02, 0, 0, 0, 0, 0x02},
            .has_mac = true,
            .is_answer = answer,
            .solicited = answer && (!six || flags),
            .override = answer && (!six || flags)};
        uint8_t b[TERN_NEIGH_FRAME_MAX];
        const uint32_t n = tern_neigh_msg_build(b, &m, my_mac, &me, vlan);
        assert_true(n <= TERN_NEIGH_FRAME_MAX);
        const struct tern_pkt_input in = {
            .frame = exact(b, n), .n_contiguous = n, .n_total = n, .mac = my_mac, .vlan = vlan};
        struct tern_pkt p;
        struct tern_neigh_msg back;
        assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
        assert_drop(six ? tern_ndp_parse(in.frame, &p, &back) : tern_arp_parse(in.frame, &p, &back),
            TERN_DROP_NONE);
        assert_addr(&back.sender, m.sender);
        assert_addr(&back.target, m.target);
        assert_memory_equal(back.mac, m.mac, 6);
        assert_int_equal(back.has_mac, m.has_mac);
        assert_int_equal(back.is_answer, m.is_answer);
        assert_int_equal(back.solicited, m.solicited);
        assert_int_equal(back.override, m.override);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arp_request_is_a_question_by_its_sender),
        cmocka_unit_test(arp_reply_is_an_answer_about_its_sender),
        cmocka_unit_test(arp_probe_has_no_sender_and_a_reply_must_have_one),
        cmocka_unit_test(arp_malformed_by_table),
        cmocka_unit_test(arp_from_a_group_mac_is_refused_even_when_the_frame_agrees),
        cmocka_unit_test(arp_shorter_than_28_bytes_is_refused),
        cmocka_unit_test(arp_in_a_tagged_frame_is_read),
        cmocka_unit_test(ns_is_a_question_with_or_without_a_mac),
        cmocka_unit_test(na_flags_are_read),
        cmocka_unit_test(na_without_mac_speaks_for_its_frame_and_overrides_nothing),
        cmocka_unit_test(ndp_hop_limit_and_code_are_checked),
        cmocka_unit_test(ndp_cut_anywhere_is_refused),
        cmocka_unit_test(ndp_options_by_table),
        cmocka_unit_test(ndp_target_must_be_unicast),
        cmocka_unit_test(ns_from_nobody_goes_to_the_solicited_node_group_without_a_mac),
        cmocka_unit_test(na_to_a_group_must_not_be_solicited),
        cmocka_unit_test(other_ndp_types_are_not_ours),
        cmocka_unit_test(ndp_checksum_is_verified_before),
        cmocka_unit_test(build_arp_request_is_byte_exact),
        cmocka_unit_test(build_arp_reply_is_byte_exact),
        cmocka_unit_test(build_ns_goes_to_the_solicited_node_group),
        cmocka_unit_test(build_ns_from_nobody_has_no_mac_option),
        cmocka_unit_test(build_na_to_all_nodes_is_never_solicited),
        cmocka_unit_test(build_then_parse_returns_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
