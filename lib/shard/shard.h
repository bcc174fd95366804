/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A shard's surface to whoever drives it: the engine's worker loop, or an embedded instance.
 *
 *   tern_shard_rx()       a received burst in
 *   tern_shard_advance()  time passes: timers, neighbours, deferred work
 *   tern_shard_take_tx()  what is to be sent, out
 *   tern_shard_open()/close()
 *
 * Sans-I/O: no clock, no device, no random source, no allocation after open.
 */
#include <tern/config.h>
#include <tern/conn.h>

struct rte_mempool;
struct tern_rss;

/** What a shard is given besides its configuration. */
struct tern_shard_params {
    const struct tern_stack_config *cfg; /**< checked; copied */
    uint32_t worker;                     /**< index among the workers of the endpoint */
    /** Packets we make from nothing and clones of payload; priv size TERN_MBUF_PRIV_BYTES. */
    struct rte_mempool *pool;
    /** Kept back for control packets (ACK, RST, ARP) when `pool` is empty; may equal `pool`. */
    struct rte_mempool *reserve;
    uint64_t now_ns;
    const struct tern_rss
        *rss; /**< how the device spreads flows, outlives the shard; NULL: unknown */
};

/** Private bytes every mbuf a shard handles must have (reassembly keeps its ranges there). */
enum { TERN_MBUF_PRIV_BYTES = 24 };

/** Largest number of mbufs tern_shard_take_tx() can return. */
enum { TERN_SHARD_TX_MAX = 2048 };

/** Largest burst. */
enum { TERN_BURST_MAX = 64 };

/** @return 0, -ENOMEM, -EINVAL; *err says why */
TERN_MUST_CHECK int tern_shard_open(
    const struct tern_shard_params *params, struct tern_shard **out, struct tern_error *err);

/**
 * End every connection with on_closed(STOPPED), nothing on the wire; then counters are final. The
 * shard stays readable until it is closed, and takes no packets.
 */
void tern_shard_stop(struct tern_shard *sh);

/**
 * Close: stop, free everything. *leaks (may be NULL) tells what was not returned: connections,
 * half-opens, TIME-WAIT, send records, timers. All zero is the only right answer.
 */
struct tern_shard_leaks {
    uint32_t conns, halves, time_waits, txqs, opts, timers, flow_entries;
};
void tern_shard_close(struct tern_shard *sh, struct tern_shard_leaks *leaks);

/** Bytes that tern_shard_open() will map for this configuration, by table. */
struct tern_memory_plan {
    uint64_t conns, flow, halves, time_waits, records, neighbours, other, total;
};
void tern_shard_plan(const struct tern_stack_config *cfg, struct tern_memory_plan *out);

/**
 * Take a received burst to completion. Takes over all mbufs. rx ol_flags RTE_MBUF_F_RX_* tell what
 * the device verified.
 *
 * @param pkts  [n], n <= TERN_BURST_MAX
 */
void tern_shard_rx(struct tern_shard *sh, struct rte_mbuf **pkts, uint32_t n, uint64_t now_ns);

/**
 * A copy of a control frame (ARP, NDP, ICMP error) that another worker of the endpoint received:
 * learned from, never answered. Takes over `m`.
 */
void tern_shard_rx_replica(struct tern_shard *sh, struct rte_mbuf *m, uint64_t now_ns);

/** True when the frame is one that every worker of an endpoint must see (see above). Looks at `m`
 * only. */
bool tern_shard_is_shared_frame(const struct tern_shard *sh, const struct rte_mbuf *m);

/** Time passes: fire timers up to now_ns (at most a bounded number; the rest next call), ARP, DAD.
 */
void tern_shard_advance(struct tern_shard *sh, uint64_t now_ns);

/** Finish what API calls outside of callbacks have begun (the engine calls it after an app's tick).
 */
void tern_shard_settle(struct tern_shard *sh);

/** Hand over what is to be sent. @param out [TERN_SHARD_TX_MAX] @return how many; the caller owns
 * them */
uint32_t tern_shard_take_tx(struct tern_shard *sh, struct rte_mbuf **out);

/** Packets that the driver could not send: counted as `why`, freed. */
void tern_shard_tx_failed(
    struct tern_shard *sh, struct rte_mbuf **pkts, uint32_t n, enum tern_drop why);

/** Count frames the device accepted. */
void tern_shard_tx_done(struct tern_shard *sh, uint32_t n_packets, uint64_t n_bytes);

/** @return true and the time of the next thing to do, or false: nothing will happen by itself. */
bool tern_shard_next_deadline(const struct tern_shard *sh, uint64_t *at_ns);

/** Stop accepting, close every connection (FIN behind what is queued). For an orderly end. */
void tern_shard_drain(struct tern_shard *sh);

/** Connections and half-opens alive (TIME-WAIT not counted). */
uint32_t tern_shard_n_live(const struct tern_shard *sh);

/** True when the destination port is one a listener of this shard has. */
bool tern_shard_listens_on(const struct tern_shard *sh, uint16_t port);

/** Writable counters, for the engine's own rows (steered, rx/tx of rings). */
struct tern_stats *tern_shard_stats_rw(struct tern_shard *sh);

/** A walk over the records of a shard, half-open and TIME-WAIT included. */
struct tern_walk {
    uint64_t at;     /* the next place of the table; 0 at first */
    uint32_t states; /* what is wanted: a bit each, 1 << enum tern_state */
};

/**
 * Go on with it, over at most `n_places` of the table: no call takes long, however large that is.
 * What tern_shard_conns() promises of the whole walk holds here, too.
 * @param out  [n_max] @param n_found  how many @return false: that was all
 */
bool tern_shard_walk(struct tern_shard *sh, struct tern_walk *w, uint64_t n_places,
    struct tern_conn_info *out, uint32_t n_max, uint32_t *n_found);

/** Did the duplicate address check find another owner? @param addr, mac  which, whose; may be NULL
 */
bool tern_shard_addr_conflict(
    const struct tern_shard *sh, union tern_addr *addr, uint8_t mac[TERN_MAC_BYTES]);

/** Own addresses usable already (duplicate address check done)? */
bool tern_shard_addrs_ready(const struct tern_shard *sh);
