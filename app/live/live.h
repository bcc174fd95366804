/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What shows a run while it goes on. */
#include "../opt/settings.h"
#include "../run.h"
#include "plain.h"
#include "prometheus.h"
#include "screen.h"

struct app_live {
    struct app_plain plain;
    struct app_screen screen;
    struct app_prometheus prometheus;
};

/** Add to the run's observers what shows it. Both outlive the run. */
void app_live_attach(struct app_live *l, const struct app_settings *s, struct app_run *run);
