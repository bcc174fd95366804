/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The last values of something that has one each second, for a sparkline. */
#include <stdint.h>

enum { APP_HISTORY_MAX = 256 };

struct app_history {
    uint64_t values[APP_HISTORY_MAX];
    uint64_t n; /**< ever added; value k is at k modulo APP_HISTORY_MAX */
};

static inline void app_history_add(struct app_history *h, uint64_t value)
{
    h->values[h->n++ % APP_HISTORY_MAX] = value;
}

/** How many of the last `wanted` are there. */
static inline uint32_t app_history_n(const struct app_history *h, uint32_t wanted)
{
    const uint64_t kept = h->n < APP_HISTORY_MAX ? h->n : APP_HISTORY_MAX;
    return (uint32_t)(kept < wanted ? kept : wanted);
}

/** Value `i` of the last `n`, the oldest first. @param n  as app_history_n() said */
static inline uint64_t app_history_at(const struct app_history *h, uint32_t n, uint32_t i)
{
    return h->values[(h->n - n + i) % APP_HISTORY_MAX];
}
