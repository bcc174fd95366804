/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "view.h"

/** The whole screen, for the size that the terminal has now; nothing is sent to it yet. */
void app_draw(const struct app_view *v);

/** What the goal is of: requests where these are paced, bytes of a stream, else connections.
 * @param name  NULL: not wanted. @return of a second */
uint64_t app_view_rate(const struct app_run *run, const struct app_second *s, const char **name);
