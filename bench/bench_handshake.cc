/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a handshake costs a shard: SYN in, SYN-ACK out, ACK in, connection established, its accept
 * callback called. Packets are made and taken in memory and outside of the measured time; checksums
 * count as the device's (argument 2 = 0) or are made and checked in software (1). Argument 0 is the
 * number of connections present, argument 1 the burst, argument 3 whether SYN cookies are used.
 */
#include <tern/embed.h>

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <vector>

extern "C" {
#include "shard/shard.h"
}

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

namespace
{

constexpr uint32_t server_ip = RTE_IPV4(198, 18, 0, 1);
constexpr uint32_t client_net = RTE_IPV4(198, 19, 0, 0);
constexpr uint16_t port = 80;

struct Packet {
    rte_ipv4_hdr ip;
    rte_tcp_hdr tcp;
} __attribute__((packed));

/** One shard that accepts, and the other side of its wire. */
class Bench
{
  public:
    Bench(uint32_t n_conns, bool software, bool cookies) : software_(software)
    {
        tern_error err{};
        if (tern_embed_start(2048, &err) != 0)
            rte_exit(1, "%s\n", err.text);
        pool_ = rte_pktmbuf_pool_create(
            "bench", 8191, 0, TERN_MBUF_PRIV_BYTES, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
        tern_stack_config cfg;
        tern_stack_config_init(&cfg);
        if (tern_prefix_parse("198.18.0.1/15", &cfg.addrs[0]) != 0)
            rte_exit(1, "address\n");
        cfg.n_addrs = 1;
        cfg.l3 = true;
        cfg.dad = false;
        cfg.conns_max = n_conns + 4096;
        cfg.half_open_max = 4096;
        cfg.time_wait_max = 64;
        cfg.neighbours_max = 64;
        cfg.tx_ip_csum = cfg.tx_tcp_csum = !software;
        cfg.syn_cookies = cookies ? TERN_SYN_COOKIES_ALWAYS : TERN_SYN_COOKIES_NEVER;
        const tern_shard_params params = {&cfg, 0, pool_, pool_, now_ns_};
        static const tern_app app = {};
        if (tern_shard_open(&params, &shard_, &err) != 0
            || tern_listen(shard_, nullptr, port, &app, nullptr) < 0)
            rte_exit(1, "%s\n", err.text);
    }

    ~Bench()
    {
        tern_shard_close(shard_, nullptr);
        rte_mempool_free(pool_);
    }

    /** `n` handshakes from clients first.. @return seconds spent in the shard */
    double handshakes(uint32_t first, uint32_t n)
    {
        rte_mbuf *in[TERN_BURST_MAX], *out[TERN_SHARD_TX_MAX];
        for (uint32_t i = 0; i < n; i++)
            in[i] = segment(first + i, 1000, 0, RTE_TCP_SYN_FLAG);
        double spent = feed(in, n);
        const uint32_t n_out = tern_shard_take_tx(shard_, out);
        for (uint32_t i = 0; i < n_out; i++) {
            const auto *p = rte_pktmbuf_mtod(out[i], const Packet *);
            const uint32_t iss = rte_be_to_cpu_32(p->tcp.sent_seq);
            in[i] = segment(first + i, 1001, iss + 1, RTE_TCP_ACK_FLAG);
        }
        rte_pktmbuf_free_bulk(out, n_out);
        spent += feed(in, n_out);
        drop_output();
        return spent;
    }

    void reset(uint32_t first, uint32_t n)
    {
        rte_mbuf *in[TERN_BURST_MAX];
        for (uint32_t i = 0; i < n; i++)
            in[i] = segment(first + i, 1001, 0, RTE_TCP_RST_FLAG);
        feed(in, n);
        drop_output();
    }

    uint64_t open_now() const
    {
        return tern_shard_stats(shard_)->open_now;
    }

  private:
    rte_mbuf *segment(uint32_t client, uint32_t seq, uint32_t ack, uint8_t flags)
    {
        rte_mbuf *m = rte_pktmbuf_alloc(pool_);
        auto *p = reinterpret_cast<Packet *>(rte_pktmbuf_append(m, sizeof(Packet)));
        if (p == nullptr)
            rte_exit(1, "no room in a packet buffer\n");
        *p = Packet{};
        p->ip.version_ihl = 0x45;
        p->ip.total_length = rte_cpu_to_be_16(sizeof *p);
        p->ip.time_to_live = 64;
        p->ip.next_proto_id = 6;
        p->ip.src_addr = rte_cpu_to_be_32(client_net + 1 + client / 50000);
        p->ip.dst_addr = rte_cpu_to_be_32(server_ip);
        p->tcp.src_port = rte_cpu_to_be_16(uint16_t(1024 + client % 50000));
        p->tcp.dst_port = rte_cpu_to_be_16(port);
        p->tcp.sent_seq = rte_cpu_to_be_32(seq);
        p->tcp.recv_ack = rte_cpu_to_be_32(ack);
        p->tcp.data_off = 0x50;
        p->tcp.tcp_flags = flags;
        p->tcp.rx_win = rte_cpu_to_be_16(65535);
        p->ip.hdr_checksum = rte_ipv4_cksum(&p->ip);
        p->tcp.cksum = rte_ipv4_udptcp_cksum(&p->ip, &p->tcp);
        if (!software_)
            m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        return m;
    }

    double feed(rte_mbuf **in, uint32_t n)
    {
        now_ns_ += 1000;
        const auto start = std::chrono::steady_clock::now();
        tern_shard_rx(shard_, in, n, now_ns_);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }

    void drop_output()
    {
        rte_mbuf *out[TERN_SHARD_TX_MAX];
        rte_pktmbuf_free_bulk(out, tern_shard_take_tx(shard_, out));
    }

    bool software_;
    uint64_t now_ns_ = 1000000000;
    rte_mempool *pool_ = nullptr;
    tern_shard *shard_ = nullptr;
};

void handshake(benchmark::State &state)
{
    const auto n_conns = uint32_t(state.range(0)), burst = uint32_t(state.range(1));
    Bench b(n_conns, state.range(2) != 0, state.range(3) != 0);
    for (uint32_t i = 0; i < n_conns; i += burst)
        b.handshakes(i, std::min(burst, n_conns - i));
    uint32_t oldest = 0, next = n_conns;
    for (auto _ : state) {
        state.SetIterationTime(b.handshakes(next, burst));
        state.PauseTiming();
        b.reset(oldest, burst);
        oldest += burst;
        next += burst;
        state.ResumeTiming();
    }
    const double n = double(state.iterations()) * burst;
    state.counters["ns_per_handshake"] =
        benchmark::Counter(n, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["open"] = double(b.open_now());
}

} // namespace

BENCHMARK(handshake)
    ->ArgNames({"conns", "burst", "software", "cookies"})
    ->Args({100000, 32, 0, 0})
    ->Args({1000000, 32, 0, 0})
    ->Args({1000000, 32, 0, 1})
    ->Args({1000000, 32, 1, 0})
    ->Args({1000000, 1, 0, 0})
    ->UseManualTime();

BENCHMARK_MAIN();
