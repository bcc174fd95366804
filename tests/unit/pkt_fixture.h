/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A frame is handed to tern_pkt_parse() in a block of its exact size, so that reading beyond it is
 * seen, and what holds for every packet that passed is asserted each time.
 */
#include "../plain_twin.h"
#include "wire/csum.h"
#include "wire/pkt.h"
#include "wire_frames.h"

enum {
    ALL_GOOD = TERN_RX_IP_CSUM_GOOD | TERN_RX_L4_CSUM_GOOD,
    ETH = 14,
};

static inline struct tern_pkt_input input(const uint8_t *bytes, uint32_t n)
{
    return (struct tern_pkt_input){.frame = bytes, .n_contiguous = n, .n_total = n, .mac = my_mac};
}

/** What holds for every packet that passed, whatever it is. */
static inline void assert_bounds(const struct tern_pkt_input *in, const struct tern_pkt *p)
{
    assert_true(p->l3_off <= p->l4_off);
    assert_int_equal(p->l4_off + p->l4_bytes, p->end_off);
    assert_true(p->end_off <= in->n_total);
    if (p->kind != TERN_PKT_TCP) {
        assert_true(p->end_off <= in->n_contiguous);
        return;
    }
    assert_true(p->doff_bytes >= 20 && p->doff_bytes <= 60 && p->doff_bytes <= p->l4_bytes);
    assert_int_equal(p->payload_off, p->l4_off + p->doff_bytes);
    assert_int_equal(p->payload_off + p->len_bytes, p->end_off);
    assert_true(p->payload_off <= in->n_contiguous);
    assert_true(p->payload_off <= TERN_PKT_HEADERS_MAX);
    assert_true(p->src >= in->frame + p->l3_off && p->dst > p->src);
    assert_true(p->dst + (p->v6 ? 16 : 4) <= in->frame + p->l4_off);
}

static inline enum tern_drop ask(const struct tern_pkt_input *in, struct tern_pkt *p)
{
    memset(p, 0xa5, sizeof *p);
    const enum tern_drop drop = tern_pkt_parse(in, p);
    if (drop == TERN_DROP_NONE)
        assert_bounds(in, p);
    assert_true(plain_agrees(in, drop, p));
    return drop;
}

/** The frame in a block of its exact size, all checksums done in software. */
static inline enum tern_drop parse(const struct frame *f, struct tern_pkt *p)
{
    const struct tern_pkt_input in = input(exact(f->b, f->n), f->n);
    return ask(&in, p);
}

static inline enum tern_drop verdict(const struct frame *f)
{
    struct tern_pkt p;
    return parse(f, &p);
}

static inline enum tern_drop verdict_with_flags(const struct frame *f, unsigned rx_flags)
{
    struct tern_pkt p;
    struct tern_pkt_input in = input(exact(f->b, f->n), f->n);
    in.rx_flags = (uint8_t)rx_flags;
    return ask(&in, &p);
}

/** The first `front` bytes in the first buffer; the rest exists only as its sum. */
static inline enum tern_drop parse_split(const struct frame *f, uint32_t front, struct tern_pkt *p)
{
    struct tern_pkt_input in = input(exact(f->b, front), front);
    in.n_total = f->n;
    in.tail_sum = tern_csum_add(0, f->b + front, f->n - front);
    return ask(&in, p);
}

/** A chain in hex behind the IPv6 header, whose first header is `next`; TCP follows. */
static inline void frame_chain(struct frame *f, uint8_t next, const char *hex)
{
    uint8_t ext[2048];
    frame_eth(f, 0x86dd);
    frame_ip6(f, next);
    frame_add(f, ext, unhex(hex, ext));
    frame_tcp(f, TERN_TCP_SYN, "", 0);
    frame_seal(f);
}
