/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shuffled order is a keyed permutation of the places: a Feistel network over the smallest even
 * number of bits that covers them, walked until it lands inside (Black and Rogaway 2002). No table,
 * so the order of 2^80 sources costs what that of ten costs. Every round has the same order: a
 * source comes again when all others have had their turn, and so does its TIME-WAIT.
 *
 * Rejected: drawing. After as many draws as there are sources a third of them has had none, and
 * another quarter more than one.
 */
#include "turns.h"

#include <string.h>

enum { HALF_BITS_MAX = 64 };

/* Steele et al. 2014, the finish of splitmix64. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void app_turns_init(struct app_turns *t, const struct app_sources *of, uint32_t index, uint32_t n)
{
    const app_u128 total = app_sources_total(of), rest = total % n;
    *t = (struct app_turns){
        .of = of,
        .total = total,
        .begin = total / n * index + (index < rest ? index : rest),
    };
    if (t->begin == total) /* more workers than sources */
        t->begin = index % total;
}

void app_turns_shuffle(struct app_turns *t, uint64_t key)
{
    t->random = true;
    for (t->half_bits = 1; t->half_bits < HALF_BITS_MAX; t->half_bits++)
        if ((t->total - 1) >> (2 * t->half_bits) == 0)
            break;
    for (uint64_t i = 0; i < APP_TURNS_ROUNDS; i++)
        t->keys[i] = mix(key + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

static app_u128 permute(const struct app_turns *t, app_u128 place)
{
    const uint64_t mask = UINT64_MAX >> (HALF_BITS_MAX - t->half_bits);
    uint64_t left = (uint64_t)(place >> t->half_bits), right = (uint64_t)place & mask;
    for (int round = 0; round < APP_TURNS_ROUNDS; round++) {
        const uint64_t next = left ^ (mix(right + t->keys[round]) & mask);
        left = right;
        right = next;
    }
    return (app_u128)left << t->half_bits | right;
}

/* Ends: a permutation comes back to where it began, and that is inside. */
static app_u128 shuffled(const struct app_turns *t, app_u128 place)
{
    do {
        place = permute(t, place);
    } while (place >= t->total);
    return place;
}

static app_u128 least(app_u128 a, app_u128 b)
{
    return a < b ? a : b;
}

/* Where the sequence is not simply one further: a round begins or comes to place 0, a range ends.
 */
static void jump(struct app_turns *t)
{
    if (t->done == t->total) {
        t->done = 0;
        t->n_rounds++;
    }
    const app_u128 before_wrap = t->total - t->begin;
    const bool wrapped = t->done >= before_wrap;
    const app_u128 place = wrapped ? t->done - before_wrap : t->begin + t->done;
    t->done++;
    t->at = app_sources_at(t->of, t->random ? shuffled(t, place) : place);
    if (t->random)
        return;
    const app_u128 of_round = (wrapped ? t->begin : t->total) - 1 - place;
    t->n_behind = (uint64_t)least(least(of_round, app_sources_behind(t->of, place)), UINT64_MAX);
}

static void step(union tern_addr *a)
{
    const uint64_t low = __builtin_bswap64(a->q[1]) + 1;
    a->q[1] = __builtin_bswap64(low);
    if (low == 0)
        a->q[0] = __builtin_bswap64(__builtin_bswap64(a->q[0]) + 1);
}

union tern_addr app_turns_next(struct app_turns *t)
{
    if (t->n_behind > 0) {
        t->n_behind--;
        t->done++;
        step(&t->at);
    } else if (t->total == 1 && t->done == 1)
        t->n_rounds++;
    else
        jump(t);
    return t->at;
}
