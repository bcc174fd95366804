/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A frame of the attacker's, whole and with good checksums: what floods are made of. */
#include <tern/addr.h>
#include <tern/config.h>

#include <stdbool.h>
#include <stdint.h>

enum { SHOT_BYTES_MAX = 256 };

struct shot {
    uint32_t n_bytes;
    uint8_t bytes[SHOT_BYTES_MAX];
};

/** From whom to whom. */
struct shot_route {
    union tern_addr src, dst;
    uint8_t src_mac[TERN_MAC_BYTES], dst_mac[TERN_MAC_BYTES];
    uint16_t sport, dport;
    bool has_ts; /* TCP segments carry a timestamp option … */
    uint32_t ts_val;
};

/** @param n_payload  bytes of zero behind the header */
void shot_tcp(struct shot *s, const struct shot_route *r, uint8_t flags, uint32_t seq, uint32_t ack,
    uint32_t n_payload);
void shot_echo(struct shot *s, const struct shot_route *r, uint32_t n_payload);
/** A first fragment of a SYN of which the rest never comes. */
void shot_fragment(struct shot *s, const struct shot_route *r, uint32_t id);
/** Who has r->dst? tell r->src: ARP or a Neighbour Solicitation. */
void shot_who_has(struct shot *s, const struct shot_route *r);
/** r->src is at r->src_mac: an ARP reply or a Neighbour Advertisement that nobody asked for. */
void shot_is_at(struct shot *s, const struct shot_route *r);
