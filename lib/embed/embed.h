/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What instance and sockets of an embedded endpoint know of each other. */
#include <tern/embed.h>

#include "shard/shard.h"

struct tern_embed {
    struct tern_shard *shard;
    struct rte_mempool *pool;
    struct tern_sock *socks; /* all of them, doubly linked */
    uint32_t n_out, next_out;
    struct rte_mbuf *out[TERN_SHARD_TX_MAX]; /* [next_out, n_out) are still to be fetched */
};

/** Free every socket; the shard is closed already. */
void tern_socks_free(struct tern_embed *e);
