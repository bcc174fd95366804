/* SPDX-License-Identifier: BSD-3-Clause */
#include "template.h"

/*
 * Where the device checksums TCP, its field holds the folded pseudo-header, which knows nothing of
 * what differs between segments but the length. A shorter segment at the end of a run changes two
 * lengths and two sums, and nothing is written anew. In software the sum is taken of each.
 */
#include "headers.h"

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

void tern_template_init(struct tern_tcp *t)
{
    const uint64_t tcp = t->cfg.tx_tcp_csum ? RTE_MBUF_F_TX_TCP_CKSUM : 0;
    const uint64_t ip = t->cfg.tx_ip_csum ? RTE_MBUF_F_TX_IP_CKSUM : 0;
    t->tx_orders[0] = RTE_MBUF_F_TX_IPV4 | ip | tcp;
    t->tx_orders[1] = RTE_MBUF_F_TX_IPV6 | tcp;
    t->plain_headers = t->fast_path && !t->cfg.pins.has_ip_id && !t->cfg.pins.no_df;
}

void tern_template_write(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct tern_template *out)
{
    const struct tern_shape s = tern_shape_of(c);
    out->n_bytes = s.l3_bytes + s.doff_bytes;
    out->tcp_off = TERN_TEMPLATE_BYTES - s.doff_bytes;
    out->len_bytes = 0;
    out->ol_flags = t->tx_orders[s.v6];
    out->tx_offload = rte_mbuf_tx_offload(0, s.l3_bytes, s.doff_bytes, 0, 0, 0, 0);
    uint8_t *tcp = out->bytes + out->tcp_off;
    tern_headers_put_tcp(t, c, f, s, tcp, (struct tern_seq){0}, 0);
    out->pseudo = tern_headers_put_ip(t, c, f, s, tcp - s.l3_bytes, 0, false);
}

void tern_headers_put6(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct rte_mbuf *m, struct tern_seq seq, uint8_t flags)
{
    if (c->flags & TERN_CF_TS)
        tern_headers_put_as(t, c, f, tern_shape(true, true), m, seq, flags);
    else
        tern_headers_put_as(t, c, f, tern_shape(true, false), m, seq, flags);
}
