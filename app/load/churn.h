/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Several scenarios in one load, as --mix says: NAME[@PORT]:WEIGHT,… such as http:80,stream:15. */
#include "load.h"

/** As it was typed. */
struct app_mix {
    uint32_t n; /**< 0: nothing was said */
    struct app_mix_part {
        const struct app_scenario *scenario; /**< each but once */
        uint32_t weight;                     /**< 1..APP_WEIGHT_MAX */
        uint16_t port;                       /**< 0: the target's */
    } of[APP_PARTS_MAX];
};

/** @return 0, or -EINVAL with one line in *err and *mix untouched */
int app_mix_parse(struct app_mix *mix, const char *text, struct tern_error *err);

/** Each scenario's part of a load, all alike but for scenario and port; whose turn it is. @param
 * whole  of the load */
void app_mix_make(
    const struct app_mix *mix, const struct app_load_config *whole, struct app_load_mix *out);
