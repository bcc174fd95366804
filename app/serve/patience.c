/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is first gets the timer. When it leaves, the timer goes to the next; where there is no record
 * for a timer the queue asks again with each one that enters or leaves, so those that wait are
 * late, and not forgotten. Rejected: a timer for each, of which an attacker's connections would
 * take all there are; a look at the clock behind every poll, which everybody would pay for.
 */
#include "patience.h"

static void unlink_debtor(struct app_patience *p, struct app_debtor *d)
{
    *(d->prev != NULL ? &d->prev->next : &p->first) = d->next;
    *(d->next != NULL ? &d->next->prev : &p->last) = d->prev;
    d->prev = d->next = NULL;
    d->queue = NULL;
}

/* The timer is the first one's. */
static void watch_first(struct tern_shard *sh, struct app_patience *p)
{
    const struct app_debtor *d = p->first;
    if (d == NULL || d == p->watched)
        return;
    const uint64_t now_ns = tern_shard_now_ns(sh);
    const uint64_t left_ns = d->due_ns > now_ns ? d->due_ns - now_ns : 0;
    p->watched = tern_timer_arm(sh, d->conn, left_ns) == 0 ? d : NULL;
}

void app_patience_enter(
    struct tern_shard *sh, struct app_patience *p, struct app_debtor *d, struct tern_conn *conn)
{
    *d = (struct app_debtor){
        .prev = p->last, .queue = p, .conn = conn, .due_ns = tern_shard_now_ns(sh) + p->time_ns};
    *(p->last != NULL ? &p->last->next : &p->first) = d;
    p->last = d;
    watch_first(sh, p);
}

void app_patience_leave(struct tern_shard *sh, struct app_debtor *d, bool ended)
{
    struct app_patience *p = d->queue;
    if (p == NULL)
        return;
    unlink_debtor(p, d);
    if (p->watched == d) {
        p->watched = NULL;
        if (!ended)
            tern_timer_cancel(sh, d->conn);
    }
    watch_first(sh, p);
}

bool app_patience_is_over(struct tern_shard *sh, struct app_debtor *d)
{
    struct app_patience *p = d->queue;
    if (p == NULL)
        return false;
    if (p->watched == d)
        p->watched = NULL; /* it has fired */
    const bool is_over = d->due_ns <= tern_shard_now_ns(sh);
    if (is_over)
        unlink_debtor(p, d);
    watch_first(sh, p);
    return is_over;
}
