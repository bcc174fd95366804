/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * TCP sequence numbers: positions on a circle of 2^32 octets (RFC 9293 §3.4).
 *
 * A bare uint32_t invites `a < b`, which is wrong once per 4 GiB. The struct costs nothing (it
 * travels in one register) and makes the compiler refuse every comparison but these.
 */
#include <stdbool.h>
#include <stdint.h>

struct tern_seq {
    uint32_t v;
};

/** V007, V059: `a` is before `b` on the circle. Meaningful while |a - b| < 2^31. */
static inline bool tern_seq_before(struct tern_seq a, struct tern_seq b)
{
    return (int32_t)(a.v - b.v) < 0;
}

/** `s` moved `n_bytes` clockwise. */
static inline struct tern_seq tern_seq_add(struct tern_seq s, uint32_t n_bytes)
{
    const struct tern_seq moved = {s.v + n_bytes};
    return moved;
}

/** Octets from `from` up to `to`. Requires: !before(to, from). */
static inline uint32_t tern_seq_span(struct tern_seq from, struct tern_seq to)
{
    return to.v - from.v;
}
