/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Everything a finished run has to tell, and the two ways to tell it. Filled in by run.c; the
 * report (report.c) and the JSON (result_json.c) only format.
 */
#include <tern/engine.h>

#include "books.h"
#include "capture/capture.h"
#include "goal/diagnose.h"
#include "goal/slo.h"
#include "goodput.h"
#include "impair/result.h"
#include "load/parts_result.h"
#include "measure/series.h"
#include "serve/service.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { APP_INVALID_MAX = 8, APP_INVALID_BYTES = 160, APP_ROWS_LOST_MAX = 8 };

/** One endpoint. */
struct app_end {
    const char *name; /**< "client", "server" */
    struct tern_device_info device;
    struct tern_stats stats; /**< after the drain */
    struct app_impair_result impairment;
    uint32_t n_workers;
    struct tern_worker_info workers[TERN_WORKERS_MAX];
    double busy[TERN_WORKERS_MAX]; /**< of the measured time, 0..1 */
};

/** Connections opened to be held. */
struct app_held {
    uint64_t wanted; /**< 0: this is another scenario */
    uint64_t open;   /**< at the end of the measured time */
    double opening_s, holding_s;
};

struct app_settings;
struct app_search;

struct app_result {
    const char *command, *device, *scenario;
    const struct app_settings *settings; /**< what was asked for; NULL: not known */
    double duration_s;                   /**< measured time, without start and drain */
    double cps;                          /**< connections established in it, a second */
    double rps;                          /**< requests answered in it, a second */
    double packets_per_connection;       /**< sent and received by end 0; 0 without connections */
    struct app_books books;              /**< of end 0 */
    struct app_load_counts load;         /**< zero for a server */
    struct app_ledger ledger;            /**< of a load: what counts, and what does not */
    uint64_t begun[TERN_WORKERS_MAX];    /**< by each worker of end 0, of what counts */
    uint64_t not_started;                /**< was due in the steady part, and never opened */
    struct app_hist *times;              /**< [APP_METRIC_COUNT] of what counts; NULL: not kept */
    struct app_parts parts;              /**< a mix: of each scenario */
    struct app_series series;
    struct app_goodput goodput; /**< bulk transfer only */
    struct app_held held;       /**< hold only */
    uint64_t planned_bytes;     /**< of memory, by all ends */
    uint64_t taken_bytes;       /**< by the process, at the end of the measured time */
    uint32_t n_ends;
    struct app_end ends[TERN_ENDPOINTS_MAX];
    struct tern_leaks leaks;
    struct tern_capture_stats capture;
    bool balanced, leaked, interrupted;
    uint32_t n_invalid;
    char invalid[APP_INVALID_MAX][APP_INVALID_BYTES]; /**< why not to trust the figures */

    const struct app_slo *slo; /**< what was to be met; NULL: nothing */
    struct app_slo_outcome goals;
    const struct app_search *search; /**< NULL: there was none */
    bool is_silent;                  /**< nothing answered */
    struct app_diagnosis diagnosis;  /**< why, where nothing answered */

    /** Of end 0; NULL: it connects. */
    const struct app_server *listeners;

    /** Rows of seconds that an observer could not write; what is told here is not touched by it. */
    struct app_rows_lost {
        const char *of; /**< "csv" */
        uint64_t n;     /**< not 0 */
    } rows_lost[APP_ROWS_LOST_MAX];
    uint32_t n_rows_lost;
};

/** Packets lost over all ends under this reason. */
uint64_t app_result_drops(const struct app_result *r, enum tern_drop reason);

/** The summary for people. */
void app_report_summary(FILE *out, const struct app_result *r);

/** The same for programs. @return a new reference, NULL without memory */
json_t *app_result_json(const struct app_result *r);
