/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * NewReno (RFC 5681, RFC 6582), counted in bytes (RFC 3465): doubling a round trip up to ssthresh,
 * one segment a round trip from there on, half of what was in flight on a loss.
 *
 *   cwnd        /|      /|
 *             /  |    /  |       slope: 1 MSS a round trip
 *    ssthresh    |  /    |  /
 *          /     |/      |/      on a loss: half
 *         /
 *
 * What makes it *New* Reno, to stay in recovery until all that was in flight is acknowledged, is
 * recovery.c's and shared by all.
 */

static void nothing(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    (void)t;
    (void)c;
    (void)g;
}

static void acked(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    const uint32_t beyond = tern_cc_slow_start(t, c, g->ssthresh_bytes, a->acked_bytes);
    if (beyond > 0)
        tern_cc_linear(t, c, g, beyond);
}

static uint32_t reduced(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, enum tern_cc_cause cause)
{
    (void)g;
    (void)cause;                     /* RFC 3168 §6.1.2: ECE as a loss (3168-4) */
    return tern_cc_flight(t, c) / 2; /* RFC 5681 §3.1 (4), §3.2 step 2 */
}

const struct tern_cc tern_cc_newreno = {
    .name = "newreno",
    .start = nothing,
    .acked = acked,
    .reduced = reduced,
    .undone = nothing,
    .restarted = nothing,
};
