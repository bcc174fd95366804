/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a segment means to its connection: the state that each end is in once it has arrived, and
 * what it is besides (a retransmission, a keep-alive, a half-close …), each with the RFC section
 * that says so. All inferred from what was captured; a segment is taken to arrive.
 */
#include <tern/decode.h>

#include "flows.h"

enum {
    APP_MOVES_MAX = 4, /**< of one end by one segment: ACK of its SYN, of its FIN, FIN, … */
    APP_NOTES_MAX = 12,
    APP_NOTE_BYTES = 160,
};

/** What became of one end. */
struct app_ending {
    uint8_t before, after; /**< states */
    const char *why;       /**< why `after`; NULL: nothing says */
    const char *section;
};

struct app_note {
    char text[APP_NOTE_BYTES]; /**< with its RFC section */
};

struct app_explained {
    const struct app_flow *flow;
    uint32_t from; /**< which end sent it */
    struct app_ending ends[2];
    uint32_t n_notes;
    struct app_note notes[APP_NOTES_MAX];
};

/** Follow one TCP segment. @param d  d->transport is TCP */
void app_explain(struct app_flows *flows, const struct tern_decoded *d, struct app_explained *out);
