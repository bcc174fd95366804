/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults of the engine's configuration, and what it refuses. */
#include "error.h"
#include "internal.h"
#include "shared.h"

#include <rte_lcore.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAIN_MS_DEFAULT = 3000,
    DRAIN_MS_MAX = 600000,
    MODERATION_NS_DEFAULT = 10000,
    MODERATION_NS_MAX = 1000000,
    DESC_MIN = 64,
    DESC_MAX = 32768,
    MBUFS_MAX = 1 << 26,
    MEM_MIB_MAX = 1 << 24,
};

void tern_endpoint_config_init(struct tern_endpoint_config *ep)
{
    memset(ep, 0, sizeof *ep);
    ep->n_workers = 1;
    tern_stack_config_init(&ep->stack);
}

void tern_config_init(struct tern_config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    for (uint32_t i = 0; i < TERN_ENDPOINTS_MAX; i++)
        tern_endpoint_config_init(&cfg->endpoints[i]);
    cfg->n_endpoints = 1;
    cfg->drain_ms = DRAIN_MS_DEFAULT;
    cfg->moderation_ns = MODERATION_NS_DEFAULT;
}

static int check_range(const char *device, const char *what, uint32_t value, uint32_t min,
    uint32_t max, struct tern_error *err)
{
    if (value >= min && value <= max)
        return 0;
    return tern_fail(err, -EINVAL, "%s%s%s: %u is out of range; give %u to %u", device,
        device[0] != '\0' ? ": " : "", what, value, min, max);
}

static int check_desc(const char *device, const char *what, uint16_t n_desc, struct tern_error *err)
{
    return n_desc == 0 ? 0 : check_range(device, what, n_desc, DESC_MIN, DESC_MAX, err);
}

/** Each worker needs ephemeral ports of its own. */
static int check_ports(const struct tern_endpoint_config *ep, struct tern_error *err)
{
    const struct tern_stack_config *stack = &ep->stack;
    if (stack->port_max >= stack->port_min
        && (uint32_t)(stack->port_max - stack->port_min) + 1 < ep->n_workers)
        return tern_fail(err, -EINVAL,
            "%s: %u workers share the ephemeral ports %u to %u, which are fewer; widen the range",
            ep->device, ep->n_workers, stack->port_min, stack->port_max);
    return 0;
}

/** The stack's own check; a MAC that is still to come from the device is none of its business. */
static int check_stack(const struct tern_stack_config *stack, struct tern_error *err)
{
    struct tern_stack_config *copy = (struct tern_stack_config *)malloc(sizeof *copy);
    if (copy == NULL)
        return tern_fail(err, -ENOMEM, "out of memory at the very start; free some memory");
    *copy = *stack;
    uint8_t any = 0;
    for (int i = 0; i < TERN_MAC_BYTES; i++)
        any |= copy->mac[i];
    if (any == 0)
        tern_pair_mac(0, copy->mac);
    const int rc = tern_stack_config_check(copy, err);
    free(copy);
    return rc;
}

static int check_endpoint(const struct tern_endpoint_config *ep, struct tern_error *err)
{
    struct tern_device_spec spec;
    int rc = tern_device_spec_parse(ep->device, &spec, err);
    if (rc == 0)
        rc = check_range(ep->device, "workers", ep->n_workers, 1, TERN_WORKERS_MAX, err);
    if (rc == 0)
        rc = check_range(ep->device, "queues", ep->n_queues, 0, TERN_PORT_QUEUES_MAX, err);
    if (rc == 0)
        rc = check_desc(ep->device, "receive descriptors", ep->n_rx_desc, err);
    if (rc == 0)
        rc = check_desc(ep->device, "transmit descriptors", ep->n_tx_desc, err);
    if (rc == 0)
        rc = check_stack(&ep->stack, err);
    for (int dir = 0; rc == 0 && dir < TERN_IMPAIR_DIRS; dir++)
        rc = tern_impair_check(&ep->impair[dir], ep->device, err);
    if (rc == 0)
        rc = check_ports(ep, err);
    return rc;
}

/** Two endpoints are the two ends of a pair, and one endpoint is not. */
static int check_pairing(const struct tern_config *cfg, struct tern_error *err)
{
    uint32_t n_pair = 0;
    for (uint32_t i = 0; i < cfg->n_endpoints; i++)
        n_pair += strcmp(cfg->endpoints[i].device, "pair") == 0;
    if (cfg->n_endpoints == 1 && n_pair == 1)
        return tern_fail(err, -EINVAL,
            "device \"pair\" has two ends, and one endpoint is configured; type: tern pair");
    if (cfg->n_endpoints == 2 && n_pair != 2)
        return tern_fail(err, -EINVAL,
            "two endpoints in one process are the two ends of \"pair\", not \"%s\" and \"%s\"; run "
            "one process per device",
            cfg->endpoints[0].device, cfg->endpoints[1].device);
    return 0;
}

/** Each worker takes one of DPDK's thread numbers, and so does the caller. */
static int check_threads(const struct tern_config *cfg, struct tern_error *err)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < cfg->n_endpoints; i++)
        n += cfg->endpoints[i].n_workers;
    if (n <= RTE_MAX_LCORE)
        return 0;
    return tern_fail(err, -EINVAL,
        "%u workers in all, and this DPDK numbers %u threads; give at "
        "most %u",
        n - 1, RTE_MAX_LCORE, RTE_MAX_LCORE - 1);
}

int tern_engine_check(const struct tern_config *cfg, struct tern_error *err)
{
    int rc = check_range("", "endpoints", cfg->n_endpoints, 1, TERN_ENDPOINTS_MAX, err);
    for (uint32_t i = 0; rc == 0 && i < cfg->n_endpoints; i++)
        rc = check_endpoint(&cfg->endpoints[i], err);
    if (rc == 0)
        rc = check_pairing(cfg, err);
    if (rc == 0)
        rc = check_threads(cfg, err);
    if (rc == 0)
        rc = tern_shared_check(cfg->shared, err);
    if (rc == 0)
        rc = check_range("", "mbufs per worker", cfg->mbufs, 0, MBUFS_MAX, err);
    if (rc == 0)
        rc = check_range("", "memory in MiB", cfg->mem_mib, 0, MEM_MIB_MAX, err);
    if (rc == 0)
        rc = check_range("", "drain time in ms", cfg->drain_ms, 0, DRAIN_MS_MAX, err);
    if (rc == 0)
        rc = check_range("", "moderation in ns", cfg->moderation_ns, 0, MODERATION_NS_MAX, err);
    return rc;
}
