/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an outsider must not be able to guess, a million times: initial sequence numbers (stored
 * and as cookies) and timestamp offsets as SYN-ACKs carry them to clients that differ in one count,
 * IPv4 identifications, first ports towards as many destinations and the order of ports towards
 * one. At one moment, so that only what is secret differs.
 *
 * Each byte is held against the uniform distribution: chi-square of its counts may exceed its mean
 * by five and a half standard deviations. And somebody guesses the next from the last two.
 */
#include "scenario.h"
#include "tcp/ports.h"
#include "tcp/tcp.h"
#include "wire/bytes.h"
#include "wire/tcp_hdr.h"
#include "world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES = 1000000,
    HALVES = 1 << 20,
    PORT = 80,
    FIRST_PORT = 1024,
    PORT_PAGES = (65536 - FIRST_PORT) / 256,
    VALUES = 256,
    NEAR = 1 << 16, /* a guess that is no further off is as good as right: a window */
};

#define DEVIATIONS     5.5
/** Of guesses at random, on average. */
#define NEAR_BY_CHANCE ((double)SAMPLES * (2.0 * NEAR + 1) / 4294967296.0)

/** Numbers of some bits, their bytes counted. */
struct sample {
    uint32_t n, n_near;
    uint32_t last, before;
    uint32_t counts[4][VALUES];
};

static void sample_add(struct sample *s, uint32_t value)
{
    const uint32_t guess = s->last + (s->last - s->before);
    if (s->n >= 2 && value - guess + NEAR <= 2 * NEAR)
        s->n_near++;
    s->before = s->last;
    s->last = value;
    s->n++;
    for (int i = 0; i < 4; i++)
        s->counts[i][value >> (8 * i) & UINT8_MAX]++;
}

static double chi_square(const uint32_t *counts, uint32_t n_cells, uint32_t n)
{
    const double expected = (double)n / n_cells;
    double sum = 0;
    for (uint32_t i = 0; i < n_cells; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

static double chi_square_limit(uint32_t n_cells)
{
    return n_cells - 1 + DEVIATIONS * sqrt(2.0 * (n_cells - 1));
}

static void sample_report(
    const struct sample *s, uint32_t n_bytes, const char *what, struct sheet *out)
{
    double worst = 0;
    sheet_add(out, s->n, "", AT_LEAST, SAMPLES, "%s: samples", what);
    for (uint32_t i = 0; i < n_bytes; i++)
        worst = fmax(worst, chi_square(s->counts[i], VALUES, s->n));
    sheet_add(
        out, worst, "", AT_MOST, chi_square_limit(VALUES), "%s: chi-square, the worst byte", what);
    sheet_add(out, s->n_near, "", AT_MOST, NEAR_BY_CHANCE + DEVIATIONS * sqrt(NEAR_BY_CHANCE),
        "%s: guessed to within %d", what, NEAR);
}

/** Other secrets for another seed. */
static void reseed(struct world_config *cfg, uint64_t seed)
{
    for (int i = 0; i < N_ENDS; i++)
        cfg->end[i].stack.seed[0] ^= tern_prng_mix(seed);
}

/* ---- from SYN-ACKs ---- */

struct answers {
    struct sample isn, ts;
    uint64_t n_ids; /* IPv4 identifications other than 0 */
};

static void take_answer(struct world *w, const uint8_t *frame, uint32_t n_bytes)
{
    struct answers *a = w->user;
    const uint8_t *ip = frame + TERN_ETH_BYTES;
    const uint8_t *tcp = ip + (w->v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES);
    (void)n_bytes;
    if (!w->v6)
        a->n_ids += tern_load16(ip + 4) != 0;
    sample_add(&a->isn, tern_load32(tcp + TERN_TCP_OFF_SEQ));
    const uint8_t *opt = tcp + TERN_TCP_BYTES;
    const uint8_t *end = tcp + (tcp[TERN_TCP_OFF_DOFF] >> 4) * 4;
    while (opt < end && *opt != 8) /* one byte of padding, or kind and length */
        opt += *opt <= 1 ? 1 : opt[1];
    if (opt < end)
        sample_add(&a->ts, tern_load32(opt + 2));
}

/** Client number `n`: what differs is as little as can be. */
static struct shot_route client_of(const struct world *w, uint32_t n)
{
    struct shot_route r = {.dst = world_addr(w, SERVER),
        .sport = (uint16_t)(FIRST_PORT + n % 4096),
        .dport = PORT,
        .has_ts = true};
    r.src = w->v6 ? r.dst : tern_addr_from_v4(0);
    r.src.b[7] = w->v6 ? 1 : 0;
    tern_store32(&r.src.w[3], UINT32_C(0xc6130000) + n / 4096);
    memcpy(r.src_mac, world_gateway_mac, sizeof r.src_mac);
    memcpy(r.dst_mac, world_mac[SERVER], sizeof r.dst_mac);
    return r;
}

static void ask_syn_acks(bool v6, enum tern_syn_cookies cookies, uint64_t seed, struct sheet *out)
{
    static const struct tern_app app = {0};
    static struct answers a;
    struct world_config cfg;
    struct world w;
    char what[SHEET_LABEL_BYTES / 2];
    world_config_init(&cfg, v6);
    reseed(&cfg, seed);
    cfg.end[SERVER].stack.syn_cookies = cookies;
    cfg.end[SERVER].stack.half_open_max = HALVES;
    world_open(&w, &cfg);
    memset(&a, 0, sizeof a);
    w.on_reply = take_answer;
    w.user = &a;
    if (tern_listen(world_shard(&w, SERVER), NULL, PORT, &app, NULL) < 0)
        abort();
    for (uint32_t i = 0; i < SAMPLES; i++) {
        const struct shot_route r = client_of(&w, i);
        struct shot s;
        shot_tcp(&s, &r, TERN_TCP_SYN, 0, 0, 0);
        world_attack(&w, &s);
    }
    const bool stored = cookies == TERN_SYN_COOKIES_NEVER;
    snprintf(what, sizeof what, "%s, %s", v6 ? "IPv6" : "IPv4", stored ? "ISNs" : "cookies");
    sample_report(&a.isn, 4, what, out);
    if (stored) {
        snprintf(what, sizeof what, "%s, timestamps", v6 ? "IPv6" : "IPv4");
        sample_report(&a.ts, 4, what, out);
    }
    if (stored && !v6)
        sheet_add(out, (double)a.n_ids, "", EXACTLY, 0, "IPv4: identifications that are not 0");
    world_close(&w);
}

/* ---- ports ---- */

static void draw_ports(bool v6, uint64_t seed, struct sheet *out)
{
    static uint32_t low[VALUES], page[PORT_PAGES];
    const char *family = v6 ? "IPv6" : "IPv4";
    struct world_config cfg;
    struct world w;
    struct tern_port_order order;
    world_config_init(&cfg, v6);
    reseed(&cfg, seed);
    world_open(&w, &cfg);
    const struct tern_tcp *t = tern_tcp_of(world_shard(&w, CLIENTS));
    struct tern_flow_key key = {.local = world_addr(&w, CLIENTS), .rport = PORT};
    memset(low, 0, sizeof low);
    memset(page, 0, sizeof page);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t turn = 0;
        key.remote = client_of(&w, i).src;
        key.rport = client_of(&w, i).sport;
        tern_port_order_init(&order, t, &key);
        const uint16_t port = tern_ports_next(t, &order, &turn);
        low[port & UINT8_MAX]++;
        page[(port - FIRST_PORT) / VALUES]++;
    }
    sheet_add(out, chi_square(low, VALUES, SAMPLES), "", AT_MOST, chi_square_limit(VALUES),
        "%s, first ports: chi-square, low byte", family);
    sheet_add(out, chi_square(page, PORT_PAGES, SAMPLES), "", AT_MOST, chi_square_limit(PORT_PAGES),
        "%s, first ports: chi-square, high byte", family);
    uint32_t turn = 0, right = 0;
    uint16_t last = 0, before = 0;
    for (uint32_t i = 0; i < PORT_PAGES * VALUES; i++) {
        const uint16_t port = tern_ports_next(t, &order, &turn);
        right += port == (uint16_t)(last + (last - before));
        before = last;
        last = port;
    }
    sheet_add(
        out, right, "", AT_MOST, 1 + DEVIATIONS, "%s, ports of one destination: guessed", family);
    world_close(&w);
}

void samples_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    for (int v6 = 0; v6 <= 1; v6++) {
        ask_syn_acks(v6, TERN_SYN_COOKIES_NEVER, opt->seed, out);
        ask_syn_acks(v6, TERN_SYN_COOKIES_ALWAYS, opt->seed, out);
        draw_ports(v6, opt->seed, out);
    }
}
