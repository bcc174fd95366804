/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The program under test, run as a user would: its words, what it says on both streams, how it
 * ends. It is the first argument of the test.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h> /* after setjmp.h and the std* headers, which it wants and does not include */
// clang-format on

extern char **environ;

enum {
    WORDS_MAX = 24,
    TEXT_BYTES = 1 << 19,
    HANG_MS = 20000, /* far beyond the second that is allowed: sanitizers are slow, hangs are not */
    STATUS_USAGE = 2,
    STATUS_INTERRUPTED = 130,
    STATUS_HANGS = -1,
};

static const char *program;

struct outcome {
    int status; /* exit status, 128 + signal, or STATUS_HANGS */
    char out[TEXT_BYTES], err[TEXT_BYTES];
};

struct child {
    pid_t pid;
    int out, err;
};

static inline void spawn(struct child *child, const char *const *words)
{
    int out[2], err[2];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    char *argv[WORDS_MAX];
    int n = 0;
    do {
        assert_in_range(n, 0, WORDS_MAX - 1);
        memcpy(&argv[n], &words[n], sizeof argv[n]);
    } while (words[n++] != NULL);
    assert_int_equal(posix_spawnp(&child->pid, words[0], &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    child->out = out[0];
    child->err = err[0];
}

/* Append what there is to read. @return false at the end */
static inline bool read_some(int fd, char *text)
{
    char rest[4096];
    const size_t used = strlen(text);
    const size_t room = TEXT_BYTES - 1 - used;
    const ssize_t n = room > 0 ? read(fd, text + used, room) : read(fd, rest, sizeof rest);
    if (n > 0 && room > 0)
        text[used + (size_t)n] = '\0';
    return n > 0;
}

static inline uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Read both streams to their ends. @return false when that takes too long */
static inline bool read_all(const struct child *child, struct outcome *o)
{
    struct pollfd fds[] = {{child->out, POLLIN, 0}, {child->err, POLLIN, 0}};
    const uint64_t end_ms = now_ms() + HANG_MS;
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        const uint64_t t = now_ms();
        if (t >= end_ms || poll(fds, 2, (int)(end_ms - t)) <= 0)
            return false;
        if (fds[0].revents != 0 && !read_some(child->out, o->out))
            fds[0].fd = -1;
        if (fds[1].revents != 0 && !read_some(child->err, o->err))
            fds[1].fd = -1;
    }
    return true;
}

static inline void finish(struct child *child, struct outcome *o)
{
    int status;
    *o = (struct outcome){.status = 0};
    const bool ended = read_all(child, o);
    if (!ended)
        kill(child->pid, SIGKILL);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!ended)
        o->status = STATUS_HANGS;
    close(child->out);
    close(child->err);
}

static inline void run(struct outcome *o, const char *const *words)
{
    struct child child;
    spawn(&child, words);
    finish(&child, o);
}

/** @return false: the test was not told the program */
static inline bool take_program(int argc, char **argv)
{
    if (argc != 2)
        fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
    else
        program = argv[1];
    return argc == 2;
}
