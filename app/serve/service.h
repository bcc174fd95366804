/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What `tern serve` can be: a service is a set of connection callbacks and a start and stop for the
 * state it keeps on each worker. One file a service; each uses the public interface only.
 */
#include <tern/engine.h>

#include "../stream.h"

#include <stddef.h>
#include <stdint.h>

/** Written by one worker while the others write theirs: on a cache line of its own. */
struct app_service_books {
    struct app_stream_books stream;
} __attribute__((aligned(64)));

struct app_service_config {
    uint16_t port;
    uint16_t n_ports;  /**< from `port` on; default 1 */
    size_t body_bytes; /**< http: of each 200 */
    struct app_stream_config stream;
    struct app_service_books *books; /**< [TERN_WORKERS_MAX], each its worker's */
};

struct app_service {
    const char *name;
    uint16_t port; /**< well-known port, taken without --port */
    const struct tern_app *app;
    /** On the worker, before the first packet. Puts its state in the shard's user pointer.
     *  @return 0 or -errno; NULL: no state */
    int (*start)(struct tern_shard *sh, const struct app_service_config *cfg);
    /** After the last connection. */
    void (*stop)(struct tern_shard *sh);
};

extern const struct app_service app_service_echo, app_service_discard, app_service_chargen,
    app_service_http, app_service_stream;

/** What a server endpoint's workers share; they only read it, but each for its books. */
struct app_server {
    const struct app_service *service;
    struct app_service_config cfg;
    struct app_service_books books[TERN_WORKERS_MAX];
};

/** The service of that name, or -EINVAL with the known ones in *err. */
int app_server_init(struct app_server *s, const char *name, struct tern_error *err);

/** The callbacks that run `s` on an endpoint's workers; `s` must outlive the engine. */
struct tern_worker_app app_server_worker(struct app_server *s);

/** Sum of what the workers' streams carried. */
void app_server_stream_books(const struct app_server *s, struct app_stream_books *out);
