/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The known name that a wrong one was probably meant to be. */

struct app_nearest {
    const char *wrong;
    const char *best;  /**< NULL: nothing is near */
    unsigned distance; /**< of `best` */
};

/** @param wrong  what was typed; kept */
struct app_nearest app_nearest_to(const char *wrong);

/** Consider a known name. Of equally near ones the first is kept. Cost: O(length²) */
void app_nearest_try(struct app_nearest *n, const char *known);
