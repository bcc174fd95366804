/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each gains its weight a turn, and the one that has most takes the turn and pays the sum of all
 * weights. What all have together is therefore always 0, and after as many turns as the sum each
 * has what it began with: the ring closes.
 */
#include "round_robin.h"

#include <assert.h>

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* All gain; the one that has most pays. @return it */
static uint8_t take_turn(int64_t *has, const uint32_t *weights, uint32_t n, uint32_t sum)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < n; i++) {
        has[i] += weights[i];
        if (has[i] > has[most])
            most = i;
    }
    has[most] -= sum;
    return (uint8_t)most;
}

void app_round_robin_make(struct app_round_robin *t, const uint32_t *weights, uint32_t n)
{
    int64_t has[APP_TURN_TAKERS_MAX] = {0};
    uint32_t sum = 0, divisor = 0;
    assert(n > 0 && n <= APP_TURN_TAKERS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        assert(weights[i] > 0 && weights[i] <= APP_WEIGHT_MAX);
        sum += weights[i];
        divisor = common_divisor(divisor, weights[i]);
    }
    t->n = sum / divisor;
    for (uint32_t i = 0; i < t->n; i++)
        t->of[i] = take_turn(has, weights, n, sum);
}
