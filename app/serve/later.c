/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries carry the due time next to the pointer, so that finding a place reads the heap and not
 * the connections. With the same delay for all, an entry is put where it stays: one comparison.
 */
#include "later.h"

#include <assert.h>
#include <stdlib.h>

enum { PLACES_FIRST = 64, PLACES_MAX = 1 << 30 };

static bool is_before(const struct app_later_entry *a, const struct app_later_entry *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->turn < b->turn;
}

static void place(struct app_later *l, uint32_t i, const struct app_later_entry *e)
{
    l->heap[i] = *e;
    e->node->place = i + 1;
}

/* The hole at `i` moves up until `e` fits. */
static void rise(struct app_later *l, uint32_t i, const struct app_later_entry *e)
{
    while (i > 0 && is_before(e, &l->heap[(i - 1) / 2])) {
        place(l, i, &l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(l, i, e);
}

/* The hole at `i` moves down until `e` fits. */
static void sink(struct app_later *l, uint32_t i, const struct app_later_entry *e)
{
    for (uint32_t child; (child = 2 * i + 1) < l->n; i = child) {
        if (child + 1 < l->n && is_before(&l->heap[child + 1], &l->heap[child]))
            child++;
        if (!is_before(&l->heap[child], e))
            break;
        place(l, i, &l->heap[child]);
    }
    place(l, i, e);
}

static bool grow(struct app_later *l)
{
    const uint32_t n_max = l->n_max == 0 ? PLACES_FIRST : 2 * l->n_max;
    if (n_max > PLACES_MAX)
        return false;
    struct app_later_entry *heap = realloc(l->heap, n_max * sizeof *heap);
    if (heap == NULL)
        return false;
    l->heap = heap;
    l->n_max = n_max;
    return true;
}

void app_later_fini(struct app_later *l)
{
    free(l->heap);
    *l = (struct app_later){.n = 0};
}

bool app_later_put(struct app_later *l, struct app_later_node *node, uint64_t due_ns)
{
    assert(node->place == 0);
    if (l->n == l->n_max && !grow(l))
        return false;
    const struct app_later_entry e = {.due_ns = due_ns, .turn = l->turn++, .node = node};
    rise(l, l->n++, &e);
    return true;
}

void app_later_remove(struct app_later *l, struct app_later_node *node)
{
    if (node->place == 0)
        return;
    const uint32_t i = node->place - 1;
    assert(i < l->n && l->heap[i].node == node);
    const struct app_later_entry last = l->heap[--l->n];
    node->place = 0;
    if (i == l->n)
        return;
    if (i > 0 && is_before(&last, &l->heap[(i - 1) / 2]))
        rise(l, i, &last);
    else
        sink(l, i, &last);
}

struct app_later_node *app_later_take(struct app_later *l, uint64_t now_ns)
{
    if (l->n == 0 || l->heap[0].due_ns > now_ns)
        return NULL;
    struct app_later_node *node = l->heap[0].node;
    app_later_remove(l, node);
    return node;
}
