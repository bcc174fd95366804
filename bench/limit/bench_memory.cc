// SPDX-License-Identifier: BSD-3-Clause
//
// What this machine's memory can do, without tern: the limit that tables of millions of connections
// are held against. Lines are picked at random from 1 GiB, on 4 KiB and on huge pages:
//
//   dependent   the next line is known when the last has come: latency
//   batch       32 lines are asked for, then read: what a burst that prefetches can reach
//   read, copy  all lines in order: bandwidth
//
// One operation is one cache line (copy: read and written).
#include "../micro/per_op.h"

#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/mman.h>

namespace
{

constexpr size_t kRegionBytes = size_t{1} << 30;
constexpr size_t kLineBytes = 64;
constexpr uint64_t kLines = kRegionBytes / kLineBytes;
constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr uint32_t kBatch = 32;
constexpr uint32_t kBatchesAnIteration = 64;
constexpr uint32_t kLinesAnIteration = kBatch * kBatchesAnIteration;
constexpr uint64_t kLinesAStreamIteration = kLines / 16;

enum Pages { kSmall, kHuge };

struct alignas(kLineBytes) Line {
    uint64_t word[kLineBytes / sizeof(uint64_t)];
};

// KiB of huge pages that the kernel put behind the mapping that starts at `at`.
uint64_t huge_kib(const void *at)
{
    std::unique_ptr<FILE, int (*)(FILE *)> smaps(std::fopen("/proc/self/smaps", "r"), std::fclose);
    char text[512];
    bool inside = false;
    uint64_t from, to, kib;
    while (smaps && std::fgets(text, sizeof text, smaps.get()) != nullptr) {
        if (std::sscanf(text, "%lx-%lx ", &from, &to) == 2)
            inside =
                from <= reinterpret_cast<uintptr_t>(at) && reinterpret_cast<uintptr_t>(at) < to;
        else if (inside && std::sscanf(text, "AnonHugePages: %lu kB", &kib) == 1)
            return kib;
    }
    return 0;
}

// 1 GiB of zeros that are really there: a page that was only ever read is the one zero page.
class Region
{
  public:
    explicit Region(Pages pages)
    {
        map_ = mmap(nullptr, kMapBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map_ == MAP_FAILED)
            return;
        madvise(map_, kMapBytes, pages == kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
        const auto at = reinterpret_cast<uintptr_t>(map_);
        lines_ = reinterpret_cast<Line *>((at + kHugePageBytes - 1) & ~(kHugePageBytes - 1));
        std::memset(static_cast<void *>(lines_), 0, kRegionBytes);
        is_as_asked_ = pages == kSmall || huge_kib(lines_) >= kRegionBytes / 1024;
    }
    ~Region()
    {
        if (map_ != MAP_FAILED)
            munmap(map_, kMapBytes);
    }
    Region(const Region &) = delete;
    Region &operator=(const Region &) = delete;

    // Null where the machine did not give what was asked for.
    Line *lines() const
    {
        return is_as_asked_ ? lines_ : nullptr;
    }

  private:
    static constexpr size_t kMapBytes = kRegionBytes + kHugePageBytes;
    void *map_;
    Line *lines_ = nullptr;
    bool is_as_asked_ = false;
};

// The region of the benchmark that runs; one at a time, and kept for the next that wants the same.
Line *lines_on(benchmark::State &state)
{
    static std::unique_ptr<Region> region;
    static Pages pages_of_region;
    const auto pages = static_cast<Pages>(state.range(0));
    if (!region || pages_of_region != pages) {
        region.reset();
        region = std::make_unique<Region>(pages);
        pages_of_region = pages;
    }
    if (region->lines() == nullptr)
        state.SkipWithError(
            pages == kHuge ? "skipped: no huge pages to be had (madvise)" : "skipped: no memory");
    return region->lines();
}

// splitmix64's mixer: the i-th line of a walk that no prefetcher foresees.
uint64_t line_at(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % kLines;
}

void finish(benchmark::State &state, uint64_t n_lines_an_iteration)
{
    const uint64_t n = state.iterations() * n_lines_an_iteration;
    bench::report_ops(state, n);
    state.counters["bytes_per_s"] =
        benchmark::Counter(static_cast<double>(n * kLineBytes), benchmark::Counter::kIsRate);
}

void memory_dependent(benchmark::State &state)
{
    const Line *lines = lines_on(state);
    uint64_t i = 0, loaded = 0; // every word is 0, which only the load itself can tell
    for (auto _ : state)
        for (uint32_t k = 0; k < kLinesAnIteration; k++)
            loaded = lines[line_at(i++) + loaded].word[0];
    benchmark::DoNotOptimize(loaded);
    finish(state, kLinesAnIteration);
}

void memory_batch(benchmark::State &state)
{
    const Line *lines = lines_on(state);
    uint64_t i = 0, sum = 0;
    for (auto _ : state)
        for (uint32_t b = 0; b < kBatchesAnIteration; b++, i += kBatch) {
            for (uint32_t k = 0; k < kBatch; k++)
                __builtin_prefetch(&lines[line_at(i + k)]);
            for (uint32_t k = 0; k < kBatch; k++)
                sum += lines[line_at(i + k)].word[0];
        }
    benchmark::DoNotOptimize(sum);
    finish(state, kLinesAnIteration);
}

void memory_read(benchmark::State &state)
{
    const Line *lines = lines_on(state);
    uint64_t at = 0, sum = 0;
    for (auto _ : state) {
        for (uint64_t k = 0; k < kLinesAStreamIteration; k++)
            for (const uint64_t word : lines[at + k].word)
                sum += word;
        at = (at + kLinesAStreamIteration) % kLines;
        benchmark::DoNotOptimize(sum);
    }
    finish(state, kLinesAStreamIteration);
}

void memory_copy(benchmark::State &state)
{
    Line *lines = lines_on(state);
    uint64_t at = 0;
    for (auto _ : state) {
        std::memcpy(
            lines + (at + kLines / 2) % kLines, lines + at, kLinesAStreamIteration * kLineBytes);
        at = (at + kLinesAStreamIteration) % kLines;
        benchmark::ClobberMemory();
    }
    finish(state, kLinesAStreamIteration);
}

void pages(benchmark::internal::Benchmark *b, Pages which)
{
    b->ArgName("huge")->Arg(which);
}

void register_all()
{
    for (const Pages which : {kSmall, kHuge}) {
        pages(benchmark::RegisterBenchmark("memory_dependent", memory_dependent), which);
        pages(benchmark::RegisterBenchmark("memory_batch", memory_batch), which);
        pages(benchmark::RegisterBenchmark("memory_read", memory_read), which);
        pages(benchmark::RegisterBenchmark("memory_copy", memory_copy), which);
    }
}

} // namespace

int main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 1;
    register_all();
    benchmark::RunSpecifiedBenchmarks();
}
