/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Addresses and lists of sources from text. */
#include "sources.h"
#include "unit.h"

static inline union tern_addr addr(const char *text)
{
    union tern_addr a;
    assert_int_equal(tern_addr_parse(text, &a), 0);
    return a;
}

static inline void sources_from(struct app_sources *s, const char *list)
{
    struct tern_error err;
    *s = (struct app_sources){.n = 0};
    if (app_sources_add(s, list, &err) != 0)
        fail_msg("%s", err.text);
}

/** How far `a` lies behind `first`; the last 64 bits are all that differs. */
static inline uint64_t steps_from(const union tern_addr *first, const union tern_addr *a)
{
    assert_true(first->q[0] == a->q[0]);
    return __builtin_bswap64(a->q[1]) - __builtin_bswap64(first->q[1]);
}
