/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include "arena.h"

#include <errno.h>

int tern_pool_init(struct tern_pool *pool, uint32_t stride, uint32_t capacity, int numa_node)
{
    *pool = (struct tern_pool){0};
    if (stride == 0 || stride % TERN_POOL_ALIGN != 0 || capacity == 0 || capacity == UINT32_MAX)
        return -EINVAL;
    uint8_t *base = tern_arena_map(tern_pool_bytes(stride, capacity), numa_node, NULL);
    if (base == NULL)
        return -ENOMEM;
    *pool = (struct tern_pool){.base = base, .stride = stride, .capacity = capacity, .fresh = 1};
    return 0;
}

void tern_pool_fini(struct tern_pool *pool)
{
    if (pool->base != NULL)
        tern_unpoison(pool->base, (size_t)pool->stride * pool->fresh);
    tern_arena_unmap(pool->base, tern_pool_bytes(pool->stride, pool->capacity));
    *pool = (struct tern_pool){0};
}
