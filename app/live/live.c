/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

void app_live_attach(struct app_live *l, const struct app_settings *s, struct app_run *run)
{
    (void)s;
    app_observers_add(run, &app_plain_observer, &l->plain);
}
