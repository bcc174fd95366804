/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/icmp.h"
#include "wire_frames.h"

enum { ETH = 14 };

static void frame_ip(struct frame *f, bool six)
{
    frame_eth(f, six ? 0x86dd : 0x0800);
    if (six)
        frame_ip6(f, 58);
    else
        frame_ip4(f, 1, "", 0);
}

struct answer {
    uint8_t *frame; /* lives until the next question */
    struct tern_pkt p;
    enum tern_icmp_kind kind;
    struct tern_icmp_quote quote;
};

static enum tern_drop read_frame(const struct frame *f, struct answer *a)
{
    memset(a, 0xa5, sizeof *a);
    a->frame = exact(f->b, f->n);
    const struct tern_pkt_input in = {
        .frame = a->frame, .n_contiguous = f->n, .n_total = f->n, .mac = my_mac};
    const enum tern_drop drop = tern_pkt_parse(&in, &a->p);
    if (drop != TERN_DROP_NONE)
        return drop;
    return tern_icmp_parse(a->frame, &a->p, &a->kind, &a->quote);
}

static enum tern_drop verdict(const struct frame *f)
{
    struct answer a;
    return read_frame(f, &a);
}

/* ---- sorting ---- */

/* An error that quotes a segment of ours, 80 -> 4321, seq 0x11223344: header and 8 bytes. */
static void frame_error(struct frame *f, bool six, uint8_t type, uint8_t code, uint32_t word)
{
    static const uint8_t tcp[8] = {0, 80, 0x10, 0xe1, 0x11, 0x22, 0x33, 0x44};
    uint8_t ip4[20] = {0x45, 0, 0x05, 0xdc, 0, 0, 0x40, 0, 60, 6};
    uint8_t ip6[40] = {0x60, 0, 0, 0, 0x05, 0xb4, 6, 60};
    memcpy(ip4 + 12, my_ip4, 4);
    memcpy(ip4 + 16, peer_ip4, 4);
    memcpy(ip6 + 8, my_ip6, 16);
    memcpy(ip6 + 24, peer_ip6, 16);
    frame_ip(f, six);
    frame_icmp(f, type, code, word);
    frame_add(f, six ? ip6 : ip4, six ? 40 : 20);
    frame_add(f, tcp, 8);
    frame_seal(f);
}

/* -1: refused by type */
static int want_kind4(uint32_t type, uint32_t code)
{
    if (type == 8 && code == 0)
        return TERN_ICMP_ECHO_REQUEST;
    if (type == 3 && code <= 15)
        return code == 2 || code == 3 ? TERN_ICMP_REFUSED
               : code == 4            ? TERN_ICMP_TOO_BIG
                                      : TERN_ICMP_UNREACHABLE;
    if ((type == 11 && code <= 1) || (type == 12 && code <= 2))
        return TERN_ICMP_UNREACHABLE;
    return -1;
}

static int want_kind6(uint32_t type, uint32_t code)
{
    if (type == 128 && code == 0)
        return TERN_ICMP_ECHO_REQUEST;
    if (type >= 133 && type <= 137)
        return TERN_ICMP_NDP;
    if (type == 1 && code <= 8)
        return code == 4 ? TERN_ICMP_REFUSED : TERN_ICMP_UNREACHABLE;
    if (type == 2)
        return TERN_ICMP_TOO_BIG;
    if (type == 3 && code <= 1)
        return TERN_ICMP_UNREACHABLE;
    if (type == 4 && code <= 10)
        return code == 1 ? TERN_ICMP_REFUSED : TERN_ICMP_UNREACHABLE;
    return -1;
}

static void every_type_and_code_is_sorted(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t type = 0; type < 256; type++) {
            for (uint32_t code = 0; code < 256; code++) {
                struct frame f;
                struct answer a;
                frame_error(&f, six, (uint8_t)type, (uint8_t)code, 0x1234);
                const int want = six ? want_kind6(type, code) : want_kind4(type, code);
                assert_drop(read_frame(&f, &a), want < 0 ? TERN_DROP_ICMP_TYPE : TERN_DROP_NONE);
                if (want >= 0)
                    assert_int_equal(a.kind, want);
            }
        }
    }
}

/* ---- quotations ---- */

static void quote_of_both_families_is_read(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct answer a;
        frame_error(&f, six, six ? 1 : 3, 0, 0);
        assert_drop(read_frame(&f, &a), TERN_DROP_NONE);
        const uint8_t *src = six ? my_ip6 : my_ip4, *dst = six ? peer_ip6 : peer_ip4;
        assert_memory_equal(six ? a.quote.src.b : a.quote.src.b + 12, src, six ? 16 : 4);
        assert_memory_equal(six ? a.quote.dst.b : a.quote.dst.b + 12, dst, six ? 16 : 4);
        assert_int_equal(tern_addr_is_v4(&a.quote.src), !six);
        assert_int_equal(a.quote.sport, 80);
        assert_int_equal(a.quote.dport, 4321);
        assert_int_equal(a.quote.seq.v, 0x11223344);
        assert_int_equal(a.quote.quoted_ip_bytes, 1500);
        assert_int_equal(a.quote.mtu_bytes, 0);
    }
}

static void too_big_carries_the_mtu(void **state)
{
    (void)state;
    struct frame f;
    struct answer a;
    frame_error(&f, false, 3, 4, 0xffff0514); /* upper half is unused (RFC 1191 §4) */
    assert_drop(read_frame(&f, &a), TERN_DROP_NONE);
    assert_int_equal(a.kind, TERN_ICMP_TOO_BIG);
    assert_int_equal(a.quote.mtu_bytes, 1300);
    frame_error(&f, false, 3, 4, 0); /* an old router */
    assert_drop(read_frame(&f, &a), TERN_DROP_NONE);
    assert_int_equal(a.quote.mtu_bytes, 0);
    frame_error(&f, true, 2, 0, 0x00010500);
    assert_drop(read_frame(&f, &a), TERN_DROP_NONE);
    assert_int_equal(a.quote.mtu_bytes, 0x00010500);
    frame_error(&f, false, 3, 1, 0x0514); /* no MTU in other errors */
    assert_drop(read_frame(&f, &a), TERN_DROP_NONE);
    assert_int_equal(a.quote.mtu_bytes, 0);
}

static void quote_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame whole;
        frame_error(&whole, six, six ? 1 : 3, 0, 0);
        for (uint32_t n = whole.l4; n < whole.n; n++) {
            struct frame f = whole;
            f.n = n;
            if (n >= f.l4 + 4) {
                frame_seal(&f);
                const bool is_short = n < f.l4 + 8;
                assert_drop(verdict(&f), is_short ? TERN_DROP_ICMP_SHORT : TERN_DROP_ICMP_QUOTE);
            }
        }
        assert_drop(verdict(&whole), TERN_DROP_NONE);
    }
}

static void quote_malformed_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        bool six;
        uint32_t off; /* in the quotation */
        const char *hex;
        enum tern_drop want;
    } rows[] = {
        {"version 6 in ICMP", false, 0, "65", TERN_DROP_ICMP_QUOTE},
        {"version 0", false, 0, "05", TERN_DROP_ICMP_QUOTE},
        {"header length 4", false, 0, "44", TERN_DROP_ICMP_QUOTE},
        {"header length 0", false, 0, "40", TERN_DROP_ICMP_QUOTE},
        {"header length past the quotation", false, 0, "46", TERN_DROP_ICMP_QUOTE},
        {"header length 15", false, 0, "4f", TERN_DROP_ICMP_QUOTE},
        {"shorter than a TCP segment", false, 2, "0027", TERN_DROP_ICMP_QUOTE},
        {"the shortest TCP segment", false, 2, "0028", TERN_DROP_NONE},
        {"length 0", false, 2, "0000", TERN_DROP_ICMP_QUOTE},
        {"second fragment", false, 6, "0001", TERN_DROP_ICMP_QUOTE},
        {"last fragment", false, 6, "1fff", TERN_DROP_ICMP_QUOTE},
        {"first fragment", false, 6, "2000", TERN_DROP_NONE},
        {"UDP", false, 9, "11", TERN_DROP_ICMP_QUOTE},
        {"ICMP", false, 9, "01", TERN_DROP_ICMP_QUOTE},
        {"version 4 in ICMPv6", true, 0, "45", TERN_DROP_ICMP_QUOTE},
        {"payload shorter than TCP", true, 4, "0013", TERN_DROP_ICMP_QUOTE},
        {"payload of a bare header", true, 4, "0014", TERN_DROP_NONE},
        {"UDP over IPv6", true, 6, "11", TERN_DROP_ICMP_QUOTE},
        {"fragment header", true, 6, "2c", TERN_DROP_ICMP_QUOTE},
        {"ICMPv6", true, 6, "3a", TERN_DROP_ICMP_QUOTE},
        {"IPv4-mapped source", true, 8, "00000000000000000000ffffc0000201", TERN_DROP_ICMP_QUOTE},
        {"IPv4-mapped destination", true, 24, "00000000000000000000ffffc6336407",
            TERN_DROP_ICMP_QUOTE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        frame_error(&f, rows[i].six, rows[i].six ? 1 : 3, 0, 0);
        unhex(rows[i].hex, f.b + f.l4 + 8 + rows[i].off);
        frame_seal(&f);
        if (verdict(&f) != rows[i].want)
            fail_msg("%s: %s", rows[i].what, drop_name(verdict(&f)));
    }
}

static void quote_with_ip_options_is_read_behind_them(void **state)
{
    (void)state;
    struct frame f;
    struct answer a;
    frame_ip(&f, false);
    frame_icmp(&f, 3, 3, 0);
    uint8_t ip[24] = {0x46, 0, 0, 64, 0, 0, 0x40, 0, 60, 6};
    frame_add(&f, ip, 24);
    frame_add(&f, "\0\x50\x10\xe1\1\2\3\4", 8);
    frame_seal(&f);
    assert_drop(read_frame(&f, &a), TERN_DROP_NONE);
    assert_int_equal(a.quote.sport, 80);
    assert_int_equal(a.quote.seq.v, 0x01020304);
    f.n--;
    frame_seal(&f);
    assert_drop(verdict(&f), TERN_DROP_ICMP_QUOTE);
}

static void error_to_a_group_is_refused(void **state)
{
    (void)state;
    struct frame f;
    frame_error(&f, true, 1, 4, 0);
    unhex("ff020000000000000000000000000001", f.b + ETH + 24);
    frame_seal(&f);
    assert_drop(verdict(&f), TERN_DROP_ICMP_TYPE);
}

/* ---- echo ---- */

static void frame_echo(struct frame *f, bool six, uint32_t n_data)
{
    frame_ip(f, six);
    frame_icmp(f, six ? 128 : 8, 0, 0xbeef0001);
    for (uint32_t i = 0; i < n_data; i++)
        frame_fill(f, (uint8_t)(i + 1), 1);
    frame_seal(f);
}

static bool reply(const struct frame *f, struct answer *a)
{
    assert_drop(read_frame(f, a), TERN_DROP_NONE);
    assert_int_equal(a->kind, TERN_ICMP_ECHO_REQUEST);
    return tern_icmp_echo_reply(a->frame, &a->p, my_mac, 64);
}

static void echo_reply_is_the_request_turned_round(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n_data = 0; n_data < 70; n_data++) {
            struct frame f, r;
            struct answer a;
            frame_echo(&f, six, n_data);
            assert_true(reply(&f, &a));
            r = f;
            memcpy(r.b, a.frame, f.n);
            assert_memory_equal(r.b, peer_mac, 6);
            assert_memory_equal(r.b + 6, my_mac, 6);
            const uint32_t src = ETH + (six ? 8 : 12), bytes = six ? 16 : 4;
            assert_memory_equal(r.b + src, six ? my_ip6 : my_ip4, bytes);
            assert_memory_equal(r.b + src + bytes, six ? peer_ip6 : peer_ip4, bytes);
            assert_int_equal(r.b[ETH + (six ? 7 : 8)], 64);
            assert_int_equal(r.b[r.l4], six ? 129 : 0);
            assert_int_equal(r.b[r.l4 + 1], 0);
            assert_memory_equal(r.b + r.l4 + 4, f.b + f.l4 + 4, n_data + 4);
            assert_int_equal(slow_l4_sum(&r, r.n - r.l4), 0xffff);
            if (!six) {
                assert_int_equal(slow_sum(0, r.b + ETH, 20), 0xffff);
                assert_int_equal(get32(r.b + ETH + 4), 0x00004000); /* id 0, DF */
            }
            assert_int_equal(get16(r.b + ETH + (six ? 4 : 2)), get16(f.b + ETH + (six ? 4 : 2)));
        }
    }
}

static void echo_reply_clears_the_ecn_mark_and_the_flow_label(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct answer a;
        frame_echo(&f, six, 4);
        f.b[ETH] = six ? 0x6b : 0x45;
        f.b[ETH + 1] = six ? 0xba : 0xbb; /* IPv4: class 0xbb; IPv6: class 0xbb, label 0xa.... */
        frame_seal(&f);
        assert_true(reply(&f, &a));
        assert_int_equal(get16(a.frame + ETH), six ? 0x6b80 : 0x45b8);
        if (six)
            assert_int_equal(get32(a.frame + ETH), 0x6b800000);
    }
}

static void echo_reply_never_touches_the_padding(void **state)
{
    (void)state;
    struct frame f;
    struct answer a;
    frame_echo(&f, false, 3);
    const uint32_t end = f.n;
    frame_fill(&f, 0xcc, 15);
    assert_true(reply(&f, &a));
    assert_int_equal(a.p.end_off, end);
    for (uint32_t i = end; i < f.n; i++)
        assert_int_equal(a.frame[i], 0xcc);
}

static void echo_reply_without_ethernet_leaves_no_macs(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        struct tern_pkt p;
        frame_echo(&f, six, 5);
        uint8_t *bytes = exact(f.b + ETH, f.n - ETH);
        const struct tern_pkt_input in = {
            .frame = bytes, .n_contiguous = f.n - ETH, .n_total = f.n - ETH, .l3 = true};
        assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
        assert_true(tern_icmp_echo_reply(bytes, &p, NULL, 64));
        memcpy(f.b + ETH, bytes, f.n - ETH);
        assert_int_equal(slow_l4_sum(&f, f.n - f.l4), 0xffff);
        assert_memory_equal(f.b + ETH + (six ? 8 : 12), six ? my_ip6 : my_ip4, six ? 16 : 4);
    }
}

static void echo_reply_does_not_trust_a_checksum_the_device_vouched_for(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    frame_echo(&f, false, 6);
    put16(f.b + f.l4 + 2, 0x1234);
    uint8_t *bytes = exact(f.b, f.n);
    const struct tern_pkt_input in = {.frame = bytes,
        .n_contiguous = f.n,
        .n_total = f.n,
        .rx_flags = TERN_RX_L4_CSUM_GOOD,
        .mac = my_mac};
    assert_drop(tern_pkt_parse(&in, &p), TERN_DROP_NONE);
    assert_true(tern_icmp_echo_reply(bytes, &p, my_mac, 64));
    assert_int_equal(slow_sum(0, bytes + f.l4, f.n - f.l4), 0xffff);
}

static void echo_with_options_or_extensions_is_not_answered(void **state)
{
    (void)state;
    struct frame f;
    struct answer a;
    frame_eth(&f, 0x0800);
    frame_ip4(&f, 1, "\x07\x07\x04\0\0\0\0\0", 8); /* record route */
    frame_icmp(&f, 8, 0, 0);
    frame_seal(&f);
    struct frame before = f;
    assert_false(reply(&f, &a));
    assert_memory_equal(a.frame, before.b, before.n);
    frame_eth(&f, 0x86dd);
    frame_ip6(&f, 60);
    frame_add(&f, "\x3a\0\1\4\0\0\0\0", 8);
    frame_icmp(&f, 128, 0, 0);
    frame_seal(&f);
    assert_false(reply(&f, &a));
}

static void echo_to_a_group_or_from_nobody_is_not_answered(void **state)
{
    (void)state;
    struct frame f;
    struct answer a;
    frame_echo(&f, true, 8);
    unhex("ff020000000000000000000000000001", f.b + ETH + 24);
    frame_seal(&f);
    assert_false(reply(&f, &a));
    memcpy(f.b, "\x33\x33\0\0\0\1", 6);
    assert_false(reply(&f, &a));
    frame_echo(&f, true, 8);
    memset(f.b + ETH + 8, 0, 16);
    frame_seal(&f);
    assert_false(reply(&f, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_code_is_sorted),
        cmocka_unit_test(quote_of_both_families_is_read),
        cmocka_unit_test(too_big_carries_the_mtu),
        cmocka_unit_test(quote_cut_anywhere_is_refused),
        cmocka_unit_test(quote_malformed_by_table),
        cmocka_unit_test(quote_with_ip_options_is_read_behind_them),
        cmocka_unit_test(error_to_a_group_is_refused),
        cmocka_unit_test(echo_reply_is_the_request_turned_round),
        cmocka_unit_test(echo_reply_clears_the_ecn_mark_and_the_flow_label),
        cmocka_unit_test(echo_reply_never_touches_the_padding),
        cmocka_unit_test(echo_reply_without_ethernet_leaves_no_macs),
        cmocka_unit_test(echo_reply_does_not_trust_a_checksum_the_device_vouched_for),
        cmocka_unit_test(echo_with_options_or_extensions_is_not_answered),
        cmocka_unit_test(echo_to_a_group_or_from_nobody_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
