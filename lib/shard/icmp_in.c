/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three kinds of ICMP, three short functions; what the kinds are is wire/icmp.c's knowledge.
 *
 * Echo is answered where it lies and within a rate. Errors are believed as far as can be told here:
 * the quoted packet must come from the address that the error went to, and that must be ours.
 * Whether such a connection exists and whether the quoted sequence number is in flight (RFC 5927
 * §4.1) only TCP knows.
 */
#include "icmp_in.h"

#include "neighbour.h"
#include "route.h"

#include <string.h>

void tern_icmp_in_init(struct tern_icmp_in *in, const struct tern_stack_config *cfg,
    const struct tern_routes *routes, struct tern_neigh_table *neighbours, uint64_t now_ns)
{
    *in = (struct tern_icmp_in){
        .routes = routes,
        .neighbours = neighbours,
        .echo = tern_rate_make(cfg->icmp_rate_per_s, now_ns),
        .l3 = cfg->l3,
        .ttl = cfg->ttl,
        .mtu_bytes = cfg->mtu_bytes,
    };
    memcpy(in->mac, cfg->mac, sizeof in->mac);
}

static bool is_to_us(const struct tern_icmp_in *in, const struct tern_pkt *p)
{
    const union tern_addr dst = tern_pkt_addr(p, p->dst);
    return tern_route_is_mine(in->routes, &dst);
}

/* An answer to these would go to ourselves or, asked for by one, to a whole subnet (RFC 2644). */
static enum tern_drop judge_asker(const struct tern_icmp_in *in, const struct tern_pkt *p)
{
    const union tern_addr src = tern_pkt_addr(p, p->src);
    if (tern_route_is_mine(in->routes, &src))
        return TERN_DROP_IP_SRC_MINE;
    return tern_route_is_subnet_broadcast(in->routes, &src) ? TERN_DROP_IP_SRC : TERN_DROP_NONE;
}

/* @return NONE: the frame is the reply now */
static enum tern_drop answer_echo(
    struct tern_icmp_in *in, uint8_t *frame, const struct tern_pkt *p, uint64_t now_ns)
{
    /* RFC 1122 §3.2.2.6, §3.3.6, V167: what was sent to many is not answered by each. */
    if (p->group_mac)
        return TERN_DROP_IP_DST;
    if (!is_to_us(in, p))
        return TERN_DROP_IP_DST_NOT_MINE;
    const enum tern_drop why = judge_asker(in, p);
    if (why != TERN_DROP_NONE)
        return why;
    if (p->end_off - p->l3_off > in->mtu_bytes)
        return TERN_DROP_ICMP_TYPE; /* received all the same: its reply could not be sent (V169) */
    if (!tern_rate_take(&in->echo, now_ns))
        return TERN_DROP_ICMP_RATE;
    if (!tern_icmp_echo_reply(frame, p, in->l3 ? NULL : in->mac, in->ttl))
        return TERN_DROP_ICMP_TYPE;
    return TERN_DROP_NONE;
}

static enum tern_drop rx_ndp(struct tern_icmp_in *in, const uint8_t *frame,
    const struct tern_pkt *p, bool replica, uint64_t now_ns)
{
    struct tern_neigh_msg msg;
    const enum tern_drop why = tern_ndp_parse(frame, p, &msg);
    return why != TERN_DROP_NONE ? why : tern_neigh_rx(in->neighbours, &msg, replica, now_ns);
}

/* RFC 5927 §4: the least an error must get right before TCP looks at it. */
static enum tern_drop judge_error(
    const struct tern_icmp_in *in, const struct tern_pkt *p, const struct tern_icmp_quote *quote)
{
    const union tern_addr dst = tern_pkt_addr(p, p->dst);
    if (!tern_route_is_mine(in->routes, &dst))
        return TERN_DROP_IP_DST_NOT_MINE;
    return tern_addr_equal(&dst, &quote->src) ? TERN_DROP_NONE : TERN_DROP_ICMP_QUOTE;
}

struct tern_icmp_verdict tern_icmp_in(struct tern_icmp_in *in, uint8_t *frame,
    const struct tern_pkt *p, bool replica, uint64_t now_ns)
{
    struct tern_icmp_verdict v = {.why = TERN_DROP_NONE};
    v.why = tern_icmp_parse(frame, p, &v.kind, &v.quote);
    if (v.why != TERN_DROP_NONE)
        return v;
    switch (v.kind) {
    case TERN_ICMP_ECHO_REQUEST:
        v.why = replica ? TERN_DROP_ICMP_DONE : answer_echo(in, frame, p, now_ns);
        v.send_reply = v.why == TERN_DROP_NONE;
        break;
    case TERN_ICMP_NDP: v.why = rx_ndp(in, frame, p, replica, now_ns); break;
    case TERN_ICMP_UNREACHABLE:
    case TERN_ICMP_REFUSED:
    case TERN_ICMP_TOO_BIG:
        v.why = judge_error(in, p, &v.quote);
        v.is_error = v.why == TERN_DROP_NONE;
        break;
    }
    return v;
}
