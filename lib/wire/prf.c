/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of the pseudo-random function: made once, at start. */
#include "prf.h"

#include <string.h>

static uint64_t derive(struct tern_siphash_key master, uint64_t label, uint64_t nth)
{
    const uint64_t words[] = {label, nth};
    return tern_siphash24(master, words, 2);
}

#ifdef __AES__

/** FIPS 197 §5.2: the next round key; `assist` holds RotWord and SubWord of its last word. */
static __m128i next_round(__m128i key, __m128i assist)
{
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, _mm_shuffle_epi32(assist, 0xff));
}

void tern_prf_expand(struct tern_prf_key *k, const uint8_t key[TERN_PRF_KEY_BYTES])
{
    __m128i *r = k->round;
    memcpy(&r[0], key, TERN_PRF_KEY_BYTES);
    /* the round constant has to be a constant of the instruction */
    r[1] = next_round(r[0], _mm_aeskeygenassist_si128(r[0], 0x01));
    r[2] = next_round(r[1], _mm_aeskeygenassist_si128(r[1], 0x02));
    r[3] = next_round(r[2], _mm_aeskeygenassist_si128(r[2], 0x04));
    r[4] = next_round(r[3], _mm_aeskeygenassist_si128(r[3], 0x08));
    r[5] = next_round(r[4], _mm_aeskeygenassist_si128(r[4], 0x10));
    r[6] = next_round(r[5], _mm_aeskeygenassist_si128(r[5], 0x20));
    r[7] = next_round(r[6], _mm_aeskeygenassist_si128(r[6], 0x40));
    r[8] = next_round(r[7], _mm_aeskeygenassist_si128(r[7], 0x80));
    r[9] = next_round(r[8], _mm_aeskeygenassist_si128(r[8], 0x1b));
    r[10] = next_round(r[9], _mm_aeskeygenassist_si128(r[9], 0x36));
}

void tern_prf_init(struct tern_prf_key *k, struct tern_siphash_key master, uint64_t label)
{
    const uint64_t key[] = {derive(master, label, 0), derive(master, label, 1)};
    uint8_t bytes[TERN_PRF_KEY_BYTES];
    memcpy(bytes, key, sizeof bytes);
    tern_prf_expand(k, bytes);
    for (uint64_t i = 0; i < sizeof k->nh / sizeof k->nh[0]; i++)
        k->nh[i] = derive(master, label, 2 + i);
}

#else

void tern_prf_init(struct tern_prf_key *k, struct tern_siphash_key master, uint64_t label)
{
    k->sip = (struct tern_siphash_key){derive(master, label, 0), derive(master, label, 1)};
}

#endif
