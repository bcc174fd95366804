/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

/*
 * A link is a chain of stages, a table at the bottom of this file. A stage looks at the packet and
 * passes it on, changed, later, twice or not at all. Queues are arithmetic: the transmitter is busy
 * until idle_at_ns, and what lies between now and then is what is queued.
 *
 * Rejected: stages as objects with events of their own. Nothing here needs to be woken up.
 */
#include "packet.h"

#include <stddef.h>
#include <string.h>

enum {
    NS_PER_S = 1000000000,
    PAD_BYTES_MAX = 46,    /* what an Ethernet device may leave behind a short packet */
    CORRUPT_BITS_MAX = 15, /* a burst so short never escapes the checksum (RFC 1071) */
    ICMP_UNREACHABLE = 3,  /* RFC 792 */
    ICMP_FRAG_NEEDED = 4,  /* its code */
    ICMP6_TOO_BIG = 2,     /* RFC 4443 */
    IP4_MIN_BYTES = 20,
    IP4_CSUM_OFF = 10,
    SPOOF_ACKS_MAX = 6,    /* beside the true one */
    SPLIT_STEP_MAX = 2000, /* bytes */
};

/** A packet on its way through the chain. */
struct frame {
    uint64_t at_ns;
    uint32_t stage, n;
    bool forged;
    bool late; /* held back: order is not kept */
    struct packet_view v;
    uint8_t bytes[PACKET_BYTES_MAX];
};

typedef void stage_fn(struct link *l, struct frame *f);

static void pass(struct link *l, struct frame *f);

#define NAME(name, text) [LINK_##name] = text,
static const char *const fault_names[LINK_FAULT_COUNT] = {LINK_FAULT_LIST(NAME)};
#undef NAME

const char *link_fault_name(enum link_fault f)
{
    return fault_names[f];
}

static void did(struct link *l, enum link_fault what)
{
    l->counts[what]++;
    if (l->note != NULL)
        l->note(l->ctx, what);
}

/* ---- forgeries enter beside what is real ---- */

static void inject(struct link *l, const struct frame *f, enum link_fault what,
    uint32_t (*make)(struct prng *, const uint8_t *, const struct packet_view *, uint8_t *),
    bool back)
{
    uint8_t bytes[PACKET_BYTES_MAX];
    const uint32_t n = make(&l->prng, f->bytes, &f->v, bytes);
    if (n == 0)
        return;
    did(l, what);
    const uint64_t at_ns = f->at_ns + 1 + prng_next(&l->prng) % (2 * l->cfg.delay_ns + 1);
    l->out(l->ctx, &(struct link_out){at_ns, back, true, bytes, n});
}

static void forge(struct link *l, struct frame *f)
{
    const struct link_config *c = &l->cfg;
    if (prng_chance(&l->prng, c->forge_rst_ppm))
        inject(l, f, LINK_FORGE_RST, forge_rst, false);
    if (prng_chance(&l->prng, c->forge_syn_ppm))
        inject(l, f, LINK_FORGE_SYN, forge_syn, false);
    if (prng_chance(&l->prng, c->forge_ack_ppm))
        inject(l, f, LINK_FORGE_ACK, forge_ack, false);
    if (prng_chance(&l->prng, c->forge_icmp_ppm))
        inject(l, f, LINK_FORGE_ICMP, forge_icmp, true);
    pass(l, f);
}

/* ---- loss ---- */

static bool is_pure_ack(const struct frame *f)
{
    const uint8_t others = PACKET_SYN | PACKET_FIN | PACKET_RST;
    return f->v.is_tcp && f->v.len == 0 && (f->v.flags & others) == 0;
}

static void pass_unless(struct link *l, struct frame *f, bool lost, enum link_fault why)
{
    if (lost)
        did(l, why);
    else
        pass(l, f);
}

static void lose(struct link *l, struct frame *f)
{
    pass_unless(l, f, prng_chance(&l->prng, l->cfg.loss_ppm), LINK_LOSS);
}

static void lose_burst(struct link *l, struct frame *f)
{
    if (l->in_burst)
        l->in_burst = !prng_chance(&l->prng, l->cfg.burst_end_ppm);
    else
        l->in_burst = prng_chance(&l->prng, l->cfg.burst_begin_ppm);
    const bool lost = l->in_burst && prng_chance(&l->prng, l->cfg.burst_loss_ppm);
    pass_unless(l, f, lost, LINK_BURST_LOSS);
}

static void lose_syn(struct link *l, struct frame *f)
{
    const bool lost = (f->v.flags & PACKET_SYN) && prng_chance(&l->prng, l->cfg.syn_loss_ppm);
    pass_unless(l, f, lost, LINK_SYN_LOSS);
}

static void lose_ack(struct link *l, struct frame *f)
{
    pass_unless(l, f, is_pure_ack(f) && prng_chance(&l->prng, l->cfg.ack_loss_ppm), LINK_ACK_LOSS);
}

static void lose_nth(struct link *l, struct frame *f)
{
    const bool lost = l->cfg.nth_loss != 0 && l->n_packets % l->cfg.nth_loss == 0;
    pass_unless(l, f, lost, LINK_NTH_LOSS);
}

/* ---- a receiver that misbehaves (Savage et al. 1999) ---- */

/** ACK division: what one ACK says is said in small steps (RFC 3465 §2.3 is the defence). */
static void split_ack(struct link *l, struct frame *f)
{
    if (is_pure_ack(f) && prng_chance(&l->prng, l->cfg.split_ack_ppm)) {
        const uint32_t n = 1 + prng_below(&l->prng, SPOOF_ACKS_MAX);
        const uint32_t step = (uint32_t)prng_spread(&l->prng, 1, SPLIT_STEP_MAX);
        did(l, LINK_SPLIT_ACK);
        for (uint32_t i = n; i > 0; i--) {
            struct frame part = *f;
            packet_put32(part.bytes + f->v.l3_bytes + 8, f->v.ack - i * step);
            packet_repair(part.bytes);
            pass(l, &part);
        }
    }
    pass(l, f);
}

/** Duplicate-ACK spoofing: they must not inflate what may be sent. */
static void spoof_dupack(struct link *l, struct frame *f)
{
    if (is_pure_ack(f) && prng_chance(&l->prng, l->cfg.spoof_dupack_ppm)) {
        did(l, LINK_SPOOF_DUPACK);
        for (uint32_t i = 1 + prng_below(&l->prng, SPOOF_ACKS_MAX); i > 0; i--) {
            struct frame twin = *f;
            pass(l, &twin);
        }
    }
    pass(l, f);
}

/* ---- damage ---- */

/** Too large for the path (RFC 1191, RFC 8201): dropped, and perhaps told. */
static void drop_too_big(struct link *l, struct frame *f)
{
    if (l->cfg.mtu_bytes == 0 || f->n <= l->cfg.mtu_bytes) {
        pass(l, f);
        return;
    }
    did(l, LINK_MTU_DROP);
    if (!l->cfg.mtu_tells)
        return;
    uint8_t error[PACKET_BYTES_MAX];
    const uint8_t type = f->v.v6 ? ICMP6_TOO_BIG : ICMP_UNREACHABLE;
    const uint8_t code = f->v.v6 ? 0 : ICMP_FRAG_NEEDED;
    const uint32_t n = packet_icmp_error(f->bytes, &f->v, type, code, l->cfg.mtu_bytes, error);
    did(l, LINK_TOO_BIG);
    l->out(l->ctx, &(struct link_out){f->at_ns + l->cfg.delay_ns, true, false, error, n});
}

/** Flip a burst of bits under a checksum: behind the IPv6 header, anywhere with IPv4. */
static void corrupt(struct link *l, struct frame *f)
{
    if (prng_chance(&l->prng, l->cfg.corrupt_ppm)) {
        const uint32_t from = (f->v.v6 ? f->v.l3_bytes : 0) * 8;
        const uint32_t n_bits = 1 + prng_below(&l->prng, CORRUPT_BITS_MAX);
        const uint32_t at = from + prng_below(&l->prng, f->n * 8 - from - n_bits);
        for (uint32_t bit = at; bit < at + n_bits; bit++)
            if (bit == at || prng_percent(&l->prng, 50))
                f->bytes[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
        did(l, LINK_CORRUPT);
        f->forged = true;
    }
    pass(l, f);
}

static void tamper(struct link *l, struct frame *f)
{
    if (f->v.is_tcp && prng_chance(&l->prng, l->cfg.tamper_ppm)) {
        forge_tamper(&l->prng, f->bytes, &f->v);
        did(l, LINK_TAMPER);
    }
    pass(l, f);
}

/** A box on the path that grants what the receiver did not: the sender will overrun the window. */
static void inflate(struct link *l, struct frame *f)
{
    const bool has_window = f->v.is_tcp && !(f->v.flags & PACKET_RST);
    if (has_window && prng_chance(&l->prng, l->cfg.inflate_ppm)) {
        forge_inflate(&l->prng, f->bytes, &f->v);
        did(l, LINK_INFLATE);
    }
    pass(l, f);
}

static void truncate_or_pad(struct link *l, struct frame *f)
{
    if (prng_chance(&l->prng, l->cfg.truncate_ppm)) {
        f->n = prng_below(&l->prng, f->n);
        did(l, LINK_TRUNCATE);
    } else if (prng_chance(&l->prng, l->cfg.pad_ppm)) {
        const uint32_t n = 1 + prng_below(&l->prng, PAD_BYTES_MAX);
        for (uint32_t i = 0; i < n; i++)
            f->bytes[f->n++] = (uint8_t)prng_next(&l->prng);
        did(l, LINK_PAD);
    }
    pass(l, f);
}

static void duplicate(struct link *l, struct frame *f)
{
    if (prng_chance(&l->prng, l->cfg.duplicate_ppm)) {
        struct frame twin = *f;
        twin.at_ns += prng_next(&l->prng) % (l->cfg.delay_ns + 1);
        did(l, LINK_DUPLICATE);
        pass(l, &twin);
    }
    pass(l, f);
}

/* ---- time ---- */

static bool is_ect(const struct frame *f)
{
    return (f->v.tos & PACKET_ECN_MASK) != 0;
}

static void mark_ce(struct link *l, struct frame *f)
{
    if (f->v.v6) {
        f->bytes[1] |= PACKET_ECN_CE << 4;
    } else {
        /* As a router does (RFC 1624 §3): a packet that is damaged stays damaged. */
        const uint32_t before = packet_get16(f->bytes);
        f->bytes[1] |= PACKET_ECN_CE;
        uint32_t sum = (packet_get16(f->bytes + IP4_CSUM_OFF) ^ UINT16_MAX) + (before ^ UINT16_MAX)
                       + packet_get16(f->bytes);
        sum = (sum & UINT16_MAX) + (sum >> 16);
        sum = (sum & UINT16_MAX) + (sum >> 16);
        packet_put16(f->bytes + IP4_CSUM_OFF, sum ^ UINT16_MAX);
    }
    did(l, LINK_MARK_CE);
}

static void transmit(struct link *l, struct frame *f)
{
    const uint64_t rate = l->cfg.rate_bytes_per_s;
    if (rate == 0) {
        pass(l, f);
        return;
    }
    const uint64_t now_ns = f->at_ns;
    const uint64_t busy_ns = l->idle_at_ns > now_ns ? l->idle_at_ns - now_ns : 0;
    const uint64_t queued = busy_ns * (rate / 1000) / (NS_PER_S / 1000);
    if (l->cfg.mark_bytes != 0 && queued > l->cfg.mark_bytes && is_ect(f))
        mark_ce(l, f);
    if (l->cfg.queue_bytes != 0 && queued + f->n > l->cfg.queue_bytes) {
        did(l, LINK_TAIL_DROP);
        return;
    }
    l->idle_at_ns = now_ns + busy_ns + (uint64_t)f->n * NS_PER_S / rate;
    f->at_ns = l->idle_at_ns;
    pass(l, f);
}

/** From time to time nothing leaves for a while, and then everything at once. */
static void hold_in_pause(struct link *l, struct frame *f)
{
    if (l->cfg.pause_every_ns != 0) {
        const uint64_t phase_ns = f->at_ns % l->cfg.pause_every_ns;
        if (phase_ns < l->cfg.pause_for_ns) {
            f->at_ns += l->cfg.pause_for_ns - phase_ns;
            did(l, LINK_PAUSE);
        }
    }
    pass(l, f);
}

static void take_time(struct link *l, struct frame *f)
{
    f->at_ns += l->cfg.delay_ns;
    if (l->cfg.jitter_ns != 0) {
        f->at_ns += prng_next(&l->prng) % (l->cfg.jitter_ns + 1);
        did(l, LINK_JITTER);
        if (l->cfg.jitter_keeps_order && f->at_ns < l->last_at_ns)
            f->at_ns = l->last_at_ns;
        l->last_at_ns = f->at_ns;
    }
    pass(l, f);
}

static void hold_back(struct link *l, struct frame *f)
{
    if (prng_chance(&l->prng, l->cfg.reorder_ppm)) {
        f->at_ns += 1 + prng_next(&l->prng) % (l->cfg.reorder_ns + 1);
        did(l, LINK_REORDER);
    }
    pass(l, f);
}

static void arrive(struct link *l, struct frame *f)
{
    l->out(l->ctx, &(struct link_out){f->at_ns, false, f->forged, f->bytes, f->n});
}

/* ---- the chain ---- */

static stage_fn *const bad_link[] = {forge, split_ack, spoof_dupack, lose, lose_burst, lose_syn,
    lose_ack, lose_nth, drop_too_big, tamper, inflate, corrupt, truncate_or_pad, duplicate,
    transmit, hold_in_pause, take_time, hold_back, arrive};
static stage_fn *const good_link[] = {transmit, take_time, arrive};

static void pass(struct link *l, struct frame *f)
{
    (l->healed ? good_link : bad_link)[f->stage++](l, f);
}

void link_init(struct link *l, const struct link_config *cfg, uint64_t seed, uint64_t stream)
{
    *l = (struct link){.cfg = *cfg, .prng = prng_make(seed, stream)};
}

void link_heal(struct link *l)
{
    l->healed = true;
    l->cfg.queue_bytes = l->cfg.mark_bytes = 0;
    l->cfg.jitter_ns = 0;
}

void link_send(struct link *l, uint64_t now_ns, const uint8_t *bytes, uint32_t n)
{
    struct frame f; /* not cleared: it is large */
    f.at_ns = now_ns;
    f.stage = 0;
    f.n = n;
    f.forged = f.late = false;
    if (n < IP4_MIN_BYTES || n > PACKET_BYTES_MAX - PAD_BYTES_MAX || !packet_read(bytes, n, &f.v))
        return;
    memcpy(f.bytes, bytes, n);
    l->n_packets++;
    pass(l, &f);
}
