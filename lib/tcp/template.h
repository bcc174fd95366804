/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Headers written once and copied. The plain segments that a connection sends in one burst differ
 * in sequence number, in PSH and FIN, and the last of them in length. All else is the same,
 * addresses, acknowledgement, window and timestamps, and so are the checksums as far as a device
 * leaves them to us.
 *
 *   bytes:  [ unused | IP | TCP | timestamps ] payload
 *           headers end where the payload begins, so one copy of fixed length fits all
 */
#include "tcp.h"
#include "wire/bytes.h"

#include <assert.h>
#include <string.h>

enum { TERN_TEMPLATE_BYTES = TERN_IP6_BYTES + TERN_TCP_BYTES + TERN_TS_OPT_BYTES };

struct tern_template {
    uint8_t bytes[TERN_TEMPLATE_BYTES];
    uint32_t n_bytes;   /* IP, TCP and options; 0: nothing is written yet */
    uint32_t tcp_off;   /* of the TCP header in `bytes` */
    uint32_t len_bytes; /* payload that lengths and checksums are for */
    uint64_t pseudo;    /* sum of the pseudo-header without a length */
    uint64_t ol_flags, tx_offload;
};

/** What a plain segment says beside its sequence. */
struct tern_template_fields {
    struct tern_seq ack;
    uint16_t wnd; /**< as on the wire */
    uint8_t ttl, tos;
};

/** Once, when the configuration is known: orders, and whether this shard's segments may come from a
 * template. Not where a test fixes what differs from packet to packet. */
void tern_template_init(struct tern_tcp *t);

/** Write all but what a segment decides. Timestamps are of now, where they were negotiated. */
void tern_template_write(const struct tern_tcp *t, const struct tern_conn *c,
    const struct tern_template_fields *f, struct tern_template *out);

/**
 * Put the headers of a segment in front of its payload.
 *
 * @param m      [len_bytes] payload in all, 1.., with TERN_HDR_BYTES_MAX of headroom
 * @param flags  beside ACK: PSH, FIN
 */
static inline void tern_template_put(struct tern_template *h, struct rte_mbuf *m,
    uint32_t len_bytes, struct tern_seq seq, uint8_t flags);

/* ---- */

/** Lengths and checksums for segments of another length. */
void tern_template_set_length(struct tern_template *h, uint32_t len_bytes);

/** The TCP checksum of a segment, made here. */
void tern_template_sum(const struct tern_template *h, struct rte_mbuf *m);

static inline void tern_template_put(struct tern_template *h, struct rte_mbuf *m,
    uint32_t len_bytes, struct tern_seq seq, uint8_t flags)
{
    assert(m->data_off >= TERN_HDR_BYTES_MAX);
    if (unlikely(len_bytes != h->len_bytes))
        tern_template_set_length(h, len_bytes);
    uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *) - TERN_TEMPLATE_BYTES;
    memcpy(at, h->bytes, TERN_TEMPLATE_BYTES);
    uint8_t *tcp = at + h->tcp_off;
    tern_store32(tcp + TERN_TCP_OFF_SEQ, seq.v);
    tcp[TERN_TCP_OFF_FLAGS] = flags | TERN_TCP_ACK;
    m->data_off = (uint16_t)(m->data_off - h->n_bytes);
    m->data_len = (uint16_t)(m->data_len + h->n_bytes);
    m->pkt_len += h->n_bytes;
    m->ol_flags |= h->ol_flags;
    m->tx_offload = h->tx_offload;
    if (unlikely(!(h->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM)))
        tern_template_sum(h, m);
}
