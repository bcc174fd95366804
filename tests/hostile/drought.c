/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ten seconds without something the server cannot do without: packet buffers, room in the transmit
 * queue, receive descriptors. Load goes on meanwhile. Nothing may break, every packet that was not
 * sent must be counted under its reason, and within a second of the end clients are served as
 * before.
 *
 * A connection that was kept waiting resumes when its timer, which has doubled meanwhile (RFC 6298
 * §5.5), expires next: no later after the end than the outage was long.
 */
#include "legit.h"
#include "scenario.h"

enum {
    VISITS_PER_S = 500,
    BEFORE_S = 2,
    OUTAGE_S = 10,
    AFTER_S = 12,
    RUN_S = BEFORE_S + OUTAGE_S + AFTER_S,
    SERVED_MIN_PERCENT = 95,
    NS_PER_MS = 1000000,
};

struct drought {
    const char *name;
    enum world_lack lack;
    enum tern_drop why; /* what is not sent, or not taken, is counted under it; NONE: outside */
};

static const struct drought droughts[] = {
    {"buffers", WORLD_LACKS_MBUFS, TERN_DROP_NO_MBUF},
    {"transmit queue", WORLD_LACKS_TX, TERN_DROP_TX_FULL},
    {"receive descriptors", WORLD_LACKS_RX, TERN_DROP_NONE},
};

enum { N_DROUGHTS = sizeof droughts / sizeof droughts[0] };

static void pass(struct legit *l, uint64_t n_ns)
{
    const uint64_t until_ns = l->w->now_ns + n_ns;
    while (l->w->now_ns < until_ns) {
        world_step(l->w);
        legit_begin_visits(l);
    }
}

/** Per cent of the visits begun within that second of the run that were done within a second. */
static double served_percent(const struct legit *l, uint32_t second)
{
    uint32_t begun = 0, done = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct visit *v = &l->visits[i];
        if ((v->begun_ns - l->started_ns) / WORLD_SECOND_NS != second)
            continue;
        begun++;
        done += v->done && v->done_ns - v->begun_ns < WORLD_SECOND_NS;
    }
    return begun > 0 ? 100.0 * done / begun : 0;
}

/** @return ms until all streams flow again */
static double await_streams(struct legit *l)
{
    const uint64_t begun_ns = l->w->now_ns;
    uint64_t got[LEGIT_STREAMS], resumed_ns = begun_ns;
    for (int i = 0; i < LEGIT_STREAMS; i++)
        got[i] = l->stream_bytes[i];
    for (int n = 0; n < LEGIT_STREAMS && l->w->now_ns < begun_ns + AFTER_S * WORLD_SECOND_NS;) {
        pass(l, WORLD_STEP_NS);
        n = 0;
        for (int i = 0; i < LEGIT_STREAMS; i++)
            n += l->stream_bytes[i] > got[i];
        resumed_ns = l->w->now_ns;
    }
    pass(l, begun_ns + AFTER_S * WORLD_SECOND_NS - l->w->now_ns);
    return (double)(resumed_ns - begun_ns) / NS_PER_MS;
}

static void run_drought(const struct drought *d, bool v6, struct sheet *out)
{
    const char *family = v6 ? "IPv6" : "IPv4";
    struct world_config cfg;
    struct world w;
    struct legit l;
    world_config_init(&cfg, v6);
    world_open(&w, &cfg);
    legit_open(&l, &w, VISITS_PER_S, VISITS_PER_S * RUN_S);
    pass(&l, BEFORE_S * WORLD_SECOND_NS);
    world_lack(&w, d->lack);
    pass(&l, OUTAGE_S * WORLD_SECOND_NS);
    world_lack(&w, WORLD_LACKS_NOTHING);
    const double resumed_ms = await_streams(&l);
    world_pass(&w, WORLD_SECOND_NS);
    const uint64_t lost =
        d->why != TERN_DROP_NONE ? world_stats(&w, SERVER)->drops[d->why] : w.n_missed;
    sheet_add(out, (double)lost, "", AT_LEAST, 1, "%s, no %s: packets lost, counted as %s", family,
        d->name, d->why != TERN_DROP_NONE ? tern_drop_name(d->why) : "the device's");
    sheet_add(out, served_percent(&l, BEFORE_S + OUTAGE_S + 1), "%", AT_LEAST,
        SERVED_MIN_PERCENT * served_percent(&l, BEFORE_S - 1) / 100,
        "%s, no %s: visits served, a second after", family, d->name);
    sheet_add(out, resumed_ms, "ms", AT_MOST, OUTAGE_S * 1000,
        "%s, no %s: established ones resumed after", family, d->name);
    sheet_add(out, (double)l.streams_lost, "", EXACTLY, 0, "%s, no %s: established ones lost",
        family, d->name);
    legit_finish(&l);
    const struct tern_embed_leaks leaks = world_close(&w);
    sheet_add(out, leaks.mbufs + leaks.records + leaks.timers, "", EXACTLY, 0,
        "%s, no %s: buffers, records, timers left behind", family, d->name);
    legit_close(&l);
}

void drought_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    (void)opt;
    for (int v6 = 0; v6 <= 1; v6++) {
        for (int i = 0; i < N_DROUGHTS; i++)
            run_drought(&droughts[i], v6, out);
    }
}
