// SPDX-License-Identifier: BSD-3-Clause
//
// The flow table at 0.8 load, after churn, as a burst uses it. Keys come in random order, so that
// every bucket and every record is a cold line at the larger sizes.
#include "micro/per_op.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdlib>

extern "C" {
#include "shard/arena.h"
#include "shard/flow_table.h"
}

namespace
{

constexpr uint32_t kBurst = 32;

// Key i has this hash: splitmix64, about as costly as a keyed hash that a burst has computed
// before.
uint64_t hash_of(uint64_t key)
{
    uint64_t z = (key + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct alignas(64) Record {
    uint64_t key;
};

struct Query {
    const Record *records;
    uint64_t key;
};

bool same(void *ctx, uint32_t ref)
{
    const Query *q = static_cast<const Query *>(ctx);
    return q->records[ref].key == q->key;
}

// A table in which keys first..first + n - 1 are, and have a record each.
class Flows
{
  public:
    explicit Flows(uint32_t n) : n_(n)
    {
        records_ = static_cast<Record *>(tern_arena_map((n + 1) * sizeof(Record), -1, nullptr));
        if (records_ == nullptr || tern_flow_init(&table_, n, -1) != 0)
            std::exit(1);
        for (uint32_t i = 0; i < n; i++)
            enter(i);
        for (uint32_t i = 0; i < 2 * n; i++)
            churn();
    }
    ~Flows()
    {
        tern_arena_unmap(records_, (n_ + 1) * sizeof(Record));
        tern_flow_fini(&table_);
    }
    Flows(const Flows &) = delete;
    Flows &operator=(const Flows &) = delete;

    // The oldest key goes, a new one comes.
    void churn()
    {
        tern_flow_remove(&table_, hash_of(first_), ref_of(first_));
        enter(first_ + n_);
        first_++;
    }

    uint32_t ref_of(uint64_t key) const
    {
        return static_cast<uint32_t>(1 + key % n_);
    }

    uint64_t random_key()
    {
        return first_ + static_cast<uint64_t>((hash_of(n_asked_++) >> 32) * n_ >> 32);
    }

    uint64_t absent_key()
    {
        return UINT64_MAX / 2 + n_asked_++;
    }

    tern_flow_table table_ = {};
    Record *records_;
    uint64_t first_ = 0;

  private:
    void enter(uint64_t key)
    {
        records_[ref_of(key)].key = key;
        if (tern_flow_insert(&table_, hash_of(key), ref_of(key)) != 0)
            std::exit(1);
    }

    uint64_t n_;
    uint64_t n_asked_ = 0;
};

// The four rounds that flow_table.h tells of.
uint32_t find_burst(const Flows &flows, const uint64_t *key)
{
    uint64_t hash[kBurst], away[kBurst];
    uint32_t n_found = 0, n_away = 0;
    for (uint32_t i = 0; i < kBurst; i++) {
        hash[i] = hash_of(key[i]);
        tern_flow_prefetch(&flows.table_, hash[i]);
    }
    for (uint32_t i = 0; i < kBurst; i++) {
        const uint32_t *slot = tern_flow_home_match(&flows.table_, hash[i]);
        if (slot != nullptr)
            __builtin_prefetch(&flows.records_[*slot]);
        else if (tern_flow_prefetch_other(&flows.table_, hash[i]))
            away[n_away++] = hash[i];
    }
    for (uint32_t i = 0; i < n_away; i++) {
        const uint32_t *slot = tern_flow_other_match(&flows.table_, away[i]);
        if (slot != nullptr)
            __builtin_prefetch(&flows.records_[*slot]);
    }
    for (uint32_t i = 0; i < kBurst; i++) {
        Query q = {flows.records_, key[i]};
        n_found += tern_flow_find(&flows.table_, hash[i], same, &q) != 0;
    }
    return n_found;
}

Flows &flows_of(const benchmark::State &state)
{
    return bench::world_of<Flows>(static_cast<uint32_t>(state.range(0)));
}

void finish(benchmark::State &state, const Flows &flows, bool is_right)
{
    if (!is_right)
        state.SkipWithError("wrong answers");
    bench::report_ops(state, state.iterations() * kBurst);
    state.counters["bytes_per_entry"] =
        static_cast<double>(tern_flow_bytes(&flows.table_)) / flows.table_.n_used;
}

void lookup_present(benchmark::State &state)
{
    Flows &flows = flows_of(state);
    uint64_t key[kBurst];
    uint32_t n_found = kBurst;
    for (auto _ : state) {
        for (uint64_t &k : key)
            k = flows.random_key();
        n_found = std::min(n_found, find_burst(flows, key));
    }
    finish(state, flows, n_found == kBurst);
}

void lookup_absent(benchmark::State &state)
{
    Flows &flows = flows_of(state);
    uint64_t key[kBurst];
    uint32_t n_found = 0;
    for (auto _ : state) {
        for (uint64_t &k : key)
            k = flows.absent_key();
        n_found += find_burst(flows, key);
    }
    finish(state, flows, n_found == 0);
}

// What it costs to wait for each line.
void lookup_waiting(benchmark::State &state)
{
    Flows &flows = flows_of(state);
    uint64_t key = flows.random_key();
    uint32_t n_found = kBurst;
    for (auto _ : state) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < kBurst; i++) {
            Query q = {flows.records_, key};
            const uint32_t ref = tern_flow_find(&flows.table_, hash_of(key), same, &q);
            n += ref != 0;
            key = flows.random_key() ^ (ref == 0); // the next one depends on this one
            benchmark::DoNotOptimize(key);
        }
        n_found = std::min(n_found, n);
    }
    finish(state, flows, n_found == kBurst);
}

// A connection ends, another begins; both buckets prefetched, as a burst has them.
void insert_and_remove(benchmark::State &state)
{
    Flows &flows = flows_of(state);
    for (auto _ : state) {
        for (uint32_t i = 0; i < kBurst; i++) {
            tern_flow_prefetch(&flows.table_, hash_of(flows.first_ + i));
            tern_flow_prefetch(&flows.table_, hash_of(flows.first_ + i + state.range(0)));
        }
        for (uint32_t i = 0; i < kBurst; i++)
            flows.churn();
    }
    finish(state, flows, flows.table_.n_used == state.range(0));
}

void add(const char *name, void (*run)(benchmark::State &), int64_t n)
{
    benchmark::RegisterBenchmark(name, run)->ArgName("entries")->Arg(n);
}

} // namespace

int main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    for (const int64_t n : {100'000, 1'000'000, 10'000'000}) {
        add("lookup_present", lookup_present, n);
        add("lookup_absent", lookup_absent, n);
        add("lookup_waiting", lookup_waiting, n);
        add("insert_and_remove", insert_and_remove, n);
    }
    benchmark::RunSpecifiedBenchmarks();
}
