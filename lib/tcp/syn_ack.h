/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * SYN-ACKs written ahead. What two SYN-ACKs of one family with the same options differ in are
 * addresses, ports, sequence numbers and timestamps; the rest, its checksum included, is made once
 * at start and copied over the SYN that is answered.
 *
 *   bytes:  [ IP | TCP | options ]   from where the SYN's IP header lay
 */
#include "host.h"
#include "packet.h"

#include <string.h>

/** What one SYN-ACK says that another does not. */
struct tern_syn_ack_fields {
    struct tern_seq iss, irs;
    uint32_t ts_val; /**< read where timestamps are agreed on */
    bool ecn;
};

/** Write them all. Once, when the configuration is known. Without `fast_path`, and where a test
 * fixes what differs from packet to packet, none. */
void tern_syn_ack_init(struct tern_tcp *t);

/** Can this SYN be answered from the store, options and buffer considered? */
static inline bool tern_syn_ack_fits(const struct tern_tcp *t, const struct tern_seg *seg);

/** Answer a SYN that fits, in its own buffer. Takes seg->m. */
static inline void tern_syn_ack_send(
    struct tern_tcp *t, struct tern_seg *seg, const struct tern_syn_ack_fields *f);

/* ---- */

/** Which of the options that we agree to this SYN offers: the place in the store. */
static inline uint32_t tern_syn_ack_which(
    const struct tern_tcp *t, const struct tern_tcp_opts *peer)
{
    static_assert(TERN_HAS_WSCALE == 2 && TERN_HAS_SACK_OK == 4 && TERN_HAS_TS == 8,
        "three bits above that of the MSS");
    return (uint32_t)(peer->has & t->syn_agrees) / TERN_HAS_WSCALE;
}

static inline bool tern_syn_ack_fits(const struct tern_tcp *t, const struct tern_seg *seg)
{
    const struct rte_mbuf *m = seg->m;
    return likely(t->has_syn_acks) && seg->p.l3_off == t->link_bytes
           && !(seg->opts.has & TERN_HAS_TFO) && tern_mbuf_is_writable(m)
           && (uint32_t)m->data_off + t->link_bytes + TERN_SYN_ACK_BYTES <= m->buf_len;
}

/** @return their sum */
static inline uint64_t tern_syn_ack_addresses(uint8_t *ip, const struct tern_flow_key *k, bool v6)
{
    if (likely(!v6)) {
        memcpy(ip + 12, &k->local.w[3], 4);
        memcpy(ip + 16, &k->remote.w[3], 4);
        return (uint64_t)k->local.w[3] + k->remote.w[3];
    }
    memcpy(ip + 8, &k->local, 16);
    memcpy(ip + 24, &k->remote, 16);
    return tern_csum_words2(k->local.b) + tern_csum_words2(k->local.b + 8)
           + tern_csum_words2(k->remote.b) + tern_csum_words2(k->remote.b + 8);
}

static inline void tern_syn_ack_numbers(const struct tern_syn_ack *s, uint8_t *tcp,
    const struct tern_seg *seg, const struct tern_syn_ack_fields *f)
{
    const uint64_t ports = (uint32_t)seg->key.lport << 16 | seg->key.rport;
    tern_store64(tcp + TERN_TCP_OFF_SPORT, ports << 32 | f->iss.v);
    tern_store32(tcp + TERN_TCP_OFF_ACK, f->irs.v + 1);
    if (s->ts_off != 0)
        tern_store64(tcp + s->ts_off, (uint64_t)f->ts_val << 32 | seg->opts.ts_val);
    if (unlikely(f->ecn)) /* (3168-1) */
        tcp[TERN_TCP_OFF_FLAGS] |= TERN_TCP_ECE;
}

/** The sum of these, where they are written. */
static inline uint64_t tern_syn_ack_numbers_sum(
    const struct tern_syn_ack *s, const uint8_t *tcp, bool ecn)
{
    uint32_t ack;
    memcpy(&ack, tcp + TERN_TCP_OFF_ACK, sizeof ack);
    uint64_t sum = tern_csum_words2(tcp + TERN_TCP_OFF_SPORT) + ack;
    if (s->ts_off != 0)
        sum += tern_csum_words2(tcp + s->ts_off);
    return sum + (ecn ? __builtin_bswap16(TERN_TCP_ECE) : 0);
}

static inline void tern_syn_ack_send(
    struct tern_tcp *t, struct tern_seg *seg, const struct tern_syn_ack_fields *f)
{
    const struct tern_syn_ack *s = &t->syn_acks[seg->p.v6][tern_syn_ack_which(t, &seg->opts)];
    struct rte_mbuf *m = seg->m;
    seg->m = NULL;
    uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *ip = frame + t->link_bytes;
    if (t->link_bytes != 0) { /* the EtherType may stay */
        memcpy(frame, frame + TERN_MAC_BYTES, TERN_MAC_BYTES);
        memcpy(frame + TERN_MAC_BYTES, t->cfg.mac, TERN_MAC_BYTES);
    }
    memcpy(ip, s->bytes, TERN_SYN_ACK_BYTES);
    uint8_t *tcp = ip + s->l3_bytes;
    const uint64_t addresses = tern_syn_ack_addresses(ip, &seg->key, seg->p.v6);
    tern_syn_ack_numbers(s, tcp, seg, f);
    uint16_t sum = tern_csum_fold(s->pseudo + addresses);
    if (!(s->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM))
        sum = (uint16_t)~tern_csum_fold(
            s->pseudo + addresses + s->tcp_sum + tern_syn_ack_numbers_sum(s, tcp, f->ecn));
    memcpy(tcp + TERN_TCP_OFF_CSUM, &sum, sizeof sum);
    if (unlikely(s->sums_ip)) {
        sum = (uint16_t)~tern_csum_fold(s->ip_sum + addresses);
        memcpy(ip + TERN_IP4_OFF_CSUM, &sum, sizeof sum);
    }
    m->data_len = (uint16_t)(t->link_bytes + s->n_bytes);
    m->pkt_len = m->data_len;
    m->ol_flags = s->ol_flags;
    m->tx_offload = s->tx_offload;
    t->stats.tx_segments++;
    tern_tcp_queue(t, m);
}
