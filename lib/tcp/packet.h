/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* One outgoing TCP segment: values to a packet that starts at its IP header. */
#include "tcp.h"
#include "wire/build.h"

struct tern_packet {
    const struct tern_flow_key *key; /**< remote = destination */
    struct tern_seq seq, ack;
    uint8_t flags;
    uint16_t wnd, urg; /**< as on the wire: scaled already */
    uint8_t ttl, tos;
    uint32_t opt_bytes; /**< 0..40, a multiple of 4 */
    const uint8_t *opt; /**< [opt_bytes] */
    uint16_t tso_mss;   /**< payload per segment when the device cuts; 0: one segment */
};

/**
 * Put TCP and IP header in front of the payload in `m` (which may be empty or a chain; the first
 * buffer has TERN_HDR_BYTES_MAX of headroom), with checksums or the device's order to make them.
 */
void tern_packet_build(struct tern_tcp *t, struct rte_mbuf *m, const struct tern_packet *p);

/** The value of the timestamp pair as options of a non-SYN segment, written to opt [12]. */
uint32_t tern_packet_ts_opt(uint8_t *opt, uint32_t ts_val, uint32_t ts_ecr);

/** Answer a segment that has no connection: built in a recycled buffer, sent back where it came
 * from. */
void tern_packet_reply(struct tern_tcp *t, struct tern_seg *seg, const struct tern_packet *p);

/** RST in answer to `seg` (RFC 9293 §3.10.7.1): with its ACK as sequence, or acknowledging it. */
void tern_packet_reset(struct tern_tcp *t, struct tern_seg *seg);
