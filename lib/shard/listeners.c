/* SPDX-License-Identifier: BSD-3-Clause */
#include "listeners.h"

#include "arena.h"

#include <errno.h>

int tern_listeners_init(struct tern_listeners *l, uint32_t n_max, int numa_node)
{
    *l = (struct tern_listeners){.n_max = n_max};
    l->all = tern_arena_map(n_max * sizeof l->all[0], numa_node, NULL);
    l->by_port = tern_arena_map(TERN_PORTS * sizeof l->by_port[0], numa_node, NULL);
    if (l->all != NULL && l->by_port != NULL)
        return 0;
    tern_listeners_fini(l);
    return -ENOMEM;
}

void tern_listeners_fini(struct tern_listeners *l)
{
    tern_arena_unmap(l->all, l->n_max * sizeof l->all[0]);
    tern_arena_unmap(l->by_port, TERN_PORTS * sizeof l->by_port[0]);
    *l = (struct tern_listeners){0};
}

uint64_t tern_listeners_bytes(uint32_t n_max)
{
    return (uint64_t)n_max * sizeof(struct tern_listener) + TERN_PORTS * sizeof(uint16_t);
}

static bool same_place(const struct tern_listener *a, const struct tern_listener *b)
{
    return a->any_addr == b->any_addr && (a->any_addr || tern_addr_equal(&a->addr, &b->addr));
}

static bool is_taken(const struct tern_listeners *l, const struct tern_listener *what)
{
    for (uint16_t i = l->by_port[what->port]; i != 0; i = l->all[i - 1].next)
        if (same_place(&l->all[i - 1], what))
            return true;
    return false;
}

int tern_listeners_add(struct tern_listeners *l, const struct tern_listener *what)
{
    if (is_taken(l, what)) /* by a listener; what connects from the port is no matter (MUST-42) */
        return -EADDRINUSE;
    for (uint32_t i = 0; i < l->n_max; i++) {
        if (l->all[i].port != 0)
            continue;
        l->all[i] = *what;
        l->all[i].next = l->by_port[what->port];
        l->by_port[what->port] = (uint16_t)(i + 1);
        l->n_used++;
        return (int)i;
    }
    return -ENOSPC;
}

void tern_listeners_remove(struct tern_listeners *l, int id)
{
    if (id < 0 || (uint32_t)id >= l->n_max || l->all[id].port == 0)
        return;
    struct tern_listener *gone = &l->all[id];
    uint16_t *link = &l->by_port[gone->port];
    while (*link != id + 1)
        link = &l->all[*link - 1].next;
    *link = gone->next;
    *gone = (struct tern_listener){0};
    l->n_used--;
}
