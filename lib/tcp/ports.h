/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Ephemeral ports (RFC 6056): a keyed permutation, for each destination, of the ports whose replies
 * reach this worker. An outsider cannot tell the next port from the last ones, and no port comes
 * again before all others have had their turn, which keeps a four-tuple's TIME-WAIT as far away as
 * the range allows.
 *
 * It is the RFC's double-hash algorithm (§3.3.4) with a permutation in the place of its offset: one
 * keyed hash of the destination makes the order, another names the counter that walks it
 * (tern_host_dest()). Both belong to the destination, so they are asked for once and kept with it.
 */
#include "tcp.h"

/** The ports of this worker towards one destination, and the order they come in. */
struct tern_port_order {
    uint64_t round_keys;                 /**< of the permutation */
    const struct tern_rss_ports *family; /**< they are numbered by RSS; NULL: by remainder */
    uint32_t n;                          /**< ports there are; 0: none */
    uint32_t half_bits;                  /**< of a number, in the permutation */
    uint32_t first, stride;              /**< by remainder */
    uint32_t peer;                       /**< by RSS: the destination's part of the entry */
};

/** The order towards the destination in `key` (its lport does not matter). Cost: a SipHash. */
void tern_port_order_init(
    struct tern_port_order *o, const struct tern_tcp *t, const struct tern_flow_key *key);

/**
 * The port whose turn it is, and *turn moved on: as it counts up, every port comes once before any
 * comes again.
 * @return 0: there is none
 * Cost: four rounds, on average less than 4 times; the same again for each port that lies outside
 * of the configured range.
 */
uint16_t tern_ports_next(const struct tern_tcp *t, const struct tern_port_order *o, uint32_t *turn);

/** The port whose turn that is, or 0: it lies outside of the configured range, or there is none. */
uint16_t tern_ports_at(const struct tern_tcp *t, const struct tern_port_order *o, uint32_t turn);

/** Do replies to key->lport reach this worker? */
bool tern_ports_is_own(const struct tern_tcp *t, const struct tern_flow_key *key);
