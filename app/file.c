/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regular files alone: they have a length that can be refused before anything is taken, and they
 * end. A pipe may not, and one without a writer would not even open.
 */
#include "file.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* @return 0 or -errno; -EIO: it has become shorter meanwhile */
static int read_all(int fd, char *out, size_t n)
{
    for (size_t at = 0; at < n;) {
        const ssize_t got = read(fd, out + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        at += (size_t)got;
    }
    out[n] = '\0';
    return 0;
}

static int read_open(const char *option, const char *path, int fd, size_t max, char **bytes,
    size_t *n_bytes, struct tern_error *err)
{
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return app_refuse(err, "%s: %.200s is no regular file; type the path of one", option, path);
    if ((uint64_t)s.st_size > max)
        return app_refuse(err, "%s: %.200s has %lld bytes, more than %zu; type a smaller file",
            option, path, (long long)s.st_size, max);
    *n_bytes = (size_t)s.st_size;
    *bytes = malloc(*n_bytes + 1);
    const int rc = *bytes == NULL ? -ENOMEM : read_all(fd, *bytes, *n_bytes);
    if (rc == 0)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return app_refuse(
        err, "%s: cannot read %.200s: %s; type another file", option, path, strerror(-rc));
}

int app_file_read(const char *option, const char *path, size_t max, char **bytes, size_t *n_bytes,
    struct tern_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return app_refuse(err,
            "%s: cannot read %.200s: %s; type the path of a file that can be read", option, path,
            strerror(errno));
    const int rc = read_open(option, path, fd, max, bytes, n_bytes, err);
    close(fd);
    return rc;
}
