/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers have counted and timed, summed: by scenario, and as a whole. */
#include "load.h"

/* NULL: the worker has not begun. */
static const struct app_load_part *part_at(
    const struct app_load *load, uint32_t worker, uint32_t part)
{
    const struct app_load_worker *w = app_load_worker_at(load, worker);
    return w == NULL ? NULL : &w->parts[part];
}

uint32_t app_load_n_parts(const struct app_load *load)
{
    return load->cfg.mix == NULL ? 1 : load->cfg.mix->n;
}

/* ---- counts ---- */

static uint64_t read_counter(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add_requests(struct app_load_counts *sum, const struct app_load_counts *c)
{
    for (int counts = 0; counts < 2; counts++)
        sum->asked[counts] += read_counter(&c->asked[counts]);
    sum->answered += read_counter(&c->answered);
    sum->unanswered += read_counter(&c->unanswered);
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        sum->wrong[why] += read_counter(&c->wrong[why]);
    for (int i = 0; i < APP_STATUS_CLASSES; i++)
        sum->status[i] += read_counter(&c->status[i]);
}

static void add_counts(struct app_load_counts *sum, const struct app_load_counts *c)
{
    sum->opened += read_counter(&c->opened);
    sum->no_port += read_counter(&c->no_port);
    add_requests(sum, c);
    for (int why = 0; why < APP_FAIL_COUNT; why++)
        sum->failed[why] += read_counter(&c->failed[why]);
    app_stream_books_add(&sum->stream, &c->stream);
}

void app_load_add_counts(const struct app_load *load, uint32_t part, struct app_load_counts *sum)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_part *p = part_at(load, i, part);
        if (p != NULL)
            add_counts(sum, &p->counts);
    }
}

void app_load_sum(const struct app_load *load, struct app_load_counts *out)
{
    *out = (struct app_load_counts){.opened = 0};
    for (uint32_t part = 0; part < app_load_n_parts(load); part++)
        app_load_add_counts(load, part, out);
}

/* ---- the ledger ---- */

void app_load_add_ledger(const struct app_load *load, uint32_t part, struct app_ledger *sum)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_part *p = part_at(load, i, part);
        if (p != NULL)
            app_ledger_add(sum, &p->measure.ledger);
    }
}

void app_load_ledger(const struct app_load *load, struct app_ledger *out)
{
    *out = (struct app_ledger){.late = 0};
    for (uint32_t part = 0; part < app_load_n_parts(load); part++)
        app_load_add_ledger(load, part, out);
}

/* Of what counts, in open loop of those due: connections, or requests where these are paced. */
static uint64_t n_started(const struct app_load_worker *w)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < w->n_parts; i++)
        n += read_counter(w->load->cfg.scenario->paces_requests
                              ? &w->parts[i].counts.asked[true]
                              : &w->parts[i].measure.ledger.begun[true]);
    return n;
}

uint64_t app_load_begun(const struct app_load *load, uint32_t worker)
{
    const struct app_load_worker *w = app_load_worker_at(load, worker);
    return w == NULL ? 0 : n_started(w);
}

static uint64_t not_started(const struct app_load_worker *w)
{
    if (w->step != 0) /* each step has books of its own */
        return 0;
    const uint64_t end_ns = w->end_ns < w->opens_until_ns ? w->end_ns : w->opens_until_ns;
    const uint64_t until_ns = end_ns - APP_LATE_NS;
    const bool is_over = w->n_opened == w->count_max; /* as it was told */
    if (!w->warm || w->load->cfg.rate == 0 || is_over || until_ns < w->steady_ns)
        return 0;
    if (w->step != 0) /* each step has books of its own */
        return 0;
    const uint64_t due =
        app_pace_due_before(&w->pace, until_ns) - app_pace_due_before(&w->pace, w->steady_ns);
    const uint64_t n = n_started(w);
    return n < due ? due - n : 0;
}

uint64_t app_load_not_started(const struct app_load *load)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < load->cfg.n_workers; i++)
        if (load->workers[i] != NULL)
            n += not_started(load->workers[i]);
    return n;
}

/* ---- times ---- */

void app_load_add_times(
    const struct app_load *load, uint32_t part, enum app_metric m, struct app_hist *sum)
{
    for (uint32_t i = 0; i < load->cfg.n_workers; i++) {
        const struct app_load_part *p = part_at(load, i, part);
        if (p != NULL && p->measure.hist != NULL)
            app_hist_merge(sum, &p->measure.hist[m]);
    }
}

void app_load_times(const struct app_load *load, enum app_metric m, struct app_hist *out)
{
    for (uint32_t part = 0; part < app_load_n_parts(load); part++)
        app_load_add_times(load, part, m, out);
}
