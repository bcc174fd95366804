/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slab is a header line and SLAB_OBJECTS objects. Objects are rounded up to cache lines: two
 * connections of one burst never fight over a line, and the link of a free object always fits.
 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64, SLAB_OBJECTS = 256 };

static void *next_of(const void *item)
{
    void *next;
    memcpy(&next, item, sizeof next);
    return next;
}

static void push(void **list, void *item)
{
    memcpy(item, list, sizeof *list);
    *list = item;
}

void app_pool_init(struct app_pool *p, size_t object_bytes)
{
    const size_t lines = (object_bytes + LINE_BYTES - 1) / LINE_BYTES;
    *p = (struct app_pool){.object_bytes = lines * LINE_BYTES};
}

static void add_slab(struct app_pool *p)
{
    char *slab = aligned_alloc(LINE_BYTES, LINE_BYTES + SLAB_OBJECTS * p->object_bytes);
    if (slab == NULL)
        return;
    push(&p->slabs, slab);
    for (size_t i = 0; i < SLAB_OBJECTS; i++)
        push(&p->free, slab + LINE_BYTES + i * p->object_bytes);
}

void *app_pool_get(struct app_pool *p)
{
    if (p->free == NULL)
        add_slab(p);
    void *object = p->free;
    if (object == NULL)
        return NULL;
    p->free = next_of(object);
    return memset(object, 0, p->object_bytes);
}

void app_pool_put(struct app_pool *p, void *object)
{
    push(&p->free, object);
}

void app_pool_fini(struct app_pool *p)
{
    for (void *slab = p->slabs, *next; slab != NULL; slab = next) {
        next = next_of(slab);
        free(slab);
    }
    *p = (struct app_pool){.object_bytes = p->object_bytes};
}
