/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function run on a worker's thread, asked for by another: the one way to look into a shard that
 * lives.
 *
 * A worker has one slot. The asker fills it, raises a flag and waits; the worker sees the flag in
 * its next poll, runs the function under the slot's lock and says when it is done. Who has the lock
 * may run the function or take it back, so an asker whose time is up knows that it does not run any
 * more, and the worker that ends refuses whoever waits.
 *
 * The worker never waits: where the asker has the lock, the function's turn is the next poll. While
 * nobody asks a call costs a worker one load of a line that it has read already in this poll, and
 * that nobody writes.
 *
 * Rejected: a ring of calls (nobody is in such a hurry), signals (a worker takes none), and
 * stopping the workers.
 */
#include "internal.h"

#include <errno.h>

void tern_call_slot_init(struct tern_call_slot *slot)
{
    pthread_mutex_init(&slot->lock, NULL);
    tern_cond_init(&slot->moved);
}

void tern_call_slot_fini(struct tern_call_slot *slot)
{
    pthread_cond_destroy(&slot->moved);
    pthread_mutex_destroy(&slot->lock);
}

/* ---- the worker ---- */

bool tern_worker_take_call(struct tern_worker *w)
{
    struct tern_call_slot *slot = &w->call;
    if (pthread_mutex_trylock(&slot->lock) != 0)
        return false;
    const bool had_one = slot->fn != NULL;
    if (had_one && slot->fn(w->sh, slot->ctx)) {
        slot->fn = NULL;
        __atomic_store_n(&w->has_call, false, __ATOMIC_RELAXED);
        pthread_cond_signal(&slot->moved);
    }
    pthread_mutex_unlock(&slot->lock);
    return had_one;
}

void tern_worker_refuse_calls(struct tern_worker *w)
{
    pthread_mutex_lock(&w->call.lock);
    w->call.is_closed = true;
    pthread_cond_signal(&w->call.moved);
    pthread_mutex_unlock(&w->call.lock);
}

/* ---- the asker ---- */

/** Under the lock, the slot being ours. */
static int wait_for_worker(struct tern_worker *w, const struct timespec *until)
{
    struct tern_call_slot *slot = &w->call;
    int rc = 0;
    while (slot->fn != NULL && !slot->is_closed && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&slot->moved, &slot->lock, until);
    if (slot->fn == NULL)
        return 0;
    slot->fn = NULL;
    __atomic_store_n(&w->has_call, false, __ATOMIC_RELAXED);
    return slot->is_closed ? -ESHUTDOWN : -ETIMEDOUT;
}

static int ask(struct tern_worker *w, tern_worker_call *fn, void *ctx, const struct timespec *until)
{
    struct tern_call_slot *slot = &w->call;
    if (slot->is_closed)
        return -ESHUTDOWN;
    if (slot->is_taken)
        return -EBUSY;
    slot->is_taken = true;
    slot->fn = fn;
    slot->ctx = ctx;
    __atomic_store_n(&w->has_call, true, __ATOMIC_RELAXED);
    const int rc = wait_for_worker(w, until);
    slot->is_taken = false;
    return rc;
}

int tern_engine_call(struct tern_engine *e, uint32_t ep, uint32_t worker, tern_worker_call *fn,
    void *ctx, uint32_t timeout_ms)
{
    if (worker >= tern_engine_n_workers(e, ep))
        return -EINVAL;
    struct tern_worker *w = &e->endpoints[ep].workers[worker];
    const struct timespec until = tern_deadline_in_ms(timeout_ms);
    pthread_mutex_lock(&w->call.lock);
    const int rc = ask(w, fn, ctx, &until);
    pthread_mutex_unlock(&w->call.lock);
    return rc;
}
