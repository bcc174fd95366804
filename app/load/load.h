/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The load client: opens connections at a rate (open loop), up to a number at a time (closed loop),
 * or both, and runs a scenario on each. Everything a worker counts is its own; the main thread
 * reads the counters and sums.
 *
 * A run has a ramp, in which the rate grows, a steady part, and an end, in which nothing new is
 * opened. What was meant to begin in the steady part counts.
 */
#include <tern/engine.h>

#include "../measure/measure.h"
#include "../measure/pace.h"
#include "../pool.h"
#include "../stream.h"
#include "expect.h"
#include "fail.h"
#include "request.h"
#include "round_robin.h"
#include "turns.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum { APP_STATUS_CLASSES = 6 };

/** What one worker did, or the sum over all. */
struct app_load_counts {
    uint64_t opened;   /**< connects that the library took */
    uint64_t no_port;  /**< times that no local port was free */
    uint64_t asked[2]; /**< [counts] requests that were begun to be sent (http) */
    uint64_t answered; /**< whose answer came in full, and was the right one (echo, http) */
    uint64_t wrong[APP_FAIL_COUNT]; /**< … in full, and was not, on a connection that went on */
    uint64_t unanswered;            /**< the connection ended before (http-keepalive) */
    uint64_t status[APP_STATUS_CLASSES]; /**< answers by class, 1xx … 5xx; 0: any other */
    uint64_t failed[APP_FAIL_COUNT];
    struct app_stream_books stream;
};

struct app_scenario;
struct app_load_mix;

/** Where connections go: to the ports of an address, in turn. */
struct app_load_target {
    union tern_addr addr;
    uint16_t port, n_ports; /**< from `port` on */
};

struct app_load_config {
    const struct app_scenario *scenario;
    const struct app_load_target *targets; /**< [n_targets] of one family */
    uint32_t n_targets;
    bool random_targets;               /**< each drawn, not in turn */
    const struct app_sources *sources; /**< own addresses of the targets' family */
    bool random_sources;               /**< each once a round, in the order that source_key makes */
    uint64_t source_key;
    uint32_t n_workers;
    uint64_t rate;       /**< connections a second over all workers; 0: as fast as `conns` allows */
    uint64_t conns;      /**< open at a time over all workers */
    uint64_t count;      /**< stop after that many; 0: none */
    uint64_t ramp_ns;    /**< in which the rate grows, and nothing counts */
    uint64_t steady_ns;  /**< in which everything does; 0: until the load is told to end */
    bool no_times;       /**< keep books, but no latencies */
    uint16_t port;       /**< of every target; 0: the targets' own */
    uint64_t echo_bytes; /**< of a request, or of a tick */
    uint64_t tick_ns;    /**< hold: between two requests on a connection; 0: none */
    uint64_t hold_ns;    /**< hold: how long a connection stays; 0: until the run ends */
    uint64_t requests;   /**< echo, http-keepalive: of a connection; 0: until the run ends */
    uint32_t pipeline;   /**< http-keepalive: requests under way on a connection */
    struct app_stream_config stream;
    const struct app_requests *asks; /**< http: what is asked, in turn */
    bool early; /**< http: the one request goes with the SYN where the target gave a cookie (RFC
                   7413) */
    struct app_expect expect;       /**< http: what must come back */
    const struct app_load_mix *mix; /**< several scenarios; NULL: `scenario` is the only one */
};

enum { APP_PARTS_MAX = 8 };
static_assert((int)APP_PARTS_MAX <= (int)APP_STAMP_PARTS, "a stamp tells them apart");

/** Several scenarios in one load, each with a configuration of its own; what they share (sources,
 * workers, times, rate, conns, count) is the load's. */
struct app_load_mix {
    uint32_t n;
    uint32_t weights[APP_PARTS_MAX];
    struct app_load_config of[APP_PARTS_MAX];
    struct app_round_robin turns; /**< whose a start is */
};

enum app_load_phase { APP_LOAD_WAITS, APP_LOAD_RUNS, APP_LOAD_ENDS };

/** A part of a run with a rate of its own. It takes the place of what --rate asked for; when it is
 * over nothing is due before the next. */
struct app_load_step {
    uint64_t rate;      /**< over all workers, 1.. */
    uint64_t settle_ns; /**< in which nothing counts */
    uint64_t steady_ns; /**< in which everything does */
};

struct app_load {
    struct app_load_config cfg;
    struct app_sources sources; /**< where cfg.sources points to, unless a test has its own */
    int phase;                  /**< enum app_load_phase; written by the main thread, atomically */
    uint32_t n_steps;           /**< set by now, atomically; 0: the rate is cfg's */
    struct app_load_step step;  /**< the last of them; not written before all workers are over it */
    struct app_load_worker *workers[TERN_WORKERS_MAX]; /**< each set by its worker, atomically */
    struct app_load_mix mix;                           /**< what cfg.mix points to, if anywhere */
};

/**
 * What a worker keeps and counts of one scenario. A plain load has one part, a mix has several; a
 * connection's stamp says whose it is.
 */
struct app_load_part {
    struct app_load_worker *worker;
    const struct app_load *load;
    const struct app_load_config *cfg; /**< the scenario's own */
    struct app_load_counts counts;
    struct app_measure measure;
    uint32_t index, next_target;
    struct app_turns sources;
    union tern_addr source; /**< until all targets have had their turn */
    uint32_t port_turn;     /**< … and a port of each */
    uint64_t random;        /**< draws targets; never 0 */
    struct app_pool pool;   /**< the scenario's state of a connection */
    void *state;            /**< the scenario's own, of a worker */
};

/** One worker's world; its shard's user pointer. */
struct app_load_worker {
    const struct app_load *load;
    struct app_pace pace;          /**< open loop */
    uint64_t conns_max, count_max; /**< this worker's share */
    uint64_t n_opened;             /**< by all parts */
    uint64_t live;                 /**< opened and not closed */
    uint64_t begin_ns;             /**< time 0; before that: when the first connection was opened */
    uint64_t steady_ns, end_ns;    /**< what is meant to begin in [steady, end) counts */
    uint64_t opens_until_ns;       /**< when it was told to open no more; 0: not yet */
    uint64_t stop_ns;              /**< when nothing of this step is due any more */
    uint32_t step;                 /**< that it has taken, counted from 1; 0: none */
    uint32_t steps_over;           /**< that it is over with; atomic */
    uint32_t index, next_turn;
    bool warm;     /**< the first connection has shown that the target answers */
    bool was_full; /**< what is due now has waited for others to close */
    int idle;      /**< nothing open, and nothing more to open; atomic */
    uint32_t n_parts;
    struct app_load_part parts[];
};

/**
 * What is done on each connection. One file a scenario. A connection's user pointer is a stamp
 * (measure/stamp.h) until the scenario puts state in its place, whose first field is that stamp.
 */
struct app_scenario {
    const char *name, *serves; /**< the service that `pair` puts opposite */
    const struct tern_app *app;
    size_t conn_bytes;   /**< state of a connection, from the worker's pool */
    bool paces_requests; /**< --rate is of requests: connections are opened as in closed loop */
    bool holds;          /**< connections are opened, and then held: the run's time begins there */
    uint32_t
        opening_max; /**< that a worker has opening at a time; 0: as many as it may have open */
    /** Make the part's state. @return 0 or -errno; NULL: none */
    int (*start)(struct tern_shard *sh, struct app_load_part *p);
    void (*stop)(struct app_load_part *p);
    /** After every poll, while the load runs. @return true when work was done; NULL: nothing */
    bool (*tick)(struct tern_shard *sh, struct app_load_part *p, uint64_t now_ns);
    /** After every poll, once no more may be opened: end what does not end by itself. @return true
     * when work was done; NULL: all does */
    bool (*end)(struct tern_shard *sh, struct app_load_part *p);
};

extern const struct app_scenario app_scenario_handshake, app_scenario_http,
    app_scenario_http_keepalive, app_scenario_echo, app_scenario_stream, app_scenario_hold,
    app_scenario_hold_ticking, /**< hold, with ticks or for a time: not found by name */
    app_scenario_churn;        /**< several; see churn.h */

/** The scenario of that name, or -EINVAL with the known ones in *err. @param option  for *err */
int app_scenario_find(
    const char *option, const char *name, const struct app_scenario **out, struct tern_error *err);

/** The callbacks that run `load` on an endpoint's workers; it must outlive the engine. */
struct tern_worker_app app_load_worker_app(struct app_load *load);

/** Begin to open, once the engine has started; or open no more. From the main thread. */
void app_load_set_phase(struct app_load *load, enum app_load_phase phase);

/** Begin a step: each worker does at its next tick, once it is warm. The last one must be over.
 * From the main thread; the first time before the load runs. */
void app_load_set_step(struct app_load *load, const struct app_load_step *step);

/** True when on no worker anything of the last step is due any more. */
bool app_load_step_is_over(const struct app_load *load);

/** True when every worker has nothing open and nothing more to open. */
bool app_load_is_idle(const struct app_load *load);

/** Sum over the workers. From any thread. */
void app_load_sum(const struct app_load *load, struct app_load_counts *out);
void app_load_ledger(const struct app_load *load, struct app_ledger *out);

/** Of what counts: connections that a worker has begun; where requests are paced, these. Once the
 * workers have stopped. */
uint64_t app_load_begun(const struct app_load *load, uint32_t worker);

/** Starts that were due in the steady part, APP_LATE_NS before its end, and never made. Once the
 * workers have stopped. */
uint64_t app_load_not_started(const struct app_load *load);

/** What all workers together have timed by now, added to *out. */
void app_load_times(const struct app_load *load, enum app_metric m, struct app_hist *out);

/** Scenarios: 1, or those of the mix. */
uint32_t app_load_n_parts(const struct app_load *load);

/** The same of one of them, added to *sum. */
void app_load_add_counts(const struct app_load *load, uint32_t part, struct app_load_counts *sum);
void app_load_add_ledger(const struct app_load *load, uint32_t part, struct app_ledger *sum);
void app_load_add_times(
    const struct app_load *load, uint32_t part, enum app_metric m, struct app_hist *sum);

/** After the engine is closed. */
void app_load_free(struct app_load *load);

/** Worker `i`, once it has begun; NULL before. From any thread. */
static inline const struct app_load_worker *app_load_worker_at(
    const struct app_load *load, uint32_t i)
{
    return __atomic_load_n(&load->workers[i], __ATOMIC_ACQUIRE);
}

/** Is --rate of connections? Else of requests, or there is none. */
static inline bool app_load_is_paced(const struct app_load_worker *w)
{
    return w->load->cfg.rate != 0 && !w->load->cfg.scenario->paces_requests;
}

/* ---- for scenarios ---- */

/** Add one to a counter that others read while this worker, and only it, writes. */
static inline void app_load_bump(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/** The part of the connection, or of the request, with that stamp. */
static inline struct app_load_part *app_load_part_at(
    const struct tern_shard *sh, struct app_stamp stamp)
{
    struct app_load_worker *w = tern_shard_user(sh);
    return &w->parts[app_stamp_part(stamp)];
}

static inline struct app_load_part *app_load_part_of(
    const struct tern_shard *sh, const struct tern_conn *c)
{
    return app_load_part_at(sh, app_stamp_of(tern_conn_user(c)));
}

/** Of what is meant to begin then. */
static inline struct app_stamp app_load_stamp_at(
    const struct app_load_worker *w, uint64_t intended_ns)
{
    return app_stamp_make(intended_ns, intended_ns >= w->steady_ns && intended_ns < w->end_ns);
}

/** Of what begins now. */
static inline struct app_stamp app_load_stamp(const struct tern_shard *sh)
{
    return app_load_stamp_at(tern_shard_user(sh), tern_shard_now_ns(sh));
}

/** A connection has come so far. */
static inline void app_load_time(
    struct tern_shard *sh, const struct tern_conn *c, enum app_metric metric)
{
    const struct app_stamp stamp = app_stamp_of(tern_conn_user(c));
    struct app_load_part *p = app_load_part_at(sh, stamp);
    app_measure_time(&p->measure, stamp, metric, tern_shard_now_ns(sh));
}

/** Every scenario calls this from its on_closed(), before it gives back what holds the stamp. */
static inline void app_load_closed(
    struct tern_shard *sh, const struct tern_conn *c, enum tern_close_reason why)
{
    struct app_load_worker *w = tern_shard_user(sh);
    const struct app_stamp stamp = app_stamp_of(tern_conn_user(c));
    app_measure_end(&w->parts[app_stamp_part(stamp)].measure, stamp, why, tern_shard_now_ns(sh));
    w->live--;
}

/** True once no more may be opened: connections that would go on for ever end themselves. */
static inline bool app_load_is_ending(const struct app_load_part *p)
{
    return __atomic_load_n(&p->load->phase, __ATOMIC_RELAXED) == APP_LOAD_ENDS;
}

/** Is a request of the schedule due? Of scenarios that pace requests. */
static inline bool app_load_is_due(const struct app_load_part *p, uint64_t now_ns)
{
    return p->worker->warm && now_ns >= p->worker->pace.due_ns;
}

/** Take the next request of the schedule. @param was_full  it had to wait for a connection.
 * @return false: none is due */
bool app_load_take_due(
    struct app_load_part *p, uint64_t now_ns, bool was_full, struct app_stamp *out);

/** Give the connection state from the pool, zero but for the stamp, its first field, as its user
 * pointer. @return NULL without memory: the connection has failed */
void *app_load_attach(struct tern_shard *sh, struct tern_conn *c);

/** The connection failed the scenario: count why, and reset it. */
void app_load_fail(struct tern_shard *sh, struct tern_conn *c, enum app_fail why);
