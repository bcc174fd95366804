// SPDX-License-Identifier: BSD-3-Clause
//
// What a handshake costs a worker while it is alone, and while another worker is at work on a CPU
// beside it. A worker is a thread with a shard, packet buffers and clients of its own, as under the
// engine; they share nothing that is written, so what they share after all (cache, memory, the
// clock of the cores) is what this shows. Two workers do 2 · alone / together of the work of one.
//
// Each sample replaces connections, oldest first. The far end's work is outside of the measured
// time and goes on at the same time on the other CPU, as everything does.
#include "../clients.h"

#include <rte_lcore.h>

#include <pthread.h>
#include <vector>

namespace
{

using namespace bench;

constexpr uint32_t kSample = 65536; // handshakes
constexpr int kWorkers = 2;

// The CPUs this process may use, the last one first: there EAL's thread is, which is worker 0.
std::vector<int> cpus_allowed()
{
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    std::vector<int> cpus;
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
        if (CPU_ISSET(cpu, &set))
            cpus.push_back(cpu);
    return cpus;
}

// EAL pins the thread it starts on, and those that this one starts are born with that.
const std::vector<int> &cpus()
{
    static const std::vector<int> before_eal = cpus_allowed();
    return before_eal;
}

// While it lives the calling thread is a worker: pinned, and known to DPDK, which gives it a cache
// in every mempool.
class AsWorker
{
  public:
    explicit AsWorker(int worker)
    {
        if (worker == 0)
            return;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpus().at(static_cast<size_t>(worker)), &one);
        if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) != 0
            || rte_thread_register() != 0)
            throw Failure("a second worker does not start");
        is_registered_ = true;
    }
    ~AsWorker()
    {
        if (is_registered_)
            rte_thread_unregister();
    }
    AsWorker(const AsWorker &) = delete;
    AsWorker &operator=(const AsWorker &) = delete;

  private:
    bool is_registered_ = false;
};

class Server
{
  public:
    explicit Server(const Setup &setup) : setup_(setup), rig_(setup, config_of(setup))
    {
        static const tern_app app = {};
        listen(rig_, app);
        open(0, setup.n_conns, kSetupBurst);
    }

    // The oldest `n` connections go, the next `n` clients come.
    Sample sample(uint32_t n)
    {
        reset_all(rig_, n, [&](uint32_t i) { return oldest_ + i; });
        const uint32_t next = oldest_ + setup_.n_conns;
        oldest_ += n;
        rig_.begin_sample();
        open(next, n, setup_.burst);
        const Sample s = rig_.end_sample(n);
        expect_equal("connections open", rig_.stats().open_now, setup_.n_conns);
        return s;
    }

    const Rig &rig() const
    {
        return rig_;
    }

  private:
    static tern_stack_config config_of(const Setup &setup)
    {
        tern_stack_config cfg = stack_config(setup);
        cfg.syn_cookies = TERN_SYN_COOKIES_NEVER;
        return cfg;
    }

    void open(uint32_t first, uint32_t n, uint32_t burst)
    {
        open_all(
            rig_, n, burst, [&](uint32_t i) { return first + i; }, ignore);
    }

    Setup setup_;
    uint32_t oldest_ = 0;
    Rig rig_;
};

// Google Benchmark adds up what its threads report; here every counter is a mean of the workers.
void report_means(benchmark::State &state)
{
    for (auto &counter : state.counters)
        counter.second.flags = benchmark::Counter::kAvgThreads;
}

void scale(benchmark::State &state)
{
    guarded(state, [&] {
        if (cpus().size() < static_cast<size_t>(state.threads()))
            throw Skip("not so many CPUs");
        const AsWorker here(state.thread_index());
        Server server{Setup(state)};
        take_samples(state, server.rig(), [&] { return server.sample(kSample); });
        report_means(state);
    });
}

// The limit of that: a chain of additions, which shares nothing at all with the other worker's.
// What it loses beside the other is the machine's: a clock that drops when all cores are at work,
// or two CPUs that are one core.
void scale_nothing_shared(benchmark::State &state)
{
    constexpr int kChainsASample = 500;
    guarded(state, [&] {
        if (cpus().size() < static_cast<size_t>(state.threads()))
            throw Skip("not so many CPUs");
        const AsWorker here(state.thread_index());
        Spread ghz;
        for (auto _ : state) {
            double sum = 0;
            for (int i = 0; i < kChainsASample; i++)
                sum += core_ghz();
            ghz.add(sum / kChainsASample);
            state.SetIterationTime(kChainsASample / sum / 1e9);
        }
        auto &c = state.counters;
        c["core_ghz"] = ghz.at(0.5);
        c["ns_per_op"] = 1 / ghz.at(0.5);
        c["ns_per_op_min"] = 1 / ghz.at(1);
        c["ns_per_op_q1"] = 1 / ghz.at(0.75);
        c["ns_per_op_q3"] = 1 / ghz.at(0.25);
        c["ns_per_op_max"] = 1 / ghz.at(0);
        report_means(state);
    });
}

void add()
{
    for (int n_workers = 1; n_workers <= kWorkers; n_workers++)
        benchmark::RegisterBenchmark("scale_nothing_shared", scale_nothing_shared)
            ->Threads(n_workers)
            ->Iterations(n_samples())
            ->UseManualTime();
    for (int n_workers = 1; n_workers <= kWorkers; n_workers++)
        benchmark::RegisterBenchmark("scale", scale)
            ->ArgNames(arg_names({}))
            ->Args({1'000'000, 32, 0, 0, 0})
            ->Threads(n_workers)
            ->Iterations(n_samples())
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
}

} // namespace

int main(int argc, char **argv)
{
    cpus();
    return bench::run(argc, argv, add);
}
