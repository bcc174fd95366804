/* SPDX-License-Identifier: BSD-3-Clause */
/* tern_pkt_parse(): the TCP header and its checksum (RFC 9293). */
#include "pkt_fixture.h"

static void tcp_control_bits_all_256(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 256; flags++) {
        struct frame f;
        frame_eth(&f, 0x0800);
        frame_ip4(&f, 6, "", 0);
        frame_tcp(&f, (uint8_t)flags, "", 0);
        frame_seal(&f);
        const bool syn = flags & TERN_TCP_SYN;
        const bool bad = (flags & 0x3f) == 0 || (syn && (flags & TERN_TCP_FIN))
                         || (syn && (flags & TERN_TCP_RST));
        assert_drop(verdict(&f), bad ? TERN_DROP_TCP_FLAGS : TERN_DROP_NONE);
    }
}

static void tcp_reserved_bits_are_ignored(void **state)
{
    (void)state;
    struct frame f;
    frame_plain(&f, false, 1);
    f.b[f.l4 + 12] |= 0x0f;
    frame_seal(&f);
    assert_drop(verdict(&f), TERN_DROP_NONE);
}

static void tcp_port_zero_is_refused(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= 2; at += 2) {
        struct frame f;
        frame_plain(&f, false, 1);
        put16(f.b + f.l4 + at, 0);
        frame_seal(&f);
        assert_drop(verdict(&f), TERN_DROP_TCP_PORT_ZERO);
        put16(f.b + f.l4 + at, 65535);
        frame_seal(&f);
        assert_drop(verdict(&f), TERN_DROP_NONE);
    }
}

static void tcp_options_are_handed_to_the_walker_and_end_with_the_header(void **state)
{
    (void)state;
    struct frame f;
    struct tern_pkt p;
    struct tern_tcp_opts o;
    frame_eth(&f, 0x0800);
    frame_ip4(&f, 6, "", 0);
    frame_tcp(&f, TERN_TCP_SYN, "\1\1\1\2", 4); /* the length and value would be payload */
    frame_add(&f, "\4\x05\xb4", 3);
    frame_seal(&f);
    const struct tern_pkt_input in = input(exact(f.b, f.n), f.n);
    assert_drop(ask(&in, &p), TERN_DROP_NONE);
    tern_pkt_tcp_opts(in.frame, &p, &o);
    assert_int_equal(o.has, TERN_HAS_MALFORMED);
}

/* ---- checksum ---- */

/* V189 */
static void tcp_checksum_is_verified_at_every_payload_length(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        for (uint32_t n = 0; n <= 200; n++) {
            struct frame f;
            frame_plain(&f, six, n);
            assert_drop(verdict(&f), TERN_DROP_NONE);
            f.b[f.n - 1] ^= 1;
            assert_drop(verdict(&f), TERN_DROP_TCP_CSUM);
        }
    }
}

/* A payload word that brings the sum of all else to 0xffff, so that the right checksum is 0. */
static void tcp_checksum_zero_is_a_checksum_like_any_other(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame f;
        frame_plain(&f, six, 2);
        uint8_t *csum = f.b + f.l4 + 16, *word = f.b + f.l4 + 20;
        put16(csum, 0);
        put16(word, 0);
        put16(word, 0xffff - slow_l4_sum(&f, 22));
        assert_int_equal(slow_l4_sum(&f, 22), 0xffff);
        assert_drop(verdict(&f), TERN_DROP_NONE);
        put16(csum, 0xffff); /* minus zero: the same number */
        assert_drop(verdict(&f), TERN_DROP_NONE);
        put16(csum, 1);
        assert_drop(verdict(&f), TERN_DROP_TCP_CSUM);
        put16(csum, 0); /* 0 does not mean "not computed", as it would for UDP */
        word[0] ^= 0x10;
        assert_drop(verdict(&f), TERN_DROP_TCP_CSUM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_control_bits_all_256),
        cmocka_unit_test(tcp_reserved_bits_are_ignored),
        cmocka_unit_test(tcp_port_zero_is_refused),
        cmocka_unit_test(tcp_options_are_handed_to_the_walker_and_end_with_the_header),
        cmocka_unit_test(tcp_checksum_is_verified_at_every_payload_length),
        cmocka_unit_test(tcp_checksum_zero_is_a_checksum_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
