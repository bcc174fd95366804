/* SPDX-License-Identifier: BSD-3-Clause */
#include "embed.h"

/*
 * An instance: a shard, a pool of packets, and a list of what the shard wants sent. Packets are
 * copied at the border, so that the caller needs to know nothing of mbufs.
 */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_BESIDE_MTU = 256 /* headers of ours, tags, alignment */ };

enum { LCORES_TEXT_BYTES = 32 + 6 * CPU_SETSIZE };

/** One lcore that floats over the CPUs the thread may use now: embedding pins nobody's thread. */
static void write_lcores(char *text, size_t cap)
{
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    int at = snprintf(text, cap, "0@(");
    const char *comma = "";
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &cpus))
            continue;
        at += snprintf(text + at, cap - (size_t)at, "%s%u", comma, cpu);
        comma = ",";
    }
    snprintf(text + at, cap - (size_t)at, ")");
}

int tern_embed_start(uint32_t mem_mib, struct tern_error *err)
{
    if (rte_lcore_count() > 0)
        return 0; /* EAL runs already */
    char mem[16], lcores[LCORES_TEXT_BYTES];
    snprintf(mem, sizeof mem, "%" PRIu32, mem_mib);
    write_lcores(lcores, sizeof lcores);
    char *args[] = {"tern", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", mem,
        "--lcores", lcores, "--log-level", "error", NULL};
    if (rte_eal_init(sizeof args / sizeof args[0] - 1, args) >= 0)
        return 0;
    snprintf(err->text, sizeof err->text,
        "DPDK did not start with %" PRIu32 " MiB of memory: %s; ask for less", mem_mib,
        rte_strerror(rte_errno));
    return -rte_errno;
}

void tern_embed_config_init(struct tern_embed_config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    tern_stack_config_init(&cfg->stack);
    cfg->stack.l3 = true;
    cfg->stack.dad = false;
    cfg->stack.conns_max = 1024;
    cfg->stack.half_open_max = 1024;
    cfg->stack.time_wait_max = 1024;
    cfg->stack.neighbours_max = 64;
    cfg->mbufs = 4096;
}

static struct rte_mempool *make_pool(const struct tern_embed_config *cfg, const void *unique)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "embed_%" PRIxPTR, (uintptr_t)unique);
    const uint32_t mtu = cfg->stack.mtu_bytes;
    const uint32_t room = RTE_PKTMBUF_HEADROOM + (mtu > 2048 ? mtu : 2048) + ROOM_BESIDE_MTU;
    return rte_pktmbuf_pool_create(
        name, cfg->mbufs, 0, TERN_MBUF_PRIV_BYTES, (uint16_t)room, SOCKET_ID_ANY);
}

static int fail(struct tern_embed *e, int rc, struct tern_error *err, const char *text)
{
    if (text != NULL)
        snprintf(err->text, sizeof err->text, "%s", text);
    rte_mempool_free(e->pool);
    free(e);
    return rc;
}

int tern_embed_open(const struct tern_embed_config *cfg, uint64_t now_ns, struct tern_embed **out,
    struct tern_error *err)
{
    if (cfg->mbufs < 64 || cfg->mbufs > 1u << 24) {
        snprintf(err->text, sizeof err->text, "mbufs is %u; take 64..16777216", cfg->mbufs);
        return -EINVAL;
    }
    struct tern_embed *e = calloc(1, sizeof *e);
    if (e == NULL)
        return -ENOMEM;
    e->pool = make_pool(cfg, e);
    if (e->pool == NULL)
        return fail(e, -ENOMEM, err,
            "no memory for packet buffers; raise tern_embed_start()'s mem_mib or lower mbufs");
    struct tern_stack_config stack = cfg->stack;
    stack.tx_multi_seg = true; /* output() reads chains */
    const struct tern_shard_params params = {
        .cfg = &stack, .pool = e->pool, .reserve = e->pool, .now_ns = now_ns};
    const int rc = tern_shard_open(&params, &e->shard, err);
    if (rc != 0)
        return fail(e, rc, err, NULL);
    tern_shard_set_user(e->shard, e);
    *out = e;
    return 0;
}

/** Move what the shard wants sent behind what waits already. */
static void collect(struct tern_embed *e)
{
    if (e->next_out == e->n_out)
        e->next_out = e->n_out = 0;
    if (e->n_out == 0)
        e->n_out = tern_shard_take_tx(e->shard, e->out);
}

void tern_embed_input(struct tern_embed *e, const void *packet, size_t n_bytes, uint64_t now_ns)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(e->pool);
    char *at = m != NULL && n_bytes <= UINT16_MAX ? rte_pktmbuf_append(m, (uint16_t)n_bytes) : NULL;
    if (at == NULL) {
        tern_shard_stats_rw(e->shard)->rx_packets++;
        tern_shard_stats_rw(e->shard)->drops[TERN_DROP_NO_MBUF]++;
        rte_pktmbuf_free(m);
        return;
    }
    memcpy(at, packet, n_bytes);
    tern_shard_rx(e->shard, &m, 1, now_ns);
}

size_t tern_embed_output(struct tern_embed *e, void *buf, size_t cap)
{
    tern_shard_settle(e->shard);
    collect(e);
    if (e->n_out == 0)
        return 0;
    struct rte_mbuf *m = e->out[e->next_out++];
    const uint32_t n = RTE_MIN(m->pkt_len, (uint32_t)RTE_MIN(cap, (size_t)UINT32_MAX));
    const void *bytes = rte_pktmbuf_read(m, 0, n, buf);
    if (bytes != buf)
        memcpy(buf, bytes, n);
    tern_shard_tx_done(e->shard, 1, m->pkt_len);
    rte_pktmbuf_free(m);
    return n;
}

bool tern_embed_deadline(const struct tern_embed *e, uint64_t *at_ns)
{
    return tern_shard_next_deadline(e->shard, at_ns);
}

void tern_embed_advance(struct tern_embed *e, uint64_t now_ns)
{
    tern_shard_advance(e->shard, now_ns);
}

struct tern_shard *tern_embed_shard(struct tern_embed *e)
{
    return e->shard;
}

void tern_embed_close(struct tern_embed *e, struct tern_embed_leaks *leaks)
{
    struct tern_shard_leaks sl;
    while (e->next_out < e->n_out)
        rte_pktmbuf_free(e->out[e->next_out++]);
    tern_shard_close(e->shard, &sl);
    tern_socks_free(e);
    if (leaks != NULL)
        *leaks = (struct tern_embed_leaks){
            .mbufs = rte_mempool_in_use_count(e->pool),
            .records = sl.conns + sl.halves + sl.time_waits + sl.txqs + sl.opts + sl.flow_entries,
            .timers = sl.timers,
        };
    rte_mempool_free(e->pool);
    free(e);
}
