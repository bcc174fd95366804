/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A regular file is written as a temporary beside it, flushed to disk, and renamed: a reader sees
 * the old result or the new one, never half of one. Anything else that has a name (a pipe,
 * /dev/null) is written in place; renaming over it would destroy it.
 */
#include "output.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_in_place(struct app_output *o, struct tern_error *err)
{
    o->json = fopen(o->path, "w");
    if (o->json == NULL)
        return app_refuse(
            err, "--json: cannot write %s: %s; type another path", o->path, strerror(errno));
    return 0;
}

static int open_temp(struct app_output *o, struct tern_error *err)
{
    static const char suffix[] = ".XXXXXX";
    memcpy(o->temp, o->path, strlen(o->path) + 1);
    strcat(o->temp, suffix);
    const int fd = mkostemp(o->temp, O_CLOEXEC);
    if (fd < 0) {
        o->temp[0] = '\0';
        return app_refuse(
            err, "--json: cannot write %s: %s; type another path", o->path, strerror(errno));
    }
    const mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask) != 0 || (o->json = fdopen(fd, "w")) == NULL) {
        const int rc = app_refuse(err, "--json: cannot write %s: %s", o->path, strerror(errno));
        close(fd);
        app_output_abandon(o);
        return rc;
    }
    return 0;
}

int app_output_open(struct app_output *o, const char *path, struct tern_error *err)
{
    enum { SUFFIX_ROOM = 8 };
    *o = (struct app_output){.human = stdout};
    if (path == NULL)
        return 0;
    if (strcmp(path, "-") == 0) {
        o->human = stderr;
        o->json = stdout;
        return 0;
    }
    struct stat st;
    if (path[0] == '\0' || strlen(path) >= sizeof o->path - SUFFIX_ROOM)
        return app_refuse(err, "--json: the path is empty or too long; type a file's name or '-'");
    memcpy(o->path, path, strlen(path) + 1);
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
        return open_temp(o, err);
    return open_in_place(o, err);
}

/* Everything is on disk and under its name. @return false with errno set */
static bool finish(struct app_output *o)
{
    FILE *json = o->json;
    o->json = NULL;
    if (json == stdout)
        return fflush(json) == 0;
    const bool in_place = o->temp[0] == '\0';
    const bool flushed = fflush(json) == 0 && (in_place || fsync(fileno(json)) == 0);
    return fclose(json) == 0 && flushed && (in_place || rename(o->temp, o->path) == 0);
}

int app_output_write(struct app_output *o, const json_t *root, struct tern_error *err)
{
    if (o->json == NULL)
        return 0;
    errno = 0;
    const bool dumped = json_dumpf(root, o->json, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0
                        && fputc('\n', o->json) != EOF;
    if (dumped && finish(o)) {
        o->temp[0] = '\0';
        return 0;
    }
    app_refuse(err, "--json: cannot write %s: %s; the result is above", o->path,
        errno != 0 ? strerror(errno) : "it is no JSON");
    app_output_abandon(o);
    return -EIO;
}

void app_output_abandon(struct app_output *o)
{
    if (o->json != NULL && o->json != stdout)
        fclose(o->json);
    if (o->temp[0] != '\0')
        unlink(o->temp);
    o->json = NULL;
    o->temp[0] = '\0';
}
