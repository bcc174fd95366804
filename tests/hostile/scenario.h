/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a scenario is told, and the scenarios there are. */
#include "sheet.h"

#include <stdint.h>

struct scenario_options {
    uint32_t seconds; /* of virtual time under attack */
    uint64_t seed;
};

/** @param what  of the scenarios that share a form, this one: siege.h */
typedef void scenario_fn(const void *what, const struct scenario_options *opt, struct sheet *out);

scenario_fn siege_run, amplify_run, churn_run, drought_run, held_run, samples_run, table_run,
    tuples_run;
