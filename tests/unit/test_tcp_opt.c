/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/tcp_opt.h"
#include "wire_frames.h"

static struct tern_tcp_opts parse_bytes(const uint8_t *bytes, uint32_t n)
{
    struct tern_tcp_opts o;
    memset(&o, 0xa5, sizeof o);
    tern_tcp_opts_parse(exact(bytes, n), n, &o);
    return o;
}

static struct tern_tcp_opts parse(const char *hex)
{
    uint8_t bytes[64];
    return parse_bytes(bytes, unhex(hex, bytes));
}

/* Whatever the bytes: fields without their bit are zero, counts and shifts are bounded. */
static void assert_sane(const struct tern_tcp_opts *o)
{
    assert_true((o->has & TERN_HAS_TS) || (o->ts_val == 0 && o->ts_ecr == 0));
    assert_true((o->has & TERN_HAS_MSS) || o->mss == 0);
    assert_true((o->has & TERN_HAS_WSCALE) || o->wscale == 0);
    assert_true(o->wscale <= TERN_WSCALE_MAX);
    if (o->has & TERN_HAS_TFO) {
        assert_true(o->tfo_n_bytes % 2 == 0 && o->tfo_n_bytes <= TERN_TFO_COOKIE_MAX);
        assert_true(o->tfo_n_bytes == 0 || o->tfo_n_bytes >= TERN_TFO_COOKIE_MIN);
        assert_true(o->tfo_at >= 2 && o->tfo_at + o->tfo_n_bytes <= TERN_TCP_OPT_BYTES_MAX);
    } else {
        assert_true(o->tfo_at == 0 && o->tfo_n_bytes == 0);
    }
    assert_int_equal((o->has & TERN_HAS_SACK) != 0, o->n_sack != 0);
    assert_true(o->n_sack <= TERN_SACK_BLOCKS_MAX);
    for (uint32_t i = 0; i < o->n_sack; i++)
        assert_true(tern_seq_before(o->sack[i].left, o->sack[i].right));
}

static void parse_reads_every_known_option(void **state)
{
    (void)state;
    const struct tern_tcp_opts o = parse("020405b40402080a01020304a0b0c0d001030307");
    assert_int_equal(o.has, TERN_HAS_MSS | TERN_HAS_SACK_OK | TERN_HAS_TS | TERN_HAS_WSCALE);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.ts_val, 0x01020304);
    assert_int_equal(o.ts_ecr, 0xa0b0c0d0);
    assert_int_equal(o.wscale, 7);
    assert_sane(&o);
}

/* One row an input: what it says, and which bits come out. Bytes behind the fault must not count.
 */
static void parse_has_bits_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
        unsigned has;
        uint16_t mss;
    } rows[] = {
        {"nothing", "", 0, 0},
        {"EOL ends, the rest is padding", "0002040102", 0, 0},
        {"NOPs only", "01010101", 0, 0},
        {"the plain timestamp", "0101080a0000000100000002", TERN_HAS_TS, 0},
        {"its look-alike of another length", "0101080a000000010000000201010000", TERN_HAS_TS, 0},
        {"timestamp at an odd offset", "01080a00000001000000020100", TERN_HAS_TS, 0},
        {"unknown kind skipped", "c806aabbccdd02040102", TERN_HAS_MSS, 0x102},
        {"unknown kind of length 2", "c80202040102", TERN_HAS_MSS, 0x102},
        {"TCP-AO skipped", "1d10000102030405060708090a0b0c0d02040102", TERN_HAS_MSS, 0x102},
        {"unknown kind, length 0", "c80002040102", TERN_HAS_MALFORMED, 0},
        {"unknown kind, length 1", "c80102040102", TERN_HAS_MALFORMED, 0},
        {"length 0 as the last two bytes", "02040102c800", TERN_HAS_MSS | TERN_HAS_MALFORMED,
            0x102},
        {"kind as the last byte", "0204010202", TERN_HAS_MSS | TERN_HAS_MALFORMED, 0x102},
        {"one byte too long", "020401020804aabb0305aa", TERN_HAS_MSS | TERN_HAS_MALFORMED, 0x102},
        {"length 255", "02ff0102", TERN_HAS_MALFORMED, 0},
        {"MSS of length 3, then a good one", "02030102040304", TERN_HAS_MSS, 0x304},
        {"MSS of length 2", "0202", 0, 0},
        {"MSS of length 5", "0205010203", 0, 0},
        {"MSS of value 0", "02040000", TERN_HAS_MSS, 0},
        {"MSS of value 65535", "0204ffff", TERN_HAS_MSS, 0xffff},
        {"the first MSS wins", "0204010202040304", TERN_HAS_MSS, 0x102},
        {"window scale of length 2 and 4", "0302030407070101", 0, 0},
        {"SACK-permitted of length 3", "04030001", 0, 0},
        {"SACK-permitted twice", "04020402", TERN_HAS_SACK_OK, 0},
        {"timestamp of length 9", "0809000000000000000101", 0, 0},
        {"SACK without blocks", "0502", 0, 0},
        {"SACK of 8n+1 bytes", "050900000001000000", 0, 0},
        {"SACK of 8n+3 bytes", "050b0000000100000002ff", 0, 0},
        {"SACK with an empty block", "050a0000000100000001", 0, 0},
        {"SACK with a reversed block", "050a0000000200000001", 0, 0},
        {"SACK, the second block reversed", "0512000000010000000200000009000000080101", 0, 0},
        {"SACK across the wrap", "050afffffff000000010", TERN_HAS_SACK, 0},
        {"SACK running past the end", "051200000001000000020101", TERN_HAS_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tern_tcp_opts o = parse(rows[i].hex);
        if (o.has != rows[i].has || o.mss != rows[i].mss)
            fail_msg("%s: has 0x%x mss %u", rows[i].what, o.has, o.mss);
        assert_sane(&o);
    }
}

/** V022. */
static void parse_first_of_duplicates_wins_for_every_field(void **state)
{
    (void)state;
    const struct tern_tcp_opts ts = parse("080a0000000100000002080a0000000300000004");
    assert_int_equal(ts.ts_val, 1);
    assert_int_equal(ts.ts_ecr, 2);
    assert_int_equal(parse("030301030302").wscale, 1);
    assert_int_equal(parse("030300030302").wscale, 0);
    const struct tern_tcp_opts sack = parse("050a0000000100000002050a0000000300000004");
    assert_int_equal(sack.n_sack, 1);
    assert_int_equal(sack.sack[0].left.v, 1);
}

static void parse_wscale_above_14_is_read_as_14(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift <= 255; shift++) {
        const uint8_t opt[4] = {3, 3, (uint8_t)shift, 0};
        const struct tern_tcp_opts o = parse_bytes(opt, 4);
        assert_int_equal(o.wscale, shift < 14 ? shift : 14);
    }
}

static void parse_reads_one_to_four_sack_blocks(void **state)
{
    (void)state;
    uint8_t opt[40] = {1, 1, 5};
    for (uint32_t at = 4, v = 1; at < 36; at += 4, v += 49)
        put32(opt + at, v);
    for (uint32_t n = 1; n <= 4; n++) {
        opt[3] = (uint8_t)(2 + 8 * n);
        const struct tern_tcp_opts o = parse_bytes(opt, 4 + 8 * n);
        assert_int_equal(o.n_sack, n);
        assert_int_equal(o.sack[n - 1].left.v, 98 * (n - 1) + 1);
        assert_int_equal(o.sack[n - 1].right.v, 98 * (n - 1) + 50);
        assert_sane(&o);
    }
}

/* Each illegal length at each offset behind NOPs, in a header of each size: it ends, reads nothing.
 */
static void parse_illegal_length_at_every_position_ends_the_walk(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {2, 3, 4, 5, 8, 29, 200, 255};
    for (uint32_t n = 1; n <= 40; n++) {
        for (uint32_t at = 0; at < n; at++) {
            for (uint32_t k = 0; k < sizeof kinds; k++) {
                for (uint32_t len = 0; len <= 255; len++) {
                    uint8_t opt[40];
                    memset(opt, TERN_OPT_NOP, sizeof opt);
                    opt[at] = kinds[k];
                    if (at + 1 < n)
                        opt[at + 1] = (uint8_t)len;
                    const bool legal = at + 1 < n && len >= 2 && at + len <= n;
                    const struct tern_tcp_opts o = parse_bytes(opt, n);
                    assert_int_equal((o.has & TERN_HAS_MALFORMED) != 0, !legal);
                    assert_sane(&o);
                }
            }
        }
    }
}

static void parse_of_random_bytes_is_sane(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 200000; round++) {
        uint8_t opt[40];
        const uint32_t n = next_random(&seed) % 41;
        for (uint32_t i = 0; i < n;
             i++) { /* half of them small: kinds and lengths that mean something */
            const uint32_t r = next_random(&seed);
            opt[i] = (uint8_t)(r & 0x100 ? r % 12 : r);
        }
        const struct tern_tcp_opts o = parse_bytes(opt, n);
        assert_sane(&o);
    }
}

static struct tern_tcp_opts all_options(unsigned has)
{
    struct tern_tcp_opts o = {.has = (uint8_t)has};
    if (has & TERN_HAS_MSS)
        o.mss = 1460;
    if (has & TERN_HAS_WSCALE)
        o.wscale = 7;
    if (has & TERN_HAS_TS) {
        o.ts_val = 0x01020304;
        o.ts_ecr = 0x05060708;
    }
    return o;
}

static void build_syn_order_is_byte_exact(void **state)
{
    (void)state;
    static const struct {
        unsigned has;
        const char *hex;
    } rows[] = {
        {0, ""},
        {TERN_HAS_MSS, "020405b4"},
        {TERN_HAS_MSS | TERN_HAS_SACK_OK | TERN_HAS_TS | TERN_HAS_WSCALE, "020405b4"
                                                                          "0402"
                                                                          "080a0102030405060708"
                                                                          "01"
                                                                          "030307"},
        {TERN_HAS_MSS | TERN_HAS_SACK_OK | TERN_HAS_WSCALE, "020405b4"
                                                            "01010402"
                                                            "01030307"},
        {TERN_HAS_MSS | TERN_HAS_WSCALE, "020405b4"
                                         "01030307"},
        {TERN_HAS_MSS | TERN_HAS_SACK_OK, "020405b4"
                                          "01010402"},
        {TERN_HAS_MSS | TERN_HAS_TS, "020405b4"
                                     "0101080a0102030405060708"},
        {TERN_HAS_MSS | TERN_HAS_TS | TERN_HAS_WSCALE, "020405b4"
                                                       "0101080a0102030405060708"
                                                       "01030307"},
        {TERN_HAS_SACK_OK | TERN_HAS_TS, "0402080a0102030405060708"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t want[64], got[TERN_TCP_OPT_BYTES_MAX];
        const struct tern_tcp_opts o = all_options(rows[i].has);
        const uint32_t n = unhex(rows[i].hex, want);
        assert_int_equal(tern_tcp_opts_build_syn(&o, got), n);
        assert_memory_equal(got, want, n);
    }
}

static void build_syn_of_every_subset_reads_back_the_same(void **state)
{
    (void)state;
    for (unsigned has = 0; has < 16; has++) {
        uint8_t buf[TERN_TCP_OPT_BYTES_MAX];
        const struct tern_tcp_opts o = all_options(has);
        const uint32_t n = tern_tcp_opts_build_syn(&o, buf);
        assert_int_equal(n % 4, 0);
        const struct tern_tcp_opts back = parse_bytes(buf, n);
        assert_int_equal(back.has, o.has);
        assert_int_equal(back.mss, o.mss);
        assert_int_equal(back.wscale, o.wscale);
        assert_int_equal(back.ts_val, o.ts_val);
        assert_int_equal(back.ts_ecr, o.ts_ecr);
    }
}

static void build_is_byte_exact(void **state)
{
    (void)state;
    static const struct {
        unsigned has;
        uint8_t n_sack;
        const char *hex;
    } rows[] = {
        {0, 0, ""},
        {TERN_HAS_MSS | TERN_HAS_WSCALE | TERN_HAS_SACK_OK, 0,
            ""}, /* MUST-65: never but on a SYN */
        {TERN_HAS_TS, 0, "0101080a0102030405060708"},
        {TERN_HAS_TS, 2, "0101080a0102030405060708"},
        {TERN_HAS_TS | TERN_HAS_SACK, 0, "0101080a0102030405060708"},
        {TERN_HAS_SACK, 1, "0101050a0000000a0000000b"},
        {TERN_HAS_SACK, 4,
            "010105220000000a0000000b000000140000001500000"
            "01e0000001f0000002800000029"},
        {TERN_HAS_SACK | TERN_HAS_TS, 1,
            "0101080a0102030405060708"
            "0101050a0000000a0000000b"},
        {TERN_HAS_SACK | TERN_HAS_TS, 4,
            "0101080a0102030405060708"
            "0101051a0000000a0000000b00000014000000150000001e0000001f"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t want[64], got[TERN_TCP_OPT_BYTES_MAX];
        struct tern_tcp_opts o = all_options(rows[i].has);
        o.n_sack = rows[i].n_sack;
        for (uint32_t b = 0; b < o.n_sack; b++)
            o.sack[b] = (struct tern_sack_block){.left = {10 * b + 10}, .right = {10 * b + 11}};
        const uint32_t n = unhex(rows[i].hex, want);
        assert_int_equal(tern_tcp_opts_build(&o, got), n);
        assert_memory_equal(got, want, n);
    }
}

/* RFC 7413 §4.1.1: 2 bytes ask, 6 to 18 even bytes carry a cookie, all else is skipped. */
static void parse_fast_open_by_length(void **state)
{
    (void)state;
    for (uint32_t len = 2; len <= 40; len++) {
        uint8_t bytes[TERN_TCP_OPT_BYTES_MAX];
        memset(bytes, TERN_OPT_NOP, sizeof bytes);
        const uint32_t room = sizeof bytes - len, at = room > 3 ? 3 : room;
        bytes[at] = TERN_OPT_TFO;
        bytes[at + 1] = (uint8_t)len;
        const struct tern_tcp_opts o = parse_bytes(bytes, sizeof bytes);
        const bool good = len == 2 || (len >= 6 && len <= 18 && len % 2 == 0);
        assert_int_equal(o.has, good ? TERN_HAS_TFO : 0);
        assert_int_equal(o.tfo_n_bytes, good ? len - 2 : 0);
        assert_int_equal(o.tfo_at, good ? at + 2 : 0);
        assert_sane(&o);
    }
}

static void parse_first_fast_open_wins_and_the_walk_goes_on(void **state)
{
    (void)state;
    const struct tern_tcp_opts o = parse("2206aabbccdd"
                                         "2202"
                                         "2203ff"
                                         "020405b4");
    assert_int_equal(o.has, TERN_HAS_TFO | TERN_HAS_MSS);
    assert_int_equal(o.tfo_at, 2);
    assert_int_equal(o.tfo_n_bytes, 4);
    assert_int_equal(o.mss, 1460);
}

static void add_fast_open_is_byte_exact(void **state)
{
    (void)state;
    static const uint8_t cookie[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const struct {
        uint32_t n_cookie;
        const char *hex;
    } rows[] = {
        {0, "01012202"},
        {4, "0101220601020304"},
        {6, "2208010203040506"},
        {8, "0101220a0102030405060708"},
        {16, "010122120102030405060708090a0b0c0d0e0f10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t want[64], got[TERN_TCP_OPT_BYTES_MAX] = {2, 4, 5, 0xb4};
        const uint32_t n = unhex(rows[i].hex, want);
        assert_int_equal(tern_tcp_opts_add_tfo(got, 4, cookie, rows[i].n_cookie), 4 + n);
        assert_memory_equal(got + 4, want, n);
        const struct tern_tcp_opts o = parse_bytes(got, 4 + n);
        assert_int_equal(o.has, TERN_HAS_MSS | TERN_HAS_TFO);
        assert_int_equal(o.tfo_n_bytes, rows[i].n_cookie);
        assert_memory_equal(got + o.tfo_at, cookie, o.tfo_n_bytes);
    }
}

static void add_fast_open_fits_behind_all_options_of_a_syn(void **state)
{
    (void)state;
    static const uint8_t cookie[TERN_TFO_COOKIE_MAX];
    const struct tern_tcp_opts o = {
        .has = TERN_HAS_MSS | TERN_HAS_WSCALE | TERN_HAS_SACK_OK | TERN_HAS_TS, .mss = 1460};
    uint8_t buf[TERN_TCP_OPT_BYTES_MAX];
    const uint32_t n = tern_tcp_opts_build_syn(&o, buf);
    assert_int_equal(tern_tcp_opts_add_tfo(buf, n, cookie, sizeof cookie), sizeof buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_every_known_option),
        cmocka_unit_test(parse_has_bits_by_table),
        cmocka_unit_test(parse_first_of_duplicates_wins_for_every_field),
        cmocka_unit_test(parse_wscale_above_14_is_read_as_14),
        cmocka_unit_test(parse_reads_one_to_four_sack_blocks),
        cmocka_unit_test(parse_illegal_length_at_every_position_ends_the_walk),
        cmocka_unit_test(parse_of_random_bytes_is_sane),
        cmocka_unit_test(build_syn_order_is_byte_exact),
        cmocka_unit_test(build_syn_of_every_subset_reads_back_the_same),
        cmocka_unit_test(build_is_byte_exact),
        cmocka_unit_test(parse_fast_open_by_length),
        cmocka_unit_test(parse_first_fast_open_wins_and_the_walk_goes_on),
        cmocka_unit_test(add_fast_open_is_byte_exact),
        cmocka_unit_test(add_fast_open_fits_behind_all_options_of_a_syn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
