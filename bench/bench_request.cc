// SPDX-License-Identifier: BSD-3-Clause
//
// What a request of 64 bytes and its response of 64 bytes cost a shard that holds so many
// connections, each of which asks in its turn; the turns are shuffled, so that connection, send
// queue and record of what is in flight are cold lines in the larger tables.
//
// A client's next request acknowledges the last response (2 packets): then every connection always
// has a response in flight. Or the acknowledgement comes by itself, a ring later (acks:1, 3
// packets), and few are in flight. The response is a static body, or bytes that are copied
// (copied:1), and then the shard holds a buffer for each in flight.
#include "clients.h"

#include <numeric>
#include <random>

namespace
{

using namespace bench;

constexpr uint32_t kBytes = 64;       // of a request and of a response
constexpr uint32_t kRequests = 32768; // a sample

// Buffers that connections hold have room for a header and a response, no more: there may be
// millions.
constexpr uint16_t kSmallRoom = RTE_PKTMBUF_HEADROOM + 4 * kBytes;
constexpr uint64_t kSmallPacketsMib = 1024;

enum : size_t { kArgAcks = kArgOwn, kArgCopied };

struct Args : Setup {
    bool acks, copied;
    explicit Args(const benchmark::State &state)
        : Setup(state), acks(state.range(kArgAcks) != 0), copied(state.range(kArgCopied) != 0)
    {
        room_bytes = kSmallRoom;
        if (copied && !acks)
            n_mbufs += n_conns;
    }
};

tern_stack_config config_of(const Args &a)
{
    tern_stack_config cfg = stack_config(a);
    cfg.syn_cookies = TERN_SYN_COOKIES_NEVER;
    cfg.sending_max = a.n_conns; // each has a response in flight until its next turn
    return cfg;
}

// ---- the application ----

// A body counts at most some two million references; each response in flight holds one.
constexpr uint32_t kRefsPerBody = 1'000'000;

struct App {
    std::vector<tern_static *> bodies; // none: bytes are copied
    uint64_t n_requests = 0, n_bytes = 0, n_cut_short = 0;
};

constexpr uint8_t kBody[kBytes] = {'H', 'e', 'l', 'l', 'o'};

void respond(tern_shard *sh, tern_conn *c, rte_mbuf *m)
{
    App *app = static_cast<App *>(tern_shard_user(sh));
    const uint32_t n = m->pkt_len;
    app->n_bytes += n;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, n);
    tern_static *body =
        app->bodies.empty() ? nullptr : app->bodies[app->n_requests++ % app->bodies.size()];
    const size_t sent = body != nullptr ? tern_send_static(sh, c, body, 0, kBytes)
                                        : tern_send_bytes(sh, c, kBody, kBytes);
    app->n_cut_short += sent != kBytes;
}

tern_app responding()
{
    tern_app app = {};
    app.on_data = respond;
    return app;
}

// ---- clients ----

class Service
{
  public:
    explicit Service(const Args &a)
        : args_(a), order_(a.n_conns), received_(a.n_conns), rig_(a, config_of(a))
    {
        static const tern_app app = responding();
        for (uint32_t n = 0; !a.copied && n <= a.n_conns; n += kRefsPerBody)
            app_.bodies.push_back(tern_static_new(rig_.shard(), kBody, kBytes));
        tern_shard_set_user(rig_.shard(), &app_);
        listen(rig_, app);
        std::iota(order_.begin(), order_.end(), 0u);
        std::shuffle(order_.begin(), order_.end(), std::minstd_rand());
        open_all(
            rig_, a.n_conns, kSetupBurst, [](uint32_t i) { return i; },
            [&](const Segment &s) { remember(s); });
        ask(a.n_conns); // a first turn of all, so that everybody's records are there
    }

    ~Service()
    {
        tern_shard_stop(rig_.shard());
        for (tern_static *body : app_.bodies)
            tern_static_free(body);
    }
    Service(const Service &) = delete;
    Service &operator=(const Service &) = delete;

    Sample sample(uint32_t n)
    {
        const uint64_t bytes_before = app_.n_bytes;
        rig_.begin_sample();
        ask(n);
        const Sample s = rig_.end_sample(n);
        expect_equal("bytes of requests delivered", app_.n_bytes - bytes_before, n * kBytes);
        expect_equal("responses cut short", app_.n_cut_short, 0);
        expect_equal("retransmissions", rig_.stats().retransmits, 0);
        return s;
    }

    const Rig &rig() const
    {
        return rig_;
    }

  private:
    // What a client has received: sequence number and timestamp behind the last segment.
    struct Received {
        uint32_t seq, ts;
    };

    void remember(const Segment &s)
    {
        received_[client_id(s.flow)] = {
            s.seq + s.n_payload + ((s.flags & TERN_TCP_SYN) != 0), s.ts_val};
    }

    void ask(uint32_t n)
    {
        for (uint32_t done = 0; done < n;) {
            // Nobody has two turns in one ring: the second would not know the first's response.
            const uint32_t now = std::min({kRing, n - done, args_.n_conns - turn_});
            ask_ring(now);
            done += now;
            turn_ += now;
            if (turn_ == args_.n_conns) {
                turn_ = 0;
                round_++;
            }
        }
    }

    void ask_ring(uint32_t n)
    {
        for (uint32_t i = 0; i < n; i++)
            rig_.put(request_of(order_[turn_ + i]));
        rig_.poll(args_.burst);
        expect_equal("responses", rig_.n_sent(), n);
        for (uint32_t i = 0; i < n; i++)
            take_response(rig_.sent(i));
        rig_.drop_sent();
        if (args_.acks) {
            rig_.poll(args_.burst);
            expect_equal("answers to an ACK", rig_.n_sent(), 0);
        }
    }

    Segment request_of(uint32_t id) const
    {
        const Received &r = received_[id];
        return {client(id), kClientIss + 1 + round_ * kBytes, r.seq, TERN_TCP_ACK | TERN_TCP_PSH,
            rig_.now_ms(), r.ts, kBytes, nullptr};
    }

    void take_response(const Segment &s)
    {
        expect_segment("a response", s, TERN_TCP_ACK | TERN_TCP_PSH, kBytes);
        expect_equal("sequence of a response", s.seq, received_[client_id(s.flow)].seq);
        remember(s);
        if (args_.acks)
            rig_.put(answer(rig_, s, kClientIss + 1 + (round_ + 1) * kBytes, TERN_TCP_ACK));
    }

    Args args_;
    std::vector<uint32_t> order_;    // of turns
    std::vector<Received> received_; // by client
    uint32_t turn_ = 0, round_ = 0;
    App app_;
    Rig rig_;
};

void request(benchmark::State &state)
{
    guarded(state, [&] {
        const Args a(state);
        Service service(a);
        take_samples(state, service.rig(), [&] { return service.sample(kRequests); });
    });
}

// The base: a million connections, bursts of 32, checksums offloaded, IPv4, no options, static
// body, acknowledged by the next request. And where the acknowledgement comes by itself.
void add()
{
    const Case base = {1'000'000, 32, 0, 0, 0, 0, 0}, acked = {1'000'000, 32, 0, 0, 0, 1, 0};
    auto *b = add_sampled("request", request, arg_names({"acks", "copied"}));
    b->Args(base);
    add_with(b, base, kArgConns, {1'000, 100'000});
    add_common(b, base);
    add_with(b, base, kArgCopied, {1});
    add_with(b, acked, kArgConns, {1'000, 1'000'000, 10'000'000});
    add_with(b, base, kArgConns, {10'000'000}); // last: EAL keeps what its packets take
}

} // namespace

int main(int argc, char **argv)
{
    return bench::run(argc, argv, add, kSmallPacketsMib);
}
