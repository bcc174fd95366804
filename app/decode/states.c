/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One row a state, one cell a step that it may see; a cell that is not there means that the step
 * leaves the state as it is. A listener is not known from outside, so the end that a first SYN is
 * sent to is taken to be in LISTEN until its answer says otherwise. Where a connection's end was in
 * a closed state, a SYN finds a listener again.
 */
#include "states.h"

#include <stddef.h>

#define UNKNOWN   APP_STATE_UNKNOWN
#define MOVE(s)   TERN_##s
#define R9293(at) "RFC 9293 §" at

// clang-format off
/* What is the same in every synchronized state. */
#define RESETS \
    [APP_SENT_RST] = {MOVE(CLOSED), "sends RST: aborts", R9293("3.10.5")}, \
    [APP_GOT_RST]  = {MOVE(CLOSED), "RST in order: connection reset", R9293("3.10.7.4")}
#define REOPENS \
    [APP_SENT_SYN] = {MOVE(SYN_SENT), "sends SYN: opens anew, knows nothing of the connection before", R9293("3.5.1")}

static const struct app_move moves[APP_STATE_COUNT][APP_STEP_COUNT] = {
    [UNKNOWN] = {
        [APP_SENT_SYN]     = {MOVE(SYN_SENT), "active OPEN sends SYN", R9293("3.10.1")},
        [APP_SENT_SYN_ACK] = {MOVE(SYN_RCVD), "answers a SYN that was not captured", R9293("3.10.7.2")},
        [APP_SENT_RST]     = {MOVE(CLOSED), "sends RST", R9293("3.5.2")},
        [APP_SENT_REFUSAL] = {MOVE(CLOSED), "sends RST", R9293("3.5.2")},
        [APP_GOT_RST]      = {MOVE(CLOSED), "RST arrives: connection reset", R9293("3.5.3")},
        [APP_GOT_SYN]      = {MOVE(SYN_RCVD), "SYN arrives at a listener", R9293("3.10.7.2")},
        [APP_GOT_SYN_ACK]  = {MOVE(ESTABLISHED), "SYN,ACK answers a SYN that was not captured", R9293("3.10.7.3")},
        [APP_SEEN_ACK]     = {MOVE(ESTABLISHED), "ACK without SYN: opened before the capture began", R9293("3.10.7.4")},
    },
    [TERN_CLOSED] = {
        [APP_SENT_SYN]     = {MOVE(SYN_SENT), "active OPEN sends SYN", R9293("3.10.1")},
        [APP_SENT_SYN_ACK] = {MOVE(SYN_RCVD), "answers SYN with SYN,ACK", R9293("3.10.7.2")},
        [APP_SENT_RST]     = {MOVE(CLOSED), "no connection: answers with RST", R9293("3.10.7.1")},
        [APP_SENT_REFUSAL] = {MOVE(CLOSED), "no connection: answers with RST", R9293("3.10.7.1")},
        [APP_GOT_RST]      = {MOVE(CLOSED), "no connection: RST is ignored", R9293("3.10.7.1")},
        [APP_GOT_SYN]      = {MOVE(SYN_RCVD), "SYN arrives at a listener", R9293("3.10.7.2")},
        [APP_SENT_FIN]     = {MOVE(LAST_ACK), "FIN again: the ACK of it did not arrive", R9293("3.8.1")},
        [APP_SEEN_ACK]     = {MOVE(CLOSED), "no connection any more", R9293("3.10.7.1")},
    },
    [TERN_LISTEN] = {
        [APP_SENT_SYN]     = {MOVE(SYN_SENT), "active OPEN sends SYN", R9293("3.10.1")},
        [APP_SENT_SYN_ACK] = {MOVE(SYN_RCVD), "answers SYN with SYN,ACK", R9293("3.10.7.2")},
        [APP_SENT_RST]     = {MOVE(LISTEN), "answers an ACK with RST", R9293("3.10.7.2")},
        [APP_SENT_REFUSAL] = {MOVE(CLOSED), "nothing listens: answers with RST", R9293("3.10.7.1")},
        [APP_GOT_RST]      = {MOVE(LISTEN), "RST is ignored", R9293("3.10.7.2")},
        [APP_GOT_SYN]      = {MOVE(SYN_RCVD), "SYN arrives at a listener", R9293("3.10.7.2")},
    },
    [TERN_SYN_SENT] = {
        [APP_SENT_SYN]     = {MOVE(SYN_SENT), "SYN is not acknowledged yet", R9293("3.10.7.3")},
        [APP_SENT_SYN_ACK] = {MOVE(SYN_RCVD), "answers the peer's SYN", R9293("3.10.7.3")},
        [APP_SENT_RST]     = {MOVE(SYN_SENT), "answers an unacceptable ACK with RST, waits on", R9293("3.10.7.3")},
        [APP_GOT_RST]      = {MOVE(CLOSED), "RST acknowledges the SYN: connection refused", R9293("3.10.7.3")},
        [APP_GOT_SYN]      = {MOVE(SYN_RCVD), "SYN without ACK: simultaneous open", R9293("3.5")},
        [APP_GOT_SYN_ACK]  = {MOVE(ESTABLISHED), "SYN,ACK acknowledges its SYN", R9293("3.10.7.3")},
        [APP_SEEN_ACK]     = {MOVE(SYN_SENT), "neither SYN nor RST: waits on", R9293("3.10.7.3")},
    },
    [TERN_SYN_RCVD] = {
        RESETS,
        [APP_SENT_SYN]       = {MOVE(SYN_RCVD), "its SYN crossed the peer's: simultaneous open", R9293("3.5")},
        [APP_SENT_SYN_ACK]   = {MOVE(SYN_RCVD), "answers SYN with SYN,ACK", R9293("3.10.7.2")},
        [APP_SENT_FIN]       = {MOVE(FIN_WAIT_1), "CLOSE sends FIN", R9293("3.10.4")},
        [APP_SENT_REFUSAL]   = {MOVE(CLOSED), "nothing listens: answers SYN with RST", R9293("3.10.7.1")},
        [APP_GOT_SYN]        = {MOVE(SYN_RCVD), "SYN again: SYN,ACK is not acknowledged yet", R9293("3.10.7.4")},
        [APP_GOT_SYN_ACK]    = {MOVE(ESTABLISHED), "SYN,ACK acknowledges its SYN", R9293("3.5")},
        [APP_GOT_ACK_OF_SYN] = {MOVE(ESTABLISHED), "its SYN is acknowledged", R9293("3.10.7.4")},
        [APP_GOT_FIN]        = {MOVE(CLOSE_WAIT), "FIN arrives", R9293("3.10.7.4")},
        [APP_SEEN_ACK]       = {MOVE(SYN_RCVD), "its SYN is not acknowledged yet", R9293("3.10.7.4")},
    },
    [TERN_ESTABLISHED] = {
        RESETS, REOPENS,
        [APP_SENT_SYN_ACK]      = {MOVE(ESTABLISHED), "SYN,ACK of the opening", R9293("3.5")},
        [APP_SENT_FIN]          = {MOVE(FIN_WAIT_1), "CLOSE sends FIN", R9293("3.10.4")},
        [APP_SENT_FIN_CROSSING] = {MOVE(FIN_WAIT_1), "CLOSE sends FIN", R9293("3.10.4")},
        [APP_GOT_SYN]           = {MOVE(ESTABLISHED), "SYN on a live connection: answered with ACK only (RFC 5961 §4)", R9293("3.10.7.4")},
        [APP_GOT_SYN_ACK]       = {MOVE(ESTABLISHED), "SYN,ACK of the opening: answered with ACK", R9293("3.10.7.4")},
        [APP_GOT_FIN]           = {MOVE(CLOSE_WAIT), "FIN arrives: the peer has no more to send", R9293("3.10.7.4")},
        [APP_SEEN_ACK]          = {MOVE(ESTABLISHED), "data and acknowledgements", R9293("3.10.7.4")},
    },
    [TERN_FIN_WAIT_1] = {
        RESETS, REOPENS,
        [APP_SENT_FIN]       = {MOVE(FIN_WAIT_1), "its FIN is not acknowledged yet", R9293("3.10.4")},
        [APP_GOT_SYN]        = {MOVE(FIN_WAIT_1), "SYN on a live connection: answered with ACK only (RFC 5961 §4)", R9293("3.10.7.4")},
        [APP_GOT_ACK_OF_FIN] = {MOVE(FIN_WAIT_2), "its FIN is acknowledged", R9293("3.10.7.4")},
        [APP_GOT_FIN]        = {MOVE(CLOSING), "FIN that does not acknowledge its own: simultaneous close", R9293("3.10.7.4")},
        [APP_SEEN_ACK]       = {MOVE(FIN_WAIT_1), "its FIN is not acknowledged yet", R9293("3.10.7.4")},
    },
    [TERN_FIN_WAIT_2] = {
        RESETS, REOPENS,
        [APP_SENT_FIN] = {MOVE(FIN_WAIT_2), "its FIN is acknowledged already", R9293("3.10.4")},
        [APP_GOT_SYN]  = {MOVE(FIN_WAIT_2), "SYN on a live connection: answered with ACK only (RFC 5961 §4)", R9293("3.10.7.4")},
        [APP_GOT_FIN]  = {MOVE(TIME_WAIT), "FIN arrives: both directions are closed", R9293("3.10.7.4")},
        [APP_SEEN_ACK] = {MOVE(FIN_WAIT_2), "half-closed: waits for the peer's FIN", R9293("3.6.1")},
    },
    [TERN_CLOSE_WAIT] = {
        RESETS, REOPENS,
        [APP_SENT_FIN]          = {MOVE(LAST_ACK), "CLOSE sends FIN", R9293("3.10.4")},
        [APP_SENT_FIN_CROSSING] = {MOVE(CLOSING), "its FIN crossed the peer's: simultaneous close", R9293("3.6")},
        [APP_GOT_SYN]           = {MOVE(CLOSE_WAIT), "SYN on a live connection: answered with ACK only (RFC 5961 §4)", R9293("3.10.7.4")},
        [APP_GOT_FIN]           = {MOVE(CLOSE_WAIT), "FIN again: acknowledged again", R9293("3.10.7.4")},
        [APP_SEEN_ACK]          = {MOVE(CLOSE_WAIT), "half-closed: may still send", R9293("3.6.1")},
    },
    [TERN_CLOSING] = {
        RESETS, REOPENS,
        [APP_GOT_SYN]        = {MOVE(CLOSING), "SYN on a live connection: answered with ACK only (RFC 5961 §4)", R9293("3.10.7.4")},
        [APP_SENT_FIN]       = {MOVE(CLOSING), "its FIN is not acknowledged yet", R9293("3.10.7.4")},
        [APP_GOT_ACK_OF_FIN] = {MOVE(TIME_WAIT), "its FIN is acknowledged: both directions are closed", R9293("3.10.7.4")},
        [APP_SEEN_ACK]       = {MOVE(CLOSING), "its FIN is not acknowledged yet", R9293("3.10.7.4")},
    },
    [TERN_LAST_ACK] = {
        RESETS, REOPENS,
        [APP_GOT_SYN]        = {MOVE(LAST_ACK), "SYN on a live connection: answered with ACK only (RFC 5961 §4)", R9293("3.10.7.4")},
        [APP_SENT_FIN]       = {MOVE(LAST_ACK), "its FIN is not acknowledged yet", R9293("3.10.7.4")},
        [APP_GOT_ACK_OF_FIN] = {MOVE(CLOSED), "its FIN is acknowledged: the connection is gone", R9293("3.10.7.4")},
        [APP_SEEN_ACK]       = {MOVE(LAST_ACK), "its FIN is not acknowledged yet", R9293("3.10.7.4")},
    },
    [TERN_TIME_WAIT] = {
        RESETS,
        [APP_SENT_SYN]     = {MOVE(SYN_SENT), "active OPEN sends SYN", R9293("3.10.1")},
        [APP_SENT_SYN_ACK] = {MOVE(SYN_RCVD), "opens anew out of TIME-WAIT (RFC 6191)", R9293("3.6.1")},
        [APP_GOT_SYN]      = {MOVE(SYN_RCVD), "SYN opens anew out of TIME-WAIT (RFC 6191)", R9293("3.10.7.4")},
        [APP_GOT_FIN]      = {MOVE(TIME_WAIT), "FIN again: acknowledged, 2 MSL begin anew", R9293("3.10.7.4")},
        [APP_SEEN_ACK]     = {MOVE(TIME_WAIT), "waits 2 MSL", R9293("3.6.1")},
    },
};
// clang-format on

struct app_move app_state_move(uint32_t state, enum app_step step)
{
    struct app_move move = moves[state][step];
    if (move.section == NULL)
        move.next = (uint8_t)state;
    return move;
}

const char *app_state_name(uint32_t state)
{
    return state == APP_STATE_UNKNOWN ? "unknown" : tern_state_name((enum tern_state)state);
}
