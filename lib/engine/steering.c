/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection lives in one worker's shard, so every segment of it must get there.
 *
 * Passive opens: where the device keeps a four-tuple on one queue (RSS with any key, or the rings
 * of a pair), whoever received the segment owns it, and nothing is handed over. Where it may not
 * (TAP follows the last sender, AF_PACKET fans out by its own rules) or where there are fewer
 * queues than workers, a keyed hash of the four-tuple names the owner: keyed, so that no peer can
 * aim all its connections at one worker.
 *
 * Active opens: a worker takes ephemeral ports with port % n_workers == worker only, so the port
 * the reply is sent to names the owner. No key or table of the device is needed, and it holds in
 * every mode; the price is a ring hop for replies that RSS puts elsewhere.
 *
 * A listening port wins over the ephemeral rule: all workers listen on the same ports, and
 * ephemeral ports avoid them.
 */
#include "steering.h"

#include "wire/bytes.h"
#include "wire/pkt.h"

#include <stdio.h>
#include <string.h>

enum {
    ETH_BYTES_MIN = TERN_ETH_BYTES + TERN_VLAN_BYTES, /* no frame worth a look is shorter */
    IP4_FRAGMENT_BITS = 0x3fff,                       /* more fragments, and the offset */
    IP6_HOP_BY_HOP = 0,
    IP6_ROUTING = 43,
    IP6_DST_OPTS = 60,
    IP6_EXT_UNIT_BYTES = 8,
    PORTS_BYTES = 4,
};

enum tern_steer_mode tern_steer_mode(uint32_t n_workers, uint32_t n_queues, bool keeps_flows)
{
    if (n_workers == 1)
        return TERN_STEER_ONE;
    return keeps_flows && n_queues == n_workers ? TERN_STEER_RSS : TERN_STEER_HASH;
}

char *tern_steer_describe(const struct tern_steering *s, uint32_t n_queues, char *buf, size_t n_buf)
{
    switch (s->mode) {
    case TERN_STEER_ONE: snprintf(buf, n_buf, "one worker"); break;
    case TERN_STEER_RSS: snprintf(buf, n_buf, "rss"); break;
    case TERN_STEER_HASH:
        snprintf(buf, n_buf, "hash over rings (%u queue%s, %u workers)", n_queues,
            n_queues == 1 ? "" : "s", s->n_workers);
        break;
    }
    return buf;
}

static bool ports(const uint8_t *at, uint32_t n_bytes, struct tern_steer_flow *out)
{
    if (n_bytes < PORTS_BYTES)
        return false;
    out->sport = tern_load16(at);
    out->dport = tern_load16(at + 2);
    return true;
}

static bool flow_ip4(const uint8_t *ip, uint32_t n_bytes, struct tern_steer_flow *out)
{
    if (n_bytes < TERN_IP4_BYTES || ip[9] != TERN_IPPROTO_TCP)
        return false;
    const uint32_t header = (ip[0] & 15u) * 4;
    if (header < TERN_IP4_BYTES || header > n_bytes || (tern_load16(ip + 6) & IP4_FRAGMENT_BITS))
        return false;
    out->addrs = ip + 12;
    out->n_addr_bytes = 8;
    return ports(ip + header, n_bytes - header, out);
}

static bool is_skippable(uint8_t next_header)
{
    return next_header == IP6_HOP_BY_HOP || next_header == IP6_ROUTING
           || next_header == IP6_DST_OPTS;
}

static bool flow_ip6(const uint8_t *ip, uint32_t n_bytes, struct tern_steer_flow *out)
{
    if (n_bytes < TERN_IP6_BYTES)
        return false;
    uint8_t next_header = ip[6];
    uint32_t off = TERN_IP6_BYTES;
    for (uint32_t i = 0; i < TERN_IP6_EXT_MAX && is_skippable(next_header); i++) {
        if (off + IP6_EXT_UNIT_BYTES > n_bytes)
            return false;
        next_header = ip[off];
        off += (ip[off + 1] + 1u) * IP6_EXT_UNIT_BYTES;
    }
    if (next_header != TERN_IPPROTO_TCP || off > n_bytes)
        return false;
    out->addrs = ip + 8;
    out->n_addr_bytes = 32;
    return ports(ip + off, n_bytes - off, out);
}

/** Offset of the IP header, its version in *version; or n_bytes: there is none. */
static uint32_t find_ip(const uint8_t *frame, uint32_t n_bytes, bool l3, uint32_t *version)
{
    if (l3) {
        *version = n_bytes > 0 ? frame[0] >> 4 : 0;
        return 0;
    }
    if (n_bytes < ETH_BYTES_MIN)
        return n_bytes;
    uint32_t off = TERN_ETH_BYTES;
    uint16_t type = tern_load16(frame + off - 2);
    if (type == TERN_ETHERTYPE_VLAN) {
        off += TERN_VLAN_BYTES;
        type = tern_load16(frame + off - 2);
    }
    *version = type == TERN_ETHERTYPE_IP4 ? 4 : type == TERN_ETHERTYPE_IP6 ? 6 : 0;
    return off;
}

bool tern_steer_find(const uint8_t *frame, uint32_t n_bytes, bool l3, struct tern_steer_flow *out)
{
    uint32_t version = 0;
    const uint32_t off = find_ip(frame, n_bytes, l3, &version);
    if (version == 4)
        return flow_ip4(frame + off, n_bytes - off, out);
    return version == 6 && flow_ip6(frame + off, n_bytes - off, out);
}

static uint32_t hash_owner(const struct tern_steering *s, const struct tern_steer_flow *f)
{
    uint64_t words[5];
    const uint32_t n_addr_words = f->n_addr_bytes / 8;
    memcpy(words, f->addrs, f->n_addr_bytes);
    words[n_addr_words] = (uint64_t)f->sport << 16 | f->dport;
    const uint64_t hash = tern_siphash13(s->key, words, n_addr_words + 1);
    return (uint32_t)((hash >> 32) * s->n_workers >> 32);
}

uint32_t tern_steer_owner(
    const struct tern_steering *s, const struct tern_steer_flow *f, bool listens, uint32_t receiver)
{
    if (s->mode == TERN_STEER_ONE)
        return receiver;
    if (!listens)
        return f->dport % s->n_workers;
    return s->mode == TERN_STEER_RSS ? receiver : hash_owner(s, f);
}
