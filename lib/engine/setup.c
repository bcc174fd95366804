/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a checked configuration to ports that run and workers that could: one function a step, in
 * the order of the list at the end. What can be refused cheaply is refused early: devices that are
 * not there and memory that does not suffice, before DPDK starts and takes its second.
 *
 * tern_engine_take_down() is the same list backwards; every step of it copes with things that were
 * never made.
 */
#include "error.h"
#include "internal.h"
#include "recess.h"
#include "shard/arena.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    DESC_DEFAULT = 1024,
    XSK_RING_MBUFS = 3 * 2048,     /* AF_XDP: fill, receive and completion rings of a queue */
    POOL_OVERHEAD_BYTES = 2 << 20, /* caches, index ring and rounding of a pool */
    EAL_OVERHEAD_BYTES = 16 << 20, /* what drivers allocate for themselves */
    ARITHMETIC_BYTES = 256,
};

/* ---- devices, before DPDK ---- */

static int find_devices(struct tern_engine *e, struct tern_error *err)
{
    for (uint32_t i = 0; i < e->n_endpoints; i++) {
        struct tern_endpoint *ep = &e->endpoints[i];
        int rc = tern_device_spec_parse(ep->cfg.device, &ep->spec, err);
        if (rc == 0)
            rc = tern_device_check(&ep->spec, err);
        if (rc == 0)
            rc = tern_device_queues(
                &ep->spec, ep->cfg.n_queues, ep->cfg.n_workers, &ep->n_queues, err);
        if (rc != 0)
            return rc;
        ep->cfg.stack.mtu_bytes = tern_device_mtu(&ep->spec, ep->cfg.stack.mtu_bytes);
        if (ep->spec.ring_slots != 0)
            ep->cfg.n_rx_desc = ep->cfg.n_tx_desc = ep->spec.ring_slots;
    }
    return 0;
}

static uint32_t nonzero_min(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/** Both ends of a pair have the same queues: as many as the end with fewer workers can poll. */
static int agree_on_queues(struct tern_engine *e, struct tern_error *err)
{
    (void)err;
    if (e->n_endpoints != 2)
        return 0;
    struct tern_endpoint_config *a = &e->endpoints[0].cfg, *b = &e->endpoints[1].cfg;
    uint32_t n = nonzero_min(a->n_queues, b->n_queues);
    n = nonzero_min(n, nonzero_min(a->n_workers, b->n_workers));
    n = nonzero_min(n, TERN_PAIR_QUEUES_MAX);
    a->n_queues = b->n_queues = 0;
    e->endpoints[0].n_queues = e->endpoints[1].n_queues = n;
    return 0;
}

/* ---- workers and their places ---- */

static int make_workers(struct tern_engine *e, struct tern_error *err)
{
    for (uint32_t i = 0; i < e->n_endpoints; i++) {
        struct tern_endpoint *ep = &e->endpoints[i];
        const uint32_t n = ep->cfg.n_workers;
        ep->workers =
            (struct tern_worker *)aligned_alloc(TERN_WORKER_ALIGN, n * sizeof *ep->workers);
        if (ep->workers == NULL)
            return tern_fail(err, -ENOMEM, "no memory for %u workers; use fewer", n);
        memset(ep->workers, 0, n * sizeof *ep->workers);
        for (uint32_t w = 0; w < n; w++) {
            ep->workers[w].engine = e;
            ep->workers[w].ep = ep;
            ep->workers[w].idx = w;
            tern_call_slot_init(&ep->workers[w].call);
        }
        e->n_workers += n;
    }
    return 0;
}

/** All workers in one row: the k-th of the engine. */
static struct tern_worker *nth_worker(struct tern_engine *e, uint32_t k)
{
    const uint32_t n_first = e->endpoints[0].cfg.n_workers;
    return k < n_first ? &e->endpoints[0].workers[k] : &e->endpoints[1].workers[k - n_first];
}

static void note_places(struct tern_engine *e, const struct tern_placement *p)
{
    for (uint32_t k = 0; k < p->n_workers; k++) {
        struct tern_worker *w = nth_worker(e, k);
        w->cpu = p->cpus[k];
        tern_arena_prefer(w, sizeof *w, w->cpu->node);
        for (uint32_t j = 0; j < p->n_workers; j++)
            w->shares_cpu |= j != k && p->cpus[j] == p->cpus[k];
    }
    e->n_remote = tern_place_n_remote(p);
}

static int place_workers(struct tern_engine *e, struct tern_error *err)
{
    int nodes[TERN_ENDPOINTS_MAX * TERN_WORKERS_MAX];
    const struct tern_cpu *cpus[TERN_ENDPOINTS_MAX * TERN_WORKERS_MAX];
    struct tern_placement p = {.n_workers = e->n_workers, .nodes = nodes, .cpus = cpus};
    int rc = 0;

    e->topology = (struct tern_topology *)calloc(1, sizeof *e->topology);
    if (e->topology == NULL)
        return tern_fail(err, -ENOMEM, "out of memory at the very start; free some memory");
    tern_topology_read(e->topology);
    for (uint32_t k = 0; k < e->n_workers; k++)
        nodes[k] = tern_device_node(&nth_worker(e, k)->ep->spec);
    if (e->cfg.lcores != NULL)
        rc = tern_place_on_list(e->topology, e->cfg.lcores, &p, err);
    else
        tern_place(e->topology, &p);
    if (rc == 0)
        note_places(e, &p);
    return rc;
}

/* ---- memory ---- */

static uint32_t descs(uint16_t configured)
{
    return configured != 0 ? configured : DESC_DEFAULT;
}

/** Only connections that send, or are sent to, hold mbufs. */
static uint32_t n_data_mbufs(const struct tern_stack_config *s)
{
    return tern_mbufs_for_data(nonzero_min(s->sending_max, s->conns_max));
}

/** AF_XDP owns the memory it receives into; see memory.c. */
static bool wants_umem(const struct tern_endpoint *ep)
{
    return ep->spec.kind == TERN_DEVICE_NETDEV;
}

static uint32_t n_umem_mbufs(const struct tern_engine *e, const struct tern_endpoint *ep)
{
    const struct tern_pool_need need = {
        .n_rx_desc = ep->n_queues * (descs(ep->cfg.n_rx_desc) + XSK_RING_MBUFS),
        .n_tx_desc = ep->n_queues * descs(ep->cfg.n_tx_desc),
        .n_threads = ep->cfg.n_workers,
        .n_held = ep->cfg.n_workers * tern_impair_n_mbufs(e, ep),
        .n_data = ep->cfg.n_workers * n_data_mbufs(&ep->cfg.stack),
    };
    return tern_pool_size(&need);
}

static int size_pools(struct tern_engine *e, struct tern_endpoint *ep, struct tern_error *err)
{
    const uint32_t n_workers = ep->cfg.n_workers;
    const uint32_t queues_each = (ep->n_queues + n_workers - 1) / n_workers;
    struct tern_pool_need need = {
        .n_rx_desc = queues_each * descs(ep->cfg.n_rx_desc),
        .n_tx_desc = queues_each * descs(ep->cfg.n_tx_desc),
        .n_threads = e->n_workers,
        .n_outbox = TERN_OUTBOX_MAX,
        .n_held = tern_impair_n_mbufs(e, ep),
    };
    if (n_workers > 1)
        need.n_mailbox = TERN_MAILBOX_SEGMENTS + TERN_MAILBOX_REPLICAS + TERN_MAILBOX_OUTBOUND;
    const uint32_t n_floor = tern_pool_size(&need);
    need.n_data = n_data_mbufs(&ep->cfg.stack);

    ep->n_mbufs = e->cfg.mbufs != 0 ? e->cfg.mbufs : tern_pool_size(&need);
    ep->mbuf_bytes = tern_mbuf_bytes(
        tern_mbuf_room_bytes(ep->cfg.stack.mtu_bytes, TERN_POOL_DENSE), TERN_POOL_DENSE);
    if (ep->n_mbufs >= n_floor)
        return 0;
    return tern_fail(err, -EINVAL,
        "%s: %u mbufs per worker are fewer than its rings hold: %u receive + %u transmit "
        "descriptors + %u between workers + %u caches and queues = %u; give more, or 0 to have it "
        "computed",
        ep->cfg.device, ep->n_mbufs, need.n_rx_desc, need.n_tx_desc, need.n_mailbox,
        n_floor - need.n_rx_desc - need.n_tx_desc - need.n_mailbox, n_floor);
}

static uint64_t endpoint_mbuf_bytes(const struct tern_engine *e, const struct tern_endpoint *ep)
{
    const uint16_t umem_room = tern_mbuf_room_bytes(ep->cfg.stack.mtu_bytes, TERN_POOL_UMEM);
    const uint64_t n_each = (uint64_t)ep->n_mbufs + TERN_RESERVE_MBUFS;
    uint64_t sum =
        ep->cfg.n_workers * (n_each * ep->mbuf_bytes + ep->cfg.static_bytes + POOL_OVERHEAD_BYTES);
    if (wants_umem(ep))
        sum +=
            n_umem_mbufs(e, ep) * tern_mbuf_bytes(umem_room, TERN_POOL_UMEM) + POOL_OVERHEAD_BYTES;
    return sum;
}

static double mib(uint64_t n_bytes)
{
    return (double)n_bytes / (1 << 20);
}

/** Sum up, endpoint by endpoint, and write down how. */
static void add_up(const struct tern_engine *e, struct tern_memory_want *want, char *arithmetic)
{
    size_t len = 0;
    want->mbuf_bytes = EAL_OVERHEAD_BYTES;
    for (uint32_t i = 0; i < e->n_endpoints; i++) {
        const struct tern_endpoint *ep = &e->endpoints[i];
        const uint64_t mbuf_bytes = endpoint_mbuf_bytes(e, ep);
        want->mbuf_bytes += mbuf_bytes;
        want->table_bytes += ep->cfg.n_workers * ep->tables.total;
        if (len < ARITHMETIC_BYTES)
            len += (size_t)snprintf(arithmetic + len, ARITHMETIC_BYTES - len,
                "%s%u worker%s x (%.0f MiB of tables for %u connections + %.0f MiB for %u mbufs%s)",
                i > 0 ? " + " : "", ep->cfg.n_workers, ep->cfg.n_workers == 1 ? "" : "s",
                mib(ep->tables.total), ep->cfg.stack.conns_max, mib(mbuf_bytes / ep->cfg.n_workers),
                ep->n_mbufs, ep->cfg.static_bytes >= 1 << 20 ? " and static bodies" : "");
    }
}

static int check_mem_given(
    const struct tern_engine *e, struct tern_memory_want *want, struct tern_error *err)
{
    const uint64_t given = (uint64_t)e->cfg.mem_mib << 20;
    if (given == 0)
        return 0;
    if (given < want->mbuf_bytes)
        return tern_fail(err, -ENOMEM,
            "too little memory given: %s; the mbufs need %.0f MiB, and tern_config.mem_mib is %u; "
            "raise it, or leave it 0",
            want->arithmetic, mib(want->mbuf_bytes), e->cfg.mem_mib);
    want->mbuf_bytes = given;
    return 0;
}

static bool has_worker(struct tern_engine *e, const struct tern_cpu *cpu)
{
    for (uint32_t k = 0; k < e->n_workers; k++)
        if (nth_worker(e, k)->cpu->id == cpu->id)
            return true;
    return false;
}

static void list_workers_cpus(struct tern_engine *e, struct tern_topology *out)
{
    out->n_cpus = 0;
    for (uint32_t i = 0; i < e->topology->n_cpus; i++)
        if (has_worker(e, &e->topology->cpus[i]))
            out->cpus[out->n_cpus++] = e->topology->cpus[i];
}

/** Count what everything takes, see that it is there, and start DPDK with its share. */
static int plan_memory(struct tern_engine *e, struct tern_error *err)
{
    const bool is_running = tern_eal_is_running();
    struct tern_memory_free there;
    tern_memory_free_read(&there);
    e->use_huge = is_running ? rte_eal_has_hugepages() : !e->cfg.no_huge && there.huge_bytes > 0;
    e->huge_page_bytes = there.huge_page_bytes;

    for (uint32_t i = 0; i < e->n_endpoints; i++) {
        struct tern_endpoint *ep = &e->endpoints[i];
        const int rc = size_pools(e, ep, err);
        if (rc != 0)
            return rc;
        tern_shard_plan(&ep->cfg.stack, &ep->tables);
    }
    char arithmetic[ARITHMETIC_BYTES];
    struct tern_memory_want want = {
        .n_workers = e->n_workers, .use_huge = e->use_huge, .arithmetic = arithmetic};
    add_up(e, &want, arithmetic);
    want.mbuf_bytes += tern_capture_bytes(e->capture);
    int rc = check_mem_given(e, &want, err);
    if (is_running) /* its memory is taken already, and may be free inside */
        want.mbuf_bytes = 0;
    if (rc == 0)
        rc = tern_memory_check(&want, &there, err);
    if (rc != 0)
        return rc;
    struct tern_topology workers_cpus;
    list_workers_cpus(e, &workers_cpus);
    const struct tern_eal_options options = {
        .workers_cpus = &workers_cpus,
        .no_huge = !e->use_huge,
        .mem_bytes = want.mbuf_bytes,
        .pci = e->endpoints[0].spec.kind == TERN_DEVICE_PCI,
        .telemetry = e->cfg.telemetry,
        .shared = e->cfg.shared,
        .n_workers = e->n_workers,
    };
    if (e->cfg.telemetry)
        tern_telemetry_register();
    return tern_eal_start(&options, e->log, e->telemetry_note, err);
}

/* ---- pools and rings ---- */

static int no_pool(const struct tern_endpoint *ep, uint32_t n, struct tern_error *err)
{
    return tern_fail(err, -rte_errno,
        "%s: no room for %u mbufs of %" PRIu64
        " bytes (%s); DPDK's memory is fixed when it starts: "
        "raise tern_config.mem_mib of the first engine of the process",
        ep->cfg.device, n, ep->mbuf_bytes, rte_strerror(rte_errno));
}

static int open_worker_pools(struct tern_engine *e, struct tern_worker *w, struct tern_error *err)
{
    const struct tern_endpoint *ep = w->ep;
    const enum tern_pool_layout layout =
        ep->spec.kind == TERN_DEVICE_PCI ? TERN_POOL_PAGED : TERN_POOL_DENSE;
    const uint16_t room = tern_mbuf_room_bytes(ep->cfg.stack.mtu_bytes, layout);
    const int node = w->cpu->node;
    char name[RTE_MEMPOOL_NAMESIZE];

    snprintf(name, sizeof name, "tern_mbufs_%u_%u", ep->idx, w->idx);
    w->pool = tern_pool_open(name, ep->n_mbufs, room, e->n_workers, layout, node);
    if (w->pool == NULL)
        return no_pool(ep, ep->n_mbufs, err);
    e->n_far_pools += w->pool->socket_id != tern_memory_socket(node);
    snprintf(name, sizeof name, "tern_spare_%u_%u", ep->idx, w->idx);
    w->reserve = tern_pool_open(name, TERN_RESERVE_MBUFS, room, 0, layout, node);
    return w->reserve != NULL ? 0 : no_pool(ep, TERN_RESERVE_MBUFS, err);
}

static size_t handover_bytes(const struct tern_endpoint *ep)
{
    return ep->cfg.n_workers * sizeof(struct tern_handover);
}

static int open_mailboxes(struct tern_endpoint *ep, struct tern_worker *w, struct tern_error *err)
{
    if (ep->cfg.n_workers == 1)
        return 0;
    const int node = w->cpu->node;
    w->handovers = (struct tern_handover *)tern_arena_map(handover_bytes(ep), node, NULL);
    if (w->handovers == NULL)
        return tern_fail(err, -ENOMEM, "no memory for %u workers; use fewer", ep->cfg.n_workers);
    return tern_mailbox_open(&w->mail, ep->idx, w->idx, tern_memory_socket(node), err);
}

static int open_pools(struct tern_engine *e, struct tern_error *err)
{
    for (uint32_t k = 0; k < e->n_workers; k++) {
        struct tern_worker *w = nth_worker(e, k);
        int rc = open_worker_pools(e, w, err);
        if (rc == 0)
            rc = open_mailboxes(w->ep, w, err);
        if (rc != 0)
            return rc;
    }
    struct tern_endpoint *ep = &e->endpoints[0];
    if (wants_umem(ep)) {
        const uint32_t n = n_umem_mbufs(e, ep);
        ep->umem = tern_pool_open("tern_umem", n,
            tern_mbuf_room_bytes(ep->cfg.stack.mtu_bytes, TERN_POOL_UMEM), ep->cfg.n_workers,
            TERN_POOL_UMEM, tern_device_node(&ep->spec));
        if (ep->umem == NULL)
            return no_pool(ep, n, err);
    }
    return 0;
}

/* ---- ports ---- */

static int open_port(struct tern_engine *e, struct tern_endpoint *ep, struct tern_error *err)
{
    struct rte_mempool *pools[TERN_WORKERS_MAX];
    for (uint32_t w = 0; w < ep->cfg.n_workers; w++)
        pools[w] = ep->workers[w].pool;
    const struct tern_port_want want = {
        .spec = &ep->spec,
        .cfg = &ep->cfg,
        .n_queues = ep->n_queues,
        .mtu_bytes = ep->cfg.stack.mtu_bytes,
        .pools = pools,
        .umem = ep->umem,
        .pair_port = e->n_endpoints == 2 ? e->pair.port_ids[ep->idx] : -1,
        .pair_end = ep->idx,
        .log = e->log,
    };
    return tern_port_open(&want, &ep->port, err);
}

static int open_ports(struct tern_engine *e, struct tern_error *err)
{
    int rc = 0;
    if (e->n_endpoints == 2) {
        const uint32_t a = descs(e->endpoints[0].cfg.n_tx_desc);
        const uint32_t b = descs(e->endpoints[1].cfg.n_tx_desc);
        rc = tern_pair_open(&e->pair, e->endpoints[0].n_queues, RTE_MAX(a, b), err);
    }
    for (uint32_t i = 0; rc == 0 && i < e->n_endpoints; i++)
        rc = open_port(e, &e->endpoints[i], err);
    return rc;
}

/* ---- steering ---- */

static int draw(void *bytes, size_t n_bytes, struct tern_error *err)
{
    if (getrandom(bytes, n_bytes, 0) == (ssize_t)n_bytes)
        return 0;
    return tern_fail(
        err, -EIO, "the kernel gives no random numbers (getrandom: %s)", strerror(errno));
}

static_assert((int)TERN_RSS_WORKERS_MAX >= (int)TERN_WORKERS_MAX, "any worker can own entries");

/** Learn how the device spreads flows, so that active opens can choose their ports by it. */
static void learn_rss(struct tern_endpoint *ep)
{
    const struct tern_stack_config *stack = &ep->cfg.stack;
    if (ep->steering.mode != TERN_STEER_RSS || !ep->port.spreads_by_rss)
        return;
    ep->steering.no_rss = "too few ephemeral ports";
    if (!tern_steer_range_is_wide(stack->port_min, stack->port_max))
        return;
    struct tern_rss_facts facts;
    ep->rss = (struct tern_rss *)malloc(sizeof *ep->rss);
    if (ep->rss == NULL) /* hand-over works without */
        return;
    tern_port_rss(&ep->port, &facts);
    ep->steering.no_rss = tern_steer_rss_gap(tern_rss_init(ep->rss, &facts, ep->cfg.n_workers));
    if (ep->steering.no_rss == NULL)
        ep->steering.rss = ep->rss;
}

static int set_up_steering(struct tern_engine *e, struct tern_error *err)
{
    for (uint32_t i = 0; i < e->n_endpoints; i++) {
        struct tern_endpoint *ep = &e->endpoints[i];
        struct tern_stack_config *stack = &ep->cfg.stack;
        /* Secrets of this start alone (6528-2), unless the user wants another's. */
        const uint64_t any_seed = stack->seed[0] | stack->seed[1] | stack->seed[2] | stack->seed[3];
        const int rc = any_seed == 0 ? draw(stack->seed, sizeof stack->seed, err) : 0;
        if (rc != 0)
            return rc;
        ep->steering = (struct tern_steering){
            .mode = tern_steer_mode(ep->cfg.n_workers, ep->port.n_rxq, ep->port.keeps_flows),
            .n_workers = ep->cfg.n_workers,
            .key = {~stack->seed[0], ~stack->seed[1]}, /* a key of its own, and reproducible */
            .l3 = stack->l3,
        };
        learn_rss(ep);
        for (uint32_t w = 0; w < ep->cfg.n_workers; w++) {
            ep->workers[w].tx_queue = w < ep->port.n_txq ? (int)w : -1;
            ep->workers[w].tx_proxy = w % ep->port.n_txq;
        }
    }
    return 0;
}

/* ---- handlers ---- */

/** From here on a memif's driver acts in the workers' recesses alone. */
static int hold_handlers(struct tern_engine *e, struct tern_error *err)
{
    struct tern_endpoint *ep = &e->endpoints[0];
    if (ep->spec.kind != TERN_DEVICE_MEMIF)
        return 0;
    for (uint32_t w = 0; w < ep->cfg.n_workers; w++) {
        struct tern_worker *worker = &ep->workers[w];
        if (w >= ep->port.n_rxq && worker->tx_queue < 0)
            continue; /* has no queue to touch */
        const int rc = tern_recess_join();
        if (rc != 0)
            return tern_fail(err, rc, "%s: DPDK has no memory left for a timer (%s); free some",
                ep->cfg.device, strerror(-rc));
        worker->has_recess = true;
    }
    return 0;
}

static void free_handlers(struct tern_endpoint *ep)
{
    for (uint32_t w = 0; ep->workers != NULL && w < ep->cfg.n_workers; w++)
        tern_worker_leave_recess(&ep->workers[w]);
}

/* ---- up and down ---- */

int tern_engine_set_up(struct tern_engine *e, struct tern_error *err)
{
    static int (*const steps[])(struct tern_engine *, struct tern_error *) = {
        find_devices,
        agree_on_queues,
        make_workers,
        place_workers,
        tern_capture_prepare,
        plan_memory,
        open_pools,
        open_ports,
        set_up_steering,
        tern_impair_set_up,
        tern_capture_start,
        hold_handlers,
    };
    for (size_t i = 0; i < RTE_DIM(steps); i++) {
        const int rc = steps[i](e, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/** Whatever lies in a mailbox may be of any pool, the other end's included. */
static void empty_mailboxes(struct tern_endpoint *ep)
{
    for (uint32_t w = 0; ep->workers != NULL && w < ep->cfg.n_workers; w++)
        tern_mailbox_close(&ep->workers[w].mail);
}

static uint64_t close_pools(struct tern_endpoint *ep)
{
    uint64_t n_missing = 0;
    for (uint32_t w = 0; ep->workers != NULL && w < ep->cfg.n_workers; w++) {
        n_missing += tern_pool_close(ep->workers[w].pool);
        n_missing += tern_pool_close(ep->workers[w].reserve);
        tern_arena_unmap(ep->workers[w].handovers, handover_bytes(ep));
        tern_call_slot_fini(&ep->workers[w].call);
    }
    const uint32_t n_umem_missing = tern_pool_close(ep->umem);
    free(ep->workers);
    free(ep->rss);
    const bool is_excused = ep->port.keeps_mbufs || n_umem_missing == ep->port.n_umem_lost;
    return is_excused ? n_missing : n_missing + n_umem_missing;
}

uint64_t tern_engine_take_down(struct tern_engine *e)
{
    uint64_t n_missing = 0;
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        free_handlers(&e->endpoints[i]);
    n_missing += tern_capture_close(e->capture);
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        tern_port_close(&e->endpoints[i].port);
    tern_pair_close(&e->pair);
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        empty_mailboxes(&e->endpoints[i]);
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        tern_impair_take_down(&e->endpoints[i]);
    for (uint32_t i = 0; i < e->n_endpoints; i++)
        n_missing += close_pools(&e->endpoints[i]);
    free(e->topology);
    tern_eal_log_close(e->log);
    return n_missing;
}
