/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Big zeroed memory for tables, taken once at start: huge pages where they are reserved, on the
 * NUMA node of the worker that will read it. Nothing here is for the data path.
 */
#include <stddef.h>

/** The pages a mapping got, worst first. */
enum tern_pages {
    TERN_PAGES_NORMAL, /**< 4 KiB, and the kernel is asked for transparent huge pages */
    TERN_PAGES_2M,
    TERN_PAGES_1G,
};

/**
 * Map zeroed memory. Tries reserved pages of 1 GiB, then of 2 MiB (each only when `n_bytes` fills
 * at least one), then takes normal pages. Untouched normal pages cost nothing.
 *
 * @param n_bytes   > 0; rounded up to whole pages inside
 * @param numa_node preferred node, or -1: any. A wish: a full node spills, an unknown one is
 * ignored
 * @param got       what it became, may be NULL
 * @return          memory aligned to the page size, or NULL: out of memory or n_bytes impossible
 */
void *tern_arena_map(size_t n_bytes, int numa_node, enum tern_pages *got);

/**
 * The same wish for memory that somebody else mapped: for the whole pages in it. Those that were
 * touched already move.
 */
void tern_arena_prefer(void *at, size_t n_bytes, int numa_node);

/** Give a mapping back. `n_bytes` as it was asked for; `base` NULL does nothing. */
void tern_arena_unmap(void *base, size_t n_bytes);

/**
 * Test hook, nothing else calls it: on the calling thread the next `n_maps` calls of
 * tern_arena_map() succeed and all later ones fail. Negative: none fails (how a thread starts).
 */
void tern_arena_set_fail_after(int n_maps);
