// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// What a benchmark that Google Benchmark times reports, called as the programs that feed a shard do
// (samples.h): ns_per_op, and the clock of the core meanwhile. tools/bench takes its samples by
// repeating the benchmark.
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdint>
#include <memory>

namespace bench
{

// From a chain of additions that take a cycle each.
inline double clock_ghz()
{
    constexpr int kAdditions = 20000;
    uint64_t x = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kAdditions; i++)
        asm volatile("add $1, %0" : "+r"(x));
    const std::chrono::duration<double, std::nano> ns = std::chrono::steady_clock::now() - start;
    return kAdditions / ns.count();
}

inline void report_clock(benchmark::State &state)
{
    state.counters["core_ghz"] = clock_ghz();
}

// `n` operations were done in the measured time. An inverted rate is seconds each, so 10^-9 are
// counted for one.
inline void report_ops(benchmark::State &state, uint64_t n)
{
    state.counters["ns_per_op"] = benchmark::Counter(
        static_cast<double>(n) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    report_clock(state);
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
