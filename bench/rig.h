// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// One shard on a bench: no port, no thread, a clock that the rig turns. Frames go into a receive
// ring of up to kRing, from where the shard is polled in bursts as a worker polls it; what it sends
// is kept until the ring is empty, then handed out.
//
//   put() … put()   the far end writes frames           not measured
//   poll(burst)     rx, advance, take_tx until empty    measured
//   sent()          the far end reads what came         not measured
//
// The far end works for a whole ring before the shard sees a frame of it. So at a frame's turn the
// shard finds it neither in the first-level cache nor in memory but about where a NIC that writes
// into the cache leaves it, and between two segments of one connection lie some thousand others.
// Buffers go round through a mempool with a per-thread cache as under the engine.
//
// Measured is the time in tern_shard_rx() and tern_shard_take_tx(), read from the time-stamp
// counter around each, the counter's own cost (measured at start) taken off; tern_shard_advance()
// is told apart. The far end's time is in neither. The shard's clock goes on by kPacketNs a packet:
// virtual time, so that timers come to the same end in every run.
#include <tern/embed.h>

#include "cases.h"
#include "frames.h"
#include "samples.h"

#include <algorithm>
#include <memory>
#include <vector>

extern "C" {
#include "engine/memory.h"
#include "shard/shard.h"
}

namespace bench
{

constexpr uint32_t kRing = 1024;    // frames the far end prepares at a time
constexpr uint64_t kPacketNs = 50;  // 20 million packets a second arrive
constexpr uint32_t kMbufs = 16384;  // in the ring, sent and not yet read, held by connections
constexpr uint32_t kSentMax = 8192; // frames that answer one ring
constexpr uint64_t kStartNs = 1'000'000'000;
constexpr uint64_t kNsPerMs = 1'000'000;

struct Setup {
    uint32_t n_conns = 0;
    uint32_t burst = 0;
    bool software = false; // checksums in software, both ways; else the device's
    bool v6 = false;
    Options options = kNoOptions;
    uint16_t mtu_bytes = 1500;
    uint32_t n_mbufs = kMbufs;
    uint16_t room_bytes = 0; // of an mbuf; 0: as the engine's for this MTU

    explicit Setup(const benchmark::State &state)
        : n_conns(static_cast<uint32_t>(state.range(kArgConns))),
          burst(static_cast<uint32_t>(state.range(kArgBurst))),
          software(state.range(kArgSoftware) != 0), v6(state.range(kArgIpv6) != 0),
          options(state.range(kArgLinux) != 0 ? kLinux : kNoOptions)
    {
    }

    uint16_t mss() const
    {
        const int ip_bytes = v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES;
        return static_cast<uint16_t>(mtu_bytes - ip_bytes - TERN_TCP_BYTES);
    }
};

inline void add_address(tern_stack_config *cfg, const char *prefix, const char *router)
{
    tern_static_neighbour *n = &cfg->neighbours[cfg->n_neighbours++];
    if (tern_prefix_parse(prefix, &cfg->addrs[cfg->n_addrs++]) != 0
        || tern_addr_parse(router, &n->addr) != 0)
        throw Failure("an address of the rig");
    std::memcpy(n->mac, kRouterMac, sizeof n->mac);
    (tern_addr_is_v4(&n->addr) ? cfg->gateway4 : cfg->gateway6) = n->addr;
}

// An endpoint as the engine would set it up on a NIC with offloads (or without). Tables are as
// small as the benchmark allows: what it does not use shall not be in its memory figure.
inline tern_stack_config stack_config(const Setup &setup)
{
    tern_stack_config cfg;
    tern_stack_config_init(&cfg);
    std::memcpy(cfg.mac, kShardMac, sizeof cfg.mac);
    if (setup.v6)
        add_address(&cfg, kShardPrefix6, kRouter6);
    else
        add_address(&cfg, kShardPrefix4, kRouter4);
    cfg.dad = false;
    cfg.mtu_bytes = setup.mtu_bytes;
    cfg.conns_max = setup.n_conns;
    cfg.half_open_max = 4 * kRing;
    cfg.time_wait_max = 64;
    cfg.sending_max = 65536;
    cfg.tx_ip_csum = cfg.tx_tcp_csum = !setup.software;
    cfg.tx_multi_seg = true;
    for (uint64_t &word : cfg.seed)
        word = 0x9e3779b97f4a7c15 * static_cast<uint64_t>(&word - cfg.seed + 1);
    return cfg;
}

// Time-stamp counter.
class Tsc
{
  public:
    static double ns(uint64_t cycles)
    {
        static const double ns_per_cycle = 1e9 / static_cast<double>(rte_get_tsc_hz());
        return static_cast<double>(cycles) * ns_per_cycle;
    }

    // Cycles between two readings with nothing between them: median.
    static uint64_t own_cost()
    {
        static const uint64_t cost = measure_own_cost();
        return cost;
    }

  private:
    static uint64_t measure_own_cost()
    {
        std::vector<uint64_t> seen(1001);
        for (uint64_t &s : seen) {
            const uint64_t from = rte_rdtsc();
            s = rte_rdtsc() - from;
        }
        std::nth_element(seen.begin(), seen.begin() + 500, seen.end());
        return seen[500];
    }
};

// Intervals of the time-stamp counter, added up.
struct Stopwatch {
    uint64_t n_cycles = 0, n_intervals = 0;
    void add(uint64_t from, uint64_t to)
    {
        n_cycles += to - from;
        n_intervals++;
    }
    double ns() const
    {
        const uint64_t own = n_intervals * Tsc::own_cost();
        return Tsc::ns(n_cycles > own ? n_cycles - own : 0);
    }
};

class Rig
{
  public:
    Rig(const Setup &setup, const tern_stack_config &cfg)
        : frames_(setup.v6, setup.software, setup.options, setup.mss())
    {
        const uint16_t room = setup.room_bytes != 0
                                  ? setup.room_bytes
                                  : tern_mbuf_room_bytes(cfg.mtu_bytes, TERN_POOL_DENSE);
        tern_shard_plan(&cfg, &plan_);
        refuse_if_too_large(setup.n_mbufs * tern_mbuf_bytes(room, TERN_POOL_DENSE));
        const std::string name = "bench" + std::to_string(reinterpret_cast<uintptr_t>(this));
        pool_ =
            tern_pool_open(name.c_str(), setup.n_mbufs, room, 1, TERN_POOL_DENSE, SOCKET_ID_ANY);
        if (pool_ == nullptr)
            throw Failure(std::string("packet buffers: ") + rte_strerror(rte_errno));
        rte_mempool_obj_iter(pool_, touch, nullptr);
        before_ = resident();
        tern_error err = {};
        const tern_shard_params params = {&cfg, 0, pool_, pool_, now_ns_, nullptr};
        if (tern_shard_open(&params, &shard_, &err) != 0) {
            tern_pool_close(pool_);
            throw Failure(err.text);
        }
    }

    ~Rig()
    {
        drop_sent();
        rte_pktmbuf_free_bulk(in_, n_in_);
        tern_shard_close(shard_, nullptr);
        tern_pool_close(pool_);
    }
    Rig(const Rig &) = delete;
    Rig &operator=(const Rig &) = delete;

    tern_shard *shard() const
    {
        return shard_;
    }
    const tern_stats &stats() const
    {
        return *tern_shard_stats(shard_);
    }
    const Frames &frames() const
    {
        return frames_;
    }
    uint64_t n_half_open() const
    {
        return tern_shard_n_live(shard_) - stats().open_now - stats().opening_now;
    }
    uint64_t now_ns() const
    {
        return now_ns_;
    }
    uint32_t now_ms() const
    {
        return static_cast<uint32_t>(now_ns_ / kNsPerMs);
    }

    // Memory that came with the shard and what is in it.
    Resident shard_memory() const
    {
        const Resident now = resident();
        return {now.bytes - before_.bytes, now.huge_bytes - before_.huge_bytes};
    }

    // What the shard said before how much of it connections would take.
    uint64_t planned_bytes() const
    {
        return plan_.conns + plan_.flow;
    }

    // ---- the far end ----

    void put(const Segment &s)
    {
        rte_mbuf *m = n_in_ < kRing ? rte_pktmbuf_alloc(pool_) : nullptr;
        if (m == nullptr)
            throw Failure("the rig's ring or its packet buffers are exhausted");
        frames_.write(m, s);
        in_[n_in_++] = m;
    }

    uint32_t n_sent() const
    {
        return n_sent_;
    }
    Segment sent(uint32_t i) const
    {
        return frames_.read(sent_[i]);
    }
    void drop_sent()
    {
        rte_pktmbuf_free_bulk(sent_, n_sent_);
        n_sent_ = 0;
    }

    // ---- the shard ----

    // What the ring holds, in bursts, each poll as a worker does it.
    void poll(uint32_t burst)
    {
        const uint32_t n = n_in_;
        n_in_ = 0; // the shard's from here on
        for (uint32_t at = 0; at < n; at += burst)
            poll_once(in_ + at, std::min(burst, n - at));
    }

    // Calls into the shard that come from outside of a burst, then what they lead to is taken.
    template <typename Calls> void call(Calls calls)
    {
        const uint32_t first = n_sent_;
        const uint64_t start = rte_rdtsc();
        calls();
        tern_shard_settle(shard_);
        take();
        in_shard_.add(start, rte_rdtsc());
        count(sent_ + first, n_sent_ - first);
    }

    // Let time pass without a packet.
    void sleep(uint64_t ns)
    {
        now_ns_ += ns;
        const uint32_t first = n_sent_;
        const uint64_t start = rte_rdtsc();
        tern_shard_advance(shard_, now_ns_);
        in_advance_.add(start, rte_rdtsc());
        take();
        count(sent_ + first, n_sent_ - first);
    }

    // ---- samples ----

    void begin_sample()
    {
        in_shard_ = in_advance_ = {};
        packets_at_ = n_packets_;
        bytes_at_ = n_bytes_;
        start_cycles_ = rte_rdtsc();
    }

    // advance_counts: what timers do is part of the operation.
    Sample end_sample(uint64_t n_ops, bool advance_counts = false) const
    {
        const double all_ns = Tsc::ns(rte_rdtsc() - start_cycles_);
        Sample s;
        s.shard_ns = in_shard_.ns() + (advance_counts ? in_advance_.ns() : 0);
        s.advance_ns = in_advance_.ns();
        s.rig_ns = all_ns - in_shard_.ns() - in_advance_.ns();
        s.n_ops = n_ops;
        s.n_packets = n_packets_ - packets_at_;
        s.n_bytes = n_bytes_ - bytes_at_;
        return s;
    }

  private:
    void refuse_if_too_large(uint64_t packet_bytes) const
    {
        const uint64_t need = plan_.total + packet_bytes;
        const uint64_t spare = free_bytes() / 16; // page tables, the far end's own memory
        if (need > free_bytes() - spare)
            throw Skip(std::to_string(need / kMiB) + " MiB needed, "
                       + std::to_string((free_bytes() - spare) / kMiB) + " MiB to be had");
    }

    // Its pages are there before memory is measured or time is.
    static void touch(rte_mempool *, void *, void *obj, unsigned)
    {
        rte_mbuf *m = static_cast<rte_mbuf *>(obj);
        std::memset(m->buf_addr, 0, m->buf_len);
    }

    void poll_once(rte_mbuf **pkts, uint32_t n)
    {
        count(pkts, n);
        now_ns_ += n * kPacketNs;
        const uint32_t first = n_sent_;
        const uint64_t a = rte_rdtsc();
        tern_shard_rx(shard_, pkts, n, now_ns_);
        const uint64_t b = rte_rdtsc();
        tern_shard_advance(shard_, now_ns_);
        const uint64_t c = rte_rdtsc();
        take();
        const uint64_t d = rte_rdtsc();
        in_shard_.add(a, b);
        in_advance_.add(b, c);
        in_shard_.add(c, d);
        count(sent_ + first, n_sent_ - first);
    }

    void take()
    {
        if (n_sent_ > kSentMax)
            throw Failure("the shard sent more than the rig can hold");
        n_sent_ += tern_shard_take_tx(shard_, sent_ + n_sent_);
    }

    void count(rte_mbuf *const *pkts, uint32_t n)
    {
        n_packets_ += n;
        for (uint32_t i = 0; i < n; i++)
            n_bytes_ += pkts[i]->pkt_len;
    }

    Frames frames_;
    rte_mempool *pool_ = nullptr;
    tern_shard *shard_ = nullptr;
    tern_memory_plan plan_ = {};
    Resident before_ = {};
    uint64_t now_ns_ = kStartNs;

    rte_mbuf *in_[kRing];
    uint32_t n_in_ = 0;
    rte_mbuf *sent_[kSentMax + TERN_SHARD_TX_MAX];
    uint32_t n_sent_ = 0;

    Stopwatch in_shard_, in_advance_;
    uint64_t n_packets_ = 0, n_bytes_ = 0, packets_at_ = 0, bytes_at_ = 0, start_cycles_ = 0;
};

/**
 * One sample after the other from `sample()`, as many as the benchmark has iterations. A sample
 * that was disturbed is taken again, kTriesMax times at most: chosen by the clock, not by its
 * result.
 */
template <typename Take> void take_samples(benchmark::State &state, const Rig &rig, Take sample)
{
    constexpr int kTriesMax = 4;
    Samples samples;
    for (auto _ : state) {
        Sample s;
        double ghz = 0;
        bool disturbed = true;
        for (int i = 0; i < kTriesMax && disturbed; i++) {
            const double before = core_ghz();
            s = sample();
            ghz = std::min(before, core_ghz());
            disturbed = is_disturbed(ghz);
        }
        state.SetIterationTime(s.shard_ns / 1e9);
        samples.add(s, ghz, disturbed);
    }
    samples.report(state);
    const Resident memory = rig.shard_memory();
    state.counters["huge_share"] =
        static_cast<double>(memory.huge_bytes) / static_cast<double>(memory.bytes);
}

} // namespace bench
