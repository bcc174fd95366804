/* SPDX-License-Identifier: BSD-3-Clause */
#include "siege.h"

#include <rte_common.h>

#include <inttypes.h>

#define SUCCESS_MIN_PERCENT 99.9
#define GOODPUT_MIN_PERCENT 90.0
/* A few of a flood of everything hit something: a stale half-open record, a cookie's port. */
#define JUDGED_MIN_PERCENT  99.0
#define P99_TIMES           3.0
#define P99_MORE_MS         5.0

enum { GRACE_MS = 1000 /* a visit that is not done a second after the last began has failed */ };

/** What the legitimate load got. */
struct outcome {
    double success_percent, p99_ms, goodput_mb_per_s;
    uint64_t streams_lost, pages_grown, shots, judged;
    struct tern_embed_leaks leaks;
};

/** Shots that are due by now, evenly spread. */
static void shoot_due(const struct siege *g, struct legit *l)
{
    struct world *w = l->w;
    const uint64_t per_s = (uint64_t)l->rate_per_s * g->times;
    const uint64_t due = (w->now_ns - l->started_ns) * per_s / WORLD_SECOND_NS;
    struct shot s;
    while (w->shot.frames < due) {
        g->shoot(l, &s);
        world_attack(w, &s);
    }
}

static void besiege(const struct siege *g, bool attack, struct legit *l, uint64_t n_ns)
{
    while (l->w->now_ns < l->started_ns + n_ns) {
        world_step(l->w);
        legit_begin_visits(l);
        if (attack)
            shoot_due(g, l);
    }
}

/** Frames that the server has found to be one of `reasons`. */
static uint64_t judged_as(const struct world *w, uint64_t reasons)
{
    uint64_t sum = 0;
    for (; reasons != 0; reasons &= reasons - 1)
        sum += world_stats(w, SERVER)->drops[__builtin_ctzll(reasons)];
    return sum;
}

/** @param g  whose reasons count @param attack  or is everybody left alone? */
static struct outcome run_once(
    const struct siege *g, bool attack, const struct scenario_options *opt, bool v6)
{
    const uint64_t n_ns = opt->seconds * WORLD_SECOND_NS;
    struct world_config cfg;
    struct world w;
    struct legit l;
    world_config_init(&cfg, v6);
    cfg.seed = opt->seed;
    world_open(&w, &cfg);
    legit_open(&l, &w, SIEGE_RATE_PER_S, SIEGE_RATE_PER_S * opt->seconds);
    const uint64_t pages = world_pages_mapped();
    besiege(g, attack, &l, n_ns);
    struct outcome o = {
        .pages_grown = world_pages_mapped() - pages,
        .goodput_mb_per_s = (double)l.streamed_bytes / 1e6 / opt->seconds,
        .shots = w.shot.frames,
        .judged = judged_as(&w, g->reasons),
    };
    world_pass(&w, GRACE_MS * (WORLD_SECOND_NS / 1000));
    o.success_percent = legit_success_percent(&l);
    o.p99_ms = legit_connect_p99_ms(&l);
    o.streams_lost = l.streams_lost;
    legit_finish(&l);
    o.leaks = world_close(&w);
    legit_close(&l);
    return o;
}

static void report(struct sheet *out, const char *family, const struct outcome *idle,
    const struct outcome *o, uint32_t times)
{
    const double judged = (double)(o->judged - RTE_MIN(o->judged, idle->judged));
    sheet_add(out, 100 * judged / (double)o->shots, "%", AT_LEAST, JUDGED_MIN_PERCENT,
        "%s: of %" PRIu64 " frames, %u x the visits, judged as meant", family, o->shots, times);
    sheet_add(out, o->success_percent, "%", AT_LEAST, SUCCESS_MIN_PERCENT,
        "%s: visits done (left alone %.6g %%)", family, idle->success_percent);
    sheet_add(out, o->p99_ms, "ms", AT_MOST, P99_TIMES * idle->p99_ms + P99_MORE_MS,
        "%s: connect p99 (left alone %.4g ms)", family, idle->p99_ms);
    const double kept =
        idle->goodput_mb_per_s > 0 ? 100 * o->goodput_mb_per_s / idle->goodput_mb_per_s : 0;
    sheet_add(out, kept, "%", AT_LEAST, GOODPUT_MIN_PERCENT,
        "%s: goodput kept (left alone %.4g MB/s)", family, idle->goodput_mb_per_s);
    sheet_add(out, (double)o->streams_lost, "", EXACTLY, 0, "%s: established ones lost", family);
    sheet_add(out, (double)o->pages_grown, "", EXACTLY, 0, "%s: memory growth, pages", family);
    sheet_add(out, o->leaks.mbufs + o->leaks.records + o->leaks.timers, "", EXACTLY, 0,
        "%s: buffers, records, timers left behind", family);
}

void siege_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    const struct siege *g = what;
    for (int v6 = 0; v6 <= 1; v6++) {
        const struct outcome idle = run_once(g, false, opt, v6);
        const struct outcome o = run_once(g, true, opt, v6);
        report(out, v6 ? "IPv6" : "IPv4", &idle, &o, g->times);
    }
}
