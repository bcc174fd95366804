/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Frame of a model test: run(seed) for each of a fixed list of seeds, or for the one on the command
 * line. Everything random comes from model_random(), so a failure, which prints seed and operation,
 * replays.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODEL_SEEDS = 12 };

static uint64_t model_seed;
static uint64_t model_state;
static uint64_t model_op; /* number of the operation under way, for the message */

#define MODEL_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            model_fail(__FILE__, __LINE__, #condition);                                            \
    } while (0)

_Noreturn static inline void model_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr,
        "%s:%d: not so: %s\n  at operation %" PRIu64 "; replay with argument %" PRIu64 "\n", file,
        line, condition, model_op, model_seed);
    exit(1);
}

/** splitmix64 */
static inline uint64_t model_random(void)
{
    uint64_t z = model_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/** 0..n - 1 */
static inline uint32_t model_below(uint32_t n)
{
    return (uint32_t)(((model_random() >> 32) * n) >> 32);
}

static inline bool model_chance(uint32_t percent)
{
    return model_below(100) < percent;
}

static inline void model_run_seed(void (*run)(uint64_t seed), uint64_t seed)
{
    model_seed = seed;
    model_state = seed;
    model_op = 0;
    run(seed);
}

static inline int model_main(int argc, char **argv, void (*run)(uint64_t seed))
{
    if (argc > 1) {
        model_run_seed(run, strtoull(argv[1], NULL, 0));
        return 0;
    }
    for (uint64_t seed = 1; seed <= MODEL_SEEDS; seed++)
        model_run_seed(run, seed);
    return 0;
}
