/* SPDX-License-Identifier: BSD-3-Clause */
#include "state.h"

/*
 * RFC 9293 §3.3.2, figure 5, as data: row = from, set bits = the only states it may go to. A
 * passive open lives in a struct tern_half until its ACK comes; its connection is made in
 * SYN-RECEIVED and moves on at once. TIME-WAIT ends the connection record, so nothing leaves it
 * here.
 */
#define TO(s) (1u << TERN_##s)

// clang-format off
static const uint16_t legal_next[TERN_STATE_COUNT] = {
    [TERN_CLOSED]      = TO(SYN_SENT) | TO(SYN_RCVD),
    [TERN_LISTEN]      = 0,
    [TERN_SYN_SENT]    = TO(SYN_RCVD) | TO(ESTABLISHED) | TO(CLOSED),
    [TERN_SYN_RCVD]    = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [TERN_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [TERN_FIN_WAIT_1]  = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
    [TERN_FIN_WAIT_2]  = TO(TIME_WAIT) | TO(CLOSED),
    [TERN_CLOSE_WAIT]  = TO(LAST_ACK) | TO(CLOSED),
    [TERN_CLOSING]     = TO(TIME_WAIT) | TO(CLOSED),
    [TERN_LAST_ACK]    = TO(CLOSED),
    [TERN_TIME_WAIT]   = TO(CLOSED),
};
// clang-format on

void tern_conn_set_state(struct tern_conn *c, enum tern_state next)
{
    assert(legal_next[c->state] & (1u << next));
    c->state = (uint8_t)next;
    if (next == TERN_ESTABLISHED)
        c->slow &= (uint8_t)~TERN_SLOW_STATE;
    else
        c->slow |= TERN_SLOW_STATE;
}
