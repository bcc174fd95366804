/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint_inside.h"

/* Segments as the peer writes and reads them, byte by byte: nothing of lib/ decides what is right.
 */
#include <string.h>

enum {
    TS_RECENT = 5000, /* TSval of all segments that build a state */
    TS_STEP = 10,
    IP_PROTO_TCP = 6
};

/* ---- bytes ---- */

uint8_t pattern(uint32_t seq)
{
    return (uint8_t)((seq * 2654435761u) >> 21);
}

static void put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, v >> 16);
    put16(to + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static uint32_t sum_of(uint32_t sum, const uint8_t *at, uint32_t n)
{
    for (uint32_t i = 0; i + 1 < n; i += 2)
        sum += get16(at + i);
    return n % 2 != 0 ? sum + ((uint32_t)at[n - 1] << 8) : sum;
}

static uint32_t folded(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return ~(sum + (sum >> 16)) & 0xffff;
}

/* ---- what the peer says ---- */

/** The IP header, its checksum, and the sum of the pseudo-header. @return header length */
static uint32_t write_ip(
    const struct endpoint *e, uint8_t *ip, uint32_t tcp_bytes, uint32_t *pseudo_sum)
{
    const uint32_t sum = IP_PROTO_TCP + tcp_bytes;
    if (e->v6) {
        memcpy(ip, (uint8_t[]){0x60, 0, 0, 0, 0, 0, IP_PROTO_TCP, 64}, 8);
        put16(ip + 4, tcp_bytes);
        memcpy(ip + 8, e->them.b, 16);
        memcpy(ip + 24, e->us.b, 16);
        *pseudo_sum = sum_of(sum, ip + 8, 32);
        return 40;
    }
    memcpy(ip, (uint8_t[]){0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, IP_PROTO_TCP, 0, 0}, 12);
    put16(ip + 2, 20 + tcp_bytes);
    memcpy(ip + 12, &e->them.w[3], 4);
    memcpy(ip + 16, &e->us.w[3], 4);
    put16(ip + 10, folded(sum_of(0, ip, 20)));
    *pseudo_sum = sum_of(sum, ip + 12, 8);
    return 20;
}

static uint32_t write_options(uint8_t *at, bool syn, bool ts, uint32_t ts_val, uint32_t ts_echo)
{
    uint32_t n = 0;
    if (syn) {
        memcpy(at, (uint8_t[]){2, 4, PEER_MSS >> 8, PEER_MSS & 0xff}, 4);
        n = 4;
    }
    if (ts) {
        memcpy(at + n, (uint8_t[]){1, 1, 8, 10}, 4);
        put32(at + n + 4, ts_val);
        put32(at + n + 8, ts_echo);
        n += 12;
    }
    return n;
}

static uint32_t ts_value(enum ts_at ts)
{
    return ts == TS_NEW ? TS_RECENT + TS_STEP : ts == TS_OLD ? TS_RECENT - TS_STEP : TS_RECENT;
}

void say_at(
    struct endpoint *e, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len, enum ts_at ts)
{
    uint8_t packet[PACKET_MAX] = {0}, tcp[20 + 40 + PEER_MSS] = {0};
    const bool has_ts = e->ts && ts != TS_GONE;
    const uint32_t n_opt = write_options(tcp + 20, flags & SYN, has_ts, ts_value(ts), e->ts_echo);
    const uint32_t n_tcp = 20 + n_opt + len;
    const uint32_t first = seq + ((flags & SYN) != 0);
    uint32_t sum;
    put16(tcp, e->port);
    put16(tcp + 2, e->tern_port);
    put32(tcp + 4, seq);
    put32(tcp + 8, flags & ACK ? ack : 0);
    tcp[12] = (uint8_t)((20 + n_opt) / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, PEER_WND);
    put16(tcp + 18, flags & URG ? 1 : 0);
    for (uint32_t i = 0; i < len; i++)
        tcp[20 + n_opt + i] = pattern(first + i);
    const uint32_t n_ip = write_ip(e, packet, n_tcp, &sum);
    put16(tcp + 16, folded(sum_of(sum, tcp, n_tcp)));
    memcpy(packet + n_ip, tcp, n_tcp);
    tern_embed_input(e->e, packet, n_ip + n_tcp, e->now_ns);
}

void say(struct endpoint *e, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    say_at(e, flags, seq, ack, len, TS_SAME);
}

/* ---- what tern says ---- */

static void read_timestamp(const uint8_t *at, uint32_t n, struct heard *h)
{
    for (uint32_t i = 0; i + 1 < n; i += at[i] == 1 ? 1u : at[i + 1] < 2 ? n : at[i + 1])
        if (at[i] == 8 && i + 10 <= n) {
            h->has_ts = true;
            h->ts_val = get32(at + i + 2);
        }
}

/** Note a segment; others than those to this connection's peer are of the past. */
static void note(struct endpoint *e, const uint8_t *packet, uint32_t n)
{
    const uint8_t *tcp = packet + (e->v6 ? 40 : 20);
    const uint32_t n_header = (uint32_t)(tcp[12] >> 4) * 4;
    if (get16(tcp + 2) != e->port || e->n_heard == HEARD_MAX)
        return;
    struct heard *h = &e->heard[e->n_heard++];
    *h = (struct heard){.flags = tcp[13],
        .seq = get32(tcp + 4),
        .ack = get32(tcp + 8),
        .wnd = get16(tcp + 14),
        .len = n - (uint32_t)(tcp - packet) - n_header};
    read_timestamp(tcp + 20, n_header - 20, h);
}

/** Take what tern sends. */
void hear(struct endpoint *e)
{
    uint8_t packet[PACKET_MAX];
    uint32_t n;
    e->n_heard = 0;
    while ((n = (uint32_t)tern_embed_output(e->e, packet, sizeof packet)) > 0)
        note(e, packet, n);
}
