/* SPDX-License-Identifier: BSD-3-Clause */
#include "pen.h"

#include "words.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024, PAIR_GOOD = 1, PAIR_BAD };

void app_pen_make_inks(void)
{
    if (!has_colors())
        return;
    init_pair(PAIR_GOOD, COLOR_GREEN, -1);
    init_pair(PAIR_BAD, COLOR_RED, -1);
}

static attr_t attribute_of(enum app_ink ink)
{
    switch (ink) {
    case APP_INK_PLAIN: return A_NORMAL;
    case APP_INK_STRONG: return A_BOLD;
    case APP_INK_FAINT: return A_DIM;
    case APP_INK_MARK: return A_REVERSE;
    case APP_INK_GOOD: return has_colors() ? (attr_t)COLOR_PAIR(PAIR_GOOD) : A_NORMAL;
    case APP_INK_BAD: return has_colors() ? (attr_t)COLOR_PAIR(PAIR_BAD) | A_BOLD : A_BOLD;
    }
    return A_NORMAL;
}

struct app_pen app_pen_begin(void)
{
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    return (struct app_pen){
        .n_rows = (uint32_t)rows,
        .n_columns = (uint32_t)columns,
        .plain = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
}

static void put_characters(
    struct app_pen *p, enum app_ink ink, const wchar_t *text, size_t n, uint32_t columns)
{
    if (app_pen_rows_left(p) != 0 && n != 0) {
        attrset((int)attribute_of(ink));
        mvaddnwstr((int)p->row, (int)p->column, text, (int)n);
        attrset((int)A_NORMAL);
    }
    p->column += columns;
}

void app_pen_put(struct app_pen *p, enum app_ink ink, const char *format, ...)
{
    char text[TEXT_BYTES];
    wchar_t clean[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uint32_t columns = app_pen_columns_left(p);
    const size_t n = app_words_clean(text, clean, TEXT_BYTES, &columns);
    put_characters(p, ink, clean, n, columns);
}

void app_pen_repeat(struct app_pen *p, enum app_ink ink, wchar_t c, uint32_t n)
{
    for (uint32_t i = 0; i < n && app_pen_columns_left(p) != 0; i++)
        put_characters(p, ink, &c, 1, 1);
}
