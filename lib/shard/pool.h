/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A fixed number of equal records under 32-bit indices. Index 0 is nobody's: it means "none" in
 * every link, table and timer of a shard, and zeroed memory is full of it.
 *
 *   [ 0: never used ][ 1 ][ 2 ] ... [ fresh ) never touched so far ... [ capacity ]
 *
 * Free records form a LIFO list through their own first four bytes, so the next record handed out
 * is the one that is still in the cache. Records that were never handed out are on no list: a mark
 * moves over them, and memory that no one asked for is never faulted in.
 *
 * Under AddressSanitizer a free record is poisoned: reading through a stale index is a report.
 */
#include "poison.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    TERN_POOL_ALIGN = 64, /* strides are multiples of a cache line, and the base lies on one */
};

struct tern_pool {
    uint8_t *base;      /**< record i is at base + i * stride */
    uint32_t stride;    /**< bytes, a multiple of TERN_POOL_ALIGN */
    uint32_t capacity;  /**< records, 1..capacity */
    uint32_t n_used;    /**< = handed out and not put back */
    uint32_t fresh;     /**< lowest index never handed out; capacity + 1 when all were */
    uint32_t free_head; /**< last record put back, or 0 */
};

/**
 * Take memory for `capacity` records (and one for index 0, which stays untouched).
 *
 * @param stride    bytes a record, a multiple of TERN_POOL_ALIGN
 * @param capacity  1..UINT32_MAX - 1
 * @param numa_node as for tern_arena_map()
 * @return          0, -EINVAL, -ENOMEM
 */
__attribute__((warn_unused_result)) int tern_pool_init(
    struct tern_pool *pool, uint32_t stride, uint32_t capacity, int numa_node);

/** Give the memory back. Also right for a zeroed pool and for one whose init failed. */
void tern_pool_fini(struct tern_pool *pool);

/** Bytes a pool of this shape takes, for the memory plan. */
static inline size_t tern_pool_bytes(uint32_t stride, uint32_t capacity)
{
    return (size_t)stride * ((size_t)capacity + 1);
}

/** The record of `idx`, 1..capacity. */
static inline void *tern_pool_at(const struct tern_pool *pool, uint32_t idx);

/** A record, or 0: all are in use. Its bytes are what its last owner left (zero if it had none). */
static inline uint32_t tern_pool_get(struct tern_pool *pool);

/** Put a record back. Its first four bytes become the pool's. */
static inline void tern_pool_put(struct tern_pool *pool, uint32_t idx);

/* ---- */

static inline void *tern_pool_at(const struct tern_pool *pool, uint32_t idx)
{
    assert(idx - 1 < pool->capacity);
    return pool->base + (size_t)idx * pool->stride;
}

static inline uint32_t tern_pool_get(struct tern_pool *pool)
{
    uint32_t idx = pool->free_head;
    if (idx != 0) {
        const void *record = tern_pool_at(pool, idx);
        tern_unpoison(record, pool->stride);
        memcpy(&pool->free_head, record, sizeof pool->free_head);
    } else {
        if (pool->fresh > pool->capacity)
            return 0;
        idx = pool->fresh++;
    }
    pool->n_used++;
    return idx;
}

static inline void tern_pool_put(struct tern_pool *pool, uint32_t idx)
{
    assert(pool->n_used > 0 && idx < pool->fresh);
    void *record = tern_pool_at(pool, idx);
    memcpy(record, &pool->free_head, sizeof pool->free_head);
    tern_poison(record, pool->stride);
    pool->free_head = idx;
    pool->n_used--;
}
