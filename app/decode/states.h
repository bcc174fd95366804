/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The state diagram of RFC 9293 §3.3.2 as an observer sees it: which state an endpoint is in once
 * it has sent, or been reached by, a segment with these control bits. A const table, state x step.
 */
#include <tern/conn.h>

/** A state that no segment has shown yet; otherwise enum tern_state. */
enum { APP_STATE_UNKNOWN = TERN_STATE_COUNT, APP_STATE_COUNT };

/**
 * What moves an endpoint. A segment is up to three of them in the order of RFC 9293 §3.10.7.4: RST,
 * SYN, ACK, FIN.
 */
enum app_step {
    APP_SENT_SYN,
    APP_SENT_SYN_ACK,
    APP_SENT_FIN,
    APP_SENT_FIN_CROSSING, /**< before it had the peer's FIN, which was under way */
    APP_SENT_RST,
    APP_SENT_REFUSAL, /**< RST as the first that it says: nothing listens */
    APP_GOT_RST,
    APP_GOT_SYN,
    APP_GOT_SYN_ACK,
    APP_GOT_ACK_OF_SYN,
    APP_GOT_ACK_OF_FIN,
    APP_GOT_FIN,
    APP_SEEN_ACK, /**< sent or got a segment without SYN and RST: a connection that was there before
                   */
    APP_STEP_COUNT,
};

/** Where a step leads. */
struct app_move {
    uint8_t next;        /**< enum tern_state, or APP_STATE_UNKNOWN */
    const char *why;     /**< one clause */
    const char *section; /**< "RFC 9293 §3.10.7.4"; NULL: this step says nothing about that state */
};

/** @param state  enum tern_state or APP_STATE_UNKNOWN. Steps that do not move it lead to `state`.
 */
struct app_move app_state_move(uint32_t state, enum app_step step);

/** "SYN-SENT" …, "unknown" */
const char *app_state_name(uint32_t state);
