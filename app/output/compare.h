/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Two kept results side by side: what was asked of them, and what differs beyond their noise. */
#include "kept.h"

#include <stdio.h>

enum { APP_FIGURES_MAX = 64, APP_FIGURE_BYTES = 48 };

struct app_figure {
    char name[APP_FIGURE_BYTES];
    const char *unit; /**< "count", "ns", "share" */
    double a, b;
    bool has_spread;
    struct app_spread of_a, of_b;
    const char *verdict; /**< "differs", "within noise", "too short to tell" */
};

struct app_comparison {
    const struct app_kept *a, *b;
    json_t *options; /**< [{"name", "a", "b"}] those that differ; null where one was not said */
    struct app_figure figures[APP_FIGURES_MAX];
    uint32_t n_figures;
};

void app_compare(const struct app_kept *a, const struct app_kept *b, struct app_comparison *out);
void app_compare_free(struct app_comparison *c);

void app_compare_print(FILE *out, const struct app_comparison *c);

/** What the page shows, for app_html_write(). @return a new reference */
json_t *app_compare_json(const struct app_comparison *c);
