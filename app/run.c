/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread, no signal handlers. SIGINT and SIGTERM are blocked before the engine makes its
 * threads, and this thread takes them where it waits: the first one ends the run in order, or is
 * too late to, and a second one ends it at once.
 *
 * A run has three parts. Measured: from the moment every end is ready until the time is over, the
 * count is reached or a signal comes; the rates are of this part alone. Connections that are to be
 * held are opened first, however long it takes, and then held for that time. Quiesce: the load
 * opens no more and what is under way ends by itself, for a bounded time, so that a healthy run has
 * no connection that was cut off. Drain: the engine closes what is left and stops; the books are
 * read after it.
 */
#include "run.h"

#include "capture/capture.h"
#include "error.h"
#include "footprint.h"
#include "goal/goal.h"
#include "goal/seek.h"
#include "impair/spec.h"
#include "report.h"
#include "result.h"
#include "sample.h"
#include "verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MARGIN_MS = 5000, STATUS_KILLED = 128 + SIGINT };
#define SECOND_NS      UINT64_C(1000000000)
#define POLL_NS        UINT64_C(5000000)
#define QUIESCE_NS     UINT64_C(2000000000)
#define PATIENCE_NS    UINT64_C(10000000000) /* with connections to hold, of which none opens */
#define SAME_SIGNAL_NS UINT64_C(200000000)
#define FRAME_NS       (SECOND_NS / APP_FRAMES_PER_S)
#define REST_MIN_NS    UINT64_C(1000000) /* a row of less says nothing */

struct session {
    const struct app_run *run;
    struct tern_engine *engine;
    struct app_output out;
    sigset_t signals;
    struct app_sampler sampler;
    struct app_sample steady;     /**< when the steady part began */
    struct app_sample samples[2]; /**< at the end of the last row, and now */
    struct app_sample framed;     /**< of the last frame */
    struct app_frame frame;       /**< the part that the run is in */
    uint64_t next_frame_ns;       /**< UINT64_MAX: nobody looks */
    bool is_steady;
    uint64_t start_ns, signal_ns; /**< the latter 0: not interrupted */
    uint64_t n_open, progress_ns; /**< hold: the most so far, and since when */
    uint64_t held_ns;             /**< hold: since when all are open; 0: they are not */
    struct app_seek seek;
    struct app_result result;
};

/* Wait until `until_ns` or a signal. @return true for a signal */
static bool wait_signal(const struct session *s, uint64_t until_ns)
{
    const uint64_t now = app_now_ns();
    const uint64_t left = until_ns > now ? until_ns - now : 0;
    const struct timespec t = {
        .tv_sec = (time_t)(left / SECOND_NS), .tv_nsec = (long)(left % SECOND_NS)};
    return sigtimedwait(&s->signals, NULL, &t) > 0;
}

/* ---- frames ---- */

/* The part that the run is in from now on. @param end_ns  UINT64_MAX: open */
static void enter_part(struct session *s, enum app_phase phase, uint64_t end_ns)
{
    s->frame.begin_ns = s->frame.phase == phase ? s->frame.begin_ns : app_now_ns() - s->start_ns;
    s->frame.phase = phase;
    s->frame.end_ns = end_ns == UINT64_MAX ? end_ns : end_ns - s->start_ns;
}

static void begin_frames(struct session *s)
{
    s->next_frame_ns = app_observers_want_frames(s->run) ? 0 : UINT64_MAX;
    s->frame.now = &s->framed;
}

/* Show a frame, when one is due. */
static void show_frame(struct session *s)
{
    const uint64_t t = app_now_ns();
    if (t < s->next_frame_ns)
        return;
    s->next_frame_ns = t + FRAME_NS;
    s->frame.elapsed_ns = t - s->start_ns;
    app_sample_take(&s->sampler, &s->framed);
    app_observers_frame(s->run, &s->frame);
}

/* ---- interruption ---- */

/* The user asked a second time, or the workers hang. */
static void end_at_once(struct session *s, const char *why)
{
    app_observers_leave(s->run);
    app_output_abandon(&s->out);
    fprintf(stderr, "tern: ended without a result: %s\n", why);
    _exit(STATUS_KILLED);
}

/* Wait a little while something ends. The first signal asks for nothing more; a second one ends
 * everything; one right behind the first is the first: timeout(1) signals the process, and then its
 * group. */
static void wait_patiently(struct session *s, const char *what_ends)
{
    show_frame(s);
    if (!wait_signal(s, app_now_ns() + POLL_NS))
        return;
    if (s->signal_ns != 0 && app_now_ns() - s->signal_ns > SAME_SIGNAL_NS)
        end_at_once(s, what_ends);
    if (s->signal_ns == 0)
        s->signal_ns = app_now_ns();
}

/* ---- measured part ---- */

static bool count_reached(const struct app_run *run)
{
    return run->load != NULL && run->load->cfg.count != 0 && app_load_is_idle(run->load);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A row of the series, from the end of the last one to samples[1]. */
static void end_row(struct session *s, bool is_rest)
{
    struct app_sample *before = &s->samples[0], *now = &s->samples[1];
    struct app_second second;
    app_sample_second(&s->sampler, s->start_ns, before, now, &second);
    second.is_rest = is_rest;
    if (s->frame.phase == APP_PHASE_DRAIN)
        second.phase = APP_PHASE_DRAIN;
    app_series_add(&s->result.series, &second);
    app_capture_watch(s->engine, s->run->cfg, &s->result.capture);
    if (s->run->stream != NULL && !is_rest)
        app_goodput_add(&s->result.goodput,
            (double)(second.up_bytes + second.down_bytes) * 1e9 / (double)second.length_ns);
    app_observers_second(s->run, &second);
    *before = *now;
}

/* What the last whole second left of the part that is over now. */
static void end_rest(struct session *s, uint64_t least_ns)
{
    if (s->samples[1].at_ns >= s->samples[0].at_ns + least_ns)
        end_row(s, true);
}

static bool holds(const struct app_run *run)
{
    return run->load != NULL && run->load->cfg.scenario->holds;
}

static uint64_t open_now(const struct session *s)
{
    struct tern_stats stats;
    tern_engine_stats(s->engine, 0, &stats);
    return stats.open_now;
}

/* When the run is over that holds connections: the time counts from when all are open, or no more
 * will be. */
static uint64_t end_of_holding(struct session *s, uint64_t t)
{
    const struct app_run *run = s->run;
    const uint64_t n = open_now(s);
    if (n > s->n_open) {
        s->n_open = n;
        s->progress_ns = t;
    }
    if (s->held_ns == 0 && (n >= run->load->cfg.conns || t - s->progress_ns > PATIENCE_NS))
        s->held_ns = t;
    return s->held_ns == 0 || run->duration_ns == 0 ? UINT64_MAX : s->held_ns + run->duration_ns;
}

/* What the rates are of: all behind the ramp. */
static void begin_steady(struct session *s)
{
    app_sample_take(&s->sampler, &s->steady);
    s->is_steady = true;
}

static uint64_t end_of_ramp(const struct session *s)
{
    return s->start_ns + (s->run->load == NULL ? 0 : s->run->load->cfg.ramp_ns);
}

/* End a second a second until the run is over. */
static void watch(struct session *s)
{
    const struct app_run *run = s->run;
    const bool counting =
        holds(run) || app_seek_is_on(&s->seek) || (run->load != NULL && run->load->cfg.count != 0);
    const uint64_t ramp_ns = end_of_ramp(s);
    uint64_t end_ns = run->duration_ns == 0 ? UINT64_MAX : ramp_ns + run->duration_ns;
    s->samples[0] = s->steady;
    begin_frames(s);
    for (uint32_t n = 0;;) {
        const uint64_t line_ns = s->start_ns + (n + 1) * SECOND_NS;
        if (holds(run))
            end_ns = end_of_holding(s, app_now_ns());
        const uint64_t poll_ns = counting ? app_now_ns() + POLL_NS : UINT64_MAX;
        const uint64_t phase_ns = s->is_steady ? end_ns : ramp_ns;
        enter_part(s, s->is_steady ? APP_PHASE_STEADY : APP_PHASE_RAMP, phase_ns);
        show_frame(s);
        const uint64_t look_ns = earlier(poll_ns, s->next_frame_ns);
        s->result.interrupted = wait_signal(s, earlier(earlier(line_ns, phase_ns), look_ns));
        const uint64_t t = app_now_ns();
        s->signal_ns = s->result.interrupted ? t : 0;
        if (!s->is_steady && t >= ramp_ns)
            begin_steady(s);
        if (t >= line_ns) {
            app_sample_take(&s->sampler, &s->samples[1]);
            end_row(s, false);
            app_seek_second(&s->seek, ++n);
        }
        if (app_seek_poll(&s->seek, t) || s->result.interrupted || t >= end_ns
            || count_reached(run))
            return;
    }
}

static void begin_measuring(struct session *s)
{
    begin_steady(s);
    s->start_ns = s->progress_ns = s->steady.at_ns;
    s->is_steady = end_of_ramp(s) == s->start_ns;
    if (s->run->load == NULL)
        return;
    if (!holds(s->run))
        s->run->load->cfg.steady_ns = s->run->duration_ns;
    app_load_set_phase(s->run->load, APP_LOAD_RUNS);
}

static void end_holding(struct session *s, uint64_t end_ns)
{
    if (!holds(s->run))
        return;
    const uint64_t open_ns = s->held_ns != 0 ? s->held_ns : end_ns;
    s->result.held = (struct app_held){
        .wanted = s->run->load->cfg.conns,
        .open = open_now(s),
        .opening_s = (double)(open_ns - s->start_ns) / 1e9,
        .holding_s = (double)(end_ns - open_ns) / 1e9,
    };
}

/* The rates, and how busy the workers were. */
static void end_measuring(struct session *s)
{
    struct app_result *r = &s->result;
    struct app_sample *end = &s->samples[1];
    app_sample_take(&s->sampler, end);
    end_rest(s, REST_MIN_NS);
    const struct app_sample *from = &s->steady;
    r->duration_s = (double)(end->at_ns - from->at_ns) / 1e9;
    r->cps = (double)(end->books.established - from->books.established) / r->duration_s;
    r->rps = (double)(end->answered - from->answered) / r->duration_s;
    app_goodput_end(&r->goodput, end->payload, r->duration_s);
    app_seek_end(&s->seek, end, r);
    end_holding(s, end->at_ns);
    r->taken_bytes = app_footprint_bytes();
    for (uint32_t ep = 0; ep < s->run->cfg->n_endpoints; ep++) {
        struct app_end *e = &r->ends[ep];
        e->n_workers = tern_engine_n_workers(s->engine, ep);
        memcpy(e->workers, end->workers[ep], sizeof e->workers);
        for (uint32_t i = 0; i < e->n_workers; i++)
            e->busy[i] = app_busy_between(&s->steady.workers[ep][i], &e->workers[i]);
    }
}

/* ---- the end ---- */

static void quiesce(struct session *s)
{
    if (s->run->load == NULL)
        return;
    app_load_set_phase(s->run->load, APP_LOAD_ENDS);
    const uint64_t patience_ns = QUIESCE_NS + app_impair_patience_ns(&s->run->cfg->endpoints[0]);
    uint64_t end_ns = app_now_ns() + patience_ns, n_left = UINT64_MAX;
    enter_part(s, APP_PHASE_DRAIN, end_ns);
    while (!app_load_is_idle(s->run->load) && app_now_ns() < end_ns) {
        wait_patiently(s, "interrupted again while connections ended by themselves");
        const uint64_t n = open_now(s);
        if (holds(s->run) && n < n_left) /* many take long, as long as it goes on */
            end_ns = app_now_ns() + patience_ns;
        n_left = n;
    }
}

static void drain(struct session *s)
{
    tern_engine_stop(s->engine);
    const uint64_t bound_ms = s->run->cfg->drain_ms + (uint64_t)DRAIN_MARGIN_MS;
    const uint64_t end_ns = app_now_ns() + bound_ms * 1000000;
    enter_part(s, APP_PHASE_DRAIN, end_ns);
    while (!tern_engine_wait(s->engine, 0)) {
        wait_patiently(s, "interrupted again while connections were being closed");
        if (app_now_ns() > end_ns)
            end_at_once(s, "the workers did not stop; please report this");
    }
    app_sample_take(&s->sampler, &s->samples[1]);
    end_rest(s, 0);
}

/* What the workers wrote; they have ended. */
static void read_load(const struct app_load *load, struct app_result *r)
{
    app_load_sum(load, &r->load);
    app_books_of_client(&r->books, &r->ends[0].stats, &r->load);
    app_load_ledger(load, &r->ledger);
    r->not_started = app_load_not_started(load);
    for (uint32_t i = 0; i < load->cfg.n_workers; i++)
        r->begun[i] = app_load_begun(load, i);
    r->times = load->cfg.no_times ? NULL : calloc(APP_METRIC_COUNT, sizeof *r->times);
    for (int m = 0; m < APP_METRIC_COUNT && r->times != NULL; m++)
        if (r->search != NULL)
            r->times[m] = r->search->best_times[m];
        else
            app_load_times(load, (enum app_metric)m, &r->times[m]);
    app_parts_read(&r->parts, load);
}

/* Read what the engine counted, then give it back. */
static void collect(struct session *s)
{
    const struct app_run *run = s->run;
    struct app_result *r = &s->result;
    r->n_ends = run->cfg->n_endpoints;
    for (uint32_t ep = 0; ep < r->n_ends; ep++) {
        r->ends[ep].name = run->end_names[ep];
        tern_engine_stats(s->engine, ep, &r->ends[ep].stats);
        tern_engine_device(s->engine, ep, &r->ends[ep].device);
        app_impair_read(&r->ends[ep].impairment, s->engine, run->cfg, ep);
        r->planned_bytes += r->ends[ep].device.memory_bytes;
    }
    tern_engine_capture_end(s->engine);
    app_capture_watch(s->engine, run->cfg, &r->capture);
    if (run->load == NULL)
        app_books_of_server(&r->books, &r->ends[0].stats);
    tern_engine_close(s->engine, &r->leaks);
    if (run->load != NULL)
        read_load(run->load, r);
    if (run->load != NULL)
        app_load_free(run->load);
    r->goodput.has_client = run->load != NULL;
    r->goodput.has_server = run->server != NULL;
    r->goodput.client = r->load.stream;
    if (run->server != NULL)
        app_server_stream_books(run->server, &r->goodput.server);
}

/* Each is asked, also where another has failed: one full disk is not all of them. The first error
 * is told. */
static int publish(struct session *s, struct tern_error *err)
{
    app_observers_leave(s->run);
    app_observers_lost(s->run, &s->result);
    app_report_summary(s->out.human, &s->result);
    json_t *json = app_result_json(&s->result);
    int rc = app_output_write(&s->out, json, err);
    json_decref(json);
    for (uint32_t i = 0; i < s->run->n_observers; i++) {
        struct tern_error another;
        const struct app_observer *o = &s->run->observers[i];
        const int end_rc =
            o->ops->end == NULL ? 0 : o->ops->end(o->self, &s->result, rc == 0 ? err : &another);
        rc = rc != 0 ? rc : end_rc;
    }
    return rc != 0 ? rc : app_verdict_error(&s->result, err);
}

/* ---- the whole ---- */

static int open_engine(struct session *s, struct tern_error *err)
{
    const int rc = tern_engine_open(s->run->cfg, &s->engine, err);
    if (rc != 0)
        app_output_abandon(&s->out);
    else
        app_report_banner(s->out.human, s->run->title, s->engine, s->run->cfg, s->run->end_names);
    return rc;
}

static int run_engine(struct session *s, struct tern_error *err)
{
    int rc = app_sampler_init(&s->sampler, s->run, s->engine);
    if (rc == 0)
        rc = app_seek_begin(&s->seek, s->run, s->engine, &s->sampler);
    if (rc == 0)
        rc = tern_engine_start(s->engine, err);
    if (rc != 0) {
        app_output_abandon(&s->out);
        tern_engine_close(s->engine, NULL);
        return rc;
    }
    begin_measuring(s);
    watch(s);
    end_measuring(s);
    quiesce(s);
    drain(s);
    collect(s);
    app_verdict_judge(&s->result, s->run);
    if (s->run->load != NULL)
        app_goal_judge(&s->result, &s->run->load->cfg);
    return publish(s, err);
}

static int begin_observers(struct session *s, struct tern_error *err)
{
    const int rc = app_observers_begin(s->run, err);
    if (rc != 0)
        app_output_abandon(&s->out);
    return rc;
}

static struct session *session_new(const struct app_run *run)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->run = run;
    s->result.command = run->command;
    s->result.device = run->cfg->endpoints[0].device;
    s->result.scenario = run->scenario;
    s->result.settings = run->settings;
    s->result.slo = run->goal == NULL ? NULL : &run->goal->slo;
    s->result.goodput.cfg = run->stream;
    s->result.listeners = run->listeners;
    sigemptyset(&s->signals);
    sigaddset(&s->signals, SIGINT);
    sigaddset(&s->signals, SIGTERM);
    return s;
}

int app_run(const struct app_run *run)
{
    struct tern_error err = {.text = "out of memory; close other programs and try again"};
    struct session *s = session_new(run);
    if (s == NULL)
        return app_report_error(APP_EXIT_USAGE, &err);
    enum app_exit status = APP_EXIT_USAGE;
    int rc = app_capture_check(run->settings, &err);
    if (rc == 0)
        rc = app_output_open(&s->out, run->json, &err);
    pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
    if (rc == 0)
        rc = begin_observers(s, &err);
    if (rc == 0)
        rc = open_engine(s, &err);
    if (rc == 0) {
        status = APP_EXIT_RUN;
        rc = run_engine(s, &err);
    }
    if (rc == 0)
        status = app_goal_status(&s->result, &err);
    app_goodput_free(&s->result.goodput);
    free(s->result.times);
    app_parts_free(&s->result.parts);
    app_series_free(&s->result.series);
    app_sampler_fini(&s->sampler);
    app_observers_close(run);
    app_seek_fini(&s->seek);
    free(s);
    return status == APP_EXIT_OK ? APP_EXIT_OK : app_report_error(status, &err);
}
