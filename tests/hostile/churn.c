/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ten million connections opened and closed, one after the other and many at a time. Each is
 * established, closed by its client and by the server; not one may stay, and neither memory nor
 * anything in the pools may have grown when they are gone.
 */
#include "embed/embed.h"
#include "scenario.h"
#include "world.h"

#include <rte_mbuf.h>

#include <stdlib.h>

enum {
    PORT = 80,
    PER_STEP = 5,
    TIME_WAIT_MS = 50,
    WARM_UP_STEPS = 20000, /* until every table has been touched */
    STEPS_PER_S = 20000,   /* of WORLD_STEP_NS */
};

static void close_at_once(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static const struct tern_app server_app = {.on_peer_closed = close_at_once};
static const struct tern_app client_app = {.on_open = close_at_once};

static uint32_t buffers_in_use(const struct world *w)
{
    return rte_mempool_in_use_count(w->end[SERVER]->pool)
           + rte_mempool_in_use_count(w->end[CLIENTS]->pool);
}

/** @return connects that were refused */
static uint64_t open_many(struct world *w, uint64_t n_steps)
{
    const struct tern_connect_opts opts = {
        .remote = world_addr(w, SERVER), .rport = PORT, .app = &client_app};
    uint64_t refused = 0;
    for (uint64_t i = 0; i < n_steps; i++) {
        for (int n = 0; n < PER_STEP; n++)
            refused += tern_connect(world_shard(w, CLIENTS), &opts, NULL) != 0;
        world_step(w);
    }
    return refused;
}

static void run_family(bool v6, uint32_t seconds, struct sheet *out)
{
    const char *family = v6 ? "IPv6" : "IPv4";
    struct world_config cfg;
    struct world w;
    world_config_init(&cfg, v6);
    cfg.end[CLIENTS].stack.time_wait_ms = TIME_WAIT_MS;
    world_open(&w, &cfg);
    if (tern_listen(world_shard(&w, SERVER), NULL, PORT, &server_app, NULL) < 0)
        abort();
    (void)open_many(&w, WARM_UP_STEPS); /* its first ones wait for the server's link address */
    world_pass(&w, WORLD_SECOND_NS);
    const uint32_t buffers = buffers_in_use(&w);
    const uint64_t pages = world_pages_mapped();
    const uint64_t opened = world_stats(&w, SERVER)->passive_established;
    const uint64_t closed = world_stats(&w, SERVER)->closed[TERN_CLOSE_NORMAL];
    const uint64_t refused = open_many(&w, (uint64_t)seconds * STEPS_PER_S);
    world_pass(&w, WORLD_SECOND_NS);
    const double asked = (double)seconds * STEPS_PER_S * PER_STEP;
    const struct tern_stats *st = world_stats(&w, SERVER);
    sheet_add(
        out, (double)(st->passive_established - opened), "", EXACTLY, asked, "%s: opened", family);
    sheet_add(out, (double)(st->closed[TERN_CLOSE_NORMAL] - closed), "", EXACTLY, asked,
        "%s: closed by FIN on both sides", family);
    sheet_add(out, (double)refused, "", EXACTLY, 0, "%s: refused", family);
    sheet_add(out, (double)st->open_now, "", EXACTLY, 0, "%s: open afterwards", family);
    sheet_add(out, (double)buffers_in_use(&w) - buffers, "", EXACTLY, 0,
        "%s: more buffers in use than before", family);
    sheet_add(out, (double)(world_pages_mapped() - pages), "", EXACTLY, 0,
        "%s: memory growth, pages", family);
    const struct tern_embed_leaks leaks = world_close(&w);
    sheet_add(out, leaks.mbufs + leaks.records + leaks.timers, "", EXACTLY, 0,
        "%s: buffers, records, timers left behind", family);
}

void churn_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    for (int v6 = 0; v6 <= 1; v6++)
        run_family(v6, opt->seconds, out);
}
