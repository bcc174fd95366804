/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a scenario found: figures, each with the bound it must hold. Printed as a page for a person
 * or as rows of docs/reliability.md; the verdict is the same.
 */
#include <stdbool.h>
#include <stdint.h>

enum { SHEET_FIGURES_MAX = 128, SHEET_LABEL_BYTES = 96 };

enum bound { AT_LEAST, AT_MOST, EXACTLY };

struct figure {
    char label[SHEET_LABEL_BYTES];
    const char *unit;
    double value, limit;
    enum bound bound;
};

struct sheet {
    uint32_t n;
    struct figure figures[SHEET_FIGURES_MAX];
};

/** Enter a figure. The label is printf-like. */
__attribute__((format(printf, 6, 7))) void sheet_add(struct sheet *s, double value,
    const char *unit, enum bound bound, double limit, const char *label, ...);

bool sheet_holds(const struct sheet *s);

/** A line a figure: label, figure, bound, "held" or "BROKEN". */
void sheet_print(const struct sheet *s);

/** The same as rows of a table in Markdown. */
void sheet_print_markdown(const struct sheet *s);
