/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The line over the table of a repeated look: what the instance is, and what it did since the last.
 */
#include "process.h"

#include <stdint.h>
#include <stdio.h>

/** Counters of all endpoints, as they were at a time. */
struct app_top_sample {
    uint64_t at_ns;
    uint64_t open, established, failed, retransmits, rx_packets, tx_packets;
    uint64_t busy_cycles, total_cycles;
};

/** @return 0, or what app_process_ask() says */
int app_top_sample_take(struct app_process *p, struct app_top_sample *out, struct tern_error *err);

/** @param before  NULL: there is none, and no rates */
void app_top_print_summary(FILE *out, const struct app_process *p,
    const struct app_top_sample *before, const struct app_top_sample *now);
