/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Which CPU each worker runs on. Pure functions of a topology; tern_topology_read() gets the real
 * one. */
#include <tern/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TERN_CPUS_MAX = 1024 };

struct tern_cpu {
    uint32_t id;
    int node;      /* NUMA node */
    uint32_t core; /* physical core: hardware threads that share one have the same number */
};

/** The CPUs this process may run on, by rising id. */
struct tern_topology {
    uint32_t n_cpus;
    struct tern_cpu cpus[TERN_CPUS_MAX];
};

/** What is asked for and given, worker by worker (all endpoints in one row). */
struct tern_placement {
    uint32_t n_workers;
    const int *nodes;             /* [n_workers] node of the worker's device, -1 = any */
    const struct tern_cpu **cpus; /* [n_workers] out: where it runs, an entry of the topology */
};

/**
 * Give each worker a CPU: the least used, of these one on its device's node, of these one whose
 * physical core is idle; CPU 0, where the kernel keeps house, last.
 */
void tern_place(const struct tern_topology *t, struct tern_placement *p);

/**
 * Give the workers the CPUs of a list ("2,3" or "2-5"), in its order.
 * @return 0, or -EINVAL with one line in *err: no list, too short, a CPU named twice or not allowed
 */
TERN_MUST_CHECK int tern_place_on_list(const struct tern_topology *t, const char *list,
    struct tern_placement *p, struct tern_error *err);

/** Workers that run on another node than their device is on. */
uint32_t tern_place_n_remote(const struct tern_placement *p);

/** "0-3,8" for the CPUs of the topology. @return buf */
char *tern_topology_cpus(const struct tern_topology *t, char *buf, size_t n_buf);

/** This machine, and the CPUs allowed to this process. */
void tern_topology_read(struct tern_topology *out);

/** NUMA node of a kernel device directory ("/sys/bus/pci/devices/…"); -1: none or unknown. */
int tern_topology_device_node(const char *sysfs_dir);
