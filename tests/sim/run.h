/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* One seed from beginning to end. */
#include "sim.h"

struct run_options {
    uint64_t only, must; /* bits of enum mix_fault: see mix_draw() */
    bool slow_path;      /* both ends without the library's fast path */
    FILE *trace;         /* or NULL */
};

struct run_result {
    bool failed;
    uint64_t hash;
    char failure[SIM_FAILURE_BYTES + 100]; /* with where and when */
};

/** Run `seed`; what was seen is added to *totals. */
void run_seed(
    uint64_t seed, const struct run_options *o, struct totals *totals, struct run_result *out);
