/* SPDX-License-Identifier: BSD-3-Clause */
#include "mix.h"

/*
 * Swarm testing (Groce et al. 2012): a run that has every fault at once mostly tests the loudest of
 * them. So each kind is on in a fraction of the seeds only; a third of the seeds have one or two
 * kinds, and some have none at all and must be perfect.
 */
#include <stddef.h>
#include <string.h>

enum {
    MS = 1000000, /* ns */
    SECOND = 1000 * MS,
};

#define NAME(name, text) [MIX_##name] = text,
static const char *const fault_names[MIX_FAULT_COUNT] = {MIX_FAULT_LIST(NAME)};
#undef NAME

const char *mix_fault_name(enum mix_fault f)
{
    return fault_names[f];
}

enum mix_fault mix_fault_by_name(const char *name)
{
    int f = 0;
    while (f < MIX_FAULT_COUNT && strcmp(fault_names[f], name) != 0)
        f++;
    return (enum mix_fault)f;
}

/** These change what the whole run can promise, so they are rarer than the others. */
static const uint64_t grave = 1ull << MIX_TAMPER | 1ull << MIX_DEATH | 1ull << MIX_TIMEOUT;

static uint64_t draw_faults(struct tern_prng *p)
{
    const uint32_t style = tern_prng_below(p, 100);
    uint64_t faults = 0;
    if (style < 5) /* none */
        return 0;
    if (style < 35) { /* one, or two */
        faults |= 1ull << tern_prng_below(p, MIX_FAULT_COUNT);
        if (tern_prng_percent(p, 50))
            faults |= 1ull << tern_prng_below(p, MIX_FAULT_COUNT);
        return faults;
    }
    const uint32_t percent = (uint32_t)tern_prng_between(p, 8, 45);
    for (int f = 0; f < MIX_FAULT_COUNT; f++) {
        const uint32_t chance = grave >> f & 1 ? percent / 5 : percent;
        faults |= (uint64_t)tern_prng_percent(p, chance) << f;
    }
    return faults;
}

/* ---- links ---- */

/** A chance that is low for the most part, and never so high that nothing comes through. */
static uint32_t draw_ppm(struct tern_prng *p, uint32_t percent_max)
{
    return (uint32_t)tern_prng_spread(p, 1000, percent_max * 10000ull);
}

static void draw_loss(struct mix *m, struct tern_prng *p, struct tern_link_config *c)
{
    if (mix_has(m, MIX_LOSS))
        c->loss_ppm = draw_ppm(p, 30);
    if (mix_has(m, MIX_BURST)) {
        c->burst_begin_ppm = draw_ppm(p, 5);
        c->burst_end_ppm = (uint32_t)tern_prng_between(p, 5, 60) * 10000;
        c->burst_loss_ppm = (uint32_t)tern_prng_between(p, 40, 100) * 10000;
    }
    if (mix_has(m, MIX_SYN_LOSS))
        c->syn_loss_ppm = draw_ppm(p, 80);
    if (mix_has(m, MIX_ACK_LOSS))
        c->ack_loss_ppm = draw_ppm(p, 60);
    if (mix_has(m, MIX_NTH))
        c->nth_loss = (uint32_t)tern_prng_spread(p, 3, 200);
}

static void draw_damage(struct mix *m, struct tern_prng *p, struct tern_link_config *c)
{
    if (mix_has(m, MIX_CORRUPT))
        c->corrupt_ppm = draw_ppm(p, 10);
    if (mix_has(m, MIX_TAMPER))
        c->tamper_ppm = draw_ppm(p, 20);
    if (mix_has(m, MIX_INFLATE))
        c->inflate_ppm = draw_ppm(p, 80);
    if (mix_has(m, MIX_TRUNCATE)) {
        c->truncate_ppm = draw_ppm(p, 10);
        c->pad_ppm = draw_ppm(p, 50);
    }
    if (mix_has(m, MIX_MTU)) {
        c->mtu_bytes =
            (uint32_t)(m->v6 ? tern_prng_between(p, 1280, 1500) : tern_prng_between(p, 576, 1500));
        c->mtu_tells = tern_prng_percent(p, 80);
    }
}

static void draw_order(struct mix *m, struct tern_prng *p, struct tern_link_config *c)
{
    if (mix_has(m, MIX_DUPLICATE))
        c->duplicate_ppm = draw_ppm(p, 40);
    if (mix_has(m, MIX_REORDER)) {
        c->reorder_ppm = draw_ppm(p, 40);
        c->reorder_ns = tern_prng_spread(p, MS / 10, 4 * c->delay_ns + 20 * MS);
    }
    if (mix_has(m, MIX_JITTER)) {
        c->jitter_ns = tern_prng_spread(p, MS / 100, 2 * c->delay_ns + MS);
        c->jitter_keeps_order = tern_prng_percent(p, 50);
    }
    if (mix_has(m, MIX_PAUSE)) {
        c->pause_every_ns = tern_prng_spread(p, 100 * MS, 8ull * SECOND);
        c->pause_for_ns = tern_prng_between(p, MS, c->pause_every_ns / 2);
    }
}

static void draw_rate(struct mix *m, struct tern_prng *p, struct tern_link_config *c)
{
    const bool queue = mix_has(m, MIX_QUEUE) || mix_has(m, MIX_ECN);
    if (!queue && tern_prng_percent(p, 60))
        return;
    c->rate_bytes_per_s = tern_prng_spread(p, 50000, 125000000);
    if (mix_has(m, MIX_QUEUE)) /* at least one packet of any size */
        c->queue_bytes = (uint32_t)tern_prng_spread(p, 10000, 200000);
    if (mix_has(m, MIX_ECN))
        c->mark_bytes = (uint32_t)tern_prng_spread(p, 2000, 50000);
}

static void draw_forgeries(struct mix *m, struct tern_prng *p, struct tern_link_config *c)
{
    if (mix_has(m, MIX_FORGE_RST))
        c->forge_rst_ppm = draw_ppm(p, 30);
    if (mix_has(m, MIX_FORGE_SYN))
        c->forge_syn_ppm = draw_ppm(p, 30);
    if (mix_has(m, MIX_FORGE_ACK))
        c->forge_ack_ppm = draw_ppm(p, 30);
    if (mix_has(m, MIX_FORGE_ICMP))
        c->forge_icmp_ppm = draw_ppm(p, 30);
}

static void draw_greed(struct mix *m, struct tern_prng *p, struct tern_link_config *c)
{
    if (mix_has(m, MIX_SPLIT_ACK))
        c->split_ack_ppm = draw_ppm(p, 100);
    if (mix_has(m, MIX_SPOOF_DUPACK))
        c->spoof_dupack_ppm = draw_ppm(p, 100);
}

/** A link that is good both ways says little; one that is bad one way only is common. */
static void draw_link(
    struct mix *m, struct tern_prng *p, struct tern_link_config *c, uint64_t delay_ns)
{
    *c = (struct tern_link_config){.delay_ns = delay_ns};
    draw_rate(m, p, c);
    if (tern_prng_percent(p, 15))
        return;
    draw_loss(m, p, c);
    draw_damage(m, p, c);
    draw_order(m, p, c);
    draw_forgeries(m, p, c);
    draw_greed(m, p, c);
}

static void draw_links(struct mix *m, struct tern_prng *p)
{
    const uint64_t delay_ns = tern_prng_spread(p, 10000, 200 * MS);
    draw_link(m, p, &m->link[0], delay_ns);
    draw_link(m, p, &m->link[1], tern_prng_percent(p, 70) ? delay_ns : delay_ns / 4 + 1);
}

/* ---- hosts ---- */

static void draw_host(struct mix *m, struct tern_prng *p, struct host_plan *h)
{
    h->advances_first = tern_prng_percent(p, 50);
    if (mix_has(m, MIX_LATE))
        h->late_ns = tern_prng_spread(p, MS / 10, 2ull * SECOND);
    if (mix_has(m, MIX_STEAL)) {
        h->steal_every_ns = tern_prng_spread(p, 50 * MS, 4ull * SECOND);
        h->steal_for_ns = tern_prng_between(p, MS, h->steal_every_ns / 2);
    }
    if (mix_has(m, MIX_TX_STALL)) {
        h->tx_stall_every_ns = tern_prng_spread(p, 10 * MS, 2ull * SECOND);
        h->tx_stall_for_ns = tern_prng_between(p, MS / 10, h->tx_stall_every_ns / 2);
    }
}

static void draw_clock(struct mix *m, struct tern_prng *p)
{
    m->faults_end_ns = tern_prng_spread(p, 50 * MS, 12ull * SECOND);
    if (mix_has(m, MIX_JUMP)) {
        m->jump_at_ns = tern_prng_between(p, 1, m->faults_end_ns);
        m->jump_ns = tern_prng_spread(p, SECOND, (1ull << 33) * MS); /* to past 2^32 ms */
    }
    if (mix_has(m, MIX_DEATH)) {
        m->death_at_ns = tern_prng_between(p, 1, m->faults_end_ns);
        m->dies = (uint8_t)tern_prng_below(p, 2);
    }
}

void mix_draw(struct mix *m, uint64_t seed, uint64_t only, uint64_t must)
{
    memset(m, 0, sizeof *m);
    m->seed = seed;
    struct tern_prng faults = tern_prng_make(seed, STREAM_FAULTS),
                     hosts = tern_prng_make(seed, STREAM_HOSTS);
    m->v6 = tern_prng_percent(&faults, 50);
    m->faults = (draw_faults(&faults) & only) | must;
    draw_links(m, &faults);
    draw_clock(m, &faults);
    for (int h = 0; h < 2; h++)
        draw_host(m, &hosts, &m->host[h]);
    struct tern_prng n_flows = tern_prng_make(seed, STREAM_FLOWS);
    m->n_flows = tern_prng_percent(&n_flows, 60)
                     ? 1 + tern_prng_below(&n_flows, 3)
                     : (uint32_t)tern_prng_spread(&n_flows, 1, FLOWS_MAX);
    for (int h = 0; h < 2; h++)
        mix_draw_config(m, h);
    mix_draw_flows(m);
}
