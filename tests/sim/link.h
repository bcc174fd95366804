/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One direction of a bad network: a packet and the time it enters in, packets and the times they
 * come out out. A pure function of configuration, seed and what entered before; no timer, no
 * memory but a few words, and nothing known of who sends and who receives. So it also serves in
 * front of a real network interface.
 */
#include "prng.h"

#include <stdbool.h>
#include <stdint.h>

/** What a link does to a packet; each is counted. X(NAME, "name") */
// clang-format off
#define LINK_FAULT_LIST(X) \
    X(LOSS,          "loss") \
    X(BURST_LOSS,    "burst_loss") \
    X(SYN_LOSS,      "syn_loss") \
    X(ACK_LOSS,      "ack_loss") \
    X(NTH_LOSS,      "nth_loss") \
    X(TAIL_DROP,     "tail_drop") \
    X(MTU_DROP,      "mtu_drop") \
    X(TOO_BIG,       "icmp_too_big") \
    X(CORRUPT,       "corrupt") \
    X(TAMPER,        "tamper") \
    X(INFLATE,       "inflate") \
    X(TRUNCATE,      "truncate") \
    X(PAD,           "pad") \
    X(DUPLICATE,     "duplicate") \
    X(REORDER,       "reorder") \
    X(JITTER,        "jitter") \
    X(PAUSE,         "pause") \
    X(MARK_CE,       "mark_ce") \
    X(FORGE_RST,     "forge_rst") \
    X(FORGE_SYN,     "forge_syn") \
    X(FORGE_ACK,     "forge_ack") \
    X(FORGE_ICMP,    "forge_icmp") \
    X(SPLIT_ACK,     "split_ack") \
    X(SPOOF_DUPACK,  "spoof_dupack")
// clang-format on
#define LINK_FAULT_ENUM(name, text) LINK_##name,
enum link_fault { LINK_FAULT_LIST(LINK_FAULT_ENUM) LINK_FAULT_COUNT };
#undef LINK_FAULT_ENUM

/** "loss", … */
const char *link_fault_name(enum link_fault f);

/** Zero is off everywhere. ppm: chance a packet in a million. */
struct link_config {
    uint64_t delay_ns;
    uint64_t jitter_ns; /**< added, 0..jitter_ns */
    bool jitter_keeps_order;
    uint64_t rate_bytes_per_s;
    uint32_t queue_bytes; /**< drop-tail; with a rate only; 0: endless */
    uint32_t mark_bytes;  /**< queue above which ECT packets are marked instead of dropped */

    uint32_t loss_ppm;
    uint32_t burst_begin_ppm, burst_end_ppm, burst_loss_ppm; /**< Gilbert-Elliott */
    uint32_t syn_loss_ppm, ack_loss_ppm;                     /**< SYNs; segments without payload */
    uint32_t nth_loss;                                       /**< every nth packet */

    uint32_t duplicate_ppm;
    uint32_t reorder_ppm;
    uint64_t reorder_ns;              /**< held back by up to this much */
    uint32_t corrupt_ppm, tamper_ppm; /**< wrong checksum; header fields changed, checksum right */
    uint32_t inflate_ppm;             /**< the window field says more than the receiver granted */
    uint32_t truncate_ppm, pad_ppm;
    uint32_t mtu_bytes;
    bool mtu_tells; /**< ICMP too big goes back */
    uint64_t pause_every_ns, pause_for_ns;

    uint32_t forge_rst_ppm, forge_syn_ppm, forge_ack_ppm, forge_icmp_ppm;
    uint32_t split_ack_ppm, spoof_dupack_ppm; /**< a receiver that wants more than its share */
};

/** How a packet comes out. */
struct link_out {
    uint64_t at_ns;
    bool back;   /**< at the end it came in from (ICMP) */
    bool forged; /**< nobody sent it */
    const uint8_t *bytes;
    uint32_t n;
};

/** Called for everything that comes out, and for everything that does not (out NULL). */
typedef void link_out_fn(void *ctx, const struct link_out *out);
/** For a time-line: what was done. May be NULL. */
typedef void link_note_fn(void *ctx, enum link_fault what);

struct link {
    struct link_config cfg;
    struct prng prng;
    link_out_fn *out;
    link_note_fn *note;
    void *ctx;
    uint64_t idle_at_ns; /* when the transmitter has sent all that is queued */
    uint64_t last_at_ns; /* latest arrival given out, for jitter that keeps order */
    uint64_t n_packets;
    bool in_burst, healed;
    uint64_t counts[LINK_FAULT_COUNT];
};

void link_init(struct link *l, const struct link_config *cfg, uint64_t seed, uint64_t stream);

/** A packet enters; `out` is called 0.. times before this returns. n <= PACKET_BYTES_MAX */
void link_send(struct link *l, uint64_t now_ns, const uint8_t *bytes, uint32_t n);

/** From now on it is a good link: delay, and rate with an endless queue. */
void link_heal(struct link *l);

/* forge.c: packets that a third party makes up who sees, or guesses, what passes */
struct packet_view;
/** @return its length, 0: none for this packet. *back: it goes to the sender */
uint32_t forge_rst(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out);
uint32_t forge_syn(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out);
uint32_t forge_ack(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out);
uint32_t forge_icmp(struct prng *p, const uint8_t *at, const struct packet_view *v, uint8_t *out);
/** Raise the window field, and make the checksum right again. */
void forge_inflate(struct prng *p, uint8_t *at, const struct packet_view *v);
/** Change one header field and make the checksum right again. */
void forge_tamper(struct prng *p, uint8_t *at, const struct packet_view *v);
