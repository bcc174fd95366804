/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connect, and close as soon as the connection is established: nothing but handshakes. The FIN
 * leaves with the ACK that completes the handshake or right behind it.
 */
#include "load.h"

static void on_open(struct tern_shard *sh, struct tern_conn *c)
{
    app_load_time(sh, c, APP_METRIC_CONNECT);
    tern_close(sh, c);
}

static void on_closed(struct tern_shard *sh, struct tern_conn *c, enum tern_close_reason why)
{
    app_load_closed(sh, c, why);
}

static const struct tern_app handshake_app = {.on_open = on_open, .on_closed = on_closed};

const struct app_scenario app_scenario_handshake = {
    .name = "handshake", .serves = "discard", .app = &handshake_app};
