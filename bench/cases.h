// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// Which cases a benchmark measures: a base, and beside it cases that are other in one thing each,
// so that what lies between the two figures is the cost of that thing.
#include "host.h"

namespace bench
{

using Case = std::vector<int64_t>; // a value for each argument

// Places in a Case of what all programs vary; a program's own follow.
enum : size_t { kArgConns, kArgBurst, kArgSoftware, kArgIpv6, kArgLinux, kArgOwn };

// The names of these and of a program's own.
inline std::vector<std::string> arg_names(std::initializer_list<const char *> own)
{
    std::vector<std::string> names = {"conns", "burst", "software", "ipv6", "linux"};
    names.insert(names.end(), own.begin(), own.end());
    return names;
}

// A benchmark that takes n_samples() samples of each case and their time from the rig.
inline benchmark::internal::Benchmark *add_sampled(
    const char *name, void (*fn)(benchmark::State &), const std::vector<std::string> &names)
{
    return benchmark::RegisterBenchmark(name, fn)
        ->ArgNames(names)
        ->Iterations(n_samples())
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

// The base with one argument that is other: each of these values in turn.
inline void add_with(
    benchmark::internal::Benchmark *b, Case base, size_t arg, std::initializer_list<int64_t> values)
{
    for (const int64_t value : values) {
        base[arg] = value;
        b->Args(base);
    }
}

// The base with each other value of what all programs vary, but the number of connections.
inline void add_common(benchmark::internal::Benchmark *b, const Case &base,
    std::initializer_list<int64_t> bursts = {1, 8, 64})
{
    add_with(b, base, kArgBurst, bursts);
    add_with(b, base, kArgSoftware, {1});
    add_with(b, base, kArgIpv6, {1});
    add_with(b, base, kArgLinux, {1});
}

} // namespace bench
