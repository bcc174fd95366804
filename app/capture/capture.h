/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the user is told of a capture, while it goes on and at the end. */
#include <tern/engine.h>

#include <jansson.h>
#include <stdio.h>

struct app_settings;

/** Refuse options that mean nothing without --capture. @param s  NULL: none were given. @return 0,
 * or -EINVAL with one line */
int app_capture_check(const struct app_settings *s, struct tern_error *err);

/** Read the counts into *stats, and say on stderr when the disk has begun to fail; every second and
 * after the end. @param stats  of the last time; at first all zero */
void app_capture_watch(
    const struct tern_engine *e, const struct tern_config *cfg, struct tern_capture_stats *stats);

/** Lines of the summary. */
void app_capture_report(
    FILE *out, const struct tern_capture_config *cfg, const struct tern_capture_stats *stats);

/** The same for programs. @return a new reference */
json_t *app_capture_json(
    const struct tern_capture_config *cfg, const struct tern_capture_stats *stats);
