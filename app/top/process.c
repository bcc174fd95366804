/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every socket in the directory is tried: one that nobody answers is what a killed process left. A
 * process tells its pid as it takes a connection, and takes ten at a time, so those that are not
 * wanted are closed at once. Nothing here waits for longer than ANSWER_S.
 */
#include "process.h"

#include <tern/engine.h>

#include "../error.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "dpdk_telemetry.v2"

enum {
    ANSWER_S = 5,
    GREETING_BYTES = 1024,
    ANSWER_MAX = 1 << 20, /* DPDK says 16 KiB; more than this it would hardly be */
    ANSWER_MIN = 1024,
    SOCKETS_MAX = 1024,
    COMMAND_BYTES = 512,
    LISTED_BYTES = 320, /* of those that run, in an error */
    PATH_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path),
};

/* ---- JSON ---- */

uint64_t app_number(const json_t *dict, const char *name)
{
    const json_int_t n = json_integer_value(json_object_get(dict, name));
    return n > 0 ? (uint64_t)n : 0;
}

/** One message. @return its dictionary, or NULL: none came, or it is not one */
static json_t *receive(int fd, char *buf, size_t n_bytes)
{
    const ssize_t n = recv(fd, buf, n_bytes, 0);
    if (n < 0)
        return NULL;
    if (n == 0) {
        errno = ECONNRESET;
        return NULL;
    }
    json_t *o = json_loadb(buf, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(o))
        return o;
    json_decref(o);
    errno = EBADMSG;
    return NULL;
}

/* ---- one of them ---- */

/** What it was started as. The kernel keeps a zero behind each word. */
static void read_title(struct app_process *p)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/cmdline", p->pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, p->title, sizeof p->title - 1);
    if (fd >= 0)
        close(fd);
    p->title[n > 0 ? n : 0] = '\0';
    for (ssize_t i = 0; i < n; i++)
        if (!isprint((unsigned char)p->title[i]))
            p->title[i] = p->title[i] != '\0' ? '?' : i + 1 < n ? ' ' : '\0';
}

static int connect_to(const char *dir, const char *name)
{
    const struct timeval patience = {.tv_sec = ANSWER_S};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int n = snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof at.sun_path)
        return -1;
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

/** It says {"version":…,"pid":…,"max_output_len":…}. @return whether it does */
static bool greet(struct app_process *p)
{
    char greeting[GREETING_BYTES];
    json_t *o = receive(p->fd, greeting, sizeof greeting);
    p->pid = app_number(o, "pid");
    p->answer_max = app_number(o, "max_output_len");
    json_decref(o);
    return p->pid != 0 && p->answer_max >= ANSWER_MIN && p->answer_max <= ANSWER_MAX;
}

void app_process_close(struct app_process *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    free(p->answer);
    p->answer = NULL;
}

/* ---- finding it ---- */

/** What the search has come to. */
struct search {
    uint64_t pid; /* wanted; 0: any */
    uint32_t n;   /* that run */
    struct app_process found;
    char listed[LISTED_BYTES];
};

static void list(struct search *s, const struct app_process *p)
{
    const size_t used = strlen(s->listed);
    snprintf(s->listed + used, sizeof s->listed - used, "%s%" PRIu64 " (%.60s)",
        used > 0 ? ", " : "", p->pid, p->title);
}

static void try_socket(struct search *s, const char *dir, const char *name)
{
    struct app_process p = {.fd = connect_to(dir, name)};
    if (p.fd < 0)
        return;
    if (!greet(&p)) {
        app_process_close(&p);
        return;
    }
    read_title(&p);
    list(s, &p);
    s->n++;
    if (s->found.fd < 0 && (s->pid == 0 || s->pid == p.pid))
        s->found = p;
    else
        app_process_close(&p);
}

static void look_in(struct search *s, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    for (int i = 0; dir != NULL && i < SOCKETS_MAX && (entry = readdir(dir)) != NULL; i++)
        if (strncmp(entry->d_name, SOCKET_NAME, sizeof SOCKET_NAME - 1) == 0)
            try_socket(s, path, entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

/** Is it clear which one? */
static int choose(struct search *s, const char *dir, struct tern_error *err)
{
    if (s->n == 0)
        return app_refuse(err,
            "top: no tern of this user runs (no socket in %s answers); start one, or be the user "
            "who did: sudo tern top",
            dir);
    if (s->pid == 0 && s->n > 1)
        return app_refuse(
            err, "top: %u run: %s; type 'tern top PID' with one of them", s->n, s->listed);
    if (s->found.fd < 0)
        return app_refuse(
            err, "top: no tern has the pid %" PRIu64 "; there is %s", s->pid, s->listed);
    s->found.answer = malloc(s->found.answer_max);
    if (s->found.answer == NULL)
        return app_refuse(err, "top: out of memory; free some");
    return 0;
}

int app_process_open(struct app_process *p, uint64_t pid, struct tern_error *err)
{
    char dir[PATH_BYTES];
    struct search s = {.pid = pid, .found.fd = -1};
    *p = (struct app_process){.fd = -1};
    if (tern_telemetry_dir(dir, sizeof dir) != 0)
        return app_refuse(err, "top: the path in RUNTIME_DIRECTORY or XDG_RUNTIME_DIR is too long "
                               "for a socket; set RUNTIME_DIRECTORY to a shorter one");
    look_in(&s, dir);
    const int rc = choose(&s, dir, err);
    if (rc == 0)
        *p = s.found;
    else
        app_process_close(&s.found);
    return rc;
}

/* ---- asking ---- */

static int has_ended(const struct app_process *p, struct tern_error *err)
{
    app_refuse(
        err, "top: no engine runs in process %" PRIu64 ": it has ended, or has just begun", p->pid);
    return -ESHUTDOWN;
}

static int no_answer(const struct app_process *p, struct tern_error *err)
{
    const int why = errno;
    if (why == ECONNRESET || why == EPIPE)
        return has_ended(p, err);
    if (why == EAGAIN)
        return app_refuse(err,
            "top: the process %" PRIu64 " did not answer within %d s; is it stopped?", p->pid,
            ANSWER_S);
    return app_refuse(err, "top: the process %" PRIu64 " sent no answer that can be read (%s)",
        p->pid, strerror(why));
}

/** The dictionary that stands behind the command's name. @param o  is given up */
static int unwrap(const struct app_process *p, const char *command, json_t *o, json_t **out,
    struct tern_error *err)
{
    char name[COMMAND_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(command, ","), command);
    json_t *inner = json_object_get(o, name);
    const char *refusal = json_string_value(json_object_get(inner, "error"));
    int rc = 0;
    if (app_number(inner, "gone") != 0)
        rc = has_ended(p, err);
    else if (refusal != NULL)
        rc = app_refuse(err, "top: the process %" PRIu64 " says: %.200s", p->pid, refusal);
    else if (!json_is_object(inner))
        rc = app_refuse(err,
            "top: the process %" PRIu64 " does not know %s; it is no tern, or another "
            "version's",
            p->pid, name);
    else
        *out = json_incref(inner);
    json_decref(o);
    return rc;
}

int app_process_ask(
    struct app_process *p, const char *command, json_t **out, struct tern_error *err)
{
    *out = NULL;
    if (send(p->fd, command, strlen(command), MSG_NOSIGNAL) < 0)
        return no_answer(p, err);
    json_t *o = receive(p->fd, p->answer, p->answer_max);
    return o == NULL ? no_answer(p, err) : unwrap(p, command, o, out, err);
}
