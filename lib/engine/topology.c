/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine as placement.c wants it: allowed CPUs from the scheduler, their nodes from libnuma,
 * their physical cores from sysfs. What cannot be read (containers hide a lot) becomes the harmless
 * answer: node 0, a core of its own.
 */
#include "placement.h"

#include <errno.h>
#include <limits.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>

static int read_int(const char *path, int otherwise)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return otherwise;
    int value;
    if (fscanf(f, "%d", &value) != 1)
        value = otherwise;
    fclose(f);
    return value;
}

/** A number per physical core: package and core id in one. */
static uint32_t core_of(uint32_t cpu)
{
    char path[128];
    const char *format = "/sys/devices/system/cpu/cpu%u/topology/%s";
    snprintf(path, sizeof path, format, cpu, "physical_package_id");
    const int package = read_int(path, -1);
    snprintf(path, sizeof path, format, cpu, "core_id");
    const int core = read_int(path, -1);
    if (package < 0 || core < 0)
        return UINT32_MAX - cpu;
    return (uint32_t)package << 16 | (uint32_t)core;
}

void tern_topology_read(struct tern_topology *out)
{
    out->n_cpus = 0;
    cpu_set_t *allowed = CPU_ALLOC(TERN_CPUS_MAX);
    const size_t n_bytes = CPU_ALLOC_SIZE(TERN_CPUS_MAX);
    if (allowed == NULL || sched_getaffinity(0, n_bytes, allowed) != 0) {
        CPU_FREE(allowed);
        out->cpus[out->n_cpus++] = (struct tern_cpu){0};
        return;
    }
    const bool has_numa = numa_available() >= 0;
    for (uint32_t id = 0; id < TERN_CPUS_MAX; id++) {
        if (!CPU_ISSET_S(id, n_bytes, allowed))
            continue;
        const int node = has_numa ? numa_node_of_cpu((int)id) : 0;
        out->cpus[out->n_cpus++] =
            (struct tern_cpu){.id = id, .node = node < 0 ? 0 : node, .core = core_of(id)};
    }
    CPU_FREE(allowed);
}

int tern_topology_device_node(const char *sysfs_dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/numa_node", sysfs_dir);
    return read_int(path, -1);
}
