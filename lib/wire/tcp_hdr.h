/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The fixed part of a TCP header (RFC 9293 §3.1) and its control bits. */
#include <stdint.h>

enum {
    TERN_TCP_FIN = 0x01,
    TERN_TCP_SYN = 0x02,
    TERN_TCP_RST = 0x04,
    TERN_TCP_PSH = 0x08,
    TERN_TCP_ACK = 0x10,
    TERN_TCP_URG = 0x20,
    TERN_TCP_ECE = 0x40,
    TERN_TCP_CWR = 0x80,
};

/** Lengths of headers in bytes, and where their fields lie. */
enum {
    TERN_ETH_BYTES = 14,
    TERN_VLAN_BYTES = 4,
    TERN_IP4_BYTES = 20,
    TERN_IP6_BYTES = 40,
    TERN_TCP_BYTES = 20,
    TERN_TCP_OPT_BYTES_MAX = 40,
    TERN_TCP_HDR_BYTES_MAX = TERN_TCP_BYTES + TERN_TCP_OPT_BYTES_MAX,
    /** Ethernet + one tag + IPv6 + largest TCP header: room every packet of ours needs in front. */
    TERN_HDR_BYTES_MAX = TERN_ETH_BYTES + TERN_VLAN_BYTES + TERN_IP6_BYTES + TERN_TCP_HDR_BYTES_MAX,
};

enum {
    TERN_TCP_OFF_SPORT = 0,
    TERN_TCP_OFF_DPORT = 2,
    TERN_TCP_OFF_SEQ = 4,
    TERN_TCP_OFF_ACK = 8,
    TERN_TCP_OFF_DOFF = 12,
    TERN_TCP_OFF_FLAGS = 13,
    TERN_TCP_OFF_WND = 14,
    TERN_TCP_OFF_CSUM = 16,
    TERN_TCP_OFF_URG = 18,
};

enum { TERN_IP4_OFF_CSUM = 10 };

enum {
    TERN_ETHERTYPE_IP4 = 0x0800,
    TERN_ETHERTYPE_ARP = 0x0806,
    TERN_ETHERTYPE_VLAN = 0x8100,
    TERN_ETHERTYPE_QINQ = 0x88a8,
    TERN_ETHERTYPE_IP6 = 0x86dd,
};

enum {
    TERN_IPPROTO_ICMP = 1,
    TERN_IPPROTO_TCP = 6,
    TERN_IPPROTO_ICMP6 = 58,
};
