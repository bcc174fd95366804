/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames show what has happened by now, and the rates, times and loads of the last whole second:
 * figures that jump four times a second cannot be read. The terminal is taken at the first frame,
 * so the banner stands above the summary when it is given back.
 */
#include "screen.h"

#include "draw.h"
#include "pen.h"
#include "terminal.h"

#include <string.h>

static int begin(void *self, const struct app_run *run, struct tern_error *err)
{
    struct app_screen *screen = self;
    (void)err;
    memset(screen, 0, sizeof *screen);
    screen->view.run = run;
    app_terminal_prepare();
    return 0;
}

/* The last metric of those that a connection has on its way; its close says little of a target. */
static enum app_metric timed(const struct app_view *v)
{
    return v->seen[APP_METRIC_COMPLETE] ? APP_METRIC_COMPLETE : APP_METRIC_CONNECT;
}

static void second(void *self, const struct app_second *s)
{
    struct app_view *v = &((struct app_screen *)self)->view;
    if (s->is_rest)
        return;
    v->last = *s;
    v->last.times = v->last.times_so_far = NULL;
    v->last.so_far = NULL;
    for (uint32_t m = 0; m < APP_METRIC_COUNT; m++)
        v->seen[m] = v->seen[m] || s->latency[m].n != 0;
    app_history_add(&v->rate, app_view_rate(v->run, s, NULL));
    app_history_add(&v->p99, s->latency[timed(v)].percentile_ns[APP_P99]);
}

static void frame(void *self, const struct app_frame *f)
{
    struct app_screen *screen = self;
    struct app_view *v = &screen->view;
    if (screen->is_over || !app_terminal_enter() || !app_terminal_heed())
        return;
    v->frame = *f;
    v->said[app_terminal_said(v->said, sizeof v->said - 1)] = '\0';
    app_draw(v);
    refresh();
}

static void leave(void *self)
{
    struct app_screen *screen = self;
    screen->is_over = true;
    app_terminal_leave();
}

static void close_screen(void *self)
{
    (void)self;
    app_terminal_close();
}

const struct app_observer_ops app_screen_observer = {
    .name = "screen",
    .begin = begin,
    .second = second,
    .frame = frame,
    .leave = leave,
    .close = close_screen,
};
