/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open connections and hold them, idle, until the load ends; then close them all, in order. What is
 * opening, and what is closing, is a few hundred at a time: the other end's ring has room for them.
 * A connection carries no state of ours. Those to close are found by walking over the shard's
 * connections, which begins when none is opening any more.
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>

enum { CLOSING_MAX = 256, CLOSE_BURST = 64 };

struct hold_worker {
    uint64_t cursor;            /**< of the walk */
    uint64_t n_asked, n_closed; /**< since the load was told to end */
};

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_load_part *p = app_load_part_of(sh, c);
    app_load_time(sh, c, APP_METRIC_CONNECT);
    if (app_load_is_ending(p))
        tern_close(sh, c);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    struct hold_worker *h = p->state;
    h->n_closed += app_load_is_ending(p);
    app_load_closed(sh, c, why);
}

/* Close some more, as long as not too many are on their way. */
static bool end(struct tern_shard *sh, struct app_load_part *p)
{
    struct hold_worker *h = p->state;
    struct tern_conn *conns[CLOSE_BURST];
    if (p->worker->live == 0 || tern_shard_stats(sh)->opening_now > 0
        || h->n_asked > h->n_closed + CLOSING_MAX)
        return false;
    const uint32_t n = tern_shard_conns(sh, &h->cursor, conns, CLOSE_BURST);
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(conns[i]);
    for (uint32_t i = 0; i < n; i++)
        tern_close(sh, conns[i]);
    h->n_asked += n;
    return n > 0;
}

static const struct tern_app hold_app = {
    .on_open = on_open, .on_peer_closed = on_peer_closed, .on_closed = on_closed};

static int start(struct tern_shard *sh, struct app_load_part *p)
{
    (void)sh;
    p->state = calloc(1, sizeof(struct hold_worker));
    return p->state == NULL ? -ENOMEM : 0;
}

static void stop(struct app_load_part *p)
{
    free(p->state);
}

const struct app_scenario app_scenario_hold = {
    .name = "hold",
    .serves = "discard",
    .app = &hold_app,
    .holds = true,
    .opening_max = 512,
    .start = start,
    .stop = stop,
    .end = end,
};
