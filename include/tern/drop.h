/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The ledger of discarded packets. Every packet that tern receives and does not act upon is counted
 * under exactly one of these reasons; the list is the list of what can go wrong.
 *
 * X(NAME, "json-name", "what it means")
 */
// clang-format off
#define TERN_DROP_LIST(X) \
    X(NONE,                "none",                "not a drop: the packet is good") \
    /* link */ \
    X(ETH_RUNT,            "eth_runt",            "frame shorter than its Ethernet (or VLAN) header") \
    X(ETH_TYPE,            "eth_type",            "EtherType is none of IPv4, IPv6, ARP; or an 802.3 length") \
    X(ETH_NOT_MINE,        "eth_not_mine",        "destination MAC is another station's") \
    X(ETH_SRC_GROUP,       "eth_src_group",       "source MAC is multicast or broadcast") \
    X(VLAN_MISMATCH,       "vlan_mismatch",       "802.1Q tag absent, unexpected, of another VLAN, or stacked") \
    /* IP */ \
    X(IP_SHORT,            "ip_short",            "fewer bytes than the IP header needs") \
    X(IP_VERSION,          "ip_version",          "IP version does not match the EtherType") \
    X(IP_HDR_LEN,          "ip_hdr_len",          "IPv4 header length below 20 or beyond the packet") \
    X(IP_LEN,              "ip_len",              "IP length smaller than its header or larger than the frame") \
    X(IP_CSUM,             "ip_csum",             "IPv4 header checksum is wrong") \
    X(IP_FRAGMENT,         "ip_fragment",         "fragment (not reassembled)") \
    X(IP_OPTION,           "ip_option",           "IPv4 source route, or malformed IPv4 options (RFC 7126)") \
    X(IP6_EXT,             "ip6_ext",             "IPv6 extension header malformed, too many, or refused") \
    X(IP_SRC,              "ip_src",              "source address is unspecified, loopback, multicast, broadcast or reserved") \
    X(IP_SRC_MINE,         "ip_src_mine",         "source address is our own (LAND)") \
    X(IP_DST,              "ip_dst",              "destination address is multicast, broadcast or invalid for TCP") \
    X(IP_DST_NOT_MINE,     "ip_dst_not_mine",     "destination address is not ours") \
    X(IP_PROTO,            "ip_proto",            "IP protocol is none of TCP, ICMP, ICMPv6") \
    /* ICMP, ARP, NDP */ \
    X(ICMP_SHORT,          "icmp_short",          "ICMP message shorter than its type needs") \
    X(ICMP_CSUM,           "icmp_csum",           "ICMP checksum is wrong") \
    X(ICMP_TYPE,           "icmp_type",           "ICMP type or code that is ignored by rule") \
    X(ICMP_RATE,           "icmp_rate",           "ICMP echo above the answer rate") \
    X(ICMP_QUOTE,          "icmp_quote",          "ICMP error whose quoted segment is malformed or not ours (RFC 5927)") \
    X(ICMP_STALE,          "icmp_stale",          "ICMP error whose quoted sequence is not in flight (RFC 5927 §4.1)") \
    X(ICMP_DONE,           "icmp_done",           "ICMP message acted upon") \
    X(ARP_BAD,             "arp_bad",             "ARP message malformed or with impossible addresses") \
    X(ARP_NOT_MINE,        "arp_not_mine",        "ARP message about somebody else") \
    X(ARP_DONE,            "arp_done",            "ARP message acted upon") \
    X(NDP_BAD,             "ndp_bad",             "NDP message malformed, off-link or with impossible addresses (RFC 4861 §7.1)") \
    X(NDP_NOT_MINE,        "ndp_not_mine",        "NDP message about somebody else, or a kind that is ignored") \
    X(NDP_DONE,            "ndp_done",            "NDP message acted upon") \
    X(NEIGH_QUEUE_FULL,    "neigh_queue_full",    "packet for an unresolved neighbour, its pending queue full") \
    X(NEIGH_FAILED,        "neigh_failed",        "packet for a neighbour that did not answer") \
    X(NEIGH_TABLE_FULL,    "neigh_table_full",    "packet for a new neighbour, the table full") \
    X(NO_ROUTE,            "no_route",            "packet for an address that is not on link, without a gateway") \
    /* TCP header */ \
    X(TCP_SHORT,           "tcp_short",           "fewer bytes than the TCP header needs") \
    X(TCP_HDR_LEN,         "tcp_hdr_len",         "data offset below 5 or beyond the segment") \
    X(TCP_CSUM,            "tcp_csum",            "TCP checksum is wrong") \
    X(TCP_PORT_ZERO,       "tcp_port_zero",       "source or destination port 0") \
    X(TCP_FLAGS,           "tcp_flags",           "nonsense control bits (SYN with FIN or RST; none of SYN, ACK, RST where one is owed)") \
    /* TCP segment arrival */ \
    X(TCP_CLOSED_PORT,     "tcp_closed_port",     "no connection and no listener; answered with RST") \
    X(TCP_RST_NO_CONN,     "tcp_rst_no_conn",     "RST for no connection; never answered") \
    X(TCP_RST_RATE,        "tcp_rst_rate",        "segment for a closed port above the RST rate; not answered") \
    X(TCP_LISTEN_RST,      "tcp_listen_rst",      "RST to a listener") \
    X(TCP_LISTEN_ACK,      "tcp_listen_ack",      "ACK to a listener that is no cookie of ours; answered with RST") \
    X(TCP_COOKIE_EARLY,    "tcp_cookie_early",    "payload to a listener under SYN cookies that carries no cookie; its sender will retransmit the one that does") \
    X(TCP_SYNSENT_ACK,     "tcp_synsent_ack",     "SYN-SENT: ACK of something never sent") \
    X(TCP_SYNSENT_NO_SYN,  "tcp_synsent_no_syn",  "SYN-SENT: neither SYN nor RST") \
    X(TCP_OUT_OF_WINDOW,   "tcp_out_of_window",   "segment outside the receive window; answered with ACK") \
    X(TCP_PAWS,            "tcp_paws",            "timestamp older than the last one (RFC 7323 §5)") \
    X(TCP_TS_MISSING,      "tcp_ts_missing",      "no timestamp on a connection that negotiated them (RFC 7323 §3.2)") \
    X(TCP_RST_WINDOW,      "tcp_rst_window",      "RST outside the window (RFC 5961 §3.2)") \
    X(TCP_CHALLENGE,       "tcp_challenge",       "in-window RST or any SYN on a live connection; challenge ACK (RFC 5961)") \
    X(TCP_CHALLENGE_RATE,  "tcp_challenge_rate",  "the same above the challenge rate; not answered") \
    X(TCP_NO_ACK,          "tcp_no_ack",          "segment without ACK in a synchronized state") \
    X(TCP_ACK_RANGE,       "tcp_ack_range",       "ACK outside SND.UNA-MAX.SND.WND..SND.NXT (RFC 5961 §5.2)") \
    X(TCP_HALF_ACK,        "tcp_half_ack",        "SYN-RECEIVED: ACK is not ISS+1; answered with RST") \
    X(TCP_DUPLICATE,       "tcp_duplicate",       "nothing new: pure duplicate data") \
    X(TCP_AFTER_FIN,       "tcp_after_fin",       "data beyond the peer's FIN") \
    X(TCP_AFTER_CLOSE,     "tcp_after_close",     "data after the application closed; answered with RST") \
    X(TCP_REASM_FULL,      "tcp_reasm_full",      "out-of-order data beyond the reassembly bound") \
    X(TCP_TIME_WAIT,       "tcp_time_wait",       "segment for a connection in TIME-WAIT") \
    X(TCP_DONE,            "tcp_done",            "segment consumed without payload (ACK, FIN, RST, SYN acted upon)") \
    X(TCP_REFUSED,         "tcp_refused",         "new connection refused: limit reached or listener closed") \
    X(TCP_TABLE_FULL,      "tcp_table_full",      "new connection refused: flow table full") \
    /* resources */ \
    X(NO_MBUF,             "no_mbuf",             "packet not sent: mbuf pool empty") \
    X(TX_FULL,             "tx_full",             "packet not sent: device queue full") \
    X(STEER_FULL,          "steer_full",          "segment for another worker, its ring full") \
    X(LINEARISE,           "linearise",           "headers spread over several buffers and no room to join them") \
    /* asked for */ \
    X(IMPAIR_LOSS,         "impair_loss",         "lost on purpose: impairment's loss") \
    X(IMPAIR_QUEUE,        "impair_queue",        "lost on purpose: impairment's rate, its queue full") \
    X(IMPAIR_FULL,         "impair_full",         "more to hold back than impairment may hold") \
    /* the end */ \
    X(STOPPING,            "stopping",            "packet held when the shard stopped")
// clang-format on

#define TERN_DROP_ENUM(name, json, text) TERN_DROP_##name,
enum tern_drop { TERN_DROP_LIST(TERN_DROP_ENUM) TERN_DROP_COUNT };
#undef TERN_DROP_ENUM
