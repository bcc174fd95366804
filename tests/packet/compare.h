/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A segment in the notation of scripts, and two of them side by side. */
#include "script.h"

#include <stdio.h>

/** What is known of a segment, as a script would write it. */
void segment_show(FILE *to, const struct segment *g);

/**
 * Names of what differs between what is wanted and what came, "flags, ack"; "" when nothing does.
 * Always compared: control bits, sequence, length, acknowledgement, the set of options (unless
 * `...`). A timestamp that was not asked for is no option too many: flow.c has judged it.
 */
void segment_differences(
    const struct segment *want, const struct segment *got, char *to, size_t cap);
