/* SPDX-License-Identifier: BSD-3-Clause */
#include "sheet.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const bound_signs[] = {[AT_LEAST] = ">=", [AT_MOST] = "<=", [EXACTLY] = "="};

void sheet_add(struct sheet *s, double value, const char *unit, enum bound bound, double limit,
    const char *label, ...)
{
    assert(s->n < SHEET_FIGURES_MAX);
    struct figure *f = &s->figures[s->n++];
    *f = (struct figure){.unit = unit, .value = value, .limit = limit, .bound = bound};
    va_list args;
    va_start(args, label);
    vsnprintf(f->label, sizeof f->label, label, args);
    va_end(args);
}

static bool figure_holds(const struct figure *f)
{
    switch (f->bound) {
    case AT_LEAST: return f->value >= f->limit;
    case AT_MOST: return f->value <= f->limit;
    case EXACTLY: return !(f->value < f->limit) && !(f->value > f->limit);
    }
    return false;
}

bool sheet_holds(const struct sheet *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (!figure_holds(&s->figures[i]))
            return false;
    }
    return s->n > 0;
}

static const char *verdict(const struct figure *f)
{
    return figure_holds(f) ? "held" : "BROKEN";
}

void sheet_print(const struct sheet *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct figure *f = &s->figures[i];
        printf("  %-58s %12.8g %-3s  %2s %-9.8g %s\n", f->label, f->value, f->unit,
            bound_signs[f->bound], f->limit, verdict(f));
    }
}

void sheet_print_markdown(const struct sheet *s)
{
    printf("| figure | found | bound | |\n|---|--:|--:|---|\n");
    for (uint32_t i = 0; i < s->n; i++) {
        const struct figure *f = &s->figures[i];
        printf("| %s | %.8g %s | %s %.8g | %s |\n", f->label, f->value, f->unit,
            bound_signs[f->bound], f->limit, verdict(f));
    }
}
