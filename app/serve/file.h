/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A file that is served: read once, before anything starts, and never looked at again. */
#include <tern/config.h>

#include <stddef.h>
#include <stdint.h>

enum { APP_FILE_BYTES_MAX = 64 << 20 /* every worker keeps a copy */ };

struct app_served_file {
    char *bytes; /**< [n_bytes]; NULL: no file */
    size_t n_bytes;
    const char *type; /**< media type, by the name's ending */
};

/** Read all of a regular file of at most APP_FILE_BYTES_MAX. @return 0, or -EINVAL with one line in
 * *err */
int app_served_file_read(
    const char *option, const char *path, struct app_served_file *out, struct tern_error *err);

void app_served_file_free(struct app_served_file *f);
