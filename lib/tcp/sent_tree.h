/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The stretches in flight of one connection, in order of sequence: the tree under sent.c, which
 * alone uses it. They do not overlap, so that the order never changes as they grow, shrink and are
 * cut. Records are named by index, 0 is none; q->first and q->last are kept. Steps and changes cost
 * O(log n).
 */
#include "tcp.h"

/** The next in sequence, or 0. */
uint32_t tern_sent_next(const struct tern_tcp *t, uint32_t x);

/** The one before it in sequence, or 0. */
uint32_t tern_sent_prev(const struct tern_tcp *t, uint32_t x);

/** The stretch that holds `seq`, or 0. */
uint32_t tern_sent_find(const struct tern_tcp *t, const struct tern_txq *q, struct tern_seq seq);

/** Put `x` right behind `prev` in sequence (0: into an empty tree). */
void tern_sent_insert(struct tern_tcp *t, struct tern_txq *q, uint32_t prev, uint32_t x);

/** Take `x` out. */
void tern_sent_remove(struct tern_tcp *t, struct tern_txq *q, uint32_t x);
