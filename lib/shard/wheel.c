/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four rings of slots, the slots of level l 256^l ticks wide. Two things differ from other wheels.
 *
 * Every ring is two turns long (a turn is 256 slots, one slot of the level above), and a node sits
 * on the lowest level whose current or next turn holds its deadline. So a slot can be emptied into
 * the level below a whole turn before its time, and each advance moves a few nodes of the slots
 * that come next. With rings of one turn all must move in the tick of the boundary: 306 ms for the
 * ten million connections of bench_wheel, against 1 ms at worst on a busy machine. What is left
 * over at the boundary moves then, so being on time never depends on the work ahead.
 *
 * Every slot has sixteen lists, its lanes, used in turn. Records are cold when their time comes and
 * a list is a chain of cache misses; sixteen chains overlap theirs: 60 ns a timer instead of 300.
 *
 * Links are record indices. The first node of a list has HEAD + the list's number as `prev`, so it
 * is taken out like any other, and `prev` is 0 only in a node that is not armed. The slot of `now`
 * on level 0 holds what is due, deadlines in the past included, and time does not move on before it
 * is empty; that is all a partial advance needs.
 *
 * Rejected: wheels that round far deadlines up and never cascade (12 % late); a heap (misses).
 */
#include "wheel.h"

#include "arena.h"

#include <assert.h>
#include <errno.h>

enum {
    TURN_LOG2 = 8,
    SLOT_MASK = TERN_WHEEL_SLOTS - 1,
    TOP = TERN_WHEEL_LEVELS - 1,
    BITMAP_WORDS = TERN_WHEEL_SLOTS / 64,
    AHEAD_MAX = 32, /* nodes moved ahead of their time in one advance */
};
#define HEAD (UINT32_C(1) << 31)

static_assert(TERN_WHEEL_SLOTS == 2 << TURN_LOG2, "a ring is two turns");
static_assert(TERN_WHEEL_LEVELS * TURN_LOG2 == 32, "the levels are the digits of a tick");

size_t tern_wheel_bytes(void)
{
    return sizeof(uint32_t) * TERN_WHEEL_LEVELS * TERN_WHEEL_SLOTS * TERN_WHEEL_LANES;
}

int tern_wheel_init(struct tern_wheel *w, void *base, uint32_t stride, uint32_t node_offset,
    uint32_t now_tick, int numa_node)
{
    *w = (struct tern_wheel){0};
    if (base == NULL || stride % 4 != 0 || node_offset % 4 != 0
        || (uint64_t)node_offset + sizeof(struct tern_wheel_node) > stride)
        return -EINVAL;
    w->heads = tern_arena_map(tern_wheel_bytes(), numa_node, NULL);
    if (w->heads == NULL)
        return -ENOMEM;
    w->nodes = (uint8_t *)base + node_offset;
    w->stride = stride;
    w->now = now_tick;
    return 0;
}

void tern_wheel_fini(struct tern_wheel *w)
{
    tern_arena_unmap(w->heads, tern_wheel_bytes());
    *w = (struct tern_wheel){0};
}

/* --- where a deadline belongs --- */

/** Slots of `level` that start after the one of `from`, up to the one of `to`. Right across the
 * wrap. */
static uint32_t slots_between(uint32_t from, uint32_t to, uint32_t level)
{
    const uint32_t shift = TURN_LOG2 * level;
    const uint32_t start = ~UINT32_C(0) << shift;
    return ((to & start) - (from & start)) >> shift;
}

static uint32_t slot_at(uint32_t tick, uint32_t level)
{
    return tick >> (TURN_LOG2 * level) & SLOT_MASK;
}

/** The lowest level whose current or next turn holds `due`, which is not before now. */
static uint32_t level_for(const struct tern_wheel *w, uint32_t due)
{
    uint32_t level = 0;
    while (level < TOP && slots_between(w->now, due, level + 1) > 1)
        level++;
    return level;
}

/* --- lists --- */

static uint32_t *lanes_of(const struct tern_wheel *w, uint32_t level, uint32_t slot)
{
    return &w->heads[(level * TERN_WHEEL_SLOTS + slot) * TERN_WHEEL_LANES];
}

static bool is_occupied(const struct tern_wheel *w, uint32_t level, uint32_t slot)
{
    return w->occupied[level][slot / 64] >> (slot % 64) & 1;
}

static void link_node(struct tern_wheel *w, uint32_t idx, uint32_t level, uint32_t slot)
{
    uint32_t *head = lanes_of(w, level, slot) + w->next_lane++ % TERN_WHEEL_LANES;
    struct tern_wheel_node *node = tern_wheel_node(w, idx);

    node->next = *head;
    node->prev = HEAD | (uint32_t)(head - w->heads);
    if (*head != 0)
        tern_wheel_node(w, *head)->prev = idx;
    *head = idx;
    w->occupied[level][slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void unlink_node(struct tern_wheel *w, struct tern_wheel_node *node)
{
    if (node->prev & HEAD)
        w->heads[node->prev & ~HEAD] = node->next;
    else
        tern_wheel_node(w, node->prev)->next = node->next;
    if (node->next != 0)
        tern_wheel_node(w, node->next)->prev = node->prev;
    node->next = 0;
    node->prev = 0;
}

/** Take a node out of the next lane that has one and ask for the line of the one behind it. */
static uint32_t pop_node(struct tern_wheel *w, uint32_t level, uint32_t slot)
{
    const uint32_t *lanes = lanes_of(w, level, slot);
    for (uint32_t i = 0; i < TERN_WHEEL_LANES; i++) {
        const uint32_t idx = lanes[w->next_lane++ % TERN_WHEEL_LANES];
        if (idx == 0)
            continue;
        struct tern_wheel_node *node = tern_wheel_node(w, idx);
        if (node->next != 0)
            __builtin_prefetch(tern_wheel_node(w, node->next), 1);
        unlink_node(w, node);
        return idx;
    }
    w->occupied[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    return 0;
}

/** Put a node where its deadline belongs, seen from now. */
static void place_node(struct tern_wheel *w, uint32_t idx)
{
    const uint32_t due = tern_wheel_node(w, idx)->due;
    const uint32_t level = level_for(w, due);
    link_node(w, idx, level, slot_at(due, level));
}

/* --- arm and cancel --- */

/** `due`, no earlier than now and no later than the span. */
static uint32_t clamp_due(const struct tern_wheel *w, uint32_t due)
{
    const int32_t ahead = (int32_t)(due - w->now);
    if (ahead < 0)
        return w->now;
    return (uint32_t)ahead > TERN_WHEEL_SPAN ? w->now + TERN_WHEEL_SPAN : due;
}

void tern_wheel_arm(struct tern_wheel *w, uint32_t idx, uint32_t due)
{
    struct tern_wheel_node *node = tern_wheel_node(w, idx);

    assert(idx != 0 && idx < HEAD);
    due = clamp_due(w, due);
    if (node->prev == 0) {
        w->n_armed++;
    } else {
        if ((int32_t)(due - node->due) >= 0)
            return;
        unlink_node(w, node);
    }
    node->due = due;
    place_node(w, idx);
}

void tern_wheel_cancel(struct tern_wheel *w, uint32_t idx)
{
    if (!tern_wheel_is_armed(w, idx))
        return;
    unlink_node(w, tern_wheel_node(w, idx));
    w->n_armed--;
}

/* --- time --- */

/**
 * Distance from slot `from` to the next occupied one behind it, 1..SLOTS; 0: the ring is empty. No
 * slot of the first word is two turns ahead, so the search need not come back to it.
 */
static uint32_t next_occupied(const uint64_t *bits, uint32_t from)
{
    const uint32_t first = (from + 1) & SLOT_MASK;
    uint64_t wanted = ~UINT64_C(0) << (first % 64);
    for (uint32_t i = 0; i < BITMAP_WORDS; i++) {
        const uint32_t at = (first / 64 + i) % BITMAP_WORDS;
        const uint64_t word = bits[at] & wanted;
        if (word != 0)
            return ((at * 64 + (uint32_t)__builtin_ctzll(word) - first) & SLOT_MASK) + 1;
        wanted = ~UINT64_C(0);
    }
    return 0;
}

/** Ticks from now to the start of the next occupied slot on any level; UINT32_MAX: there is none.
 */
static uint32_t ticks_to_next_slot(const struct tern_wheel *w)
{
    uint32_t nearest = UINT32_MAX;
    for (uint32_t level = 0; level < TERN_WHEEL_LEVELS; level++) {
        const uint32_t shift = TURN_LOG2 * level;
        const uint32_t distance = next_occupied(w->occupied[level], slot_at(w->now, level));
        if (distance == 0)
            continue;
        const uint32_t start = ((w->now >> shift) + distance) << shift;
        if (start - w->now < nearest)
            nearest = start - w->now;
    }
    return nearest;
}

/** Move up to `max` nodes of a slot to where they belong by now, which is on a lower level. */
static void cascade(struct tern_wheel *w, uint32_t level, uint32_t slot, uint32_t max)
{
    for (uint32_t i = 0; i < max && is_occupied(w, level, slot); i++) {
        const uint32_t idx = pop_node(w, level, slot);
        if (idx != 0)
            place_node(w, idx);
    }
}

/** Empty the slots that start now. No slot between the last tick and this one is occupied. */
static void enter_tick(struct tern_wheel *w, uint32_t tick)
{
    w->now = tick;
    for (uint32_t level = TOP; level > 0; level--)
        cascade(w, level, slot_at(tick, level), UINT32_MAX);
}

/** Move to the next tick where something happens, or to `limit`, which is after now. */
static void step(struct tern_wheel *w, uint32_t limit)
{
    uint32_t ahead = limit - w->now;
    if (ahead > 1) {
        const uint32_t next = ticks_to_next_slot(w);
        if (next < ahead)
            ahead = next;
    }
    enter_tick(w, w->now + ahead);
}

static uint32_t take_due(struct tern_wheel *w, uint32_t *expired, uint32_t max)
{
    const uint32_t slot = slot_at(w->now, 0);
    uint32_t n = 0;
    while (n < max && is_occupied(w, 0, slot)) {
        const uint32_t idx = pop_node(w, 0, slot);
        if (idx != 0)
            expired[n++] = idx;
    }
    w->n_armed -= n;
    return n;
}

/** A share of the work that the next boundary of each level will want to find done. */
static void work_ahead(struct tern_wheel *w)
{
    for (uint32_t level = 1; level < TERN_WHEEL_LEVELS; level++) {
        const uint32_t next_start = w->now + (UINT32_C(1) << (TURN_LOG2 * level));
        cascade(w, level, slot_at(next_start, level), AHEAD_MAX);
    }
}

uint32_t tern_wheel_advance(
    struct tern_wheel *w, uint32_t now_tick, uint32_t *expired, uint32_t max)
{
    uint32_t n = take_due(w, expired, max);
    while (n < max && (int32_t)(now_tick - w->now) > 0) {
        step(w, now_tick);
        n += take_due(w, expired + n, max - n);
    }
    work_ahead(w);
    return n;
}

bool tern_wheel_next(const struct tern_wheel *w, uint32_t *due)
{
    if (w->n_armed == 0)
        return false;
    const bool is_due = is_occupied(w, 0, slot_at(w->now, 0));
    *due = w->now + (is_due ? 1 : ticks_to_next_slot(w));
    return true;
}
