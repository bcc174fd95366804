/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Memory for the stateful targets, made so that the address sanitizer sees what it cannot see
 * otherwise, and so that an instance is opened and closed thousands of times a second:
 *
 *   tables   tern_arena_map() is replaced (this object comes before the library's): every table is
 *            a malloc block with red zones. Given back it is poisoned and kept, so that mapping it
 *            again costs no page faults.
 *   mbufs    one pool a process, with handlers of its own: a free buffer is poisoned as a whole,
 *            and the one freed longest ago is handed out first.
 *
 * Include from one file of a target.
 */
#include "fuzz.h"
#include "shard/arena.h"
#include "shard/poison.h"
#include "shard/shard.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <sched.h>
#include <stdio.h>

/* ---- tables ---- */

enum { TABLE_ALIGN = 64, TABLES_MAX = 128 };

/** Blocks that were given back, for the next table of their size. */
static struct {
    void *at;
    size_t n_bytes;
    bool in_use;
} tables[TABLES_MAX];

void *tern_arena_map(size_t n_bytes, int numa_node, enum tern_pages *got)
{
    (void)numa_node;
    int i = 0;
    while (i < TABLES_MAX && tables[i].at != NULL
           && (tables[i].in_use || tables[i].n_bytes != n_bytes))
        i++;
    if (i == TABLES_MAX)
        return NULL;
    if (tables[i].at == NULL && posix_memalign(&tables[i].at, TABLE_ALIGN, n_bytes) != 0)
        return NULL;
    tables[i].n_bytes = n_bytes;
    tables[i].in_use = true;
    tern_unpoison(tables[i].at, n_bytes);
    memset(tables[i].at, 0, n_bytes);
    if (got != NULL)
        *got = TERN_PAGES_NORMAL;
    return tables[i].at;
}

void tern_arena_unmap(void *base, size_t n_bytes)
{
    int i = 0;
    if (base == NULL)
        return;
    while (tables[i].at != base)
        assert(++i < TABLES_MAX);
    assert(tables[i].in_use && tables[i].n_bytes == n_bytes);
    tables[i].in_use = false;
    tern_poison(base, n_bytes);
}

void tern_arena_set_fail_after(int n_maps)
{
    (void)n_maps;
}

/* ---- mbufs ---- */

/** Free buffers, first in first out. */
struct free_ring {
    uint32_t head, n, cap;
    bool poisons;
    void *obj[];
};

static int ring_alloc(struct rte_mempool *mp)
{
    struct free_ring *r = calloc(1, sizeof *r + mp->size * sizeof r->obj[0]);
    if (r == NULL)
        return -1;
    r->cap = mp->size;
    mp->pool_data = r;
    return 0;
}

static void ring_free(struct rte_mempool *mp)
{
    free(mp->pool_data);
}

static int ring_put(struct rte_mempool *mp, void *const *objs, unsigned n)
{
    struct free_ring *r = mp->pool_data;
    assert(r->n + n <= r->cap); /* else one was freed twice */
    for (unsigned i = 0; i < n; i++) {
        r->obj[(r->head + r->n++) % r->cap] = objs[i];
        if (r->poisons)
            tern_poison(objs[i], mp->elt_size);
    }
    return 0;
}

static int ring_get(struct rte_mempool *mp, void **objs, unsigned n)
{
    struct free_ring *r = mp->pool_data;
    if (r->n < n)
        return -ENOBUFS;
    for (unsigned i = 0; i < n; i++, r->n--) {
        objs[i] = r->obj[r->head];
        r->head = (r->head + 1) % r->cap;
        tern_unpoison(objs[i], mp->elt_size);
    }
    return 0;
}

static unsigned ring_count(const struct rte_mempool *mp)
{
    return ((const struct free_ring *)mp->pool_data)->n;
}

static const struct rte_mempool_ops ring_ops = {
    .name = "tern_fuzz",
    .alloc = ring_alloc,
    .free = ring_free,
    .enqueue = ring_put,
    .dequeue = ring_get,
    .get_count = ring_count,
};

static inline void eal_up(void)
{
    char lcores[32];
    snprintf(lcores, sizeof lcores, "--lcores=0@%d", sched_getcpu());
    char *argv[] = {(char *)"fuzz", (char *)"--no-huge", (char *)"--no-pci", (char *)"--no-shconf",
        (char *)"--no-telemetry", (char *)"-m", (char *)"64", (char *)"--log-level=error", lcores,
        NULL};
    if (rte_eal_init((int)(sizeof argv / sizeof argv[0]) - 1, argv) < 0)
        abort();
    if (rte_mempool_register_ops(&ring_ops) < 0)
        abort();
}

/** A pool of `n` buffers for MTUs up to 1500. EAL is started with the first. */
static inline struct rte_mempool *poisoned_pool(const char *name, uint32_t n)
{
    enum { ROOM_BYTES = RTE_PKTMBUF_HEADROOM + 2048 };
    static bool is_up;
    if (!is_up)
        eal_up();
    is_up = true;
    struct rte_mempool *mp = rte_pktmbuf_pool_create_by_ops(
        name, n, 0, TERN_MBUF_PRIV_BYTES, ROOM_BYTES, SOCKET_ID_ANY, ring_ops.name);
    if (mp == NULL)
        abort();
    struct free_ring *r = mp->pool_data;
    for (uint32_t i = 0; i < r->n; i++)
        tern_poison(r->obj[i], mp->elt_size);
    r->poisons = true;
    return mp;
}
