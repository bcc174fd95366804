/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUs and memory. Workers poll without pause, so what matters is how many CPUs there are for them,
 * whether the scheduler puts anything else there, and whether the clock stays up. Hugepages are
 * worth having and never needed: without them tern runs on 4 KiB pages.
 */
#include "finding.h"

#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CPU_DIR  "/sys/devices/system/cpu/"
#define NODE_DIR "/sys/devices/system/node/"
#define HUGE_DIR "/sys/kernel/mm/hugepages"

enum { MIB = 1 << 20, MEMORY_WANTED_MIB = 1024, HUGEPAGES_WANTED = 1024 };

static void check_isolation(struct app_findings *f, int n_cpus)
{
    char isolated[128] = "";
    app_read_line(CPU_DIR "isolated", isolated, sizeof isolated);
    if (isolated[0] != '\0') {
        app_found(f, APP_OK, "isolation", "CPUs %s are kept free for workers", isolated);
        return;
    }
    struct app_finding *x = app_found(f, n_cpus > 2 ? APP_WARN : APP_OK, "isolation",
        "no isolated CPUs: other programs may interrupt a worker; matters for measurements only");
    if (n_cpus > 2)
        app_mend(x, "add isolcpus=2-%d nohz_full=2-%d to the kernel's command line, and reboot",
            n_cpus - 1, n_cpus - 1);
}

static void check_governor(struct app_findings *f)
{
    char governor[64];
    if (!app_read_line(CPU_DIR "cpu0/cpufreq/scaling_governor", governor, sizeof governor)) {
        app_found(f, APP_OK, "governor", "none: the clock is not this machine's to change");
        return;
    }
    const bool best = strcmp(governor, "performance") == 0;
    struct app_finding *x =
        app_found(f, best ? APP_OK : APP_WARN, "governor", "frequency governor %s", governor);
    if (!best)
        app_mend(x, "cpupower frequency-set -g performance");
}

void app_check_cpus(struct app_findings *f)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    const int n = CPU_COUNT(&allowed);
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    struct app_finding *x = app_found(f, n >= 2 ? APP_OK : APP_WARN, "cpus",
        "%d of %ld CPUs may be used%s", n, online, n < 2 ? ": the ends of a pair share it" : "");
    if (n < 2 && online > n)
        app_mend(x, "taskset -c 0-%ld tern pair", online - 1);
    check_isolation(f, n);
    check_governor(f);
}

void app_check_numa(struct app_findings *f)
{
    char nodes[64] = "0";
    app_read_line(NODE_DIR "online", nodes, sizeof nodes);
    const bool one = strpbrk(nodes, "-,") == NULL;
    app_found(f, APP_OK, "numa",
        one ? "one NUMA node" : "NUMA nodes %s: workers are put on the device's", nodes);
}

/* ---- hugepages ---- */

static uint64_t read_huge(const char *size, const char *what)
{
    char path[256];
    snprintf(path, sizeof path, HUGE_DIR "/%.64s/%s", size, what);
    return app_read_number(path, 0);
}

/* One size, "hugepages-2048kB". @return pages reserved */
static uint64_t check_size(struct app_findings *f, const char *size)
{
    uint64_t kib = 0;
    sscanf(size, "hugepages-%" SCNu64 "kB", &kib);
    const uint64_t reserved = read_huge(size, "nr_hugepages");
    const uint64_t free_now = read_huge(size, "free_hugepages");
    if (reserved > 0)
        app_found(f, free_now > 0 ? APP_OK : APP_WARN, "hugepages",
            "%" PRIu64 " of %" PRIu64 " pages of %" PRIu64 " MiB are free", free_now, reserved,
            kib / 1024);
    return reserved;
}

void app_check_hugepages(struct app_findings *f)
{
    uint64_t reserved = 0;
    DIR *dir = opendir(HUGE_DIR);
    if (dir == NULL) {
        app_found(f, APP_WARN, "hugepages", "this kernel has none; tern runs on 4 KiB pages");
        return;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, "hugepages-", strlen("hugepages-")) == 0)
            reserved += check_size(f, e->d_name);
    closedir(dir);
    if (reserved > 0)
        return;
    app_mend(app_found(f, APP_WARN, "hugepages",
                 "none are reserved; tern runs on 4 KiB pages, slower with many connections"),
        "sysctl -w vm.nr_hugepages=%d", (int)HUGEPAGES_WANTED);
}

/* ---- memory ---- */

static uint64_t available_mib(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib / 1024;
}

static void check_memlock(struct app_findings *f)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY || geteuid() == 0) {
        app_found(f, APP_OK, "memlock", "locked memory is not limited");
        return;
    }
    app_mend(app_found(f, APP_WARN, "memlock",
                 "locked memory is limited to %" PRIu64 " KiB: AF_XDP and VFIO need more",
                 (uint64_t)limit.rlim_cur / 1024),
        "ulimit -l unlimited");
}

void app_check_memory(struct app_findings *f)
{
    const uint64_t mib = available_mib();
    struct app_finding *x = app_found(f, mib >= MEMORY_WANTED_MIB ? APP_OK : APP_WARN, "memory",
        "%" PRIu64 " MiB available", mib);
    if (mib < MEMORY_WANTED_MIB)
        app_mend(x, "tern pair --conns-max 1k, or give the machine more memory");
    check_memlock(f);
}
