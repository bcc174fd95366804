/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * SipHash-c-d (Aumasson, Bernstein 2012) over whole 64-bit words: 1-3 indexes the flow table, 2-4
 * makes ISNs, cookies, ports and timestamp offsets. Each use has a key of its own.
 */
#include <stdint.h>

struct tern_siphash_key {
    uint64_t k0, k1;
};

/** SipHash-1-3 and SipHash-2-4 of `n` little-endian words; equal to the byte version over 8*n
 * bytes. */
static inline uint64_t tern_siphash13(
    struct tern_siphash_key key, const uint64_t *words, uint32_t n);
static inline uint64_t tern_siphash24(
    struct tern_siphash_key key, const uint64_t *words, uint32_t n);

/* ---- */

#define TERN_SIP_ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static inline void tern_sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = TERN_SIP_ROTL(v[1], 13) ^ v[0];
    v[0] = TERN_SIP_ROTL(v[0], 32);
    v[2] += v[3];
    v[3] = TERN_SIP_ROTL(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = TERN_SIP_ROTL(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = TERN_SIP_ROTL(v[1], 17) ^ v[2];
    v[2] = TERN_SIP_ROTL(v[2], 32);
}

static inline uint64_t tern_sip(
    struct tern_siphash_key key, const uint64_t *words, uint32_t n, int c_rounds, int d_rounds)
{
    uint64_t v[4] = {
        key.k0 ^ 0x736f6d6570736575u,
        key.k1 ^ 0x646f72616e646f6du,
        key.k0 ^ 0x6c7967656e657261u,
        key.k1 ^ 0x7465646279746573u,
    };
    for (uint32_t i = 0; i <= n; i++) {
        const uint64_t w = i < n ? words[i] : (uint64_t)(n * 8u) << 56;
        v[3] ^= w;
        for (int r = 0; r < c_rounds; r++)
            tern_sip_round(v);
        v[0] ^= w;
    }
    v[2] ^= 0xff;
    for (int r = 0; r < d_rounds; r++)
        tern_sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline uint64_t tern_siphash13(
    struct tern_siphash_key key, const uint64_t *words, uint32_t n)
{
    return tern_sip(key, words, n, 1, 3);
}

static inline uint64_t tern_siphash24(
    struct tern_siphash_key key, const uint64_t *words, uint32_t n)
{
    return tern_sip(key, words, n, 2, 4);
}
