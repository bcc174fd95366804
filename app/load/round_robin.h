/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Whose turn it is, by weights: smooth weighted round robin. Over any stretch of the ring's length
 * each has exactly as many turns as its weight, the common divisor taken out, and those of one are
 * spread evenly: 5, 1, 1 gives a a b a c a a. The ring is written once and only read afterwards, so
 * any number of workers shares it, each from a place of its own.
 */
#include <stdint.h>

enum { APP_WEIGHT_MAX = 1000, APP_TURN_TAKERS_MAX = 8, APP_TURNS_MAX = 8 * 1000 };

struct app_round_robin {
    uint32_t n; /**< 1.. */
    uint8_t of[APP_TURNS_MAX];
};

/** @param weights [n] each 1..APP_WEIGHT_MAX. @param n 1..APP_TURN_TAKERS_MAX */
void app_round_robin_make(struct app_round_robin *t, const uint32_t *weights, uint32_t n);
