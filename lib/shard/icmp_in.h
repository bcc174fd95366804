/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * ICMP and ICMPv6 that came in: echo is answered in place, NDP goes to the neighbour table, errors
 * are read and handed back as values for TCP to judge. What to do with the mbuf is the shard's.
 */
#include <tern/config.h>
#include <tern/drop.h>

#include "tcp/rate.h"
#include "wire/icmp.h"
#include "wire/pkt.h"

#include <stdbool.h>
#include <stdint.h>

struct tern_neigh_table;
struct tern_routes;

/** What answering needs. */
struct tern_icmp_in {
    const struct tern_routes *routes;
    struct tern_neigh_table *neighbours;
    struct tern_rate echo; /**< answers still allowed */
    uint8_t mac[6];        /**< ours; unused with l3 */
    bool l3;
    uint8_t ttl;
    uint16_t mtu_bytes; /**< no longer reply is sent */
};

/** What became of a packet. */
struct tern_icmp_verdict {
    /**
     * NONE with send_reply or is_error; else the reason to count. For an error the caller's
     * TCP says what is counted: ICMP_DONE, ICMP_STALE, ICMP_QUOTE.
     */
    enum tern_drop why;
    bool send_reply; /**< the frame is now our answer, Ethernet header included */
    bool is_error;   /**< kind and quote hold; the quoted source is ours */
    enum tern_icmp_kind kind;
    struct tern_icmp_quote quote;
};

/** Both tables are kept, and outlive `in`. */
void tern_icmp_in_init(struct tern_icmp_in *in, const struct tern_stack_config *cfg,
    const struct tern_routes *routes, struct tern_neigh_table *neighbours, uint64_t now_ns);

/**
 * Act on a parsed packet of kind TERN_PKT_ICMP4 or TERN_PKT_ICMP6.
 *
 * @param frame   writable and contiguous up to p->end_off
 * @param replica another worker received it: learn, never answer
 */
struct tern_icmp_verdict tern_icmp_in(struct tern_icmp_in *in, uint8_t *frame,
    const struct tern_pkt *p, bool replica, uint64_t now_ns);
