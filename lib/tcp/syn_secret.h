/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What only we know of a SYN, from which its answer's sequence number is made: for an ISN (RFC
 * 6528) a function of the four-tuple, for a cookie one of peer's ISN and period, too. The cipher
 * takes its time, so it is asked for over a whole burst before the first SYN of it is answered.
 */
#include "tcp.h"
#include "tuple.h"

/** The key of a period's cookies; the next one's is made as the period begins. */
static inline struct tern_prf tern_cookie_blind(const struct tern_tcp *t, uint64_t period)
{
    return likely(period == t->cookie_period) ? t->cookie_blind
                                              : tern_prf4(&t->keys.period, period, 0);
}

static inline struct tern_prf tern_cookie_secret(
    const struct tern_tcp *t, const struct tern_flow_key *key, struct tern_seq irs, uint64_t period)
{
    return tern_tuple_prf(&t->keys.cookie, key, irs.v, tern_cookie_blind(t, period));
}

static inline uint64_t tern_cookie_period(const struct tern_tcp *t)
{
    return t->now_ns >> TERN_COOKIE_PERIOD_SHIFT;
}

/** Of SYNs whose answers will be cookies, or ISNs. @param syns [n] */
static inline void tern_syn_prepare(
    const struct tern_tcp *t, struct tern_seg **syns, uint32_t n, bool cookies)
{
    const struct tern_prf_key *key = cookies ? &t->keys.cookie : &t->keys.isn;
    const struct tern_prf none = {0};
    const struct tern_prf blind = cookies ? tern_cookie_blind(t, tern_cookie_period(t)) : none;
    for (uint32_t i = 0; i < n; i++) {
        struct tern_seg *seg = syns[i];
        seg->secret_is_cookies = cookies;
        seg->secret = tern_tuple_prf(key, &seg->key, cookies ? seg->p.seq.v : 0, blind);
    }
}
