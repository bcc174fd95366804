/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The files that a run leaves behind, as far as they were asked for. */
#include "../opt/settings.h"
#include "../run.h"
#include "csv.h"
#include "hlog.h"
#include "html.h"

struct app_writers {
    struct app_csv csv;
    struct app_html html;
    struct app_hlog hlog;
};

/** Add to the run's observers what `s` names a file for. Both outlive the run. */
void app_writers_attach(struct app_writers *w, const struct app_settings *s, struct app_run *run);
