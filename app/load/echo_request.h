/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A request that comes back: bytes of the pattern (pattern.h) go out, and the same bytes are
 * expected. The pattern runs through all requests of a connection, one behind the other, so an
 * answer that is late or doubled does not pass for the next one.
 */
#include "../pattern.h"
#include "load.h"

/** Of a connection; all zero: nothing was asked yet. */
struct app_echo {
    struct app_stamp request; /**< the one under way */
    uint32_t at;              /**< in the pattern: the next byte to come */
    uint32_t to_come;         /**< bytes of the request that are not here; 0: none is under way */
    uint32_t unsent;          /**< … and of those, that are not queued either */
    uint32_t n_waiting;       /**< requests behind it, whose time has come; the scenario's own */
};

enum { APP_ECHO_BYTES_MAX = 1 << 30 };

enum app_echo_taken { APP_ECHO_WRONG, APP_ECHO_MORE_TO_COME, APP_ECHO_ANSWERED };

/** The next request. @param n_bytes  1..APP_ECHO_BYTES_MAX */
static inline void app_echo_ask(struct app_echo *e, struct app_stamp start, uint32_t n_bytes)
{
    e->request = start;
    e->to_come = e->unsent = n_bytes;
}

/** Queue more of it, as far as there is room. */
void app_echo_send(struct tern_shard *sh, struct tern_conn *c, const struct app_pattern *pattern,
    struct app_echo *e);

/**
 * Take what has come: freed, its window given back, timed and counted. What is not the echo fails
 * the connection.
 * @param e  NULL: nothing was asked
 */
enum app_echo_taken app_echo_take(struct tern_shard *sh, struct tern_conn *c,
    const struct app_pattern *pattern, struct app_echo *e, struct rte_mbuf *m);
