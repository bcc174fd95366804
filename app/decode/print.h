/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A decoded frame on paper, in the manner of a protocol analyser: a summary line, a line a field, a
 * line a control bit, the options, the bytes.
 */
#include <tern/decode.h>

#include "explain.h"
#include "names.h"
#include "settings.h"

#include <stdio.h>

/** One frame to be printed. */
struct app_frame {
    uint64_t number;
    int64_t at_ns; /**< as it is to be shown: since something, or since 1970 */
    struct tern_decode_input in;
    struct tern_decoded d;
    const struct app_explained *explained; /**< NULL: not asked for, or no TCP */
};

void app_print_frame(
    FILE *out, enum app_detail detail, const struct app_hosts *hosts, const struct app_frame *f);

/** tern would drop it only because its checksum is left to the sender's NIC. */
bool app_frame_is_unfinished(const struct app_frame *f);
