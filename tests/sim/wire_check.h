/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What must hold for every packet that the library emits, judged by the packets alone (and the
 * configuration of both ends): well formed, within what the peer advertised, contiguous, the bytes
 * that the application wrote, options as negotiated, nothing behind a FIN, windows that never
 * shrink.
 */
#include <stdbool.h>
#include <stdint.h>

enum { WIRE_FLOWS = 64, WIRE_ISS_MAX = 8 };

struct sim;
struct tern_packet_view;

/** One end of a connection as its packets show it. */
struct wire_end {
    bool syn, offered_ts, offered_sack, offered_wscale, started, fin, has_edge, has_ack, acked_syn;
    uint8_t wscale, n_iss;
    uint16_t mss;               /* announced */
    uint32_t iss[WIRE_ISS_MAX]; /* under SYN cookies every SYN-ACK has its own */
    uint32_t base;              /* the one that counted */
    uint32_t nxt, fin_seq;      /* end of what was sent; where the FIN is */
    uint32_t edge, ack, ts_val; /* right edge and acknowledgement, furthest; last timestamp */
    bool has_ts_val;
    uint8_t n_forged;                  /* answers to SYNs that the peer did not send, so far … */
    uint32_t forged_ack[WIRE_ISS_MAX]; /* … and what they acknowledge */
};

struct wire_check {
    struct wire_end end[WIRE_FLOWS][2];
    bool ghost[WIRE_FLOWS][2]; /* this end is a connection that nobody opened */
};

/** Judge a packet that host `from` emits; what is wrong goes to sim_fail(). */
void wire_check_packet(struct sim *s, uint8_t from, const uint8_t *bytes, uint32_t n);
/** Which conversation the ports belong to, or -1. */
int wire_flow_of(uint16_t sport, uint16_t dport);
