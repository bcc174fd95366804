/* SPDX-License-Identifier: BSD-3-Clause */
#include "writers.h"

void app_writers_attach(struct app_writers *w, const struct app_settings *s, struct app_run *run)
{
    *w = (struct app_writers){
        .csv = {.path = s->csv, .lines.fd = -1},
        .html = {.path = s->html},
        .hlog = {.path = s->hlog, .lines.fd = -1},
    };
    run->settings = s;
    if (s->csv != NULL)
        app_observers_add(run, &app_csv_observer, &w->csv);
    if (s->html != NULL)
        app_observers_add(run, &app_html_observer, &w->html);
    if (s->hlog != NULL)
        app_observers_add(run, &app_hlog_observer, &w->hlog);
}
