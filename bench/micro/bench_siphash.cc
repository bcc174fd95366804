// SPDX-License-Identifier: BSD-3-Clause
//
// The keyed hash of a four-tuple: SipHash-1-3 of 2 words (IPv4) or 5 (IPv6) indexes the flow table,
// SipHash-2-4 makes sequence numbers and cookies. Hashes of a burst do not depend on each other;
// `chained` ones do, which is what a lone segment waits for.
#include "per_op.h"

#include <benchmark/benchmark.h>
#include <cstdint>

extern "C" {
#include "wire/siphash.h"
}

namespace
{

constexpr uint32_t kBurst = 32;
constexpr uint32_t kWordsMax = 5;
constexpr tern_siphash_key kKey = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

enum Rounds { k13, k24 };

template <Rounds rounds> uint64_t hash(const uint64_t *words, uint32_t n)
{
    return rounds == k13 ? tern_siphash13(kKey, words, n) : tern_siphash24(kKey, words, n);
}

template <Rounds rounds, uint32_t n_words> void siphash(benchmark::State &state)
{
    uint64_t keys[kBurst][kWordsMax] = {};
    uint64_t hashes[kBurst];
    for (auto _ : state) {
        benchmark::DoNotOptimize(keys);
        for (uint32_t i = 0; i < kBurst; i++)
            hashes[i] = hash<rounds>(keys[i], n_words);
        benchmark::DoNotOptimize(hashes);
    }
    bench::report_ops(state, state.iterations() * kBurst);
}

template <Rounds rounds, uint32_t n_words> void siphash_chained(benchmark::State &state)
{
    uint64_t key[kWordsMax] = {};
    for (auto _ : state)
        for (uint32_t i = 0; i < kBurst; i++)
            key[0] = hash<rounds>(key, n_words);
    benchmark::DoNotOptimize(key);
    bench::report_ops(state, state.iterations() * kBurst);
}

BENCHMARK(siphash<k13, 2>)->Name("siphash/rounds:13/words:2");
BENCHMARK(siphash<k13, 5>)->Name("siphash/rounds:13/words:5");
BENCHMARK(siphash<k24, 2>)->Name("siphash/rounds:24/words:2");
BENCHMARK(siphash<k24, 5>)->Name("siphash/rounds:24/words:5");
BENCHMARK(siphash_chained<k13, 2>)->Name("siphash/rounds:13/words:2/chained:1");

} // namespace

BENCHMARK_MAIN();
