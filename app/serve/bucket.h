/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A token bucket that many workers take from: a rate, and how much may be taken at once. It is kept
 * as one number, the time at which it will be full again, so that a token is one compare-and-swap
 * and nobody has to refill anything:
 *
 *        now          full
 *   ------|------------|------------------|---> time
 *         | taken, not | left             |
 *         | yet back   |                  |
 *         '------------- depth -----------'
 *
 * Time is in 256ths of a nanosecond, or a rate of 3 M/s would be 0.1 % off; 2^56 ns are 833 days.
 */
#include <stdbool.h>
#include <stdint.h>

enum { APP_BUCKET_FRACTION_BITS = 8 };

/** What a bucket gives. */
struct app_bucket_plan {
    uint64_t each_q8;  /**< between two tokens; 0: no bucket, all may pass */
    uint64_t depth_q8; /**< of a full bucket, in the time it takes to fill; at least each_q8 */
};

/** The bucket itself; zero is full. */
struct app_bucket {
    uint64_t full_q8; /**< when it is full again; atomic */
} __attribute__((aligned(64)));

/** @param per_s  tokens a second, 1..10^9 @param depth  tokens of a full bucket, 1.. */
static inline struct app_bucket_plan app_bucket_plan_make(uint64_t per_s, uint64_t depth)
{
    const uint64_t second_q8 = UINT64_C(1000000000) << APP_BUCKET_FRACTION_BITS;
    const uint64_t each_q8 = (second_q8 + per_s / 2) / per_s;
    return (struct app_bucket_plan){.each_q8 = each_q8, .depth_q8 = depth * each_q8};
}

/** Take a token. @return false: there is none */
static inline bool app_bucket_take(
    struct app_bucket *b, const struct app_bucket_plan *plan, uint64_t now_ns)
{
    const uint64_t now_q8 = now_ns << APP_BUCKET_FRACTION_BITS;
    uint64_t full_q8 = __atomic_load_n(&b->full_q8, __ATOMIC_RELAXED), next_q8;
    do { /* again only when another worker has taken one */
        next_q8 = (full_q8 > now_q8 ? full_q8 : now_q8) + plan->each_q8;
        if (next_q8 - now_q8 > plan->depth_q8)
            return false;
    } while (!__atomic_compare_exchange_n(
        &b->full_q8, &full_q8, next_q8, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}
