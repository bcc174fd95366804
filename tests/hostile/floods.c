/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floods. Half of those that are aimed at connections carry the four-tuple of an established
 * one; of these half have a sequence number that lies in the window, never the exact one, which is
 * what RFC 5961 is about, and half one at random. The other half come from strangers. A flood that
 * the server never got to judge proves nothing: each names the reasons it must be found under.
 */
#include "floods.h"

#include "tcp/conn.h"
#include "wire/tcp_hdr.h"

#include <string.h>

enum {
    SYN_TIMES = 100,
    OTHER_TIMES = 10,
    PAYLOAD_BYTES = 64,
    IN_WINDOW_BYTES = 8192, /* well inside the receive window */
    PORTS_FROM = 1024,
    PORTS = 64512,
};

static uint32_t draw(struct legit *l)
{
    return (uint32_t)tern_prng_next(&l->w->dice);
}

/** A stranger behind the gateway, to the port that legitimate clients visit. */
static struct shot_route from_stranger(struct legit *l)
{
    struct world *w = l->w;
    struct shot_route r = {
        .src = world_stranger(w),
        .dst = world_addr(w, SERVER),
        .sport = (uint16_t)(PORTS_FROM + tern_prng_below(&w->dice, PORTS)),
        .dport = LEGIT_PORT,
    };
    memcpy(r.src_mac, world_gateway_mac, sizeof r.src_mac);
    memcpy(r.dst_mac, world_mac[SERVER], sizeof r.dst_mac);
    return r;
}

/** What the server expects next on a stream. Its client sends nothing but ACKs, so it stays. */
static uint32_t expected_seq(const struct legit *l, uint32_t i)
{
    return l->streams[i] != NULL ? l->streams[i]->snd.nxt.v : 0;
}

/** In the name of an established connection. @param seq  one for it */
static struct shot_route from_stream(struct legit *l, uint32_t *seq)
{
    const uint32_t i = tern_prng_below(&l->w->dice, LEGIT_STREAMS);
    const struct tern_conn_info *c = &l->stream[i];
    struct shot_route r = from_stranger(l);
    if (tern_prng_percent(&l->w->dice, 50))
        *seq = expected_seq(l, i) + 1 + tern_prng_below(&l->w->dice, IN_WINDOW_BYTES);
    r.src = c->local;
    r.sport = c->lport;
    r.dport = c->rport;
    r.has_ts = c->timestamps; /* every other value passes PAWS (RFC 7323 §5) */
    r.ts_val = draw(l);
    return r;
}

static struct shot_route from_either(struct legit *l, uint32_t *seq)
{
    *seq = draw(l);
    return tern_prng_percent(&l->w->dice, 50) ? from_stream(l, seq) : from_stranger(l);
}

/** A station of the link, or one that says it is the clients'. */
static struct shot_route from_link(struct legit *l)
{
    struct shot_route r = from_stranger(l);
    const uint32_t mac = draw(l);
    r.src = tern_prng_percent(&l->w->dice, 50) ? world_addr(l->w, CLIENTS) : world_station(l->w);
    memcpy(r.src_mac + 2, &mac, sizeof mac);
    return r;
}

static void shoot_syn(struct legit *l, struct shot *s)
{
    const struct shot_route r = from_stranger(l);
    shot_tcp(s, &r, TERN_TCP_SYN, draw(l), 0, 0);
}

static void shoot_ack(struct legit *l, struct shot *s)
{
    uint32_t seq;
    const struct shot_route r = from_either(l, &seq);
    shot_tcp(s, &r, TERN_TCP_ACK, seq, draw(l), 0);
}

static void shoot_rst(struct legit *l, struct shot *s)
{
    uint32_t seq;
    const struct shot_route r = from_either(l, &seq);
    shot_tcp(s, &r, TERN_TCP_RST, seq, 0, 0);
}

static void shoot_fin(struct legit *l, struct shot *s)
{
    uint32_t seq;
    const struct shot_route r = from_either(l, &seq);
    shot_tcp(s, &r, TERN_TCP_FIN | TERN_TCP_ACK, seq, draw(l), 0);
}

static void shoot_syn_data(struct legit *l, struct shot *s)
{
    uint32_t seq;
    const struct shot_route r = from_either(l, &seq);
    shot_tcp(s, &r, TERN_TCP_SYN, seq, 0, PAYLOAD_BYTES);
}

static void shoot_ping(struct legit *l, struct shot *s)
{
    const struct shot_route r = from_stranger(l);
    shot_echo(s, &r, PAYLOAD_BYTES);
}

static void shoot_fragment(struct legit *l, struct shot *s)
{
    const struct shot_route r = from_stranger(l);
    shot_fragment(s, &r, draw(l));
}

static void shoot_neighbour(struct legit *l, struct shot *s)
{
    const struct shot_route r = from_link(l);
    if (tern_prng_percent(&l->w->dice, 50))
        shot_who_has(s, &r);
    else
        shot_is_at(s, &r);
}

#define REASON(name) (UINT64_C(1) << TERN_DROP_##name)
static_assert(TERN_DROP_TCP_DONE < 64, "reasons of arrival fit in a word");

/* What becomes of segments in a connection's name, and of those to a listener. */
#define ANSWERED REASON(TCP_DONE)
#define REFUSED                                                                                    \
    (REASON(TCP_OUT_OF_WINDOW) | REASON(TCP_PAWS) | REASON(TCP_CHALLENGE)                          \
        | REASON(TCP_CHALLENGE_RATE) | REASON(TCP_ACK_RANGE) | REASON(TCP_RST_WINDOW)              \
        | REASON(TCP_LISTEN_ACK) | REASON(TCP_LISTEN_RST))
#define HEARD (REASON(ARP_DONE) | REASON(ARP_NOT_MINE) | REASON(NDP_DONE) | REASON(NDP_NOT_MINE))

const struct siege flood_syn = {shoot_syn, SYN_TIMES, ANSWERED};
const struct siege flood_ack = {shoot_ack, OTHER_TIMES, REFUSED};
const struct siege flood_rst = {shoot_rst, OTHER_TIMES, REFUSED};
const struct siege flood_fin = {shoot_fin, OTHER_TIMES, REFUSED};
const struct siege flood_syn_data = {shoot_syn_data, OTHER_TIMES, REFUSED | ANSWERED};
const struct siege flood_ping = {shoot_ping, OTHER_TIMES, REASON(NONE) | REASON(ICMP_RATE)};
const struct siege flood_fragment = {shoot_fragment, OTHER_TIMES, REASON(IP_FRAGMENT)};
const struct siege flood_neighbour = {shoot_neighbour, OTHER_TIMES, HEARD};
