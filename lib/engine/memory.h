/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* How much memory an engine takes, whether it is there, and the mbuf pools themselves. */
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

enum {
    TERN_POOL_CACHE_MAX = 256,    /* mbufs each thread keeps of each pool, see tern_pool_cache() */
    TERN_RESERVE_MBUFS = 512,     /* per worker, for control packets */
    TERN_MAILBOX_SEGMENTS = 2048, /* ring sizes, see mailbox.h */
    TERN_MAILBOX_REPLICAS = 256,
    TERN_MAILBOX_OUTBOUND = 2048,
};

/** What the mbufs of one pool may be held by at once. */
struct tern_pool_need {
    uint32_t n_rx_desc, n_tx_desc; /**< all queues that draw from it */
    uint32_t n_threads;            /**< that keep a cache of it */
    uint32_t n_mailbox;            /**< places in mailboxes */
    uint32_t n_outbox;             /**< places in the worker's own queue towards the device */
    uint32_t n_held;               /**< that impairment holds back */
    uint32_t n_data;               /**< held by connections: unacknowledged, unread, out of order */
};

/** mbufs for connections' data when the user does not say: an eighth of them with one each. */
uint32_t tern_mbufs_for_data(uint32_t conns_max);

/** mbufs each of `n_threads` may keep of a pool: fewer where they are many, or 64 workers' pools
 * would hold the square of that. */
uint32_t tern_pool_cache(uint32_t n_threads);

/** Sum of the need. */
uint32_t tern_pool_size(const struct tern_pool_need *need);

/** How the mbufs of a pool lie in memory; see memory.c. */
enum tern_pool_layout {
    TERN_POOL_DENSE, /**< one behind the other, across page borders */
    TERN_POOL_PAGED, /**< none crosses a page: for devices that see physical addresses */
    TERN_POOL_UMEM,  /**< a power of two bytes each, from the start of a page on: for AF_XDP */
};

/** Data room that holds a frame of this MTU behind all headroom (XDP's own included). */
uint16_t tern_mbuf_room_bytes(uint32_t mtu_bytes, enum tern_pool_layout layout);

/** Bytes from one mbuf to the next (in a paged pool: at least). */
uint64_t tern_mbuf_bytes(uint16_t room_bytes, enum tern_pool_layout layout);

/** Memory that is free now, and on which pages DPDK would put its share. */
struct tern_memory_free {
    uint64_t ram_bytes;
    uint64_t huge_bytes;      /**< reserved hugepages that nobody uses */
    uint64_t huge_page_bytes; /**< size of one; 0: none */
};
void tern_memory_free_read(struct tern_memory_free *out);

/** What the engine wants. */
struct tern_memory_want {
    uint64_t mbuf_bytes;  /**< pools, rings: DPDK's share */
    uint64_t table_bytes; /**< the shards' tables */
    uint32_t n_workers;
    bool use_huge;
    const char *arithmetic; /**< how the sums came about, for the refusal */
};

/** @return 0, or -ENOMEM with the arithmetic and what to change in *err */
TERN_MUST_CHECK int tern_memory_check(const struct tern_memory_want *want,
    const struct tern_memory_free *there, struct tern_error *err);

/**
 * Where DPDK is to be asked for memory that is to lie on `node`: there, if it has hugepages on
 * each; otherwise anywhere (its one mapping has no node), and tern_arena_prefer() says the rest.
 */
int tern_memory_socket(int node);

/**
 * An mbuf pool as every shard needs it (private area, headroom).
 *
 * @param n_threads that keep a cache of it, 0 = none do
 * @param node      where it is to lie, -1 = anywhere; where that has no room it lies elsewhere, and
 *                  pool->socket_id says so
 * @return          NULL with rte_errno set
 */
struct rte_mempool *tern_pool_open(const char *name, uint32_t n, uint16_t room_bytes,
    uint32_t n_threads, enum tern_pool_layout layout, int node);
/** Free a pool. @return mbufs that never came back */
uint32_t tern_pool_close(struct rte_mempool *pool);
