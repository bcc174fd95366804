/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What every fuzz target shares: the entry point and a tape, from which a program that the fuzzer
 * wrote is read. A tape that has ended reads as zeros, so every input is a whole program and a byte
 * that is removed shortens it.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tape {
    const uint8_t *at, *end;
};

static inline bool tape_ended(const struct tape *t)
{
    return t->at == t->end;
}

static inline uint8_t take8(struct tape *t)
{
    return t->at < t->end ? *t->at++ : 0;
}

static inline uint16_t take16(struct tape *t)
{
    const uint8_t high = take8(t);
    return (uint16_t)(high << 8 | take8(t));
}

static inline uint32_t take32(struct tape *t)
{
    const uint32_t high = take16(t);
    return high << 16 | take16(t);
}

/** The next `n` bytes; zeros where the tape ends. */
static inline void take_bytes(struct tape *t, void *to, size_t n)
{
    const size_t left = (size_t)(t->end - t->at);
    const size_t here = n < left ? n : left;
    if (here > 0) /* an empty input comes as a null pointer */
        memcpy(to, t->at, here);
    memset((uint8_t *)to + here, 0, n - here);
    t->at += here;
}

/**
 * A copy in a block of its exact size, so that the address sanitizer sees every byte read or
 * written too far. To be freed.
 */
static inline uint8_t *exact_copy(const void *bytes, size_t n)
{
    uint8_t *block = malloc(n > 0 ? n : 1);
    assert(block != NULL);
    if (n > 0)
        memcpy(block, bytes, n);
    return block;
}
