/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What people read while a run goes on: the banner at its start and a line a second. */
#include <tern/engine.h>

#include "books.h"
#include "goodput.h"

#include <stdint.h>
#include <stdio.h>

/** What the engine found and made of the configuration, for each endpoint. */
void app_report_banner(FILE *out, const char *title, const struct tern_engine *e,
    const struct tern_config *cfg, const char *const *end_names);

/** What a line a second is made of; growing figures, of which the differences are shown. */
struct app_sample {
    uint64_t at_ns;
    struct app_books books;
    uint64_t retransmits, rx_packets, tx_packets;
    struct app_payload payload;
    double busy; /**< of the busiest worker, since the last sample, 0..1 */
};

/** One line for the time between two samples. @param n  lines before; the heading comes back now
 * and then. @param stream  bytes rather than connections */
void app_report_line(FILE *out, uint32_t n, bool stream, uint64_t start_ns,
    const struct app_sample *before, const struct app_sample *now);
