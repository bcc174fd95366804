/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Character generator (RFC 864): lines of 72 printable characters, each line starting one character
 * later, for as long as the peer takes them. The pattern repeats after 95 lines; a worker keeps
 * some periods of it in one static body that all its connections send from, so nothing is ever
 * copied. All a connection has to remember is how far into the body it is, and its user pointer
 * holds that number.
 */
#include "service.h"

#include <errno.h>
#include <stdlib.h>

enum {
    PRINTABLE = 95, /**< ' '..'~' */
    LINE_CHARS = 72,
    LINE_BYTES = LINE_CHARS + 2,
    PERIOD_BYTES = PRINTABLE * LINE_BYTES,
    BODY_BYTES = 8 * PERIOD_BYTES,
};

static void send_more(struct tern_shard *sh, struct tern_conn *c)
{
    struct tern_static *body = tern_shard_user(sh);
    size_t at = (uintptr_t)tern_conn_user(c);
    size_t sent;
    do {
        const size_t left = BODY_BYTES - at;
        sent = tern_send_static(sh, c, body, at, left);
        at = (at + sent) % BODY_BYTES;
    } while (sent > 0);
    tern_conn_set_user(c, (void *)(uintptr_t)at);
}

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static const struct tern_app chargen_app = {
    .on_open = send_more, .on_sendable = send_more, .on_peer_closed = on_peer_closed};

static void fill(char *out)
{
    for (int line = 0; line < BODY_BYTES / LINE_BYTES; line++) {
        for (int i = 0; i < LINE_CHARS; i++)
            *out++ = (char)(' ' + (line + i) % PRINTABLE);
        *out++ = '\r';
        *out++ = '\n';
    }
}

static int start(struct tern_shard *sh, const struct app_service_config *cfg)
{
    (void)cfg;
    char *text = malloc(BODY_BYTES);
    if (text == NULL)
        return -ENOMEM;
    fill(text);
    struct tern_static *body = tern_static_new(sh, text, BODY_BYTES);
    free(text);
    tern_shard_set_user(sh, body);
    return body == NULL ? -ENOMEM : 0;
}

static void stop(struct tern_shard *sh)
{
    tern_static_free(tern_shard_user(sh));
}

const struct app_service app_service_chargen = {
    .name = "chargen", .port = 19, .app = &chargen_app, .start = start, .stop = stop};
