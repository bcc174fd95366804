/* SPDX-License-Identifier: BSD-3-Clause */
#include "pattern.h"

#include <rte_mbuf.h>

#include <stdlib.h>
#include <string.h>

static void fill(uint8_t out[APP_PATTERN_BYTES])
{
    uint32_t x = UINT32_C(2463534242); /* xorshift32, Marsaglia 2003 */
    for (int i = 0; i < APP_PATTERN_BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        out[i] = (uint8_t)x;
    }
}

struct app_pattern *app_pattern_new(struct tern_shard *sh)
{
    struct app_pattern *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    fill(p->bytes);
    p->body = tern_static_new(sh, p->bytes, APP_PATTERN_BYTES);
    if (p->body != NULL)
        return p;
    free(p);
    return NULL;
}

void app_pattern_free(struct app_pattern *p)
{
    tern_static_free(p->body);
    free(p);
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t app_pattern_send(struct tern_shard *sh, struct tern_conn *c, const struct app_pattern *p,
    uint64_t at, uint64_t n_bytes)
{
    uint64_t done = 0, taken = 1;
    while (taken > 0 && done < n_bytes) {
        const uint64_t from = (at + done) % APP_PATTERN_BYTES;
        const uint64_t wanted = lesser(APP_PATTERN_BYTES - from, n_bytes - done);
        taken = tern_send_static(sh, c, p->body, from, wanted);
        done += taken;
    }
    return done;
}

/* [n] bytes are the pattern from `at` on. */
static bool is_pattern(const struct app_pattern *p, uint64_t at, const uint8_t *bytes, uint64_t n)
{
    while (n > 0) {
        const uint64_t from = at % APP_PATTERN_BYTES;
        const uint64_t run = lesser(n, APP_PATTERN_BYTES - from);
        if (memcmp(bytes, p->bytes + from, run) != 0)
            return false;
        bytes += run;
        at += run;
        n -= run;
    }
    return true;
}

bool app_pattern_matches(const struct app_pattern *p, uint64_t at, const struct rte_mbuf *m)
{
    for (; m != NULL; at += m->data_len, m = m->next)
        if (!is_pattern(p, at, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len))
            return false;
    return true;
}
