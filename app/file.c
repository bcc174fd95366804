/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is asked for by its length may lie about it (a pipe, /dev/zero), so a file is read until it
 * ends or is one byte longer than it may be.
 */
#include "file.h"

#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_all(const char *option, const char *path, FILE *in, size_t max, char *bytes,
    size_t *n_bytes, struct tern_error *err)
{
    *n_bytes = fread(bytes, 1, max + 1, in);
    if (ferror(in) != 0)
        return app_refuse(
            err, "%s: '%.80s': %s; name a file that can be read", option, path, strerror(errno));
    if (*n_bytes > max)
        return app_refuse(
            err, "%s: '%.80s' has more than %zu bytes; name a smaller file", option, path, max);
    bytes[*n_bytes] = '\0';
    return 0;
}

int app_file_read(const char *option, const char *path, size_t max, char **bytes, size_t *n_bytes,
    struct tern_error *err)
{
    FILE *in = fopen(path, "rbe");
    if (in == NULL)
        return app_refuse(
            err, "%s: '%.80s': %s; name a file that can be read", option, path, strerror(errno));
    *bytes = malloc(max + 1);
    const int rc = *bytes == NULL ? app_refuse(err, "%s: no memory for %zu bytes", option, max)
                                  : read_all(option, path, in, max, *bytes, n_bytes, err);
    fclose(in);
    if (rc != 0) {
        free(*bytes);
        *bytes = NULL;
    }
    return rc;
}
