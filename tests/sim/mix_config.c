/* SPDX-License-Identifier: BSD-3-Clause */
#include "mix.h"

/*
 * One endpoint's configuration. An option is one line: how often it is other than the default, and
 * from what range then. Half of all draws keep the default, so that what is usual is well tested,
 * too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    MBUF_BYTES = 2048,
    MBUFS_SPARE = 256,          /* in flight inside the instance, headers, control packets */
    MBUFS_A_FLOW = 64 + 16,     /* pieces a gap may hold, and what is being sent */
    MBUFS_BYTES_MAX = 24 * MIB, /* of both pools together, by and large: filling them costs time */
    USER_TIMEOUT_MS = 86400000,
    SYN_TIMEOUT_MS = 3600000,
    TIMEOUT_MS_MAX = 60000, /* of both, where a peer may be gone */
    ISN_NEAR_WRAP = 100000,
};

typedef struct tern_prng *die;

static uint32_t one_of(die p, const uint32_t *values, uint32_t n)
{
    return values[tern_prng_below(p, n)];
}
#define ONE_OF(p, ...)                                                                             \
    one_of((p), (const uint32_t[]){__VA_ARGS__},                                                   \
        sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void draw_sizes(const struct mix *m, die p, struct tern_stack_config *c)
{
    if (tern_prng_percent(p, 60))
        c->mtu_bytes = (uint16_t)ONE_OF(p, 1500, 1500, 1280, 1492, 4352, 9000);
    if (tern_prng_percent(p, 15))
        c->mtu_bytes = (uint16_t)tern_prng_spread(p, 576, 9000);
    if (m->v6 && c->mtu_bytes < 1280)
        c->mtu_bytes = 1280;
    if (tern_prng_percent(p, 30))
        c->mss_max = (uint16_t)tern_prng_spread(p, 64, 8960);
    if (tern_prng_percent(p, 70))
        c->rcv_buf_bytes = (uint32_t)tern_prng_spread(p, 2 * KIB, 8 * MIB);
    if (tern_prng_percent(p, 70))
        c->snd_buf_bytes = (uint32_t)tern_prng_spread(p, 2 * KIB, 8 * MIB);
}

static void draw_protocol(die p, struct tern_stack_config *c)
{
    c->timestamps = tern_prng_percent(p, 75);
    c->sack = tern_prng_percent(p, 75);
    c->window_scale = tern_prng_percent(p, 75);
    c->nodelay = tern_prng_percent(p, 40);
    c->ack_policy = (enum tern_ack_policy)tern_prng_below(p, TERN_ACK_EVERY_BURST + 1);
    c->syn_cookies = (enum tern_syn_cookies)ONE_OF(p, TERN_SYN_COOKIES_AUTO, TERN_SYN_COOKIES_AUTO,
        TERN_SYN_COOKIES_ALWAYS, TERN_SYN_COOKIES_NEVER);
    if (tern_prng_percent(p, 40))
        c->init_cwnd_segs = (uint32_t)tern_prng_spread(p, 1, 40);
    if (tern_prng_percent(p, 20))
        c->dscp = (uint8_t)tern_prng_below(p, 64);
    if (tern_prng_percent(p, 20))
        c->ttl = (uint8_t)(1 + tern_prng_below(p, 255));
}

/** A bad link is no reason to give up, unless the other end may really be gone, or out of step. */
static void draw_patience(const struct mix *m, die p, struct tern_stack_config *c)
{
    c->user_timeout_ms = USER_TIMEOUT_MS;
    c->syn_timeout_ms = SYN_TIMEOUT_MS;
    if (!mix_has(m, MIX_DEATH) && !mix_has(m, MIX_TIMEOUT) && !mix_has(m, MIX_TAMPER))
        return;
    c->user_timeout_ms = (uint32_t)tern_prng_spread(p, 1000, TIMEOUT_MS_MAX);
    c->syn_timeout_ms = (uint32_t)tern_prng_spread(p, 1000, TIMEOUT_MS_MAX);
}

static void draw_times(die p, struct tern_stack_config *c)
{
    if (tern_prng_percent(p, 40))
        c->rto_min_ms = (uint32_t)tern_prng_spread(p, 5, 1000);
    if (tern_prng_percent(p, 30))
        c->rto_initial_ms = (uint32_t)tern_prng_spread(p, 100, 3000);
    if (tern_prng_percent(p, 40))
        c->rto_max_ms = (uint32_t)tern_prng_spread(p, 1000, 120000);
    if (c->rto_initial_ms > c->rto_max_ms)
        c->rto_initial_ms = c->rto_max_ms;
    if (tern_prng_percent(p, 40))
        c->delayed_ack_ms = (uint32_t)tern_prng_spread(p, 1, 499);
    if (tern_prng_percent(p, 50))
        c->time_wait_ms = (uint32_t)tern_prng_spread(p, 100, 60000);
    if (tern_prng_percent(p, 30))
        c->fin_wait2_ms = (uint32_t)tern_prng_spread(p, 30000, 120000);
}

/** Just enough records, or fewer than that: then openings are refused and tried again. */
static void draw_tables(const struct mix *m, die p, struct tern_stack_config *c)
{
    const bool small = mix_has(m, MIX_SMALL_TABLES);
    c->conns_max = m->n_flows + 4;
    c->half_open_max = m->n_flows + 8;
    c->time_wait_max = m->n_flows + 4;
    c->listeners_max = 4;
    c->neighbours_max = 8;
    if (small && tern_prng_percent(p, 50))
        c->half_open_max = 1 + tern_prng_below(p, 4);
    if (small && tern_prng_percent(p, 50))
        c->time_wait_max = 1 + tern_prng_below(p, 4);
    if (small && tern_prng_percent(p, 50))
        c->conns_max = (m->n_flows + 1) / 2 + 1;
}

/** Sequence numbers that pass 0, or 2^31, within the run. */
static void draw_pins(die p, struct tern_stack_config *c)
{
    if (!tern_prng_percent(p, 30))
        return;
    c->pins.has_isn = true;
    c->pins.isn = (tern_prng_percent(p, 50) ? 0u : 1u << 31)
                  - (uint32_t)tern_prng_spread(p, 1, ISN_NEAR_WRAP);
}

/** How it sends: congestion control, ECN, pacing, and perhaps too few records for that. */
static void draw_sending(const struct mix *m, die p, struct tern_stack_config *c)
{
    c->cc = (enum tern_cc_kind)tern_prng_below(p, TERN_CC_COUNT);
    c->ecn = (enum tern_ecn)tern_prng_below(p, TERN_ECN_REQUEST + 1);
    c->pacing = tern_prng_percent(p, 25);
    if (tern_prng_percent(p, 25))
        c->sent_max = ONE_OF(p, 0, 1, 2, 16, 64);
    if (mix_has(m, MIX_SMALL_TABLES) && tern_prng_percent(p, 50))
        c->sending_max = 1 + tern_prng_below(p, (m->n_flows + 1) / 2);
}

static void draw_pool(const struct mix *m, die p, struct tern_embed_config *cfg)
{
    const struct tern_stack_config *c = &cfg->stack;
    const uint32_t snd = c->snd_buf_bytes / MBUF_BYTES + 2;
    const uint32_t enough = MBUFS_SPARE + m->n_flows * MBUFS_A_FLOW + (snd < 256 ? snd : 256);
    cfg->mbufs = enough + (uint32_t)tern_prng_spread(p, 1, enough);
}

static void draw_addresses(const struct mix *m, int host, struct tern_stack_config *c)
{
    char text[TERN_ADDR_TEXT_BYTES + 4];
    snprintf(text, sizeof text, m->v6 ? "2001:db8::%d/64" : "192.0.2.%d/24", host + 1);
    if (tern_prefix_parse(text, &c->addrs[0]) != 0)
        abort();
    c->n_addrs = 1;
}

void mix_draw_config(struct mix *m, int host)
{
    struct tern_prng prng = tern_prng_make(m->seed, host == 0 ? STREAM_CONFIG0 : STREAM_CONFIG1);
    struct tern_embed_config *cfg = &m->cfg[host];
    tern_embed_config_init(cfg);
    struct tern_stack_config *c = &cfg->stack;
    draw_addresses(m, host, c);
    for (size_t i = 0; i < sizeof c->seed / sizeof c->seed[0]; i++)
        c->seed[i] = tern_prng_next(&prng);
    draw_sizes(m, &prng, c);
    draw_protocol(&prng, c);
    draw_times(&prng, c);
    draw_patience(m, &prng, c);
    draw_tables(m, &prng, c);
    draw_pins(&prng, c);
    draw_pool(m, &prng, cfg);
    struct tern_prng sending =
        tern_prng_make(m->seed, host == 0 ? STREAM_SENDING0 : STREAM_SENDING1);
    draw_sending(m, &sending, c);
}
