/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

/*
 * Judging a packet by the packets before it. Both directions are known in the order in which they
 * were emitted, and what an end has advertised counts from then on, whether it arrives or not: so
 * every rule is a bound that holds whatever the network does.
 */
#include "link/packet.h"

#include <string.h>

enum {
    OPT_EOL = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_WSCALE = 3,
    OPT_SACK_OK = 4,
    OPT_SACK = 5,
    OPT_TS = 8,
    MSS_DEFAULT4 = 536,  /* RFC 9293 §3.7.1 MUST-15 */
    MSS_DEFAULT6 = 1220, /* the same */
    WSCALE_MAX = 14,
    SACK_BLOCKS_MAX = 4,
    MSS_FLOOR = 64, /* tern's floor under what a peer announces */
};

/** A packet with its options read. */
struct seen {
    struct sim *s;
    uint8_t from;
    uint32_t flow;
    const uint8_t *bytes;
    struct tern_packet_view v;
    struct wire_end *me, *peer;
    bool has_mss, has_wscale, has_sack_ok, has_ts;
    uint16_t mss;
    uint8_t wscale, n_sack;
    uint32_t ts_val, ts_ecr;
    struct {
        uint32_t left, right;
    } sack[SACK_BLOCKS_MAX];
};

#define MUST(seen, condition, what)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            wrong((seen), what);                                                                   \
    } while (0)

static void wrong(const struct seen *p, const char *what)
{
    sim_fail(p->s, "flow %u, packet of host %u: %s (seq %u, ack %u, len %u, flags %02x)", p->flow,
        p->from, what, p->v.seq - p->me->base, p->v.ack - p->peer->base, p->v.len, p->v.flags);
}

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static bool is(const struct seen *p, uint8_t flag)
{
    return p->v.flags & flag;
}

int wire_flow_of(uint16_t sport, uint16_t dport)
{
    const uint16_t ports[] = {sport, dport};
    for (int k = 0; k < 2; k++)
        if (ports[k] >= PORT_CLIENT && ports[k] < PORT_CLIENT + FLOWS_MAX)
            return ports[k] - PORT_CLIENT;
    return -1;
}

/* ---- options ---- */

static void read_sack(struct seen *p, const uint8_t *o)
{
    MUST(p, o[1] >= 10 && (o[1] - 2) % 8 == 0, "SACK option of an impossible length");
    for (int i = 0; i < (o[1] - 2) / 8 && i < SACK_BLOCKS_MAX; i++) {
        p->sack[i].left = tern_packet_get32(o + 2 + 8 * i);
        p->sack[i].right = tern_packet_get32(o + 6 + 8 * i);
        p->n_sack++;
    }
}

static void read_option(struct seen *p, const uint8_t *o)
{
    switch (o[0]) {
    case OPT_MSS:
        MUST(p, o[1] == 4 && !p->has_mss, "MSS option malformed or twice");
        p->has_mss = true;
        p->mss = tern_packet_get16(o + 2);
        break;
    case OPT_WSCALE:
        MUST(p, o[1] == 3 && o[2] <= WSCALE_MAX, "window scale malformed");
        p->has_wscale = true;
        p->wscale = o[2];
        break;
    case OPT_SACK_OK:
        MUST(p, o[1] == 2, "SACK-permitted malformed");
        p->has_sack_ok = true;
        break;
    case OPT_SACK: read_sack(p, o); break;
    case OPT_TS:
        MUST(p, o[1] == 10 && !p->has_ts, "timestamp malformed or twice");
        p->has_ts = true;
        p->ts_val = tern_packet_get32(o + 2);
        p->ts_ecr = tern_packet_get32(o + 6);
        break;
    default: wrong(p, "unknown option");
    }
}

static void read_options(struct seen *p)
{
    const uint8_t *o = p->bytes + p->v.l3_bytes + 20, *end = p->bytes + p->v.payload_off;
    while (o < end && *o != OPT_EOL) {
        if (*o == OPT_NOP) {
            o++;
            continue;
        }
        if (end - o < 2 || o[1] < 2 || o[1] > end - o) {
            wrong(p, "options malformed");
            return;
        }
        read_option(p, o);
        o += o[1];
    }
}

/* ---- both SYNs ---- */

/**
 * A SYN-ACK for a SYN that the peer did not send: somebody forged it. Where no connection is any
 * more it opens a half-open record, which speaks with these numbers until it is given up.
 */
static bool answers_a_forgery(struct seen *p)
{
    if (!is(p, TERN_PACKET_ACK))
        return false;
    for (uint8_t i = 0; i < p->peer->n_iss; i++)
        if (p->v.ack == p->peer->iss[i] + 1)
            return false;
    const uint8_t at = p->me->n_forged++ % WIRE_ISS_MAX;
    p->me->forged_ack[at] = p->v.ack;
    return true;
}

static void note_syn(struct seen *p)
{
    struct wire_end *me = p->me;
    if (answers_a_forgery(p))
        return;
    MUST(p, p->v.len == 0, "payload on a SYN");
    MUST(p, p->has_mss, "SYN without MSS"); /* SHLD-5 */
    MUST(p, p->n_sack == 0, "SACK on a SYN");
    const struct tern_stack_config *c = &p->s->mix.cfg[p->from].stack;
    MUST(p, p->mss <= c->mtu_bytes - p->v.l3_bytes - 20, "MSS above the MTU"); /* MUST-67 */
    MUST(p, !p->has_ts || c->timestamps, "timestamps offered against the configuration");
    MUST(p, !p->has_sack_ok || c->sack, "SACK offered against the configuration");
    MUST(p, !p->has_wscale || c->window_scale, "scaling offered against the configuration");
    if (is(p, TERN_PACKET_ACK) && !sim_tampers(p->s)) { /* answers only what was offered */
        MUST(p, !p->has_ts || p->peer->offered_ts, "timestamps answered, not offered");
        MUST(p, !p->has_sack_ok || p->peer->offered_sack, "SACK answered, not offered");
        MUST(p, !p->has_wscale || p->peer->offered_wscale, "scaling answered, not offered");
    }
    if (me->started && (me->fin || p->s->flow[p->flow].end[p->from].done)) {
        p->s->wire.ghost[p->flow][p->from] = true; /* an old SYN came again after the end */
        return;
    }
    /* A half-open record that was given up may be made anew, of an application that knows nothing.
     */
    const bool anew = !p->peer->started || !p->s->flow[p->flow].end[p->from].opened;
    if (anew)
        me->started = me->has_ack = me->has_edge = me->has_ts_val = false;
    else if (me->syn)
        return; /* it comes too late to agree on anything */
    me->syn = true;
    if (is(p, TERN_PACKET_ACK)) { /* its window, never scaled, is the first that was granted */
        me->edge = p->v.ack + p->v.wnd;
        me->has_edge = true;
    }
    me->offered_ts = p->has_ts;
    me->offered_sack = p->has_sack_ok;
    me->offered_wscale = p->has_wscale;
    me->wscale = p->wscale;
    me->mss = p->mss;
    for (uint8_t i = 0; i < me->n_iss; i++)
        if (me->iss[i] == p->v.seq)
            return;
    if (me->n_iss == WIRE_ISS_MAX)
        memmove(me->iss, me->iss + 1, (WIRE_ISS_MAX - 1) * sizeof me->iss[0]);
    else
        me->n_iss++;
    me->iss[me->n_iss - 1] = p->v.seq;
    if (!me->started)
        me->base = p->v.seq;
}

/** The first segment behind the SYN tells which of the SYN-ACKs counted. */
static bool start(struct seen *p)
{
    struct wire_end *me = p->me;
    for (uint8_t i = 0; i < me->n_iss; i++)
        if (p->v.seq == me->iss[i] + 1) {
            me->base = me->iss[i];
            me->nxt = me->base + 1;
            me->started = true;
            return true;
        }
    return false;
}

/* ---- sequence, payload, FIN ---- */

static void check_payload(struct seen *p)
{
    const uint32_t pos = p->v.seq - p->me->base - 1;
    const uint8_t *at = p->bytes + p->v.payload_off;
    MUST(p, pos + p->v.len <= p->s->flow[p->flow].end[p->from].written,
        "bytes sent that the application did not write");
    MUST(p, memcmp(at, apps_pattern(p->flow, p->from, pos), p->v.len) == 0,
        "sends other bytes than the application wrote");
}

static void check_sequence(struct seen *p)
{
    struct wire_end *me = p->me;
    const uint32_t end = p->v.seq + p->v.len;
    MUST(p, !before(me->nxt, p->v.seq), "sequence numbers leave a gap");
    if (p->v.len == 0 && !is(p, TERN_PACKET_FIN)) /* one less: keep-alive (SHLD-12) */
        MUST(p, p->v.seq == me->nxt || p->v.seq == me->nxt - 1, "empty segment not at SND.NXT");
    if (me->fin && p->v.len != 0)
        MUST(p, !before(me->fin_seq, end), "data behind our FIN");
    if (p->v.len != 0)
        check_payload(p);
    if (is(p, TERN_PACKET_FIN)) {
        MUST(p, !me->fin || me->fin_seq == end, "FIN moved");
        MUST(p, me->fin || !before(end, me->nxt), "FIN in front of data");
        me->fin = true;
        me->fin_seq = end;
    }
    const uint32_t next = end + is(p, TERN_PACKET_FIN);
    if (before(me->nxt, next))
        me->nxt = next;
}

static void check_size(struct seen *p)
{
    const struct tern_stack_config *c = &p->s->mix.cfg[p->from].stack;
    const uint16_t absent = p->v.v6 ? MSS_DEFAULT6 : MSS_DEFAULT4;
    const uint32_t mss = p->peer->mss != 0 ? p->peer->mss : absent;
    MUST(p, p->v.ip_bytes <= c->mtu_bytes, "larger than our MTU");
    if (p->v.len != 0 && !sim_tampers(p->s)) /* RFC 6691: options count */
        MUST(p, p->v.len + p->v.tcp_bytes - 20 <= (mss > MSS_FLOOR ? mss : MSS_FLOOR),
            "larger than the peer's MSS");
}

/** Within what the peer has ever advertised; a probe of one octet may go beyond (MUST-35). */
static void check_window(struct seen *p)
{
    if (!p->peer->has_edge || p->v.len == 0 || mix_has(&p->s->mix, MIX_INFLATE))
        return;
    const uint32_t end = p->v.seq + p->v.len;
    MUST(p, !before(p->peer->edge, end) || p->v.len == 1, "beyond the peer's window");
}

/* ---- acknowledgement, window, options ---- */

static void check_ack(struct seen *p)
{
    struct wire_end *me = p->me;
    MUST(p, is(p, TERN_PACKET_ACK), "no ACK bit in a synchronized state");
    MUST(p, !me->has_ack || !before(p->v.ack, me->ack), "acknowledgement goes back");
    if (p->peer->started)
        MUST(p, !before(p->peer->nxt, p->v.ack), "acknowledges what was never sent");
    me->ack = p->v.ack;
    me->has_ack = true;

    const bool scaled = me->offered_wscale && p->peer->offered_wscale;
    const uint32_t unit = 1u << (scaled ? me->wscale : 0);
    const uint32_t edge = p->v.ack + p->v.wnd * unit;
    /* May retreat by less than a unit where the window was rounded down (RFC 7323 §2.4). */
    MUST(p, !me->has_edge || !before(edge, me->edge - (unit - 1)), "right edge moves left");
    if (!me->has_edge || before(me->edge, edge))
        me->edge = edge;
    me->has_edge = true;
}

static void check_timestamp(struct seen *p)
{
    struct wire_end *me = p->me;
    const bool negotiated = me->offered_ts && p->peer->offered_ts;
    MUST(p, p->has_ts == negotiated, "timestamp against what was negotiated");
    if (!p->has_ts)
        return;
    MUST(p, !me->has_ts_val || !before(p->ts_val, me->ts_val) || p->s->leapt_ns != 0,
        "timestamp clock runs back");
    me->ts_val = p->ts_val;
    me->has_ts_val = true;
}

/** RFC 2018 §4; the first block may report a duplicate (RFC 2883 §4). */
static void check_sack(struct seen *p)
{
    if (p->n_sack == 0)
        return;
    MUST(p, p->me->offered_sack && p->peer->offered_sack, "SACK was not negotiated");
    const bool first_is_new = before(p->v.ack, p->sack[0].left);
    for (uint8_t i = 0; i < p->n_sack; i++) {
        const uint32_t left = p->sack[i].left, right = p->sack[i].right;
        MUST(p, before(left, right), "SACK block empty or backwards");
        MUST(p, i == 0 || before(p->v.ack, left), "SACK block at or below the acknowledgement");
        MUST(p, !before(p->me->edge, right), "SACK block beyond the window");
        MUST(p, !before(p->peer->nxt, right), "SACK of what was never sent");
        for (uint8_t k = first_is_new ? 0 : 1; k < i; k++) {
            const bool twin = k == 0 && !before(left, p->sack[0].right) == false
                              && !before(p->sack[0].left, left) && !before(right, p->sack[0].right);
            MUST(p, twin || !before(left, p->sack[k].right) || !before(p->sack[k].left, right),
                "SACK blocks overlap");
        }
    }
}

static void check_ip(struct seen *p)
{
    MUST(p, p->v.v6 || (p->bytes[6] & 0x40), "don't-fragment is off");
    MUST(p, p->v.ttl != 0, "TTL 0");
    MUST(p, p->v.tcp_bytes % 4 == 0 && (p->bytes[p->v.l3_bytes + 12] & 0xf) == 0, "reserved bits");
}

/**
 * Sent on behalf of a half-open record, or (with pinned ISNs) of a connection, that a forged SYN
 * made: it acknowledges that SYN and, as nothing follows it, never more. Or sent by an end that
 * took the SYN-ACK of a record that was given up since, and made anew with another ISS: the ends
 * do not agree, and a RST will tell.
 */
static bool is_foreign(const struct seen *p)
{
    bool foreign = false;
    for (uint8_t i = 0; i < WIRE_ISS_MAX && i < p->me->n_forged; i++)
        foreign |= p->me->forged_ack[i] == p->v.ack;
    for (uint8_t i = 0; i < p->peer->n_iss && p->peer->started; i++)
        foreign |= p->peer->iss[i] != p->peer->base && p->v.ack == p->peer->iss[i] + 1;
    return foreign;
}

static void check_segment(struct seen *p)
{
    MUST(p, !p->has_mss && !p->has_wscale && !p->has_sack_ok, "SYN option without SYN");
    check_size(p);
    if (is_foreign(p)) {
        /* With the ISN pinned, what it sends could be taken for the real connection's. */
        if (p->v.len != 0 || is(p, TERN_PACKET_FIN))
            p->s->wire.ghost[p->flow][p->from] = true;
        return;
    }
    if (sim_tampers(p->s) || (!p->me->started && !start(p)))
        return; /* the ends may be out of step; or an answer on behalf of no connection */
    check_sequence(p);
    check_window(p);
    check_ack(p);
    check_timestamp(p);
    check_sack(p);
}

void wire_check_packet(struct sim *s, uint8_t from, const uint8_t *bytes, uint32_t n)
{
    struct seen p = {.s = s, .from = from, .bytes = bytes};
    if (!tern_packet_read(bytes, n, &p.v) || p.v.ip_bytes != n
        || !tern_packet_checksums_hold(bytes, &p.v)) {
        sim_fail(s, "host %u emits a packet that is malformed or has a wrong checksum", from);
        return;
    }
    const int flow = wire_flow_of(p.v.sport, p.v.dport);
    if (!p.v.is_tcp || flow < 0) {
        if (!sim_tampers(s))
            sim_fail(s, "host %u emits a packet of nobody's (protocol %u)", from, p.v.proto);
        return;
    }
    p.flow = (uint32_t)flow;
    p.me = &s->wire.end[flow][from];
    p.peer = &s->wire.end[flow][!from];
    check_ip(&p);
    read_options(&p);
    if (s->wire.ghost[flow][0] || s->wire.ghost[flow][1])
        return;
    if (is(&p, TERN_PACKET_RST))
        MUST(&p, p.v.len == 0 && p.v.wnd == 0, "RST with payload or window");
    else if (is(&p, TERN_PACKET_SYN))
        note_syn(&p);
    else
        check_segment(&p);
}
