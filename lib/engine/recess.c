/* SPDX-License-Identifier: BSD-3-Clause */
#include "recess.h"

/*
 *              take() by the last worker                        alarm
 *   held ------------------------------------> let go --------------------------> held
 *   hold() waits in the interrupt thread       handlers run, workers wait         workers go on
 *
 * An alarm's callback runs in the interrupt thread, between handlers, so hold() needs nothing that
 * DPDK does not offer to all. What is ready when the thread is let go is handled, if not in this
 * recess then in the next: the alarm that ends one is an event like the others.
 *
 * Rejected: a lock around every burst (an atomic operation a poll, for a moment an hour), and only
 * to keep the thread off the workers' CPUs (a burst may be interrupted by others for longer than
 * the handler needs).
 */
#include <rte_alarm.h>
#include <rte_cycles.h>

#include <assert.h>
#include <pthread.h>

enum { HEARD_US = 1000 /* packets are noted so often; the line is all workers' */ };

static struct __attribute__((aligned(64))) {
    uint64_t heard_cycles; /* atomic: the last packet that was noted, or the last recess */
    bool is_asked;         /* atomic: a worker waits for the others */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint32_t n_workers, n_away; /* that touch a device; of these wait in take() */
    uint32_t n_holds;           /* times the thread has been held */
    bool is_held;
} recess = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static uint64_t cycles_of_us(uint32_t us)
{
    return rte_get_tsc_hz() / 1000000 * us;
}

static void begin_hold(void)
{
    recess.n_away = 0;
    recess.n_holds++;
    recess.is_held = true;
    __atomic_store_n(&recess.is_asked, false, __ATOMIC_RELAXED);
    __atomic_store_n(&recess.heard_cycles, rte_rdtsc(), __ATOMIC_RELAXED);
    pthread_cond_broadcast(&recess.moved);
}

/** In the interrupt thread. Without an alarm that brings it back it stays: no recess this time. */
static void hold(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&recess.lock);
    while (recess.n_workers > 0) {
        begin_hold();
        while (recess.is_held)
            pthread_cond_wait(&recess.moved, &recess.lock);
        if (recess.n_workers == 0 || rte_eal_alarm_set(TERN_RECESS_US, hold, NULL) == 0)
            break;
    }
    pthread_mutex_unlock(&recess.lock);
}

/** The last one that was missing has come, or is gone. */
static void let_go(void)
{
    if (recess.n_away < recess.n_workers)
        return;
    recess.is_held = false;
    pthread_cond_broadcast(&recess.moved);
}

int tern_recess_join(void)
{
    int rc = 0;
    pthread_mutex_lock(&recess.lock);
    if (recess.n_workers == 0)
        rc = rte_eal_alarm_set(1, hold, NULL);
    recess.n_workers += rc == 0;
    while (rc == 0 && !recess.is_held)
        pthread_cond_wait(&recess.moved, &recess.lock);
    pthread_mutex_unlock(&recess.lock);
    return rc;
}

void tern_recess_leave(void)
{
    pthread_mutex_lock(&recess.lock);
    assert(recess.n_workers > 0);
    recess.n_workers--;
    let_go();
    const bool is_last = recess.n_workers == 0;
    pthread_mutex_unlock(&recess.lock);
    if (is_last)
        rte_eal_alarm_cancel(hold, NULL);
}

void tern_recess_heard(uint64_t now_cycles)
{
    const uint64_t heard = __atomic_load_n(&recess.heard_cycles, __ATOMIC_RELAXED);
    if ((int64_t)(now_cycles - heard) > (int64_t)cycles_of_us(HEARD_US))
        __atomic_store_n(&recess.heard_cycles, now_cycles, __ATOMIC_RELAXED);
}

bool tern_recess_is_due(uint64_t now_cycles)
{
    const uint64_t heard = __atomic_load_n(&recess.heard_cycles, __ATOMIC_RELAXED);
    return __atomic_load_n(&recess.is_asked, __ATOMIC_RELAXED)
           || (int64_t)(now_cycles - heard) > (int64_t)cycles_of_us(TERN_RECESS_SILENCE_US);
}

void tern_recess_take(void)
{
    pthread_mutex_lock(&recess.lock);
    const uint32_t n_holds = recess.n_holds;
    __atomic_store_n(&recess.is_asked, true, __ATOMIC_RELAXED);
    recess.n_away++;
    let_go();
    while (recess.n_holds == n_holds)
        pthread_cond_wait(&recess.moved, &recess.lock);
    pthread_mutex_unlock(&recess.lock);
}
