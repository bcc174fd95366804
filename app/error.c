/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors travel as a return code and one line of text, from wherever they are found up to the
 * subcommand, which prints them. Whatever the user typed may be quoted in the line, so control
 * characters are made harmless here, at the only place that prints.
 */
#include "error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int app_refuse(struct tern_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -EINVAL;
}

/* C0, DEL, and C1 as UTF-8 has it: C2 80 … C2 9F. */
static bool is_control(const unsigned char *p)
{
    return iscntrl(p[0]) || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f);
}

void app_print_plain(FILE *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        const bool control = is_control(p);
        p += control && !iscntrl(p[0]) ? 1 : 0;
        fputc(control ? '?' : *p, out);
    }
}

int app_report_error(enum app_exit status, const struct tern_error *err)
{
    fputs("tern: ", stderr);
    app_print_plain(stderr, err->text);
    fputc('\n', stderr);
    return (int)status;
}
