/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One connection as the peer sees it: its ports, both initial sequence numbers, what was agreed on,
 * and what tern has said. It turns a script's relative numbers into those on the wire and back, and
 * holds what must be true of every segment whatever a script is about.
 */
#include "wire.h"

struct flow {
    bool used;
    uint16_t tern_port, peer_port; /* tern_port 0: chosen by tern, learned from its SYN */
    uint32_t iss, irs;             /* the peer's and tern's */
    bool has_irs;

    /* what the two SYNs said */
    unsigned peer_offers, tern_offers; /* HAS_MSS … */
    uint8_t tern_ws;
    bool in_sync; /* both SYNs seen: what was agreed on acts now */

    /* timestamps: a script's 0 is the first value of each end */
    bool has_ts0;
    uint32_t tern_ts0, tern_ts_last;
    uint64_t since_ns; /* where the peer's clock is at 0 */

    uint16_t win; /* the peer's latest window field */
    bool has_edge;
    uint32_t edge; /* furthest right edge tern has offered */

    struct tern_sock *sock;
    int64_t n_written, n_read;
};

/** What the world around a flow is. */
struct ends {
    bool v6;
    uint16_t mtu_bytes;
    union tern_addr tern, second, peer;
};

/** A segment of the peer, as bytes. @param to [PACKET_BYTES_MAX] */
size_t flow_build(
    struct flow *f, const struct ends *e, const struct segment *g, uint64_t now_ns, uint8_t *to);
size_t flow_build_icmp(
    const struct flow *f, const struct ends *e, const struct icmp *icmp, uint8_t *to);

/**
 * A packet of tern on this flow, in the script's numbers.
 * @return NULL, or which rule for every segment it breaks
 */
const char *flow_read(
    struct flow *f, const struct ends *e, const struct wire_in *in, size_t n, struct segment *g);
