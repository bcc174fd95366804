/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One end of a bulk transfer, the same for the client (load/stream.c) and the server
 * (serve/stream.c): send the pattern until the bytes are sent or the word comes to end, take what
 * the other end sends, and keep books of both.
 */
#include <tern/config.h>
#include <tern/conn.h>

#include "measure/stamp.h"
#include "pattern.h"
#include "pool.h"

#include <stdbool.h>
#include <stdint.h>

/** Which end sends. Up is from the client to the server, as in curl and iperf3. */
enum app_stream_direction { APP_STREAM_UP, APP_STREAM_DOWN, APP_STREAM_BOTH };
enum app_stream_side { APP_STREAM_CLIENT, APP_STREAM_SERVER };

/** "up", "down", "both" */
const char *app_stream_direction_name(enum app_stream_direction d);
/** --direction. @return 0, or -EINVAL with one line in *err */
int app_stream_direction_find(
    const char *name, enum app_stream_direction *out, struct tern_error *err);

struct app_stream_config {
    enum app_stream_direction direction;
    uint64_t bytes; /**< of each connection, each way that is used; 0: until told to end */
    bool verify;    /**< compare what comes with the pattern */
};

/**
 * What one worker's connections carried, or a sum. A connection is entered when it is over. The
 * marks add up, for connections that ended in order, a hash of four-tuple and bytes: where the sent
 * mark of one end is the received mark of the other, every single connection carried what was sent
 * on it, whatever the order and on whichever worker.
 */
struct app_stream_books {
    uint64_t n_whole; /**< connections that ended in order */
    uint64_t sent_bytes, received_bytes;
    uint64_t sent_mark, received_mark;
    uint64_t n_corrupt; /**< connections with content that is not the pattern */
};

/** sum += add. From any thread. */
void app_stream_books_add(struct app_stream_books *sum, const struct app_stream_books *add);

/** Both ends tell the same: the sums agree, and each connection that could be compared. */
bool app_stream_books_agree(
    const struct app_stream_books *client, const struct app_stream_books *server);

/** A worker's world. */
struct app_stream {
    const struct app_stream_config *cfg;
    struct app_stream_books *books;
    struct app_pattern *pattern;
    struct app_pool conns;
    enum app_stream_side side;
    bool sends;
};

/** A connection's; its user pointer. */
struct app_stream_conn {
    struct app_stamp stamp; /**< at the client */
    uint64_t sent, received;
    uint64_t tuple; /**< hash of the four-tuple, the same at both ends */
    bool has_ended; /**< our FIN is queued */
};

/** @return 0 or -ENOMEM */
int app_stream_init(struct app_stream *s, struct tern_shard *sh,
    const struct app_stream_config *cfg, enum app_stream_side side, struct app_stream_books *books);
void app_stream_fini(struct app_stream *s);

/** A connection is there: begin. @return false without memory; then abort it */
bool app_stream_open(struct app_stream *s, struct tern_shard *sh, struct tern_conn *c);

/** Send what the connection takes, and FIN behind the last byte. */
void app_stream_send(const struct app_stream *s, struct tern_shard *sh, struct tern_conn *c);

/** Take a chain and return its window. @return false: not the pattern; counted, abort it */
bool app_stream_take(
    struct app_stream *s, struct tern_shard *sh, struct tern_conn *c, struct rte_mbuf *m);

/** Send nothing more: FIN behind what is queued. */
void app_stream_end(struct tern_shard *sh, struct tern_conn *c);

/** As many bytes have come as were asked for; without a number: any. */
bool app_stream_has_all(const struct app_stream *s, const struct tern_conn *c);

/** The connection is over: enter it. */
void app_stream_closed(struct app_stream *s, struct tern_conn *c, enum tern_close_reason why);
