/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool against a bool an index and an explicit stack: what is out, what comes next, whose
 * bytes. */
#include "model.h"
#include "shard/pool.h"

enum {
    N_OPS = 100000,
    CAPACITY_MAX = 300,
};

struct twin {
    bool used[CAPACITY_MAX + 1];
    uint64_t stamp[CAPACITY_MAX + 1];
    uint32_t stack[CAPACITY_MAX];
    uint32_t n_stack, n_used, fresh;
};

static uint32_t twin_get(struct twin *twin, uint32_t capacity)
{
    if (twin->n_stack > 0)
        return twin->stack[--twin->n_stack];
    return twin->fresh <= capacity ? twin->fresh++ : 0;
}

/** Every byte of a record is its owner's: write a stamp to both ends. */
static void stamp(struct tern_pool *pool, struct twin *twin, uint32_t idx)
{
    uint8_t *record = tern_pool_at(pool, idx);
    twin->stamp[idx] = model_random();
    memcpy(record, &twin->stamp[idx], 8);
    memcpy(record + pool->stride - 8, &twin->stamp[idx], 8);
}

static void check_stamp(const struct tern_pool *pool, const struct twin *twin, uint32_t idx)
{
    const uint8_t *record = tern_pool_at(pool, idx);
    MODEL_CHECK(memcmp(record, &twin->stamp[idx], 8) == 0);
    MODEL_CHECK(memcmp(record + pool->stride - 8, &twin->stamp[idx], 8) == 0);
}

static void op_get(struct tern_pool *pool, struct twin *twin)
{
    const uint32_t expected = twin_get(twin, pool->capacity);
    const uint32_t idx = tern_pool_get(pool);
    MODEL_CHECK(idx == expected);
    if (idx == 0)
        return;
    MODEL_CHECK(!twin->used[idx]);
    twin->used[idx] = true;
    twin->n_used++;
    stamp(pool, twin, idx);
}

static void op_put(struct tern_pool *pool, struct twin *twin)
{
    const uint32_t idx = 1 + model_below(pool->capacity);
    if (!twin->used[idx])
        return;
    check_stamp(pool, twin, idx);
    tern_pool_put(pool, idx);
    twin->used[idx] = false;
    twin->n_used--;
    twin->stack[twin->n_stack++] = idx;
}

static void run(uint64_t seed)
{
    struct tern_pool pool;
    struct twin twin = {.fresh = 1};
    const uint32_t capacity = seed == 1 ? 1 : 1 + model_below(CAPACITY_MAX);
    const uint32_t stride = 64 * (1 + model_below(4));
    uint32_t get_percent = 50;

    MODEL_CHECK(tern_pool_init(&pool, stride, capacity, -1) == 0);
    for (model_op = 0; model_op < N_OPS; model_op++) {
        if (model_op % 1024 == 0)
            get_percent = 5 + model_below(90); /* fills up, runs dry */
        if (model_chance(get_percent))
            op_get(&pool, &twin);
        else
            op_put(&pool, &twin);
        MODEL_CHECK(pool.n_used == twin.n_used);
    }
    for (uint32_t idx = 1; idx <= capacity; idx++) {
        if (twin.used[idx])
            check_stamp(&pool, &twin, idx);
    }
    tern_pool_fini(&pool);
}

int main(int argc, char **argv)
{
    return model_main(argc, argv, run);
}
