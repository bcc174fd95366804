/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tern_pkt_parse() on whole frames: what is read from them, checksums as the device judged them,
 * frames in several buffers, and noise. The layers have a file each: test_pkt_<layer>.c.
 */
#include "pkt_fixture.h"

/* ---- the seed ---- */

static void seed_frames_parse_to_their_table(void **state)
{
    (void)state;
    static const struct {
        uint16_t sport, dport;
        uint32_t seq, ack;
        uint8_t flags;
        uint16_t wnd;
        uint8_t ttl, doff, has;
    } rows[7] = {
        {1037, 139, 8221822, 0, TERN_TCP_SYN, 8192, 128, 24, TERN_HAS_MSS},
        {139, 1037, 1109645, 8221823, TERN_TCP_SYN | TERN_TCP_ACK, 8760, 128, 24, TERN_HAS_MSS},
        {1037, 139, 8221823, 1109646, TERN_TCP_ACK, 8760, 128, 20, 0},
        {2337, 1352, 186685100, 3462835714, TERN_TCP_ACK | TERN_TCP_FIN, 8760, 128, 20, 0},
        {1352, 2337, 3462835714, 186685101, TERN_TCP_ACK, 28672, 63, 20, 0},
        {1352, 2337, 3462835714, 186685101, TERN_TCP_ACK | TERN_TCP_FIN, 28672, 63, 20, 0},
        {2337, 1352, 186685101, 3462835715, TERN_TCP_ACK, 8760, 128, 20, 0},
    };
    for (int i = 0; i < 7; i++) {
        uint8_t bytes[64];
        const uint32_t n = unhex(seed_frames[i], bytes);
        struct tern_pkt_input in = input(exact(bytes, n), n);
        in.mac = bytes;
        struct tern_pkt p;
        struct tern_tcp_opts o;
        assert_drop(ask(&in, &p), TERN_DROP_NONE);
        assert_int_equal(p.kind, TERN_PKT_TCP);
        assert_int_equal(p.sport, rows[i].sport);
        assert_int_equal(p.dport, rows[i].dport);
        assert_int_equal(p.seq.v, rows[i].seq);
        assert_int_equal(p.ack.v, rows[i].ack);
        assert_int_equal(p.flags, rows[i].flags);
        assert_int_equal(p.wnd, rows[i].wnd);
        assert_int_equal(p.hop_limit, rows[i].ttl);
        assert_int_equal(p.doff_bytes, rows[i].doff);
        assert_int_equal(p.len_bytes, 0); /* the padding is no data … */
        assert_int_equal(p.end_off, 34u + rows[i].doff);
        tern_pkt_tcp_opts(in.frame, &p, &o); /* … and no option: frame 6's would be an MSS */
        assert_int_equal(o.has, rows[i].has);
        assert_int_equal(o.mss, rows[i].has ? 1460 : 0);
    }
}

/* Every single bit: in the headers it is caught by a checksum or a check, in the padding by nobody.
 */
static void seed_frames_one_bit_flipped_are_refused_unless_it_is_padding(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        uint8_t bytes[64];
        const uint32_t n = unhex(seed_frames[i], bytes);
        const uint32_t end = ETH + get16(bytes + 16);
        for (uint32_t bit = ETH * 8; bit < n * 8; bit++) {
            uint8_t bent[64];
            memcpy(bent, bytes, n);
            bent[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct tern_pkt_input in = input(exact(bent, n), n);
            in.mac = bytes;
            struct tern_pkt p;
            assert_int_equal(ask(&in, &p) == TERN_DROP_NONE, bit / 8 >= end);
        }
    }
}

/* ---- fields ---- */

static void plain_fields_are_what_the_scalar_twin_says(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (uint32_t round = 0; round < 10000; round++) {
        uint8_t tcp[TERN_TCP_BYTES];
        struct tern_pkt a, b;
        for (uint32_t i = 0; i < sizeof tcp; i++)
            tcp[i] = (uint8_t)next_random(&seed);
        tern_plain_fields(tcp, &a);
        tern_plain_fields_scalar(tcp, &b);
        assert_int_equal(a.seq.v, b.seq.v);
        assert_int_equal(a.ack.v, b.ack.v);
        assert_int_equal(a.sport, b.sport);
        assert_int_equal(a.dport, b.dport);
        assert_int_equal(a.wnd, b.wnd);
        assert_int_equal(a.flags, b.flags);
    }
}

static void tcp_fields_of_both_families_are_read(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct tern_pkt p;
        frame_plain(&f, six, 5);
        assert_drop(parse(&f, &p), TERN_DROP_NONE);
        assert_int_equal(p.kind, TERN_PKT_TCP);
        assert_int_equal(p.v6, six);
        assert_false(p.group_mac);
        assert_memory_equal(p.src, six ? peer_ip6 : peer_ip4, six ? 16 : 4);
        assert_memory_equal(p.dst, six ? my_ip6 : my_ip4, six ? 16 : 4);
        assert_int_equal(p.l3_off, ETH);
        assert_int_equal(p.l4_off, six ? 54 : 34);
        assert_int_equal(p.l4_bytes, 25);
        assert_int_equal(p.hop_limit, six ? 63 : 61);
        assert_int_equal(p.tos, 0x28);
        assert_int_equal(p.flags, TERN_TCP_ACK | TERN_TCP_PSH);
        assert_int_equal(p.sport, 4321);
        assert_int_equal(p.dport, 80);
        assert_int_equal(p.seq.v, 0x01020304);
        assert_int_equal(p.ack.v, 0xa0b0c0d0);
        assert_int_equal(p.wnd, 0xfedc);
        assert_int_equal(p.urg, 0x1357);
        assert_int_equal(p.payload_off, p.l4_off + 20);
        assert_int_equal(p.len_bytes, 5);
    }
}

static void ethernet_padding_of_any_length_and_value_is_never_data(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n_pad = 0; n_pad <= 64; n_pad++) {
            struct frame f;
            struct tern_pkt p;
            frame_plain(&f, six, 3);
            const uint32_t end = f.n;
            frame_fill(&f, 0xff, n_pad);
            assert_drop(parse(&f, &p), TERN_DROP_NONE);
            assert_int_equal(p.len_bytes, 3);
            assert_int_equal(p.end_off, end);
        }
    }
}

static void l3_input_starts_at_the_ip_header(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct tern_pkt p;
        frame_plain(&f, six, 9);
        for (uint32_t n = 0; n <= f.n - ETH; n++) {
            struct tern_pkt_input in = input(exact(f.b + ETH, n), n);
            in.l3 = true;
            in.mac = NULL;
            const enum tern_drop drop = ask(&in, &p);
            if (n < (six ? 40u : 20u))
                assert_drop(drop, TERN_DROP_IP_SHORT);
            else
                assert_drop(drop, n < f.n - ETH ? TERN_DROP_IP_LEN : TERN_DROP_NONE);
        }
        assert_int_equal(p.l3_off, 0);
        assert_int_equal(p.v6, six);
        assert_int_equal(p.len_bytes, 9);
    }
    for (uint32_t nibble = 0; nibble < 16; nibble++) {
        const uint8_t byte = (uint8_t)(nibble << 4);
        struct tern_pkt_input in = input(exact(&byte, 1), 1);
        struct tern_pkt p;
        in.l3 = true;
        assert_drop(
            ask(&in, &p), nibble == 4 || nibble == 6 ? TERN_DROP_IP_SHORT : TERN_DROP_IP_VERSION);
    }
}

static void ip_version_must_match_the_ethertype(void **state)
{
    (void)state;
    for (uint32_t nibble = 0; nibble < 16; nibble++) {
        for (int six = 0; six < 2; six++) {
            struct frame f;
            frame_plain(&f, six, 0);
            f.b[ETH] = (uint8_t)(nibble << 4 | (f.b[ETH] & 15));
            const bool same = nibble == (six ? 6 : 4);
            assert_drop(verdict(&f), same ? TERN_DROP_NONE : TERN_DROP_IP_VERSION);
        }
    }
}

/* ---- what IP carries ---- */

static void icmp_shorter_than_its_header_is_refused(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n = 0; n <= 12; n++) {
            struct frame f;
            frame_eth(&f, six ? 0x86dd : 0x0800);
            if (six)
                frame_ip6(&f, 58);
            else
                frame_ip4(&f, 1, "", 0);
            frame_icmp(&f, six ? 128 : 8, 0, 0x00010001);
            frame_fill(&f, 0x77, 4);
            f.n = f.l4 + n;
            if (n >= 4)
                frame_seal(&f);
            else if (six)
                put16(f.b + f.l3 + 4, n);
            else {
                put16(f.b + f.l3 + 2, 20 + n);
                frame_sum_ip4(&f);
            }
            assert_drop(verdict(&f), n < 8 ? TERN_DROP_ICMP_SHORT : TERN_DROP_NONE);
            /* and with the length claiming more than there is (the CVE-2021-31890 class) */
            put16(f.b + f.l3 + (six ? 4 : 2), n + (six ? 1 : 21));
            if (!six)
                frame_sum_ip4(&f);
            assert_drop(verdict(&f), TERN_DROP_IP_LEN);
        }
    }
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    for (uint32_t proto = 0; proto < 256; proto++) {
        for (int six = 0; six < 2; six++) {
            struct frame f;
            frame_plain(&f, six, 0);
            f.b[ETH + (six ? 6 : 9)] = (uint8_t)proto;
            if (!six)
                frame_sum_ip4(&f);
            const enum tern_drop drop = verdict_with_flags(&f, TERN_RX_L4_CSUM_GOOD);
            const bool known = proto == 6 || proto == (six ? 58 : 1);
            const bool ext = six && (proto == 0 || proto == 43 || proto == 44 || proto == 60);
            if (known)
                assert_drop(drop, TERN_DROP_NONE);
            else if (!ext)
                assert_drop(drop, TERN_DROP_IP_PROTO);
        }
    }
}

/* ---- checksums ---- */

/* V194 */
static void checksum_verdicts_of_the_device_by_table(void **state)
{
    (void)state;
    enum {
        IP_GOOD = TERN_RX_IP_CSUM_GOOD,
        IP_BAD = TERN_RX_IP_CSUM_BAD,
        L4_GOOD = TERN_RX_L4_CSUM_GOOD,
        L4_BAD = TERN_RX_L4_CSUM_BAD,
    };
    static const struct {
        bool ip_right, l4_right;
        unsigned flags;
        enum tern_drop want;
    } rows[] = {
        {true, true, 0, TERN_DROP_NONE},
        {true, true, IP_GOOD | L4_GOOD, TERN_DROP_NONE},
        {true, true, IP_BAD, TERN_DROP_IP_CSUM},
        {true, true, L4_BAD, TERN_DROP_TCP_CSUM},
        {true, true, IP_GOOD | IP_BAD, TERN_DROP_IP_CSUM},
        {true, true, L4_GOOD | L4_BAD, TERN_DROP_TCP_CSUM},
        {false, true, 0, TERN_DROP_IP_CSUM},
        {false, true, L4_GOOD, TERN_DROP_IP_CSUM},
        {false, true, IP_GOOD, TERN_DROP_NONE},
        {true, false, 0, TERN_DROP_TCP_CSUM},
        {true, false, IP_GOOD, TERN_DROP_TCP_CSUM},
        {true, false, L4_GOOD, TERN_DROP_NONE},
        {false, false, IP_GOOD | L4_GOOD, TERN_DROP_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        frame_plain(&f, false, 7);
        f.b[ETH + 11] ^= rows[i].ip_right ? 0 : 1;
        f.b[f.l4 + 17] ^= rows[i].l4_right ? 0 : 1;
        assert_drop(verdict_with_flags(&f, rows[i].flags), rows[i].want);
    }
}

static void icmp_checksum_is_verified_for_both_families(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n = 0; n < 9; n++) {
            struct frame f;
            frame_eth(&f, six ? 0x86dd : 0x0800);
            if (six)
                frame_ip6(&f, 58);
            else
                frame_ip4(&f, 1, "", 0);
            frame_icmp(&f, six ? 128 : 8, 0, 0x12345678);
            frame_fill(&f, 0xee, n);
            frame_seal(&f);
            assert_drop(verdict(&f), TERN_DROP_NONE);
            f.b[f.n - 1] ^= 1;
            assert_drop(verdict(&f), TERN_DROP_ICMP_CSUM);
            assert_drop(verdict_with_flags(&f, TERN_RX_L4_CSUM_GOOD), TERN_DROP_NONE);
            f.b[f.n - 1] ^= 1;
            assert_drop(verdict_with_flags(&f, TERN_RX_L4_CSUM_BAD), TERN_DROP_ICMP_CSUM);
        }
    }
}

/* ---- frames in several buffers ---- */

static void split_tcp_is_taken_when_its_headers_are_together(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n_payload = 0; n_payload < 70; n_payload += 23) {
            struct frame f;
            frame_plain(&f, six, n_payload);
            const uint32_t headers = f.n - n_payload;
            for (uint32_t front = 0; front < f.n; front++) {
                struct tern_pkt p;
                const enum tern_drop drop = parse_split(&f, front, &p);
                assert_drop(drop, front < headers ? TERN_DROP_LINEARISE : TERN_DROP_NONE);
                if (drop == TERN_DROP_NONE)
                    assert_int_equal(p.len_bytes, n_payload);
            }
        }
    }
}

/* V190 */
static void split_tcp_with_options_needs_them_together(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    frame_eth(&f, 0x86dd);
    frame_ip6(&f, 60);
    frame_add(&f, "\6\0\1\4\0\0\0\0", 8);
    frame_tcp(&f, TERN_TCP_ACK, "\1\1\x8\xa\0\0\0\1\0\0\0\2", 12);
    frame_fill(&f, 0x42, 31);
    frame_seal(&f);
    for (uint32_t front = 0; front < f.n; front++)
        assert_drop(
            parse_split(&f, front, &p), front < f.n - 31 ? TERN_DROP_LINEARISE : TERN_DROP_NONE);
}

static void split_tcp_wrong_checksum_is_found_in_either_part(void **state)
{
    (void)state;
    struct frame whole;
    frame_plain(&whole, false, 41);
    for (uint32_t front = whole.n - 41; front < whole.n; front++) {
        for (uint32_t at = whole.n - 41; at < whole.n; at++) {
            struct frame f = whole;
            struct tern_pkt p;
            f.b[at] ^= 0x80;
            assert_drop(parse_split(&f, front, &p), TERN_DROP_TCP_CSUM);
        }
    }
}

static void split_frame_with_a_trailer_is_to_be_joined(void **state)
{
    (void)state;
    for (uint32_t n_pad = 1; n_pad < 9; n_pad++) {
        struct frame f;
        struct tern_pkt p;
        frame_plain(&f, false, 20);
        frame_fill(&f, 0xdd, n_pad);
        for (uint32_t front = 0; front < f.n; front++)
            assert_drop(parse_split(&f, front, &p), TERN_DROP_LINEARISE);
        assert_drop(parse(&f, &p), TERN_DROP_NONE);
    }
}

static void split_icmp_and_arp_are_to_be_joined(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct frame f;
        struct tern_pkt p;
        frame_eth(&f, kind == 0 ? 0x0800 : kind == 1 ? 0x86dd : 0x0806);
        if (kind == 0)
            frame_ip4(&f, 1, "", 0);
        if (kind == 1)
            frame_ip6(&f, 58);
        if (kind == 2)
            frame_fill(&f, 0, 28);
        else
            frame_icmp(&f, 8, 0, 0);
        if (kind != 2)
            frame_seal(&f);
        for (uint32_t front = 0; front < f.n; front++)
            assert_drop(parse_split(&f, front, &p), TERN_DROP_LINEARISE);
        assert_drop(parse(&f, &p), TERN_DROP_NONE);
    }
}

/* ---- plain segments ---- */

static void everyday_segments_are_plain(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (int l3 = 0; l3 < 2; l3++) {
            struct frame f;
            struct tern_pkt plain, p;
            frame_plain(&f, v6, 100);
            frame_fill(&f, 0, 6); /* padding */
            const uint32_t skip = l3 ? f.l3 : 0;
            struct tern_pkt_input in = input(exact(f.b + skip, f.n - skip), f.n - skip);
            in.l3 = l3;
            assert_true(parse_plain(&in, &plain));
            assert_drop(ask(&in, &p), TERN_DROP_NONE);
            assert_int_equal(plain.len_bytes, 100);
        }
}

static bool is_plain(const struct frame *f, uint16_t vlan)
{
    struct tern_pkt p;
    struct tern_pkt_input in = input(exact(f->b, f->n), f->n);
    in.vlan = vlan;
    return parse_plain(&in, &p);
}

/* One byte of a plain frame made another, by family: 0, or where it does not make the difference.
 */
static void what_is_not_everyday_is_left_to_the_other_parser(void **state)
{
    static const struct {
        uint8_t off4, off6; /* from the IP header; 0xff: not in this family */
        uint8_t value;
    } rows[] = {
        {0, 0, 0x55},        /* version */
        {0, 0xff, 0x46},     /* IPv4 options */
        {6, 0xff, 0x20},     /* more fragments */
        {7, 0xff, 1},        /* fragment offset */
        {9, 6, 17},          /* UDP */
        {2, 4, 0x40},        /* longer than the frame */
        {12, 8, 0xff},       /* from a group, or worse */
        {16, 24, 0xff},      /* to one */
        {20 + 12, 52, 0x40}, /* data offset below a header */
        {20 + 12, 52, 0xf0}, /* … beyond the segment */
        {20 + 13, 53, 0},    /* no control bit */
        {20 + 13, 53, TERN_TCP_SYN | TERN_TCP_FIN},
    };
    (void)state;
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            const uint8_t off = v6 ? rows[i].off6 : rows[i].off4;
            struct frame f;
            frame_plain(&f, v6, 0);
            assert_true(is_plain(&f, 0));
            if (off == 0xff)
                continue;
            f.b[f.l3 + off] = rows[i].value;
            assert_false(is_plain(&f, 0));
        }
}

static void links_with_tags_and_other_stations_have_no_plain_segments(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct frame f;
        frame_plain(&f, v6, 0);
        assert_false(is_plain(&f, 7));
        for (uint32_t at = 0; at < 6; at++) {
            f.b[at] ^= 1;
            assert_false(is_plain(&f, 0));
            f.b[at] ^= 1;
        }
        f.b[6] |= 1; /* from a group */
        assert_false(is_plain(&f, 0));
        f.b[6] &= 0xfe;
        for (uint32_t n = f.l3; n < f.n; n++) {
            struct frame cut = f;
            cut.n = n;
            assert_false(is_plain(&cut, 0));
        }
        assert_true(is_plain(&f, 0));
    }
}

/* ---- noise ---- */

/* Frames that start well and then have bytes changed: bounds hold, and joining ends LINEARISE. */
static void bent_frames_never_break_the_bounds(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 300000; round++) {
        struct frame f;
        struct tern_pkt p;
        if (round % 3 == 0)
            frame_chain(&f, 0,
                "3c00010400000000"
                "2b00010400000000"
                "0600040000000000");
        else
            frame_plain(&f, round % 3 == 1, next_random(&seed) % 30);
        for (uint32_t bends = next_random(&seed) % 4; bends > 0; bends--)
            f.b[12 + next_random(&seed) % (f.n - 12)] = (uint8_t)next_random(&seed);
        f.n -= next_random(&seed) % 3 == 0 ? next_random(&seed) % f.n : 0;
        const uint32_t front = next_random(&seed) % 2 ? f.n : next_random(&seed) % (f.n + 1);
        struct tern_pkt_input in = input(exact(f.b, front), front);
        in.n_total = f.n;
        in.rx_flags = next_random(&seed) % 4 ? ALL_GOOD : 0;
        const enum tern_drop split = ask(&in, &p);
        in = input(exact(f.b, f.n), f.n);
        in.rx_flags = ALL_GOOD;
        const enum tern_drop joined = ask(&in, &p);
        assert_true(joined != TERN_DROP_LINEARISE);
        assert_true(split == TERN_DROP_LINEARISE || split == TERN_DROP_IP_CSUM
                    || split == TERN_DROP_TCP_CSUM || split == TERN_DROP_ICMP_CSUM
                    || split == joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everyday_segments_are_plain),
        cmocka_unit_test(what_is_not_everyday_is_left_to_the_other_parser),
        cmocka_unit_test(links_with_tags_and_other_stations_have_no_plain_segments),
        cmocka_unit_test(seed_frames_parse_to_their_table),
        cmocka_unit_test(seed_frames_one_bit_flipped_are_refused_unless_it_is_padding),
        cmocka_unit_test(plain_fields_are_what_the_scalar_twin_says),
        cmocka_unit_test(tcp_fields_of_both_families_are_read),
        cmocka_unit_test(ethernet_padding_of_any_length_and_value_is_never_data),
        cmocka_unit_test(l3_input_starts_at_the_ip_header),
        cmocka_unit_test(icmp_shorter_than_its_header_is_refused),
        cmocka_unit_test(ip_version_must_match_the_ethertype),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(checksum_verdicts_of_the_device_by_table),
        cmocka_unit_test(icmp_checksum_is_verified_for_both_families),
        cmocka_unit_test(split_tcp_is_taken_when_its_headers_are_together),
        cmocka_unit_test(split_tcp_with_options_needs_them_together),
        cmocka_unit_test(split_tcp_wrong_checksum_is_found_in_either_part),
        cmocka_unit_test(split_frame_with_a_trailer_is_to_be_joined),
        cmocka_unit_test(split_icmp_and_arp_are_to_be_joined),
        cmocka_unit_test(bent_frames_never_break_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
