/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <jansson.h>
#include <stdio.h>

/** Write an object indented, but each row of a series on one line. @return 0, or -1 */
int app_json_write(FILE *out, json_t *root);

/** Write it compact, and so that it may stand inside an HTML script element. @return 0, or -1 */
int app_json_write_embedded(FILE *out, const json_t *root);
