/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two sockets on a machine that has one: the topology is made up, and the linker puts the functions
 * below between the engine and whoever hands out memory (--wrap, meson.build), so that they see
 * from which node each piece is asked. Workers of a pair run on different nodes; everything of each
 * must be asked from its own.
 */
#include "engine/internal.h"
#include "engine/placement.h"
#include "shard/shard_struct.h"
#include "unit.h"

#include <rte_mempool.h>
#include <rte_ring.h>

#include <numaif.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ASKED_MAX = 512, NODE_ANY = -1, NAME_BYTES = 32 };

/** Memory that somebody wished to have on a node. */
static struct {
    const uint8_t *at;
    size_t n_bytes;
    int node;
} wishes[ASKED_MAX];
static uint32_t n_wishes;

/** Things of DPDK's, by name. */
static struct {
    char name[NAME_BYTES];
    int node;
} named[ASKED_MAX];
static uint32_t n_named;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool claims_hugepages;
static int full_node = NODE_ANY; /* has no room for mbufs */

/* ---- in between ---- */

void __real_tern_topology_read(struct tern_topology *out);
void __wrap_tern_topology_read(struct tern_topology *out);
int __wrap_numa_available(void);
long __wrap_mbind(void *at, unsigned long n_bytes, int mode, const unsigned long *mask,
    unsigned long n_bits, unsigned flags);
int __wrap_rte_eal_has_hugepages(void);
struct rte_mempool *__real_rte_mempool_create_empty(const char *name, unsigned n, unsigned bytes,
    unsigned n_cached, unsigned n_priv, int node, unsigned flags);
struct rte_mempool *__wrap_rte_mempool_create_empty(const char *name, unsigned n, unsigned bytes,
    unsigned n_cached, unsigned n_priv, int node, unsigned flags);
int __real_rte_mempool_populate_default(struct rte_mempool *pool);
int __wrap_rte_mempool_populate_default(struct rte_mempool *pool);
struct rte_ring *__real_rte_ring_create(const char *name, unsigned n, int node, unsigned flags);
struct rte_ring *__wrap_rte_ring_create(const char *name, unsigned n, int node, unsigned flags);

/** The CPUs that there are, on two nodes by turns. */
void __wrap_tern_topology_read(struct tern_topology *out)
{
    __real_tern_topology_read(out);
    for (uint32_t i = 0; i < out->n_cpus; i++)
        out->cpus[i].node = (int)(i % 2);
}

int __wrap_numa_available(void)
{
    return 0;
}

long __wrap_mbind(void *at, unsigned long n_bytes, int mode, const unsigned long *mask,
    unsigned long n_bits, unsigned flags)
{
    (void)n_bits, (void)flags;
    pthread_mutex_lock(&lock);
    assert_int_equal(mode, MPOL_PREFERRED);
    assert_in_range(n_wishes, 0, ASKED_MAX - 1);
    wishes[n_wishes].at = at;
    wishes[n_wishes].n_bytes = n_bytes;
    wishes[n_wishes].node = __builtin_ctzl(mask[0]);
    n_wishes++;
    pthread_mutex_unlock(&lock);
    return 0;
}

int __wrap_rte_eal_has_hugepages(void)
{
    return claims_hugepages;
}

static void note_named(const char *name, int node)
{
    assert_in_range(n_named, 0, ASKED_MAX - 1);
    snprintf(named[n_named].name, NAME_BYTES, "%s", name);
    named[n_named++].node = node;
}

struct rte_mempool *__wrap_rte_mempool_create_empty(const char *name, unsigned n, unsigned bytes,
    unsigned n_cached, unsigned n_priv, int node, unsigned flags)
{
    note_named(name, node);
    if (node != NODE_ANY && node == full_node)
        return NULL;
    struct rte_mempool *pool =
        __real_rte_mempool_create_empty(name, n, bytes, n_cached, n_priv, SOCKET_ID_ANY, flags);
    if (pool != NULL)
        pool->socket_id = node;
    return pool;
}

/** Its memory really comes from where there is some. */
int __wrap_rte_mempool_populate_default(struct rte_mempool *pool)
{
    const int node = pool->socket_id;
    pool->socket_id = SOCKET_ID_ANY;
    const int rc = __real_rte_mempool_populate_default(pool);
    pool->socket_id = node;
    return rc;
}

struct rte_ring *__wrap_rte_ring_create(const char *name, unsigned n, int node, unsigned flags)
{
    note_named(name, node);
    return __real_rte_ring_create(name, n, SOCKET_ID_ANY, flags);
}

/* ---- a pair of two workers each ---- */

static struct tern_engine *open_pair(void)
{
    static struct tern_config cfg;
    struct tern_error err = {.text = ""};
    struct tern_engine *e;
    n_wishes = n_named = 0;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        skip(); /* one CPU is on one node */
    tern_config_init(&cfg);
    cfg.n_endpoints = 2;
    cfg.no_huge = true;
    cfg.mem_mib = 384;
    for (uint32_t i = 0; i < 2; i++) {
        struct tern_endpoint_config *ep = &cfg.endpoints[i];
        ep->device = "pair";
        ep->n_workers = 2;
        ep->n_rx_desc = ep->n_tx_desc = 64;
        assert_int_equal(
            tern_prefix_parse(i == 0 ? "198.18.0.1/24" : "198.18.0.2/24", &ep->stack.addrs[0]), 0);
        ep->stack.n_addrs = 1;
        ep->stack.dad = false;
        ep->stack.conns_max = 1024;
    }
    if (tern_engine_open(&cfg, &e, &err) != 0 || tern_engine_start(e, &err) != 0)
        fail_msg("%s", err.text);
    return e;
}

static void close_pair(struct tern_engine *e)
{
    static const struct tern_leaks none;
    struct tern_leaks leaks;
    tern_engine_stop(e);
    assert_true(tern_engine_wait(e, 10000));
    tern_engine_close(e, &leaks);
    assert_memory_equal(&leaks, &none, sizeof none);
}

/** Where the byte at `at` was wished for last. */
static int wished_node(const void *at)
{
    for (uint32_t i = n_wishes; i-- > 0;)
        if ((const uint8_t *)at >= wishes[i].at
            && (const uint8_t *)at < wishes[i].at + wishes[i].n_bytes)
            return wishes[i].node;
    return NODE_ANY;
}

static int named_node(const char *format, const struct tern_worker *w)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, format, w->ep->idx, w->idx);
    for (uint32_t i = 0; i < n_named; i++)
        if (strcmp(named[i].name, name) == 0)
            return named[i].node;
    fail_msg("%s was never asked for", name);
    return NODE_ANY;
}

static void check_tables(const struct tern_worker *w)
{
    const struct tern_shard *sh = w->sh;
    const void *const tables[] = {w, (const uint8_t *)(w + 1) - 1, w->handovers, sh,
        sh->flow.buckets, sh->conns.base, sh->halves.base, sh->tws.base, sh->txqs.base,
        sh->sents.base, sh->congs.base, sh->rxqs.base, sh->rares.base, sh->addr6s.base};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        assert_int_equal(wished_node(tables[i]), w->cpu->node);
}

static void each_worker_asks_its_own_node(void **state)
{
    (void)state;
    claims_hugepages = true;
    struct tern_engine *e = open_pair();
    uint32_t n_on[2] = {0};
    for (uint32_t k = 0; k < 4; k++) {
        const struct tern_worker *w = &e->endpoints[k / 2].workers[k % 2];
        const int node = w->cpu->node;
        n_on[node]++;
        check_tables(w);
        assert_int_equal(named_node("tern_mbufs_%u_%u", w), node);
        assert_int_equal(named_node("tern_spare_%u_%u", w), node);
        assert_int_equal(named_node("tern_seg_%u_%u", w), node);
        assert_int_equal(named_node("tern_rep_%u_%u", w), node);
        assert_int_equal(named_node("tern_out_%u_%u", w), node);
    }
    assert_true(n_on[0] > 0 && n_on[1] > 0);
    close_pair(e);
}

struct place {
    int node;
    uint32_t n_whole;
};

static void check_chunk(
    struct rte_mempool *pool, void *arg, struct rte_mempool_memhdr *chunk, unsigned idx)
{
    (void)pool, (void)idx;
    struct place *p = arg;
    const uint8_t *middle = (const uint8_t *)chunk->addr + chunk->len / 2;
    if (chunk->len < 3 * TERN_WORKER_ALIGN) /* holds no whole page for certain */
        return;
    assert_int_equal(wished_node(middle), p->node);
    p->n_whole++;
}

/** Without hugepages DPDK has one mapping: its pages are moved to where they are wanted. */
static void small_pages_are_moved(void **state)
{
    (void)state;
    claims_hugepages = false;
    struct tern_engine *e = open_pair();
    for (uint32_t k = 0; k < 4; k++) {
        const struct tern_worker *w = &e->endpoints[k / 2].workers[k % 2];
        struct place p = {.node = w->cpu->node};
        assert_int_equal(named_node("tern_mbufs_%u_%u", w), SOCKET_ID_ANY);
        rte_mempool_mem_iter(w->pool, check_chunk, &p);
        rte_mempool_mem_iter(w->reserve, check_chunk, &p);
        assert_in_range(p.n_whole, 2, UINT32_MAX);
    }
    close_pair(e);
}

static void a_full_node_is_worked_round_and_said(void **state)
{
    (void)state;
    struct tern_device_info info;
    claims_hugepages = true;
    full_node = 1;
    struct tern_engine *e = open_pair();
    full_node = NODE_ANY;
    uint32_t n_on_full = 0;
    for (uint32_t k = 0; k < 4; k++)
        n_on_full += e->endpoints[k / 2].workers[k % 2].cpu->node == 1;
    tern_engine_device(e, 0, &info);
    char want[64];
    snprintf(want, sizeof want, "packets of %u of 4 workers are on another NUMA node", n_on_full);
    assert_true(n_on_full > 0);
    assert_non_null(strstr(info.note, want));
    close_pair(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_worker_asks_its_own_node),
        cmocka_unit_test(small_pages_are_moved),
        cmocka_unit_test(a_full_node_is_worked_round_and_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
