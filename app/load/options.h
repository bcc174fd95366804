/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The options of a load, which `tern load` and `tern pair` share, and what they make of the engine.
 */
#include "../options.h"
#include "load.h"
#include "target.h"

#include <argp.h>
#include <stdint.h>

struct app_load_options {
    const struct app_scenario *scenario; /**< NULL: the subcommand's */
    uint64_t rate, conns, count;         /**< 0: not given */
    uint64_t bytes;                      /**< echo, stream; 0: not given */
    uint64_t requests;                   /**< echo; 0: until the run ends */
    bool has_requests;
    struct app_stream_config stream;
    bool has_direction;
    struct tern_error *err;
};

/** --scenario --rate --conns --count --bytes --requests --direction --verify; wants a struct
 * app_load_options as input */
extern const struct argp app_load_argp;

void app_load_options_init(struct app_load_options *o, struct tern_error *err);

/** See that it fits together, and fill in what follows from what was given. @return 0, or -EINVAL
 * with one line in *err */
int app_load_options_check(
    struct app_load_options *o, const struct app_options *common, struct tern_error *err);

/**
 * Fill in the load and size the endpoint's tables for it: as many connections as may be open, and
 * TIME-WAIT records for as many as may close within its length.
 * @param ep  its stack must have the addresses; the load keeps pointing there
 */
void app_load_options_apply(const struct app_load_options *o, const struct app_options *common,
    const struct app_target *target, struct tern_endpoint_config *ep, struct app_load *load);

/** How long to run: as told, without limit where a count ends it, else `default_s`. @return ns, 0 =
 * no limit */
uint64_t app_load_duration(
    const struct app_load_options *o, const struct app_options *common, uint32_t default_s);
