/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What `tern decode` may be told. */
#include "names.h"

#include <stdbool.h>
#include <stdint.h>

/** How much is shown of a frame. Each has what those before it have. */
enum app_detail { APP_DETAIL_SUMMARY, APP_DETAIL_FIELDS, APP_DETAIL_HEX };

/** Where the time of a frame counts from. */
enum app_time_base { APP_TIME_AUTO, APP_TIME_FIRST, APP_TIME_DELTA, APP_TIME_EPOCH };

struct app_decode_settings {
    const char *path, *filter; /**< NULL: not said */
    bool explain;
    uint32_t detail, time; /**< enum app_detail, enum app_time_base */
    uint64_t packets_max;  /**< 0: all */
    struct app_hosts hosts;
};
