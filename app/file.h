/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Files that an option names: read once, before anything starts. */
#include <tern/config.h>

#include <stddef.h>

/**
 * Read all of a regular file. One byte more follows, a zero.
 * @param option  for the message: "--body"
 * @param max     it may have
 * @param bytes   the caller's to free
 * @return 0, or -EINVAL with one line in *err
 */
int app_file_read(const char *option, const char *path, size_t max, char **bytes, size_t *n_bytes,
    struct tern_error *err);
