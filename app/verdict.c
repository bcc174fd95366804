/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two questions. Did the run fail: after the drain every connection must have ended under one name
 * and everything taken must be given back; else the program has a fault, and exits with 1. Is the
 * result valid: a load that was itself the bottleneck measured itself, not its target; that is no
 * fault, but the report says so, with the figure that shows it and what would help.
 *
 * In a pair both ends share the machine and are meant to be busy, so a busy worker says nothing
 * there; nor in a bulk transfer, which takes all the core gives.
 */
#include "verdict.h"

#include "error.h"
#include "goal/search.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

__attribute__((format(printf, 2, 3))) static void distrust(
    struct app_result *r, const char *format, ...)
{
    if (r->n_invalid == APP_INVALID_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(r->invalid[r->n_invalid++], APP_INVALID_BYTES, format, args);
    va_end(args);
}

uint64_t app_result_drops(const struct app_result *r, enum tern_drop reason)
{
    uint64_t n = 0;
    if (app_drop_is_loss(reason))
        for (uint32_t e = 0; e < r->n_ends; e++)
            n += r->ends[e].stats.drops[reason];
    return n;
}

/* ---- valid? ---- */

static void judge_workers(struct app_result *r)
{
    for (uint32_t i = 0; i < r->ends[0].n_workers; i++)
        if (r->ends[0].busy[i] > APP_BUSY_LIMIT)
            distrust(r, "worker on lcore %u was %.1f %% busy: raise --workers or lower --rate",
                r->ends[0].workers[i].lcore, 100 * r->ends[0].busy[i]);
}

/* @param most, least  of what the workers did, and by which */
static void find_extremes(const double *did, uint32_t n, uint32_t *most, uint32_t *least)
{
    *most = *least = 0;
    for (uint32_t i = 1; i < n; i++) {
        *most = did[i] > did[*most] ? i : *most;
        *least = did[i] < did[*least] ? i : *least;
    }
}

/* In open loop the schedule shares evenly, in closed loop --conns do. */
static void judge_shares(struct app_result *r)
{
    const struct app_end *end = &r->ends[0];
    double begun[TERN_WORKERS_MAX];
    uint32_t most, least;
    for (uint32_t i = 0; i < end->n_workers; i++)
        begun[i] = (double)r->begun[i];
    find_extremes(begun, end->n_workers, &most, &least);
    if (end->n_workers > 1 && begun[most] >= APP_UNEVEN_STARTS_MIN
        && begun[most] > APP_UNEVEN_LIMIT * begun[least])
        distrust(r,
            "worker on lcore %u began %.0f, on lcore %u %.0f: give each an idle CPU with --lcores",
            end->workers[most].lcore, begun[most], end->workers[least].lcore, begun[least]);
}

static void judge_evenly_busy(struct app_result *r)
{
    const struct app_end *end = &r->ends[0];
    uint32_t most, least;
    find_extremes(end->busy, end->n_workers, &most, &least);
    if (end->n_workers > 1 && end->busy[most] >= APP_UNEVEN_BUSY_MIN
        && end->busy[most] > APP_UNEVEN_LIMIT * end->busy[least])
        distrust(r,
            "worker on lcore %u was %.1f %% busy, on lcore %u %.1f %%: add --ip, or choose "
            "--lcores",
            end->workers[most].lcore, 100 * end->busy[most], end->workers[least].lcore,
            100 * end->busy[least]);
}

static void judge_device(struct app_result *r)
{
    const struct tern_device_info *d = &r->ends[0].device;
    if (d->rx_missed != 0)
        distrust(r, "the device missed %" PRIu64 " packets: raise --workers or lower --rate",
            d->rx_missed);
}

/* What the schedule asked for: connections, or the requests on them. */
static uint64_t n_scheduled(const struct app_result *r)
{
    const uint64_t begun = r->ledger.begun[0] + r->ledger.begun[1];
    const uint64_t asked = r->load.asked[0] + r->load.asked[1];
    return begun > asked ? begun : asked;
}

static void judge_load(struct app_result *r)
{
    const uint64_t tx_full = app_result_drops(r, TERN_DROP_TX_FULL);
    const uint64_t no_mbuf = app_result_drops(r, TERN_DROP_NO_MBUF);
    if (tx_full != 0)
        distrust(r, "%" PRIu64 " packets found the transmit queue full: lower --rate or --conns",
            tx_full);
    if (no_mbuf != 0)
        distrust(r, "%" PRIu64 " packets found no mbuf: lower --conns", no_mbuf);
    const uint64_t not_held = app_result_drops(r, TERN_DROP_IMPAIR_FULL);
    if (not_held != 0)
        distrust(r, "%" PRIu64 " packets were more than may be held back: raise --impair-packets",
            not_held);
    if ((double)r->ledger.late > APP_LATE_LIMIT * (double)n_scheduled(r))
        distrust(r,
            "%" PRIu64 " starts were up to %.1f ms behind their time: raise --workers, or lower "
            "--rate",
            r->ledger.late, (double)r->ledger.late_max_ns / 1e6);
    if (r->not_started != 0)
        distrust(r,
            "%" PRIu64
            " starts were still waiting at the end: raise --conns or --workers, or lower --rate",
            r->not_started);
    if (r->load.no_port != 0)
        distrust(r, "no local port was free %" PRIu64 " times: add --ip, or shorten --time-wait",
            r->load.no_port);
}

static void judge_search(struct app_result *r)
{
    char why[APP_INVALID_BYTES];
    if (app_search_doubt(r->search, why, sizeof why)[0] != '\0')
        distrust(r, "%s", why);
}

/* ---- failed? ---- */

static bool has_balance(const struct app_result *r, const struct app_run *run)
{
    bool good = true;
    for (uint32_t e = 0; e < r->n_ends; e++) {
        const struct tern_stats *s = &r->ends[e].stats;
        good = good && tern_stats_balance(s) && s->open_now == 0 && s->opening_now == 0;
    }
    if (run->load == NULL)
        return good;
    const struct app_ledger *l = &r->ledger;
    const bool all_ended = r->books.opened == r->books.closed + r->books.failed
                           && l->begun[0] == app_ledger_n_ended(l, false)
                           && l->begun[1] == app_ledger_n_ended(l, true)
                           && l->begun[0] + l->begun[1] == r->load.opened;
    const bool not_too_many = run->load->cfg.count == 0 || r->load.opened <= run->load->cfg.count;
    return good && all_ended && not_too_many && app_goodput_balances(&r->goodput);
}

static bool has_leaks(const struct tern_leaks *l)
{
    return (l->mbufs | l->conns | l->halves | l->time_waits | l->records | l->timers) != 0;
}

void app_verdict_judge(struct app_result *r, const struct app_run *run)
{
    const struct tern_stats *s = &r->ends[0].stats;
    if (r->books.established != 0)
        r->packets_per_connection =
            (double)(s->rx_packets + s->tx_packets) / (double)r->books.established;
    r->balanced = has_balance(r, run);
    r->leaked = has_leaks(&r->leaks);
    if (run->load == NULL)
        return;
    if (r->search != NULL) { /* each of its steps was judged */
        judge_search(r);
        return;
    }
    judge_load(r);
    if (r->n_ends == 1)
        judge_device(r);
    if (r->held.open < r->held.wanted)
        distrust(r, "%" PRIu64 " of %" PRIu64 " connections were held: see what failed, above",
            r->held.open, r->held.wanted);
    if (run->stream != NULL || r->held.wanted != 0)
        return;
    judge_shares(r);
    if (r->n_ends == 1) {
        judge_workers(r);
        judge_evenly_busy(r);
    }
}

int app_verdict_error(const struct app_result *r, struct tern_error *err)
{
    if (r->balanced && !r->leaked)
        return 0;
    app_refuse(err, "%s; the summary above has the figures: please report it",
        r->balanced ? "something was not given back (leaked)" : "the books do not balance");
    return -EIO;
}
