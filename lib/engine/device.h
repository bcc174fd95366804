/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* One DPDK port from device string to running queues, and back. */
#include <tern/engine.h>

#include "device_spec.h"
#include "eal.h"
#include "wire/rss.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

enum { TERN_PORT_QUEUES_MAX = 256 };

/** What the engine wants of a device. */
struct tern_port_want {
    const struct tern_device_spec *spec;
    const struct tern_endpoint_config *cfg;
    uint32_t n_queues;  /**< from tern_device_queues() */
    uint16_t mtu_bytes; /**< from tern_device_mtu() */
    struct rte_mempool *const
        *pools;               /**< [cfg->n_workers] queue q draws from pools[q % n_workers] */
    struct rte_mempool *umem; /**< not NULL: every queue draws from this one instead */
    int pair_port;            /**< the port of this end of a pair; -1: open the device */
    uint32_t pair_end;
    struct tern_eal_log *log;
};

/** What it turned out to be. */
struct tern_port {
    bool is_attached, is_started;
    uint16_t id;
    uint16_t n_rxq, n_txq;
    uint16_t n_rx_desc, n_tx_desc;
    uint16_t mtu_bytes;
    uint16_t segs_max;    /**< buffers a packet may be made of; 1: the device takes no chains */
    bool in_memory;       /**< one end of a pair */
    bool keeps_flows;     /**< a four-tuple always comes from the same queue */
    bool spreads_by_rss;  /**< … by hash and redirection table */
    bool keeps_mbufs;     /**< the driver gives its last buffers back to nobody (AF_XDP) */
    uint32_t n_umem_lost; /**< buffers that AF_XDP did not give back when it failed to start */
    bool undo_promiscuous;
    int node;
    uint64_t rx_offloads, tx_offloads; /**< in use, RTE_ETH_*_OFFLOAD_* */
    uint8_t mac[TERN_MAC_BYTES];
    char driver[32];
    char devargs[TERN_DEVARGS_BYTES];
    char note[224]; /**< what the user should know; empty: nothing */
};

/* ---- before EAL runs: device_probe.c ---- */

/** Is it there, and may we? @return 0 or -errno with one line in *err */
TERN_MUST_CHECK int tern_device_check(const struct tern_device_spec *s, struct tern_error *err);

/** NUMA node the device is on, -1: none. */
int tern_device_node(const struct tern_device_spec *s);

/**
 * Receive queues to ask for, when the user asks for `n_wanted` (0: chosen) with `n_workers`.
 * @return 0, or -EINVAL with one line in *err
 */
TERN_MUST_CHECK int tern_device_queues(const struct tern_device_spec *s, uint32_t n_wanted,
    uint32_t n_workers, uint32_t *out, struct tern_error *err);

/** The smaller of what is configured and what the device carries. */
uint16_t tern_device_mtu(const struct tern_device_spec *s, uint16_t mtu_bytes);

/** A kernel interface is in promiscuous mode already. */
bool tern_device_is_promiscuous(const char *ifname);

/** A kernel interface is one end of a veth, whose other end sends TCP checksums unfinished. */
bool tern_device_is_veth(const char *ifname);

/* ---- device.c ---- */

/** Attach, configure and start. @return 0, or -errno with one line in *err and nothing left open */
TERN_MUST_CHECK int tern_port_open(
    const struct tern_port_want *want, struct tern_port *out, struct tern_error *err);

void tern_port_close(struct tern_port *p);

/** Now. A memif's is up when the other end has come. */
bool tern_port_link_is_up(const struct tern_port *p);

/** The abilities in use, for the stack. */
void tern_port_abilities(const struct tern_port *p, struct tern_stack_config *stack);

/** Give the running device a key of its own that nobody knows, if it takes one. */
void tern_port_draw_rss_key(const struct tern_port *p);
/** What the running device tells of its RSS; empty where it has none, or none to tell. */
void tern_port_rss(const struct tern_port *p, struct tern_rss_facts *out);
/** The part of it that the hashed fields (RTE_ETH_RSS_*) tell. */
void tern_port_rss_fields(uint64_t rss_hf, struct tern_rss_facts *out);

/** "rx-csum tx-ip-csum tx-tcp-csum multi-seg tso rss", "none". */
void tern_port_offloads_text(const struct tern_port *p, char *buf, size_t n_buf);
