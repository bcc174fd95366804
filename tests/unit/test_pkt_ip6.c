/* SPDX-License-Identifier: BSD-3-Clause */
/* tern_pkt_parse(): the IPv6 header and what it chains (RFC 8200). */
#include "pkt_fixture.h"

/* ---- lengths ---- */

static enum tern_drop want_ip6_tcp(uint32_t n, uint32_t payload, uint32_t doff)
{
    if (n < ETH)
        return TERN_DROP_ETH_RUNT;
    if (n < ETH + 40)
        return TERN_DROP_IP_SHORT;
    if (ETH + 40 + payload > n)
        return TERN_DROP_IP_LEN;
    if (payload < 20)
        return TERN_DROP_TCP_SHORT;
    if (doff < 5 || doff * 4 > payload)
        return TERN_DROP_TCP_HDR_LEN;
    return TERN_DROP_NONE;
}

static void length_matrix_ip6_tcp(void **state)
{
    (void)state;
    static const uint32_t payloads[] = {
        0, 1, 4, 19, 20, 21, 23, 24, 25, 39, 40, 41, 59, 60, 61, 80, 32768, 65535};
    for (uint32_t doff = 0; doff <= 15; doff++) {
        for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
            struct frame f;
            frame_plain(&f, true, 70);
            f.b[f.l4 + 12] = (uint8_t)(doff << 4);
            put16(f.b + f.l3 + 4, payloads[i]);
            for (uint32_t n = 0; n <= f.n; n++) {
                struct tern_pkt p;
                struct tern_pkt_input in = input(exact(f.b, n), n);
                in.rx_flags = ALL_GOOD;
                assert_drop(ask(&in, &p), want_ip6_tcp(n, payloads[i], doff));
                in.rx_flags = 0;
                ask(&in, &p);
            }
        }
    }
}

/* ---- addresses ---- */

/* V051, V053 */
static void ip6_addresses_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool tcp_src, icmp_src, tcp_dst, icmp_dst;
    } rows[] = {
        {"00000000000000000000000000000000", false, true, false, false}, /* :: in DAD */
        {"00000000000000000000000000000001", false, false, false, false},
        {"00000000000000000000ffffc0000201", false, false, false, false}, /* IPv4-mapped */
        {"ff020000000000000000000000000001", false, false, false, true},
        {"ff0e0000000000000000000000000001", false, false, false, true},
        {"fe800000000000000000000000000001", true, true, true, true},
        {"00000000000000000000000000000002", true, true, true, true},
        {"20010db8000000000000000000000009", true, true, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int icmp = 0; icmp < 2; icmp++) {
            struct frame f;
            frame_eth(&f, 0x86dd);
            frame_ip6(&f, icmp ? 58 : 6);
            if (icmp)
                frame_icmp(&f, 135, 0, 0);
            else
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
            struct frame from = f, to = f;
            unhex(rows[i].hex, from.b + ETH + 8);
            unhex(rows[i].hex, to.b + ETH + 24);
            frame_seal(&from);
            frame_seal(&to);
            const bool src_ok = icmp ? rows[i].icmp_src : rows[i].tcp_src;
            const bool dst_ok = icmp ? rows[i].icmp_dst : rows[i].tcp_dst;
            assert_drop(verdict(&from), src_ok ? TERN_DROP_NONE : TERN_DROP_IP_SRC);
            assert_drop(verdict(&to), dst_ok ? TERN_DROP_NONE : TERN_DROP_IP_DST);
        }
    }
}

static void icmp6_by_group_mac_passes_to_a_group_address_only(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    frame_eth(&f, 0x86dd);
    memcpy(f.b, "\x33\x33\x00\x00\x00\x01", 6);
    frame_ip6(&f, 58);
    frame_icmp(&f, 135, 0, 0);
    frame_seal(&f);
    assert_drop(verdict(&f), TERN_DROP_IP_DST);
    unhex("ff020000000000000000000000000001", f.b + ETH + 24);
    frame_seal(&f);
    assert_drop(parse(&f, &p), TERN_DROP_NONE);
    assert_true(p.group_mac);
    assert_int_equal(p.kind, TERN_PKT_ICMP6);
}

/* ---- extension headers ---- */

static void ip6_extension_chains_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t next;
        const char *hex;
        enum tern_drop want;
    } rows[] = {
        {"hop-by-hop, PadN", 0, "0600010400000000", TERN_DROP_NONE},
        {"hop-by-hop, router alert", 0, "0600050200000100", TERN_DROP_NONE},
        {"destination options, Pad1 x 6", 60, "0600000000000000", TERN_DROP_NONE},
        {"hop-by-hop, then destination options, then routing", 0,
            "3c00010400000000"
            "2b00010400000000"
            "0600000000000000",
            TERN_DROP_NONE},
        {"hop-by-hop twice", 0,
            "0000010400000000"
            "0600010400000000",
            TERN_DROP_IP6_EXT},
        {"hop-by-hop second", 60,
            "0000010400000000"
            "0600010400000000",
            TERN_DROP_IP6_EXT},
        {"routing type 0, one segment left", 43, "0600000100000000", TERN_DROP_IP6_EXT},
        {"routing type 3, one segment left", 43, "0600030100000000", TERN_DROP_IP6_EXT},
        {"routing type 4, none left", 43, "0600040000000000", TERN_DROP_NONE},
        {"fragment", 44, "0600000112345678", TERN_DROP_IP_FRAGMENT},
        {"atomic fragment", 44, "0600000012345678", TERN_DROP_IP_FRAGMENT},
        {"fragment behind destination options", 60,
            "2c00010400000000"
            "0600000012345678",
            TERN_DROP_IP_FRAGMENT},
        {"no next header", 60, "3b00010400000000", TERN_DROP_IP_PROTO},
        {"unknown next header", 60, "fd00010400000000", TERN_DROP_IP_PROTO},
        {"ESP", 50, "0600010400000000", TERN_DROP_IP_PROTO},
        {"AH", 51, "0600010400000000", TERN_DROP_IP_PROTO},
        {"option past the end", 60, "0600010500000000", TERN_DROP_IP6_EXT},
        {"option of length 255", 60, "060001ff00000000", TERN_DROP_IP6_EXT},
        {"option type as the last byte", 60, "0600010300000005", TERN_DROP_IP6_EXT},
        {"unknown option, skip (00)", 60, "06003e0400000000", TERN_DROP_NONE},
        {"unknown option, discard (01)", 60, "06007e0400000000", TERN_DROP_IP6_EXT},
        {"unknown option, discard and tell (10)", 60, "0600be0400000000", TERN_DROP_IP6_EXT},
        {"unknown option, discard and tell (11)", 60, "0600fe0400000000", TERN_DROP_IP6_EXT},
        {"jumbo payload", 0, "0600c20400010000", TERN_DROP_IP6_EXT},
        {"header of 2048 bytes", 60, "06ff010400000000", TERN_DROP_IP6_EXT},
        {"header beyond the packet", 60, "0609010400000000", TERN_DROP_IP6_EXT},
        {"16 options", 60,
            "0602"
            "000000000000000000000000000000"
            "01050000000000",
            TERN_DROP_NONE},
        {"17 options", 60,
            "0602"
            "00000000000000000000000000000000"
            "010400000000",
            TERN_DROP_IP6_EXT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame f;
        frame_chain(&f, rows[i].next, rows[i].hex);
        if (verdict(&f) != rows[i].want)
            fail_msg("%s: %s", rows[i].what, drop_name(verdict(&f)));
    }
}

static void ip6_chain_is_bounded_in_headers_and_bytes(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 100; n++) {
        struct frame f;
        frame_eth(&f, 0x86dd);
        frame_ip6(&f, 60);
        for (uint32_t i = 1; i <= n; i++)
            frame_add(&f, i < n ? "\x3c\0\1\4\0\0\0\0" : "\6\0\1\4\0\0\0\0", 8);
        frame_tcp(&f, TERN_TCP_SYN, "", 0);
        frame_seal(&f);
        assert_drop(verdict(&f), n <= TERN_IP6_EXT_MAX ? TERN_DROP_NONE : TERN_DROP_IP6_EXT);
    }
    for (uint32_t units = 1; units <= 256; units++) {
        struct frame f;
        frame_eth(&f, 0x86dd);
        frame_ip6(&f, 60);
        const uint32_t bytes = units * 8;
        const uint8_t head[2] = {6, (uint8_t)(units - 1)};
        frame_add(&f, head, 2);
        for (uint32_t left = bytes - 2; left > 0;) { /* PadN as long as they go */
            const uint32_t n = left > 257 ? 200 : left;
            const uint8_t pad[2] = {1, (uint8_t)(n - 2)};
            frame_add(&f, pad, 2);
            frame_fill(&f, 0, n - 2);
            left -= n;
        }
        frame_tcp(&f, TERN_TCP_SYN, "", 0);
        frame_seal(&f);
        const bool fits = bytes <= TERN_IP6_EXT_BYTES_MAX;
        assert_drop(verdict(&f), fits ? TERN_DROP_NONE : TERN_DROP_IP6_EXT);
    }
}

/* The packet ends, and so does the block, at every byte of a chain. */
static void ip6_chain_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct frame whole;
    struct tern_pkt p;
    frame_chain(&whole, 0,
        "3c01010c000000000000000000000000"
        "2b00010400000000"
        "06010400000000000000000000000000");
    assert_drop(parse(&whole, &p), TERN_DROP_NONE);
    assert_int_equal(p.l4_off, ETH + 40 + 40);
    for (uint32_t n = ETH + 40; n < whole.n; n++) {
        struct frame f = whole;
        f.n = n;
        put16(f.b + ETH + 4, n - ETH - 40);
        assert_drop(verdict(&f), n < ETH + 80 ? TERN_DROP_IP6_EXT : TERN_DROP_TCP_SHORT);
        put16(f.b + ETH + 4, n - ETH - 39);
        assert_drop(verdict(&f), TERN_DROP_IP_LEN);
        /* the frame goes on where the packet ends: what follows is padding, not the chain */
        f.n = whole.n;
        put16(f.b + ETH + 4, n - ETH - 40);
        assert_drop(verdict(&f), n < ETH + 80 ? TERN_DROP_IP6_EXT : TERN_DROP_TCP_SHORT);
    }
}

/* Every option length at every place in an options header of every small size. */
static void ip6_option_illegal_length_at_every_position_is_refused(void **state)
{
    (void)state;
    for (uint32_t units = 1; units <= 3; units++) {
        const uint32_t n = units * 8;
        for (uint32_t at = 2; at < n; at++) {
            for (uint32_t len = 0; len < 256; len++) {
                uint8_t ext[24] = {6, (uint8_t)(units - 1)};
                ext[at] = 1;
                if (at + 1 < n)
                    ext[at + 1] = (uint8_t)len;
                struct frame f;
                frame_eth(&f, 0x86dd);
                frame_ip6(&f, 60);
                frame_add(&f, ext, n);
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
                frame_seal(&f);
                const bool legal = at + 1 < n && at + 2 + len <= n;
                /* Pad1s in front and behind */
                const uint32_t n_opts = at - 2 + 1 + (legal ? n - at - 2 - len : 0);
                const bool ok = legal && n_opts <= TERN_IP6_OPT_MAX;
                assert_drop(verdict(&f), ok ? TERN_DROP_NONE : TERN_DROP_IP6_EXT);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_matrix_ip6_tcp),
        cmocka_unit_test(ip6_addresses_by_table),
        cmocka_unit_test(icmp6_by_group_mac_passes_to_a_group_address_only),
        cmocka_unit_test(ip6_extension_chains_by_table),
        cmocka_unit_test(ip6_chain_is_bounded_in_headers_and_bytes),
        cmocka_unit_test(ip6_chain_cut_anywhere_is_refused),
        cmocka_unit_test(ip6_option_illegal_length_at_every_position_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
