/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a worker measures of its connections: how long what took, and how each of them ended. The
 * worker adds; the main thread reads while it does, without a lock: a reading is of each counter's
 * moment, and exact once the workers have stopped.
 *
 * Times count from the intended start, so that what a slow target holds up is in them. A connection
 * counts when its intended start lies in the steady part of the run; the others, of ramp and drain,
 * have books, but no times.
 */
#include <tern/conn.h>

#include "../load/fail.h"
#include "hist.h"
#include "stamp.h"

// clang-format off
/** What is timed, all from the intended start of the connection or, where it has several, of the request. */
#define APP_METRIC_LIST(X) \
    X(CONNECT,    "connect")    /* the connection is established */ \
    X(FIRST_BYTE, "first_byte") /* the first byte of an answer is here */ \
    X(COMPLETE,   "complete")   /* all of the answer is */ \
    X(CLOSE,      "close")      /* the connection is closed, in order */ \
    X(FAILED,     "failed")     /* it has failed */
// clang-format on
#define APP_METRIC_ENUM(name, json) APP_METRIC_##name,
enum app_metric { APP_METRIC_LIST(APP_METRIC_ENUM) APP_METRIC_COUNT };
#undef APP_METRIC_ENUM

/** "connect", … */
const char *app_metric_name(enum app_metric m);

/** How a connection ends: as the library says (0: in order), or as the scenario does. */
enum { APP_ENDS = TERN_CLOSE_COUNT + APP_FAIL_COUNT };

/** "ok", "refused", …, "http_status", … */
const char *app_end_name(uint32_t end);

/** Of the connections that count, and of all. begun = sum of ended + those open. */
struct app_ledger {
    uint64_t begun[2];           /**< [counts] */
    uint64_t ended[2][APP_ENDS]; /**< [counts] */
    uint64_t late;               /**< starts made more than APP_LATE_NS behind: our fault … */
    uint64_t held_back;          /**< … and those that waited for --conns: the target's */
    uint64_t late_max_ns;        /**< of either */
};

enum { APP_LATE_NS = 1000000 };

struct app_measure {
    struct app_ledger ledger;
    struct app_hist *hist; /**< [APP_METRIC_COUNT], of those that count; NULL: times are not kept */
};

/** @param keeps_times  false: books only. @return 0, -ENOMEM */
int app_measure_init(struct app_measure *m, bool keeps_times);
void app_measure_fini(struct app_measure *m);

/** A time of a connection, or of a request of it. */
static inline void app_measure_time(
    struct app_measure *m, struct app_stamp s, enum app_metric metric, uint64_t now_ns)
{
    if (app_stamp_counts(s) && m->hist != NULL)
        app_hist_add(&m->hist[metric], app_stamp_age_ns(s, now_ns));
}

/** Add to a counter that others read while this thread, and only it, writes. */
static inline void app_measure_bump(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/** A start was made. @param late_ns  behind its due time. @param was_full  it waited for room */
static inline void app_measure_begin(
    struct app_measure *m, struct app_stamp s, uint64_t late_ns, bool was_full)
{
    app_measure_bump(&m->ledger.begun[app_stamp_counts(s)]);
    if (__builtin_expect(late_ns <= APP_LATE_NS, 1))
        return;
    app_measure_bump(was_full ? &m->ledger.held_back : &m->ledger.late);
    if (late_ns > m->ledger.late_max_ns)
        __atomic_store_n(&m->ledger.late_max_ns, late_ns, __ATOMIC_RELAXED);
}

/** The connection is over, under one name. @param why  the library's; the stamp knows better */
static inline void app_measure_end(
    struct app_measure *m, struct app_stamp s, enum tern_close_reason why, uint64_t now_ns)
{
    const uint32_t fail = app_stamp_fail(s);
    const uint32_t end = fail != 0 ? TERN_CLOSE_COUNT + fail - 1 : (uint32_t)why;
    app_measure_bump(&m->ledger.ended[app_stamp_counts(s)][end]);
    app_measure_time(m, s, end == TERN_CLOSE_NORMAL ? APP_METRIC_CLOSE : APP_METRIC_FAILED, now_ns);
}

/** Add what a worker has counted by now. From any thread. */
void app_ledger_add(struct app_ledger *sum, const struct app_ledger *from);

/** All that ended, of those that count and of the others. */
uint64_t app_ledger_n_ended(const struct app_ledger *l, bool counts);
