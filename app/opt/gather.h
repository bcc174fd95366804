/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* All that is said to a command beside its line: the file of --config or $TERN_CONFIG, a preset. */
#include "sayings.h"

/**
 * Add to what the line said.
 * @param texts  takes what the file says; outlives the settings made from it
 * @return 0, or -EINVAL with one line in *err
 */
int app_opt_gather(
    uint32_t command, struct app_sayings *said, struct app_texts *texts, struct tern_error *err);

/** Add the preset that was said, if any. */
int app_opt_gather_preset(uint32_t command, struct app_sayings *said, struct tern_error *err);
