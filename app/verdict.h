/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Whether a result may be believed, and whether the run failed. */
#include "result.h"
#include "run.h"

/* Beyond these a load measured itself: the part of the time that a worker was busy, and of all
 * starts that were made more than APP_LATE_NS behind their time. */
#define APP_BUSY_LIMIT   0.95
#define APP_LATE_LIMIT   0.001

/* Workers share a load evenly: where one did more than that many times what another did, the other
 * was held up, and the figures are of a smaller tester than was asked for. */
#define APP_UNEVEN_LIMIT 2.0
enum { APP_UNEVEN_STARTS_MIN = 1000 }; /* of the one that did most; fewer say nothing */
#define APP_UNEVEN_BUSY_MIN 0.5        /* of its time; what is mostly idle is not held up */

/** Fill in `balanced`, `leaked`, the packets a connection and the reasons against the figures. */
void app_verdict_judge(struct app_result *r, const struct app_run *run);

/** @return 0, or -EIO with one line in *err when the books do not balance or something leaked */
int app_verdict_error(const struct app_result *r, struct tern_error *err);
