/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The one source of chance in a run: splitmix64 (Steele, Lea, Flood 2014), a 64-bit counter and a
 * mixing function. Every concern has a stream of its own, made from the seed and the concern's
 * number, so that one more draw in one place reshuffles nothing elsewhere.
 */
#include <stdbool.h>
#include <stdint.h>

struct tern_prng {
    uint64_t state;
};

enum { TERN_PPM = 1000000 };

static inline uint64_t tern_prng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline struct tern_prng tern_prng_make(uint64_t seed, uint64_t stream)
{
    return (struct tern_prng){
        tern_prng_mix(tern_prng_mix(seed + 1) ^ (stream * UINT64_C(0xd1342543de82ef95)))};
}

static inline uint64_t tern_prng_next(struct tern_prng *p)
{
    return tern_prng_mix(p->state += UINT64_C(0x9e3779b97f4a7c15));
}

/** 0..n - 1; n > 0 */
static inline uint32_t tern_prng_below(struct tern_prng *p, uint32_t n)
{
    return (uint32_t)(((tern_prng_next(p) >> 32) * n) >> 32);
}

/** lo..hi, both included */
static inline uint64_t tern_prng_between(struct tern_prng *p, uint64_t lo, uint64_t hi)
{
    const uint64_t span = hi - lo + 1;
    return span == 0 ? tern_prng_next(p) : lo + tern_prng_next(p) % span;
}

/** lo..hi, every order of magnitude alike: what sizes and times want. lo > 0 */
static inline uint64_t tern_prng_spread(struct tern_prng *p, uint64_t lo, uint64_t hi)
{
    const int low_bits = 64 - __builtin_clzll(lo), high_bits = 64 - __builtin_clzll(hi);
    const int bits = low_bits + (int)tern_prng_below(p, (uint32_t)(high_bits - low_bits + 1));
    const uint64_t from = bits == 64 ? UINT64_C(1) << 63 : UINT64_C(1) << (bits - 1);
    const uint64_t to = from * 2 - 1;
    return tern_prng_between(p, from < lo ? lo : from, to > hi ? hi : to);
}

static inline bool tern_prng_chance(struct tern_prng *p, uint32_t ppm)
{
    return ppm != 0 && tern_prng_below(p, TERN_PPM) < ppm;
}

static inline bool tern_prng_percent(struct tern_prng *p, uint32_t percent)
{
    return tern_prng_below(p, 100) < percent;
}
