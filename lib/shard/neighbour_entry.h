/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What neighbour_rx.c and neighbour_own.c may ask of neighbour.c, and they of each other. */
#include "neighbour.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline struct tern_neighbour *tern_neigh_at(const struct tern_neigh_table *t, uint16_t idx)
{
    return &t->entries[idx];
}

/** Is a link address known? */
static inline bool tern_neigh_has_mac(const struct tern_neighbour *e)
{
    return e->state >= TERN_NEIGH_REACHABLE;
}

/** Time never runs backwards, whatever a caller says. */
static inline void tern_neigh_heed_time(struct tern_neigh_table *t, uint64_t now_ns)
{
    if (now_ns > t->now_ns)
        t->now_ns = now_ns;
}

/** May this be the link address of another station: neither a group, nor zero, nor ours (V178)? */
static inline bool tern_neigh_is_station(const struct tern_neigh_table *t, const uint8_t mac[6])
{
    static const uint8_t zero[TERN_MAC_BYTES] = {0};
    return !(mac[0] & 1) && memcmp(mac, zero, sizeof zero) != 0
           && memcmp(mac, t->mac, sizeof t->mac) != 0;
}

/** Move an entry to a state, with the timer and freshness that go with it. */
void tern_neigh_enter(struct tern_neigh_table *t, uint16_t idx, enum tern_neigh_state next);

/** Set the link address, move to REACHABLE or STALE, and send what waited for it. */
void tern_neigh_accept(
    struct tern_neigh_table *t, uint16_t idx, const uint8_t mac[6], enum tern_neigh_state next);

/** Go to INCOMPLETE or PROBE and ask the first question. */
void tern_neigh_start_asking(
    struct tern_neigh_table *t, uint16_t idx, enum tern_neigh_state incomplete_or_probe);

/** Send one message; our MAC is filled in. Parameters as tern_neigh_msg_build(). @return sent? */
bool tern_neigh_emit(struct tern_neigh_table *t, const struct tern_neigh_msg *msg,
    const uint8_t *dst_mac, const union tern_addr *dst);

/** Set up where start-up begins. */
void tern_neigh_own_init(struct tern_neigh_table *t, bool dad, uint64_t now_ns);

/** Take start-up as far as the time allows. */
void tern_neigh_own_advance(struct tern_neigh_table *t);

/**
 * Does a message from another station claim an address of ours, or probe for one that we probe for?
 * Then it is counted, remembered or answered with a defence, as the phase and `replica` ask.
 */
bool tern_neigh_own_is_claimed(
    struct tern_neigh_table *t, const struct tern_neigh_msg *msg, bool replica);
