/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The legitimate load of a world: clients that connect at a fixed rate, send a request, read the
 * response and close; and a few established connections over which the server sends without end.
 */
#include "world.h"

/* what LEGIT_PORT serves waits for a request for as long as its client likes */
enum {
    LEGIT_PORT = 80,
    LEGIT_STREAM_PORT = 81,
    LEGIT_STREAMS = 4,
    LEGIT_REQUEST_BYTES = 64,
    LEGIT_RESPONSE_BYTES = 1000,
};

/** A client's visit. */
struct visit {
    struct legit *of;
    uint64_t begun_ns, open_ns; /* open_ns 0: not connected yet */
    uint32_t got_bytes;
    bool done;
    uint64_t done_ns;
};

struct legit {
    struct world *w;
    struct visit *visits; /* [n_max] */
    uint32_t n, n_max, rate_per_s;
    uint64_t started_ns, streamed_bytes; /* of all streams */
    uint64_t stream_bytes[LEGIT_STREAMS];
    uint64_t streams_lost;                       /* established connections that ended */
    struct tern_conn *streams[LEGIT_STREAMS];    /* the clients' ends */
    struct tern_conn_info stream[LEGIT_STREAMS]; /* … as they were when they had opened */
    struct tern_static *body;
};

/** Listen, and open the streams. @param n_max visits that there may be at most */
void legit_open(struct legit *l, struct world *w, uint32_t rate_per_s, uint32_t n_max);
/** Free what it took; the world is still open, its connections need not be. */
void legit_close(struct legit *l);

/** A connection of the clients' to the server. @return NULL: refused at once */
struct tern_conn *legit_connect(
    struct legit *l, uint16_t port, const struct tern_app *app, void *user);

/** Begin the visits that are due by now. */
void legit_begin_visits(struct legit *l);

/** End the streams, and let everything come to its end. */
void legit_finish(struct legit *l);

/** Per cent of the visits begun that are done. */
double legit_success_percent(const struct legit *l);
/** 99th percentile of the time to connect, of all visits begun, ms; those that never did count as
 * endless. */
double legit_connect_p99_ms(const struct legit *l);
