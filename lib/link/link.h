/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One direction of a bad network: a packet and the time it enters in, packets and the times they
 * come out out. A pure function of configuration, seed and what entered before; no timer, no
 * memory but a few words, and nothing known of who sends and who receives. So the simulator runs on
 * it in virtual time, and an engine that impairs a real device (engine/impair.h) in the machine's.
 *
 * What is done to a packet is a chain of nodes (node.h). Those of a network are here; those of an
 * attacker, or of a receiver that cheats, are the simulator's own (tests/sim/hostile.c).
 */
#include "prng.h"

#include <stdbool.h>
#include <stdint.h>

/** What a link does to a packet; each is counted. X(NAME, "name") */
// clang-format off
#define TERN_LINK_FAULT_LIST(X) \
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
#define TERN_LINK_FAULT_ENUM(name, text) TERN_LINK_##name,
enum tern_link_fault { TERN_LINK_FAULT_LIST(TERN_LINK_FAULT_ENUM) TERN_LINK_FAULT_COUNT };
#undef TERN_LINK_FAULT_ENUM

/** "loss", … */
const char *tern_link_fault_name(enum tern_link_fault f);

enum { TERN_LINK_BYTES_MAX = 9682 /* of a packet, so that a node may pad it */ };

/** Zero is off everywhere. ppm: chance a packet in a million. */
struct tern_link_config {
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
struct tern_link_out {
    uint64_t at_ns;
    bool back;            /**< at the end it came in from (ICMP) */
    bool forged;          /**< nobody sent it, or not like this */
    const uint8_t *bytes; /**< the very bytes that entered, where nothing has changed them */
    uint32_t n;
};

/** Called for everything that comes out, and for everything that does not (out NULL). */
typedef void tern_link_out_fn(void *ctx, const struct tern_link_out *out);
/** For a time-line: what was done. May be NULL. */
typedef void tern_link_note_fn(void *ctx, enum tern_link_fault what);

struct tern_link;
struct tern_link_frame;
/** What one node does: look at the packet and pass it on, changed, later, twice or not at all. */
typedef void tern_link_node(struct tern_link *l, struct tern_link_frame *f);

/** Nodes in the order in which packets meet them; the last one is tern_link_arrive. */
typedef tern_link_node *const *tern_link_chain;

/** All that a network does. */
extern tern_link_node *const tern_link_network[];

struct tern_link {
    struct tern_link_config cfg;
    tern_link_chain chain;
    struct tern_prng prng;
    tern_link_out_fn *out;
    tern_link_note_fn *note;
    void *ctx;
    uint64_t idle_at_ns; /* when the transmitter has sent all that is queued */
    uint64_t last_at_ns; /* latest arrival given out, for jitter that keeps order */
    uint64_t n_packets;
    bool in_burst;
    uint64_t counts[TERN_LINK_FAULT_COUNT];
};

/** @param chain  tern_link_network, or one with nodes of the caller's */
void tern_link_init(struct tern_link *l, const struct tern_link_config *cfg, tern_link_chain chain,
    uint64_t seed, uint64_t stream);

/**
 * A packet enters; `out` is called 0.. times before this returns.
 *
 * @param bytes  [n] from the IP header on
 * @return       false: it is no well-formed IPv4 or IPv6 packet of up to TERN_LINK_BYTES_MAX, and
 *               nothing was done with it
 */
bool tern_link_enter(struct tern_link *l, uint64_t now_ns, const uint8_t *bytes, uint32_t n);

/** The same for what is no packet, an ARP message: lost, doubled and late like others, never
 * changed. */
void tern_link_enter_other(struct tern_link *l, uint64_t now_ns, const uint8_t *bytes, uint32_t n);

/** From now on it is a good link: delay, and rate with an endless queue. */
void tern_link_heal(struct tern_link *l);
