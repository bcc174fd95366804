/* SPDX-License-Identifier: BSD-3-Clause */
/* RSS as a function (lib/wire/rss.c) against Microsoft's published vectors and DPDK's
 * rte_softrss().
 */
#include <tern/addr.h>

#include "rss_fixture.h"
#include "unit.h"

#include <stdlib.h>

static struct tern_rss rss;

/** "Verifying the RSS hash calculation", Windows Driver Kit: key and results for TCP. */
static const uint8_t published_key[TERN_RSS_KEY_BYTES] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e,
    0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30,
    0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01,
    0xfa};

static const struct {
    const char *src, *dst;
    uint16_t sport, dport;
    uint32_t hash;
} published[] = {
    {"66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178},
    {"199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea},
    {"24.19.198.95", "12.22.207.184", 12898, 38024, 0x5c2b394a},
    {"38.27.205.30", "209.142.163.6", 48228, 2217, 0xafc7327f},
    {"153.39.163.191", "202.188.127.2", 44251, 1303, 0x10e828a2},
    {"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d},
    {"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf},
    {"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024, 0x02d1feef},
};

/** Two addresses as they lie in an IP header. @return their bytes */
static uint32_t lay_out(const char *src, const char *dst, uint8_t addrs[32])
{
    union tern_addr a, b;
    assert_int_equal(tern_addr_parse(src, &a), 0);
    assert_int_equal(tern_addr_parse(dst, &b), 0);
    const uint32_t n = tern_addr_is_v4(&a) ? 4 : 16;
    memcpy(addrs, a.b + 16 - n, n);
    memcpy(addrs + n, b.b + 16 - n, n);
    return 2 * n;
}

static void published_vectors_hold(void **state)
{
    (void)state;
    for (uint32_t n_entries = 2; n_entries <= TERN_RSS_ENTRIES_MAX; n_entries *= 2) {
        struct tern_rss_facts card = rss_card(1, n_entries, 2);
        memcpy(card.key, published_key, sizeof published_key);
        assert_int_equal(tern_rss_init(&rss, &card, 2), TERN_RSS_GOOD);
        for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
            uint8_t addrs[32];
            const uint32_t n = lay_out(published[i].src, published[i].dst, addrs);
            const uint16_t sport = published[i].sport, dport = published[i].dport;
            assert_int_equal(rss_hash(&card, addrs, n, sport, dport), published[i].hash);
            assert_int_equal(
                tern_rss_entry(&rss, addrs, n, sport, dport), published[i].hash & (n_entries - 1));
        }
    }
}

static void any_key_and_tuple_as_softrss_has_it(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (uint32_t k = 0; k < 100; k++) {
        const struct tern_rss_facts card = rss_card(k, 512, 8);
        assert_int_equal(tern_rss_init(&rss, &card, 8), TERN_RSS_GOOD);
        for (uint32_t i = 0; i < 200; i++) {
            uint8_t addrs[32];
            for (size_t b = 0; b < sizeof addrs; b++)
                addrs[b] = (uint8_t)rss_random(&random);
            const uint32_t n = i % 2 ? 8 : 32;
            const uint16_t sport = (uint16_t)rss_random(&random);
            const uint16_t dport = (uint16_t)rss_random(&random);
            const uint32_t want = rss_hash(&card, addrs, n, sport, dport) & 511;
            assert_int_equal(tern_rss_entry(&rss, addrs, n, sport, dport), want);
            assert_int_equal(rss.worker[want], want % 8);
        }
    }
}

/** Over all workers every port once, and each leads to whom it is counted for. */
static void expect_partition(const struct tern_rss_facts *card, uint32_t n_workers, uint64_t seed)
{
    static uint8_t n_taken[UINT16_MAX + 1];
    uint8_t addrs[32];
    for (size_t b = 0; b < sizeof addrs; b++)
        addrs[b] = (uint8_t)rss_random(&seed);
    const uint16_t rport = (uint16_t)rss_random(&seed);
    for (uint32_t n_bytes = 8; n_bytes <= 32; n_bytes += 24) {
        const struct tern_rss_ports *family = tern_rss_family(&rss, n_bytes);
        const uint32_t peer = tern_rss_entry(&rss, addrs, n_bytes, rport, 0);
        memset(n_taken, 0, sizeof n_taken);
        for (uint32_t w = 0; w < n_workers; w++)
            for (uint32_t i = 0; i < tern_rss_n_ports(&rss, family, w); i++) {
                const uint16_t port = tern_rss_port(&rss, family, w, peer, i);
                const uint32_t hash = rss_hash(card, addrs, n_bytes, rport, port);
                assert_int_equal(card->queue[hash & (card->n_entries - 1)] % n_workers, w);
                n_taken[port]++;
            }
        for (uint32_t port = 0; port <= UINT16_MAX; port++)
            assert_int_equal(n_taken[port], 1);
    }
}

static void each_port_is_of_the_worker_its_replies_reach(void **state)
{
    (void)state;
    static const struct {
        uint32_t n_entries, n_queues, n_workers;
    } cases[] = {{2, 2, 2}, {64, 3, 3}, {128, 4, 4}, {128, 64, 64}, {512, 8, 3}, {512, 48, 48},
        {TERN_RSS_ENTRIES_MAX, 64, 64}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tern_rss_facts card = rss_card(i, cases[i].n_entries, cases[i].n_queues);
        assert_int_equal(tern_rss_init(&rss, &card, cases[i].n_workers), TERN_RSS_GOOD);
        expect_partition(&card, cases[i].n_workers, i);
    }
}

/** Drivers and tools set this one so that both directions hash alike. */
static void symmetric_key_will_do(void **state)
{
    (void)state;
    struct tern_rss_facts card = rss_card(1, 128, 4);
    for (uint32_t i = 0; i < TERN_RSS_KEY_BYTES; i++)
        card.key[i] = i % 2 ? 0x5a : 0x6d;
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_GOOD);
    assert_true(rss.ip4.is_known && rss.ip6.is_known);
    expect_partition(&card, 4, 1);
}

static void table_need_not_be_filled_in_turn(void **state)
{
    (void)state;
    struct tern_rss_facts card = rss_card(1, 128, 1);
    uint64_t random = 3;
    for (uint32_t i = 0; i < 128; i++)
        card.queue[i] = (uint16_t)(rss_random(&random) % 8);
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_GOOD);
    expect_partition(&card, 4, 2);
}

static void one_family_may_be_known_alone(void **state)
{
    (void)state;
    struct tern_rss_facts card = rss_card(1, 128, 4);
    card.tcp6 = false;
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_GOOD);
    assert_true(rss.ip4.is_known && !rss.ip6.is_known);
    card.tcp4 = false, card.tcp6 = true;
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_GOOD);
    assert_true(!rss.ip4.is_known && rss.ip6.is_known);
    card.tcp4 = true, card.n_key_bytes = 16; /* enough for IPv4 */
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_GOOD);
    assert_true(rss.ip4.is_known && !rss.ip6.is_known);
}

static void what_is_not_known_is_said(void **state)
{
    (void)state;
    struct tern_rss_facts card = rss_card(1, 128, 4);
    card.n_key_bytes = 15;
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_NO_KEY);
    static const uint32_t tables[] = {
        0, 3, 100, TERN_RSS_ENTRIES_MAX + 1, TERN_RSS_ENTRIES_MAX * 2};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        card = rss_card(1, tables[i], 4);
        assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_NO_TABLE);
    }
    card = rss_card(1, 128, 4);
    card.tcp4 = card.tcp6 = false;
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_NO_PORTS);
    card.tcp6 = true, card.n_key_bytes = 39;
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_NO_PORTS);
    card = rss_card(1, 128, 3);
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_LEFT_OUT);
    card = rss_card(1, 128, 4);
    memset(card.key, 0, sizeof card.key);
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_NARROW_KEY);
    memset(card.key, 0xff, sizeof card.key); /* all bits of the index alike */
    assert_int_equal(tern_rss_init(&rss, &card, 4), TERN_RSS_NARROW_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_hold),
        cmocka_unit_test(any_key_and_tuple_as_softrss_has_it),
        cmocka_unit_test(each_port_is_of_the_worker_its_replies_reach),
        cmocka_unit_test(symmetric_key_will_do),
        cmocka_unit_test(table_need_not_be_filled_in_turn),
        cmocka_unit_test(one_family_may_be_known_alone),
        cmocka_unit_test(what_is_not_known_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
