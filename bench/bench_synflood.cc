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

enum : size_t { kArgAuto = kArgOwn };

struct Args : Setup {
    bool automatic;
    explicit Args(const benchmark::State &state)
        : Setup(state), automatic(state.range(kArgAuto) != 0)
    {
    }
};

tern_stack_config config_of(const Args &a)
{
    tern_stack_config cfg = stack_config(a);
    cfg.syn_cookies = a.automatic ? TERN_SYN_COOKIES_AUTO : TERN_SYN_COOKIES_ALWAYS;
    return cfg;
}

class Victim
{
  public:
    explicit Victim(const Args &a) : args_(a), rig_(a, config_of(a))
    {
        static const tern_app app = {};
        listen(rig_, app);
        open_all(
            rig_, a.n_conns, kSetupBurst, [](uint32_t i) { return i; }, ignore);
        next_ = a.n_conns;
        while (a.automatic && rig_.stats().syn_cookies_sent == 0)
            flood_ring([&](uint32_t) { return next_++; });
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

    const Rig &rig() const
    {
        return rig_;
    }

  private:
    // None of those who fill the SYN cache: they would get its SYN-ACK again, not a cookie.
    uint32_t stranger()
    {
        return next_ + static_cast<uint32_t>(random_() % (kClients - next_));
    }

    void flood(uint32_t n)
    {
        for (uint32_t done = 0; done < n; done += kRing)
            flood_ring([&](uint32_t) { return stranger(); });
    }

    template <typename Id> void flood_ring(Id id)
    {
        put_syns(rig_, kRing, id);
        rig_.poll(args_.burst);
        expect_equal("answers to SYNs", rig_.n_sent(), kRing);
        for (uint32_t i = 0; i < kRing; i++)
            syn_ack(rig_, i);
        rig_.drop_sent();
    }

    Args args_;
    std::mt19937_64 random_;
    uint32_t next_ = 0; // first client who has sent nothing
    Rig rig_;
};

void synflood(benchmark::State &state)
{
    guarded(state, [&] {
        const Args a(state);
        Victim victim(a);
        take_samples(state, victim.rig(), [&] { return victim.sample(kSyns); });
    });
}

// The base: a million connections, bursts of 32, checksums offloaded, cookies always, IPv4, no
// options.
void add()
{
    const Case base = {1'000'000, 32, 0, 0, 0, 0};
    auto *b = add_sampled("synflood", synflood, arg_names({"auto"}));
    b->Args(base);
    add_with(b, base, kArgConns, {100'000, 10'000'000});
    add_common(b, base);
    add_with(b, base, kArgAuto, {1});
}

} // namespace

int main(int argc, char **argv)
{
    return bench::run(argc, argv, add);
}
