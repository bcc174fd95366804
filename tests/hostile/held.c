/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nine tenths of the server's connections are held by peers who never finish: who shut their
 * window, send a request byte by byte, do not answer a FIN with theirs, or close their side and do
 * not read. Clients that behave must find room meanwhile, and when the configured limit has passed
 * the places must be free. Which limit that is depends on who waits: persist_timeout_ms,
 * fin_wait2_ms, or the application's own, by tern_timer_arm().
 */
#include "legit.h"
#include "scenario.h"

#include <rte_mbuf.h>

#include <stdlib.h>

enum {
    CONNS_MAX = 1000,
    HOLDERS = CONNS_MAX * 9 / 10,
    HOLD_PORT = 90,
    VISITS_PER_S = 200,
    SECONDS = 6,
    LIMIT_MS = 3000,
    LIMIT_MORE_MS = 500, /* a timer that stands when the limit comes */
    TRICKLE_MS = 250,
    NS_PER_MS = 1000000,
    ANSWER_BYTES = 65536, /* more than the window */
};

#define SUCCESS_MIN_PERCENT 99.9

static const uint8_t answer_bytes[ANSWER_BYTES];

/** The server's side of it: user data of its connections. */
struct hold {
    struct tern_static *answer;
    uint32_t n, n_most;
    uint64_t trickled_ns;
    struct tern_conn *holders[HOLDERS]; /* the peers' ends */
};

/** A way to hold a connection. */
struct manner {
    const char *name;
    struct tern_app server, peer;
    bool trickles; /* the peer sends a byte now and then */
};

/* ---- the server ---- */

static struct hold *server_begin(const struct tern_conn *c)
{
    struct hold *h = tern_conn_user(c);
    h->n++;
    h->n_most = RTE_MAX(h->n_most, h->n);
    return h;
}

static void server_on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    (void)why;
    struct hold *h = tern_conn_user(c);
    h->n--;
}

static void server_answers(struct tern_shard *sh, struct tern_conn *c)
{
    struct hold *h = server_begin(c);
    (void)tern_send_static(sh, c, h->answer, 0, ANSWER_BYTES);
}

static void server_answers_and_closes(struct tern_shard *sh, struct tern_conn *c)
{
    server_answers(sh, c);
    tern_close(sh, c);
}

static void server_closes(struct tern_shard *sh, struct tern_conn *c)
{
    (void)server_begin(c);
    tern_close(sh, c);
}

static void server_waits(struct tern_shard *sh, struct tern_conn *c)
{
    (void)server_begin(c);
    if (tern_timer_arm(sh, c, (uint64_t)LIMIT_MS * NS_PER_MS) != 0)
        tern_abort(sh, c);
}

/* ---- its peers ---- */

static void peer_reads_nothing(struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m)
{
    (void)sh;
    (void)c;
    rte_pktmbuf_free(m); /* and no tern_consume(): the window shuts */
}

static void peer_on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    (void)sh;
    (void)why;
    struct tern_conn **holder = tern_conn_user(c);
    *holder = NULL;
}

static const struct manner manners[] = {
    {
        .name = "zero window",
        .server = {.on_open = server_answers, .on_closed = server_on_closed},
        .peer = {.on_data = peer_reads_nothing, .on_closed = peer_on_closed},
    },
    {
        .name = "slow loris",
        .server = {.on_open = server_waits, .on_timer = tern_abort, .on_closed = server_on_closed},
        .peer = {.on_closed = peer_on_closed},
        .trickles = true,
    },
    {
        .name = "FIN-WAIT-2",
        .server = {.on_open = server_closes, .on_closed = server_on_closed},
        .peer = {.on_closed = peer_on_closed},
    },
    {
        .name = "half-closed",
        .server = {.on_open = server_answers_and_closes, .on_closed = server_on_closed},
        .peer = {.on_open = tern_shutdown,
            .on_data = peer_reads_nothing,
            .on_closed = peer_on_closed},
    },
};

enum { N_MANNERS = sizeof manners / sizeof manners[0] };

/* ---- the run ---- */

/** A byte each, now and then. */
static void trickle(struct legit *l, struct hold *h)
{
    if (l->w->now_ns < h->trickled_ns + (uint64_t)TRICKLE_MS * NS_PER_MS)
        return;
    h->trickled_ns = l->w->now_ns;
    for (uint32_t i = 0; i < HOLDERS; i++) {
        if (h->holders[i] != NULL)
            (void)tern_send_bytes(world_shard(l->w, CLIENTS), h->holders[i], "G", 1);
    }
}

/** @return when the last of them was gone, ms after they came; beyond the run: never */
static double hold_on(struct legit *l, struct hold *h, const struct manner *m)
{
    const uint64_t begun_ns = l->w->now_ns;
    uint64_t held_ns = begun_ns;
    while (l->w->now_ns < begun_ns + SECONDS * WORLD_SECOND_NS) {
        world_step(l->w);
        legit_begin_visits(l);
        if (m->trickles)
            trickle(l, h);
        if (h->n > 0)
            held_ns = l->w->now_ns;
    }
    return (double)(held_ns - begun_ns) / NS_PER_MS;
}

static void run_manner(const struct manner *m, bool v6, struct sheet *out)
{
    const char *family = v6 ? "IPv6" : "IPv4";
    static struct hold h;
    struct world_config cfg;
    struct world w;
    struct legit l;
    world_config_init(&cfg, v6);
    cfg.end[SERVER].stack.conns_max = CONNS_MAX;
    cfg.end[SERVER].stack.persist_timeout_ms = LIMIT_MS;
    cfg.end[SERVER].stack.fin_wait2_ms = LIMIT_MS;
    world_open(&w, &cfg);
    legit_open(&l, &w, VISITS_PER_S, VISITS_PER_S * SECONDS);
    h = (struct hold){
        .answer = tern_static_new(world_shard(&w, SERVER), answer_bytes, ANSWER_BYTES)};
    if (h.answer == NULL
        || tern_listen(world_shard(&w, SERVER), NULL, HOLD_PORT, &m->server, &h) < 0)
        abort();
    for (uint32_t i = 0; i < HOLDERS; i++)
        h.holders[i] = legit_connect(&l, HOLD_PORT, &m->peer, &h.holders[i]);
    const double reclaimed_ms = hold_on(&l, &h, m);
    world_pass(&w, WORLD_SECOND_NS);
    sheet_add(
        out, h.n_most, "", EXACTLY, HOLDERS, "%s, %s: held, of %u", family, m->name, CONNS_MAX);
    sheet_add(out, legit_success_percent(&l), "%", AT_LEAST, SUCCESS_MIN_PERCENT,
        "%s, %s: visits done", family, m->name);
    sheet_add(out, reclaimed_ms, "ms", AT_MOST, LIMIT_MS + LIMIT_MORE_MS,
        "%s, %s: the last reclaimed, of a limit of %u ms", family, m->name, LIMIT_MS);
    sheet_add(out, (double)l.streams_lost, "", EXACTLY, 0, "%s, %s: others lost", family, m->name);
    legit_finish(&l);
    const struct tern_embed_leaks leaks = world_close(&w);
    sheet_add(out, leaks.mbufs + leaks.records + leaks.timers, "", EXACTLY, 0,
        "%s, %s: buffers, records, timers left behind", family, m->name);
    tern_static_free(h.answer);
    legit_close(&l);
}

void held_run(const void *what, const struct scenario_options *opt, struct sheet *out)
{
    (void)what;
    (void)opt;
    for (int v6 = 0; v6 <= 1; v6++) {
        for (int i = 0; i < N_MANNERS; i++)
            run_manner(&manners[i], v6, out);
    }
}
