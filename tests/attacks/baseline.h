/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What an attack must leave as it was: buffers, connections, half-opens, TIME-WAIT records, timers
 * and neighbours of a shard. Taken before, asserted after, and named in what a failure prints.
 */
#include "shard/shard_struct.h"
#include "unit.h"

#include <rte_mempool.h>

struct baseline {
    uint32_t mbufs, live, time_waits, timers, flows, pending;
};

static inline struct baseline baseline_of(struct tern_shard *sh)
{
    tern_shard_settle(sh);
    return (struct baseline){
        .mbufs = rte_mempool_in_use_count(sh->tcp.pool),
        .live = tern_shard_n_live(sh),
        .time_waits = sh->tw_queue.n,
        .timers = tern_records_n_armed(sh),
        .flows = sh->flow.n_used,
        .pending = sh->neighbours.n_pending,
    };
}

static inline void assert_same(const char *what, uint32_t now, uint32_t before)
{
    if (now != before)
        fail_msg("%s: %u, before the attack %u", what, now, before);
}

static inline void assert_baseline(struct tern_shard *sh, const struct baseline *before)
{
    const struct baseline now = baseline_of(sh);
    assert_same("mbufs in use", now.mbufs, before->mbufs);
    assert_same("connections and half-opens", now.live, before->live);
    assert_same("TIME-WAIT records", now.time_waits, before->time_waits);
    assert_same("timers", now.timers, before->timers);
    assert_same("flow table entries", now.flows, before->flows);
    assert_same("packets that wait for a neighbour", now.pending, before->pending);
}
