/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory is counted before it is taken. mbufs are held by four things with a bound each: descriptor
 * rings, the rings and queues between workers, per-thread caches, and connections. The first three
 * are summed in full, so that a pool can never run dry by itself; connections get a share that
 * grows with their number, as most hold nothing at any moment, and the reserve pool keeps control
 * packets going when they hold more.
 *
 * mbufs lie densely, across page borders, where all addresses are virtual: page by page, 4 KiB
 * pages would take 4 KiB an mbuf and put every header on the same few cache sets. AF_XDP is the
 * exception: the kernel takes no buffer that crosses a page, and DPDK registers the pool as n times
 * the size of an mbuf from the first one on. So with gaps at the ends of pages the last mbufs would
 * lie outside, and each would be lost when its turn came; a power of two leaves no gaps.
 */
#include "memory.h"

#include "error.h"
#include "shard/arena.h"
#include "shard/shard.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HUGEPAGES_DIR "/sys/kernel/mm/hugepages/hugepages-"
#define CGROUP_DIR    "/sys/fs/cgroup/memory."

enum {
    DATA_MBUFS_MIN = 8192,
    DATA_MBUFS_MAX = 131072,
    ROOM_BYTES_MIN = RTE_MBUF_DEFAULT_BUF_SIZE,
    CACHED_SUM = 32 * TERN_POOL_CACHE_MAX, /* of one pool, by all threads */
    XDP_HEADROOM_BYTES = 256,
    FRAME_EXTRA_BYTES = 14 + 4 + 4, /* Ethernet, one tag, check sequence */
    ROOM_ALIGN_BYTES = 64,
    MIB = 1 << 20,
    PAGE_2M_BYTES = 2 << 20,
    TABLES_OF_A_WORKER = 20, /* pools, flow table, wheels, neighbours, listeners: some more */
};

uint32_t tern_mbufs_for_data(uint32_t conns_max)
{
    return RTE_MIN(RTE_MAX(conns_max / 8, (uint32_t)DATA_MBUFS_MIN), (uint32_t)DATA_MBUFS_MAX);
}

uint32_t tern_pool_cache(uint32_t n_threads)
{
    return RTE_MIN(CACHED_SUM / n_threads, (uint32_t)TERN_POOL_CACHE_MAX);
}

uint32_t tern_pool_size(const struct tern_pool_need *need)
{
    /* A cache holds up to one and a half times its size before it is flushed. */
    return need->n_rx_desc + need->n_tx_desc + need->n_mailbox + need->n_outbox + need->n_held
           + need->n_data + need->n_threads * tern_pool_cache(need->n_threads) * 3 / 2
           + TERN_BURST_MAX;
}

static unsigned pool_flags(enum tern_pool_layout layout)
{
    switch (layout) {
    case TERN_POOL_DENSE: return RTE_MEMPOOL_F_NO_IOVA_CONTIG;
    case TERN_POOL_PAGED: return 0;
    case TERN_POOL_UMEM: return RTE_MEMPOOL_F_NO_SPREAD; /* no cache lines between */
    }
    return 0;
}

static uint32_t element_bytes(uint16_t room_bytes)
{
    return (uint32_t)sizeof(struct rte_mbuf) + TERN_MBUF_PRIV_BYTES + room_bytes;
}

uint64_t tern_mbuf_bytes(uint16_t room_bytes, enum tern_pool_layout layout)
{
    return rte_mempool_calc_obj_size(element_bytes(room_bytes), pool_flags(layout), NULL);
}

uint16_t tern_mbuf_room_bytes(uint32_t mtu_bytes, enum tern_pool_layout layout)
{
    const uint32_t frame =
        RTE_PKTMBUF_HEADROOM + XDP_HEADROOM_BYTES + mtu_bytes + FRAME_EXTRA_BYTES;
    const uint16_t room =
        (uint16_t)RTE_ALIGN_CEIL(RTE_MAX(frame, (uint32_t)ROOM_BYTES_MIN), ROOM_ALIGN_BYTES);
    const uint64_t n_bytes = tern_mbuf_bytes(room, layout);
    return layout == TERN_POOL_UMEM ? (uint16_t)(room + rte_align64pow2(n_bytes) - n_bytes) : room;
}

/** The number behind `key` in a file, or the first number in it (key NULL). */
static uint64_t read_number(const char *path, const char *key, uint64_t otherwise)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return otherwise;
    char line[128];
    uint64_t value = otherwise;
    const size_t n_key = key != NULL ? strlen(key) : 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (n_key == 0 || strncmp(line, key, n_key) == 0) {
            if (sscanf(line + n_key, "%" SCNu64, &value) != 1)
                value = otherwise;
            break;
        }
    fclose(f);
    return value;
}

void tern_memory_free_read(struct tern_memory_free *out)
{
    static const uint64_t page_kib[] = {1 << 20, 2048}; /* the larger ones first, as EAL does */
    *out = (struct tern_memory_free){0};
    out->ram_bytes = read_number("/proc/meminfo", "MemAvailable:", 0) * 1024;

    const uint64_t limit = read_number(CGROUP_DIR "max", NULL, UINT64_MAX);
    const uint64_t used = read_number(CGROUP_DIR "current", NULL, 0);
    if (limit != UINT64_MAX)
        out->ram_bytes = RTE_MIN(out->ram_bytes, limit > used ? limit - used : 0);

    for (size_t i = 0; i < RTE_DIM(page_kib); i++) {
        char path[128];
        snprintf(path, sizeof path, HUGEPAGES_DIR "%" PRIu64 "kB/free_hugepages", page_kib[i]);
        const uint64_t n_free = read_number(path, NULL, 0);
        out->huge_bytes += n_free * page_kib[i] * 1024;
        if (n_free > 0 && out->huge_page_bytes == 0)
            out->huge_page_bytes = page_kib[i] * 1024;
    }
}

static uint64_t to_mib(uint64_t n_bytes)
{
    return (n_bytes + MIB - 1) / MIB;
}

/** Tables take huge pages first (shard/arena.c), each whole ones; counted on only where these hold
 * them all, and with pages so small that rounding does not matter. */
static bool tables_fit_huge_pages(
    const struct tern_memory_want *want, const struct tern_memory_free *there)
{
    const uint64_t mbuf_bytes = want->use_huge ? want->mbuf_bytes : 0;
    const uint64_t rounding = (uint64_t)want->n_workers * TABLES_OF_A_WORKER * PAGE_2M_BYTES;
    return there->huge_page_bytes == PAGE_2M_BYTES
           && want->table_bytes + rounding + mbuf_bytes <= there->huge_bytes;
}

int tern_memory_check(const struct tern_memory_want *want, const struct tern_memory_free *there,
    struct tern_error *err)
{
    const uint64_t tables = tables_fit_huge_pages(want, there) ? 0 : want->table_bytes;
    const uint64_t ram = tables + (want->use_huge ? 0 : want->mbuf_bytes);

    if (want->use_huge && want->mbuf_bytes > there->huge_bytes)
        return tern_fail(err, -ENOMEM,
            "too few hugepages: %s; the mbufs' %" PRIu64 " MiB do not fit into the %" PRIu64
            " MiB that are free; type: sysctl vm.nr_hugepages=%" PRIu64 ", or pass --no-huge",
            want->arithmetic, to_mib(want->mbuf_bytes), to_mib(there->huge_bytes),
            (want->mbuf_bytes >> 21) + 1);
    if (ram > there->ram_bytes)
        return tern_fail(err, -ENOMEM,
            "too little memory: %s; %" PRIu64 " MiB do not fit into the %" PRIu64
            " MiB that are free; allow fewer connections (--conns-max) or use fewer workers",
            want->arithmetic, to_mib(ram), to_mib(there->ram_bytes));
    return 0;
}

int tern_memory_socket(int node)
{
    return rte_eal_has_hugepages() ? node : SOCKET_ID_ANY;
}

static struct rte_mempool *pool_make(const char *name, uint32_t n, uint16_t room_bytes,
    uint32_t n_cached, enum tern_pool_layout layout, int socket)
{
    struct rte_pktmbuf_pool_private priv = {
        .mbuf_data_room_size = room_bytes,
        .mbuf_priv_size = TERN_MBUF_PRIV_BYTES,
    };
    struct rte_mempool *pool = rte_mempool_create_empty(
        name, n, element_bytes(room_bytes), n_cached, sizeof priv, socket, pool_flags(layout));
    if (pool == NULL)
        return NULL;
    rte_pktmbuf_pool_init(pool, &priv);
    if (rte_mempool_populate_default(pool) < 0) {
        rte_mempool_free(pool);
        return NULL;
    }
    return pool;
}

static void prefer_chunk(
    struct rte_mempool *pool, void *node, struct rte_mempool_memhdr *chunk, unsigned idx)
{
    (void)pool, (void)idx;
    tern_arena_prefer(chunk->addr, chunk->len, *(const int *)node);
}

struct rte_mempool *tern_pool_open(const char *name, uint32_t n, uint16_t room_bytes,
    uint32_t n_threads, enum tern_pool_layout layout, int node)
{
    const uint32_t n_cached = n_threads > 0 ? tern_pool_cache(n_threads) : 0;
    const int socket = tern_memory_socket(node);
    struct rte_mempool *pool = pool_make(name, n, room_bytes, n_cached, layout, socket);
    if (pool == NULL && socket != SOCKET_ID_ANY)
        pool = pool_make(name, n, room_bytes, n_cached, layout, SOCKET_ID_ANY);
    if (pool == NULL)
        return NULL;
    if (socket == SOCKET_ID_ANY)
        rte_mempool_mem_iter(pool, prefer_chunk, &node);
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

uint32_t tern_pool_close(struct rte_mempool *pool)
{
    if (pool == NULL)
        return 0;
    const uint32_t n_missing = rte_mempool_in_use_count(pool);
    rte_mempool_free(pool);
    return n_missing;
}
