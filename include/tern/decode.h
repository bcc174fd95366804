/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A captured frame in values, for whoever shows it to people: every header that is there, sound or
 * not, and what an endpoint of tern would say to it.
 *
 * The verdict is the receive path's own parser; the fields are read by a second, tolerant reader
 * that goes on where the parser refuses and that takes captures cut short. Where the parser accepts
 * a frame the two agree field by field (tests/fuzz/fuzz_decode.c).
 */
#include <tern/addr.h>
#include <tern/api.h>
#include <tern/drop.h>

#include <stdbool.h>
#include <stdint.h>

TERN_BEGIN_DECLS

enum {
    TERN_DECODED_TAGS_MAX = 4,  /**< 802.1Q tags that are listed; more are skipped */
    TERN_DECODED_EXTS_MAX = 8,  /**< IPv6 extension headers; behind them nothing is read */
    TERN_DECODED_OPTS_MAX = 40, /**< TCP options: as many as bytes */
    TERN_DECODED_VALUES_MAX = 8,
    TERN_DECODED_HW_BYTES_MAX = 8, /**< of a hardware address in a cooked capture */
};

/** How a frame begins. */
enum tern_link_type {
    TERN_LINK_ETHERNET,
    TERN_LINK_RAW,  /**< at the IP header */
    TERN_LINK_SLL,  /**< Linux "cooked": 16 bytes instead of the link's header */
    TERN_LINK_SLL2, /**< … 20 bytes */
    TERN_LINK_COUNT,
};

/** One captured frame. */
struct tern_decode_input {
    const uint8_t *frame; /**< [n_captured] */
    uint32_t n_captured;
    uint32_t n_wire; /**< >= n_captured: as long as it was when it was sent */
    enum tern_link_type link;
};

/** What stands on top of what. A layer is there when its whole fixed header was captured. */
enum tern_net_kind { TERN_NET_NONE, TERN_NET_IP4, TERN_NET_IP6, TERN_NET_ARP, TERN_NET_OTHER };
enum tern_transport_kind {
    TERN_TRANSPORT_NONE,
    TERN_TRANSPORT_TCP,
    TERN_TRANSPORT_ICMP4,
    TERN_TRANSPORT_ICMP6,
    TERN_TRANSPORT_OTHER,
};

enum tern_csum_verdict {
    TERN_CSUM_UNKNOWN, /**< not all that it covers was captured, or it is a fragment */
    TERN_CSUM_GOOD,
    TERN_CSUM_BAD,
    /** The pseudo-header's sum alone: the sender's kernel left the rest to its NIC, behind the
     * point of capture. */
    TERN_CSUM_UNFINISHED,
};

struct tern_decoded_csum {
    uint16_t seen;
    uint16_t right; /**< what it should be; BAD and UNFINISHED only */
    enum tern_csum_verdict verdict;
};

struct tern_decoded_tag {
    uint16_t tpid, tci;
};

struct tern_decoded_link {
    bool is_there;       /**< Ethernet or cooked header; false: raw IP, or cut */
    uint8_t dst[6];      /**< Ethernet only */
    uint8_t n_src_bytes; /**< 6 for Ethernet; a cooked header says, at most 8 */
    uint8_t src[TERN_DECODED_HW_BYTES_MAX];
    uint16_t cooked_kind;    /**< 0 to us, 1 broadcast, 2 multicast, 3 to another, 4 from us */
    uint16_t cooked_hw;      /**< ARPHRD_* */
    uint32_t cooked_ifindex; /**< SLL2 only */
    uint16_t ethertype;      /**< behind the tags; below 0x600 the length of an 802.3 frame */
    uint8_t n_tags;
    struct tern_decoded_tag tags[TERN_DECODED_TAGS_MAX];
};

struct tern_decoded_ext {
    uint8_t kind;   /**< next-header value that named it */
    uint32_t off;   /**< frame offset */
    uint32_t bytes; /**< its length */
};

struct tern_decoded_ip {
    uint8_t version; /**< as the header says, whatever the EtherType said */
    uint8_t tos;     /**< TOS or traffic class: DSCP and ECN */
    uint8_t hop_limit;
    uint8_t proto; /**< of what lies behind the extension headers */
    union tern_addr src, dst;
    uint32_t off;         /**< frame offset of the header */
    uint32_t hdr_bytes;   /**< IPv4: as its IHL says; IPv6: 40 */
    uint32_t total_bytes; /**< header and payload, as the header says */
    uint32_t end_off;     /**< where the packet ends in the frame, never beyond n_wire */
    bool is_fragment;
    bool more_fragments;
    uint32_t fragment_bytes; /**< offset of this fragment */
    uint32_t id;             /**< IPv4; IPv6: of its fragment header */
    /* IPv4 only: */
    uint8_t flags; /**< the three bits: 4 reserved, 2 DF, 1 MF */
    struct tern_decoded_csum csum;
    /* IPv6 only: */
    uint32_t flow_label;
    uint8_t n_exts;
    struct tern_decoded_ext exts[TERN_DECODED_EXTS_MAX];
};

struct tern_decoded_arp {
    uint16_t op;
    uint8_t sender_mac[6], target_mac[6];
    union tern_addr sender, target;
};

struct tern_decoded_icmp {
    uint8_t type, code;
    struct tern_decoded_csum csum;
    uint32_t bytes; /**< of the message */
    /* An error about a TCP segment, which it quotes in part: */
    bool has_quote;
    union tern_addr quote_src, quote_dst;
    uint16_t quote_sport, quote_dport;
    uint32_t quote_seq;
    uint32_t mtu_bytes; /**< "packet too big" only: of the next hop; 0: an old router's */
};

struct tern_decoded_opt {
    uint8_t kind;
    uint8_t n_bytes; /**< as it says; 1 for EOL and NOP */
    bool
        is_sound; /**< false: a length that cannot be, which ends the list, or one not its kind's */
    uint8_t n_values;
    uint32_t off;                             /**< frame offset */
    uint32_t values[TERN_DECODED_VALUES_MAX]; /**< MSS; shift; TSval, TSecr; edges of SACK blocks */
};

struct tern_decoded_tcp {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t doff_bytes; /**< header length */
    uint8_t reserved;   /**< four bits */
    uint8_t flags;      /**< control bits: CWR ECE URG ACK PSH RST SYN FIN from 0x80 down */
    uint16_t wnd, urg;
    struct tern_decoded_csum csum;
    uint8_t n_opts;
    uint32_t payload_off, payload_bytes; /**< as sent; not all of it need be captured */
    struct tern_decoded_opt opts[TERN_DECODED_OPTS_MAX];
};

struct tern_decoded {
    struct tern_decoded_link link;
    enum tern_net_kind net;
    enum tern_transport_kind transport;
    union {
        struct tern_decoded_ip ip;
        struct tern_decoded_arp arp;
    };
    union {
        struct tern_decoded_tcp tcp;
        struct tern_decoded_icmp icmp;
    };
    uint32_t padding_off, padding_bytes; /**< behind the packet's end, as captured */
    bool padding_is_zero;
    bool is_cut;         /**< fewer bytes captured than there were on the wire */
    bool drop_is_known;  /**< false: too little was captured to tell */
    enum tern_drop drop; /**< TERN_DROP_NONE: an endpoint it is addressed to takes it */
};

/**
 * Read one frame.
 *
 * The verdict is that of an endpoint which the frame is for: its MAC and VLAN are taken to be the
 * frame's own. What depends on its addresses and connections (windows, states) is no part of it.
 *
 * @param out  filled whole; layers that are not there are zero
 * Cost: O(n_captured). Source: RFC 9293 §3.1, RFC 791 §3.1, RFC 8200 §3, RFC 826, RFC 792.
 */
TERN_API void tern_decode(const struct tern_decode_input *in, struct tern_decoded *out);

TERN_END_DECLS
