/* SPDX-License-Identifier: BSD-3-Clause */
/* What an HTTP load asks, and what it expects. */
#include "rows.h"

enum { PIPELINE_MAX = 64 };

static int add_header(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_request_add_header(&s->http.request, text, err);
}

static int set_expect(struct app_settings *s, const char *text, struct tern_error *err)
{
    return app_expect_statuses(&s->http.expect, text, err);
}

#define HTTP .group = APP_GROUP_HTTP, .commands = CMD_LOAD | CMD_PAIR

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "method", .arg = "NAME", HTTP, APP_TEXT(http.request.method),
        .standard = "GET, with --body POST",
        .help = "method of the request"},
    {.name = "header", .letter = 'H', .arg = "HEADER", HTTP, .many = true, APP_CALL(add_header),
        .help = "'Name: value', sent with the request; up to 32 times; one that tern sends by itself is replaced"},
    {.name = "body", .arg = "TEXT", HTTP, APP_TEXT(http.request.body),
        .help = "body of the request, or @FILE for what is in a file (up to 1Mi)"},
    {.name = "host", .arg = "NAME", HTTP, APP_TEXT(http.request.host),
        .standard = "the target's address",
        .help = "what the Host header says"},
    {.name = "request-file", .arg = "FILE", HTTP, APP_TEXT(http.request.file),
        .help = "whole requests, apart by lines that begin with ###, sent in turn (up to 64 in 1Mi)"},
    {.name = "expect", .arg = "LIST", HTTP, APP_CALL(set_expect), .standard = "2xx",
        .help = "statuses that are right, such as 2xx,404; an answer with another one has failed"},
    {.name = "expect-body", .arg = "FILE", HTTP, APP_TEXT(http.expect_body),
        .help = "what each body must be, byte for byte (up to 64Mi)"},
    {.name = "pipeline", .arg = "N", HTTP, APP_U32(http.pipeline, 1, PIPELINE_MAX), .standard = "1",
        .help = "http-keepalive: requests under way on a connection at a time"},
};
// clang-format on

const struct app_opt_rows app_rows_http = APP_OPT_ROWS(rows);
