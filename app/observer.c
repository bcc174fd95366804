/* SPDX-License-Identifier: BSD-3-Clause */
#include "observer.h"

#include "run.h"

#include <assert.h>

static_assert((int)APP_ROWS_LOST_MAX >= (int)APP_OBSERVERS_MAX, "each may lose some");

void app_observers_add(struct app_run *run, const struct app_observer_ops *ops, void *self)
{
    assert(run->n_observers < APP_OBSERVERS_MAX);
    run->observers[run->n_observers++] = (struct app_observer){.ops = ops, .self = self};
}

int app_observers_begin(const struct app_run *run, struct tern_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < run->n_observers && rc == 0; i++)
        rc = run->observers[i].ops->begin(run->observers[i].self, run, err);
    return rc;
}

void app_observers_second(const struct app_run *run, const struct app_second *s)
{
    for (uint32_t i = 0; i < run->n_observers; i++)
        if (run->observers[i].ops->second != NULL)
            run->observers[i].ops->second(run->observers[i].self, s);
}

bool app_observers_say(const struct app_run *run, const char *lines)
{
    bool any = false;
    for (uint32_t i = 0; i < run->n_observers; i++) {
        const struct app_observer *o = &run->observers[i];
        if (o->ops->say != NULL)
            o->ops->say(o->self, lines);
        any = any || o->ops->say != NULL;
    }
    return any;
}

bool app_observers_want_frames(const struct app_run *run)
{
    bool any = false;
    for (uint32_t i = 0; i < run->n_observers; i++)
        any = any || run->observers[i].ops->frame != NULL;
    return any;
}

void app_observers_frame(const struct app_run *run, const struct app_frame *f)
{
    for (uint32_t i = 0; i < run->n_observers; i++)
        if (run->observers[i].ops->frame != NULL)
            run->observers[i].ops->frame(run->observers[i].self, f);
}

void app_observers_leave(const struct app_run *run)
{
    for (uint32_t i = 0; i < run->n_observers; i++)
        if (run->observers[i].ops->leave != NULL)
            run->observers[i].ops->leave(run->observers[i].self);
}

void app_observers_lost(const struct app_run *run, struct app_result *r)
{
    for (uint32_t i = 0; i < run->n_observers; i++) {
        const struct app_observer *o = &run->observers[i];
        const uint64_t n = o->ops->n_lost == NULL ? 0 : o->ops->n_lost(o->self);
        if (n != 0)
            r->rows_lost[r->n_rows_lost++] = (struct app_rows_lost){.of = o->ops->name, .n = n};
    }
}

void app_observers_close(const struct app_run *run)
{
    for (uint32_t i = 0; i < run->n_observers; i++)
        run->observers[i].ops->close(run->observers[i].self);
}
