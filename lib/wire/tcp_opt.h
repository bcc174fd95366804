/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 7413): bytes to a struct and back.
 *
 * The walker moves forward by at least one byte a step, so it ends (MUST-7). An option whose length
 * is impossible ends the walk; what was read before it counts. The first of duplicate options wins.
 */
#include "seq.h"
#include "tcp_hdr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TERN_OPT_EOL = 0,
    TERN_OPT_NOP = 1,
    TERN_OPT_MSS = 2,
    TERN_OPT_WSCALE = 3,
    TERN_OPT_SACK_OK = 4,
    TERN_OPT_SACK = 5,
    TERN_OPT_TS = 8,
    TERN_OPT_TFO = 34,
};

/** Bits of tern_tcp_opts.has. */
enum {
    TERN_HAS_MSS = 1u << 0,
    TERN_HAS_WSCALE = 1u << 1,
    TERN_HAS_SACK_OK = 1u << 2,
    TERN_HAS_TS = 1u << 3,
    TERN_HAS_SACK = 1u << 4,
    TERN_HAS_MALFORMED = 1u << 5, /**< the walk ended early at an impossible length */
    TERN_HAS_TFO = 1u << 6,       /**< means something in a SYN only */
};

enum {
    TERN_WSCALE_MAX = 14,          /* RFC 7323 §2.3 */
    TERN_SACK_BLOCKS_MAX = 4,      /* 40 bytes of options hold no more (RFC 2018 §3) */
    TERN_TS_OPT_BYTES = 12,        /* nop, nop, TS */
    TERN_TS_OPT_WORD = 0x0101080a, /* those first four bytes */
    TERN_TFO_COOKIE_MIN = 4,       /* bytes, an even number of them (RFC 7413 §4.1.1) */
    TERN_TFO_COOKIE_MAX = 16,
};

/** A SACK block: [left, right) received. */
struct tern_sack_block {
    struct tern_seq left, right;
};

/** The options of one segment. Fields without their bit in `has` are zero, but for the blocks. */
struct tern_tcp_opts {
    uint32_t ts_val, ts_ecr;
    uint16_t mss;   /**< as sent, unclamped */
    uint8_t wscale; /**< 0..TERN_WSCALE_MAX: larger values are read as 14 */
    uint8_t has;
    uint8_t n_sack;
    uint8_t tfo_at;      /**< where the Fast Open cookie lies in the options area … */
    uint8_t tfo_n_bytes; /**< … and its length: 0 asks for one, else 4..16, even */
    uint8_t spare;
    struct tern_sack_block sack[TERN_SACK_BLOCKS_MAX]; /**< [n_sack] */
};

/**
 * Read the options area of a TCP header.
 *
 * @param opt   [len_bytes] the bytes behind the fixed header
 * @param len_bytes 0..TERN_TCP_OPT_BYTES_MAX
 * @param out   filled, but for blocks that there are not
 * Cost: O(len_bytes), at most 40 steps. Source: RFC 9293 §3.2 MUST-4..7, MUST-64.
 */
static inline void tern_tcp_opts_parse(
    const uint8_t *opt, uint32_t len_bytes, struct tern_tcp_opts *out);

/**
 * Write the options of a SYN or SYN-ACK in the order design.md §12 fixes: with timestamps
 * `mss, sackOK, TS, nop, wscale`, without `mss, nop, nop, sackOK, nop, wscale`; each only where its
 * bit is in o->has. Padding is NOP in front of what it aligns; the length is a multiple of 4.
 *
 * @param buf   [TERN_TCP_OPT_BYTES_MAX]
 * @return      bytes written, a multiple of 4
 */
uint32_t tern_tcp_opts_build_syn(const struct tern_tcp_opts *o, uint8_t *buf);

/**
 * Write the options of any other segment: `nop, nop, TS` and `nop, nop, sack` (as many of o->n_sack
 * blocks as fit: 3 beside timestamps, else 4).
 *
 * @param buf   [TERN_TCP_OPT_BYTES_MAX]
 * @return      bytes written, a multiple of 4
 */
uint32_t tern_tcp_opts_build(const struct tern_tcp_opts *o, uint8_t *buf);

/**
 * Append a Fast Open option to the `n_bytes` (a multiple of 4) that are in `buf` already: a cookie,
 * or with n_cookie 0 the request for one; padded with NOPs. Room for it is the caller's to know:
 * beside all options of a SYN a cookie of 16 bytes fits exactly.
 *
 * @param buf   [TERN_TCP_OPT_BYTES_MAX]
 * @return      bytes in buf now, a multiple of 4
 */
uint32_t tern_tcp_opts_add_tfo(
    uint8_t *buf, uint32_t n_bytes, const uint8_t *cookie, uint32_t n_cookie);

/* ---- */

/** Options that are there. @param out cleared */
void tern_tcp_opts_read(const uint8_t *opt, uint32_t len_bytes, struct tern_tcp_opts *out);

/** No options. Two words at a time: who looks at a field next would wait for a wider store. */
static inline void tern_tcp_opts_clear(struct tern_tcp_opts *o)
{
    o->ts_val = o->ts_ecr = 0;
    o->mss = 0;
    o->wscale = o->has = o->n_sack = o->tfo_at = o->tfo_n_bytes = o->spare = 0;
}

static inline void tern_tcp_opts_parse(
    const uint8_t *opt, uint32_t len_bytes, struct tern_tcp_opts *out)
{
    tern_tcp_opts_clear(out);
    if (len_bytes != 0)
        tern_tcp_opts_read(opt, len_bytes, out);
}
