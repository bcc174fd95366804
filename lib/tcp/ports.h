/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Ephemeral ports (RFC 6056): a keyed permutation, for each destination, of the ports whose replies
 * reach this worker. An outsider cannot tell the next port from the last ones, and no port comes
 * again before all others have had their turn, which keeps a four-tuple's TIME-WAIT as far away as
 * the range allows.
 */
#include "tcp.h"

/**
 * A port towards the destination in `key` (its lport does not matter), and *turn moved on: as it
 * counts up, every port comes once before any comes again.
 * @param upcoming  the port that the next call will most likely give, for looking ahead; may be
 *                  NULL
 * @return 0: there is none
 * Cost: two hashes and four rounds, on average less than 4 times; the same again for each port that
 * lies outside of the configured range.
 */
uint16_t tern_ports_next(
    const struct tern_tcp *t, const struct tern_flow_key *key, uint32_t *turn, uint16_t *upcoming);

/** Do replies to key->lport reach this worker? */
bool tern_ports_is_own(const struct tern_tcp *t, const struct tern_flow_key *key);
