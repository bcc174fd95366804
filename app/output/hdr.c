/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encoding V2, as HdrHistogram's documentation of its formats has it. A header of big-endian
 * words, then the counts as ZigZag LEB128 numbers of at most nine bytes, a run of empty buckets as
 * its negated length. Around that the same idea again: a cookie, a length, a zlib stream.
 */
#include "hdr.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    DIGITS = 3,
    HEADER_BYTES = 40,
    NUMBER_BYTES_MAX = 9, /* of a LEB128 of 64 bits: the last byte carries eight */
    OUTER_BYTES = 8,
};
#define COOKIE       UINT32_C(0x1c849313) /* V2, and how wide words may be */
#define OUTER_COOKIE UINT32_C(0x1c849314)

static uint8_t *put_u32(uint8_t *p, uint32_t x)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (uint8_t)(x >> shift);
    return p;
}

static uint8_t *put_u64(uint8_t *p, uint64_t x)
{
    return put_u32(put_u32(p, (uint32_t)(x >> 32)), (uint32_t)x);
}

static uint8_t *put_number(uint8_t *p, int64_t signed_value)
{
    uint64_t x = ((uint64_t)signed_value << 1) ^ (uint64_t)(signed_value >> 63);
    for (int i = 1; i < NUMBER_BYTES_MAX && x > 0x7f; i++) {
        *p++ = (uint8_t)(x | 0x80);
        x >>= 7;
    }
    *p++ = (uint8_t)x;
    return p;
}

/* Up to the last that is not empty. */
static uint8_t *put_counts(uint8_t *p, const struct app_hist *h)
{
    int64_t n_empty = 0;
    for (uint32_t i = 0; i < APP_HIST_BUCKETS; i++) {
        if (h->counts[i] == 0) {
            n_empty++;
            continue;
        }
        if (n_empty == 1)
            p = put_number(p, 0);
        else if (n_empty > 1)
            p = put_number(p, -n_empty);
        n_empty = 0;
        p = put_number(p, (int64_t)h->counts[i]);
    }
    return p;
}

/* @return bytes */
static size_t encode(const struct app_hist *h, uint8_t *out)
{
    static const double ratio = 1; /* of a count's unit to a nanosecond */
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    const uint8_t *end = put_counts(out + HEADER_BYTES, h);
    const size_t n_bytes = (size_t)(end - out);
    uint8_t *p = put_u32(out, COOKIE);
    p = put_u32(p, (uint32_t)(n_bytes - HEADER_BYTES));
    p = put_u32(p, 0); /* of counts that were shifted */
    p = put_u32(p, DIGITS);
    p = put_u64(p, 1);
    p = put_u64(p, APP_HIST_MAX_NS);
    put_u64(p, ratio_bits);
    return n_bytes;
}

/* RFC 4648 §4 */
static char *base64(const uint8_t *data, size_t n_bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((n_bytes + 2) / 3 * 4 + 1), *p = text;
    for (size_t i = 0; i < n_bytes && text != NULL; i += 3) {
        const size_t left = n_bytes - i;
        const uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0)
                               | (left > 2 ? data[i + 2] : 0u);
        *p++ = letters[three >> 18];
        *p++ = letters[three >> 12 & 63];
        *p++ = left > 1 ? letters[three >> 6 & 63] : '=';
        *p++ = left > 2 ? letters[three & 63] : '=';
    }
    if (text != NULL)
        *p = '\0';
    return text;
}

char *app_hdr_encode(const struct app_hist *h)
{
    const size_t plain_max = HEADER_BYTES + (size_t)APP_HIST_BUCKETS * NUMBER_BYTES_MAX;
    uLongf n_deflated = compressBound(plain_max);
    uint8_t *plain = malloc(plain_max), *outer = malloc(OUTER_BYTES + n_deflated);
    char *text = NULL;
    if (plain != NULL && outer != NULL) {
        const size_t n_plain = encode(h, plain);
        if (compress(outer + OUTER_BYTES, &n_deflated, plain, n_plain) == Z_OK) {
            put_u32(put_u32(outer, OUTER_COOKIE), (uint32_t)n_deflated);
            text = base64(outer, OUTER_BYTES + n_deflated);
        }
    }
    free(plain);
    free(outer);
    return text;
}
