/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cuckoo table of whole cache lines. An entry, a tag and a reference but no key, lives in its
 * home bucket or, when that was full, in one other. Entries must move without their keys, so the
 * other bucket follows from (bucket, tag), alike in both directions: the two numbers add up to a
 * number that the tag gives. That sum is odd and n_buckets even, so one of the two is even and one
 * odd; the lowest bit of a tag is the parity of its home, which tells guests from those at home.
 *
 * A lookup reads the other bucket only if the home has counted out an entry with a similar tag.
 * One counter a bucket was not enough: after long churn at a load of 0.8, six homes in ten had
 * someone away; eight make it one in seven. Sending a guest home before an entry is put away makes
 * it one in ten, but reads the guests' homes, lines that nobody asked for early enough, at every
 * insertion into a full bucket (28 in 100): so that comes last.
 *
 * When both buckets are full, a breadth-first search over the other buckets of their entries looks
 * for an empty slot. It only reads; once it succeeds, the entries on the way move up, last first.
 * At a load of 0.9 it ends after a few buckets: the bound is for tables overfilled, and for peers
 * who have learnt to collide.
 *
 * Rejected: linear probing (one bad neighbourhood spoils its misses, tombstones rot under churn);
 * random evictions (no bound without undoing); XOR as the involution (needs a power of two, up to
 * half of the memory wasted); a common overflow area (the first thing an attack fills).
 */
#include "flow_table.h"

#include "arena.h"

#include <errno.h>
#include <string.h>

enum {
    NO_NODE = UINT16_MAX,
    ENTRIES_PER_BUCKET = 8, /* at n_entries_max: 64 / 8 = 8 bytes an entry, load 0.8 */
    SMALL_ENTRIES = 1000,
    AWAY_MAX = 15,    /* where a counter of tern_flow_bucket.away stays */
    SEEN_BITS = 1024, /* a table of up to so many buckets is searched without a gap */
};

/** A bucket that the search reached: by moving the entry in `slot` of `parent`'s bucket. */
struct search_node {
    uint32_t bucket;
    uint16_t parent; /* index of a node, NO_NODE: this is one of the two where the search began */
    uint16_t slot;
};

struct search {
    struct search_node node[TERN_FLOW_SEARCH_MAX];
    uint32_t n_nodes;
    uint64_t seen[SEEN_BITS / 64]; /* bit = bucket % SEEN_BITS: a collision only skips a bucket */
};

static uint32_t n_buckets_for(uint32_t n_entries_max)
{
    const uint32_t extra = n_entries_max < SMALL_ENTRIES ? 2 : 0;
    return (n_entries_max / ENTRIES_PER_BUCKET + extra) & ~1u;
}

size_t tern_flow_bytes_for(uint32_t n_entries_max)
{
    return n_buckets_for(n_entries_max) * sizeof(struct tern_flow_bucket);
}

size_t tern_flow_bytes(const struct tern_flow_table *t)
{
    return t->n_buckets * sizeof(struct tern_flow_bucket);
}

int tern_flow_init(struct tern_flow_table *t, uint32_t n_entries_max, int numa_node)
{
    *t = (struct tern_flow_table){0};
    if (n_entries_max == 0 || n_entries_max > TERN_FLOW_ENTRIES_MAX)
        return -EINVAL;
    t->buckets = tern_arena_map(tern_flow_bytes_for(n_entries_max), numa_node, NULL);
    if (t->buckets == NULL)
        return -ENOMEM;
    t->n_buckets = n_buckets_for(n_entries_max);
    return 0;
}

void tern_flow_fini(struct tern_flow_table *t)
{
    tern_arena_unmap(t->buckets, tern_flow_bytes(t));
    *t = (struct tern_flow_table){0};
}

static bool is_at_home(uint32_t bucket, uint16_t tag)
{
    return ((bucket ^ tag) & 1) == 0;
}

/** An entry with this tag, whose home is `b`, has left it. */
static void away_add(struct tern_flow_bucket *b, uint16_t tag)
{
    const uint32_t shift = tern_flow_away_shift(tag);
    if ((b->away >> shift & AWAY_MAX) != AWAY_MAX)
        b->away += 1u << shift;
}

/** It has come back, or is gone altogether. */
static void away_sub(struct tern_flow_bucket *b, uint16_t tag)
{
    const uint32_t shift = tern_flow_away_shift(tag);
    const uint32_t n = b->away >> shift & AWAY_MAX;
    assert(n != 0);
    if (n != AWAY_MAX)
        b->away -= 1u << shift;
}

/** Move the entry in `slot` of `from` to an empty slot of its other bucket, `to`. */
static void move_entry(struct tern_flow_table *t, uint32_t from, uint32_t slot, uint32_t to)
{
    struct tern_flow_bucket *a = &t->buckets[from];
    struct tern_flow_bucket *b = &t->buckets[to];
    const uint16_t tag = a->tag[slot];

    assert(tern_flow_other(t, from, tag) == to);
    const bool moved = tern_flow_bucket_put(b, tag, a->ref[slot]);
    assert(moved);
    (void)moved;
    if (is_at_home(from, tag))
        away_add(a, tag);
    else
        away_sub(b, tag);
    a->tag[slot] = 0;
    a->ref[slot] = 0;
}

/** Note that the search was at `bucket`. Returns true when it may have been there before. */
static bool search_saw(struct search *s, uint32_t bucket)
{
    uint64_t *word = &s->seen[bucket % SEEN_BITS / 64];
    const uint64_t bit = UINT64_C(1) << (bucket % 64);
    const bool before = (*word & bit) != 0;
    *word |= bit;
    return before;
}

static void search_add(struct search *s, uint32_t bucket, uint32_t parent, uint32_t slot)
{
    if (search_saw(s, bucket))
        return;
    s->node[s->n_nodes++] = (struct search_node){bucket, (uint16_t)parent, (uint16_t)slot};
}

/** Add the other buckets of all entries in the (full) bucket of `node`, as far as there is room. */
static void search_expand(struct search *s, const struct tern_flow_table *t, uint32_t node)
{
    const uint32_t bucket = s->node[node].bucket;
    const struct tern_flow_bucket *b = &t->buckets[bucket];
    for (uint32_t slot = 0; slot < TERN_FLOW_SLOTS && s->n_nodes < TERN_FLOW_SEARCH_MAX; slot++) {
        const uint32_t next = tern_flow_other(t, bucket, b->tag[slot]);
        __builtin_prefetch(&t->buckets[next]);
        search_add(s, next, node, slot);
    }
}

/** Breadth first: the nearest node with an empty slot, or NO_NODE. Reads only. */
static uint32_t search_run(struct search *s, const struct tern_flow_table *t)
{
    for (uint32_t node = 0; node < s->n_nodes; node++) {
        if (tern_flow_tags_equal(&t->buckets[s->node[node].bucket], 0) != 0)
            return node;
        search_expand(s, t, node);
    }
    return NO_NODE;
}

/** Move entries so that `home` or `other`, both full, gets an empty slot. */
static bool make_room(struct tern_flow_table *t, uint32_t home, uint32_t other)
{
    struct search s;
    s.n_nodes = 0;
    memset(s.seen, 0, sizeof s.seen);
    search_add(&s, home, NO_NODE, 0);
    search_add(&s, other, NO_NODE, 0);
    uint32_t node = search_run(&s, t);
    if (node == NO_NODE)
        return false;

    /* --- Point of no return: nothing above wrote to *t, nothing below can fail. --- */
    for (uint32_t parent; (parent = s.node[node].parent) != NO_NODE; node = parent)
        move_entry(t, s.node[parent].bucket, s.node[node].slot, s.node[node].bucket);
    return true;
}

/** Make room in a full bucket by sending one of its guests home, where the home has an empty slot.
 */
static bool send_guest_home(struct tern_flow_table *t, uint32_t bucket)
{
    const struct tern_flow_bucket *b = &t->buckets[bucket];
    for (uint32_t slot = 0; slot < TERN_FLOW_SLOTS; slot++) {
        if (is_at_home(bucket, b->tag[slot]))
            continue;
        const uint32_t home = tern_flow_other(t, bucket, b->tag[slot]);
        if (tern_flow_tags_equal(&t->buckets[home], 0) == 0)
            continue;
        move_entry(t, bucket, slot, home);
        return true;
    }
    return false;
}

/** Enter without moving anything away from its home. */
static bool put_near(
    struct tern_flow_table *t, uint32_t home, uint32_t other, uint16_t tag, uint32_t ref)
{
    if (tern_flow_bucket_put(&t->buckets[home], tag, ref))
        return true;
    if (tern_flow_bucket_put(
            &t->buckets[other], tag, ref)) { /* its line was asked for; guests' homes not */
        away_add(&t->buckets[home], tag);
        return true;
    }
    return send_guest_home(t, home) && tern_flow_bucket_put(&t->buckets[home], tag, ref);
}

int tern_flow_insert_away(struct tern_flow_table *t, struct tern_flow_place p, uint32_t ref)
{
    const uint32_t other = tern_flow_other(t, p.home, p.tag);
    if (put_near(t, p.home, other, p.tag, ref))
        return 0;
    if (!make_room(t, p.home, other))
        return -ENOSPC;
    const bool put = put_near(t, p.home, other, p.tag, ref);
    assert(put);
    (void)put;
    return 0;
}

/** Slot of the entry (tag, ref), or TERN_FLOW_SLOTS. */
static uint32_t slot_of(const struct tern_flow_bucket *b, uint16_t tag, uint32_t ref)
{
    for (uint32_t m = tern_flow_tags_equal(b, tag); m != 0; m &= m - 1) {
        const uint32_t slot = (uint32_t)__builtin_ctz(m);
        if (b->ref[slot] == ref)
            return slot;
    }
    return TERN_FLOW_SLOTS;
}

bool tern_flow_remove(struct tern_flow_table *t, uint64_t hash, uint32_t ref)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    struct tern_flow_bucket *home = &t->buckets[p.home];
    struct tern_flow_bucket *b = home;

    uint32_t slot = slot_of(b, p.tag, ref);
    if (slot == TERN_FLOW_SLOTS) {
        b = &t->buckets[tern_flow_other(t, p.home, p.tag)];
        slot = slot_of(b, p.tag, ref);
        if (slot == TERN_FLOW_SLOTS)
            return false;
        away_sub(home, p.tag);
    }
    b->tag[slot] = 0;
    b->ref[slot] = 0;
    t->n_used--;
    return true;
}

bool tern_flow_replace(struct tern_flow_table *t, uint64_t hash, uint32_t old_ref, uint32_t new_ref)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    struct tern_flow_bucket *b = &t->buckets[p.home];

    assert(new_ref != 0);
    uint32_t slot = slot_of(b, p.tag, old_ref);
    if (slot == TERN_FLOW_SLOTS) {
        b = &t->buckets[tern_flow_other(t, p.home, p.tag)];
        slot = slot_of(b, p.tag, old_ref);
    }
    if (slot == TERN_FLOW_SLOTS)
        return false;
    b->ref[slot] = new_ref;
    return true;
}
