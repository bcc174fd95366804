/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Where the next words go on the screen. Whatever is put is clean, and ends at the right edge; rows
 * below the last one are dropped, so who draws need not ask at each line.
 */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <stdbool.h>
#include <stdint.h>

struct app_pen {
    uint32_t row, column, n_rows, n_columns;
    bool plain; /**< ASCII alone: the locale has no more */
};

enum app_ink {
    APP_INK_PLAIN,
    APP_INK_STRONG,
    APP_INK_FAINT,
    APP_INK_MARK,
    APP_INK_GOOD,
    APP_INK_BAD
};

/** Once curses is up. */
void app_pen_make_inks(void);

/** At the upper left of what the terminal has now. */
struct app_pen app_pen_begin(void);

/** How many rows are left, with the one that it is on. */
static inline uint32_t app_pen_rows_left(const struct app_pen *p)
{
    return p->row < p->n_rows ? p->n_rows - p->row : 0;
}

/** How many columns are left of this row. */
static inline uint32_t app_pen_columns_left(const struct app_pen *p)
{
    return p->column < p->n_columns ? p->n_columns - p->column : 0;
}

/** Go to a column of this row. */
static inline void app_pen_to(struct app_pen *p, uint32_t column)
{
    p->column = column;
}

/** To the beginning of the next row. */
static inline void app_pen_next(struct app_pen *p)
{
    p->row++;
    p->column = 0;
}

__attribute__((format(printf, 3, 4))) void app_pen_put(
    struct app_pen *p, enum app_ink ink, const char *format, ...);

/** The same character a number of times. */
void app_pen_repeat(struct app_pen *p, enum app_ink ink, wchar_t c, uint32_t n);
