/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Timers of a shard: a hierarchical wheel over the records of a pool. A record has one node, which
 * holds its nearest deadline; the record itself knows what for. How it works is told on top of
 * wheel.c.
 *
 * Time is counted in ticks on a circle of 2^32 (6.5 days). A due tick fires in the first advance to
 * that tick or beyond, never before. Arming is lazy: a node that is armed stays where it is when
 * its deadline moves away, fires as it was armed, and its owner arms it again with the deadline of
 * now.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TERN_TICK_NS_LOG2 = 17, /* a tick is 131072 ns */
    TERN_WHEEL_LEVELS = 4,
    TERN_WHEEL_SLOTS = 512,
    TERN_WHEEL_LANES = 16, /* the heads of a slot are a cache line */
};

/** Furthest deadline, in ticks from now (39 h). What is further off is armed for this instead. */
#define TERN_WHEEL_SPAN (UINT32_C(1) << 30)

/** What a record holds at node_offset, as three members of its own: seen as this struct, too, which
 * the compiler must know. Zeroed: not armed. */
struct __attribute__((may_alias)) tern_wheel_node {
    uint32_t next; /**< record behind this one in its list, or 0 */
    uint32_t prev; /**< record before it, or the list head it hangs on; 0: not armed */
    uint32_t due;  /**< tick it will fire at, while armed */
};

struct tern_wheel {
    uint8_t *nodes;     /**< node i is at nodes + i * stride */
    uint32_t stride;    /**< bytes */
    uint32_t now;       /**< tick of the last advance; behind the caller's while it returns max */
    uint32_t n_armed;   /**< = nodes in all lists */
    uint32_t next_lane; /**< round robin */
    uint32_t *heads;    /**< [levels][slots][lanes] first node of each list, or 0 */
    /** Bit 0: the slot is empty; 1: it was not, but may be since a cancel. */
    uint64_t occupied[TERN_WHEEL_LEVELS][TERN_WHEEL_SLOTS / 64];
};

/**
 * @param base          record i is at base + i * stride, as in a pool; outlives the wheel
 * @param stride        bytes
 * @param node_offset   where in a record its struct tern_wheel_node is, a multiple of 4
 * @param now_tick      where time starts
 * @param numa_node     as for tern_arena_map()
 * @return              0, -EINVAL, -ENOMEM
 */
__attribute__((warn_unused_result)) int tern_wheel_init(struct tern_wheel *w, void *base,
    uint32_t stride, uint32_t node_offset, uint32_t now_tick, int numa_node);

/** Give the wheel's memory back; the nodes are the caller's. Right for a zeroed wheel, too. */
void tern_wheel_fini(struct tern_wheel *w);

/** Bytes a wheel takes beside its nodes, for the memory plan. */
size_t tern_wheel_bytes(void);

/**
 * See to it that `idx` fires at `due` or, if it is armed for an earlier tick, then. A due that is
 * past fires in the next advance; one further than TERN_WHEEL_SPAN is cut to it.
 *
 * @param idx   1..2^31 - 1
 * Cost: O(1): nothing but a compare where the node is armed early enough.
 */
void tern_wheel_arm(struct tern_wheel *w, uint32_t idx, uint32_t due);

/** Disarm. Does nothing where `idx` is not armed. O(1). */
void tern_wheel_cancel(struct tern_wheel *w, uint32_t idx);

/** Is `idx` going to fire? */
static inline bool tern_wheel_is_armed(const struct tern_wheel *w, uint32_t idx);

/**
 * Move time to `now_tick` and take out what is due by then, earlier ticks first.
 *
 * While it returns `max` there may be more: call again with the same tick. In between, any index
 * may be armed, cancelled or freed (one that is in `expired` is not armed any more). A tick that is
 * behind the last one moves nothing.
 *
 * @param now_tick  less than 2^31 ticks (78 h) after the last one
 * @param expired   [max]
 * @param max       > 0
 * @return          expired indices, 0..max
 * Cost: O(expired), and at most three moves a node from arming to expiry, most of them made ahead
 * of time in small portions; time in which nothing happens costs the same however long it is.
 */
uint32_t tern_wheel_advance(
    struct tern_wheel *w, uint32_t now_tick, uint32_t *expired, uint32_t max);

/**
 * For callers who choose their time: the next tick that is worth advancing to. It is after the last
 * advance, and no later than the earliest deadline (but one tick after the last advance where a
 * deadline is past). Advancing to it may yield nothing yet; then ask again.
 *
 * @return  false: nothing is armed, *due is untouched
 */
bool tern_wheel_next(const struct tern_wheel *w, uint32_t *due);

/** The tick that `now_ns` is in. */
static inline uint32_t tern_tick_at(uint64_t now_ns)
{
    return (uint32_t)(now_ns >> TERN_TICK_NS_LOG2);
}

/** The first tick that starts no earlier than `deadline_ns`: what to arm for. */
static inline uint32_t tern_tick_not_before(uint64_t deadline_ns)
{
    return (uint32_t)((deadline_ns + (UINT64_C(1) << TERN_TICK_NS_LOG2) - 1) >> TERN_TICK_NS_LOG2);
}

/* ---- */

static inline struct tern_wheel_node *tern_wheel_node(const struct tern_wheel *w, uint32_t idx)
{
    return (struct tern_wheel_node *)(void *)(w->nodes + (size_t)idx * w->stride);
}

static inline bool tern_wheel_is_armed(const struct tern_wheel *w, uint32_t idx)
{
    return tern_wheel_node(w, idx)->prev != 0;
}
