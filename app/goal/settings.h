/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What a load is to reach, as it was asked for. */
#include "slo.h"

struct app_goal_settings {
    struct app_slo slo;
    bool searches;           /**< for the highest rate that meets it */
    uint64_t from;           /**< the first rate; 0: chosen */
    uint64_t rate_max;       /**< the highest that is tried; 0: none */
    uint64_t resolution_ppm; /**< how close the highest met and the lowest missed are to come */
    uint64_t step_ns;        /**< that a rate is measured for */
};

struct app_settings;

/** Every default. */
void app_goal_settings_init(struct app_goal_settings *g);

/** See that goals and search fit the rest, and fill in what follows from it; the scenario is set.
 * @return 0, or -EINVAL with one line in *err */
int app_goal_check(struct app_settings *s, struct tern_error *err);
