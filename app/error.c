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

int app_report_error(enum app_exit status, const struct tern_error *err)
{
    char line[sizeof err->text];
    size_t n = 0;
    for (const char *p = err->text; *p != '\0' && n < sizeof line - 1; p++)
        line[n++] = (char)(iscntrl((unsigned char)*p) ? '?' : *p);
    line[n] = '\0';
    fprintf(stderr, "tern: %s\n", line);
    return (int)status;
}
