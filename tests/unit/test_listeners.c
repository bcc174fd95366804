/* SPDX-License-Identifier: BSD-3-Clause */
/* The listener table against a naive twin: a list that is searched from end to end. */
#include "shard/listeners.h"
#include "unit.h"

#include <errno.h>

enum { N_MAX = 16, N_PORTS = 4, N_ADDRS = 3, STEPS = 200000 };

struct twin {
    bool used;
    uint16_t port;
    int addr; /* -1: any */
};

static union tern_addr addr_of(int i)
{
    return tern_addr_from_v4(__builtin_bswap32(0xc6120001u + (uint32_t)i));
}

static struct tern_listener listener(uint16_t port, int addr)
{
    struct tern_listener l = {.port = port, .any_addr = addr < 0, .app = (uint8_t)(addr + 1)};
    if (addr >= 0)
        l.addr = addr_of(addr);
    return l;
}

static int twin_find(const struct twin *all, uint16_t port, int addr)
{
    int any = -1;
    for (int i = 0; i < N_MAX; i++) {
        if (!all[i].used || all[i].port != port)
            continue;
        if (all[i].addr == addr)
            return i;
        if (all[i].addr < 0)
            any = i;
    }
    return any;
}

static bool twin_has(const struct twin *all, uint16_t port, int addr)
{
    for (int i = 0; i < N_MAX; i++)
        if (all[i].used && all[i].port == port && all[i].addr == addr)
            return true;
    return false;
}

static uint32_t next_random(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static void compare_all(const struct tern_listeners *l, const struct twin *twin)
{
    for (uint16_t port = 1; port <= N_PORTS; port++) {
        for (int a = 0; a < N_ADDRS; a++) {
            const union tern_addr addr = addr_of(a);
            const struct tern_listener *got = tern_listeners_find(l, &addr, port);
            const int want = twin_find(twin, port, a);
            assert_true(want < 0 ? got == NULL : got == &l->all[want]);
            assert_true(got == NULL || tern_listeners_any(l, port));
        }
    }
}

static void table_agrees_with_its_twin(void **state)
{
    (void)state;
    struct tern_listeners l;
    struct twin twin[N_MAX] = {{0}};
    uint32_t rng = 12345, n_used = 0;
    assert_int_equal(tern_listeners_init(&l, N_MAX, -1), 0);
    for (int step = 0; step < STEPS; step++) {
        const uint16_t port = (uint16_t)(1 + next_random(&rng) % N_PORTS);
        const int addr = (int)(next_random(&rng) % (N_ADDRS + 1)) - 1;
        if (next_random(&rng) % 2) {
            const struct tern_listener what = listener(port, addr);
            const int id = tern_listeners_add(&l, &what);
            if (twin_has(twin, port, addr)) {
                assert_int_equal(id, -EADDRINUSE);
            } else if (n_used == N_MAX) {
                assert_int_equal(id, -ENOSPC);
            } else {
                assert_in_range(id, 0, N_MAX - 1);
                assert_false(twin[id].used);
                twin[id] = (struct twin){true, port, addr};
                n_used++;
            }
        } else {
            const int id = (int)(next_random(&rng) % N_MAX);
            tern_listeners_remove(&l, id);
            n_used -= twin[id].used;
            twin[id].used = false;
        }
        assert_int_equal(l.n_used, n_used);
        compare_all(&l, twin);
    }
    tern_listeners_fini(&l);
}

static void named_address_wins_over_any(void **state)
{
    (void)state;
    struct tern_listeners l;
    const struct tern_listener any = listener(80, -1), named = listener(80, 1);
    const union tern_addr here = addr_of(1), elsewhere = addr_of(0);
    assert_int_equal(tern_listeners_init(&l, N_MAX, -1), 0);
    const int id_named = tern_listeners_add(&l, &named), id_any = tern_listeners_add(&l, &any);
    assert_ptr_equal(tern_listeners_find(&l, &here, 80), &l.all[id_named]);
    assert_ptr_equal(tern_listeners_find(&l, &elsewhere, 80), &l.all[id_any]);
    assert_null(tern_listeners_find(&l, &here, 81));
    tern_listeners_remove(&l, id_named);
    assert_ptr_equal(tern_listeners_find(&l, &here, 80), &l.all[id_any]);
    tern_listeners_fini(&l);
}

static void removing_nobody_is_harmless(void **state)
{
    (void)state;
    struct tern_listeners l;
    assert_int_equal(tern_listeners_init(&l, 1, -1), 0);
    tern_listeners_remove(&l, -1);
    tern_listeners_remove(&l, 0);
    tern_listeners_remove(&l, 1);
    assert_int_equal(l.n_used, 0);
    tern_listeners_fini(&l);
    tern_listeners_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_agrees_with_its_twin),
        cmocka_unit_test(named_address_wins_over_any),
        cmocka_unit_test(removing_nobody_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
