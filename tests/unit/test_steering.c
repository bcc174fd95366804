/* SPDX-License-Identifier: BSD-3-Clause */
/* Which worker owns a segment (lib/engine/steering.c). */
#include "engine/steering.h"
#include "rss_fixture.h"
#include "unit.h"
#include "wire/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A frame under construction. */
struct frame {
    uint32_t n;
    uint8_t bytes[512];
};

static void put(struct frame *f, const void *bytes, uint32_t n)
{
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

static void put_zero(struct frame *f, uint32_t n)
{
    memset(f->bytes + f->n, 0, n);
    f->n += n;
}

static void put16(struct frame *f, uint16_t v)
{
    tern_store16(f->bytes + f->n, v);
    f->n += 2;
}

static void put_eth(struct frame *f, uint16_t vlan, uint16_t type)
{
    put_zero(f, 12);
    if (vlan != 0) {
        put16(f, 0x8100);
        put16(f, vlan);
    }
    put16(f, type);
}

static void put_ip4(struct frame *f, uint8_t ihl_words, uint8_t proto, uint16_t fragment)
{
    const uint8_t first = (uint8_t)(0x40 | ihl_words);
    const uint8_t addrs[8] = {198, 18, 0, 1, 198, 18, 0, 2};
    put(f, &first, 1);
    put_zero(f, 5);
    put16(f, fragment);
    put_zero(f, 1);
    put(f, &proto, 1);
    put_zero(f, 2);
    put(f, addrs, 8);
    put_zero(f, ihl_words * 4u - 20);
}

static void put_ip6(struct frame *f, uint8_t next)
{
    const uint8_t first = 0x60;
    put(f, &first, 1);
    put_zero(f, 5);
    put(f, &next, 1);
    put_zero(f, 1);
    for (uint8_t i = 0; i < 32; i++)
        put(f, &i, 1);
}

static void put_ip6_ext(struct frame *f, uint8_t next, uint8_t n_more_units)
{
    put(f, &next, 1);
    put(f, &n_more_units, 1);
    put_zero(f, 6 + n_more_units * 8u);
}

static void put_ports(struct frame *f, uint16_t sport, uint16_t dport)
{
    put16(f, sport);
    put16(f, dport);
    put_zero(f, 16);
}

static struct frame plain(uint16_t sport, uint16_t dport)
{
    struct frame f = {0};
    put_eth(&f, 0, 0x0800);
    put_ip4(&f, 5, 6, 0x4000);
    put_ports(&f, sport, dport);
    return f;
}

/** Copy to the heap, exactly sized, so that a sanitizer sees any read beyond. */
static bool find(const struct frame *f, uint32_t n_bytes, bool l3, struct tern_steer_flow *out)
{
    uint8_t *copy = (uint8_t *)malloc(n_bytes > 0 ? n_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, f->bytes, n_bytes);
    const bool found = tern_steer_find(copy, n_bytes, l3, out);
    free(copy);
    return found;
}

static void finds_tcp_of_both_families(void **state)
{
    (void)state;
    struct tern_steer_flow flow;
    struct frame f = plain(1000, 80);
    assert_true(find(&f, f.n, false, &flow));
    assert_int_equal(flow.sport, 1000);
    assert_int_equal(flow.dport, 80);
    assert_int_equal(flow.n_addr_bytes, 8);

    f = (struct frame){0};
    put_eth(&f, 7, 0x0800);
    put_ip4(&f, 8, 6, 0);
    put_ports(&f, 1, 2);
    assert_true(find(&f, f.n, false, &flow));
    assert_int_equal(flow.dport, 2);

    f = (struct frame){0};
    put_ip6(&f, 0);
    put_ip6_ext(&f, 60, 0);
    put_ip6_ext(&f, 43, 2);
    put_ip6_ext(&f, 6, 1);
    put_ports(&f, 3, 4);
    assert_true(find(&f, f.n, true, &flow));
    assert_int_equal(flow.dport, 4);
    assert_int_equal(flow.n_addr_bytes, 32);
}

static void finds_nothing_else(void **state)
{
    (void)state;
    struct tern_steer_flow flow;
    struct frame f = {0};
    put_eth(&f, 0, 0x0806);
    put_zero(&f, 46);
    assert_false(find(&f, f.n, false, &flow));

    f = (struct frame){0};
    put_eth(&f, 0, 0x0800);
    put_ip4(&f, 5, 17, 0);
    put_ports(&f, 1, 2);
    assert_false(find(&f, f.n, false, &flow));

    for (int more = 0; more < 2; more++) { /* first and later fragments */
        f = (struct frame){0};
        put_eth(&f, 0, 0x0800);
        put_ip4(&f, 5, 6, more ? 0x2000 : 185);
        put_ports(&f, 1, 2);
        assert_false(find(&f, f.n, false, &flow));
    }
    f = (struct frame){0};
    put_ip6(&f, 44);
    put_ip6_ext(&f, 6, 0);
    put_ports(&f, 1, 2);
    assert_false(find(&f, f.n, true, &flow));
}

/** Every prefix of a frame: found or not, and never a byte beyond is read. */
static void short_frames_are_survived(void **state)
{
    (void)state;
    struct tern_steer_flow flow;
    const struct frame v4 = plain(1, 2);
    struct frame v6 = {0};
    put_eth(&v6, 5, 0x86dd);
    put_ip6(&v6, 60);
    put_ip6_ext(&v6, 6, 3);
    put_ports(&v6, 1, 2);
    for (uint32_t n = 0; n <= v4.n; n++)
        assert_int_equal(find(&v4, n, false, &flow), n >= 14 + 20 + 4);
    for (uint32_t n = 0; n <= v6.n; n++)
        assert_int_equal(find(&v6, n, false, &flow), n >= 18 + 40 + 32 + 4);
    for (uint32_t n = 0; n <= 64; n++)
        (void)find(&v6, n, true, &flow);
}

static void modes_follow_from_queues(void **state)
{
    (void)state;
    assert_int_equal(tern_steer_mode(1, 1, false), TERN_STEER_ONE);
    assert_int_equal(tern_steer_mode(1, 4, true), TERN_STEER_ONE);
    assert_int_equal(tern_steer_mode(4, 4, true), TERN_STEER_RSS);
    assert_int_equal(tern_steer_mode(4, 4, false), TERN_STEER_HASH);
    assert_int_equal(tern_steer_mode(4, 8, true), TERN_STEER_RSS);
    assert_int_equal(tern_steer_mode(4, 2, true), TERN_STEER_HASH);
}

static void expect_text(const struct tern_steering *s, uint32_t n_queues, const char *want)
{
    char text[TERN_STEER_TEXT_BYTES];
    assert_string_equal(tern_steer_describe(s, n_queues, text, sizeof text), want);
}

static void each_mode_is_said_in_words(void **state)
{
    (void)state;
    static struct tern_rss rss;
    struct tern_steering s = {.mode = TERN_STEER_ONE, .n_workers = 2};
    expect_text(&s, 1, "one worker");
    s.mode = TERN_STEER_HASH;
    expect_text(&s, 1, "hash over rings (1 queue, 2 workers)");
    s.mode = TERN_STEER_RSS;
    expect_text(&s, 2, "rss");
    for (int gap = TERN_RSS_GOOD + 1; gap <= TERN_RSS_NARROW_KEY; gap++) {
        char want[TERN_STEER_TEXT_BYTES];
        s.no_rss = tern_steer_rss_gap((enum tern_rss_gap)gap);
        assert_non_null(s.no_rss);
        const int len = snprintf(want, sizeof want, "rss, replies handed over: %s", s.no_rss);
        assert_in_range(len, 30, sizeof want - 1);
        expect_text(&s, 2, want);
    }
    struct tern_rss_facts card = rss_card(1, 128, 2);
    assert_int_equal(tern_rss_init(&rss, &card, 2), TERN_RSS_GOOD);
    s.rss = &rss;
    expect_text(&s, 2, "rss, ports by its key and table of 128");
    rss.ip6.is_known = false;
    expect_text(&s, 2, "rss, ports by its key and table of 128 (IPv4)");
}

static void narrow_ranges_are_no_good_for_rss(void **state)
{
    (void)state;
    assert_true(tern_steer_range_is_wide(1024, 65535));
    assert_true(tern_steer_range_is_wide(49152, 65535));
    assert_false(tern_steer_range_is_wide(50000, 50999));
    assert_false(tern_steer_range_is_wide(65535, 1));
}

static void active_opens_are_owned_by_port(void **state)
{
    (void)state;
    const enum tern_steer_mode modes[] = {TERN_STEER_RSS, TERN_STEER_HASH};
    for (int m = 0; m < 2; m++) {
        const struct tern_steering s = {.mode = modes[m], .n_workers = 3, .key = {1, 2}};
        for (uint16_t port = 1024; port < 1100; port++) {
            struct tern_steer_flow flow;
            const struct frame f = plain(80, port);
            assert_true(tern_steer_find(f.bytes, f.n, false, &flow));
            for (uint32_t receiver = 0; receiver < 3; receiver++)
                assert_int_equal(tern_steer_owner(&s, &flow, false, receiver), port % 3);
        }
    }
}

/** With key and table told, the owner is whoever the card should give the segment to. */
static void active_opens_are_owned_by_the_cards_queue(void **state)
{
    (void)state;
    enum { N_WORKERS = 3, ENTRIES = 64 };
    static struct tern_rss rss;
    const struct tern_rss_facts card = rss_card(4, ENTRIES, N_WORKERS);
    assert_int_equal(tern_rss_init(&rss, &card, N_WORKERS), TERN_RSS_GOOD);
    const struct tern_steering s = {.mode = TERN_STEER_RSS, .n_workers = N_WORKERS, .rss = &rss};
    for (uint32_t i = 0; i < 1000; i++) {
        struct tern_steer_flow flow;
        struct frame f = {0};
        put_eth(&f, 0, i % 2 ? 0x86dd : 0x0800);
        if (i % 2)
            put_ip6(&f, 6);
        else
            put_ip4(&f, 5, 6, 0);
        put_ports(&f, 80, (uint16_t)(1024 + i));
        assert_true(tern_steer_find(f.bytes, f.n, false, &flow));
        const uint32_t hash =
            rss_hash(&card, flow.addrs, flow.n_addr_bytes, flow.sport, flow.dport);
        const uint32_t queue = card.queue[hash % ENTRIES];
        for (uint32_t receiver = 0; receiver < N_WORKERS; receiver++) {
            assert_int_equal(tern_steer_owner(&s, &flow, false, receiver), queue);
            assert_int_equal(tern_steer_owner(&s, &flow, true, receiver), receiver);
        }
    }
    rss.ip6.is_known = false;
    struct tern_steer_flow flow;
    struct frame f = {0};
    put_eth(&f, 0, 0x86dd);
    put_ip6(&f, 6);
    put_ports(&f, 80, 5000);
    assert_true(tern_steer_find(f.bytes, f.n, false, &flow));
    assert_int_equal(tern_steer_owner(&s, &flow, false, 1), 5000 % N_WORKERS);
}

static void passive_opens_stay_with_the_receiver_under_rss(void **state)
{
    (void)state;
    const struct tern_steering s = {.mode = TERN_STEER_RSS, .n_workers = 3};
    struct tern_steer_flow flow;
    const struct frame f = plain(40000, 80);
    assert_true(tern_steer_find(f.bytes, f.n, false, &flow));
    for (uint32_t receiver = 0; receiver < 3; receiver++)
        assert_int_equal(tern_steer_owner(&s, &flow, true, receiver), receiver);
}

/** Whoever receives, the same owner; spread evenly; and otherwise under another key. */
static void passive_opens_are_hashed_otherwise(void **state)
{
    (void)state;
    enum { N_WORKERS = 4, N_FLOWS = 4000 };
    const struct tern_steering a = {.mode = TERN_STEER_HASH, .n_workers = N_WORKERS, .key = {1, 2}};
    const struct tern_steering b = {.mode = TERN_STEER_HASH, .n_workers = N_WORKERS, .key = {3, 4}};
    uint32_t n_owned[N_WORKERS] = {0}, n_moved = 0;
    for (uint16_t i = 0; i < N_FLOWS; i++) {
        struct tern_steer_flow flow;
        const struct frame f = plain((uint16_t)(1024 + i), 80);
        assert_true(tern_steer_find(f.bytes, f.n, false, &flow));
        const uint32_t owner = tern_steer_owner(&a, &flow, true, 0);
        assert_int_equal(tern_steer_owner(&a, &flow, true, 3), owner);
        n_owned[owner]++;
        n_moved += tern_steer_owner(&b, &flow, true, 0) != owner;
    }
    for (uint32_t w = 0; w < N_WORKERS; w++)
        assert_in_range(n_owned[w], N_FLOWS / N_WORKERS * 8 / 10, N_FLOWS / N_WORKERS * 12 / 10);
    assert_in_range(n_moved, N_FLOWS * 6 / 10, N_FLOWS * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_tcp_of_both_families),
        cmocka_unit_test(finds_nothing_else),
        cmocka_unit_test(short_frames_are_survived),
        cmocka_unit_test(modes_follow_from_queues),
        cmocka_unit_test(each_mode_is_said_in_words),
        cmocka_unit_test(narrow_ranges_are_no_good_for_rss),
        cmocka_unit_test(active_opens_are_owned_by_port),
        cmocka_unit_test(active_opens_are_owned_by_the_cards_queue),
        cmocka_unit_test(passive_opens_stay_with_the_receiver_under_rss),
        cmocka_unit_test(passive_opens_are_hashed_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
