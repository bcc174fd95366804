/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * O_TMPFILE makes a file without a name, linkat(2) gives it one. A link replaces nothing, so over
 * an older file it goes by a name beside it and rename(2). File systems without (NFS, old overlays)
 * get a temporary with a name from the start, which a kill leaves behind.
 */
#include "file.h"

#include "../error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0666, SUFFIX_ROOM = 8, NAMES_TRIED_MAX = 100, PROC_BYTES = 64 };

static int refuse(const struct app_result_file *f, struct tern_error *err)
{
    return app_refuse(
        err, "%s: cannot write %.200s: %s; type another path", f->option, f->path, strerror(errno));
}

/* @return a descriptor of what has no name, or -1 */
static int open_unnamed(const char *path)
{
    char dir[APP_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    const size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1; /* "/" stays "/" */
    memcpy(dir, n == 0 ? "." : path, n == 0 ? 1 : n);
    dir[n == 0 ? 1 : n] = '\0';
    if (access("/proc/self/fd", X_OK) != 0) /* needed to give it a name */
        return -1;
    return open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, MODE);
}

static int open_named(struct app_result_file *f)
{
    snprintf(f->temp, sizeof f->temp, "%.*s.XXXXXX", (int)(sizeof f->temp - SUFFIX_ROOM), f->path);
    const int fd = mkostemp(f->temp, O_CLOEXEC);
    const mode_t mask = umask(0);
    umask(mask);
    if (fd < 0)
        f->temp[0] = '\0';
    else if (fchmod(fd, MODE & ~mask) != 0)
        f->in_place = false; /* readable by its owner only, then */
    return fd;
}

int app_result_file_open(
    struct app_result_file *f, const char *option, const char *path, struct tern_error *err)
{
    struct stat st;
    *f = (struct app_result_file){.option = option};
    if (path[0] == '\0' || strlen(path) >= sizeof f->path - SUFFIX_ROOM)
        return app_refuse(err, "%s: the path is empty or too long; type a file's name", option);
    memcpy(f->path, path, strlen(path) + 1);
    f->in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    int fd = f->in_place ? open(path, O_WRONLY | O_CLOEXEC) : open_unnamed(path);
    if (fd < 0 && !f->in_place)
        fd = open_named(f);
    if (fd < 0)
        return refuse(f, err);
    f->out = fdopen(fd, "w");
    if (f->out != NULL)
        return 0;
    close(fd);
    app_result_file_abandon(f);
    return refuse(f, err);
}

/* Give what has no name one beside its own. @return 0, or -1 with errno set */
static int name_beside(struct app_result_file *f, const char *proc)
{
    int rc = -1;
    for (unsigned i = 0; i < NAMES_TRIED_MAX && rc != 0; i++) {
        snprintf(
            f->temp, sizeof f->temp, "%.*s.%u", (int)(sizeof f->temp - SUFFIX_ROOM), f->path, i);
        rc = linkat(AT_FDCWD, proc, AT_FDCWD, f->temp, AT_SYMLINK_FOLLOW);
        if (rc != 0 && errno != EEXIST)
            break;
    }
    if (rc != 0)
        f->temp[0] = '\0';
    return rc;
}

/* @return 0 once it has its name, or -1 with errno set */
static int take_name(struct app_result_file *f)
{
    if (f->temp[0] == '\0') {
        char proc[PROC_BYTES];
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", fileno(f->out));
        if (linkat(AT_FDCWD, proc, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        if (errno != EEXIST || name_beside(f, proc) != 0)
            return -1;
    }
    if (rename(f->temp, f->path) != 0)
        return -1;
    f->temp[0] = '\0';
    return 0;
}

int app_result_file_commit(struct app_result_file *f, struct tern_error *err)
{
    errno = 0;
    bool good = ferror(f->out) == 0 && fflush(f->out) == 0;
    if (good && !f->in_place)
        good = fsync(fileno(f->out)) == 0 && take_name(f) == 0;
    const int why = errno;
    if (fclose(f->out) == 0 && good) {
        f->out = NULL;
        return 0;
    }
    f->out = NULL;
    app_refuse(err, "%s: cannot write %.200s: %s; the result is above", f->option, f->path,
        strerror(why != 0 ? why : EIO));
    app_result_file_abandon(f);
    return -EIO;
}

void app_result_file_abandon(struct app_result_file *f)
{
    if (f->out != NULL)
        fclose(f->out);
    if (f->temp[0] != '\0')
        unlink(f->temp);
    f->out = NULL;
    f->temp[0] = '\0';
}
