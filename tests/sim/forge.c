/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

/*
 * What an attacker who sees a segment pass, or guesses one, sends along: resets, SYNs and ACKs in
 * the sender's name, ICMP errors in the path's. None of them may end or bend a connection (RFC
 * 5961, RFC 5927). A RST whose sequence number happens to be exact does end it, rightly; whoever
 * delivers has to look for that case.
 */
#include "packet.h"

#include <stddef.h>
#include <string.h>

enum {
    FAR_AWAY = 1 << 30, /* further than any window or any run's bytes */
    NEAR_BYTES = 70000, /* about where windows lie */
    TS_OPT = 8,
    ICMP_UNREACHABLE = 3,
    ICMP_FRAG_NEEDED = 4,
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2,
};

/** The headers of the segment without its payload, to be changed. */
static uint32_t take_headers(const uint8_t *at, const struct packet_view *v, uint8_t *out)
{
    memcpy(out, at, v->payload_off);
    packet_set_length(out, v->payload_off);
    return v->payload_off;
}

static uint32_t seal(const struct packet_view *v, uint8_t *out, uint8_t flags, uint32_t seq,
    uint32_t ack, uint32_t n)
{
    uint8_t *tcp = out + v->l3_bytes;
    packet_put32(tcp + 4, seq);
    packet_put32(tcp + 8, ack);
    tcp[13] = flags;
    packet_repair(out);
    return n;
}

/** Blind (anywhere), or near what passes: inside the window for the most part. */
static uint32_t guess_seq(struct prng *p, uint32_t near)
{
    if (prng_percent(p, 30))
        return (uint32_t)prng_next(p);
    const uint32_t off = prng_below(p, NEAR_BYTES);
    return prng_percent(p, 25) ? near - off : near + off;
}

uint32_t forge_rst(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out)
{
    if (!v->is_tcp || (v->flags & PACKET_RST))
        return 0;
    const uint32_t n = take_headers(at, v, out);
    const uint8_t ack_bit = prng_percent(p, 50) ? PACKET_ACK : 0;
    /* Acknowledging what was never sent: a RST that acknowledges a SYN is a refusal, believed. */
    return seal(v, out, PACKET_RST | ack_bit, guess_seq(p, v->seq + v->len), v->ack + FAR_AWAY, n);
}

/** Not while the handshake is open: whoever guesses the ports then is believed, and rightly. */
uint32_t forge_syn(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out)
{
    if (!v->is_tcp || (v->flags & (PACKET_RST | PACKET_SYN)))
        return 0;
    const uint32_t n = take_headers(at, v, out);
    const uint8_t ack_bit = prng_percent(p, 30) ? PACKET_ACK : 0;
    return seal(v, out, PACKET_SYN | ack_bit, guess_seq(p, v->seq), v->ack + FAR_AWAY, n);
}

/** An ACK of what was never sent, with a timestamp from the future: neither may be believed. */
uint32_t forge_ack(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out)
{
    if (!v->is_tcp || (v->flags & (PACKET_RST | PACKET_SYN)))
        return 0;
    const uint32_t n = take_headers(at, v, out);
    uint8_t *ts = (uint8_t *)(uintptr_t)packet_option(out, v, TS_OPT);
    if (ts != NULL && prng_percent(p, 70))
        packet_put32(ts + 2, packet_get32(ts + 2) + prng_below(p, FAR_AWAY));
    const uint32_t ack = v->ack + FAR_AWAY + prng_below(p, FAR_AWAY / 2);
    return seal(v, out, PACKET_ACK, guess_seq(p, v->seq), ack, n);
}

/** An error about this very segment, or about one that is not in flight. */
uint32_t forge_icmp(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out)
{
    static const uint8_t codes4[] = {0, 1, 2, 3, ICMP_FRAG_NEEDED, 9, 10, 13};
    static const uint8_t codes6[] = {0, 1, 3, 4};
    uint8_t about[PACKET_BYTES_MAX];
    if (!v->is_tcp || (v->flags & PACKET_SYN)) /* a SYN refused by ICMP is refused */
        return 0;
    memcpy(about, at, v->payload_off);
    if (prng_percent(p, 40))
        packet_put32(about + v->l3_bytes + 4, (uint32_t)prng_next(p));
    struct packet_view quoted = *v;
    quoted.ip_bytes = v->payload_off;
    const uint32_t mtu = prng_percent(p, 20) ? 0 : (uint32_t)prng_spread(p, 68, 9000);
    if (v->v6 && prng_percent(p, 30))
        return packet_icmp_error(about, &quoted, ICMP6_TOO_BIG, 0, mtu, out);
    if (v->v6)
        return packet_icmp_error(
            about, &quoted, ICMP6_UNREACHABLE, codes6[prng_below(p, sizeof codes6)], 0, out);
    const uint8_t code = codes4[prng_below(p, sizeof codes4)];
    return packet_icmp_error(
        about, &quoted, ICMP_UNREACHABLE, code, code == ICMP_FRAG_NEEDED ? mtu : 0, out);
}

/* ---- tampering ---- */

/** A small step, a large one, or anything: most bugs sit at the edges. */
static uint32_t moved(struct prng *p, uint32_t value)
{
    switch (prng_below(p, 4)) {
    case 0: return value + 1 + prng_below(p, 3);
    case 1: return value - 1 - prng_below(p, 3);
    case 2: return value + prng_below(p, NEAR_BYTES) - NEAR_BYTES / 2;
    default: return (uint32_t)prng_next(p);
    }
}

void forge_inflate(struct prng *p, uint8_t *at, const struct packet_view *v)
{
    const uint32_t wnd = v->wnd + (uint32_t)prng_spread(p, 1, UINT16_MAX);
    packet_put16(at + v->l3_bytes + 14, wnd < UINT16_MAX ? wnd : UINT16_MAX);
    packet_repair(at);
}

static void tamper_option(struct prng *p, uint8_t *tcp, uint32_t opt_bytes)
{
    if (opt_bytes == 0)
        return;
    uint8_t *at = tcp + 20 + prng_below(p, opt_bytes);
    *at = prng_percent(p, 50) ? (uint8_t)prng_next(p) : (uint8_t)(*at ^ (1u << prng_below(p, 8)));
}

void forge_tamper(struct prng *p, uint8_t *at, const struct packet_view *v)
{
    uint8_t *tcp = at + v->l3_bytes;
    switch (prng_below(p, 7)) {
    case 0: packet_put32(tcp + 4, moved(p, v->seq)); break;
    case 1: packet_put32(tcp + 8, moved(p, v->ack)); break;
    case 2: packet_put16(tcp + 14, prng_percent(p, 40) ? 0 : moved(p, v->wnd) & 0xffff); break;
    case 3: tcp[13] ^= (uint8_t)(1u << prng_below(p, 8)); break;
    case 4: tcp[13] = (uint8_t)prng_next(p); break;
    case 5: tcp[12] = (uint8_t)(prng_below(p, 16) << 4); break; /* data offset */
    default: tamper_option(p, tcp, v->tcp_bytes - 20); break;
    }
    packet_repair(at);
}
