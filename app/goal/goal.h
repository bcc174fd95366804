/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Whether a run has met its goals, and the ways to tell it. */
#include "../error.h"
#include "../result.h"

/** What was due and did not end well, of what counts; the rest of *f is left. @param of_requests
 *  attempts are requests, not connections @param not_started  that were due and never begun */
void app_goal_count(struct app_slo_facts *f, bool of_requests, const struct app_ledger *ledger,
    const struct app_load_counts *counts, uint64_t not_started);

/** Judge the goals of a finished run, if it has any. */
void app_goal_judge(struct app_result *r, const struct app_load_config *cfg);

/** At the end of the summary; nothing without goals. */
void app_goal_report(FILE *out, const struct app_result *r);

/** Add what is told of them to the result's JSON; nothing without goals. */
void app_goal_json(json_t *result, const struct app_result *r);

/** @return APP_EXIT_OK, or APP_EXIT_SLO or APP_EXIT_INVALID with one line in *err */
enum app_exit app_goal_status(const struct app_result *r, struct tern_error *err);
