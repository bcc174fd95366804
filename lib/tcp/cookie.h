/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * SYN cookies (RFC 4987 §3.6): the initial sequence number is the state.
 *
 *    31                               8 7   5 4  1  0
 *   ┌──────────────────────────────────┬─────┬────┬──┐
 *   │ MAC: PRF of four-tuple,          │ MSS │ WS │ S│   WS 15 = no window scaling
 *   │ peer's ISN, period, low byte     │ idx │    │  │   S = SACK permitted
 *   └──────────────────────────────────┴─────┴────┴──┘
 *
 * The low byte is masked with hash bits, so that it looks random, too. All of a SYN survives but
 * the exact MSS, which is rounded down to a table. Timestamps need no bit: the ACK that returns the
 * cookie carries them or not. A cookie is good in its own 69 s period and the next: a forger
 * succeeds once in 2^23. As nothing is remembered, a late duplicate of that ACK can open the
 * connection a second time.
 */
#include "tcp.h"

/** The cookie for a SYN with that secret (syn_secret.h) and those options. */
struct tern_seq tern_cookie_make(struct tern_prf secret, bool v6, const struct tern_tcp_opts *peer);

/**
 * Is `iss` a cookie of ours for this four-tuple?
 * @param out   MSS, window scale and SACK as the SYN had them; timestamps untouched
 */
bool tern_cookie_check(const struct tern_tcp *t, const struct tern_flow_key *key,
    struct tern_seq irs, struct tern_seq iss, struct tern_tcp_opts *out);
