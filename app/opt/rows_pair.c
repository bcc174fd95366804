/* SPDX-License-Identifier: BSD-3-Clause */
/* What only both ends together know. */
#include "rows.h"

/* 198.18.1.1..250: the last number of an IPv4 address */
enum { SOURCES_MAX = 250 };

// clang-format off
static const struct app_opt_row rows[] = {
    {.name = "ipv6", .letter = '6', .group = APP_GROUP_PAIR, .commands = CMD_PAIR, APP_FLAG(v6),
        .help = "IPv6 instead of IPv4"},
    {.name = "sources", .arg = "N", .group = APP_GROUP_PAIR, .commands = CMD_PAIR,
        APP_U32(n_sources, 1, SOURCES_MAX), .standard = "64",
        .help = "addresses of the client"},
};
// clang-format on

const struct app_opt_rows app_rows_pair = APP_OPT_ROWS(rows);
