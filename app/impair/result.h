/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What impairment did: said before the run, counted behind it. */
#include <tern/engine.h>

#include <jansson.h>
#include <stdio.h>

struct app_result;

/** Of one end. */
struct app_impair_result {
    struct tern_impair asked[TERN_IMPAIR_DIRS];
    struct tern_impaired done[TERN_IMPAIR_DIRS];
};

void app_impair_read(struct app_impair_result *r, const struct tern_engine *e,
    const struct tern_config *cfg, uint32_t ep);

/** A line of the banner; nothing where nothing is impaired. */
void app_impair_banner(FILE *out, const struct tern_endpoint_config *ep, int label_chars);

/** Lines of the summary. */
void app_impair_report(FILE *out, const struct app_result *r);

/** The same for programs. @return a new reference; NULL: nothing was impaired */
json_t *app_impair_json(const struct app_result *r);
