/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers, TIME-WAIT and tables are kept beside the stack's configuration: where nothing was said a
 * subcommand or scenario decides, and a default that was filled in would look like the user's wish.
 */
#include "settings.h"

#include "../impair/spec.h"
#include "../value.h"
#include "row.h"

#include <assert.h>
#include <string.h>

enum {
    STATIC_BYTES = 1 << 20, /* more than any service and scenario together makes on a worker */
};

static_assert(APP_OPT_ROWS_MAX <= APP_SAID_WORDS * 64, "a bit for each row");

void app_settings_init(struct app_settings *s, uint32_t command)
{
    memset(s, 0, sizeof *s);
    s->command = command;
    tern_stack_config_init(&s->stack);
    s->n_workers = 1;
    s->moderation_ns = UINT64_MAX;
    s->requests = 1;
    app_http_settings_init(&s->http);
    app_goal_settings_init(&s->goal);
    s->body_bytes = 1;
    app_impair_init(&s->impair);
    s->decode.detail = APP_DETAIL_HEX;
}

bool app_settings_has(const struct app_settings *s, const char *option)
{
    const struct app_opt_row *row = app_opt_find(s->command, option);
    assert(row != NULL);
    const uint32_t i = app_opt_index(row);
    return (s->said[i / 64] >> i % 64 & 1) != 0;
}

void app_settings_apply(
    const struct app_settings *s, struct tern_config *cfg, struct tern_endpoint_config *ep)
{
    cfg->lcores = s->lcores;
    cfg->no_huge = s->no_huge;
    cfg->telemetry = !s->no_telemetry;
    cfg->capture = s->capture;
    cfg->shared = s->shared;
    if (s->moderation_ns != UINT64_MAX)
        cfg->moderation_ns = (uint32_t)s->moderation_ns;
    ep->n_workers = s->n_workers;
    ep->n_queues = s->n_queues;
    ep->no_offload = s->no_offload;
    for (int dir = 0; dir < TERN_IMPAIR_DIRS; dir++)
        ep->impair[dir] = app_impair_of(&s->impair, (enum tern_impair_dir)dir);
    cfg->drain_ms += (uint32_t)(app_impair_patience_ns(ep) / APP_MS_NS);
    ep->static_bytes = STATIC_BYTES;
    ep->stack = s->stack;
    ep->stack.tfo_accept = ep->stack.tfo_connect = s->tfo;
    if (s->time_wait_ms != 0)
        ep->stack.time_wait_ms = s->time_wait_ms;
    if (s->rcv_buf_bytes != 0)
        ep->stack.rcv_buf_bytes = ep->stack.rcv_buf_max_bytes = s->rcv_buf_bytes;
    if (s->snd_buf_bytes != 0)
        ep->stack.snd_buf_bytes = s->snd_buf_bytes;
    if (s->conns_max != 0)
        ep->stack.conns_max = ep->stack.time_wait_max = s->conns_max;
}
