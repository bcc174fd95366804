/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Headers of plain segments of a connection, from their values; and, for a segment that is the only
 * one of its kind, written where they belong. That is most of what a server sends, so it is inline
 * for every shape there is: straight-line code in which lengths and offsets are numbers.
 */
#include "mbuf.h"
#include "packet.h"
#include "template.h"
#include "wire/csum.h"
#include "wire/hint.h"

/** What the headers of a connection are, and how long. */
struct tern_shape {
    bool v6, ts;
    uint32_t l3_bytes, doff_bytes;
};

static inline struct tern_shape tern_shape(bool v6, bool ts)
{
    return (struct tern_shape){
        .v6 = v6,
        .ts = ts,
        .l3_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES,
        .doff_bytes = TERN_TCP_BYTES + (ts ? (uint32_t)TERN_TS_OPT_BYTES : 0),
    };
}

static inline struct tern_shape tern_shape_of(const struct tern_conn *c)
{
    return tern_shape(c->flags & TERN_CF_V6, c->flags & TERN_CF_TS);
}

/** IPv4 identification 0: an atomic datagram (RFC 6864 §4.1).
 * @param csum  make the header's checksum (IPv4)
 * @return      sum of the pseudo-header for `l4_bytes` */
static inline uint64_t tern_headers_put_ip(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct tern_shape s, uint8_t *at, uint32_t l4_bytes,
    bool csum)
{
    struct tern_ip_fields fields = {
        .l4_bytes = l4_bytes,
        .df = true, /* (1191-1, V163) */
        .ttl = f->ttl,
        .tos = f->tos,
        .proto = TERN_IPPROTO_TCP,
    };
    if (s.v6) {
        const struct tern_addr6 *a = &t->addr6s[c->remote4];
        fields.src = &a->local;
        fields.dst = &a->remote;
        tern_build_ip6(at, &fields);
        return tern_csum_pseudo6(a->local.b, a->remote.b, TERN_IPPROTO_TCP, l4_bytes);
    }
    tern_build_ip4_between(at, c->local4, c->remote4, &fields, csum);
    return tern_csum_pseudo4(&c->local4, &c->remote4, TERN_IPPROTO_TCP, l4_bytes);
}

/** The checksum field is still to come. */
static inline void tern_headers_put_tcp(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct tern_shape s, uint8_t *at, struct tern_seq seq,
    uint8_t flags)
{
    const struct tern_tcp_fields fields = {
        .sport = c->lport,
        .dport = c->rport,
        .seq = seq,
        .ack = f->ack,
        .doff_bytes = (uint8_t)s.doff_bytes,
        .flags = flags,
        .wnd = f->wnd,
    };
    tern_build_tcp(at, &fields);
    if (s.ts)
        tern_packet_ts_opt(at + TERN_TCP_BYTES, tern_ts_now(t, c->ts_offset), c->ts_recent);
}

/** tern_headers_put() for a connection of that shape, a constant. */
static inline __attribute__((always_inline)) void tern_headers_put_as(const struct tern_tcp *t,
    const struct tern_conn *c, const struct tern_template_fields *f, struct tern_shape s,
    struct rte_mbuf *m, struct tern_seq seq, uint8_t flags)
{
    const uint32_t n_bytes = s.l3_bytes + s.doff_bytes, l4_bytes = s.doff_bytes + m->pkt_len;
    assert(m->data_off >= TERN_HDR_BYTES_MAX);
    m->data_off = (uint16_t)(m->data_off - n_bytes);
    m->data_len = (uint16_t)(m->data_len + n_bytes);
    m->pkt_len += n_bytes;
    m->ol_flags |= t->tx_orders[s.v6];
    m->tx_offload = rte_mbuf_tx_offload(0, s.l3_bytes, s.doff_bytes, 0, 0, 0, 0);
    uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *), *tcp = ip + s.l3_bytes;
    uint64_t sum =
        tern_headers_put_ip(t, c, f, s, ip, l4_bytes, !(t->tx_orders[0] & RTE_MBUF_F_TX_IP_CKSUM));
    tern_headers_put_tcp(t, c, f, s, tcp, seq, flags | TERN_TCP_ACK);
    const bool device = t->tx_orders[0] & RTE_MBUF_F_TX_TCP_CKSUM;
    if (unlikely(!device))
        sum += tern_mbuf_sum_from(m, s.l3_bytes);
    const uint16_t csum = (uint16_t)(device ? tern_csum_fold(sum) : ~tern_csum_fold(sum));
    memcpy(tcp + TERN_TCP_OFF_CSUM, &csum, sizeof csum);
}

/** tern_headers_put() for IPv6. */
void tern_headers_put6(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct rte_mbuf *m, struct tern_seq seq, uint8_t flags);

/**
 * The headers of a segment that is the only one of its kind, in front of its payload, or of none.
 *
 * @param m      payload, or empty, with TERN_HDR_BYTES_MAX of headroom
 * @param flags  beside ACK: PSH, FIN
 */
static inline __attribute__((always_inline)) void tern_headers_put(const struct tern_tcp *t,
    const struct tern_conn *c, const struct tern_template_fields *f, struct rte_mbuf *m,
    struct tern_seq seq, uint8_t flags)
{
    const uint16_t kind = c->flags & (TERN_CF_V6 | TERN_CF_TS);
    if (kind == 0)
        tern_headers_put_as(t, c, f, tern_shape(false, false), m, seq, flags);
    else if (kind == TERN_CF_TS)
        tern_headers_put_as(t, c, f, tern_shape(false, true), m, seq, flags);
    else
        tern_headers_put6(t, c, f, m, seq, flags);
}
