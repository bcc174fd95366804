/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What each scenario of a mix has come to, and the two ways to tell it. */
#include "load.h"

#include <jansson.h>
#include <stdio.h>

struct app_parts {
    uint32_t n; /**< 0: no mix */
    struct app_part {
        const char *name;
        uint32_t weight;
        struct app_load_counts counts;
        struct app_ledger ledger;
        struct app_hist *times; /**< [APP_METRIC_COUNT]; NULL: not kept */
    } of[APP_PARTS_MAX];
};

/** Read them, once the workers have stopped. */
void app_parts_read(struct app_parts *parts, const struct app_load *load);
void app_parts_free(struct app_parts *parts);

/** Some lines for each; nothing without a mix. */
void app_parts_report(FILE *out, const struct app_parts *parts);

/** By name. @return a new reference, NULL without memory */
json_t *app_parts_json(const struct app_parts *parts);
