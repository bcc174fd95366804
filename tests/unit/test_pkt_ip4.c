/* SPDX-License-Identifier: BSD-3-Clause */
/* tern_pkt_parse(): the IPv4 header (RFC 791). */
#include "pkt_fixture.h"

/* ---- lengths ---- */

/* What RFC 791 and RFC 9293 say of these four lengths, in the order the parser promises. */
static enum tern_drop want_ip4_tcp(uint32_t n, uint32_t ihl, uint32_t total, uint32_t doff)
{
    if (n < ETH)
        return TERN_DROP_ETH_RUNT;
    if (n < ETH + 20)
        return TERN_DROP_IP_SHORT;
    if (ihl < 5 || ETH + ihl * 4 > n)
        return TERN_DROP_IP_HDR_LEN;
    if (total < ihl * 4 || ETH + total > n)
        return TERN_DROP_IP_LEN;
    if (total < ihl * 4 + 20)
        return TERN_DROP_TCP_SHORT;
    if (doff < 5 || ihl * 4 + doff * 4 > total)
        return TERN_DROP_TCP_HDR_LEN;
    return TERN_DROP_NONE;
}

static void put_ip4_tcp(uint8_t *b, uint32_t ihl, uint32_t total, uint32_t doff)
{
    struct frame f;
    frame_plain(&f, false, 0);
    memset(b, TERN_OPT_NOP, 256); /* in IPv4 and in TCP 1 is "no operation" */
    memcpy(b, f.b, ETH + 20);
    memcpy(b + ETH + ihl * 4, f.b + ETH + 20, 20);
    b[ETH] = (uint8_t)(0x40 | ihl);
    put16(b + ETH + 2, total);
    b[ETH + ihl * 4 + 12] = (uint8_t)(doff << 4);
}

static void length_matrix_ip4_tcp(void **state)
{
    (void)state;
    for (uint32_t ihl = 5; ihl <= 15; ihl++) {
        for (uint32_t doff = 0; doff <= 15; doff++) {
            const uint32_t full = ihl * 4 + 20, ideal = ihl * 4 + doff * 4;
            const uint32_t totals[] = {0, 1, 19, 20, ihl * 4 - 1, ihl * 4, ihl * 4 + 1, full - 1,
                full, full + 1, ideal - 1, ideal, ideal + 1, 128, 32768, 65535};
            const uint32_t sizes[] = {0, 1, 13, 14, 15, 33, 34, 35, ETH + ihl * 4 - 1,
                ETH + ihl * 4, ETH + ihl * 4 + 1, ETH + full - 1, ETH + full, ETH + full + 1,
                ETH + ideal - 1, ETH + ideal, ETH + ideal + 1, ETH + 128};
            for (size_t t = 0; t < sizeof totals / sizeof totals[0]; t++) {
                uint8_t b[256];
                put_ip4_tcp(b, ihl, totals[t], doff);
                for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                    struct tern_pkt p;
                    struct tern_pkt_input in = input(exact(b, sizes[s]), sizes[s]);
                    in.rx_flags = ALL_GOOD;
                    assert_drop(ask(&in, &p), want_ip4_tcp(sizes[s], ihl, totals[t], doff));
                    in.rx_flags = 0; /* nothing but survival: the sums run over the same bytes */
                    ask(&in, &p);
                }
            }
        }
    }
}

static void ip4_header_length_below_five_words_is_refused_at_every_frame_length(void **state)
{
    (void)state;
    for (uint32_t ihl = 0; ihl < 5; ihl++) {
        struct frame f;
        frame_plain(&f, false, 40);
        f.b[ETH] = (uint8_t)(0x40 | ihl);
        for (uint32_t n = ETH + 20; n <= f.n; n++) {
            struct tern_pkt_input in = input(exact(f.b, n), n);
            struct tern_pkt p;
            in.rx_flags = ALL_GOOD;
            assert_drop(ask(&in, &p), TERN_DROP_IP_HDR_LEN);
        }
    }
}

/* ---- fields and options ---- */

static void ip4_fragments_are_refused_and_other_bits_are_not(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 16; bit++) {
        struct frame f;
        frame_plain(&f, false, 8);
        put16(f.b + ETH + 6, 1u << bit);
        frame_sum_ip4(&f);
        /* 15 is reserved, 14 is "don't fragment" */
        assert_drop(verdict(&f), bit >= 14 ? TERN_DROP_NONE : TERN_DROP_IP_FRAGMENT);
    }
}

static void ip4_options_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
        enum tern_drop want;
    } rows[] = {
        {"NOP, EOL and garbage behind it", "0100ff00", TERN_DROP_NONE},
        {"record route, skipped",
            "07070401020304"
            "00",
            TERN_DROP_NONE},
        {"router alert, skipped", "94040000", TERN_DROP_NONE},
        {"unknown, well-formed (MUST-50)", "5e04abcd", TERN_DROP_NONE},
        {"unknown of length 2", "5e025e02", TERN_DROP_NONE},
        {"loose source route",
            "83070401020304"
            "00",
            TERN_DROP_IP_OPTION},
        {"strict source route",
            "89070401020304"
            "00",
            TERN_DROP_IP_OPTION},
        {"source route behind another",
            "0194040000"
            "830304",
            TERN_DROP_IP_OPTION},
        {"length 0", "5e000000", TERN_DROP_IP_OPTION},
        {"length 1", "5e010000", TERN_DROP_IP_OPTION},
        {"length past the header", "5e050000", TERN_DROP_IP_OPTION},
        {"length 255", "07ff0401", TERN_DROP_IP_OPTION},
        {"kind without length", "0101015e", TERN_DROP_IP_OPTION},
        {"forty bytes of options",
            "5e28"
            "00000000000000000000000000000000000000000000000000"
            "00000000000000000000000000",
            TERN_DROP_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t opt[64];
        struct frame f;
        frame_eth(&f, 0x0800);
        frame_ip4(&f, 6, opt, unhex(rows[i].hex, opt));
        frame_tcp(&f, TERN_TCP_SYN, "", 0);
        frame_seal(&f);
        if (verdict(&f) != rows[i].want)
            fail_msg("%s: %s", rows[i].what, drop_name(verdict(&f)));
    }
}

static void ip4_option_illegal_length_at_every_position_is_refused(void **state)
{
    (void)state;
    for (uint32_t n_opt = 4; n_opt <= 40; n_opt += 4) {
        for (uint32_t at = 0; at < n_opt; at++) {
            for (uint32_t len = 0; len < 64; len++) {
                uint8_t opt[40];
                memset(opt, 1, sizeof opt);
                opt[at] = 0x5e;
                if (at + 1 < n_opt)
                    opt[at + 1] = (uint8_t)len;
                const bool legal = at + 1 < n_opt && len >= 2 && at + len <= n_opt;
                struct frame f;
                frame_eth(&f, 0x0800);
                frame_ip4(&f, 6, opt, n_opt);
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
                frame_seal(&f);
                assert_drop(verdict(&f), legal ? TERN_DROP_NONE : TERN_DROP_IP_OPTION);
            }
        }
    }
}

/* ---- addresses ---- */

/* V051, V053 */
static void ip4_addresses_by_table(void **state)
{
    (void)state;
    static const struct {
        uint8_t addr[4];
        bool ok;
    } rows[] = {
        {{0, 0, 0, 0}, false},
        {{0, 1, 2, 3}, false},
        {{127, 0, 0, 1}, false},
        {{224, 0, 0, 1}, false},
        {{239, 255, 255, 255}, false},
        {{240, 0, 0, 1}, false},
        {{255, 255, 255, 255}, false},
        {{1, 0, 0, 1}, true},
        {{126, 1, 1, 1}, true},
        {{128, 0, 0, 1}, true},
        {{223, 255, 255, 254}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int icmp = 0; icmp < 2; icmp++) {
            struct frame f;
            frame_eth(&f, 0x0800);
            frame_ip4(&f, icmp ? 1 : 6, "", 0);
            if (icmp)
                frame_icmp(&f, 8, 0, 0);
            else
                frame_tcp(&f, TERN_TCP_SYN, "", 0);
            struct frame from = f, to = f;
            memcpy(from.b + ETH + 12, rows[i].addr, 4);
            memcpy(to.b + ETH + 16, rows[i].addr, 4);
            frame_seal(&from);
            frame_seal(&to);
            assert_drop(verdict(&from), rows[i].ok ? TERN_DROP_NONE : TERN_DROP_IP_SRC);
            assert_drop(verdict(&to), rows[i].ok ? TERN_DROP_NONE : TERN_DROP_IP_DST);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_matrix_ip4_tcp),
        cmocka_unit_test(ip4_header_length_below_five_words_is_refused_at_every_frame_length),
        cmocka_unit_test(ip4_fragments_are_refused_and_other_bits_are_not),
        cmocka_unit_test(ip4_options_by_table),
        cmocka_unit_test(ip4_option_illegal_length_at_every_position_is_refused),
        cmocka_unit_test(ip4_addresses_by_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
