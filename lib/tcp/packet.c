/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

/*
 * Every segment tern sends is finished here: options, TCP header, IP header, checksums. The device
 * makes checksums where it can; then the TCP field holds the folded pseudo-header sum, which is
 * what DPDK's offloads expect. In software the sum over the payload is taken once, here.
 *
 * A reply to a segment without a connection goes back to the station it came from, in the very
 * buffer it came in: no allocation, no route, nothing kept (design.md §2).
 */
#include "host.h"
#include "mbuf.h"
#include "wire/bytes.h"

/* V090, V091:
 * RFC 6864 §4.1: an atomic datagram's identification means nothing; 0 tells an observer nothing,
 * the first time and again (MAY-4). */
static uint16_t next_ip_id(struct tern_tcp *t)
{
    const struct tern_test_pins *pins = &t->cfg.pins;
    if (likely(!pins->has_ip_id) || t->n_ip_id >= pins->n_ip_id)
        return 0;
    return pins->ip_id[t->n_ip_id++];
}

/** Bytes of the headers of a segment. */
struct shape {
    bool v4;
    uint32_t l3_bytes, doff_bytes;
};

static inline struct shape shape_of(const struct tern_packet *p)
{
    const bool v4 = tern_addr_is_v4(&p->key->remote);
    return (struct shape){
        .v4 = v4,
        .l3_bytes = v4 ? TERN_IP4_BYTES : TERN_IP6_BYTES,
        .doff_bytes = TERN_TCP_BYTES + p->opt_bytes,
    };
}

/** @return what the device is to do with it, RTE_MBUF_F_TX_* */
static inline uint64_t put_ip(
    struct tern_tcp *t, uint8_t *at, const struct tern_packet *p, struct shape s, uint32_t l4_bytes)
{
    const struct tern_ip_fields ip = {
        .src = &p->key->local,
        .dst = &p->key->remote,
        .l4_bytes = l4_bytes,
        .id = next_ip_id(t),
        .df = !t->cfg.pins.no_df, /* (1191-1, V163) */
        .ttl = p->ttl,
        .tos = p->tos,
        .proto = TERN_IPPROTO_TCP,
    };
    if (unlikely(!s.v4)) {
        tern_build_ip6(at, &ip);
        return RTE_MBUF_F_TX_IPV6;
    }
    const bool device = t->cfg.tx_ip_csum;
    tern_build_ip4(at, &ip, !device);
    return RTE_MBUF_F_TX_IPV4 | (device ? RTE_MBUF_F_TX_IP_CKSUM : 0);
}

static inline uint64_t pseudo_sum(const struct tern_flow_key *k, bool v4, uint32_t l4_bytes)
{
    return v4 ? tern_csum_pseudo4(&k->local.w[3], &k->remote.w[3], TERN_IPPROTO_TCP, l4_bytes)
              : tern_csum_pseudo6(k->local.b, k->remote.b, TERN_IPPROTO_TCP, l4_bytes);
}

/**
 * Write both headers; the checksum field is still to come.
 * @return what the device is to do with it
 */
static inline uint64_t put_headers(
    struct tern_tcp *t, uint8_t *at, const struct tern_packet *p, struct shape s, uint32_t l4_bytes)
{
    const uint64_t orders = put_ip(t, at, p, s, l4_bytes);
    uint8_t *tcp = at + s.l3_bytes;
    const struct tern_tcp_fields fields = {
        .sport = p->key->lport,
        .dport = p->key->rport,
        .seq = p->seq,
        .ack = p->ack,
        .doff_bytes = (uint8_t)s.doff_bytes,
        .flags = p->flags,
        .wnd = p->wnd,
        .urg = p->urg,
    };
    tern_build_tcp(tcp, &fields);
    for (uint32_t i = 0; i < p->opt_bytes; i += 4)
        memcpy(tcp + TERN_TCP_BYTES + i, p->opt + i, 4);
    t->stats.tx_segments++;
    if (unlikely(p->flags & TERN_TCP_RST))
        t->stats.rst_sent++;
    return orders;
}

/** The TCP checksum of the packet in `m`, whose IP header is at `at`, or the order to make it (then
 * the field holds the sum of the pseudo-header). @return the order (MUST-2) */
static inline uint64_t put_csum(const struct tern_tcp *t, struct rte_mbuf *m, uint8_t *at,
    const struct tern_packet *p, struct shape s, uint32_t l4_bytes)
{
    const bool device = t->cfg.tx_tcp_csum;
    /* A device that segments wants the pseudo-header without a length. */
    const uint64_t pseudo = pseudo_sum(p->key, s.v4, device && p->tso_mss != 0 ? 0 : l4_bytes);
    const uint64_t off = (uint64_t)(at - rte_pktmbuf_mtod(m, uint8_t *)) + s.l3_bytes;
    const uint16_t sum =
        device ? tern_csum_fold(pseudo)
               : (uint16_t)~tern_csum_fold(pseudo + tern_mbuf_sum_from(m, (uint32_t)off));
    memcpy(at + s.l3_bytes + TERN_TCP_OFF_CSUM, &sum, sizeof sum);
    if (!device)
        return 0;
    return RTE_MBUF_F_TX_TCP_CKSUM | (p->tso_mss != 0 ? RTE_MBUF_F_TX_TCP_SEG : 0);
}

void tern_packet_build(struct tern_tcp *t, struct rte_mbuf *m, const struct tern_packet *p)
{
    const struct shape s = shape_of(p);
    const uint32_t l4_bytes = m->pkt_len + s.doff_bytes;
    uint8_t *at = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)(s.l3_bytes + s.doff_bytes));
    assert(at != NULL);
    m->ol_flags |= put_headers(t, at, p, s, l4_bytes);
    m->ol_flags |= put_csum(t, m, at, p, s, l4_bytes);
    m->tx_offload = rte_mbuf_tx_offload(0, s.l3_bytes, s.doff_bytes, p->tso_mss, 0, 0, 0);
}

uint32_t tern_packet_ts_opt(uint8_t *opt, uint32_t ts_val, uint32_t ts_ecr)
{
    tern_store32(opt, TERN_TS_OPT_WORD);
    tern_store32(opt + 4, ts_val);
    tern_store32(opt + 8, ts_ecr);
    return TERN_TS_OPT_BYTES;
}

/** A buffer for the answer: the one the segment came in where it is ours alone; or NULL, counted.
 */
static inline struct rte_mbuf *reuse(struct tern_tcp *t, struct tern_seg *seg)
{
    struct rte_mbuf *m = seg->m;
    if (likely(tern_mbuf_is_writable(m))) {
        seg->m = NULL;
        return m;
    }
    m = tern_mbuf_control(t);
    if (m == NULL)
        t->stats.drops[TERN_DROP_NO_MBUF]++;
    return m;
}

void tern_packet_reply(struct tern_tcp *t, struct tern_seg *seg, const struct tern_packet *p)
{
    uint8_t mac[TERN_MAC_BYTES] = {0};
    if (!t->cfg.l3)
        memcpy(mac, seg->frame + TERN_MAC_BYTES, sizeof mac);
    struct rte_mbuf *m = reuse(t, seg);
    if (m == NULL)
        return;
    const struct shape s = shape_of(p);
    const uint32_t l2_bytes = t->link_bytes, l4_bytes = s.doff_bytes;
    rte_pktmbuf_reset(m);
    uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(l2_bytes + s.l3_bytes + l4_bytes));
    assert(frame != NULL);
    if (l2_bytes != 0)
        tern_build_eth(
            frame, mac, t->cfg.mac, t->cfg.vlan, s.v4 ? TERN_ETHERTYPE_IP4 : TERN_ETHERTYPE_IP6);
    uint8_t *at = frame + l2_bytes;
    const uint64_t orders = put_headers(t, at, p, s, l4_bytes);
    m->ol_flags = orders | put_csum(t, m, at, p, s, l4_bytes);
    m->tx_offload = rte_mbuf_tx_offload(l2_bytes, s.l3_bytes, s.doff_bytes, 0, 0, 0, 0);
    tern_host_send(t, m);
}

void tern_packet_reset(struct tern_tcp *t, struct tern_seg *seg)
{
    const struct tern_pkt *in = &seg->p;
    const uint32_t span =
        in->len_bytes + !!(in->flags & TERN_TCP_SYN) + !!(in->flags & TERN_TCP_FIN);
    const bool has_ack = in->flags & TERN_TCP_ACK;
    const struct tern_packet p = {
        .key = &seg->key,
        .seq = has_ack ? in->ack : (struct tern_seq){0},
        .ack = has_ack ? (struct tern_seq){0} : tern_seq_add(in->seq, span),
        .flags = (uint8_t)(has_ack ? TERN_TCP_RST : TERN_TCP_RST | TERN_TCP_ACK),
        .ttl = t->cfg.ttl,
        .tos = (uint8_t)(t->cfg.dscp << 2),
    };
    tern_packet_reply(t, seg, &p);
}
