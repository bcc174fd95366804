/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Which way a branch usually goes. The same two words as in rte_branch_prediction.h, without DPDK.
 */
#ifndef likely
#    define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#    define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/** A function kept out of its caller's straight path: for what is common only on some links … */
#define TERN_ASIDE __attribute__((noinline))
/** … and for what is rare everywhere. */
#define TERN_RARE  __attribute__((noinline, cold))
