/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo_request.h"

#include <rte_mbuf.h>

void app_echo_send(struct tern_shard *sh, struct tern_conn *c, const struct app_pattern *pattern,
    struct app_echo *e)
{
    const uint64_t next = (uint64_t)e->at + e->to_come - e->unsent;
    if (e->unsent > 0)
        e->unsent -= (uint32_t)app_pattern_send(sh, c, pattern, next, e->unsent);
}

/* The chain is what was sent, from the next byte to come on, and not more than was sent. */
static bool matches(
    const struct app_pattern *pattern, const struct app_echo *e, const struct rte_mbuf *m)
{
    return m->pkt_len <= e->to_come - e->unsent && app_pattern_matches(pattern, e->at, m);
}

enum app_echo_taken app_echo_take(struct tern_shard *sh, struct tern_conn *c,
    const struct app_pattern *pattern, struct app_echo *e, struct rte_mbuf *m)
{
    struct app_load_part *p = app_load_part_of(sh, c);
    const uint32_t n_bytes = m->pkt_len;
    const bool good = e != NULL && matches(pattern, e, m);
    rte_pktmbuf_free(m);
    if (!good) {
        app_load_fail(sh, c, APP_FAIL_ECHO_MISMATCH);
        return APP_ECHO_WRONG;
    }
    tern_consume(sh, c, n_bytes);
    if (e->to_come == p->cfg->echo_bytes)
        app_measure_time(&p->measure, e->request, APP_METRIC_FIRST_BYTE, tern_shard_now_ns(sh));
    e->at = (e->at + n_bytes) % APP_PATTERN_BYTES;
    e->to_come -= n_bytes;
    if (e->to_come > 0)
        return APP_ECHO_MORE_TO_COME;
    app_load_bump(&p->counts.answered);
    app_measure_time(&p->measure, e->request, APP_METRIC_COMPLETE, tern_shard_now_ns(sh));
    return APP_ECHO_ANSWERED;
}
