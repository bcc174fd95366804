/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the options of an HTTP load come to: requests to send, and what is expected back. */
#include "expect.h"
#include "request.h"

struct app_http_settings {
    struct app_request_settings request;
    struct app_expect expect;
    const char *expect_body; /**< a file; NULL: any body */
    uint32_t pipeline;       /**< http-keepalive: requests under way on a connection */
};

void app_http_settings_init(struct app_http_settings *s);

struct app_http {
    struct app_requests asks[2]; /**< [the connection goes on behind it]; none where not wanted */
    struct app_expect expect;
    char *body; /**< that expect points to */
};

/** @param ones, kept  wanted: requests with which the connection ends, and such that it goes on.
 * @return 0, or -EINVAL with one line in *err and nothing to free */
int app_http_make(struct app_http *h, const struct app_http_settings *s, const struct app_target *t,
    bool ones, bool kept, struct tern_error *err);
void app_http_free(struct app_http *h);

/** Of memory that a worker's requests take (tern_endpoint_config.static_bytes). */
uint64_t app_http_static_bytes(const struct app_http *h);
