/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* All that the screen shows, put together by screen.c and drawn by draw.c. */
#include "../observer.h"
#include "../sample.h"
#include "history.h"

#include <stdbool.h>

enum { APP_VIEW_SAID_BYTES = 512 };

struct app_view {
    const struct app_run *run;
    struct app_frame frame;
    struct app_second last;         /**< the last whole second; length_ns 0: none is over */
    struct app_history rate;        /**< of what the goal is of, a second */
    struct app_history p99;         /**< in ns, of the last metric before close that is seen */
    bool seen[APP_METRIC_COUNT];    /**< what has been timed in this run */
    char said[APP_VIEW_SAID_BYTES]; /**< the last lines that anybody printed */
};
