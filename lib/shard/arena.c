/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why not malloc, and why not rte_malloc: a table of some hundred megabytes that is read at random
 * wants huge pages (a miss in the TLB costs about what a miss in the cache does) and one NUMA node.
 * malloc promises neither, and rte_malloc would tie the tables, and every test of them, to a
 * running EAL.
 *
 * Reserved huge pages come first. mmap() without MAP_NORESERVE sets them aside or fails, so a
 * mapping that came back cannot die of SIGBUS at its first touch: there is no need to count free
 * pages, which another process could take in the meantime. Normal pages come last, aligned to 2 MiB
 * so that transparent huge pages can back all of them.
 *
 * The node is a preference (mbind MPOL_PREFERRED), not a bond: under a bond a node that has run out
 * of its huge pages kills the process. numa_tonode_memory() was rejected for that, and because it
 * writes to stderr, or exits, where mbind is forbidden, as it is in many containers.
 *
 * A mapping carries no header with its page size: that would cost a whole page in front. See
 * tern_arena_unmap() for how it is known again.
 */
#include "arena.h"

#include <numa.h>
#include <numaif.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MAP_HUGE_SHIFT
#    define MAP_HUGE_SHIFT 26
#endif

enum {
    NORMAL_PAGE_LOG2 = 12,
    PAGE_2M_LOG2 = 21,
    PAGE_1G_LOG2 = 30,
    NODES_MAX = 1024, /* bits in the mask handed to mbind */
};

static _Thread_local int fail_after = -1;

void tern_arena_set_fail_after(int n_maps)
{
    fail_after = n_maps;
}

static bool fails_on_demand(void)
{
    if (fail_after > 0)
        fail_after--;
    else if (fail_after == 0)
        return true;
    return false;
}

static size_t round_up(size_t n_bytes, uint32_t page_log2)
{
    const size_t mask = ((size_t)1 << page_log2) - 1;
    return (n_bytes + mask) & ~mask;
}

static void *map_anonymous(size_t n_bytes, int more_flags)
{
    void *at = mmap(
        NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void *map_huge(size_t n_bytes, uint32_t page_log2)
{
    if (n_bytes >> page_log2 == 0)
        return NULL;
    return map_anonymous(
        round_up(n_bytes, page_log2), MAP_HUGETLB | (int)(page_log2 << MAP_HUGE_SHIFT));
}

/** Map a multiple of 2 MiB on a 2 MiB boundary: map almost one more and cut both ends. */
static void *map_aligned_2m(size_t n_bytes)
{
    const size_t slack = ((size_t)1 << PAGE_2M_LOG2) - ((size_t)1 << NORMAL_PAGE_LOG2);
    uint8_t *raw = map_anonymous(n_bytes + slack, 0);
    if (raw == NULL)
        return NULL;
    const size_t head = round_up((uintptr_t)raw, PAGE_2M_LOG2) - (uintptr_t)raw;
    if (head != 0)
        munmap(raw, head);
    if (head != slack)
        munmap(raw + head + n_bytes, slack - head);
    return raw + head;
}

static void *map_normal(size_t n_bytes)
{
    if (n_bytes >> PAGE_2M_LOG2 == 0)
        return map_anonymous(round_up(n_bytes, NORMAL_PAGE_LOG2), 0);
    const size_t n_mapped = round_up(n_bytes, PAGE_2M_LOG2);
    void *at = map_aligned_2m(n_mapped);
    if (at != NULL)
        (void)madvise(at, n_mapped, MADV_HUGEPAGE); /* a wish: fails where the kernel has none */
    return at;
}

static void *map_best(size_t n_bytes, enum tern_pages *got)
{
    void *at = map_huge(n_bytes, PAGE_1G_LOG2);
    *got = TERN_PAGES_1G;
    if (at != NULL)
        return at;
    at = map_huge(n_bytes, PAGE_2M_LOG2);
    *got = TERN_PAGES_2M;
    if (at != NULL)
        return at;
    *got = TERN_PAGES_NORMAL;
    return map_normal(n_bytes);
}

/** Ask for a node. A wish: whoever wants to know looks where the pages are. */
static void wish_for_node(void *at, size_t n_bytes, int numa_node, unsigned flags)
{
    enum { WORD_BITS = 8 * sizeof(unsigned long) };
    unsigned long mask[NODES_MAX / WORD_BITS] = {0};

    if (n_bytes == 0 || numa_node < 0 || numa_node >= NODES_MAX || numa_available() < 0)
        return;
    mask[numa_node / WORD_BITS] = 1ul << (numa_node % WORD_BITS);
    (void)mbind(at, n_bytes, MPOL_PREFERRED, mask, NODES_MAX, flags);
}

/** Before the first touch. The range must end with a page, or it would cut a huge one, which the
 * kernel refuses. */
static void prefer_node(void *at, size_t n_bytes, enum tern_pages pages, int numa_node)
{
    static const uint32_t page_log2[] = {
        [TERN_PAGES_NORMAL] = NORMAL_PAGE_LOG2,
        [TERN_PAGES_2M] = PAGE_2M_LOG2,
        [TERN_PAGES_1G] = PAGE_1G_LOG2,
    };
    wish_for_node(at, round_up(n_bytes, page_log2[pages]), numa_node, 0);
}

void tern_arena_prefer(void *at, size_t n_bytes, int numa_node)
{
    const uintptr_t page_mask = ((uintptr_t)1 << NORMAL_PAGE_LOG2) - 1;
    const uintptr_t from = round_up((uintptr_t)at, NORMAL_PAGE_LOG2);
    const uintptr_t to = ((uintptr_t)at + n_bytes) & ~page_mask;
    if (to > from)
        wish_for_node((void *)from, to - from, numa_node, MPOL_MF_MOVE);
}

void *tern_arena_map(size_t n_bytes, int numa_node, enum tern_pages *got)
{
    enum tern_pages pages = TERN_PAGES_NORMAL;

    if (n_bytes == 0 || n_bytes > PTRDIFF_MAX || fails_on_demand())
        return NULL;
    void *at = map_best(n_bytes, &pages);
    if (at != NULL)
        prefer_node(at, n_bytes, pages, numa_node);
    if (got != NULL)
        *got = pages;
    return at;
}

/*
 * The length to unmap is n_bytes rounded up to the pages that were mapped. Which ones they were,
 * the kernel knows: it refuses (EINVAL) to cut a huge page. So of the candidates, smallest first,
 * the first that it accepts is the right one: a smaller one would have to cut a page, or is as
 * long.
 */
void tern_arena_unmap(void *base, size_t n_bytes)
{
    if (base == NULL)
        return;
    const uint32_t smallest = n_bytes >> PAGE_2M_LOG2 == 0 ? NORMAL_PAGE_LOG2 : PAGE_2M_LOG2;
    if (munmap(base, round_up(n_bytes, smallest)) != 0)
        munmap(base, round_up(n_bytes, PAGE_1G_LOG2));
}
