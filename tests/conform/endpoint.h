/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A tern endpoint and a peer that says what the run wants to hear answered. Segments are written
 * and read here byte by byte; nothing of lib/ decides what is right. One instance serves many
 * connections one after the other, each from its own port of the peer.
 */
#include <tern/embed.h>

#include "rules.h"

struct endpoint;

/** Bytes a rule's distances refer to; arrival.rules names them. */
enum {
    TEXT_BYTES = 100,
    LEFT_BYTES = 500,
    INSIDE_BYTES = 1000,
    BEYOND_BYTES = 500,
    FAR_BYTES = 1 << 30,
    BELOW_BYTES = 500
};

/** An instance for IPv4 or IPv6; `pin_isn`: every ISN of tern's wraps within the first kilobyte. */
struct endpoint *endpoint_open(bool v6, bool pin_isn);
/** @return false: it has not given everything back */
bool endpoint_close(struct endpoint *e);

/** Bring a new connection into the situation's state. @return false: tern did not get there */
bool endpoint_reach(struct endpoint *e, const struct situation *at);

/** Let the segment arrive and see what comes of it. */
struct outcome endpoint_try(struct endpoint *e, const struct situation *at);

/** What tern sent in answer, relative to snd.nxt and rcv.nxt as they were; and its state. */
void endpoint_print_answer(const struct endpoint *e, FILE *to);

/** Forget the connection. */
void endpoint_leave(struct endpoint *e);
