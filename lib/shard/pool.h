/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A fixed number of equal records under 32-bit indices. Index 0 is nobody's: it means "none" in
 * every link, table and timer of a shard, and zeroed memory is full of it.
 *
 *   [ 0: never used ][ 1 ][ 2 ] ... [ fresh ) never touched so far ... [ capacity ]
 *
 * Free records are handed out last in, first out: the last is still in the cache. Their numbers are
 * noted in the first line of every sixteenth of them, a sheet, and sheets form a list. A list
 * through each of them would have every get wait for memory, because only the record just taken
 * knows the next; a sheet tells what comes next early enough to ask memory for it. Records that
 * were never handed out are on no sheet: a mark moves over them, and memory that no one asked for
 * is never faulted in.
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

struct tern_pool_sheet;

struct tern_pool {
    uint8_t *base;     /**< record i is at base + i * stride */
    uint32_t stride;   /**< bytes, a multiple of TERN_POOL_ALIGN */
    uint32_t capacity; /**< records, 1..capacity */
    uint32_t n_used;   /**< = handed out and not put back */
    uint32_t fresh;    /**< lowest index never handed out; capacity + 1 when all were */
    uint32_t sheet;    /**< free record with the numbers of those freed after it, or 0 … */
    uint32_t n_on_sheet;
    struct tern_pool_sheet *top; /**< … where that is, or NULL */
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

/** Put a record back. Its first line becomes the pool's. */
static inline void tern_pool_put(struct tern_pool *pool, uint32_t idx);

/* ---- */

static inline void *tern_pool_at(const struct tern_pool *pool, uint32_t idx)
{
    assert(idx - 1 < pool->capacity);
    return pool->base + (size_t)idx * pool->stride;
}

enum {
    TERN_POOL_SHEET = 15, /* numbers on a sheet */
    TERN_POOL_AHEAD = 4,  /* records asked for before their turn */
};

/** What the first line of some free records holds. Only the top one is not full. */
struct tern_pool_sheet {
    uint32_t below;                 /**< the sheet under this one, 0: none */
    uint32_t free[TERN_POOL_SHEET]; /**< the last is the next to go */
};
static_assert(sizeof(struct tern_pool_sheet) == TERN_POOL_ALIGN, "a sheet is the smallest record");

/** Ask for a record that will be handed out soon, or for the sheet it is. */
static inline void tern_pool_prefetch(const struct tern_pool *pool, uint32_t idx)
{
    enum { FOR_WRITING = 1 };
    const uint8_t *record = pool->base + (size_t)idx * pool->stride;
    __builtin_prefetch(record, FOR_WRITING);
    __builtin_prefetch(record + pool->stride - TERN_POOL_ALIGN, FOR_WRITING);
}

/** A number of a sheet. */
static inline uint32_t tern_pool_read(const struct tern_pool *pool, uint32_t sheet, uint32_t at)
{
    const struct tern_pool_sheet *s = tern_pool_at(pool, sheet);
    tern_unpoison(s, sizeof *s);
    const uint32_t idx = s->free[at];
    tern_poison(s, sizeof *s);
    return idx;
}

/** As one of `n` numbers on the top sheet goes: ask for what goes TERN_POOL_AHEAD later. */
static inline void tern_pool_look_ahead(
    const struct tern_pool *pool, const struct tern_pool_sheet *top, uint32_t n)
{
    if (n > TERN_POOL_AHEAD)
        tern_pool_prefetch(pool, top->free[n - 1 - TERN_POOL_AHEAD]);
    else if (n < TERN_POOL_AHEAD && top->below != 0)
        tern_pool_prefetch(
            pool, tern_pool_read(pool, top->below, TERN_POOL_SHEET + n - TERN_POOL_AHEAD));
    if (n == 2 * TERN_POOL_AHEAD)
        tern_pool_prefetch(pool, top->below);
}

/** Make `idx` the top sheet, with `n` numbers on it; 0: there is none. */
static inline void tern_pool_turn_to(struct tern_pool *pool, uint32_t idx, uint32_t n)
{
    pool->sheet = idx;
    pool->top = idx != 0 ? tern_pool_at(pool, idx) : NULL;
    pool->n_on_sheet = n;
}

/** The next number of the top sheet; the sheet itself when it is empty. */
static inline uint32_t tern_pool_take(struct tern_pool *pool, const struct tern_pool_sheet *top)
{
    const uint32_t n = pool->n_on_sheet;
    tern_pool_look_ahead(pool, top, n);
    if (n == 0) {
        const uint32_t idx = pool->sheet;
        tern_pool_turn_to(pool, top->below, top->below != 0 ? TERN_POOL_SHEET : 0);
        return idx;
    }
    pool->n_on_sheet = n - 1;
    return top->free[n - 1];
}

static inline uint32_t tern_pool_get(struct tern_pool *pool)
{
    uint32_t idx;
    const struct tern_pool_sheet *top = pool->top;
    if (top != NULL) {
        tern_unpoison(top, sizeof *top);
        idx = tern_pool_take(pool, top);
        tern_poison(top, sizeof *top);
        tern_unpoison(pool->base + (size_t)idx * pool->stride, pool->stride);
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
    struct tern_pool_sheet *top = pool->top;
    assert(pool->n_used > 0 && idx - 1 < pool->fresh - 1);
    if (top == NULL || pool->n_on_sheet == TERN_POOL_SHEET) {
        const uint32_t below = pool->sheet;
        tern_pool_turn_to(pool, idx, 0);
        pool->top->below = below;
    } else {
        tern_unpoison(top, sizeof *top);
        top->free[pool->n_on_sheet++] = idx;
        tern_poison(top, sizeof *top);
    }
    tern_poison(pool->base + (size_t)idx * pool->stride, pool->stride);
    pool->n_used--;
}
