/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports.h"

/*
 * Two numberings of the ports that are a worker's, 0 to n - 1, and one permutation over either.
 *
 * By remainder: port % n_workers names the worker. It needs nothing of the device, and replies that
 * the device gives to another worker are handed over (engine/steering.c).
 *
 * By RSS: where the device's key and table are known, the ports whose replies it gives to this
 * worker (wire/rss.h). Which ones these are differs from peer to peer; how many does not.
 *
 * The permutation is a four-round Feistel network over the smallest even number of bits that covers
 * n, walked until it lands inside ("cycle walking"): a permutation of exactly 0 to n - 1. Round
 * keys come from a SipHash of the destination.
 */
enum { ROUNDS = 4 };

/** The entry that a segment of this connection falls on when it comes in. */
static uint32_t reply_entry(const struct tern_rss *rss, const struct tern_flow_key *key,
    const struct tern_rss_ports *family, uint16_t lport)
{
    const uint32_t n_bytes = family == &rss->ip4 ? sizeof key->remote.w[3] : sizeof key->remote;
    const uint32_t off = (uint32_t)sizeof key->remote - n_bytes;
    uint8_t addrs[2 * sizeof key->remote];
    memcpy(addrs, key->remote.b + off, n_bytes);
    memcpy(addrs + n_bytes, key->local.b + off, n_bytes);
    return tern_rss_entry(rss, addrs, 2 * n_bytes, key->rport, lport);
}

/** The device's ways with this family, or NULL: they are not known. */
static const struct tern_rss_ports *rss_ports(
    const struct tern_tcp *t, const struct tern_flow_key *key)
{
    if (t->rss == NULL)
        return NULL;
    const struct tern_rss_ports *family =
        tern_addr_is_v4(&key->remote) ? &t->rss->ip4 : &t->rss->ip6;
    return family->is_known ? family : NULL;
}

static void by_remainder(struct tern_port_order *o, const struct tern_stack_config *cfg)
{
    const uint32_t rest = cfg->port_min % cfg->port_stride;
    o->first = cfg->port_min + (cfg->port_phase + cfg->port_stride - rest) % cfg->port_stride;
    o->stride = cfg->port_stride;
    o->n = o->first > cfg->port_max ? 0 : (cfg->port_max - o->first) / o->stride + 1;
}

static void by_rss(struct tern_port_order *o, const struct tern_tcp *t,
    const struct tern_rss_ports *family, const struct tern_flow_key *key)
{
    o->n = tern_rss_n_ports(t->rss, family, t->worker);
    o->family = family;
    o->peer = reply_entry(t->rss, key, family, 0);
}

void tern_port_order_init(
    struct tern_port_order *o, const struct tern_tcp *t, const struct tern_flow_key *key)
{
    uint64_t w[5];
    memcpy(w, &key->local, sizeof key->local);
    memcpy(w + 2, &key->remote, sizeof key->remote);
    w[4] = key->rport;
    *o = (struct tern_port_order){
        .round_keys = tern_siphash24(t->keys.port, w, 5), /* not to be guessed (6056-1) */
        .half_bits = 1,
    };
    const struct tern_rss_ports *family = rss_ports(t, key);
    if (family != NULL)
        by_rss(o, t, family, key);
    else
        by_remainder(o, &t->cfg);
    while (1u << (2 * o->half_bits) < o->n)
        o->half_bits++;
}

static uint16_t nth_port(const struct tern_tcp *t, const struct tern_port_order *o, uint32_t nth)
{
    if (o->family != NULL)
        return tern_rss_port(t->rss, o->family, t->worker, o->peer, nth);
    return (uint16_t)(o->first + nth * o->stride);
}

/* V086, V212 */
static uint32_t feistel(uint32_t x, uint32_t half_bits, uint64_t key)
{
    const uint32_t mask = (1u << half_bits) - 1;
    uint32_t left = x >> half_bits, right = x & mask;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t f = (right + (uint32_t)(key >> (16 * round))) * 0x9e3779b97f4a7c15u;
        f ^= f >> 32;
        const uint32_t next = left ^ ((uint32_t)(f * 0xd6e8feb86659fd93u >> 40) & mask);
        left = right;
        right = next;
    }
    return left << half_bits | right;
}

uint16_t tern_ports_at(const struct tern_tcp *t, const struct tern_port_order *o, uint32_t turn)
{
    if (unlikely(o->n == 0))
        return 0;
    uint32_t x = turn % o->n;
    do {
        x = feistel(x, o->half_bits, o->round_keys);
    } while (x >= o->n);
    const uint16_t port = nth_port(t, o, x);
    return likely(port >= t->cfg.port_min && port <= t->cfg.port_max) ? port : 0;
}

uint16_t tern_ports_next(const struct tern_tcp *t, const struct tern_port_order *o, uint32_t *turn)
{
    uint16_t port = 0;
    for (uint32_t i = 0; i < o->n && port == 0; i++)
        port = tern_ports_at(t, o, (*turn)++);
    return port;
}

bool tern_ports_is_own(const struct tern_tcp *t, const struct tern_flow_key *key)
{
    const struct tern_rss_ports *family = rss_ports(t, key);
    if (family == NULL)
        return key->lport % t->cfg.port_stride == t->cfg.port_phase;
    return t->rss->worker[reply_entry(t->rss, key, family, key->lport)] == t->worker;
}
