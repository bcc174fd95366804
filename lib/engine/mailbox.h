/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What workers of an endpoint hand each other: three rings towards each worker, any worker puts in,
 * only the owner takes out. Rings of their own rather than one with marks on the mbufs: what is in
 * which ring says what to do with it, and a flood of one kind does not crowd out another.
 */
#include <tern/config.h>

struct rte_ring;

struct tern_mailbox {
    struct rte_ring *segments; /* received, and this worker's by steering */
    struct rte_ring *replicas; /* copies of ARP, NDP and ICMP frames that others received */
    struct rte_ring *outbound; /* to be sent for workers that have no transmit queue */
};

/** All NULL when the endpoint has one worker. @return 0, or -ENOMEM with one line in *err */
TERN_MUST_CHECK int tern_mailbox_open(
    struct tern_mailbox *mb, uint32_t endpoint, uint32_t worker, int node, struct tern_error *err);

/** Free the rings and what is in them. */
void tern_mailbox_close(struct tern_mailbox *mb);
