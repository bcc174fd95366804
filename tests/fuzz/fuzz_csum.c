/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checksum against RFC 1071 taken by the letter: 16-bit words, one after the other, carry
 * folded at each. The input:
 *
 *   byte 0      alignment of the buffer, 0..63
 *   bytes 1-2   where the buffer is cut in two for the sum by parts, in 1/65536 of it
 *   byte 3      how often the bytes are repeated, 1..16, so that the wide loop is reached
 *   byte 4..    the bytes; the first 33 also are addresses and protocol of pseudo-headers
 */
#include "fuzz.h"
#include "wire/csum.h"
#include "wire/tcp_hdr.h"

enum { ALIGN_MAX = 64, REPEATS_MAX = 16, CSUM_OFF = 10 };

/** Words as they lie on the wire; the result in the machine's order, as tern_csum_fold() has it. */
static uint16_t naive(const uint8_t *bytes, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i += 2) {
        sum += (uint32_t)(bytes[i] << 8 | (i + 1 < n ? bytes[i + 1] : 0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return __builtin_bswap16((uint16_t)sum);
}

/** 0 and 0xffff are one number in one's complement. */
static bool is_same(uint16_t a, uint16_t b)
{
    return a % 0xffff == b % 0xffff;
}

static void check_parts(const uint8_t *bytes, uint32_t n, uint16_t cut_per_64k)
{
    const uint16_t want = naive(bytes, n);
    const uint32_t cut = (uint32_t)((uint64_t)n * cut_per_64k >> 16);
    assert(is_same(tern_csum_fold(tern_csum_add(0, bytes, n)), want));

    const uint64_t front = tern_csum_add(0, bytes, cut);
    const uint64_t back = tern_csum_add(0, bytes + cut, n - cut);
    const uint64_t whole = front + (cut & 1 ? tern_csum_odd(back) : back);
    assert(is_same(tern_csum_fold(whole), want));
    if (cut % 2 == 0)
        assert(is_same(tern_csum_fold(tern_csum_add(front, bytes + cut, n - cut)), want));
}

static void check_pseudo4(const uint8_t *bytes, uint8_t proto, uint16_t l4_bytes)
{
    uint8_t header[12] = {[9] = proto, [10] = (uint8_t)(l4_bytes >> 8), [11] = (uint8_t)l4_bytes};
    memcpy(header, bytes, 8);
    const uint64_t sum = tern_csum_pseudo4(bytes, bytes + 4, proto, l4_bytes);
    assert(is_same(tern_csum_fold(sum), naive(header, sizeof header)));
}

static void check_pseudo6(const uint8_t *bytes, uint8_t proto, uint32_t l4_bytes)
{
    uint8_t header[40] = {[32] = (uint8_t)(l4_bytes >> 24),
        [33] = (uint8_t)(l4_bytes >> 16),
        [34] = (uint8_t)(l4_bytes >> 8),
        [35] = (uint8_t)l4_bytes,
        [39] = proto};
    memcpy(header, bytes, 32);
    const uint64_t sum = tern_csum_pseudo6(bytes, bytes + 16, proto, l4_bytes);
    assert(is_same(tern_csum_fold(sum), naive(header, sizeof header)));
}

/** A header whose checksum was set sums to all ones, whatever its field held before. */
static void check_ip4_set(const uint8_t *bytes, uint32_t n)
{
    uint8_t *header = exact_copy(bytes, n);
    tern_csum_ip4_set(header, n);
    assert(naive(header, n) == 0xffff);
    memcpy(header + CSUM_OFF, bytes + CSUM_OFF, 2);
    assert(memcmp(header, bytes, n) == 0); /* and nothing else was touched */
    free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape t = {data, data + size};
    const uint32_t align = take8(&t) % ALIGN_MAX;
    const uint16_t cut = take16(&t);
    const uint32_t repeats = 1 + take8(&t) % REPEATS_MAX;
    const uint32_t n = (uint32_t)(t.end - t.at);

    uint8_t *block = malloc(align + (size_t)n * repeats + 1);
    assert(block != NULL);
    uint8_t *bytes = block + align;
    for (uint32_t i = 0; i < repeats && n > 0; i++)
        memcpy(bytes + (size_t)i * n, t.at, n);
    /* Its end is the end of what the sanitizer lets it read. */
    uint8_t *tight = exact_copy(block, align + (size_t)n * repeats);
    check_parts(tight + align, n * repeats, cut);

    uint8_t addrs[33];
    take_bytes(&t, addrs, sizeof addrs);
    check_pseudo4(addrs, addrs[32], (uint16_t)(cut * repeats));
    check_pseudo6(addrs, addrs[32], cut * repeats);
    for (uint32_t ihl = TERN_IP4_BYTES; ihl <= 60 && ihl <= n * repeats; ihl += 4)
        check_ip4_set(bytes, ihl);
    free(tight);
    free(block);
    return 0;
}
