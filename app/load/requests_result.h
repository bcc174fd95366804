/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What became of the requests of a load, told in two ways. */
#include "load.h"

#include <jansson.h>
#include <stdio.h>

/** Some lines; nothing where nothing was asked. */
void app_requests_report(FILE *out, const struct app_load_counts *c);

/** @param per_s  answered a second; NULL: not known. @return a new reference, NULL without memory
 */
json_t *app_requests_json(const struct app_load_counts *c, const double *per_s);
