/* SPDX-License-Identifier: BSD-3-Clause */
/* See mailbox.h. The sizes are in memory.h: the mbufs that lie in rings are part of the plan. */
#include "mailbox.h"

#include "error.h"
#include "memory.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <errno.h>
#include <stdio.h>

static struct rte_ring *ring_open(
    const char *kind, uint32_t endpoint, uint32_t worker, uint32_t n, int node)
{
    char name[RTE_RING_NAMESIZE];
    snprintf(name, sizeof name, "tern_%s_%u_%u", kind, endpoint, worker);
    return rte_ring_create(name, n, node, RING_F_SC_DEQ);
}

int tern_mailbox_open(
    struct tern_mailbox *mb, uint32_t endpoint, uint32_t worker, int node, struct tern_error *err)
{
    mb->segments = ring_open("seg", endpoint, worker, TERN_MAILBOX_SEGMENTS, node);
    mb->replicas = ring_open("rep", endpoint, worker, TERN_MAILBOX_REPLICAS, node);
    mb->outbound = ring_open("out", endpoint, worker, TERN_MAILBOX_OUTBOUND, node);
    if (mb->segments != NULL && mb->replicas != NULL && mb->outbound != NULL)
        return 0;
    return tern_fail(err, -ENOMEM,
        "no memory for the rings between workers; use fewer workers, or raise tern_config.mem_mib");
}

static void ring_close(struct rte_ring **ring)
{
    void *m;
    while (*ring != NULL && rte_ring_dequeue(*ring, &m) == 0)
        rte_pktmbuf_free((struct rte_mbuf *)m);
    rte_ring_free(*ring);
    *ring = NULL;
}

void tern_mailbox_close(struct tern_mailbox *mb)
{
    ring_close(&mb->segments);
    ring_close(&mb->replicas);
    ring_close(&mb->outbound);
}
