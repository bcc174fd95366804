/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * From a keyed 64-bit hash of a 4-tuple to the 32-bit reference of its record. The table knows
 * neither key nor record: it finds entries whose tag equals, and asks the caller which one it is.
 * How it works is told on top of flow_table.c.
 *
 * Bits 32..63 of the hash choose the home bucket, bits 1..15 the tag: both must be unpredictable to
 * a peer, and no two live keys may be told apart by anything but the caller's `same`.
 *
 * For a burst, in rounds over all packets, each of which finds its lines in the cache:
 *
 *   1. tern_flow_prefetch()             the home bucket
 *   2. tern_flow_home_match()           the likely record, which the caller prefetches; where there
 *      tern_flow_prefetch_other()       is none, the other bucket
 *   3. tern_flow_other_match()          the likely record of these
 *   4. tern_flow_find()                 the answer
 *
 * Where 2 and 3 find nothing there is nothing, and 4 is not needed, unless one of the packets
 * before it has entered the key: tern_flow_is_late().
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#    include <emmintrin.h>
#endif

enum {
    TERN_FLOW_SLOTS = 10,       /* entries in a bucket */
    TERN_FLOW_SEARCH_MAX = 256, /* buckets an insertion looks at before it is refused */
    TERN_FLOW_LATELY = 4,       /* words of the note of late insertions */
    TERN_FLOW_ENTRIES_MAX = 1 << 30,
};

/** A cache line. Slot i is (tag[i], ref[i]), and it is empty iff tag[i] is 0. */
struct tern_flow_bucket {
    uint16_t tag[TERN_FLOW_SLOTS]; /**< bits 1..15: of the hash; bit 0: parity of the home bucket */
    uint32_t away;                 /**< who is not at home: eight counters, see below */
    uint32_t ref[TERN_FLOW_SLOTS];
};
static_assert(sizeof(struct tern_flow_bucket) == 64, "a bucket is a cache line");

struct tern_flow_table {
    struct tern_flow_bucket *buckets;  /**< [n_buckets] */
    uint32_t n_buckets;                /**< even */
    uint32_t n_used;                   /**< = entries in all slots */
    uint64_t lately[TERN_FLOW_LATELY]; /**< a bit for each hash inserted since it was cleared */
};

/** Is `ref` the record of the key that `ctx` holds? */
typedef bool tern_flow_same_fn(void *ctx, uint32_t ref);

/**
 * Take memory for a table that holds `n_entries_max` at a load of 0.8, at most 0.9 by rounding, at
 * 8 bytes an entry or less (from 1000 entries on; a smaller table has two buckets more, because
 * chance weighs more in it). More entries than that are accepted while they find room.
 *
 * @param n_entries_max 1..TERN_FLOW_ENTRIES_MAX
 * @param numa_node     as for tern_arena_map()
 * @return              0, -EINVAL, -ENOMEM
 */
__attribute__((warn_unused_result)) int tern_flow_init(
    struct tern_flow_table *t, uint32_t n_entries_max, int numa_node);

/** Give the memory back. Also right for a zeroed table and for one whose init failed. */
void tern_flow_fini(struct tern_flow_table *t);

/** Bytes of the buckets of a table for `n_entries_max`, for the memory plan. */
size_t tern_flow_bytes_for(uint32_t n_entries_max);

/** Bytes of the buckets of this table. */
size_t tern_flow_bytes(const struct tern_flow_table *t);

/**
 * Enter `ref` under `hash`. The caller knows that its key is not in the table.
 *
 * @param ref   not 0
 * @return      0, or -ENOSPC: no room within TERN_FLOW_SEARCH_MAX buckets, and nothing has changed
 * Cost: one bucket; two where the home bucket is full; some more where both are.
 */
__attribute__((warn_unused_result)) static inline int tern_flow_insert(
    struct tern_flow_table *t, uint64_t hash, uint32_t ref);

/** Take out the entry (hash, ref). False: there is none. */
bool tern_flow_remove(struct tern_flow_table *t, uint64_t hash, uint32_t ref);

/**
 * The key of (hash, old_ref) moves to another record: half-open to connection to TIME-WAIT.
 *
 * @param new_ref   not 0
 * @return          false: there is no such entry
 */
bool tern_flow_replace(
    struct tern_flow_table *t, uint64_t hash, uint32_t old_ref, uint32_t new_ref);

/** From here on insertions are late. */
static inline void tern_flow_begin(struct tern_flow_table *t);

/** May this hash have been inserted since tern_flow_begin()? Wrongly so for one in 256 of the
 * insertions since. */
static inline bool tern_flow_is_late(const struct tern_flow_table *t, uint64_t hash);

/** Ask for the home bucket's line. */
static inline void tern_flow_prefetch(const struct tern_flow_table *t, uint64_t hash);

/** The first reference of the home bucket whose tag fits: a guess. Or NULL. */
static inline uint32_t *tern_flow_home_match(const struct tern_flow_table *t, uint64_t hash);

/** Nothing fits in the home bucket: ask for the other bucket's line if a find will read it, or an
 * insertion. @return whether a find will */
static inline bool tern_flow_prefetch_other(const struct tern_flow_table *t, uint64_t hash);

/** The same as tern_flow_home_match(), of the other bucket. */
static inline uint32_t *tern_flow_other_match(const struct tern_flow_table *t, uint64_t hash);

/**
 * Look a key up.
 *
 * @param same  asked for each entry whose tag fits, until it says yes; inlined
 * @param ctx   handed to `same`
 * @return      the reference, or 0: not in the table
 * Cost: one line; two for an entry that lives away from home (one in six at a load of 0.8 after
 * long churn) and for about one key in seven that is not in the table. A wrong entry gets asked for
 * once in some 4000 lookups.
 */
static inline uint32_t tern_flow_find(
    const struct tern_flow_table *t, uint64_t hash, tern_flow_same_fn *same, void *ctx);

/* ---- */

#define TERN_FLOW_INLINE static inline __attribute__((always_inline))

/** Where the entries of one hash can be: in bucket `home`, or in tern_flow_other() of it. */
struct tern_flow_place {
    uint32_t home;
    uint16_t tag;
};

TERN_FLOW_INLINE struct tern_flow_place tern_flow_place(
    const struct tern_flow_table *t, uint64_t hash)
{
    struct tern_flow_place p;
    p.home = (uint32_t)(((hash >> 32) * t->n_buckets) >> 32);
    p.tag = (uint16_t)((hash & 0xfffe) | (p.home & 1));
    if (p.tag == 0)
        p.tag = 2;
    return p;
}

/**
 * The second bucket of an entry: of its home the other one, of the other one its home. The two add
 * up to a number that the tag gives, modulo n_buckets. That number is odd and n_buckets is even, so
 * one of the two is odd and one even; they are never the same.
 */
TERN_FLOW_INLINE uint32_t tern_flow_other(
    const struct tern_flow_table *t, uint32_t bucket, uint16_t tag)
{
    const uint32_t spread = tag * 0x9e3779b1u; /* 2^32 over the golden ratio */
    const uint32_t sum = 2 * (uint32_t)(((uint64_t)spread * (t->n_buckets / 2)) >> 32) + 1;
    return sum >= bucket ? sum - bucket : sum + t->n_buckets - bucket;
}

/** Bit i of the result: tag[i] == tag. The plain version, against which the tests hold the other.
 */
static inline uint32_t tern_flow_tags_equal_scalar(const struct tern_flow_bucket *b, uint16_t tag)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < TERN_FLOW_SLOTS; i++)
        mask |= (uint32_t)(b->tag[i] == tag) << i;
    return mask;
}

#ifdef __SSE2__
TERN_FLOW_INLINE uint32_t tern_flow_tags_equal(const struct tern_flow_bucket *b, uint16_t tag)
{
    const __m128i wanted = _mm_set1_epi16((short)tag);
    const __m128i tags_0_7 = _mm_loadu_si128((const __m128i *)(const void *)b);
    const __m128i tags_8_9 = _mm_loadl_epi64((const __m128i *)(const void *)&b->tag[8]);
    const __m128i equal =
        _mm_packs_epi16(_mm_cmpeq_epi16(tags_0_7, wanted), _mm_cmpeq_epi16(tags_8_9, wanted));
    return (uint32_t)_mm_movemask_epi8(equal) & ((1u << TERN_FLOW_SLOTS) - 1);
}
#else
TERN_FLOW_INLINE uint32_t tern_flow_tags_equal(const struct tern_flow_bucket *b, uint16_t tag)
{
    return tern_flow_tags_equal_scalar(b, tag);
}
#endif

/** Where the counter for `tag` is in tern_flow_bucket.away. */
TERN_FLOW_INLINE uint32_t tern_flow_away_shift(uint16_t tag)
{
    return (tag >> 1 & 7u) * 4;
}

/**
 * May an entry with this tag, whose home is `b`, live in its other bucket? Bits 1..3 of the tag
 * choose one of eight 4-bit counters of such entries. A counter that has reached 15 stays there: it
 * has lost count, and from then on it only costs the reading of a line.
 */
TERN_FLOW_INLINE bool tern_flow_has_away(const struct tern_flow_bucket *b, uint16_t tag)
{
    return (b->away >> tern_flow_away_shift(tag) & 15) != 0;
}

static inline void tern_flow_prefetch(const struct tern_flow_table *t, uint64_t hash)
{
    __builtin_prefetch(&t->buckets[tern_flow_place(t, hash).home]);
}

TERN_FLOW_INLINE uint32_t *tern_flow_bucket_match(struct tern_flow_bucket *b, uint16_t tag)
{
    const uint32_t equal = tern_flow_tags_equal(b, tag);
    return equal != 0 ? &b->ref[__builtin_ctz(equal)] : NULL;
}

static inline uint32_t *tern_flow_home_match(const struct tern_flow_table *t, uint64_t hash)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    return tern_flow_bucket_match(&t->buckets[p.home], p.tag);
}

static inline uint32_t *tern_flow_other_match(const struct tern_flow_table *t, uint64_t hash)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    return tern_flow_bucket_match(&t->buckets[tern_flow_other(t, p.home, p.tag)], p.tag);
}

static inline bool tern_flow_prefetch_other(const struct tern_flow_table *t, uint64_t hash)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    const struct tern_flow_bucket *home = &t->buckets[p.home];
    const bool has_away = tern_flow_has_away(home, p.tag);
    if (has_away || tern_flow_tags_equal(home, 0) == 0)
        __builtin_prefetch(&t->buckets[tern_flow_other(t, p.home, p.tag)]);
    return has_away;
}

/** The entry of this bucket whose tag fits and that is the same, or 0. */
TERN_FLOW_INLINE uint32_t tern_flow_bucket_find(
    const struct tern_flow_bucket *b, uint16_t tag, tern_flow_same_fn *same, void *ctx)
{
    for (uint32_t m = tern_flow_tags_equal(b, tag); m != 0; m &= m - 1) {
        const uint32_t ref = b->ref[__builtin_ctz(m)];
        if (same(ctx, ref))
            return ref;
    }
    return 0;
}

TERN_FLOW_INLINE uint32_t tern_flow_find(
    const struct tern_flow_table *t, uint64_t hash, tern_flow_same_fn *same, void *ctx)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    const struct tern_flow_bucket *home = &t->buckets[p.home];
    const uint32_t ref = tern_flow_bucket_find(home, p.tag, same, ctx);
    if (ref != 0 || !tern_flow_has_away(home, p.tag))
        return ref;
    return tern_flow_bucket_find(&t->buckets[tern_flow_other(t, p.home, p.tag)], p.tag, same, ctx);
}

/** Which word of the note of late insertions a hash is in, by bits that neither bucket nor tag
 * leans on … */
TERN_FLOW_INLINE uint32_t tern_flow_late_word(uint64_t hash)
{
    return (uint32_t)(hash >> 22) & (TERN_FLOW_LATELY - 1);
}

/** … and its bit there. */
TERN_FLOW_INLINE uint64_t tern_flow_late_bit(uint64_t hash)
{
    return UINT64_C(1) << (hash >> 16 & 63);
}

static inline void tern_flow_begin(struct tern_flow_table *t)
{
    for (uint32_t i = 0; i < TERN_FLOW_LATELY; i++)
        t->lately[i] = 0;
}

static inline bool tern_flow_is_late(const struct tern_flow_table *t, uint64_t hash)
{
    return (t->lately[tern_flow_late_word(hash)] & tern_flow_late_bit(hash)) != 0;
}

/** Write an entry into an empty slot. @return false: there is none */
TERN_FLOW_INLINE bool tern_flow_bucket_put(struct tern_flow_bucket *b, uint16_t tag, uint32_t ref)
{
    const uint32_t empty = tern_flow_tags_equal(b, 0);
    if (empty == 0)
        return false;
    const int slot = __builtin_ctz(empty);
    b->tag[slot] = tag;
    b->ref[slot] = ref;
    return true;
}

/** tern_flow_insert() where the home bucket is full. */
int tern_flow_insert_away(struct tern_flow_table *t, struct tern_flow_place p, uint32_t ref);

static inline int tern_flow_insert(struct tern_flow_table *t, uint64_t hash, uint32_t ref)
{
    const struct tern_flow_place p = tern_flow_place(t, hash);
    assert(ref != 0);
    if (!tern_flow_bucket_put(&t->buckets[p.home], p.tag, ref)) {
        const int rc = tern_flow_insert_away(t, p, ref);
        if (rc != 0)
            return rc;
    }
    t->lately[tern_flow_late_word(hash)] |= tern_flow_late_bit(hash);
    t->n_used++;
    return 0;
}
