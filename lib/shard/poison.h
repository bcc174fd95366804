/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Memory of ours that nobody may touch now. AddressSanitizer knows malloc's free memory, not the
 * free records of a pool; these two tell it. In every other build they are nothing.
 */
#include <stddef.h>

#if defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define TERN_HAS_ASAN 1
#    endif
#elif defined(__SANITIZE_ADDRESS__)
#    define TERN_HAS_ASAN 1
#endif

#ifdef TERN_HAS_ASAN
#    include <sanitizer/asan_interface.h>

static inline void tern_poison(const void *at, size_t n_bytes)
{
    __asan_poison_memory_region(at, n_bytes);
}

static inline void tern_unpoison(const void *at, size_t n_bytes)
{
    __asan_unpoison_memory_region(at, n_bytes);
}
#else
static inline void tern_poison(const void *at, size_t n_bytes)
{
    (void)at;
    (void)n_bytes;
}

static inline void tern_unpoison(const void *at, size_t n_bytes)
{
    (void)at;
    (void)n_bytes;
}
#endif
