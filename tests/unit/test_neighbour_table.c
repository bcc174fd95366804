/* SPDX-License-Identifier: BSD-3-Clause */
/* The table as a whole: of a fixed size, bounded in work a call, sound after anything in any order.
 * The life of one entry: test_neighbour. */
#include "neighbour_fixture.h"
#include "shard/arena.h"

#include <errno.h>
#include <stdlib.h>

/* ---- bounded (V175, V180, V186) ---- */

static void get_same_address_is_same_index(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    const uint16_t idx = get(b, addr("10.1.2.3"));
    assert_int_equal(get(b, addr("10.1.2.3")), idx);
    assert_int_not_equal(get(b, addr("2001:db8::3")), idx);
    assert_int_equal(b->t.entries[idx].n_refs, 2);
    tern_neigh_put(&b->t, 0);
}

/** V186. */
static void full_of_held_entries_refuses(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    uint16_t held[8];
    for (uint32_t i = 0; i < 8; i++)
        held[i] = get(b, v4_host(0x200 + i));
    assert_int_equal(get(b, addr("10.1.9.9")), 0);
    assert_false(output(b, 0));
    assert_int_equal(b->drops[TERN_DROP_NEIGH_TABLE_FULL], 1);
    assert_int_equal(get(b, v4_host(0x203)), held[3]);
    tern_neigh_put(&b->t, held[5]);
    assert_int_equal(get(b, addr("10.1.9.9")), held[5]);
    assert_int_equal(tern_neigh_find(&b->t, &(union tern_addr[]){v4_host(0x205)}[0]), 0);
}

static void reuse_takes_unresolved_before_resolved_and_longest_idle_first(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    uint16_t idx[8];
    for (uint32_t i = 0; i < 8; i++) {
        idx[i] = i < 4 ? get_reachable(b, v4_host(0x200 + i), mac_a) : get(b, v4_host(0x200 + i));
    }
    const uint32_t order[8] = {1, 6, 0, 4, 3, 7, 2, 5}; /* as they become idle */
    for (uint32_t i = 0; i < 8; i++)
        tern_neigh_put(&b->t, idx[order[i]]);
    const uint32_t expected[8] = {6, 4, 7, 5, 1, 0, 3, 2};
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(get(b, v4_host(0x900 + i)), idx[expected[i]]);
}

static void reused_entry_drops_what_waited(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    for (uint32_t i = 0; i < 9; i++) {
        const uint16_t idx = get(b, v4_host(0x200 + i));
        output(b, idx);
        tern_neigh_put(&b->t, idx);
    }
    assert_int_equal(b->drops[TERN_DROP_NEIGH_TABLE_FULL], 1);
    assert_int_equal(b->t.n_pending, 8);
}

/** V175, V180, V186. */
static void flood_of_new_addresses_spares_gateway_static_and_peers(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = addr("10.1.0.254");
    b->cfg.neighbours[0].addr = addr("2001:db8::99");
    memcpy(b->cfg.neighbours[0].mac, mac_b, 6);
    b->cfg.n_neighbours = 1;
    bed_start(b);
    rx_reply(b, addr("10.1.0.254"), mac_a);
    const uint16_t held = get_reachable(b, addr("10.1.2.3"), mac_a);
    const uint16_t known = get_reachable(b, addr("10.1.2.4"), mac_a);
    tern_neigh_put(&b->t, known); /* idle, but resolved */
    for (uint32_t i = 0; i < 65000; i++) {
        const uint16_t idx = get(b, v4_host(0x0300 + i % 60000));
        assert_int_not_equal(idx, 0);
        output(b, idx);
        tern_neigh_put(&b->t, idx);
        wait_ns(b, 10000);
    }
    assert_int_equal(get(b, addr("10.1.2.3")), held);
    assert_int_equal(get(b, addr("10.1.2.4")), known);
    assert_true(output(b, tern_neigh_find(&b->t, &b->cfg.gateway4)));
    assert_true(output(b, tern_neigh_find(&b->t, &b->cfg.neighbours[0].addr)));
    /* 0.65 s of it: the bucket's depth and its rate, no more. */
    assert_in_range(b->stats.arp_sent, 100, 1 + 100 + 651);
    assert_int_equal(b->drops[TERN_DROP_NEIGH_TABLE_FULL], 65000 - b->t.n_pending);
}

static void advance_is_bounded_a_call(void **state)
{
    struct bed *b = *state;
    b->cfg.neighbours_max = 500;
    bed_start(b);
    for (uint32_t i = 0; i < 300; i++)
        output(b, get(b, v4_host(0x200 + i)));
    b->now += SEC;
    const uint64_t at_once = b->stats.arp_sent;
    uint64_t at;
    uint32_t calls = 0;
    while (tern_neigh_next_deadline(&b->t, &at) && at <= b->now) {
        const uint64_t before = b->stats.arp_sent;
        tern_neigh_advance(&b->t, b->now);
        assert_true(b->stats.arp_sent - before <= TERN_NEIGH_TIMERS_PER_CALL);
        calls++;
    }
    assert_int_equal(calls, (300 + TERN_NEIGH_TIMERS_PER_CALL - 1) / TERN_NEIGH_TIMERS_PER_CALL);
    assert_true(b->stats.arp_sent > at_once);
}

static void deadline_is_the_earliest(void **state)
{
    struct bed *b = *state;
    bed_start(b);
    uint64_t at;
    assert_false(tern_neigh_next_deadline(&b->t, &at));
    const uint64_t start = b->now;
    const uint16_t old = get_reachable(b, addr("10.1.2.3"), mac_a);
    b->now += TERN_NEIGH_REACHABLE_NS;
    tern_neigh_advance(&b->t, b->now);
    output(b, old);
    assert_true(tern_neigh_next_deadline(&b->t, &at));
    assert_int_equal(at, start + TERN_NEIGH_REACHABLE_NS + TERN_NEIGH_DELAY_NS);
    output(b, get(b, addr("10.1.2.4")));
    assert_true(tern_neigh_next_deadline(&b->t, &at));
    assert_int_equal(at, start + TERN_NEIGH_REACHABLE_NS + SEC);
}

static void init_without_memory_is_enomem(void **state)
{
    struct bed *b = *state;
    tern_arena_set_fail_after(0);
    assert_int_equal(bed_init(b), -ENOMEM);
    tern_arena_set_fail_after(-1);
}

static void bytes_cover_entries_and_buckets(void **state)
{
    (void)state;
    assert_int_equal(tern_neigh_bytes(8), 9 * 128 + 16 * 2);
    assert_int_equal(tern_neigh_bytes(65534), 65535 * 128 + 131072 * 2);
}

/* ---- anything in any order ---- */

static uint32_t count_list(
    const struct tern_neigh_table *t, const struct tern_neigh_list *l, bool mac)
{
    uint32_t n = 0;
    uint16_t prev = 0;
    for (uint16_t i = l->head; i != 0; prev = i, i = t->entries[i].idle_next, n++) {
        assert_int_equal(t->entries[i].idle_prev, prev);
        assert_int_equal(t->entries[i].n_refs, 0);
        assert_int_equal(t->entries[i].state >= TERN_NEIGH_REACHABLE, mac);
    }
    assert_int_equal(l->tail, prev);
    return n;
}

static uint32_t count_timer(const struct tern_neigh_table *t, uint8_t timer)
{
    uint32_t n = 0;
    uint64_t due = 0;
    for (uint16_t i = t->timers[timer].head; i != 0; i = t->entries[i].timer_next, n++) {
        assert_int_equal(t->entries[i].timer, timer);
        assert_true(t->entries[i].due_ns >= due);
        due = t->entries[i].due_ns;
    }
    return n;
}

static void assert_invariants(const struct bed *b)
{
    const struct tern_neigh_table *t = &b->t;
    uint32_t n_idle = 0, n_pending = 0, n_armed = 0;
    for (uint32_t i = 1; i <= t->capacity; i++) {
        const struct tern_neighbour *e = &t->entries[i];
        n_idle += e->n_refs == 0;
        n_pending += e->n_pending;
        n_armed += e->timer != TERN_NEIGH_TIMER_NONE;
        assert_true(e->n_pending <= TERN_NEIGH_PENDING);
        assert_true(e->n_pending == 0 || e->state == TERN_NEIGH_INCOMPLETE);
        if (e->hashed)
            assert_int_equal(tern_neigh_find(t, &e->addr), i);
    }
    assert_int_equal(
        count_list(t, &t->idle_unknown, false) + count_list(t, &t->idle_known, true), n_idle);
    assert_int_equal(n_pending, t->n_pending);
    assert_int_equal(rte_mempool_in_use_count(b->pool), n_pending);
    uint32_t n_listed = 0;
    for (uint8_t timer = 1; timer < TERN_NEIGH_TIMER_COUNT; timer++)
        n_listed += count_timer(t, timer);
    assert_int_equal(n_listed, n_armed);
}

static union tern_addr some_addr(uint32_t r)
{
    union tern_addr v6 = addr("2001:db8::");
    v6.b[15] = (uint8_t)(2 + r % 14);
    return r & 16 ? v6 : v4_host(0x200 + r % 14);
}

static void any_order_keeps_the_invariants(void **state)
{
    struct bed *b = *state;
    b->cfg.gateway4 = v4_host(0x200);
    bed_start(b);
    srandom(4711);
    uint16_t held[64];
    uint32_t n_held = 0;
    for (int step = 0; step < 100000; step++) {
        const uint32_t r = (uint32_t)random();
        const union tern_addr a = some_addr(r >> 8);
        const uint8_t *mac = r & 64 ? mac_a : mac_b;
        const uint16_t any = (uint16_t)((r >> 16) % (b->cfg.neighbours_max + 1));
        switch (r % 8) {
        case 0:
            if (n_held < 64 && (held[n_held] = tern_neigh_get(&b->t, &a, b->now)) != 0)
                n_held++;
            break;
        case 1:
        case 2:
            if (n_held > 0)
                tern_neigh_put(&b->t, held[--n_held]);
            break;
        case 3: output(b, any); break;
        case 4: rx_answer(b, a, mac, r & 128, r & 0x8000); break;
        case 5:
            rx_question(b, a, addr(tern_addr_is_v4(&a) ? "10.1.0.1" : "2001:db8::1"), mac);
            break;
        case 6:
            r & 128 ? tern_neigh_confirm(&b->t, any, b->now)
                    : learn(b, tern_neigh_find(&b->t, &a), a, mac);
            break;
        case 7: wait_ns(b, (r >> 12) % 4 == 0 ? (r >> 14) % (8 * SEC) : 1 * MS); break;
        }
        forget_sent(b);
        if (step % 16 == 0)
            assert_invariants(b);
    }
}

int main(void)
{
#define BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED(get_same_address_is_same_index),
        BED(full_of_held_entries_refuses),
        BED(reuse_takes_unresolved_before_resolved_and_longest_idle_first),
        BED(reused_entry_drops_what_waited),
        BED(flood_of_new_addresses_spares_gateway_static_and_peers),
        BED(advance_is_bounded_a_call),
        BED(deadline_is_the_earliest),
        BED(init_without_memory_is_enomem),
        cmocka_unit_test(bytes_cover_entries_and_buckets),
        BED(any_order_keeps_the_invariants),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
