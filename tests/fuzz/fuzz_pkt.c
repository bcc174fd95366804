/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything in wire/ that reads bytes from outside, in the order a shard calls it. The input is a
 * header that chooses how the frame is presented, and the frame:
 *
 *   byte 0     rx_flags in the low nibble; 0x10 l3, 0x20 VLAN 5 expected, 0x40 tag stripped (VLAN
 * 5), 0x80 split byte 1     where to split, in 1/256 of the frame byte 2..   the frame
 *
 * The frame is copied to a block of its exact size, and for a split frame only the first part of
 * it, so that the address sanitizer sees every byte read too far. What is refused split must not be
 * refused so again when joined. What the parser of plain segments takes, the other takes, too.
 */
#include "../plain_twin.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/neighbour_msg.h"
#include "wire/pkt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 2, OUR_VLAN = 5 };

static const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 0x01};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *copy(const uint8_t *bytes, uint32_t n)
{
    uint8_t *block = malloc(n > 0 ? n : 1);
    assert(block != NULL);
    memcpy(block, bytes, n);
    return block;
}

static void check_tcp(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    assert(p->doff_bytes >= TERN_TCP_BYTES && p->doff_bytes <= TERN_TCP_HDR_BYTES_MAX);
    assert(p->payload_off == (uint32_t)p->l4_off + p->doff_bytes);
    assert(p->payload_off + p->len_bytes == p->end_off);
    assert(p->payload_off <= in->n_contiguous && p->payload_off <= TERN_PKT_HEADERS_MAX);
    assert(p->sport != 0 && p->dport != 0 && p->flags != 0 && !p->group_mac);

    struct tern_tcp_opts o, back;
    tern_pkt_tcp_opts(in->frame, p, &o);
    assert(o.n_sack <= TERN_SACK_BLOCKS_MAX && o.wscale <= TERN_WSCALE_MAX);
    uint8_t buf[TERN_TCP_OPT_BYTES_MAX];
    const uint32_t n_syn = tern_tcp_opts_build_syn(&o, buf);
    tern_tcp_opts_parse(buf, n_syn, &back);
    assert(n_syn % 4 == 0 && n_syn <= sizeof buf);
    assert(back.mss == o.mss && back.wscale == o.wscale && back.ts_val == o.ts_val);
    if (o.has & TERN_HAS_TFO) {
        const uint8_t *cookie = in->frame + p->l4_off + TERN_TCP_BYTES + o.tfo_at;
        const uint32_t n = tern_tcp_opts_add_tfo(buf, n_syn, cookie, o.tfo_n_bytes);
        tern_tcp_opts_parse(buf, n, &back);
        assert(n <= sizeof buf && back.tfo_n_bytes == o.tfo_n_bytes);
        assert(memcmp(buf + back.tfo_at, cookie, o.tfo_n_bytes) == 0);
    }
    assert(tern_tcp_opts_build(&o, buf) <= sizeof buf);
}

static void check_neighbour(const struct tern_neigh_msg *m)
{
    assert(!(m->mac[0] & 1));
    assert(m->has_mac || !m->is_answer);
    uint8_t buf[TERN_NEIGH_FRAME_MAX];
    assert(tern_neigh_msg_build(buf, m, NULL, NULL, OUR_VLAN) <= sizeof buf);
}

static void check_arp(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    struct tern_neigh_msg m;
    if (tern_arp_parse(in->frame, p, &m) == TERN_DROP_NONE)
        check_neighbour(&m);
}

/* A reply is one that its asker would take: parsed again at the other end, it is sound. */
static void check_echo(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    uint8_t *frame = copy(in->frame, p->end_off);
    if (tern_icmp_echo_reply(frame, p, in->l3 ? NULL : our_mac, 64)) {
        struct tern_pkt_input there = *in;
        struct tern_pkt reply;
        there.frame = frame;
        there.n_contiguous = there.n_total = p->end_off;
        there.rx_flags = 0;
        there.mac = frame;
        assert(tern_pkt_parse(&there, &reply) == TERN_DROP_NONE);
        assert(reply.kind == p->kind && reply.end_off == p->end_off);
    }
    free(frame);
}

static void check_icmp(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    enum tern_icmp_kind kind;
    struct tern_icmp_quote quote;
    struct tern_neigh_msg m;
    if (tern_icmp_parse(in->frame, p, &kind, &quote) != TERN_DROP_NONE)
        return;
    if (kind == TERN_ICMP_ECHO_REQUEST)
        check_echo(in, p);
    else if (kind == TERN_ICMP_NDP && tern_ndp_parse(in->frame, p, &m) == TERN_DROP_NONE)
        check_neighbour(&m);
    else if (kind != TERN_ICMP_NDP)
        assert(tern_addr_is_v4(&quote.src) == !p->v6 && quote.quoted_ip_bytes >= 40);
}

static enum tern_drop check(const struct tern_pkt_input *in)
{
    struct tern_pkt p;
    const enum tern_drop drop = tern_pkt_parse(in, &p);
    assert((unsigned)drop < TERN_DROP_COUNT);
    assert(plain_agrees(in, drop, &p));
    if (drop != TERN_DROP_NONE)
        return drop;
    assert(p.l3_off <= p.l4_off && (uint32_t)p.l4_off + p.l4_bytes == p.end_off);
    assert(p.end_off <= in->n_total);
    if (p.kind == TERN_PKT_TCP) {
        check_tcp(in, &p);
        return drop;
    }
    assert(p.end_off <= in->n_contiguous);
    if (p.kind == TERN_PKT_ARP)
        check_arp(in, &p);
    else
        check_icmp(in, &p);
    return drop;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER_BYTES)
        return 0;
    const uint8_t how = data[0];
    const uint8_t *frame = data + HEADER_BYTES;
    const uint32_t n = (uint32_t)(size - HEADER_BYTES);
    const uint32_t front = how & 0x80 ? (uint32_t)((uint64_t)n * data[1] / 256) : n;
    uint8_t *first = copy(frame, front), *whole = copy(frame, n);
    struct tern_pkt_input in = {
        .frame = first,
        .n_contiguous = front,
        .n_total = n,
        .tail_sum = tern_csum_add(0, frame + front, n - front),
        .rx_flags = how & 0x0f,
        .l3 = how & 0x10,
        .vlan = how & 0x20 ? OUR_VLAN : 0,
        .vlan_stripped = how & 0x40,
        .vlan_tci = OUR_VLAN,
        .mac = our_mac,
    };
    const enum tern_drop split = check(&in);
    in.frame = whole;
    in.n_contiguous = n;
    in.tail_sum = 0;
    const enum tern_drop joined = check(&in);
    assert(joined != TERN_DROP_LINEARISE);
    assert(split == TERN_DROP_LINEARISE || split == joined);
    free(first);
    free(whole);
    return 0;
}
