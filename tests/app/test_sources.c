/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of source addresses: what is read, where each address is, and what the endpoint makes of
 * it. */
#include "addresses.h"
#include "sources_fixture.h"

#include <errno.h>
#include <stdio.h>

static struct app_sources s;
static struct tern_stack_config cfg;
static struct tern_error err;

static void list_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *list, *first, *last;
        uint32_t n_ranges;
        uint64_t total;
    } rows[] = {
        {"198.18.1.1", "198.18.1.1", "198.18.1.1", 1, 1},
        {"198.18.1.0-198.18.9.255,198.18.20.0/24", "198.18.1.0", "198.18.20.255", 2, 9 * 256 + 256},
        {"198.18.0.0/16", "198.18.0.0", "198.18.255.255", 1, 65536},
        {"198.18.20.0/32", "198.18.20.0", "198.18.20.0", 1, 1},
        {"198.18.1.1,198.18.1.2,198.18.1.3-198.18.1.9", "198.18.1.1", "198.18.1.9", 1, 9},
        {"198.18.1.2,198.18.1.1", "198.18.1.2", "198.18.1.1", 2, 2},
        {"2001:2::1:0/112", "2001:2::1:0", "2001:2::1:ffff", 1, 65536},
        {"2001:2::/65", "2001:2::", "2001:2::7fff:ffff:ffff:ffff", 1, UINT64_C(1) << 63},
        {"2001:2::ffff:ffff:ffff:ffff-2001:2:0:1::1", "2001:2::ffff:ffff:ffff:ffff",
            "2001:2:0:1::1", 1, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sources_from(&s, rows[i].list);
        const union tern_addr first = addr(rows[i].first), last = addr(rows[i].last);
        assert_int_equal(s.n, rows[i].n_ranges);
        assert_true(app_sources_total(&s) == rows[i].total);
        const union tern_addr at_first = app_sources_at(&s, 0);
        const union tern_addr at_last = app_sources_at(&s, app_sources_total(&s) - 1);
        assert_true(tern_addr_equal(&first, &at_first));
        assert_true(tern_addr_equal(&last, &at_last));
    }
}

static void lists_add_up(void **state)
{
    (void)state;
    sources_from(&s, "198.18.1.1");
    assert_int_equal(app_sources_add(&s, "198.18.2.0/24", &err), 0);
    assert_int_equal(app_sources_total(&s), 257);
    assert_int_equal(app_sources_add(&s, "198.18.2.7", &err), -EINVAL);
}

static void every_address_of_2000_3_has_a_place(void **state)
{
    (void)state;
    sources_from(&s, "2000::/3");
    assert_true(app_sources_total(&s) == (app_u128)1 << 125);
    const union tern_addr a = app_sources_at(&s, ((app_u128)1 << 124) + 5);
    const union tern_addr wanted = addr("3000::5");
    assert_true(tern_addr_equal(&a, &wanted));
}

/* Against a walk from address to address. */
static void place_is_that_of_a_walk(void **state)
{
    static const char *const lists[] = {
        "198.18.1.250-198.18.3.5,198.18.20.0/24,198.18.19.255,198.18.0.0/30",
        "2001:2::fff0-2001:2::1:20,2001:2::ffff:ffff:ffff:fffe-2001:2:0:1::3,2001:2::/126"};
    (void)state;
    for (int family = 0; family < 2; family++) {
        sources_from(&s, lists[family]);
        app_u128 place = 0;
        for (uint32_t i = 0; i < s.n; i++) {
            union tern_addr a = s.of[i].first;
            for (bool more = true; more; app_addresses_next(&a)) {
                const union tern_addr b = app_sources_at(&s, place++);
                assert_true(tern_addr_equal(&a, &b));
                more = !tern_addr_equal(&a, &s.of[i].last);
            }
        }
        assert_true(place == app_sources_total(&s));
    }
}

static void list_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *list, *answer;
    } rows[] = {
        {"", "'' is not an address"},
        {",", "'' is not an address"},
        {"198.18.1.1,", "'' is not an address"},
        {"198.18.1.1;198.18.1.2", "is not an address"},
        {"198.18.1.1-", "'' is not an address"},
        {"198.18.1.1/0", "prefix length: 0 is outside 1..32"},
        {"2001:2::/129", "prefix length: 129 is outside 1..128"},
        {"198.18.1.1/24", "type 198.18.1.0/24 for all of it, or 198.18.1.1 alone"},
        {"2001:2::1/64", "type 2001:2::/64 for all of it, or 2001:2::1 alone"},
        {"198.18.1.0-198.18.2.0/24", "is a range and a prefix"},
        {"198.18.2.0-198.18.1.0", "runs backwards; type 198.18.1.0-198.18.2.0"},
        {"198.18.2.0-2001:2::1", "mixes IPv4 and IPv6"},
        {"198.18.2.0,2001:2::1", "2001:2::1 beside 198.18.2.0 mixes IPv4 and IPv6"},
        {"198.18.2.0/24,198.18.1.0-198.18.2.0", "198.18.1.0-198.18.2.0 overlaps 198.18.2.0 … "},
        {"198.18.2.0/24,198.18.2.255-198.18.3.0", "overlaps"},
        {"198.18.2.0/24,198.18.0.0/16", "overlaps"},
        {"198.18.2.1,198.18.2.1", "overlaps 198.18.2.1;"},
        {"224.0.0.0/8", "a multicast address"},
        {"223.0.0.0-224.0.0.0", "a multicast address"},
        {"0.0.0.0/8", "the unspecified address"},
        {"ff00::/8", "a multicast address"},
        {"127.0.0.1", "a loopback address"},
        {"1111:2222:3333:4444:5555:6666:7777:8888-1111:2222:3333:4444:5555:6666:7777:8889/"
         "000000000000000000000000000000",
            "is too long"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s.n = 0;
        assert_int_equal(app_sources_add(&s, rows[i].list, &err), -EINVAL);
        if (strstr(err.text, rows[i].answer) == NULL || strncmp(err.text, "--sources: ", 11) != 0)
            fail_msg("'%s' is answered with: %s", rows[i].list, err.text);
    }
}

static void list_is_bounded(void **state)
{
    (void)state;
    s.n = 0;
    for (int i = 0; i <= APP_SOURCES_MAX; i++) {
        char text[32];
        snprintf(text, sizeof text, "198.18.%d.%d", i / 100, i % 100 * 2);
        const int rc = app_sources_add(&s, text, &err);
        assert_int_equal(rc, i < APP_SOURCES_MAX ? 0 : -EINVAL);
    }
    assert_non_null(strstr(err.text, "more than 272 ranges"));
}

/* ---- as addresses of the endpoint ---- */

static void endpoint(const char *const *ips)
{
    tern_stack_config_init(&cfg);
    for (; *ips != NULL; ips++)
        assert_int_equal(app_addresses_add(&cfg, *ips, &err), 0);
}

static void install(const char *list)
{
    sources_from(&s, list);
    if (app_sources_install(&s, &cfg, &err) != 0 || app_addresses_check(&cfg, &err) != 0)
        fail_msg("%s", err.text);
}

static bool is_own(const union tern_addr *a)
{
    for (uint32_t i = 0; i < cfg.n_addrs; i++)
        if (tern_addr_equal(&cfg.addrs[i].addr, a))
            return true;
    for (uint32_t i = 0; i < cfg.n_ranges; i++)
        if (tern_addr_range_contains(&cfg.ranges[i], a))
            return true;
    return false;
}

/* All sources are the endpoint's own, and it has but `n_others` more. */
static void assert_own(uint64_t total, uint64_t n_others)
{
    app_u128 n = cfg.n_addrs;
    assert_true(app_sources_total(&s) == total);
    for (uint64_t place = 0; place < total; place++) {
        const union tern_addr a = app_sources_at(&s, place);
        assert_true(is_own(&a));
    }
    for (uint32_t i = 0; i < cfg.n_ranges; i++)
        n += steps_from(&cfg.ranges[i].first, &cfg.ranges[i].last) + 1;
    assert_true(n == total + n_others);
}

static void few_sources_are_addresses_that_are_probed(void **state)
{
    (void)state;
    endpoint((const char *[]){"198.18.0.2/15", NULL});
    install("198.18.20.0/25,198.18.1.1");
    assert_own(129, 1);
    assert_int_equal(cfg.n_addrs, 130);
    assert_int_equal(cfg.n_ranges, 0);
    assert_int_equal(cfg.addrs[1].len_bits, 32);
}

static void of_many_the_first_is_probed(void **state)
{
    (void)state;
    endpoint((const char *[]){"198.18.0.2/24", "2001:2::2/64", NULL});
    install("198.19.0.0/16");
    assert_own(65536, 2);
    assert_int_equal(cfg.n_addrs, 3);
    assert_int_equal(cfg.n_ranges, 1);
    endpoint((const char *[]){"198.18.0.2/24", "2001:2::2/64", NULL});
    install("2001:2::1:0/112");
    assert_own(65536, 2);
    const union tern_addr first = addr("2001:2::1:0");
    assert_true(tern_addr_equal(&cfg.addrs[2].addr, &first));
    assert_int_equal(cfg.addrs[2].len_bits, 128);
}

static void networks_and_broadcasts_of_our_subnets_are_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *list;
        uint64_t total, n_others;
    } rows[] = {
        {"198.18.0.2/16", "198.18.0.0/16", 65534, 0},
        {"198.18.0.2/15", "198.18.0.0/16", 65535, 0},
        {"198.18.0.2/24", "198.18.0.0/16", 65534, 0}, /* .0.0 and .0.255 */
        {"198.18.9.2/24", "198.18.0.0/16", 65534, 0}, /* both inside */
        {"198.18.0.2/24", "198.18.1.0/24", 256, 1},
        {"198.18.1.0/31", "198.18.1.0/24", 256, 0}, /* RFC 3021 */
        {"198.18.1.5/32", "198.18.1.0/24", 256, 0},
        {"198.18.0.2/24", "198.18.0.254-198.18.1.1", 3, 1},
        {"2001:2::2/64", "2001:2::/112", 65536, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        endpoint((const char *[]){rows[i].ip, NULL});
        install(rows[i].list);
        assert_own(rows[i].total, rows[i].n_others);
    }
    endpoint((const char *[]){"198.18.0.2/24", NULL});
    sources_from(&s, "198.18.0.255");
    assert_int_equal(app_sources_install(&s, &cfg, &err), -EINVAL);
    assert_non_null(strstr(err.text, "198.18.0.255 is a subnet's network or broadcast address"));
}

static void sources_without_an_address_are_refused(void **state)
{
    (void)state;
    endpoint((const char *[]){NULL});
    sources_from(&s, "198.18.1.0/24");
    assert_int_equal(app_sources_install(&s, &cfg, &err), -EINVAL);
    assert_non_null(strstr(err.text, "there is no --ip beside them"));
    endpoint((const char *[]){"198.18.0.2/24", NULL});
    sources_from(&s, "2001:2::/64");
    assert_int_equal(app_sources_install(&s, &cfg, &err), 0); /* the target's family says more */
}

static void others_addresses_are_no_sources(void **state)
{
    (void)state;
    static const struct {
        const char *list, *target, *answer; /* NULL: fine */
    } rows[] = {
        {"198.18.64.0/18", "198.18.0.1", NULL},
        {"198.18.0.0/24", "198.18.0.1",
            "has the target, 198.18.0.1, in it; type 198.18.0.0,198.18.0.2-198.18.0.255"},
        {"198.18.0.1-198.18.0.9", "198.18.0.1", "type 198.18.0.2-198.18.0.9"},
        {"198.18.0.1-198.18.0.9", "198.18.0.9", "type 198.18.0.1-198.18.0.8"},
        {"198.18.0.7,198.18.0.9", "198.18.0.9", "198.18.0.9 is the target; leave it out"},
        {"198.18.0.100-198.18.0.102", "198.18.9.9",
            "has the gateway, 198.18.0.101, in it; type 198.18.0.100,198.18.0.102"},
        {"2001:2::/64", "198.18.0.1", "is IPv4 and --sources are IPv6"},
        {"198.18.0.1", "2001:2::1", "is IPv6 and --sources are IPv4"},
        {"2001:2::/64", "2001:2::1",
            "has the target, 2001:2::1, in it; type 2001:2::,2001:2::2-2001:2::ffff:"},
    };
    endpoint((const char *[]){"198.18.0.2/15", "2001:2::2/64", NULL});
    cfg.gateway4 = addr("198.18.0.101");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const union tern_addr target = addr(rows[i].target);
        sources_from(&s, rows[i].list);
        err.text[0] = '\0';
        const int rc = app_sources_check(&s, &cfg, &target, &err);
        assert_int_equal(rc, rows[i].answer == NULL ? 0 : -EINVAL);
        if (rows[i].answer != NULL && strstr(err.text, rows[i].answer) == NULL)
            fail_msg("'%s' is answered with: %s", rows[i].list, err.text);
    }
}

/* --ip alone: ranges of it are sources in the order of the numbers. */
static void every_own_address_is_a_source_unless_told(void **state)
{
    (void)state;
    endpoint(
        (const char *[]){"198.18.64.0-198.18.127.255/15", "2001:2::2/48", "198.18.1.1/15", NULL});
    app_sources_of_stack(&s, &cfg, true);
    assert_own(16385, 1);
    assert_int_equal(s.n, 2);
    for (uint32_t place = 0; place < 16384; place++) {
        const union tern_addr first = addr("198.18.64.0"), a = app_sources_at(&s, place);
        assert_int_equal(steps_from(&first, &a), place);
    }
    app_sources_of_stack(&s, &cfg, false);
    assert_true(app_sources_total(&s) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_read),
        cmocka_unit_test(lists_add_up),
        cmocka_unit_test(every_address_of_2000_3_has_a_place),
        cmocka_unit_test(place_is_that_of_a_walk),
        cmocka_unit_test(list_is_refused),
        cmocka_unit_test(list_is_bounded),
        cmocka_unit_test(few_sources_are_addresses_that_are_probed),
        cmocka_unit_test(of_many_the_first_is_probed),
        cmocka_unit_test(networks_and_broadcasts_of_our_subnets_are_left_out),
        cmocka_unit_test(sources_without_an_address_are_refused),
        cmocka_unit_test(others_addresses_are_no_sources),
        cmocka_unit_test(every_own_address_is_a_source_unless_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
