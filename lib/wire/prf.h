/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A keyed pseudo-random function of a four-tuple: places in the flow table, ISNs, cookies,
 * timestamp offsets. Each use has a key of its own.
 *
 * Where the CPU has AES instructions (and the compiler was told so) it is AES-128 (FIPS 197) of one
 * 16-byte block: a PRF nobody doubts, at a tenth of the instructions of SipHash-2-4. An IPv4 tuple
 * is a block. The addresses of an IPv6 tuple are first added up to 128 bits under secret words (NH
 * over 64-bit words, draft-krovetz-vmac-01 §3.1.2), where two tuples, or a tuple and any other
 * block, meet with a chance of 2^-64. Elsewhere it is SipHash-2-4 of the same words.
 *
 * The two give different, equally good values. What outlives a run or comes from outside has
 * SipHash (siphash.h).
 */
#include "siphash.h"

#include <stdint.h>
#include <string.h>

#ifdef __AES__
#    include <wmmintrin.h>
#endif

enum { TERN_PRF_ROUNDS = 10, TERN_PRF_KEY_BYTES = 16 };

struct tern_prf_key {
#ifdef __AES__
    __m128i round[TERN_PRF_ROUNDS + 1];
    uint64_t nh[4];
#else
    struct tern_siphash_key sip;
#endif
};

/** Two independent halves. */
struct tern_prf {
    uint64_t lo, hi;
};

/** The key that `master` gives for `label`, and for no other. */
void tern_prf_init(struct tern_prf_key *k, struct tern_siphash_key master, uint64_t label);

/** Of two words: an IPv4 tuple. */
static inline struct tern_prf tern_prf4(const struct tern_prf_key *k, uint64_t w0, uint64_t w1);

/** Of two addresses and a word: an IPv6 tuple. */
static inline struct tern_prf tern_prf6(
    const struct tern_prf_key *k, const uint8_t remote[16], const uint8_t local[16], uint64_t w1);

/* ---- */

#ifdef __AES__

/** Write the round keys of an AES-128 key. */
void tern_prf_expand(struct tern_prf_key *k, const uint8_t key[TERN_PRF_KEY_BYTES]);

static inline struct tern_prf tern_prf4(const struct tern_prf_key *k, uint64_t w0, uint64_t w1)
{
    __m128i block = _mm_xor_si128(_mm_set_epi64x((int64_t)w1, (int64_t)w0), k->round[0]);
    for (int i = 1; i < TERN_PRF_ROUNDS; i++)
        block = _mm_aesenc_si128(block, k->round[i]);
    block = _mm_aesenclast_si128(block, k->round[TERN_PRF_ROUNDS]);
    return (struct tern_prf){
        .lo = (uint64_t)_mm_cvtsi128_si64(block),
        .hi = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(block, block)),
    };
}

static inline struct tern_prf tern_prf6(
    const struct tern_prf_key *k, const uint8_t remote[16], const uint8_t local[16], uint64_t w1)
{
    __extension__ typedef unsigned __int128 u128;
    uint64_t a[4];
    memcpy(a, remote, 16);
    memcpy(a + 2, local, 16);
    const u128 r = (u128)(a[0] + k->nh[0]) * (a[1] + k->nh[1]);
    const u128 l = (u128)(a[2] + k->nh[2]) * (a[3] + k->nh[3]);
    const u128 sum = r + l + ((u128)w1 << 64);
    return tern_prf4(k, (uint64_t)sum, (uint64_t)(sum >> 64));
}

#else

static inline struct tern_prf tern_prf_sip(
    const struct tern_prf_key *k, const uint64_t *words, uint32_t n)
{
    /* another length, another function */
    return (struct tern_prf){
        .lo = tern_siphash24(k->sip, words, n),
        .hi = tern_siphash24(k->sip, words, n + 1),
    };
}

static inline struct tern_prf tern_prf4(const struct tern_prf_key *k, uint64_t w0, uint64_t w1)
{
    const uint64_t words[] = {w0, w1, 0};
    return tern_prf_sip(k, words, 2);
}

static inline struct tern_prf tern_prf6(
    const struct tern_prf_key *k, const uint8_t remote[16], const uint8_t local[16], uint64_t w1)
{
    uint64_t words[] = {0, 0, 0, 0, w1, 0};
    memcpy(words, remote, 16);
    memcpy(words + 2, local, 16);
    return tern_prf_sip(k, words, 5);
}

#endif
