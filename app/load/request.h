/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What an HTTP load asks: one request, put together from options, or those of a file, in turn. A
 * file holds whole requests as they go over the wire, apart by lines that begin with ###:
 *
 *     GET /first HTTP/1.1
 *     Accept: text/html
 *
 *     ### and then
 *     POST /second HTTP/1.1
 *
 *     name=value
 *
 * Line ends of the header become CR LF; Host and Content-Length are added where they are missing.
 * The line end before ### or the end of the file is not part of a body whose length the file does
 * not give.
 */
#include "target.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    APP_REQUEST_HEADERS_MAX = 32,
    APP_REQUEST_BYTES_MAX = 1 << 20, /**< of a request, and of a file of them */
    APP_REQUESTS_MAX = 64,           /**< in a file */
};

/** As it was typed; all zero: GET of the target's path. */
struct app_request_settings {
    const char *method; /**< NULL: GET, with a body POST */
    const char *headers[APP_REQUEST_HEADERS_MAX];
    uint32_t n_headers;
    const char *body; /**< text, or @FILE; NULL: none */
    const char *host; /**< NULL: the target's */
    const char *file; /**< of whole requests; NULL: none */
};

struct app_request {
    char *bytes;
    uint32_t n_bytes;
    bool is_head; /**< its answer has a header only (RFC 9110 §9.3.2) */
};

struct app_requests {
    uint32_t n;
    struct app_request of[APP_REQUESTS_MAX];
};

/** One more "Name: value". @param text  kept. @return 0, or -EINVAL with one line in *err */
int app_request_add_header(
    struct app_request_settings *s, const char *text, struct tern_error *err);

/**
 * Put them together and see that each is exactly one request.
 * @param keeps  the connection goes on behind it: without "Connection: close"
 * @return 0, or -EINVAL with one line in *err and nothing to free
 */
int app_requests_make(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, bool keeps, struct tern_error *err);

void app_requests_free(struct app_requests *r);
