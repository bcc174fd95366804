/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A search in words: a line a step while it runs, and what it came to. */
#include "search.h"

/** @param n  of the step, from 0: every so often a heading is printed */
void app_search_report_step(FILE *out, const struct app_search *s, uint32_t n);

/** In the summary: the answer, and the steps if nobody has shown them. */
void app_search_report(FILE *out, const struct app_search *s);

/** Add "search" and "steps" to the result's JSON. */
void app_search_json(json_t *result, const struct app_search *s);
