/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An engine seen from outside, over DPDK's telemetry socket: /tern/info, /tern/stats, /tern/drops
 * and /tern/conns. The socket is in a directory of its owner alone.
 */
#include <tern/config.h>

#include <stddef.h>

struct tern_engine;

/* ---- telemetry_socket.c: before DPDK starts, and binds it ---- */

enum { TERN_TELEMETRY_NOTE_BYTES = 128 };

/** The directory while it is being used by one process that starts. */
struct tern_telemetry_dir_lock {
    int fd;                               /* -1: none */
    char note[TERN_TELEMETRY_NOTE_BYTES]; /* why not, or empty */
};

/**
 * See that the directory is there, ours, and that nothing in it would stop DPDK; keep others that
 * start out of it. @return true: DPDK may have its socket; false: the note says why not
 */
bool tern_telemetry_prepare(struct tern_telemetry_dir_lock *lock);
void tern_telemetry_release(struct tern_telemetry_dir_lock *lock);

/* ---- telemetry.c: the commands ---- */

/** Let DPDK know them; once a process. */
void tern_telemetry_register(void);

/** From now on they are about this engine, whose workers run. */
void tern_telemetry_show(struct tern_engine *e);
/** … and no more when this returns. No-op of one that is not shown. */
void tern_telemetry_hide(const struct tern_engine *e);
