/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table beyond its limit, again and again: clients ask for a tenth more connections than the
 * server may have, while others are in use. What is beyond the limit must be refused and counted,
 * what is in use must not notice, and when the clients have gone nothing may be left.
 */
#include "legit.h"
#include "scenario.h"
#include "shard/shard.h"

#include <rte_common.h>

enum {
    LIMIT = 1000,
    ASKED = LIMIT + LIMIT / 10,
    CYCLES = 10,
    HOLD_MS = 300,
    LEAVE_MS = 700,
    GOODPUT_MIN_PERCENT = 90,
    NS_PER_MS = 1000000,
};

/** What one cycle after the other came to; the worst of each. */
struct outcome {
    uint64_t open_max, left_max, refused_min, lost, streamed_bytes;
    struct tern_embed_leaks leaks;
};

static void guest_on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    (void)why;
    struct tern_conn **guest = tern_conn_user(c);
    *guest = NULL;
}

static const struct tern_app guest_app = {.on_closed = guest_on_closed};

/** Every other one leaves in peace, the others at once. */
static void leave(struct legit *l, struct tern_conn **guests, uint32_t n)
{
    struct tern_shard *clients = world_shard(l->w, CLIENTS);
    for (uint32_t i = 0; i < n; i++) {
        if (guests[i] != NULL && i % 2 == 0)
            tern_close(clients, guests[i]);
        else if (guests[i] != NULL)
            tern_abort(clients, guests[i]);
    }
}

static uint64_t refusals(const struct world *w)
{
    const struct tern_stats *st = world_stats(w, SERVER);
    return st->drops[TERN_DROP_TCP_TABLE_FULL] + st->drops[TERN_DROP_TCP_REFUSED];
}

static void cycle(struct legit *l, struct tern_conn **guests, uint32_t n, struct outcome *o)
{
    struct world *w = l->w;
    const uint64_t refused = refusals(w);
    for (uint32_t i = 0; i < n; i++)
        guests[i] = legit_connect(l, LEGIT_PORT, &guest_app, &guests[i]);
    world_pass(w, (uint64_t)HOLD_MS * NS_PER_MS);
    o->open_max = RTE_MAX(o->open_max, world_stats(w, SERVER)->open_now);
    leave(l, guests, n);
    world_pass(w, (uint64_t)LEAVE_MS * NS_PER_MS);
    o->left_max =
        RTE_MAX(o->left_max, tern_shard_n_live(world_shard(w, SERVER)) - (uint64_t)LEGIT_STREAMS);
    o->refused_min = RTE_MIN(o->refused_min, refusals(w) - refused);
}

/** @param n_guests  0: the streams are left alone */
static struct outcome run_cycles(bool v6, uint32_t n_guests)
{
    static struct tern_conn *guests[ASKED];
    struct outcome o = {.refused_min = UINT64_MAX};
    struct world_config cfg;
    struct world w;
    struct legit l;
    world_config_init(&cfg, v6);
    cfg.end[SERVER].stack.conns_max = LIMIT;
    world_open(&w, &cfg);
    legit_open(&l, &w, 0, 1);
    for (int i = 0; i < CYCLES; i++)
        cycle(&l, guests, n_guests, &o);
    o.streamed_bytes = l.streamed_bytes;
    o.lost = l.streams_lost;
    legit_finish(&l);
    o.leaks = world_close(&w);
    legit_close(&l);
    return o;
}

void table_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    (void)opt;
    for (int v6 = 0; v6 <= 1; v6++) {
        const char *family = v6 ? "IPv6" : "IPv4";
        const struct outcome idle = run_cycles(v6, 0);
        const struct outcome o = run_cycles(v6, ASKED - LEGIT_STREAMS);
        sheet_add(out, (double)o.open_max, "", EXACTLY, LIMIT, "%s: open at most, of %u asked for",
            family, ASKED);
        sheet_add(out, (double)o.refused_min, "", AT_LEAST, ASKED - LIMIT,
            "%s: refusals counted, the fewest of a cycle", family);
        sheet_add(out, 100.0 * (double)o.streamed_bytes / (double)idle.streamed_bytes, "%",
            AT_LEAST, GOODPUT_MIN_PERCENT, "%s: goodput kept by those in use", family);
        sheet_add(out, (double)o.lost, "", EXACTLY, 0, "%s: of those in use, lost", family);
        sheet_add(out, (double)o.left_max, "", EXACTLY, 0, "%s: left behind, the most of a cycle",
            family);
        sheet_add(out, o.leaks.mbufs + o.leaks.records + o.leaks.timers, "", EXACTLY, 0,
            "%s: buffers, records, timers left behind", family);
    }
}
