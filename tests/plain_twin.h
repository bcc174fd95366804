/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The two parsers of TCP segments, held against each other: what tern_plain_parse() takes,
 * tern_pkt_parse() must take too and find the same in it, but for checksums, which come after.
 */
#include "wire/pkt_plain.h"

static inline bool same_packet(const struct tern_pkt *a, const struct tern_pkt *b)
{
    return a->src == b->src && a->dst == b->dst && a->l3_off == b->l3_off && a->l4_off == b->l4_off
           && a->l4_bytes == b->l4_bytes && a->end_off == b->end_off && a->kind == b->kind
           && a->v6 == b->v6 && a->group_mac == b->group_mac && a->hop_limit == b->hop_limit
           && a->tos == b->tos && a->flags == b->flags && a->doff_bytes == b->doff_bytes
           && a->sport == b->sport && a->dport == b->dport && a->wnd == b->wnd && a->urg == b->urg
           && a->seq.v == b->seq.v && a->ack.v == b->ack.v && a->payload_off == b->payload_off
           && a->len_bytes == b->len_bytes;
}

/** Is the frame plain? Then it is in *p. */
static inline bool parse_plain(const struct tern_pkt_input *in, struct tern_pkt *p)
{
    static const uint8_t no_mac[6];
    struct tern_plain w;
    if (in->n_total != in->n_contiguous || in->vlan_stripped)
        return false;
    tern_plain_init(&w, in->l3, in->vlan, in->l3 ? no_mac : in->mac);
    return tern_plain_parse(&w, in->frame, in->n_contiguous, p);
}

/** Does the plain parser have nothing to say against what tern_pkt_parse() made of the frame? */
static inline bool plain_agrees(
    const struct tern_pkt_input *in, enum tern_drop drop, const struct tern_pkt *p)
{
    struct tern_pkt q;
    if (!parse_plain(in, &q))
        return true;
    if (tern_pkt_check_sums(in->frame, &q, in->rx_flags) != drop)
        return false;
    return drop != TERN_DROP_NONE || same_packet(p, &q);
}
