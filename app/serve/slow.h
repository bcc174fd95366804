/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What makes a server slow on purpose: how long each reply takes, and stalls in which nobody is
 * answered at all. Time is a parameter; so are the dice, so that a run can be repeated.
 */
#include <tern/config.h>

#include <stdint.h>

enum app_delay_kind {
    APP_DELAY_NONE,
    APP_DELAY_FIXED,
    APP_DELAY_EXP,     /**< exponential: many short, few long */
    APP_DELAY_UNIFORM, /**< all from least to most alike */
};

struct app_delay {
    enum app_delay_kind kind;
    uint64_t ns;      /**< fixed: each; exp: the mean; uniform: the least */
    uint64_t most_ns; /**< uniform */
};

/** Nothing is answered in [k period, k period + length), k = 1, 2, …, of the shard's clock, which
 * starts about when the engine does and is the same for all workers. */
struct app_stall {
    uint64_t length_ns, period_ns; /**< period 0: none */
};

/** "20ms", "exp:20ms", "uniform:5ms-20ms". @return 0, or -EINVAL with one line in *err */
int app_delay_parse(
    const char *option, const char *text, struct app_delay *out, struct tern_error *err);

/** "1s@10s": for 1 s, every 10 s. @return 0, or -EINVAL with one line in *err */
int app_stall_parse(
    const char *option, const char *text, struct app_stall *out, struct tern_error *err);

/** How long the next reply takes. @param dice  any value at first; moved on */
uint64_t app_delay_draw(const struct app_delay *d, uint64_t *dice);

/** When what falls due at `at_ns` can be done: then, or at the end of the stall it falls in. */
static inline uint64_t app_stall_passed(const struct app_stall *s, uint64_t at_ns)
{
    if (s->period_ns == 0 || at_ns < s->period_ns)
        return at_ns;
    const uint64_t into_ns = at_ns % s->period_ns;
    return into_ns < s->length_ns ? at_ns - into_ns + s->length_ns : at_ns;
}
