/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a parser made of messages that were seen before. HTTP peers say the same bytes again and
 * again, and going through them byte by byte costs more than their TCP does. So a worker keeps the
 * last few distinct messages that came whole in one segment, each with its verdict: the same bytes
 * get the same verdict, all others go to the parser. Only bytes that a parser went through from a
 * fresh start to the end of exactly one message may be learned, so nothing is ever believed here
 * that was not parsed.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    APP_MEMO_PLACES = 4,
    APP_MEMO_BYTES_MAX = 504, /**< of a message; longer ones are always parsed */
    APP_MEMO_UNKNOWN = -1,
};

/** One message. */
struct app_memo_place {
    uint32_t n_bytes; /**< 0: empty */
    int32_t verdict;
    char bytes[APP_MEMO_BYTES_MAX];
};

struct app_memo {
    struct app_memo_place places[APP_MEMO_PLACES];
    uint32_t next; /**< the place that is overwritten next, the oldest */
};

/** @return the verdict on these bytes, >= 0, or APP_MEMO_UNKNOWN */
static inline int32_t app_memo_find(const struct app_memo *m, const void *bytes, size_t n_bytes)
{
    for (uint32_t i = 0; i < APP_MEMO_PLACES; i++) {
        const struct app_memo_place *p = &m->places[i];
        if (p->n_bytes == n_bytes && n_bytes != 0 && memcmp(p->bytes, bytes, n_bytes) == 0)
            return p->verdict;
    }
    return APP_MEMO_UNKNOWN;
}

/** The same where more may follow the message. @param n_used  bytes of it */
static inline int32_t app_memo_find_front(
    const struct app_memo *m, const void *bytes, size_t n_bytes, size_t *n_used)
{
    for (uint32_t i = 0; i < APP_MEMO_PLACES; i++) {
        const struct app_memo_place *p = &m->places[i];
        if (p->n_bytes == 0 || p->n_bytes > n_bytes || memcmp(p->bytes, bytes, p->n_bytes) != 0)
            continue;
        *n_used = p->n_bytes;
        return p->verdict;
    }
    return APP_MEMO_UNKNOWN;
}

/** Remember a message that is not known yet. @param verdict >= 0 */
static inline void app_memo_learn(
    struct app_memo *m, const void *bytes, size_t n_bytes, int32_t verdict)
{
    if (n_bytes > APP_MEMO_BYTES_MAX)
        return;
    struct app_memo_place *p = &m->places[m->next++ % APP_MEMO_PLACES];
    p->n_bytes = (uint32_t)n_bytes;
    p->verdict = verdict;
    memcpy(p->bytes, bytes, n_bytes);
}
