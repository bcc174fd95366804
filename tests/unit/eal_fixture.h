/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * mbufs in a unit test: an EAL without hugepages, devices or files, and pools that tell whether
 * everything came back. EAL starts once a process, so call eal_up() in the group's setup.
 * (DPDK 22.11 refuses --in-memory beside --no-huge; --no-shconf leaves no file behind either.)
 */
#include "unit.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <sched.h>
#include <stdio.h>

enum { EAL_MBUF_PRIV_BYTES = 16, EAL_MBUF_ROOM_BYTES = RTE_MBUF_DEFAULT_BUF_SIZE };

/** A cmocka group setup. The main lcore is whichever CPU this runs on. */
static inline int eal_up(void **state)
{
    char lcores[32];
    char *argv[] = {(char *)"unit", (char *)"--no-huge", (char *)"--no-pci", (char *)"--no-shconf",
        (char *)"-m", (char *)"64", (char *)"--no-telemetry", (char *)"--log-level=error", lcores,
        NULL};
    (void)state;
    snprintf(lcores, sizeof lcores, "--lcores=0@%d", sched_getcpu());
    return rte_eal_init((int)(sizeof argv / sizeof argv[0]) - 1, argv) < 0;
}

/** Its teardown. */
static inline int eal_down(void **state)
{
    (void)state;
    return rte_eal_cleanup();
}

/** A pool of `n` mbufs without cache, so that its free count is exact. */
static inline struct rte_mempool *eal_pool_new(const char *name, unsigned n)
{
    struct rte_mempool *pool = rte_pktmbuf_pool_create(
        name, n, 0, EAL_MBUF_PRIV_BYTES, EAL_MBUF_ROOM_BYTES, SOCKET_ID_ANY);
    assert_non_null(pool);
    return pool;
}

/** Give a pool back; fails the test when an mbuf is still out. */
static inline void eal_pool_free(struct rte_mempool *pool)
{
    assert_int_equal(rte_mempool_in_use_count(pool), 0);
    rte_mempool_free(pool);
}

/** An mbuf that carries `n_bytes` copied bytes behind the usual headroom. */
static inline struct rte_mbuf *eal_mbuf_of(
    struct rte_mempool *pool, const void *bytes, uint16_t n_bytes)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    assert_non_null(m);
    memcpy(rte_pktmbuf_append(m, n_bytes), bytes, n_bytes);
    return m;
}
