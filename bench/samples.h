// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// What a benchmark reports. A figure is the median of its samples, taken one after the other in one
// run; beside it stand the quartiles and the extremes, so that a reader sees how far to trust it.
//
//   ns_per_op            time in the shard for one operation: median
//   ns_per_op_min, _q1, _q3, _max
//   advance_ns_per_op    tern_shard_advance() of the same polls, where ns_per_op does not hold it
//   packets_per_op       received and sent by the shard, counted
//   bytes_per_op         of frames received and sent, counted
//   ops_per_s, packets_per_s, gbit_per_s   from the median
//   rig_ns_per_op        what the far end took meanwhile, in none of the above
//   core_ghz             what the core ran at between the samples: median
//   huge_share           of the shard's memory lies on huge pages
#include "host.h"

#include <algorithm>
#include <vector>

namespace bench
{

// Where the time of one sample went.
struct Sample {
    double shard_ns = 0, advance_ns = 0, rig_ns = 0;
    uint64_t n_ops = 0, n_packets = 0, n_bytes = 0;
};

// Clock of the core now, from a chain of additions that take a cycle each. Under a hypervisor it is
// neither constant nor told; figures of two runs at different clocks do not compare.
inline double core_ghz()
{
    constexpr int kAdditions = 20000;
    uint64_t x = 0;
    const uint64_t start = rte_rdtsc();
    for (int i = 0; i < kAdditions; i++)
        asm volatile("add $1, %0" : "+r"(x));
    const double seconds =
        static_cast<double>(rte_rdtsc() - start) / static_cast<double>(rte_get_tsc_hz());
    return kAdditions / seconds / 1e9;
}

// Values of which the middle and the spread are wanted.
class Spread
{
  public:
    void add(double value)
    {
        values_.push_back(value);
    }

    // The value below which that share of all lie, between neighbours by proportion.
    double at(double share)
    {
        std::sort(values_.begin(), values_.end());
        const double pos = share * static_cast<double>(values_.size() - 1);
        const auto below = static_cast<size_t>(pos);
        const size_t above = std::min(below + 1, values_.size() - 1);
        return values_[below]
               + (values_[above] - values_[below]) * (pos - static_cast<double>(below));
    }

  private:
    std::vector<double> values_;
};

class Samples
{
  public:
    void add(const Sample &s)
    {
        ns_.add(s.shard_ns / static_cast<double>(s.n_ops));
        ghz_.add(core_ghz());
        sum_.shard_ns += s.shard_ns;
        sum_.advance_ns += s.advance_ns;
        sum_.rig_ns += s.rig_ns;
        sum_.n_ops += s.n_ops;
        sum_.n_packets += s.n_packets;
        sum_.n_bytes += s.n_bytes;
    }

    void report(benchmark::State &state)
    {
        const double median = ns_.at(0.5), n = static_cast<double>(sum_.n_ops);
        const double packets = static_cast<double>(sum_.n_packets) / n;
        const double bytes = static_cast<double>(sum_.n_bytes) / n;
        auto &c = state.counters;
        c["ns_per_op"] = median;
        c["ns_per_op_min"] = ns_.at(0);
        c["ns_per_op_q1"] = ns_.at(0.25);
        c["ns_per_op_q3"] = ns_.at(0.75);
        c["ns_per_op_max"] = ns_.at(1);
        c["advance_ns_per_op"] = sum_.advance_ns / n;
        c["rig_ns_per_op"] = sum_.rig_ns / n;
        c["packets_per_op"] = packets;
        c["bytes_per_op"] = bytes;
        c["ops_per_s"] = 1e9 / median;
        c["packets_per_s"] = 1e9 / median * packets;
        c["gbit_per_s"] = 8 * bytes / median;
        c["core_ghz"] = ghz_.at(0.5);
        state.SetItemsProcessed(static_cast<int64_t>(sum_.n_ops));
    }

  private:
    Spread ns_, ghz_;
    Sample sum_;
};

} // namespace bench
