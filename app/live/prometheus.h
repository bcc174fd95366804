/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* --prometheus ADDR:PORT: GET /metrics, while the run goes on. */
#include "../observer.h"
#include "listen_at.h"
#include "metrics.h"

#include <pthread.h>
#include <stdbool.h>

struct app_prometheus {
    struct app_listen_at at;
    const struct app_run *run;
    struct MHD_Daemon *daemon; /**< NULL: not begun */
    pthread_mutex_t lock;      /**< of what the daemon's thread reads: */
    struct app_metrics metrics;
};

extern const struct app_observer_ops app_prometheus_observer; /**< of a struct … with its place */
