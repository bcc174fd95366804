/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard/arena.h"
#include "shard/flow_table.h"
#include "unit.h"

#include <errno.h>

/* In these tests entry number i has hash hash_of(i), reference i + 1 and the key i. */
static uint64_t hash_of(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool same_ref(void *ctx, uint32_t ref)
{
    const uint32_t *wanted = ctx;
    return ref == *wanted;
}

static uint32_t find(const struct tern_flow_table *t, uint64_t hash, uint32_t ref)
{
    return tern_flow_find(t, hash, same_ref, &ref);
}

/** Enter entries first..last - 1; how many were refused. */
static uint32_t fill(struct tern_flow_table *t, uint64_t salt, uint32_t first, uint32_t last)
{
    uint32_t n_refused = 0;
    for (uint32_t i = first; i < last; i++)
        n_refused += tern_flow_insert(t, hash_of(salt + i), i + 1) != 0;
    return n_refused;
}

static void tags_equal_is_what_the_scalar_twin_says(void **state)
{
    struct tern_flow_bucket b;
    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        for (uint32_t slot = 0; slot < TERN_FLOW_SLOTS; slot++) {
            b.tag[slot] = (uint16_t)(hash_of(i * 16 + slot) & (i % 2 ? 0xffff : 0x8003));
            b.ref[slot] = (uint32_t)hash_of(slot);
        }
        b.away = i % 3 ? 0 : (uint32_t)b.tag[0] << 16 | b.tag[0];
        const uint16_t tags[] = {0, b.tag[0], b.tag[7], b.tag[8], b.tag[9], 0x8000, 0xffff, 0x7fff};
        for (uint32_t k = 0; k < sizeof tags / sizeof tags[0]; k++)
            assert_int_equal(
                tern_flow_tags_equal(&b, tags[k]), tern_flow_tags_equal_scalar(&b, tags[k]));
    }
}

static void other_is_an_involution_without_fixed_points(void **state)
{
    static const uint32_t n_buckets[] = {2, 4, 6, 126, 1000, 12346, 1250000, 134217728};
    (void)state;
    for (uint32_t i = 0; i < sizeof n_buckets / sizeof n_buckets[0]; i++) {
        const struct tern_flow_table t = {.n_buckets = n_buckets[i]};
        for (uint32_t k = 0; k < 200000; k++) {
            const uint16_t tag = (uint16_t)k;
            const uint32_t bucket = (uint32_t)(hash_of(k) % t.n_buckets);
            const uint32_t other = tern_flow_other(&t, bucket, tag);
            assert_true(other < t.n_buckets);
            assert_int_not_equal(other % 2, bucket % 2);
            assert_int_equal(tern_flow_other(&t, other, tag), bucket);
        }
    }
}

static void place_never_gives_the_empty_tag(void **state)
{
    const struct tern_flow_table t = {.n_buckets = 6};
    (void)state;
    for (uint64_t low = 0; low < 1 << 16; low++) {
        for (uint64_t high = 0; high < 6; high++) {
            const struct tern_flow_place p =
                tern_flow_place(&t, (high * UINT32_MAX / 5) << 32 | low);
            assert_true(p.home < 6);
            assert_true(p.tag != 0);
            assert_int_equal(p.tag % 2, p.home % 2);
        }
    }
}

static void init_bad_size_is_einval(void **state)
{
    struct tern_flow_table t;
    (void)state;
    assert_int_equal(tern_flow_init(&t, 0, -1), -EINVAL);
    assert_int_equal(tern_flow_init(&t, TERN_FLOW_ENTRIES_MAX + 1u, -1), -EINVAL);
    assert_int_equal(tern_flow_init(&t, UINT32_MAX, -1), -EINVAL);
    tern_flow_fini(&t);
}

static void init_without_memory_is_enomem(void **state)
{
    struct tern_flow_table t;
    (void)state;
    tern_arena_set_fail_after(0);
    assert_int_equal(tern_flow_init(&t, 1000, -1), -ENOMEM);
    tern_arena_set_fail_after(-1);
    assert_int_equal(tern_flow_bytes(&t), 0);
    tern_flow_fini(&t);
    tern_flow_fini(&t);
}

static void entry_costs_at_most_8_bytes_at_a_load_of_at_most_0_9(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= TERN_FLOW_ENTRIES_MAX; n += 1 + n / 1000) {
        const uint64_t n_bytes = tern_flow_bytes_for((uint32_t)n);
        const uint64_t n_slots = n_bytes / 64 * TERN_FLOW_SLOTS;
        assert_true(n * 10 <= n_slots * 9);
        assert_true(n_bytes % 128 == 0 && n_bytes > 0);
        assert_true(n < 1000 || n_bytes <= n * 8);
    }
}

static void bytes_are_those_planned(void **state)
{
    struct tern_flow_table t;
    (void)state;
    assert_int_equal(tern_flow_init(&t, 12345, 0), 0);
    assert_int_equal(tern_flow_bytes(&t), tern_flow_bytes_for(12345));
    assert_int_equal((uintptr_t)t.buckets % 64, 0);
    tern_flow_fini(&t);
}

static void n_entries_max_always_fit(void **state)
{
    struct tern_flow_table t;
    (void)state;
    for (uint32_t n = 1; n <= 2000; n++) {
        assert_int_equal(tern_flow_init(&t, n, -1), 0);
        for (uint32_t salt = 0; salt < 3; salt++) {
            memset(t.buckets, 0, tern_flow_bytes(&t));
            t.n_used = 0;
            assert_int_equal(fill(&t, (uint64_t)n << 32 | salt << 16, 0, n), 0);
            assert_int_equal(t.n_used, n);
        }
        tern_flow_fini(&t);
    }
}

/** Fill nine of ten slots; how many were refused. */
static uint32_t refused_at_load_0_9(uint32_t n_entries_max, uint64_t salt, uint64_t *n_inserted)
{
    struct tern_flow_table t;
    assert_int_equal(tern_flow_init(&t, n_entries_max, -1), 0);
    const uint32_t n = t.n_buckets * TERN_FLOW_SLOTS / 10 * 9;
    const uint32_t n_refused = fill(&t, salt << 32, 0, n);
    *n_inserted += n;
    for (uint32_t i = 0; n_refused == 0 && i < n; i += 1 + n / 10000)
        assert_int_equal(find(&t, hash_of((salt << 32) + i), i + 1), i + 1);
    tern_flow_fini(&t);
    return n_refused;
}

static void load_0_9_refuses_at_most_one_in_a_million(void **state)
{
    uint64_t n_refused = 0, n_inserted = 0;
    (void)state;
    for (uint32_t n_entries_max = 10; n_entries_max <= 10000000; n_entries_max *= 10) {
        const uint32_t n_tables = n_entries_max <= 100000 ? 1000000 / n_entries_max / 4 + 1 : 1;
        for (uint32_t salt = 0; salt < n_tables; salt++)
            n_refused += refused_at_load_0_9(n_entries_max, salt, &n_inserted);
    }
    assert_true(n_inserted > 10000000);
    assert_true(n_refused * 1000000 <= n_inserted);
}

/** Lines that looking up `n` absent keys reads. */
static uint32_t n_lines_of_misses(const struct tern_flow_table *t, uint32_t n)
{
    uint32_t n_lines = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct tern_flow_place p = tern_flow_place(t, hash_of(UINT64_MAX / 2 + i));
        n_lines += tern_flow_has_away(&t->buckets[p.home], p.tag);
    }
    return n_lines;
}

static void churn_at_load_0_9_refuses_nothing(void **state)
{
    enum { N = 100000, ROUNDS = 20 };
    struct tern_flow_table t;
    (void)state;
    assert_int_equal(tern_flow_init(&t, N, -1), 0);
    const uint32_t n = t.n_buckets * 9;
    assert_int_equal(fill(&t, 0, 0, n), 0);
    for (uint32_t i = 0; i < n * ROUNDS; i++) {
        assert_true(tern_flow_remove(&t, hash_of(i), i + 1));
        assert_int_equal(tern_flow_insert(&t, hash_of(i + n), i + n + 1), 0);
    }
    assert_int_equal(t.n_used, n);
    assert_true(n_lines_of_misses(&t, n) < n * 5 / 4); /* a miss costs one line, most of the time */
    for (uint32_t i = 0; i < n; i++)
        assert_true(tern_flow_remove(&t, hash_of(i + n * ROUNDS), i + n * ROUNDS + 1));
    for (uint32_t b = 0; b < t.n_buckets; b++)
        assert_int_equal(t.buckets[b].away, 0);
    tern_flow_fini(&t);
}

/* V100 */
static void one_hash_fills_its_two_buckets_then_is_refused(void **state)
{
    struct tern_flow_table t;
    struct tern_flow_bucket before[128];
    (void)state;
    assert_int_equal(tern_flow_init(&t, 1000, -1), 0);
    const uint64_t hash = hash_of(1);
    for (uint32_t ref = 1; ref <= 2 * TERN_FLOW_SLOTS; ref++)
        assert_int_equal(tern_flow_insert(&t, hash, ref), 0);
    memcpy(before, t.buckets, tern_flow_bytes(&t));
    assert_int_equal(tern_flow_insert(&t, hash, 21), -ENOSPC);
    assert_memory_equal(before, t.buckets, tern_flow_bytes(&t));
    assert_int_equal(t.n_used, 2 * TERN_FLOW_SLOTS);
    for (uint32_t ref = 1; ref <= 2 * TERN_FLOW_SLOTS; ref++)
        assert_int_equal(find(&t, hash, ref), ref);
    assert_int_equal(find(&t, hash, 21), 0);
    tern_flow_fini(&t);
}

/* V213 */
static void full_table_refuses_within_its_bound_and_stays_as_it_was(void **state)
{
    enum { N = 100000 };
    static struct tern_flow_bucket before[N / 8];
    struct tern_flow_table t;
    uint32_t n_refused = 0, i = 0;
    (void)state;
    assert_int_equal(tern_flow_init(&t, N, -1), 0);
    while (n_refused < 100) {
        n_refused += fill(&t, 0, i, i + 1);
        i++;
    }
    assert_true(t.n_used > t.n_buckets * TERN_FLOW_SLOTS * 98 / 100);
    memcpy(before, t.buckets, tern_flow_bytes(&t));
    while (tern_flow_insert(&t, hash_of(i), i + 1) == 0) {
        memcpy(before, t.buckets, tern_flow_bytes(&t));
        i++;
    }
    assert_memory_equal(before, t.buckets, tern_flow_bytes(&t));
    tern_flow_fini(&t);
}

static void displaced_entry_is_found_replaced_and_removed(void **state)
{
    struct tern_flow_table t;
    (void)state;
    assert_int_equal(tern_flow_init(&t, 10, -1), 0);
    for (uint32_t ref = 1; ref <= 11; ref++)
        assert_int_equal(
            tern_flow_insert(&t, 0x1230, ref), 0); /* the eleventh goes away from home */
    assert_true(tern_flow_has_away(&t.buckets[0], 0x1230));
    assert_int_equal(find(&t, 0x1230, 11), 11);
    assert_true(tern_flow_replace(&t, 0x1230, 11, 99));
    assert_int_equal(find(&t, 0x1230, 11), 0);
    assert_int_equal(find(&t, 0x1230, 99), 99);
    assert_true(tern_flow_remove(&t, 0x1230, 99));
    assert_int_equal(t.buckets[0].away, 0);
    assert_int_equal(find(&t, 0x1230, 99), 0);
    tern_flow_fini(&t);
}

static void matches_are_of_the_home_bucket_or_the_other(void **state)
{
    struct tern_flow_table t;
    (void)state;
    assert_int_equal(tern_flow_init(&t, 10, -1), 0);
    assert_null(tern_flow_home_match(&t, 0x1230));
    assert_null(tern_flow_other_match(&t, 0x1230));
    for (uint32_t ref = 1; ref <= 10; ref++)
        assert_int_equal(tern_flow_insert(&t, 0x4560, ref), 0);
    assert_int_equal(tern_flow_insert(&t, 0x1230, 11), 0);
    tern_flow_prefetch(&t, 0x1230);
    assert_null(tern_flow_home_match(&t, 0x1230));
    assert_true(tern_flow_prefetch_other(&t, 0x1230));
    assert_int_equal(*tern_flow_other_match(&t, 0x1230), 11);
    assert_in_range(*tern_flow_home_match(&t, 0x4560), 1, 10);
    assert_null(tern_flow_home_match(&t, 0x7890));
    assert_true(tern_flow_remove(&t, 0x1230, 11));
    assert_false(tern_flow_prefetch_other(&t, 0x1230));
    tern_flow_fini(&t);
}

static void insertions_are_late_until_the_next_burst(void **state)
{
    enum { N = 32, OTHERS = 100000 };
    struct tern_flow_table t;
    uint32_t n_taken_for_late = 0;
    (void)state;
    assert_int_equal(tern_flow_init(&t, 1000, -1), 0);
    assert_int_equal(fill(&t, 0, 0, 10), 0);
    tern_flow_begin(&t);
    for (uint32_t i = 0; i < OTHERS; i++)
        assert_false(tern_flow_is_late(&t, hash_of(i)));
    assert_int_equal(fill(&t, OTHERS, 0, N), 0);
    for (uint32_t i = 0; i < N; i++)
        assert_true(tern_flow_is_late(&t, hash_of(OTHERS + i)));
    for (uint32_t i = 0; i < OTHERS; i++)
        n_taken_for_late += tern_flow_is_late(&t, hash_of(i));
    assert_in_range(n_taken_for_late, 1, OTHERS * N / 256 + OTHERS / 100);
    tern_flow_begin(&t);
    assert_false(tern_flow_is_late(&t, hash_of(OTHERS)));
    tern_flow_fini(&t);
}

static void remove_and_replace_of_an_absent_entry_are_false(void **state)
{
    struct tern_flow_table t;
    (void)state;
    assert_int_equal(tern_flow_init(&t, 10, -1), 0);
    assert_false(tern_flow_remove(&t, 0x1230, 1));
    assert_false(tern_flow_replace(&t, 0x1230, 1, 2));
    assert_int_equal(tern_flow_insert(&t, 0x1230, 1), 0);
    assert_false(tern_flow_remove(&t, 0x1230, 2));
    assert_false(tern_flow_remove(&t, 0x4560, 1));
    assert_false(tern_flow_replace(&t, 0x1230, 2, 3));
    assert_false(tern_flow_replace(&t, 0x4560, 1, 3));
    assert_int_equal(t.n_used, 1);
    assert_int_equal(find(&t, 0x1230, 1), 1);
    tern_flow_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_equal_is_what_the_scalar_twin_says),
        cmocka_unit_test(other_is_an_involution_without_fixed_points),
        cmocka_unit_test(place_never_gives_the_empty_tag),
        cmocka_unit_test(init_bad_size_is_einval),
        cmocka_unit_test(init_without_memory_is_enomem),
        cmocka_unit_test(entry_costs_at_most_8_bytes_at_a_load_of_at_most_0_9),
        cmocka_unit_test(bytes_are_those_planned),
        cmocka_unit_test(n_entries_max_always_fit),
        cmocka_unit_test(load_0_9_refuses_at_most_one_in_a_million),
        cmocka_unit_test(churn_at_load_0_9_refuses_nothing),
        cmocka_unit_test(one_hash_fills_its_two_buckets_then_is_refused),
        cmocka_unit_test(full_table_refuses_within_its_bound_and_stays_as_it_was),
        cmocka_unit_test(displaced_entry_is_found_replaced_and_removed),
        cmocka_unit_test(matches_are_of_the_home_bucket_or_the_other),
        cmocka_unit_test(insertions_are_late_until_the_next_burst),
        cmocka_unit_test(remove_and_replace_of_an_absent_entry_are_false),
    };
    return cmocka_run_group_tests_name("flow_table", tests, NULL, NULL);
}
