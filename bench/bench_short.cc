// SPDX-License-Identifier: BSD-3-Clause
//
// What a short HTTP connection costs in six packets: SYN, SYN-ACK, ACK with the request, response
// with FIN, FIN with the ACK of both, ACK.
//
// As a server (client:0) the shard closes first and keeps TIME-WAIT, with so many records of it
// present (tws): time_wait_ms is such that at the pace of the rig's clock as many expire as are
// opened. life:1 counts tern_shard_advance() in, which frees them; life:0 ends with the last ACK.
// As a client (client:1) the shard opens, asks, and closes when the server did.
#include "clients.h"

namespace
{

using namespace bench;

constexpr uint32_t kExchanges = 16384; // a sample
constexpr uint32_t kPacketsIn = 3;     // of an exchange, either side
constexpr uint32_t kServerIss = 5000;
constexpr char kRequest[] = "GET / HTTP/1.1\r\nHost: 198.18.0.1\r\nConnection: close\r\n\r\n";
constexpr char kResponse[] = "HTTP/1.1 200 OK\r\nServer: tern\r\nContent-Type: text/plain\r\n"
                             "Connection: close\r\nContent-Length: 13\r\n\r\nHello, world\n";
constexpr uint32_t kRequestBytes = sizeof kRequest - 1, kResponseBytes = sizeof kResponse - 1;

enum : size_t { kArgTws = kArgConns, kArgClient = kArgOwn, kArgLife };

struct Args : Setup {
    bool is_client, life;
    explicit Args(const benchmark::State &state)
        : Setup(state), is_client(state.range(kArgClient) != 0), life(state.range(kArgLife) != 0)
    {
    }
};

// Of the connections only those of one ring are open at a time: `conns` is TIME-WAIT records.
tern_stack_config config_of(const Args &a)
{
    tern_stack_config cfg = stack_config(a);
    cfg.conns_max = cfg.sending_max = 4 * kRing;
    cfg.syn_cookies = TERN_SYN_COOKIES_NEVER;
    if (!a.is_client) {
        cfg.time_wait_max = a.n_conns + a.n_conns / 8 + 4 * kRing;
        cfg.time_wait_ms = static_cast<uint32_t>(
            std::max<uint64_t>(1, a.n_conns * kPacketsIn * kPacketNs / kNsPerMs));
    }
    return cfg;
}

// ---- the application ----

struct App {
    tern_static *text = nullptr; // what it sends
    uint64_t n_bytes = 0, n_closed = 0;
};

App *app_of(const tern_shard *sh)
{
    return static_cast<App *>(tern_shard_user(sh));
}

void take(tern_shard *sh, tern_conn *c, rte_mbuf *m)
{
    const uint32_t n = m->pkt_len;
    app_of(sh)->n_bytes += n;
    rte_pktmbuf_free(m);
    tern_consume(sh, c, n);
}

void on_closed(tern_shard *sh, tern_conn *, tern_close_reason why)
{
    app_of(sh)->n_closed += why == TERN_CLOSE_NORMAL;
}

void serve(tern_shard *sh, tern_conn *c, rte_mbuf *m)
{
    take(sh, c, m);
    tern_send_static(sh, c, app_of(sh)->text, 0, kResponseBytes);
    tern_close(sh, c);
}

void ask(tern_shard *sh, tern_conn *c)
{
    tern_send_static(sh, c, app_of(sh)->text, 0, kRequestBytes);
}

tern_app server_app()
{
    tern_app app = {};
    app.on_data = serve;
    app.on_closed = on_closed;
    return app;
}

tern_app client_app()
{
    tern_app app = {};
    app.on_open = ask;
    app.on_data = take;
    app.on_peer_closed = tern_close;
    app.on_closed = on_closed;
    return app;
}

// ---- both sides ----

class Exchange
{
  public:
    Exchange(const Args &a, const char *text, uint32_t n_text) : args_(a), rig_(a, config_of(a))
    {
        app_.text = tern_static_new(rig_.shard(), text, n_text);
        tern_shard_set_user(rig_.shard(), &app_);
    }
    virtual ~Exchange()
    {
        tern_shard_stop(rig_.shard());
        tern_static_free(app_.text);
    }
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    Sample sample(uint32_t n, uint32_t n_bytes)
    {
        const App before = app_;
        rig_.begin_sample();
        run(n);
        const Sample s = rig_.end_sample(n, args_.life);
        expect_equal("connections closed in order", app_.n_closed - before.n_closed, n);
        expect_equal("bytes delivered", app_.n_bytes - before.n_bytes, uint64_t{n} * n_bytes);
        expect_equal("packets", s.n_packets, uint64_t{n} * 2 * kPacketsIn);
        return s;
    }

    void run(uint32_t n)
    {
        for (uint32_t done = 0; done < n; done += kRing)
            run_ring();
    }

    const Rig &rig() const
    {
        return rig_;
    }

  protected:
    virtual void run_ring() = 0;

    // Each frame the shard has sent, which must be of that shape, is answered by reply(s).
    template <typename Reply>
    void answer_all(const char *what, uint8_t flags, uint32_t n_payload, Reply reply)
    {
        expect_equal(what, rig_.n_sent(), kRing);
        for (uint32_t i = 0; i < kRing; i++) {
            const Segment s = rig_.sent(i);
            expect_segment(what, s, flags, n_payload);
            reply(s);
        }
        rig_.drop_sent();
        rig_.poll(args_.burst);
    }

    Args args_;
    App app_;
    Rig rig_;
};

class Server : public Exchange
{
  public:
    explicit Server(const Args &a) : Exchange(a, kResponse, kResponseBytes)
    {
        static const tern_app app = server_app();
        listen(rig_, app);
        run(a.n_conns + a.n_conns / 16); // until as many TIME-WAITs end as begin
    }

    static constexpr uint32_t kBytesIn = kRequestBytes;

  private:
    void run_ring() override
    {
        put_syns(rig_, kRing, [&](uint32_t) { return next_++ % kClients; });
        rig_.poll(args_.burst);
        answer_all("SYN-ACKs", TERN_TCP_SYN | TERN_TCP_ACK, 0, [&](const Segment &s) {
            Segment get = answer(rig_, s, kClientIss + 1, TERN_TCP_ACK | TERN_TCP_PSH);
            get.payload = kRequest;
            get.n_payload = kRequestBytes;
            rig_.put(get);
        });
        answer_all("responses", TERN_TCP_ACK | TERN_TCP_PSH | TERN_TCP_FIN, kResponseBytes,
            [&](const Segment &s) {
                rig_.put(
                    answer(rig_, s, kClientIss + 1 + kRequestBytes, TERN_TCP_ACK | TERN_TCP_FIN));
            });
        answer_all("last ACKs", TERN_TCP_ACK, 0, [](const Segment &) {});
    }

    uint32_t next_ = 0;
};

class Client : public Exchange
{
  public:
    explicit Client(const Args &a) : Exchange(a, kRequest, kRequestBytes)
    {
        tern_prefix server;
        if (tern_prefix_parse(a.v6 ? "2001:2:0:1::1/128" : "198.19.0.1/32", &server) != 0)
            throw Failure("the server's address");
        to_.remote = server.addr;
        to_.rport = kServerPort;
        to_.app = &app_calls_;
        run(kRing);
    }

    static constexpr uint32_t kBytesIn = kResponseBytes;

  private:
    void connect(uint32_t n)
    {
        for (uint32_t i = 0; i < n; i++)
            n_refused_ += tern_connect(rig_.shard(), &to_, nullptr) != 0;
    }

    void run_ring() override
    {
        for (uint32_t done = 0; done < kRing; done += args_.burst)
            rig_.call([&] { connect(args_.burst); });
        expect_equal("connects refused", n_refused_, 0);
        answer_all("SYNs", TERN_TCP_SYN, 0, [&](const Segment &s) {
            rig_.put(answer(rig_, s, kServerIss, TERN_TCP_SYN | TERN_TCP_ACK));
        });
        answer_all("requests", TERN_TCP_ACK | TERN_TCP_PSH, kRequestBytes, [&](const Segment &s) {
            Segment ok =
                answer(rig_, s, kServerIss + 1, TERN_TCP_ACK | TERN_TCP_PSH | TERN_TCP_FIN);
            ok.payload = kResponse;
            ok.n_payload = kResponseBytes;
            rig_.put(ok);
        });
        answer_all("FINs", TERN_TCP_ACK | TERN_TCP_FIN, 0, [&](const Segment &s) {
            rig_.put(answer(rig_, s, kServerIss + kResponseBytes + 2, TERN_TCP_ACK));
        });
        expect_equal("answers to the last ACK", rig_.n_sent(), 0);
    }

    const tern_app app_calls_ = client_app();
    tern_connect_opts to_ = {};
    uint32_t n_refused_ = 0;
};

template <typename Side> void exchange(benchmark::State &state)
{
    const Args a(state);
    Side side(a);
    take_samples(state, side.rig(), [&] { return side.sample(kExchanges, Side::kBytesIn); });
}

void short_connection(benchmark::State &state)
{
    guarded(state, [&] {
        if (Args(state).is_client)
            exchange<Client>(state);
        else
            exchange<Server>(state);
    });
}

// The base: the server with a million TIME-WAITs, bursts of 32, checksums offloaded, IPv4, no
// options, up to the last ACK. And to the end of TIME-WAIT, and the client.
void add()
{
    const Case base = {1'000'000, 32, 0, 0, 0, 0, 0}, life = {1'000'000, 32, 0, 0, 0, 0, 1};
    const Case client = {0, 32, 0, 0, 0, 1, 0};
    std::vector<std::string> names = arg_names({"client", "life"});
    names[kArgTws] = "tws";
    auto *b = add_sampled("short", short_connection, names);
    b->Args(base);
    b->Args(life);
    add_with(b, life, kArgTws, {100'000, 10'000'000});
    add_common(b, base);
    b->Args(client);
    add_common(b, client, {1, 64});
}

} // namespace

int main(int argc, char **argv)
{
    return bench::run(argc, argv, add);
}
