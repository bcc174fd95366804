/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The pseudo-random function of a four-tuple. */
#include "conn.h"
#include "wire/hint.h"
#include "wire/prf.h"

/**
 * V100: @param extra  32 bits beside the tuple
 * @param blind  added to what is hashed; a secret value makes functions of different `blind`
 *               independent but for a chance of 2^-64. {0, 0}: none
 */
static inline struct tern_prf tern_tuple_prf(const struct tern_prf_key *key,
    const struct tern_flow_key *k, uint32_t extra, struct tern_prf blind)
{
    const uint64_t ports = (uint32_t)k->rport << 16 | k->lport;
    const uint64_t w1 = ((uint64_t)extra << 32 | ports) ^ blind.hi;
    if (unlikely(!tern_addr_is_v4(&k->remote)))
        return tern_prf6(key, k->remote.b, k->local.b, w1);
    const uint64_t w0 = (uint64_t)k->remote.w[3] << 32 | k->local.w[3];
    return tern_prf4(key, w0 ^ blind.lo, w1);
}
