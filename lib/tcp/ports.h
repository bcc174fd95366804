/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Ephemeral ports (RFC 6056): a keyed permutation of the port range per destination. An outsider
 * cannot tell the next port from the last ones, and no port comes again before all others have had
 * their turn, which keeps a four-tuple's TIME-WAIT as far away as the range allows.
 */
#include "tcp.h"

/** Ports of the configured range with port % stride == phase. */
uint32_t tern_ports_count(const struct tern_stack_config *cfg);

/**
 * The `turn`-th port towards a destination, 0 <= turn < 2^32: a permutation of the range for every
 * tern_ports_count() consecutive turns. Cost: a hash and four rounds, on average less than 4 times.
 */
uint16_t tern_ports_nth(const struct tern_tcp *t, const union tern_addr *local,
    const union tern_addr *remote, uint16_t rport, uint32_t turn);
