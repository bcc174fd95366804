/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Which rate to try next: twice the last until one is missed (or half until one is met), then the
 * middle between the highest met and the lowest missed, until these are close. The winner is tried
 * once more, for longer; where it fails then, the next below it is, once. Pure: rates and verdicts.
 *
 *   rate            x missed
 *    |           x     x  <- close enough: the highest met is tried again
 *    |        o    o o
 *    |     o
 *    |  o met
 */
#include <stdbool.h>
#include <stdint.h>

enum app_hunt_phase {
    APP_HUNT_SEEKS,
    APP_HUNT_CONFIRMS,
    APP_HUNT_FOUND,    /**< `met` is the highest rate within the resolution */
    APP_HUNT_CEILING,  /**< `met` is the highest rate allowed: what can be met is above it */
    APP_HUNT_NOTHING,  /**< not even one a second */
    APP_HUNT_UNSTEADY, /**< what had been met was missed when it was tried for longer, twice */
};

struct app_hunt {
    enum app_hunt_phase phase;
    uint64_t rate;        /**< to try now */
    uint64_t met, missed; /**< the highest and the lowest; 0: none yet */
    uint64_t max;
    uint64_t resolution_ppm;
    bool went_down; /**< once, after a winner that failed */
};

/** @param from, max  1.. a second, from <= max */
static inline struct app_hunt app_hunt_make(uint64_t from, uint64_t max, uint64_t resolution_ppm)
{
    return (struct app_hunt){.rate = from, .max = max, .resolution_ppm = resolution_ppm};
}

static inline bool app_hunt_is_over(const struct app_hunt *h)
{
    return h->phase > APP_HUNT_CONFIRMS;
}

/** The rate was met or missed: on to the next. */
void app_hunt_tell(struct app_hunt *h, bool met);
