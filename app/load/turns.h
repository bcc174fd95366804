/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Which source a worker's next connection has: all in turn, one after the other or shuffled. */
#include "../sources.h"

enum { APP_TURNS_ROUNDS = 4 };

struct app_turns {
    const struct app_sources *of;
    app_u128 total, begin; /**< begin: the place of a round's first turn */
    app_u128 done;         /**< turns taken in this round, the total at most */
    uint64_t n_rounds;     /**< before this one */
    union tern_addr at;    /**< the last source */
    uint64_t n_behind;     /**< that many follow it, one by one, before there is more to think of */
    bool random;
    uint32_t half_bits;              /**< random: of a place, in the permutation */
    uint64_t keys[APP_TURNS_ROUNDS]; /**< random: of the permutation */
};

/**
 * Worker `index` of `n` begins where the share of the one before it ends: the first round of all
 * together has each source once.
 * @param of  kept; not empty
 */
void app_turns_init(struct app_turns *t, const struct app_sources *of, uint32_t index, uint32_t n);

/** Shuffle: every source still comes once a round. Equal keys give equal orders. */
void app_turns_shuffle(struct app_turns *t, uint64_t key);

/** The next source. Cost: an addition; at the end of a range O(log of their number), and random
 * that and a few times four rounds each time. */
union tern_addr app_turns_next(struct app_turns *t);
