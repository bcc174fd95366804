/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole seconds only: a line of the rest would read like a second in which little happened. */
#include "plain.h"

#include "../goal/settings.h"
#include "../report.h"
#include "../run.h"

#include <string.h>

static int begin(void *self, const struct app_run *run, struct tern_error *err)
{
    (void)err;
    *(struct app_plain *)self = (struct app_plain){
        .out = run->json != NULL && strcmp(run->json, "-") == 0 ? stderr : stdout,
        .is_stream = run->stream != NULL,
        .searches = run->goal != NULL && run->goal->searches,
    };
    return 0;
}

static void second(void *self, const struct app_second *s)
{
    struct app_plain *plain = self;
    if (!s->is_rest && !plain->searches)
        app_report_line(plain->out, plain->n++, plain->is_stream, s);
}

static void say(void *self, const char *lines)
{
    struct app_plain *plain = self;
    fputs(lines, plain->out);
    fflush(plain->out);
}

static void close_plain(void *self)
{
    (void)self;
}

const struct app_observer_ops app_plain_observer = {
    .name = "plain",
    .begin = begin,
    .second = second,
    .say = say,
    .close = close_plain,
};
