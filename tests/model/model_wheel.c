/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wheel against an array of deadlines that is scanned whole. The twin counts ticks in 64 bits,
 * so it knows nothing of the wrap that the wheel must survive. Time creeps, jumps to the next
 * deadline, and leaps by hours; rounds of a partial advance are interleaved with arming and
 * cancelling.
 */
#include "model.h"
#include "shard/wheel.h"

#include <string.h>

enum {
    N_OPS = 100000,
    N_NODES = 100,
    STRIDE = 64,
    NODE_OFFSET = 20,
};

struct timer {
    bool armed;
    uint64_t due;
};

static uint8_t records[(N_NODES + 1) * STRIDE] __attribute__((aligned(64)));
static struct tern_wheel wheel;
static struct timer twin[N_NODES + 1];
static uint64_t now; /* of the wheel: in the middle of a round it is behind the target */

static uint32_t random_idx(void)
{
    return 1 + model_below(N_NODES);
}

/** A distance in ticks: all magnitudes alike, and the edges between slots and levels often. */
static uint32_t random_distance(void)
{
    const uint32_t log2 = model_below(31);
    const uint32_t at = model_below(UINT32_C(1) << log2) + (UINT32_C(1) << log2);
    switch (model_below(4)) {
    case 0: return model_below(4);
    case 1: return (uint32_t)((((now + at) & ~((UINT64_C(1) << log2) - 1)) - now) & INT32_MAX);
    default: return at;
    }
}

static void op_arm(void)
{
    const uint32_t idx = random_idx();
    const uint64_t wanted = model_chance(10) ? now - model_below(1000) : now + random_distance();
    struct timer *timer = &twin[idx];

    tern_wheel_arm(&wheel, idx, (uint32_t)wanted);
    uint64_t due = wanted < now ? now : wanted;
    if (due - now > TERN_WHEEL_SPAN)
        due = now + TERN_WHEEL_SPAN;
    if (!timer->armed || due < timer->due)
        timer->due = due;
    timer->armed = true;
    MODEL_CHECK(tern_wheel_is_armed(&wheel, idx));
}

static void op_cancel(void)
{
    const uint32_t idx = random_idx();
    tern_wheel_cancel(&wheel, idx);
    twin[idx].armed = false;
    MODEL_CHECK(!tern_wheel_is_armed(&wheel, idx));
}

/** Earliest deadline, or UINT64_MAX. */
static uint64_t twin_next(void)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t idx = 1; idx <= N_NODES; idx++) {
        if (twin[idx].armed && twin[idx].due < next)
            next = twin[idx].due;
    }
    return next;
}

static void check_expired(uint32_t idx, uint64_t target, uint64_t *last_due)
{
    struct timer *timer = &twin[idx];
    MODEL_CHECK(timer->armed && timer->due <= target);
    MODEL_CHECK(timer->due >= *last_due);
    MODEL_CHECK(!tern_wheel_is_armed(&wheel, idx));
    timer->armed = false;
    *last_due = timer->due;
}

/** Advance in portions of `max`; between two of them other things happen if `is_busy`. */
static void advance(uint64_t target, uint32_t max, bool is_busy)
{
    uint32_t expired[N_NODES];
    uint64_t last_due = 0;
    uint32_t n;
    do {
        n = tern_wheel_advance(&wheel, (uint32_t)target, expired, max);
        now = target - (uint32_t)((uint32_t)target - wheel.now);
        MODEL_CHECK(n <= max);
        for (uint32_t i = 0; i < n; i++)
            check_expired(expired[i], target, &last_due);
        for (uint32_t i = model_below(4); is_busy && n == max && i > 0; i--) {
            op_cancel();
            op_arm();
            last_due = 0;
        }
    } while (n == max);
    MODEL_CHECK(now == target);
    MODEL_CHECK(twin_next() > target);
}

static void check_next(void)
{
    uint32_t tick = 0;
    const uint64_t next = twin_next();
    MODEL_CHECK(tern_wheel_next(&wheel, &tick) == (next != UINT64_MAX));
    if (next == UINT64_MAX)
        return;
    const uint64_t due = now + (uint32_t)(tick - (uint32_t)now);
    MODEL_CHECK(due > now);
    MODEL_CHECK(due <= next || due == now + 1);
}

static void op_advance(void)
{
    const uint32_t max = model_chance(30) ? 1 + model_below(3) : N_NODES;
    uint32_t tick = 0;
    if (model_chance(30) && tern_wheel_next(&wheel, &tick))
        advance(now + (uint32_t)(tick - (uint32_t)now), max, model_chance(50));
    else if (model_chance(2))
        advance(now + random_distance(), max, model_chance(50));
    else
        advance(now + model_below(600), max, model_chance(50));
}

/** A clock that steps back moves nothing, but what is past still fires. */
static void op_step_back(void)
{
    uint32_t expired[N_NODES];
    uint64_t last_due = 0;
    const uint32_t n =
        tern_wheel_advance(&wheel, (uint32_t)now - 1 - model_below(1u << 30), expired, N_NODES);
    for (uint32_t i = 0; i < n; i++)
        check_expired(expired[i], now, &last_due);
    MODEL_CHECK(wheel.now == (uint32_t)now);
}

static void check_n_armed(void)
{
    uint32_t n_armed = 0;
    for (uint32_t idx = 1; idx <= N_NODES; idx++) {
        n_armed += twin[idx].armed;
        MODEL_CHECK(twin[idx].armed == tern_wheel_is_armed(&wheel, idx));
    }
    MODEL_CHECK(wheel.n_armed == n_armed);
}

static void one_op(void)
{
    const uint32_t dice = model_below(100);
    if (dice < 45)
        op_arm();
    else if (dice < 60)
        op_cancel();
    else if (dice < 98)
        op_advance();
    else
        op_step_back();
}

static void run(uint64_t seed)
{
    memset(records, 0, sizeof records);
    memset(twin, 0, sizeof twin);
    now =
        (UINT64_C(1) << 40) - model_below(1u << (seed % 4 * 8 + 4)); /* the wrap is near, or not */
    MODEL_CHECK(tern_wheel_init(&wheel, records, STRIDE, NODE_OFFSET, (uint32_t)now, -1) == 0);
    for (model_op = 0; model_op < N_OPS; model_op++) {
        one_op();
        check_next();
        if (model_op % 16 == 0)
            check_n_armed();
    }
    tern_wheel_fini(&wheel);
}

int main(int argc, char **argv)
{
    return model_main(argc, argv, run);
}
