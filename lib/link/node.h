/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For who writes nodes of a link, and who puts them in a chain. A node that changes a packet does
 * so in a copy of its own, on its stack: what entered is the caller's, and a twin keeps its bytes.
 */
#include "link.h"
#include "packet.h"

/** A packet on its way through the chain. */
struct tern_link_frame {
    uint64_t at_ns;
    tern_link_chain next; /* nodes that are still to come */
    bool forged;
    uint32_t n;
    const uint8_t *bytes;
    struct tern_packet_view v; /* all zero for what is no packet */
};

/** On to the next node. */
static inline void tern_link_pass(struct tern_link *l, struct tern_link_frame *f)
{
    (*f->next++)(l, f);
}

/** Count what was done, and tell who wants to know. */
void tern_link_did(struct tern_link *l, enum tern_link_fault what);

/** The bytes, to be changed. @param room  [TERN_PACKET_BYTES_MAX], lives until the node returns */
uint8_t *tern_link_change(struct tern_link_frame *f, uint8_t *room);

/** An ACK and nothing else. */
bool tern_link_is_pure_ack(const struct tern_link_frame *f);

tern_link_node tern_link_lose, tern_link_lose_burst, tern_link_lose_syn, tern_link_lose_ack,
    tern_link_lose_nth; /* one chance; Gilbert-Elliott; SYNs; pure ACKs; every nth */
tern_link_node tern_link_drop_too_big, tern_link_corrupt, tern_link_duplicate;
tern_link_node tern_link_transmit;      /* the rate and its queue */
tern_link_node tern_link_hold_in_pause; /* nothing leaves for a while */
tern_link_node tern_link_take_time;     /* delay and jitter */
tern_link_node tern_link_hold_back;     /* a few arrive behind others */
tern_link_node tern_link_arrive;        /* ends every chain */
