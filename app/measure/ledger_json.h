/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "measure.h"

#include <jansson.h>

/** What became of the connections that count, or of the others: ramp, warm-up, drain. @return a new
 * reference, NULL without memory */
json_t *app_ledger_part_json(const struct app_ledger *l, bool counts);
