/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Which worker owns a segment. Pure functions of bytes; the worker loop acts on them.
 */
#include "wire/rss.h"
#include "wire/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TERN_STEER_TEXT_BYTES = 96 }; /* a description, with its terminating zero */

enum tern_steer_mode {
    TERN_STEER_ONE,  /* one worker owns all */
    TERN_STEER_RSS,  /* the device keeps a flow on one queue; whoever receives it owns it */
    TERN_STEER_HASH, /* whoever receives asks a keyed hash for the owner */
};

struct tern_steering {
    enum tern_steer_mode mode;
    uint32_t n_workers;
    struct tern_siphash_key key;
    bool l3;                    /* frames start at the IP header */
    const struct tern_rss *rss; /* with TERN_STEER_RSS: names the owner of active opens, too … */
    const char *no_rss;         /* … or NULL, and why; NULL: it was never asked for */
};

/** The TCP flow of a frame, found without validating more than needed. */
struct tern_steer_flow {
    const uint8_t *addrs;  /* source and destination, as they lie in the IP header */
    uint32_t n_addr_bytes; /* both: 8 or 32 */
    uint16_t sport, dport;
};

/** The mode for `n_workers` on `n_queues`. @param keeps_flows a flow always comes from one queue.
 * Queue q is polled by worker q % n_workers. */
enum tern_steer_mode tern_steer_mode(uint32_t n_workers, uint32_t n_queues, bool keeps_flows);

/** Why ports cannot be chosen by a device's RSS, in words; NULL: they can. */
const char *tern_steer_rss_gap(enum tern_rss_gap gap);

/** Are the ephemeral ports enough to leave those out that RSS puts elsewhere? */
bool tern_steer_range_is_wide(uint16_t port_min, uint16_t port_max);

/** "one worker", "rss, table of 128", "hash over rings (1 queue, 2 workers)". @return buf */
char *tern_steer_describe(
    const struct tern_steering *s, uint32_t n_queues, char *buf, size_t n_buf);

/**
 * Find the flow of a TCP segment: Ethernet, at most one 802.1Q tag, IPv4 or IPv6 with extension
 * headers. A frame that is anything else, fragmented or cut short has none; its receiver deals with
 * it (and tern_pkt_parse() there says what is wrong).
 */
bool tern_steer_find(const uint8_t *frame, uint32_t n_bytes, bool l3, struct tern_steer_flow *out);

/**
 * The owner of a flow's segments at this end.
 *
 * @param listens  a listener has the destination port: a segment of a passive open
 * @param receiver the worker that received it
 */
uint32_t tern_steer_owner(const struct tern_steering *s, const struct tern_steer_flow *f,
    bool listens, uint32_t receiver);
