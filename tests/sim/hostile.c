/* SPDX-License-Identifier: BSD-3-Clause */
#include "hostile.h"

/*
 * What an attacker who sees a segment pass, or guesses one, sends along: resets, SYNs and ACKs in
 * the sender's name, ICMP errors in the path's. None of them may end or bend a connection (RFC
 * 5961, RFC 5927). A RST whose sequence number happens to be exact does end it, rightly; whoever
 * delivers has to look for that case. Behind it what boxes on the path do to segments, and
 * receivers that want more than their share. The nodes and their place in the chain are at the
 * bottom.
 */
#include "link/node.h"

#include <stddef.h>
#include <string.h>

enum {
    FAR_AWAY = 1 << 30,    /* further than any window or any run's bytes */
    NEAR_BYTES = 70000,    /* about where windows lie */
    PAD_BYTES_MAX = 46,    /* what an Ethernet device may leave behind a short packet */
    SPOOF_ACKS_MAX = 6,    /* beside the true one */
    SPLIT_STEP_MAX = 2000, /* bytes */
    TS_OPT = 8,
    ICMP_UNREACHABLE = 3,
    ICMP_FRAG_NEEDED = 4,
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2,
};

/** The headers of the segment without its payload, to be changed. */
static uint32_t take_headers(const uint8_t *at, const struct tern_packet_view *v, uint8_t *out)
{
    memcpy(out, at, v->payload_off);
    tern_packet_set_length(out, v->payload_off);
    return v->payload_off;
}

static uint32_t seal(const struct tern_packet_view *v, uint8_t *out, uint8_t flags, uint32_t seq,
    uint32_t ack, uint32_t n)
{
    uint8_t *tcp = out + v->l3_bytes;
    tern_packet_put32(tcp + 4, seq);
    tern_packet_put32(tcp + 8, ack);
    tcp[13] = flags;
    tern_packet_repair(out);
    return n;
}

/** Blind (anywhere), or near what passes: inside the window for the most part. */
static uint32_t guess_seq(struct tern_prng *p, uint32_t near)
{
    if (tern_prng_percent(p, 30))
        return (uint32_t)tern_prng_next(p);
    const uint32_t off = tern_prng_below(p, NEAR_BYTES);
    return tern_prng_percent(p, 25) ? near - off : near + off;
}

static uint32_t forge_rst(
    struct tern_prng *p, const uint8_t *at, const struct tern_packet_view *v, uint8_t *out)
{
    if (!v->is_tcp || (v->flags & TERN_PACKET_RST))
        return 0;
    const uint32_t n = take_headers(at, v, out);
    const uint8_t ack_bit = tern_prng_percent(p, 50) ? TERN_PACKET_ACK : 0;
    /* Acknowledging what was never sent: a RST that acknowledges a SYN is a refusal, believed. */
    return seal(
        v, out, TERN_PACKET_RST | ack_bit, guess_seq(p, v->seq + v->len), v->ack + FAR_AWAY, n);
}

/** Not while the handshake is open: whoever guesses the ports then is believed, and rightly. */
static uint32_t forge_syn(
    struct tern_prng *p, const uint8_t *at, const struct tern_packet_view *v, uint8_t *out)
{
    if (!v->is_tcp || (v->flags & (TERN_PACKET_RST | TERN_PACKET_SYN)))
        return 0;
    const uint32_t n = take_headers(at, v, out);
    const uint8_t ack_bit = tern_prng_percent(p, 30) ? TERN_PACKET_ACK : 0;
    return seal(v, out, TERN_PACKET_SYN | ack_bit, guess_seq(p, v->seq), v->ack + FAR_AWAY, n);
}

/** An ACK of what was never sent, with a timestamp from the future: neither may be believed. */
static uint32_t forge_ack(
    struct tern_prng *p, const uint8_t *at, const struct tern_packet_view *v, uint8_t *out)
{
    if (!v->is_tcp || (v->flags & (TERN_PACKET_RST | TERN_PACKET_SYN)))
        return 0;
    const uint32_t n = take_headers(at, v, out);
    uint8_t *ts = (uint8_t *)(uintptr_t)tern_packet_option(out, v, TS_OPT);
    if (ts != NULL && tern_prng_percent(p, 70))
        tern_packet_put32(ts + 2, tern_packet_get32(ts + 2) + tern_prng_below(p, FAR_AWAY));
    const uint32_t ack = v->ack + FAR_AWAY + tern_prng_below(p, FAR_AWAY / 2);
    return seal(v, out, TERN_PACKET_ACK, guess_seq(p, v->seq), ack, n);
}

/** An error about this very segment, or about one that is not in flight. */
static uint32_t forge_icmp(
    struct tern_prng *p, const uint8_t *at, const struct tern_packet_view *v, uint8_t *out)
{
    static const uint8_t codes4[] = {0, 1, 2, 3, ICMP_FRAG_NEEDED, 9, 10, 13};
    static const uint8_t codes6[] = {0, 1, 3, 4};
    uint8_t about[TERN_PACKET_BYTES_MAX];
    if (!v->is_tcp || (v->flags & TERN_PACKET_SYN)) /* a SYN refused by ICMP is refused */
        return 0;
    memcpy(about, at, v->payload_off);
    if (tern_prng_percent(p, 40))
        tern_packet_put32(about + v->l3_bytes + 4, (uint32_t)tern_prng_next(p));
    struct tern_packet_view quoted = *v;
    quoted.ip_bytes = v->payload_off;
    const uint32_t mtu = tern_prng_percent(p, 20) ? 0 : (uint32_t)tern_prng_spread(p, 68, 9000);
    if (v->v6 && tern_prng_percent(p, 30))
        return tern_packet_icmp_error(about, &quoted, ICMP6_TOO_BIG, 0, mtu, out);
    if (v->v6)
        return tern_packet_icmp_error(
            about, &quoted, ICMP6_UNREACHABLE, codes6[tern_prng_below(p, sizeof codes6)], 0, out);
    const uint8_t code = codes4[tern_prng_below(p, sizeof codes4)];
    return tern_packet_icmp_error(
        about, &quoted, ICMP_UNREACHABLE, code, code == ICMP_FRAG_NEEDED ? mtu : 0, out);
}

/* ---- tampering ---- */

/** A small step, a large one, or anything: most bugs sit at the edges. */
static uint32_t moved(struct tern_prng *p, uint32_t value)
{
    switch (tern_prng_below(p, 4)) {
    case 0: return value + 1 + tern_prng_below(p, 3);
    case 1: return value - 1 - tern_prng_below(p, 3);
    case 2: return value + tern_prng_below(p, NEAR_BYTES) - NEAR_BYTES / 2;
    default: return (uint32_t)tern_prng_next(p);
    }
}

static void forge_inflate(struct tern_prng *p, uint8_t *at, const struct tern_packet_view *v)
{
    const uint32_t wnd = v->wnd + (uint32_t)tern_prng_spread(p, 1, UINT16_MAX);
    tern_packet_put16(at + v->l3_bytes + 14, wnd < UINT16_MAX ? wnd : UINT16_MAX);
    tern_packet_repair(at);
}

static void tamper_option(struct tern_prng *p, uint8_t *tcp, uint32_t opt_bytes)
{
    if (opt_bytes == 0)
        return;
    uint8_t *at = tcp + 20 + tern_prng_below(p, opt_bytes);
    *at = tern_prng_percent(p, 50) ? (uint8_t)tern_prng_next(p)
                                   : (uint8_t)(*at ^ (1u << tern_prng_below(p, 8)));
}

static void forge_tamper(struct tern_prng *p, uint8_t *at, const struct tern_packet_view *v)
{
    uint8_t *tcp = at + v->l3_bytes;
    switch (tern_prng_below(p, 7)) {
    case 0: tern_packet_put32(tcp + 4, moved(p, v->seq)); break;
    case 1: tern_packet_put32(tcp + 8, moved(p, v->ack)); break;
    case 2:
        tern_packet_put16(tcp + 14, tern_prng_percent(p, 40) ? 0 : moved(p, v->wnd) & 0xffff);
        break;
    case 3: tcp[13] ^= (uint8_t)(1u << tern_prng_below(p, 8)); break;
    case 4: tcp[13] = (uint8_t)tern_prng_next(p); break;
    case 5: tcp[12] = (uint8_t)(tern_prng_below(p, 16) << 4); break; /* data offset */
    default: tamper_option(p, tcp, v->tcp_bytes - 20); break;
    }
    tern_packet_repair(at);
}

/* ---- forgeries enter beside what is real ---- */

static void inject(struct tern_link *l, const struct tern_link_frame *f, enum tern_link_fault what,
    uint32_t (*make)(
        struct tern_prng *, const uint8_t *, const struct tern_packet_view *, uint8_t *),
    bool back)
{
    uint8_t bytes[TERN_PACKET_BYTES_MAX];
    const uint32_t n = make(&l->prng, f->bytes, &f->v, bytes);
    if (n == 0)
        return;
    tern_link_did(l, what);
    const uint64_t at_ns = f->at_ns + 1 + tern_prng_next(&l->prng) % (2 * l->cfg.delay_ns + 1);
    l->out(l->ctx, &(struct tern_link_out){at_ns, back, true, bytes, n});
}

static void forge(struct tern_link *l, struct tern_link_frame *f)
{
    const struct tern_link_config *c = &l->cfg;
    if (tern_prng_chance(&l->prng, c->forge_rst_ppm))
        inject(l, f, TERN_LINK_FORGE_RST, forge_rst, false);
    if (tern_prng_chance(&l->prng, c->forge_syn_ppm))
        inject(l, f, TERN_LINK_FORGE_SYN, forge_syn, false);
    if (tern_prng_chance(&l->prng, c->forge_ack_ppm))
        inject(l, f, TERN_LINK_FORGE_ACK, forge_ack, false);
    if (tern_prng_chance(&l->prng, c->forge_icmp_ppm))
        inject(l, f, TERN_LINK_FORGE_ICMP, forge_icmp, true);
    tern_link_pass(l, f);
}

/* ---- a receiver that misbehaves (Savage et al. 1999) ---- */

/** ACK division: what one ACK says is said in small steps (RFC 3465 §2.3 is the defence). */
static void split_ack(struct tern_link *l, struct tern_link_frame *f)
{
    if (tern_link_is_pure_ack(f) && tern_prng_chance(&l->prng, l->cfg.split_ack_ppm)) {
        const uint32_t n = 1 + tern_prng_below(&l->prng, SPOOF_ACKS_MAX);
        const uint32_t step = (uint32_t)tern_prng_spread(&l->prng, 1, SPLIT_STEP_MAX);
        tern_link_did(l, TERN_LINK_SPLIT_ACK);
        for (uint32_t i = n; i > 0; i--) {
            uint8_t room[TERN_PACKET_BYTES_MAX];
            struct tern_link_frame part = *f;
            uint8_t *bytes = tern_link_change(&part, room);
            tern_packet_put32(bytes + f->v.l3_bytes + 8, f->v.ack - i * step);
            tern_packet_repair(bytes);
            tern_link_pass(l, &part);
        }
    }
    tern_link_pass(l, f);
}

/** Duplicate-ACK spoofing: they must not inflate what may be sent. */
static void spoof_dupack(struct tern_link *l, struct tern_link_frame *f)
{
    if (tern_link_is_pure_ack(f) && tern_prng_chance(&l->prng, l->cfg.spoof_dupack_ppm)) {
        tern_link_did(l, TERN_LINK_SPOOF_DUPACK);
        for (uint32_t i = 1 + tern_prng_below(&l->prng, SPOOF_ACKS_MAX); i > 0; i--) {
            struct tern_link_frame twin = *f;
            tern_link_pass(l, &twin);
        }
    }
    tern_link_pass(l, f);
}

/* ---- boxes on the path ---- */

static void tamper(struct tern_link *l, struct tern_link_frame *f)
{
    uint8_t room[TERN_PACKET_BYTES_MAX];
    if (f->v.is_tcp && tern_prng_chance(&l->prng, l->cfg.tamper_ppm)) {
        forge_tamper(&l->prng, tern_link_change(f, room), &f->v);
        tern_link_did(l, TERN_LINK_TAMPER);
    }
    tern_link_pass(l, f);
}

/** A box on the path that grants what the receiver did not: the sender will overrun the window. */
static void inflate(struct tern_link *l, struct tern_link_frame *f)
{
    uint8_t room[TERN_PACKET_BYTES_MAX];
    const bool has_window = f->v.is_tcp && !(f->v.flags & TERN_PACKET_RST);
    if (has_window && tern_prng_chance(&l->prng, l->cfg.inflate_ppm)) {
        forge_inflate(&l->prng, tern_link_change(f, room), &f->v);
        tern_link_did(l, TERN_LINK_INFLATE);
    }
    tern_link_pass(l, f);
}

static void truncate_or_pad(struct tern_link *l, struct tern_link_frame *f)
{
    uint8_t room[TERN_PACKET_BYTES_MAX];
    if (tern_prng_chance(&l->prng, l->cfg.truncate_ppm)) {
        f->n = tern_prng_below(&l->prng, f->n);
        tern_link_did(l, TERN_LINK_TRUNCATE);
    } else if (tern_prng_chance(&l->prng, l->cfg.pad_ppm)) {
        const uint32_t n = 1 + tern_prng_below(&l->prng, PAD_BYTES_MAX);
        uint8_t *bytes = tern_link_change(f, room);
        for (uint32_t i = 0; i < n; i++)
            bytes[f->n++] = (uint8_t)tern_prng_next(&l->prng);
        tern_link_did(l, TERN_LINK_PAD);
    }
    tern_link_pass(l, f);
}

/* ---- the chain ---- */

tern_link_node *const hostile_network[] = {forge, split_ack, spoof_dupack, tern_link_lose,
    tern_link_lose_burst, tern_link_lose_syn, tern_link_lose_ack, tern_link_lose_nth,
    tern_link_drop_too_big, tamper, inflate, tern_link_corrupt, truncate_or_pad,
    tern_link_duplicate, tern_link_transmit, tern_link_hold_in_pause, tern_link_take_time,
    tern_link_hold_back, tern_link_arrive};
