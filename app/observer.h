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
struct app_sample;

/** A moment of a run, between the ends of two seconds. */
struct app_frame {
    enum app_phase phase;
    uint64_t elapsed_ns;       /**< since the start of the run */
    uint64_t begin_ns, end_ns; /**< of the phase, on the same clock; the latter UINT64_MAX: open */
    const struct app_sample *now; /**< of this moment */
};

struct app_observer_ops {
    const char *name; /**< the option's, without dashes */
    /** Before the engine opens, so that what cannot be written is refused early.
     * @return 0, or -errno with one line in *err */
    int (*begin)(void *self, const struct app_run *run, struct tern_error *err);
    /** A second is over. NULL: of no interest */
    void (*second)(void *self, const struct app_second *s);
    /** APP_FRAMES_PER_S times a second, also while connections end. NULL: of no interest */
    void (*frame)(void *self, const struct app_frame *f);
    /** Words of the run's own, whole lines, to be kept on show. NULL: has no room for them */
    void (*say)(void *self, const char *lines);
    /** Something is about to be printed for people, and nothing more is shown: give the terminal
     * back. Also right before the process ends. NULL: has none */
    void (*leave)(void *self);
    /** How many rows it could not write. NULL: writes none */
    uint64_t (*n_lost)(const void *self);
    /** The run is over; *r is complete. @return 0, or -errno with one line in *err. NULL */
    int (*end)(void *self, const struct app_result *r, struct tern_error *err);
    /** Give back all that begin() took; also where it failed, and where the run did. */
    void (*close)(void *self);
};

struct app_observer {
    const struct app_observer_ops *ops;
    void *self;
};

enum { APP_OBSERVERS_MAX = 8, APP_FRAMES_PER_S = 4 };

/* ---- all of a run's ---- */

/** Let another look on; there is room for APP_OBSERVERS_MAX. */
void app_observers_add(struct app_run *run, const struct app_observer_ops *ops, void *self);

/** Each of these asks all that have an answer, in order; begin() stops at the first that fails. */
int app_observers_begin(const struct app_run *run, struct tern_error *err);
void app_observers_second(const struct app_run *run, const struct app_second *s);
/** @return true when somebody shows it */
bool app_observers_say(const struct app_run *run, const char *lines);
bool app_observers_want_frames(const struct app_run *run);
void app_observers_frame(const struct app_run *run, const struct app_frame *f);
void app_observers_leave(const struct app_run *run);
void app_observers_lost(const struct app_run *run, struct app_result *r);
void app_observers_close(const struct app_run *run);
