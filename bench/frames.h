// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// The far end of the wire: frames of many stations behind one router, written from a template, and
// what the shard's frames say. Nothing here is TCP: the benchmarks say which segment comes next.
//
//   shard 198.18.0.1, 2001:2::1  ──  router 198.18.0.2, 2001:2::2  ──  198.19.0.0/16,
//   2001:2:0:1::/64
#include "host.h"

#include <cstdint>
#include <cstring>
#include <string>

extern "C" {
#include "wire/bytes.h"
#include "wire/tcp_hdr.h"
}

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

namespace bench
{

constexpr uint8_t kShardMac[TERN_MAC_BYTES] = {0x02, 0, 0, 0, 0, 1};
constexpr uint8_t kRouterMac[TERN_MAC_BYTES] = {0x02, 0, 0, 0, 0, 2};
constexpr char kShardPrefix4[] = "198.18.0.1/24", kRouter4[] = "198.18.0.2";
constexpr char kShardPrefix6[] = "2001:2::1/64", kRouter6[] = "2001:2::2";
constexpr uint32_t kFarNet4 = RTE_IPV4(198, 19, 0, 0);
constexpr uint8_t kFarNet6[] = {0x20, 0x01, 0, 2, 0, 0, 0, 1};
constexpr uint16_t kServerPort = 80;

// Options of the far end's segments.
enum Options {
    kNoOptions,
    kLinux,  // SYN: mss, sackOK, TS, nop, wscale; later nop, nop, TS
    kScaled, // SYN: mss, nop, nop, sackOK, nop, wscale; later none
};

// A far station's end and ours.
struct Flow {
    uint32_t far_host; // 0.. within the far net
    uint16_t far_port, near_port;
};

// Client number id, 0..kClients - 1, of our server.
constexpr uint32_t kPortsPerHost = 60000, kFirstPort = 1024, kHosts = 65000;
constexpr uint32_t kClients = kHosts * kPortsPerHost;
inline Flow client(uint32_t id)
{
    return {1 + id / kPortsPerHost, static_cast<uint16_t>(kFirstPort + id % kPortsPerHost),
        kServerPort};
}
inline uint32_t client_id(const Flow &f)
{
    return (f.far_host - 1) * kPortsPerHost + f.far_port - kFirstPort;
}

// One segment, either way.
struct Segment {
    Flow flow;
    uint32_t seq, ack;
    uint8_t flags;
    uint32_t ts_val, ts_ecr;
    uint32_t n_payload;
    const void *payload; // written by the far end; nullptr: whatever the buffer holds
};

// Writes and reads frames of one family.
class Frames
{
  public:
    // software: no checksum was verified by the device, so there has to be a right one.
    Frames(bool v6, bool software, Options options, uint16_t mss)
        : v6_(v6), software_(software), options_(options),
          ip_bytes_(v6 ? TERN_IP6_BYTES : TERN_IP4_BYTES)
    {
        std::memcpy(template_, kShardMac, TERN_MAC_BYTES);
        std::memcpy(template_ + TERN_MAC_BYTES, kRouterMac, TERN_MAC_BYTES);
        tern_store16(template_ + 2 * TERN_MAC_BYTES, v6 ? TERN_ETHERTYPE_IP6 : TERN_ETHERTYPE_IP4);
        if (v6)
            make_ip6(template_ + TERN_ETH_BYTES);
        else
            make_ip4(template_ + TERN_ETH_BYTES);
        tern_store16(template_ + tcp_off() + TERN_TCP_OFF_WND, UINT16_MAX);
        make_options(mss);
    }

    // Make `m`, freshly allocated, the frame of `s`.
    void write(rte_mbuf *m, const Segment &s) const
    {
        const bool syn = s.flags & TERN_TCP_SYN;
        const uint8_t *opt = syn ? syn_opt_ : opt_;
        const uint32_t n_opt = syn ? n_syn_opt_ : n_opt_;
        const uint32_t n_tcp = TERN_TCP_BYTES + n_opt;
        const uint32_t n = tcp_off() + n_tcp + s.n_payload;
        uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
        std::memcpy(frame, template_, tcp_off() + TERN_TCP_BYTES);
        uint8_t *tcp = frame + tcp_off();
        std::memcpy(tcp + TERN_TCP_BYTES, opt, n_opt);
        if (s.payload != nullptr)
            std::memcpy(tcp + n_tcp, s.payload, s.n_payload);
        if (options_ == kLinux) {
            tern_store32(tcp + TERN_TCP_BYTES + ts_at(syn), s.ts_val);
            tern_store32(tcp + TERN_TCP_BYTES + ts_at(syn) + 4, s.ts_ecr);
        }
        tern_store16(tcp + TERN_TCP_OFF_SPORT, s.flow.far_port);
        tern_store16(tcp + TERN_TCP_OFF_DPORT, s.flow.near_port);
        tern_store32(tcp + TERN_TCP_OFF_SEQ, s.seq);
        tern_store32(tcp + TERN_TCP_OFF_ACK, s.ack);
        tcp[TERN_TCP_OFF_DOFF] = static_cast<uint8_t>(n_tcp << 2);
        tcp[TERN_TCP_OFF_FLAGS] = s.flags;
        address(frame + TERN_ETH_BYTES, s.flow.far_host, n_tcp + s.n_payload);
        m->data_len = static_cast<uint16_t>(n);
        m->pkt_len = n;
        if (software_)
            checksum(frame + TERN_ETH_BYTES, tcp);
        else
            verified(m);
    }

    // What a frame of the shard says. Fails on anything but a TCP segment to the far net.
    Segment read(const rte_mbuf *m) const
    {
        const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
        const uint8_t *tcp = frame + tcp_off();
        const uint32_t doff = (tcp[TERN_TCP_OFF_DOFF] >> 4) * 4u;
        if (std::memcmp(frame, kRouterMac, TERN_MAC_BYTES) != 0 || m->data_len < tcp_off() + doff)
            throw Failure("the shard sent a frame that is no segment to the router");
        Segment s = {};
        s.flow = {far_host_of(frame + TERN_ETH_BYTES), tern_load16(tcp + TERN_TCP_OFF_DPORT),
            tern_load16(tcp + TERN_TCP_OFF_SPORT)};
        s.seq = tern_load32(tcp + TERN_TCP_OFF_SEQ);
        s.ack = tern_load32(tcp + TERN_TCP_OFF_ACK);
        s.flags = tcp[TERN_TCP_OFF_FLAGS];
        s.n_payload = m->pkt_len - tcp_off() - doff;
        if (options_ == kLinux && doff > TERN_TCP_BYTES)
            s.ts_val = tern_load32(tcp + TERN_TCP_BYTES + ts_at(s.flags & TERN_TCP_SYN));
        if (software_ && !checksum_is_right(m, frame + TERN_ETH_BYTES, tcp))
            throw Failure("the shard sent a segment with a wrong checksum");
        return s;
    }

  private:
    static constexpr uint8_t kWscale = 7;

    uint32_t tcp_off() const
    {
        return TERN_ETH_BYTES + ip_bytes_;
    }

    static void make_ip4(uint8_t *at)
    {
        rte_ipv4_hdr h = {};
        h.version_ihl = RTE_IPV4_VHL_DEF;
        h.time_to_live = 64;
        h.next_proto_id = TERN_IPPROTO_TCP;
        h.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
        h.dst_addr = rte_cpu_to_be_32(RTE_IPV4(198, 18, 0, 1));
        std::memcpy(at, &h, sizeof h);
    }

    static void make_ip6(uint8_t *at)
    {
        rte_ipv6_hdr h = {};
        tern_prefix own;
        if (tern_prefix_parse(kShardPrefix6, &own) != 0)
            throw Failure("our own IPv6 address");
        h.vtc_flow = rte_cpu_to_be_32(6u << 28);
        h.hop_limits = 64;
        h.proto = TERN_IPPROTO_TCP;
        std::memcpy(h.src_addr, kFarNet6, sizeof kFarNet6);
        std::memcpy(h.dst_addr, own.addr.b, sizeof own.addr.b);
        std::memcpy(at, &h, sizeof h);
    }

    void make_options(uint16_t mss)
    {
        const uint8_t hi = static_cast<uint8_t>(mss >> 8), lo = static_cast<uint8_t>(mss);
        const uint8_t linux_syn[] = {
            2, 4, hi, lo, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, kWscale};
        const uint8_t scaled_syn[] = {2, 4, hi, lo, 1, 1, 4, 2, 1, 3, 3, kWscale};
        const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
        if (options_ == kLinux) {
            std::memcpy(syn_opt_, linux_syn, n_syn_opt_ = sizeof linux_syn);
            std::memcpy(opt_, ts, n_opt_ = sizeof ts);
        } else if (options_ == kScaled) {
            std::memcpy(syn_opt_, scaled_syn, n_syn_opt_ = sizeof scaled_syn);
        }
    }

    // Where TSval lies: behind mss, sackOK and two bytes in a SYN, and so it does in the shard's
    // SYN-ACK; behind nop, nop and two bytes elsewhere.
    static uint32_t ts_at(bool syn)
    {
        return syn ? 8 : 4;
    }

    void address(uint8_t *ip, uint32_t far_host, uint32_t l4_bytes) const
    {
        if (v6_) {
            tern_store16(ip + 4, static_cast<uint16_t>(l4_bytes));
            tern_store32(ip + 8 + 12, far_host);
        } else {
            tern_store16(ip + 2, static_cast<uint16_t>(TERN_IP4_BYTES + l4_bytes));
            tern_store32(ip + 12, kFarNet4 + far_host);
        }
    }

    uint32_t far_host_of(const uint8_t *ip) const
    {
        return v6_ ? tern_load32(ip + 24 + 12) : tern_load32(ip + 16) - kFarNet4;
    }

    void checksum(uint8_t *ip, uint8_t *tcp) const
    {
        uint16_t sum;
        if (v6_) {
            sum = rte_ipv6_udptcp_cksum(reinterpret_cast<rte_ipv6_hdr *>(ip), tcp);
        } else {
            auto *h = reinterpret_cast<rte_ipv4_hdr *>(ip);
            h->hdr_checksum = rte_ipv4_cksum(h);
            sum = rte_ipv4_udptcp_cksum(h, tcp);
        }
        std::memcpy(tcp + TERN_TCP_OFF_CSUM, &sum, sizeof sum);
    }

    static bool checksum_is_right(const rte_mbuf *m, const uint8_t *ip, const uint8_t *tcp)
    {
        const auto off = static_cast<uint32_t>(tcp - rte_pktmbuf_mtod(m, const uint8_t *));
        uint16_t segment;
        if (rte_raw_cksum_mbuf(m, off, m->pkt_len - off, &segment) != 0)
            return false;
        const uint16_t pseudo =
            ip[0] >> 4 == 6 ? rte_ipv6_phdr_cksum(reinterpret_cast<const rte_ipv6_hdr *>(ip), 0)
                            : rte_ipv4_phdr_cksum(reinterpret_cast<const rte_ipv4_hdr *>(ip), 0);
        return __rte_raw_cksum_reduce(uint32_t{segment} + pseudo) == UINT16_MAX;
    }

    // What a NIC with offloads says of a good TCP segment.
    void verified(rte_mbuf *m) const
    {
        m->packet_type =
            RTE_PTYPE_L2_ETHER | RTE_PTYPE_L4_TCP | (v6_ ? RTE_PTYPE_L3_IPV6 : RTE_PTYPE_L3_IPV4);
        m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | (v6_ ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD);
    }

    bool v6_, software_;
    Options options_;
    uint32_t ip_bytes_;
    uint8_t template_[TERN_HDR_BYTES_MAX] = {};
    uint8_t syn_opt_[TERN_TCP_OPT_BYTES_MAX] = {}, opt_[TERN_TCP_OPT_BYTES_MAX] = {};
    uint32_t n_syn_opt_ = 0, n_opt_ = 0;
};

} // namespace bench
