// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// The process of a benchmark that feeds a shard: EAL, pages, the CPU it stays on, the command line.
//
// Hugepages are used where they are reserved (sysctl vm.nr_hugepages), for packets and tables
// alike; without them packets lie on 4 KiB pages and tables on whatever huge pages the kernel finds
// when asked (madvise). The context of the output says which, and each benchmark how much of its
// memory really is on huge pages.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <vector>

extern "C" {
#include "engine/memory.h"
}

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>

namespace bench
{

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kPacketMib = 256; // memory for all the packets that most programs ever have

// A benchmark that did not measure what it says. The text names what was seen and what was due.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A benchmark that this machine has no room for.
struct Skip : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void expect_equal(const char *what, uint64_t seen, uint64_t due)
{
    if (seen != due)
        throw Failure(
            std::string(what) + ": " + std::to_string(seen) + " instead of " + std::to_string(due));
}

// How many samples each figure is taken from: --samples=N.
inline int &n_samples()
{
    static int n = 31;
    return n;
}

inline int &n_failed()
{
    static int n = 0;
    return n;
}

// Run one benchmark's body; what it throws becomes its result.
template <typename Body> void guarded(benchmark::State &state, Body body)
{
    try {
        body();
    } catch (const Skip &e) {
        state.SkipWithError((std::string("skipped: ") + e.what()).c_str());
    } catch (const std::exception &e) {
        n_failed()++;
        state.SkipWithError(e.what());
    }
}

// ---- memory in use, as the kernel has it ----

// The number behind `key` in /proc/self/FILE, in bytes; 0 when it is not there.
inline uint64_t proc_bytes(const char *file, const char *key)
{
    std::FILE *f = std::fopen((std::string("/proc/self/") + file).c_str(), "re");
    if (f == nullptr)
        return 0;
    char line[256];
    unsigned long long kib = 0;
    while (std::fgets(line, sizeof line, f) != nullptr)
        if (std::strncmp(line, key, std::strlen(key)) == 0) {
            std::sscanf(line + std::strlen(key), "%llu", &kib);
            break;
        }
    std::fclose(f);
    return kib * 1024;
}

// What this process has in memory, and how much of it on huge pages, reserved or transparent.
struct Resident {
    uint64_t bytes, huge_bytes;
};
inline Resident resident()
{
    const uint64_t reserved = proc_bytes("status", "HugetlbPages:");
    return {proc_bytes("status", "VmRSS:") + reserved,
        proc_bytes("smaps_rollup", "AnonHugePages:") + reserved};
}

inline uint64_t free_bytes()
{
    tern_memory_free there;
    tern_memory_free_read(&there);
    return there.ram_bytes + there.huge_bytes;
}

// ---- start ----

// The last CPU that we may use: the first ones serve most interrupts.
inline int chosen_cpu()
{
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    int cpu = CPU_SETSIZE - 1;
    while (cpu > 0 && !CPU_ISSET(cpu, &cpus))
        cpu--;
    return cpu;
}

// Have we the addresses that DPDK reserves for hugepages, however few it then uses? Not under
// valgrind, nor with ulimit -v.
inline bool has_addresses()
{
    constexpr size_t kReserved = size_t{RTE_MAX_MEM_MB} * kMiB;
    void *all =
        mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return false;
    munmap(all, kReserved);
    return true;
}

// Are hugepages reserved for so many packets, and can DPDK have them?
inline bool has_hugepages(uint64_t packet_mib)
{
    tern_memory_free there;
    tern_memory_free_read(&there);
    if (there.huge_bytes < packet_mib * kMiB)
        return false;
    if (has_addresses())
        return true;
    std::fprintf(stderr,
        "hugepages are reserved, but not used: DPDK wants %d GiB of addresses (valgrind? ulimit "
        "-v?); instructions can be counted so, times are not those of hugepages\n",
        RTE_MAX_MEM_MB / 1024);
    return false;
}

inline void start_eal(uint64_t packet_mib)
{
    const bool huge = has_hugepages(packet_mib);
    std::vector<std::string> args = {"bench", "--lcores=0@" + std::to_string(chosen_cpu()),
        "--no-pci", "--no-telemetry", "--log-level=error", "--iova-mode=va"};
    if (huge)
        args.insert(args.end(), {"--in-memory"});
    else
        args.insert(args.end(), {"--no-huge", "--no-shconf", "-m", std::to_string(packet_mib)});
    std::vector<char *> argv;
    for (std::string &a : args)
        argv.push_back(a.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        std::fprintf(stderr, "DPDK did not start: %s\n", rte_strerror(rte_errno));
        std::exit(1);
    }
    benchmark::AddCustomContext("packet_pages", huge ? "reserved hugepages" : "4 KiB (--no-huge)");
    benchmark::AddCustomContext("table_pages",
        huge ? "reserved hugepages while there are" : "transparent huge pages where granted");
    benchmark::AddCustomContext("cpu", std::to_string(chosen_cpu()));
    benchmark::AddCustomContext("tsc_mhz", std::to_string(rte_get_tsc_hz() / 1'000'000));
}

// Take --samples=N out of the arguments.
inline void read_samples(int *argc, char **argv)
{
    int n = 0;
    for (int i = 0; i < *argc; i++) {
        if (std::strncmp(argv[i], "--samples=", 10) == 0)
            n_samples() = std::max(1, std::atoi(argv[i] + 10));
        else
            argv[n++] = argv[i];
    }
    *argc = n;
}

// The main() of a program; `add` registers its benchmarks. Not 0 when one of them failed.
inline int run(int argc, char **argv, void (*add)(), uint64_t packet_mib = kPacketMib)
{
    read_samples(&argc, argv);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    start_eal(packet_mib);
    add();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return n_failed() > 0 ? 1 : 0;
}

} // namespace bench
