/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A file that has its name only when it is whole. It is opened before anything starts, so that a
 * run never ends in "permission denied", and until then it has no name at all where the file system
 * can do that: what is killed leaves nothing behind.
 */
#include <tern/config.h>

#include <stdbool.h>
#include <stdio.h>

enum { APP_PATH_BYTES = 1024 };

struct app_result_file {
    FILE *out;          /**< NULL: not open */
    const char *option; /**< "--json", for messages */
    char path[APP_PATH_BYTES];
    char temp[APP_PATH_BYTES]; /**< its name by now; empty: none, or `in_place` */
    bool in_place;             /**< a pipe, a device: renaming over it would destroy it */
};

/** @return 0, or -EINVAL with one line in *err */
int app_result_file_open(
    struct app_result_file *f, const char *option, const char *path, struct tern_error *err);

/** All is written: on disk, and under its name. @return 0, or -EIO with one line in *err */
int app_result_file_commit(struct app_result_file *f, struct tern_error *err);

/** Close without a result; leaves nothing behind. Also of what is not open. */
void app_result_file_abandon(struct app_result_file *f);
