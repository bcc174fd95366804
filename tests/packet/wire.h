/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets as bytes, written and read by code that shares nothing with tern's: two mistakes would
 * have to be the same to go unseen. Everything here is absolute; flow.c knows what is relative.
 */
#include "script.h"

enum { PACKET_BYTES_MAX = 10000 };

/** A packet to make. */
struct wire_out {
    bool v6;
    union tern_addr src, dst;
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t win, urg, id;
    uint8_t ttl, tos;
    const uint8_t *opts;
    uint32_t n_opts; /* padded to 4 with EOL */
    uint32_t len;
    int64_t pattern_at; /* the payload's first byte is pattern(pattern_at) … */
    bool has_fill;      /* … or all of it this */
    uint8_t fill;
    const struct damage *damage;
};

/** A packet that tern sent, taken apart. */
struct wire_in {
    union tern_addr src, dst;
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t win, urg, id;
    uint8_t ttl, tos;
    bool df;
    const uint8_t *opts, *data;
    uint32_t n_opts, len;
};

/** The byte at relative sequence `at` of either direction. */
uint8_t wire_pattern(int64_t at);

/** @param to  [PACKET_BYTES_MAX] @return bytes */
size_t wire_build(const struct wire_out *p, uint8_t *to);

/** Take apart. @return NULL, or what is wrong with it, whatever a script wants */
const char *wire_parse(const uint8_t *packet, size_t n, bool v6, struct wire_in *out);

/** An ICMP error of the peer (or a router at its address) that quotes `quoted` [n_quoted]. */
size_t wire_build_icmp(const struct icmp *icmp, bool v6, const union tern_addr *src,
    const union tern_addr *dst, const uint8_t *quoted, size_t n_quoted, uint8_t *to);
