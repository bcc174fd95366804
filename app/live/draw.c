/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the top: what runs and how far it is; rates against the goal; times; what was lost; workers;
 * what was printed meanwhile. A narrow terminal has fewer percentiles and one column of losses, a
 * low one fewer workers and no empty lines.
 */
#include "draw.h"

#include "../run.h"
#include "pen.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LABEL_COLUMNS = 12,
    FIGURE_COLUMNS = 9, /* of a time */
    LOSS_COLUMNS = 38,
    ROOMY_ROWS = 22, /* with so many, sections stand apart */
    SECTION_ROWS_MIN = 2,
    WELL = 99, /* per cent of the goal */
};
#define SECOND_NS UINT64_C(1000000000)

static void heading(struct app_pen *p, const char *text)
{
    if (p->n_rows >= ROOMY_ROWS)
        app_pen_next(p);
    app_pen_put(p, APP_INK_STRONG, "%s", text);
}

/* The last values as far as the row reaches. */
static void spark(struct app_pen *p, const struct app_history *h)
{
    const uint32_t n = app_history_n(h, app_pen_columns_left(p));
    uint64_t most = 0;
    for (uint32_t i = 0; i < n; i++)
        most = app_history_at(h, n, i) > most ? app_history_at(h, n, i) : most;
    for (uint32_t i = 0; i < n; i++)
        app_pen_repeat(
            p, APP_INK_GOOD, app_words_spark(app_history_at(h, n, i), most, p->plain), 1);
}

/* So much of the columns. @param share  0..1 */
static void bar(struct app_pen *p, uint32_t columns, double share)
{
    const uint32_t full = (uint32_t)(share * columns + 0.5);
    app_pen_repeat(p, APP_INK_PLAIN, p->plain ? L'#' : L'█', full);
    app_pen_repeat(p, APP_INK_FAINT, p->plain ? L'-' : L'░', columns - full);
}

/* ---- how far it is ---- */

/* @return until the run is over, or the drain; UINT64_MAX: until somebody ends it */
static uint64_t left_ns(const struct app_view *v)
{
    const struct app_frame *f = &v->frame;
    if (f->end_ns == UINT64_MAX || (f->phase == APP_PHASE_RAMP && v->run->duration_ns == 0))
        return UINT64_MAX;
    const uint64_t left = f->end_ns > f->elapsed_ns ? f->end_ns - f->elapsed_ns : 0;
    return f->phase == APP_PHASE_RAMP ? left + v->run->duration_ns : left;
}

/* @return 0..1 of the run, or of its count */
static double share_done(const struct app_view *v, uint64_t left)
{
    const struct app_frame *f = &v->frame;
    const uint64_t count = v->run->load == NULL ? 0 : v->run->load->cfg.count;
    if (f->phase == APP_PHASE_DRAIN)
        return 1;
    double share = left == UINT64_MAX ? 0 : (double)f->elapsed_ns / (double)(f->elapsed_ns + left);
    if (count != 0 && (double)f->now->books.opened / (double)count > share)
        share = (double)f->now->books.opened / (double)count;
    return share > 1 ? 1 : share;
}

static void draw_phases(struct app_pen *p, const struct app_view *v)
{
    const bool ramps = v->run->load != NULL && v->run->load->cfg.ramp_ns != 0;
    for (uint32_t phase = ramps ? APP_PHASE_RAMP : APP_PHASE_STEADY; phase <= APP_PHASE_DRAIN;
         phase++)
        app_pen_put(p, phase == (uint32_t)v->frame.phase ? APP_INK_MARK : APP_INK_FAINT, " %s ",
            app_phase_name(phase));
    app_pen_put(p, APP_INK_PLAIN, " ");
}

static void draw_progress(struct app_pen *p, const struct app_view *v)
{
    char text[APP_WORD_BYTES], clock[APP_WORD_BYTES];
    const uint64_t left = left_ns(v);
    const bool is_open = left == UINT64_MAX;
    app_words_clock(is_open ? v->frame.elapsed_ns : left + SECOND_NS - 1, clock);
    const char *what = is_open ? "so far" : v->frame.phase == APP_PHASE_DRAIN ? "at most" : "left";
    const int n = snprintf(text, sizeof text, " %s %s", clock, what);
    draw_phases(p, v);
    const uint32_t room = app_pen_columns_left(p);
    if (room > (uint32_t)n)
        bar(p, room - (uint32_t)n, share_done(v, left));
    app_pen_put(p, APP_INK_STRONG, "%s", text);
    app_pen_next(p);
}

/* ---- rates ---- */

static double per_second(const struct app_second *s, uint64_t n)
{
    return s->length_ns == 0 ? 0 : (double)n * (double)SECOND_NS / (double)s->length_ns;
}

uint64_t app_view_rate(const struct app_run *run, const struct app_second *s, const char **name)
{
    const bool requests = run->load != NULL && run->load->cfg.scenario->paces_requests;
    if (name != NULL)
        *name = run->stream != NULL ? "bytes" : requests ? "requests" : "connections";
    if (run->stream != NULL)
        return (uint64_t)per_second(s, s->up_bytes + s->down_bytes);
    return (uint64_t)per_second(s, requests ? s->requests : s->established);
}

static void draw_goal(struct app_pen *p, const struct app_view *v, uint64_t rate)
{
    char text[APP_WORD_BYTES];
    const uint64_t goal = v->run->load == NULL ? 0 : v->run->load->cfg.rate;
    if (goal == 0)
        return;
    const double per_cent = 100 * (double)rate / (double)goal;
    app_pen_put(p, APP_INK_PLAIN, "of %s ", app_words_count((double)goal, text));
    app_pen_put(p, per_cent >= WELL ? APP_INK_GOOD : APP_INK_BAD, "%.1f %%", per_cent);
}

/* One that is not against the goal. */
static void draw_count(struct app_pen *p, const char *name, double n, enum app_ink ink)
{
    char text[APP_WORD_BYTES];
    app_pen_put(p, APP_INK_PLAIN, "%s ", name);
    app_pen_put(p, ink, "%s  ", app_words_count(n, text));
}

static void draw_rates(struct app_pen *p, const struct app_view *v)
{
    enum { SPARK_FROM = 40 };
    char text[APP_WORD_BYTES];
    const char *name;
    const uint64_t rate = app_view_rate(v->run, &v->last, &name);
    const struct app_sample *now = v->frame.now;
    heading(p, name);
    app_pen_to(p, LABEL_COLUMNS);
    if (v->last.length_ns == 0)
        app_pen_put(p, APP_INK_FAINT, "-");
    else {
        app_pen_put(p, APP_INK_STRONG, "%s/s ", app_words_count((double)rate, text));
        draw_goal(p, v, rate);
    }
    if (p->n_columns > 2 * SPARK_FROM - LABEL_COLUMNS) {
        app_pen_to(p, SPARK_FROM);
        spark(p, &v->rate);
    }
    app_pen_next(p);
    draw_count(p, "open", (double)now->open_now, APP_INK_STRONG);
    draw_count(p, "opened", (double)now->books.opened, APP_INK_PLAIN);
    draw_count(p, "failed", (double)now->books.failed,
        now->books.failed != 0 ? APP_INK_BAD : APP_INK_PLAIN);
    if (now->answered != 0)
        draw_count(p, "answered", (double)now->answered, APP_INK_PLAIN);
    app_pen_next(p);
}

/* ---- times ---- */

struct shown {
    const char *name;
    int percentile; /* enum app_percentile, or -1: the longest */
};
static const struct shown all_shown[] = {
    {"p50", APP_P50}, {"p90", APP_P90}, {"p99", APP_P99}, {"p99.9", APP_P99_9}, {"max", -1}};
static const struct shown few_shown[] = {{"p50", APP_P50}, {"p99", APP_P99}, {"max", -1}};

static void draw_times(
    struct app_pen *p, const struct app_latency *l, const struct shown *shown, uint32_t n_shown)
{
    char text[APP_LATENCY_TEXT_BYTES];
    app_pen_to(p, LABEL_COLUMNS);
    for (uint32_t i = 0; i < n_shown; i++) {
        const int which = shown[i].percentile;
        if (l == NULL)
            app_pen_put(p, APP_INK_FAINT, "%*s", FIGURE_COLUMNS, shown[i].name);
        else if (l->n == 0)
            app_pen_put(p, APP_INK_FAINT, "%*s", FIGURE_COLUMNS, "-");
        else
            app_pen_put(p, APP_INK_PLAIN, "%*s", FIGURE_COLUMNS,
                app_latency_text((double)(which < 0 ? l->max_ns : l->percentile_ns[which]), text));
    }
    app_pen_next(p);
}

static void draw_latency(struct app_pen *p, const struct app_view *v)
{
    enum {
        N_ALL = sizeof all_shown / sizeof all_shown[0],
        N_FEW = sizeof few_shown / sizeof few_shown[0]
    };
    const bool wide = p->n_columns >= LABEL_COLUMNS + N_ALL * FIGURE_COLUMNS;
    const struct shown *shown = wide ? all_shown : few_shown;
    const uint32_t n_shown = wide ? N_ALL : N_FEW;
    if (v->run->load == NULL || v->run->load->cfg.no_times)
        return;
    heading(p, "latency");
    draw_times(p, NULL, shown, n_shown);
    for (uint32_t m = 0; m < APP_METRIC_COUNT; m++) {
        if (!v->seen[m])
            continue;
        app_pen_put(p, APP_INK_PLAIN, "%s", app_metric_name(m));
        draw_times(p, &v->last.latency[m], shown, n_shown);
    }
    app_pen_put(p, APP_INK_FAINT, "p99");
    app_pen_to(p, LABEL_COLUMNS);
    spark(p, &v->p99);
    app_pen_next(p);
}

/* ---- what was lost ---- */

struct loss {
    const char *name;
    uint64_t n;
};
enum { LOSSES_MAX = APP_FAILURES_MAX + 3 + TERN_DROP_COUNT };

static int by_most(const void *a, const void *b)
{
    const uint64_t x = ((const struct loss *)a)->n, y = ((const struct loss *)b)->n;
    return (x < y) - (x > y);
}

static uint32_t add_loss(struct loss *losses, uint32_t at, const char *name, uint64_t n)
{
    if (n != 0)
        losses[at++] = (struct loss){.name = name, .n = n};
    return at;
}

/* Connections, then starts and segments, then packets by reason, of which most were lost first. */
static uint32_t collect_losses(const struct app_view *v, struct loss losses[LOSSES_MAX])
{
    const struct app_sample *now = v->frame.now;
    uint32_t n = 0;
    for (uint32_t i = 0; i < now->books.n_failures; i++)
        n = add_loss(losses, n, now->books.failures[i].name, now->books.failures[i].count);
    n = add_loss(losses, n, "starts late", now->ledger.late);
    n = add_loss(losses, n, "held back", now->ledger.held_back);
    n = add_loss(losses, n, "retransmits", now->retransmits);
    const uint32_t first_drop = n;
    for (uint32_t why = 0; why < TERN_DROP_COUNT; why++) {
        uint64_t dropped = 0;
        for (uint32_t ep = 0; ep < v->run->cfg->n_endpoints; ep++)
            dropped += now->stats[ep].drops[why];
        if (app_drop_is_loss((enum tern_drop)why))
            n = add_loss(losses, n, tern_drop_name((enum tern_drop)why), dropped);
    }
    qsort(losses + first_drop, n - first_drop, sizeof *losses, by_most);
    return n;
}

/* @param rows  that it may take, its heading too */
static void draw_losses(struct app_pen *p, const struct loss *losses, uint32_t n, uint32_t rows)
{
    const uint32_t across = p->n_columns < 2 * LOSS_COLUMNS ? 1 : p->n_columns / LOSS_COLUMNS;
    heading(p, n == 0 ? "nothing lost" : "lost and late");
    app_pen_next(p);
    for (uint32_t i = 0; i < n && i < (rows - 1) * across; i++) {
        app_pen_to(p, i % across * LOSS_COLUMNS);
        app_pen_put(p, APP_INK_BAD, "%12" PRIu64 " ", losses[i].n);
        app_pen_put(p, APP_INK_PLAIN, "%s", losses[i].name);
        if (i % across == across - 1 || i == n - 1)
            app_pen_next(p);
    }
}

static uint32_t rows_of_losses(const struct app_pen *p, uint32_t n)
{
    const uint32_t across = p->n_columns < 2 * LOSS_COLUMNS ? 1 : p->n_columns / LOSS_COLUMNS;
    return 1 + (n + across - 1) / across;
}

/* ---- workers ---- */

static uint32_t count_workers(const struct app_view *v)
{
    uint32_t n = 0;
    for (uint32_t ep = 0; ep < v->run->cfg->n_endpoints; ep++)
        n += v->run->cfg->endpoints[ep].n_workers;
    return n;
}

static void draw_worker(struct app_pen *p, const char *end, uint32_t i, double busy)
{
    enum { BAR_FROM = 22 };
    app_pen_put(p, APP_INK_PLAIN, "%s %u", end, i);
    app_pen_to(p, LABEL_COLUMNS);
    app_pen_put(p, APP_INK_STRONG, "%5.1f %%", 100 * busy);
    app_pen_to(p, BAR_FROM);
    bar(p, app_pen_columns_left(p), busy < 1 ? busy : 1);
    app_pen_next(p);
}

/* @param rows  that it may take, its heading too */
static void draw_workers(struct app_pen *p, const struct app_view *v, uint32_t rows)
{
    const uint32_t n = count_workers(v), n_shown = n < rows ? n : rows - 2;
    uint32_t at = 0;
    double busiest = 0;
    heading(p, "workers");
    app_pen_next(p);
    for (uint32_t ep = 0; ep < v->run->cfg->n_endpoints; ep++)
        for (uint32_t i = 0; i < v->run->cfg->endpoints[ep].n_workers; i++, at++) {
            const double busy = (double)v->last.busy[ep][i];
            if (at < n_shown)
                draw_worker(p, v->run->end_names[ep], i, busy);
            else if (busy > busiest)
                busiest = busy;
        }
    if (n_shown < n) {
        app_pen_put(p, APP_INK_FAINT, "%u more, the busiest %.1f %%", n - n_shown, 100 * busiest);
        app_pen_next(p);
    }
}

/* ---- what was printed ---- */

/* Its last lines, as many as there are rows. */
static void draw_said(struct app_pen *p, const struct app_view *v)
{
    const char *from = v->said + strlen(v->said);
    for (uint32_t n = 0; from > v->said && n < app_pen_rows_left(p); n++)
        do
            from--;
        while (from > v->said && from[-1] != '\n');
    if (*from == '\0')
        app_pen_put(p, APP_INK_FAINT, "Ctrl-C ends the run; the result is printed then");
    while (*from != '\0') {
        const size_t n = strcspn(from, "\n");
        app_pen_put(p, APP_INK_BAD, "%.*s", (int)n, from);
        app_pen_next(p);
        from += n + (from[n] == '\n');
    }
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Losses and workers share what is left but for a row; losses have half of it where both want more.
 */
static void draw_rest(struct app_pen *p, const struct app_view *v)
{
    struct loss losses[LOSSES_MAX];
    const uint32_t n_losses = collect_losses(v, losses);
    const uint32_t apart = p->n_rows >= ROOMY_ROWS ? 2 : 0, left = app_pen_rows_left(p);
    const uint32_t rows = left > apart + 1 ? left - apart - 1 : 0;
    const uint32_t of_losses = rows_of_losses(p, n_losses), of_workers = 1 + count_workers(v);
    uint32_t for_losses = rows >= of_losses + of_workers ? of_losses : lesser(of_losses, rows / 2);
    if (for_losses < lesser(of_losses, SECTION_ROWS_MIN))
        for_losses = 0;
    const uint32_t for_workers = lesser(of_workers, rows - for_losses);
    if (for_losses != 0)
        draw_losses(p, losses, n_losses, for_losses);
    if (for_workers >= SECTION_ROWS_MIN)
        draw_workers(p, v, for_workers);
    if (p->n_rows >= ROOMY_ROWS && app_pen_rows_left(p) > 1)
        app_pen_next(p);
    draw_said(p, v);
}

void app_draw(const struct app_view *v)
{
    struct app_pen pen = app_pen_begin();
    erase();
    app_pen_put(&pen, APP_INK_STRONG, "tern %s", v->run->title);
    app_pen_next(&pen);
    draw_progress(&pen, v);
    draw_rates(&pen, v);
    draw_latency(&pen, v);
    draw_rest(&pen, v);
}
