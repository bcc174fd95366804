/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "../measure/series.h"

/**
 * A series of at most `n_max` rows, each of as many seconds as that takes: counts are added up,
 * shares are means, of times the longest stands.
 * @return 0, -ENOMEM
 */
int app_series_thin(const struct app_series *s, uint32_t n_max, struct app_series *out);
