/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Moments in which DPDK's interrupt thread may act, for devices whose handlers take away what
 * workers use.
 *
 * When the peer of a memif goes, the driver's handler unmaps the rings in that thread, whatever a
 * worker is doing with them. So the thread is held in a callback of ours, and let go for a moment,
 * a recess, in which every worker that touches the device waits until it is held again. As long as
 * packets come the peer is there and no handler is needed: workers take a recess after a silence.
 *
 * DPDK has one such thread a process, so this is one a process, too; it knows no devices.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
    TERN_RECESS_SILENCE_US = 10000, /* without a packet, between two recesses */
    TERN_RECESS_US = 100,           /* until the thread is held again, at least */
};

/** One worker more will touch a device. The thread is held when this returns. @return 0, -errno */
int tern_recess_join(void);

/** One of them will not touch it any more. */
void tern_recess_leave(void);

/** A worker received something. */
void tern_recess_heard(uint64_t now_cycles);

/** Time for one: silence, or another worker waits for it. */
bool tern_recess_is_due(uint64_t now_cycles);

/** Let the handlers run. Waits until all other workers have come, too, and it is over. */
void tern_recess_take(void);
