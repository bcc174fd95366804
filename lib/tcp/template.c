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
    const uint16_t l3_bytes = (uint16_t)(h->tcp_off - (TERN_TEMPLATE_BYTES - h->n_bytes));
    rte_pktmbuf_adj(m, l3_bytes);
    const uint16_t csum = (uint16_t)~tern_csum_fold(pseudo_of(h) + tern_mbuf_sum(m));
    memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, TERN_TCP_OFF_CSUM), &csum, sizeof csum);
    rte_pktmbuf_prepend(m, l3_bytes);
}

/** IPv4 identification 0: an atomic datagram (RFC 6864 §4.1). */
static void write_ip4(const struct tern_conn *c, const struct tern_template_fields *f, uint8_t *ip)
{
    enum { DF = 0x4000 }; /* (1191-1) */
    tern_store32(ip, 0x45u << 24 | (uint32_t)f->tos << 16);
    tern_store32(ip + 4, DF);
    tern_store32(ip + 8, (uint32_t)f->ttl << 24 | TERN_IPPROTO_TCP << 16);
    memcpy(ip + 12, &c->local4, sizeof c->local4);
    memcpy(ip + 16, &c->remote4, sizeof c->remote4);
}

static void write_ip6(const struct tern_addr6 *a, const struct tern_template_fields *f, uint8_t *ip)
{
    const struct tern_ip_fields fields = {
        .src = &a->local,
        .dst = &a->remote,
        .ttl = f->ttl,
        .tos = f->tos,
        .proto = TERN_IPPROTO_TCP,
    };
    tern_build_ip6(ip, &fields);
}

static uint64_t offloads(const struct tern_tcp *t, bool v6)
{
    const uint64_t ip4 =
        RTE_MBUF_F_TX_IPV4 | (t->cfg.tx_ip_csum ? (uint64_t)RTE_MBUF_F_TX_IP_CKSUM : 0);
    const uint64_t tcp = t->cfg.tx_tcp_csum ? (uint64_t)RTE_MBUF_F_TX_TCP_CKSUM : 0;
    return tcp | (v6 ? (uint64_t)RTE_MBUF_F_TX_IPV6 : ip4);
}

void tern_template_write(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct tern_template *out)
{
    const bool v6 = c->flags & TERN_CF_V6;
    const uint32_t opt_bytes = c->flags & TERN_CF_TS ? TERN_TS_OPT_BYTES : 0;
    const uint32_t l3_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
    const uint32_t l4_bytes = TERN_TCP_BYTES + opt_bytes;
    out->n_bytes = l3_bytes + l4_bytes;
    out->tcp_off = TERN_TEMPLATE_BYTES - l4_bytes;
    out->len_bytes = 0;
    out->ol_flags = offloads(t, v6);
    out->tx_offload = rte_mbuf_tx_offload(0, l3_bytes, l4_bytes, 0, 0, 0, 0);
    uint8_t *tcp = out->bytes + out->tcp_off;
    const struct tern_tcp_fields fields = {
        .sport = c->lport,
        .dport = c->rport,
        .ack = f->ack,
        .doff_bytes = (uint8_t)l4_bytes,
        .wnd = f->wnd,
    };
    tern_build_tcp(tcp, &fields);
    if (opt_bytes != 0)
        tern_packet_ts_opt(tcp + TERN_TCP_BYTES, tern_ts_now(t, c->ts_offset), c->ts_recent);
    uint8_t *ip = tcp - l3_bytes;
    if (likely(!v6)) {
        write_ip4(c, f, ip);
        out->pseudo = tern_csum_pseudo4(&c->local4, &c->remote4, TERN_IPPROTO_TCP, 0);
    } else {
        const struct tern_addr6 *a = &t->addr6s[c->remote4];
        write_ip6(a, f, ip);
        out->pseudo = tern_csum_pseudo6(a->local.b, a->remote.b, TERN_IPPROTO_TCP, 0);
    }
}
