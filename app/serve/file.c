/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Of the media types only those are known that a page is made of; the listener's type= says
 * others. The system's table (mime.types) was not taken: what is served must not depend on what
 * happens to be installed.
 */
#include "file.h"

#include "../error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// clang-format off
static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"}, {".js", "text/javascript"},
    {".json", "application/json"}, {".txt", "text/plain; charset=utf-8"}, {".xml", "application/xml"},
    {".png", "image/png"}, {".jpg", "image/jpeg"}, {".svg", "image/svg+xml"}, {".wasm", "application/wasm"},
};
// clang-format on

static const char *type_of(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

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
    return 0;
}

static int read_open(const char *option, const char *path, int fd, struct app_served_file *out,
    struct tern_error *err)
{
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return app_refuse(err, "%s: %.200s is no regular file; type the path of one", option, path);
    if (s.st_size > APP_FILE_BYTES_MAX)
        return app_refuse(err,
            "%s: %.200s has %lld bytes, more than %d Mi; type a smaller file, or body=N", option,
            path, (long long)s.st_size, APP_FILE_BYTES_MAX >> 20);
    char *bytes = malloc((size_t)s.st_size + 1);
    const int rc = bytes == NULL ? -ENOMEM : read_all(fd, bytes, (size_t)s.st_size);
    if (rc != 0) {
        free(bytes);
        return app_refuse(err, "%s: cannot read %.200s: %s; type another file, or body=N", option,
            path, strerror(-rc));
    }
    *out = (struct app_served_file){
        .bytes = bytes, .n_bytes = (size_t)s.st_size, .type = type_of(path)};
    return 0;
}

int app_served_file_read(
    const char *option, const char *path, struct app_served_file *out, struct tern_error *err)
{
    /* O_NONBLOCK: a FIFO without a writer is refused, not waited for. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return app_refuse(err,
            "%s: cannot read %.200s: %s; type the path of a file that can be read", option, path,
            strerror(errno));
    const int rc = read_open(option, path, fd, out, err);
    close(fd);
    return rc;
}

void app_served_file_free(struct app_served_file *f)
{
    free(f->bytes);
    *f = (struct app_served_file){.bytes = NULL};
}
