/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the HTTP scenarios share: requests as a worker sends them, and an answer as it comes in,
 * from its first byte to the verdict.
 */
#include "../memo.h"
#include "expect.h"
#include "load.h"
#include "request.h"

#include <http_parser.h>

/* ---- requests ---- */

/** A request that a worker sends by reference. */
struct app_ask {
    struct tern_static *body;
    uint32_t n_bytes;
    bool is_head;
};

/** Those of one target, and the answers that were good; a worker's. */
struct app_exchange {
    const struct app_expect *expect;
    struct app_ask asks[APP_REQUESTS_MAX];
    uint32_t n_asks;
    bool mixed;              /**< some are HEAD, some are not */
    struct app_memo good[2]; /**< [is_head]; verdict: see app_answer_verdict() */
};

/** @return 0, -ENOMEM */
int app_exchange_init(struct app_exchange *x, struct tern_shard *sh,
    const struct app_requests *requests, const struct app_expect *expect);
void app_exchange_fini(struct app_exchange *x);

/* ---- answers ---- */

struct app_answer {
    http_parser parser;
    const struct app_expect *expect;
    uint64_t body_bytes;
    uint32_t n_interim; /**< 1xx that came before it (RFC 9110 §15.2) */
    bool is_head;       /**< to HEAD */
    bool differs;       /**< its body is not the one expected */
    bool complete;
};

/** The answer to a request begins. */
void app_answer_init(struct app_answer *a, const struct app_expect *expect, bool is_head);

/** Take some of it. @return bytes used, which are less than n_bytes when it is complete, or no HTTP
 */
size_t app_answer_take(struct app_answer *a, const void *bytes, size_t n_bytes);

/** The peer has closed: what has no length of its own is complete now (RFC 9112 §6.3). */
void app_answer_end(struct app_answer *a);

/** A complete one. @return APP_FAIL_COUNT when it is what was expected, else why not */
enum app_fail app_answer_judge(const struct app_answer *a);

/* The verdict on a good one: its class of status, and whether the server closes behind it. */
enum { APP_VERDICT_CLASS = 7, APP_VERDICT_CLOSES = 8 };
int32_t app_answer_verdict(const struct app_answer *a);

/** Count a complete one by the class of its status, and those that came before it. */
void app_answer_count(struct app_load_part *p, const struct app_answer *a);
