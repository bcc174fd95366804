/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The everyday TCP segment, recognised by comparing words: a frame to our MAC from one station,
 * untagged, IPv4 without options and not a fragment, or IPv6 without extension headers, TCP, in one
 * buffer, sound in every length. What is not plain, for whatever reason, is for tern_pkt_parse(),
 * which knows the reasons; so this file can drop nothing.
 *
 * Of a plain frame both find the same, which the fuzzer and the tests hold them to. Checksums are
 * the caller's: tern_pkt_check_sums().
 */
#include "addr_class.h"
#include "bytes.h"
#include "pkt.h"

enum { TERN_PLAIN_WORDS = 3 };

/** The leading words of a family's plain frames. */
struct tern_plain_shape {
    uint64_t mask[TERN_PLAIN_WORDS], want[TERN_PLAIN_WORDS];
    uint32_t min_bytes; /**< UINT32_MAX: no frame is plain */
};

/** What plain frames look like on a link. */
struct tern_plain {
    struct tern_plain_shape v4, v6;
    uint32_t l2_bytes;
};

/** @param vlan  1..4094: tagged links have no plain frames */
void tern_plain_init(struct tern_plain *w, bool l3, uint16_t vlan, const uint8_t mac[6]);

/**
 * @param frame     [n_bytes] a whole frame
 * @param p         filled as by tern_pkt_parse() when the result is true; else unspecified
 * @return          false: ask tern_pkt_parse()
 * Cost: some sixty instructions, no call.
 */
static inline bool tern_plain_parse(
    const struct tern_plain *w, const uint8_t *frame, uint32_t n_bytes, struct tern_pkt *p);

/* ---- */

static inline uint64_t tern_plain_word(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline bool tern_plain_fits(
    const struct tern_plain_shape *s, const uint8_t *frame, uint32_t n_bytes)
{
    uint64_t differs = 0;
    if (n_bytes < s->min_bytes)
        return false;
    for (int i = 0; i < TERN_PLAIN_WORDS; i++)
        differs |= (tern_plain_word(frame + 8 * i) & s->mask[i]) ^ s->want[i];
    return differs == 0;
}

/** The TCP header, which lies at p->l4_off, and its payload; the frame holds both to p->end_off. */
static inline bool tern_plain_tcp(const uint8_t *frame, struct tern_pkt *p)
{
    const uint8_t *tcp = frame + p->l4_off;
    const uint32_t doff_bytes = (uint32_t)(tcp[TERN_TCP_OFF_DOFF] >> 4) * 4;
    const uint32_t flags = tcp[TERN_TCP_OFF_FLAGS];
    if (unlikely(doff_bytes < TERN_TCP_BYTES || doff_bytes > p->l4_bytes))
        return false;
    p->kind = TERN_PKT_TCP;
    p->group_mac = false;
    p->flags = (uint8_t)flags;
    p->doff_bytes = (uint8_t)doff_bytes;
    p->sport = tern_load16(tcp + TERN_TCP_OFF_SPORT);
    p->dport = tern_load16(tcp + TERN_TCP_OFF_DPORT);
    p->seq.v = tern_load32(tcp + TERN_TCP_OFF_SEQ);
    p->ack.v = tern_load32(tcp + TERN_TCP_OFF_ACK);
    p->wnd = tern_load16(tcp + TERN_TCP_OFF_WND);
    p->urg = tern_load16(tcp + TERN_TCP_OFF_URG);
    p->payload_off = p->l4_off + doff_bytes;
    p->len_bytes = p->l4_bytes - doff_bytes;
    return likely(p->sport != 0 && p->dport != 0) && !tern_pkt_flags_are_nonsense(p->flags);
}

static inline bool tern_plain_parse(
    const struct tern_plain *w, const uint8_t *frame, uint32_t n_bytes, struct tern_pkt *p)
{
    const uint8_t *ip = frame + w->l2_bytes;
    p->l3_off = (uint16_t)w->l2_bytes;
    if (likely(tern_plain_fits(&w->v4, frame, n_bytes))) {
        p->l4_off = (uint16_t)(w->l2_bytes + TERN_IP4_BYTES);
        p->end_off = w->l2_bytes + tern_load16(ip + 2);
        p->src = ip + 12;
        p->dst = ip + 16;
        p->v6 = false;
        p->tos = ip[1];
        p->hop_limit = ip[8];
        if (unlikely(tern_addr4_class(p->src) != TERN_ADDR_UNICAST
                     || tern_addr4_class(p->dst) != TERN_ADDR_UNICAST))
            return false;
    } else if (tern_plain_fits(&w->v6, frame, n_bytes)) {
        p->l4_off = (uint16_t)(w->l2_bytes + TERN_IP6_BYTES);
        p->end_off = p->l4_off + tern_load16(ip + 4);
        p->src = ip + 8;
        p->dst = ip + 24;
        p->v6 = true;
        p->tos = (uint8_t)(tern_load16(ip) >> 4);
        p->hop_limit = ip[7];
        if (unlikely(tern_addr6_class(p->src) != TERN_ADDR_UNICAST
                     || tern_addr6_class(p->dst) != TERN_ADDR_UNICAST))
            return false;
    } else {
        return false;
    }
    if (unlikely(p->end_off > n_bytes || p->end_off < (uint32_t)p->l4_off + TERN_TCP_BYTES))
        return false;
    p->l4_bytes = p->end_off - p->l4_off;
    return tern_plain_tcp(frame, p);
}
