/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The connections of an instance, page by page, as a table in the manner of `ss -ti`. */
#include "process.h"
#include "settings.h"

#include <stdio.h>

/** @param n_lines_max  of the terminal; connections beyond are counted, not shown. UINT32_MAX: all
 * @return 0, or what app_process_ask() says */
int app_top_print_conns(FILE *out, struct app_process *p, const struct app_top_settings *s,
    uint32_t n_lines_max, struct tern_error *err);
