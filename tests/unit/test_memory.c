/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout of mbuf pools. For AF_XDP, DPDK registers n × (bytes of an mbuf) from the page of the
 * first one on with the kernel; an mbuf beyond that, or across two pages, is lost when it is used.
 */
#include "eal_fixture.h"
#include "engine/memory.h"

#include <rte_common.h>

enum { MBUFS = 4000, PAGE_BYTES = 4096 };

struct extent {
    uintptr_t from, to;
    uint32_t n_bytes;
    bool crosses;
};

static void measure(struct rte_mempool *pool, void *arg, void *obj, unsigned idx)
{
    struct extent *e = arg;
    const uintptr_t at = (uintptr_t)obj - pool->header_size;
    (void)idx;
    e->from = RTE_MIN(e->from, at);
    e->to = RTE_MAX(e->to, at + e->n_bytes);
    e->crosses = e->crosses || at / PAGE_BYTES != (at + e->n_bytes - 1) / PAGE_BYTES;
}

static void umem_pool_lies_within_what_is_registered(void **state)
{
    (void)state;
    static const uint16_t mtus[] = {576, 1500, 3000};
    for (size_t i = 0; i < RTE_DIM(mtus); i++) {
        const uint16_t room = tern_mbuf_room_bytes(mtus[i], TERN_POOL_UMEM);
        struct rte_mempool *pool =
            tern_pool_open("umem", MBUFS, room, 1, TERN_POOL_UMEM, SOCKET_ID_ANY);
        assert_non_null(pool);
        struct extent e = {
            .from = UINTPTR_MAX, .n_bytes = (uint32_t)tern_mbuf_bytes(room, TERN_POOL_UMEM)};
        assert_int_equal(rte_mempool_obj_iter(pool, measure, &e), MBUFS);
        assert_int_equal(pool->nb_mem_chunks, 1);
        assert_int_equal(e.n_bytes, rte_mempool_calc_obj_size(pool->elt_size, pool->flags, NULL));
        assert_int_equal(e.from % PAGE_BYTES, 0);
        assert_int_equal(e.to - e.from, (uint64_t)MBUFS * e.n_bytes);
        assert_false(e.crosses);
        assert_true(room >= mtus[i] + RTE_PKTMBUF_HEADROOM);
        assert_int_equal(tern_pool_close(pool), 0);
    }
}

/** What 128 threads cache of a pool is what 32 do: memory grows with workers, not with their
 * square. */
static void caches_of_many_threads_are_bounded(void **state)
{
    (void)state;
    const uint32_t n_max = tern_pool_size(&(struct tern_pool_need){.n_threads = 32});
    for (uint32_t n = 1; n <= RTE_MAX_LCORE; n++) {
        const struct tern_pool_need need = {.n_threads = n};
        assert_in_range(tern_pool_size(&need), 1, n_max);
        assert_in_range(tern_pool_cache(n), 32, TERN_POOL_CACHE_MAX);
    }
    assert_int_equal(tern_pool_cache(2), TERN_POOL_CACHE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(umem_pool_lies_within_what_is_registered),
        cmocka_unit_test(caches_of_many_threads_are_bounded),
    };
    return cmocka_run_group_tests(tests, eal_up, eal_down);
}
