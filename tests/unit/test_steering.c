/* SPDX-License-Identifier: BSD-3-Clause */
/* Which worker owns a segment (lib/engine/steering.c). */
#include "engine/steering.h"
#include "unit.h"
#include "wire/bytes.h"

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
    assert_int_equal(tern_steer_mode(4, 2, true), TERN_STEER_HASH);

    char text[96];
    const struct tern_steering s = {.mode = TERN_STEER_HASH, .n_workers = 2};
    assert_string_equal(
        tern_steer_describe(&s, 1, text, sizeof text), "hash over rings (1 queue, 2 workers)");
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
        cmocka_unit_test(active_opens_are_owned_by_port),
        cmocka_unit_test(passive_opens_stay_with_the_receiver_under_rss),
        cmocka_unit_test(passive_opens_are_hashed_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
