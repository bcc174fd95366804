/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Options under one name: the terms in which others measure. They lose against file and line. */
#include "sayings.h"

/** [] names, ends with NULL */
extern const char *const app_preset_names[];

struct app_preset {
    const char *name, *what;
    const struct app_preset_option {
        const char *option, *value;
    } * options; /**< ends with a NULL option; each is said to the commands that know it */
};

/** @param name  one of app_preset_names */
const struct app_preset *app_preset_find(const char *name);

/** Add what the preset says to one command. @return 0, or -EINVAL: too much */
int app_preset_say(
    const struct app_preset *p, uint32_t command, struct app_sayings *said, struct tern_error *err);
