/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who attaches asks this process to copy packets: the callbacks are DPDK's own (rte_pdump), and run
 * in the workers as long as the other one wants them. What it does not do right is not repaired
 * here: a sent packet is copied again at every try, and its checksums are as the device gets them.
 *
 * An lcore starts a worker and takes it back; in between it is the worker's thread as any other,
 * which places itself (worker_thread.c).
 */
#include "shared.h"

#include "error.h"
#include "internal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_pdump.h>

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool is_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    return name[0] != '\0' && strlen(name) <= TERN_SHARED_NAME_MAX;
}

int tern_shared_check(const char *name, struct tern_error *err)
{
    if (name == NULL || is_name(name))
        return 0;
    return tern_fail(err, -EINVAL,
        "shared: '%.64s' is no name; give 1 to %d letters, digits, '-' or '_'", name,
        TERN_SHARED_NAME_MAX);
}

/** Files in a hugetlbfs keep their pages when the process is gone. The few that DPDK itself still
 * holds stay until the name is used again. */
static void clean_up(void)
{
    rte_eal_cleanup();
}

int tern_shared_open(const char *name, struct tern_error *err)
{
    if (rte_pdump_init() == 0 && atexit(clean_up) == 0)
        return 0;
    return tern_fail(err, -EIO,
        "shared: DPDK does not listen for others as '%s' (%s); choose another name", name,
        rte_strerror(rte_errno));
}

/** All workers in one row, behind the caller's lcore 0. */
static uint32_t lcore_of(const struct tern_worker *w)
{
    const uint32_t n_before = w->ep->idx == 0 ? 0 : w->engine->endpoints[0].cfg.n_workers;
    return 1 + n_before + w->idx;
}

/** Signals are the caller's business, see engine.c. */
static int run_worker(void *worker)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    tern_worker_main(worker);
    return 0;
}

int tern_shared_launch(struct tern_worker *w)
{
    return rte_eal_remote_launch(run_worker, w, lcore_of(w));
}

void tern_shared_join(const struct tern_worker *w)
{
    rte_eal_wait_lcore(lcore_of(w));
}
