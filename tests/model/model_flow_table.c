/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table against an array of (key, hash, ref). Keys are numbers; many have equal hashes,
 * equal tags or equal homes, as an attacker would wish. Tables are small, so that they are full
 * half of the time; then the test also knows when a refusal is right: when no bucket that can be
 * reached by moving entries has an empty slot.
 */
#include "model.h"
#include "shard/flow_table.h"

#include <string.h>

enum {
    N_OPS = 120000,
    BUCKETS_MAX = 64,
    TWINS_MAX = BUCKETS_MAX * TERN_FLOW_SLOTS,
    REFS = 4096, /* references are 1..REFS - 1 */
    CHECK_ALL_EVERY = 997,
};

struct entry {
    uint64_t key, hash;
    uint32_t ref;
};

enum hash_kind {
    HASH_ANY,
    HASH_FEW_TAGS,
    HASH_FEW_HOMES,
    HASH_FEW_OF_BOTH,
    HASH_KINDS,
};

static struct tern_flow_table table;
static struct entry twin[TWINS_MAX];
static uint32_t n_twin;
static uint64_t key_of_ref[REFS]; /* or 0 */
static uint64_t n_keys;
static enum hash_kind kind;
static struct tern_flow_bucket before[BUCKETS_MAX];

static uint64_t random_hash(void)
{
    const uint64_t few_tags = (model_random() & ~UINT64_C(0xffff)) | model_below(4);
    const uint64_t few_homes = (uint64_t)model_below(3) << 62 | model_below(1 << 16);
    switch (kind) {
    case HASH_FEW_TAGS: return few_tags;
    case HASH_FEW_HOMES: return few_homes;
    case HASH_FEW_OF_BOTH: return few_homes & ~UINT64_C(0xfff0);
    case HASH_ANY:
    case HASH_KINDS: break;
    }
    return model_random();
}

static bool same(void *ctx, uint32_t ref)
{
    const uint64_t *key = ctx;
    MODEL_CHECK(ref < REFS && key_of_ref[ref] != 0);
    return key_of_ref[ref] == *key;
}

static uint32_t find(uint64_t key, uint64_t hash)
{
    return tern_flow_find(&table, hash, same, &key);
}

/** A reference that no entry has. */
static uint32_t unused_ref(void)
{
    uint32_t ref;
    do {
        ref = 1 + model_below(REFS - 1);
    } while (key_of_ref[ref] != 0);
    return ref;
}

static bool has_room(uint32_t bucket)
{
    return tern_flow_tags_equal_scalar(&table.buckets[bucket], 0) != 0;
}

/** Could any sequence of moves make room for this hash? Marks everything reachable, step by step.
 */
static bool is_insertable(uint64_t hash)
{
    bool reached[BUCKETS_MAX] = {false};
    const struct tern_flow_place p = tern_flow_place(&table, hash);
    reached[p.home] = true;
    reached[tern_flow_other(&table, p.home, p.tag)] = true;
    for (uint32_t round = 0; round < table.n_buckets; round++) {
        for (uint32_t b = 0; b < table.n_buckets; b++) {
            if (reached[b] && has_room(b))
                return true;
            for (uint32_t i = 0; reached[b] && i < TERN_FLOW_SLOTS; i++)
                reached[tern_flow_other(&table, b, table.buckets[b].tag[i])] = true;
        }
    }
    return false;
}

static void op_insert(void)
{
    const struct entry e = {.key = ++n_keys, .hash = random_hash(), .ref = unused_ref()};
    const uint32_t n_used = table.n_used;

    memcpy(before, table.buckets, tern_flow_bytes(&table));
    if (tern_flow_insert(&table, e.hash, e.ref) == 0) {
        MODEL_CHECK(n_twin < TWINS_MAX);
        twin[n_twin++] = e;
        key_of_ref[e.ref] = e.key;
        MODEL_CHECK(find(e.key, e.hash) == e.ref);
        return;
    }
    MODEL_CHECK(memcmp(before, table.buckets, tern_flow_bytes(&table)) == 0);
    MODEL_CHECK(table.n_used == n_used);
    MODEL_CHECK(model_op % 4 != 0 || !is_insertable(e.hash)); /* it is slow */
}

static void op_remove(void)
{
    if (n_twin == 0)
        return;
    const uint32_t i = model_below(n_twin);
    const struct entry e = twin[i];
    MODEL_CHECK(!tern_flow_remove(&table, e.hash, unused_ref()));
    MODEL_CHECK(tern_flow_remove(&table, e.hash, e.ref));
    MODEL_CHECK(!tern_flow_remove(&table, e.hash, e.ref));
    twin[i] = twin[--n_twin];
    key_of_ref[e.ref] = 0;
    MODEL_CHECK(find(e.key, e.hash) == 0);
}

static void op_replace(void)
{
    if (n_twin == 0)
        return;
    struct entry *e = &twin[model_below(n_twin)];
    const uint32_t ref = unused_ref();
    MODEL_CHECK(!tern_flow_replace(&table, e->hash, ref, ref));
    MODEL_CHECK(tern_flow_replace(&table, e->hash, e->ref, ref));
    key_of_ref[e->ref] = 0;
    key_of_ref[ref] = e->key;
    e->ref = ref;
    MODEL_CHECK(find(e->key, e->hash) == ref);
}

static void op_find(void)
{
    if (n_twin == 0)
        return;
    const struct entry *e = &twin[model_below(n_twin)];
    MODEL_CHECK(find(e->key, e->hash) == e->ref);
    tern_flow_prefetch(&table, e->hash);
    MODEL_CHECK(tern_flow_home_match(&table, e->hash) != NULL
                || (tern_flow_prefetch_other(&table, e->hash)
                    && tern_flow_other_match(&table, e->hash) != NULL));
    MODEL_CHECK(find(n_keys + 1, e->hash) == 0);
    MODEL_CHECK(find(n_keys + 1, random_hash()) == 0);
}

static bool is_in_home(const struct entry *e, uint32_t home)
{
    for (uint32_t slot = 0; slot < TERN_FLOW_SLOTS; slot++) {
        if (table.buckets[home].ref[slot] == e->ref)
            return true;
    }
    return false;
}

/** Each counter is the number of such entries, as the twin has it, or it has lost count at 15. */
static void check_away(void)
{
    uint32_t n_away[BUCKETS_MAX][8] = {{0}};
    for (uint32_t i = 0; i < n_twin; i++) {
        const struct tern_flow_place p = tern_flow_place(&table, twin[i].hash);
        n_away[p.home][p.tag >> 1 & 7] += !is_in_home(&twin[i], p.home);
    }
    for (uint32_t b = 0; b < table.n_buckets; b++) {
        for (uint32_t k = 0; k < 8; k++) {
            const uint32_t counter = table.buckets[b].away >> (4 * k) & 15;
            MODEL_CHECK(counter == 15 || counter == n_away[b][k]);
        }
    }
}

static void check_all(void)
{
    uint32_t n_slots = 0;
    for (uint32_t i = 0; i < n_twin; i++)
        MODEL_CHECK(find(twin[i].key, twin[i].hash) == twin[i].ref);
    for (uint32_t b = 0; b < table.n_buckets; b++) {
        for (uint32_t slot = 0; slot < TERN_FLOW_SLOTS; slot++) {
            n_slots += table.buckets[b].tag[slot] != 0;
            MODEL_CHECK((table.buckets[b].tag[slot] == 0) == (table.buckets[b].ref[slot] == 0));
        }
    }
    MODEL_CHECK(n_slots == n_twin);
    check_away();
}

static void one_op(uint32_t insert_percent)
{
    if (model_chance(20))
        op_find();
    else if (model_chance(10))
        op_replace();
    else if (model_chance(insert_percent))
        op_insert();
    else
        op_remove();
}

static void run(uint64_t seed)
{
    static const uint32_t sizes[] = {1, 10, 20, 60, 200, 480};
    uint32_t insert_percent = 50;

    kind = (enum hash_kind)(seed % HASH_KINDS);
    n_twin = 0;
    memset(key_of_ref, 0, sizeof key_of_ref);
    MODEL_CHECK(tern_flow_init(&table, sizes[seed % 6], -1) == 0);
    MODEL_CHECK(table.n_buckets <= BUCKETS_MAX);
    for (model_op = 0; model_op < N_OPS; model_op++) {
        if (model_op % 4096 == 0)
            insert_percent = 20 + model_below(75); /* fills up, runs dry */
        one_op(insert_percent);
        MODEL_CHECK(table.n_used == n_twin);
        if (model_op % CHECK_ALL_EVERY == 0)
            check_all();
    }
    check_all();
    tern_flow_fini(&table);
}

int main(int argc, char **argv)
{
    return model_main(argc, argv, run);
}
