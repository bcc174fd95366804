/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link is a chain of nodes; the tables are at the bottom of this file. Queues are arithmetic: the
 * transmitter is busy until idle_at_ns, and what lies between now and then is what is queued.
 * Packets are not copied: a node that changes one makes its copy, the others pass a pointer on.
 *
 * Rejected: nodes as objects with events of their own. Nothing here needs to be woken up.
 */
#include "node.h"

#include <stddef.h>
#include <string.h>

enum {
    NS_PER_S = 1000000000,
    CORRUPT_BITS_MAX = 15, /* a burst so short never escapes the checksum (RFC 1071) */
    ICMP_UNREACHABLE = 3,  /* RFC 792 */
    ICMP_FRAG_NEEDED = 4,  /* its code */
    ICMP6_TOO_BIG = 2,     /* RFC 4443 */
    IP4_MIN_BYTES = 20,
    IP4_CSUM_OFF = 10,
};

#define NAME(name, text) [TERN_LINK_##name] = text,
static const char *const fault_names[TERN_LINK_FAULT_COUNT] = {TERN_LINK_FAULT_LIST(NAME)};
#undef NAME

const char *tern_link_fault_name(enum tern_link_fault f)
{
    return fault_names[f];
}

void tern_link_did(struct tern_link *l, enum tern_link_fault what)
{
    l->counts[what]++;
    if (l->note != NULL)
        l->note(l->ctx, what);
}

uint8_t *tern_link_change(struct tern_link_frame *f, uint8_t *room)
{
    /* Of a packet that was cut short the header is still looked at. */
    memcpy(room, f->bytes, f->n > IP4_MIN_BYTES ? f->n : IP4_MIN_BYTES);
    f->bytes = room;
    return room;
}

/* ---- loss ---- */

bool tern_link_is_pure_ack(const struct tern_link_frame *f)
{
    const uint8_t others = TERN_PACKET_SYN | TERN_PACKET_FIN | TERN_PACKET_RST;
    return f->v.is_tcp && f->v.len == 0 && (f->v.flags & others) == 0;
}

static void pass_unless(
    struct tern_link *l, struct tern_link_frame *f, bool lost, enum tern_link_fault why)
{
    if (lost)
        tern_link_did(l, why);
    else
        tern_link_pass(l, f);
}

void tern_link_lose(struct tern_link *l, struct tern_link_frame *f)
{
    pass_unless(l, f, tern_prng_chance(&l->prng, l->cfg.loss_ppm), TERN_LINK_LOSS);
}

void tern_link_lose_burst(struct tern_link *l, struct tern_link_frame *f)
{
    if (l->in_burst)
        l->in_burst = !tern_prng_chance(&l->prng, l->cfg.burst_end_ppm);
    else
        l->in_burst = tern_prng_chance(&l->prng, l->cfg.burst_begin_ppm);
    const bool lost = l->in_burst && tern_prng_chance(&l->prng, l->cfg.burst_loss_ppm);
    pass_unless(l, f, lost, TERN_LINK_BURST_LOSS);
}

void tern_link_lose_syn(struct tern_link *l, struct tern_link_frame *f)
{
    const bool lost =
        (f->v.flags & TERN_PACKET_SYN) && tern_prng_chance(&l->prng, l->cfg.syn_loss_ppm);
    pass_unless(l, f, lost, TERN_LINK_SYN_LOSS);
}

void tern_link_lose_ack(struct tern_link *l, struct tern_link_frame *f)
{
    pass_unless(l, f, tern_link_is_pure_ack(f) && tern_prng_chance(&l->prng, l->cfg.ack_loss_ppm),
        TERN_LINK_ACK_LOSS);
}

void tern_link_lose_nth(struct tern_link *l, struct tern_link_frame *f)
{
    const bool lost = l->cfg.nth_loss != 0 && l->n_packets % l->cfg.nth_loss == 0;
    pass_unless(l, f, lost, TERN_LINK_NTH_LOSS);
}

/* ---- damage ---- */

/** Too large for the path (RFC 1191, RFC 8201): dropped, and perhaps told. */
void tern_link_drop_too_big(struct tern_link *l, struct tern_link_frame *f)
{
    if (l->cfg.mtu_bytes == 0 || f->n <= l->cfg.mtu_bytes) {
        tern_link_pass(l, f);
        return;
    }
    tern_link_did(l, TERN_LINK_MTU_DROP);
    if (!l->cfg.mtu_tells)
        return;
    uint8_t error[TERN_PACKET_BYTES_MAX];
    const uint8_t type = f->v.v6 ? ICMP6_TOO_BIG : ICMP_UNREACHABLE;
    const uint8_t code = f->v.v6 ? 0 : ICMP_FRAG_NEEDED;
    const uint32_t n = tern_packet_icmp_error(f->bytes, &f->v, type, code, l->cfg.mtu_bytes, error);
    tern_link_did(l, TERN_LINK_TOO_BIG);
    l->out(l->ctx, &(struct tern_link_out){f->at_ns + l->cfg.delay_ns, true, false, error, n});
}

/** Flip a burst of bits under a checksum: behind the IPv6 header, anywhere with IPv4. */
void tern_link_corrupt(struct tern_link *l, struct tern_link_frame *f)
{
    uint8_t room[TERN_PACKET_BYTES_MAX];
    if (tern_prng_chance(&l->prng, l->cfg.corrupt_ppm)) {
        uint8_t *bytes = tern_link_change(f, room);
        const uint32_t from = (f->v.v6 ? f->v.l3_bytes : 0) * 8;
        const uint32_t n_bits = 1 + tern_prng_below(&l->prng, CORRUPT_BITS_MAX);
        const uint32_t at = from + tern_prng_below(&l->prng, f->n * 8 - from - n_bits);
        for (uint32_t bit = at; bit < at + n_bits; bit++)
            if (bit == at || tern_prng_percent(&l->prng, 50))
                bytes[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
        tern_link_did(l, TERN_LINK_CORRUPT);
        f->forged = true;
    }
    tern_link_pass(l, f);
}

void tern_link_duplicate(struct tern_link *l, struct tern_link_frame *f)
{
    if (tern_prng_chance(&l->prng, l->cfg.duplicate_ppm)) {
        struct tern_link_frame twin = *f;
        twin.at_ns += tern_prng_next(&l->prng) % (l->cfg.delay_ns + 1);
        tern_link_did(l, TERN_LINK_DUPLICATE);
        tern_link_pass(l, &twin);
    }
    tern_link_pass(l, f);
}

/* ---- time ---- */

static bool is_ect(const struct tern_link_frame *f)
{
    return (f->v.tos & TERN_PACKET_ECN_MASK) != 0;
}

static void mark_ce(struct tern_link *l, struct tern_link_frame *f, uint8_t *room)
{
    uint8_t *bytes = tern_link_change(f, room);
    if (f->v.v6) {
        bytes[1] |= TERN_PACKET_ECN_CE << 4;
    } else {
        /* As a router does (RFC 1624 §3): a packet that is damaged stays damaged. */
        const uint32_t before = tern_packet_get16(bytes);
        bytes[1] |= TERN_PACKET_ECN_CE;
        uint32_t sum = (tern_packet_get16(bytes + IP4_CSUM_OFF) ^ UINT16_MAX)
                       + (before ^ UINT16_MAX) + tern_packet_get16(bytes);
        sum = (sum & UINT16_MAX) + (sum >> 16);
        sum = (sum & UINT16_MAX) + (sum >> 16);
        tern_packet_put16(bytes + IP4_CSUM_OFF, sum ^ UINT16_MAX);
    }
    tern_link_did(l, TERN_LINK_MARK_CE);
}

void tern_link_transmit(struct tern_link *l, struct tern_link_frame *f)
{
    uint8_t room[TERN_PACKET_BYTES_MAX];
    const uint64_t rate = l->cfg.rate_bytes_per_s;
    if (rate == 0) {
        tern_link_pass(l, f);
        return;
    }
    const uint64_t now_ns = f->at_ns;
    const uint64_t busy_ns = l->idle_at_ns > now_ns ? l->idle_at_ns - now_ns : 0;
    const uint64_t queued = busy_ns * (rate / 1000) / (NS_PER_S / 1000);
    if (l->cfg.mark_bytes != 0 && queued > l->cfg.mark_bytes && is_ect(f))
        mark_ce(l, f, room);
    if (l->cfg.queue_bytes != 0 && queued + f->n > l->cfg.queue_bytes) {
        tern_link_did(l, TERN_LINK_TAIL_DROP);
        return;
    }
    l->idle_at_ns = now_ns + busy_ns + (uint64_t)f->n * NS_PER_S / rate;
    f->at_ns = l->idle_at_ns;
    tern_link_pass(l, f);
}

/** From time to time nothing leaves for a while, and then everything at once. */
void tern_link_hold_in_pause(struct tern_link *l, struct tern_link_frame *f)
{
    if (l->cfg.pause_every_ns != 0) {
        const uint64_t phase_ns = f->at_ns % l->cfg.pause_every_ns;
        if (phase_ns < l->cfg.pause_for_ns) {
            f->at_ns += l->cfg.pause_for_ns - phase_ns;
            tern_link_did(l, TERN_LINK_PAUSE);
        }
    }
    tern_link_pass(l, f);
}

void tern_link_take_time(struct tern_link *l, struct tern_link_frame *f)
{
    f->at_ns += l->cfg.delay_ns;
    if (l->cfg.jitter_ns != 0) {
        f->at_ns += tern_prng_next(&l->prng) % (l->cfg.jitter_ns + 1);
        tern_link_did(l, TERN_LINK_JITTER);
        if (l->cfg.jitter_keeps_order && f->at_ns < l->last_at_ns)
            f->at_ns = l->last_at_ns;
        l->last_at_ns = f->at_ns;
    }
    tern_link_pass(l, f);
}

void tern_link_hold_back(struct tern_link *l, struct tern_link_frame *f)
{
    if (tern_prng_chance(&l->prng, l->cfg.reorder_ppm)) {
        f->at_ns += 1 + tern_prng_next(&l->prng) % (l->cfg.reorder_ns + 1);
        tern_link_did(l, TERN_LINK_REORDER);
    }
    tern_link_pass(l, f);
}

void tern_link_arrive(struct tern_link *l, struct tern_link_frame *f)
{
    l->out(l->ctx, &(struct tern_link_out){f->at_ns, false, f->forged, f->bytes, f->n});
}

/* ---- the chains ---- */

tern_link_node *const tern_link_network[] = {tern_link_lose, tern_link_lose_burst,
    tern_link_lose_syn, tern_link_lose_ack, tern_link_lose_nth, tern_link_drop_too_big,
    tern_link_corrupt, tern_link_duplicate, tern_link_transmit, tern_link_hold_in_pause,
    tern_link_take_time, tern_link_hold_back, tern_link_arrive};
static tern_link_node *const good_network[] = {
    tern_link_transmit, tern_link_take_time, tern_link_arrive};
static tern_link_node *const for_others[] = {tern_link_lose, tern_link_duplicate,
    tern_link_transmit, tern_link_take_time, tern_link_hold_back, tern_link_arrive};

void tern_link_init(struct tern_link *l, const struct tern_link_config *cfg, tern_link_chain chain,
    uint64_t seed, uint64_t stream)
{
    *l = (struct tern_link){.cfg = *cfg, .chain = chain, .prng = tern_prng_make(seed, stream)};
}

void tern_link_heal(struct tern_link *l)
{
    l->chain = good_network;
    l->cfg.queue_bytes = l->cfg.mark_bytes = 0;
    l->cfg.jitter_ns = 0;
}

bool tern_link_enter(struct tern_link *l, uint64_t now_ns, const uint8_t *bytes, uint32_t n)
{
    struct tern_link_frame f = {.at_ns = now_ns, .next = l->chain, .n = n, .bytes = bytes};
    if (n < IP4_MIN_BYTES || n > TERN_LINK_BYTES_MAX || !tern_packet_read(bytes, n, &f.v))
        return false;
    l->n_packets++;
    tern_link_pass(l, &f);
    return true;
}

void tern_link_enter_other(struct tern_link *l, uint64_t now_ns, const uint8_t *bytes, uint32_t n)
{
    struct tern_link_frame f = {.at_ns = now_ns, .next = for_others, .n = n, .bytes = bytes};
    tern_link_pass(l, &f);
}
