/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the settings of a load, which `tern load` and `tern pair` share, make of the engine. */
#include "../opt/settings.h"
#include "http_setup.h"
#include "load.h"
#include "target.h"

#include <stdint.h>

/** See that it fits together, and fill in what follows from what was given; the scenario is set.
 * @return 0, or -EINVAL with one line in *err */
int app_load_check(struct app_settings *s, struct tern_error *err);

/** The scenarios of a load: its own, or those of --mix. */
uint32_t app_load_n_scenarios(const struct app_settings *s);
/** Number `i` of them, as it runs. */
const struct app_scenario *app_load_scenario(const struct app_settings *s, uint32_t i);

struct app_load_targets {
    uint32_t n;
    struct app_load_target of[APP_TARGETS_MAX];
};

/** What one target is to the load. */
struct app_load_target app_load_target_of(const struct app_target *t);

/**
 * Read all that were typed, at least one.
 * @param first  the first of them, whose path all have
 * @return 0, or -EINVAL with one line in *err
 */
int app_load_read_targets(const struct app_settings *s, struct app_target *first,
    struct app_load_targets *all, struct tern_error *err);

/** Make the requests of a load that has any. @return 0, or -EINVAL with one line in *err */
int app_load_make_http(const struct app_settings *s, const struct app_target *target,
    struct app_http *http, struct tern_error *err);

/**
 * Fill in the load and size the endpoint's tables for it: as many connections as may be open, and
 * TIME-WAIT records for as many as may close within its length.
 * @param targets, http  the load keeps pointing there
 * @param ep    its stack must have the addresses
 * @param load  keeps pointing to itself: it stays where it is
 */
void app_load_set_up(const struct app_settings *s, const struct app_load_targets *targets,
    const struct app_http *http, struct tern_endpoint_config *ep, struct app_load *load);

/** How many sources there are; a million stands for all beyond. */
uint64_t app_load_n_sources(const struct app_load *load);

/** How long to run: as told, without limit where a count ends it, else `default_s`. @return ns, 0 =
 * no limit */
uint64_t app_load_duration(const struct app_settings *s, uint32_t default_s);
