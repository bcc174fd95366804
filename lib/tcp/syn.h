/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * SYNs from the store of what is written ahead (syn_ack.h). All that we open with differ in
 * addresses, ports, sequence number and timestamp alone, and what the last three add to the
 * checksum is known as they are written. A SYN that asks for more (ECN, Fast Open) and one that is
 * sent again comes from tern_conn_send_syn(), which says the same where both can.
 */
#include "mbuf.h"
#include "syn_ack.h"

/** May SYNs of ours come from the store? @param early  something is queued before the SYN */
static inline bool tern_syn_fits(const struct tern_tcp *t, bool early)
{
    return likely(t->has_syns && !early);
}

/** Write ports, sequence number and timestamp. @return their sum */
static inline uint64_t tern_syn_numbers(const struct tern_syn_ack *s, uint8_t *tcp,
    const struct tern_flow_key *key, struct tern_seq iss, uint32_t ts_val)
{
    const uint64_t ports = (uint32_t)key->lport << 16 | key->rport;
    tern_store64(tcp + TERN_TCP_OFF_SPORT, ports << 32 | iss.v);
    const uint64_t sum = tern_csum_words2(tcp + TERN_TCP_OFF_SPORT);
    if (s->ts_off == 0)
        return sum;
    tern_store32(tcp + s->ts_off, ts_val);
    return sum + __builtin_bswap32(ts_val);
}

/** Write the SYN's IP packet to `ip` [TERN_SYN_ACK_BYTES]; of these s->n_bytes are it. */
static inline void tern_syn_write(const struct tern_syn_ack *s, uint8_t *ip,
    const struct tern_flow_key *key, struct tern_seq iss, uint32_t ts_val)
{
    uint8_t *tcp = ip + s->l3_bytes;
    memcpy(ip, s->bytes, TERN_SYN_ACK_BYTES);
    const uint64_t addresses = tern_syn_ack_addresses(ip, key, s->l3_bytes == TERN_IP6_BYTES);
    const uint64_t numbers = tern_syn_numbers(s, tcp, key, iss, ts_val);
    uint16_t sum = tern_csum_fold(s->pseudo + addresses);
    if (!(s->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM))
        sum = (uint16_t)~tern_csum_fold(s->pseudo + addresses + s->tcp_sum + numbers);
    memcpy(tcp + TERN_TCP_OFF_CSUM, &sum, sizeof sum);
    if (s->sums_ip) {
        sum = (uint16_t)~tern_csum_fold(s->ip_sum + addresses);
        memcpy(ip + TERN_IP4_OFF_CSUM, &sum, sizeof sum);
    }
}

/** The first SYN of a connection. Where no buffer is to be had, its timer tries again. */
static inline void tern_syn_send(struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_flow_key *key, struct tern_seq iss)
{
    const bool v6 = c->flags & TERN_CF_V6;
    const struct tern_syn_ack *s = &t->syns[v6];
    struct rte_mbuf *m = tern_mbuf_control(t);
    if (unlikely(m == NULL)) {
        t->stats.drops[TERN_DROP_NO_MBUF]++;
        return;
    }
    m->data_off = (uint16_t)(m->data_off + t->link_bytes); /* so the frame begins a cache line */
    m->data_len = s->n_bytes;
    m->pkt_len = s->n_bytes;
    m->ol_flags = s->ol_flags;
    m->tx_offload = s->tx_offload;
    tern_syn_write(s, rte_pktmbuf_mtod(m, uint8_t *), key, iss, tern_ts_now(t, c->ts_offset));
    t->stats.tx_segments++;
    tern_host_output(t, c->neighbour, m, v6);
}
