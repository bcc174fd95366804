/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a segment of ours says of the data that is held out of order, or came twice. */
#include "tcp.h"

/** tern_sack_n_blocks() where something may be held. */
uint32_t tern_sack_n_held(const struct tern_tcp *t, const struct tern_conn *c);

/** SACK blocks the next segment could carry, at the most; 0: nothing is held out of order. */
static inline uint32_t tern_sack_n_blocks(const struct tern_tcp *t, const struct tern_conn *c)
{
    if (likely(c->rxq == 0 && t->n_dsacks == 0) || !(c->flags & TERN_CF_SACK)) /* (2018-2) */
        return 0;
    return tern_sack_n_held(t, c);
}

/** Add the blocks to the options; a duplicate is reported once. Cost: O(what is held). */
void tern_sack_report(struct tern_tcp *t, const struct tern_conn *c, struct tern_tcp_opts *o);
