/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of services, and what is the same for all of them on a worker: make an instance for
 * each listener, listen on every own address of both families, and take the instances down at the
 * end.
 *
 * A service does not count its connections: where it is alone the library does, and a call for each
 * connection is what the everyday server has no use for. Where there are more listeners than one,
 * on_open() is wrapped.
 */
#include "service.h"

#include "../error.h"
#include "../value.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct app_service *const services[] = {&app_service_http, &app_service_echo,
    &app_service_discard, &app_service_chargen, &app_service_stream};
enum {
    N_SERVICES = sizeof services / sizeof services[0],
    LINE_BYTES = 64,
    LISTENER_BYTES = 1 << 20, /* of bodies; more than any service makes but for a file */
};
static_assert((int)N_SERVICES <= (int)APP_LISTENERS_MAX, "a listener for each");

/** A worker's listeners; the shard's user pointer. */
struct server_worker {
    const struct app_server *server;
    struct app_instance *instances[APP_LISTENERS_MAX]; /* NULL: not made */
};

/* ---- what there is ---- */

int app_service_find(
    const char *option, const char *name, const struct app_service **out, struct tern_error *err)
{
    const char *names[N_SERVICES];
    for (size_t i = 0; i < N_SERVICES; i++)
        names[i] = services[i]->name;
    uint32_t at;
    const int rc = app_value_choice(option, name, names, N_SERVICES, &at, err);
    if (rc == 0)
        *out = services[at];
    return rc;
}

void app_service_config_init(struct app_service_config *cfg, const struct app_service *service)
{
    *cfg = (struct app_service_config){.port = service->port, .n_ports = 1, .body_bytes = 1};
    app_http_config_init(&cfg->http);
}

int app_server_add(struct app_server *s, const char *name, struct tern_error *err)
{
    const struct app_service *service;
    const int rc = app_service_find("--app", name, &service, err);
    for (uint32_t i = 0; i < s->n_listeners && rc == 0; i++)
        if (s->listeners[i].service == service)
            return 0;
    if (rc != 0)
        return rc;
    struct app_listener *l = &s->listeners[s->n_listeners++]; /* fewer services than listeners */
    *l = (struct app_listener){.service = service};
    app_service_config_init(&l->cfg, service);
    return 0;
}

int app_server_init(struct app_server *s, const char *name, struct tern_error *err)
{
    *s = (struct app_server){.n_listeners = 0};
    return app_server_add(s, name, err);
}

uint64_t app_server_static_bytes(const struct app_server *s)
{
    uint64_t n = (s->n_listeners - 1) * (uint64_t)LISTENER_BYTES;
    for (uint32_t i = 0; i < s->n_listeners; i++)
        n += s->listeners[i].cfg.http.file.n_bytes;
    return n;
}

uint32_t app_server_n_ports(const struct app_server *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_listeners; i++)
        n += s->listeners[i].cfg.n_ports;
    return n;
}

/* ---- a worker ---- */

/* Its memory is taken on the worker's own thread, so it lies on the worker's NUMA node. */
static struct app_instance *instance_new(struct app_server *s, uint32_t listener, uint32_t worker)
{
    struct app_listener *l = &s->listeners[listener];
    const size_t bytes = (l->service->instance_bytes + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);
    struct app_instance *i = aligned_alloc(LINE_BYTES, bytes);
    if (i == NULL)
        return NULL;
    memset(i, 0, bytes);
    *i = (struct app_instance){.service = l->service,
        .cfg = &l->cfg,
        .books = &s->books[listener][worker],
        .bucket = &l->bucket};
    return i;
}

static void instance_free(struct app_instance *i)
{
    if (i->service->stop != NULL)
        i->service->stop(i);
    free(i);
}

static int listen_on(
    struct tern_shard *sh, const struct app_server *s, uint32_t listener, struct app_instance *i)
{
    const struct tern_app *app = s->n_listeners > 1 ? &s->counting[listener] : i->service->app;
    int rc = 0;
    for (uint32_t k = 0; k < i->cfg->n_ports && rc >= 0; k++)
        rc = tern_listen(sh, NULL, (uint16_t)(i->cfg->port + k), app, app_instance_user(i));
    return rc < 0 ? rc : 0;
}

static int start_listener(
    struct tern_shard *sh, struct app_server *s, struct server_worker *w, uint32_t listener)
{
    struct app_instance *i = instance_new(s, listener, tern_shard_worker(sh));
    if (i == NULL)
        return -ENOMEM;
    w->instances[listener] = i;
    const int rc = i->service->start == NULL ? 0 : i->service->start(sh, i);
    return rc != 0 ? rc : listen_on(sh, s, listener, i);
}

static void stop(struct tern_shard *sh, void *ctx)
{
    (void)ctx;
    struct server_worker *w = tern_shard_user(sh);
    for (uint32_t i = 0; i < APP_LISTENERS_MAX; i++)
        if (w->instances[i] != NULL)
            instance_free(w->instances[i]);
    free(w);
}

static int start(struct tern_shard *sh, void *ctx)
{
    struct app_server *s = ctx;
    struct server_worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    w->server = s;
    tern_shard_set_user(sh, w);
    int rc = 0;
    for (uint32_t i = 0; i < s->n_listeners && rc == 0; i++)
        rc = start_listener(sh, s, w, i);
    if (rc != 0)
        stop(sh, ctx);
    return rc;
}

static bool has_tick(const struct app_listener *l)
{
    return l->service->has_tick != NULL && l->service->has_tick(&l->cfg);
}

static bool tick(struct tern_shard *sh, void *ctx, uint64_t now_ns)
{
    const struct app_server *s = ctx;
    const struct server_worker *w = tern_shard_user(sh);
    bool worked = false;
    for (uint32_t i = 0; i < s->n_listeners; i++)
        if (has_tick(&s->listeners[i]))
            worked |= s->listeners[i].service->tick(sh, w->instances[i], now_ns);
    return worked;
}

static void count_open(struct tern_shard *sh, struct tern_conn *c)
{
    const struct app_instance *i = app_conn_instance(c);
    app_service_bump(&i->books->opened);
    if (i->service->app->on_open != NULL)
        i->service->app->on_open(sh, c);
}

struct tern_worker_app app_server_worker(struct app_server *s)
{
    struct tern_worker_app app = {.start = start, .stop = stop, .ctx = s};
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        s->counting[i] = *s->listeners[i].service->app;
        s->counting[i].on_open = count_open;
        if (has_tick(&s->listeners[i]))
            app.tick = tick;
    }
    return app;
}

/* ---- the main thread ---- */

void app_server_stream_books(const struct app_server *s, struct app_stream_books *out)
{
    *out = (struct app_stream_books){.n_whole = 0};
    for (uint32_t i = 0; i < s->n_listeners; i++)
        for (int w = 0; w < TERN_WORKERS_MAX; w++)
            app_stream_books_add(out, &s->books[i][w].stream);
}

static void add(uint64_t *sum, const uint64_t *counter)
{
    *sum += __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add_books(struct app_service_books *sum, const struct app_service_books *b)
{
    add(&sum->opened, &b->opened);
    for (int r = 0; r < APP_REPLY_COUNT; r++)
        add(&sum->replies[r], &b->replies[r]);
    add(&sum->unanswered, &b->unanswered);
    add(&sum->n_held, &b->n_held);
    add(&sum->held_ns, &b->held_ns);
    const uint64_t late_ns = __atomic_load_n(&b->held_late_max_ns, __ATOMIC_RELAXED);
    if (late_ns > sum->held_late_max_ns)
        sum->held_late_max_ns = late_ns;
    app_stream_books_add(&sum->stream, &b->stream);
}

void app_server_books(const struct app_server *s, uint32_t listener, struct app_service_books *out)
{
    *out = (struct app_service_books){.opened = 0};
    for (int w = 0; w < TERN_WORKERS_MAX; w++)
        add_books(out, &s->books[listener][w]);
}

void app_server_fini(struct app_server *s)
{
    for (uint32_t i = 0; i < s->n_listeners; i++)
        app_served_file_free(&s->listeners[i].cfg.http.file);
    s->n_listeners = 0;
}
