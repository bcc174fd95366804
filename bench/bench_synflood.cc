// SPDX-License-Identifier: BSD-3-Clause
//
// What a SYN costs that is answered with a cookie, and nothing comes back: SYNs from random sources
// at a server that holds so many connections. "auto" is the server that keeps state until its SYN
// cache is full, which it is; else cookies are its rule.
#include "clients.h"

#include <random>

namespace
{

using namespace bench;

constexpr uint32_t kSyns = 65536; // a sample

struct Args {
    uint32_t n_conns, burst;
    bool software, automatic, v6, linux;
    explicit Args(const benchmark::State &s)
        : n_conns(static_cast<uint32_t>(s.range(0))), burst(static_cast<uint32_t>(s.range(1))),
          software(s.range(2) != 0), automatic(s.range(3) != 0), v6(s.range(4) != 0),
          linux(s.range(5) != 0)
    {
    }
};

Setup setup_of(const Args &a)
{
    Setup s;
    s.n_conns = a.n_conns;
    s.v6 = a.v6;
    s.software = a.software;
    s.options = a.linux ? kLinux : kNoOptions;
    return s;
}

tern_stack_config config_of(const Args &a)
{
    tern_stack_config cfg = stack_config(setup_of(a));
    cfg.syn_cookies = a.automatic ? TERN_SYN_COOKIES_AUTO : TERN_SYN_COOKIES_ALWAYS;
    return cfg;
}

class Victim
{
  public:
    explicit Victim(const Args &a) : args_(a), rig_(setup_of(a), config_of(a))
    {
        static const tern_app app = {};
        listen(rig_, app);
        open_all(
            rig_, a.n_conns, kSetupBurst, [](uint32_t i) { return i; }, ignore);
        while (a.automatic && rig_.stats().syn_cookies_sent == 0)
            flood(kRing);
    }

    Sample sample(uint32_t n)
    {
        const uint64_t cookies_before = rig_.stats().syn_cookies_sent;
        rig_.begin_sample();
        flood(n);
        const Sample s = rig_.end_sample(n);
        expect_equal("cookies sent", rig_.stats().syn_cookies_sent - cookies_before, n);
        return s;
    }

  private:
    void flood(uint32_t n)
    {
        for (uint32_t done = 0; done < n; done += kRing) {
            for (uint32_t &id : source_)
                id = args_.n_conns + static_cast<uint32_t>(random_() % (kClients - args_.n_conns));
            const auto id = [&](uint32_t i) { return source_[i]; };
            put_syns(rig_, kRing, id);
            rig_.poll(args_.burst);
            expect_equal("answers to SYNs", rig_.n_sent(), kRing);
            for (uint32_t i = 0; i < kRing; i++)
                syn_ack(rig_, i, id);
            rig_.drop_sent();
        }
    }

    Args args_;
    std::mt19937_64 random_;
    uint32_t source_[kRing];
    Rig rig_;
};

void synflood(benchmark::State &state)
{
    guarded(state, [&] {
        const Args a(state);
        Victim victim(a);
        Samples samples;
        for (auto _ : state) {
            const Sample s = victim.sample(kSyns);
            state.SetIterationTime(s.shard_ns / 1e9);
            samples.add(s);
        }
        samples.report(state);
        state.counters["huge_share"] = huge_share();
    });
}

// One thing at a time is other than in the base: a million connections, bursts of 32, checksums
// offloaded, cookies always, IPv4, no options.
void add()
{
    auto *b = benchmark::RegisterBenchmark("synflood", synflood);
    b->ArgNames({"conns", "burst", "software", "auto", "ipv6", "linux"});
    b->Args({1'000'000, 32, 0, 0, 0, 0});
    b->Args({100'000, 32, 0, 0, 0, 0});
    b->Args({10'000'000, 32, 0, 0, 0, 0});
    for (const int64_t burst : {1, 8, 64})
        b->Args({1'000'000, burst, 0, 0, 0, 0});
    b->Args({1'000'000, 32, 1, 0, 0, 0});
    b->Args({1'000'000, 32, 0, 1, 0, 0});
    b->Args({1'000'000, 32, 0, 0, 1, 0});
    b->Args({1'000'000, 32, 0, 0, 0, 1});
    b->Iterations(n_samples())->UseManualTime()->Unit(benchmark::kMillisecond);
}

} // namespace

int main(int argc, char **argv)
{
    return bench::run(argc, argv, add);
}
