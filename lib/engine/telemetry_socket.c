/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where DPDK binds its telemetry socket, made safe for it.
 *
 * DPDK ends the whole start when it cannot bind, tells a dead socket from a live one by connecting
 * to it, which waits for as long as that process is stopped, and takes away the one of a process
 * that has bound and does not listen yet. So before it starts everything is looked at here, with
 * sockets that do not wait, and under a lock that the next one to start waits for. Where something
 * is odd the engine runs without telemetry, and says why: no run fails for it.
 *
 *   /var/run (root), $XDG_RUNTIME_DIR, or /tmp; $RUNTIME_DIRECTORY before them
 *     dpdk/            these two are ours, and nobody else may write there
 *       tern/
 *         dpdk_telemetry.v2       the first process
 *         dpdk_telemetry.v2:1     the second …
 *
 * What a killed process left is removed. The lock is the directory's own (flock), so it leaves
 * nothing either.
 */
#include <tern/engine.h>

#include "telemetry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    OWNER_ONLY = 0700,
    OTHERS_MAY_WRITE = 0022,
    SUFFIX_BYTES = 8,  /* ":32767" */
    LOCK_TRIES = 1000, /* ten seconds: DPDK starts in one */
    LOCK_PAUSE_NS = 10000000,
    SOCKETS_MAX = 1024, /* looked at in one directory */
    PATH_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path),
};

#define SOCKET_NAME "dpdk_telemetry.v2"

/* ---- where ---- */

/** As EAL finds it. */
static const char *base_dir(void)
{
    const char *dir = getenv("RUNTIME_DIRECTORY");
    if (dir != NULL)
        return dir;
    if (getuid() == 0)
        return "/var/run";
    dir = getenv("XDG_RUNTIME_DIR");
    return dir != NULL ? dir : "/tmp";
}

/** @return whether a socket's path in it fits */
static bool dir_path(char path[PATH_BYTES], const char *below)
{
    const int n = snprintf(path, PATH_BYTES, "%s/dpdk%s", base_dir(), below);
    return n > 0 && (size_t)n + sizeof "/" SOCKET_NAME + SUFFIX_BYTES <= PATH_BYTES;
}

int tern_telemetry_dir(char *dir, size_t n_bytes)
{
    char path[PATH_BYTES];
    if (!dir_path(path, "/tern") || strlen(path) >= n_bytes)
        return -ENAMETOOLONG;
    memcpy(dir, path, strlen(path) + 1);
    return 0;
}

/* ---- is it fit ---- */

__attribute__((format(printf, 2, 3))) static bool refuse(
    struct tern_telemetry_dir_lock *lock, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(lock->note, sizeof lock->note, format, args);
    va_end(args);
    return false;
}

/** A directory that nobody but us can put something into. */
static bool own_dir(struct tern_telemetry_dir_lock *lock, const char *path)
{
    struct stat st;
    if (mkdir(path, OWNER_ONLY) != 0 && errno != EEXIST)
        return refuse(lock, "no telemetry: %s: %s", path, strerror(errno));
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return refuse(lock, "no telemetry: %s is no directory", path);
    if (st.st_uid != geteuid() || (st.st_mode & OTHERS_MAY_WRITE) != 0)
        return refuse(lock, "no telemetry: others may write to %s; set RUNTIME_DIRECTORY", path);
    return true;
}

static bool lock_dir(struct tern_telemetry_dir_lock *lock, const char *path)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    lock->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lock->fd < 0)
        return refuse(lock, "no telemetry: %s: %s", path, strerror(errno));
    for (int i = 0; flock(lock->fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_TRIES)
            return refuse(lock, "no telemetry: %s is locked by a tern that hangs", path);
        nanosleep(&pause, NULL);
    }
    return true;
}

/* ---- what lies there ---- */

/** @return 0: somebody listens; or -errno */
static int knock(const struct sockaddr_un *at)
{
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const int rc = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 ? 0 : -errno;
    close(fd);
    return rc;
}

/** Remove a dead socket. @return false: DPDK would wait for this one */
static bool tidy_socket(struct tern_telemetry_dir_lock *lock, const char *dir, const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int n = snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof at.sun_path)
        return true; /* no name that DPDK would try */
    const int rc = knock(&at);
    if (rc == -ECONNREFUSED)
        unlink(at.sun_path);
    if (rc == -EAGAIN)
        return refuse(lock, "no telemetry: the process behind %s is stopped", name);
    return true;
}

static bool tidy_dir(struct tern_telemetry_dir_lock *lock, const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return refuse(lock, "no telemetry: %s: %s", path, strerror(errno));
    bool is_fit = true;
    const struct dirent *entry;
    for (int i = 0; is_fit && i < SOCKETS_MAX && (entry = readdir(dir)) != NULL; i++)
        if (strncmp(entry->d_name, SOCKET_NAME, sizeof SOCKET_NAME - 1) == 0)
            is_fit = tidy_socket(lock, path, entry->d_name);
    closedir(dir);
    return is_fit;
}

/* ---- the whole ---- */

static bool prepare(struct tern_telemetry_dir_lock *lock)
{
    char above[PATH_BYTES], path[PATH_BYTES];
    if (!dir_path(above, "") || !dir_path(path, "/tern"))
        return refuse(lock, "no telemetry: too long a path: %.40s…", base_dir());
    return own_dir(lock, above) && own_dir(lock, path) && lock_dir(lock, path)
           && tidy_dir(lock, path);
}

bool tern_telemetry_prepare(struct tern_telemetry_dir_lock *lock)
{
    *lock = (struct tern_telemetry_dir_lock){.fd = -1};
    const bool is_fit = prepare(lock);
    if (!is_fit)
        tern_telemetry_release(lock);
    return is_fit;
}

void tern_telemetry_release(struct tern_telemetry_dir_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
