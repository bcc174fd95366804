/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The state diagram of RFC 9293 §3.3.2 and what follows from a state. */
#include "conn.h"

/** The application may queue data (RFC 9293 §3.10.2). */
static inline bool tern_state_can_send(enum tern_state s)
{
    return s == TERN_SYN_SENT || s == TERN_SYN_RCVD || s == TERN_ESTABLISHED
           || s == TERN_CLOSE_WAIT;
}

/** Payload from the peer is still taken (RFC 9293 §3.10.7.4, seventh). */
static inline bool tern_state_can_receive(enum tern_state s)
{
    return s == TERN_ESTABLISHED || s == TERN_FIN_WAIT_1 || s == TERN_FIN_WAIT_2;
}

/** Our SYN is not acknowledged yet: SYN-SENT, SYN-RECEIVED, or closed while in the latter. */
static inline bool tern_conn_is_opening(const struct tern_conn *c)
{
    return !(c->flags & TERN_CF_OPENED);
}

/**
 * Opened by TCP Fast Open: the application has it although our SYN-ACK is not acknowledged. Its
 * SND.UNA stands behind our SYN from the start (fast_open.c).
 */
static inline bool tern_conn_is_early(const struct tern_conn *c)
{
    return !(c->flags & (TERN_CF_ACTIVE | TERN_CF_OPENED)) && c->state != TERN_CLOSED;
}

/** Queued data and FIN may leave: the handshake is over, our FIN may be outstanding. */
static inline bool tern_state_can_output(enum tern_state s)
{
    return s >= TERN_ESTABLISHED && s <= TERN_LAST_ACK && s != TERN_FIN_WAIT_2;
}
