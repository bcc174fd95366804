/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * When a connection was meant to begin, and what is to become of it in the books: one word, so that
 * a connection that needs no state of ours carries it in its user pointer, and measuring costs no
 * line of memory. An odd user pointer is a stamp; an even one points at the scenario's state, whose
 * first field is the stamp.
 *
 *   63                                11 10     8 7      3  2   1   0
 *   [ intended start, ns, modulo 2^53 ] [ part ] [ fail ] [S] [C] [1]
 *
 * Part: which scenario of a mix; S is the scenario's own, C: the connection counts. 2^53 ns are 104
 * days; a time is the difference of two.
 */
#include <stdbool.h>
#include <stdint.h>

struct app_stamp {
    uintptr_t bits;
};

enum {
    APP_STAMP_TAG = 1u << 0,
    APP_STAMP_COUNTS = 1u << 1,
    APP_STAMP_OWN = 1u << 2,
    APP_STAMP_FAIL_SHIFT = 3,
    APP_STAMP_FAIL_MAX = 31,
    APP_STAMP_PART_SHIFT = 8,
    APP_STAMP_PARTS = 8,
    APP_STAMP_NS_SHIFT = 11,
};

static inline struct app_stamp app_stamp_make(uint64_t intended_ns, bool counts)
{
    const uint64_t flags = APP_STAMP_TAG | (counts ? APP_STAMP_COUNTS : 0u);
    return (struct app_stamp){intended_ns << APP_STAMP_NS_SHIFT | flags};
}

/** As a user pointer. */
static inline void *app_stamp_pointer(struct app_stamp s)
{
    return (void *)s.bits; /* NOLINT(performance-no-int-to-ptr): never dereferenced */
}

/** Is this user pointer a stamp, and not the scenario's state? */
static inline bool app_stamp_is(const void *user)
{
    return ((uintptr_t)user & APP_STAMP_TAG) != 0;
}

/** The stamp of a connection with this user pointer, which is not NULL. */
static inline struct app_stamp app_stamp_of(const void *user)
{
    return app_stamp_is(user) ? (struct app_stamp){(uintptr_t)user}
                              : *(const struct app_stamp *)user;
}

static inline bool app_stamp_counts(struct app_stamp s)
{
    return (s.bits & APP_STAMP_COUNTS) != 0;
}

static inline uint32_t app_stamp_part(struct app_stamp s)
{
    return (uint32_t)(s.bits >> APP_STAMP_PART_SHIFT) & (APP_STAMP_PARTS - 1);
}

/** The same, of a scenario of a mix. @param s  of part 0 */
static inline struct app_stamp app_stamp_with_part(struct app_stamp s, uint32_t part)
{
    return (struct app_stamp){s.bits | (uintptr_t)part << APP_STAMP_PART_SHIFT};
}

/** Why the scenario fails it, plus one; 0: it does not. */
static inline uint32_t app_stamp_fail(struct app_stamp s)
{
    return (uint32_t)(s.bits >> APP_STAMP_FAIL_SHIFT) & APP_STAMP_FAIL_MAX;
}

/** Nanoseconds since the intended start. */
static inline uint64_t app_stamp_age_ns(struct app_stamp s, uint64_t now_ns)
{
    const uint64_t start = s.bits >> APP_STAMP_NS_SHIFT;
    return ((now_ns - start) << APP_STAMP_NS_SHIFT) >> APP_STAMP_NS_SHIFT;
}
