/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard/arena.h"
#include "unit.h"

#include <sys/mman.h>

static const size_t sizes[] = {
    1, 64, 4096, 4097, (2u << 20) - 1, 2u << 20, (2u << 20) + 1, 7u << 20};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static bool is_zero(const uint8_t *at, size_t n_bytes)
{
    return at[0] == 0 && memcmp(at, at + 1, n_bytes - 1) == 0;
}

static void map_is_zeroed_writable_and_page_aligned(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_SIZES; i++) {
        uint8_t *at = tern_arena_map(sizes[i], -1, NULL);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 4096, 0);
        assert_true(is_zero(at, sizes[i]));
        memset(at, 0xa5, sizes[i]);
        tern_arena_unmap(at, sizes[i]);
    }
}

static void map_of_2m_is_aligned_for_huge_pages(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        uint8_t *at = tern_arena_map(3u << 20, -1, NULL);
        assert_int_equal((uintptr_t)at % (2u << 20), 0);
        tern_arena_unmap(at, 3u << 20);
    }
}

static void map_reports_pages_it_got(void **state)
{
    (void)state;
    enum tern_pages got = TERN_PAGES_1G;
    void *small = tern_arena_map(4096, -1, &got);
    assert_int_equal(got, TERN_PAGES_NORMAL);
    tern_arena_unmap(small, 4096);

    void *large = tern_arena_map(4u << 20, -1, &got);
    assert_true(got == TERN_PAGES_NORMAL || got == TERN_PAGES_2M);
    tern_arena_unmap(large, 4u << 20);
}

static void map_on_any_node_number_succeeds(void **state)
{
    static const int nodes[] = {-1, 0, 1, 63, 64, 1023, 1024, INT32_MAX, INT32_MIN};
    (void)state;
    for (uint32_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        uint8_t *at = tern_arena_map(1u << 16, nodes[i], NULL);
        assert_non_null(at);
        at[1234] = 1;
        tern_arena_unmap(at, 1u << 16);
    }
}

static void map_of_impossible_size_fails(void **state)
{
    (void)state;
    assert_null(tern_arena_map(0, -1, NULL));
    assert_null(tern_arena_map(SIZE_MAX, -1, NULL));
    assert_null(tern_arena_map((size_t)PTRDIFF_MAX + 1, -1, NULL));
    assert_null(tern_arena_map(PTRDIFF_MAX, -1, NULL));
    assert_null(tern_arena_map((size_t)1 << 56, -1, NULL));
}

static uint32_t n_resident(void *at, size_t n_bytes)
{
    static unsigned char resident[(64u << 20) / 4096];
    uint32_t n = 0;
    assert_int_equal(mincore(at, n_bytes, resident), 0);
    for (uint32_t i = 0; i < n_bytes / 4096; i++)
        n += resident[i] & 1;
    return n;
}

static void untouched_memory_is_not_resident(void **state)
{
    const size_t n_bytes = 64u << 20;
    enum tern_pages got;
    (void)state;
    uint8_t *at = tern_arena_map(n_bytes, -1, &got);
    assert_int_equal(n_resident(at, n_bytes), 0);
    at[n_bytes / 2] = 1;
    assert_in_range(n_resident(at, n_bytes), 1, 512); /* a page of 4 KiB or of 2 MiB */
    tern_arena_unmap(at, n_bytes);
}

static bool is_mapped(const uint8_t *at)
{
    unsigned char resident;
    return mincore((void *)((uintptr_t)at & ~(uintptr_t)4095), 1, &resident) == 0;
}

static void unmap_leaves_nothing_behind(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_SIZES; i++) {
        const size_t page = sizes[i] < 2u << 20 ? 4096 : 2u << 20;
        uint8_t *at = tern_arena_map(sizes[i], -1, NULL);
        const uint8_t *last_of_page = at + (sizes[i] + page - 1) / page * page - 1;
        assert_true(is_mapped(at) && is_mapped(last_of_page));
        tern_arena_unmap(at, sizes[i]);
        assert_false(is_mapped(at));
        assert_false(is_mapped(at + sizes[i] - 1));
        assert_false(is_mapped(last_of_page));
    }
    tern_arena_unmap(NULL, 4096);
}

static void unmap_spares_the_neighbours(void **state)
{
    uint8_t *at[64];
    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        at[i] = tern_arena_map((2u << 20) + i, -1, NULL);
        at[i][0] = (uint8_t)i;
        at[i][(2u << 20) + i - 1] |= (uint8_t)i;
    }
    for (uint32_t i = 0; i < 64; i += 2)
        tern_arena_unmap(at[i], (2u << 20) + i);
    for (uint32_t i = 1; i < 64; i += 2) {
        assert_int_equal(at[i][0], i);
        assert_int_equal(at[i][(2u << 20) + i - 1], i);
        tern_arena_unmap(at[i], (2u << 20) + i);
    }
}

static void fail_after_fails_from_the_nth_map_on(void **state)
{
    (void)state;
    tern_arena_set_fail_after(2);
    void *first = tern_arena_map(4096, -1, NULL);
    void *second = tern_arena_map(4096, -1, NULL);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(tern_arena_map(4096, -1, NULL));
    assert_null(tern_arena_map(4096, -1, NULL));
    tern_arena_set_fail_after(-1);
    void *third = tern_arena_map(4096, -1, NULL);
    assert_non_null(third);
    tern_arena_unmap(first, 4096);
    tern_arena_unmap(second, 4096);
    tern_arena_unmap(third, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_is_zeroed_writable_and_page_aligned),
        cmocka_unit_test(map_of_2m_is_aligned_for_huge_pages),
        cmocka_unit_test(map_reports_pages_it_got),
        cmocka_unit_test(map_on_any_node_number_succeeds),
        cmocka_unit_test(map_of_impossible_size_fails),
        cmocka_unit_test(untouched_memory_is_not_resident),
        cmocka_unit_test(unmap_leaves_nothing_behind),
        cmocka_unit_test(unmap_spares_the_neighbours),
        cmocka_unit_test(fail_after_fails_from_the_nth_map_on),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
