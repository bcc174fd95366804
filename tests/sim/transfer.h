/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* One bulk transfer over one bottleneck, in virtual time. golden.c asks for many of them. */
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TRANSFER_RATE_BYTES_PER_S = 12500000, /* of the bottleneck, IP headers included: 100 Mbit/s */
    TRANSFER_MTU_BYTES = 1500,
    TRANSFER_SEGMENT_BYTES = TRANSFER_MTU_BYTES - 52, /* IPv4, TCP, timestamps */
};

/** What a cell of the matrix stands for, and the seed of its losses. */
struct transfer_plan {
    uint32_t loss_ppm;  /* of packets, each direction by itself */
    uint32_t rtt_ms;    /* propagation, both ways */
    uint32_t buf_bytes; /* of the sender's queue and of the receiver */
    enum tern_cc_kind cc;
    bool sack, ecn; /* ecn: both ends speak it, and the bottleneck marks */
    uint64_t seed;
    FILE *trace; /* or NULL: a line a packet */
};

/** What was seen while it was measured: behind the warm-up. */
struct transfer_result {
    uint64_t goodput_bytes_per_s; /* delivered to the application, in order */
    uint32_t segments, retransmits, timeouts;
    uint64_t measured_ms;
    uint64_t silence_ms; /* the longest time without a byte for the application */
};

/** The queue of the bottleneck: a bandwidth-delay product, not less than 64 packets. */
uint32_t transfer_queue_bytes(uint32_t rtt_ms);

/** Run it. tern_embed_start() has been called. @return false: it did not get going, and why was
 * said */
bool transfer_run(const struct transfer_plan *plan, struct transfer_result *out);
