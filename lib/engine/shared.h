/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A process that others may attach to: dpdk-dumpcap, dpdk-proc-info. DPDK then wants its memory in
 * files (hugepages in a hugetlbfs), and workers on lcores of its own: a thread that registers
 * itself ends multi-process for good (rte_thread_register()).
 */
#include <tern/config.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct tern_worker;

/** Can other processes find us under this name? @param name  NULL: they need not */
TERN_MUST_CHECK int tern_shared_check(const char *name, struct tern_error *err);

/** DPDK runs: hear those that attach, and leave nothing behind when the process ends. */
TERN_MUST_CHECK int tern_shared_open(const char *name, struct tern_error *err);

/** Run a worker on an lcore, one of 1.. of its own. @return 0 or -errno */
TERN_MUST_CHECK int tern_shared_launch(struct tern_worker *w);
void tern_shared_join(const struct tern_worker *w);
