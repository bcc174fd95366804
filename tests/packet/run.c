/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

/*
 * The world of a script: one endpoint, its clock, and up to four connections of the peer's.
 *
 * Time only passes where a step says so. What tern sends on the way is kept with the time at which
 * it left, and the next step that expects something takes the oldest; any other step finds nothing
 * waiting, or that is the difference. So nothing tern says goes unread.
 *
 * The first difference ends the run: everything after it would only follow from it.
 */
#include "compare.h"
#include "embed/embed.h"
#include "world.h"

#include <rte_mbuf.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    PEER_PORT = 40000, /* of a; b has the next one … */
    PEER_ISS = 1000000,
    TICK_NS = 1 << 17, /* timers are exact to one tick (lib/tcp/proto.h) */
    MBUFS = 2048,
};

/* A whole number of milliseconds and of ticks: times from here come out round. */
static const uint64_t START_NS = UINT64_C(2048000000) * 500;
static const double NS_PER_MS = 1e6;

/** A packet of tern's that no step has asked for yet. */
struct waiting {
    struct waiting *next;
    uint64_t at_ns;
    size_t n;
    uint8_t packet[];
};

/* ---- the time-line ---- */

static void stamp(struct world *w, uint64_t at_ns)
{
    fprintf(w->log, "%14.3f ms  ", (double)(at_ns - START_NS) / NS_PER_MS);
}

static void log_step(struct world *w)
{
    stamp(w, w->now_ns);
    fprintf(w->log, "%s\n", w->st->text);
}

static char flow_name(const struct world *w, const struct flow *f)
{
    return (char)('a' + (f - w->flows));
}

static void log_heard(
    struct world *w, const struct flow *f, uint64_t at_ns, const struct segment *g)
{
    stamp(w, at_ns);
    if (f != w->flow)
        fprintf(w->log, "(%c) ", flow_name(w, f));
    fprintf(w->log, "> ");
    segment_show(w->log, g);
    fprintf(w->log, "\n");
}

void world_differ(struct world *w, const char *got, ...)
{
    if (w->failed)
        return;
    w->failed = true;
    fprintf(w->log, "--- first difference: %s:%d\n    expected  %s\n    got       ", w->s->path,
        w->st->line, w->st->text);
    va_list args;
    va_start(args, got);
    vfprintf(w->log, got, args);
    va_end(args);
    fprintf(w->log, "\n");
}

static char *shown(const struct segment *g)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (f == NULL)
        abort();
    segment_show(f, g);
    fclose(f);
    return text;
}

/* ---- packets and time ---- */

static void fetch(struct world *w)
{
    uint8_t packet[PACKET_BYTES_MAX];
    size_t n;
    while ((n = tern_embed_output(w->e, packet, sizeof packet)) > 0) {
        struct waiting *p = malloc(sizeof *p + n);
        if (p == NULL)
            abort();
        *p = (struct waiting){.at_ns = w->now_ns, .n = n};
        memcpy(p->packet, packet, n);
        *w->waiting_end = p;
        w->waiting_end = &p->next;
    }
}

static struct waiting *take_waiting(struct world *w)
{
    struct waiting *p = w->waiting;
    if (p == NULL)
        return NULL;
    w->waiting = p->next;
    if (w->waiting == NULL)
        w->waiting_end = &w->waiting;
    return p;
}

/** Let time pass up to `until`, or (`stop`) until tern has sent something. */
static void pass(struct world *w, uint64_t until_ns, bool stop)
{
    uint64_t at;
    fetch(w);
    while (!(stop && w->waiting != NULL) && tern_embed_deadline(w->e, &at) && at <= until_ns) {
        const uint64_t next = w->now_ns + 1; /* a deadline that has passed is served by any time */
        w->now_ns = at > next ? at : next;
        tern_embed_advance(w->e, w->now_ns);
        fetch(w);
    }
    if (stop && w->waiting != NULL)
        return;
    if (until_ns > w->now_ns) {
        w->now_ns = until_ns;
        tern_embed_advance(w->e, w->now_ns);
        fetch(w);
    }
}

static struct flow *flow_of(struct world *w, const struct wire_in *in)
{
    for (int i = 0; i < FLOWS_MAX; i++)
        if (w->flows[i].peer_port == in->dport)
            return &w->flows[i];
    return NULL;
}

/** Take apart the oldest packet that waits. @return false: it breaks a rule of its own */
static bool read_packet(
    struct world *w, const struct waiting *p, struct flow **f, struct segment *g)
{
    struct wire_in in;
    const char *wrong = wire_parse(p->packet, p->n, w->s->v6, &in);
    *f = flow_of(w, &in);
    if (wrong == NULL && *f == NULL)
        wrong = "it goes to a port nobody uses";
    if (wrong != NULL) {
        world_differ(w, "a packet that is wrong whatever the script wants: %s", wrong);
        return false;
    }
    wrong = flow_read(*f, &w->ends, &in, p->n, g);
    log_heard(w, *f, p->at_ns, g);
    if (wrong == NULL)
        return true;
    char *text = shown(g);
    world_differ(
        w, "> %s\n              which is wrong whatever the script wants: %s", text, wrong);
    free(text);
    return false;
}

/** Whatever waits now was not asked for. */
static void nothing_waits(struct world *w)
{
    struct flow *f;
    struct segment g;
    fetch(w);
    struct waiting *p = w->failed ? NULL : take_waiting(w);
    if (p == NULL)
        return;
    if (read_packet(w, p, &f, &g)) {
        char *text = shown(&g);
        world_differ(w, "> %s\n              at %.3f ms, which nothing asked for", text,
            (double)(p->at_ns - START_NS) / NS_PER_MS);
        free(text);
    }
    free(p);
}

/** When a step is due, from what it says. */
static uint64_t due(const struct world *w, uint64_t written_ns)
{
    switch (w->st->when) {
    case WHEN_NOW: return w->here_ns;
    case WHEN_AFTER: return w->here_ns + written_ns;
    case WHEN_AT: return START_NS + written_ns;
    }
    return w->here_ns;
}

/** Time passes up to where this step stands; tern says nothing unasked on the way. */
static void reach(struct world *w)
{
    const uint64_t at = due(w, w->st->lo_ns);
    if (at < w->here_ns) {
        world_differ(
            w, "the script is already at %.3f ms", (double)(w->here_ns - START_NS) / NS_PER_MS);
        return;
    }
    pass(w, at, false);
    w->here_ns = at;
    nothing_waits(w);
}

/* ---- what tern shall send ---- */

/** The train of `by` bytes a segment stands for starts here; without `by` it is one segment. */
static struct segment first_car(const struct segment *train)
{
    struct segment g = *train;
    if (!(train->given & GIVEN_BY) || train->by >= train->len)
        return g;
    g.len = train->by;
    g.flags &= (uint8_t) ~(PSH | FIN); /* of the last one alone */
    return g;
}

static void next_car(struct segment *train, const struct segment *car)
{
    const uint32_t span = car->len + train->gap;
    train->seq += span;
    train->len -= span < train->len ? span : train->len;
}

static void judge_time(struct world *w, uint64_t at_ns, uint64_t lo_ns, uint64_t hi_ns)
{
    const double at = (double)(at_ns - START_NS) / NS_PER_MS;
    if (at_ns < lo_ns || at_ns > hi_ns)
        world_differ(w, "the same, but at %.3f ms and not at %.3f..%.3f ms", at,
            (double)(lo_ns - START_NS) / NS_PER_MS, (double)(hi_ns - START_NS) / NS_PER_MS);
}

static void judge_segment(
    struct world *w, const struct flow *f, const struct segment *want, const struct segment *got)
{
    char what[LINE_BYTES];
    segment_differences(want, got, what, sizeof what);
    if (f == w->flow && what[0] == '\0')
        return;
    char *text = shown(got), *wanted = shown(want);
    if (f != w->flow)
        world_differ(w, "> %s\n              on connection %c", text, flow_name(w, f));
    else
        world_differ(w, "> %s\n    wanted    > %s\n    differs   in %s", text, wanted, what);
    free(text);
    free(wanted);
}

static void expect_one(struct world *w, const struct segment *want, uint64_t lo_ns, uint64_t hi_ns)
{
    pass(w, hi_ns, true);
    struct waiting *p = take_waiting(w);
    if (p == NULL) {
        world_differ(w, "nothing until %.3f ms", (double)(w->now_ns - START_NS) / NS_PER_MS);
        return;
    }
    struct flow *f;
    struct segment got;
    if (read_packet(w, p, &f, &got)) {
        judge_segment(w, f, want, &got);
        judge_time(w, p->at_ns, lo_ns, hi_ns);
    }
    w->here_ns = p->at_ns;
    free(p);
}

static void do_out(struct world *w)
{
    const struct step *st = w->st;
    uint64_t lo = due(w, st->lo_ns), hi = due(w, st->hi_ns);
    if (st->when != WHEN_NOW && !st->is_range) {
        lo -= TICK_NS;
        hi += TICK_NS;
    }
    struct segment train = st->seg;
    do {
        const struct segment want = first_car(&train);
        expect_one(w, &want, lo, hi);
        next_car(&train, &want);
    } while (!w->failed && train.len > 0);
}

/* ---- what the peer sends ---- */

/** What is joined by &< arrives in one burst; everything else is a burst of its own. */
struct burst {
    bool joined;
    uint32_t n;
    struct rte_mbuf *m[TERN_BURST_MAX];
};

static void burst_add(struct world *w, struct burst *b, const uint8_t *packet, size_t n)
{
    if (!b->joined) {
        tern_embed_input(w->e, packet, n, w->now_ns);
        fetch(w);
        return;
    }
    struct rte_mbuf *m = rte_pktmbuf_alloc(w->e->pool);
    char *at = m != NULL && b->n < TERN_BURST_MAX ? rte_pktmbuf_append(m, (uint16_t)n) : NULL;
    if (at == NULL) {
        world_differ(w, "no buffer for a burst of this size");
        rte_pktmbuf_free(m);
        return;
    }
    memcpy(at, packet, n);
    b->m[b->n++] = m;
}

static void add_segments(struct world *w, struct burst *b, const struct step *st)
{
    uint8_t packet[PACKET_BYTES_MAX];
    struct segment train = st->seg;
    do {
        const struct segment g = first_car(&train);
        burst_add(w, b, packet, flow_build(w->flow, &w->ends, &g, w->now_ns, packet));
        next_car(&train, &g);
    } while (train.len > 0);
}

static void add_step(struct world *w, struct burst *b, const struct step *st)
{
    uint8_t packet[PACKET_BYTES_MAX];
    if (st->act == ACT_IN)
        add_segments(w, b, st);
    else if (st->act == ACT_ICMP)
        burst_add(w, b, packet, flow_build_icmp(w->flow, &w->ends, &st->icmp, packet));
    else
        burst_add(w, b, st->bytes, st->n_bytes);
}

static bool is_in(const struct step *st)
{
    return st->act == ACT_IN || st->act == ACT_ICMP || st->act == ACT_PACKET;
}

/** Segments arrive. @return the last step that was carried out */
static const struct step *do_in(struct world *w)
{
    const struct step *st = w->st, *end = w->s->steps + w->s->n_steps;
    struct burst b = {.joined = st + 1 < end && st[1].joins};
    add_step(w, &b, st);
    for (; st + 1 < end && st[1].joins && is_in(&st[1]); st++) {
        stamp(w, w->now_ns);
        fprintf(w->log, "%s\n", st[1].text);
        add_step(w, &b, &st[1]);
    }
    if (b.joined) {
        tern_shard_rx(tern_embed_shard(w->e), b.m, b.n, w->now_ns);
        fetch(w);
    }
    return st;
}

/* ---- flows ---- */

static void flow_start(struct world *w, struct flow *f, uint32_t iss)
{
    const uint16_t peer_port = f->peer_port, tern_port = f->tern_port;
    *f = (struct flow){
        .used = true,
        .peer_port = peer_port,
        .tern_port = tern_port,
        .iss = iss,
        .win = UINT16_MAX,
        .since_ns = w->now_ns,
    };
}

static void do_reopen(struct world *w)
{
    const struct flow old = *w->flow;
    flow_start(w, w->flow, old.iss + (uint32_t)w->st->span.lo);
    w->flow->since_ns = old.since_ns; /* its clock runs on */
    if (w->st->has_span) {            /* tern's numbers go on counting from its first ISN */
        w->flow->irs = old.irs;
        w->flow->has_irs = true;
    }
}

static void do_skip(struct world *w)
{
    struct waiting *p;
    w->here_ns = due(w, w->st->lo_ns);
    pass(w, w->here_ns, false);
    struct flow *f;
    struct segment g;
    while (!w->failed && (p = take_waiting(w)) != NULL) {
        read_packet(w, p, &f, &g);
        free(p);
    }
}

/* ---- the script ---- */

/** Carry out one step. @return the last one that was carried out with it */
static const struct step *act(struct world *w)
{
    switch (w->st->act) {
    case ACT_IN:
    case ACT_ICMP:
    case ACT_PACKET: return do_in(w);
    case ACT_OUT:
    case ACT_QUIET: break;
    case ACT_SKIP: do_skip(w); break;
    case ACT_FLOW: w->flow = &w->flows[w->st->name[0] - 'a']; break;
    case ACT_REOPEN: do_reopen(w); break;
    case ACT_LISTEN:
    case ACT_UNLISTEN:
    case ACT_CONNECT:
    case ACT_ACCEPT:
    case ACT_WRITE:
    case ACT_READ:
    case ACT_EOF:
    case ACT_SHUTDOWN:
    case ACT_CLOSE:
    case ACT_ABORT:
    case ACT_OPTION: world_call(w); break;
    case ACT_STATE:
    case ACT_ERROR:
    case ACT_INFO:
    case ACT_COUNT:
    case ACT_DROPS: world_look(w); break;
    }
    fetch(w);
    return w->st;
}

static void run_steps(struct world *w)
{
    const struct step *end = w->s->steps + w->s->n_steps;
    for (const struct step *st = w->s->steps; st < end && !w->failed; st++) {
        w->st = st;
        if (st->act == ACT_OUT) {
            do_out(w);
            continue;
        }
        if (st->act != ACT_SKIP && st->act != ACT_FLOW)
            reach(w);
        log_step(w);
        if (!w->failed)
            st = act(w);
    }
    nothing_waits(w);
}

static void add_address(struct tern_stack_config *cfg, const char *text)
{
    if (tern_prefix_parse(text, &cfg->addrs[cfg->n_addrs++]) != 0)
        abort();
}

static union tern_addr address(const char *text)
{
    union tern_addr a;
    if (tern_addr_parse(text, &a) != 0)
        abort();
    return a;
}

/** Benchmarking addresses (RFC 2544, RFC 5180): they never meet a real network. */
static void set_addresses(struct world *w, struct tern_stack_config *cfg)
{
    const bool v6 = w->s->v6;
    add_address(cfg, v6 ? "2001:2::1/64" : "198.18.0.1/24");
    if (w->s->has_second_addr)
        add_address(cfg, v6 ? "2001:2::3/64" : "198.18.0.3/24");
    w->ends = (struct ends){
        .v6 = v6,
        .mtu_bytes = cfg->mtu_bytes,
        .tern = address(v6 ? "2001:2::1" : "198.18.0.1"),
        .second = address(v6 ? "2001:2::3" : "198.18.0.3"),
        .peer = address(v6 ? "2001:2::2" : "198.18.0.2"),
    };
}

static void world_open(struct world *w)
{
    static struct tern_embed_config cfg;
    static const uint64_t seed[4] = {1, 2, 3, 4};
    struct tern_error err = {0};
    cfg = w->s->cfg;
    cfg.mbufs = MBUFS;
    cfg.stack.pins.slow_path_only = w->s->slow_path_only;
    set_addresses(w, &cfg.stack);
    memcpy(cfg.stack.seed, seed, sizeof seed);
    if (tern_embed_open(&cfg, START_NS, &w->e, &err) != 0) {
        w->failed = true;
        fprintf(w->log, "%s: the endpoint did not start: %s\n", w->s->path, err.text);
        return;
    }
    for (int i = 0; i < FLOWS_MAX; i++) {
        w->flows[i].peer_port = (uint16_t)(PEER_PORT + i);
        w->flows[i].tern_port = TERN_PORT;
        flow_start(w, &w->flows[i], w->s->has_peer_isn ? w->s->peer_isn : PEER_ISS);
    }
    w->flow = &w->flows[0];
}

static void world_close(struct world *w)
{
    struct waiting *p;
    while ((p = take_waiting(w)) != NULL)
        free(p);
    if (w->e == NULL)
        return;
    struct tern_embed_leaks leaks;
    tern_embed_close(w->e, &leaks);
    if (!w->failed && (leaks.mbufs | leaks.records | leaks.timers) != 0) {
        w->failed = true;
        fprintf(w->log,
            "--- at the end %u packet buffers, %u records, %u timers were not given back\n",
            leaks.mbufs, leaks.records, leaks.timers);
    }
}

bool run_script(const struct script *s, FILE *log)
{
    struct world w = {.s = s, .log = log, .now_ns = START_NS, .here_ns = START_NS};
    w.waiting_end = &w.waiting;
    world_open(&w);
    if (!w.failed)
        run_steps(&w);
    world_close(&w);
    return !w.failed;
}
