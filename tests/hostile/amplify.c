/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an address that nobody has verified gets out of us for what was sent in its name: the bytes
 * that leave, to whomever, must not be more than those that went in, but for SYN-ACKs, of which
 * there are six at most for a SYN, and one under cookies. What was sent to many is answered by
 * nobody.
 *
 * Bytes are counted from the IP header on, without the padding of short frames.
 */
#include "scenario.h"
#include "wire/tcp_hdr.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHOTS = 1000,
    PORT = 80,
    CLOSED_PORT = 81,
    SYN_ACKS_MAX = 6,
    PAYLOAD_BYTES = 32,
    AFTERWARDS_S = 100, /* all retransmissions of a SYN-ACK */
};

/** A way to ask for more than one gives. */
struct lure {
    const char *name;
    void (*make)(struct shot *s, const struct shot_route *r);
    uint16_t dport;
    enum tern_syn_cookies cookies;
    bool to_all; /* to the link's broadcast or multicast MAC, and for IPv4 its address */
    bool from_broadcast;
    double frames_max; /* that come back for one */
};

static void make_syn(struct shot *s, const struct shot_route *r)
{
    shot_tcp(s, r, TERN_TCP_SYN, r->sport, 0, 0);
}

static void make_ack(struct shot *s, const struct shot_route *r)
{
    shot_tcp(s, r, TERN_TCP_ACK, r->sport, r->sport, 0);
}

static void make_fin(struct shot *s, const struct shot_route *r)
{
    shot_tcp(s, r, TERN_TCP_FIN, r->sport, 0, 0);
}

static void make_rst(struct shot *s, const struct shot_route *r)
{
    shot_tcp(s, r, TERN_TCP_RST, r->sport, 0, 0);
}

static void make_echo(struct shot *s, const struct shot_route *r)
{
    shot_echo(s, r, PAYLOAD_BYTES);
}

static const struct lure lures[] = {
    {.name = "SYN", .make = make_syn, .dport = PORT, .frames_max = SYN_ACKS_MAX},
    {.name = "SYN under cookies",
        .make = make_syn,
        .dport = PORT,
        .cookies = TERN_SYN_COOKIES_ALWAYS,
        .frames_max = 1},
    {.name = "SYN to a closed port", .make = make_syn, .dport = CLOSED_PORT, .frames_max = 1},
    {.name = "ACK", .make = make_ack, .dport = PORT, .frames_max = 1},
    {.name = "FIN", .make = make_fin, .dport = PORT, .frames_max = 1},
    {.name = "RST", .make = make_rst, .dport = PORT, .frames_max = 0},
    {.name = "echo", .make = make_echo, .frames_max = 1},
    {.name = "SYN to all", .make = make_syn, .dport = PORT, .to_all = true},
    {.name = "echo to all", .make = make_echo, .to_all = true},
    {.name = "ACK from broadcast", .make = make_ack, .dport = PORT, .from_broadcast = true},
    {.name = "echo from broadcast", .make = make_echo, .from_broadcast = true},
};

enum { N_LURES = sizeof lures / sizeof lures[0] };

static union tern_addr addr_of(const char *text)
{
    union tern_addr a;
    if (tern_addr_parse(text, &a) != 0)
        abort();
    return a;
}

static struct shot_route route_of(struct world *w, const struct lure *lure, uint32_t nth)
{
    struct shot_route r = {
        .src = world_stranger(w),
        .dst = world_addr(w, SERVER),
        .sport = (uint16_t)(1024 + nth),
        .dport = lure->dport,
    };
    memcpy(r.src_mac, world_gateway_mac, sizeof r.src_mac);
    memcpy(r.dst_mac, world_mac[SERVER], sizeof r.dst_mac);
    if (lure->from_broadcast) /* of the link; IPv6 has none, and a group cannot speak */
        r.src = addr_of(w->v6 ? "ff02::1" : "198.18.255.255");
    if (lure->to_all) {
        r.dst = addr_of(w->v6 ? "ff02::1" : "198.18.255.255");
        memset(r.dst_mac, 0xff, sizeof r.dst_mac);
    }
    return r;
}

static void lure_once(const struct lure *lure, bool v6, uint64_t seed, struct sheet *out)
{
    const char *family = v6 ? "IPv6" : "IPv4";
    static const struct tern_app app = {0};
    struct world_config cfg;
    struct world w;
    world_config_init(&cfg, v6);
    cfg.seed = seed;
    cfg.end[SERVER].stack.syn_cookies = lure->cookies;
    world_open(&w, &cfg);
    if (tern_listen(world_shard(&w, SERVER), NULL, PORT, &app, NULL) < 0)
        abort();
    const struct tern_stats before = *world_stats(&w, SERVER);
    for (uint32_t i = 0; i < SHOTS; i++) {
        const struct shot_route r = route_of(&w, lure, i);
        struct shot s;
        lure->make(&s, &r);
        world_attack(&w, &s);
    }
    world_pass(&w, AFTERWARDS_S * WORLD_SECOND_NS);
    const struct tern_stats *after = world_stats(&w, SERVER);
    const uint64_t frames = after->tx_packets - before.tx_packets;
    const uint64_t link_bytes = TERN_ETH_BYTES;
    const double bytes_in = (double)(w.shot.bytes - link_bytes * w.shot.frames);
    const double bytes_out =
        (double)(after->tx_bytes - before.tx_bytes) - (double)(link_bytes * frames);
    sheet_add(out, (double)frames / SHOTS, "", AT_MOST, lure->frames_max,
        "%s, %s: frames sent for one", family, lure->name);
    if (lure->dport != PORT || lure->make != make_syn) /* a SYN-ACK has more options than a SYN */
        sheet_add(out, bytes_out / bytes_in, "", AT_MOST, 1, "%s, %s: bytes out for one in", family,
            lure->name);
    world_close(&w);
}

void amplify_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    for (int v6 = 0; v6 <= 1; v6++) {
        for (int i = 0; i < N_LURES; i++)
            lure_once(&lures[i], v6, opt->seed, out);
    }
}
