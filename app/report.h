/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What people read while a run goes on: the banner at its start and a line a second. */
#include <tern/engine.h>

#include "measure/series.h"

#include <stdint.h>
#include <stdio.h>

/** What the engine found and made of the configuration, for each endpoint. */
void app_report_banner(FILE *out, const char *title, const struct tern_engine *e,
    const struct tern_config *cfg, const char *const *end_names);

/** One line for a second. @param n  lines before; the heading comes back now and then.
 * @param stream  bytes rather than connections */
void app_report_line(FILE *out, uint32_t n, bool stream, const struct app_second *s);
