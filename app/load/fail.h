/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** Why a connection failed that TCP was content with. */
// clang-format off
#define APP_FAIL_LIST(X) \
    X(HTTP_STATUS,    "http_status")    /* the response is not a 200 */ \
    X(HTTP_BODY,      "http_body")      /* its body is shorter or longer than it said */ \
    X(HTTP_MALFORMED, "http_malformed") /* it is no HTTP */ \
    X(ECHO_MISMATCH,  "echo_mismatch")  /* what came back is not what was sent */ \
    X(STREAM_CONTENT, "stream_content") /* what came is not the pattern */ \
    X(STREAM_LENGTH,  "stream_length")  /* the source sent fewer or more bytes than --bytes */ \
    X(NO_STATE,       "no_state")       /* no memory for the scenario's own state */
// clang-format on
#define APP_FAIL_ENUM(name, json) APP_FAIL_##name,
enum app_fail { APP_FAIL_LIST(APP_FAIL_ENUM) APP_FAIL_COUNT };
#undef APP_FAIL_ENUM

/** "http_status", … as used in JSON. */
const char *app_fail_name(enum app_fail why);
