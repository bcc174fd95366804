/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "../result.h"

/**
 * {"columns": [name, …], "rows": [[cell, …], …]}, a row a second. @param s  those of the run, or
 * made fewer of them @return a new reference, NULL without memory
 */
json_t *app_series_json(const struct app_result *r, const struct app_series *s);
