/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include "embed/embed.h"

#include <rte_mbuf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTSIDE4  UINT32_C(0xc6130000) /* 198.19.0.0/16 is behind the gateway */
#define STATIONS4 UINT32_C(0xc6121000) /* 198.18.16.0/20: stations that do not exist */

enum {
    START_NS = 1000000000,
    GATEWAY_HOST = 3,
    RCV_BUF_BYTES = 16384, /* the established connections' window: what bounds their goodput */
    MBUFS = 16384,
    CONNS_MAX = 16384,
    CLIENTS_TIME_WAIT_MS = 1000,
    STATIONS = 4096,
    SETTLE_MS = 1500, /* IPv6 neighbours, announcements */
};

const uint8_t world_mac[N_ENDS][TERN_MAC_BYTES] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
const uint8_t world_gateway_mac[TERN_MAC_BYTES] = {2, 0, 0, 0, 0, GATEWAY_HOST};

static void die(const char *what, const struct tern_error *err)
{
    fprintf(stderr, "hostile: %s: %s\n", what, err->text);
    exit(EXIT_FAILURE);
}

/** Host `n` on the link: 198.18.0.n or 2001:2::n. */
static union tern_addr on_link(bool v6, uint32_t n)
{
    union tern_addr a;
    char text[TERN_ADDR_TEXT_BYTES];
    snprintf(text, sizeof text, v6 ? "2001:2::%x" : "198.18.0.%u", n);
    if (tern_addr_parse(text, &a) != 0)
        abort();
    return a;
}

static void end_config(struct tern_embed_config *cfg, bool v6, enum world_end end)
{
    tern_embed_config_init(cfg);
    struct tern_stack_config *s = &cfg->stack;
    const union tern_addr gateway = on_link(v6, GATEWAY_HOST);
    cfg->mbufs = MBUFS;
    s->l3 = false;
    memcpy(s->mac, world_mac[end], sizeof s->mac);
    s->addrs[0] = (struct tern_prefix){on_link(v6, (uint32_t)end + 1), v6 ? 64 : 16};
    s->n_addrs = 1;
    *(v6 ? &s->gateway6 : &s->gateway4) = gateway;
    s->neighbours[0].addr = gateway;
    memcpy(s->neighbours[0].mac, world_gateway_mac, sizeof world_gateway_mac);
    s->n_neighbours = 1;
    s->conns_max = s->time_wait_max = CONNS_MAX;
    s->rcv_buf_bytes = RCV_BUF_BYTES;
    s->rcv_buf_max_bytes = 0;
    for (int i = 0; i < 4; i++)
        s->seed[i] = tern_prng_mix((uint64_t)end * 4 + (uint64_t)i + 1);
}

void world_config_init(struct world_config *cfg, bool v6)
{
    *cfg = (struct world_config){.v6 = v6, .seed = 1};
    for (int i = 0; i < N_ENDS; i++)
        end_config(&cfg->end[i], v6, (enum world_end)i);
    cfg->end[CLIENTS].stack.time_wait_ms = CLIENTS_TIME_WAIT_MS;
}

void world_open(struct world *w, const struct world_config *cfg)
{
    struct tern_error err = {0};
    *w = (struct world){
        .now_ns = START_NS, .v6 = cfg->v6, .dice = tern_prng_make(cfg->seed, (uint64_t)cfg->v6)};
    for (int i = 0; i < N_ENDS; i++) {
        if (tern_embed_open(&cfg->end[i], w->now_ns, &w->end[i], &err) != 0)
            die("an endpoint", &err);
        w->towards[i].ring = calloc(WORLD_UNDER_WAY_MAX, sizeof *w->towards[i].ring);
        if (w->towards[i].ring == NULL)
            abort();
    }
    w->withheld = calloc(MBUFS, sizeof(struct rte_mbuf *));
    if (w->withheld == NULL)
        abort();
    world_pass(w, SETTLE_MS * WORLD_SECOND_NS / 1000);
}

struct tern_embed_leaks world_close(struct world *w)
{
    struct tern_embed_leaks sum = {0}, one;
    for (int i = 0; i < N_ENDS; i++) {
        tern_embed_close(w->end[i], &one);
        sum.mbufs += one.mbufs;
        sum.records += one.records;
        sum.timers += one.timers;
        free(w->towards[i].ring);
    }
    free(w->withheld);
    return sum;
}

/* ---- who is where ---- */

union tern_addr world_addr(const struct world *w, enum world_end end)
{
    return on_link(w->v6, (uint32_t)end + 1);
}

/** `a` with its last four bytes replaced. */
static union tern_addr with_last(union tern_addr a, uint32_t last)
{
    a.w[3] = __builtin_bswap32(last);
    return a;
}

union tern_addr world_stranger(struct world *w)
{
    if (!w->v6)
        return tern_addr_from_v4(__builtin_bswap32(OUTSIDE4 | tern_prng_below(&w->dice, 1 << 16)));
    union tern_addr a = with_last(on_link(true, 0), (uint32_t)tern_prng_next(&w->dice));
    a.b[7] = 1; /* another /64 of 2001:2::/48 */
    a.w[2] = (uint32_t)tern_prng_next(&w->dice);
    return a;
}

union tern_addr world_station(struct world *w)
{
    const uint32_t n = STATIONS4 + tern_prng_below(&w->dice, STATIONS);
    return w->v6 ? with_last(on_link(true, 0), n) : tern_addr_from_v4(__builtin_bswap32(n));
}

/* ---- what is under way ---- */

static void depart(struct path *p, const uint8_t *bytes, uint32_t n_bytes, uint64_t due_ns)
{
    if (p->head - p->tail == WORLD_UNDER_WAY_MAX || n_bytes > WORLD_FRAME_BYTES)
        abort(); /* the scenario asks for more than the path was made for */
    struct passage *f = &p->ring[p->head++ % WORLD_UNDER_WAY_MAX];
    f->due_ns = due_ns;
    f->n_bytes = n_bytes;
    memcpy(f->bytes, bytes, n_bytes);
}

static bool is_for(const uint8_t *frame, const uint8_t mac[TERN_MAC_BYTES])
{
    return (frame[0] & 1) != 0 || memcmp(frame, mac, TERN_MAC_BYTES) == 0;
}

/** Like the engine before a device that takes nothing. */
static void refuse_tx(struct world *w)
{
    struct rte_mbuf *out[TERN_SHARD_TX_MAX];
    struct tern_shard *sh = world_shard(w, SERVER);
    tern_shard_settle(sh);
    const uint32_t n = tern_shard_take_tx(sh, out);
    tern_shard_tx_failed(sh, out, n, TERN_DROP_TX_FULL);
}

/** What an end wants sent: to the other end, or to the attacker. */
static void collect(struct world *w, enum world_end from)
{
    uint8_t frame[WORLD_FRAME_BYTES];
    size_t n;
    if (from == SERVER && w->lack == WORLD_LACKS_TX) {
        refuse_tx(w);
        return;
    }
    const enum world_end to = from == SERVER ? CLIENTS : SERVER;
    while ((n = tern_embed_output(w->end[from], frame, sizeof frame)) > 0) {
        if (is_for(frame, world_mac[to])) {
            depart(&w->towards[to], frame, (uint32_t)n, w->now_ns + WORLD_DELAY_NS);
        } else if (from == SERVER) {
            w->come_back.frames++;
            w->come_back.bytes += n;
            if (w->on_reply != NULL)
                w->on_reply(w, frame, (uint32_t)n);
        }
    }
}

void world_attack(struct world *w, const struct shot *s)
{
    w->shot.frames++;
    w->shot.bytes += s->n_bytes;
    tern_embed_input(w->end[SERVER], s->bytes, s->n_bytes, w->now_ns);
    collect(w, SERVER);
}

/** Take what buffers come back meanwhile, too. */
static void withhold(struct world *w)
{
    struct rte_mbuf *m;
    while (w->n_withheld < MBUFS && (m = rte_pktmbuf_alloc(w->end[SERVER]->pool)) != NULL)
        w->withheld[w->n_withheld++] = m;
}

void world_lack(struct world *w, enum world_lack lack)
{
    w->lack = lack;
    if (lack != WORLD_LACKS_MBUFS) {
        rte_pktmbuf_free_bulk(w->withheld, w->n_withheld);
        w->n_withheld = 0;
    }
}

static void arrive(struct world *w, enum world_end at)
{
    struct path *p = &w->towards[at];
    while (p->tail < p->head && p->ring[p->tail % WORLD_UNDER_WAY_MAX].due_ns <= w->now_ns) {
        const struct passage *f = &p->ring[p->tail++ % WORLD_UNDER_WAY_MAX];
        if (at == SERVER && w->lack == WORLD_LACKS_RX) {
            w->n_missed++;
            continue;
        }
        tern_embed_input(w->end[at], f->bytes, f->n_bytes, w->now_ns);
        collect(w, at);
    }
}

void world_step(struct world *w)
{
    w->now_ns += WORLD_STEP_NS;
    if (w->lack == WORLD_LACKS_MBUFS)
        withhold(w);
    for (int i = 0; i < N_ENDS; i++) {
        arrive(w, (enum world_end)i);
        tern_embed_advance(w->end[i], w->now_ns);
        collect(w, (enum world_end)i);
    }
}

void world_pass(struct world *w, uint64_t n_ns)
{
    const uint64_t until_ns = w->now_ns + n_ns;
    while (w->now_ns < until_ns)
        world_step(w);
}

uint64_t world_pages_mapped(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f != NULL) {
        if (fscanf(f, "%llu", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return pages;
}
