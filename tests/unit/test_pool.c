/* SPDX-License-Identifier: BSD-3-Clause */
#include "shard/arena.h"
#include "shard/pool.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STRIDE = 128,
    CAPACITY = 5,
};

static struct tern_pool pool;

static int setup(void **state)
{
    (void)state;
    return tern_pool_init(&pool, STRIDE, CAPACITY, -1);
}

static int teardown(void **state)
{
    (void)state;
    tern_pool_fini(&pool);
    return 0;
}

/** Does `misuse` abort? It runs in a child that says nothing. */
static bool aborts(void (*misuse)(void))
{
    const pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        misuse();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void init_bad_shape_is_einval(void **state)
{
    struct tern_pool p;
    (void)state;
    assert_int_equal(tern_pool_init(&p, 0, 1, -1), -EINVAL);
    assert_int_equal(tern_pool_init(&p, 63, 1, -1), -EINVAL);
    assert_int_equal(tern_pool_init(&p, 96, 1, -1), -EINVAL);
    assert_int_equal(tern_pool_init(&p, 64, 0, -1), -EINVAL);
    assert_int_equal(tern_pool_init(&p, 64, UINT32_MAX, -1), -EINVAL);
    tern_pool_fini(&p);
}

static void init_without_memory_is_enomem(void **state)
{
    struct tern_pool p;
    (void)state;
    tern_arena_set_fail_after(0);
    assert_int_equal(tern_pool_init(&p, 64, 10, -1), -ENOMEM);
    tern_arena_set_fail_after(-1);
    assert_int_equal(tern_pool_init(&p, 1u << 31, UINT32_MAX - 1, -1), -ENOMEM);
    tern_pool_fini(&p);
    tern_pool_fini(&p);
}

static void get_hands_out_each_index_once_then_zero(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= CAPACITY; i++)
        assert_int_equal(tern_pool_get(&pool), i);
    assert_int_equal(tern_pool_get(&pool), 0);
    assert_int_equal(tern_pool_get(&pool), 0);
    assert_int_equal(pool.n_used, CAPACITY);
}

static void put_makes_last_in_first_out(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= CAPACITY; i++)
        tern_pool_get(&pool);
    tern_pool_put(&pool, 2);
    tern_pool_put(&pool, 5);
    tern_pool_put(&pool, 1);
    assert_int_equal(tern_pool_get(&pool), 1);
    assert_int_equal(tern_pool_get(&pool), 5);
    assert_int_equal(tern_pool_get(&pool), 2);
    assert_int_equal(tern_pool_get(&pool), 0);
}

static void get_prefers_used_records_to_fresh_ones(void **state)
{
    (void)state;
    assert_int_equal(tern_pool_get(&pool), 1);
    assert_int_equal(tern_pool_get(&pool), 2);
    tern_pool_put(&pool, 1);
    assert_int_equal(tern_pool_get(&pool), 1);
    assert_int_equal(tern_pool_get(&pool), 3);
}

static void records_are_aligned_apart_and_zero_when_fresh(void **state)
{
    static const uint8_t zeros[STRIDE];
    (void)state;
    for (uint32_t i = 1; i <= CAPACITY; i++) {
        uint8_t *record = tern_pool_at(&pool, tern_pool_get(&pool));
        assert_int_equal((uintptr_t)record % TERN_POOL_ALIGN, 0);
        assert_ptr_equal(record, pool.base + (size_t)i * STRIDE);
        assert_memory_equal(record, zeros, STRIDE);
        memset(record, 0xff, STRIDE);
    }
}

static void put_spares_all_but_the_first_line(void **state)
{
    (void)state;
    uint32_t idx = tern_pool_get(&pool);
    memset(tern_pool_at(&pool, idx), 0x77, STRIDE);
    tern_pool_put(&pool, idx);
    idx = tern_pool_get(&pool);
    const uint8_t *record = tern_pool_at(&pool, idx);
    for (uint32_t i = TERN_POOL_ALIGN; i < STRIDE; i++)
        assert_int_equal(record[i], 0x77);
}

static void memory_of_fresh_records_is_untouched(void **state)
{
    enum { N_RECORDS = 1 << 16, N_PAGES = (N_RECORDS + 1) * 64 / 4096 };
    static unsigned char resident[N_PAGES + 1];
    struct tern_pool big;
    uint32_t n = 0;
    (void)state;
    assert_int_equal(tern_pool_init(&big, 64, N_RECORDS, -1), 0);
    memset(tern_pool_at(&big, tern_pool_get(&big)), 1, 64);
    assert_int_equal(mincore(big.base, (size_t)N_PAGES * 4096, resident), 0);
    for (uint32_t i = 0; i < N_PAGES; i++)
        n += resident[i] & 1;
    assert_in_range(n, 1, 512);
    tern_pool_fini(&big);
}

static void misuse_at_zero(void)
{
    tern_pool_at(&pool, 0);
}

static void misuse_at_beyond_capacity(void)
{
    tern_pool_at(&pool, CAPACITY + 1);
}

static void misuse_put_zero(void)
{
    tern_pool_get(&pool);
    tern_pool_put(&pool, 0);
}

static void misuse_put_never_handed_out(void)
{
    tern_pool_get(&pool);
    tern_pool_put(&pool, 2);
}

static void misuse_put_into_full(void)
{
    tern_pool_put(&pool, tern_pool_get(&pool));
    tern_pool_put(&pool, 1);
}

static void misuse_asserts(void **state)
{
    (void)state;
    assert_true(aborts(misuse_at_zero));
    assert_true(aborts(misuse_at_beyond_capacity));
    assert_true(aborts(misuse_put_zero));
    assert_true(aborts(misuse_put_never_handed_out));
    assert_true(aborts(misuse_put_into_full));
}

#ifdef TERN_HAS_ASAN
static void free_records_are_poisoned(void **state)
{
    (void)state;
    const uint32_t idx = tern_pool_get(&pool);
    assert_false(__asan_address_is_poisoned(tern_pool_at(&pool, idx)));
    tern_pool_put(&pool, idx);
    assert_true(__asan_address_is_poisoned(tern_pool_at(&pool, idx)));
    tern_pool_get(&pool);
    assert_false(__asan_address_is_poisoned(tern_pool_at(&pool, idx)));
}
#else
static void free_records_are_poisoned(void **state)
{
    (void)state;
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_bad_shape_is_einval),
        cmocka_unit_test(init_without_memory_is_enomem),
        cmocka_unit_test_setup_teardown(get_hands_out_each_index_once_then_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(put_makes_last_in_first_out, setup, teardown),
        cmocka_unit_test_setup_teardown(get_prefers_used_records_to_fresh_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(
            records_are_aligned_apart_and_zero_when_fresh, setup, teardown),
        cmocka_unit_test_setup_teardown(put_spares_all_but_the_first_line, setup, teardown),
        cmocka_unit_test(memory_of_fresh_records_is_untouched),
        cmocka_unit_test_setup_teardown(misuse_asserts, setup, teardown),
        cmocka_unit_test_setup_teardown(free_records_are_poisoned, setup, teardown),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
