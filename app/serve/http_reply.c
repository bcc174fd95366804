/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies are text that never changes, so they are laid out at start and sent by reference. There
 * is no Date header: it would be a reply made anew every second, and RFC 9110 §6.6.1 lets a server
 * without a reasonable clock leave it out.
 */
#include "http_reply.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES_MAX = 320,
    INLINE_BODY_BYTES_MAX = 1024,
    MIN_RATE_BYTES_PER_S = 500, /**< well below any link's, well above a trickle's */
    LETTERS = 26,
    TEXT_BYTES = LETTERS * 10080, /**< 256 KiB but for 64 bytes, whole alphabets */
};
#define HEADER_TIMEOUT_NS UINT64_C(10000000000)

// clang-format off
static const struct {
    uint16_t status; /* 0: the listener's */
    bool has_body;
    const char *lines;
} texts[APP_REPLY_COUNT] = {
    [APP_REPLY_OK]            = {0, true, "Connection: keep-alive\r\n"},
    [APP_REPLY_OK_CLOSE]      = {0, true, "Connection: close\r\n"},
    [APP_REPLY_METHOD]        = {HTTP_STATUS_METHOD_NOT_ALLOWED, false, "Allow: GET, HEAD\r\nConnection: keep-alive\r\n"},
    [APP_REPLY_METHOD_CLOSE]  = {HTTP_STATUS_METHOD_NOT_ALLOWED, false, "Allow: GET, HEAD\r\nConnection: close\r\n"},
    [APP_REPLY_LIMITED]       = {HTTP_STATUS_SERVICE_UNAVAILABLE, false, "Connection: keep-alive\r\n"},
    [APP_REPLY_LIMITED_CLOSE] = {HTTP_STATUS_SERVICE_UNAVAILABLE, false, "Connection: close\r\n"},
    [APP_REPLY_BAD]           = {HTTP_STATUS_BAD_REQUEST, false, "Connection: close\r\n"},
    [APP_REPLY_TIMEOUT]       = {HTTP_STATUS_REQUEST_TIMEOUT, false, "Connection: close\r\n"},
    [APP_REPLY_HEADER]        = {HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE, false, "Connection: close\r\n"},
    [APP_REPLY_VERSION]       = {HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED, false, "Connection: close\r\n"},
};
// clang-format on

void app_http_config_init(struct app_http_config *cfg)
{
    *cfg = (struct app_http_config){
        .status = HTTP_STATUS_OK, .header_ns = HEADER_TIMEOUT_NS, .min_rate = MIN_RATE_BYTES_PER_S};
}

uint16_t app_reply_status(const struct app_http_config *cfg, enum app_reply_id id)
{
    return texts[id].status != 0 ? texts[id].status : cfg->status;
}

bool app_reply_may_have_body(uint16_t status)
{
    return status != HTTP_STATUS_NO_CONTENT && status != HTTP_STATUS_RESET_CONTENT
           && status != HTTP_STATUS_NOT_MODIFIED;
}

/* What a status is called; nothing where nobody has said (RFC 9112 §4: the phrase may be empty). */
static const char *phrase_of(uint16_t status)
{
    const char *phrase = http_status_str((enum http_status)status);
    return phrase[0] == '<' ? "" : phrase;
}

/* ---- bodies ---- */

/* The alphabet, over and over. */
static void fill(char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)('a' + i % LETTERS);
}

static size_t body_bytes_of(
    const struct app_http_config *cfg, enum app_reply_id id, size_t text_bytes)
{
    if (!texts[id].has_body || !app_reply_may_have_body(cfg->status))
        return 0;
    return cfg->file.bytes != NULL ? cfg->file.n_bytes : text_bytes;
}

static int make_text(struct tern_shard *sh, struct app_replies *r)
{
    char *text = malloc(TEXT_BYTES);
    if (text == NULL)
        return -ENOMEM;
    fill(text, TEXT_BYTES);
    r->body_bytes = TEXT_BYTES;
    r->body = tern_static_new(sh, text, TEXT_BYTES);
    free(text);
    return r->body == NULL ? -ENOMEM : 0;
}

static int make_body(
    struct tern_shard *sh, struct app_replies *r, const struct app_http_config *cfg)
{
    if (cfg->file.bytes == NULL)
        return make_text(sh, r);
    r->body_bytes = cfg->file.n_bytes;
    r->body = tern_static_new(sh, cfg->file.bytes, cfg->file.n_bytes);
    return r->body == NULL ? -ENOMEM : 0;
}

/* ---- replies ---- */

static const char *type_of(const struct app_http_config *cfg)
{
    if (cfg->type[0] != '\0')
        return cfg->type;
    return cfg->file.bytes != NULL ? cfg->file.type : "text/plain";
}

/* RFC 9110 §8.6: a 204 has no Content-Length, and a 304 may leave it out, as it does all that the
 * client knows already. @return the header's length */
static size_t write_header(
    char out[HEADER_BYTES_MAX], const struct app_http_config *cfg, enum app_reply_id id, size_t n)
{
    const uint16_t status = app_reply_status(cfg, id);
    const char *phrase = phrase_of(status), *lines = texts[id].lines;
    if (status == HTTP_STATUS_NO_CONTENT || status == HTTP_STATUS_NOT_MODIFIED)
        return (size_t)snprintf(out, HEADER_BYTES_MAX, "HTTP/1.1 %u %s\r\nServer: tern\r\n%s\r\n",
            status, phrase, lines);
    return (size_t)snprintf(out, HEADER_BYTES_MAX,
        "HTTP/1.1 %u %s\r\nServer: tern\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n",
        status, phrase, type_of(cfg), lines, n);
}

static int make(struct tern_shard *sh, struct app_reply *r, const struct app_http_config *cfg,
    enum app_reply_id id, size_t text_bytes)
{
    char text[HEADER_BYTES_MAX + INLINE_BODY_BYTES_MAX];
    const size_t body_bytes = body_bytes_of(cfg, id, text_bytes);
    const size_t behind = body_bytes <= INLINE_BODY_BYTES_MAX ? body_bytes : 0;
    r->header_bytes = write_header(text, cfg, id, body_bytes);
    r->head_bytes = r->header_bytes + behind;
    r->total_bytes = r->header_bytes + body_bytes;
    if (behind > 0 && cfg->file.bytes != NULL)
        memcpy(text + r->header_bytes, cfg->file.bytes, behind);
    else
        fill(text + r->header_bytes, behind);
    r->head = tern_static_new(sh, text, r->head_bytes);
    return r->head == NULL ? -ENOMEM : 0;
}

int app_replies_make(struct tern_shard *sh, struct app_replies *r,
    const struct app_http_config *cfg, size_t body_bytes)
{
    *r = (struct app_replies){.body = NULL};
    for (int id = 0; id < APP_REPLY_COUNT; id++)
        if (make(sh, &r->of[id], cfg, (enum app_reply_id)id, body_bytes) != 0)
            return -ENOMEM;
    const struct app_reply *ok = &r->of[APP_REPLY_OK];
    return ok->total_bytes == ok->head_bytes ? 0 : make_body(sh, r, cfg);
}

void app_replies_free(struct app_replies *r)
{
    for (int id = 0; id < APP_REPLY_COUNT; id++)
        if (r->of[id].head != NULL)
            tern_static_free(r->of[id].head);
    if (r->body != NULL)
        tern_static_free(r->body);
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
        const size_t at = in_head ? *sent : (*sent - r->head_bytes) % all->body_bytes;
        const size_t left = in_head ? r->head_bytes - at : all->body_bytes - at;
        const size_t wanted = lesser(left, until - *sent);
        const size_t taken = tern_send_static(sh, c, in_head ? r->head : all->body, at, wanted);
        *sent += taken;
        if (taken < wanted)
            return false;
    }
    return true;
}
