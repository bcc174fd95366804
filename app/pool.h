/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Objects of one size for one worker: what an application keeps for a connection. A free list over
 * slabs that are taken as they are needed and given back at the end; get and put cost a few
 * instructions, and no two workers share a pool, so there is nothing to lock.
 */
#include <stddef.h>

struct app_pool {
    void *free;  /**< linked through the first word of each object */
    void *slabs; /**< linked through the first word of each slab */
    size_t object_bytes;
};

void app_pool_init(struct app_pool *p, size_t object_bytes);

/** An object, zeroed. @return NULL when memory is not to be had */
void *app_pool_get(struct app_pool *p);

void app_pool_put(struct app_pool *p, void *object);

/** Give the slabs back; every object dies with them. */
void app_pool_fini(struct app_pool *p);
