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

/* RFC 6864 §4.1: an atomic datagram's identification means nothing; 0 tells an observer nothing,
 * the first time and again (MAY-4). */
static uint16_t next_ip_id(struct tern_tcp *t)
{
    const struct tern_test_pins *pins = &t->cfg.pins;
    if (likely(!pins->has_ip_id) || t->n_ip_id >= pins->n_ip_id)
        return 0;
    return pins->ip_id[t->n_ip_id++];
}

/** The device makes the checksum; with a segment size it cuts, too. @return the TCP field */
static uint16_t ask_device(struct rte_mbuf *m, const struct tern_packet *p, uint64_t pseudo)
{
    m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    if (p->tso_mss != 0)
        m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    return tern_csum_fold(pseudo);
}

/** Write the IP header and what the device is to know of it. */
static void put_ip(
    const struct tern_tcp *t, struct rte_mbuf *m, uint8_t *at, const struct tern_ip_fields *ip)
{
    if (unlikely(!tern_addr_is_v4(ip->dst))) {
        tern_build_ip6(at, ip);
        m->ol_flags |= RTE_MBUF_F_TX_IPV6;
        return;
    }
    const bool device = t->cfg.tx_ip_csum;
    tern_build_ip4(at, ip, !device);
    m->ol_flags |= RTE_MBUF_F_TX_IPV4 | (device ? RTE_MBUF_F_TX_IP_CKSUM : 0);
}

void tern_packet_build(struct tern_tcp *t, struct rte_mbuf *m, const struct tern_packet *p)
{
    const struct tern_flow_key *k = p->key;
    const bool v4 = tern_addr_is_v4(&k->remote);
    const uint32_t l3_bytes = v4 ? TERN_IP4_BYTES : TERN_IP6_BYTES;
    const uint32_t doff = TERN_TCP_BYTES + p->opt_bytes;
    const uint32_t l4_bytes = m->pkt_len + doff;

    uint8_t *at = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)(l3_bytes + doff));
    assert(at != NULL);
    const struct tern_ip_fields ip = {
        .src = &k->local,
        .dst = &k->remote,
        .l4_bytes = l4_bytes,
        .id = next_ip_id(t),
        .df = !t->cfg.pins.no_df, /* (1191-1) */
        .ttl = p->ttl,
        .tos = p->tos,
        .proto = TERN_IPPROTO_TCP,
    };
    put_ip(t, m, at, &ip);

    uint8_t *tcp = at + l3_bytes;
    const struct tern_tcp_fields fields = {
        .sport = k->lport,
        .dport = k->rport,
        .seq = p->seq,
        .ack = p->ack,
        .doff_bytes = (uint8_t)doff,
        .flags = p->flags,
        .wnd = p->wnd,
        .urg = p->urg,
    };
    tern_build_tcp(tcp, &fields);
    if (p->opt_bytes != 0)
        memcpy(tcp + TERN_TCP_BYTES, p->opt, p->opt_bytes);

    const bool device = t->cfg.tx_tcp_csum; /* MUST-2 */
    /* A device that segments wants the pseudo-header without a length. */
    const uint32_t sum_bytes = device && p->tso_mss != 0 ? 0 : l4_bytes;
    const uint64_t pseudo =
        v4 ? tern_csum_pseudo4(&k->local.w[3], &k->remote.w[3], TERN_IPPROTO_TCP, sum_bytes)
           : tern_csum_pseudo6(k->local.b, k->remote.b, TERN_IPPROTO_TCP, sum_bytes);
    const uint16_t sum = device
                             ? ask_device(m, p, pseudo)
                             : (uint16_t)~tern_csum_fold(pseudo + tern_mbuf_sum_from(m, l3_bytes));
    memcpy(tcp + TERN_TCP_OFF_CSUM, &sum, sizeof sum);
    m->tx_offload = rte_mbuf_tx_offload(0, l3_bytes, doff, p->tso_mss, 0, 0, 0);

    t->stats.tx_segments++;
    if (unlikely(p->flags & TERN_TCP_RST))
        t->stats.rst_sent++;
}

uint32_t tern_packet_ts_opt(uint8_t *opt, uint32_t ts_val, uint32_t ts_ecr)
{
    tern_store32(opt, TERN_TS_OPT_WORD);
    tern_store32(opt + 4, ts_val);
    tern_store32(opt + 8, ts_ecr);
    return TERN_TS_OPT_BYTES;
}

void tern_packet_reply(struct tern_tcp *t, struct tern_seg *seg, const struct tern_packet *p)
{
    uint8_t mac[TERN_MAC_BYTES] = {0};
    if (!t->cfg.l3)
        memcpy(mac, seg->frame + TERN_MAC_BYTES, sizeof mac);
    const bool v6 = seg->p.v6;

    struct rte_mbuf *m = seg->m;
    if (RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && m->next == NULL) {
        seg->m = NULL;
        rte_pktmbuf_reset(m);
    } else {
        m = tern_mbuf_control(t);
    }
    if (m == NULL) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return;
    }
    tern_packet_build(t, m, p);
    tern_host_output_to(t, mac, m, v6);
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
