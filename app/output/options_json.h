/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "../opt/settings.h"

#include <jansson.h>

/** What was asked of the run, as it was typed, but for where results go. @return a new reference */
json_t *app_options_json(const struct app_settings *s);
