// SPDX-License-Identifier: BSD-3-Clause
//
// What a full segment costs a shard that sends or receives in bulk on so many connections, in
// nanoseconds a segment.
//
// Sending: a static body by reference, as much as the send buffer takes, refilled whenever the
// shard says so. The far end acknowledges every second segment (RFC 9293 §3.8.6.3) and never
// reorders or loses; so a sample is the steady state of an open window. Receiving: segments in
// order, one a connection in turn, given back to the window as they come; the shard acknowledges as
// it sees fit. Payload is not touched by anybody with checksums offloaded.
#include "clients.h"

#include <deque>

namespace
{

using namespace bench;

constexpr uint32_t kSegments = 32768; // a sample
constexpr uint32_t kBodyBytes = 1 << 20;
constexpr uint32_t kHeldBytes = 64 << 20; // in flight on all connections together
constexpr uint32_t kHeldMinBytes = 64 << 10, kHeldMaxBytes = 1 << 20; // on one
constexpr uint32_t kRcvBufBytes = 16 << 20; // a ring full of the largest segments
constexpr uint32_t kSegmentsPerAck = 2;
constexpr uint32_t kWarmUpRounds = 64; // of one sample's length at most; slow start takes fewer
constexpr uint32_t kTsBytes = 12;

enum : size_t { kArgMss = kArgOwn, kArgReceive };

struct Args : Setup {
    uint32_t mss_bytes;
    bool receives;
    explicit Args(const benchmark::State &state)
        : Setup(state), mss_bytes(static_cast<uint32_t>(state.range(kArgMss))),
          receives(state.range(kArgReceive) != 0)
    {
        const uint32_t ip_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
        mtu_bytes = static_cast<uint16_t>(mss_bytes + ip_bytes + TERN_TCP_BYTES);
        if (options == kNoOptions)
            options = kScaled; // without it a window of 64 KiB would be what is measured
    }

    uint32_t payload_bytes() const
    {
        return mss_bytes - (options == kLinux ? kTsBytes : 0);
    }
};

tern_stack_config config_of(const Args &a)
{
    tern_stack_config cfg = stack_config(a);
    cfg.syn_cookies = TERN_SYN_COOKIES_NEVER;
    cfg.snd_buf_bytes = std::clamp(kHeldBytes / a.n_conns, kHeldMinBytes, kHeldMaxBytes);
    cfg.rcv_buf_bytes = kRcvBufBytes;
    return cfg;
}

// ---- the application ----

struct App {
    tern_static *body = nullptr;
    bool sends = false; // what it opens from now on, and what becomes sendable
    std::vector<tern_conn *> conns;
    uint64_t n_received = 0;
};

App *app_of(const tern_shard *sh)
{
    return static_cast<App *>(tern_shard_user(sh));
}

void remember(tern_shard *sh, tern_conn *c)
{
    app_of(sh)->conns.push_back(c);
}

// The body from its start, again and again, until the send buffer is full.
void fill(tern_shard *sh, tern_conn *c)
{
    while (tern_send_static(sh, c, app_of(sh)->body, 0, kBodyBytes) == kBodyBytes) {
    }
}

void discard(tern_shard *sh, tern_conn *c, rte_mbuf *m)
{
    const uint32_t n = m->pkt_len;
    app_of(sh)->n_received += n;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, n);
}

tern_app bulk_app()
{
    tern_app app = {};
    app.on_open = remember;
    app.on_sendable = fill;
    app.on_data = discard;
    return app;
}

// ---- both directions ----

class Bulk
{
  public:
    explicit Bulk(const Args &a) : args_(a), ends_(a.n_conns), rig_(a, config_of(a))
    {
        static const tern_app app = bulk_app();
        const std::vector<uint8_t> body(kBodyBytes, 'x');
        app_.body = tern_static_new(rig_.shard(), body.data(), body.size());
        tern_shard_set_user(rig_.shard(), &app_);
        listen(rig_, app);
        open_all(
            rig_, a.n_conns, kSetupBurst, [](uint32_t i) { return i; },
            [&](const Segment &s) {
                ends_[client_id(s.flow)] = {kClientIss + 1, s.seq + 1, 0, s.ts_val};
            });
        expect_equal("connections accepted", app_.conns.size(), a.n_conns);
    }
    virtual ~Bulk()
    {
        tern_shard_stop(rig_.shard());
        tern_static_free(app_.body);
    }
    Bulk(const Bulk &) = delete;
    Bulk &operator=(const Bulk &) = delete;

    // At least n segments, as they come.
    Sample sample(uint32_t n)
    {
        const tern_stats before = rig_.stats();
        rig_.begin_sample();
        const uint64_t n_done = transfer(n);
        const Sample s = rig_.end_sample(n_done);
        const tern_stats &after = rig_.stats();
        expect_equal("payload", bytes(after) - bytes(before), n_done * args_.payload_bytes());
        expect_equal("retransmissions", after.retransmits, 0);
        return s;
    }

    const Rig &rig() const
    {
        return rig_;
    }

  protected:
    virtual uint64_t transfer(uint32_t n) = 0;      // segments moved, n or somewhat more
    virtual uint64_t bytes(const tern_stats &) = 0; // of payload, in this direction

    // What a client knows of its connection.
    struct End {
        uint32_t seq, ack; // next to be sent and to be received
        uint32_t n_unacked;
        uint32_t ts;
    };

    Segment segment(uint32_t id, uint8_t flags, uint32_t n_payload) const
    {
        const End &e = ends_[id];
        return {client(id), e.seq, e.ack, flags, rig_.now_ms(), e.ts, n_payload, nullptr};
    }

    Args args_;
    std::vector<End> ends_; // by client
    App app_;
    Rig rig_;
};

class Sender : public Bulk
{
  public:
    explicit Sender(const Args &a) : Bulk(a)
    {
        for (uint32_t first = 0; first < a.n_conns; first += kSetupBurst) {
            rig_.call([&] {
                for (uint32_t i = first; i < std::min(first + kSetupBurst, a.n_conns); i++)
                    fill(rig_.shard(), app_.conns[i]);
            });
            receive();
        }
        warm_up();
    }

  private:
    uint64_t bytes(const tern_stats &s) override
    {
        return s.tx_payload_bytes;
    }

    // Until a window's worth is in flight or no more is added.
    void warm_up()
    {
        size_t before = 0;
        for (uint32_t i = 0; i < kWarmUpRounds && acks_.size() > before; i++) {
            before = acks_.size();
            transfer(kSegments);
        }
    }

    uint64_t transfer(uint32_t n) override
    {
        uint64_t n_done = 0;
        while (n_done < n) {
            const auto now = static_cast<uint32_t>(std::min<size_t>(kRing, acks_.size()));
            if (now == 0)
                throw Failure("the shard stopped sending");
            for (uint32_t i = 0; i < now; i++) {
                rig_.put(acks_.front());
                acks_.pop_front();
            }
            rig_.poll(args_.burst);
            n_done += receive();
        }
        return n_done;
    }

    // The far end takes what was sent, in order and complete, and acknowledges.
    uint32_t receive()
    {
        const uint32_t n = rig_.n_sent();
        for (uint32_t i = 0; i < n; i++) {
            const Segment s = rig_.sent(i);
            const uint32_t id = client_id(s.flow);
            End &e = ends_[id];
            expect_segment("a segment", s, s.flags & ~TERN_TCP_PSH, args_.payload_bytes());
            expect_equal("sequence", s.seq, e.ack);
            e.ack += s.n_payload;
            e.ts = s.ts_val;
            if (++e.n_unacked == kSegmentsPerAck) {
                e.n_unacked = 0;
                acks_.push_back(segment(id, TERN_TCP_ACK, 0));
            }
        }
        rig_.drop_sent();
        return n;
    }

    std::deque<Segment> acks_; // on their way
};

class Receiver : public Bulk
{
  public:
    // A few segments at a time: the window of a SYN-ACK has no scale (RFC 7323 §2.2).
    explicit Receiver(const Args &a) : Bulk(a)
    {
        for (uint32_t done = 0; done < kRing; done += kFew)
            transfer_ring(kFew);
    }

  private:
    static constexpr uint32_t kFew = 4;

    uint64_t bytes(const tern_stats &s) override
    {
        return s.rx_payload_bytes;
    }

    uint64_t transfer(uint32_t n) override
    {
        for (uint32_t done = 0; done < n; done += kRing)
            transfer_ring(kRing);
        return n;
    }

    void transfer_ring(uint32_t n)
    {
        for (uint32_t i = 0; i < n; i++) {
            rig_.put(segment(turn_, TERN_TCP_ACK, args_.payload_bytes()));
            ends_[turn_].seq += args_.payload_bytes();
            turn_ = turn_ + 1 == args_.n_conns ? 0 : turn_ + 1;
        }
        rig_.poll(args_.burst);
        for (uint32_t i = 0; i < rig_.n_sent(); i++)
            take_ack(rig_.sent(i));
        rig_.drop_sent();
    }

    void take_ack(const Segment &s)
    {
        End &e = ends_[client_id(s.flow)];
        expect_segment("an acknowledgement", s, TERN_TCP_ACK, 0);
        if (static_cast<int32_t>(e.seq - s.ack) < 0)
            throw Failure("the shard acknowledges what was not sent");
        e.ts = s.ts_val;
    }

    uint32_t turn_ = 0;
};

template <typename Direction> void transfer(benchmark::State &state, const Args &a)
{
    Direction d(a);
    take_samples(state, d.rig(), [&] { return d.sample(kSegments); });
}

void bulk(benchmark::State &state)
{
    guarded(state, [&] {
        const Args a(state);
        if (a.receives)
            transfer<Receiver>(state, a);
        else
            transfer<Sender>(state, a);
    });
}

void add()
{
    auto *b = add_sampled("bulk", bulk, arg_names({"mss", "receive"}));
    for (const int64_t receive : {0, 1}) {
        for (const int64_t mss : {1460, 8960})
            for (const int64_t conns : {1, 1000})
                b->Args({conns, 32, 0, 0, 0, mss, receive});
        b->Args({1000, 32, 1, 0, 0, 1460, receive});
        b->Args({1000, 32, 0, 1, 0, 1440, receive});
        b->Args({1000, 32, 0, 0, 1, 1460, receive});
    }
}

} // namespace

int main(int argc, char **argv)
{
    return bench::run(argc, argv, add);
}
