/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The bytes that echo and stream send: an endless pattern, of which byte number n can be told
 * without having seen those before it. A worker keeps one period of it as a static body that all
 * its connections send from, and a copy to compare with. The period is a prime far beyond any
 * packet's length, so a stream that is shifted, repeated or has lost a segment does not match.
 */
#include <tern/conn.h>

#include <stdbool.h>
#include <stdint.h>

enum { APP_PATTERN_BYTES = 262139 };

struct app_pattern {
    struct tern_static *body;
    uint8_t bytes[APP_PATTERN_BYTES]; /**< the same, to compare with */
};

/** On the worker that sends. @return NULL without memory */
struct app_pattern *app_pattern_new(struct tern_shard *sh);
void app_pattern_free(struct app_pattern *p);

/** Queue [at, at + n_bytes) of the pattern by reference. @return bytes taken, 0..n_bytes */
uint64_t app_pattern_send(struct tern_shard *sh, struct tern_conn *c, const struct app_pattern *p,
    uint64_t at, uint64_t n_bytes);

/** The chain is the pattern from byte `at` on. */
bool app_pattern_matches(const struct app_pattern *p, uint64_t at, const struct rte_mbuf *m);
