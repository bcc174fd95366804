/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The one source of chance in a run: splitmix64 (Steele, Lea, Flood 2014), a 64-bit counter and a
 * mixing function. Every concern has a stream of its own, made from the seed and the concern's
 * number, so that one more draw in one place reshuffles nothing elsewhere.
 */
#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

enum { PPM = 1000000 };

static inline uint64_t prng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline struct prng prng_make(uint64_t seed, uint64_t stream)
{
    return (struct prng){prng_mix(prng_mix(seed + 1) ^ (stream * UINT64_C(0xd1342543de82ef95)))};
}

static inline uint64_t prng_next(struct prng *p)
{
    return prng_mix(p->state += UINT64_C(0x9e3779b97f4a7c15));
}

/** 0..n - 1; n > 0 */
static inline uint32_t prng_below(struct prng *p, uint32_t n)
{
    return (uint32_t)(((prng_next(p) >> 32) * n) >> 32);
}

/** lo..hi, both included */
static inline uint64_t prng_between(struct prng *p, uint64_t lo, uint64_t hi)
{
    const uint64_t span = hi - lo + 1;
    return span == 0 ? prng_next(p) : lo + prng_next(p) % span;
}

/** lo..hi, every order of magnitude alike: what sizes and times want. lo > 0 */
static inline uint64_t prng_spread(struct prng *p, uint64_t lo, uint64_t hi)
{
    const int low_bits = 64 - __builtin_clzll(lo), high_bits = 64 - __builtin_clzll(hi);
    const int bits = low_bits + (int)prng_below(p, (uint32_t)(high_bits - low_bits + 1));
    const uint64_t from = bits == 64 ? UINT64_C(1) << 63 : UINT64_C(1) << (bits - 1);
    const uint64_t to = from * 2 - 1;
    return prng_between(p, from < lo ? lo : from, to > hi ? hi : to);
}

static inline bool prng_chance(struct prng *p, uint32_t ppm)
{
    return ppm != 0 && prng_below(p, PPM) < ppm;
}

static inline bool prng_percent(struct prng *p, uint32_t percent)
{
    return prng_below(p, 100) < percent;
}
