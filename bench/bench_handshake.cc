// SPDX-License-Identifier: BSD-3-Clause
//
// What a handshake costs a shard that holds so many connections: SYN in, SYN-ACK out, ACK in, the
// connection established and its accept callback called.
//
// Before each sample connections that are there are reset, chosen at random, as many as the sample
// opens: so the number present stays, and records are used again in an order that memory does not
// foresee, as in a server that has run for a while.
#include "clients.h"

#include <numeric>
#include <random>

namespace
{

using namespace bench;

constexpr uint32_t kSampleMax = 65536; // handshakes a sample; fewer in small tables

enum : size_t { kArgCookies = kArgOwn };

struct Args : Setup {
    bool cookies;
    explicit Args(const benchmark::State &state)
        : Setup(state), cookies(state.range(kArgCookies) != 0)
    {
    }
};

tern_stack_config config_of(const Args &a)
{
    tern_stack_config cfg = stack_config(a);
    cfg.syn_cookies = a.cookies ? TERN_SYN_COOKIES_ALWAYS : TERN_SYN_COOKIES_NEVER;
    return cfg;
}

void count_open(tern_shard *sh, tern_conn *)
{
    ++*static_cast<uint64_t *>(tern_shard_user(sh));
}

tern_app accepting()
{
    tern_app app = {};
    app.on_open = count_open;
    return app;
}

// A server with its clients.
class Server
{
  public:
    explicit Server(const Args &a) : args_(a), live_(a.n_conns), rig_(a, config_of(a))
    {
        static const tern_app app = accepting();
        tern_shard_set_user(rig_.shard(), &n_accepted_);
        listen(rig_, app);
        std::iota(live_.begin(), live_.end(), 0u);
        open_all(
            rig_, a.n_conns, kSetupBurst, [&](uint32_t i) { return live_[i]; }, ignore);
        next_ = a.n_conns;
    }

    Sample sample(uint32_t n)
    {
        replace(n);
        const uint32_t first = args_.n_conns - n;
        const uint64_t accepted_before = n_accepted_;
        rig_.begin_sample();
        open_all(
            rig_, n, args_.burst, [&](uint32_t i) { return live_[first + i]; }, ignore);
        const Sample s = rig_.end_sample(n);
        expect_equal("connections accepted", n_accepted_ - accepted_before, n);
        expect_equal("connections open", rig_.stats().open_now, args_.n_conns);
        return s;
    }

    const Rig &rig() const
    {
        return rig_;
    }

  private:
    // Any n clients go; new ones, not yet connected, stand in their place at the end of live_.
    void replace(uint32_t n)
    {
        for (uint32_t i = args_.n_conns; i-- > args_.n_conns - n;)
            std::swap(live_[i], live_[random_() % (i + 1)]);
        const uint32_t first = args_.n_conns - n;
        reset_all(rig_, n, [&](uint32_t i) { return live_[first + i]; });
        expect_equal("connections left", rig_.stats().open_now, first);
        std::iota(live_.begin() + first, live_.end(), next_);
        next_ += n;
    }

    Args args_;
    std::vector<uint32_t> live_; // clients connected; allocated before the rig takes its measure
    std::minstd_rand random_;
    uint32_t next_ = 0;
    uint64_t n_accepted_ = 0;
    Rig rig_;
};

void handshake(benchmark::State &state)
{
    guarded(state, [&] {
        const Args a(state);
        Server server(a);
        const auto bytes = static_cast<double>(server.rig().shard_memory().bytes);
        const uint32_t n = std::min(kSampleMax, a.n_conns / 4 / kRing * kRing);
        take_samples(state, server.rig(), [&] { return server.sample(n); });
        const auto planned = static_cast<double>(server.rig().planned_bytes());
        state.counters["planned_bytes_per_conn"] = planned / a.n_conns;
        state.counters["resident_bytes_per_conn"] = bytes / a.n_conns;
    });
}

// The base: a million connections, bursts of 32, checksums offloaded, a SYN cache, IPv4, no
// options.
void add()
{
    const Case base = {1'000'000, 32, 0, 0, 0, 0};
    auto *b = add_sampled("handshake", handshake, arg_names({"cookies"}));
    b->Args(base);
    add_with(b, base, kArgConns, {100'000});
    add_common(b, base);
    add_with(b, base, kArgCookies, {1});
    add_with(b, base, kArgConns, {10'000'000, 50'000'000});
}

} // namespace

int main(int argc, char **argv)
{
    return bench::run(argc, argv, add);
}
