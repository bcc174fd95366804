/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the run, which waits and takes samples, and the search, which knows no engine. What is
 * said meanwhile goes to those who look on: a screen has no room for it, and the summary tells it
 * again.
 */
#include "seek.h"

#include "diagnose.h"
#include "search_result.h"

#include <errno.h>
#include <stdlib.h>

/* What a step is measured by. */
static void read_moment(void *ctx, struct app_moment *out)
{
    const struct app_seek *k = ctx;
    const uint32_t n_ends = k->run->cfg->n_endpoints;
    *out = (struct app_moment){.lost = 0};
    app_sample_take(k->sampler, &out->sample);
    app_load_sum(k->run->load, &out->counts);
    for (uint32_t ep = 0; ep < n_ends; ep++) {
        struct tern_stats stats;
        tern_engine_stats(k->engine, ep, &stats);
        out->segments += ep == 0 ? stats.tx_segments : 0;
        out->lost += stats.drops[TERN_DROP_TX_FULL] + stats.drops[TERN_DROP_NO_MBUF];
    }
    if (n_ends == 1) {
        struct tern_device_info device;
        tern_engine_device(k->engine, 0, &device);
        out->lost += device.rx_missed;
    }
}

int app_seek_begin(struct app_seek *k, const struct app_run *run, struct tern_engine *engine,
    const struct app_sampler *sampler)
{
    *k = (struct app_seek){.run = run, .engine = engine, .sampler = sampler};
    if (run->goal == NULL || !run->goal->searches)
        return 0;
    k->search = app_search_new(run->goal, run->load, run->goal->rate_max, read_moment, k);
    if (k->search == NULL)
        return -ENOMEM;
    k->search->has_load_alone = run->cfg->n_endpoints == 1;
    return 0;
}

void app_seek_fini(struct app_seek *k)
{
    app_search_free(k->search);
}

bool app_seek_is_on(const struct app_seek *k)
{
    return k->search != NULL;
}

/* ---- saying it ---- */

/* `print` to those who look on. @return true when somebody shows it */
static bool say(
    const struct app_run *run, void (*print)(FILE *out, const void *what), const void *what)
{
    char *text = NULL;
    size_t n_bytes;
    FILE *out = open_memstream(&text, &n_bytes);
    if (out == NULL)
        return false;
    print(out, what);
    const bool is_whole = fclose(out) == 0;
    const bool is_shown = is_whole && app_observers_say(run, text);
    free(text);
    return is_shown;
}

static void print_last_step(FILE *out, const void *search)
{
    const struct app_search *s = search;
    app_search_report_step(out, s, s->n_steps - 1);
}

static void print_diagnosis(FILE *out, const void *diagnosis)
{
    app_diagnosis_report(out, diagnosis);
}

bool app_seek_poll(struct app_seek *k, uint64_t now_ns)
{
    if (k->search == NULL)
        return false;
    if (app_search_poll(k->search, now_ns) != NULL)
        k->search->is_shown = say(k->run, print_last_step, k->search);
    return k->search->end != APP_SEARCH_GOES_ON;
}

void app_seek_second(const struct app_seek *k, uint32_t n)
{
    struct app_diagnosis d;
    if (n == APP_SILENT_S && app_diagnose_run(k->run, k->engine, &d))
        say(k->run, print_diagnosis, &d);
}

/* ---- the end ---- */

void app_seek_end(struct app_seek *k, const struct app_sample *end, struct app_result *r)
{
    r->is_silent = app_diagnose_run(k->run, k->engine, &r->diagnosis);
    r->search = k->search;
    if (k->search == NULL)
        return;
    app_search_interrupt(k->search);
    const struct app_step *found = app_search_found(k->search);
    const double achieved = found == NULL ? 0 : found->achieved;
    r->cps = k->run->load->cfg.scenario->paces_requests ? 0 : achieved;
    r->rps = end->answered == 0 ? 0 : achieved;
}
