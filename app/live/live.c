/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

void app_live_attach(struct app_live *l, const struct app_settings *s, struct app_run *run)
{
    *l = (struct app_live){
        .prometheus = {.at = s->prometheus, .lock = PTHREAD_MUTEX_INITIALIZER},
    };
    if (s->prometheus.port != 0)
        app_observers_add(run, &app_prometheus_observer, &l->prometheus);
    app_observers_add(run, &app_plain_observer, &l->plain);
}
