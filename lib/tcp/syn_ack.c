/* SPDX-License-Identifier: BSD-3-Clause */
#include "syn_ack.h"

static void write_ip(const struct tern_tcp *t, struct tern_syn_ack *s, bool v6, uint32_t l4_bytes)
{
    static const union tern_addr none; /* adds nothing to a sum */
    const struct tern_ip_fields ip = {
        .src = &none,
        .dst = &none,
        .l4_bytes = l4_bytes,
        .df = true, /* (1191-1) */
        .ttl = t->cfg.ttl,
        .tos = (uint8_t)(t->cfg.dscp << 2),
        .proto = TERN_IPPROTO_TCP,
    };
    s->l3_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
    if (v6) {
        tern_build_ip6(s->bytes, &ip);
        return;
    }
    tern_build_ip4(s->bytes, &ip, false);
    s->sums_ip = !t->cfg.tx_ip_csum;
    s->ip_sum = tern_csum_add(0, s->bytes, TERN_IP4_BYTES);
}

/** @return bytes of header and options */
static uint32_t write_tcp(
    const struct tern_tcp *t, uint8_t *at, bool v6, uint8_t has, uint8_t flags)
{
    const struct tern_tcp_opts o = {
        .has = has,
        .mss = tern_tcp_own_mss(t, v6),
        .wscale = t->rcv_wscale,
    };
    const uint32_t doff_bytes = TERN_TCP_BYTES + tern_tcp_opts_build_syn(&o, at + TERN_TCP_BYTES);
    const struct tern_tcp_fields tcp = {
        .doff_bytes = (uint8_t)doff_bytes,
        .flags = flags,
        .wnd = tern_syn_ack_window(t),
    };
    tern_build_tcp(at, &tcp);
    return doff_bytes;
}

/** Where tern_tcp_opts_build_syn() puts the two values of a timestamp, from the TCP header. */
static uint16_t ts_off_of(uint8_t has)
{
    enum { BEHIND_MSS_AND_HEAD = TERN_TCP_BYTES + 8 };
    return has & TERN_HAS_TS ? BEHIND_MSS_AND_HEAD : 0;
}

static void write_one(
    const struct tern_tcp *t, struct tern_syn_ack *s, bool v6, uint8_t has, uint8_t flags)
{
    const uint32_t l3_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
    const uint32_t l4_bytes = write_tcp(t, s->bytes + l3_bytes, v6, has, flags);
    write_ip(t, s, v6, l4_bytes);
    s->n_bytes = (uint16_t)(l3_bytes + l4_bytes);
    s->ts_off = ts_off_of(has);
    s->pseudo = tern_csum_pseudo_end(TERN_IPPROTO_TCP, l4_bytes);
    s->tcp_sum = tern_csum_add(0, s->bytes + l3_bytes, l4_bytes);
    s->ol_flags = v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    if (!v6 && t->cfg.tx_ip_csum)
        s->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
    if (t->cfg.tx_tcp_csum)
        s->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    s->tx_offload = rte_mbuf_tx_offload(t->link_bytes, l3_bytes, l4_bytes, 0, 0, 0, 0);
}

void tern_syn_ack_init(struct tern_tcp *t)
{
    const struct tern_test_pins *pins = &t->cfg.pins;
    t->has_syn_acks =
        t->fast_path && t->cfg.vlan == 0 && !pins->has_ip_id && !pins->no_df && !pins->has_padding;
    for (uint8_t which = 0; which < TERN_SYN_ACKS; which++) {
        const uint8_t has = (uint8_t)(which * TERN_HAS_WSCALE | TERN_HAS_MSS);
        write_one(t, &t->syn_acks[0][which], false, has, TERN_TCP_SYN | TERN_TCP_ACK);
        write_one(t, &t->syn_acks[1][which], true, has, TERN_TCP_SYN | TERN_TCP_ACK);
    }
    for (int v6 = 0; v6 < 2; v6++) /* offering all that we agree to */
        write_one(t, &t->syns[v6], v6, t->syn_agrees | TERN_HAS_MSS, TERN_TCP_SYN);
    t->has_syns = t->has_syn_acks && !t->cfg.tfo_connect && !tern_ecn_asks(t);
}
