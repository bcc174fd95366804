/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums, books and names. A tern_stats is nothing but 64-bit counters, so adding two is adding two
 * arrays, and a counter added to the list in stats.h needs no line here.
 */
#include <tern/conn.h>
#include <tern/stats.h>

#include <assert.h>
#include <stddef.h>

enum { STATS_WORDS = sizeof(struct tern_stats) / sizeof(uint64_t) };
static_assert(sizeof(struct tern_stats) % sizeof(uint64_t) == 0, "counters and nothing else");
static_assert(_Alignof(struct tern_stats) == _Alignof(uint64_t), "counters and nothing else");

void tern_stats_add(struct tern_stats *sum, const struct tern_stats *add)
{
    uint64_t *to = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)add;
    /* One load a counter: a worker may be writing the one that is read. */
    for (size_t i = 0; i < STATS_WORDS; i++)
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static uint64_t sum_of(const uint64_t by_reason[TERN_CLOSE_COUNT])
{
    uint64_t sum = 0;
    for (int i = 0; i < TERN_CLOSE_COUNT; i++)
        sum += by_reason[i];
    return sum;
}

bool tern_stats_balance(const struct tern_stats *s)
{
    const uint64_t opened = s->active_established + sum_of(s->active_failed) + s->opening_now;
    const uint64_t established = s->passive_established + s->active_established;
    return s->active_opens == opened && established == sum_of(s->closed) + s->open_now;
}

#define NAME(name, json, text) [TERN_DROP_##name] = json,
#define TEXT(name, json, text) [TERN_DROP_##name] = text,
static const char *const drop_names[TERN_DROP_COUNT] = {TERN_DROP_LIST(NAME)};
static const char *const drop_texts[TERN_DROP_COUNT] = {TERN_DROP_LIST(TEXT)};
#undef NAME
#undef TEXT

#define NAME(name, json, text) [TERN_CLOSE_##name] = json,
static const char *const close_names[TERN_CLOSE_COUNT] = {TERN_CLOSE_LIST(NAME)};
#undef NAME

/* As RFC 9293 §3.3.2 spells them. */
// clang-format off
static const char *const state_names[TERN_STATE_COUNT] = {
    [TERN_CLOSED]      = "CLOSED",
    [TERN_LISTEN]      = "LISTEN",
    [TERN_SYN_SENT]    = "SYN-SENT",
    [TERN_SYN_RCVD]    = "SYN-RECEIVED",
    [TERN_ESTABLISHED] = "ESTABLISHED",
    [TERN_FIN_WAIT_1]  = "FIN-WAIT-1",
    [TERN_FIN_WAIT_2]  = "FIN-WAIT-2",
    [TERN_CLOSE_WAIT]  = "CLOSE-WAIT",
    [TERN_CLOSING]     = "CLOSING",
    [TERN_LAST_ACK]    = "LAST-ACK",
    [TERN_TIME_WAIT]   = "TIME-WAIT",
};
// clang-format on

const char *tern_drop_name(enum tern_drop reason)
{
    return (unsigned)reason < TERN_DROP_COUNT ? drop_names[reason] : "unknown";
}

const char *tern_drop_text(enum tern_drop reason)
{
    return (unsigned)reason < TERN_DROP_COUNT ? drop_texts[reason] : "not a reason";
}

const char *tern_close_name(enum tern_close_reason reason)
{
    return (unsigned)reason < TERN_CLOSE_COUNT ? close_names[reason] : "unknown";
}

const char *tern_state_name(enum tern_state s)
{
    return (unsigned)s < TERN_STATE_COUNT ? state_names[s] : "unknown";
}
