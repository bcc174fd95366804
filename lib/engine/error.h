/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* How the control plane says no: one line of text and the code to return, in one expression. */
#include <tern/config.h>

#include <stdarg.h>
#include <stdio.h>

/** Write the line (cause, evidence, what to type next) and @return rc. @param err may be NULL */
__attribute__((format(printf, 3, 4))) static inline int tern_fail(
    struct tern_error *err, int rc, const char *format, ...)
{
    if (err == NULL)
        return rc;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return rc;
}
