/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Where results go: JSON to a file or stdout, and what people read to the stream that is left. The
 * file is opened before anything starts, so that a run never ends in "permission denied", and takes
 * its name only when it is whole.
 */
#include "output/file.h"

#include <jansson.h>
#include <stdio.h>

struct app_output {
    FILE *human;    /**< stdout, or stderr when JSON is on stdout */
    bool to_stdout; /**< the JSON */
    struct app_result_file json;
};

/** @param path  NULL, "-" or a file. @return 0, or -EINVAL with one line in *err */
int app_output_open(struct app_output *o, const char *path, struct tern_error *err);

/** Write and close; the file appears under its name. @return 0, or -EIO with one line in *err */
int app_output_write(struct app_output *o, json_t *root, struct tern_error *err);

/** Close without a result; leaves nothing behind. */
void app_output_abandon(struct app_output *o);
