/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * With rate r and ramp R the area under the rate is r t^2 / 2R by time t <= R, and r (t - R/2) from
 * then on. So start k is due at the root of 2 k R / r, or at R/2 + k / r: behind the ramp the even
 * schedule, half a ramp late.
 *
 * One addition of 2^-32 ns precision a start: an hour at a billion a second drifts by less than a
 * microsecond.
 */
#include "pace.h"

#include <math.h>

#define SECOND_NS UINT64_C(1000000000)

__extension__ typedef unsigned __int128 wide;

/* Starts of all workers within the ramp. */
static double n_in_ramp(const struct app_pace_plan *plan)
{
    return (double)plan->rate * ((double)plan->ramp_ns / 1e9) / 2;
}

void app_pace_place(struct app_pace *p)
{
    const struct app_pace_plan *plan = &p->plan;
    if ((double)p->k < n_in_ramp(plan)) {
        const double at_s =
            sqrt(2 * (double)p->k * ((double)plan->ramp_ns / 1e9) / (double)plan->rate);
        p->due_ns = p->begin_ns + (uint64_t)(at_s * 1e9);
        return;
    }
    const wide fine = ((wide)p->k * SECOND_NS << 32) / plan->rate;
    p->due_ns = p->begin_ns + plan->ramp_ns / 2 + (uint64_t)(fine >> 32);
    p->due_frac = (uint32_t)fine;
}

void app_pace_init(struct app_pace *p, const struct app_pace_plan *plan, uint32_t index,
    uint32_t n_workers, uint64_t begin_ns)
{
    const wide each = ((wide)n_workers * SECOND_NS << 32) / plan->rate;
    *p = (struct app_pace){
        .k = index,
        .step = n_workers,
        .uneven = (uint64_t)ceil(n_in_ramp(plan)) + n_workers,
        .each_ns = (uint64_t)(each >> 32),
        .each_frac = (uint32_t)each,
        .begin_ns = begin_ns,
        .plan = *plan,
    };
    app_pace_place(p);
}

/* Starts of all workers that are due before `elapsed_ns`. */
static uint64_t all_due_before(const struct app_pace_plan *plan, uint64_t elapsed_ns)
{
    if (elapsed_ns < plan->ramp_ns) {
        const double share = (double)elapsed_ns / (double)plan->ramp_ns;
        return (uint64_t)ceil(n_in_ramp(plan) * share * share);
    }
    const wide area = (wide)(elapsed_ns - plan->ramp_ns / 2) * plan->rate;
    return (uint64_t)((area + SECOND_NS - 1) / SECOND_NS);
}

uint64_t app_pace_due_before(const struct app_pace *p, uint64_t until_ns)
{
    if (until_ns <= p->begin_ns)
        return 0;
    const uint64_t index = p->k % p->step;
    return (all_due_before(&p->plan, until_ns - p->begin_ns) + p->step - 1 - index) / p->step;
}
