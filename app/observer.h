/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What looks on while a run goes on, and what writes down how it went: a file of seconds, a screen,
 * an endpoint that is scraped. All run on the main thread, between its naps; what one of them fails
 * at never ends a run that has begun.
 */
#include "measure/series.h"
#include "result.h"

struct app_run;

struct app_observer_ops {
    const char *name; /**< the option's, without dashes */
    /** Before the engine opens, so that what cannot be written is refused early.
     * @return 0, or -errno with one line in *err */
    int (*begin)(void *self, const struct app_run *run, struct tern_error *err);
    /** A second is over. NULL: of no interest */
    void (*second)(void *self, const struct app_second *s);
    /** The run is over; *r is complete. @return 0, or -errno with one line in *err. NULL */
    int (*end)(void *self, const struct app_result *r, struct tern_error *err);
    /** Give back all that begin() took; also where it failed, and where the run did. */
    void (*close)(void *self);
};

struct app_observer {
    const struct app_observer_ops *ops;
    void *self;
};

enum { APP_OBSERVERS_MAX = 8 };
