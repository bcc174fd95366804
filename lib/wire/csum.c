/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum, summed in words as wide as the machine's.
 *
 * One's complement addition does not care how wide the words are (RFC 1071 §2 (B), "parallel
 * summation"), nor about the byte order. Long stretches are summed as the 32-bit halves of 64-bit
 * loads: 64-bit accumulators cannot overflow before 2^32 words, so no step looks at a carry, and
 * the 32-byte step is two vector additions: 1460 bytes in about 100 cycles. Headers are too short
 * for vectors; 64-bit words whose carries are counted beside the sum take two instructions each,
 * and its halves and carries are added up at the end, so that what is handed out may be added
 * freely. Rejected: the same for long stretches (250 cycles and more).
 */
#include "csum.h"

#include "hint.h"

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* 64-bit words' sum and their carries as a sum of 32-bit words. */
static inline uint64_t fold_words(uint64_t sum, uint64_t carries)
{
    return (sum & 0xffffffffu) + (sum >> 32) + carries;
}

enum { LANES = 4, BLOCK_BYTES = LANES * 8 };

/* [n_blocks * BLOCK_BYTES] */
static uint64_t add_blocks(uint64_t sum, const uint8_t *p, uint32_t n_blocks)
{
    uint64_t low[LANES] = {0}, high[LANES] = {0};
    for (; n_blocks > 0; n_blocks--, p += BLOCK_BYTES) {
        for (int i = 0; i < LANES; i++) {
            const uint64_t w = load64(p + i * 8);
            low[i] += w & 0xffffffffu;
            high[i] += w >> 32;
        }
    }
    for (int i = 0; i < LANES; i++)
        sum += low[i] + high[i];
    return sum;
}

/* The bytes p[0..n_bytes), 0..7, as the first of a word whose others are 0. */
static inline uint64_t part_of_word(const uint8_t *p, uint32_t n_bytes)
{
    uint64_t w = 0;
    for (uint32_t i = 0; i < n_bytes; i++)
        w |= (uint64_t)p[i] << (8 * i);
    return w;
}

/* [n_bytes], behind 8 bytes or more: the last word holds bytes again that were summed, and these
 * are shifted out. */
static inline uint64_t add_words(uint64_t sum, const uint8_t *p, uint32_t n_bytes)
{
    __extension__ typedef unsigned __int128 u128;
    u128 wide = sum;
    for (; n_bytes >= 8; n_bytes -= 8, p += 8)
        wide += load64(p);
    if (n_bytes != 0)
        wide += load64(p + n_bytes - 8) >> (64 - 8 * n_bytes);
    return fold_words((uint64_t)wide, (uint64_t)(wide >> 64));
}

uint64_t tern_csum_add(uint64_t sum, const void *bytes, uint32_t len_bytes)
{
    const uint8_t *p = bytes;
    if (unlikely(len_bytes < 8))
        return sum + fold_words(part_of_word(p, len_bytes), 0);
    if (len_bytes >= 2 * BLOCK_BYTES) {
        const uint32_t n_blocks = len_bytes / BLOCK_BYTES;
        sum = add_blocks(sum, p, n_blocks);
        p += n_blocks * BLOCK_BYTES;
        len_bytes %= BLOCK_BYTES;
    }
    return add_words(sum, p, len_bytes);
}

void tern_csum_ip4_set(uint8_t *ip4, uint32_t ihl_bytes)
{
    enum { CSUM_OFF = 10 };
    memset(ip4 + CSUM_OFF, 0, 2);
    const uint16_t csum = (uint16_t)~tern_csum_fold(tern_csum_add(0, ip4, ihl_bytes));
    memcpy(ip4 + CSUM_OFF, &csum, sizeof csum);
}
