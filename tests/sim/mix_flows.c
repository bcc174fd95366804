/* SPDX-License-Identifier: BSD-3-Clause */
#include "mix.h"

/* Conversations: how many bytes which way, in what order, how fast, and how each end leaves. */
#include <stddef.h>

enum {
    MS = 1000000,
    SECOND = 1000 * MS,
    PACKETS_MAX = 1500,      /* full segments a run carries, by and large */
    BYTES_MAX = 400000,      /* payload a run carries, by and large */
    KEEPALIVE_MS_MAX = 4000, /* where a silent peer must be noticed */
    KEEPALIVE_MS_CALM = 30000,
    USER_TIMEOUT_MS_MAX = 20000,
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/** Payload this run may carry, so that every run costs about the same. */
static uint32_t budget(const struct mix *m)
{
    uint32_t segment = 1400;
    for (int h = 0; h < 2; h++) {
        const struct tern_stack_config *c = &m->cfg[h].stack;
        const uint32_t mss = c->mss_max != 0 ? c->mss_max : c->mtu_bytes;
        segment = least(segment, least(mss, c->rcv_buf_bytes / 2));
    }
    segment = segment > 24 ? segment - 12 : 12;
    return least(BYTES_MAX, PACKETS_MAX * segment);
}

static void draw_messages(struct tern_prng *p, struct flow_plan *f, uint32_t bytes_max)
{
    f->n_messages = 1 + tern_prng_below(p, MESSAGES_MAX);
    for (uint32_t i = 0; i < f->n_messages; i++)
        for (int d = 0; d < 2; d++) {
            f->message[d][i] =
                (uint32_t)tern_prng_spread(p, 1, bytes_max / (2 * f->n_messages) + 1);
            f->total[d] += f->message[d][i];
        }
}

static void draw_bytes(struct tern_prng *p, struct flow_plan *f, uint32_t bytes_max)
{
    const uint32_t shape = tern_prng_below(p, 100);
    if (shape < 5)
        return; /* opened and closed */
    if (shape < 45) {
        draw_messages(p, f, bytes_max);
        return;
    }
    f->total[tern_prng_below(p, 2)] = (uint32_t)tern_prng_spread(p, 1, bytes_max);
    if (shape < 65)
        f->total[tern_prng_below(p, 2)] = (uint32_t)tern_prng_spread(p, 1, bytes_max);
}

static void draw_pace(
    const struct mix *m, struct tern_prng *p, struct flow_plan *f, struct end_plan *e)
{
    const uint32_t bytes = f->total[0] + f->total[1] + 1;
    if (mix_has(m, MIX_SLOW_READ) && tern_prng_percent(p, 60)) {
        e->read_chunk = (uint32_t)tern_prng_spread(p, bytes / 100 + 1, bytes);
        e->read_every_ns = tern_prng_spread(p, MS, 2ull * SECOND);
    }
    if (mix_has(m, MIX_SLOW_WRITE) && tern_prng_percent(p, 60)) {
        e->write_chunk = (uint32_t)tern_prng_spread(p, bytes / 100 + 1, bytes);
        e->write_every_ns = tern_prng_spread(p, MS, 6ull * SECOND); /* long enough to be probed */
    }
    if (tern_prng_percent(p, 25))
        e->write_chunk = (uint32_t)tern_prng_spread(p, bytes / 200 + 1, bytes);
    if (tern_prng_percent(p, 25))
        e->read_chunk = (uint32_t)tern_prng_spread(p, bytes / 200 + 1, bytes);
    e->toggles = tern_prng_percent(p, 20);
}

static void draw_leave(const struct mix *m, struct tern_prng *p, struct flow_plan *f, int end)
{
    struct end_plan *e = &f->end[end];
    if (mix_has(m, MIX_ABORT) && tern_prng_percent(p, 30)) {
        e->leave = tern_prng_percent(p, 50) ? LEAVE_ABORT : LEAVE_UNREAD;
        e->leave_after = tern_prng_below(p, f->total[0] + f->total[1] + 1);
        f->may_fail = true;
    } else if (f->total[!end] == 0 && tern_prng_percent(p, 50)) {
        e->leave = LEAVE_CLOSE;
    }
}

/** Nothing is lost, nothing stops for long: nine probes cannot all be in vain. */
static bool is_calm(const struct mix *m)
{
    const uint64_t calm = 1ull << MIX_JITTER | 1ull << MIX_SLOW_READ | 1ull << MIX_SLOW_WRITE
                          | 1ull << MIX_DUPLICATE | 1ull << MIX_REORDER | 1ull << MIX_ABORT
                          | 1ull << MIX_ECN | 1ull << MIX_LATE | 1ull << MIX_NTH;
    return (m->faults & ~calm) == 0;
}

/** An end that may be left alone must be able to notice: probes, and a limit to its patience. */
static void draw_patience(const struct mix *m, struct tern_prng *p, struct flow_plan *f)
{
    const bool leaves = mix_has(m, MIX_DEATH) || mix_has(m, MIX_TIMEOUT);
    f->may_fail |= leaves || mix_has(m, MIX_TAMPER);
    for (int end = 0; end < 2; end++) {
        struct end_plan *e = &f->end[end];
        if (f->may_fail || (is_calm(m) && tern_prng_percent(p, 40)))
            e->keepalive_ms = (uint32_t)tern_prng_spread(p, 300, KEEPALIVE_MS_MAX);
        else if (tern_prng_percent(
                     p, 15)) /* not so soon that a bad link would look like a dead peer */
            e->keepalive_ms =
                (uint32_t)tern_prng_spread(p, KEEPALIVE_MS_CALM, 4 * KEEPALIVE_MS_CALM);
        if (leaves)
            e->user_timeout_ms = (uint32_t)tern_prng_spread(p, 1000, USER_TIMEOUT_MS_MAX);
    }
}

static void draw_flow(
    const struct mix *m, struct tern_prng *p, struct flow_plan *f, uint32_t bytes_max)
{
    f->start_ns = tern_prng_percent(p, 50) ? 0 : tern_prng_spread(p, 1, SECOND);
    f->opener = (uint8_t)tern_prng_below(p, 2);
    /* Whoever is refused for want of a record tries again, which crossed SYNs do not survive. */
    if (tern_prng_percent(p, 10) && !mix_has(m, MIX_SMALL_TABLES))
        f->opener = 2;
    draw_bytes(p, f, bytes_max);
    for (int end = 0; end < 2; end++) {
        draw_pace(m, p, f, &f->end[end]);
        draw_leave(m, p, f, end);
    }
    draw_patience(m, p, f);
}

void mix_draw_flows(struct mix *m)
{
    struct tern_prng p = tern_prng_make(m->seed, STREAM_FLOWS);
    (void)tern_prng_next(&p);
    const uint32_t each = budget(m) / m->n_flows + 1;
    for (uint32_t i = 0; i < m->n_flows; i++)
        draw_flow(m, &p, &m->flow[i], each);
}
