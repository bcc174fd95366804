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

#include <assert.h>
#include <stddef.h>

#ifdef __SSSE3__
#    include <tmmintrin.h>
#endif

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

/** Where IP puts the TCP segment. */
struct tern_plain_ip {
    const uint8_t *src;
    uint32_t addr_bytes; /* dst lies so far behind src */
    uint32_t l4_off, end_off;
    bool v6;
};

/** The leading 16 bytes of a TCP header into the fields of *p from `seq` to `flags`; `doff_bytes`
 * is unspecified. The plain version, against which the tests hold the other. */
static inline void tern_plain_fields_scalar(const uint8_t *tcp, struct tern_pkt *p)
{
    p->seq.v = tern_load32(tcp + TERN_TCP_OFF_SEQ);
    p->ack.v = tern_load32(tcp + TERN_TCP_OFF_ACK);
    p->sport = tern_load16(tcp + TERN_TCP_OFF_SPORT);
    p->dport = tern_load16(tcp + TERN_TCP_OFF_DPORT);
    p->wnd = tern_load16(tcp + TERN_TCP_OFF_WND);
    p->flags = tcp[TERN_TCP_OFF_FLAGS];
}

static inline void tern_plain_fields(const uint8_t *tcp, struct tern_pkt *p)
{
#ifdef __SSSE3__
    static_assert(
        offsetof(struct tern_pkt, ack) == offsetof(struct tern_pkt, seq) + 4
            && offsetof(struct tern_pkt, sport) == offsetof(struct tern_pkt, seq) + 8
            && offsetof(struct tern_pkt, dport) == offsetof(struct tern_pkt, seq) + 10
            && offsetof(struct tern_pkt, wnd) == offsetof(struct tern_pkt, seq) + 12
            && offsetof(struct tern_pkt, flags) == offsetof(struct tern_pkt, seq) + 14
            && offsetof(struct tern_pkt, doff_bytes) == offsetof(struct tern_pkt, seq) + 15,
        "the order below");
    const __m128i order = _mm_setr_epi8(7, 6, 5, 4, 11, 10, 9, 8, 1, 0, 3, 2, 15, 14, 13, 12);
    const __m128i wire = _mm_loadu_si128((const __m128i *)(const void *)tcp);
    _mm_storeu_si128((__m128i *)(void *)&p->seq, _mm_shuffle_epi8(wire, order));
#else
    tern_plain_fields_scalar(tcp, p);
#endif
}

/** All else of the packet, whose lengths so far are the sender's word. */
static inline bool tern_plain_tcp(
    const uint8_t *frame, uint32_t n_bytes, const struct tern_plain_ip *ip, struct tern_pkt *p)
{
    if (unlikely(ip->end_off > n_bytes || ip->end_off < ip->l4_off + TERN_TCP_BYTES))
        return false;
    const uint8_t *tcp = frame + ip->l4_off;
    const uint32_t l4_bytes = ip->end_off - ip->l4_off;
    const uint32_t doff_bytes = (uint32_t)(tcp[TERN_TCP_OFF_DOFF] >> 4) * 4;
    const uint8_t flags = tcp[TERN_TCP_OFF_FLAGS];
    if (unlikely(doff_bytes < TERN_TCP_BYTES || doff_bytes > l4_bytes
                 || tern_pkt_flags_are_nonsense(flags)))
        return false;
    p->src = ip->src;
    p->dst = ip->src + ip->addr_bytes;
    tern_plain_fields(tcp, p);
    p->doff_bytes = (uint8_t)doff_bytes;
    p->l4_off = (uint16_t)ip->l4_off;
    p->l4_bytes = l4_bytes;
    p->end_off = ip->end_off;
    p->kind = TERN_PKT_TCP;
    p->v6 = ip->v6;
    p->group_mac = false;
    p->urg = tern_load16(tcp + TERN_TCP_OFF_URG);
    p->payload_off = ip->l4_off + doff_bytes;
    p->len_bytes = l4_bytes - doff_bytes;
    return likely(p->sport != 0 && p->dport != 0);
}

static inline bool tern_plain_parse(
    const struct tern_plain *w, const uint8_t *frame, uint32_t n_bytes, struct tern_pkt *p)
{
    const uint32_t l2_bytes = w->l2_bytes;
    const uint8_t *ip = frame + l2_bytes;
    p->l3_off = (uint16_t)l2_bytes;
    if (likely(tern_plain_fits(&w->v4, frame, n_bytes))) {
        const struct tern_plain_ip v4 = {
            .src = ip + 12,
            .addr_bytes = 4,
            .l4_off = l2_bytes + TERN_IP4_BYTES,
            .end_off = l2_bytes + tern_load16(ip + 2),
        };
        p->tos = ip[1];
        p->hop_limit = ip[8];
        return likely(tern_addr4_class(ip + 12) == TERN_ADDR_UNICAST
                      && tern_addr4_class(ip + 16) == TERN_ADDR_UNICAST)
               && tern_plain_tcp(frame, n_bytes, &v4, p);
    }
    if (!tern_plain_fits(&w->v6, frame, n_bytes))
        return false;
    const struct tern_plain_ip v6 = {
        .src = ip + 8,
        .addr_bytes = 16,
        .l4_off = l2_bytes + TERN_IP6_BYTES,
        .end_off = l2_bytes + TERN_IP6_BYTES + tern_load16(ip + 4),
        .v6 = true,
    };
    p->tos = (uint8_t)(tern_load16(ip) >> 4);
    p->hop_limit = ip[7];
    return likely(tern_addr6_class(ip + 8) == TERN_ADDR_UNICAST
                  && tern_addr6_class(ip + 24) == TERN_ADDR_UNICAST)
           && tern_plain_tcp(frame, n_bytes, &v6, p);
}
