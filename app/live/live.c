/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

#include "terminal.h"

#include <string.h>

/* JSON on stdout means that nobody reads there, and lines go to stderr. */
static bool wants_screen(const struct app_settings *s)
{
    return !s->plain && (s->json == NULL || strcmp(s->json, "-") != 0) && app_terminal_fits();
}

void app_live_attach(struct app_live *l, const struct app_settings *s, struct app_run *run)
{
    l->prometheus.at = s->prometheus;
    l->prometheus.daemon = NULL;
    pthread_mutex_init(&l->prometheus.lock, NULL);
    if (s->prometheus.port != 0)
        app_observers_add(run, &app_prometheus_observer, &l->prometheus);
    if (wants_screen(s))
        app_observers_add(run, &app_screen_observer, &l->screen);
    else
        app_observers_add(run, &app_plain_observer, &l->plain);
}
