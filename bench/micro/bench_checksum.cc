// SPDX-License-Identifier: BSD-3-Clause
//
// The Internet checksum of headers and payloads that are in the cache, as software has to make and
// check it where the device does not: an IPv4 header, a bare ACK, small and full segments.
#include "per_op.h"

#include <benchmark/benchmark.h>
#include <cstdint>

extern "C" {
#include "wire/csum.h"
}

namespace
{

constexpr uint32_t kBuffers = 8; // not one after the other from the same address
constexpr uint32_t kBytesMax = 9216;
constexpr uint32_t kTcpHeaderAlone = 20, kAckWithTimestamps = 32, kRequest = 96;
constexpr uint32_t kSegment = 1480, kJumboSegment = 8980;

void checksum(benchmark::State &state)
{
    alignas(64) static uint8_t bytes[kBuffers][kBytesMax];
    const auto n_bytes = static_cast<uint32_t>(state.range(0));
    for (auto _ : state)
        for (uint32_t i = 0; i < kBuffers; i++) {
            benchmark::DoNotOptimize(bytes);
            const uint64_t sum = tern_csum_add(0, bytes[i], n_bytes);
            uint16_t folded = tern_csum_fold(sum);
            benchmark::DoNotOptimize(folded);
        }
    const uint64_t n = state.iterations() * kBuffers;
    bench::report_ops(state, n);
    state.counters["bytes_per_s"] =
        benchmark::Counter(static_cast<double>(n * n_bytes), benchmark::Counter::kIsRate);
}

BENCHMARK(checksum)
    ->ArgName("bytes")
    ->Arg(kTcpHeaderAlone)
    ->Arg(kAckWithTimestamps)
    ->Arg(kRequest)
    ->Arg(kSegment)
    ->Arg(kJumboSegment);

} // namespace

BENCHMARK_MAIN();
