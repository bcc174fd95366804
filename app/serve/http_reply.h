/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The replies an HTTP worker can give, made once and shared by all its connections: one or two
 * static bodies each. A small body stands behind its header in one piece, so that both leave as one
 * segment; a large one is a static of its own that both 200s share.
 */
#include <tern/conn.h>

#include <stdbool.h>
#include <stddef.h>

enum app_reply_id {
    APP_REPLY_OK,
    APP_REPLY_OK_CLOSE, /**< the one with "Connection: close" follows the one without */
    APP_REPLY_METHOD,
    APP_REPLY_METHOD_CLOSE,
    APP_REPLY_BAD,
    APP_REPLY_COUNT,
};

struct app_reply {
    struct tern_static *head; /**< the header, and a small body behind it */
    size_t header_bytes, head_bytes, total_bytes;
};

struct app_replies {
    struct tern_static *text; /**< large bodies are this, repeated; NULL when there are none */
    struct app_reply of[APP_REPLY_COUNT];
};

/** Make them all, 200s with `body_bytes` of text. @return 0 or -ENOMEM, with some made */
int app_replies_make(struct tern_shard *sh, struct app_replies *r, size_t body_bytes);

/** Free what was made. */
void app_replies_free(struct app_replies *r);

/**
 * Queue bytes [*sent, until) of a reply, header first, as far as there is room.
 * @return true when all of it is queued
 */
bool app_reply_send(struct tern_shard *sh, struct tern_conn *c, const struct app_replies *all,
    enum app_reply_id id, size_t *sent, size_t until);
