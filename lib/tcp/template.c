/* SPDX-License-Identifier: BSD-3-Clause */
#include "template.h"

/*
 * Where the device checksums TCP, its field holds the folded pseudo-header, which knows nothing of
 * what differs between segments but the length. A shorter segment at the end of a run changes two
 * lengths and two sums, and nothing is written anew. In software the sum is taken of each.
 */
#include "mbuf.h"
#include "packet.h"
#include "wire/csum.h"

enum {
    IP4_OFF_LENGTH = 2,
    IP4_OFF_CSUM = 10,
    IP6_OFF_LENGTH = 4,
};

static bool is_v6(const struct tern_template *h)
{
    return h->ol_flags & RTE_MBUF_F_TX_IPV6;
}

/** Bytes behind the IP header of a segment with so much payload. */
static uint32_t l4_bytes_of(const struct tern_template *h, uint32_t len_bytes)
{
    return TERN_TEMPLATE_BYTES - h->tcp_off + len_bytes;
}

static uint64_t pseudo_of(const struct tern_template *h)
{
    return h->pseudo + __builtin_bswap32(l4_bytes_of(h, h->len_bytes));
}

void tern_template_set_length(struct tern_template *h, uint32_t len_bytes)
{
    uint8_t *ip = h->bytes + TERN_TEMPLATE_BYTES - h->n_bytes;
    const uint32_t l4_bytes = l4_bytes_of(h, len_bytes);
    h->len_bytes = len_bytes;
    if (h->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM) {
        const uint16_t csum = tern_csum_fold(pseudo_of(h));
        memcpy(h->bytes + h->tcp_off + TERN_TCP_OFF_CSUM, &csum, sizeof csum);
    }
    if (is_v6(h)) {
        tern_store16(ip + IP6_OFF_LENGTH, (uint16_t)l4_bytes);
        return;
    }
    tern_store16(ip + IP4_OFF_LENGTH, (uint16_t)(TERN_IP4_BYTES + l4_bytes));
    if (!(h->ol_flags & RTE_MBUF_F_TX_IP_CKSUM))
        tern_csum_ip4_set(ip, TERN_IP4_BYTES);
}

void tern_template_sum(const struct tern_template *h, struct rte_mbuf *m)
{
    const uint32_t l3_bytes = h->tcp_off - (TERN_TEMPLATE_BYTES - h->n_bytes);
    const uint64_t sum = pseudo_of(h) + tern_mbuf_sum_from(m, l3_bytes);
    const uint16_t csum = (uint16_t)~tern_csum_fold(sum);
    memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, l3_bytes + TERN_TCP_OFF_CSUM), &csum, sizeof csum);
}

/* ---- what both are written with ---- */

/** Where headers of this connection begin and end. */
struct shape {
    bool v6;
    uint32_t l3_bytes, doff_bytes;
};

static inline struct shape shape_of(const struct tern_conn *c)
{
    const bool v6 = c->flags & TERN_CF_V6;
    return (struct shape){
        .v6 = v6,
        .l3_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES,
        .doff_bytes = TERN_TCP_BYTES + (c->flags & TERN_CF_TS ? (uint32_t)TERN_TS_OPT_BYTES : 0),
    };
}

/** What the device is to do with every segment. */
static inline uint64_t orders(const struct tern_tcp *t, bool v6)
{
    uint64_t ol_flags = v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    if (t->cfg.tx_ip_csum && !v6)
        ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
    if (t->cfg.tx_tcp_csum)
        ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    return ol_flags;
}

/** IPv4 identification 0: an atomic datagram (RFC 6864 §4.1).
 * @param csum  make the header's checksum (IPv4)
 * @return      sum of the pseudo-header for `l4_bytes` */
static inline uint64_t put_ip(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, uint8_t *at, uint32_t l4_bytes, bool csum)
{
    const struct tern_flow_key key = tern_conn_key(t, c);
    const struct tern_ip_fields fields = {
        .src = &key.local,
        .dst = &key.remote,
        .l4_bytes = l4_bytes,
        .df = true, /* (1191-1) */
        .ttl = f->ttl,
        .tos = f->tos,
        .proto = TERN_IPPROTO_TCP,
    };
    if (unlikely(c->flags & TERN_CF_V6)) {
        tern_build_ip6(at, &fields);
        return tern_csum_pseudo6(key.local.b, key.remote.b, TERN_IPPROTO_TCP, l4_bytes);
    }
    tern_build_ip4(at, &fields, csum);
    return tern_csum_pseudo4(&c->local4, &c->remote4, TERN_IPPROTO_TCP, l4_bytes);
}

/** The checksum field is still to come. */
static inline void put_tcp(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, uint8_t *at, struct tern_seq seq, uint8_t flags)
{
    const bool ts = c->flags & TERN_CF_TS;
    const struct tern_tcp_fields fields = {
        .sport = c->lport,
        .dport = c->rport,
        .seq = seq,
        .ack = f->ack,
        .doff_bytes = TERN_TCP_BYTES + (ts ? TERN_TS_OPT_BYTES : 0),
        .flags = flags,
        .wnd = f->wnd,
    };
    tern_build_tcp(at, &fields);
    if (ts)
        tern_packet_ts_opt(at + TERN_TCP_BYTES, tern_ts_now(t, c->ts_offset), c->ts_recent);
}

/* ---- */

void tern_template_write(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct tern_template *out)
{
    const struct shape s = shape_of(c);
    out->n_bytes = s.l3_bytes + s.doff_bytes;
    out->tcp_off = TERN_TEMPLATE_BYTES - s.doff_bytes;
    out->len_bytes = 0;
    out->ol_flags = orders(t, s.v6);
    out->tx_offload = rte_mbuf_tx_offload(0, s.l3_bytes, s.doff_bytes, 0, 0, 0, 0);
    uint8_t *tcp = out->bytes + out->tcp_off;
    put_tcp(t, c, f, tcp, (struct tern_seq){0}, 0);
    out->pseudo = put_ip(t, c, f, tcp - s.l3_bytes, 0, false);
}

void tern_template_single(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct rte_mbuf *m, struct tern_seq seq, uint8_t flags)
{
    const struct shape s = shape_of(c);
    const uint32_t n_bytes = s.l3_bytes + s.doff_bytes, l4_bytes = s.doff_bytes + m->pkt_len;
    assert(m->data_off >= TERN_HDR_BYTES_MAX);
    m->data_off = (uint16_t)(m->data_off - n_bytes);
    m->data_len = (uint16_t)(m->data_len + n_bytes);
    m->pkt_len += n_bytes;
    m->ol_flags |= orders(t, s.v6);
    m->tx_offload = rte_mbuf_tx_offload(0, s.l3_bytes, s.doff_bytes, 0, 0, 0, 0);
    uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *), *tcp = ip + s.l3_bytes;
    uint64_t sum = put_ip(t, c, f, ip, l4_bytes, !t->cfg.tx_ip_csum);
    put_tcp(t, c, f, tcp, seq, flags | TERN_TCP_ACK);
    const bool device = t->cfg.tx_tcp_csum;
    if (unlikely(!device))
        sum += tern_mbuf_sum_from(m, s.l3_bytes);
    const uint16_t csum = (uint16_t)(device ? tern_csum_fold(sum) : ~tern_csum_fold(sum));
    memcpy(tcp + TERN_TCP_OFF_CSUM, &csum, sizeof csum);
}
