// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// What a benchmark that Google Benchmark times reports: ns_per_op, as the programs that feed a
// shard do (samples.h). tools/bench takes its samples by repeating it.
#include <benchmark/benchmark.h>
#include <memory>

namespace bench
{

// `n` operations were done in the measured time. (An inverted rate is seconds each; so count
// 10^-9.)
inline void report_ops(benchmark::State &state, uint64_t n)
{
    state.counters["ns_per_op"] = benchmark::Counter(
        static_cast<double>(n) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// The world of that size. It is kept for the next benchmark that asks for the same, because filling
// a large one takes longer than what is measured on it: register benchmarks by size.
template <typename World> World &world_of(uint32_t n)
{
    static std::unique_ptr<World> kept;
    static uint32_t n_kept;
    if (!kept || n_kept != n) {
        kept.reset();
        kept = std::make_unique<World>(n);
        n_kept = n;
    }
    return *kept;
}

} // namespace bench
