/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies are text that never changes, so they are laid out at start and sent by reference. There
 * is no Date header: it would be a reply made anew every second, and RFC 9110 §6.6.1 lets a server
 * without a reasonable clock leave it out.
 */
#include "http_reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES_MAX = 256, INLINE_BODY_BYTES_MAX = 1024 };

// clang-format off
static const struct {
    const char *status, *lines;
    bool has_body;
} texts[APP_REPLY_COUNT] = {
    [APP_REPLY_OK]           = {"200 OK", "Connection: keep-alive\r\n", true},
    [APP_REPLY_OK_CLOSE]     = {"200 OK", "Connection: close\r\n", true},
    [APP_REPLY_METHOD]       = {"405 Method Not Allowed", "Allow: GET, HEAD\r\nConnection: keep-alive\r\n", false},
    [APP_REPLY_METHOD_CLOSE] = {"405 Method Not Allowed", "Allow: GET, HEAD\r\nConnection: close\r\n", false},
    [APP_REPLY_BAD]          = {"400 Bad Request", "Connection: close\r\n", false},
};
// clang-format on

static int make(struct tern_shard *sh, struct app_reply *r, enum app_reply_id id, const char *body,
    size_t body_bytes)
{
    char text[HEADER_BYTES_MAX + INLINE_BODY_BYTES_MAX];
    if (!texts[id].has_body)
        body_bytes = 0;
    const int n = snprintf(text, HEADER_BYTES_MAX,
        "HTTP/1.1 %s\r\nServer: tern\r\nContent-Type: text/plain\r\n%sContent-Length: %zu\r\n\r\n",
        texts[id].status, texts[id].lines, body_bytes);
    const size_t behind = body_bytes <= INLINE_BODY_BYTES_MAX ? body_bytes : 0;
    r->header_bytes = (size_t)n;
    r->head_bytes = r->header_bytes + behind;
    r->total_bytes = r->header_bytes + body_bytes;
    memcpy(text + n, body, behind);
    r->head = tern_static_new(sh, text, r->head_bytes);
    return r->head == NULL ? -ENOMEM : 0;
}

static int make_all(
    struct tern_shard *sh, struct app_replies *r, const char *body, size_t body_bytes)
{
    for (int id = 0; id < APP_REPLY_COUNT; id++)
        if (make(sh, &r->of[id], (enum app_reply_id)id, body, body_bytes) != 0)
            return -ENOMEM;
    if (body_bytes <= INLINE_BODY_BYTES_MAX)
        return 0;
    r->body = tern_static_new(sh, body, body_bytes);
    return r->body == NULL ? -ENOMEM : 0;
}

int app_replies_make(struct tern_shard *sh, struct app_replies *r, size_t body_bytes)
{
    *r = (struct app_replies){.body = NULL};
    char *body = malloc(body_bytes + 1);
    if (body == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < body_bytes; i++)
        body[i] = (char)('a' + i % 26);
    const int rc = make_all(sh, r, body, body_bytes);
    free(body);
    return rc;
}

void app_replies_free(struct app_replies *r)
{
    for (int id = 0; id < APP_REPLY_COUNT; id++)
        if (r->of[id].head != NULL)
            tern_static_free(r->of[id].head);
    if (r->body != NULL)
        tern_static_free(r->body);
}

bool app_reply_send(struct tern_shard *sh, struct tern_conn *c, const struct app_replies *all,
    enum app_reply_id id, size_t *sent, size_t until)
{
    const struct app_reply *r = &all->of[id];
    while (*sent < until) {
        const bool in_head = *sent < r->head_bytes;
        const size_t begin = in_head ? 0 : r->head_bytes;
        const size_t end = in_head && r->head_bytes < until ? r->head_bytes : until;
        struct tern_static *part = in_head ? r->head : all->body;
        *sent += tern_send_static(sh, c, part, *sent - begin, end - *sent);
        if (*sent < end)
            return false;
    }
    return true;
}
