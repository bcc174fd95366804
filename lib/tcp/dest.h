/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What an active open has to know of its destination before it chooses a port: which address of
 * ours it goes from, the next hop, the order of ports and the counter that walks it. All of that
 * follows from the configuration and two secret keys and never changes, so the shard keeps it for
 * the destinations that were opened to lately (tern_host_dest()), and a load that opens to the same
 * ones again and again pays for two SipHashes and the routes once.
 *
 * The next connection to the same place will have the next port: which one, and where its entry in
 * the flow table will be, is found out while this one is opened, and its line is asked for. Who
 * opens many has others to open meanwhile, and nobody waits for it.
 */
#include "ports.h"

/** A destination, and the source it was asked for with. Two cache lines. */
struct __rte_cache_aligned tern_dest {
    union tern_addr remote, wanted; /* as asked for; unspecified: any address of ours */
    uint16_t rport;                 /* 0: nothing is kept here */
    uint16_t ahead_port;            /* looked up ahead, 0: it was not … */
    uint32_t ahead_turn;            /* … at this turn … */
    uint64_t ahead_hash;            /* … and the hash of its four-tuple */
    union tern_addr local, hop;
    uint32_t *turn; /* may be shared with other destinations: then they skip ports */
    struct tern_port_order order;
};

static_assert(sizeof(struct tern_dest) == 128, "two cache lines a destination");
