/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Discard (RFC 863): take everything, say nothing, close when the peer does. There is no on_data:
 * the library then consumes and frees the payload itself.
 */
#include "service.h"

static void on_peer_closed(struct tern_shard *sh, struct tern_conn *c)
{
    tern_close(sh, c);
}

static const struct tern_app discard_app = {.on_peer_closed = on_peer_closed};

const struct app_service app_service_discard = {.name = "discard",
    .port = 9,
    .app = &discard_app,
    .instance_bytes = sizeof(struct app_instance)};
