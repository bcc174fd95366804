/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the settings of a load, which `tern load` and `tern pair` share, make of the engine. */
#include "../opt/settings.h"
#include "load.h"
#include "target.h"

#include <stdint.h>

/** See that it fits together, and fill in what follows from what was given; the scenario is set.
 * @return 0, or -EINVAL with one line in *err */
int app_load_check(struct app_settings *s, struct tern_error *err);

/**
 * Fill in the load and size the endpoint's tables for it: as many connections as may be open, and
 * TIME-WAIT records for as many as may close within its length.
 * @param ep  its stack must have the addresses; the load keeps pointing there
 */
void app_load_set_up(const struct app_settings *s, const struct app_target *target,
    struct tern_endpoint_config *ep, struct app_load *load);

/** How long to run: as told, without limit where a count ends it, else `default_s`. @return ns, 0 =
 * no limit */
uint64_t app_load_duration(const struct app_settings *s, uint32_t default_s);
