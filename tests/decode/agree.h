/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What holds for every decoded frame, whatever its bytes, and that the tolerant reader says of an
 * accepted frame what the receive path's parser says of it. For unit tests and the fuzzer.
 */
#include <tern/decode.h>

#include "wire/pkt.h"

#include <stdbool.h>
#include <string.h>

/** Offsets and counts hold. */
static inline bool decoded_is_bounded(
    const struct tern_decode_input *in, const struct tern_decoded *d)
{
    bool good = (unsigned)d->drop < TERN_DROP_COUNT && d->link.n_tags <= TERN_DECODED_TAGS_MAX
                && d->link.n_src_bytes <= TERN_DECODED_HW_BYTES_MAX
                && d->is_cut == (in->n_captured < in->n_wire) && d->padding_bytes <= in->n_captured
                && (d->padding_bytes == 0 || d->padding_off + d->padding_bytes == in->n_captured);
    if (d->net == TERN_NET_IP4 || d->net == TERN_NET_IP6)
        good = good && d->ip.end_off <= in->n_wire && d->ip.n_exts <= TERN_DECODED_EXTS_MAX;
    if (d->transport != TERN_TRANSPORT_TCP)
        return good;
    const struct tern_decoded_tcp *t = &d->tcp;
    good = good && t->n_opts <= TERN_DECODED_OPTS_MAX
           && t->payload_off + t->payload_bytes == d->ip.end_off;
    for (uint32_t i = 0; i < t->n_opts; i++)
        good = good && t->opts[i].off < in->n_captured
               && t->opts[i].n_values <= TERN_DECODED_VALUES_MAX
               && (!t->opts[i].is_sound || t->opts[i].off + t->opts[i].n_bytes <= t->payload_off);
    return good;
}

/** The first option of this kind that is sound; NULL: there is none. */
static inline const struct tern_decoded_opt *decoded_opt(
    const struct tern_decoded_tcp *t, uint8_t kind)
{
    for (uint32_t i = 0; i < t->n_opts; i++)
        if (t->opts[i].kind == kind && t->opts[i].is_sound)
            return &t->opts[i];
    return NULL;
}

static inline bool decoded_opts_agree(
    const struct tern_decoded_tcp *t, const uint8_t *frame, const struct tern_pkt *p)
{
    struct tern_tcp_opts o;
    tern_pkt_tcp_opts(frame, p, &o);
    const struct tern_decoded_opt *mss = decoded_opt(t, TERN_OPT_MSS);
    const struct tern_decoded_opt *ts = decoded_opt(t, TERN_OPT_TS);
    const struct tern_decoded_opt *shift = decoded_opt(t, TERN_OPT_WSCALE);
    return (mss != NULL) == ((o.has & TERN_HAS_MSS) != 0)
           && (mss == NULL || mss->values[0] == o.mss)
           && (ts != NULL) == ((o.has & TERN_HAS_TS) != 0)
           && (ts == NULL || (ts->values[0] == o.ts_val && ts->values[1] == o.ts_ecr))
           && (shift != NULL) == ((o.has & TERN_HAS_WSCALE) != 0)
           && (shift == NULL || shift->values[0] == o.wscale || o.wscale == TERN_WSCALE_MAX)
           && (decoded_opt(t, TERN_OPT_SACK_OK) != NULL) == ((o.has & TERN_HAS_SACK_OK) != 0);
}

/** `p` is what tern_pkt_parse() made of the whole Ethernet frame, which it took. */
static inline bool decoded_agrees(
    const struct tern_decoded *d, const uint8_t *frame, const struct tern_pkt *p)
{
    if (p->kind == TERN_PKT_ARP)
        return d->net == TERN_NET_ARP || d->net == TERN_NET_OTHER;
    const union tern_addr src = tern_pkt_addr(p, p->src), dst = tern_pkt_addr(p, p->dst);
    bool same = d->ip.off == p->l3_off && d->ip.end_off == p->end_off && d->ip.tos == p->tos
                && d->ip.hop_limit == p->hop_limit && tern_addr_equal(&d->ip.src, &src)
                && tern_addr_equal(&d->ip.dst, &dst)
                && d->net == (p->v6 ? TERN_NET_IP6 : TERN_NET_IP4);
    if (p->kind != TERN_PKT_TCP)
        return same && d->icmp.csum.verdict == TERN_CSUM_GOOD && d->icmp.bytes == p->l4_bytes;
    const struct tern_decoded_tcp *t = &d->tcp;
    same = same && d->transport == TERN_TRANSPORT_TCP && t->sport == p->sport
           && t->dport == p->dport && t->seq == p->seq.v && t->ack == p->ack.v
           && t->doff_bytes == p->doff_bytes && t->flags == p->flags && t->wnd == p->wnd
           && t->urg == p->urg && t->payload_off == p->payload_off
           && t->payload_bytes == p->len_bytes && t->csum.verdict == TERN_CSUM_GOOD
           && (p->v6 || d->ip.csum.verdict == TERN_CSUM_GOOD);
    return same && decoded_opts_agree(t, frame, p);
}
