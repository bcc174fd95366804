/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the files of the HTTP server know of each other: its worker, a connection, and requests. */
#include "../memo.h"
#include "../pool.h"
#include "../segq.h"
#include "http_reply.h"
#include "later.h"
#include "patience.h"
#include "service.h"

#include <http_parser.h>

struct http_worker {
    struct app_instance instance;
    bool has_conditions; /**< delay, stall or limit: a reply may be another, or wait */
    struct app_pool conns;
    struct app_replies replies;
    struct app_memo requests;            /**< verdict: an answer, see below */
    struct app_later later;              /**< replies that wait for their time */
    struct app_patience headers, steady; /**< peers that owe the rest of a header; progress */
    uint64_t dice;
};

/* What a request gets: a reply's number, and these. */
enum {
    ANSWER_REPLY = 0xff,       /**< mask of enum app_reply_id */
    ANSWER_HEADERS_ONLY = 256, /**< to HEAD */
    ANSWER_LAST = 512,         /**< the connection ends with it */
};

struct http_conn {
    uintptr_t instance; /**< see service.h */
    http_parser parser;
    struct app_segq in;      /**< received, not parsed */
    uint32_t in_off;         /**< bytes of in.head that are parsed */
    enum app_reply_id reply; /**< with `replying` */
    size_t sent, to_send;    /**< bytes of the reply; HEAD wants less than all */
    bool is_fresh;           /**< the parser has seen no byte yet */
    bool in_message;         /**< a request has begun and not ended */
    bool replying;           /**< the reply is not all queued */
    bool last;               /**< the connection ends with this reply */
    bool peer_closed;        /**< the peer sent FIN */
    bool lingering;          /**< our FIN is queued; what still comes is thrown away */
    uint64_t asked_ns;       /**< conditions: when the reply began, … */
    uint64_t due_ns;         /**< … and when it may be sent; 0: now */
    struct tern_conn *conn;  /**< while it waits for that */
    struct app_later_node later;
    struct app_debtor debtor;
    bool begun;          /**< a request has, since the connection was left to itself */
    bool in_body;        /**< a request's header is complete, its body not */
    uint64_t body_bytes; /**< of requests */
    uint64_t progress;   /**< when it entered `steady` */
};

static inline struct http_worker *http_worker_of(const struct http_conn *h)
{
    return app_instance_of(h->instance);
}

/**
 * Parse what waits, at most to the end of one request.
 * @return HPE_OK: more input is needed; HPE_PAUSED: a request is there
 */
enum http_errno app_http_parse_one(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h);

/** What the request that was just parsed gets. */
int32_t app_http_judge(const struct http_worker *w, const struct http_conn *h);

/** What one gets that cannot be parsed: the reply that says why. */
enum app_reply_id app_http_refusal(enum http_errno e);

/** Forget the first `n` bytes that wait, and return their window. */
void app_http_eat(struct tern_shard *sh, struct tern_conn *c, struct http_conn *h, uint32_t n);
