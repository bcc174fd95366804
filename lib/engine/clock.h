/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Time: the processor's cycle counter as nanoseconds. One multiplication and one shift, no division
 * and no system call. All workers of an engine share one base, so their times compare.
 *
 *   ns = START_NS + (tsc - base) * (2^32 * 10^9 / hz) / 2^32
 *
 * The product has up to 128 bits; the rounding of the factor is below 1 in 2^31 for any hz >= 1
 * GHz: half a nanosecond a second.
 */
#include <rte_cycles.h>

#include <stdint.h>

/** Time does not start at 0, so that a stamp of 0 can mean "never". */
enum { TERN_CLOCK_START_NS = 1000000000 };

struct tern_clock {
    uint64_t base_cycles;
    uint64_t ns_per_cycle_q32; /* nanoseconds a cycle, 32 fraction bits */
};

static inline struct tern_clock tern_clock_make(uint64_t base_cycles, uint64_t hz)
{
    __extension__ const unsigned __int128 second_q32 = (unsigned __int128)1000000000 << 32;
    return (struct tern_clock){base_cycles, (uint64_t)(second_q32 / hz)};
}

/** A clock that starts now. Needs EAL, which has measured the frequency. */
static inline struct tern_clock tern_clock_start(void)
{
    return tern_clock_make(rte_rdtsc(), rte_get_tsc_hz());
}

static inline uint64_t tern_clock_ns(const struct tern_clock *c, uint64_t cycles)
{
    /* A core whose counter lags behind the base's sees time start late, not wrap around. */
    const uint64_t since = cycles > c->base_cycles ? cycles - c->base_cycles : 0;
    __extension__ const unsigned __int128 q32 = (unsigned __int128)since * c->ns_per_cycle_q32;
    return TERN_CLOCK_START_NS + (uint64_t)(q32 >> 32);
}
