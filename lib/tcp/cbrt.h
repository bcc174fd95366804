/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The cube root of an integer, rounded down: r^3 <= x < (r + 1)^3, for every x. */
#include <stdint.h>

static inline uint32_t tern_cbrt(uint64_t x);

/* ---- */

enum { TERN_CBRT_BITS = 22 }; /* (2^22)^3 > 2^64 */

/** Bit by bit from the top: 22 divisions, which CUBIC spends once between two losses. */
static inline uint32_t tern_cbrt(uint64_t x)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << (TERN_CBRT_BITS - 1); bit != 0; bit >>= 1) {
        const uint64_t tried = root | bit;
        if (tried * tried <= x / tried) /* tried^3 <= x, and nothing overflows */
            root = tried;
    }
    return (uint32_t)root;
}
