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
 * Active opens: the port that replies are sent to names the owner, by one of two rules.
 *   - Where the device tells the key and the table of its RSS, the owner is whoever polls the queue
 *     that the device should choose: ports are drawn from those that lead to the opener's own queue
 *     (tcp/ports.c), and nothing is handed over. A device that does something else than it tells
 *     costs a ring hop a segment, as below, and never a connection: each receiver works out the
 *     same owner.
 *   - Elsewhere port % n_workers == worker. It holds with any device; the price is a ring hop for
 *     replies that come in elsewhere.
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
    RANGE_WIDE_PORTS = 8192, /* of 65536: in a narrower range most ports drawn would lie outside */
};

enum tern_steer_mode tern_steer_mode(uint32_t n_workers, uint32_t n_queues, bool keeps_flows)
{
    if (n_workers == 1)
        return TERN_STEER_ONE;
    return keeps_flows && n_queues >= n_workers ? TERN_STEER_RSS : TERN_STEER_HASH;
}

const char *tern_steer_rss_gap(enum tern_rss_gap gap)
{
    switch (gap) {
    case TERN_RSS_GOOD: return NULL;
    case TERN_RSS_NO_KEY: return "the device tells no key";
    case TERN_RSS_NO_TABLE: return "the device tells no table";
    case TERN_RSS_NO_PORTS: return "it does not hash TCP ports";
    case TERN_RSS_LEFT_OUT: return "its table leaves a worker out";
    case TERN_RSS_NARROW_KEY: return "its key hardly looks at ports";
    }
    return NULL;
}

bool tern_steer_range_is_wide(uint16_t port_min, uint16_t port_max)
{
    return port_max >= port_min && port_max - port_min + 1 >= RANGE_WIDE_PORTS;
}

static void describe_rss(const struct tern_steering *s, char *buf, size_t n_buf)
{
    const struct tern_rss *rss = s->rss;
    if (rss == NULL)
        snprintf(buf, n_buf, s->no_rss != NULL ? "rss, replies handed over: %s" : "rss", s->no_rss);
    else
        snprintf(buf, n_buf, "rss, ports by its key and table of %u%s", rss->n_entries,
            !rss->ip6.is_known   ? " (IPv4)"
            : !rss->ip4.is_known ? " (IPv6)"
                                 : "");
}

char *tern_steer_describe(const struct tern_steering *s, uint32_t n_queues, char *buf, size_t n_buf)
{
    switch (s->mode) {
    case TERN_STEER_ONE: snprintf(buf, n_buf, "one worker"); break;
    case TERN_STEER_RSS: describe_rss(s, buf, n_buf); break;
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

/** Who opened this flow: the same rules by which its port was chosen (tcp/ports.c). */
static uint32_t opener(const struct tern_steering *s, const struct tern_steer_flow *f)
{
    if (s->rss == NULL || !tern_rss_family(s->rss, f->n_addr_bytes)->is_known)
        return f->dport % s->n_workers;
    return s->rss->worker[tern_rss_entry(s->rss, f->addrs, f->n_addr_bytes, f->sport, f->dport)];
}

uint32_t tern_steer_owner(
    const struct tern_steering *s, const struct tern_steer_flow *f, bool listens, uint32_t receiver)
{
    if (s->mode == TERN_STEER_ONE)
        return receiver;
    if (!listens)
        return opener(s, f);
    return s->mode == TERN_STEER_RSS ? receiver : hash_owner(s, f);
}
