/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

/*
 * A run in four phases:
 *
 *   faults     until faults_end_ns, or until every application is done
 *   liveness   good links, quick applications, punctual hosts: all must be done within a bound
 *   drain      FINs, TIME-WAIT and half-open records run out: nothing may be left
 *   close      both instances give back everything
 *
 * The bounds are derived below from the timers that may be running at their longest; a run that
 * needs longer hangs, whatever it waits for.
 */
#include "hostile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MS = 1000000,
    SECOND = 1000 * MS,
    EVENTS_MAX = 400000,   /* a run that has more is a storm */
    SAME_TIME_MAX = 20000, /* events without time passing: it stands still */
    EXPIRIES_IN_SERIES =
        8, /* RTOs at their maximum one after the other: SYN, data, FIN, both ways */
    COOKIE_SILENCE_S = 140, /* two cookie periods, in which stray payload is not answered */
    KEEPALIVE_ROUNDS = 11,  /* idle time, nine probes, and one interval to notice */
    SYNACK_TRIES = 6,
    RECORDS_ENOUGH = 1024,
    LIFE_BETWEEN_NS = 500 * MS, /* and some round trips */
    JUMP_FORGETS_S = 60,        /* a network holds no packet for that long (RFC 9293: MSL) */
};

/** The largest single leap; set it to some days to look for what else there is. */
#define LEAP_NS_MAX UINT64_MAX

void sim_fail(struct sim *s, const char *format, ...)
{
    if (s->failed)
        return;
    s->failed = true;
    va_list args;
    va_start(args, format);
    vsnprintf(s->failure, sizeof s->failure, format, args);
    va_end(args);
}

void sim_at(struct sim *s, uint64_t at_ns, enum event_kind kind, uint8_t host, uint32_t n)
{
    const struct event e = {.at_ns = at_ns, .kind = kind, .host = host, .n = n};
    if (!event_push(&s->heap, e))
        sim_fail(s, "no memory");
}

/* ---- the wire ---- */

static void link_emits(void *ctx, const struct tern_link_out *out)
{
    const struct link_end *end = ctx;
    struct sim *s = end->sim;
    const struct event e = {
        .at_ns = out->at_ns,
        .kind = EVENT_ARRIVAL,
        .host = out->back ? end->from : !end->from,
        .forged = out->forged,
        .n = out->n,
        .bytes = malloc(out->n + 1),
    };
    if (e.bytes != NULL)
        memcpy(e.bytes, out->bytes, out->n);
    if (e.bytes == NULL || !event_push(&s->heap, e))
        sim_fail(s, "no memory");
}

static void link_notes(void *ctx, enum tern_link_fault what)
{
    const struct link_end *end = ctx;
    trace_note(end->sim, "      %c> %s", 'A' + end->from, tern_link_fault_name(what));
}

/* ---- bounds ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/** A timer's longest setting at either end, ns. */
#define LONGEST_NS(s, field)                                                                       \
    ((uint64_t)larger((s)->mix.cfg[0].stack.field, (s)->mix.cfg[1].stack.field) * MS)

static uint64_t round_trip_ns(const struct sim *s)
{
    return s->mix.link[0].delay_ns + s->mix.link[1].delay_ns;
}

/** How long one packet of each size may take on the slower link, all of a run's bytes. */
static uint64_t transfer_ns(const struct sim *s)
{
    uint64_t bytes = 0, rate = UINT64_MAX;
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        bytes += s->mix.flow[i].total[0] + s->mix.flow[i].total[1];
    for (int d = 0; d < 2; d++)
        if (s->mix.link[d].rate_bytes_per_s != 0 && s->mix.link[d].rate_bytes_per_s < rate)
            rate = s->mix.link[d].rate_bytes_per_s;
    return rate == UINT64_MAX ? 0 : 4 * bytes * SECOND / rate;
}

/** Round trips that the slowest sender needs: a segment each. */
static uint64_t rounds_of(const struct sim *s)
{
    uint64_t rounds = 0;
    for (uint32_t i = 0; i < s->mix.n_flows; i++) {
        const struct flow_plan *f = &s->mix.flow[i];
        for (int d = 0; d < 2; d++) {
            const struct tern_stack_config *c = &s->mix.cfg[!d].stack;
            uint64_t segment = s->mix.cfg[d].stack.mss_max != 0 ? s->mix.cfg[d].stack.mss_max : 512;
            if (c->mss_max != 0 && c->mss_max < segment)
                segment = c->mss_max;
            if (c->rcv_buf_bytes / 2 < segment)
                segment = c->rcv_buf_bytes / 2;
            const uint64_t payload = segment > 64 ? segment - 40 : 24;
            rounds = larger(rounds, f->total[d] / payload + 2 * f->n_messages + 8);
        }
    }
    return rounds;
}

/** … each acknowledged late. */
static uint64_t rounds_ns(const struct sim *s)
{
    return rounds_of(s) * (round_trip_ns(s) + LONGEST_NS(s, delayed_ack_ms));
}

/** With next to no records of what is in flight a lost flight comes back a segment a timeout, and
 * without timestamps the timeouts stay doubled. */
static uint64_t coarse_ns(const struct sim *s)
{
    bool few = false;
    for (int h = 0; h < 2; h++)
        few |= s->mix.cfg[h].stack.sent_max < RECORDS_ENOUGH;
    return few ? rounds_of(s) * LONGEST_NS(s, rto_max_ms) : 0;
}

/** An end that hears nothing any more notices within this. */
static uint64_t patience_ns(const struct sim *s)
{
    uint64_t most_ns = 0;
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        for (int h = 0; h < 2; h++) {
            const struct end_plan *e = &s->mix.flow[i].end[h];
            const uint64_t probes_ms = (uint64_t)KEEPALIVE_ROUNDS * e->keepalive_ms;
            most_ns = larger(most_ns, (probes_ms + 2ull * e->user_timeout_ms) * MS);
        }
    return most_ns;
}

/** Where records are few, conversations come one after the other, each at the end of a backoff. */
static uint64_t queueing_ns(const struct sim *s)
{
    return mix_has(&s->mix, MIX_SMALL_TABLES) ? s->mix.n_flows * LONGEST_NS(s, rto_max_ms) : 0;
}

static uint64_t liveness_bound_ns(const struct sim *s)
{
    return EXPIRIES_IN_SERIES * LONGEST_NS(s, rto_max_ms) + rounds_ns(s) + transfer_ns(s)
           + patience_ns(s) + (uint64_t)COOKIE_SILENCE_S * SECOND + queueing_ns(s) + coarse_ns(s)
           + (LONGEST_NS(s, rto_initial_ms) << SYNACK_TRIES);
}

static uint64_t drain_bound_ns(const struct sim *s)
{
    return liveness_bound_ns(s) + LONGEST_NS(s, time_wait_ms) + LONGEST_NS(s, fin_wait2_ms);
}

/* ---- faults of the world ---- */

enum { WORLD_JUMPS, WORLD_DEATH };

static void forget_flying(struct sim *s)
{
    const struct tern_heap old = s->heap;
    s->heap = (struct tern_heap){.serial = old.serial};
    for (uint32_t i = 0; i < old.n; i++) {
        const struct event e = event_of(&old.dues[i]);
        if (e.kind == EVENT_ARRIVAL)
            free(e.bytes);
        else if (!event_push(&s->heap, e))
            sim_fail(s, "no memory");
    }
    free(old.dues);
}

/**
 * Both hosts sleep and wake up later; what was on the wire meanwhile is long gone. More than half
 * the circle of 32-bit timer ticks (3.2 days) and more than 2^32 ms are among the leaps.
 */
static void jump(struct sim *s)
{
    const uint64_t by_ns = s->mix.jump_ns < LEAP_NS_MAX ? s->mix.jump_ns : LEAP_NS_MAX;
    s->totals->jumps++;
    s->now_ns += by_ns;
    s->leapt_ns += by_ns;
    s->mix.jump_ns -= by_ns;
    s->mix.faults_end_ns += by_ns + LIFE_BETWEEN_NS + 4 * round_trip_ns(s);
    trace_note(s, "the clock leaps by %.3f s", (double)by_ns / SECOND);
    if (by_ns > (uint64_t)JUMP_FORGETS_S * SECOND)
        forget_flying(s);
    for (uint8_t h = 0; h < 2; h++)
        if (!s->host[h].dead) {
            tern_embed_advance(s->host[h].e, s->now_ns);
            host_settle(s, h);
        }
    if (s->mix.jump_ns != 0)
        sim_at(s, s->now_ns + LIFE_BETWEEN_NS + 4 * round_trip_ns(s), EVENT_JUMP, 0, WORLD_JUMPS);
}

/** A host is gone for good; its applications are no more. */
static void die(struct sim *s)
{
    const uint8_t h = s->mix.dies;
    s->totals->deaths++;
    s->host[h].dead = true;
    trace_note(s, "%c dies", 'A' + h);
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        if (!s->flow[i].end[h].done) {
            s->flow[i].end[h].done = true;
            s->n_done++;
            s->totals->ends_dead++;
        }
}

static void world_fault(struct sim *s, const struct event *e)
{
    if (s->healed)
        return;
    if (e->n == WORLD_JUMPS)
        jump(s);
    else
        die(s);
}

/* ---- events ---- */

static void act(struct sim *s, const struct event *e)
{
    switch (e->kind) {
    case EVENT_ARRIVAL: host_arrival(s, e); break;
    case EVENT_TIMER: host_timer(s, e); break;
    case EVENT_APP: host_app(s, e); break;
    case EVENT_FAULT: host_fault(s, e); break;
    case EVENT_JUMP: world_fault(s, e); break;
    }
    if (e->kind == EVENT_ARRIVAL)
        free(e->bytes);
}

/** @return false: nothing happens up to limit_ns */
static bool step(struct sim *s, uint64_t limit_ns)
{
    if (s->failed || s->heap.n == 0 || s->heap.dues[0].at_ns > limit_ns)
        return false;
    const struct event e = event_pop(&s->heap);
    s->n_same_time = e.at_ns > s->now_ns ? 0 : s->n_same_time + 1;
    if (e.at_ns > s->now_ns)
        s->now_ns = e.at_ns;
    act(s, &e);
    s->n_events++;
    if (s->n_same_time > SAME_TIME_MAX)
        sim_fail(s, "time stands still: %d events and none later", SAME_TIME_MAX);
    if (s->n_events > EVENTS_MAX)
        sim_fail(s, "a storm: more than %d events", EVENTS_MAX);
    return true;
}

/* ---- phases ---- */

/** A passive end whose opener has come and gone, and to whom nothing will come any more. */
static bool never_came(const struct sim *s, uint32_t i, uint8_t h)
{
    const struct flow_plan *f = &s->mix.flow[i];
    const struct flow_end *e = &s->flow[i].end[h];
    if (e->done || e->sock != NULL || f->opener == h || f->opener == 2 || !s->flow[i].end[!h].done)
        return false;
    const bool opener_failed = s->flow[i].end[!h].error != 0; /* and that was judged */
    return (f->may_fail || opener_failed || apps_excused(s)) && s->healed && host_is_idle(s, h)
           && host_is_idle(s, !h);
}

static bool all_done(const struct sim *s)
{
    uint32_t open = 2 * s->mix.n_flows - s->n_done;
    for (uint32_t i = 0; open > 0 && s->healed && i < s->mix.n_flows; i++)
        for (uint8_t h = 0; h < 2; h++)
            open -= never_came(s, i, h);
    return open == 0;
}

static void faults_phase(struct sim *s)
{
    while (!all_done(s) && step(s, s->begin_ns + s->mix.faults_end_ns)) {
    }
    const uint64_t end_ns = s->begin_ns + s->mix.faults_end_ns; /* moved by every leap */
    if (!s->failed && !all_done(s) && s->now_ns < end_ns)
        s->now_ns = end_ns;
}

static void heal(struct sim *s)
{
    s->healed = true;
    trace_note(s, "faults end");
    for (uint8_t h = 0; h < 2; h++)
        tern_link_heal(&s->link[h]);
    for (uint8_t h = 0; h < 2; h++)
        host_heal(s, h);
}

static void say_who_hangs(struct sim *s, uint64_t bound_ns)
{
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        for (uint8_t h = 0; h < 2; h++) {
            const struct flow_end *e = &s->flow[i].end[h];
            struct tern_conn_info info = {.state = TERN_CLOSED};
            if (e->done)
                continue;
            if (e->sock != NULL)
                tern_sock_describe(e->sock, &info);
            sim_fail(s,
                "flow %u, host %u is not done %.0f s after the faults ended: %s, wrote %u of %u, "
                "read "
                "%u of %u",
                i, h, (double)bound_ns / SECOND,
                e->sock == NULL ? "no socket" : tern_state_name(info.state), e->written,
                s->mix.flow[i].total[h], e->read, s->mix.flow[i].total[!h]);
        }
}

/** A leap was a timeout for one end, and the RST that told the other, who only waits, was lost. */
static bool was_left_in_leap(const struct sim *s)
{
    bool left = false;
    for (uint32_t i = 0; i < s->mix.n_flows; i++)
        for (int h = 0; h < 2; h++)
            left |= s->flow[i].end[h].error == ETIMEDOUT;
    return left && s->leapt_ns != 0;
}

static void liveness_phase(struct sim *s)
{
    const uint64_t bound_ns = liveness_bound_ns(s), end_ns = s->now_ns + bound_ns;
    while (!all_done(s) && step(s, end_ns)) {
    }
    if (s->failed || all_done(s))
        return;
    if (!sim_tampers(s) && !apps_excused(s) && !was_left_in_leap(s)) {
        say_who_hangs(s, bound_ns);
        return;
    }
    for (uint8_t h = 0; h < 2; h++) {
        s->totals->excused++;
        apps_abort_all(s, h);
        host_settle(s, h);
    }
}

static void drain_phase(struct sim *s)
{
    const uint64_t bound_ns = drain_bound_ns(s), end_ns = s->now_ns + bound_ns;
    while (step(s, end_ns)) {
    }
    for (uint8_t h = 0; h < 2 && !s->failed; h++)
        if (!host_is_idle(s, h) && apps_excused(s))
            s->left_over = true;
        else if (!host_is_idle(s, h))
            sim_fail(s, "host %u still holds connections %.0f s after the last was closed", h,
                (double)bound_ns / SECOND);
}

/* ---- the whole ---- */

enum { BEGIN_MAX_S = 100000 };

static void set_up(struct sim *s)
{
    struct tern_prng p = tern_prng_make(s->mix.seed, STREAM_HOSTS + 100);
    s->begin_ns = s->now_ns = tern_prng_between(&p, SECOND, (uint64_t)BEGIN_MAX_S * SECOND);
    for (uint8_t d = 0; d < 2; d++) {
        s->link_end[d] = (struct link_end){s, d};
        tern_link_init(&s->link[d], &s->mix.link[d], hostile_network, s->mix.seed,
            d == 0 ? STREAM_LINK0 : STREAM_LINK1);
        s->link[d].out = link_emits;
        s->link[d].note = s->trace != NULL ? link_notes : NULL;
        s->link[d].ctx = &s->link_end[d];
    }
    if (s->mix.jump_ns != 0)
        sim_at(s, s->now_ns + s->mix.jump_at_ns, EVENT_JUMP, 0, WORLD_JUMPS);
    if (mix_has(&s->mix, MIX_DEATH))
        sim_at(s, s->now_ns + s->mix.death_at_ns, EVENT_JUMP, 0, WORLD_DEATH);
    trace_mix(s);
}

static void tear_down(struct sim *s)
{
    for (uint8_t h = 0; h < 2; h++)
        host_close(s, h);
    forget_flying(s);
    free(s->heap.dues);
    for (int d = 0; d < 2; d++)
        for (int f = 0; f < TERN_LINK_FAULT_COUNT; f++)
            s->totals->link_faults[f] += s->link[d].counts[f];
    s->totals->seeds++;
    s->totals->failed += s->failed;
    s->totals->events += s->n_events;
    s->totals->virtual_ns += s->now_ns - s->begin_ns - s->leapt_ns;
}

void run_seed(
    uint64_t seed, const struct run_options *o, struct totals *totals, struct run_result *out)
{
    static struct sim s; /* large */
    memset(&s, 0, sizeof s);
    s.totals = totals;
    s.trace = o->trace;
    s.slow_path = o->slow_path;
    mix_draw(&s.mix, seed, o->only, o->must);
    set_up(&s);
    if (host_open(&s, 0) && host_open(&s, 1)) {
        host_settle(&s, 0);
        host_settle(&s, 1);
        faults_phase(&s);
        if (!s.failed)
            heal(&s);
        if (!s.failed)
            liveness_phase(&s);
        if (!s.failed)
            drain_phase(&s);
    }
    tear_down(&s);
    out->failed = s.failed;
    out->hash = s.hash;
    snprintf(out->failure, sizeof out->failure, "%s (event %" PRIu64 ", t=%.6f s)", s.failure,
        s.n_events, (double)(s.now_ns - s.begin_ns) / SECOND);
}
