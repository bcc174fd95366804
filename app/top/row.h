/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A connection in two lines, in the words of ss. */
#include <jansson.h>
#include <stdio.h>

enum { APP_TOP_LINES_A_CONN = 2, APP_TOP_LINES_OF_HEAD = 1 };

void app_top_print_head(FILE *out);
void app_top_print_row(FILE *out, const json_t *conn);
