/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What `tern serve` can be. A service is a set of connection callbacks; a listener is a service on
 * some ports with settings of its own; and what a worker keeps for a listener is an instance. One
 * file a service; each uses the public interface only.
 *
 * A worker has the instances of all listeners at once, so a connection tells whose it is, in its
 * user pointer:
 *
 *   odd   [ instance + 1 ]                 nothing else is kept of the connection
 *   even  [ its state ] --> [ instance + 1 | … ]   the state's first field
 *
 * The word is what tern_listen() hands to each connection, so a service that keeps up needs no line
 * of memory for one.
 */
#include <tern/engine.h>

#include "../stream.h"
#include "bucket.h"
#include "http_reply.h"
#include "slow.h"

#include <stddef.h>
#include <stdint.h>

enum { APP_LISTENERS_MAX = 16 };

/** What one worker did for one listener, or a sum. On cache lines of its own: the others write
 * theirs meanwhile. */
struct app_service_books {
    uint64_t opened;                   /**< connections; counted where there are many listeners */
    uint64_t replies[APP_REPLY_COUNT]; /**< http: queued to their last byte */
    uint64_t unanswered;               /**< http: requests whose connection ended before that */
    uint64_t n_held;                   /**< http: replies that were to wait, and did */
    uint64_t held_ns;                  /**< … all of them together, from request to reply */
    uint64_t held_late_max_ns;         /**< … the longest that one waited too long */
    struct app_stream_books stream;
} __attribute__((aligned(64)));

/** Count one. Only its worker writes; others may read. */
static inline void app_service_bump(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

struct app_service_config {
    uint16_t port;
    uint16_t n_ports;  /**< from `port` on; default 1 */
    size_t body_bytes; /**< http: of each body that no file is */
    struct app_http_config http;
    struct app_stream_config stream;
};

/** What a worker keeps for a listener: the first field of the service's own. */
struct app_instance {
    const struct app_service *service;
    const struct app_service_config *cfg;
    struct app_service_books *books;
    struct app_bucket *bucket; /**< the listener's, which all workers share */
};

struct app_service {
    const char *name;
    uint16_t port; /**< well-known port, taken when none is given */
    const struct tern_app *app;
    size_t instance_bytes; /**< of a struct that begins with a struct app_instance */
    /** On the worker, before the first packet; the struct is filled in, and zero behind it.
     *  @return 0 or -errno; NULL: nothing to do */
    int (*start)(struct tern_shard *sh, struct app_instance *i);
    /** After every poll. @return true when work was done; NULL: nothing waits for the time */
    bool (*tick)(struct tern_shard *sh, struct app_instance *i, uint64_t now_ns);
    /** Whether an instance with these settings has a use for tick(). */
    bool (*has_tick)(const struct app_service_config *cfg);
    /** After the last connection; also behind a start() that failed. */
    void (*stop)(struct app_instance *i);
};

extern const struct app_service app_service_echo, app_service_discard, app_service_chargen,
    app_service_http, app_service_stream;

/** The service of that name, or -EINVAL with the known ones in *err. @param option  for *err */
int app_service_find(
    const char *option, const char *name, const struct app_service **out, struct tern_error *err);

/** What a service is before anything is set. */
void app_service_config_init(struct app_service_config *cfg, const struct app_service *service);

/* ---- whose a connection is ---- */

/** The word: the first field of a connection's state. */
static inline uintptr_t app_instance_word(const struct app_instance *i)
{
    return (uintptr_t)i + 1;
}

/** The same as a user pointer, of a connection without state. */
static inline void *app_instance_user(struct app_instance *i)
{
    return (char *)i + 1;
}

/** The instance of that word, as the service's own type. */
static inline void *app_instance_of(uintptr_t word)
{
    return (void *)(word - 1); /* NOLINT(performance-no-int-to-ptr): it was a pointer */
}

/** The state of a connection, or NULL: there is none. */
static inline void *app_conn_state(const struct tern_conn *c)
{
    void *user = tern_conn_user(c);
    return ((uintptr_t)user & 1) != 0 ? NULL : user;
}

/** The instance of a connection, as the service's own type. */
static inline void *app_conn_instance(const struct tern_conn *c)
{
    const void *user = tern_conn_user(c);
    const bool is_word = ((uintptr_t)user & 1) != 0;
    return app_instance_of(is_word ? (uintptr_t)user : *(const uintptr_t *)user);
}

/* ---- an endpoint ---- */

struct app_listener {
    const struct app_service *service;
    struct app_service_config cfg;
    struct app_bucket bucket; /**< the only thing that workers share and write */
};

/** What a server endpoint's workers share; they only read it, but each for its books. */
struct app_server {
    struct app_listener listeners[APP_LISTENERS_MAX];
    uint32_t n_listeners;
    struct tern_app
        counting[APP_LISTENERS_MAX]; /**< the services', where connections are counted */
    struct app_service_books books[APP_LISTENERS_MAX][TERN_WORKERS_MAX];
};

/** A server of one listener: the service of that name on its port. @return 0, or -EINVAL with the
 * known names in *err */
int app_server_init(struct app_server *s, const char *name, struct tern_error *err);

/** One more listener: the service of that name on its port; where it is there, nothing. @return 0,
 * or -EINVAL with one line in *err */
int app_server_add(struct app_server *s, const char *name, struct tern_error *err);

/** The callbacks that run `s` on an endpoint's workers; `s` must outlive the engine. */
struct tern_worker_app app_server_worker(struct app_server *s);

/** Bytes of bodies that a worker makes beyond what any one listener without a file does. */
uint64_t app_server_static_bytes(const struct app_server *s);

/** Ports that it listens on. */
uint32_t app_server_n_ports(const struct app_server *s);

/** Sum of what the workers' streams carried. */
void app_server_stream_books(const struct app_server *s, struct app_stream_books *out);

/** Sum over the workers of what was done for a listener. */
void app_server_books(const struct app_server *s, uint32_t listener, struct app_service_books *out);

/** Give back what app_server_listen() took. */
void app_server_fini(struct app_server *s);
