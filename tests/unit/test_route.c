/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard/route.h"
#include "unit.h"

static struct tern_stack_config cfg;
static struct tern_routes routes;

static union tern_addr addr(const char *text)
{
    union tern_addr a;
    assert_int_equal(tern_addr_parse(text, &a), 0);
    return a;
}

/* Prefixes up to NULL; gateways may be NULL. */
static void configure(const char *const *prefixes, const char *gateway4, const char *gateway6)
{
    memset(&cfg, 0, sizeof cfg);
    for (; *prefixes != NULL; prefixes++)
        assert_int_equal(tern_prefix_parse(*prefixes, &cfg.addrs[cfg.n_addrs++]), 0);
    if (gateway4 != NULL)
        cfg.gateway4 = addr(gateway4);
    if (gateway6 != NULL)
        cfg.gateway6 = addr(gateway6);
    tern_routes_init(&routes, &cfg);
}

static bool is_mine(const char *text)
{
    const union tern_addr a = addr(text);
    return tern_route_is_mine(&routes, &a);
}

static bool is_broadcast(const char *text)
{
    const union tern_addr a = addr(text);
    return tern_route_is_subnet_broadcast(&routes, &a);
}

/* The next hop as text; "-" when there is none. */
static const char *hop(const char *dst)
{
    static char text[TERN_ADDR_TEXT_BYTES];
    const union tern_addr a = addr(dst);
    union tern_addr out;
    return tern_route_next_hop(&routes, &a, &out) ? tern_addr_format(&out, text) : "-";
}

static const char *source(const char *dst)
{
    static char text[TERN_ADDR_TEXT_BYTES];
    const union tern_addr a = addr(dst);
    const union tern_addr *s = tern_route_source(&routes, &a);
    return s != NULL ? tern_addr_format(s, text) : "-";
}

static void mine_is_exact(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.5/24", "2001:db8::5/64", NULL}, NULL, NULL);
    assert_true(is_mine("10.0.0.5"));
    assert_true(is_mine("2001:db8::5"));
    assert_false(is_mine("10.0.0.4"));
    assert_false(is_mine("2001:db8::4"));
    assert_false(is_mine("0.0.0.0"));
    assert_false(is_mine("::"));
    assert_false(is_mine("::10.0.0.5"));
    assert_false(is_mine("10.0.0.255"));
}

static void two_hundred_and_fifty_six_addresses_of_each_kind(void **state)
{
    (void)state;
    /* 256 distinct /24: 256 own addresses, 512 networks and broadcasts, 256 prefixes. */
    memset(&cfg, 0, sizeof cfg);
    for (uint32_t i = 0; i < TERN_ADDRS_MAX; i++)
        cfg.addrs[i] =
            (struct tern_prefix){tern_addr_from_v4(__builtin_bswap32(0x0a000001u + (i << 8))), 24};
    cfg.n_addrs = TERN_ADDRS_MAX;
    tern_routes_init(&routes, &cfg);
    assert_int_equal(routes.n_known, TERN_ROUTE_KNOWN_MAX - TERN_RANGES_MAX);
    assert_int_equal(routes.n_prefixes, TERN_ADDRS_MAX);
    for (uint32_t i = 0; i < 65536; i++) {
        const union tern_addr a = tern_addr_from_v4(__builtin_bswap32(0x0a000000u + i));
        const uint32_t host = i & 255;
        assert_int_equal(tern_route_is_mine(&routes, &a), host == 1);
        assert_int_equal(tern_route_is_subnet_broadcast(&routes, &a), host == 0 || host == 255);
    }
    /* One /16 with 256 addresses: one prefix. */
    for (uint32_t i = 0; i < TERN_ADDRS_MAX; i++)
        cfg.addrs[i].len_bits = 16;
    tern_routes_init(&routes, &cfg);
    assert_int_equal(routes.n_prefixes, 1);
    assert_int_equal(routes.n_known, TERN_ADDRS_MAX + 2);
}

static void hash_keeps_probes_short(void **state)
{
    (void)state;
    /* The shapes people configure: runs of hosts in IPv4 and IPv6. */
    uint32_t longest = 0;
    memset(&cfg, 0, sizeof cfg);
    for (uint32_t i = 0; i < TERN_ADDRS_MAX; i++) {
        union tern_addr v6 = addr("2001:db8::");
        v6.b[15] = (uint8_t)i;
        v6.b[14] = 1;
        const union tern_addr v4 = tern_addr_from_v4(__builtin_bswap32(0x0a000001u + i));
        cfg.addrs[i] = (struct tern_prefix){i % 2 ? v4 : v6, i % 2 ? 16 : 64};
    }
    cfg.n_addrs = TERN_ADDRS_MAX;
    tern_routes_init(&routes, &cfg);
    for (uint32_t s = 0, run = 0; s < TERN_ROUTE_SLOTS; s++) {
        run = routes.slots[s] != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_true(longest <= 16);
}

static void broadcasts_by_prefix_length(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.5/24", "10.1.0.5/30", "10.2.0.4/31", "10.3.0.5/32",
                  "2001:db8::5/64", NULL},
        NULL, NULL);
    assert_true(is_broadcast("10.0.0.0"));
    assert_true(is_broadcast("10.0.0.255"));
    assert_false(is_broadcast("10.0.1.255"));
    assert_true(is_broadcast("10.1.0.4"));
    assert_true(is_broadcast("10.1.0.7"));
    assert_false(is_broadcast("10.1.0.6"));
    assert_false(is_broadcast("10.2.0.4")); /* RFC 3021 */
    assert_false(is_broadcast("10.2.0.5"));
    assert_false(is_broadcast("10.3.0.5"));
    assert_false(is_broadcast("2001:db8::"));
    assert_false(is_broadcast("2001:db8::ffff:ffff:ffff:ffff"));
}

static void broadcast_of_everything(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.5/0", NULL}, NULL, NULL);
    assert_true(is_broadcast("0.0.0.0"));
    assert_true(is_broadcast("255.255.255.255"));
    assert_string_equal(hop("192.0.2.1"), "192.0.2.1");
}

static void own_address_is_no_broadcast_of_an_overlapping_prefix(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.1/24", "10.0.0.255/16", NULL}, NULL, NULL);
    assert_true(is_mine("10.0.0.255"));
    assert_false(is_broadcast("10.0.0.255"));
    assert_true(is_broadcast("10.0.255.255"));
}

static void next_hop_with_gateways(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.5/24", "10.9.0.5/16", "2001:db8::5/64", NULL}, "10.0.0.1",
        "fe80::1");
    assert_string_equal(hop("10.0.0.77"), "10.0.0.77");
    assert_string_equal(hop("10.0.0.1"), "10.0.0.1");
    assert_string_equal(hop("10.9.200.200"), "10.9.200.200");
    assert_string_equal(hop("192.0.2.1"), "10.0.0.1");
    assert_string_equal(hop("2001:db8::77"), "2001:db8::77");
    assert_string_equal(hop("2001:db8:0:1::77"), "fe80::1");
    assert_string_equal(hop("fe80::1234"), "fe80::1234"); /* RFC 4861 §5.1 */
}

static void next_hop_without_gateway_is_on_link(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.5/24", "2001:db8::5/64", NULL}, NULL, NULL);
    assert_string_equal(hop("192.0.2.1"), "192.0.2.1");
    assert_string_equal(hop("2001:4860::1"), "2001:4860::1");
    /* A gateway of one family says nothing about the other. */
    configure((const char *[]){"10.0.0.5/24", "2001:db8::5/64", NULL}, "10.0.0.1", NULL);
    assert_string_equal(hop("192.0.2.1"), "10.0.0.1");
    assert_string_equal(hop("2001:4860::1"), "2001:4860::1");
}

static void next_hop_refuses(void **state)
{
    (void)state;
    configure((const char *[]){"10.0.0.5/24", NULL}, "10.0.0.1", NULL);
    const char *const bad[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "10.0.0.0", "10.0.0.255", "10.0.0.5", "::", "::1", "ff02::1",
        "2001:db8::1" /* no IPv6 address of ours */};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_string_equal(hop(bad[i]), "-");
}

static void source_is_the_prefix_or_the_first(void **state)
{
    (void)state;
    configure((const char *[]){"2001:db8:1::5/64", "10.0.0.5/24", "10.9.0.5/16", "10.0.0.6/24",
                  "2001:db8:2::5/64", NULL},
        NULL, NULL);
    assert_string_equal(source("10.0.0.77"), "10.0.0.5");
    assert_string_equal(source("10.9.1.1"), "10.9.0.5");
    assert_string_equal(source("192.0.2.1"), "10.0.0.5");
    assert_string_equal(source("2001:db8:2::77"), "2001:db8:2::5");
    assert_string_equal(source("2001:4860::1"), "2001:db8:1::5");
    configure((const char *[]){"10.0.0.5/24", NULL}, NULL, NULL);
    assert_string_equal(source("2001:4860::1"), "-");
}

/* ---- ranges ---- */

static void range(const char *first, const char *last)
{
    cfg.ranges[cfg.n_ranges++] = (struct tern_addr_range){addr(first), addr(last)};
    tern_routes_init(&routes, &cfg);
}

static void range_is_mine_from_end_to_end(void **state)
{
    (void)state;
    configure((const char *[]){"198.18.0.2/15", "2001:2::2/48", NULL}, NULL, NULL);
    range("198.18.64.0", "198.18.127.255");
    range("2001:2::ffff:ffff:ffff:fff0", "2001:2:0:1::f");
    static const struct {
        const char *text;
        bool mine;
    } rows[] = {
        {"198.18.0.2", true},
        {"198.18.63.255", false},
        {"198.18.64.0", true},
        {"198.18.100.255", true},
        {"198.18.127.255", true},
        {"198.18.128.0", false},
        {"2001:2::2", true},
        {"2001:2::ffff:ffff:ffff:ffef", false},
        {"2001:2::ffff:ffff:ffff:fff0", true},
        {"2001:2::ffff:ffff:ffff:ffff", true},
        {"2001:2:0:1::", true},
        {"2001:2:0:1::f", true},
        {"2001:2:0:1::10", false},
        {"0.0.0.0", false},
        {"::", false},
        {"::198.18.64.0", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (is_mine(rows[i].text) != rows[i].mine)
            fail_msg("%s", rows[i].text);
        assert_false(is_broadcast(rows[i].text));
    }
    assert_true(is_broadcast("198.18.0.0"));
    assert_true(is_broadcast("198.19.255.255"));
    assert_false(is_mine("198.19.255.255"));
}

/* Nothing is opened to them, and nothing is opened from them unless it is asked for. */
static void range_is_neither_a_next_hop_nor_a_source(void **state)
{
    (void)state;
    configure((const char *[]){"198.18.0.2/24", NULL}, "198.18.0.1", NULL);
    range("198.18.64.0", "198.18.127.255");
    assert_string_equal(hop("198.18.64.0"), "-");
    assert_string_equal(hop("198.18.127.255"), "-");
    assert_string_equal(hop("198.18.128.0"), "198.18.0.1");
    assert_string_equal(source("198.18.64.1"), "198.18.0.2");
    assert_string_equal(source("192.0.2.1"), "198.18.0.2");
}

/* As full as it gets: each address is still told from its neighbours. */
static void table_is_full_of_addresses_and_ranges(void **state)
{
    (void)state;
    two_hundred_and_fifty_six_addresses_of_each_kind(NULL);
    for (uint32_t i = 0; i < TERN_ADDRS_MAX; i++)
        cfg.addrs[i].len_bits = 24;
    for (uint32_t i = 0; i < TERN_RANGES_MAX; i++)
        cfg.ranges[i] =
            (struct tern_addr_range){tern_addr_from_v4(__builtin_bswap32(0x0a000010u + (i << 8))),
                tern_addr_from_v4(__builtin_bswap32(0x0a00001fu + (i << 8)))};
    cfg.n_ranges = TERN_RANGES_MAX;
    tern_routes_init(&routes, &cfg);
    assert_int_equal(routes.n_known, TERN_ROUTE_KNOWN_MAX);
    for (uint32_t i = 0; i < 65536; i++) {
        const union tern_addr a = tern_addr_from_v4(__builtin_bswap32(0x0a000000u + i));
        const uint32_t host = i & 255, net = i >> 8;
        const bool in_range = net < TERN_RANGES_MAX && host >= 16 && host < 32;
        assert_int_equal(tern_route_is_mine(&routes, &a), host == 1 || in_range);
        assert_int_equal(tern_route_is_subnet_broadcast(&routes, &a), host == 0 || host == 255);
        if (in_range)
            assert_int_equal(tern_route_find(&routes, &a), routes.n_own + net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mine_is_exact),
        cmocka_unit_test(two_hundred_and_fifty_six_addresses_of_each_kind),
        cmocka_unit_test(hash_keeps_probes_short),
        cmocka_unit_test(broadcasts_by_prefix_length),
        cmocka_unit_test(broadcast_of_everything),
        cmocka_unit_test(own_address_is_no_broadcast_of_an_overlapping_prefix),
        cmocka_unit_test(next_hop_with_gateways),
        cmocka_unit_test(next_hop_without_gateway_is_on_link),
        cmocka_unit_test(next_hop_refuses),
        cmocka_unit_test(source_is_the_prefix_or_the_first),
        cmocka_unit_test(range_is_mine_from_end_to_end),
        cmocka_unit_test(range_is_neither_a_next_hop_nor_a_source),
        cmocka_unit_test(table_is_full_of_addresses_and_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
