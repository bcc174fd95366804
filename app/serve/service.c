/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of services, and what is the same for all of them on a worker: make the service's
 * state, listen on every own address of both families, and take the state down at the end.
 */
#include "service.h"

#include "../error.h"
#include "../value.h"

#include <errno.h>

static const struct app_service *const services[] = {&app_service_http, &app_service_echo,
    &app_service_discard, &app_service_chargen, &app_service_stream};
enum { N_SERVICES = sizeof services / sizeof services[0] };

int app_server_init(struct app_server *s, const char *name, struct tern_error *err)
{
    const char *names[N_SERVICES];
    for (size_t i = 0; i < N_SERVICES; i++)
        names[i] = services[i]->name;
    uint32_t at;
    const int rc = app_value_choice("--app", name, names, N_SERVICES, &at, err);
    if (rc == 0)
        *s = (struct app_server){.service = services[at],
            .cfg = {.port = services[at]->port, .n_ports = 1, .body_bytes = 1}};
    return rc;
}

static int start(struct tern_shard *sh, void *ctx)
{
    const struct app_server *s = ctx;
    const struct app_service *service = s->service;
    const int rc = service->start == NULL ? 0 : service->start(sh, &s->cfg);
    if (rc != 0)
        return rc;
    int listener = 0;
    for (uint32_t i = 0; i < s->cfg.n_ports && listener >= 0; i++)
        listener = tern_listen(sh, NULL, (uint16_t)(s->cfg.port + i), service->app, NULL);
    if (listener >= 0)
        return 0;
    if (service->stop != NULL)
        service->stop(sh);
    return listener;
}

static void stop(struct tern_shard *sh, void *ctx)
{
    const struct app_server *s = ctx;
    if (s->service->stop != NULL)
        s->service->stop(sh);
}

struct tern_worker_app app_server_worker(struct app_server *s)
{
    s->cfg.books = s->books;
    return (struct tern_worker_app){.start = start, .stop = stop, .ctx = s};
}

void app_server_stream_books(const struct app_server *s, struct app_stream_books *out)
{
    *out = (struct app_stream_books){.n_whole = 0};
    for (int i = 0; i < TERN_WORKERS_MAX; i++)
        app_stream_books_add(out, &s->books[i].stream);
}
