/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Address resolution messages: ARP (RFC 826, RFC 5227) and the two of NDP that an endpoint with
 * configured addresses needs, Neighbour Solicitation and Advertisement (RFC 4861 §4.3, §4.4). Both
 * become one value, so that the neighbour table knows one protocol.
 */
#include <tern/addr.h>
#include <tern/drop.h>

#include "pkt.h"

#include <stdbool.h>
#include <stdint.h>

/** "Who has `target`?" or "`target` is at `mac`". */
struct tern_neigh_msg {
    union tern_addr sender; /**< who speaks; unspecified in a duplicate address probe */
    union tern_addr target; /**< whose link address it is about */
    uint8_t mac[6];         /**< sender's (question) or target's (answer) link address */
    bool has_mac;           /**< an NDP question may lack it; an answer never does */
    bool is_answer;
    bool solicited; /**< NA: in reply to our question (ARP replies count as solicited) */
    bool override;  /**< NA: replace a cached address (ARP replies: true) */
};

enum {
    TERN_ARP_BYTES = 28,
    TERN_NDP_BYTES = 32, /* NS or NA with one link address option */
    TERN_NEIGH_FRAME_MAX = TERN_ETH_BYTES + TERN_VLAN_BYTES + TERN_IP6_BYTES + TERN_NDP_BYTES,
};

/**
 * Read an ARP message. Drops (TERN_DROP_ARP_BAD) anything but Ethernet/IPv4 request or reply, a
 * group MAC as sender, a sender MAC that differs from the frame's source, and sender addresses
 * that are loopback, multicast, broadcast or reserved. A reply never has an unspecified sender.
 */
enum tern_drop tern_arp_parse(
    const uint8_t *frame, const struct tern_pkt *p, struct tern_neigh_msg *out);

/**
 * Read an NS or NA out of an ICMPv6 packet whose checksum holds. Drops with TERN_DROP_NDP_BAD what
 * RFC 4861 §7.1.1 and §7.1.2 tell to discard (hop limit not 255, code not 0, too short, option of
 * length 0, multicast target, …), and with TERN_DROP_NDP_NOT_MINE other ICMPv6 types 133..137. An
 * NA without a link address (it may answer a unicast question so, and Linux does) is given the MAC
 * of its frame and `override` false: it confirms a neighbour, it does not move one.
 */
enum tern_drop tern_ndp_parse(
    const uint8_t *frame, const struct tern_pkt *p, struct tern_neigh_msg *out);

/**
 * Write a whole frame that carries `msg`: Ethernet, tag, and ARP or IPv6 + NDP with checksum and
 * hop limit 255. `msg->mac` is ours and is the Ethernet source.
 *
 * @param at        [TERN_NEIGH_FRAME_MAX]
 * @param dst_mac   where it goes, or NULL: broadcast (ARP) or the target's solicited-node group
 *                  (NDP question), all-nodes (NDP answer)
 * @param dst       whom it tells: the IPv6 destination for NDP, or NULL: solicited-node group or
 *                  all-nodes; for an ARP answer the asker's address, or NULL: an announcement
 * @return          bytes written
 */
uint32_t tern_neigh_msg_build(uint8_t *at, const struct tern_neigh_msg *msg, const uint8_t *dst_mac,
    const union tern_addr *dst, uint16_t vlan);
