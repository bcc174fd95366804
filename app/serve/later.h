/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What is to be done later, in the order in which it falls due, and in the order of asking where
 * that is the same: a binary heap. The timers of the library were not taken for this: they count in
 * ticks of 131 µs, and a connection that has one needs a record of which there are few.
 *
 * A node lies in what it stands for, and says where in the heap it is, so that it can be taken out
 * when its connection ends first.
 */
#include <stdbool.h>
#include <stdint.h>

/** Zero: not in a queue. */
struct app_later_node {
    uint32_t place; /**< 1 + index in the heap */
};

struct app_later_entry {
    uint64_t due_ns, turn;
    struct app_later_node *node;
};

/** Zero: empty. */
struct app_later {
    struct app_later_entry *heap; /**< [n_max] the first n: parent of i is (i - 1) / 2 */
    uint32_t n, n_max;
    uint64_t turn;
};

/** Free the heap; the nodes are the caller's. */
void app_later_fini(struct app_later *l);

/** @param node  in no queue @return false without memory */
bool app_later_put(struct app_later *l, struct app_later_node *node, uint64_t due_ns);

/** The first that is due by `now_ns`, no longer in the queue; NULL: none. Cost: O(log n). */
struct app_later_node *app_later_take(struct app_later *l, uint64_t now_ns);

/** Not at all, then. Nothing happens to a node that is in no queue. Cost: O(log n). */
void app_later_remove(struct app_later *l, struct app_later_node *node);
