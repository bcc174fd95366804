/* SPDX-License-Identifier: BSD-3-Clause */
#include <tern/addr.h>

#include "wire_frames.h"

#include <errno.h>

static union tern_addr addr(const char *text)
{
    union tern_addr a;
    assert_int_equal(tern_addr_parse(text, &a), 0);
    return a;
}

static struct tern_prefix prefix(const char *text)
{
    struct tern_prefix p;
    assert_int_equal(tern_prefix_parse(text, &p), 0);
    return p;
}

static void from_v4_is_held_mapped_in_network_order(void **state)
{
    (void)state;
    static const uint8_t want[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
    const union tern_addr a = addr("192.0.2.1");
    assert_memory_equal(a.b, want, 16);
    assert_true(tern_addr_is_v4(&a));
    const union tern_addr other = addr("2001:db8::1");
    assert_false(tern_addr_is_v4(&other));
    assert_false(tern_addr_equal(&a, &other));
    assert_true(tern_addr_equal(&a, &a));
}

static void parse_of_no_address_fails_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ",
        " 1.2.3.4", "1.2.3.4/8", "0x1.2.3.4", "::1%lo", "[::1]", ":::", "2001:db8::1::2",
        "g::", "::ffff:192.0.2.1", "::ffff:c000:201", "localhost"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        union tern_addr a, before;
        memset(&a, 0x5a, sizeof a);
        before = a;
        assert_int_equal(tern_addr_parse(bad[i], &a), -EINVAL);
        assert_memory_equal(&a, &before, sizeof a);
    }
}

static void format_then_parse_returns_the_same_address(void **state)
{
    (void)state;
    static const char *const texts[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
        "2001:db8::1", "ff02::1:ff00:1", "fe80::0123", "1:2:3:4:5:6:7:8",
        "1111:2222:3333:4444:5555:6666:7777:8888"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[TERN_ADDR_TEXT_BYTES];
        const union tern_addr a = addr(texts[i]);
        assert_ptr_equal(tern_addr_format(&a, text), text);
        const union tern_addr again = addr(text);
        assert_true(tern_addr_equal(&a, &again));
    }
    char text[TERN_ADDR_TEXT_BYTES];
    const union tern_addr a = addr("2001:DB8:0:0:0:0:0:1");
    assert_string_equal(tern_addr_format(&a, text), "2001:db8::1");
}

static void prefix_parse_reads_length_and_keeps_host_bits(void **state)
{
    (void)state;
    struct tern_prefix p = prefix("192.0.2.1/24");
    const union tern_addr host = addr("192.0.2.1");
    assert_int_equal(p.len_bits, 24);
    assert_true(tern_addr_equal(&p.addr, &host));
    assert_int_equal(prefix("192.0.2.1").len_bits, 32);
    assert_int_equal(prefix("::1").len_bits, 128);
    assert_int_equal(prefix("0.0.0.0/0").len_bits, 0);
    assert_int_equal(prefix("::/128").len_bits, 128);
}

static void prefix_parse_of_no_prefix_fails_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "/", "/24", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1",
        "1.2.3.4/+1", "1.2.3.4/ 8", "1.2.3.4/8 ", "1.2.3.4/8/8", "1.2.3.4/99999999999", "::1/129",
        "::1/256", "::1/0x10", "::1/1284", "1.2.3/8",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tern_prefix p, before;
        memset(&p, 0x5a, sizeof p);
        before = p;
        assert_int_equal(tern_prefix_parse(bad[i], &p), -EINVAL);
        assert_memory_equal(&p, &before, sizeof p);
    }
}

/* Every length against a bit-by-bit twin, for an address that differs in exactly one bit. */
static void prefix_contains_agrees_with_a_bitwise_twin(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int first_bit, max_len;
    } families[] = {{"203.0.113.77", 96, 32}, {"2001:db8:1234:5678:9abc:def0:1357:9bdf", 0, 128}};
    for (int f = 0; f < 2; f++) {
        const union tern_addr base = addr(families[f].text);
        for (int len = 0; len <= families[f].max_len; len++) {
            const struct tern_prefix p = {.addr = base, .len_bits = (uint8_t)len};
            assert_true(tern_prefix_contains(&p, &base));
            for (int bit = families[f].first_bit; bit < 128; bit++) {
                union tern_addr a = base;
                a.b[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
                const bool want = bit - families[f].first_bit >= len;
                assert_int_equal(tern_prefix_contains(&p, &a), want);
            }
        }
    }
}

static void prefix_never_contains_the_other_family(void **state)
{
    (void)state;
    const union tern_addr v4 = addr("192.0.2.1"), v6 = addr("2001:db8::1");
    const struct tern_prefix all4 = prefix("0.0.0.0/0"), all6 = prefix("::/0");
    assert_true(tern_prefix_contains(&all4, &v4));
    assert_true(tern_prefix_contains(&all6, &v6));
    assert_false(tern_prefix_contains(&all4, &v6));
    assert_false(tern_prefix_contains(&all6, &v4));
}

static void classify_sorts_every_special_address(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum tern_addr_class want;
    } rows[] = {
        {"0.0.0.0", TERN_ADDR_UNSPECIFIED},
        {"0.255.255.255", TERN_ADDR_UNSPECIFIED},
        {"1.0.0.0", TERN_ADDR_UNICAST},
        {"126.255.255.255", TERN_ADDR_UNICAST},
        {"127.0.0.0", TERN_ADDR_LOOPBACK},
        {"127.255.255.255", TERN_ADDR_LOOPBACK},
        {"128.0.0.0", TERN_ADDR_UNICAST},
        {"192.0.2.255", TERN_ADDR_UNICAST},
        {"223.255.255.255", TERN_ADDR_UNICAST},
        {"224.0.0.0", TERN_ADDR_MULTICAST},
        {"239.255.255.255", TERN_ADDR_MULTICAST},
        {"240.0.0.0", TERN_ADDR_RESERVED},
        {"255.255.255.254", TERN_ADDR_RESERVED},
        {"255.255.255.255", TERN_ADDR_BROADCAST},
        {"::", TERN_ADDR_UNSPECIFIED},
        {"::1", TERN_ADDR_LOOPBACK},
        {"::2", TERN_ADDR_UNICAST},
        {"::1:0:0", TERN_ADDR_UNICAST},
        {"fe80::1", TERN_ADDR_UNICAST},
        {"2001:db8::", TERN_ADDR_UNICAST},
        {"feff::1", TERN_ADDR_UNICAST},
        {"ff00::", TERN_ADDR_MULTICAST},
        {"ff02::1", TERN_ADDR_MULTICAST},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const union tern_addr a = addr(rows[i].text);
        assert_int_equal(tern_addr_classify(&a), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_v4_is_held_mapped_in_network_order),
        cmocka_unit_test(parse_of_no_address_fails_and_writes_nothing),
        cmocka_unit_test(format_then_parse_returns_the_same_address),
        cmocka_unit_test(prefix_parse_reads_length_and_keeps_host_bits),
        cmocka_unit_test(prefix_parse_of_no_prefix_fails_and_writes_nothing),
        cmocka_unit_test(prefix_contains_agrees_with_a_bitwise_twin),
        cmocka_unit_test(prefix_never_contains_the_other_family),
        cmocka_unit_test(classify_sorts_every_special_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
