// SPDX-License-Identifier: BSD-3-Clause
//
// tern_pkt_parse() of frames that are in the cache: what it costs to look at every length once. The
// options of a SYN are read, too, as the listener does; checksums are the device's or software's.
#include "per_op.h"

#include <array>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstring>

extern "C" {
#include "wire/build.h"
#include "wire/csum.h"
#include "wire/pkt.h"
}

namespace
{

constexpr uint32_t kBurst = 32;
constexpr uint32_t kFrameBytesMax = 256;
constexpr uint8_t kMac[6] = {2, 0, 0, 0, 0, 1}, kPeerMac[6] = {2, 0, 0, 0, 0, 2};
constexpr uint32_t kTcpCsumOffset = 16;

// MSS 1460, SACK permitted, timestamps, no-op, window scale 7: a Linux client's SYN.
constexpr uint8_t kSynOptions[20] = {
    2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
// No-op, no-op, timestamps: every other segment of such a connection.
constexpr uint8_t kAckOptions[12] = {1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 1};

enum Kind { kBareAck, kAckWithTimestamps, kLinuxSyn };

struct Frame {
    alignas(64) uint8_t bytes[kFrameBytesMax];
    uint32_t n_bytes;
};

tern_addr address(const char *text)
{
    tern_addr a = {};
    if (tern_addr_parse(text, &a) != 0)
        std::abort();
    return a;
}

uint32_t write_tcp(uint8_t *at, Kind kind, uint16_t sport)
{
    const uint8_t *options = kind == kLinuxSyn ? kSynOptions : kAckOptions;
    const uint8_t n_options = kind == kBareAck    ? 0
                              : kind == kLinuxSyn ? sizeof kSynOptions
                                                  : sizeof kAckOptions;
    tern_tcp_fields f = {};
    f.sport = sport;
    f.dport = 80;
    f.doff_bytes = static_cast<uint8_t>(TERN_TCP_BYTES + n_options);
    f.flags = kind == kLinuxSyn ? TERN_TCP_SYN : TERN_TCP_ACK;
    f.wnd = 65535;
    tern_build_tcp(at, &f);
    std::memcpy(at + TERN_TCP_BYTES, options, n_options);
    return f.doff_bytes;
}

void set_tcp_checksum(uint8_t *tcp, uint32_t n_bytes, uint64_t pseudo)
{
    const auto csum = static_cast<uint16_t>(~tern_csum_fold(tern_csum_add(pseudo, tcp, n_bytes)));
    std::memcpy(tcp + kTcpCsumOffset, &csum, sizeof csum);
}

void write_frame(Frame &f, Kind kind, bool v6, uint16_t sport)
{
    const tern_addr src = address(v6 ? "2001:2::2" : "198.18.0.2");
    const tern_addr dst = address(v6 ? "2001:2::1" : "198.18.0.1");
    uint8_t *ip =
        f.bytes
        + tern_build_eth(f.bytes, kMac, kPeerMac, 0, v6 ? TERN_ETHERTYPE_IP6 : TERN_ETHERTYPE_IP4);
    uint8_t *tcp = ip + (v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES);
    tern_ip_fields fields = {};
    fields.src = &src;
    fields.dst = &dst;
    fields.l4_bytes = write_tcp(tcp, kind, sport);
    fields.df = true;
    fields.ttl = 64;
    fields.proto = TERN_IPPROTO_TCP;
    if (v6)
        tern_build_ip6(ip, &fields);
    else
        tern_build_ip4(ip, &fields, true);
    set_tcp_checksum(tcp, fields.l4_bytes,
        v6 ? tern_csum_pseudo6(ip + 8, ip + 24, TERN_IPPROTO_TCP, fields.l4_bytes)
           : tern_csum_pseudo4(ip + 12, ip + 16, TERN_IPPROTO_TCP, fields.l4_bytes));
    f.n_bytes = static_cast<uint32_t>(tcp - f.bytes) + fields.l4_bytes;
}

uint32_t parse_burst(const std::array<Frame, kBurst> &frames, bool software, bool with_options)
{
    uint32_t n_good = 0;
    for (const Frame &f : frames) {
        tern_pkt_input in = {};
        in.frame = f.bytes;
        in.n_contiguous = in.n_total = f.n_bytes;
        in.rx_flags = software ? 0 : TERN_RX_IP_CSUM_GOOD | TERN_RX_L4_CSUM_GOOD;
        in.mac = kMac;
        tern_pkt p;
        n_good += tern_pkt_parse(&in, &p) == TERN_DROP_NONE;
        if (with_options) {
            tern_tcp_opts opts;
            tern_pkt_tcp_opts(f.bytes, &p, &opts);
            benchmark::DoNotOptimize(opts);
        }
        benchmark::DoNotOptimize(p);
    }
    return n_good;
}

void parse(benchmark::State &state, Kind kind, bool v6, bool software)
{
    static std::array<Frame, kBurst> frames;
    for (uint32_t i = 0; i < kBurst; i++)
        write_frame(frames[i], kind, v6, static_cast<uint16_t>(1024 + i));
    for (auto _ : state)
        if (parse_burst(frames, software, kind == kLinuxSyn) != kBurst) {
            state.SkipWithError("a good frame was refused");
            break;
        }
    bench::report_ops(state, state.iterations() * kBurst);
}

} // namespace

int main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RegisterBenchmark("parse/ack", parse, kBareAck, false, false);
    benchmark::RegisterBenchmark("parse/ack/ipv6:1", parse, kBareAck, true, false);
    benchmark::RegisterBenchmark("parse/ack/software:1", parse, kBareAck, false, true);
    benchmark::RegisterBenchmark("parse/ack/linux:1", parse, kAckWithTimestamps, false, false);
    benchmark::RegisterBenchmark("parse/syn/linux:1", parse, kLinuxSyn, false, false);
    benchmark::RunSpecifiedBenchmarks();
}
