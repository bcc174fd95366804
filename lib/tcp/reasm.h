/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Out-of-order data of a connection: held as received, sorted, disjoint, bounded (SHLD-31). */
#include "tcp.h"

/**
 * Hold a segment that lies in the window but not at RCV.NXT. Takes seg->m over when it holds it.
 * @return TERN_DROP_NONE, TCP_DUPLICATE (all held already), TCP_REASM_FULL
 */
enum tern_drop tern_reasm_hold(
    struct tern_tcp *t, struct tern_conn *c, struct tern_seg *seg, bool fin);

/**
 * Take out the piece that starts at RCV.NXT (trimmed to it). When nothing is left the record goes.
 * @param fin   set when the peer's FIN comes right behind what was taken so far
 * @return the chain and its length, or NULL
 */
struct rte_mbuf *tern_reasm_next(
    struct tern_tcp *t, struct tern_conn *c, uint32_t *len_bytes, bool *fin);

/** Free everything held. */
void tern_reasm_clear(struct tern_tcp *t, struct tern_conn *c);
