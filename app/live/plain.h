/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A line a second, for a log, a pipe, and a terminal that is to keep them. */
#include "../observer.h"

#include <stdio.h>

struct app_plain {
    FILE *out; /**< stdout, or stderr when JSON is on stdout */
    bool is_stream;
    bool searches; /**< a line a step instead */
    uint32_t n;    /**< lines so far */
};

extern const struct app_observer_ops app_plain_observer; /**< of a struct app_plain */
