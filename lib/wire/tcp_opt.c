/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options. Reading: nearly every segment carries `nop, nop, TS` and nothing else, which is one
 * comparison; all others are walked. The walk moves by an option's length, which it has found to be
 * at least 2 and to end inside the header, or by one byte at a NOP. A known option of another
 * length than its own is skipped like an unknown one (MUST-6).
 *
 * Writing: every option is laid on a 4-byte boundary behind its NOPs, so any subset of them keeps
 * the header aligned without padding at the end.
 */
#include "tcp_opt.h"

#include "bytes.h"
#include "hint.h"

enum {
    MSS_BYTES = 4,
    WSCALE_BYTES = 3,
    SACK_OK_BYTES = 2,
    TS_BYTES = 10,
    SACK_HEAD_BYTES = 2,
    SACK_BLOCK_BYTES = 8,
    TFO_HEAD_BYTES = 2,
};

static void read_ts(const uint8_t *body, struct tern_tcp_opts *out)
{
    out->ts_val = tern_load32(body);
    out->ts_ecr = tern_load32(body + 4);
    out->has |= TERN_HAS_TS;
}

static struct tern_sack_block load_block(const uint8_t *at)
{
    const struct tern_sack_block b = {
        .left = {tern_load32(at)},
        .right = {tern_load32(at + 4)},
    };
    return b;
}

/* RFC 2018 §3: one to four blocks. One that is empty or reversed makes the whole option a lie
 * (V008). */
static void read_sack(const uint8_t *opt, uint32_t opt_bytes, struct tern_tcp_opts *out)
{
    const uint32_t n = (opt_bytes - SACK_HEAD_BYTES) / SACK_BLOCK_BYTES;
    if (n == 0 || n > TERN_SACK_BLOCKS_MAX || opt_bytes != SACK_HEAD_BYTES + n * SACK_BLOCK_BYTES)
        return;
    const uint8_t *blocks = opt + SACK_HEAD_BYTES;
    for (uint32_t i = 0; i < n; i++) {
        const struct tern_sack_block b = load_block(blocks + i * SACK_BLOCK_BYTES);
        if (!tern_seq_before(b.left, b.right))
            return;
    }
    for (uint32_t i = 0; i < n; i++)
        out->sack[i] = load_block(blocks + i * SACK_BLOCK_BYTES);
    out->n_sack = (uint8_t)n;
    out->has |= TERN_HAS_SACK;
}

/* RFC 7413 §4.1.1: no cookie, or 4 to 16 bytes of it, even; any other length is ignored (V105). */
static void read_tfo(uint32_t at, uint32_t opt_bytes, struct tern_tcp_opts *out)
{
    const uint32_t n = opt_bytes - TFO_HEAD_BYTES;
    if (n != 0 && (n < TERN_TFO_COOKIE_MIN || n > TERN_TFO_COOKIE_MAX || n % 2 != 0))
        return;
    out->tfo_at = (uint8_t)(at + TFO_HEAD_BYTES);
    out->tfo_n_bytes = (uint8_t)n;
    out->has |= TERN_HAS_TFO;
}

static uint8_t clamp_wscale(uint8_t shift)
{
    return shift > TERN_WSCALE_MAX ? TERN_WSCALE_MAX : shift; /* RFC 7323 §2.3 (7323-2, V022) */
}

/* One option that lies whole inside the header, `at` bytes into the area; opt_bytes >= 2. Of two of
 * a kind the first counts (V022), and one of a length that is not its own not at all (V015). */
static void read_option(
    const uint8_t *area, uint32_t at, uint32_t opt_bytes, struct tern_tcp_opts *out)
{
    const uint8_t *opt = area + at;
    switch (opt[0]) {
    case TERN_OPT_MSS:
        if (opt_bytes == MSS_BYTES && !(out->has & TERN_HAS_MSS)) {
            out->mss = tern_load16(opt + 2);
            out->has |= TERN_HAS_MSS;
        }
        break;
    case TERN_OPT_WSCALE:
        if (opt_bytes == WSCALE_BYTES && !(out->has & TERN_HAS_WSCALE)) {
            out->wscale = clamp_wscale(opt[2]);
            out->has |= TERN_HAS_WSCALE;
        }
        break;
    case TERN_OPT_SACK_OK:
        if (opt_bytes == SACK_OK_BYTES)
            out->has |= TERN_HAS_SACK_OK;
        break;
    case TERN_OPT_SACK:
        if (!(out->has & TERN_HAS_SACK))
            read_sack(opt, opt_bytes, out);
        break;
    case TERN_OPT_TS:
        if (opt_bytes == TS_BYTES && !(out->has & TERN_HAS_TS))
            read_ts(opt + 2, out);
        break;
    case TERN_OPT_TFO:
        if (!(out->has & TERN_HAS_TFO))
            read_tfo(at, opt_bytes, out);
        break;
    default: /* MUST-6, V021: an option we do not know is skipped, by its length */ break;
    }
}

/* MUST-4: EOL ends, NOP is one byte. MUST-64: options lie at any octet. Each round moves by one
 * octet at least and never beyond len_bytes (V010..V013, V017). */
static void walk(const uint8_t *opt, uint32_t len_bytes, struct tern_tcp_opts *out)
{
    uint32_t at = 0;
    while (at < len_bytes && opt[at] != TERN_OPT_EOL) {
        if (opt[at] == TERN_OPT_NOP) {
            at++;
            continue;
        }
        const uint32_t room = len_bytes - at;
        const uint32_t opt_bytes = room >= 2 ? opt[at + 1] : 0;
        if (opt_bytes < 2 || opt_bytes > room) { /* MUST-7: illegal lengths do no harm */
            out->has |= TERN_HAS_MALFORMED;
            return;
        }
        read_option(opt, at, opt_bytes, out);
        at += opt_bytes;
    }
}

enum {
    SYN_TS_AT = 6, /* of mss, sackOK, TS, nop, wscale */
    SYN_WSCALE_AT = 17,
    SYN_BYTES = 20,
};

/** The options of a SYN as Linux, the BSDs and we lay them out. */
static bool is_usual_syn(const uint8_t *opt, uint32_t len_bytes)
{
    enum {
        MSS = TERN_OPT_MSS << 8 | MSS_BYTES,
        SACK_OK_TS = TERN_OPT_SACK_OK << 24 | SACK_OK_BYTES << 16 | TERN_OPT_TS << 8 | TS_BYTES,
        NOP_WSCALE = TERN_OPT_NOP << 16 | TERN_OPT_WSCALE << 8 | WSCALE_BYTES,
    };
    return len_bytes == SYN_BYTES && tern_load16(opt) == MSS && tern_load32(opt + 4) == SACK_OK_TS
           && tern_load32(opt + 16) >> 8 == NOP_WSCALE;
}

static void read_usual_syn(const uint8_t *opt, struct tern_tcp_opts *out)
{
    read_ts(opt + SYN_TS_AT + 2, out);
    out->mss = tern_load16(opt + 2);
    out->wscale = clamp_wscale(opt[SYN_WSCALE_AT + 2]);
    out->has |= TERN_HAS_MSS | TERN_HAS_SACK_OK | TERN_HAS_WSCALE;
}

void tern_tcp_opts_read(const uint8_t *opt, uint32_t len_bytes, struct tern_tcp_opts *out)
{
    if (likely(len_bytes == TERN_TS_OPT_BYTES && tern_load32(opt) == TERN_TS_OPT_WORD))
        read_ts(opt + 4, out); /* RFC 7323 appendix A */
    else if (is_usual_syn(opt, len_bytes))
        read_usual_syn(opt, out);
    else
        walk(opt, len_bytes, out);
}

/* The writers below return the place behind what they wrote. */

static uint8_t *put_head(uint8_t *at, uint32_t n_nops, uint8_t kind, uint32_t opt_bytes)
{
    for (uint32_t i = 0; i < n_nops; i++)
        *at++ = TERN_OPT_NOP;
    *at++ = kind;
    *at++ = (uint8_t)opt_bytes; /* MUST-68 */
    return at;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
    tern_store32(at, v);
    return at + 4;
}

static uint8_t *put_ts(uint8_t *at, uint32_t n_nops, const struct tern_tcp_opts *o)
{
    at = put_head(at, n_nops, TERN_OPT_TS, TS_BYTES);
    at = put32(at, o->ts_val);
    return put32(at, o->ts_ecr);
}

/* MSS, SACK-permitted and window scale are written here and nowhere else (MUST-65, 2018-1, 7323-1).
 * Whole words, so that no end-of-options and nothing behind one is needed (MUST-69). */
uint32_t tern_tcp_opts_build_syn(const struct tern_tcp_opts *o, uint8_t *buf)
{
    const bool sack_ok = o->has & TERN_HAS_SACK_OK, ts = o->has & TERN_HAS_TS;
    uint8_t *at = buf;
    if (o->has & TERN_HAS_MSS) {
        at = put_head(at, 0, TERN_OPT_MSS, MSS_BYTES);
        tern_store16(at, o->mss);
        at += 2;
    }
    if (sack_ok) /* stands where the two NOPs in front of TS would */
        at = put_head(at, ts ? 0 : 2, TERN_OPT_SACK_OK, SACK_OK_BYTES);
    if (ts)
        at = put_ts(at, sack_ok ? 0 : 2, o);
    if (o->has & TERN_HAS_WSCALE) {
        at = put_head(at, 1, TERN_OPT_WSCALE, WSCALE_BYTES);
        *at++ = o->wscale;
    }
    return (uint32_t)(at - buf);
}

uint32_t tern_tcp_opts_build(const struct tern_tcp_opts *o, uint8_t *buf)
{
    const bool ts = o->has & TERN_HAS_TS;
    uint8_t *at = buf;
    if (ts)
        at = put_ts(at, 2, o);
    if (!(o->has & TERN_HAS_SACK) || o->n_sack == 0)
        return (uint32_t)(at - buf);

    const uint32_t fit = ts ? TERN_SACK_BLOCKS_MAX - 1 : TERN_SACK_BLOCKS_MAX; /* RFC 2018 §3 */
    const uint32_t n = o->n_sack < fit ? o->n_sack : fit;
    at = put_head(at, 2, TERN_OPT_SACK, SACK_HEAD_BYTES + n * SACK_BLOCK_BYTES);
    for (uint32_t i = 0; i < n; i++) {
        at = put32(at, o->sack[i].left.v);
        at = put32(at, o->sack[i].right.v);
    }
    return (uint32_t)(at - buf);
}

uint32_t tern_tcp_opts_add_tfo(
    uint8_t *buf, uint32_t n_bytes, const uint8_t *cookie, uint32_t n_cookie)
{
    const uint32_t opt_bytes = TFO_HEAD_BYTES + n_cookie;
    uint8_t *at = put_head(buf + n_bytes, -opt_bytes % 4, TERN_OPT_TFO, opt_bytes);
    for (uint32_t i = 0; i < n_cookie; i++)
        *at++ = cookie[i];
    return (uint32_t)(at - buf);
}
