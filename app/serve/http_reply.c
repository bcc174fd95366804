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

enum {
    HEADER_BYTES_MAX = 256,
    INLINE_BODY_BYTES_MAX = 1024,
    LETTERS = 26,
    TEXT_BYTES = LETTERS * 10080, /**< 256 KiB but for 64 bytes, whole alphabets */
};

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

/* Bodies are the alphabet, over and over. */
static void fill(char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)('a' + i % LETTERS);
}

static int make(struct tern_shard *sh, struct app_reply *r, enum app_reply_id id, size_t body_bytes)
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
    fill(text + n, behind);
    r->head = tern_static_new(sh, text, r->head_bytes);
    return r->head == NULL ? -ENOMEM : 0;
}

static int make_text(struct tern_shard *sh, struct app_replies *r)
{
    char *text = malloc(TEXT_BYTES);
    if (text == NULL)
        return -ENOMEM;
    fill(text, TEXT_BYTES);
    r->text = tern_static_new(sh, text, TEXT_BYTES);
    free(text);
    return r->text == NULL ? -ENOMEM : 0;
}

int app_replies_make(struct tern_shard *sh, struct app_replies *r, size_t body_bytes)
{
    *r = (struct app_replies){.text = NULL};
    for (int id = 0; id < APP_REPLY_COUNT; id++)
        if (make(sh, &r->of[id], (enum app_reply_id)id, body_bytes) != 0)
            return -ENOMEM;
    return body_bytes <= INLINE_BODY_BYTES_MAX ? 0 : make_text(sh, r);
}

void app_replies_free(struct app_replies *r)
{
    for (int id = 0; id < APP_REPLY_COUNT; id++)
        if (r->of[id].head != NULL)
            tern_static_free(r->of[id].head);
    if (r->text != NULL)
        tern_static_free(r->text);
}

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool app_reply_send(struct tern_shard *sh, struct tern_conn *c, const struct app_replies *all,
    enum app_reply_id id, size_t *sent, size_t until)
{
    const struct app_reply *r = &all->of[id];
    while (*sent < until) {
        const bool in_head = *sent < r->head_bytes;
        const size_t at = in_head ? *sent : (*sent - r->head_bytes) % TEXT_BYTES;
        const size_t left = in_head ? r->head_bytes - at : TEXT_BYTES - at;
        const size_t wanted = lesser(left, until - *sent);
        const size_t taken = tern_send_static(sh, c, in_head ? r->head : all->text, at, wanted);
        *sent += taken;
        if (taken < wanted)
            return false;
    }
    return true;
}
