/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pair is DPDK's ring driver twice over the same rings, crosswise. Each ring has one producer and
 * one consumer, the workers that have the queue at either end.
 *
 * The ends may have different numbers of workers. There are min(both) queues then, and the end with
 * more workers steers by hash over rings like any device with too few queues (steering.c).
 */
#include "pair.h"

#include "error.h"

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int open_rings(struct tern_pair *p, uint32_t n_desc)
{
    for (uint32_t end = 0; end < 2; end++)
        for (uint32_t q = 0; q < p->n_queues; q++) {
            char name[RTE_RING_NAMESIZE];
            snprintf(name, sizeof name, "tern_pair_%u_%u", end, q);
            p->rings[end][q] = rte_ring_create(
                name, n_desc, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
            if (p->rings[end][q] == NULL)
                return -rte_errno;
        }
    return 0;
}

int tern_pair_open(struct tern_pair *p, uint32_t n_queues, uint32_t n_desc, struct tern_error *err)
{
    memset(p, 0, sizeof *p);
    p->n_queues = n_queues;
    const int rc = open_rings(p, n_desc);
    if (rc != 0)
        return tern_fail(err, rc,
            "no memory for %u rings of %u places (%s); use fewer workers, or raise "
            "tern_config.mem_mib",
            2 * n_queues, n_desc, rte_strerror(-rc));

    for (uint32_t end = 0; end < 2; end++) {
        char name[16];
        snprintf(name, sizeof name, "tern%u", end);
        const int id = rte_eth_from_rings(
            name, p->rings[end], n_queues, p->rings[1 - end], n_queues, rte_socket_id());
        if (id < 0 || id >= RTE_MAX_ETHPORTS)
            return tern_fail(err, -EIO,
                "DPDK's ring driver gave no port (%s); is librte_net_ring installed? Type: apt-get "
                "install libdpdk-dev",
                rte_strerror(rte_errno));
        p->port_ids[end] = (uint16_t)id;
    }
    return 0;
}

static void drain(struct rte_ring *ring)
{
    void *m;
    while (rte_ring_dequeue(ring, &m) == 0)
        rte_pktmbuf_free((struct rte_mbuf *)m);
}

void tern_pair_close(struct tern_pair *p)
{
    for (uint32_t end = 0; end < 2; end++)
        for (uint32_t q = 0; q < p->n_queues; q++)
            if (p->rings[end][q] != NULL) {
                drain(p->rings[end][q]);
                rte_ring_free(p->rings[end][q]);
            }
    memset(p, 0, sizeof *p);
}

void tern_pair_mac(uint32_t end, uint8_t mac[TERN_MAC_BYTES])
{
    const uint8_t base[TERN_MAC_BYTES] = {0x02, 't', 'e', 'r', 'n', 0};
    memcpy(mac, base, sizeof base);
    mac[5] = (uint8_t)(end + 1);
}
