// SPDX-License-Identifier: BSD-3-Clause
//
// The timer wheel over 128-byte records, armed in random order: the neighbours in a list are
// neighbours in nothing else, as in a server that has run for a while.
#include "micro/per_op.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <random>
#include <vector>

extern "C" {
#include "shard/arena.h"
#include "shard/wheel.h"
}

namespace
{

constexpr uint32_t kStride = 128;
constexpr uint32_t kBurst = 32;

class Timers
{
  public:
    explicit Timers(uint32_t n) : n_(n), order_(n)
    {
        base_ = tern_arena_map((n_ + 1) * kStride, -1, nullptr);
        if (base_ == nullptr || tern_wheel_init(&wheel_, base_, kStride, 16, 1000, -1) != 0)
            std::exit(1);
        std::iota(order_.begin(), order_.end(), 1u);
        std::shuffle(order_.begin(), order_.end(), random_);
    }
    ~Timers()
    {
        tern_wheel_fini(&wheel_);
        tern_arena_unmap(base_, (n_ + 1) * kStride);
    }
    Timers(const Timers &) = delete;
    Timers &operator=(const Timers &) = delete;

    // Everybody, at random between `from` and `from + range` ticks from now.
    void arm_all(uint32_t from, uint32_t range)
    {
        for (const uint32_t idx : order_)
            tern_wheel_arm(
                &wheel_, idx, wheel_.now + from + static_cast<uint32_t>(random_() % range));
    }

    // Sixteen advances a tick, as a busy worker makes them, until nothing is armed.
    void expire_all()
    {
        for (n_calls_ = 0, start_ = wheel_.now; wheel_.n_armed != 0;)
            advance_once();
    }

    // The same; the longest of the calls. In time of the thread: others may run on this machine.
    double expire_all_worst_ns()
    {
        double worst_ns = 0;
        for (n_calls_ = 0, start_ = wheel_.now; wheel_.n_armed != 0;) {
            const double before_ns = thread_ns();
            advance_once();
            worst_ns = std::max(worst_ns, thread_ns() - before_ns);
        }
        return worst_ns;
    }

    uint32_t idx_at(uint64_t i) const
    {
        return order_[i % n_];
    }

    tern_wheel wheel_ = {};

  private:
    void advance_once()
    {
        uint32_t expired[kBurst];
        n_calls_ += tern_wheel_advance(&wheel_, start_ + n_calls_ / 16, expired, kBurst) < kBurst;
        benchmark::DoNotOptimize(expired);
    }

    static double thread_ns()
    {
        timespec t;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
    }

    uint32_t start_ = 0;
    uint32_t n_calls_ = 0;
    size_t n_;
    std::mt19937 random_{1};
    std::vector<uint32_t> order_;
    void *base_;
};

// Those who use it leave it with nothing armed.
Timers &timers_of(const benchmark::State &state)
{
    return bench::world_of<Timers>(static_cast<uint32_t>(state.range(0)));
}

// Arm and expire everybody within 2 s, as retransmission or TIME-WAIT timers do: ns for the expiry
// of one, cascades and empty ticks included.
void timer_expire(benchmark::State &state)
{
    Timers &timers = timers_of(state);
    for (auto _ : state) {
        state.PauseTiming();
        timers.arm_all(4096, 16384);
        state.ResumeTiming();
        timers.expire_all();
    }
    bench::report_ops(state, state.iterations() * state.range(0));
}

// Everybody is due in the same far slot of level 2, within 8 s, ten seconds from now. The operation
// is the longest of all advances: how long a crowd keeps the worker from its packets.
void timer_longest_advance(benchmark::State &state)
{
    Timers &timers = timers_of(state);
    double worst_ns = 0;
    for (auto _ : state) {
        const uint32_t to_slot = 65536 - timers.wheel_.now % 65536;
        timers.arm_all(to_slot + 2 * 65536, 65536);
        worst_ns = std::max(worst_ns, timers.expire_all_worst_ns());
    }
    state.counters["ns_per_op"] = worst_ns;
    bench::report_clock(state);
}

// A cold node: its line prefetched, as a burst has it.
void timer_arm_and_cancel(benchmark::State &state)
{
    Timers &timers = timers_of(state);
    uint64_t i = 0;
    for (auto _ : state) {
        for (uint32_t k = 0; k < kBurst; k++)
            __builtin_prefetch(tern_wheel_node(&timers.wheel_, timers.idx_at(i + k)), 1);
        for (uint32_t k = 0; k < kBurst; k++)
            tern_wheel_arm(&timers.wheel_, timers.idx_at(i + k), 3000 + (i + k) % 4096);
        for (uint32_t k = 0; k < kBurst; k++)
            tern_wheel_cancel(&timers.wheel_, timers.idx_at(i + k));
        i += kBurst;
    }
    bench::report_ops(state, state.iterations() * kBurst);
}

// The deadline of an armed timer moves away: what the fast path pays.
void timer_arm_later(benchmark::State &state)
{
    Timers timers(static_cast<uint32_t>(state.range(0)));
    timers.arm_all(4096, 16384);
    uint32_t due = 1u << 20;
    for (auto _ : state) {
        tern_wheel_arm(&timers.wheel_, timers.idx_at(due % 1024), due);
        due++;
    }
    bench::report_ops(state, state.iterations());
}

// An advance per burst in which the tick stays, or moves on and nothing is due.
void timer_advance_same_tick(benchmark::State &state)
{
    Timers timers(1000);
    uint32_t expired[kBurst];
    timers.arm_all(1u << 29, 1u << 20);
    for (auto _ : state)
        benchmark::DoNotOptimize(
            tern_wheel_advance(&timers.wheel_, timers.wheel_.now, expired, kBurst));
    bench::report_ops(state, state.iterations());
}

void timer_advance_one_tick(benchmark::State &state)
{
    Timers timers(1000);
    uint32_t expired[kBurst];
    for (auto _ : state)
        benchmark::DoNotOptimize(
            tern_wheel_advance(&timers.wheel_, timers.wheel_.now + 1, expired, kBurst));
    bench::report_ops(state, state.iterations());
}

void timer_advance_an_hour(benchmark::State &state)
{
    Timers timers(1000);
    uint32_t expired[kBurst];
    for (auto _ : state) {
        tern_wheel_arm(&timers.wheel_, 1, timers.wheel_.now + 27'000'000);
        benchmark::DoNotOptimize(
            tern_wheel_advance(&timers.wheel_, timers.wheel_.now + 27'465'658, expired, kBurst));
    }
    bench::report_ops(state, state.iterations());
}

benchmark::internal::Benchmark *add(const char *name, void (*run)(benchmark::State &), int64_t n)
{
    return benchmark::RegisterBenchmark(name, run)->ArgName("timers")->Arg(n);
}

BENCHMARK(timer_advance_same_tick);
BENCHMARK(timer_advance_one_tick);
BENCHMARK(timer_advance_an_hour);

} // namespace

int main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    for (const int64_t n : {100'000, 1'000'000, 10'000'000}) {
        add("timer_expire", timer_expire, n);
        add("timer_arm_and_cancel", timer_arm_and_cancel, n);
    }
    add("timer_longest_advance", timer_longest_advance, 1'000'000)->Iterations(1);
    add("timer_arm_later", timer_arm_later, 1'000'000);
    benchmark::RunSpecifiedBenchmarks();
}
