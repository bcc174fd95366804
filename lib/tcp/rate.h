/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * "At most so many a second": a token bucket that starts full and holds a tenth of a second's worth
 * (at least one token). So any second sees at most rate + rate/10 takes, and a burst after silence
 * passes. Credit is counted in 10^-9 tokens, which makes elapsed_ns * per_s exact: no drift.
 */
#include <stdbool.h>
#include <stdint.h>

struct tern_rate {
    uint64_t credit;  /* 10^-9 tokens; <= depth of the bucket */
    uint64_t last_ns; /* when credit was last brought up to date */
    uint32_t per_s;   /* 0: nothing passes */
};

/** A full bucket. */
static inline struct tern_rate tern_rate_make(uint32_t per_s, uint64_t now_ns);

/** Take a token if there is one. A `now_ns` before the last one earns nothing. O(1). */
static inline bool tern_rate_take(struct tern_rate *r, uint64_t now_ns);

/* ---- */

#define TERN_RATE_TOKEN UINT64_C(1000000000)

static inline uint64_t tern_rate_depth(uint32_t per_s)
{
    const uint64_t tenth = (uint64_t)per_s * (TERN_RATE_TOKEN / 10);
    return tenth > TERN_RATE_TOKEN ? tenth : TERN_RATE_TOKEN;
}

static inline struct tern_rate tern_rate_make(uint32_t per_s, uint64_t now_ns)
{
    return (struct tern_rate){
        .credit = per_s != 0 ? tern_rate_depth(per_s) : 0, .last_ns = now_ns, .per_s = per_s};
}

static inline bool tern_rate_take(struct tern_rate *r, uint64_t now_ns)
{
    if (now_ns > r->last_ns) {
        const uint64_t elapsed_ns = now_ns - r->last_ns;
        const uint64_t depth = r->per_s != 0 ? tern_rate_depth(r->per_s) : 0;
        r->last_ns = now_ns;
        /* A second fills any bucket, and its product still fits 64 bits. */
        if (elapsed_ns >= TERN_RATE_TOKEN || r->credit + elapsed_ns * r->per_s > depth)
            r->credit = depth;
        else
            r->credit += elapsed_ns * r->per_s;
    }
    if (r->credit < TERN_RATE_TOKEN)
        return false;
    r->credit -= TERN_RATE_TOKEN;
    return true;
}
