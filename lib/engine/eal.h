/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* DPDK's environment: started once a process, quietly, with the memory that was computed. */
#include <tern/config.h>

#include "placement.h"
#include "telemetry.h"

#include <stdbool.h>
#include <stdint.h>

/** Keeps DPDK's log lines off the terminal, and the latest of them for our error messages. */
struct tern_eal_log;

struct tern_eal_log *tern_eal_log_open(void);
void tern_eal_log_close(struct tern_eal_log *log);
/** Forget what was logged so far. */
void tern_eal_log_mark(struct tern_eal_log *log);
/** What was logged since the mark, on one line; "nothing was logged" when that is so. */
const char *tern_eal_log_text(struct tern_eal_log *log);

struct tern_eal_options {
    const struct tern_topology *workers_cpus; /* DPDK's own threads stay off these, if they can */
    bool no_huge;
    uint64_t mem_bytes; /* with no_huge: all DPDK memory there will be */
    bool pci;           /* a PCI device will be opened */
    bool telemetry;     /* with a socket that others of this user can ask */
    const char *shared; /* name for other processes; NULL: none may attach */
    uint32_t n_workers; /* shared: lcores for them, from 1 on */
};

/** True when this process has started DPDK already (an earlier engine, or the application itself).
 */
bool tern_eal_is_running(void);

/** Start DPDK, unless it runs. @param telemetry_note  why there is no telemetry though it was asked
 * for, or empty @return 0 or -errno with one line in *err */
TERN_MUST_CHECK int tern_eal_start(const struct tern_eal_options *o, struct tern_eal_log *log,
    char telemetry_note[TERN_TELEMETRY_NOTE_BYTES], struct tern_error *err);
