/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The replies an HTTP listener can give, made once a worker and shared by all its connections: one
 * or two static bodies each. A small body stands behind its header in one piece, so that both leave
 * as one segment; a large one is a static of its own that both replies with a body share.
 */
#include <tern/conn.h>

#include "bucket.h"
#include "file.h"
#include "slow.h"

#include <stdbool.h>
#include <stddef.h>

/** What an HTTP listener is like, besides the size of its bodies. */
struct app_http_config {
    uint16_t status;             /**< of replies to GET and HEAD; default 200 */
    bool closes;                 /**< behind each reply; default: where the client asks for it */
    bool any_method;             /**< all are as GET; default: 405 */
    char type[64];               /**< media type; "": by what the body is */
    struct app_served_file file; /**< the body; none: text */
    struct app_delay delay;
    struct app_stall stall;
    struct app_bucket_plan limit; /**< of requests; beyond it 503 */
    uint64_t header_ns; /**< from a request's first byte to its header's last; 0: for ever, default
                             10 s */
    uint32_t min_rate;  /**< bytes a second, over a minute, that a peer sends of a body or takes of
                             a reply; 0: any, default 500 */
};

void app_http_config_init(struct app_http_config *cfg);

enum app_reply_id {
    APP_REPLY_OK,
    APP_REPLY_OK_CLOSE, /**< the one with "Connection: close" follows the one without */
    APP_REPLY_METHOD,
    APP_REPLY_METHOD_CLOSE,
    APP_REPLY_LIMITED, /**< as far behind APP_REPLY_OK as their closing ones are */
    APP_REPLY_LIMITED_CLOSE,
    APP_REPLY_BAD,
    APP_REPLY_TIMEOUT, /**< a request that did not come in time */
    APP_REPLY_HEADER,  /**< one whose header is too long */
    APP_REPLY_VERSION, /**< one of another HTTP */
    APP_REPLY_COUNT,
};

/** Status code of a reply, with these settings. */
uint16_t app_reply_status(const struct app_http_config *cfg, enum app_reply_id id);

/** Whether a response of this status can have a body (RFC 9110 §6.4.1). */
bool app_reply_may_have_body(uint16_t status);

struct app_reply {
    struct tern_static *head; /**< the header, and a small body behind it */
    size_t header_bytes, head_bytes, total_bytes;
};

struct app_replies {
    struct tern_static *body; /**< large bodies are this, repeated; NULL when there are none */
    size_t body_bytes;        /**< of it */
    struct app_reply of[APP_REPLY_COUNT];
};

/** Make them all. @param body_bytes  of text, where there is no file @return 0 or -ENOMEM, with
 * some made */
int app_replies_make(struct tern_shard *sh, struct app_replies *r,
    const struct app_http_config *cfg, size_t body_bytes);

/** Free what was made. */
void app_replies_free(struct app_replies *r);

/**
 * Queue bytes [*sent, until) of a reply, header first, as far as there is room.
 * @return true when all of it is queued
 */
bool app_reply_send(struct tern_shard *sh, struct tern_conn *c, const struct app_replies *all,
    enum app_reply_id id, size_t *sent, size_t until);
