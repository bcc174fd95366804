/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libmicrohttpd serves on one thread of its own. What it serves is a copy that the main thread puts
 * there once a second, so a scrape never waits for the run, nor the run for a scrape; the lock is
 * held for a copy of some kilobytes. All figures of a scrape are of one moment, which
 * tern_run_elapsed_seconds names.
 *
 * Rejected: counters read at each scrape (figures of different moments, and a scraper that asks
 * often would cost the workers cache lines); HTTP of our own.
 */
#include "prometheus.h"

#include "../error.h"
#include "../run.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 16,
    SILENCE_S_MAX = 5,           /* of a connection; then it is closed */
    CONNECTION_BYTES = 16 << 10, /* for what is asked */
    NICENESS = 10,               /* workers go first */
};

/* ---- on the daemon's thread ---- */

/* Called as its first thing, and then again for each connection. */
static void step_back(
    void *cls, struct MHD_Connection *c, void **of_socket, enum MHD_ConnectionNotificationCode why)
{
    (void)cls, (void)c, (void)of_socket, (void)why;
    setpriority(PRIO_PROCESS, 0, NICENESS); /* of a thread, on Linux */
}

/* Send [n_bytes] of text, which is then the daemon's, and freed by it. */
static enum MHD_Result send_text(struct MHD_Connection *c, unsigned status, char *text,
    size_t n_bytes, const char *header, const char *value)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(n_bytes, text, MHD_RESPMEM_MUST_FREE);
    if (r == NULL) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(r, header, value);
    const enum MHD_Result sent = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return sent;
}

static enum MHD_Result refuse(
    struct MHD_Connection *c, unsigned status, const char *header, const char *value)
{
    char *text = strdup("Here is GET /metrics, and nothing else.\n");
    return text == NULL ? MHD_NO : send_text(c, status, text, strlen(text), header, value);
}

static enum MHD_Result send_metrics(struct app_prometheus *p, struct MHD_Connection *c)
{
    char *text = NULL;
    size_t n_bytes = 0;
    pthread_mutex_lock(&p->lock);
    const struct app_metrics now = p->metrics;
    pthread_mutex_unlock(&p->lock);
    FILE *out = open_memstream(&text, &n_bytes);
    if (out == NULL)
        return MHD_NO;
    app_metrics_print(out, &now);
    if (fclose(out) == 0)
        return send_text(c, MHD_HTTP_OK, text, n_bytes, MHD_HTTP_HEADER_CONTENT_TYPE,
            "text/plain; version=0.0.4");
    free(text);
    return MHD_NO;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *body, size_t *body_bytes,
    void **of_request)
{
    (void)version, (void)body, (void)body_bytes, (void)of_request;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
    if (strcmp(path, "/metrics") != 0)
        return refuse(c, MHD_HTTP_NOT_FOUND, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
    return send_metrics(cls, c);
}

/* ---- on the main thread ---- */

static int begin(void *self, const struct app_run *run, struct tern_error *err)
{
    struct app_prometheus *p = self;
    p->run = run;
    app_metrics_init(&p->metrics, run);
    const int fd = app_listen_at_open(&p->at, "--prometheus", CONNECTIONS_MAX, err);
    if (fd < 0)
        return fd;
    p->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, answer, p,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, step_back, NULL, MHD_OPTION_END);
    if (p->daemon != NULL)
        return 0;
    close(fd);
    return app_refuse(
        err, "--prometheus: libmicrohttpd could not start its thread; leave --prometheus out");
}

static void second(void *self, const struct app_second *s)
{
    struct app_prometheus *p = self;
    struct app_metrics next = p->metrics; /* only this thread writes it */
    app_metrics_take(&next, p->run, s);
    pthread_mutex_lock(&p->lock);
    p->metrics = next;
    pthread_mutex_unlock(&p->lock);
}

static void close_prometheus(void *self)
{
    struct app_prometheus *p = self;
    if (p->daemon != NULL)
        MHD_stop_daemon(p->daemon);
    p->daemon = NULL;
}

const struct app_observer_ops app_prometheus_observer = {
    .name = "prometheus",
    .begin = begin,
    .second = second,
    .close = close_prometheus,
};
