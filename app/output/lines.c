/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nothing is buffered here: the kernel has a line as soon as write(2) has returned, and keeps it
 * when this process is killed. fsync was rejected: it would only add safety against a machine that
 * fails, and takes the main thread away from its second for as long as the disk likes.
 *
 * What is no regular file (a FIFO, a terminal) is never waited for, and a reader that has gone is
 * an error like a full disk: SIGPIPE is held back, as it would end the run.
 */
#include "lines.h"

#include "../error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MODE = 0666 }; /* less what the user's mask takes away */

int app_lines_open(
    struct app_lines *l, const char *option, const char *path, struct tern_error *err)
{
    *l = (struct app_lines){.option = option, .path = path, .fd = -1};
    struct stat st;
    if (strcmp(path, "-") == 0)
        return app_refuse(err, "%s: '-' is taken by what is printed; type a file's name", option);
    l->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NONBLOCK | O_CLOEXEC, MODE);
    if (l->fd < 0 || fstat(l->fd, &st) != 0)
        return app_refuse(
            err, "%s: cannot write %.200s: %s; type another path", option, path, strerror(errno));
    l->is_file = S_ISREG(st.st_mode);
    return 0;
}

/* @return bytes written, or -1 with errno set */
static ssize_t write_all(int fd, const char *text, size_t n_bytes)
{
    size_t done = 0;
    while (done < n_bytes) {
        const ssize_t n = write(fd, text + done, n_bytes - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return -1;
    }
    return (ssize_t)done;
}

/* The signal that a write to nobody raises is taken before it is delivered. */
static ssize_t write_without_sigpipe(int fd, const char *text, size_t n_bytes)
{
    static const struct timespec at_once = {0};
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    const ssize_t n = write_all(fd, text, n_bytes);
    const int why = errno;
    if (n < 0 && why == EPIPE && sigismember(&pending, SIGPIPE) == 0)
        sigtimedwait(&pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return n;
}

int app_lines_add(struct app_lines *l, const char *text, size_t n_bytes)
{
    if (write_without_sigpipe(l->fd, text, n_bytes) >= 0) {
        l->n_bytes += n_bytes;
        l->n_added++;
        return 0;
    }
    const int why = errno;
    if (l->is_file && ftruncate(l->fd, (off_t)l->n_bytes) != 0)
        l->is_file = false; /* half of it stays; the reader sees a short row */
    l->n_lost++;
    return -why;
}

void app_lines_add_or_tell(struct app_lines *l, const char *text, size_t n_bytes)
{
    const int rc = app_lines_add(l, text, n_bytes);
    if (rc == 0 || l->why != 0)
        return;
    l->why = -rc;
    struct tern_error line;
    app_refuse(&line, "%s: cannot add to %.200s: %s; the run goes on, make room and it will too",
        l->option, l->path, strerror(l->why));
    app_report_error(APP_EXIT_OK, &line);
}

void app_lines_tell_lost(const struct app_lines *l)
{
    struct tern_error line;
    if (l->n_lost == 0)
        return;
    app_refuse(&line, "%s: %" PRIu64 " of %" PRIu64 " rows are missing in %.200s: %s", l->option,
        l->n_lost, l->n_lost + l->n_added, l->path, strerror(l->why));
    app_report_error(APP_EXIT_OK, &line);
}

void app_lines_close(struct app_lines *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
