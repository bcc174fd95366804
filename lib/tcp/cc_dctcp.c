/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

/*
 * DCTCP (RFC 8257): how much of a window was marked says how far the queue has grown, so the window
 * is reduced by that much, not by half. For networks whose switches mark early; elsewhere it is
 * NewReno, which it is in all but its answer to ECE.
 *
 *   M     = bytes marked / bytes acknowledged, over one window
 *   alpha = alpha + (M - alpha) / 16                                   (§3.3)
 *   cwnd  = cwnd · (1 - alpha / 2), at most once a window, on ECE      (§3.4)
 *
 * The receiving side, which reports each change of the mark at once (§3.2), is part of ECN.
 */
enum {
    ALPHA_SHIFT = 20,
    ALPHA_ONE = 1 << ALPHA_SHIFT, /* alpha is a fixed-point fraction: 1.0 */
    GAIN_SHIFT = 4,               /* g = 1/16 (§4.2) */
};

static void start(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    (void)t;
    /* §3.3 step: alpha starts at 1, as careful as NewReno until more is known. */
    g->dctcp = (struct tern_dctcp){.alpha = ALPHA_ONE, .window_end = c->snd.nxt};
}

static void nothing(struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g)
{
    (void)t;
    (void)c;
    (void)g;
}

/** The window is over: what fraction of it was marked. */
static void update_alpha(struct tern_dctcp *d)
{
    const uint64_t marked = ((uint64_t)d->marked_bytes << ALPHA_SHIFT) / d->acked_bytes;
    d->alpha = d->alpha - (d->alpha >> GAIN_SHIFT) + (uint32_t)(marked >> GAIN_SHIFT);
}

static void seen(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    (void)t;
    struct tern_dctcp *d = &g->dctcp;
    d->acked_bytes += a->acked_bytes;
    if (a->ece)
        d->marked_bytes += a->acked_bytes;
    if (d->acked_bytes == 0 || tern_seq_before(c->snd.una, d->window_end))
        return;
    update_alpha(d);
    d->acked_bytes = d->marked_bytes = 0;
    d->window_end = c->snd.nxt;
}

static void acked(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, const struct tern_ack *a)
{
    tern_cc_newreno.acked(t, c, g, a); /* §3.4: grows as TCP does */
}

static uint32_t reduced(
    struct tern_tcp *t, struct tern_conn *c, struct tern_cong *g, enum tern_cc_cause cause)
{
    const uint32_t flight = tern_cc_flight(t, c);
    if (cause != TERN_CAUSE_ECE) /* §3.5: losses as in RFC 5681 */
        return flight / 2;
    return flight - (uint32_t)((uint64_t)flight * g->dctcp.alpha >> (ALPHA_SHIFT + 1));
}

const struct tern_cc tern_cc_dctcp = {
    .name = "dctcp",
    .wants_ecn = true,
    .start = start,
    .seen = seen,
    .acked = acked,
    .reduced = reduced,
    .undone = nothing,
    .restarted = nothing,
};
