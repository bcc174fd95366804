/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* --hlog FILE: the histograms of every second, in the log format that HdrHistogram's tools read. */
#include "../observer.h"
#include "lines.h"

struct app_hlog {
    const char *path;
    struct app_lines lines;
    struct app_hist *written; /**< [APP_METRIC_COUNT] what is in the file; NULL: not begun */
    uint64_t ramp_ns;         /**< of the run, before times count */
    uint64_t last_ns;         /**< the end of the last second, from the start of the run */
};

extern const struct app_observer_ops app_hlog_observer; /**< of a struct app_hlog with its path */
